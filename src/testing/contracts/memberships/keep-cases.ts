/** Cases of the membership contract: the last holder of a role that must stay is neither demoted nor removed, by several at once either. */
import type { Membership } from '../../../storage/repositories.ts'
import { type Cases, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { race, retried } from '../races.ts'
import type { World } from '../storage-world.ts'

/** Who is a member, as what. */
export const rolesIn = (members: readonly Membership[]): (readonly [userId: string, role: string])[] =>
  members.map(({ userId, role }) => [userId, role])

/** A way to let go of the guarded role. */
type LetGo = (world: World, orgId: string, userId: string) => Promise<string>

const demote: LetGo = ({ memberships, top, low }, orgId, userId) =>
  retried(() => memberships.setRole(orgId, userId, low, { keep: top }))
const leave: LetGo = ({ memberships, top }, orgId, userId) =>
  retried(() => memberships.remove(orgId, userId, { keep: top }))

/** In each of 15 rounds all holders let go at once: one must stay, as `'last'`, the others are `'done'`. */
export async function expectOneStays(world: World, holders: number, wayOf: (index: number) => LetGo): Promise<void> {
  const { memberships, newOrg, newMember, top } = world
  for (let round = 0; round < 15; round++) {
    const { id: orgId } = await newOrg()
    const owners: Membership[] = []
    for (let count = 0; count < holders; count++) owners.push(await newMember({ orgId, role: top }))
    const results = await race(holders, (index) => wayOf(index)(world, orgId, owners[index]?.userId ?? ''))
    const changes = [...expect.allFulfilled(results, 'change')].sort()
    const wanted = [...Array.from({ length: holders - 1 }, () => 'done'), 'last']
    expect.same(changes, wanted, `what became of ${holders} holders who let go at once`)
    const left = (await memberships.listByOrg(orgId)).filter(({ role }) => role === top)
    expect.that(left.length === 1, 'one holder of the role to remain', left)
  }
}

export const KEEP_CASES: Cases<World> = [
  test('memberships/keep-last: keep the last holder of the role: neither demoted nor removed, and unchanged', async (world) => {
    const { memberships, newMember, top, low } = world
    const { orgId, userId } = await newMember({ role: top })
    await newMember({ orgId, role: low })
    const before = await memberships.listByOrg(orgId)
    expect.same(await memberships.setRole(orgId, userId, low, { keep: top }), 'last', 'a demotion')
    expect.same(await memberships.remove(orgId, userId, { keep: top }), 'last', 'a removal')
    expect.same(await memberships.listByOrg(orgId), before, 'the members, unchanged')
  }),
  test('memberships/keep-not-needed: make a guarded change that takes nothing from the last holder', async (world) => {
    const { memberships, newMember, top, low } = world
    const { orgId, userId } = await newMember({ role: top })
    const member = await newMember({ orgId, role: low })
    expect.same(await memberships.setRole(orgId, userId, top, { keep: top }), 'done', 'the same role again')
    expect.same(await memberships.setRole(orgId, member.userId, top, { keep: top }), 'done', 'a promotion')
    expect.same(await memberships.setRole(orgId, userId, low, { keep: top }), 'done', 'the demotion of one of two')
    expect.same(await memberships.remove(orgId, userId, { keep: top }), 'done', 'the removal of a lower one')
    expect.same(rolesIn(await memberships.listByOrg(orgId)), [[member.userId, top]], 'the members')
  }),
  test('memberships/keep-unasked: let the last holder go where no role is to be kept', async (world) => {
    const { memberships, newMember, top, low } = world
    const { orgId, userId } = await newMember({ role: top })
    expect.same(await memberships.setRole(orgId, userId, low), 'done', 'a demotion')
    expect.same((await memberships.find(orgId, userId))?.role, low, 'the role')
    await memberships.setRole(orgId, userId, top)
    expect.same(await memberships.remove(orgId, userId), 'done', 'a removal')
    expect.same(await memberships.listByOrg(orgId), [], 'the members')
  }),
  test('memberships/keep-per-org: count the holders of that org only, by the exact role name', async (world) => {
    const { memberships, newMember, top, low, oddRoles } = world
    const { orgId, userId } = await newMember({ role: top })
    await newMember({ role: top })
    for (const role of oddRoles) if (role !== top) await newMember({ orgId, role })
    expect.same(await memberships.setRole(orgId, userId, low, { keep: top }), 'last', 'a demotion')
    expect.same(await memberships.remove(orgId, userId, { keep: top }), 'last', 'a removal')
  }),
  test('memberships/keep-disabled: count no holder whose user is disabled, and let a disabled one go where another stays', async (world: World) => {
    const { memberships, newMember, disableUser, top, low } = world
    const { orgId, userId } = await newMember({ role: top })
    const disabled = await newMember({ orgId, role: top })
    await disableUser(disabled.userId)
    expect.same(await memberships.setRole(orgId, userId, low, { keep: top }), 'last', 'a demotion')
    expect.same(await memberships.remove(orgId, userId, { keep: top }), 'last', 'a removal')
    expect.same(await memberships.remove(orgId, disabled.userId, { keep: top }), 'done', 'the removal of the disabled')
    expect.same(rolesIn(await memberships.listByOrg(orgId)), [[userId, top]], 'the members')
    const both = [await newMember({ role: top })]
    both.push(await newMember({ orgId: both[0]?.orgId ?? '', role: top }))
    for (const { userId: id } of both) await disableUser(id)
    for (const { orgId: org, userId: id } of both) {
      expect.same(await memberships.setRole(org, id, low, { keep: top }), 'last', 'a demotion among disabled ones')
    }
  }).needing('disableUser'),
  test('memberships/keep-race-demote: leave one holder of two who are demoted at once', (world) =>
    expectOneStays(world, 2, () => demote)),
  test('memberships/keep-race-leave: leave one holder of two who are removed at once', (world) =>
    expectOneStays(world, 2, () => leave)),
  test('memberships/keep-race-mixed: leave one holder of several who are demoted and removed at once', (world) =>
    expectOneStays(world, 4, (index) => (index % 2 === 0 ? demote : leave))),
]
