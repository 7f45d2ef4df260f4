/** The hosts that tests mount on: Express 5 and 4, Koa 3 and 2, Hono on Node; one app of data, set up as a user of each would. */
import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
// @ts-expect-error the same types hold, and the alias has none
import express4 from 'express4'
import { Hono } from 'hono'
import Koa from 'koa'
// @ts-expect-error the same types hold, and the alias has none
import Koa2 from 'koa2'
import type { Access, Auth, AuthContext, AuthResponse, Route } from 'sallyport'
import { type AdapterOptions, createRouteFinder } from 'sallyport/adapter'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import type { BodyLimits } from '../../src/http/read-json.ts'

export type HostName = 'express 5' | 'express 4' | 'koa 3' | 'koa 2' | 'hono'

/** What a handler of a host's own has at hand beside the context. */
export interface AtHand {
  /** The adapter's `readJson`, of this request. */
  readJson(schema?: undefined, limits?: BodyLimits): Promise<unknown>
  /** Node's own response, where the framework stands on it. */
  readonly response: ServerResponse | null
}

/** A path of the host's own: `middleware(access)` for each of `mounts`, then the handler, in `protect` unless `access` is `null`. */
export interface Endpoint {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly mounts: readonly Access[]
  readonly access: Access | null
  /** What it answers; `null`: it has written to Node's response by itself. */
  answer(context: AuthContext | null, host: AtHand): AuthResponse | null | Promise<AuthResponse | null>
}

/** What to mount: an audit, or a part of one. */
export interface Mountable {
  readonly auth: Auth
  readonly routes?: readonly Route[]
  readonly endpoints?: readonly Endpoint[]
  /** A middleware before everything. */
  readonly guard?: Access
  readonly options?: AdapterOptions
  /** Mount the adapter's `onError`. */
  readonly onError?: boolean
}

/** An empty app of Express. */
export const newExpress = (name: string): express.Express =>
  (name === 'express 4' ? (express4 as typeof express) : express)().disable('x-powered-by')

/** An empty app of Koa. */
export const newKoa = (name: string): Koa => {
  const app = name === 'koa 2' ? new (Koa2 as typeof Koa)() : new Koa()
  app.silent = true
  return app
}

export const HOSTS: Readonly<Record<HostName, (...parts: readonly Mountable[]) => RequestListener>> = {
  'express 5': (...parts) => expressApp('express 5', parts) as unknown as RequestListener,
  'express 4': (...parts) => expressApp('express 4', parts) as unknown as RequestListener,
  'koa 3': (...parts) => koaApp('koa 3', parts).callback(),
  'koa 2': (...parts) => koaApp('koa 2', parts).callback(),
  hono: (...parts) => getRequestListener(honoApp(...parts).fetch),
}

function expressApp(name: HostName, parts: readonly Mountable[]): express.Express {
  const app = newExpress(name)
  for (const { auth, routes = [], endpoints = [], guard, options, onError } of parts) {
    const adapter = forExpress.createAdapter(auth, options)
    if (guard !== undefined) app.use(adapter.middleware(guard))
    adapter.mount(app, routes)
    for (const { method, path, mounts, access, answer } of endpoints) {
      const guards = mounts.map((each) => adapter.middleware(each))
      const respond = async (context: unknown, req: express.Request, res: express.Response): Promise<void> => {
        const readJson: AtHand['readJson'] = (...given) => forExpress.readJson(req, ...given)
        const answered = await answer(context as never, { readJson, response: res })
        if (answered !== null) forExpress.writeAuthResponse(res, answered)
      }
      const handler: express.RequestHandler =
        access === null
          ? // Express 4 does not look at promises: a handler of its time hands its errors on by itself.
            (req, res, next) => void respond(guards.at(-1)?.getAuth(req), req, res).catch(next)
          : adapter.protect(access, respond)
      app[method === 'GET' ? 'get' : 'post'](path, ...guards, handler)
    }
    if (onError === true) app.use(adapter.onError)
  }
  return app
}

function koaApp(name: HostName, parts: readonly Mountable[]): Koa {
  const app = newKoa(name)
  for (const { auth, routes = [], endpoints = [], guard, options, onError } of parts) {
    const adapter = forKoa.createAdapter(auth, options)
    if (onError === true) app.use(adapter.onError)
    if (guard !== undefined) app.use(adapter.middleware(guard))
    adapter.mount(app, routes)
    const find = createRouteFinder(
      endpoints.map(({ method, path, mounts, access, answer }) => {
        const guards = mounts.map((each) => adapter.middleware(each))
        const respond = async (context: unknown, ctx: Koa.Context): Promise<void> => {
          const readJson: AtHand['readJson'] = (...given) => forKoa.readJson(ctx, ...given)
          const answered = await answer(context as never, { readJson, response: ctx.res })
          if (answered === null) ctx.respond = false
          else forKoa.writeAuthResponse(ctx, answered)
        }
        const handler: Koa.Middleware =
          access === null
            ? (ctx) => respond(guards.at(-1)?.getAuth(ctx), ctx)
            : adapter.protect(access, (context, ctx) => respond(context, ctx as Koa.Context))
        return { method, path, chain: [...guards, handler] }
      }),
    )
    app.use((ctx, next) => {
      // Not `ctx.path`: Koa throws for a target that no URL parser takes.
      const found = find(ctx.method, ctx.url)
      if (found === null) return next()
      const { chain } = found.route
      const from = (index: number): Promise<unknown> => Promise.resolve(chain[index]?.(ctx, () => from(index + 1)))
      ctx['params'] = found.params
      return from(0)
    })
  }
  return app
}

/** On Hono, for its `fetch` too. */
export function honoApp(...parts: readonly Mountable[]): Hono {
  const app = new Hono()
  for (const { auth, routes = [], endpoints = [], guard, options, onError } of parts) {
    const adapter = forHono.createAdapter(auth, options)
    if (guard !== undefined) app.use(adapter.middleware(guard))
    adapter.mount(app, routes)
    for (const { method, path, mounts, access, answer } of endpoints) {
      const guards = mounts.map((each) => adapter.middleware(each))
      for (const each of guards) app.on(method, path, each)
      const respond = async (context: unknown, c: Parameters<typeof forHono.readJson>[0]): Promise<Response> => {
        const readJson: AtHand['readJson'] = (...given) => forHono.readJson(c, ...given)
        const answered = await answer(context as never, { readJson, response: null })
        return answered === null ? c.body(null) : forHono.writeAuthResponse(c, answered)
      }
      if (access === null) app.on(method, path, (c) => respond(guards.at(-1)?.getAuth(c), c))
      else app.on(method, path, adapter.protect(access, respond))
    }
    if (onError === true) app.onError(adapter.onError)
  }
  return app
}

/** A listening server. */
export interface Listening {
  readonly url: string
  readonly port: number
  readonly server: Server
  close(): Promise<void>
}

export async function listen(listener: RequestListener, options: ServerOptions = {}): Promise<Listening> {
  const server = createServer(options, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
