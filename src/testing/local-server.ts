/** Real HTTP servers on 127.0.0.1 that can be away, slow, and back on the same port. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

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

/** Which endpoint a request is for, if any, and what that answers. */
export interface JsonEndpoints<Name extends string> {
  endpointOf(request: JsonRequest): Name | null
  answer(endpoint: Name, request: JsonRequest): JsonAnswer | Promise<JsonAnswer>
}

/** A server that listens, or not. */
interface LocalServer {
  readonly url: string
  readonly port: number
  /** Listen again on the same port; nothing happens if it does. */
  open(): Promise<void>
  /** Stop listening and cut every connection, busy ones too: connections are refused from then on. */
  shut(): Promise<void>
}

/** A server of JSON endpoints. */
interface JsonServer<E> extends Pick<LocalServer, 'url' | 'port'>, ServerStates {
  readonly endpoints: E
  /** How often an endpoint was asked. */
  count(endpoint: string): number
}

/** What a path that is not there gets. */
export const NO_SUCH_PATH: JsonAnswer = { status: 404, body: { code: 404, msg: 'no such path' } }
const MAX_BODY_BYTES = 64 * 1024
const TRIES_TO_LISTEN = 40
const MILLISECONDS_BETWEEN = 50

/** Start a server of JSON endpoints, which are made once its address is known. */
export async function startJsonServer<E extends JsonEndpoints<string>>(
  make: (url: string) => Promise<E>,
  port = 0,
): Promise<JsonServer<E>> {
  let waitSeconds = 0
  const counts = new Map<string, number>()
  const server = await startLocalServer(async (incoming, response) => {
    try {
      const request = await readRequest(incoming)
      const { endpointOf, answer } = await made
      const endpoint = endpointOf(request)
      if (endpoint !== null) counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1)
      const { status, body } = endpoint === null ? NO_SUCH_PATH : await answer(endpoint, request)
      const write = () =>
        response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
      if (waitSeconds === 0) return void write()
      const timer = setTimeout(write, waitSeconds * 1000).unref()
      response.once('close', () => clearTimeout(timer))
    } catch {
      response.destroy()
    }
  }, port)
  const { url, open, shut } = server
  const made = make(url)
  const slow = (seconds = 0.25): Promise<void> => {
    waitSeconds = seconds
    return open()
  }
  const states = { ok: () => slow(0), down: shut, slow, close: shut }
  return { url, port: server.port, ...states, endpoints: await made, count: (endpoint) => counts.get(endpoint) ?? 0 }
}

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
  const server = createServer(listener)
  const listen = (on: number): Promise<unknown> => once(server.listen(on, '127.0.0.1'), 'listening')
  await listen(port)
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    async open() {
      // Somebody else may sit on the port for a moment after we left it.
      for (let tries = 1; !server.listening; tries += 1) {
        await listen(bound).catch(async (error) => {
          if (tries === TRIES_TO_LISTEN) throw error
          await new Promise((resolve) => setTimeout(resolve, MILLISECONDS_BETWEEN))
        })
      }
    },
    async shut() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
