/** The promises of the membership repository: unique by org and user, exact roles, a guarded last holder. */
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { byId, compareIds, expectCopies, pause, RACERS, race, type World } from '../storage-world.ts'
import { MEMBERSHIP_CHANGE_CASES } from './change-cases.ts'

const ADMIN_CASES: Cases<World> = needing('admin', [
  test('memberships/found-after-insert: find and list a membership as insert returned it', async (world) => {
    const { memberships, newOrg, newUser, low } = world
    const [org, user] = [await newOrg(), await newUser()]
    expect.absent(await memberships.find(org.id, user.id), 'the membership before it is inserted')
    const inserted = await memberships.insert({ orgId: org.id, userId: user.id, role: low })
    const { orgId, userId, role, joinedAt } = inserted
    expect.same([orgId, userId, role], [org.id, user.id, low], 'the inserted membership')
    expect.that(joinedAt instanceof Date, 'joinedAt to be a Date', joinedAt)
    expect.same(await memberships.find(org.id, user.id), inserted, 'the membership found')
    expect.same(await memberships.listByOrg(org.id), [inserted], 'the members of the org')
  }),
  ...needing<World>('deleteOrg', [
    test('memberships/deleted-org: treat a deleted org as if it had never been: no members, none to change, none to add', async (world) => {
      const { memberships, newOrg, newMember, newUser, deleteOrg, top, low } = world
      const { id: orgId } = await newOrg()
      const { id: userId } = await newMember(orgId, low)
      await deleteOrg(orgId)
      expect.absent(await memberships.find(orgId, userId), 'the membership')
      expect.same(await memberships.listByOrg(orgId), [], 'the members')
      expect.same(await memberships.setRole(orgId, userId, top), 'missing', 'setRole')
      expect.same(await memberships.remove(orgId, userId), 'missing', 'remove')
      const late = { orgId, userId: (await newUser()).id, role: low }
      await expect.rejected(memberships.insert(late), 'a new membership in a deleted org')
      const { id: elsewhere } = await newOrg()
      const joined = await memberships.insert({ orgId: elsewhere, userId, role: low })
      expect.same(await memberships.find(elsewhere, userId), joined, 'a membership of the user in another org')
    }),
  ]),
  test('memberships/list-order: list the members of an org by join time, then user id, and of that org only', async (world) => {
    const { storage, newOrg, newUser, newMember, low, transaction } = world
    const [org, other] = [await newOrg(), await newOrg()]
    const users = (await Promise.all(Array.from({ length: 8 }, newUser))).sort(byId).reverse()
    await newMember(other.id)
    for (const { id: userId } of users.slice(0, 3)) {
      await storage.memberships.insert({ orgId: org.id, userId, role: low })
      await pause(4)
    }
    // One transaction: in most storages that is one instant.
    await transaction(async ({ memberships }) => {
      for (const { id: userId } of users.slice(3)) await memberships.insert({ orgId: org.id, userId, role: low })
    })
    const listed = await storage.memberships.listByOrg(org.id)
    const wanted = [...listed].sort(
      (a, b) => a.joinedAt.getTime() - b.joinedAt.getTime() || compareIds(a.userId, b.userId),
    )
    const members = listed.map(({ userId }) => userId).sort(compareIds)
    expect.same(members, users.map(({ id }) => id).reverse(), 'the members of the org')
    expect.same(listed, wanted, 'the members in join order')
  }),
  test('memberships/instants: keep instants to the millisecond, the same wherever they are read', async (world) => {
    const { memberships, newOrg, newUser, low } = world
    const { id: orgId } = await newOrg()
    const instants: number[] = []
    for (let count = 0; count < 6; count++) {
      const { id: userId } = await newUser()
      const { joinedAt } = await memberships.insert({ orgId, userId, role: low })
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
    await expectCopies([inserted, input], [() => memberships.find(orgId, userId), () => memberships.listByOrg(orgId)])
  }),
])

const UNIQUE_CASES: Cases<World> = [
  test(`memberships/insert-race: let one of ${RACERS} concurrent inserts of a membership win; the others get a ConflictError`, async (world) => {
    const { memberships, newOrg, newUser, callerOf, expectStored, low } = world
    const [org, user] = [await newOrg(), await newUser()]
    const row = { orgId: org.id, userId: user.id, role: low }
    const winner = expect.oneWinner(await race(RACERS, () => memberships.insert(row)), 'insert')
    await expectStored(winner, 'the membership')
    expect.same(await memberships.listActing(await callerOf(user)), [{ org, role: low }], 'what the user may act in')
  }),
  test('memberships/insert-twice: refuse a second membership of the pair with a ConflictError and leave the first as it is', async (world) => {
    const { memberships, newOrg, newUser, expectStored, top, low } = world
    const [{ id: orgId }, { id: userId }] = [await newOrg(), await newUser()]
    const first = await memberships.insert({ orgId, userId, role: low })
    await expect.conflict(memberships.insert({ orgId, userId, role: top }), 'a second membership')
    await expectStored(first, 'the first membership, unchanged')
  }),
  ...needing<World>('many', [
    test('memberships/several-orgs: keep a membership of one user in each of several orgs', async (world) => {
      const { newOrgs, newUser, joinAll, expectStored, top, low } = world
      const [user, orgs] = [await newUser(), await newOrgs(2)]
      const joined = await joinAll(user, orgs, (index) => (index === 0 ? top : low))
      const wanted = orgs.map(({ id }, index) => [id, index === 0 ? top : low])
      expect.same(
        joined.map(({ orgId, role }) => [orgId, role]),
        wanted,
        'both',
      )
      for (const membership of joined) await expectStored(membership, 'each membership as inserted')
    }),
  ]),
  ...needing<World>('one', [
    test('memberships/one-per-user: refuse a membership in a second org with a ConflictError, also at once: nobody is moved', async (world) => {
      const { memberships, newOrg, newOrgs, newUser, expectStored, expectNoMember, low } = world
      const [user, orgs] = [await newUser(), await newOrgs(RACERS)]
      const results = await race(RACERS, (index) =>
        memberships.insert({ orgId: orgs[index]?.id ?? '', userId: user.id, role: low }),
      )
      const winner = expect.oneWinner(results, 'insert')
      for (const { id } of orgs) {
        if (id === winner.orgId) await expectStored(winner, 'the membership of the winner')
        else await expectNoMember(id, user.id, 'a membership of a loser')
      }
      const late = { orgId: (await newOrg()).id, userId: user.id, role: low }
      await expect.conflict(memberships.insert(late), 'a membership in a second org')
      await expectStored(winner, 'the one membership, unchanged')
    }),
  ]),
  test('memberships/insert-unknown: refuse a membership of a user or in an org that does not exist', async (world) => {
    const { memberships, newOrg, newUser, expectNoMember, low, newId } = world
    const [org, user, unknown] = [await newOrg(), await newUser(), newId()]
    for (const [orgId, userId] of [
      [org.id, unknown],
      [unknown, user.id],
    ] as const) {
      await expect.rejected(memberships.insert({ orgId, userId, role: low }), 'a membership of nobody or nowhere')
      await expectNoMember(orgId, userId, 'a membership of nobody or nowhere')
    }
  }),
]

export const MEMBERSHIP_CASES: Cases<World> = [...ADMIN_CASES, ...UNIQUE_CASES, ...MEMBERSHIP_CHANGE_CASES]
