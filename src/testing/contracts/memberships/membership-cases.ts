/** The promises of the membership repository: unique by org and user, exact roles, changes of one membership and no other. */
import type { Member, Membership } from '../../../storage/repositories.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { byId, compareIds, idsOf, pause, RACERS, race } from '../races.ts'
import { expectCopies, type World } from '../storage-world.ts'
import { KEEP_CASES, rolesIn } from './keep-cases.ts'

/** The membership itself, as it was inserted and is found. */
function rowOf(member: Membership | undefined): Membership | null {
  if (member === undefined) return null
  const { orgId, userId, role, joinedAt } = member
  return { orgId, userId, role, joinedAt }
}

const RECORD_CASES: Cases<World> = [
  test('memberships/found-after-insert: find and list a membership as insert returned it', async (world) => {
    const { memberships, newOrg, newUser, low } = world
    const [{ id: orgId }, { id: userId }] = [await newOrg(), await newUser()]
    expect.absent(await memberships.find(orgId, userId), 'the membership before it is inserted')
    const inserted = await memberships.insert({ orgId, userId, role: low })
    const { joinedAt, ...given } = inserted
    expect.same(given, { orgId, userId, role: low }, 'the inserted membership')
    expect.that(joinedAt instanceof Date, 'joinedAt to be a Date', joinedAt)
    expect.same(await memberships.find(orgId, userId), inserted, 'the membership found')
    const [listed, ...others] = await memberships.listByOrg(orgId)
    expect.same([rowOf(listed), others], [inserted, []], 'the members of the org')
  }),
  test('memberships/list-members: list each member with the e-mail of the user, or none, and whether the user is disabled', async (world: World) => {
    const { memberships, users, newOrg, newPerson, newIdentity, newMember, disableUser } = world
    const { id: orgId } = await newOrg()
    const people = [newPerson(), { ...newIdentity(), email: null }, newPerson()]
    const wanted: Member[] = []
    for (const [index, person] of people.entries()) {
      const { user } = await users.upsertByIdentity(person)
      const membership = await newMember({ orgId, userId: user.id })
      if (index === 2) await disableUser(user.id)
      wanted.push({ ...membership, email: person.email, disabled: index === 2 })
      await pause(4)
    }
    expect.same(await memberships.listByOrg(orgId), wanted, 'the members')
  }).needing('disableUser'),
  test('memberships/deleted-org: treat a deleted org as if it had never been: no members, none to change, none to add', async (world: World) => {
    const { memberships, newMember, deleteOrg, top } = world
    const { orgId, userId } = await newMember()
    await deleteOrg(orgId)
    expect.absent(await memberships.find(orgId, userId), 'the membership')
    expect.same(await memberships.listByOrg(orgId), [], 'the members')
    expect.same(await memberships.setRole(orgId, userId, top), 'missing', 'setRole')
    expect.same(await memberships.remove(orgId, userId), 'missing', 'remove')
    await expect.rejected(newMember({ orgId }), 'a new membership in a deleted org')
    const joined = await newMember({ userId })
    expect.same(await memberships.find(joined.orgId, userId), joined, 'a membership of the user in another org')
  }).needing('deleteOrg'),
  test('memberships/list-order: list the members of an org by join time, then user id, and of that org only', async (world) => {
    const { storage, newOrg, newUser, newMember, low, transaction } = world
    const { id: orgId } = await newOrg()
    const users = (await Promise.all(Array.from({ length: 8 }, newUser))).sort(byId).reverse()
    await newMember()
    for (const { id: userId } of users.slice(0, 3)) {
      await newMember({ orgId, userId })
      await pause(4)
    }
    // One transaction: in most storages that is one instant.
    await transaction(async ({ memberships }) => {
      for (const { id: userId } of users.slice(3)) await memberships.insert({ orgId, userId, role: low })
    })
    const listed = await storage.memberships.listByOrg(orgId)
    const inOrder = (a: Membership, b: Membership) =>
      a.joinedAt.getTime() - b.joinedAt.getTime() || compareIds(a.userId, b.userId)
    const members = listed.map(({ userId }) => userId).sort(compareIds)
    expect.same(members, idsOf(users).toReversed(), 'the members of the org')
    expect.same(listed, [...listed].sort(inOrder), 'the members in join order')
  }),
  test('memberships/instants: keep instants to the millisecond, the same wherever they are read', async (world) => {
    const { memberships, newOrg, newMember } = world
    const { id: orgId } = await newOrg()
    const instants: number[] = []
    for (let count = 0; count < 6; count++) {
      const { userId, joinedAt } = await newMember({ orgId })
      expect.same((await memberships.find(orgId, userId))?.joinedAt, joinedAt, 'joinedAt, found')
      instants.push(joinedAt.getTime())
      await pause(7)
    }
    const listed = (await memberships.listByOrg(orgId)).map(({ joinedAt }) => joinedAt.getTime())
    expect.same(listed, instants, 'joinedAt, listed')
    const ascending = [...new Set(instants)].sort((a, b) => a - b)
    expect.same(instants, ascending, 'instants 7 ms apart, each later than the one before')
    // Ten minutes: clocks differ, but a time zone taken for another is off by more.
    const off = Math.abs((instants[0] ?? 0) - Date.now())
    expect.that(off < 600_000, 'joinedAt to be now', new Date(instants[0] ?? 0))
  }),
  test('memberships/copies: return copies of memberships, Dates included', async (world) => {
    const { memberships, newOrg, newUser, low } = world
    const [{ id: orgId }, { id: userId }] = [await newOrg(), await newUser()]
    const input = { orgId, userId, role: low }
    const inserted = await memberships.insert(input)
    await expectCopies([inserted, input], [() => memberships.find(orgId, userId)])
    const list = () => memberships.listByOrg(orgId)
    await expectCopies([(await list())[0]], [list])
  }),
]

const UNIQUE_CASES: Cases<World> = [
  test(`memberships/insert-race: let one of ${RACERS} concurrent inserts of a membership win; the others get a ConflictError`, async (world) => {
    const { memberships, newOrg, newUser, newMember, callerOf, expectStored, low } = world
    const [org, { id: userId }] = [await newOrg(), await newUser()]
    const winner = expect.oneWinner(await race(RACERS, () => newMember({ orgId: org.id, userId })), 'insert')
    await expectStored(winner, 'the membership')
    expect.same(await memberships.listActing(await callerOf(userId)), [{ org, role: low }], 'what the user may act in')
  }),
  test('memberships/insert-twice: refuse a second membership of the pair with a ConflictError and leave the first as it is', async (world) => {
    const { newMember, expectStored, top } = world
    const first = await newMember()
    await expect.conflict(newMember({ ...first, role: top }), 'a second membership')
    await expectStored(first, 'the first membership, unchanged')
  }),
  test('memberships/several-orgs: keep a membership of one user in each of several orgs', async (world: World) => {
    const { newOrgs, newUser, joinAll, expectStored, top, low } = world
    const [{ id: userId }, orgs] = [await newUser(), await newOrgs(2)]
    const wanted = orgs.map(({ id: orgId }, index) => ({ orgId, userId, role: index === 0 ? top : low }))
    const joined = await joinAll(userId, orgs, (index) => wanted[index]?.role ?? '')
    for (const [index, membership] of joined.entries()) {
      expect.same({ ...membership, joinedAt: undefined }, wanted[index], 'each membership')
      await expectStored(membership, 'each membership as inserted')
    }
  }).needing('many'),
  test('memberships/one-per-user: refuse a membership in a second org with a ConflictError, also at once: nobody is moved', async (world: World) => {
    const { newOrgs, newUser, newMember, expectStored, findMember } = world
    const [{ id: userId }, orgs] = [await newUser(), await newOrgs(RACERS)]
    const results = await Promise.allSettled(orgs.map(({ id: orgId }) => newMember({ orgId, userId })))
    const winner = expect.oneWinner(results, 'insert')
    for (const { id } of orgs) {
      if (id === winner.orgId) await expectStored(winner, 'the membership of the winner')
      else expect.absent(await findMember(id, userId), 'a membership of a loser')
    }
    await expect.conflict(newMember({ userId }), 'a membership in a second org')
    await expectStored(winner, 'the one membership, unchanged')
  }).needing('one'),
  test('memberships/insert-unknown: refuse a membership of a user or in an org that does not exist', async (world) => {
    const { newOrg, newUser, newMember, findMember, newId } = world
    const [org, user, unknown] = [await newOrg(), await newUser(), newId()]
    const wrong = [
      { orgId: org.id, userId: unknown },
      { orgId: unknown, userId: user.id },
    ]
    for (const { orgId, userId } of wrong) {
      await expect.rejected(newMember({ orgId, userId }), 'a membership of nobody or nowhere')
      expect.absent(await findMember(orgId, userId), 'a membership of nobody or nowhere')
    }
  }),
]

const CHANGE_CASES: Cases<World> = [
  test('memberships/roles-exact: store and return role names exactly, known or not', async (world) => {
    const { memberships, newMember, callerOf, oddRoles } = world
    const { orgId, userId: changed } = await newMember()
    for (const role of oddRoles) {
      const { userId } = await newMember({ orgId, role })
      const found = await memberships.find(orgId, userId)
      const acting = await memberships.findActing(await callerOf(userId), orgId)
      expect.same([found?.role, acting?.role], [role, role], 'the inserted role')
      await memberships.setRole(orgId, changed, role)
      expect.same((await memberships.find(orgId, changed))?.role, role, 'the changed role')
    }
  }),
  test('memberships/set-role: change the role of that membership and nothing else of it', async (world) => {
    const { memberships, newMember, newUser, top, low, newId } = world
    const [{ orgId, userId }, stranger] = [await newMember(), await newUser()]
    const before = expect.found(await memberships.find(orgId, userId), 'the membership')
    expect.same(await memberships.setRole(orgId, userId, top), 'done', 'what became of the change')
    expect.same(await memberships.find(orgId, userId), { ...before, role: top }, 'the membership')
    for (const nobody of [stranger.id, newId()]) {
      expect.same(await memberships.setRole(orgId, nobody, top), 'missing', 'a change for no member')
      expect.same(await memberships.setRole(orgId, nobody, low, { keep: top }), 'missing', 'a guarded one')
    }
    expect.absent(await memberships.find(orgId, stranger.id), 'a membership of a stranger')
  }),
  test('memberships/remove: remove that membership, once; the user may join again', async (world) => {
    const { memberships, newMember, top } = world
    const { orgId, userId } = await newMember()
    expect.same(await memberships.remove(orgId, userId), 'done', 'what became of the removal')
    expect.absent(await memberships.find(orgId, userId), 'the removed membership')
    expect.same(await memberships.listByOrg(orgId), [], 'the members')
    expect.same(await memberships.remove(orgId, userId), 'missing', 'a second removal')
    expect.same(await memberships.remove(orgId, userId, { keep: top }), 'missing', 'a guarded one')
    const again = await newMember({ orgId, userId, role: top })
    const listed = (await memberships.listByOrg(orgId)).map(rowOf)
    expect.same(listed, [again], 'the members after joining again')
  }),
  test('memberships/other-org: NOT find, list, change or remove a membership by way of another org or another user', async (world) => {
    const { memberships, newMember, top } = world
    const [{ orgId, userId }, there] = [await newMember(), await newMember()]
    const beside = await newMember({ orgId })
    const before = await memberships.listByOrg(orgId)
    expect.absent(await memberships.find(there.orgId, userId), 'a member of one org in the other')
    expect.same(await memberships.setRole(there.orgId, userId, top), 'missing', 'setRole by way of the other org')
    expect.same(await memberships.remove(there.orgId, userId), 'missing', 'remove by way of the other org')
    expect.same(await memberships.listByOrg(orgId), before, 'the members of the one org')
    await memberships.setRole(orgId, userId, top)
    await memberships.remove(orgId, userId)
    expect.same((await memberships.find(orgId, beside.userId))?.role, beside.role, 'the role of the other member')
    const listed = rolesIn(await memberships.listByOrg(there.orgId))
    expect.same(listed, rolesIn([there]), 'the members of the other org')
  }),
  test('memberships/other-memberships: change and remove the membership in that org only: what the same user has in others stays', async (world: World) => {
    const { memberships, newOrgs, newUser, joinAll, expectStored, top } = world
    for (const guard of [{}, { keep: top }]) {
      const { id: userId } = await newUser()
      const joined = await joinAll(userId, await newOrgs(3))
      const [changed, removed, other] = joined as [Membership, Membership, Membership]
      expect.same(await memberships.setRole(changed.orgId, userId, top, guard), 'done', 'a change in one org')
      expect.same(await memberships.remove(removed.orgId, userId, guard), 'done', 'a removal from another')
      await expectStored({ ...changed, role: top }, 'the membership that was changed')
      await expectStored(other, 'the membership in a third org')
    }
  }).needing('many'),
  test('memberships/hostile-ids: find and change nothing by hostile ids, and never throw', async (world) => {
    const { memberships, newMember, top } = world
    const { orgId, userId, role } = await newMember()
    const [orgIds, userIds] = [expect.hostileIds(orgId), expect.hostileIds(userId)]
    await expect.none('find by org', orgIds, (id) => memberships.find(id, userId))
    await expect.none('find by user', userIds, (id) => memberships.find(orgId, id))
    await expect.none('listByOrg', orgIds, (id) => memberships.listByOrg(id), [])
    await expect.none('setRole by org', orgIds, (id) => memberships.setRole(id, userId, top), 'missing')
    await expect.none('setRole by user', userIds, (id) => memberships.setRole(orgId, id, top), 'missing')
    await expect.none('remove by org', orgIds, (id) => memberships.remove(id, userId), 'missing')
    await expect.none('remove by user', userIds, (id) => memberships.remove(orgId, id, { keep: top }), 'missing')
    expect.same(rolesIn(await memberships.listByOrg(orgId)), [[userId, role]], 'the one member, unchanged')
  }),
]

export const MEMBERSHIP_CASES: Cases<World> = [
  ...needing('membershipAdmin', RECORD_CASES),
  ...UNIQUE_CASES,
  ...needing('membershipAdmin', [...CHANGE_CASES, ...KEEP_CASES]),
]
