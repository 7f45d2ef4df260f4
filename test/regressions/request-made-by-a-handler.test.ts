/**
 * A Hono handler that sends its own app another request, with the bindings handed on, had it answered as the caller of the
 * outer one: the inner request's headers were not read, its credential and its organization ignored.
 */
import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { createAdapter } from 'sallyport/hono'
import { expect, it } from 'vitest'
import { createWorld } from '../pipeline/world.ts'
import { listen } from '../support/hosts.ts'

it('is authenticated by what it brings itself', async () => {
  const world = createWorld()
  const [a, b] = [await world.org('a'), await world.org('b')]
  const alice = await world.person('alice', { [a]: 'member', [b]: 'member' })
  const bob = await world.person('bob', { [a]: 'admin' })
  const { middleware, protect } = createAdapter(world.auth)
  const signedIn = middleware()
  const app = new Hono()
  const inner: Response[] = []
  const whoOf = (c: Context): Response => c.json([signedIn.getAuth(c).identity.subject, signedIn.getAuth(c).org?.id])
  app.use('/who', signedIn)
  app.get('/who', whoOf)
  app.get(
    '/batch',
    protect({}, async (_context, c) => {
      const ask = async (headers: HeadersInit): Promise<unknown> => {
        const response = await app.request('/who', { headers }, c.env as object)
        inner.push(response)
        return response.ok ? response.json() : response.status
      }
      const answers = [await ask(bob.headers), await ask({}), await ask({ ...alice.headers, 'x-org-id': b })]
      return c.json([...answers, await ask([...c.req.raw.headers])])
    }),
  )
  const server = await listen(getRequestListener(app.fetch) as never)
  try {
    const response = await fetch(`${server.url}/batch`, { headers: alice.headers })
    expect(await response.json()).toEqual([['bob', a], 401, ['alice', b], ['alice', a]])
    // Each answer is stamped with its own org.
    expect(response.headers.get('x-org-id')).toBe(a)
    expect(inner.map(({ headers }) => headers.get('x-org-id'))).toEqual([a, null, b, a])
  } finally {
    await server.close()
  }
})

it('keeps the context of a request that a middleware changes later', async () => {
  const world = createWorld()
  const a = await world.org('a')
  const { headers } = await world.person('alice', { [a]: 'member' })
  const { middleware } = createAdapter(world.auth)
  const member = middleware({ role: 'member' })
  const app = new Hono()
  app.use(middleware())
  app.use((c, next) => {
    c.req.raw = new Request(c.req.raw, { headers: { 'x-request-id': '7' } })
    return next()
  })
  app.use(member)
  app.get('/', (c) => c.json(member.getAuth(c).org?.id))
  const server = await listen(getRequestListener(app.fetch) as never)
  try {
    expect(await (await fetch(server.url, { headers })).json()).toBe(a)
  } finally {
    await server.close()
  }
})
