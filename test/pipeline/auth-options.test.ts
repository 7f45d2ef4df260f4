/** `createAuth` in its short forms: what each default stands for, and what opens nothing by having been lost. */
import {
  createAuth,
  createIssuerLookUp,
  createJwtVerifier,
  createProvisioner,
  createRoles,
  createSyncGate,
  explain,
  header,
  OptionsError,
  oidc,
  supabase,
} from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'
import { createTokenIssuer } from 'sallyport/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { ContextOf } from '../../src/auth.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import { fakeRequest } from './fake-request.ts'
import { refusalOf } from './world.ts'

const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
const AUDIENCE = 'https://api.example.test'
const HS256 = {
  issuer: issuer.issuer,
  keys: [{ kind: 'secret', secret: issuer.secret }],
  audience: AUDIENCE,
} as const
const own = { ...HS256, people: 'own' } as const
const roles = ['member', 'admin', 'owner'] as const

async function requestOf(subject: string, headers: Readonly<Record<string, string>> = {}) {
  const token = await issuer.sign({ sub: subject, aud: AUDIENCE, email: `${subject}@example.test` })
  return fakeRequest({ headers: { authorization: `Bearer ${token}`, ...headers } })
}

function optionsErrorOf(make: () => unknown): OptionsError {
  try {
    make()
  } catch (error) {
    if (error instanceof OptionsError) return error
    throw error
  }
  throw new Error('was taken')
}

describe('createAuth({ issuers, storage, roles })', () => {
  it('makes whoever comes first the owner of an organization of their own', async () => {
    const auth = createAuth({ issuers: [own], storage: createMemoryStorage(), roles })
    const context = await auth.authenticate(await requestOf('ada'))
    expect(context).toMatchObject({ kind: 'user', user: { email: 'ada@example.test' }, role: 'owner' })
    expectTypeOf(context.role).toEqualTypeOf<'member' | 'admin' | 'owner'>()
    expectTypeOf(context.user.issuer).toEqualTypeOf<string>()
    expectTypeOf<ContextOf<typeof auth>>().toEqualTypeOf<typeof context>()
  })

  it('grants no other role than the highest of the ladder', async () => {
    const auth = createAuth({ issuers: [own], storage: createMemoryStorage(), roles: ['reader', 'chief'] })
    expect(await auth.authenticate(await requestOf('ada'))).toMatchObject({ role: 'chief' })
  })

  it('acts where X-Org-Id says, where there is one membership in that, and else nowhere', async () => {
    const storage = createMemoryStorage()
    const auth = createAuth({ issuers: [own], storage, roles })
    const { user, org } = await auth.authenticate(await requestOf('ada'))
    const second = await storage.orgs.insert({ name: 'second' })
    await storage.memberships.insert({ orgId: second.id, userId: user.id, role: 'member' })
    expect((await refusalOf(auth.authenticate(await requestOf('ada')))).code).toBe('org_required')
    for (const [id, role] of [
      [org.id, 'owner'],
      [second.id, 'member'],
    ] as const) {
      const named = await auth.authorizer({})(await requestOf('ada', { 'x-org-id': id }))
      expect(named.context).toMatchObject({ org: { id }, role })
      expect(named.responseHeaders()).toContainEqual(['X-Org-Id', id])
    }
  })

  it('makes them too where a verifier’s issuers all sign in people of this service alone, and hands on claims', async () => {
    const verifier = createJwtVerifier({ issuers: [own], claims: ['plan'] })
    const auth = createAuth({ verifier, storage: createMemoryStorage(), roles })
    const token = await issuer.sign({ sub: 'ada', aud: AUDIENCE, email: 'ada@example.test', plan: 'gold' })
    const context = await auth.authenticate(fakeRequest({ headers: { authorization: `Bearer ${token}` } }))
    expect(context).toMatchObject({ role: 'owner', identity: { claims: { plan: 'gold' } } })
  })

  it('takes the long form of each part', async () => {
    const storage = createMemoryStorage()
    const gated = createAuth({ issuers: [HS256], storage, roles, users: createSyncGate({ users: storage.users }) })
    expect((await refusalOf(gated.authenticate(await requestOf('ada')))).code).toBe('user_not_synced')
    const selectors = [header('X-Team')]
    const orgs = createOrgResolver({ memberships: storage.memberships, selectors, whenUnnamed: 'reject' })
    const named = createAuth({ issuers: [own], storage, roles, orgs })
    expect((await refusalOf(named.authenticate(await requestOf('ada')))).code).toBe('org_required')
  })

  it('makes nobody a user by itself where an issuer signs in anybody', () => {
    const storage = createMemoryStorage()
    const open = oidc({ issuer: 'https://accounts.example.test', audience: AUDIENCE })
    for (const issuers of [[HS256], [open], [own, open]]) {
      const error = optionsErrorOf(() => createAuth({ issuers, storage, roles }))
      const remedy = 'write so at the issuer (oidc({ issuer, audience, people: "own" }))'
      expect([error.option, error.message]).toEqual(['users', expect.stringContaining(remedy)])
    }
    for (const issuers of [[HS256], [own, open]]) {
      const verifier = createJwtVerifier({ issuers })
      expect(optionsErrorOf(() => createAuth({ verifier, storage, roles })).option).toBe('users')
    }
    const lookUp = createIssuerLookUp({ find: async () => null, mayBe: () => false })
    const lookingUp = createJwtVerifier({ issuers: [own], lookUp })
    expect(optionsErrorOf(() => createAuth({ verifier: lookingUp, storage, roles })).option).toBe('users')
    const verifier = { verify: async () => ({}) as never }
    expect(optionsErrorOf(() => createAuth({ verifier, storage, roles })).option).toBe('users')
    const taken = [
      supabase({ url: 'https://abc.supabase.co' }),
      oidc({ issuer: 'https://staff.example.test', audience: AUDIENCE, people: 'own' }),
    ]
    expect(() => createAuth({ issuers: taken, storage, roles })).not.toThrow()
  })
})

it.each([
  ['claims', ['plan']],
  ['clockToleranceSeconds', 5],
  ['insecureHosts', ['keycloak.internal']],
])('says where the option %s belongs', (option, value) => {
  const storage = createMemoryStorage()
  const error = optionsErrorOf(() => createAuth({ issuers: [own], storage, roles, [option]: value }))
  expect(error.option).toBe(option)
  expect(error.message).toContain(`is one of createJwtVerifier: verifier: createJwtVerifier({ issuers, ${option} })`)
})

it('takes no function that makes what an option takes', () => {
  const options = { issuers: [own], storage: createMemoryStorage(), roles }
  const listening = optionsErrorOf(() => createAuth({ ...options, onDecision: explain as never }))
  expect(listening.message).toBe('createAuth: option "onDecision" must be called: explain()')
  const resolving = optionsErrorOf(() => createAuth({ ...options, users: createProvisioner as never }))
  expect(resolving.message).toContain('option "users" must be called: createProvisioner(')
  expect(() => createAuth({ ...options, onDecision: explain() })).not.toThrow()
})

it('names the option of a provisioner whose owners have a role that is none', () => {
  const storage = createMemoryStorage()
  const users = createProvisioner({ storage })
  const error = optionsErrorOf(() => createAuth({ issuers: [own], storage, roles: ['member', 'admin'], users }))
  const sentence = 'makes people owner, which is no role: createProvisioner({ storage, ownerRole })'
  expect(error.problems).toEqual([{ option: 'users', message: sentence }])
})

it('takes no user resolver of another ladder', () => {
  const storage = createMemoryStorage()
  const gate = createSyncGate({ users: storage.users })
  const others = createRoles(['member', 'owner', 'admin'])
  const users = Object.assign(gate.bind(null), { roles: others })
  const error = optionsErrorOf(() => createAuth({ issuers: [own], storage, roles, users }))
  expect([error.option, error.message]).toEqual(['users', expect.stringContaining('member, owner, admin')])
  const listed = Object.assign(gate.bind(null), { roles: ['member', 'admin', 'owner'] as never })
  expect(optionsErrorOf(() => createAuth({ issuers: [own], storage, roles, users: listed })).message).toContain(
    'option "users" must have roles that createRoles made',
  )
})

describe('createAuth({ issuers })', () => {
  const auth = createAuth({ issuers: [HS256] })

  it('says who calls, and asks nothing else', async () => {
    const { context, responseHeaders } = await auth.authorizer({})(await requestOf('ada', { 'x-org-id': 'nonsense' }))
    expect(context).toMatchObject({ kind: 'user', identity: { subject: 'ada', audience: [AUDIENCE] } })
    expect(Object.keys(context).sort()).toEqual(['identity', 'kind', 'permissions'])
    expect(responseHeaders()).toEqual([['Vary', 'Authorization']])
    // @ts-expect-error nobody is looked up
    context.user
    expect((await refusalOf(auth.authenticate(fakeRequest()))).reason).toBe('credential_missing')
  })

  it('refuses an Access that asks for more, when it is mounted', () => {
    const asks: readonly [object, string][] = [
      [{ role: 'admin' }, 'role'],
      [{ needs: 'user' }, 'needs'],
      [{ needs: 'org' }, 'needs'],
      [{ selectors: [header('X-Org-Id')] }, 'selectors'],
      [{ accept: ['apiKey'] }, 'accept'],
    ]
    for (const [access, option] of asks) {
      expect(optionsErrorOf(() => auth.authorizer(access as never)).option).toBe(option)
      expect(
        optionsErrorOf(() => auth.route({ method: 'GET', path: '/', access, handle: () => null } as never)).option,
      ).toBe(option)
    }
    expect(optionsErrorOf(() => auth.requireRole('admin' as never)).option).toBe('role')
    // @ts-expect-error there are no roles
    expect(() => auth.authorizer({ role: 'admin' })).toThrow(OptionsError)
    // @ts-expect-error there are no organizations
    expect(() => auth.authorizer({ needs: 'org' })).toThrow(OptionsError)
  })

  it('is none where one of roles, storage, users and orgs is there, though it were undefined', () => {
    const storage = createMemoryStorage()
    for (const option of ['roles', 'storage', 'users', 'orgs']) {
      const error = optionsErrorOf(() => createAuth({ issuers: [own], [option]: undefined } as never))
      expect([error.option, error.message]).toEqual([option, expect.stringContaining('is undefined')])
    }
    const partly: readonly [object, string][] = [
      [{ roles }, 'users'],
      [{ storage }, 'roles'],
      [{ users: createSyncGate({ users: storage.users }) }, 'roles'],
      [{ roles, users: createSyncGate({ users: storage.users }) }, 'orgs'],
      [{ roles, storage, users: undefined }, 'users'],
      [{ roles, storage, orgs: undefined }, 'orgs'],
    ]
    for (const [given, option] of partly) {
      expect(optionsErrorOf(() => createAuth({ issuers: [own], ...given } as never)).option).toBe(option)
    }
  })

  it('knows no API keys, which act in an organization', () => {
    const apiKeys = { prefix: 'tk', verify: async () => ({}) as never }
    expect(optionsErrorOf(() => createAuth({ issuers: [own], apiKeys })).option).toBe('apiKeys')
  })
})

it('asks for one way to verify tokens, and not for two', () => {
  const verifier = { verify: async () => ({}) as never }
  expect(optionsErrorOf(() => createAuth({})).option).toBe('issuers')
  expect(optionsErrorOf(() => createAuth({ issuers: [own], verifier })).option).toBe('issuers')
  expect(optionsErrorOf(() => createAuth({ issuers: [] })).option).toBe('issuers')
})
