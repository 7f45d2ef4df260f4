/**
 * A real HTTP server on 127.0.0.1 that can vanish and come back on the same port. Hands on its address; what it answers
 * is its caller's affair.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server of one's own. */
export interface LocalServer {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly url: string
  readonly port: number
  /** Listen again on the same port; nothing happens if it does. */
  open(): Promise<void>
  /** Stop listening and cut every connection, busy ones too: connections are refused from then on. */
  shut(): Promise<void>
}

const TRIES_TO_LISTEN = 40
const MILLISECONDS_BETWEEN = 50

/** Start a server; port 0 takes a free one. */
export async function startLocalServer(listener: RequestListener, port = 0): Promise<LocalServer> {
  let server = await listen(listener, port, 1)
  const { port: bound } = server.address() as AddressInfo
  return Object.freeze({
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    async open() {
      if (!server.listening) server = await listen(listener, bound, TRIES_TO_LISTEN)
    },
    async shut() {
      if (server.listening) await close(server)
    },
  })
}

// Somebody else may sit on the port for a moment after we left it.
async function listen(listener: RequestListener, port: number, tries: number): Promise<Server> {
  try {
    return await listenOnce(listener, port)
  } catch (error) {
    if (tries <= 1) throw error
    await new Promise((resolve) => setTimeout(resolve, MILLISECONDS_BETWEEN))
    return await listen(listener, port, tries - 1)
  }
}

function listenOnce(listener: RequestListener, port: number): Promise<Server> {
  const server = createServer(listener)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server.off('error', reject)))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
