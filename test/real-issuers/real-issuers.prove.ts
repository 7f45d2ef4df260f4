// Tokens of issuers nobody here wrote, signed in on their own pages, at a whole service: who is calling, as what, with what.
import { Hono } from 'hono'
import { afterAll, describe, expect, it } from 'vitest'
import { createAdapter } from '../../adapters/hono.ts'
import {
  createAuth,
  createJwtVerifier,
  createProvisioner,
  type Decision,
  type IssuerOptions,
  oidc,
} from '../../src/index.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { betterAuth, cognito } from '../../src/verify/presets/index.ts'
import { loadIssuer, type RealIssuer } from './start.ts'

const running: RealIssuer[] = []
afterAll(async () => {
  await Promise.all(running.map((each) => each.stop()))
})

function keep<I extends RealIssuer>(issuer: I): I {
  running.push(issuer)
  return issuer
}

/** A service that trusts one issuer: what it answers at a path, and why it refused. */
function createService(issuer: IssuerOptions, clock: () => number = Date.now) {
  const storage = createMemoryStorage()
  const decisions: Decision[] = []
  const auth = createAuth({
    verifier: createJwtVerifier({ issuers: [issuer], clock }),
    storage,
    roles: { owner: ['contacts:read', 'contacts:write'] },
    users: createProvisioner({ storage, ownerRole: 'owner' }),
    machines: storage.machines,
    onDecision: (decision) => void decisions.push(decision),
  })
  const { protect } = createAdapter(auth)
  const app = new Hono()
  app.get(
    '/me',
    protect(({ user, org, identity, permissions }, c) =>
      c.json({ email: user.email, org: org.id, ...pick(identity), permissions }),
    ),
  )
  app.post(
    '/contacts',
    protect({ accept: ['user', 'machine'], permissions: ['contacts:write'] }, (context, c) => {
      return c.json({ kind: context.kind, permissions: context.permissions }, 201)
    }),
  )
  return {
    storage,
    async ask(token: string, method = 'GET', path = '/me') {
      const response = await app.request(path, { method, headers: { authorization: `Bearer ${token}` } })
      const body: unknown = await response.json()
      return { status: response.status, body, reason: decisions.at(-1)?.reason ?? null }
    },
  }
}

const pick = ({ emailVerified, name }: { emailVerified: boolean | null; name: string | null }) => ({
  emailVerified,
  name,
})

describe('oidc-provider', async () => {
  const provider = keep(await (await loadIssuer('oidc-provider')).startOidcProvider(['PS256', 'ES384']))
  const { issuer, audience } = provider
  const trusted: IssuerOptions = {
    ...oidc({ issuer, audience, algorithms: ['PS256', 'ES384'] }),
    claims: { scopes: 'scope' },
  }

  it.each(['PS256', 'ES384'])('signs people in: %s, and their scopes bind', async (algorithm) => {
    const service = createService(trusted)
    const reader = await provider.signIn('ada', 'openid contacts:read', algorithm)
    expect(await service.ask(reader)).toMatchObject({ status: 200, body: { permissions: ['contacts:read'] } })
    expect(await service.ask(reader, 'POST', '/contacts')).toMatchObject({ status: 403, reason: 'scope_missing' })
    const writer = await provider.signIn('ada', 'openid contacts:read contacts:write', algorithm)
    expect(await service.ask(writer, 'POST', '/contacts')).toMatchObject({ status: 201 })
  })

  it('grants a worker its own token: a machine, which is known by its row and bound by its scopes', async () => {
    const service = createService(trusted)
    const token = await provider.grantWorker('contacts:read contacts:write', 'ES384')
    expect(await service.ask(token)).toMatchObject({ status: 403, reason: 'token_of_a_machine' })
    expect(await service.ask(token, 'POST', '/contacts')).toMatchObject({ status: 403, reason: 'machine_unknown' })
    const person = await provider.signIn('ada', 'openid contacts:read', 'ES384')
    const { org } = (await service.ask(person)).body as { org: string }
    const worker = { issuer, subject: 'worker', name: 'worker', orgId: org, role: 'owner', permissions: null }
    await service.storage.machines.insert(worker)
    expect(await service.ask(token, 'POST', '/contacts')).toMatchObject({
      status: 201,
      body: { kind: 'machine', permissions: ['contacts:read', 'contacts:write'] },
    })
    const reader = await provider.grantWorker('contacts:read', 'PS256')
    expect(await service.ask(reader, 'POST', '/contacts')).toMatchObject({ status: 403, reason: 'scope_missing' })
  })

  it('changes its keys while it runs', async () => {
    let now = Date.now()
    const service = createService(trusted, () => now)
    const before = await provider.signIn('ada', 'openid contacts:read', 'ES384')
    expect(await service.ask(before)).toMatchObject({ status: 200 })
    await provider.rotate()
    const after = await provider.signIn('ada', 'openid contacts:read', 'ES384')
    expect(await service.ask(after)).toMatchObject({ status: 401, reason: 'token_key_unknown' })
    now += 30_001
    expect(await service.ask(after)).toMatchObject({ status: 200 })
    expect(await service.ask(before)).toMatchObject({ status: 401 })
  })
})

describe('better-auth', async () => {
  const { startBetterAuth } = await loadIssuer('better-auth')

  it.each([{ alg: 'EdDSA', crv: 'Ed25519' }, { alg: 'ES512' }])('signs people up: $alg', async (keys) => {
    const server = keep(await startBetterAuth(keys))
    const service = createService(betterAuth({ baseUrl: server.issuer }))
    const token = await server.signUp('ada@example.test')
    expect(await service.ask(token)).toMatchObject({
      status: 200,
      body: { email: 'ada@example.test', emailVerified: false, name: 'Ada' },
    })
  })
})

describe('oauth2-mock-server', async () => {
  const { startMockServer } = await loadIssuer('oauth2-mock-server')

  it.each(['RS384', 'PS512', 'ES512', 'EdDSA'] as const)('grants tokens: %s', async (algorithm) => {
    const server = keep(
      await startMockServer(algorithm, { aud: 'https://api.example.test', email: 'ada@example.test' }),
    )
    const service = createService({
      ...oidc({ issuer: server.issuer, audience: 'https://api.example.test', algorithms: [algorithm] }),
      machine: ({ amr }) => amr === undefined,
    })
    const person = await server.grant({ grant_type: 'password', username: 'ada', password: 'any', client_id: 'app' })
    expect(await service.ask(person)).toMatchObject({ status: 200, body: { email: 'ada@example.test' } })
    const machine = await server.grant({ grant_type: 'client_credentials', scope: 'contacts:read' })
    const answer = await service.ask(machine)
    // It names no subject for a machine.
    expect(answer).toMatchObject({ status: 401, reason: 'token_subject_malformed' })
  })
})

describe('OpenAuth', async () => {
  it('signs people in by a code; its metadata is that of RFC 8414', async () => {
    const server = keep(await (await loadIssuer('openauth')).startOpenAuth())
    const service = createService({
      ...oidc({ issuer: server.issuer, audience: 'dashboard' }),
      claims: { email: ['properties', 'email'] },
      emails: 'confirmed',
    })
    const token = await server.signIn('ada@example.test')
    expect(await service.ask(token)).toMatchObject({
      status: 200,
      body: { email: 'ada@example.test', emailVerified: true },
    })
  })
})

describe('cognito-local', async () => {
  it('signs people in: an access token and an ID token, each where it is asked for', async () => {
    const pool = keep(await (await loadIssuer('cognito-local')).startCognitoLocal())
    const at = (tokens: 'access' | 'id') =>
      createService({
        ...cognito({ userPoolId: 'eu-west-1_Local', clientIds: [pool.clientId], tokens }),
        issuer: pool.issuer,
        keys: [{ kind: 'jwks', url: `${pool.issuer}/.well-known/jwks.json` }],
      })
    const { accessToken, idToken } = await pool.signIn('ada@example.test')
    expect(await at('access').ask(accessToken)).toMatchObject({ status: 200, body: { email: null } })
    expect(await at('id').ask(idToken)).toMatchObject({
      status: 200,
      body: { email: 'ada@example.test', emailVerified: true },
    })
    expect(await at('access').ask(idToken)).toMatchObject({ status: 403, reason: 'token_kind_not_accepted' })
    expect(await at('id').ask(accessToken)).toMatchObject({ status: 401, reason: 'token_audience_missing' })
  })
})
