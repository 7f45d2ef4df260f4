/**
 * Two refusals that were not written. On Koa, where a handler had said that it would answer by itself and then threw, nobody answered: the
 * client waited for ever. On Express 4, where something around `writeHead` threw, the process ended.
 */
import type { RequestListener } from 'node:http'
import type express from 'express'
import { AuthError } from 'sallyport'
import * as forExpress from 'sallyport/express'
import * as forKoa from 'sallyport/koa'
import { beforeAll, expect, it } from 'vitest'
import { createRigWorld, type RigWorld } from '../adapters/rigs.ts'
import { PATIENCE_MS } from '../patience.ts'
import { listen, newExpress, newKoa } from '../support/hosts.ts'

let world: RigWorld
beforeAll(async () => {
  world = await createRigWorld()
})

async function answerOf(listener: RequestListener, headers: Readonly<Record<string, string>>) {
  const host = await listen(listener)
  try {
    const response = await fetch(`${host.url}/x`, { headers, signal: AbortSignal.timeout(PATIENCE_MS) })
    return { status: response.status, body: await response.text() }
  } finally {
    await host.close()
  }
}

it.each(['koa 3', 'koa 2'].flatMap((name) => (['protect', 'onError'] as const).map((who) => [name, who] as const)))(
  '%s: %s answers for a handler that answers by itself and throws',
  async (name, who) => {
    const { protect, onError } = forKoa.createAdapter(world.auth)
    const app = newKoa(name)
    const answers = (ctx: { respond?: boolean | undefined }): never => {
      ctx.respond = false
      throw new AuthError('not_found')
    }
    if (who === 'onError') app.use(onError).use(answers)
    else app.use(protect((_context, ctx) => answers(ctx)))
    const { status, body } = await answerOf(app.callback(), world.caller.headers)
    expect([status, JSON.parse(body)]).toMatchObject([404, { error: { code: 'not_found' } }])
  },
)

it.each(['express 5', 'express 4'])('%s hands on what a writeHead of the host throws', async (name) => {
  const app = newExpress(name)
  const broken = new Error('the head')
  app.use((_req, res, next) => {
    const { writeHead } = res
    res.writeHead = () => {
      res.writeHead = writeHead
      throw broken
    }
    next()
  })
  app.use(forExpress.createAdapter(world.auth).middleware())
  const errors: unknown[] = []
  app.use(((error, _req, res, _next) => {
    errors.push(error)
    res.status(500).send('an error page')
  }) satisfies express.ErrorRequestHandler)
  expect(await answerOf(app as unknown as RequestListener, {})).toEqual({ status: 500, body: 'an error page' })
  expect(errors).toEqual([broken])
})
