/** A handler that writes its own head, in every form Node takes: our headers are on it all the same. HTTP/1 and HTTP/2. */
import { createServer, type RequestListener, request as requestHttp1, type ServerResponse } from 'node:http'
import { connect, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import express from 'express'
// @ts-expect-error the same types hold, and the alias has none
import express4 from 'express4'
import { Hono } from 'hono'
import Koa from 'koa'
// @ts-expect-error the same types hold, and the alias has none
import Koa2 from 'koa2'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createRigWorld, type RigWorld } from './rigs.ts'

let world: RigWorld
beforeAll(async () => {
  world = await createRigWorld()
  // Hono's server tells it here where a head is written twice.
  vi.spyOn(console, 'error').mockImplementation((error) => void written.push(error))
})
const written: unknown[] = []

type Write = (res: ServerResponse) => unknown
type Lines = readonly (readonly [name: string, value: string])[]

/** How a handler may write its head, and the `Vary` that must come of it. */
const FORMS: Readonly<Record<string, readonly [write: Write, vary: string]>> = {
  'status alone': [(res) => res.writeHead(200).end(), ''],
  'status and nothing': [(res) => res.writeHead(200, undefined).end(), ''],
  'an object': [(res) => res.writeHead(200, { Vary: 'Accept', 'X-Org-Id': 'x', 'X-Theirs': 'a' }).end(), 'Accept, '],
  'a reason and an object': [(res) => res.writeHead(200, 'OK', { vary: 'Accept', 'X-Theirs': 'a' }).end(), 'Accept, '],
  'a reason alone': [(res) => res.writeHead(200, 'OK').end(), ''],
  'nothing and an object': [(res) => res.writeHead(200, undefined, { Vary: 'Accept' }).end(), 'Accept, '],
  'an object of lists': [
    (res) => res.writeHead(200, { Vary: ['Accept', 'Origin'], 'Set-Cookie': ['a=1', 'b=2'] }).end(),
    'Accept, Origin, ',
  ],
  'names and values in turn': [
    (res) => res.writeHead(200, ['X-Org-Id', 'x', 'Set-Cookie', 'a=1', 'Vary', 'Accept', 'Set-Cookie', 'b=2']).end(),
    'Accept, ',
  ],
  'two lines of Vary': [(res) => res.writeHead(200, ['Vary', 'Accept', 'Vary', 'Origin']).end(), 'Accept, Origin, '],
  'a list of pairs': [
    (res) =>
      res
        .writeHead(200, [
          ['X-Org-Id', 'x'],
          ['Vary', 'Accept'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
        ] as never)
        .end(),
    'Accept, ',
  ],
  'headers set before': [
    (res) => {
      res.setHeader('Vary', ['Accept', 'Origin'])
      res.setHeader('X-Org-Id', 'x')
      res.writeHead(200).end()
    },
    'Accept, Origin, ',
  ],
  'a head that is flushed': [
    (res) => {
      res.setHeader('Vary', 'Accept')
      res.flushHeaders()
      res.end()
    },
    'Accept, ',
  ],
  'a body at once': [(res) => res.end('x'), ''],
  'our own fields already': [(res) => res.writeHead(200, { Vary: 'x-org-id, AUTHORIZATION' }).end(), '='],
  'everything varies': [(res) => res.writeHead(200, { Vary: '*' }).end(), '*'],
}

const HOSTS: Readonly<Record<string, (write: Write) => RequestListener>> = {
  'express 5': (write) => expressHost(express(), write),
  'express 4': (write) => expressHost((express4 as typeof express)(), write),
  'koa 3': (write) => koaHost(new Koa(), write),
  'koa 2': (write) => koaHost(new (Koa2 as typeof Koa)(), write),
  hono: (write) => {
    const app = new Hono<{ Bindings: { outgoing: ServerResponse } }>()
    const handler = forHono.createAdapter(world.auth).protect({}, (_context, c) => {
      write((c.env as { outgoing: ServerResponse }).outgoing)
      return RESPONSE_ALREADY_SENT
    })
    app.get('/x', handler)
    return getRequestListener(app.fetch as never)
  },
}

function expressHost(app: express.Express, write: Write): RequestListener {
  app.get(
    '/x',
    forExpress.createAdapter(world.auth).protect({}, (_context, _req, res) => write(res)),
  )
  return app as unknown as RequestListener
}

function koaHost(app: Koa, write: Write): RequestListener {
  const guard = forKoa.createAdapter(world.auth).middleware()
  app.use(guard)
  // A second mount: the headers are kept twice, and written once.
  app.use(guard)
  app.use((ctx) => {
    ctx.respond = false
    write(ctx.res)
  })
  return app.callback()
}

const running: (() => void)[] = []
afterAll(() => {
  for (const stop of running) stop()
  vi.restoreAllMocks()
  expect(written).toEqual([])
})

async function overHttp1(listener: RequestListener): Promise<Lines> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  running.push(() => server.close())
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const sent = requestHttp1({ port, path: '/x', headers: world.caller.headers, agent: false }, ({ rawHeaders }) =>
      resolve(
        rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1] as string]] : [])),
      ),
    )
    sent.on('error', reject).end()
  })
}

async function overHttp2(listener: RequestListener): Promise<Lines> {
  const server = createHttp2Server(listener as never)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  running.push(() => {
    client.destroy()
    server.close()
  })
  return new Promise((resolve, reject) => {
    const stream = client.request({ ':path': '/x', ...lowerCase(world.caller.headers) })
    stream.on('response', (headers) => {
      const lines = Object.entries(headers).flatMap(([name, value]) =>
        [value].flat().map((each) => [name, String(each)]),
      )
      resolve(lines as unknown as Lines)
    })
    stream.on('error', reject).end()
  })
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function expectOurs(lines: Lines, form: string): void {
  const valuesOf = (name: string): string[] => lines.filter(([key]) => key === name).map(([, value]) => value)
  const [, vary] = FORMS[form] as (typeof FORMS)[string]
  const ours = 'Authorization, X-Org-Id'
  const wanted = { '*': '*', '=': 'x-org-id, AUTHORIZATION' }[vary] ?? `${vary}${ours}`
  expect(valuesOf('vary')).toEqual([wanted])
  expect(valuesOf('x-org-id')).toEqual([world.caller.org?.id])
  if (String(FORMS[form]?.[0]).includes('b=2')) expect(valuesOf('set-cookie')).toEqual(['a=1', 'b=2'])
  if (String(FORMS[form]?.[0]).includes('X-Theirs')) expect(valuesOf('x-theirs')).toEqual(['a'])
}

describe.each(Object.keys(FORMS))('%s', (form) => {
  const [write] = FORMS[form] as (typeof FORMS)[string]

  it.each(Object.keys(HOSTS))('over HTTP/1 on %s', async (host) => {
    expectOurs(await overHttp1((HOSTS[host] as (typeof HOSTS)[string])(write)), form)
  })

  // Express speaks HTTP/1 only.
  it.each(['koa 3', 'koa 2', 'hono'])('over HTTP/2 on %s', async (host) => {
    expectOurs(await overHttp2((HOSTS[host] as (typeof HOSTS)[string])(write)), form)
  })
})
