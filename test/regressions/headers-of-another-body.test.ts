/**
 * A refusal kept what the handler had said of the body that it then did not send: encoded as gzip, it could not be read.
 * And Hono's error page without a server below said nothing of what it varies by.
 */
import express from 'express'
// @ts-expect-error the same types hold, and the alias has none
import express4 from 'express4'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import Koa from 'koa'
// @ts-expect-error the same types hold, and the alias has none
import Koa2 from 'koa2'
import { AuthError } from 'sallyport'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { beforeAll, expect, it } from 'vitest'
import { createRigWorld, type RigWorld } from '../adapters/rigs.ts'
import { listen } from '../support/hosts.ts'

let world: RigWorld
beforeAll(async () => {
  world = await createRigWorld()
})

const SAID = { 'Content-Encoding': 'gzip', ETag: '"a"', 'Last-Modified': 'x', 'Content-Disposition': 'attachment' }
const refuse = (set: (name: string, value: string) => unknown): never => {
  for (const [name, value] of Object.entries({ ...SAID, 'X-Theirs': 'a' })) set(name, value)
  throw new AuthError('not_found')
}

function expressApp(framework: typeof express) {
  const { protect } = forExpress.createAdapter(world.auth)
  return framework().use(protect({}, (_, __, res) => refuse((name, value) => res.setHeader(name, value))))
}

function koaApp(Framework: typeof Koa) {
  const { protect } = forKoa.createAdapter(world.auth)
  return new Framework().use(protect({}, (_, ctx) => refuse((name, value) => ctx.set(name, value)))).callback()
}

const requireRefusal = async (response: Response): Promise<void> => {
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ error: { code: 'not_found' } })
  for (const name of Object.keys(SAID)) expect(response.headers.get(name)).toBeNull()
  expect(response.headers.get('x-theirs')).toBe('a')
}

it.each([
  ['Express 5', () => expressApp(express)],
  ['Express 4', () => expressApp(express4 as typeof express)],
  ['Koa 3', () => koaApp(Koa)],
  ['Koa 2', () => koaApp(Koa2 as typeof Koa)],
])('on %s a refusal says nothing of the body that was to be sent', async (_, make) => {
  const host = await listen(make())
  try {
    await requireRefusal(await fetch(`${host.url}/x`, { headers: world.caller.headers }))
  } finally {
    await host.close()
  }
})

it('on Hono a refusal says nothing of the body that was to be sent', async () => {
  const { protect } = forHono.createAdapter(world.auth)
  const app = new Hono().get('/x', protect({}, (_, c) => refuse((name, value) => c.header(name, value))) as never)
  await requireRefusal(await app.request('/x', { headers: world.caller.headers }))
})

it('an error page on Hono varies as the answer would have', async () => {
  const { protect, onError } = forHono.createAdapter(world.auth)
  const gone = (): never => {
    throw new HTTPException(404, { res: new Response('gone', { status: 404, headers: { Vary: 'Accept' } }) })
  }
  const app = new Hono().get('/x', protect({}, gone) as never)
  app.onError(onError)
  const response = await app.request('/x', { headers: world.caller.headers })
  expect([response.status, await response.text()]).toEqual([404, 'gone'])
  expect(response.headers.get('vary')).toMatch(/^Accept, Authorization/)
})
