/** Where the processes of the tests ask what the one that runs them has made, and wait for it: one address, one text for each path. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An open desk: what the tests are given is its `url`. */
export interface Desk {
  readonly url: string
  close(): void
}

/** Open one: `answer` gets the path that is asked for, without its slash. What it throws is the answer too, as a failure. */
export async function openDesk(answer: (path: string) => Promise<string>): Promise<Desk> {
  const server = createServer((request, response) => {
    // No connection is kept: one that is closed just when it is used again would fail a test.
    response.setHeader('Connection', 'close')
    answer((request.url ?? '/').slice(1)).then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(String(error instanceof Error ? error.stack : error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Ask a desk, however long it takes; what it could not make is thrown. */
export async function askDesk(url: string, path = ''): Promise<string> {
  const response = await fetch(`${url}/${path}`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}
