/** Organizations: made with their owner in one transaction, renamed by who may, one's own listed; what is told (M11, M17). */
import { describe, expect, it } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { slugFormat, uuidFormat } from '../../src/orgs/selector.ts'
import { createOrganizations, type OrganizationEvent } from '../../src/people/organizations.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { testContext, testServiceContext, testUser } from '../../src/testing/principals.ts'
import {
  createPeopleWorld,
  createWorldOrganizations,
  NOBODY,
  newMemory,
  type OrganizationsOverrides,
  outcomeOf,
  ROLES,
  withoutUser,
} from './world.ts'

const NEW_ID = 'aaaaaaaa-0000-4000-8000-00000000000a'

async function createOrganizationWorld(options: OrganizationsOverrides = {}) {
  const world = await createPeopleWorld()
  const told: OrganizationEvent[] = []
  const organizations = createWorldOrganizations(world, { onEvent: (event) => void told.push(event), ...options })
  const count = (): Promise<number> => world.storage.orgs.count()
  const userContext = (id: string, scopes: readonly string[] | null = null) =>
    testContext({ needs: 'user', user: testUser({ id }), identity: { scopes } }) as never
  return { ...world, organizations, told, count, userContext }
}

describe('an organization is made', () => {
  it('with its owner, from a context with an organization or without', async () => {
    const { organizations, userContext, as, person, rolesOf, told } = await createOrganizationWorld({
      clock: () => 1_700_000_000_000,
    })
    for (const [id, context] of [
      ...[await person('ada')].map((id) => [id, userContext(id)] as const),
      ...[await person('bob', 'viewer')].map((id) => [id, as(id, 'viewer')] as const),
    ]) {
      const { org, role } = await organizations.create(context, { name: '  Second \n', id: 'ignored' })
      expect([org.name, role]).toEqual(['Second', 'owner'])
      expect(await rolesOf(org.id)).toEqual({ [id]: 'owner' })
      const event = { kind: 'organization_created', orgId: org.id, byId: id }
      expect(told.pop()).toEqual({ ...event, at: new Date(1_700_000_000_000) })
    }
    expect(told).toEqual([])
  })

  it.each([undefined, null, 7, '', '  ', ['x'], 'a\0b', 'x'.repeat(256), '\ud800'])(
    'not by the name %j',
    async (name) => {
      const { organizations, userContext, person, count } = await createOrganizationWorld()
      const made = organizations.create(userContext(await person('ada')), { name })
      await expect(made).rejects.toMatchObject({ reason: 'field_invalid', field: 'name' })
      expect(await count()).toBe(2)
    },
  )

  it('under the id that its maker gives, where the host says of which form', async () => {
    const { organizations, userContext, person, count } = await createOrganizationWorld({ ids: uuidFormat })
    const context = userContext(await person('ada'))
    const { org } = await organizations.create(context, { name: 'Second', id: NEW_ID.toUpperCase() })
    expect(org.id).toBe(NEW_ID)
    expect(await outcomeOf(organizations.create(context, { name: 'Third', id: NEW_ID }))).toBe(
      '409 organization_id_taken',
    )
    for (const id of [undefined, null, 7, '', 'acme', [NEW_ID]]) {
      const made = organizations.create(context, { name: 'Third', id })
      await expect(made).rejects.toMatchObject({ reason: 'field_invalid', field: 'id' })
    }
    expect(await count()).toBe(3)
  })

  it('not under one that the storage can’t hold, and that is no 500', async () => {
    const given = { ids: slugFormat }
    const { organizations, userContext, person, count } = await createOrganizationWorld(given)
    const made = organizations.create(userContext(await person('ada')), { name: 'Second', id: 'acme' })
    await expect(made).rejects.toMatchObject({ reason: 'field_invalid', field: 'id' })
    expect(await count()).toBe(2)
    const world = await createPeopleWorld({ storage: newMemory({ orgIds: 'host' }) })
    const bob = userContext(await world.person('bob'))
    const { org } = await createWorldOrganizations(world, given).create(bob, { name: 'Second', id: 'acme' })
    expect(org.id).toBe('acme')
  })

  it('with the host’s own rows in the same transaction, or not at all', async () => {
    let thrown: unknown
    const seen: unknown[] = []
    const { organizations, userContext, person, count, told } = await createOrganizationWorld({
      bootstrap: async ({ user, org, role, transaction }) => {
        seen.push([user.id, role, (await transaction.orgs.findById(org.id))?.name])
        if (thrown !== undefined) throw thrown
      },
    })
    const ada = await person('ada')
    const make = () => outcomeOf(organizations.create(userContext(ada), { name: 'Second' }))
    expect(await make()).toBe('done')
    expect(seen).toEqual([[ada, 'owner', 'Second']])
    thrown = new AuthError('conflict', { reason: 'plan_full' })
    expect(await make()).toBe('409 plan_full')
    thrown = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    expect(await make()).toBe('503 bootstrap_not_reached')
    thrown = new Error('a bug')
    await expect(make()).rejects.toThrow('a bug')
    // Once an attempt, and none of these is tried again.
    expect(seen).toHaveLength(4)
    expect([await count(), told.length]).toEqual([3, 1])
  })

  it('by who is known here and not disabled meanwhile', async () => {
    const { organizations, userContext, as, person, storage, count } = await createOrganizationWorld()
    const ada = await person('ada', 'owner')
    await storage.users.setDisabled(ada, true)
    expect(await outcomeOf(organizations.create(userContext(ada), { name: 'Second' }))).toBe('403 founder_disabled')
    expect(await outcomeOf(organizations.create(userContext(NOBODY), { name: 'Second' }))).toBe('403 founder_disabled')
    for (const context of [withoutUser(as(ada, 'owner')), testServiceContext('telephony')]) {
      expect(await outcomeOf(organizations.create(context as never, { name: 'Second' }))).toBe('403 people_need_a_user')
      expect(await outcomeOf(organizations.mine(context as never))).toBe('403 people_need_a_user')
      expect(await outcomeOf(organizations.rename(context as never, 'Second'))).toBe('403 people_need_a_user')
    }
    expect(await count()).toBe(2)
  })

  it('by a credential that carries what its owner may do', async () => {
    const { organizations, userContext, person } = await createOrganizationWorld()
    const ada = await person('ada')
    const make = (scopes: readonly string[]) => outcomeOf(organizations.create(userContext(ada, scopes), { name: 'x' }))
    expect(await make([])).toBe('403 role_above_ones_own')
    expect(await make(ROLES.permissionsOf('admin'))).toBe('403 role_above_ones_own')
    expect(await make(ROLES.permissionsOf('owner'))).toBe('done')
  })

  it('as many as the host allows, and one where users belong to one', async () => {
    const { organizations, userContext, person } = await createOrganizationWorld({ maxOrganizations: 2 })
    const context = userContext(await person('ada'))
    const outcomes = []
    for (const name of ['1', '2', '3']) outcomes.push(await outcomeOf(organizations.create(context, { name })))
    expect(outcomes).toEqual(['done', 'done', '409 organizations_too_many'])
    const world = await createPeopleWorld({ storage: newMemory({ membershipOn: 'user-row' }) })
    const bob = await world.person('bob', 'owner')
    const one = createWorldOrganizations(world)
    expect(await outcomeOf(one.create(world.as(bob, 'owner'), { name: 'Second' }))).toBe('409 member_elsewhere')
    expect(await world.storage.orgs.count()).toBe(2)
    const carl = await world.person('carl')
    expect(await outcomeOf(one.create(world.as(carl, 'owner'), { name: 'Own' }))).toBe('done')
  })
})

describe('an organization is renamed', () => {
  it.each([
    ['owner', 'owner', 'done'],
    ['admin', 'admin', 'done'],
    ['member', 'member', '403 role_too_low'],
    ['admin', 'member', '403 role_too_low'],
    ['member', 'admin', 'done'],
    ['admin', null, '403 actor_not_a_member'],
  ])('by the request’s %s who is %s now: %s', async (before, now, outcome) => {
    const { organizations, as, person, storage, orgId, told } = await createOrganizationWorld()
    const ada = await person('ada', now)
    expect(await outcomeOf(organizations.rename(as(ada, before), ' Renamed '))).toBe(outcome)
    const done = outcome === 'done'
    expect((await storage.orgs.findById(orgId))?.name).toBe(done ? 'Renamed' : 'Acme')
    expect(told.map(({ kind, byId }) => [kind, byId])).toEqual(done ? [['organization_renamed', ada]] : [])
  })

  it('not to no name, nor by a credential that does not carry it', async () => {
    const { organizations, as, person } = await createOrganizationWorld({
      manage: { permissions: ['org:delete'] },
    })
    const ada = await person('ada', 'owner')
    await expect(organizations.rename(as(ada, 'owner'), ' ')).rejects.toMatchObject({ field: 'name' })
    const bound = as(ada, 'owner', { scopes: ['things:read'] })
    expect(await outcomeOf(organizations.rename(bound, 'Renamed'))).toBe('403 scope_missing')
    const { org, role } = await organizations.rename(as(ada, 'owner'), 'Renamed')
    expect([org.name, role]).toEqual(['Renamed', 'owner'])
  })

  it('that is gone is one that nobody is a member of', async () => {
    const { organizations, as, person, storage, orgId } = await createOrganizationWorld()
    const ada = await person('ada', 'owner')
    await storage.orgs.remove(orgId)
    expect(await outcomeOf(organizations.rename(as(ada, 'owner'), 'Renamed'))).toBe('403 actor_not_a_member')
  })
})

it('one’s own are listed in the order they were joined, with the role in each', async () => {
  const { organizations, userContext, person, storage, orgId, otherOrgId } = await createOrganizationWorld()
  const ada = await person('ada', 'viewer', otherOrgId)
  await storage.memberships.insert({ orgId, userId: ada, role: 'admin' })
  const listed = await organizations.mine(userContext(ada))
  expect(listed.map(({ org, role }) => [org.id, org.name, role])).toEqual([
    [otherOrgId, 'Other', 'viewer'],
    [orgId, 'Acme', 'admin'],
  ])
  expect(await organizations.mine(userContext(await person('bob')))).toEqual([])
})

describe('options', () => {
  const storage = newMemory()
  const good = { storage, roles: ROLES, manage: { role: 'admin' } }
  const sets = createRoles({ admin: ['users:write'] })
  it.each<[options: object, option: string]>([
    [{ ...good, manage: undefined }, 'manage'],
    [{ ...good, manage: {} }, 'manage'],
    [{ ...good, manage: { role: 'boss' } }, 'manage.role'],
    [{ ...good, roles: undefined }, 'roles'],
    [{ ...good, roles: sets }, 'ownerRole'],
    [{ ...good, ownerRole: 'boss' }, 'ownerRole'],
    [{ ...good, ids: 'uuid' }, 'ids'],
    [{ ...good, maxOrganizations: 0 }, 'maxOrganizations'],
    [{ ...good, maxOrganizations: 2.5 }, 'maxOrganizations'],
    [{ ...good, bootstrap: {} }, 'bootstrap'],
    [{ ...good, storage: { ...storage, transaction: undefined } }, 'storage'],
    [{ ...good, names: true }, 'names'],
  ])('%# refuses by its name', (options, option) => {
    expect(() => createOrganizations(options as never)).toThrow(expect.objectContaining({ option }))
  })
})
