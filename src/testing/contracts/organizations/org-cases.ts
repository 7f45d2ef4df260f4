/**
 * The promises of the organization repository, and of what a caller may act in: the membership's own role, the join
 * order, nothing of an organization that is deleted or somebody else's.
 */
import type { ActingOrg, Caller, Organization, OrgSelection, User } from '../../../context.ts'
import type { Membership, NewUser, UserRepository } from '../../../storage/repositories.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { compareIds } from '../races.ts'
import { expectCopies, oddEmails, type World } from '../storage-world.ts'
import { GIVEN_ID_CASES, ORG_ADMIN_CASES } from './admin-cases.ts'

const SERVICE: Caller = { kind: 'service', name: 'billing' }

/** An API key of an org, as the verifier hands it on. */
function keyOf(orgId: string, role: string): Caller {
  return { kind: 'apiKey', key: { id: 'key-1', name: 'a key', orgId, role, permissions: [] } }
}

/** A machine that is bound to an org, or to none. */
function machineOf(orgId: string | null, role: string | null): Caller {
  return { kind: 'machine', machine: { id: 'machine-1', name: 'a machine', orgId, role, permissions: null } }
}

type Acting = ActingOrg<Organization> | null | undefined

function expectActing(got: Acting, org: Organization, role: string | null, what: string): void {
  expect.same([got?.org, got?.role], [org, role], what)
}

/** The organizations in the order that the memberships' own instants say. */
function inJoinOrder(joined: readonly Membership[]): readonly string[] {
  return [...joined]
    .sort((a, b) => a.joinedAt.getTime() - b.joinedAt.getTime() || compareIds(a.orgId, b.orgId))
    .map(({ orgId }) => orgId)
}

function idsOf(acting: readonly ActingOrg<Organization>[]): readonly string[] {
  return acting.map(({ org }) => org.id)
}

const CASES: Cases<World> = [
  test('orgs/found-after-insert: find an inserted organization as it was returned, its name exactly as it was given; two of one name are two', async ({
    orgs,
  }) => {
    const [one, other] = [await orgs.insert({ name: 'Acme' }), await orgs.insert({ name: 'Acme' })]
    expect.that(one.id !== other.id, 'two ids', [one.id, other.id])
    expect.same(await orgs.findById(one.id), one, 'the organization found by id')
    expect.same(await orgs.findById(other.id), other, 'the other organization found by id')
    // A host may call it otherwise than `name`. At a first login it is an e-mail address, which may be long.
    for (const name of ['Acme', 'O\'Bäcker" ż', ...oddEmails()]) {
      const org = await orgs.insert({ name })
      if ('name' in org) expect.same(org.name, name, 'the name as it was given')
      expect.same(await orgs.findById(org.id), org, 'the organization of that name, found by id')
    }
  }),
  test('orgs/hostile-ids: find no organization by an unknown or hostile id, and never throw', async (world) => {
    const { orgs, newOrg, newId } = world
    const { id } = await newOrg()
    await expect.none('orgs.findById', [newId(), ...expect.hostileIds(id)], (orgId) => orgs.findById(orgId))
  }),
  test('orgs/copies: return copies of organizations', async ({ orgs }) => {
    const input = { name: 'Acme' }
    const org = await orgs.insert(input)
    const { id } = org
    await expectCopies([org, input], [() => orgs.findById(id)])
  }),
  test('orgs/acting-member: let each member act as the role of the own membership, and nobody who is not a member', async (world) => {
    const { memberships, newOrg, newMember, newUser, callerOf, top, low, newId } = world
    const [org, stranger] = [await newOrg(), await newUser()]
    const owner = await callerOf((await newMember({ orgId: org.id, role: top })).userId)
    const member = await callerOf((await newMember({ orgId: org.id, role: low })).userId)
    const elsewhere = await callerOf((await newMember({ role: top })).userId)
    expectActing(await memberships.findActing(owner, org.id), org, top, 'the org as its owner')
    expectActing(await memberships.findActing(member, org.id), org, low, 'the org as a member')
    const nobody = { kind: 'user', user: { ...stranger, id: newId() } } as const
    for (const who of [await callerOf(stranger.id), elsewhere, nobody]) {
      expect.absent(await memberships.findActing(who, org.id), 'findActing for a stranger')
    }
  }),
  test('orgs/acting-now: see a changed role and a removed membership at the next call', async (world: World) => {
    const { memberships, newOrg, newMember, callerOf, top, low } = world
    const org = await newOrg()
    const { userId } = await newMember({ orgId: org.id, role: top })
    expectActing(await memberships.findActing(await callerOf(userId), org.id), org, top, 'the org as an owner')
    await memberships.setRole(org.id, userId, low)
    expectActing(await memberships.findActing(await callerOf(userId), org.id), org, low, 'the org as a member')
    await memberships.remove(org.id, userId)
    const caller = await callerOf(userId)
    expect.absent(await memberships.findActing(caller, org.id), 'findActing after the removal')
    expect.same(await memberships.listActing(caller), [], 'listActing after the removal')
  }).needing('membershipAdmin'),
  test('orgs/acting-unknown-org: answer null for an org that does not exist, whoever asks, and for hostile ids', async (world) => {
    const { memberships, newMember, callerOf, low, newId } = world
    const { orgId: id, userId } = await newMember()
    const user = await callerOf(userId)
    for (const orgId of [newId(), ...expect.hostileIds(id)]) {
      for (const caller of [user, SERVICE, keyOf(orgId, low), keyOf(id, low)]) {
        await expect.none(`findActing for a ${caller.kind}`, [orgId], (odd) => memberships.findActing(caller, odd))
      }
    }
  }),
  test('orgs/acting-hostile-user: let nobody act whose user id is hostile, and never throw', async (world) => {
    const { memberships, newMember, newUser } = world
    const [{ orgId, userId }, row] = [await newMember(), await newUser()]
    const callers = (id: string): Caller => ({ kind: 'user', user: { ...row, id } })
    const ids = expect.hostileIds(userId)
    await expect.none('findActing', ids, (odd) => memberships.findActing(callers(odd), orgId))
    await expect.none('listActing', ids, (odd) => memberships.listActing(callers(odd)), [])
  }),
  test('orgs/acting-service: let a service act in any org that exists, as no role', async (world) => {
    const { memberships, newOrg, newMember, top } = world
    const org = await newOrg()
    await newMember({ orgId: org.id, role: top })
    expectActing(await memberships.findActing(SERVICE, org.id), org, null, 'the org for a service')
  }),
  test("orgs/acting-key: let an API key act in its own org as its own role, in no other and as nobody's role", async (world) => {
    const { memberships, newOrg, newMember, top, low } = world
    const org = await newOrg()
    const [key, other] = [keyOf(org.id, low), await newMember({ role: top })]
    await newMember({ orgId: org.id, role: top })
    expectActing(await memberships.findActing(key, org.id), org, low, 'the org for its key')
    expect.absent(await memberships.findActing(key, other.orgId), 'another org for the key')
    expect.same(await memberships.listActing(key), [{ org, role: low }], 'what the key may act in')
  }),
  test<World>('orgs/acting-machine: let a machine act in its own org as its own role or none, in no other; one bound to none in any', async (world) => {
    const { memberships, newOrg, newMember, top, low, newId } = world
    const org = await newOrg()
    const { orgId: other } = await newMember({ role: top })
    for (const role of [low, null]) {
      const [own, free] = [machineOf(org.id, role), machineOf(null, role)]
      for (const machine of [own, free]) {
        expectActing(await memberships.findActing(machine, org.id), org, role, 'the org for a machine')
      }
      expect.absent(await memberships.findActing(own, other), 'another org for a machine')
      expect.found(await memberships.findActing(free, other), 'any org for a machine that is bound to none')
      expect.absent(await memberships.findActing(free, newId()), 'an unknown org for it')
      expect.same(await memberships.listActing(own), [{ org, role }], 'what a machine may act in')
      expect.same(await memberships.listActing(free), [], 'what one that is bound to none has joined')
    }
  }).needing('machines'),
  test('orgs/list-own: list the orgs of the caller only, with the own role; of a stranger, none', async (world) => {
    const { memberships, newOrg, newMember, newUser, callerOf, top } = world
    const org = await newOrg()
    await newMember({ orgId: org.id })
    const { userId } = await newMember({ orgId: org.id, role: top })
    await newMember()
    const listed = await memberships.listActing(await callerOf(userId))
    expect.that(listed.length === 1, 'one org', listed)
    expectActing(listed[0], org, top, 'the own org, as the own role')
    expect.same(await memberships.listActing(await callerOf((await newUser()).id)), [], 'the orgs of a stranger')
  }),
  test('orgs/acting-copies: return copies of what a caller may act in', async ({
    memberships,
    newMember,
    callerOf,
  }) => {
    const { orgId, userId } = await newMember()
    const caller = await callerOf(userId)
    const find = () => memberships.findActing(caller, orgId)
    await expectCopies([await find()], [find, () => memberships.listActing(caller)])
  }),
]

async function expectMembership(
  users: UserRepository,
  person: NewUser,
  selection: OrgSelection,
  wanted: Acting,
): Promise<void> {
  const found = expect.found(await users.findByIdentity(person, selection), 'the user')
  const what = `the membership for the selection "${selection.kind}", or none asked`
  if (found.membership !== undefined) expect.same(found.membership, wanted, what)
}

/** No membership is handed on; the user is. */
async function expectNoMembership(users: UserRepository, person: NewUser, selection: OrgSelection): Promise<User> {
  const { user, membership } = expect.found(await users.findByIdentity(person, selection), 'the user, all the same')
  expect.that((membership ?? null) === null, `no membership for "${selection.kind}"`, membership)
  return user
}

const SELECTION_CASES: Cases<World> = [
  test('orgs/selection-named: answer a named org as findActing does: own, foreign, unknown and hostile', async (world) => {
    const { users, memberships, newMember, callerOf, top, newLogin, newId } = world
    const { person, userId } = await newLogin()
    const [own, foreign] = [await newMember(), await newMember()]
    await newMember({ orgId: own.orgId, userId, role: top })
    const caller = await callerOf(userId)
    for (const orgId of [own.orgId, foreign.orgId, newId(), ...expect.hostileIds(own.orgId)]) {
      const wanted = await memberships.findActing(caller, orgId)
      await expectMembership(users, person, { kind: 'named', orgId }, wanted)
    }
  }),
  test('orgs/selection-unnamed: answer an unnamed org as the first of listActing, and null for a user without any', async (world) => {
    const { users, memberships, newMember, callerOf, top, newLogin } = world
    const { person, userId } = await newLogin()
    const { orgId } = await newMember()
    await expectMembership(users, person, { kind: 'unnamed' }, null)
    await newMember({ orgId, userId, role: top })
    const [first] = await memberships.listActing(await callerOf(userId), 1)
    expect.that(first?.org.id === orgId, 'the org just joined to be listed', first)
    await expectMembership(users, person, { kind: 'unnamed' }, first)
  }),
  test('orgs/selection-malformed: find the user for a malformed or conflicting selection, and no membership', async (world) => {
    const { users, newMember, newLogin } = world
    const { person, user } = await newLogin()
    await newMember({ userId: user.id })
    for (const kind of ['malformed', 'conflict'] as const) {
      const { id } = await expectNoMembership(users, person, { kind })
      expect.same(id, user.id, 'the same user')
    }
  }),
]

const DELETED_CASES: Cases<World> = needing('deleteOrg', [
  test('orgs/deleted-is-gone: NOT find a deleted organization, nor let anybody act in it', async (world) => {
    const { orgs, memberships, newMember, callerOf, deleteOrg, low } = world
    const { orgId, userId } = await newMember()
    const [caller, key] = [await callerOf(userId), keyOf(orgId, low)]
    await deleteOrg(orgId)
    expect.absent(await orgs.findById(orgId), 'a deleted organization')
    for (const who of [caller, key, SERVICE]) {
      expect.absent(await memberships.findActing(who, orgId), `findActing in a deleted organization for a ${who.kind}`)
    }
    expect.same(await memberships.listActing(caller), [], 'what a member of a deleted organization may act in')
    expect.same(await memberships.listActing(key), [], 'what its API key may act in')
  }),
  test('orgs/deleted-selection: NOT hand on a deleted organization as the membership of a look-up by identity', async (world) => {
    const { users, newMember, deleteOrg, newLogin } = world
    const { person, userId } = await newLogin()
    const { orgId } = await newMember({ userId })
    await deleteOrg(orgId)
    await expectNoMembership(users, person, { kind: 'named', orgId })
    await expectNoMembership(users, person, { kind: 'unnamed' })
  }),
])

const MANY_CASES: Cases<World> = needing('many', [
  test('orgs/deleted-is-not-first: pass over a deleted organization in the join order, also where only one is asked for', async (world: World) => {
    const { memberships, newOrgs, newUser, joinAll, callerOf, deleteOrg } = world
    const { id } = await newUser()
    const [first, second] = await joinAll(id, await newOrgs(2))
    await deleteOrg(first?.orgId ?? '')
    const listed = idsOf(await memberships.listActing(await callerOf(id), 1))
    expect.same(listed, [second?.orgId], 'the earliest-joined organization that still exists')
  }).needing('deleteOrg'),
  test('orgs/acting-role-per-org: use the role of the membership in that org, never of another', async (world) => {
    const { memberships, newOrgs, newUser, joinAll, callerOf, top, low } = world
    const [{ id }, orgs] = [await newUser(), await newOrgs(3)]
    const roleOf = (index: number) => (index === 1 ? top : low)
    await joinAll(id, orgs, roleOf)
    const caller = await callerOf(id)
    for (const [index, org] of orgs.entries()) {
      expectActing(await memberships.findActing(caller, org.id), org, roleOf(index), 'the role of that org')
    }
  }),
  test('orgs/list-order: list by join time, earliest first, not by id', async (world) => {
    const { memberships, newOrgs, newUser, joinAll, callerOf } = world
    const { id } = await newUser()
    const wanted = inJoinOrder(await joinAll(id, await newOrgs(5)))
    expect.same(idsOf(await memberships.listActing(await callerOf(id))), wanted, 'the orgs in join order')
  }),
  test('orgs/list-ties: list orgs that were joined in the same millisecond by org id', async (world) => {
    const { storage, newOrgs, newUser, callerOf, low, transaction } = world
    const [{ id: userId }, orgs] = [await newUser(), await newOrgs(6)]
    // One transaction: in most storages that is one instant.
    const joined = await transaction(async ({ memberships }) => {
      const inserted: Membership[] = []
      for (const { id: orgId } of orgs) inserted.push(await memberships.insert({ orgId, userId, role: low }))
      return inserted
    })
    const listed = await storage.memberships.listActing(await callerOf(userId))
    expect.same(idsOf(listed), inJoinOrder(joined), 'the orgs by time in milliseconds, then id')
  }),
  test('orgs/list-limit: list the first `limit` of the order and no more', async (world) => {
    const { memberships, newOrgs, newUser, joinAll, callerOf } = world
    const { id } = await newUser()
    await joinAll(id, await newOrgs(4))
    const caller = await callerOf(id)
    const all = idsOf(await memberships.listActing(caller))
    expect.that(all.length === 4, '4 orgs without a limit', all)
    for (const limit of [1, 2, 4, 100]) {
      const listed = idsOf(await memberships.listActing(caller, limit))
      expect.same(listed, all.slice(0, limit), `the first ${limit} orgs`)
    }
  }),
  test('orgs/selection-many: answer the earliest-joined of several orgs where none is named, and the named one where one is', async (world) => {
    const { users, newOrgs, joinAll, top, low, newLogin } = world
    const [{ person, userId }, orgs] = [await newLogin(), await newOrgs(3)]
    const acting = orgs.map((org, index) => ({ org, role: index === 0 ? low : top }))
    await joinAll(userId, orgs, (index) => acting[index]?.role ?? '')
    await expectMembership(users, person, { kind: 'unnamed' }, acting[0])
    for (const one of acting) await expectMembership(users, person, { kind: 'named', orgId: one.org.id }, one)
  }),
])

export const ORG_CASES: Cases<World> = [
  ...CASES,
  ...SELECTION_CASES,
  ...DELETED_CASES,
  ...MANY_CASES,
  ...GIVEN_ID_CASES,
  ...ORG_ADMIN_CASES,
]
