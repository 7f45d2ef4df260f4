/** What each kind of caller may do, asked by one rule: its role's permissions where it acts, as far as its credential carries them. */
import { createAuth, createJwtVerifier, createRoles, type IssuerOptions, OptionsError, type Roles } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'
import { describe, expect, it } from 'vitest'
import type { ApiKey, AuthContext, Identity, Verifier } from '../../src/context.ts'
import type { CustomRoles } from '../../src/permissions/custom-roles.ts'
import type { Access } from '../../src/request.ts'
import { createServiceVerifier } from '../../src/services/service-verifier.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'
import { trusting } from '../support/world.ts'
import { fakeRequest } from './fake-request.ts'
import { createWorld, issuer, reasonOf, refusalOf, SERVICE_SECRET, type World, type WorldOptions } from './world.ts'

const roles = createRoles(
  {
    support: ['tickets:read', 'tickets:write'],
    billing: ['invoices:read'],
    admin: ['support', 'billing', 'users:write'],
  },
  { permissions: ['reports:read'] },
)

// An issuer whose `scope` claim binds; a token without one is a session without a bound here.
const bound: Verifier = {
  async verify(token) {
    const identity = await trusting(issuer, { claims: ['scope'] as never }).verify(token)
    const { scope } = identity.claims as { readonly scope?: string }
    return { ...identity, scopes: scope === undefined ? null : scope.split(' ').filter((each) => each !== '') }
  },
}

interface Asked {
  readonly world: World
  /** The one organization that is there. */
  readonly orgId: string
}

async function create(more: object = {}, options: WorldOptions = {}): Promise<Asked> {
  const services = createServiceVerifier({
    services: {
      telephony: {
        header: 'X-Telephony-Secret',
        secrets: [SERVICE_SECRET],
        permissions: ['tickets:write', 'calls:write'],
      },
      billing: { header: 'X-Billing-Secret', secrets: [`${SERVICE_SECRET}!`] },
    },
  })
  const ownerRole = { ownerRole: 'admin' }
  const auth: WorldOptions['auth'] = (storage) =>
    ({ roles, verifier: bound, services, users: createUsers(storage, ownerRole), ...more }) as never
  const world = createWorld({ ...options, auth })
  return { world, orgId: await world.org('acme') }
}

function createUsers(storage: World['storage'], { ownerRole }: { readonly ownerRole: string }): unknown {
  const find = async (identity: Identity) => {
    const { user } = await storage.users.upsertByIdentity({ ...identity, email: null })
    return { user }
  }
  return Object.assign(find, { assignsRoles: [ownerRole] })
}

/** Somebody with a role in the organization, by a token of these scopes. */
async function enter(
  { world, orgId }: Asked,
  role: string,
  access: Access,
  { scope, source = {} }: { readonly scope?: string | undefined; readonly source?: object } = {},
): Promise<AuthContext | null> {
  await world.person(`${role} of ${orgId}`, { [orgId]: role }).catch(() => undefined)
  const token = await issuer.sign({ sub: `${role} of ${orgId}`, ...(scope !== undefined && { scope }) })
  return world.authenticate({ headers: { authorization: `Bearer ${token}` }, source }, access)
}

const withKey = (asked: Asked, key: Partial<ApiKey>, access: Access): Promise<AuthContext | null> =>
  asked.world.authenticate(
    { headers: { authorization: `Bearer ${asked.world.apiKey({ orgId: asked.orgId, ...key })}` } },
    access,
  )

const asService = ({ world }: Asked, name: 'telephony' | 'billing', access: Access): Promise<AuthContext | null> => {
  const headers =
    name === 'telephony' ? { 'x-telephony-secret': SERVICE_SECRET } : { 'x-billing-secret': `${SERVICE_SECRET}!` }
  return world.authenticate({ headers }, access)
}

describe('a user', () => {
  it.each<[string, string, string | undefined, readonly string[]]>([
    ['support by a session', 'support', undefined, ['tickets:read', 'tickets:write']],
    ['admin by a session', 'admin', undefined, ['invoices:read', 'tickets:read', 'tickets:write', 'users:write']],
    ['admin by a token that carries two', 'admin', 'users:write tickets:read', ['tickets:read', 'users:write']],
    ['support by a token that carries more', 'support', 'users:write tickets:read openid', ['tickets:read']],
    ['admin by a token that carries nothing', 'admin', '', []],
    ['admin by a token of look-alikes', 'admin', 'TICKETS:READ tickets tickets:* tickets:readable *', []],
  ])('%s may do what role and token have', async (_what, role, scope, permissions) => {
    const context = await enter(await create(), role, {}, { scope })
    expect(context?.permissions).toEqual(permissions)
    expect(Object.isFrozen(context?.permissions)).toBe(true)
  })

  it.each<[string, string, string | undefined, Access, string | null]>([
    ['has it', 'support', undefined, { permissions: ['tickets:read'] }, null],
    ['has all', 'admin', undefined, { permissions: ['users:write', 'invoices:read'] }, null],
    [
      'has one of two',
      'support',
      undefined,
      { permissions: ['tickets:read', 'users:write'] },
      'permission_not_of_role',
    ],
    ['has a role beside it', 'billing', undefined, { permissions: ['tickets:read'] }, 'permission_not_of_role'],
    ['includes the role', 'admin', undefined, { role: 'billing' }, null],
    ['has an incomparable role', 'support', undefined, { role: 'billing' }, 'role_too_low'],
    ['has it by both', 'support', 'tickets:read', { permissions: ['tickets:read'] }, null],
    ['has it by the role alone', 'support', 'tickets:write', { permissions: ['tickets:read'] }, 'scope_missing'],
    [
      'has it by the token alone',
      'billing',
      'tickets:read',
      { permissions: ['tickets:read'] },
      'permission_not_of_role',
    ],
    ['has neither', 'billing', '', { permissions: ['tickets:read'] }, 'permission_not_of_role'],
    ['role first', 'billing', '', { role: 'admin', permissions: ['users:write'] }, 'role_too_low'],
  ])('%s', async (_what, role, scope, access, reason) => {
    const entering = enter(await create(), role, access, { scope })
    if (reason === null) expect((await entering)?.kind).toBe('user')
    else expect(await reasonOf(entering)).toBe(reason)
  })

  it('is told all that the route asks, in its order', async () => {
    const access = { permissions: ['users:write', 'tickets:read'] }
    const refusal = await refusalOf(enter(await create(), 'admin', access, { scope: 'tickets:read' }))
    expect(refusal.code).toBe('insufficient_scope')
    expect(refusal.headers['WWW-Authenticate']).toBe(
      'Bearer error="insufficient_scope", scope="users:write tickets:read"',
    )
  })

  it('may do nothing where no organization serves', async () => {
    const asked = await create({}, { unnamed: 'none' })
    expect(await enter(asked, 'admin', {})).toMatchObject({ org: null, role: null, permissions: [] })
    expect(await reasonOf(enter(asked, 'admin', { permissions: ['tickets:read'] }))).toBe('permission_not_of_role')
  })

  it('must be allowed by earlier mounts too', async () => {
    const asked = await create()
    const source = {}
    await enter(asked, 'support', { permissions: ['tickets:write'] }, { source })
    expect(await reasonOf(enter(asked, 'support', { permissions: ['users:write'] }, { source }))).toBe(
      'permission_not_of_role',
    )
  })
})

describe('a route that needs the identity, or the user', () => {
  it('is decided by the token alone; a session without a bound carries nothing', async () => {
    const asked = await create()
    const access: Access = { needs: 'identity', permissions: ['users:write'] }
    const context = await enter(asked, 'billing', access, { scope: 'users:write openid tickets:read' })
    expect(context?.permissions).toEqual(['tickets:read', 'users:write'])
    for (const scope of [undefined, '', 'USERS:WRITE', 'tickets:read']) {
      const refusal = await refusalOf(enter(asked, 'admin', access, { scope }))
      expect([refusal.code, refusal.reason]).toEqual(['insufficient_scope', 'scope_missing'])
    }
    expect((await enter(asked, 'admin', { needs: 'identity' }))?.permissions).toEqual([])
    expect((await enter(asked, 'admin', { needs: 'user' }))?.permissions).toEqual([])
    expect(
      (await enter(asked, 'admin', { needs: 'user', permissions: ['users:write'] }, { scope: 'users:write' }))?.kind,
    ).toBe('user')
  })

  it('is decided by the role and the token where roles hang on users', async () => {
    const asked = await create({ users: async () => ({ user: { id: 'u', disabled: false }, role: 'support' }) })
    const access: Access = { needs: 'user', permissions: ['tickets:read'] }
    expect(await enter(asked, 'x', access)).toMatchObject({
      role: 'support',
      permissions: ['tickets:read', 'tickets:write'],
    })
    expect((await enter(asked, 'x', access, { scope: 'tickets:read users:write' }))?.permissions).toEqual([
      'tickets:read',
    ])
    expect(await reasonOf(enter(asked, 'x', access, { scope: 'users:write' }))).toBe('scope_missing')
    expect(await reasonOf(enter(asked, 'x', { needs: 'user', permissions: ['users:write'] }))).toBe(
      'permission_not_of_role',
    )
    expect(await reasonOf(enter(asked, 'x', { needs: 'user', role: 'admin', permissions: ['users:write'] }))).toBe(
      'role_too_low',
    )
  })

  it('of an auth of identities alone takes any scope, and hands on all of them', async () => {
    const auth = createAuth({ verifier: bound })
    const request = async (scope?: string) =>
      fakeRequest({ headers: { authorization: `Bearer ${await issuer.sign({ sub: 'x', ...(scope && { scope }) })}` } })
    const { permissions } = await auth.authenticate(await request('b a b'), { permissions: ['a'] })
    expect(permissions).toEqual(['a', 'b'])
    expect(await reasonOf(auth.authenticate(await request(), { permissions: ['a'] }))).toBe('scope_missing')
  })
})

describe('an API key', () => {
  it.each<[string, Partial<ApiKey>, Access, string | null]>([
    ['has it', { role: 'support', permissions: ['tickets:read'] }, { permissions: ['tickets:read'] }, null],
    [
      'carries more than its role may',
      { role: 'billing', permissions: ['users:write'] },
      { permissions: ['users:write'] },
      'permission_not_of_role',
    ],
    [
      'may more than it carries',
      { role: 'admin', permissions: ['users:write'] },
      { permissions: ['tickets:read', 'users:write'] },
      'scope_missing',
    ],
    ['has a role that there is not', { role: 'owner', permissions: ['tickets:read'] }, {}, 'role_unknown'],
  ])('%s', async (_what, key, access, reason) => {
    const entering = withKey(await create(), key, { accept: ['apiKey'], ...(access as object) })
    if (reason !== null) return expect(await reasonOf(entering)).toBe(reason)
    expect(await entering).toMatchObject({ permissions: key.permissions, key: { permissions: key.permissions } })
  })

  it.each(['things:read tickets:write', undefined, { 0: 'tickets:write' }])(
    'whose verifier says %j of what it carries is the host’s fault, not a text that is searched',
    async (permissions) => {
      for (const seal of [Object.freeze, (key: object) => key]) {
        const asked = await create()
        const key = { id: 'k', name: 'k', orgId: asked.orgId, role: 'support', permissions }
        const apiKeys = { prefix: 'tk', verify: async () => seal(key) as ApiKey }
        const { world } = await create({ apiKeys })
        const headers = { authorization: 'Bearer tk_0' }
        const entering = world.authenticate({ headers }, { accept: ['apiKey'], permissions: ['tickets:write'] })
        await expect(entering).rejects.toThrow('a verifier of API keys must say of a key what it carries')
      }
    },
  )

  it('may do what both have', async () => {
    const key = { role: 'support', permissions: ['users:write', 'tickets:write', 'x'] }
    expect((await withKey(await create(), key, { accept: ['apiKey'] }))?.permissions).toEqual(['tickets:write'])
  })
})

describe('a service', () => {
  it('may do what is written where it is declared, before and after it acts in an organization', async () => {
    const asked = await create()
    const access: Access = { accept: ['service'], permissions: ['calls:write', 'tickets:write'] }
    const context = (await asService(asked, 'telephony', access)) as AuthContext
    expect(context.permissions).toEqual(['calls:write', 'tickets:write'])
    const acting = await asked.world.auth.actIn(context, asked.orgId)
    expect([acting.permissions, asked.world.auth.can(acting, 'calls:write')]).toEqual([context.permissions, true])
  })

  it('that declares nothing may do nothing', async () => {
    const asked = await create()
    const access: Access = { accept: ['user', 'service'], permissions: ['tickets:write'] }
    expect(await reasonOf(asService(asked, 'billing', access))).toBe('permission_not_of_role')
    expect((await asService(asked, 'billing', { accept: ['service'] }))?.permissions).toEqual([])
  })
})

describe('a role made at run time', () => {
  const made = (answer: unknown, asked: string[] = []): { readonly customRoles: CustomRoles } => ({
    customRoles: {
      async find(orgId, role) {
        asked.push(`${role} of ${orgId}`)
        if (answer instanceof Error) throw answer
        return answer as never
      },
    },
  })

  it('may do what the host answers, never wider, and is asked for once a request', async () => {
    const calls: string[] = []
    const asked = await create(made(['tickets:read', 'reports:read', 'users:delete', 'calls:write'], calls))
    const source = {}
    const context = await enter(asked, 'agent', { permissions: ['reports:read'] }, { source })
    expect(context).toMatchObject({ role: 'agent', permissions: ['reports:read', 'tickets:read'] })
    await enter(asked, 'agent', {}, { source })
    expect(calls).toEqual([`agent of ${asked.orgId}`])
    expect((await enter(asked, 'agent', {}, { scope: 'reports:read' }))?.permissions).toEqual(['reports:read'])
    await enter(asked, 'support', {})
    expect(calls).toHaveLength(2)
  })

  it.each<[string, unknown, Access, string]>([
    ['there is none', null, {}, 'role_unknown'],
    ['it lacks one', ['tickets:read'], { permissions: ['users:write'] }, 'permission_not_of_role'],
    ['it includes no other', ['tickets:read', 'tickets:write'], { role: 'support' }, 'role_too_low'],
    ['it can’t be asked', new TransientError('away'), {}, 'storage_unavailable'],
  ])('%s', async (_what, answer, access, reason) => {
    expect(await reasonOf(enter(await create(made(answer)), 'agent', access))).toBe(reason)
  })

  it.each([undefined, 'tickets:read', {}, true])('that is answered by %j is the host’s fault', async (answer) => {
    await expect(enter(await create(made(answer)), 'agent', {})).rejects.toThrow('customRoles.find must answer')
  })

  it('can be that of a key, and no key can carry more', async () => {
    const asked = await create(made(['tickets:read', 'reports:read']))
    const key = { role: 'agent', permissions: ['tickets:read', 'users:write'] }
    expect((await withKey(asked, key, { accept: ['apiKey'] }))?.permissions).toEqual(['tickets:read'])
  })

  it('that a first login would get is written if the organization has made it, else nothing is', async () => {
    const { createProvisioner } = await import('../../src/users/provisioner.ts')
    const provision = async (answer: unknown): Promise<AuthContext | null> => {
      const storage = createMemoryStorage()
      const { id: orgId } = await storage.orgs.insert({ name: 'acme' })
      const decide = () => ({ kind: 'join', orgId, role: 'agent' }) as const
      const world = createWorld({
        auth: () =>
          ({ roles, users: createProvisioner({ storage, ownerRole: 'admin', decide }), ...made(answer) }) as never,
      })
      const headers = { authorization: `Bearer ${await issuer.sign({ sub: 'new' })}` }
      const entering = world.authenticate({ headers }, { needs: 'user' })
      await entering.catch(async () => {
        expect(
          await storage.users.findByIdentity({ issuer: issuer.issuer, subject: 'new' }, { kind: 'unnamed' }),
        ).toBeNull()
      })
      return entering
    }
    expect((await provision(['tickets:read']))?.kind).toBe('user')
    await expect(provision(null)).rejects.toThrow('nothing was written')
  })
})

describe('createAuth', () => {
  const storage = createMemoryStorage()
  const verifier = trusting(issuer)
  const problemOf = (options: object): [string, string] => {
    try {
      createAuth({ verifier, storage, users: async () => ({}) as never, ...options } as never)
    } catch (error) {
      if (error instanceof OptionsError) return [error.option, error.message]
    }
    throw new Error('nothing was wrong')
  }

  it.each<[string, object, string, string]>([
    [
      'a circle',
      { roles: { a: ['b'], b: ['a'] } },
      'roles',
      'createAuth: option "roles" has a circle: a includes b includes a',
    ],
    ['no roles', { roles: undefined }, 'roles', 'is undefined'],
    ['roles that are a text', { roles: 'admin' }, 'roles', 'must be a list of role names'],
    ['custom roles that can’t be asked', { roles, customRoles: {} }, 'customRoles', 'must be an object with find'],
    [
      'a service that may do what is no scope token',
      { roles, services: { verify: () => '', services: [{ name: 'a', header: 'X-A', permissions: ['a b'] }] } },
      'services',
      'must list what a service may do in scope tokens',
    ],
  ])('takes no %s', (_what, options, option, sentence) => {
    const [path, message] = problemOf(options)
    expect(path).toBe(option)
    expect(message).toContain(sentence)
  })

  it('makes an owner of whoever comes on a ladder; with sets it must be written', () => {
    const kit = {
      issuers: [
        { issuer: 'https://i.test', keys: [{ kind: 'secret', secret: 'x'.repeat(32) }], audience: 'a', people: 'own' },
      ],
      storage,
    } as const
    expect(() => createAuth({ ...kit, roles: ['member', 'boss'] })).not.toThrow()
    expect(() => createAuth({ ...kit, roles: createRoles(['member', 'boss']) as Roles })).not.toThrow()
    expect(() => createAuth({ ...kit, roles: { boss: ['member'], member: ['x'] } })).toThrow(
      'option "users" is required with sets of permissions',
    )
  })

  it('knows no custom roles where it knows no roles', () => {
    const options = { verifier, customRoles: { find: async () => null } }
    expect(() => createAuth(options as never)).toThrow('option "customRoles" needs option "roles"')
  })
})

describe('whether tokens carry anything', () => {
  const keys = [{ kind: 'secret', secret: issuer.secret }] as const
  const { audience } = issuer
  const plain = { issuer: 'https://plain.test', keys, audience }
  const scoped = { issuer: issuer.issuer, keys, audience, claims: { scopes: 'scope' } }

  it('is said by the verifier: where no issuer’s scopes bind, no route of identities can ask for any', () => {
    const ask = (issuers: readonly IssuerOptions[]) => createAuth({ issuers }).authorizer({ permissions: ['a'] })
    expect(() => ask([plain])).toThrow(
      'option "permissions" asks for a, which nobody it accepts can have: no issuer has claims.scopes',
    )
    expect(() => ask([plain, scoped])).not.toThrow()
  })

  it('is what the token says where its issuer’s scopes bind: an absent claim is nothing', async () => {
    const authenticate = async (claims: object, access: Access): Promise<AuthContext | null> => {
      const { world, orgId } = await create({ verifier: createJwtVerifier({ issuers: [scoped] }) })
      await world.person('ada', { [orgId]: 'admin' })
      const token = await issuer.sign({ sub: 'ada', ...claims })
      return world.authenticate({ headers: { authorization: `Bearer ${token}` } }, access)
    }
    const asked = { permissions: ['tickets:read'] }
    expect((await authenticate({ scope: 'tickets:read openid' }, asked))?.permissions).toEqual(['tickets:read'])
    expect((await authenticate({ scope: ['tickets:read', 'x'] }, asked))?.permissions).toEqual(['tickets:read'])
    for (const claims of [{}, { scope: '' }, { scope: [] }, { scope: 'tickets:readable' }, { scp: 'tickets:read' }]) {
      expect(await reasonOf(authenticate(claims, asked))).toBe('scope_missing')
      expect((await authenticate(claims, {}))?.permissions).toEqual([])
    }
  })
})
