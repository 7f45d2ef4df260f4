// A server of its own process for the HTTP rounds: `express|koa|hono` with `nothing`, `ours`, or a bare `jwtVerify`. It prints its
// port; `GET /cpu` says what processor time it has used, in microseconds.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { createLocalJWKSet, jwtVerify } from 'jose'
import Koa from 'koa'
import { createAuth, createJwtVerifier, createOrgResolver, createProvisioner, header } from 'sallyport'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { createMemoryStorage } from 'sallyport/memory'

const [framework = 'express', mode = 'nothing', given = ''] = process.argv.slice(2)
const { issuer, audience, jwks } = JSON.parse(given) as { issuer: string; audience: string; jwks: { keys: never[] } }

const keys = createLocalJWKSet(jwks)
const verifyBare = (line: string | undefined): Promise<unknown> =>
  jwtVerify(line?.slice('Bearer '.length) ?? '', keys, { issuer, audience })

const storage = createMemoryStorage()
const auth = createAuth({
  roles: ['owner'],
  verifier: createJwtVerifier({ issuers: [{ issuer, keys: [{ kind: 'jwks', keys: jwks.keys }], audience }] }),
  users: createProvisioner({ storage }),
  orgs: createOrgResolver({
    memberships: storage.memberships,
    selectors: [header('X-Org-Id')],
    whenUnnamed: 'earliest-joined',
  }),
})

const APPS: Readonly<Record<string, () => RequestListener>> = {
  express() {
    const app = express()
    if (mode === 'ours') app.use(forExpress.createAdapter(auth).middleware())
    if (mode === 'bare')
      app.use((req, _res, next) => void verifyBare(req.headers.authorization).then(() => next(), next))
    app.get('/', (_req, res) => void res.json({ ok: true }))
    return app
  },
  koa() {
    const app = new Koa()
    if (mode === 'ours') app.use(forKoa.createAdapter(auth).middleware())
    if (mode === 'bare') app.use((ctx, next) => verifyBare(ctx.headers.authorization).then(next))
    app.use((ctx) => {
      ctx.body = { ok: true }
    })
    return app.callback()
  },
  hono() {
    const app = new Hono()
    if (mode === 'ours') app.use(forHono.createAdapter(auth).middleware())
    if (mode === 'bare') app.use((c, next) => verifyBare(c.req.header('authorization')).then(next))
    app.get('/', (c) => c.json({ ok: true }))
    return getRequestListener(app.fetch)
  },
}

const listener = (APPS[framework] as () => RequestListener)()
const server = createServer((req, res) => {
  if (req.url !== '/cpu') return listener(req, res)
  const { user, system } = process.cpuUsage()
  res.end(String(user + system))
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
