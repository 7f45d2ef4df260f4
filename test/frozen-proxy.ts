/** A wire to a database that can go dead: connections stay open, and nothing comes through any more. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A proxy in front of a PostgreSQL. */
export interface FrozenProxy {
  /** The same database, by the proxy. */
  readonly url: string
  /** From now on nothing comes through, and new connections are taken and left alone. */
  freeze(): void
  /** What was asked before is lost; new connections work again. */
  thaw(): void
  close(): void
}

/** Stand in front of the database of a URL. */
export async function openProxy(target: string): Promise<FrozenProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let frozen = false
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    const pair = [
      [near, far],
      [far, near],
    ] as const
    for (const [from, to] of pair) {
      sockets.add(from)
      from.on('data', (chunk) => frozen || to.write(chunk))
      from.on('error', () => undefined)
      from.on('close', () => {
        sockets.delete(from)
        if (!frozen) to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    freeze() {
      frozen = true
    },
    thaw() {
      frozen = false
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
