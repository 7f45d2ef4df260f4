/**
 * A real HTTP server on 127.0.0.1 that can be away, slow, and back on the same port. What it answers is its caller's
 * affair.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
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

/** The states of a server for tests, and its end. */
export interface ServerStates {
  /** Answer, at once. So it starts. */
  ok(): Promise<void>
  /** Be away: connections are refused, those that are open are cut. */
  down(): Promise<void>
  /** Answer, but after some seconds. Default 0.25. */
  slow(seconds?: number): Promise<void>
  /** End at once, also what still waits for an answer. */
  close(): Promise<void>
}

/** A request, read whole. */
export interface JsonRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** An answer, its body a value to write as JSON. */
export interface JsonAnswer {
  readonly status: number
  readonly body: unknown
}

const MAX_BODY_BYTES = 64 * 1024
const TRIES_TO_LISTEN = 40
const MILLISECONDS_BETWEEN = 50

/** Start a server of JSON answers; `null` is a 404. */
export async function startJsonServer(
  answer: (request: JsonRequest) => JsonAnswer | null | Promise<JsonAnswer | null>,
  port = 0,
): Promise<Pick<LocalServer, 'url' | 'port'> & ServerStates> {
  let waitSeconds = 0
  const handle: RequestListener = async (incoming, response) => {
    try {
      const { status, body } = (await answer(await readRequest(incoming))) ?? NO_SUCH_PATH
      const write = () =>
        response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
      if (waitSeconds === 0) return void write()
      const timer = setTimeout(write, waitSeconds * 1000).unref()
      response.once('close', () => clearTimeout(timer))
    } catch {
      response.destroy()
    }
  }
  const server = await startLocalServer(handle, port)
  const openAfter = (seconds: number): Promise<void> => {
    waitSeconds = seconds
    return server.open()
  }
  return {
    url: server.url,
    port: server.port,
    ok: () => openAfter(0),
    down: server.shut,
    slow: (seconds = 0.25) => openAfter(seconds),
    close: server.shut,
  }
}

/** What a path that is not there gets. */
export const NO_SUCH_PATH: JsonAnswer = { status: 404, body: { code: 404, msg: 'no such path' } }

/** Read a request whole; `target` in place of its own where another is meant. */
export async function readRequest(
  incoming: IncomingMessage,
  target: string | undefined = incoming.url,
): Promise<JsonRequest> {
  const { pathname, searchParams } = new URL(`http://localhost${target}`)
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) throw new RangeError('a body over 64 KB')
    chunks.push(chunk)
  }
  const { method = 'GET', headers } = incoming
  return { method, path: pathname, query: searchParams, headers, body: Buffer.concat(chunks).toString() }
}

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
