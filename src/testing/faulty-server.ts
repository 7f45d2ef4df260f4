/**
 * A local server with a fault switch: JSON answers by path, counted, any of them spoilt on demand. The JWK Set server
 * and the Supabase issuer are both one of these.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Due, HTTP_FAULTS, type HttpFault, MOVED_PATH, type WriteFault, writeJson } from './http-faults.ts'
import { startLocalServer } from './local-server.ts'

/** An answer as it is due. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** What a faulty server does: answer by path, and the extra faults it knows. */
export interface FaultyServerOptions<Name extends string> {
  readonly port?: number | undefined
  /** Name the endpoint of a request, or `null` for 404. */
  readonly endpointOf: (method: string, path: string, query: URLSearchParams) => Name | null
  /** Answer a request to an endpoint. */
  readonly answer: (endpoint: Name, request: IncomingMessage, body: string) => Answer | Promise<Answer>
}

/** A server with a fault switch. */
export interface FaultyServer<Name extends string> {
  readonly url: string
  readonly port: number
  /** How often an endpoint was asked since the start, redirects followed not counted. */
  count(endpoint: Name): number
  /** How often somebody followed a redirect. */
  followed(): number
  /** Spoil answers: of one endpoint, or of all. `null` writes them as due. */
  spoil(fault: HttpFault | WriteFault | null, only?: Name): void
  open(): Promise<void>
  shut(): Promise<void>
}

const MAX_BODY_BYTES = 64 * 1024

/** Start a server with a fault switch on 127.0.0.1. */
export async function startFaultyServer<Name extends string>(
  options: FaultyServerOptions<Name>,
): Promise<FaultyServer<Name>> {
  const counts = new Map<Name, number>()
  let followed = 0
  let write: WriteFault | null = null
  let spoilt: Name | undefined
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const moved = request.url?.startsWith(`${MOVED_PATH}/`) === true
    const url = new URL(`http://localhost${moved ? request.url?.slice(MOVED_PATH.length) : request.url}`)
    const endpoint = options.endpointOf(request.method ?? 'GET', url.pathname, url.searchParams)
    const body = await read(request)
    if (endpoint === null) return writeJson(response, 404, '{"code":404,"msg":"no such path"}')
    if (moved) followed += 1
    else counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1)
    const answer = async (): Promise<Answer> => await options.answer(endpoint, request, body)
    if (write !== null && !moved && (spoilt === undefined || spoilt === endpoint)) {
      return await write(response, async () => toDue(await answer()))
    }
    const { headers = {}, ...due } = await answer()
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    writeJson(response, due.status, toDue(due).body)
  }
  const server = await startLocalServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  }, options.port)
  return {
    url: server.url,
    port: server.port,
    count: (endpoint) => counts.get(endpoint) ?? 0,
    followed: () => followed,
    spoil(fault, only) {
      write = typeof fault === 'string' ? HTTP_FAULTS[fault].write : fault
      spoilt = only
    },
    open: server.open,
    shut: server.shut,
  }
}

function toDue({ status, body }: Answer): Due {
  return { status, body: JSON.stringify(body) }
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) throw new RangeError('a body over 64 KB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
