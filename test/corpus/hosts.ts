/**
 * The same host on each framework: every route mounted, `/protected` through `protect`, `/mw/protected` through
 * `middleware` and `getAuth`. Hands on a listening server.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import { createAdapter as expressAdapter } from '../../adapters/express.ts'
import { createAdapter as honoAdapter } from '../../adapters/hono.ts'
import { createAdapter as koaAdapter } from '../../adapters/koa.ts'
import { describe, routesFor } from './routes.ts'
import type { CorpusAuth, World } from './world.ts'

/** A server under test. */
export interface Host {
  readonly port: number
  close(): Promise<void>
}

type Auths = ReadonlyMap<string, CorpusAuth>

/** Start a host on a free port of 127.0.0.1, by framework. */
export const FRAMEWORKS: Readonly<Record<string, (auths: Auths, world: World) => Promise<Host>>> = {
  express: startExpress,
  koa: startKoa,
  hono: startHono,
}

function startExpress(auths: Auths, world: World): Promise<Host> {
  const app = express()
  app.disable('x-powered-by').disable('etag')
  for (const [prefix, auth] of auths) {
    const { mount, protect, middleware } = expressAdapter(auth)
    const signedIn = middleware()
    app.get(
      `${prefix}/protected`,
      protect((context, _req, res) => res.json(describe(context))),
    )
    app.use(`${prefix}/mw`, signedIn)
    app.get(`${prefix}/mw/protected`, (req, res) => res.json(describe(signedIn.getAuth(req))))
    mount(app, routesFor(prefix, auth, world))
  }
  return listen(createServer(app))
}

function startKoa(auths: Auths, world: World): Promise<Host> {
  const app = new Koa()
  for (const [prefix, auth] of auths) {
    const { mount, protect, middleware } = koaAdapter(auth)
    const signedIn = middleware()
    const answer = protect((context, ctx) => {
      ctx.body = describe(context)
    })
    app.use((ctx, next) => (ctx.method === 'GET' && ctx.path === `${prefix}/protected` ? answer(ctx, next) : next()))
    app.use((ctx, next) => (ctx.path.startsWith(`${prefix}/mw/`) ? signedIn(ctx, next) : next()))
    app.use((ctx, next) => {
      if (ctx.method !== 'GET' || ctx.path !== `${prefix}/mw/protected`) return next()
      ctx.body = describe(signedIn.getAuth(ctx))
      return undefined
    })
    mount(app, routesFor(prefix, auth, world))
  }
  return listen(createServer(app.callback()))
}

// What Express and Koa write by themselves.
const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' }

function startHono(auths: Auths, world: World): Promise<Host> {
  const app = new Hono()
  for (const [prefix, auth] of auths) {
    const { mount, protect, middleware } = honoAdapter(auth)
    const signedIn = middleware()
    app.get(
      `${prefix}/protected`,
      protect((context, c) => c.json(describe(context), 200, JSON_TYPE)),
    )
    app.use(`${prefix}/mw/*`, signedIn)
    app.get(`${prefix}/mw/protected`, (c) => c.json(describe(signedIn.getAuth(c)), 200, JSON_TYPE))
    mount(app, routesFor(prefix, auth, world))
  }
  return listen(createServer(getRequestListener(app.fetch)))
}

function listen(server: Server): Promise<Host> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((done) => {
            server.close(() => done())
            server.closeAllConnections()
          }),
      })
    })
  })
}
