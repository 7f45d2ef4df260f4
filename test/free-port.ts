/** A port for who has to name one before it is taken, or comes back to it: of those that no system hands out by itself. */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Whoever asks for any port gets one of 32768 and above: one of those would be somebody else's by the time it is wanted again.
const [FROM, UNTIL] = [20_000, 32_000]

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FROM, UNTIL)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
