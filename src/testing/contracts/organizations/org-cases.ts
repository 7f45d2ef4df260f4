/**
 * The promises of the organization repository, and of what a caller may act in: the membership's own role, the join
 * order, nothing of an organization that is deleted or somebody else's.
 */
import type { ActingOrg, Organization, OrgSelection } from '../../../context.ts'
import type { Membership, NewUser, UserRepository } from '../../../storage/repositories.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { hostileIds } from '../expectations.ts'
import { compareIds, expectCopies, type World } from '../storage-world.ts'
import { ACTING_CASES, expectActing } from './acting-cases.ts'

const CASES: Cases<World> = [
  test('orgs/found-after-insert: find an inserted organization as it was returned; two of one name are two', async (world) => {
    const { orgs } = world
    const [one, other] = [await orgs.insert({ name: 'Acme' }), await orgs.insert({ name: 'Acme' })]
    expect.that(one.id !== other.id, 'two ids', [one.id, other.id])
    expect.same(await orgs.findById(one.id), one, 'the organization found by id')
    expect.same(await orgs.findById(other.id), other, 'the other organization found by id')
  }),
  test('orgs/hostile-ids: find no organization by an unknown or hostile id, and never throw', async (world) => {
    const { orgs, newOrg, newId } = world
    const { id } = await newOrg()
    await expect.none('orgs.findById', [newId(), ...hostileIds(id)], (orgId) => orgs.findById(orgId))
  }),
  test('orgs/copies: return copies of organizations', async ({ orgs }) => {
    const input = { name: 'Acme' }
    const org = await orgs.insert(input)
    const { id } = org
    await expectCopies([org, input], [() => orgs.findById(id)])
  }),
]

/** The organizations in the order that the memberships' own instants say. */
function inJoinOrder(joined: readonly Membership[]): readonly string[] {
  return [...joined]
    .sort((a, b) => a.joinedAt.getTime() - b.joinedAt.getTime() || compareIds(a.orgId, b.orgId))
    .map(({ orgId }) => orgId)
}

function idsOf(acting: readonly ActingOrg<Organization>[]): readonly string[] {
  return acting.map(({ org }) => org.id)
}

const LIST_CASES: Cases<World> = [
  test('orgs/list-own: list the orgs of the caller only, with the own role; of a stranger, none', async (world) => {
    const { memberships, newOrg, newMember, newUser, callerOf, top, low } = world
    const [org, other] = [await newOrg(), await newOrg()]
    await newMember(org.id, low)
    const owner = await newMember(org.id, top)
    await newMember(other.id, low)
    const listed = await memberships.listActing(await callerOf(owner))
    expect.that(listed.length === 1, 'one org', listed)
    expectActing(listed[0], org, top, 'the own org, as the own role')
    expect.same(await memberships.listActing(await callerOf(await newUser())), [], 'the orgs of a stranger')
  }),
  test('orgs/acting-copies: return copies of what a caller may act in', async (world) => {
    const { memberships, newOrg, newMember, callerOf } = world
    const { id } = await newOrg()
    const caller = await callerOf(await newMember(id))
    const find = () => memberships.findActing(caller, id)
    await expectCopies([await find()], [find, () => memberships.listActing(caller)])
  }),
]

async function expectMembership(
  users: UserRepository,
  person: NewUser,
  selection: OrgSelection,
  wanted: ActingOrg<Organization> | null,
): Promise<void> {
  const found = expect.found(await users.findByIdentity(person, selection), 'the user')
  const what = `the membership for the selection "${selection.kind}", or none asked`
  if (found.membership !== undefined) expect.same(found.membership, wanted, what)
}

const SELECTION_CASES: Cases<World> = [
  test('orgs/selection-named: answer a named org as findActing does: own, foreign, unknown and hostile', async (world) => {
    const { users, memberships, newOrg, newMember, callerOf, top, low, newPerson, newId } = world
    const person = newPerson()
    const [{ user }, org, foreign] = [await users.upsertByIdentity(person), await newOrg(), await newOrg()]
    await newMember(org.id, low)
    await newMember(foreign.id, low)
    await memberships.insert({ orgId: org.id, userId: user.id, role: top })
    const caller = await callerOf(user)
    for (const orgId of [org.id, foreign.id, newId(), ...hostileIds(org.id)]) {
      const wanted = await memberships.findActing(caller, orgId)
      await expectMembership(users, person, { kind: 'named', orgId }, wanted)
    }
  }),
  test('orgs/selection-unnamed: answer an unnamed org as the first of listActing, and null for a user without any', async (world) => {
    const { users, memberships, newOrg, newMember, callerOf, top, low, newPerson } = world
    const person = newPerson()
    const [{ user }, org] = [await users.upsertByIdentity(person), await newOrg()]
    await newMember(org.id, low)
    await expectMembership(users, person, { kind: 'unnamed' }, null)
    await memberships.insert({ orgId: org.id, userId: user.id, role: top })
    const [first] = await memberships.listActing(await callerOf(user), 1)
    expect.that(first?.org.id === org.id, 'the org just joined to be listed', first)
    await expectMembership(users, person, { kind: 'unnamed' }, first)
  }),
  test('orgs/selection-malformed: find the user for a malformed or conflicting selection, and no membership', async (world) => {
    const { users, memberships, newOrg, low, newPerson } = world
    const person = newPerson()
    const [{ user }, org] = [await users.upsertByIdentity(person), await newOrg()]
    await memberships.insert({ orgId: org.id, userId: user.id, role: low })
    for (const kind of ['malformed', 'conflict'] as const) {
      const found = expect.found(await users.findByIdentity(person, { kind }), `the user, also for "${kind}"`)
      expect.that(found.user.id === user.id, 'the same user', found.user)
      expect.that((found.membership ?? null) === null, `no membership for "${kind}"`, found.membership)
    }
  }),
]

const DELETED_CASES: Cases<World> = needing('deleteOrg', [
  test('orgs/deleted-is-gone: NOT find a deleted organization, nor let anybody act in it', async (world) => {
    const { orgs, memberships, newOrg, newMember, callerOf, deleteOrg, low } = world
    const { id } = await newOrg()
    const caller = await callerOf(await newMember(id))
    await deleteOrg(id)
    const key = { id: 'key', name: 'key', orgId: id, role: low, scopes: [] }
    expect.absent(await orgs.findById(id), 'a deleted organization')
    for (const who of [caller, { kind: 'apiKey', key }, { kind: 'service', name: 'billing' }] as const) {
      expect.absent(await memberships.findActing(who, id), `findActing in a deleted organization for a ${who.kind}`)
    }
    expect.same(await memberships.listActing(caller), [], 'what a member of a deleted organization may act in')
    expect.same(await memberships.listActing({ kind: 'apiKey', key }), [], 'what its API key may act in')
  }),
  test('orgs/deleted-selection: NOT hand on a deleted organization as the membership of a look-up by identity', async (world) => {
    const { users, memberships, newOrg, deleteOrg, low, newPerson } = world
    const person = newPerson()
    const [{ user }, { id }] = [await users.upsertByIdentity(person), await newOrg()]
    await memberships.insert({ orgId: id, userId: user.id, role: low })
    await deleteOrg(id)
    for (const selection of [{ kind: 'named', orgId: id }, { kind: 'unnamed' }] as const) {
      const found = expect.found(await users.findByIdentity(person, selection), 'the user, who is still there')
      expect.that((found.membership ?? null) === null, `no membership for ${selection.kind}`, found.membership)
    }
  }),
])

const MANY_CASES: Cases<World> = needing('many', [
  ...needing<World>('deleteOrg', [
    test('orgs/deleted-is-not-first: pass over a deleted organization in the join order, also where only one is asked for', async (world) => {
      const { memberships, newOrgs, newUser, joinAll, callerOf, deleteOrg } = world
      const [user, orgs] = [await newUser(), await newOrgs(2)]
      const [first, second] = await joinAll(user, orgs)
      await deleteOrg(first?.orgId ?? '')
      const listed = idsOf(await memberships.listActing(await callerOf(user), 1))
      expect.same(listed, [second?.orgId], 'the earliest-joined organization that still exists')
    }),
  ]),
  test('orgs/acting-role-per-org: use the role of the membership in that org, never of another', async (world) => {
    const { memberships, newOrgs, newUser, joinAll, callerOf, top, low } = world
    const [user, orgs] = [await newUser(), await newOrgs(3)]
    await joinAll(user, orgs, (index) => (index === 1 ? top : low))
    const caller = await callerOf(user)
    for (const [index, org] of orgs.entries()) {
      const got = await memberships.findActing(caller, org.id)
      expectActing(got, org, index === 1 ? top : low, 'the role of that org')
    }
  }),
  test('orgs/list-order: list by join time, earliest first, not by id', async (world) => {
    const { memberships, newOrgs, newUser, joinAll, callerOf } = world
    const user = await newUser()
    const wanted = inJoinOrder(await joinAll(user, await newOrgs(5)))
    expect.same(idsOf(await memberships.listActing(await callerOf(user))), wanted, 'the orgs in join order')
  }),
  test('orgs/list-ties: list orgs that were joined in the same millisecond by org id', async (world) => {
    const { storage, newOrgs, newUser, callerOf, low, transaction } = world
    const [user, orgs] = [await newUser(), await newOrgs(6)]
    // One transaction: in most storages that is one instant.
    const joined = await transaction(async ({ memberships }) => {
      const inserted: Membership[] = []
      for (const { id } of orgs) inserted.push(await memberships.insert({ orgId: id, userId: user.id, role: low }))
      return inserted
    })
    const wanted = inJoinOrder(joined)
    expect.same(idsOf(await storage.memberships.listActing(await callerOf(user))), wanted, 'the orgs by time, then id')
  }),
  test('orgs/list-limit: list the first `limit` of the order and no more', async (world) => {
    const { memberships, newOrgs, newUser, joinAll, callerOf } = world
    const user = await newUser()
    await joinAll(user, await newOrgs(4))
    const caller = await callerOf(user)
    const all = idsOf(await memberships.listActing(caller))
    expect.that(all.length === 4, '4 orgs without a limit', all)
    for (const limit of [1, 2, 4, 100]) {
      const listed = idsOf(await memberships.listActing(caller, limit))
      expect.same(listed, all.slice(0, limit), `the first ${limit} orgs`)
    }
  }),
  test('orgs/selection-many: answer the earliest-joined of several orgs where none is named, and the named one where one is', async (world) => {
    const { users, newOrgs, joinAll, top, low, newPerson } = world
    const person = newPerson()
    const [{ user }, orgs] = [await users.upsertByIdentity(person), await newOrgs(3)]
    await joinAll(user, orgs, (index) => (index === 0 ? low : top))
    const acting = orgs.map((org, index) => ({ org, role: index === 0 ? low : top }))
    await expectMembership(users, person, { kind: 'unnamed' }, acting[0] ?? null)
    for (const one of acting) await expectMembership(users, person, { kind: 'named', orgId: one.org.id }, one)
  }),
])

export const ORG_CASES: Cases<World> = [
  ...CASES,
  ...ACTING_CASES,
  ...LIST_CASES,
  ...SELECTION_CASES,
  ...DELETED_CASES,
  ...MANY_CASES,
]
