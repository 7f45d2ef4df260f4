/** Machines as callers (S5–S8): who they are here, where and as what they act, what they may do, and what records say of them. */
import { createAuth, type Identity, type IssuerOptions, type Verifier } from 'sallyport'
import { describe, expect, it } from 'vitest'
import type { AuthContext, Machine } from '../../src/context.ts'
import type { Access } from '../../src/request.ts'
import type { NewMachine } from '../../src/storage/repositories.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createIssuerLookUp } from '../../src/verify/issuer-look-up.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { fakeRequest } from './fake-request.ts'
import { createWorld, issuer, NOWHERE, reasonOf, refusalOf, SERVICE_SECRET, type World } from './world.ts'

const MACHINES = { accept: ['machine'] } as const
const TRUSTED: IssuerOptions = {
  issuer: issuer.issuer,
  keys: [{ kind: 'secret', secret: issuer.secret }],
  audience: issuer.audience,
}

interface Asked {
  readonly world: World
  readonly orgId: string
}

/** A world with one organization that asks its storage for machines. */
async function create(more: object = {}, options: Partial<IssuerOptions> = {}): Promise<Asked> {
  const verifier = createJwtVerifier({ issuers: [{ ...TRUSTED, ...options }] })
  const world = createWorld({ auth: ({ machines }) => ({ machines, verifier, ...more }) as never })
  return { world, orgId: await world.org('acme') }
}

async function register({ world, orgId }: Asked, over: Partial<NewMachine> = {}): Promise<string> {
  const machine = { issuer: issuer.issuer, subject: 'ci', name: 'deploy', orgId, role: 'member', permissions: null }
  const { id } = await world.storage.machines.insert({ ...machine, ...over })
  world.calls.length = 0
  return id
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

/** Ask by a token that was granted to a client itself. */
async function ask(
  { world }: Asked,
  access: Access = MACHINES,
  {
    claims = {},
    headers = {},
    source = {},
  }: { claims?: object; headers?: Record<string, string>; source?: object } = {},
): Promise<AuthContext | null> {
  const token = await issuer.sign({ sub: 'ci', client_id: 'ci', ...claims })
  return world.authenticate({ headers: { ...bearer(token), ...headers }, source }, access)
}

describe('a machine by its row', () => {
  it('acts in its organization as its role, and is named by the record', async () => {
    const asked = await create()
    const id = await register(asked)
    const { world, orgId } = asked
    const context = await ask(asked)
    const machine: Machine = { id, name: 'deploy', orgId, role: 'member', permissions: null }
    expect(context).toMatchObject({ kind: 'machine', machine, org: { id: orgId }, role: 'member' })
    expect(context).toMatchObject({ permissions: ['things:read', 'things:write'], identity: { subject: 'ci' } })
    for (const frozen of [context, (context as { machine: Machine }).machine])
      expect(Object.isFrozen(frozen)).toBe(true)
    expect(world.decisions.at(-1)).toMatchObject({
      outcome: 'allowed',
      principal: { kind: 'machine', id, name: 'deploy' },
      actor: null,
      orgId,
      role: 'member',
    })
    expect(world.calls).toEqual(['machines.findByIdentity', 'memberships.findActing'])
  })

  it('is looked up once, whatever the mounts', async () => {
    const asked = await create()
    await register(asked)
    const source = {}
    await ask(asked, MACHINES, { source })
    await ask(asked, { accept: ['machine:deploy'], role: 'member' }, { source })
    expect(asked.world.calls).toEqual(['machines.findByIdentity', 'memberships.findActing'])
  })

  it.each<[string, Partial<NewMachine>, object, Record<string, string>, string]>([
    ['of another subject', { subject: 'CI' }, {}, {}, 'machine_unknown'],
    ['of another issuer', { issuer: 'https://other.test' }, {}, {}, 'machine_unknown'],
    [
      'bound to an organization that is not the one it names',
      {},
      {},
      { 'x-org-id': NOWHERE },
      'machine_of_another_org',
    ],
    [
      'bound to none, in an organization that is not there',
      { orgId: null },
      {},
      { 'x-org-id': NOWHERE },
      'not_a_member',
    ],
    ['bound to none, that names none', { orgId: null }, {}, {}, 'not_a_member'],
    ['that names an organization badly', {}, {}, { 'x-org-id': '{x}' }, 'org_id_malformed'],
    ['as a role that is none', { role: 'Member' }, {}, {}, 'role_unknown'],
  ])('is refused: one %s', async (_what, over, claims, headers, reason) => {
    const asked = await create()
    await register(asked, over)
    const refusal = await refusalOf(ask(asked, MACHINES, { claims, headers }))
    expect(refusal.reason).toBe(reason)
    expect(refusal.status).toBe(reason === 'org_id_malformed' ? 400 : 403)
    if (reason === 'not_a_member') expect(refusal.got).toBe(headers['x-org-id'] ?? 'none of a machine')
  })

  it('is refused while it is disabled, as whoever it is', async () => {
    const asked = await create()
    const id = await register(asked)
    const owner = { kind: 'org', orgId: asked.orgId } as const
    await asked.world.storage.machines.setDisabled(owner, id, true)
    expect(await reasonOf(ask(asked))).toBe('machine_disabled')
    const principal = { kind: 'machine', id, name: 'deploy' }
    expect(asked.world.decisions.at(-1)).toMatchObject({ outcome: 'refused', code: 'forbidden', principal })
    await asked.world.storage.machines.setDisabled(owner, id, false)
    expect((await ask(asked))?.kind).toBe('machine')
    await asked.world.storage.machines.remove(owner, id)
    expect(await reasonOf(ask(asked))).toBe('machine_unknown')
  })

  it('of a deleted organization is nobody', async () => {
    const asked = await create()
    await register(asked)
    await asked.world.storage.orgs.remove(asked.orgId)
    expect(await reasonOf(ask(asked))).toBe('machine_unknown')
  })

  it('bound to no organization acts in whichever is named', async () => {
    const asked = await create()
    await register(asked, { orgId: null })
    const other = await asked.world.org('other')
    for (const orgId of [asked.orgId, other]) {
      const context = await ask(asked, MACHINES, { headers: { 'x-org-id': orgId } })
      expect(context).toMatchObject({ org: { id: orgId }, role: 'member' })
    }
  })

  it('is never made, and never told to sync', async () => {
    const asked = await create()
    for (const access of [MACHINES, { accept: ['user', 'machine'] }, { ...MACHINES, needs: 'identity' }] as const) {
      expect(await reasonOf(ask(asked, access))).toBe('machine_unknown')
    }
    expect(asked.world.calls).toEqual(['machines.findByIdentity', 'machines.findByIdentity', 'machines.findByIdentity'])
    expect(await asked.world.storage.users.count()).toBe(0)
    expect(await asked.world.storage.machines.list({ kind: 'installation' })).toEqual([])
  })

  it.each([
    ['without an organization, not even none', { orgId: undefined }],
    ['without a role, not even none', { role: undefined }],
    ['without permissions, not even none', { permissions: undefined }],
    ['with a text of permissions', { permissions: 'things:read' }],
    ['without an id', { id: undefined }],
    ['with a name that is none', { name: 7 }],
  ])('is a fault of the host where its row is %s', async (_what, over) => {
    const row = { id: 'm', name: 'deploy', orgId: null, role: 'owner', permissions: null, disabled: false, ...over }
    const asked = await create({ machines: { findByIdentity: async () => row } })
    await expect(ask(asked)).rejects.toThrow('sallyport: a machine must have an id and a name')
    expect(asked.world.decisions.at(-1)).toMatchObject({ outcome: 'failed' })
  })

  it.each([undefined, null, 0, 'false', 1])('whose row says disabled: %j is disabled', async (disabled) => {
    const row = { id: 'm', name: 'deploy', orgId: null, role: 'owner', permissions: null, disabled }
    const asked = await create({ machines: { findByIdentity: async () => row } })
    expect(await reasonOf(ask(asked))).toBe('machine_disabled')
  })

  it('is 503 while the storage is away, and unknown where it answers nothing', async () => {
    const away = await create({ machines: { findByIdentity: () => Promise.reject(new TransientError('away')) } })
    expect(await reasonOf(ask(away))).toBe('storage_unavailable')
    const nothing = await create({ machines: { findByIdentity: async () => undefined } })
    expect(await reasonOf(ask(nothing))).toBe('machine_unknown')
  })
})

describe('kinds of caller', () => {
  it('are not taken for each other: a person and a machine of one name and one subject', async () => {
    const asked = await create()
    await register(asked, { subject: 'ada' })
    const { headers } = await asked.world.person('ada', { [asked.orgId]: 'admin' })
    const machine = { claims: { sub: 'ada', client_id: 'ada' } }
    expect(await asked.world.authenticate({ headers }, { accept: ['user', 'machine'] })).toMatchObject({
      role: 'admin',
    })
    expect(await ask(asked, { accept: ['user', 'machine'] }, machine)).toMatchObject({ role: 'member' })
    expect(await reasonOf(asked.world.authenticate({ headers }, MACHINES))).toBe('caller_kind_not_accepted')
    expect(await reasonOf(ask(asked, {}, machine))).toBe('token_of_a_machine')
  })

  it.each<[string, Access]>([
    ['users', {}],
    ['users, for the identity', { needs: 'identity' }],
    ['users, for the user', { needs: 'user' }],
    ['keys', { accept: ['apiKey'] }],
    ['services', { accept: ['service'] }],
    ['anybody with a credential or none, but machines', { accept: ['user', 'apiKey', 'service'], optional: true }],
  ])('a machine is refused, and not looked up, where a route takes %s', async (_what, access) => {
    const asked = await create()
    await register(asked)
    const refusal = await refusalOf(ask(asked, access))
    expect([refusal.status, refusal.reason]).toEqual([403, 'token_of_a_machine'])
    expect(asked.world.calls).toEqual([])
  })

  it('nobody else enters where a route takes machines', async () => {
    const asked = await create()
    const { world, orgId } = asked
    const { headers } = await world.person('ada', { [orgId]: 'owner' })
    const key = bearer(world.apiKey({ orgId, role: 'owner' }))
    for (const each of [headers, key, { 'x-telephony-secret': SERVICE_SECRET }]) {
      expect(await reasonOf(world.authenticate({ headers: each }, MACHINES))).toBe('caller_kind_not_accepted')
    }
    expect(await reasonOf(world.authenticate({}, MACHINES))).toBe('credential_missing')
    expect(await world.authenticate({}, { ...MACHINES, optional: true })).toBeNull()
  })

  it('a name admits machines of that name, exactly', async () => {
    const asked = await create()
    await register(asked)
    await register(asked, { subject: 'other', name: 'Deploy' })
    const access: Access = { accept: ['machine:deploy'] }
    expect((await ask(asked, access))?.kind).toBe('machine')
    const refusal = await refusalOf(ask(asked, access, { claims: { sub: 'other', client_id: 'other' } }))
    expect([refusal.status, refusal.reason]).toEqual([403, 'caller_kind_not_accepted'])
    expect([refusal.expected, refusal.got]).toEqual(['machine:deploy', 'machine:Deploy'])
    expect(asked.world.decisions.at(-1)?.principal).toMatchObject({ kind: 'machine', name: 'Deploy' })
    const probe = await refusalOf(
      ask(asked, { ...access, probe: true }, { claims: { sub: 'other', client_id: 'other' } }),
    )
    expect(probe.status).toBe(401)
  })

  it('a name that a written rule has is no row’s', async () => {
    const asked = await create({}, { machines: [{ name: 'deploy', when: { env: 'production' }, orgId: null }] })
    await register(asked, { permissions: ['things:read'] })
    expect(await reasonOf(ask(asked, { accept: ['machine:deploy'] }))).toBe('caller_kind_not_accepted')
    expect((await ask(asked))?.kind).toBe('machine')
    const written = { claims: { env: 'production' }, headers: { 'x-org-id': asked.orgId } }
    expect((await ask(asked, { accept: ['machine:deploy'] }, written))?.kind).toBe('machine')
  })

  it('a name that a written rule has is no row’s where customers bring their own issuers, and the rule is checked', async () => {
    const lookUp = createIssuerLookUp({ mayBe: () => true, find: async () => null })
    const written = (role?: string) => [{ name: 'deploy', when: { env: 'production' }, orgId: null, role }]
    const trusting = (role?: string) =>
      createJwtVerifier({ issuers: [{ ...TRUSTED, machines: written(role) }], lookUp })
    const asked = await create({ verifier: trusting() })
    await register(asked, { permissions: ['things:read'] })
    expect(await reasonOf(ask(asked, { accept: ['machine:deploy'] }))).toBe('caller_kind_not_accepted')
    expect((await ask(asked))?.kind).toBe('machine')
    await expect(create({ verifier: trusting('Member') })).rejects.toThrow('whose role "Member" is not one of')
    const alone = await create({ verifier: trusting(), machines: undefined })
    expect(() => alone.world.auth.authorizer({ accept: ['machine:customers'] } as never)).not.toThrow()
  })

  it('nor a rule’s of an issuer that is looked up: customers may write those', async () => {
    const other = await createTokenIssuer({ issuer: 'https://customer.test', audience: issuer.audience })
    const keys = [{ kind: 'jwks' as const, keys: other.jwks().keys }]
    const ruleOf = (name: string) => ({ name, when: { env: 'production' }, orgId: null, permissions: ['things:read'] })
    const find = async (name: string): Promise<IssuerOptions> => ({
      ...{
        issuer: name,
        keys,
        audience: other.audience,
        machines: [ruleOf('deploy'), { ...ruleOf('own'), when: { env: 'x' } }],
      },
    })
    const verifier = createJwtVerifier({
      issuers: [{ ...TRUSTED, machines: [ruleOf('deploy')] }],
      lookUp: createIssuerLookUp({ mayBe: () => true, find }),
    })
    const { world, orgId } = await create({ verifier, machines: undefined })
    const enter = async (env: string, accept: string): Promise<unknown> => {
      const token = await other.sign({ sub: 'ci', client_id: 'ci', env })
      return world.authenticate({ headers: { ...bearer(token), 'x-org-id': orgId } }, { accept: [accept] } as never)
    }
    expect(await reasonOf(enter('production', 'machine:deploy') as never)).toBe('caller_kind_not_accepted')
    for (const [env, accept] of [
      ['production', 'machine'],
      ['x', 'machine:own'],
    ] as const) {
      expect(await enter(env, accept)).toMatchObject({ kind: 'machine' })
    }
  })

  it('a verifier of the host’s that says machine is believed; one that says nothing is a fault', async () => {
    const { verify } = createJwtVerifier({ issuers: [TRUSTED] })
    const saying = (more: object): Verifier => ({
      verify: async (token) => ({ ...(await verify(token)), ...more }) as Identity,
    })
    const asked = await create({ verifier: saying({ kind: 'machine' }) })
    await register(asked, { subject: 'ada' })
    const headers = bearer(await issuer.sign({ sub: 'ada' }))
    expect((await asked.world.authenticate({ headers }, MACHINES))?.kind).toBe('machine')
    expect(await reasonOf(asked.world.authenticate({ headers }))).toBe('token_of_a_machine')
    const silent = await create({ verifier: saying({ kind: undefined }) })
    await expect(silent.world.authenticate({ headers }, MACHINES)).rejects.toThrow('must say of an identity its kind')
  })
})

describe('what a machine may do', () => {
  const SCOPED = { claims: { scopes: 'scope' } }

  it.each<[string, Partial<NewMachine>, string | undefined, readonly string[]]>([
    ['its role', {}, undefined, ['things:read', 'things:write']],
    ['what its row lists of its role', { permissions: ['things:read', 'things:purge'] }, undefined, ['things:read']],
    ['nothing, by an empty list', { permissions: [] }, undefined, []],
    [
      'its list alone, without a role',
      { role: null, permissions: ['things:purge', 'x:y'] },
      undefined,
      ['things:purge'],
    ],
    ['nothing, without role and list', { role: null }, undefined, []],
    ['what its token carries of its role', {}, 'things:write users:write', ['things:write']],
    ['what all three have', { permissions: ['things:write', 'things:read'] }, 'things:write', ['things:write']],
    ['nothing, by a token that carries nothing', {}, '', []],
    ['nothing, by look-alikes', {}, 'THINGS:READ things things:* things:readable *', []],
  ])('%s', async (_what, over, scope, permissions) => {
    const asked = await create({}, scope === undefined ? {} : SCOPED)
    await register(asked, over)
    const context = await ask(asked, MACHINES, scope === undefined ? {} : { claims: { scope } })
    expect(context?.permissions).toEqual(permissions)
    expect(Object.isFrozen(context?.permissions)).toBe(true)
  })

  it.each<[string, unknown, readonly string[] | string]>([
    ['absent', undefined, []],
    ['empty', '', []],
    ['a list', ['things:read', 'things:read'], ['things:read']],
    ['doubled', 'things:read things:read', ['things:read']],
    ['with two spaces', 'things:read  things:write', 'token_scopes_malformed'],
    ['a list of something else', [['things:read']], 'token_scopes_malformed'],
    ['an object', { 'things:read': true }, 'token_scopes_malformed'],
    ['null', null, 'token_scopes_malformed'],
  ])('scopes that are %s', async (_what, scope, outcome) => {
    const asked = await create({}, SCOPED)
    await register(asked)
    const asking = ask(asked, MACHINES, { claims: { scope } })
    if (typeof outcome === 'string') expect(await reasonOf(asking)).toBe(outcome)
    else expect((await asking)?.permissions).toEqual(outcome)
  })

  it.each<[string, Partial<NewMachine>, string, Access, string | null]>([
    ['the role', {}, 'things:write', { role: 'member' }, null],
    ['a lower role', {}, '', { role: 'viewer' }, null],
    ['a higher role', {}, 'things:purge', { role: 'admin' }, 'role_too_low'],
    [
      'any role, of one without',
      { role: null, permissions: ['things:read'] },
      'things:read',
      { role: 'viewer' },
      'role_unknown',
    ],
    ['a permission', {}, 'things:write', { permissions: ['things:write'] }, null],
    ['one that its role lacks', {}, 'things:purge', { permissions: ['things:purge'] }, 'permission_not_of_role'],
    [
      'one that its row does not list',
      { permissions: ['things:read'] },
      'things:write',
      { permissions: ['things:write'] },
      'permission_not_of_role',
    ],
    ['one that its token does not carry', {}, 'things:read', { permissions: ['things:write'] }, 'scope_missing'],
    ['role first', {}, '', { role: 'admin', permissions: ['things:write'] }, 'role_too_low'],
  ])('is asked: %s', async (_what, over, scope, access, reason) => {
    const asked = await create({}, SCOPED)
    await register(asked, over)
    const asking = ask(asked, { ...MACHINES, ...(access as object) }, { claims: { scope } })
    if (reason === null) expect((await asking)?.kind).toBe('machine')
    else expect(await reasonOf(asking)).toBe(reason)
  })

  it('is told which scopes it lacks, all that the route asks', async () => {
    const asked = await create({}, SCOPED)
    await register(asked)
    const access = { ...MACHINES, permissions: ['things:write', 'things:read'] }
    const refusal = await refusalOf(ask(asked, access, { claims: { scope: 'things:read' } }))
    expect(refusal.status).toBe(403)
    expect(refusal.scopes).toEqual(['things:write', 'things:read'])
  })

  it('must be allowed by earlier mounts too', async () => {
    const asked = await create()
    await register(asked, { permissions: ['things:read'] })
    const source = {}
    await ask(asked, { ...MACHINES, permissions: ['things:read'] }, { source })
    expect(await reasonOf(ask(asked, { ...MACHINES, permissions: ['things:write'] }, { source }))).toBe(
      'permission_not_of_role',
    )
  })

  it('where its role was made by the organization, is what that is', async () => {
    const find = async (_orgId: string, role: string) => (role === 'robot' ? ['things:write', 'x:y'] : null)
    const asked = await create({ customRoles: { find } })
    await register(asked, { role: 'robot' })
    await register(asked, { role: 'android', subject: 'other' })
    expect(await ask(asked)).toMatchObject({ role: 'robot', permissions: ['things:write'] })
    expect(await reasonOf(ask(asked, { ...MACHINES, role: 'viewer' }))).toBe('role_too_low')
    expect(await reasonOf(ask(asked, MACHINES, { claims: { sub: 'other', client_id: 'other' } }))).toBe('role_unknown')
    // Without an organization there is no such role.
    expect((await ask(asked, { ...MACHINES, needs: 'identity' }))?.permissions).toEqual([])
  })

  it('on a route that needs the identity, is what it was given, without an organization', async () => {
    const asked = await create()
    const id = await register(asked, { permissions: ['things:write'] })
    const access: Access = { ...MACHINES, needs: 'identity', permissions: ['things:write'] }
    const context = await ask(asked, access, { headers: { 'x-org-id': NOWHERE } })
    expect(context).toMatchObject({ machine: { id }, permissions: ['things:write'] })
    expect(context).not.toHaveProperty('org')
    expect(await reasonOf(ask(asked, { ...access, permissions: ['things:read'] }))).toBe('permission_not_of_role')
  })
})

describe('a machine by a written rule', () => {
  const rules = (orgId: string | null | undefined): Partial<IssuerOptions> => ({
    machines: [
      { name: 'deploy', when: { repo: '1', env: 'production' }, orgId, role: 'admin', permissions: ['things:purge'] },
      { name: 'build', when: ({ repo }) => repo === '1', orgId, role: 'member' },
      { name: 'idle', when: { repo: '2' } },
    ],
  })

  it('is what its rule says, the first that fits, and no storage is asked who it is', async () => {
    const asked = await create({}, rules(null))
    const headers = { 'x-org-id': asked.orgId }
    const deploy = await ask(
      asked,
      { accept: ['machine:deploy'] },
      { claims: { repo: '1', env: 'production' }, headers },
    )
    expect(deploy).toMatchObject({
      machine: { id: 'deploy', name: 'deploy' },
      role: 'admin',
      permissions: ['things:purge'],
    })
    const principal = { kind: 'machine', id: 'deploy', name: 'deploy' }
    expect(asked.world.decisions.at(-1)).toMatchObject({ principal, orgId: asked.orgId, role: 'admin' })
    const build = await ask(asked, MACHINES, { claims: { repo: '1', env: 'staging' }, headers })
    expect(build).toMatchObject({
      machine: { id: 'build' },
      role: 'member',
      permissions: ['things:read', 'things:write'],
    })
    expect(asked.world.calls).toEqual(['memberships.findActing', 'memberships.findActing'])
  })

  it('whom no rule names is looked up', async () => {
    const asked = await create({}, rules(null))
    await register(asked, { name: 'row' })
    expect(await ask(asked, MACHINES, { claims: { repo: '3' } })).toMatchObject({ machine: { name: 'row' } })
    const alone = await create({ machines: undefined }, rules(null))
    expect(await reasonOf(ask(alone, MACHINES, { claims: { repo: '3' } }))).toBe('machine_unknown')
  })

  it('acts in its one organization, or in none', async () => {
    const inOne = await create()
    const verifier = createJwtVerifier({ issuers: [{ ...TRUSTED, ...rules(inOne.orgId) }] })
    const auth = createWorld({ auth: () => ({ verifier }) as never })
    const claims = { claims: { repo: '1' } }
    // Another world's storage does not have it.
    expect(await reasonOf(ask({ world: auth, orgId: '' }, MACHINES, claims))).toBe('not_a_member')
    expect(
      await reasonOf(ask({ world: auth, orgId: '' }, MACHINES, { ...claims, headers: { 'x-org-id': NOWHERE } })),
    ).toBe('machine_of_another_org')
    const inNone = await create({}, rules(undefined))
    expect(await reasonOf(ask(inNone, MACHINES, { ...claims, headers: { 'x-org-id': inNone.orgId } }))).toBe(
      'machine_without_org',
    )
    expect(await ask(inNone, { ...MACHINES, needs: 'identity' }, claims)).toMatchObject({
      permissions: ['things:read', 'things:write'],
    })
  })

  it('names no person: a rule is for tokens of machines', async () => {
    const asked = await create({}, rules(null))
    const headers = bearer(await issuer.sign({ sub: 'ada', repo: '1', env: 'production' }))
    expect(await reasonOf(asked.world.authenticate({ headers }, MACHINES))).toBe('caller_kind_not_accepted')
  })

  it.each<[string, Partial<IssuerOptions>, string]>([
    [
      'a role that is none',
      { machines: [{ name: 'm', when: { a: 1 }, orgId: null, role: 'Admin' }] },
      'whose role "Admin" is not one of viewer, member, admin, owner',
    ],
    [
      'a permission that no role has',
      { machines: [{ name: 'm', when: { a: 1 }, permissions: ['things:raed'] }] },
      'whose permission "things:raed" is in no role',
    ],
    [
      'an organization that is no id',
      { machines: [{ name: 'm', when: { a: 1 }, orgId: 'acme' }] },
      'whose organization is no id in canonical form',
    ],
  ])('is refused at construction with %s', async (_what, options, sentence) => {
    await expect(create({}, options)).rejects.toThrow(`createAuth: option "verifier" names the machine m, ${sentence}`)
  })
})

describe('an auth of identities alone', () => {
  const create = (options: Partial<IssuerOptions>, more: object = {}) => {
    const auth = createAuth({ issuers: [{ ...TRUSTED, ...options }], ...more })
    return async (claims: object, access: object = MACHINES) => {
      const token = await issuer.sign({ sub: 'ci', client_id: 'ci', ...claims })
      return auth.authenticate(fakeRequest({ headers: bearer(token) }), access as typeof MACHINES)
    }
  }

  it('knows machines by written rules, each with what it lists', async () => {
    const authenticate = create({
      machines: [{ name: 'deploy', when: { env: 'production' }, permissions: ['b', 'a', 'b'] }],
    })
    const context = await authenticate({ env: 'production' }, { accept: ['machine:deploy'], permissions: ['a'] })
    expect(context).toMatchObject({ kind: 'machine', machine: { id: 'deploy', orgId: null }, permissions: ['a', 'b'] })
    expect(await reasonOf(authenticate({ env: 'Production' }))).toBe('machine_unknown')
    expect(await reasonOf(authenticate({ env: 'production' }, { permissions: [] }))).toBe('token_of_a_machine')
  })

  it('goes by the token’s scopes where a rule lists nothing, and by both where it does', async () => {
    const options = { claims: { scopes: 'scope' } }
    const any = create({ ...options, machines: [{ name: 'client', when: () => true }] })
    expect((await any({ scope: 'b a' }, { ...MACHINES, permissions: ['a'] })).permissions).toEqual(['a', 'b'])
    expect(await reasonOf(any({ scope: 'b' }, { ...MACHINES, permissions: ['a'] }))).toBe('scope_missing')
    expect((await any({})).permissions).toEqual([])
    const listed = create({ ...options, machines: [{ name: 'client', when: () => true, permissions: ['a'] }] })
    expect((await listed({ scope: 'b a' })).permissions).toEqual(['a'])
    // Whatever the token says, it can never have more.
    await expect(listed({ scope: 'b' }, { ...MACHINES, permissions: ['b'] })).rejects.toThrow(
      'which nobody it accepts can have',
    )
  })

  it('may ask a repository of machines', async () => {
    const row = { id: 'm', name: 'deploy', orgId: null, role: null, permissions: ['a'], disabled: false }
    const authenticate = create({}, { machines: { findByIdentity: async () => row } })
    expect(await authenticate({}, { accept: ['machine:deploy'], permissions: ['a'] })).toMatchObject({
      permissions: ['a'],
    })
  })

  it.each([
    ['a role', { role: 'admin' }],
    ['an organization', { orgId: null }],
  ])('refuses a rule with %s', (_what, more) => {
    expect(() => create({ machines: [{ name: 'm', when: { a: 1 }, ...more }] })).toThrow(
      'createAuth: option "issuers" names the machine m, with a role or an organization, and createAuth was given neither',
    )
  })
})

describe('who acts for whom', () => {
  const ACT = { act: { sub: 'agent', iss: 'https://agents.test', act: { sub: 'desk' } } }
  const ACTOR = {
    subject: 'agent',
    issuer: 'https://agents.test',
    actor: { subject: 'desk', issuer: null, actor: null },
  }

  it('stands in context and record, of people and of machines', async () => {
    const asked = await create()
    await register(asked)
    expect(await ask(asked, MACHINES, { claims: ACT })).toMatchObject({ identity: { actor: ACTOR } })
    expect(asked.world.decisions.at(-1)?.actor).toEqual(ACTOR)
    await asked.world.person('ada', { [asked.orgId]: 'member' })
    const headers = bearer(await issuer.sign({ sub: 'ada', ...ACT }))
    expect(await asked.world.authenticate({ headers })).toMatchObject({ identity: { actor: ACTOR } })
    expect(asked.world.decisions.at(-1)).toMatchObject({ principal: { kind: 'user' }, actor: ACTOR })
    expect(await reasonOf(asked.world.authenticate({ headers }, MACHINES))).toBe('caller_kind_not_accepted')
    expect(asked.world.decisions.at(-1)).toMatchObject({ outcome: 'refused', actor: ACTOR })
  })
})

describe('guards', () => {
  it('know machines', async () => {
    const asked = await create({}, { claims: { scopes: 'scope' } })
    await register(asked, { permissions: ['things:read', 'things:write'] })
    await register(asked, { subject: 'listed', role: null, permissions: ['things:read'] })
    const { auth } = asked.world
    const scope = { scope: 'things:read things:purge' }
    const context = (await ask(asked, MACHINES, { claims: scope })) as AuthContext
    expect(auth.requireOrg(context).org?.id).toBe(asked.orgId)
    expect(auth.requireRole('member')(context)).toBe(context)
    expect(await reasonOf(() => auth.requireRole('admin')(context))).toBe('role_too_low')
    expect(await reasonOf(() => auth.requireUser(context))).toBe('guard_not_a_user')
    expect(['things:read', 'things:write', 'things:purge'].map((each) => auth.can(context, each))).toEqual([
      true,
      false,
      false,
    ])
    expect(auth.requirePermission('things:read')(context)).toBe(context)
    expect(await reasonOf(() => auth.requirePermission('things:write')(context))).toBe('scope_missing')
    expect(await reasonOf(() => auth.requirePermission('things:purge')(context))).toBe('permission_not_of_role')
    const listed = (await ask(asked, MACHINES, {
      claims: { sub: 'listed', client_id: 'listed', ...scope },
    })) as AuthContext
    expect(await reasonOf(() => auth.requireRole('viewer')(listed))).toBe('role_unknown')
    expect(await reasonOf(() => auth.requirePermission('things:purge')(listed))).toBe('permission_not_of_role')
    const identity = (await ask(asked, { ...MACHINES, needs: 'identity' }, { claims: scope })) as AuthContext
    expect(await reasonOf(() => auth.requireOrg(identity))).toBe('guard_no_org')
    expect(await reasonOf(() => auth.requireRole('viewer')(identity))).toBe('guard_no_role')
    expect(await reasonOf(auth.actIn(context, asked.orgId))).toBe('act_in_no_service')
  })
})
