/** L16: dev mode starts nowhere but in development and test, and answers nobody but this very machine. */
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createAdapter } from 'sallyport/express'
import { describe, expect, it } from 'vitest'
import { createDevLogin } from '../../src/login/dev.ts'
import { createMemoryAccounts } from '../../src/storage/memory.ts'
import { type CallOptions, createLoginWorld, GOOD, ROLES } from './login-world.ts'

const COMMON = { service: 'ironflow', roles: ROLES, cookieName: 'session' }

const createDevWorld = (nodeEnv: string | undefined = 'test') =>
  createLoginWorld({
    makeLogin: ({ secret: _, ...common }) => createDevLogin({ ...common, nodeEnv } as never),
  })

const HERE = { host: 'localhost:3000' }

describe('where it starts', () => {
  it.each([
    ...[undefined, '', ' ', 'production', 'Production', 'PRODUCTION', 'prod', 'staging', 'dev', 'Development'],
    ...['development ', ' test', 'TEST', 'testing', 'test\n', 'null', 'undefined', 'true', '1'],
  ])('not with NODE_ENV %j', (nodeEnv) => {
    const start = () => createDevLogin({ ...COMMON, storage: createMemoryAccounts(), nodeEnv })
    expect(start).toThrow('createDevLogin: option "nodeEnv" must be exactly "development" or "test"')
    expect(start).toThrow(TypeError)
  })

  it.each(['development', 'test'])('with NODE_ENV %s', async (nodeEnv) => {
    const { call } = createDevWorld(nodeEnv)
    expect((await call('GET', '/capabilities', { headers: HERE })).text).toBe('{"auth_required":false}')
  })

  it('not without saying it, nor with what only looks like it', () => {
    const storage = createMemoryAccounts()
    for (const nodeEnv of [['test'], { toString: () => 'test' }, null, true]) {
      expect(() => createDevLogin({ ...COMMON, storage, nodeEnv } as never)).toThrow(TypeError)
    }
    expect(() => createDevLogin({ ...COMMON, storage } as never)).toThrow(TypeError)
    expect(() => createDevLogin(undefined as never)).toThrow(TypeError)
  })

  it('reads the environment nowhere by itself', () => {
    expect(process.env['NODE_ENV']).toBe('test')
    expect(() => createDevLogin({ ...COMMON, storage: createMemoryAccounts(), nodeEnv: undefined })).toThrow(TypeError)
  })
})

const ROUTES: readonly (readonly [string, string])[] = [
  ['GET', '/capabilities'],
  ['GET', '/auth/validate'],
  ['GET', '/users'],
  ['POST', '/auth/logout'],
]

describe('whom it answers', () => {
  it.each(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])('the peer %s', async (address) => {
    const { call } = createDevWorld()
    for (const [method, path] of ROUTES) {
      expect((await call(method, path, { headers: HERE, address })).status).toBeLessThan(300)
    }
  })

  it.each([
    ['another peer', { address: '10.0.0.1', headers: HERE }, 'dev_peer_not_loopback'],
    ['a peer in the same network', { address: 'fe80::1', headers: HERE }, 'dev_peer_not_loopback'],
    ['no peer', { address: null, headers: HERE }, 'dev_peer_not_loopback'],
    [
      'a forged peer',
      { address: '10.0.0.1', headers: { ...HERE, 'x-forwarded-for': '127.0.0.1' } },
      'dev_peer_not_loopback',
    ],
    ...[
      'Forwarded',
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'x-forwarded-anything',
      'X-FORWARDED',
      'Via',
      'X-Real-IP',
      'CF-Connecting-IP',
      'True-Client-IP',
      'CF-Connecting-IPv6',
      'X-Client-IP',
      'X-Cluster-Client-IP',
      'Fastly-Client-IP',
      'CDN-Loop',
    ].flatMap((name) =>
      ['127.0.0.1', ''].map(
        (value) =>
          [`the header ${name}: ${value}`, { headers: { ...HERE, [name]: value } }, 'dev_request_forwarded'] as const,
      ),
    ),
    ['no Host', { headers: {} }, 'dev_host_not_loopback'],
    ...['example.com', 'localhost.example.com', '127.0.0.1.example.com', 'a@localhost.x', '10.0.0.1:3000', ''].map(
      (host) => [`the Host ${host}`, { headers: { host } }, 'dev_host_not_loopback'] as const,
    ),
  ] as const)('not %s, on any route', async (_, options, reason) => {
    const { call, token } = { ...createDevWorld(), token: 'x' }
    for (const [method, path] of ROUTES) {
      for (const more of [{}, { token }, { cookie: token }]) {
        expect((await call(method, path, { ...(options as CallOptions), ...more })).reason).toBe(reason)
      }
    }
  })

  it.each(['localhost', 'localhost:3000', 'LOCALHOST:3000', 'app.localhost:3000', '127.0.0.1:3000', '[::1]:3000'])(
    'the Host %s',
    async (host) => {
      expect((await createDevWorld().call('GET', '/auth/validate', { headers: { host } })).status).toBe(200)
    },
  )

  it('a request whose header names nobody knows is refused', async () => {
    const { auth } = createDevWorld()
    const request = {
      ...{ method: 'GET', path: '/', source: {}, params: {}, remoteAddress: '::1', encrypted: false, upgrade: false },
      lines: (name: string) => (name === 'host' ? ['localhost'] : []),
      body: () => Promise.reject(new Error('no body')),
    }
    await expect(auth.authenticate(request, { needs: 'user' })).rejects.toMatchObject({
      reason: 'dev_request_forwarded',
    })
  })
})

describe('CSRF, on every unsafe request', () => {
  const body = { email: 'bob@example.test', password: GOOD, role: 'viewer' }

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'http://evil.test' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://localhost:4000' }, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 201],
    [{ origin: 'http://localhost:3000' }, 201],
    [{}, 201],
  ])('%j is %i', async (headers, status) => {
    const { call } = createDevWorld()
    expect((await call('POST', '/users', { body, headers: { ...HERE, ...headers } })).status).toBe(status)
    const logout = await call('POST', '/auth/logout', { headers: { ...HERE, ...headers } })
    expect(logout.status).toBe(status === 201 ? 204 : 403)
  })

  it.each(['Basic YTpi', 'Bearer x.y.z', 'Bearer', 'Negotiate x', ''])(
    'holds also with Authorization: %s, whose page may have been told to send it',
    async (authorization) => {
      const { call } = createDevWorld()
      for (const more of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'http://evil.test' }]) {
        const headers = { ...HERE, ...more, authorization }
        expect((await call('POST', '/users', { body, headers })).reason).toBe('cross_site_request')
        expect((await call('POST', '/auth/logout', { headers })).reason).toBe('cross_site_request')
      }
    },
  )

  it('with an old session cookie both headers missing are refused', async () => {
    const { call } = createDevWorld()
    const answer = await call('POST', '/users', { body, headers: HERE, cookie: 'old' })
    expect(answer.reason).toBe('cross_site_request')
  })
})

describe('what it gives', () => {
  it.each([{}, { token: 'an.old.token' }, { cookie: 'an.old.token' }])('everybody is the admin: %j', async (more) => {
    const { auth, call } = createDevWorld()
    expect((await call('GET', '/users', { headers: HERE, ...more })).json).toEqual({ users: [] })
    expect(auth.isReady()).toBe(true)
  })

  it('has dates that nobody can move for the next request', async () => {
    const { auth: steps } = createDevLogin({ ...COMMON, storage: createMemoryAccounts(), nodeEnv: 'test' })
    const identity = await steps.verifier.verify('x')
    const { user } = await steps.users(identity, { kind: 'unnamed' })
    identity.expiresAt.setTime(0)
    ;(user as { createdAt?: Date }).createdAt?.setTime(1)
    expect([identity.expiresAt.getTime(), (user as { createdAt?: Date }).createdAt]).toEqual([8.64e15, new Date(0)])
  })

  it('has no login and no password route', () => {
    const { login } = createDevWorld()
    expect(login.routes.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /api/v1/capabilities',
      'GET /api/v1/auth/validate',
      'POST /api/v1/auth/logout',
      'GET /api/v1/users',
      'POST /api/v1/users',
      'PATCH /api/v1/users/:id',
      'DELETE /api/v1/users/:id',
    ])
  })

  it('keeps the last admin there too', async () => {
    const { call, account } = createDevWorld()
    const { id } = await account('only@example.test', 'admin')
    expect((await call('DELETE', `/users/${id}`, { headers: HERE })).status).toBe(409)
  })
})

it('over a real socket: loopback enters, a forwarding header or a foreign Host does not', async () => {
  const { auth, login } = createDevWorld()
  const app = express()
  const { middleware, mount } = createAdapter(auth)
  // A page of the host's own: no route of the login's, and yet nobody else's.
  app.use(middleware('public'))
  app.get('/', (_, response) => void response.end('page'))
  mount(app, login.routes)
  const server = createServer(app as never)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const get = (headers: Record<string, string>, path = '/api/v1/users'): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      sent.on('error', reject).end()
    })
  try {
    expect(await get({})).toBe(200)
    expect(await get({ 'X-Forwarded-For': '127.0.0.1' })).toBe(403)
    expect(await get({ 'X-Forwarded-Whatever': '1' })).toBe(403)
    expect(await get({ Via: '' })).toBe(403)
    expect(await get({ 'X-Real-IP': '' })).toBe(403)
    expect(await get({ Host: 'rebound.example' })).toBe(403)
    for (const path of ['/', '/no/such']) {
      expect(await get({}, path)).toBe(path === '/' ? 200 : 404)
      for (const headers of [{ Forwarded: 'for=127.0.0.1' }, { Host: 'rebound.example' }]) {
        expect(await get(headers as never, path)).toBe(403)
      }
    }
    expect(await get({}, 'http://rebound.example/api/v1/users')).toBe(403)
    expect(await get({}, 'http://localhost.rebound.example:80/api/v1/users')).toBe(403)
    expect(await get({}, `http://localhost:${port}/api/v1/users`)).toBe(200)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
