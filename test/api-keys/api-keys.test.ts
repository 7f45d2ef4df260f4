import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type ApiKeyEvent, createApiKeys } from '../../src/api-keys/index.ts'
import { createKeyFormat } from '../../src/api-keys/key-format.ts'
import type { AuthContext } from '../../src/context.ts'
import { sha256Hex } from '../../src/lib/digest.ts'
import { OptionsError } from '../../src/lib/parse-options.ts'
import { createRoles, type RolesGiven } from '../../src/permissions/roles.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { ApiKeyRepository } from '../../src/storage/repositories.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'
import { testApiKeyContext, testContext, testMachineContext, testServiceContext } from '../../src/testing/principals.ts'
import { createWorld, reasonOf, refusalOf } from '../pipeline/world.ts'
import { type ApiKeyTestWorld, createApiKeyTestWorld, issueKey, LADDER, ROLES, START } from './world.ts'

const format = createKeyFormat('test', 'itk')
const NAMED = { name: 'Nightly build' }

describe('issue', () => {
  it('makes a key of the org and by the user of the context, whatever else its fields say', async () => {
    const { apiKeys, member, orgId, otherOrgId, repository } = await createApiKeyTestWorld()
    const fields = { ...NAMED, orgId: otherOrgId, org_id: otherOrgId, createdBy: 'somebody', id: 'aaaaaaaaaaaa' }
    const { apiKey, key } = await apiKeys.issue(member('owner'), fields)
    expect(apiKey).toEqual({
      id: format.parse(key)?.id,
      name: 'Nightly build',
      prefix: 'itk',
      orgId,
      role: 'viewer',
      permissions: ['things:read'],
      createdBy: 'user-owner',
      createdAt: new Date(START),
      expiresAt: null,
      lastUsedAt: null,
    })
    expect(await repository.findById(apiKey.id)).toMatchObject({
      orgId,
      createdBy: 'user-owner',
      secretHash: await sha256Hex(format.parse(key)?.secret ?? ''),
    })
  })

  it.each([
    ['the default permissions', {}, 'viewer', ['things:read']],
    ['one that needs more', { permissions: ['things:write'] }, 'member', ['things:write']],
    [
      'the highest need of several',
      { permissions: ['things:read', 'things:purge'] },
      'admin',
      ['things:read', 'things:purge'],
    ],
    ['none at all', { permissions: [] }, 'viewer', []],
    ['one twice', { permissions: ['things:read', 'things:read'] }, 'viewer', ['things:read']],
    ['a role above the need', { role: 'owner', permissions: ['things:read'] }, 'owner', ['things:read']],
    ['a role just enough', { role: 'member', permissions: ['things:write'] }, 'member', ['things:write']],
  ])('takes the lowest role for %s, or the one that is named', async (_, fields, role, permissions) => {
    const { apiKeys, member } = await createApiKeyTestWorld()
    const { apiKey } = await apiKeys.issue(member('owner'), { ...NAMED, ...fields })
    expect([apiKey.role, apiKey.permissions]).toEqual([role, permissions])
  })

  it.each([
    ['name', {}, 'name'],
    ['name', { name: '' }, 'name'],
    ['name', { name: '  ' }, 'name'],
    ['name', { name: 5 }, 'name'],
    ['name', { name: 'a\u0000b' }, 'name'],
    ['name', { name: 'n'.repeat(256) }, 'name'],
    ['scopes', { ...NAMED, permissions: 'things:read' }, 'scopes'],
    ['scopes', { ...NAMED, permissions: null }, 'scopes'],
    ['scopes', { ...NAMED, permissions: ['things:read', 'things:all'] }, 'scopes'],
    ['scopes', { ...NAMED, permissions: ['constructor'] }, 'scopes'],
    ['scopes', { ...NAMED, permissions: ['__proto__'] }, 'scopes'],
    ['scopes', { ...NAMED, permissions: [['things:read']] }, 'scopes'],
    ['role', { ...NAMED, role: 'Owner' }, 'role'],
    ['role', { ...NAMED, role: 'constructor' }, 'role'],
    ['role', { ...NAMED, role: null }, 'role'],
    ['role', { ...NAMED, role: ['admin'] }, 'role'],
    ['role', { ...NAMED, role: 'viewer', permissions: ['things:write'] }, 'role'],
    ['role', { ...NAMED, role: 'member', permissions: ['things:read', 'things:purge'] }, 'role'],
    ['expires_at', { ...NAMED, expiresAt: 'tomorrow' }, 'expires_at'],
    ['expires_at', { ...NAMED, expiresAt: START + 1000 }, 'expires_at'],
    ['expires_at', { ...NAMED, expiresAt: '' }, 'expires_at'],
    ['expires_at', { ...NAMED, expiresAt: new Date(Number.NaN) }, 'expires_at'],
    ['expires_at', { ...NAMED, expiresAt: '2026-11-20T10:00:00Z' }, 'expires_at'],
    ['expires_at', { ...NAMED, expiresAt: '2026-11-20T09:59:59.999Z' }, 'expires_at'],
    ['expires_at', { ...NAMED, expiresAt: '2026-11-20T11:00:00+01:00' }, 'expires_at'],
  ])('refuses by the field %s: %j', async (_, fields, field) => {
    const { apiKeys, member, calls } = await createApiKeyTestWorld()
    const error = await refusalOf(apiKeys.issue(member('owner'), fields as never))
    expect([error.code, error.field]).toEqual(['validation_error', field])
    expect(calls).toEqual([])
  })

  it.each([
    ['RFC 3339 text', '2026-11-20T10:00:00.001Z', START + 1],
    ['text with an offset', '2026-11-20T12:00:01+02:00', START + 1000],
    ['a Date', new Date(START + 5), START + 5],
  ])('takes the end as %s', async (_, expiresAt, wanted) => {
    const { apiKeys, member } = await createApiKeyTestWorld()
    expect((await apiKeys.issue(member('owner'), { ...NAMED, expiresAt })).apiKey.expiresAt).toEqual(new Date(wanted))
  })

  it("never makes a key above its maker's role, by the role named or by what its permissions need", async () => {
    const { apiKeys, member } = await createApiKeyTestWorld()
    const roles = ['viewer', 'member', 'admin', 'owner']
    for (const [rank, maker] of roles.entries()) {
      for (const [wanted, role] of roles.entries()) {
        const issuing = apiKeys.issue(member(maker), { ...NAMED, role, permissions: [] })
        if (wanted <= rank) await expect(issuing).resolves.toMatchObject({ apiKey: { role } })
        else expect(await reasonOf(issuing)).toBe('api_key_above_creator')
      }
    }
    expect(await reasonOf(apiKeys.issue(member('viewer'), { ...NAMED, permissions: ['things:write'] }))).toBe(
      'api_key_above_creator',
    )
    expect(await reasonOf(apiKeys.issue(member('stranger'), NAMED))).toBe('role_unknown')
  })

  it('never makes a key that carries more than its maker’s own token', async () => {
    const { apiKeys, orgId } = await createApiKeyTestWorld()
    const owner = (...scopes: string[]) =>
      testContext({ role: 'owner', org: { id: orgId }, identity: { scopes } }) as AuthContext
    const both = { ...NAMED, permissions: ['things:read', 'things:write'] }
    expect(await reasonOf(apiKeys.issue(owner(), both))).toBe('api_key_above_creator')
    expect(await reasonOf(apiKeys.issue(owner('things:write', 'things:readable'), both))).toBe('api_key_above_creator')
    const { apiKey } = await apiKeys.issue(owner('things:write', 'things:read', 'other'), both)
    expect(apiKey).toMatchObject({ role: 'member', permissions: both.permissions })
    expect(await reasonOf(apiKeys.rotate(owner('things:read'), apiKey.id))).toBe('api_key_above_its_rotator')
    await expect(apiKeys.rotate(owner('things:read', 'things:write'), apiKey.id)).resolves.toMatchObject({ apiKey })
  })

  it('takes of sets the role that has the least, in whatever order they are written', async () => {
    const roles = createRoles({
      admin: ['support', 'users:write'],
      support: ['things:read'],
      auditor: ['things:read', 'things:write', 'logs:read'],
      guest: [],
    })
    const { apiKeys, member } = await createApiKeyTestWorld({ roles, defaultPermissions: [] })
    const roleOf = async (fields: object, maker = 'admin') =>
      (await apiKeys.issue(member(maker), { ...NAMED, ...fields })).apiKey.role
    expect(await roleOf({})).toBe('support')
    expect(await roleOf({ permissions: ['things:read'] })).toBe('support')
    expect(await roleOf({ permissions: ['users:write'] })).toBe('admin')
    expect(await roleOf({ permissions: ['things:read'] }, 'auditor')).toBe('auditor')
  })

  it('takes of sets the first role that has all, and none that its maker’s does not include', async () => {
    const roles = createRoles({
      ...{ readers: ['things:read'], billing: ['invoices:read'], support: ['readers', 'things:write'] },
      admin: ['support', 'billing'],
    })
    const { apiKeys, member } = await createApiKeyTestWorld({ roles })
    const issue = (maker: string, ...permissions: string[]) => apiKeys.issue(member(maker), { ...NAMED, permissions })
    expect((await issue('admin', 'things:write')).apiKey.role).toBe('support')
    expect((await issue('admin', 'invoices:read')).apiKey.role).toBe('billing')
    expect((await issue('admin', 'invoices:read', 'things:read')).apiKey.role).toBe('admin')
    expect((await issue('support', 'things:read')).apiKey.role).toBe('readers')
    expect(await reasonOf(issue('support', 'invoices:read'))).toBe('api_key_above_creator')
    expect(await reasonOf(issue('billing', 'things:read'))).toBe('api_key_above_creator')
    const apart = await createApiKeyTestWorld({
      roles: createRoles({ a: ['p:a'], b: ['p:b'] }),
      defaultPermissions: [],
    })
    const refusal = await refusalOf(apart.apiKeys.issue(apart.member('a'), { ...NAMED, permissions: ['p:a', 'p:b'] }))
    expect([refusal.code, refusal.field]).toEqual(['validation_error', 'scopes'])
  })

  it('carries only what keys may', async () => {
    const { apiKeys, member } = await createApiKeyTestWorld({ permissions: ['things:read'] })
    expect(apiKeys.permissions).toEqual(['things:read'])
    const refusal = await refusalOf(apiKeys.issue(member('owner'), { ...NAMED, permissions: ['things:write'] }))
    expect([refusal.code, refusal.field]).toEqual(['validation_error', 'scopes'])
  })

  it('leaves no key, whose secret nobody has, where it could not be counted', async () => {
    const { apiKeys, orgs } = createMemoryStorage()
    let lists = 0
    const list: ApiKeyRepository['list'] = async (owner) => {
      if (++lists === 2) throw new TransientError('away')
      return apiKeys.list(owner)
    }
    const { id } = await orgs.insert({ name: 'Acme' })
    const keys = createApiKeys({ storage: { apiKeys: { ...apiKeys, list } }, prefix: 'itk', roles: ROLES })
    const context = testContext({ role: 'admin', org: { id } }) as AuthContext
    await expect(keys.issue(context, { name: 'x' })).rejects.toThrow('away')
    expect(await apiKeys.list({ kind: 'org', orgId: id })).toEqual([])
    expect(await keys.list(context)).toEqual([])
  })

  it('makes no more than maxKeys that are not revoked, in each org', async () => {
    const world = await createApiKeyTestWorld({ maxKeys: 2 })
    const { apiKeys, member, otherOrgId } = world
    const first = await issueKey(world)
    await issueKey(world, { expiresAt: new Date(START + 1) })
    world.pass(1)
    world.calls.length = 0
    const error = await refusalOf(issueKey(world))
    expect([error.code, error.reason]).toEqual(['conflict', 'api_keys_too_many'])
    // Nothing is written that would have to be taken back.
    expect(world.calls).toEqual(['apiKeys.list'])
    await issueKey(world, {}, member('owner', otherOrgId))
    await apiKeys.revoke(member('owner'), first.id)
    await issueKey(world)
  })
})

describe('nobody but a user who acts in an org', () => {
  const contexts: readonly (readonly [string, AuthContext])[] = [
    ['a key', testApiKeyContext({ role: 'owner' }) as AuthContext],
    ['a machine', testMachineContext({ role: 'owner' }) as AuthContext],
    ['a service', testServiceContext('billing') as AuthContext],
    ['a service that acts in an org', testServiceContext('billing', { id: 'o1' }) as AuthContext],
    ['somebody not looked up', testContext({ needs: 'identity' }) as AuthContext],
    ['a user without an org', testContext({ org: null }) as AuthContext],
  ]
  it.each(contexts)('handles keys: %s is forbidden', async (_, context) => {
    const world = await createApiKeyTestWorld()
    const { id } = await issueKey(world)
    world.calls.length = 0
    for (const work of [
      () => world.apiKeys.issue(context, NAMED),
      () => world.apiKeys.list(context),
      () => world.apiKeys.rotate(context, id),
      () => world.apiKeys.revoke(context, id),
    ]) {
      expect(await reasonOf(work)).toBe('api_keys_need_a_user')
    }
    expect(world.calls).toEqual([])
  })

  it('nor does a user that needs "user": their role is not one of the org', async () => {
    const { apiKeys, user } = await createApiKeyTestWorld()
    expect(await reasonOf(apiKeys.issue(user('owner'), NAMED))).toBe('api_keys_need_a_user')
  })
})

describe('list', () => {
  it("holds the org's own keys by creation, expired ones too, revoked ones not, and nothing secret", async () => {
    const world = await createApiKeyTestWorld()
    const [one, two] = [await issueKey(world, { expiresAt: new Date(START + 1) }), await issueKey(world)]
    await issueKey(world, {}, world.member('owner', world.otherOrgId))
    world.pass(1)
    const [three, four] = [await issueKey(world), await issueKey(world)]
    await world.apiKeys.revoke(world.member('owner'), three.id)
    const listed = await world.apiKeys.list(world.member('viewer'))
    expect(listed.map(({ id }) => id)).toEqual([...[one.id, two.id].sort(), four.id])
    expect(Object.keys(listed[0] ?? {}).sort()).toEqual([
      'createdAt',
      'createdBy',
      'expiresAt',
      'id',
      'lastUsedAt',
      'name',
      'orgId',
      'permissions',
      'prefix',
      'role',
    ])
  })
})

describe('rotate', () => {
  it('keeps the id and everything else, and hands out another secret', async () => {
    const world = await createApiKeyTestWorld()
    const first = await issueKey(world, {
      role: 'admin',
      permissions: ['things:write'],
      expiresAt: new Date(START + 5000),
    })
    const before = (await world.apiKeys.list(world.member('owner')))[0]
    const { apiKey, key } = await world.apiKeys.rotate(world.member('admin'), first.id, { overlapSeconds: 30 })
    expect(apiKey).toEqual(before)
    expect(format.parse(key)?.id).toBe(first.id)
    expect(key).not.toBe(first.key)
    expect(await world.repository.findById(first.id)).toMatchObject({
      previousSecretHash: await sha256Hex(format.parse(first.key)?.secret ?? ''),
      previousUntil: new Date(START + 30_000),
    })
  })

  it.each([-1, 0.5, 604_801, Number.NaN, Number.POSITIVE_INFINITY, '5', null, true, [5]])(
    'refuses an overlap of %j seconds',
    async (overlapSeconds) => {
      const world = await createApiKeyTestWorld()
      const { id } = await issueKey(world)
      const error = await refusalOf(world.apiKeys.rotate(world.member('owner'), id, { overlapSeconds }))
      expect([error.code, error.field]).toEqual(['validation_error', 'overlap_seconds'])
    },
  )

  it('takes any overlap up to maxOverlapSeconds', async () => {
    const world = await createApiKeyTestWorld({ maxOverlapSeconds: 5 })
    const { id } = await issueKey(world)
    for (const overlapSeconds of [0, 1, 5]) {
      await expect(world.apiKeys.rotate(world.member('owner'), id, { overlapSeconds })).resolves.toBeDefined()
    }
    expect((await refusalOf(world.apiKeys.rotate(world.member('owner'), id, { overlapSeconds: 6 }))).field).toBe(
      'overlap_seconds',
    )
  })

  it('gives nobody the secret of a key above their own role', async () => {
    const world = await createApiKeyTestWorld()
    const { id, key } = await issueKey(world, { role: 'owner' })
    expect(await reasonOf(world.apiKeys.rotate(world.member('admin'), id))).toBe('api_key_above_its_rotator')
    await expect(world.apiKeys.verify(key)).resolves.toMatchObject({ id })
    await world.apiKeys.revoke(world.member('admin'), id)
  })

  it('does not pretend that an expired key works again', async () => {
    const world = await createApiKeyTestWorld()
    const { id } = await issueKey(world, { expiresAt: new Date(START + 1000) })
    world.pass(1000)
    const error = await refusalOf(world.apiKeys.rotate(world.member('owner'), id))
    expect([error.code, error.reason]).toEqual(['conflict', 'api_key_expired_for_rotation'])
  })
})

describe('a key that is not there', () => {
  it('is the same as one of another org or a revoked one, at the same cost, and no hostile id reaches the storage', async () => {
    const world = await createApiKeyTestWorld()
    const { apiKeys, member, otherOrgId, calls } = world
    const [theirs, revoked] = [await issueKey(world, {}, member('owner', otherOrgId)), await issueKey(world)]
    await apiKeys.revoke(member('owner'), revoked.id)
    const notFound = async (work: Promise<unknown>): Promise<void> =>
      expect(await reasonOf(work)).toBe('api_key_not_found')
    for (const id of [theirs.id, 'aaaaaaaaaaaa', revoked.id]) {
      calls.length = 0
      await notFound(apiKeys.rotate(member('owner'), id))
      await notFound(apiKeys.revoke(member('owner'), id))
      expect(calls).toEqual(['apiKeys.findById', 'apiKeys.findById'])
    }
    await expect(world.apiKeys.verify(theirs.key)).resolves.toBeDefined()
    calls.length = 0
    for (const id of ['', '__proto__', "' or 1=1", `${theirs.id}\0`, 'x'.repeat(10_000)]) {
      await notFound(apiKeys.rotate(member('owner'), id))
      await notFound(apiKeys.revoke(member('owner'), id))
    }
    expect(calls).toEqual([])
  })

  it('is revoked once: a second time it is not there, and the first instant stays', async () => {
    const world = await createApiKeyTestWorld()
    const { id } = await issueKey(world)
    await world.apiKeys.revoke(world.member('owner'), id)
    world.pass(1000)
    expect(await reasonOf(world.apiKeys.revoke(world.member('owner'), id))).toBe('api_key_not_found')
    expect((await world.repository.findById(id))?.revokedAt).toEqual(new Date(START))
  })
})

describe('an installation', () => {
  const inWorld = async (): Promise<ApiKeyTestWorld> => {
    const memberships = {
      async findActing(_: unknown, orgId: string) {
        const org = await world.storage.orgs.findById(orgId)
        return org === null ? null : { org, role: 'admin' }
      },
    }
    const owner = { kind: 'installation', memberships, field: 'environment' } as const
    const world = await createApiKeyTestWorld({ roles: createRoles(LADDER), defaultPermissions: [], owner })
    return world
  }

  it('has keys that are bound to one org or to none, made by a user of their own role', async () => {
    const { apiKeys, user, orgId } = await inWorld()
    const bound = await apiKeys.issue(user('admin'), { ...NAMED, role: 'member', orgId })
    const unbound = await apiKeys.issue(user('admin'), { ...NAMED, role: 'admin' })
    expect([bound.apiKey.orgId, unbound.apiKey.orgId]).toEqual([orgId, null])
    const ids = (await apiKeys.list(user('viewer'))).map(({ id }) => id)
    expect(ids.sort()).toEqual([bound.apiKey.id, unbound.apiKey.id].sort())
    for (const id of ids) {
      await apiKeys.rotate(user('admin'), id)
      await apiKeys.revoke(user('admin'), id)
    }
    expect(await apiKeys.list(user('admin'))).toEqual([])
  })

  it('lets nobody rotate the key of an org where they could make none', async () => {
    let role: string | null = 'admin'
    const memberships = { findActing: async (_: unknown, id: string) => (role === null ? null : { org: { id }, role }) }
    const owner = { kind: 'installation', memberships, field: 'environment' } as const
    const { apiKeys, user, orgId, repository } = await createApiKeyTestWorld({ owner })
    const { apiKey } = await apiKeys.issue(user('admin'), { ...NAMED, role: 'admin', orgId })
    const before = await repository.findById(apiKey.id)
    for (role of [null, 'viewer']) {
      expect(await reasonOf(apiKeys.rotate(user('owner'), apiKey.id))).toBe('api_key_above_its_rotator')
    }
    expect(await repository.findById(apiKey.id)).toEqual(before)
    role = 'owner'
    await expect(apiKeys.rotate(user('viewer'), apiKey.id)).resolves.toMatchObject({ apiKey })
  })

  it.each([
    ['an org that is not there', { role: 'member', orgId: '00000000-0000-4000-8000-000000000000' }, 'environment'],
    ['an org that is no text', { role: 'member', orgId: 5 }, 'environment'],
    ['an empty org', { role: 'member', orgId: '' }, 'environment'],
    ['no role, where there are no permissions to need one', {}, 'role'],
  ])('refuses %s', async (_, fields, field) => {
    const { apiKeys, user } = await inWorld()
    const error = await refusalOf(apiKeys.issue(user('admin'), { ...NAMED, ...fields }))
    expect([error.code, error.field]).toEqual(['validation_error', field])
  })

  it("knows no role but the user's own: an org's admin makes no key that acts in all", async () => {
    const { apiKeys, member, user, orgId } = await inWorld()
    for (const context of [member('admin'), testContext({ org: null }) as AuthContext]) {
      expect(await reasonOf(apiKeys.issue(context, { ...NAMED, role: 'viewer' }))).toBe('api_keys_need_a_user')
    }
    expect(await reasonOf(apiKeys.issue(user(null), { ...NAMED, role: 'viewer' }))).toBe('role_unknown')
    const above = apiKeys.issue(user('owner'), { ...NAMED, role: 'owner', orgId })
    expect(await reasonOf(above)).toBe('api_key_above_creator')
  })
})

describe('the options', () => {
  const good = {
    storage: createMemoryStorage(),
    prefix: 'itk',
    roles: createRoles(['viewer', 'admin'], { 'things:read': 'viewer', 'things:write': 'admin' }),
    permissions: ['things:read'],
    defaultPermissions: ['things:read'],
  }
  it.each([
    [{ storage: undefined }, 'option "storage"'],
    [{ storage: {} }, 'option "storage" must have apiKeys'],
    [{ storage: { apiKeys: null } }, 'option "storage" must have apiKeys'],
    [{ storage: { apiKeys: { ...createMemoryStorage().apiKeys, touch: undefined } } }, 'option "storage"'],
    [{ prefix: undefined }, 'option "prefix"'],
    [{ prefix: 'IT-K' }, 'option "prefix"'],
    [{ prefix: 'Itk' }, 'option "prefix"'],
    [{ roles: [] }, 'createApiKeys: option "roles"'],
    [{ roles: undefined }, 'createApiKeys: option "roles" is required'],
    [{ roles: { a: ['a'] } }, 'createApiKeys: option "roles" has a circle'],
    [
      { permissions: ['things:purge'] },
      'option "permissions" names "things:purge", which is none of things:read, things:write',
    ],
    [{ permissions: 'things:read' }, 'option "permissions"'],
    [
      { defaultPermissions: ['things:write'] },
      'option "defaultPermissions" names "things:write", which is none of things:read',
    ],
    [{ defaultPermissions: ['constructor'] }, 'option "defaultPermissions" names "constructor"'],
    [{ scopes: { 'things:read': 'viewer' } }, 'unknown option "scopes"'],
    [{ owner: { kind: 'everybody' } }, 'option "owner.kind" must be one of "org", "installation"'],
    [
      { owner: { kind: 'installation' } },
      'option "owner.memberships" is required: must be an object with findActing; option "owner.field" is required',
    ],
    [{ maxOverlapSeconds: -1 }, 'option "maxOverlapSeconds"'],
    [{ maxKeys: 0 }, 'option "maxKeys"'],
    [{ maxKeys: 2.5 }, 'option "maxKeys" must be a whole number'],
    [{ check: true }, 'option "check"'],
    [{ onUse: () => undefined }, 'unknown option "onUse"'],
    [{ environment: true }, 'unknown option "environment"'],
  ])('%j are refused', (over, sentence) => {
    expect(() => createApiKeys({ ...good, ...over } as never)).toThrow(OptionsError)
    expect(() => createApiKeys({ ...good, ...over } as never)).toThrow(sentence)
  })
})

describe('as the verifier of createAuth', () => {
  it('says its prefix and its roles once for all, and verifies by itself', async () => {
    const { apiKeys, member } = await createApiKeyTestWorld()
    expect([apiKeys.prefix, apiKeys.roles]).toEqual(['itk', ROLES])
    expect(Object.isFrozen(apiKeys) && Object.isFrozen(apiKeys.roles)).toBe(true)
    const { verify } = apiKeys
    const { apiKey, key } = await apiKeys.issue(member('owner'), NAMED)
    await expect(verify(key)).resolves.toMatchObject({ id: apiKey.id })
  })

  it('is taken beside the same roles, and refused beside others by naming both', async () => {
    const { apiKeys, member, orgId } = await createApiKeyTestWorld()
    const authOf = (roles: RolesGiven) => createWorld({ auth: () => ({ roles, apiKeys }) })
    expect(() => authOf(['viewer', 'owner'])).toThrow(
      new OptionsError('createAuth', [
        {
          option: 'apiKeys',
          message: 'has the roles viewer, member, admin, owner, option "roles" has viewer, owner',
        },
      ]),
    )
    const { key } = await apiKeys.issue(member('owner'), { ...NAMED, role: 'member' })
    const { storage, authenticate } = authOf({ ...ROLES })
    const { id } = await storage.orgs.insert({ name: 'Acme' })
    expect(id).not.toBe(orgId)
    const request = { headers: { authorization: `Bearer ${key}` } }
    // The key is known; the storage of this auth has not got its org.
    expect(await reasonOf(authenticate(request, { accept: ['apiKey'] }))).toBe('not_a_member')
  })
})

describe('secrets', () => {
  it('are in what issue and rotate return and nowhere else', async () => {
    const world = await createApiKeyTestWorld()
    const first = await issueKey(world)
    const rotated = await world.apiKeys.rotate(world.member('owner'), first.id, { overlapSeconds: 60 })
    const everything = [
      world.apiKeys,
      world.repository,
      await world.repository.findById(first.id),
      await world.apiKeys.list(world.member('owner')),
      await world.apiKeys.verify(rotated.key),
      rotated.apiKey,
      await refusalOf(world.apiKeys.verify(format.create(first.id).key)),
    ]
    const dump = everything
      .map((value) => `${JSON.stringify(value)} ${inspect(value, { depth: 20, showHidden: true, getters: true })}`)
      .join('\n')
    expect(dump).toContain(first.id)
    for (const key of [first.key, rotated.key]) {
      expect(dump).not.toContain(key)
      expect(dump).not.toContain(format.parse(key)?.secret)
    }
  })
})

describe('what is told of changes (G3)', () => {
  it('is which key, whose, by whom and when, once it is so, and never a secret', async () => {
    const told: ApiKeyEvent[] = []
    const { apiKeys, member, orgId } = await createApiKeyTestWorld({
      onEvent(event) {
        told.push(event)
        throw new Error('a broken hook')
      },
    })
    const { apiKey, key } = await apiKeys.issue(member('owner'), NAMED)
    const rotated = await apiKeys.rotate(member('admin'), apiKey.id)
    await apiKeys.revoke(member('admin'), apiKey.id)
    await apiKeys.issue(member('owner'), { name: '' }).catch(() => null)
    await apiKeys.revoke(member('admin'), 'aaaaaaaaaaaa').catch(() => null)
    const common = { keyId: apiKey.id, ownerOrgId: orgId, at: new Date(START) }
    expect(told).toEqual([
      { kind: 'api_key_issued', byId: 'user-owner', ...common },
      { kind: 'api_key_rotated', byId: 'user-admin', ...common },
      { kind: 'api_key_revoked', byId: 'user-admin', ...common },
    ])
    const text = inspect(told)
    for (const shown of [key, rotated.key]) expect(text).not.toContain(format.parse(shown)?.secret)
  })
})

describe('revokeCreatedBy (A4)', () => {
  it('ends the keys that one user made in this org, and no others', async () => {
    const { apiKeys, member, otherOrgId } = await createApiKeyTestWorld()
    const [first, second] = [await apiKeys.issue(member('admin'), NAMED), await apiKeys.issue(member('admin'), NAMED)]
    const [owners, elsewhere] = [
      await apiKeys.issue(member('owner'), NAMED),
      await apiKeys.issue(member('admin', otherOrgId), NAMED),
    ]
    expect(await apiKeys.revokeCreatedBy(member('owner'), 'user-admin')).toBe(2)
    expect(await apiKeys.revokeCreatedBy(member('owner'), 'user-admin')).toBe(0)
    for (const { key } of [first, second]) expect(await reasonOf(apiKeys.verify(key))).toBe('api_key_revoked')
    for (const { key } of [owners, elsewhere]) expect((await apiKeys.verify(key)).name).toBe('Nightly build')
    const billing = testServiceContext('billing') as AuthContext
    expect(await reasonOf(apiKeys.revokeCreatedBy(billing, 'user-admin'))).toBe('api_keys_need_a_user')
  })
})
