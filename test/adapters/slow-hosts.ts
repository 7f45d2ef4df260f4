/** One app in six frameworks that reads bodies in a Route and in handlers of the host's own; and requests held back halfway. */
import { request as httpRequest, type RequestListener } from 'node:http'
import { type Access, type Auth, jsonResponse, type Route, readJson } from 'sallyport'
import type { AdapterOptions } from 'sallyport/adapter'
import { type Endpoint, HOSTS, honoApp, listen, type Mountable } from '../support/hosts.ts'

export const SLOW_HOSTS = ['express 5', 'express 4', 'koa 3', 'koa 2', 'hono', 'hono over fetch'] as const
export type SlowHost = (typeof SLOW_HOSTS)[number]

/** Where bodies are read: a Route, a public one, the host's handler in `protect`, and one behind `middleware`. */
export const PATHS = ['/route', '/protected', '/behind'] as const

/** A request whose body is held back. */
export interface Held {
  /** Send the rest of the body. */
  finish(): void
  readonly answer: Promise<{ readonly status: number; readonly body: string; readonly headers: Headers }>
  /** Settles when the connection has ended. */
  readonly ended: Promise<unknown>
}

export interface SlowApp {
  /** Begin a request: its head and the first half of its body. */
  hold(path: string, headers: Readonly<Record<string, string>>): Held
  close(): Promise<void>
}

/** The app as data: it reads bodies in Routes, in `protect`, behind `middleware`, and once its head is out. */
export function slowPart(auth: Auth, access: Access, options: AdapterOptions = {}): Mountable {
  const handle: Route['handle'] = async (_context, request) => jsonResponse(200, await readJson(request))
  const answer: Endpoint['answer'] = async (_context, host) => jsonResponse(200, await host.readJson())
  return {
    ...{ auth, options, onError: true },
    routes: [
      { method: 'POST', path: '/route', access, handle },
      { method: 'POST', path: '/public', access: 'public', handle },
    ],
    endpoints: [
      { method: 'POST', path: '/protected', mounts: [], access, answer },
      { method: 'POST', path: '/behind', mounts: [access], access: null, answer },
      {
        ...{ method: 'POST', path: '/head-is-out', mounts: [], access: null },
        answer: (_context, host) => {
          host.response?.writeHead(200).write('begun')
          host.readJson(undefined, { timeoutSeconds: 0.02 }).catch(() => undefined)
          return null
        },
      },
    ],
  }
}

/** The app as a listener of Node's, or as a Fetch handler. */
export function slowApp(name: SlowHost, auth: Auth, access: Access, options: AdapterOptions = {}): Mounted {
  const part = slowPart(auth, access, options)
  if (name !== 'hono over fetch') return { listener: HOSTS[name](part) }
  const app = honoApp(part)
  return { fetch: (request) => app.fetch(request) }
}

export type Mounted = { readonly listener: RequestListener } | { fetch(request: Request): Response | Promise<Response> }

/** Serve it. */
export async function serveSlow(mounted: Mounted): Promise<SlowApp> {
  if ('fetch' in mounted)
    return { hold: (path, headers) => holdFetch(mounted.fetch, path, headers), close: async () => undefined }
  const server = await listen(mounted.listener)
  return { hold: (path, headers) => holdSocket(`${server.url}${path}`, headers), close: server.close }
}

const FIRST = '{"a":'
const REST = '1}'

function holdSocket(url: string, headers: Readonly<Record<string, string>>): Held {
  const sending = httpRequest(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } })
  const ended = new Promise((resolve) => {
    sending.on('socket', (socket) => socket.on('close', resolve))
  })
  const answer = new Promise<Awaited<Held['answer']>>((resolve, reject) => {
    sending.on('error', reject)
    sending.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const lines = Object.entries(response.headers).map(([key, value]): [string, string] => [key, String(value)])
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          headers: new Headers(lines),
        })
      })
    })
  })
  sending.write(FIRST)
  return { finish: () => void sending.end(REST), answer, ended }
}

function holdFetch(
  handler: (request: Request) => Response | Promise<Response>,
  path: string,
  headers: Readonly<Record<string, string>>,
): Held {
  let finish = (): void => undefined
  let cancelled: (value: unknown) => void = () => undefined
  const ended = new Promise((resolve) => {
    cancelled = resolve
  })
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(FIRST))
      finish = () => {
        controller.enqueue(new TextEncoder().encode(REST))
        controller.close()
      }
    },
    cancel: (reason) => cancelled(reason),
  })
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers }, duplex: 'half' }
  const answering = async (): Promise<Awaited<Held['answer']>> => {
    const response = await handler(new Request(`http://127.0.0.1${path}`, init as RequestInit))
    return { status: response.status, body: await response.text(), headers: response.headers }
  }
  return { finish: () => finish(), answer: answering(), ended }
}
