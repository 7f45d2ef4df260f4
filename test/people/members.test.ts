/** Members: who may do what to whom, on a ladder, by sets, by roles made at run time, by credentials with a bound; what is told (M1–M3, M17). */
import { describe, expect, it } from 'vitest'
import type { Roles } from '../../src/context.ts'
import { createMembers, type MemberEvent } from '../../src/people/members.ts'
import { type CustomRoles, toKnownRoles } from '../../src/permissions/custom-roles.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { ConflictError, TransientError } from '../../src/storage/storage-errors.ts'
import { testServiceContext } from '../../src/testing/principals.ts'
import { CONTEXT_ORIGINS, type ContextOrigin } from '../../src/users/context-origin.ts'
import {
  createPeopleWorld,
  createWorldOrganizations,
  NOBODY,
  newMemory,
  outcomeOf,
  type PeopleWorld,
  ROLES,
  withoutUser,
  withUnheardCommit,
} from './world.ts'

type Act = (
  world: PeopleWorld,
  actor: { id: string; role: string; scopes?: readonly string[] },
  target: string,
) => Promise<unknown>

const add =
  (role: unknown): Act =>
  ({ members, as }, { id, ...actor }, userId) =>
    members.add(as(id, actor.role, actor), { userId, role })
const change =
  (role: unknown): Act =>
  ({ members, as }, { id, ...actor }, userId) =>
    members.changeRole(as(id, actor.role, actor), { userId, role })
const remove: Act = ({ members, as }, { id, ...actor }, userId) => members.remove(as(id, actor.role, actor), userId)

const ABOVE = '403 role_above_ones_own'
const LOW = '403 role_too_low'

describe('on a ladder, where admins manage', () => {
  it.each<[actor: string, what: string, outcome: string, act: Act, target: string | null]>([
    ['viewer', 'adds a viewer', LOW, add('viewer'), null],
    ['member', 'adds a viewer', LOW, add('viewer'), null],
    ['admin', 'adds a viewer', 'done', add('viewer'), null],
    ['admin', 'adds an admin', 'done', add('admin'), null],
    ['admin', 'adds an owner', ABOVE, add('owner'), null],
    ['owner', 'adds an owner', 'done', add('owner'), null],
    ['owner', 'adds a boss', '400 field_invalid', add('boss'), null],
    ['owner', 'adds a member once more', '409 member_already', add('member'), 'member'],
    ['viewer', 'raises a viewer', LOW, change('member'), 'viewer'],
    ['admin', 'raises a viewer to admin', 'done', change('admin'), 'viewer'],
    ['admin', 'raises a viewer to owner', ABOVE, change('owner'), 'viewer'],
    ['admin', 'lowers another admin', 'done', change('viewer'), 'admin'],
    ['admin', 'lowers an owner', ABOVE, change('viewer'), 'owner'],
    ['admin', 'leaves an owner what they are', ABOVE, change('owner'), 'owner'],
    ['admin', 'leaves a member what they are', 'done', change('member'), 'member'],
    ['owner', 'lowers another owner', 'done', change('viewer'), 'owner'],
    ['admin', 'lowers who has a role that is none any more', 'done', change('viewer'), 'emperor'],
    ['admin', 'changes who is no member', '404 member_unknown', change('viewer'), null],
    ['admin', 'gives no role', '400 field_invalid', change(null), 'viewer'],
    ['viewer', 'removes a viewer', LOW, remove, 'viewer'],
    ['admin', 'removes an admin', 'done', remove, 'admin'],
    ['admin', 'removes an owner', ABOVE, remove, 'owner'],
    ['owner', 'removes an owner', 'done', remove, 'owner'],
    ['admin', 'removes who has a role that is none any more', 'done', remove, 'emperor'],
    ['admin', 'removes who is no member', '404 member_unknown', remove, null],
  ])('%s %s: %s', async (role, _, outcome, act, target) => {
    const world = await createPeopleWorld()
    await world.person('founder', 'owner')
    const id = await world.person('actor', role)
    const before = await world.rolesOf()
    expect(await outcomeOf(act(world, { id, role }, await world.person('target', target)))).toBe(outcome)
    if (outcome === 'done') return
    const after = await world.rolesOf()
    expect(Object.entries(after).filter(([userId]) => userId in before)).toEqual(Object.entries(before))
    expect(world.events).toEqual([])
  })

  it('is judged by what the actor is now, and not by what the request found', async () => {
    const world = await createPeopleWorld()
    await world.person('founder', 'owner')
    const [demoted, gone, disabled] = [
      await world.person('demoted', 'admin'),
      await world.person('gone', 'admin'),
      await world.person('disabled', 'admin'),
    ]
    await world.storage.memberships.setRole(world.orgId, demoted, 'viewer')
    await world.storage.memberships.remove(world.orgId, gone)
    await world.storage.users.setDisabled(disabled, true)
    const target = await world.person('target')
    for (const [id, outcome] of [
      [demoted, LOW],
      [gone, '403 actor_not_a_member'],
      [disabled, '403 actor_not_a_member'],
    ] as const) {
      expect(await outcomeOf(add('viewer')(world, { id, role: 'admin' }, target))).toBe(outcome)
      expect(await outcomeOf(remove(world, { id, role: 'admin' }, demoted === id ? gone : demoted))).toBe(outcome)
    }
    expect(Object.keys(await world.rolesOf())).not.toContain(target)
    // Raised meanwhile: as far as they are now.
    await world.storage.memberships.setRole(world.orgId, demoted, 'owner')
    expect(await outcomeOf(add('owner')(world, { id: demoted, role: 'viewer' }, target))).toBe('done')
  })

  it('the last owner stays: by change, removal and leaving; a disabled one is none', async () => {
    const world = await createPeopleWorld()
    const [owner, other] = [await world.person('owner', 'owner'), await world.person('other', 'owner')]
    await world.storage.users.setDisabled(other, true)
    const actor = { id: owner, role: 'owner' }
    for (const act of [change('admin'), remove]) {
      expect(await outcomeOf(act(world, actor, owner))).toBe('409 member_last_owner')
    }
    expect(await outcomeOf(world.members.leave(world.as(owner, 'owner')))).toBe('409 member_last_owner')
    expect(world.events).toEqual([])
    await world.storage.users.setDisabled(other, false)
    expect(await outcomeOf(world.members.leave(world.as(owner, 'owner')))).toBe('done')
    expect(await world.rolesOf()).toEqual({ [other]: 'owner' })
  })

  it('leaving needs no rule, and removing oneself is leaving, in whatever case the id is written', async () => {
    const world = await createPeopleWorld()
    await world.person('founder', 'owner')
    for (const leave of [
      (id: string) => world.members.leave(world.as(id, 'viewer')),
      (id: string) => world.members.remove(world.as(id, 'viewer'), id.toUpperCase()),
    ]) {
      const id = await world.person('viewer', 'viewer')
      expect(await outcomeOf(leave(id))).toBe('done')
      expect(Object.keys(await world.rolesOf())).not.toContain(id)
      expect(world.events.pop()).toMatchObject({ kind: 'member_left', userId: id, byId: id, formerRole: 'viewer' })
    }
  })

  it('a user is added who is here and not disabled: one that was never, and one that is, are the same', async () => {
    const world = await createPeopleWorld()
    const id = await world.person('owner', 'owner')
    const disabled = await world.person('disabled')
    await world.storage.users.setDisabled(disabled, true)
    for (const target of [NOBODY, disabled, 'nobody', '\0', 'x'.repeat(5000)]) {
      expect(await outcomeOf(add('viewer')(world, { id, role: 'owner' }, target))).toBe('404 user_to_add_unknown')
    }
    for (const target of [undefined, null, 7, '', '  ', ['x'], {}]) {
      const refused = add('viewer')(world, { id, role: 'owner' }, target as string)
      await expect(refused).rejects.toMatchObject({ reason: 'field_invalid', field: 'user_id' })
    }
    for (const target of [undefined, null, 7, '']) {
      for (const act of [remove, change('viewer')]) {
        const refused = act(world, { id, role: 'owner' }, target as string)
        await expect(refused).rejects.toMatchObject({ reason: 'field_invalid', field: 'user_id' })
      }
    }
    for (const role of [undefined, null, 7, '', 'boss', 'Owner', '__proto__', ['owner'], 'x'.repeat(256)]) {
      const refused = add(role)(world, { id, role: 'owner' }, disabled)
      await expect(refused).rejects.toMatchObject({ reason: 'field_invalid', field: 'role' })
    }
    const target = await world.person('target')
    expect(await outcomeOf(add('viewer')(world, { id, role: 'owner' }, target.toUpperCase()))).toBe('done')
    expect((await world.rolesOf())[target]).toBe('viewer')
  })

  it('who belongs to one organization is added to no other', async () => {
    const world = await createPeopleWorld({ storage: newMemory({ membershipOn: 'user-row' }) })
    const id = await world.person('owner', 'owner')
    const target = await world.person('target', 'viewer', world.otherOrgId)
    expect(await outcomeOf(add('viewer')(world, { id, role: 'owner' }, target))).toBe('409 member_already')
    expect(await world.rolesOf(world.otherOrgId)).toEqual({ [target]: 'viewer' })
  })

  it('lists for whom the rule lets, by default who manages', async () => {
    const world = await createPeopleWorld()
    const [owner, viewer] = [await world.person('owner', 'owner'), await world.person('viewer', 'viewer')]
    await world.person('stranger', 'owner', world.otherOrgId)
    const listed = await world.members.list(world.as(viewer, 'viewer'))
    expect(listed.map(({ userId, role, email, disabled }) => ({ userId, role, email, disabled }))).toEqual([
      { userId: owner, role: 'owner', email: 'owner@example.test', disabled: false },
      { userId: viewer, role: 'viewer', email: 'viewer@example.test', disabled: false },
    ])
    const { storage } = world
    const strict = createMembers({ storage, roles: ROLES, manage: { permissions: ['members:write'] } as never })
    expect(await outcomeOf(strict.list(world.as(viewer, 'viewer')))).toBe('403 permission_not_of_role')
    expect(await strict.list(world.as(owner, 'admin'))).toEqual(listed)
    const bound = world.as(owner, 'owner', { scopes: ['things:read'] })
    expect(await outcomeOf(strict.list(bound))).toBe('403 scope_missing')
  })
})

describe('of sets', () => {
  const roles = createRoles({
    support: ['tickets:write'],
    billing: ['invoices:read'],
    admin: ['support', 'users:write'],
  })
  const build = () =>
    createPeopleWorld({
      members: { roles, manage: { permissions: ['users:write'] }, list: undefined, ownerRole: 'admin' },
    })

  it.each<[what: string, outcome: string, act: Act, target: string | null]>([
    ['adds what it includes', 'done', add('support'), null],
    ['adds what it does not include', ABOVE, add('billing'), null],
    ['raises to what it does not include', ABOVE, change('billing'), 'support'],
    ['takes what it does not include', ABOVE, change('support'), 'billing'],
    ['removes what it does not include', ABOVE, remove, 'billing'],
    ['removes its like', 'done', remove, 'admin'],
  ])('an admin %s: %s', async (_, outcome, act, target) => {
    const world = await build()
    const id = await world.person('actor', 'admin')
    expect(await outcomeOf(act(world, { id, role: 'admin' }, await world.person('target', target)))).toBe(outcome)
  })

  it('nobody else manages', async () => {
    const world = await build()
    const id = await world.person('actor', 'support')
    const target = await world.person('target')
    expect(await outcomeOf(add('support')(world, { id, role: 'support' }, target))).toBe('403 permission_not_of_role')
  })
})

describe('roles made at run time', () => {
  const roles = createRoles(['viewer', 'admin', 'owner'], {
    ...{ 'things:read': 'viewer', 'members:write': 'admin', 'org:delete': 'owner' },
  })
  const CUSTOM: Readonly<Record<string, readonly string[]>> = {
    reader: ['things:read'],
    recruiter: ['things:read', 'members:write'],
    liquidator: ['org:delete'],
  }
  const manage = { permissions: ['members:write'] as const }
  const customRoles: CustomRoles = { find: async (_, role) => CUSTOM[role] ?? null }
  const build = () => createPeopleWorld({ members: { roles, customRoles, manage, list: undefined } })

  it.each<[actor: string, what: string, outcome: string, act: Act, target: string | null]>([
    ['admin', 'adds one within its permissions', 'done', add('recruiter'), null],
    ['admin', 'adds one beyond them', ABOVE, add('liquidator'), null],
    ['admin', 'adds one that there is not', '400 field_invalid', add('emperor'), null],
    ['admin', 'takes one beyond them', ABOVE, change('viewer'), 'liquidator'],
    ['admin', 'takes one that is none any more', 'done', change('viewer'), 'emperor'],
    ['owner', 'takes any', 'done', change('viewer'), 'liquidator'],
    ['recruiter', 'adds its like', 'done', add('recruiter'), null],
    ['recruiter', 'adds one within its permissions', 'done', add('reader'), null],
    ['recruiter', 'adds a role that it does not include', ABOVE, add('viewer'), null],
    ['recruiter', 'removes its like', 'done', remove, 'recruiter'],
    ['recruiter', 'removes an owner', ABOVE, remove, 'owner'],
    ['reader', 'adds its like', '403 permission_not_of_role', add('reader'), null],
  ])('%s %s: %s', async (role, _, outcome, act, target) => {
    const world = await build()
    await world.person('founder', 'owner')
    const id = await world.person('actor', role)
    expect(await outcomeOf(act(world, { id, role }, await world.person('target', target)))).toBe(outcome)
  })

  it('are asked for by text alone, and by none that is too long', async () => {
    const asked: unknown[] = []
    const find: CustomRoles['find'] = async (_, role) => {
      asked.push(role)
      return CUSTOM[role] ?? null
    }
    const world = await createPeopleWorld({ members: { roles, customRoles: { find }, manage, list: undefined } })
    const by = world.as(await world.person('actor', 'owner'), 'owner')
    for (const role of [undefined, null, 7, '', ['reader'], { toString: () => 'reader' }, 'x'.repeat(256)]) {
      const fields = { userId: NOBODY, role }
      for (const act of [() => world.members.add(by, fields), () => world.members.changeRole(by, fields)]) {
        await expect(act()).rejects.toMatchObject({ reason: 'field_invalid', field: 'role' })
      }
    }
    expect(asked).toEqual([])
  })

  it('are looked up while no transaction is open, also one that came to be meanwhile', async () => {
    const world = await build()
    const { transaction } = world.storage
    let isOpen = false
    const counting: typeof transaction = (work) => {
      isOpen = true
      return transaction(work).finally(() => {
        isOpen = false
      })
    }
    const asked: string[] = []
    const find: CustomRoles['find'] = async (_, role) => {
      expect(isOpen).toBe(false)
      asked.push(role)
      return CUSTOM[role] ?? null
    }
    const storage = { ...world.storage, transaction: counting }
    const members = createMembers({ storage, roles, customRoles: { find }, manage })
    const id = await world.person('actor', 'recruiter')
    const target = await world.person('target', 'reader')
    await members.changeRole(world.as(id, 'viewer'), { userId: target, role: 'recruiter' })
    expect(asked.toSorted()).toEqual(['reader', 'recruiter'])
    expect((await world.rolesOf())[target]).toBe('recruiter')
  })
})

describe('a credential with a bound', () => {
  it.each<[scopes: readonly string[], what: string, outcome: string, act: Act, target: string | null]>([
    [['things:read'], 'adds what it carries', 'done', add('viewer'), null],
    [['things:read'], 'adds what it does not', ABOVE, add('member'), null],
    [[], 'adds anything that may do anything', ABOVE, add('viewer'), null],
    [['things:read'], 'removes what it does not carry', ABOVE, remove, 'member'],
    [['things:read', 'things:write'], 'removes what it carries', 'done', remove, 'member'],
    [['things:read'], 'lowers what it does not carry', ABOVE, change('viewer'), 'member'],
  ])('%j %s: %s', async (scopes, _, outcome, act, target) => {
    const world = await createPeopleWorld()
    const id = await world.person('actor', 'owner')
    expect(await outcomeOf(act(world, { id, role: 'owner', scopes }, await world.person('target', target)))).toBe(
      outcome,
    )
  })

  it('makes nobody leave whose role may do more', async () => {
    const world = await createPeopleWorld()
    const id = await world.person('actor', 'member')
    const leave = (scopes: readonly string[]) => outcomeOf(world.members.leave(world.as(id, 'member', { scopes })))
    expect(await leave(['things:read'])).toBe(ABOVE)
    expect(await leave(['things:read', 'things:write'])).toBe('done')
  })
})

describe('callers who administer nobody', () => {
  it('are refused: a service, an identity alone, a person without an organization', async () => {
    const { members, as, person } = await createPeopleWorld()
    const context = as(await person('owner', 'owner'), 'owner')
    const { org: _, ...homeless } = context
    for (const [other, reason] of [
      [testServiceContext('telephony', { id: context.org?.id ?? '' }), '403 people_need_a_user'],
      [withoutUser(context), '403 people_need_a_user'],
      [homeless, '403 people_need_an_org'],
      [{ ...context, org: null }, '403 people_need_an_org'],
    ] as const) {
      const caller = other as never
      const fields = { userId: NOBODY, role: 'viewer' }
      for (const act of [
        () => members.list(caller),
        () => members.add(caller, fields),
        () => members.changeRole(caller, fields),
        () => members.remove(caller, NOBODY),
        () => members.leave(caller),
      ]) {
        expect(await outcomeOf(act())).toBe(reason)
      }
    }
  })
})

describe('who is judged by other roles than the request was', () => {
  const originOf = (roles: Roles, customRoles?: CustomRoles) =>
    ({ roles: toKnownRoles(roles, customRoles) }) as ContextOrigin
  it('is a fault of the host', async () => {
    const { members, as, person } = await createPeopleWorld()
    const context = as(await person('owner', 'owner'), 'owner')
    CONTEXT_ORIGINS.set(context, originOf(createRoles(['owner', 'admin', 'member', 'viewer'])))
    await expect(members.list(context)).rejects.toThrow('people: the auth of this request has the roles owner, admin')
    CONTEXT_ORIGINS.set(context, originOf(ROLES))
    expect(await outcomeOf(members.list(context))).toBe('done')
    // A role that these do not know of would be above nobody.
    CONTEXT_ORIGINS.set(context, originOf(ROLES, { find: async () => ['org:delete'] }))
    await expect(members.remove(context, NOBODY)).rejects.toThrow('has customRoles, other than these')
  })
})

describe('whoever removes members without holding their organization', () => {
  it.each([
    ['a change', change('admin')],
    ['a removal', remove],
  ])('may be quicker: %s finds nobody, and nothing is told', async (_, act) => {
    const { transaction, ...storage } = newMemory()
    const missing = async () => 'missing' as const
    const quicker: typeof transaction = (work) =>
      transaction((inside) =>
        work({ ...inside, memberships: { ...inside.memberships, setRole: missing, remove: missing } }),
      )
    const world = await createPeopleWorld({ storage: { ...storage, transaction: quicker } })
    const id = await world.person('owner', 'owner')
    const target = await world.person('target', 'viewer')
    expect(await outcomeOf(act(world, { id, role: 'owner' }, target))).toBe('404 member_unknown')
    expect(world.events).toEqual([])
  })
})

describe('API keys of who goes', () => {
  const key = (id: string, orgId: string, createdBy: string) => ({
    ...{ id, orgId, createdBy, name: 'ci', role: 'viewer', permissions: [], secretHash: '0'.repeat(64) },
    ...{ createdAt: new Date(), expiresAt: null },
  })

  it.each([true, undefined] as const)('end where the host says so: %s', async (endApiKeys) => {
    const world = await createPeopleWorld({ members: { endApiKeys } })
    const { storage, orgId, otherOrgId } = world
    const [owner, maker] = [await world.person('owner', 'owner'), await world.person('maker', 'viewer')]
    for (const row of [key('own', orgId, maker), key('another', orgId, owner), key('elsewhere', otherOrgId, maker)]) {
      await storage.apiKeys.insert(row)
    }
    await world.members.remove(world.as(owner, 'owner'), maker)
    const revoked = async (id: string) => (await storage.apiKeys.findById(id))?.revokedAt !== null
    expect([await revoked('own'), await revoked('another'), await revoked('elsewhere')]).toEqual([
      endApiKeys === true,
      false,
      false,
    ])
    expect(world.events.at(-1)?.endedKeyIds).toEqual(endApiKeys === true ? ['own'] : [])
  })
})

describe('what is told', () => {
  it('is told once it is so: who, whom, from what to what; frozen', async () => {
    const world = await createPeopleWorld({ members: { clock: () => 1_700_000_000_000 } })
    const { members, as, orgId } = world
    const [owner, target] = [await world.person('owner', 'owner'), await world.person('target')]
    const by = as(owner, 'owner')
    await members.add(by, { userId: target, role: 'viewer' })
    await members.changeRole(by, { userId: target, role: 'viewer' })
    await members.changeRole(by, { userId: target, role: 'admin' })
    await members.remove(by, target)
    const common = { orgId, userId: target, byId: owner, endedKeyIds: [], at: new Date(1_700_000_000_000) }
    expect(world.events).toEqual([
      { kind: 'member_added', role: 'viewer', formerRole: null, ...common },
      { kind: 'member_role_changed', role: 'admin', formerRole: 'viewer', ...common },
      { kind: 'member_removed', role: null, formerRole: 'admin', ...common },
    ])
    for (const event of world.events) expect([event, event.endedKeyIds].every(Object.isFrozen)).toBe(true)
  })

  it('is nothing where the commit fails, and once where it is tried again', async () => {
    const told: string[] = []
    let failures: unknown[] = []
    const memory = createMemoryStorage()
    const storage = {
      ...memory,
      transaction: ((work) =>
        memory.transaction(async (transaction) => {
          const result = await work(transaction)
          const failure = failures.shift()
          if (failure !== undefined) throw failure
          return result
        })) as typeof memory.transaction,
    }
    const world = await createPeopleWorld({ storage, members: { onEvent: ({ kind }) => void told.push(kind) } })
    const by = world.as(await world.person('owner', 'owner'), 'owner')
    const [first, second] = [await world.person('first'), await world.person('second')]
    failures = [new Error('the disk is full')]
    await expect(world.members.add(by, { userId: first, role: 'viewer' })).rejects.toThrow('the disk is full')
    failures = Array.from({ length: 6 }, () => new TransientError('busy'))
    expect(await outcomeOf(world.members.add(by, { userId: first, role: 'viewer' }))).toBe('503 people_not_committed')
    expect([told, Object.keys(await world.rolesOf())]).toEqual([[], [by.user.id]])
    failures = [new TransientError('busy'), new ConflictError('taken')]
    expect(await outcomeOf(world.members.add(by, { userId: second, role: 'viewer' }))).toBe('done')
    expect(told).toEqual(['member_added'])
  })
})

describe('a COMMIT whose answer does not come', () => {
  it.each([
    ['add', 'member_added'],
    ['changeRole', 'member_role_changed'],
    ['remove', 'member_removed'],
    ['leave', 'member_left'],
  ] as const)('is asked after: %s is done once, and told', async (act, kind) => {
    const world = await createPeopleWorld()
    const { storage, as } = world
    const [owner, target] = [
      await world.person('owner', 'owner'),
      await world.person('x', act === 'add' ? null : 'viewer'),
    ]
    const told: MemberEvent[] = []
    const members = createMembers({
      ...{ storage: withUnheardCommit(storage), roles: ROLES, manage: { role: 'admin' } as const },
      onEvent: (event) => void told.push(event),
    })
    const by = as(owner, 'owner')
    const acts = {
      add: () => members.add(by, { userId: target, role: 'member' }),
      changeRole: () => members.changeRole(by, { userId: target, role: 'member' }),
      remove: () => members.remove(by, target),
      leave: () => members.leave(as(target, 'viewer')),
    }
    expect(await outcomeOf(acts[act]())).toBe('done')
    expect(told).toMatchObject([{ kind, userId: target, formerRole: act === 'add' ? null : 'viewer' }])
    expect((await world.rolesOf())[target]).toBe(act === 'remove' || act === 'leave' ? undefined : 'member')
  })

  it('is asked after: one organization is made', async () => {
    const { storage, as, person } = await createPeopleWorld()
    const id = await person('owner', 'owner')
    let hooks = 0
    const organizations = createWorldOrganizations(
      { storage: withUnheardCommit(storage) },
      { bootstrap: () => void hooks++ },
    )
    const { org } = await organizations.create(as(id, 'owner'), { name: 'Second' })
    expect([await storage.orgs.count(), hooks]).toEqual([3, 1])
    expect((await storage.memberships.find(org.id, id))?.role).toBe('owner')
  })
})

describe('options', () => {
  const storage = createMemoryStorage()
  const good = { storage, roles: ROLES, manage: { role: 'admin' } }
  const sets = createRoles({ admin: ['users:write'] })
  const { apiKeys: _, ...keyless } = storage
  it.each<[options: object, option: string]>([
    [{ ...good, manage: undefined }, 'manage'],
    [{ ...good, manage: {} }, 'manage'],
    [{ ...good, manage: { role: 'boss' } }, 'manage.role'],
    [{ ...good, manage: { permissions: ['members:delete'] } }, 'manage.permissions'],
    [{ ...good, manage: { permissions: [] } }, 'manage.permissions'],
    [{ ...good, manage: { roles: ['admin'] } }, 'manage.roles'],
    [{ ...good, list: {} }, 'list'],
    [{ ...good, list: { role: 'boss' } }, 'list.role'],
    [{ ...good, roles: undefined }, 'roles'],
    [{ ...good, roles: sets }, 'ownerRole'],
    [{ ...good, ownerRole: 'boss' }, 'ownerRole'],
    [{ ...good, endApiKeys: false }, 'endApiKeys'],
    [{ ...good, storage: keyless, endApiKeys: true }, 'endApiKeys'],
    [{ ...good, storage: {} }, 'storage'],
    [{ ...good, storage: { ...storage, orgs: { findById: storage.orgs.findById } } }, 'storage'],
    [{ ...good, storage: undefined }, 'storage'],
    [{ ...good, customRoles: {} }, 'customRoles'],
    [{ ...good, onEvent: 'log' }, 'onEvent'],
    [{ ...good, clock: 7 }, 'clock'],
    [{ ...good, members: true }, 'members'],
  ])('%# refuses by its name', (options, option) => {
    expect(() => createMembers(options as never)).toThrow(expect.objectContaining({ option }))
  })
})
