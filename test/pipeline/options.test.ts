/** Every wrong option is a TypeError at construction that names the function and the option, never a request-time fault. */

import {
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createProvisioner,
  createRoles,
  createServiceVerifier,
  createSyncGate,
  createSyncRoute,
  createUserOrgResolver,
  header,
  oidc,
  pathParam,
  supabase,
} from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'
import { createTokenIssuer } from 'sallyport/testing'
import { describe, expect, it } from 'vitest'
import { issuer, LADDER, ROLES, SERVICE_SECRET } from './world.ts'

type Options = Record<string, unknown>
type Create = (options: never) => unknown

const storage = createMemoryStorage()
const issuers = [
  { issuer: issuer.issuer, keys: [{ kind: 'secret', secret: issuer.secret }], audience: issuer.audience },
]
const selectors = [header('X-Org-Id')]
const { memberships } = storage

/** Each function of the front doors, with options that it takes. */
const GOOD: Readonly<Record<string, readonly [Create, Options]>> = {
  createAuth: [
    createAuth as Create,
    {
      roles: ROLES,
      verifier: createJwtVerifier({ issuers: issuers as never }),
      users: createProvisioner({ storage }),
      orgs: createOrgResolver({ memberships, selectors, whenUnnamed: 'reject' }),
    },
  ],
  createJwtVerifier: [createJwtVerifier as Create, { issuers }],
  createServiceVerifier: [
    createServiceVerifier as Create,
    { services: { a: { header: 'X-A', secrets: [SERVICE_SECRET] } } },
  ],
  createOrgResolver: [createOrgResolver as Create, { memberships, selectors, whenUnnamed: 'reject' }],
  createUserOrgResolver: [createUserOrgResolver as Create, { memberships, orgIdOf: () => null }],
  createProvisioner: [createProvisioner as Create, { storage }],
  createSyncGate: [createSyncGate as Create, { users: storage.users }],
  createSyncRoute: [createSyncRoute as Create, { provision: createProvisioner({ storage }), memberships }],
  createMemoryStorage: [createMemoryStorage as Create, {}],
  supabase: [supabase as Create, { url: 'https://project.example' }],
  oidc: [oidc as Create, { issuer: 'https://issuer.example', audience: 'api' }],
}

const verify = { verify: async () => '' }

// [function, what is wrong, options over the good ones, what the sentence says]
const BAD: readonly (readonly [string, string, Options, string])[] = [
  ['createAuth', 'no roles', { roles: undefined }, 'option "roles" is undefined'],
  ['createAuth', 'an empty ladder', { roles: [] }, 'option "roles"'],
  ['createAuth', 'a role twice', { roles: ['a', 'owner', 'a'] }, 'option "roles"'],
  ['createAuth', 'a blank role', { roles: ['owner', ' '] }, 'option "roles"'],
  ['createAuth', 'a role that is no text', { roles: ['owner', 1] }, 'option "roles'],
  ['createAuth', 'roles as text', { roles: 'owner' }, 'option "roles"'],
  [
    'createAuth',
    'a role granted that is not on the ladder',
    { roles: ['member'] },
    'option "users" makes people owner, which is no role',
  ],
  ['createAuth', 'no verifier', { verifier: undefined }, 'option "verifier"'],
  ['createAuth', 'a verifier that is a function', { verifier: () => '' }, 'option "verifier"'],
  ['createAuth', 'no user resolver', { users: undefined }, 'option "users"'],
  ['createAuth', 'a repository as user resolver', { users: storage.users }, 'option "users" must be a function'],
  ['createAuth', 'no org resolver', { orgs: undefined }, 'option "orgs"'],
  ['createAuth', 'a repository as org resolver', { orgs: storage.orgs }, 'option "orgs"'],
  ['createAuth', 'API keys without a prefix', { apiKeys: verify }, 'option "apiKeys" must have a prefix'],
  ['createAuth', 'API keys with an empty prefix', { apiKeys: { ...verify, prefix: '' } }, 'option "apiKeys"'],
  ['createAuth', 'API keys without a verifier', { apiKeys: { prefix: 'tk' } }, 'option "apiKeys"'],
  [
    'createAuth',
    'API keys of another ladder',
    { apiKeys: { ...verify, prefix: 'tk', roles: createRoles(['viewer', 'member', 'owner']) } },
    'option "apiKeys" has the roles viewer, member, owner, option "roles" has viewer, member, admin, owner',
  ],
  [
    'createAuth',
    'API keys of the same roles in another order',
    { apiKeys: { ...verify, prefix: 'tk', roles: createRoles(LADDER.toReversed()) } },
    'option "apiKeys" has the roles owner, admin, member, viewer, option "roles"',
  ],
  [
    'createAuth',
    'API keys whose roles are no list',
    { apiKeys: { ...verify, prefix: 'tk', roles: 'owner' } },
    'option "apiKeys" must have roles that createRoles made, or none',
  ],
  ['createAuth', 'services without a list', { services: verify }, 'option "services" must list its services'],
  [
    'createAuth',
    'a service whose secret comes as a bearer',
    { services: { ...verify, services: [{ name: 'a', header: 'Authorization' }] } },
    'option "services"',
  ],
  ['createAuth', 'a cookie as text', { cookie: 'session' }, 'option "cookie"'],
  ['createAuth', 'a cookie without a name', { cookie: {} }, 'option "cookie.name"'],
  ['createAuth', 'a cookie name with an equals sign', { cookie: { name: 'a=b' } }, 'option "cookie.name"'],
  ['createAuth', 'a cookie name with a line break', { cookie: { name: 'a\r\nb' } }, 'option "cookie.name"'],
  [
    'createAuth',
    'a cookie option misspelt',
    { cookie: { name: 'a', publicURL: 'x' } },
    'unknown option "cookie.publicURL"',
  ],
  ['createAuth', 'a public URL that is none', { cookie: { name: 'a', publicUrl: 'app.test' } }, 'cookie.publicUrl'],
  ['createAuth', 'a public URL of a file', { cookie: { name: 'a', publicUrl: 'file:///x' } }, 'cookie.publicUrl'],
  ['createAuth', 'a gateway as text', { gateway: 'X-Token' }, 'option "gateway"'],
  ['createAuth', 'a gateway without a header', { gateway: {} }, 'option "gateway.header"'],
  ['createAuth', 'a gateway with the header of others', { gateway: { header: 'Authorization' } }, 'gateway.header'],
  ['createAuth', 'a gateway with the cookies', { gateway: { header: 'cookie' } }, 'gateway.header'],
  ['createAuth', 'a gateway with a header that is none', { gateway: { header: 'X Token' } }, 'gateway.header'],
  ['createAuth', 'a gateway misspelt', { gateway: { header: 'X-Token', url: 'https://x.test' } }, 'gateway.url'],
  [
    'createAuth',
    'a gateway’s public URL that is none',
    { gateway: { header: 'X-Token', publicUrl: 'app.test' } },
    'gateway.publicUrl',
  ],
  [
    'createAuth',
    'a gateway beside a cookie',
    { gateway: { header: 'X-Token' }, cookie: { name: 'session' } },
    'option "gateway" excludes option "cookie"',
  ],
  [
    'createAuth',
    'a gateway beside API keys, which nobody would read',
    { gateway: { header: 'X-Token' }, apiKeys: { ...verify, prefix: 'tk' } },
    'option "gateway" excludes option "apiKeys"',
  ],
  [
    'createAuth',
    'a gateway with the header of a service',
    { gateway: { header: 'x-billing' }, services: { ...verify, services: [{ name: 'billing', header: 'X-Billing' }] } },
    'option "gateway.header" is the header of a service',
  ],
  ['createAuth', 'another error format', { errorFormat: 'xml' }, 'option "errorFormat"'],
  ['createAuth', 'a hook that is none', { onDecision: 'log' }, 'option "onDecision"'],
  ['createAuth', 'a clock that is a number', { clock: 1 }, 'option "clock"'],
  ['createOrgResolver', 'no word on an unnamed org', { whenUnnamed: undefined }, 'option "whenUnnamed" is required'],
  ['createOrgResolver', 'another word', { whenUnnamed: 'first' }, 'option "whenUnnamed"'],
  ['createOrgResolver', 'no memberships', { memberships: undefined }, 'option "memberships"'],
  ['createOrgResolver', 'half of the memberships', { memberships: { findActing: () => null } }, 'option "memberships"'],
  ['createOrgResolver', 'no selectors', { selectors: undefined }, 'option "selectors"'],
  [
    'createOrgResolver',
    'a path selector',
    { selectors: [pathParam('org')] },
    'option "selectors.0.kind" must be one of "header"',
  ],
  ['createOrgResolver', 'a selector as text', { selectors: ['X-Org-Id'] }, 'option "selectors'],
  [
    'createOrgResolver',
    'a header that is none',
    { selectors: [header('X Org')] },
    'option "selectors.0.name" must be a header name',
  ],
  ['createOrgResolver', 'a response header that is none', { responseHeader: 'a:b' }, 'option "responseHeader"'],
  ['createOrgResolver', 'a pattern as format', { idFormat: /x/ }, 'option "idFormat"'],
  ['createUserOrgResolver', 'no word on where the org stands', { orgIdOf: undefined }, 'option "orgIdOf"'],
  ['createUserOrgResolver', 'a column name', { orgIdOf: 'orgId' }, 'option "orgIdOf"'],
  ['createUserOrgResolver', 'no memberships', { memberships: null }, 'option "memberships"'],
  ['createUserOrgResolver', 'selectors', { selectors }, 'unknown option "selectors"'],
  ['createProvisioner', 'no storage', { storage: undefined }, 'option "storage"'],
  ['createProvisioner', 'a storage without transactions', { storage: { users: storage.users } }, 'option "storage"'],
  ['createProvisioner', 'a storage without users', { storage: { transaction: () => 0 } }, 'option "storage"'],
  ['createProvisioner', 'a storage with users of null', { storage: { ...storage, users: null } }, 'option "storage"'],
  ['createProvisioner', 'invitations that are none', { invitations: {} }, 'option "invitations" must be an object'],
  ['createProvisioner', 'a word on e-mail', { invitations: { emailIsVerified: () => true } }, 'option "invitations"'],
  ['createProvisioner', 'invitations as a flag', { invitations: true }, 'option "invitations"'],
  ['createProvisioner', 'invitations of storage', { invitations: storage.invitations }, 'option "invitations"'],
  ['createProvisioner', 'a blank owner role', { ownerRole: '' }, 'option "ownerRole"'],
  ['createProvisioner', 'a hook that is none', { bootstrap: {} }, 'option "bootstrap"'],
  ['createProvisioner', 'a decision instead of a function', { decide: 'create' }, 'option "decide"'],
  ['createSyncGate', 'no users', { users: undefined }, 'option "users"'],
  ['createSyncGate', 'a storage instead of its users', { users: storage }, 'option "users"'],
  ['createSyncGate', 'a path without a slash', { syncPath: 'auth/sync' }, 'option "syncPath"'],
  ['createSyncGate', 'a path with a line break', { syncPath: '/a\r\nb' }, 'option "syncPath"'],
  ['createSyncRoute', 'no provisioner', { provision: undefined }, 'option "provision"'],
  ['createSyncRoute', 'no memberships', { memberships: undefined }, 'option "memberships"'],
  ['createSyncRoute', 'a path without a slash', { path: 'sync' }, 'option "path"'],
  ['createMemoryStorage', 'memberships elsewhere', { membershipOn: 'orgs' }, 'option "membershipOn"'],
  [
    'createServiceVerifier',
    'one secret twice for one header',
    {
      services: {
        a: { header: 'X-A', secrets: [SERVICE_SECRET] },
        b: { header: 'x-a', secrets: [SERVICE_SECRET] },
      },
    },
    'option "services" holds a secret twice for one header',
  ],
  [
    'createServiceVerifier',
    'a header that is read as something else',
    { services: { a: { header: 'Cookie', secrets: [SERVICE_SECRET] } } },
    'option "services.a.header" must be a header of its own',
  ],
]

const make = (name: string, over: Options): unknown => {
  const [create, good] = GOOD[name] as (typeof GOOD)[string]
  return create({ ...good, ...over } as never)
}

describe('options', () => {
  it.each(Object.keys(GOOD))('%s takes the good ones, and no misspelt one beside them', (name) => {
    expect(() => make(name, {})).not.toThrow()
    expect(() => make(name, { audiance: 'x' })).toThrow(TypeError)
    expect(() => make(name, { audiance: 'x' })).toThrow(`${name}: unknown option "audiance"`)
  })

  it.each(Object.keys(GOOD))('%s takes an object only', (name) => {
    const [create] = GOOD[name] as (typeof GOOD)[string]
    for (const options of [null, 'text', 1, [], () => ({})]) {
      expect(() => create(options as never)).toThrow(`${name}: options must be an object`)
    }
  })

  it.each(BAD)('%s: %s', (name, _what, over, sentence) => {
    expect(() => make(name, over)).toThrow(TypeError)
    expect(() => make(name, over)).toThrow(sentence)
    expect(() => make(name, over)).toThrow(new RegExp(`^${name}`))
  })

  it('never print a value that may be a secret', () => {
    const secret = 'hunter2-hunter2-hunter2-hunter2-hunter2'
    for (const over of [
      { cookie: { name: `${secret};` } },
      { errorFormat: secret },
      { [secret]: 1, onDecision: secret },
    ]) {
      const { message } = (() => {
        try {
          make('createAuth', over)
        } catch (error) {
          return error as Error
        }
        throw new Error('taken')
      })()
      expect(message.replace(`unknown option "${secret}"`, '')).not.toContain(secret)
    }
  })
})

describe('a polluted Object.prototype (V1)', () => {
  const polluted = async (members: Options, work: () => unknown): Promise<unknown> => {
    for (const [key, value] of Object.entries(members)) {
      Object.defineProperty(Object.prototype, key, { value, configurable: true, enumerable: true, writable: true })
    }
    try {
      return await work()
    } finally {
      for (const key of Object.keys(members)) delete (Object.prototype as Options)[key]
    }
  }
  const [, options] = GOOD['createAuth'] as (typeof GOOD)[string]
  const attempt = (members: Options, work: () => unknown) => polluted(members, work)

  it('opens no route', async () => {
    const auth = createAuth(options as never)
    const { fakeRequest } = await import('./fake-request.ts')
    for (const members of [{ optional: true }, { needs: 'identity' }, { accept: ['service'] }, { role: undefined }]) {
      const result = await attempt(members, () => auth.authenticate(fakeRequest()).catch((error) => error.reason))
      expect(result).toBe('credential_missing')
      const authorizer = await attempt(members, () => auth.authorizer({ role: 'owner' } as never))
      expect(await (authorizer as (request: unknown) => Promise<unknown>)(fakeRequest()).catch((e) => e.reason)).toBe(
        'credential_missing',
      )
    }
  })

  it('switches no cookie on, moves no origin, adds no API keys', async () => {
    const { fakeRequest } = await import('./fake-request.ts')
    const token = await issuer.sign()
    const members = { apiKeys: { prefix: 'tk', verify: async () => ({}) } }
    const bare = (await attempt({ cookie: { name: 'session' }, ...members }, () =>
      createAuth(options as never),
    )) as ReturnType<typeof createAuth>
    const headers = { cookie: `session=${token}` }
    expect(await bare.authenticate(fakeRequest({ headers })).catch((error) => error.reason)).toBe('credential_missing')
    const withCookie = (await attempt({ publicUrl: 'https://evil.test' }, () =>
      createAuth({ ...options, cookie: { name: 'session' } } as never),
    )) as ReturnType<typeof createAuth>
    const evil = fakeRequest({ method: 'POST', headers: { ...headers, origin: 'https://evil.test', host: 'app.test' } })
    expect(await withCookie.authenticate(evil).catch((error) => error.reason)).toBe('cross_site_request')
  })

  it('verifies no e-mail, decides nothing, skips no required option', async () => {
    const members = {
      find: () => null,
      decide: () => ({ kind: 'none' }),
      whenUnnamed: 'none',
      audience: null,
    }
    await attempt(members, () => {
      expect(() => make('createProvisioner', { storage: { users: {} } })).toThrow('option "storage"')
      expect(() => createOrgResolver({ memberships, selectors } as never)).toThrow('option "whenUnnamed" is required')
      expect(() => createJwtVerifier({ issuers: issuers.map(({ audience: _, ...rest }) => rest) } as never)).toThrow(
        'option "issuers.0.audience" is required: must be',
      )
    })
    const own = createMemoryStorage()
    const provision = (await attempt(members, () => createProvisioner({ storage: own }))) as ReturnType<
      typeof createProvisioner
    >
    const { identityOf } = await import('../users/first-logins.ts')
    await provision(identityOf('ada'), { kind: 'unnamed' })
    expect(await own.orgs.count()).toBe(1)
  })
})

it('an auth tells nothing about its secrets', async () => {
  const { inspect } = await import('node:util')
  const own = await createTokenIssuer({ algorithms: ['HS256'] })
  const [, options] = GOOD['createAuth'] as (typeof GOOD)[string]
  const verifier = createJwtVerifier({
    issuers: [{ issuer: own.issuer, keys: [{ kind: 'secret', secret: own.secret }], audience: null }],
  })
  const services = createServiceVerifier({ services: { a: { header: 'X-A', secrets: [SERVICE_SECRET] } } })
  const auth = createAuth({ ...options, verifier, services } as never)
  for (const value of [auth, verifier, services]) {
    const seen = inspect(value, { depth: 20, showHidden: true }) + JSON.stringify(value)
    expect(seen).not.toContain(own.secret)
    expect(seen).not.toContain(SERVICE_SECRET)
  }
})
