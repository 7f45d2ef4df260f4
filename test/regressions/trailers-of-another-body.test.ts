/**
 * A refusal kept the trailers, and the coding, that a middleware or the handler had announced for a body that was then not sent. Node
 * writes no such head: on Express the process ended by one request without a credential, on Koa and Hono it was a 500. Beside
 * `Transfer-Encoding` stood a `Content-Length`, which RFC 9112 §6.2 forbids.
 */
import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type express from 'express'
import { Hono } from 'hono'
import { AuthError } from 'sallyport'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { beforeAll, expect, it } from 'vitest'
import { createRigWorld, type RigWorld } from '../adapters/rigs.ts'
import { listen, newExpress, newKoa } from '../support/hosts.ts'

let world: RigWorld
beforeAll(async () => {
  world = await createRigWorld()
})

type Announced = Readonly<Record<string, string>>

const refuse = (): never => {
  throw new AuthError('not_found')
}

function expressApp(name: string, announced: Announced): RequestListener {
  const app = newExpress(name)
  const announce: express.RequestHandler = (_, res, next) => {
    res.set(announced)
    next()
  }
  app.use(announce, forExpress.createAdapter(world.auth).protect(refuse))
  return app as unknown as RequestListener
}

function koaApp(name: string, announced: Announced): RequestListener {
  const app = newKoa(name)
  app.use((ctx, next) => {
    ctx.set(announced)
    return next()
  })
  return app.use(forKoa.createAdapter(world.auth).protect(refuse)).callback()
}

function honoApp(announced: Announced): RequestListener {
  const app = new Hono()
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(announced)) c.header(name, value)
    await next()
  })
  app.get('/x', forHono.createAdapter(world.auth).protect(refuse) as never)
  return getRequestListener(app.fetch)
}

const HOSTS: Readonly<Record<string, (announced: Announced) => RequestListener>> = {
  'express 5': (announced) => expressApp('express 5', announced),
  'express 4': (announced) => expressApp('express 4', announced),
  'koa 3': (announced) => koaApp('koa 3', announced),
  'koa 2': (announced) => koaApp('koa 2', announced),
  hono: honoApp,
}

const ANNOUNCED: readonly Announced[] = [
  { Trailer: 'Server-Timing' },
  { 'Transfer-Encoding': 'chunked' },
  { 'Transfer-Encoding': 'chunked', Trailer: 'Server-Timing' },
]

it.each(Object.keys(HOSTS).flatMap((name) => ANNOUNCED.map((announced) => [name, announced] as const)))(
  'on %s refusals are written where %o was announced',
  async (name, announced) => {
    const host = await listen((HOSTS[name] as (typeof HOSTS)[string])(announced))
    try {
      for (const [headers, status, code] of [
        [{}, 401, 'unauthorized'],
        [world.caller.headers, 404, 'not_found'],
      ] as const) {
        const response = await fetch(`${host.url}/x`, { headers })
        expect(response.status).toBe(status)
        const body = await response.text()
        expect(JSON.parse(body)).toMatchObject({ error: { code } })
        for (const header of ['trailer', 'transfer-encoding']) expect(response.headers.get(header)).toBeNull()
        expect(response.headers.get('content-length')).toBe(String(body.length))
      }
    } finally {
      await host.close()
    }
  },
)
