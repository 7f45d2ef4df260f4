/**
 * An app under `register.mjs`, on the framework that is named: three requests to itself, then what OpenTelemetry was told, as a
 * line of JSON.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import { createAuth, type Route } from 'sallyport'
import { createAdapter as onExpress } from 'sallyport/express'
import { createAdapter as onHono } from 'sallyport/hono'
import { createAdapter as onKoa } from 'sallyport/koa'
import { createTelemetry } from 'sallyport/otel'
import { createTestKit } from 'sallyport/testing'

declare global {
  /** What `register.mjs` hands to the app. */
  var told: () => Promise<object>
}

const kit = await createTestKit()
const auth = createAuth({
  issuers: kit.issuers,
  storage: kit.storage,
  roles: ['member', 'admin'],
  onDecision: createTelemetry({ spanDetails: ['caller', 'org'] }),
})

const routes: readonly Route[] = [
  auth.route({
    method: 'GET',
    path: '/notes',
    access: {},
    handle: async () => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      return { status: 204, headers: [], body: null }
    },
  }),
  auth.route({
    method: 'GET',
    path: '/broken',
    access: {},
    handle: () => {
      throw new TypeError('a fault of the host')
    },
  }),
]

const SERVERS: Readonly<Record<string, () => Server>> = {
  express() {
    const app = express()
    onExpress(auth).mount(app, routes)
    app.use((_error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
      res.status(500).end()
    })
    return createServer(app)
  },
  koa() {
    const app = new Koa()
    app.silent = true
    onKoa(auth).mount(app, routes)
    return createServer(app.callback())
  },
  hono() {
    const app = new Hono()
    onHono(auth).mount(app, routes)
    app.onError((_error, c) => c.body(null, 500))
    return createAdaptorServer(app) as Server
  },
}

const server = SERVERS[process.argv[2] ?? '']?.().listen(0, '127.0.0.1') as Server
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const { headers, user } = await kit.signIn({ org: 'acme' })
const asks: readonly [string, Record<string, string>][] = [
  ['/notes', { ...headers }],
  ['/notes', {}],
  ['/broken', { ...headers }],
]
const statuses: number[] = []
for (const [path, given] of asks) {
  const answer = await fetch(url + path, { headers: given })
  await answer.arrayBuffer()
  statuses.push(answer.status)
}
console.log(JSON.stringify({ user: user?.id, statuses, ...(await globalThis.told()) }))
server.close()
server.closeAllConnections()
