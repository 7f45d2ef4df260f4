/** One app in six frameworks that reads bodies in a Route and in handlers of the host's own; and requests held back halfway. */
import { request as httpRequest, type RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
// @ts-expect-error the same types hold, and the alias has none
import express4 from 'express4'
import { Hono } from 'hono'
import Koa from 'koa'
// @ts-expect-error the same types hold, and the alias has none
import Koa2 from 'koa2'
import { type Access, type Auth, jsonResponse, type Route, readJson } from 'sallyport'
import type { AdapterOptions } from 'sallyport/adapter'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { listen } from './hosts.ts'

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

/** The app as a listener of Node's, or as a Fetch handler. */
export function slowApp(name: SlowHost, auth: Auth, access: Access, options: AdapterOptions = {}): Mounted {
  if (name.startsWith('express')) return { listener: expressOf(name, auth, access, options) }
  if (name.startsWith('koa')) return { listener: koaOf(name, auth, access, options) }
  const app = honoOf(auth, access, options)
  return name === 'hono'
    ? { listener: getRequestListener(app.fetch) as RequestListener }
    : { fetch: (r) => app.fetch(r) }
}

export type Mounted = { readonly listener: RequestListener } | { fetch(request: Request): Response | Promise<Response> }

/** Serve it. */
export async function serveSlow(mounted: Mounted): Promise<SlowApp> {
  if ('fetch' in mounted)
    return { hold: (path, headers) => holdFetch(mounted.fetch, path, headers), close: async () => undefined }
  const server = await listen(mounted.listener)
  return { hold: (path, headers) => holdSocket(`${server.url}${path}`, headers), close: server.close }
}

function routesOf(access: Access): readonly Route[] {
  const handle: Route['handle'] = async (_context, request) => jsonResponse(200, await readJson(request))
  return [
    { method: 'POST', path: '/route', access, handle },
    { method: 'POST', path: '/public', access: 'public', handle },
  ]
}

function expressOf(name: SlowHost, auth: Auth, access: Access, options: AdapterOptions): RequestListener {
  const { mount, protect, middleware, onError } = forExpress.createAdapter(auth, options)
  const app = name === 'express 5' ? express() : (express4() as express.Express)
  mount(app, routesOf(access))
  app.post(
    '/protected',
    protect(access, async (_context, req, res) => void res.json(await forExpress.readJson(req))),
  )
  app.post('/behind', middleware(access), (req, res, next) => {
    forExpress.readJson(req).then((body) => res.json(body), next)
  })
  app.post('/head-is-out', (req, res) => {
    res.writeHead(200).write('begun')
    forExpress.readJson(req, undefined, { timeoutSeconds: 0.02 }).catch(() => undefined)
  })
  app.use(onError)
  return app as unknown as RequestListener
}

function koaOf(name: SlowHost, auth: Auth, access: Access, options: AdapterOptions): RequestListener {
  const { mount, protect, middleware, onError } = forKoa.createAdapter(auth, options)
  const app: Koa = name === 'koa 3' ? new Koa() : new Koa2()
  app.silent = true
  const answer = async (ctx: Koa.Context): Promise<void> => {
    ctx.body = await forKoa.readJson(ctx)
  }
  const wrapped = protect(access, (_context, ctx) => answer(ctx as Koa.Context))
  const guard = middleware(access)
  app.use(onError)
  mount(app, routesOf(access))
  app.use((ctx, next) => {
    if (ctx.path === '/protected') return wrapped(ctx, next)
    if (ctx.path === '/behind') return guard(ctx, () => answer(ctx))
    if (ctx.path !== '/head-is-out') return next()
    ctx.respond = false
    ctx.res.writeHead(200).write('begun')
    return forKoa.readJson(ctx, undefined, { timeoutSeconds: 0.02 }).catch(() => undefined)
  })
  return app.callback() as RequestListener
}

export function honoOf(auth: Auth, access: Access, options: AdapterOptions): Hono {
  const { mount, protect, middleware, onError } = forHono.createAdapter(auth, options)
  const app = new Hono()
  mount(app, routesOf(access))
  app.post(
    '/protected',
    protect(access, async (_context, c) => c.json((await forHono.readJson(c)) as object)),
  )
  app.post('/behind', middleware(access), async (c) => c.json((await forHono.readJson(c)) as object))
  app.onError(onError)
  return app
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
