/** Mounts below mounts, in routers and apps of the frameworks' own: one request, every rule; and nobody else's word for it. */
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import { pathParam } from 'sallyport'
import { createRouteFinder } from 'sallyport/adapter'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Listening, listen } from '../support/hosts.ts'
import { createRigWorld, type RigWorld } from './rigs.ts'

let world: RigWorld
let server: Listening | null = null
beforeAll(async () => {
  world = await createRigWorld()
})
beforeEach(() => {
  world.counts.verify = 0
  world.counts.users = 0
})
afterEach(async () => {
  await server?.close()
  server = null
})

const serve = async (listener: unknown): Promise<(path: string, headers?: HeadersInit) => Promise<Response>> => {
  server = await listen(listener as never)
  const { url } = server
  return (path, headers = world.caller.headers) => fetch(`${url}${path}`, { headers })
}
const once = { verify: 1, users: 1 }
const sees = async (response: Response): Promise<void> => {
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({ org: world.caller.org?.id })
  expect(world.counts).toEqual(once)
}

describe('one request below', () => {
  it('an Express app, a Router in it and an app in that', async () => {
    const { middleware, protect } = forExpress.createAdapter(world.auth)
    const signedIn = middleware()
    const [app, router, sub] = [express(), express.Router(), express()]
    sub.get(
      '/x',
      signedIn,
      protect({}, (_context, req, res) => res.json({ org: signedIn.getAuth(req).org?.id })),
    )
    router.use(middleware(), sub)
    app.use('/api', middleware(), router)
    await sees(await (await serve(app))('/api/x'))
  })

  it('an Express Router with a path selector of its own: what the header names must agree', async () => {
    const { middleware, protect } = forExpress.createAdapter(world.auth)
    const app = express()
    app.use(middleware())
    app.get(
      '/orgs/:orgId',
      protect({ selectors: [pathParam('orgId')] }, ({ org }, _req, res) => res.json({ org: org?.id })),
    )
    const get = await serve(app)
    await sees(await get(`/orgs/${world.caller.org?.id}`))
    expect((await get('/orgs/99999999-9999-4999-8999-999999999999')).status).toBe(400)
  })

  it('a Koa app and an app mounted in it, which shares the context', async () => {
    const { middleware } = forKoa.createAdapter(world.auth)
    const signedIn = middleware()
    const [app, sub] = [new Koa(), new Koa()]
    sub.use(signedIn)
    sub.use((ctx) => {
      ctx.body = { org: signedIn.getAuth(ctx).org?.id }
    })
    app.use(middleware())
    app.use((ctx, next) => {
      const at = (index: number): Promise<unknown> =>
        index < sub.middleware.length ? Promise.resolve(sub.middleware[index]?.(ctx, () => at(index + 1))) : next()
      return at(0)
    })
    await sees(await (await serve(app.callback()))('/x'))
  })

  it('a Koa app behind an Express app, which shares the Node request', async () => {
    const [outer, inner] = [forExpress.createAdapter(world.auth), forKoa.createAdapter(world.auth)]
    const [app, koa] = [express(), new Koa()]
    koa.use(inner.protect({}, ({ org }, ctx) => void Object.assign(ctx, { body: { org: org?.id } })))
    app.use(outer.middleware(), koa.callback())
    await sees(await (await serve(app))('/x'))
  })

  const honoApp = (): Hono => {
    const { middleware, protect } = forHono.createAdapter(world.auth)
    const signedIn = middleware()
    const [app, sub, deeper] = [new Hono(), new Hono().basePath('/b'), new Hono()]
    deeper.use(signedIn)
    deeper.get(
      '/c',
      protect({}, (_context, c) => c.json({ org: signedIn.getAuth(c).org?.id })),
    )
    sub.use(middleware())
    sub.route('/', deeper)
    app.use('/a/*', middleware())
    app.route('/a', sub)
    return app
  }

  it('a Hono app and its routes, on Node', async () => {
    await sees(await (await serve(getRequestListener(honoApp().fetch)))('/a/b/c'))
  })

  it('a Hono app and its routes, over Fetch', async () => {
    const before = world.decisions.length
    await sees(await honoApp().request('/a/b/c', { headers: world.caller.headers }))
    expect(world.decisions.slice(before).map(({ path }) => path)).toEqual(['/a/b/c'])
  })

  it('a Hono app whose request a middleware has replaced', async () => {
    const { middleware } = forHono.createAdapter(world.auth)
    const signedIn = middleware()
    const app = new Hono()
    app.use(middleware())
    app.use((c, next) => {
      c.req.raw = new Request(c.req.raw)
      return next()
    })
    app.get('/x', signedIn, (c) => c.json({ org: signedIn.getAuth(c).org?.id }))
    await sees(await app.request('/x', { headers: world.caller.headers }))
  })

  it('a Hono app mounted as a foreign one, on Node', async () => {
    const { middleware } = forHono.createAdapter(world.auth)
    const signedIn = middleware()
    const [app, foreign] = [new Hono(), new Hono()]
    foreign.get('/x', signedIn, (c) => c.json({ org: signedIn.getAuth(c).org?.id }))
    app.use(middleware())
    app.mount('/foreign', foreign.fetch)
    await sees(await (await serve(getRequestListener(app.fetch)))('/foreign/x'))
  })

  // Hono hands on a copy under another path, by which nobody can tell it from a request that a handler made up.
  it('a Hono app mounted as a foreign one, over Fetch, is a request of its own: it is judged, and leaves a record', async () => {
    const { middleware } = forHono.createAdapter(world.auth)
    const [app, foreign] = [new Hono(), new Hono()]
    foreign.get('/x', middleware(), (c) => c.json({}))
    app.use(middleware())
    app.mount('/foreign', foreign.fetch)
    const before = world.decisions.length
    const response = await app.request('/foreign/x', { headers: world.caller.headers })
    expect([response.status, world.counts]).toEqual([200, { verify: 2, users: 2 }])
    expect(world.decisions.slice(before).map(({ path }) => path)).toEqual(['/x', '/foreign/x'])
  })
})

describe("nobody else's word", () => {
  const forged = { userId: 'root', org: { id: 'x' }, role: 'admin', user: { id: 'root' } }

  it('counts on Express', async () => {
    const { middleware } = forExpress.createAdapter(world.auth)
    const signedIn = middleware()
    const app = express()
    app.set('trust proxy', true)
    app.use((req, _res, next) => {
      Object.assign(req, { auth: forged, user: forged, session: forged })
      next()
    })
    app.get('/guarded', signedIn, (_req, res) => void res.json({}))
    app.get('/open', (req, res) => void res.json({ org: signedIn.getAuth(req).org }))
    app.use(
      ((error, _req, res, _next) => void res.status(500).send(String(error))) satisfies express.ErrorRequestHandler,
    )
    const get = await serve(app)
    expect((await get('/guarded', { 'X-Forwarded-For': '127.0.0.1', 'X-User': 'root' })).status).toBe(401)
    expect(await (await get('/open', {})).text()).toMatch(/getAuth\(\) found no context: its own middleware/)
  })

  it('counts on Koa', async () => {
    const { middleware } = forKoa.createAdapter(world.auth)
    const signedIn = middleware()
    const app = new Koa({ proxy: true })
    app.use(async (ctx, next) => {
      Object.assign(ctx, { auth: forged, user: forged })
      Object.assign(ctx.state, { user: forged, auth: forged })
      await next()
    })
    app.use((ctx, next) => {
      if (ctx.path === '/guarded') return signedIn(ctx, next)
      try {
        return void signedIn.getAuth(ctx)
      } catch (error) {
        ctx.body = String(error)
      }
    })
    const get = await serve(app.callback())
    expect((await get('/guarded', {})).status).toBe(401)
    expect(await (await get('/open', {})).text()).toMatch(/getAuth\(\) found no context/)
  })

  it('counts on Hono', async () => {
    const { middleware } = forHono.createAdapter(world.auth)
    const signedIn = middleware()
    const app = new Hono<{ Variables: { user: unknown; auth: unknown } }>()
    app.use(async (c, next) => {
      c.set('user', forged)
      c.set('auth', forged)
      await next()
    })
    app.get('/guarded', signedIn, (c) => c.text('in'))
    app.get('/open', (c) => c.json({ org: signedIn.getAuth(c).org }))
    app.onError((error, c) => c.text(error.message, 500))
    expect((await app.request('/guarded')).status).toBe(401)
    expect(await (await app.request('/open')).text()).toMatch(/getAuth\(\) found no context/)
    const env = { user: forged, incoming: { auth: forged }, auth: forged }
    expect((await app.request('/guarded', {}, env)).status).toBe(401)
  })

  it('a Node request is read, not the Fetch headers that a middleware made up', async () => {
    const { protect } = forHono.createAdapter(world.auth)
    const app = new Hono()
    app.use((c, next) => {
      c.req.raw = new Request(c.req.raw, { headers: world.caller.headers })
      return next()
    })
    app.get(
      '/x',
      protect({}, (_context, c) => c.text('in')),
    )
    expect((await (await serve(getRequestListener(app.fetch)))('/x', {})).status).toBe(401)
  })
})

describe("Koa's own routes", () => {
  const app = (): Koa => {
    const { mount } = forKoa.createAdapter(world.auth)
    const koa = new Koa()
    const route = (path: string) =>
      ({
        method: 'GET',
        path,
        access: 'public',
        handle: (_context, { params }) => ({ status: 200, headers: [], body: JSON.stringify(params) }),
      }) as const satisfies import('sallyport').Route
    mount(koa, [route('/things/special'), route('/things/:id'), route('/')])
    koa.use((ctx) => {
      ctx.status = 404
      ctx.body = 'next'
    })
    return koa
  }

  it.each([
    ['/', '{}'],
    ['/things/special', '{}'],
    ['/things/7', '{"id":"7"}'],
    ['/things/7?x=/things/8', '{"id":"7"}'],
    ['/things/%41', '{"id":"A"}'],
    ['/things/a%2Fb', '{"id":"a/b"}'],
    ['/things/__proto__', '{"id":"__proto__"}'],
  ])('serve %s', async (path, body) => {
    const response = await (await serve(app().callback()))(path)
    expect([response.status, await response.text()]).toEqual([200, body])
  })

  it.each([
    '/Things/7',
    '/things/',
    '/things',
    '/things/7/',
    '/things/7/8',
    '//things/7',
    '/things//7',
    '/things/%zz',
    '/things/%E4',
    '/th%69ngs/7',
    '/x',
  ])('hand %s on', async (path) => {
    expect(await (await (await serve(app().callback()))(path)).text()).toBe('next')
  })

  it('hand other methods on', async () => {
    await serve(app().callback())
    const response = await fetch(`${server?.url}/things/7`, { method: 'POST' })
    expect(await response.text()).toBe('next')
  })
})

it.each(['things', '/a//b', '/a/', '/:id/:id', '/a*', '/:id?', '/(a|b)', '/:a-:b', '/:', '/a/:__proto__', '/é', ''])(
  'no adapter mounts the path %j',
  (path) => {
    const routes = [
      { method: 'GET', path, access: 'public', handle: () => ({ status: 200, headers: [], body: null }) },
    ] as const
    expect(() => createRouteFinder(routes)).toThrow(TypeError)
    expect(() => forExpress.createAdapter(world.auth).mount(express.Router(), routes)).toThrow(/Route: option "path"/)
    expect(() => forKoa.createAdapter(world.auth).mount(new Koa(), routes)).toThrow(/Route: option "path"/)
    expect(() => forHono.createAdapter(world.auth).mount(new Hono(), routes)).toThrow(/Route: option "path"/)
  },
)
