/** docs/runtimes.md, "What differs between the frameworks": each row of its table, asked of the frameworks. */
import { connect } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { createAuth, type Decision } from 'sallyport'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { createTestKit } from 'sallyport/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Listening, listen, newKoa } from '../support/hosts.ts'

const page = { express: 'Express', koa: 'Koa', hono: 'Hono' } as const
type Name = keyof typeof page
const NAMES = Object.keys(page) as Name[]

let headers: Readonly<Record<string, string>>
const seen: Decision[] = []
const servers = new Map<Name, Listening>()

beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const kit = await createTestKit()
  const auth = createAuth({
    issuers: kit.issuers,
    storage: kit.storage,
    roles: ['member'],
    onDecision: (decision) => void seen.push(decision),
  })
  headers = (await kit.signIn({ org: 'acme' })).headers
  const [onExpress, onKoa, onHono] = [forExpress, forKoa, forHono].map((each) => each.createAdapter(auth as never)) as [
    ReturnType<typeof forExpress.createAdapter<never>>,
    ReturnType<typeof forKoa.createAdapter<never>>,
    ReturnType<typeof forHono.createAdapter<never>>,
  ]
  const fail = (): never => {
    throw new Error('a fault')
  }
  const sub = express.Router().get(
    '/me',
    onExpress.protect((_context, _req, res) => res.send('me')),
  )
  const app = express().use('/v1', sub).get('/fail', fail) as never
  const koaMe = onKoa.protect((_context, ctx) => {
    ctx.body = 'me'
  })
  const koa = newKoa('koa 3')
  koa.use((ctx, next) => {
    if (ctx.path === '/fail') fail()
    if (ctx.method !== 'GET' || ctx.path !== '/v1/me') return next()
    ctx.path = '/me' // as a router below a base path does
    return koaMe(ctx, next)
  })
  const hono = new Hono()
    .route(
      '/v1',
      new Hono().get(
        '/me',
        onHono.protect((_context, c) => c.text('me')),
      ),
    )
    .get('/fail', fail)
  servers.set('express', await listen(app))
  servers.set('koa', await listen(koa.callback()))
  servers.set('hono', await listen(getRequestListener(hono.fetch)))
})
afterAll(async () => {
  vi.restoreAllMocks()
  for (const server of servers.values()) await server.close()
})

async function ask(
  name: Name,
  path: string,
  method = 'GET',
): Promise<readonly [status: number, body: string, allow: string | null]> {
  const answer = await fetch(`${servers.get(name)?.url}${path}`, { method, headers })
  return [answer.status, await answer.text(), answer.headers.get('allow')]
}

/** The first line of the answer to a request as it is written. */
function send(name: Name, request: string): Promise<string> {
  const socket = connect(servers.get(name)?.port ?? 0, '127.0.0.1')
  const lines = Object.entries(headers).map((line) => `${line.join(': ')}\r\n`)
  socket.write(`${request}\r\n${lines.join('')}Connection: close\r\n\r\n`)
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.once('data', (chunk) => {
      resolve(String(chunk).split('\r\n')[0] as string)
      socket.destroy()
    })
  })
}

describe.each(NAMES)('%s', (name) => {
  const isExpress = name === 'express'

  it('`OPTIONS` on a path with a `GET`', async () => {
    const [status, , allow] = await ask(name, '/v1/me', 'OPTIONS')
    expect([status, allow]).toEqual(isExpress ? [200, 'GET, HEAD'] : [404, null])
  })

  it('an error that nobody caught', async () => {
    const [status, body] = await ask(name, '/fail')
    expect(status).toBe(500)
    if (isExpress) expect(body).toMatch(/Error: a fault<br>[\s\S]*differences\.test\.ts/)
    else expect(body).toBe('Internal Server Error')
  })

  it('a router below a base path: the whole target', async () => {
    seen.length = 0
    expect(await ask(name, '/v1/me')).toMatchObject([200, 'me', null])
    expect(seen.map(({ path }) => path)).toEqual(['/v1/me'])
  })

  it.runIf(name !== 'koa')('a path in another case, or with a slash at its end', async () => {
    const statuses = [await ask(name, '/V1/ME'), await ask(name, '/v1/me/')].map(([status]) => status)
    expect(statuses).toEqual(isExpress ? [200, 200] : [404, 404])
  })

  it('a request without `Host`, and an absolute target', async () => {
    expect(await send(name, 'GET /v1/me HTTP/1.0')).toBe(`HTTP/1.1 ${name === 'hono' ? '400 Bad Request' : '200 OK'}`)
    expect(await send(name, 'GET http://api.example.com/v1/me HTTP/1.1\r\nHost: api.example.com')).toBe(
      'HTTP/1.1 200 OK',
    )
  })
})
