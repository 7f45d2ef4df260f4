/**
 * A local server with a fault switch: the answers of a key server or an issuer by endpoint, counted, any of them spoilt
 * on demand.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type JsonEndpoints, NO_SUCH_PATH, readRequest, startLocalServer } from '../../src/testing/local-server.ts'
import { HTTP_FAULTS, type HttpFault, MOVED_PATH, type WriteFault, writeJson } from './http-faults.ts'

/** A server with a fault switch. */
export interface FaultyServer<Name extends string, E extends JsonEndpoints<Name>> {
  readonly url: string
  readonly port: number
  readonly endpoints: E
  /** How often an endpoint was asked since the start, redirects followed not counted. */
  count(endpoint: Name): number
  /** How often somebody followed a redirect. */
  followed(): number
  /** Spoil answers: of one endpoint, or of all; `ok` writes them as due, `refused` takes the whole server away. */
  fault(fault: 'ok' | 'refused' | HttpFault | WriteFault, only?: Name): Promise<void>
  close(): Promise<void>
}

/** Start a server with a fault switch on 127.0.0.1; its endpoints are made once its address is known. */
export async function startFaultyServer<Name extends string, E extends JsonEndpoints<Name>>(
  make: (url: string) => Promise<E & JsonEndpoints<Name>>,
): Promise<FaultyServer<Name, E>> {
  const counts = new Map<Name, number>()
  let followed = 0
  let write: WriteFault | null = null
  let spoilt: Name | undefined
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const moved = incoming.url?.startsWith(`${MOVED_PATH}/`) === true
    const request = await readRequest(incoming, moved ? incoming.url?.slice(MOVED_PATH.length) : incoming.url)
    const { endpointOf, answer } = await made
    const endpoint = endpointOf(request)
    if (endpoint === null) return writeJson(response, 404, JSON.stringify(NO_SUCH_PATH.body))
    if (moved) followed += 1
    else counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1)
    const due = async () => {
      const { status, body } = await answer(endpoint, request)
      return { status, body: JSON.stringify(body) }
    }
    if (write !== null && !moved && (spoilt === undefined || spoilt === endpoint)) return await write(response, due)
    const { status, body } = await due()
    writeJson(response, status, body)
  }
  const server = await startLocalServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  const made = make(server.url)
  return {
    endpoints: await made,
    url: server.url,
    port: server.port,
    count: (endpoint) => counts.get(endpoint) ?? 0,
    followed: () => followed,
    async fault(fault, only) {
      if (fault === 'refused') return await server.shut()
      if (typeof fault === 'string' && fault !== 'ok' && !Object.hasOwn(HTTP_FAULTS, fault)) {
        throw new TypeError(`no fault of this server: ${fault}`)
      }
      write = fault === 'ok' ? null : typeof fault === 'string' ? HTTP_FAULTS[fault].write : fault
      spoilt = only
      await server.open()
    },
    close: server.shut,
  }
}
