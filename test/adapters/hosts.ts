/** The six hosts the adapters are tested on: each mounts an audit as a user of that framework would, and listens. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
// @ts-expect-error the same types hold, and the alias has none
import express4 from 'express4'
import { Hono } from 'hono'
import Koa from 'koa'
// @ts-expect-error the same types hold, and the alias has none
import Koa2 from 'koa2'
import { createRouteFinder } from 'sallyport/adapter'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import type { AdapterAudit } from '../../src/testing/adapter-audit.ts'

export type HostName = 'express 5' | 'express 4' | 'koa 3' | 'koa 2' | 'hono'

/** What to mount: an audit, or a part of one. */
export type Mountable = Pick<AdapterAudit, 'auth' | 'routes' | 'endpoints'>

export const HOSTS: Readonly<Record<HostName, (audit: Mountable) => RequestListener>> = {
  'express 5': (audit) => expressApp(express, audit) as unknown as RequestListener,
  'express 4': (audit) => expressApp(express4 as unknown as typeof express, audit) as unknown as RequestListener,
  'koa 3': (audit) => koaApp(Koa, audit).callback(),
  'koa 2': (audit) => koaApp(Koa2 as unknown as typeof Koa, audit).callback(),
  hono: (audit) => getRequestListener(honoApp(audit).fetch),
}

export function expressApp(framework: typeof express, { auth, routes, endpoints }: Mountable): express.Express {
  const { middleware, protect, mount } = forExpress.createAdapter(auth)
  const app = framework()
  mount(app, routes)
  for (const { method, path, mounts, access, answer } of endpoints) {
    const guards = mounts.map((each) => middleware(each))
    const handler: express.RequestHandler =
      access === null
        ? (req, res) => forExpress.writeAuthResponse(res, answer(guards.at(-1)?.getAuth(req) as never))
        : protect(access, (context, _req, res) => forExpress.writeAuthResponse(res, answer(context as never)))
    app[method === 'GET' ? 'get' : 'post'](path, ...guards, handler)
  }
  return app
}

export function koaApp(Framework: typeof Koa, { auth, routes, endpoints }: Mountable): Koa {
  const { middleware, protect, mount } = forKoa.createAdapter(auth)
  const app = new Framework()
  app.silent = true
  mount(app, routes)
  const find = createRouteFinder(
    endpoints.map(({ method, path, mounts, access, answer }) => {
      const guards = mounts.map((each) => middleware(each))
      const handler: Koa.Middleware =
        access === null
          ? (ctx) => forKoa.writeAuthResponse(ctx, answer(guards.at(-1)?.getAuth(ctx) as never))
          : protect(access, (context, ctx) => forKoa.writeAuthResponse(ctx, answer(context as never)))
      return { method, path, chain: [...guards, handler] }
    }),
  )
  app.use((ctx, next) => {
    const found = find(ctx.method, ctx.path)
    if (found === null) return next()
    const { chain } = found.route
    const from = (index: number): Promise<unknown> => Promise.resolve(chain[index]?.(ctx, () => from(index + 1)))
    ctx['params'] = found.params
    return from(0)
  })
  return app
}

export function honoApp({ auth, routes, endpoints }: Mountable): Hono {
  const { middleware, protect, mount } = forHono.createAdapter(auth)
  const app = new Hono()
  mount(app, routes)
  for (const { method, path, mounts, access, answer } of endpoints) {
    const guards = mounts.map((each) => middleware(each))
    for (const guard of guards) app.on(method, path, guard)
    if (access === null) {
      app.on(method, path, (c) => forHono.writeAuthResponse(c, answer(guards.at(-1)?.getAuth(c) as never)))
    } else {
      const handler = protect(access, (context, c) => forHono.writeAuthResponse(c, answer(context as never)))
      app.on(method, path, handler)
    }
  }
  return app
}

/** A listening server. */
export interface Listening {
  readonly url: string
  readonly server: Server
  close(): Promise<void>
}

export async function listen(listener: RequestListener): Promise<Listening> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
