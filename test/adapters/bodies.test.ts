/** `readJson` beside the frameworks' own parsers, in either order: never a hang, never a 500, the same object. */
import { gzipSync } from 'node:zlib'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
// @ts-expect-error the same types hold, and the alias has none
import express4 from 'express4'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import Koa from 'koa'
// @ts-expect-error it comes without types
import bodyParser from 'koa-bodyparser'
import { isAuthError } from 'sallyport'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { describe, expect, it } from 'vitest'
import { PATIENCE_MS } from '../patience.ts'
import { type Listening, listen } from '../support/hosts.ts'

type Read = { readonly ours: unknown; readonly theirs?: unknown }

const BIG = `{"a":"${'x'.repeat(20_000)}"}`

/** What a JSON reader made of a request: its object, or the status it refuses with. */
async function ours(reading: Promise<unknown>): Promise<unknown> {
  return reading.catch((error: unknown) => (isAuthError(error) ? error.status : 'failed'))
}

const expressHost = (
  framework: typeof express,
  order: 'before' | 'behind' | 'twice',
  parser: express.RequestHandler,
): unknown => {
  const app = framework()
  const read: express.RequestHandler = (req, res, next) => {
    ours(forExpress.readJson(req)).then((value) => {
      res.locals['ours'] = value
      next()
    }, next)
  }
  if (order === 'behind') app.use(parser, read)
  else if (order === 'before') app.use(read, parser)
  else app.use(read, read)
  app.use((req, res) => void res.json({ ours: res.locals['ours'], theirs: req.body ?? null }))
  return app
}

const koaHost = (order: 'before' | 'behind' | 'twice'): unknown => {
  const app = new Koa()
  const read: Koa.Middleware = async (ctx, next) => {
    ctx.state['ours'] = await ours(forKoa.readJson(ctx))
    await next()
  }
  const parser = bodyParser({ jsonLimit: '1mb' }) as unknown as Koa.Middleware
  const chain = {
    behind: [parser, read],
    before: [read, parser],
    twice: [read, (ctx: Koa.Context, next: Koa.Next) => read(ctx, next)],
  }
  for (const each of chain[order]) app.use(each)
  app.use((ctx) => {
    ctx.body = { ours: ctx.state['ours'], theirs: (ctx.request as { body?: unknown }).body ?? null }
  })
  return app.callback()
}

const honoApp = (order: 'before' | 'behind' | 'twice', how: 'json' | 'text'): Hono => {
  const app = new Hono()
  app.post('/', async (c) => {
    const theirsFirst = order === 'behind' ? await theirsOf(c, how) : null
    const value = await ours(forHono.readJson(c))
    const again = order === 'twice' ? await ours(forHono.readJson(c)) : value
    const theirs = order === 'before' ? await theirsOf(c, how) : theirsFirst
    return c.json({ ours: again, theirs })
  })
  return app
}

async function theirsOf(c: Parameters<typeof forHono.readJson>[0], how: 'json' | 'text'): Promise<unknown> {
  try {
    return how === 'json' ? await c.req.json() : JSON.parse(await c.req.text())
  } catch {
    return null
  }
}

const json = { 'Content-Type': 'application/json' }
const big = express.json({ limit: '1mb' })
const HOSTS: Record<string, (order: 'before' | 'behind' | 'twice') => unknown> = {
  'express.json() of Express 5': (order) => expressHost(express, order, big),
  'express.text() of Express 5': (order) => expressHost(express, order, express.text({ type: '*/*', limit: '1mb' })),
  'express.raw() of Express 5': (order) => expressHost(express, order, express.raw({ type: '*/*', limit: '1mb' })),
  'express.json() of Express 4': (order) => expressHost(express4, order, express4.json({ limit: '1mb' })),
  'koa-bodyparser': koaHost,
  'c.req.json()': (order) => getRequestListener(honoApp(order, 'json').fetch),
  'c.req.text()': (order) => getRequestListener(honoApp(order, 'text').fetch),
}

describe.each(Object.keys(HOSTS))('%s', (name) => {
  const post = async (
    order: 'before' | 'behind' | 'twice',
    body: RequestInit['body'],
    headers: Record<string, string> = json,
  ): Promise<Read & { status: number }> => {
    const server: Listening = await listen(HOSTS[name]?.(order) as never)
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      const init = { method: 'POST', body, headers, signal, ...(body instanceof ReadableStream && { duplex: 'half' }) }
      const response = await fetch(server.url, init as RequestInit)
      return { status: response.status, ...((await response.json().catch(() => ({}))) as Read) }
    } finally {
      await server.close()
    }
  }
  const chunked = (text: string): ReadableStream => new Blob([text]).stream()

  it.each(['before', 'behind', 'twice'] as const)('reads an object %s it', async (order) => {
    expect((await post(order, '{"a":1}')).ours).toEqual({ a: 1 })
    expect((await post(order, chunked('{"a":1}'))).ours).toEqual({ a: 1 })
  })

  it('leaves it what it needs', async () => {
    const { status, theirs } = await post('before', '{"a":1}')
    expect(status).toBe(200)
    expect(theirs).toEqual({ a: 1 })
  })

  it.each(['before', 'behind', 'twice'] as const)('refuses what is too large, %s it', async (order) => {
    expect((await post(order, BIG)).ours).toBe(413)
    expect((await post(order, chunked(BIG))).ours).toBe(413)
  })

  it.each(['before', 'behind', 'twice'] as const)('refuses another type, %s it', async (order) => {
    expect((await post(order, '{"a":1}', { 'Content-Type': 'text/plain' })).ours).toBe(415)
  })

  it('refuses what is encoded, whatever its size', async () => {
    const encoded = (coding: string): Record<string, string> => ({ ...json, 'Content-Encoding': coding })
    for (const coding of ['gzip', 'deflate', 'br', 'GZIP', 'identity, gzip', 'unheard-of']) {
      for (const body of [gzipSync('{"a":1}'), '{"a":1}', BIG]) {
        expect((await post('twice', body, encoded(coding))).ours).toBe(415)
      }
    }
    expect((await post('twice', '{"a":1}', encoded('Identity'))).ours).toEqual({ a: 1 })
    expect((await post('twice', '', encoded('gzip'))).ours).toBe(400)
  })

  // Hono's own readers inflate nothing.
  it.skipIf(name.startsWith('c.req'))('takes what it has inflated, by its size then', async () => {
    const headers = { ...json, 'Content-Encoding': 'gzip' }
    expect((await post('behind', gzipSync('{"a":1}'), headers)).ours).toEqual({ a: 1 })
    expect((await post('behind', gzipSync(BIG), headers)).ours).toBe(413)
  })

  it.each(['before', 'twice'] as const)('refuses what is malformed or empty, %s it', async (order) => {
    for (const body of ['{"a":', '', '[]', '"x"']) {
      const answer = await post(order, body)
      expect([body, answer.status, answer.ours]).toEqual([body, 200, 400])
    }
  })

  it('refuses an empty body behind it', async () => {
    expect((await post('behind', '')).ours).toBe(400)
  })
})

describe('a body that somebody else has taken', () => {
  it('is a mistake of the host, said in a sentence, on Express', async () => {
    const app = express()
    app.use((req, _res, next) => void req.on('end', next).resume())
    let said: unknown
    app.use(
      (req, res) =>
        void forExpress
          .readJson(req)
          .catch((error) => (said = error))
          .then(() => res.end()),
    )
    const server = await listen(app)
    await fetch(server.url, { method: 'POST', body: '{}', headers: json })
    await server.close()
    expect(isAuthError(said)).toBe(false)
    expect(String(said)).toMatch(/somebody else has read the request body/)
  })

  it('on Hono too', async () => {
    const app = new Hono()
    let said: unknown
    app.post('/', async (c) => {
      await c.req.raw.text()
      said = await forHono.readJson(c).catch((error) => error)
      return c.text('')
    })
    await app.request('/', { method: 'POST', body: '{}', headers: json })
    expect(isAuthError(said)).toBe(false)
    expect(String(said)).toMatch(/somebody else has read the request body.*on Hono read by c\.req/)
  })
})

it('reads behind a middleware of Hono that replaces the request', async () => {
  const app = new Hono()
  app.post('/', bodyLimit({ maxSize: 100_000 }), async (c) => c.json({ ours: await ours(forHono.readJson(c)) }))
  for (const [body, expected] of [
    ['{"a":1}', { a: 1 }],
    [BIG, 413],
  ] as const) {
    const init = { method: 'POST', body: new Blob([body]).stream(), headers: json, duplex: 'half' }
    expect(await (await app.request('/', init as RequestInit)).json()).toEqual({ ours: expected })
  }
})

it('takes what a middleware of Hono has inflated into another request', async () => {
  const app = new Hono()
  app.post('/', async (c, next) => {
    const { headers, body } = c.req.raw
    const plain = new Headers(headers)
    plain.delete('Content-Encoding')
    plain.delete('Content-Length')
    const inflated = body?.pipeThrough(new DecompressionStream('gzip') as never) ?? null
    c.req.raw = new Request(c.req.url, {
      method: 'POST',
      headers: plain,
      body: inflated,
      duplex: 'half',
    } as RequestInit)
    await next()
  })
  app.post('/', async (c) => c.json({ ours: await ours(forHono.readJson(c)) }))
  const server = await listen(getRequestListener(app.fetch))
  try {
    const headers = { ...json, 'Content-Encoding': 'gzip' }
    for (const [body, expected] of [
      ['{"a":1}', { a: 1 }],
      [BIG, 413],
    ] as const) {
      const response = await fetch(server.url, { method: 'POST', body: gzipSync(body), headers })
      expect(await response.json()).toEqual({ ours: expected })
    }
  } finally {
    await server.close()
  }
})
