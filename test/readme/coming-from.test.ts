// docs/coming-from*.md: each snippet lets in a token of the kind it is written for, and refuses another.
import { readdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Express } from 'express'
import type { Hono } from 'hono'
import type Koa from 'koa'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { fromFetchRequest } from '../../src/http/fetch-request.ts'
import type { Auth, IdentityTypes } from '../../src/index.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import {
  createTokenIssuer,
  type JwksServer,
  type SupabaseIssuer,
  startJwksServer,
  startSupabaseIssuer,
  type TokenIssuer,
} from '../../src/testing/index.ts'
import type { SignOptions, TokenClaims } from '../../src/testing/token-issuer.ts'
import { until } from '../patience.ts'
import { openSnippets, printedFiles } from './snippets.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { load, remove } = openSnippets()
const audience = 'https://api.example.com'
const servers: Server[] = []

let provider: JwksServer
let instance: JwksServer
let project: SupabaseIssuer
/** Signs by a secret, and by a key of which hosts have the PEM. */
let login: TokenIssuer
const secrets = ['now', 'previous', 'base64'].map((name) => Buffer.from(`${name} `.padEnd(64, 'a secret of a page ')))
const [secret, previous, encoded] = secrets as [Buffer, Buffer, Buffer]

beforeAll(async () => {
  provider = await startJwksServer((url) => createTokenIssuer({ issuer: url, audience, algorithms: ['RS256'] }))
  instance = await startJwksServer((url) => createTokenIssuer({ issuer: url, algorithms: ['RS256'] }))
  project = await startSupabaseIssuer()
  login = await createTokenIssuer({
    issuer: 'https://login.example.com',
    audience,
    algorithms: ['HS256', 'RS256'],
    secret: String(secret),
  })
  process.env['ISSUER'] = provider.url
  process.env['AUDIENCE'] = audience
  process.env['CLERK_FRONTEND_API'] = instance.url
  process.env['SUPABASE_URL'] = project.url
  process.env['JWT_SECRET'] = String(secret)
  process.env['JWT_SECRET_PREVIOUS'] = String(previous)
  process.env['JWT_SECRET_BASE64'] = encoded.toString('base64')
  process.env['PUBLIC_KEY'] = login.key('RS256').publicKey.export({ type: 'spki', format: 'pem' }).toString()
})

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await provider.close()
  await instance.close()
  await project.close()
  remove()
})

type Answer = readonly [status: number, body: unknown]
type Ask = (token: string | null, init?: RequestInit) => Promise<Answer>

// The app of a snippet, asked at one path.
async function open<T extends { app: Express | Koa | Hono }>(
  name: string,
  path = '/api/me',
): Promise<T & { ask: Ask }> {
  const loaded = await (name.startsWith('examples/') ? (import(root + name) as Promise<T>) : load<T>(name))
  const { app } = loaded
  const url =
    'request' in app && 'fetch' in app ? null : await serve('callback' in app ? app.callback() : (app as Express))
  const ask: Ask = async (token, init = {}) => {
    const headers = { ...init.headers, ...(token !== null && { authorization: `Bearer ${token}` }) }
    const given = { ...init, headers }
    const answer = await (url === null ? (app as Hono).request(path, given) : fetch(`${url}${path}`, given))
    return [answer.status, await answer.json()]
  }
  return { ...loaded, ask }
}

async function serve(handler: NonNullable<Parameters<typeof createServer>[1]>): Promise<string> {
  const server = createServer(handler)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const refusal = (code: string): unknown => ({ error: { code, message: expect.any(String) } })
const unauthorized: Answer = [401, refusal('unauthorized')]
const signed = (claims: TokenClaims = {}, how: SignOptions = {}): Promise<string> =>
  login.sign({ sub: 'ada', ...claims }, { algorithm: 'HS256', ...how })
const issued = (claims: TokenClaims = {}): Promise<string> => provider.issuer.sign({ sub: 'ada', ...claims })

// What `npm run prove` asks of both apps of a guide at length (test/moving): here only that each page has those apps.
it.each(readdirSync(`${root}examples/moving`).filter((name) => !name.includes('.')))(
  'the guide from %s has its apps',
  (peer) => {
    const files = readdirSync(`${root}examples/moving/${peer}`).map((file) => `examples/moving/${peer}/${file}`)
    const printed = printedFiles.map(({ name }) => name).filter((name) => name.startsWith(`examples/moving/${peer}/`))
    expect(printed.sort()).toEqual(files.sort())
  },
)

describe('from anywhere', () => {
  it('first-step.ts: a token of the provider, nobody', async () => {
    const { ask } = await open('first-step.ts')
    expect(await ask(await issued())).toEqual([200, { subject: 'ada' }])
    expect(await ask(null)).toEqual(unauthorized)
  })

  it('old-subjects.ts: an id under another name, a number, neither', async () => {
    const { auth } = await load<{ auth: Auth<IdentityTypes<string, string>> }>('old-subjects.ts')
    const subjectOf = async (claims: TokenClaims): Promise<string> => {
      const headers = { authorization: `Bearer ${await signed({ sub: undefined, ...claims })}` }
      const request = fromFetchRequest(new Request('https://api.example.com/', { headers }))
      return auth.authenticate(request).then(
        ({ identity }) => identity.subject,
        ({ reason }) => reason,
      )
    }
    expect(await subjectOf({ id: 7 })).toBe('7')
    expect(await subjectOf({ sub: 8 as never })).toBe('8')
    expect(await subjectOf({ sub: 'ada' })).toBe('ada')
    expect(await subjectOf({})).toBe('token_subject_malformed')
    expect(await subjectOf({ id: null })).toBe('token_subject_malformed')
    expect(await subjectOf({ id: 2 ** 53 })).toBe('token_subject_malformed')
  })

  it('side-by-side.ts: says what it would refuse, and refuses nothing', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { app, wouldRefuse } = await load<{ app: Express; wouldRefuse: object }>('side-by-side.ts')
    expect(wouldRefuse).toBeTypeOf('function')
    app.get('/api/me', (_req, res) => void res.json('let in'))
    const base = await serve(app)
    const headers = { authorization: `Bearer ${await issued({ sub: undefined })}` }
    expect((await fetch(`${base}/api/me`, { headers })).status).toBe(200)
    await until(() => printed.mock.calls.length > 0)
    expect(String(printed.mock.calls[0])).toContain('token_subject')
    printed.mockRestore()
  })
})

describe('the old bodies', () => {
  it.each<[name: string, nobody: string, scopeless: string]>([
    ['koa-jwt-bodies.ts', 'Authentication Error', '200 {"subject":"ada"}'],
    ['hono-bodies.ts', 'Unauthorized', '200 {"subject":"ada"}'],
    [
      'oauth2-bodies.ts',
      '{"message":"A valid credential is required."}',
      '403 {"code":"insufficient_scope","message":"The access token lacks the required scope."}',
    ],
  ])('%s: with our challenge', async (name, nobody, scopeless) => {
    const { app } = await load<{ app: Express | Koa | Hono }>(name)
    const url =
      'request' in app && 'fetch' in app ? null : await serve('callback' in app ? app.callback() : (app as Express))
    const ask = async (headers: Record<string, string>): Promise<Response> =>
      url === null ? (app as Hono).request('/api/me', { headers }) : fetch(`${url}/api/me`, { headers })
    const refused = await ask({})
    expect([refused.status, refused.headers.get('www-authenticate'), await refused.text()]).toEqual([
      401,
      'Bearer',
      nobody,
    ])
    const bad = await ask({ authorization: 'Bearer x.y.z' })
    expect([bad.status, bad.headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"'])
    const answer = await ask({ authorization: `Bearer ${await issued()}` })
    expect(`${answer.status} ${await answer.text()}`).toBe(scopeless)
    const good = await ask({ authorization: `Bearer ${await issued({ scope: 'read:me' })}` })
    expect([good.status, await good.json()]).toEqual([200, { subject: 'ada' }])
  })
})

describe('from express-jwt', () => {
  it('express-jwt/after.ts: a token of the provider, an own one, nobody', async () => {
    const me = await open('examples/moving/express-jwt/after.ts')
    const feed = await open('examples/moving/express-jwt/after.ts', '/api/feed')
    const own = await open('examples/moving/express-jwt/after.ts', '/api/own')
    expect(await me.ask(await issued())).toEqual([200, { subject: 'ada' }])
    expect(await me.ask(await issued({ aud: 'https://other.example.com' }))).toEqual(unauthorized)
    expect(await feed.ask(null)).toEqual([200, { subject: null }])
    expect(await own.ask(await signed({ iss: undefined, aud: undefined }))).toEqual([200, { subject: 'ada' }])
    expect(await own.ask(await issued())).toEqual(unauthorized)
  })

  it('express-jwt-all.ts: nobody, somebody, somebody whose token is revoked', async () => {
    const { ask, revoked } = await open<{ app: Express; revoked: Set<string> }>('express-jwt-all.ts')
    const token = await signed({ jti: 'one', plan: 'pro' })
    expect(await ask(null)).toEqual(unauthorized)
    expect(await ask(token)).toEqual([200, { sub: 'ada', plan: 'pro' }])
    revoked.add('one')
    expect(await ask(token)).toEqual(unauthorized)
    expect(await ask(await signed({ jti: 'two', aud: 'https://other.example.com' }))).toEqual(unauthorized)
    expect(await (await open('express-jwt-all.ts', '/api/health')).ask(null)).toEqual([200, 'ok'])
  })

  it('express-jwt-all.ts: a cookie, one that another site sends along, a bad one', async () => {
    const { ask } = await open('express-jwt-all.ts')
    const cookie = `session=${await signed({ jti: 'three' })}`
    expect(await ask(null, { headers: { cookie } })).toEqual([200, { sub: 'ada' }])
    const bob = await signed({ sub: 'bob', jti: 'four' })
    expect(await ask(bob, { headers: { cookie } })).toEqual([200, { sub: 'bob' }])
    const elsewhere = { cookie, origin: 'https://evil.example.com' }
    expect(await ask(null, { method: 'POST', headers: elsewhere })).toEqual([403, refusal('forbidden')])
    expect(await ask(null, { headers: { cookie: 'session=x.y.z' } })).toEqual(unauthorized)
  })

  it('express-jwt-bodies.ts: the bodies that express-jwt’s clients read, with our challenge', async () => {
    const { ask, app } = await open<{ app: Express }>('express-jwt-bodies.ts')
    expect(await ask(await signed())).toEqual([200, { subject: 'ada' }])
    const message = 'A valid credential is required.'
    expect(await ask(null)).toEqual([401, { error: 'credentials_required', message }])
    expect(await ask('x.y.z')).toEqual([401, { error: 'invalid_token', message }])
    const { headers } = await fetch(`${await serve(app)}/api/me`)
    expect(headers.get('www-authenticate')).toBe('Bearer')
  })

  it('express-jwt-keys.ts: a token of the PEM, one of another key, one that uses the PEM as a secret', async () => {
    const { ask } = await open('express-jwt-keys.ts')
    expect(await ask(await signed({}, { algorithm: 'RS256' }))).toEqual([200, { subject: 'ada' }])
    const pem = Buffer.from(String(process.env['PUBLIC_KEY']))
    for (const token of [
      await provider.issuer.sign({ iss: login.issuer }),
      await signed({}, { key: pem }),
      await signed({}, { algorithm: 'RS384' }),
    ]) {
      expect(await ask(token)).toEqual(unauthorized)
    }
  })

  it('express-jwt-keys.ts: a token by the bytes, one by the text that spells them', async () => {
    const { ask } = await open('express-jwt-keys.ts', '/api/own')
    const own = { iss: undefined, aud: undefined }
    const how = { algorithm: 'HS512' } as const
    expect(await ask(await signed(own, { ...how, key: encoded }))).toEqual([200, { subject: 'ada' }])
    const text = Buffer.from(encoded.toString('base64'))
    expect(await ask(await signed(own, { ...how, key: text }))).toEqual(unauthorized)
    expect(await ask(await signed(own, { algorithm: 'HS256', key: encoded }))).toEqual(unauthorized)
    expect(await ask(await signed({ ...own, exp: undefined }, { ...how, key: encoded }))).toEqual(unauthorized)
  })
})

describe('from koa-jwt', () => {
  it('koa-jwt/after.ts: tokens by either secret, by neither, of the provider, nobody', async () => {
    const own = await open('examples/moving/koa-jwt/after.ts', '/api/own')
    const feed = await open('examples/moving/koa-jwt/after.ts', '/api/feed')
    for (const key of [secret, previous]) {
      expect(await own.ask(await signed({ iss: undefined, aud: undefined }, { key }))).toEqual([
        200,
        { subject: 'ada' },
      ])
    }
    expect(await own.ask(await signed({}, { key: encoded }))).toEqual(unauthorized)
    expect(await feed.ask(await issued())).toEqual([200, { subject: 'ada' }])
    expect(await feed.ask(null)).toEqual([200, { subject: null }])
  })

  it('koa-jwt-all.ts: a token of the provider, nobody', async () => {
    const { ask } = await open('koa-jwt-all.ts')
    expect(await ask(await issued())).toEqual([200, { subject: 'ada' }])
    expect(await ask(null)).toEqual(unauthorized)
  })
})

describe('from hono/jwk and hono/jwt', () => {
  it('hono-jwk/after.ts: a token of the issuer, one for somebody else', async () => {
    const { ask } = await open('examples/moving/hono-jwk/after.ts')
    expect(await ask(await issued())).toEqual([200, { subject: 'ada' }])
    expect(await ask(await issued({ aud: 'https://other.example.com' }))).toEqual(unauthorized)
    expect(await ask(null)).toEqual(unauthorized)
  })

  it('hono-jwt.ts: a token, a cookie of the own pages, of others', async () => {
    const { ask } = await open('hono-jwt.ts')
    const cookie = `session=${await signed()}`
    const post = (origin: string): Promise<Answer> => ask(null, { method: 'POST', headers: { cookie, origin } })
    expect(await ask(await signed())).toEqual([200, { subject: 'ada' }])
    expect(await post('https://app.example.com')).toEqual([200, { subject: 'ada' }])
    expect(await post('https://evil.example.com')).toEqual([403, refusal('forbidden')])
    expect(await ask(await signed({}, { key: previous }))).toEqual(unauthorized)
  })
})

describe('from express-oauth2-jwt-bearer', () => {
  const insufficient: Answer = [403, refusal('insufficient_scope')]

  const scoped = (scope?: unknown): Promise<string> => issued({ scope })

  it('express-oauth2-jwt-bearer/after.ts: the scope, none, a look-alike', async () => {
    const { ask } = await open('examples/moving/express-oauth2-jwt-bearer/after.ts', '/api/reports')
    expect(await ask(await scoped('read:messages read:reports'))).toEqual([200, { subject: 'ada' }])
    for (const scope of [undefined, '', 'read:report', ['read:reports2']]) {
      expect(await ask(await scoped(scope))).toEqual(insufficient)
    }
    expect(await ask(await scoped({ 'read:reports': true }))).toEqual(unauthorized)
  })

  it('scopes-and-machines.ts: any of several scopes', async () => {
    const { ask } = await open('scopes-and-machines.ts', '/messages')
    expect(await ask(await scoped(['admin']))).toEqual([200, []])
    expect(await ask(await scoped('read:messages'))).toEqual([200, []])
    expect(await ask(await scoped('read:reports'))).toEqual(insufficient)
  })

  it('scopes-and-machines.ts: a person, the machine that is named, another one, one without the scope', async () => {
    const { ask } = await open('scopes-and-machines.ts', '/exports')
    const app = (id: string, scope = 'read:reports'): Promise<string> => issued({ sub: id, client_id: id, scope })
    expect(await ask(await scoped('read:reports'))).toEqual([200, { by: 'ada' }])
    expect(await ask(await app('nightly'))).toEqual([200, { by: 'nightly-export' }])
    expect(await ask(await app('hourly'))).toEqual([403, refusal('forbidden')])
    expect(await ask(await app('nightly', ''))).toEqual(insufficient)
  })

  it('claim-check.ts: each claim as it must be, each in turn not', async () => {
    const { ask } = await open('claim-check.ts', '/admin')
    const good = { tenant: 'acme', roles: ['editor'], mfa: true }
    expect(await ask(await issued(good))).toEqual([200, { for: 'ada' }])
    expect(await ask(await issued({ ...good, tenant: 'other' }))).toEqual([403, refusal('forbidden')])
    expect(await ask(await issued({ ...good, roles: ['reader'] }))).toEqual(unauthorized)
    expect(await ask(await issued({ ...good, roles: undefined }))).toEqual(unauthorized)
    expect(await ask(await issued({ ...good, mfa: 'true' }))).toEqual([403, refusal('forbidden')])
  })
})

describe('from Clerk', () => {
  // Of version 2: of `invoices` the bits of 2 permissions, of `reports` the second.
  const o = { id: 'org_1', rol: 'admin', slg: 'acme', per: 'read,pay', fpm: '3,2' }
  const azp = 'https://app.example.com'
  const session = (claims: TokenClaims = {}): Promise<string> =>
    instance.issuer.sign({
      sub: 'user_1',
      sid: 'sess_1',
      v: 2,
      azp,
      aud: undefined,
      fea: 'o:invoices,u:reports',
      o,
      ...claims,
    })
  const forbidden: Answer = [403, refusal('forbidden')]

  it('clerk/after.ts: what bits say, of which feature, of whose page', async () => {
    const { ask } = await open('examples/moving/clerk/after.ts', '/api/invoices')
    const insufficient: Answer = [403, refusal('insufficient_scope')]
    const invoices = { subject: 'user_1', org: 'org_1' }
    expect(await ask(await session())).toEqual([200, { ...invoices, mayPay: true }])
    expect(await ask(await session({ o: { ...o, fpm: '1' } }))).toEqual([200, { ...invoices, mayPay: false }])
    const second = { fea: 'u:own,o:reports,ou:invoices', o: { ...o, fpm: '2,1' } }
    expect(await ask(await session(second))).toEqual([200, { ...invoices, mayPay: false }])
    for (const claims of [
      { o: { ...o, fpm: '2' } },
      { o: { ...o, fpm: '0' } },
      { fea: 'o:reports' },
      { fea: 'u:invoices' },
    ]) {
      expect(await ask(await session(claims))).toEqual(insufficient)
    }
    for (const claims of [{ o: undefined }, { fea: undefined }, { o: { ...o, fpm: undefined } }]) {
      expect(await ask(await session(claims))).toEqual(insufficient)
    }
    expect(await ask(await session({ sts: 'pending' }))).toEqual(forbidden)
    expect(await ask(await session({ azp: 'https://evil.example.com' }))).toEqual(forbidden)
    expect(await ask(await session({ sub: 'mch_1', sid: undefined }))).toEqual(forbidden)
  })

  it('clerk-orgs.ts: the organization of a new user, another one, a lower role', async () => {
    const invoices = await open('clerk-orgs.ts', '/api/invoices')
    const payments = await open('clerk-orgs.ts', '/api/payments')
    const token = await session({ sub: 'user_2' })
    const [status, body] = await invoices.ask(token)
    expect([status, body]).toMatchObject([200, { mayPay: true }])
    const { userId, orgId } = body as { userId: string; orgId: string }
    expect(await payments.ask(token, { method: 'POST' })).toEqual([200, { paidBy: orgId }])
    const { storage } = await load<{ storage: AuthStorage }>('auth.ts')
    const other = await storage.orgs.insert({ name: 'other' })
    const named = { headers: { 'x-org-id': other.id } }
    expect(await invoices.ask(token, named)).toEqual(forbidden)
    await storage.memberships.insert({ orgId: other.id, userId, role: 'member' })
    expect(await invoices.ask(token, named)).toEqual([200, { userId, orgId: other.id, mayPay: false }])
    expect(await payments.ask(token, { ...named, method: 'POST' })).toEqual(forbidden)
    expect(await invoices.ask(await session({ azp: undefined }))).toEqual(forbidden)
  })
})

describe('from Supabase’s getUser', () => {
  const session = (claims: TokenClaims = {}): Promise<string> =>
    project.tokens.sign(project.tokens.supabaseClaims({ sub: 'ada', email: 'ada@example.test', ...claims }))

  it('supabase/after.ts: a session, a guest, an API key, nobody', async () => {
    const { ask } = await open('examples/moving/supabase/after.ts')
    expect(await ask(await session())).toEqual([200, { subject: 'ada', email: 'ada@example.test' }])
    expect(await ask(await session({ is_anonymous: true }))).toEqual([403, refusal('forbidden')])
    const key = { iss: 'supabase', sub: undefined, aud: undefined, role: 'service_role' }
    expect(await ask(await project.tokens.sign(key))).toEqual(unauthorized)
    expect(await ask(null)).toEqual(unauthorized)
  })

  it('supabase-session.ts: a session until it ends', async () => {
    const { ask, sessions } = await open<{ app: Express; sessions: Set<unknown> }>('supabase-session.ts')
    const token = await session({ session_id: 'one' })
    sessions.add('one')
    expect(await ask(token)).toEqual([200, { id: 'ada' }])
    sessions.delete('one')
    expect(await ask(token)).toEqual(unauthorized)
  })
})

describe('from Better Auth', () => {
  let login: TokenIssuer
  beforeAll(async () => {
    const base = await serve((_req, res) => void res.end(JSON.stringify(login.jwks())))
    login = await createTokenIssuer({ issuer: base, audience: base, algorithms: ['EdDSA'] })
    process.env['BETTER_AUTH_URL'] = base
  })
  const session = (claims: TokenClaims = {}): Promise<string> => login.sign({ sub: 'ada', ...claims })

  it('better-auth/after.ts: somebody, a guest, a token for somebody else, nobody', async () => {
    const me = await open('examples/moving/better-auth/after.ts')
    const feed = await open('examples/moving/better-auth/after.ts', '/api/feed')
    expect(await me.ask(await session())).toEqual([200, { email: 'ada@example.test' }])
    expect(await me.ask(await session({ isAnonymous: true }))).toEqual([403, refusal('forbidden')])
    expect(await me.ask(await session({ aud: audience }))).toEqual(unauthorized)
    expect(await feed.ask(null)).toEqual([200, { email: null }])
  })

  it('better-auth-session.ts: a session until it ends', async () => {
    const { ask, sessions } = await open<{ app: Express; sessions: Set<unknown> }>('better-auth-session.ts')
    const token = await session({ sid: 'one' })
    sessions.add('one')
    expect(await ask(token)).toEqual([200, { email: 'ada@example.test' }])
    sessions.delete('one')
    expect(await ask(token)).toEqual(unauthorized)
  })
})
