/** Our headers on somebody else's answer, and somebody else's on ours; CORS with a real preflight. */
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
// @ts-expect-error it comes without types
import koaCors from '@koa/cors'
import cors from 'cors'
import express from 'express'
import { Hono } from 'hono'
import { cors as honoCors } from 'hono/cors'
import Koa from 'koa'
import { AuthError, jsonResponse } from 'sallyport'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { listen } from '../support/hosts.ts'
import { createRig, createRigWorld, type Reply, RIGS, type RigRoute, type RigWorld } from './rigs.ts'

let world: RigWorld
beforeAll(async () => {
  world = await createRigWorld()
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterAll(() => vi.restoreAllMocks())

const BODIES: Readonly<Record<Reply, string>> = { json: '{"ok":true}', plain: 'plain', stream: 'stream' }

describe.each(RIGS)('%s', (name) => {
  it.each(['json', 'plain', 'stream'] as const)('says which org it served, on a %s answer', async (reply) => {
    const rig = await createRig(name, world.auth, [
      { path: '/protect', how: 'protect', reply },
      { path: '/below', how: 'middleware', reply },
    ])
    for (const path of ['/protect', '/below']) {
      const response = await rig.send(path, { headers: world.caller.headers })
      expect(await response.text()).toBe(BODIES[reply])
      expect(response.headers.get('x-org-id')).toBe(world.caller.org?.id)
    }
    await rig.close()
  })

  it('and on an error page', async () => {
    const run = (): never => {
      throw new Error('the handler broke')
    }
    const rig = await createRig(name, world.auth, [
      { path: '/protect', how: 'protect', run },
      { path: '/below', how: 'middleware', run },
    ])
    for (const path of ['/protect', '/below']) {
      const response = await rig.send(path, { headers: world.caller.headers })
      expect([response.status, response.headers.get('x-org-id')]).toEqual([500, world.caller.org?.id])
    }
    await rig.close()
  })

  it('and not on an answer to nobody', async () => {
    const rig = await createRig(name, world.auth, [{ path: '/open', how: 'protect', access: { optional: true } }])
    expect((await rig.send('/open')).headers.get('x-org-id')).toBeNull()
    expect((await rig.send('/open', { headers: { authorization: 'Bearer x' } })).headers.get('x-org-id')).toBeNull()
    await rig.close()
  })

  it('joins Vary with what others say, and says nothing of it on a refusal', async () => {
    const routes: readonly RigRoute[] = (['json', 'plain', 'stream'] as const).flatMap((reply) =>
      (['protect', 'middleware'] as const).map((how) => ({ path: `/${how}-${reply}`, how, reply })),
    )
    for (const [theirs, vary] of [
      ['Accept, authorization', 'Accept, authorization, X-Org-Id'],
      ['*', '*'],
    ] as const) {
      const rig = await createRig(name, world.auth, routes, { earlier: { Vary: theirs } })
      for (const { path } of routes) {
        const { status, headers } = await rig.send(path, { headers: world.caller.headers })
        expect([path, status, headers.get('vary')]).toEqual([path, 200, vary])
        expect((await rig.send(path)).headers.get('vary')).toBe(theirs)
      }
      await rig.close()
    }
  })

  it("replaces what an earlier middleware said of caching, keeps its others' headers", async () => {
    const run = (): never => {
      throw new AuthError('not_found')
    }
    const routes = [
      { path: '/x', how: 'protect' },
      { path: '/missing', how: 'protect', run },
    ] as const
    const earlier = { 'Cache-Control': 'public, max-age=60', 'Content-Type': 'text/html', 'X-Theirs': 'kept' }
    const rig = await createRig(name, world.auth, routes, { earlier })
    for (const response of [await rig.send('/x'), await rig.send('/missing', { headers: world.caller.headers })]) {
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
      expect(response.headers.get('x-theirs')).toBe('kept')
    }
    await rig.close()
  })
})

describe('Hono', () => {
  it('puts headers on an answer whose own are immutable, and leaves one that the host keeps as it was', async () => {
    const { protect, middleware } = forHono.createAdapter(world.auth)
    const kept = new Response(null, { status: 204 })
    const upstream = await listen(
      createServer((_req, res) => res.end('from upstream')).listeners('request')[0] as never,
    )
    const app = new Hono()
    app.get(
      '/kept',
      protect({}, () => kept),
    )
    app.get(
      '/proxied',
      protect({}, () => fetch(upstream.url)),
    )
    app.get('/below', middleware(), () => fetch(upstream.url))
    for (const path of ['/kept', '/proxied', '/below']) {
      const response = await app.request(path, { headers: world.caller.headers })
      expect(response.headers.get('x-org-id')).toBe(world.caller.org?.id)
      if (path !== '/kept') expect(await response.text()).toBe('from upstream')
    }
    expect([...kept.headers]).toEqual([])
    await upstream.close()
  })

  it('answers a refusal that a handler throws after the next one has answered', async () => {
    const { protect } = forHono.createAdapter(world.auth)
    const app = new Hono()
    app.use(
      protect({}, async (_context, _c, next) => {
        await next()
        throw new AuthError('forbidden')
      }),
    )
    app.get('/x', (c) => c.json({ secret: true }))
    const response = await app.request('/x', { headers: world.caller.headers })
    expect(response.status).toBe(403)
    expect(await response.text()).toBe('{"error":{"code":"forbidden","message":"The caller may not do this."}}')
  })

  it('lets protect hand on to the next handler', async () => {
    const { protect } = forHono.createAdapter(world.auth)
    const app = new Hono<{ Variables: { org: string | undefined } }>()
    app.use(
      protect(({ org }, c, next) => {
        c.set('org', org?.id)
        return next()
      }),
    )
    app.get('/x', (c) => c.json({ org: c.get('org') }))
    const response = await app.request('/x', { headers: world.caller.headers })
    expect(await response.json()).toEqual({ org: world.caller.org?.id })
    expect(response.headers.get('x-org-id')).toBe(world.caller.org?.id)
  })

  it('leaves an answer alone by which another protocol takes the connection', async () => {
    const { protect, middleware } = forHono.createAdapter(world.auth)
    const socket = {}
    // What a worker returns for a WebSocket: no other runtime lets one make it, and a copy would be no upgrade.
    const upgrade = Object.defineProperties(new Response(null), {
      status: { value: 101 },
      webSocket: { value: socket },
    }) as Response & { webSocket: unknown }
    const app = new Hono()
    app.get(
      '/wrapped',
      protect({}, () => upgrade),
    )
    app.get('/below', middleware(), () => upgrade)
    for (const path of ['/wrapped', '/below']) {
      const response = await app.request(path, { headers: world.caller.headers })
      expect(response).toBe(upgrade)
      expect([...response.headers]).toEqual([])
    }
  })

  it('has its headers on Node even where onError answers with a plain Response', async () => {
    const { protect } = forHono.createAdapter(world.auth)
    const app = new Hono()
    app.get(
      '/x',
      protect({}, () => Promise.reject(new Error('broke'))),
    )
    app.onError(() => new Response('sorry', { status: 500 }))
    const server = await listen(getRequestListener(app.fetch))
    const response = await fetch(`${server.url}/x`, { headers: world.caller.headers })
    expect([response.status, response.headers.get('x-org-id')]).toEqual([500, world.caller.org?.id])
    await server.close()
  })
})

describe('CORS, mounted before', () => {
  const ORIGIN = 'https://app.example.test'
  const CORS = { origin: ORIGIN, exposedHeaders: ['X-Org-Id'], exposeHeaders: ['X-Org-Id'] }
  const hosts = {
    express: () => {
      const app = express()
      app.use(cors(CORS))
      app.get(
        '/x',
        forExpress.createAdapter(world.auth).protect({}, (_context, _req, res) => res.json({})),
      )
      return app
    },
    koa: () => {
      const app = new Koa()
      app.use(koaCors({ origin: ORIGIN, exposeHeaders: 'X-Org-Id' }))
      forKoa
        .createAdapter(world.auth)
        .mount(app, [{ method: 'GET', path: '/x', access: {}, handle: () => jsonResponse(200, {}) }])
      return app.callback()
    },
    hono: () => {
      const app = new Hono()
      app.use(honoCors(CORS))
      app.get(
        '/x',
        forHono.createAdapter(world.auth).protect({}, (_context, c) => c.json({})),
      )
      return getRequestListener(app.fetch)
    },
  }

  it.each(Object.keys(hosts) as (keyof typeof hosts)[])('%s', async (name) => {
    const server = await listen(hosts[name]() as never)
    const asks = { 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization,x-org-id' }
    const preflight = await fetch(`${server.url}/x`, { method: 'OPTIONS', headers: { Origin: ORIGIN, ...asks } })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toBe('authorization,x-org-id')

    const served = await fetch(`${server.url}/x`, { headers: { Origin: ORIGIN, ...world.caller.headers } })
    expect(served.status).toBe(200)
    expect(served.headers.get('access-control-expose-headers')).toBe('X-Org-Id')
    expect(served.headers.get('x-org-id')).toBe(world.caller.org?.id)

    const refused = await fetch(`${server.url}/x`, { headers: { Origin: ORIGIN } })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    await server.close()
  })
})
