// `app.use(middleware)` instead of `app.use(middleware())`, `protect` alike: the first request says what is wrong, and nobody is let in.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import { expect, it } from 'vitest'
import { createAdapter as forExpress } from '../../adapters/express.ts'
import { createAdapter as forHono } from '../../adapters/hono.ts'
import { createAdapter as forKoa } from '../../adapters/koa.ts'
import { OptionsError } from '../../src/index.ts'
import { createWorld } from '../pipeline/world.ts'

const { auth } = createWorld()
const ADAPTERS = { express: forExpress, koa: forKoa, hono: forHono }

// As the frameworks call it: with a request, a response and `next`, or with a context and `next`; or with the app at once.
const CALLS: Readonly<Record<string, readonly unknown[]>> = {
  'a request, a response and next': [{ headers: {} }, {}, () => undefined],
  'a context and next': [{ req: {} }, async () => undefined],
  'an app that is a function': [() => undefined],
  'an app that is an object': [new Hono()],
}

it.each(
  Object.entries(ADAPTERS).flatMap(([name, create]) => Object.keys(CALLS).map((call) => [name, call, create] as const)),
)('middleware of %s, called with %s, throws', (_name, call, create) => {
  const { middleware } = create(auth as never) as unknown as { middleware(...given: readonly unknown[]): unknown }
  expect(() => middleware(...(CALLS[call] ?? []))).toThrow(OptionsError)
  expect(() => middleware(...(CALLS[call] ?? []))).toThrow('app.use(middleware())')
  expect(() => middleware()).not.toThrow()
  expect(() => middleware({ optional: true })).not.toThrow()
})

it('a Hono app that was handed it answers 500, and reaches no handler', async () => {
  const app = new Hono()
  const thrown: unknown[] = []
  app.onError((error, c) => {
    thrown.push(error)
    return c.body(null, 500)
  })
  app.use(forHono(auth as never).middleware as never)
  app.get('/', (c) => c.text('in'))
  expect((await app.request('/')).status).toBe(500)
  expect(thrown).toEqual([expect.any(OptionsError)])
})

async function askNode(listener: RequestListener): Promise<void> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).text()
  await new Promise((resolve) => server.close(resolve))
}

const HANDED: Readonly<Record<string, (refused: (error: Error) => void) => Promise<unknown>>> = {
  express(refused) {
    const app = express().get('/', forExpress(auth as never).protect as never)
    app.use(((error, _req, res, _next) => {
      refused(error)
      res.status(500).end()
    }) as express.ErrorRequestHandler)
    return askNode(app as unknown as RequestListener)
  },
  koa(refused) {
    const app = new Koa().use(forKoa(auth as never).protect as never)
    app.on('error', refused)
    return askNode(app.callback())
  },
  async hono(refused) {
    const app = new Hono().get('/', forHono(auth as never).protect as never)
    app.onError((error, c) => {
      refused(error)
      return c.body(null, 500)
    })
    return app.request('/')
  },
}

it.each(Object.entries(HANDED))('%s that was handed protect is told to call it', async (_name, ask) => {
  const thrown: Error[] = []
  await ask((error) => void thrown.push(error))
  expect(thrown.map(({ message }) => message)).toEqual([
    'protect: it makes the handler and must be called: protect(handler)',
  ])
})
