/** A body that does not come in time: what becomes of the connection, over HTTP/1 and HTTP/2, and whoever answers. */
import { once } from 'node:events'
import { connect, createServer, type Http2Server } from 'node:http2'
import { type AddressInfo, connect as connectSocket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { afterEach, describe, expect, it } from 'vitest'
import { createWorld } from '../pipeline/world.ts'
import { honoApp, type Listening, listen } from '../support/hosts.ts'
import { serveSlow, slowApp, slowPart } from './slow-hosts.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const { auth } = createWorld()
const SOON = { bodyTimeoutSeconds: 0.02 }
const JSON_TYPE = { 'content-type': 'application/json' }

describe('over HTTP/2', () => {
  const serve = async (listener: unknown): Promise<Http2Server> => {
    const server = createServer(listener as never)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return server
  }
  const hosts: Record<string, () => unknown> = {
    koa: () => (slowApp('koa 3', auth, {}, SOON) as { listener: unknown }).listener,
    hono: () => getRequestListener(honoApp(slowPart(auth, {}, SOON)).fetch as never),
  }

  it.each(Object.keys(hosts))('%s answers 408 and ends the stream, not the connection', async (name) => {
    const server = await serve(hosts[name]?.())
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    closing.push(async () => {
      client.destroy()
      server.close()
    })
    for (const _ of ['first', 'second']) {
      const stream = client.request({ ':method': 'POST', ':path': '/public', ...JSON_TYPE })
      stream.write('{')
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
      expect(headers[':status']).toBe(408)
      expect(headers['connection']).toBeUndefined()
      stream.resume()
      await once(stream, 'close')
      expect(stream.rstCode).toBe(0)
    }
    expect(client.closed).toBe(false)
  })
})

describe('over HTTP/1', () => {
  /** Send half a body and read until the server ends the connection. */
  const halfOf = async (server: Listening, path: string): Promise<string> => {
    const socket = connectSocket(Number(new URL(server.url).port), '127.0.0.1')
    const lines = [`POST ${path} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', 'Content-Length: 7', '', '{']
    socket.write(lines.join('\r\n'))
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => undefined)
    await once(socket, 'close')
    return Buffer.concat(chunks).toString()
  }
  const served = async (listener: unknown): Promise<Listening> => {
    const server = await listen(listener as never)
    closing.push(server.close)
    return server
  }

  it.each(['express 5', 'express 4', 'koa 3', 'koa 2'] as const)('%s ends it where the head is out', async (name) => {
    const server = await served((slowApp(name, auth, {}) as { listener: unknown }).listener)
    expect(await halfOf(server, '/head-is-out')).toMatch(/^HTTP\/1.1 200 /)
  })

  const delegating: Record<string, () => unknown> = {
    express: () => {
      const app = express()
      const { protect } = forExpress.createAdapter(auth, { errors: 'delegate', ...SOON })
      app.post(
        '/',
        protect('public', async (_context, req, res) => void res.json(await forExpress.readJson(req))),
      )
      app.use(((error, _req, res, _next) => void res.sendStatus(error.status)) satisfies express.ErrorRequestHandler)
      return app
    },
    koa: () => {
      const app = new Koa()
      app.silent = true
      const { protect } = forKoa.createAdapter(auth, { errors: 'delegate', ...SOON })
      app.use(protect('public', (_context, ctx) => forKoa.readJson(ctx)))
      return app.callback()
    },
    hono: () => {
      const app = new Hono()
      const { protect } = forHono.createAdapter(auth, { errors: 'delegate', ...SOON })
      app.post(
        '/',
        protect('public', async (_context, c) => c.json((await forHono.readJson(c)) as object)),
      )
      app.onError((error) => (error as unknown as { getResponse(): Response }).getResponse())
      return getRequestListener(app.fetch)
    },
  }
  it.each(Object.keys(delegating))('%s ends it after an answer of its own', async (name) => {
    const answer = await halfOf(await served(delegating[name]?.()), '/')
    expect(answer).toMatch(/^HTTP\/1.1 408 /)
    expect(answer).toMatch(/^connection: close/im)
  })

  it('ends it where nobody answers: Express waits for the rest of the body', async () => {
    const app = express()
    const { protect } = forExpress.createAdapter(auth, { errors: 'delegate', ...SOON })
    app.post(
      '/',
      protect('public', (_context, req) => forExpress.readJson(req)),
    )
    expect(await halfOf(await served(app), '/')).toBe('')
  })

  it('a handler that answers by itself ends it too, and one adapter’s time holds behind another’s', async () => {
    const app = express()
    app.use(forExpress.createAdapter(auth, SOON).middleware('public'))
    app.post('/', async (req, res) => {
      await forExpress.readJson(req).catch(() => undefined)
      res.send('mine')
    })
    const answer = await halfOf(await served(app), '/')
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    expect(answer).toMatch(/^connection: close/im)
  })
})

it('what a reader says goes before what the adapter says', async () => {
  const app = await serveSlow({
    fetch: (request) => {
      const hono = new Hono()
      const { protect } = forHono.createAdapter(auth, SOON)
      hono.post(
        '/',
        protect('public', async (_context, c) =>
          c.json((await forHono.readJson(c, undefined, { timeoutSeconds: 60 })) as object),
        ),
      )
      return hono.fetch(request)
    },
  })
  const held = app.hold('/', {})
  // Longer than the adapter would wait.
  await new Promise((resolve) => setTimeout(resolve, 60))
  held.finish()
  expect((await held.answer).status).toBe(200)
})

it('a body that a handler waits for already is given up too', async () => {
  const hono = new Hono()
  hono.post('/', async (c) => {
    c.req.text().catch(() => undefined)
    const refusal = await forHono.readJson(c, undefined, { timeoutSeconds: 0.02 }).catch((error: unknown) => error)
    return c.json({ code: (refusal as { code?: string }).code })
  })
  const app = await serveSlow({ fetch: (request) => hono.fetch(request) })
  expect((await app.hold('/', {}).answer).body).toBe('{"code":"request_timeout"}')
})

it.each([0, -1, Number.NaN, 3601, '10', null, Number.POSITIVE_INFINITY])('%s is no time to wait', async (seconds) => {
  const wrong = { bodyTimeoutSeconds: seconds } as never
  for (const { createAdapter } of [forExpress, forKoa, forHono]) {
    expect(() => createAdapter(auth as never, wrong)).toThrow(/option "bodyTimeoutSeconds"/)
  }
  const c = { req: {} }
  const reading = forExpress.readJson({ rawHeaders: [], ...c } as never, undefined, {
    timeoutSeconds: seconds,
  } as never)
  await expect(reading).rejects.toThrow(/option "timeoutSeconds"/)
})
