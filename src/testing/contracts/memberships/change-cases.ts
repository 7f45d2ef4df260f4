/** Cases of the membership contract: roles as written, changes of one membership and no other, the last holder of a role. */
import type { User } from '../../../context.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { hostileIds } from '../expectations.ts'
import { race, retried, type World } from '../storage-world.ts'

const CHANGE_CASES: Cases<World> = [
  test('memberships/roles-exact: store and return role names exactly, known or not', async (world) => {
    const { memberships, newOrg, newMember, callerOf, oddRoles } = world
    const org = await newOrg()
    for (const role of oddRoles) {
      const user = await newMember(org.id, role)
      const found = await memberships.find(org.id, user.id)
      const acting = await memberships.findActing(await callerOf(user), org.id)
      expect.same([found?.role, acting?.role], [role, role], 'the inserted role')
    }
    const changed = await newMember(org.id)
    for (const role of oddRoles) {
      await memberships.setRole(org.id, changed.id, role)
      expect.same((await memberships.find(org.id, changed.id))?.role, role, 'the changed role')
    }
  }),
  test('memberships/set-role: change the role of that membership and nothing else of it', async (world) => {
    const { memberships, newOrg, newMember, newUser, top, low, newId } = world
    const [{ id: orgId }, stranger] = [await newOrg(), await newUser()]
    const user = await newMember(orgId, low)
    const before = expect.found(await memberships.find(orgId, user.id), 'the membership')
    expect.same(await memberships.setRole(orgId, user.id, top), 'done', 'what became of the change')
    expect.same(await memberships.find(orgId, user.id), { ...before, role: top }, 'the membership')
    for (const userId of [stranger.id, newId()]) {
      expect.same(await memberships.setRole(orgId, userId, top), 'missing', 'a change for no member')
      expect.same(await memberships.setRole(orgId, userId, low, { keep: top }), 'missing', 'a guarded one')
    }
    expect.absent(await memberships.find(orgId, stranger.id), 'a membership of a stranger')
  }),
  test('memberships/remove: remove that membership, once; the user may join again', async (world) => {
    const { memberships, newOrg, newMember, top, low } = world
    const { id: orgId } = await newOrg()
    const { id: userId } = await newMember(orgId, low)
    expect.same(await memberships.remove(orgId, userId), 'done', 'what became of the removal')
    expect.absent(await memberships.find(orgId, userId), 'the removed membership')
    expect.same(await memberships.listByOrg(orgId), [], 'the members')
    expect.same(await memberships.remove(orgId, userId), 'missing', 'a second removal')
    expect.same(await memberships.remove(orgId, userId, { keep: top }), 'missing', 'a guarded one')
    const again = await memberships.insert({ orgId, userId, role: top })
    expect.same(await memberships.listByOrg(orgId), [again], 'the members after joining again')
  }),
  test('memberships/other-org: NOT find, list, change or remove a membership by way of another org or another user', async (world) => {
    const { memberships, newOrg, newMember, top, low } = world
    const [{ id: orgA }, { id: orgB }] = [await newOrg(), await newOrg()]
    const [a, a2, b] = [await newMember(orgA, low), await newMember(orgA, low), await newMember(orgB, low)]
    const before = await memberships.listByOrg(orgA)
    expect.absent(await memberships.find(orgB, a.id), 'a member of one org in the other')
    expect.same(await memberships.setRole(orgB, a.id, top), 'missing', 'setRole by way of the other org')
    expect.same(await memberships.remove(orgB, a.id), 'missing', 'remove by way of the other org')
    expect.same(await memberships.listByOrg(orgA), before, 'the members of the one org')
    await memberships.setRole(orgA, a.id, top)
    await memberships.remove(orgA, a.id)
    expect.same((await memberships.find(orgA, a2.id))?.role, low, 'the role of the other member')
    const listed = (await memberships.listByOrg(orgB)).map(({ userId, role }) => [userId, role])
    expect.same(listed, [[b.id, low]], 'the members of the other org')
  }),
  test('memberships/hostile-ids: find and change nothing by hostile ids, and never throw', async (world) => {
    const { memberships, newOrg, newMember, top, low } = world
    const org = await newOrg()
    const user = await newMember(org.id, low)
    const [orgIds, userIds] = [hostileIds(org.id), hostileIds(user.id)]
    await expect.none('find by org', orgIds, (id) => memberships.find(id, user.id))
    await expect.none('find by user', userIds, (id) => memberships.find(org.id, id))
    await expect.none('listByOrg', orgIds, (id) => memberships.listByOrg(id), [])
    await expect.none('setRole by org', orgIds, (id) => memberships.setRole(id, user.id, top), 'missing')
    await expect.none('setRole by user', userIds, (id) => memberships.setRole(org.id, id, top), 'missing')
    await expect.none('remove by org', orgIds, (id) => memberships.remove(id, user.id), 'missing')
    await expect.none('remove by user', userIds, (id) => memberships.remove(org.id, id, { keep: top }), 'missing')
    const listed = await memberships.listByOrg(org.id)
    expect.that(listed.length === 1 && listed[0]?.role === low, 'the one member, unchanged', listed)
  }),
]

const ROUNDS = 15

/** A way to let go of the guarded role. */
type LetGo = (world: World, orgId: string, userId: string) => Promise<string>

const demote: LetGo = ({ storage, top, low }, orgId, userId) =>
  retried(() => storage.memberships.setRole(orgId, userId, low, { keep: top }))
const leave: LetGo = ({ storage, top }, orgId, userId) =>
  retried(() => storage.memberships.remove(orgId, userId, { keep: top }))

/** In each round all holders let go at once: one must stay, as `'last'`, the others are `'done'`. */
async function expectOneStays(world: World, holders: number, waysOf: (index: number) => LetGo): Promise<void> {
  const { storage, newOrg, newMember, top } = world
  for (let round = 0; round < ROUNDS; round++) {
    const org = await newOrg()
    const owners: User[] = []
    for (let count = 0; count < holders; count++) owners.push(await newMember(org.id, top))
    const results = await race(holders, (index) => waysOf(index)(world, org.id, owners[index]?.id ?? ''))
    const changes = [...expect.allFulfilled(results, 'change')].sort()
    const wanted = [...Array.from({ length: holders - 1 }, () => 'done'), 'last']
    expect.same(changes, wanted, `what became of ${holders} holders who let go at once`)
    const left = (await storage.memberships.listByOrg(org.id)).filter(({ role }) => role === top)
    expect.that(left.length === 1, 'one holder of the role to remain', left)
  }
}

const GUARDED_CASES: Cases<World> = [
  test('memberships/keep-last: keep the last holder of the role: neither demoted nor removed, and unchanged', async (world) => {
    const { memberships, newOrg, newMember, top, low } = world
    const { id: orgId } = await newOrg()
    const owner = await newMember(orgId, top)
    await newMember(orgId, low)
    const before = await memberships.listByOrg(orgId)
    expect.same(await memberships.setRole(orgId, owner.id, low, { keep: top }), 'last', 'a demotion')
    expect.same(await memberships.remove(orgId, owner.id, { keep: top }), 'last', 'a removal')
    expect.same(await memberships.listByOrg(orgId), before, 'the members, unchanged')
  }),
  test('memberships/keep-not-needed: make a guarded change that takes nothing from the last holder', async (world) => {
    const { memberships, newOrg, newMember, top, low } = world
    const { id: orgId } = await newOrg()
    const [owner, member] = [await newMember(orgId, top), await newMember(orgId, low)]
    expect.same(await memberships.setRole(orgId, owner.id, top, { keep: top }), 'done', 'the same role again')
    expect.same(await memberships.setRole(orgId, member.id, top, { keep: top }), 'done', 'a promotion')
    expect.same(await memberships.setRole(orgId, owner.id, low, { keep: top }), 'done', 'the demotion of one of two')
    expect.same(await memberships.remove(orgId, owner.id, { keep: top }), 'done', 'the removal of a lower one')
    const listed = (await memberships.listByOrg(orgId)).map(({ userId, role }) => [userId, role])
    expect.same(listed, [[member.id, top]], 'the members')
  }),
  test('memberships/keep-unasked: let the last holder go where no role is to be kept', async (world) => {
    const { memberships, newOrg, newMember, top, low } = world
    const { id: orgId } = await newOrg()
    const owner = await newMember(orgId, top)
    expect.same(await memberships.setRole(orgId, owner.id, low), 'done', 'a demotion')
    expect.same((await memberships.find(orgId, owner.id))?.role, low, 'the role')
    await memberships.setRole(orgId, owner.id, top)
    expect.same(await memberships.remove(orgId, owner.id), 'done', 'a removal')
    expect.same(await memberships.listByOrg(orgId), [], 'the members')
  }),
  test('memberships/keep-per-org: count the holders of that org only, by the exact role name', async (world) => {
    const { memberships, newOrg, newMember, top, low, oddRoles } = world
    const [{ id: orgId }, { id: other }] = [await newOrg(), await newOrg()]
    const owner = await newMember(orgId, top)
    await newMember(other, top)
    for (const role of oddRoles) if (role !== top) await newMember(orgId, role)
    expect.same(await memberships.setRole(orgId, owner.id, low, { keep: top }), 'last', 'a demotion')
    expect.same(await memberships.remove(orgId, owner.id, { keep: top }), 'last', 'a removal')
  }),
  test('memberships/keep-race-demote: leave one holder of two who are demoted at once', (world) =>
    expectOneStays(world, 2, () => demote)),
  test('memberships/keep-race-leave: leave one holder of two who are removed at once', (world) =>
    expectOneStays(world, 2, () => leave)),
  test('memberships/keep-race-mixed: leave one holder of several who are demoted and removed at once', (world) =>
    expectOneStays(world, 4, (index) => (index % 2 === 0 ? demote : leave))),
]

/** The cases of changes. */
export const MEMBERSHIP_CHANGE_CASES: Cases<World> = needing('admin', [...CHANGE_CASES, ...GUARDED_CASES])
