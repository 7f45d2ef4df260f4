/** Malformed JSON that a middleware had parsed in vain was 500 for `readJson` on versions of Hono that keep nothing but that failure. */
import { Hono } from 'hono'
import { Hono as OldestHono } from 'hono-lowest'
import { isAuthError } from 'sallyport'
import { readJson } from 'sallyport/hono'
import { expect, it } from 'vitest'

const HONOS: Readonly<Record<string, typeof Hono>> = { Hono, 'the oldest Hono': OldestHono as never }

it.each(Object.keys(HONOS))('%s: it is 400', async (name) => {
  const app = new (HONOS[name] as typeof Hono)()
  app.use(async (c, next) => {
    await c.req.json().catch(() => null)
    await next()
  })
  let thrown: unknown
  app.post('/', async (c) => {
    thrown = await readJson(c).catch((error: unknown) => error)
    return c.text('')
  })
  for (const body of ['{"a":', '']) {
    await app.request('/', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
    expect(isAuthError(thrown) && [thrown.status, thrown.field]).toEqual([400, 'body'])
  }
})
