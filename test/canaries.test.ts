/**
 * G1, G2: nothing secret leaves by a side door. Every secret of a service and everything a caller may bring is a canary;
 * answers, decision records, key events, thrown errors with their causes, the console and `util.inspect` of whatever the
 * library hands out are searched for them.
 */
import { connect } from 'node:net'
import { inspect } from 'node:util'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createApiKeys } from '../src/api-keys/api-keys.ts'
import { createAuth } from '../src/auth.ts'
import { createServiceVerifier } from '../src/services/service-verifier.ts'
import { createJwtVerifier } from '../src/verify/jwt-verifier.ts'
import { fakeRequest } from './pipeline/fake-request.ts'
import { createWorld, issuer, SERVICE_SECRET, type World } from './pipeline/world.ts'
import { listen } from './support/hosts.ts'

const CANARY = 'canary-7d1f0b'
const KINDS = { accept: ['user', 'service', 'apiKey'] } as const
type Headers = Readonly<Record<string, string | readonly string[]>>

/** Requests that carry canaries, each refused in another step or let in; and all the texts nobody may see again. */
async function brought(world: World): Promise<{ readonly requests: readonly Headers[]; readonly secrets: string[] }> {
  const orgId = await world.org('acme')
  await world.person(CANARY, { [orgId]: 'viewer' })
  const claims = { sub: CANARY, email: `${CANARY}@example.test`, name: CANARY }
  const good = await world.sign(claims)
  const expired = await world.sign({ ...claims, exp: 1 })
  const forged = await world.sign(claims, { key: new Uint8Array(32) })
  // An issuer is shown as it is; a secret, an address or a token in its place is not.
  const named = await world.sign({ ...claims, iss: `https://user:${CANARY}@id.test` })
  const nested = await world.sign({ ...claims, iss: good })
  const typed = await world.sign(claims, { typ: `${CANARY}@example.test` })
  const kid = await world.sign(claims, { kid: CANARY })
  const tokens = [good, expired, forged, named, nested, typed, kid]
  const requests: Headers[] = [
    ...tokens.map((token) => ({ authorization: `Bearer ${token}` })),
    ...tokens.map((token) => ({ cookie: `session=${token}` })),
    { authorization: `Bearer ${CANARY}` },
    { authorization: `Bearer tk_${CANARY}` },
    { authorization: `Bearer ${CANARY} ${CANARY}` },
    { authorization: [`Bearer ${good}`, `Bearer ${CANARY}`] },
    { authorization: `Basic ${CANARY}` },
    { authorization: CANARY },
    { authorization: `${CANARY} ${CANARY}` },
    { authorization: `Bearer ${good}`, 'x-org-id': CANARY },
    { authorization: `Bearer ${good}`, 'x-telephony-secret': SERVICE_SECRET },
    { 'x-telephony-secret': CANARY.repeat(5) },
    { 'x-telephony-secret': SERVICE_SECRET },
    { 'x-billing-secret': CANARY },
    { cookie: [`session=${good}`, `session=${CANARY}`] },
  ]
  const signatures = tokens.map((token) => token.split('.')[2] as string)
  return { requests, secrets: [CANARY, SERVICE_SECRET, issuer.secret, ...tokens, ...signatures] }
}

const said: unknown[] = []
const METHODS = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const

beforeAll(() => {
  for (const method of METHODS) vi.spyOn(console, method).mockImplementation((...args) => void said.push(args))
})
afterAll(() => {
  vi.restoreAllMocks()
})

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : inspect(value, { depth: null, showHidden: true, getters: true })
const found = (seen: readonly unknown[], secrets: readonly string[]): string[] => {
  const text = seen.map(textOf).join('\n')
  return secrets.filter((secret) => text.includes(secret))
}

const HOSTS: Readonly<Record<string, (world: World) => unknown>> = {
  express({ auth }) {
    const { protect } = forExpress.createAdapter(auth)
    return express()
      .use(protect({ ...KINDS, role: 'owner' }, (_context, _req, res) => void res.send('in')))
      .set('env', 'test')
  },
  koa({ auth }) {
    const app = new Koa()
    const { protect } = forKoa.createAdapter(auth)
    app.use(protect({ ...KINDS, role: 'owner' }, (_context, ctx) => void Object.assign(ctx, { body: 'in' })))
    return app.callback()
  },
  hono({ auth }) {
    const app = new Hono()
    const { protect } = forHono.createAdapter(auth)
    app.get(
      '/',
      protect({ ...KINDS, role: 'owner' }, (_context, c) => c.text('in')),
    )
    return getRequestListener(app.fetch)
  },
}

function exchange(port: number, headers: Headers): Promise<string> {
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((each) => `${name}: ${each}`))
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.write(`GET /?q=${CANARY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines.join('\r\n')}\r\n\r\n`)
  })
}

describe.each(Object.keys(HOSTS))('on %s', (name) => {
  it('answers, decisions and the console hold no canary', async () => {
    const world = createWorld()
    const { requests, secrets } = await brought(world)
    const server = await listen((HOSTS[name] as (typeof HOSTS)[string])(world) as never)
    try {
      const answers: string[] = []
      for (const headers of requests) answers.push(await exchange(Number(new URL(server.url).port), headers))
      const statuses = new Set(answers.map((answer) => answer.split(' ')[1]))
      expect([...statuses].sort()).toEqual(['200', '400', '401', '403'])
      expect(world.decisions).toHaveLength(requests.length)
      expect(found([answers, world.decisions, said], secrets)).toEqual([])
    } finally {
      await server.close()
    }
  })
})

describe('in process', () => {
  it('the search finds what is there', () => {
    expect(found([new Error('x', { cause: { deep: [new Map([[CANARY, 1]])] } })], [CANARY])).toEqual([CANARY])
  })

  it('thrown refusals, with reason and cause, hold no canary', async () => {
    const world = createWorld()
    const { requests, secrets } = await brought(world)
    const thrown: unknown[] = []
    for (const headers of requests) {
      await world.authenticate({ headers }, { ...KINDS, role: 'owner' }).catch((error: unknown) => thrown.push(error))
    }
    expect(thrown.length).toBeGreaterThan(requests.length - 3)
    expect(found([thrown, thrown.map((error) => JSON.stringify(error))], secrets)).toEqual([])
  })

  it('what the library hands out shows no secret when it is printed (G2)', async () => {
    const world = createWorld()
    const parts = [
      createServiceVerifier({ services: { a: { header: 'X-A', secrets: [SERVICE_SECRET] } } }),
      createJwtVerifier({
        issuers: [{ issuer: 'https://a.test', keys: [{ kind: 'secret', secret: issuer.secret }], audience: 'a' }],
      }),
      createApiKeys({ storage: world.storage, prefix: 'tk', roles: ['member'] }),
      world.auth,
    ]
    const context = await world.authenticate({ headers: { 'x-telephony-secret': SERVICE_SECRET } }, KINDS)
    const authorized = await world.auth.authorizer(KINDS)(
      fakeRequest({ headers: { 'x-telephony-secret': SERVICE_SECRET } }),
    )
    const seen = [...parts, context, authorized]
    expect(found([...seen, ...seen.map((each) => JSON.stringify(each))], [SERVICE_SECRET, issuer.secret])).toEqual([])
  })

  const SOURCE = { kind: 'secret', secret: CANARY } as const
  // A wrong option is said by its name, never by its value.
  it.each<[string, () => unknown]>([
    ['a short secret', () => createJwtVerifier({ issuers: [{ issuer: 'a', keys: [SOURCE], audience: 'a' }] })],
    ['a secret that is a list', () => createJwtVerifier({ issuers: [{ issuer: 'a', keys: [[CANARY]] }] } as never)],
    [
      'a secret that is a PEM block',
      () => {
        const secret = `-----BEGIN PUBLIC KEY-----${CANARY}${CANARY}`
        return createJwtVerifier({ issuers: [{ issuer: 'a', keys: [{ kind: 'secret', secret }], audience: 'a' }] })
      },
    ],
    [
      'a key URL with a password',
      () => {
        const url = `https://user:${CANARY}@keys.test/jwks.json`
        return createJwtVerifier({ issuers: [{ issuer: 'a', keys: [{ kind: 'jwks', url }], audience: 'a' }] })
      },
    ],
    ['a service secret', () => createServiceVerifier({ services: { a: { header: 'X-A', secrets: [CANARY] } } })],
    [
      'a service secret with a comma',
      () => createServiceVerifier({ services: { a: { header: 'X-A', secrets: [`${CANARY},`.repeat(5)] } } }),
    ],
    ['an option of another type', () => createAuth({ roles: [{ [CANARY]: CANARY }], verifier: CANARY } as never)],
  ])('%s is refused without being shown', (_, make) => {
    let thrown: unknown = null
    try {
      make()
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(TypeError)
    expect(found([thrown], [CANARY])).toEqual([])
  })
})
