/** Cases of the membership contract: the last holder of a role stays, also when two let go of it at once. */
import type { User } from '../../context.ts'
import type { CaseSpec } from './contract-case.ts'
import { race, retried, type World } from './contract-world.ts'
import { expectSame, expectThat, fulfilledValue } from './expectations.ts'

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
    const changes = results.map((result) => (result.status === 'rejected' ? result : fulfilledValue(result)))
    const wanted = [...Array.from({ length: holders - 1 }, () => 'done'), 'last']
    expectSame([...changes].sort(), wanted, `what became of ${holders} holders who let go at once`)
    const left = (await storage.memberships.listByOrg(org.id)).filter(({ role }) => role === top)
    expectThat(left.length === 1, 'one holder of the role to remain', left)
  }
}

export const GUARDED_CASES: readonly CaseSpec[] = [
  {
    id: 'memberships/keep-last',
    name: 'MUST keep the last holder of the role: neither demoted nor removed, and unchanged',
    requirement: 'L15',
    async test({ storage: { memberships }, newOrg, newMember, top, low }) {
      const { id: orgId } = await newOrg()
      const owner = await newMember(orgId, top)
      await newMember(orgId, low)
      const before = await memberships.listByOrg(orgId)
      expectSame(await memberships.setRole(orgId, owner.id, low, { keep: top }), 'last', 'a demotion')
      expectSame(await memberships.remove(orgId, owner.id, { keep: top }), 'last', 'a removal')
      expectSame(await memberships.listByOrg(orgId), before, 'the members, unchanged')
    },
  },
  {
    id: 'memberships/keep-not-needed',
    name: 'MUST make a guarded change that takes nothing from the last holder',
    requirement: 'L15',
    async test({ storage: { memberships }, newOrg, newMember, top, low }) {
      const { id: orgId } = await newOrg()
      const [owner, member] = [await newMember(orgId, top), await newMember(orgId, low)]
      expectSame(await memberships.setRole(orgId, owner.id, top, { keep: top }), 'done', 'the same role again')
      expectSame(await memberships.setRole(orgId, member.id, top, { keep: top }), 'done', 'a promotion')
      expectSame(await memberships.setRole(orgId, owner.id, low, { keep: top }), 'done', 'the demotion of one of two')
      expectSame(await memberships.remove(orgId, owner.id, { keep: top }), 'done', 'the removal of a lower one')
      const listed = (await memberships.listByOrg(orgId)).map(({ userId, role }) => [userId, role])
      expectSame(listed, [[member.id, top]], 'the members')
    },
  },
  {
    id: 'memberships/keep-unasked',
    name: 'MUST let the last holder go where no role is to be kept',
    async test({ storage: { memberships }, newOrg, newMember, top, low }) {
      const { id: orgId } = await newOrg()
      const owner = await newMember(orgId, top)
      expectSame(await memberships.setRole(orgId, owner.id, low), 'done', 'a demotion')
      expectSame((await memberships.find(orgId, owner.id))?.role, low, 'the role')
      await memberships.setRole(orgId, owner.id, top)
      expectSame(await memberships.remove(orgId, owner.id), 'done', 'a removal')
      expectSame(await memberships.listByOrg(orgId), [], 'the members')
    },
  },
  {
    id: 'memberships/keep-per-org',
    name: 'MUST count the holders of that org only, by the exact role name',
    requirement: 'L15',
    async test({ storage: { memberships }, newOrg, newMember, top, low, oddRoles }) {
      const [{ id: orgId }, { id: other }] = [await newOrg(), await newOrg()]
      const owner = await newMember(orgId, top)
      await newMember(other, top)
      for (const role of oddRoles) if (role !== top) await newMember(orgId, role)
      expectSame(await memberships.setRole(orgId, owner.id, low, { keep: top }), 'last', 'a demotion')
      expectSame(await memberships.remove(orgId, owner.id, { keep: top }), 'last', 'a removal')
    },
  },
  {
    id: 'memberships/keep-race-demote',
    name: 'MUST leave one holder of two who are demoted at once',
    requirement: 'L15',
    test: (world) => expectOneStays(world, 2, () => demote),
  },
  {
    id: 'memberships/keep-race-leave',
    name: 'MUST leave one holder of two who are removed at once',
    requirement: 'L15',
    test: (world) => expectOneStays(world, 2, () => leave),
  },
  {
    id: 'memberships/keep-race-mixed',
    name: 'MUST leave one holder of several who are demoted and removed at once',
    requirement: 'L15',
    test: (world) => expectOneStays(world, 4, (index) => (index % 2 === 0 ? demote : leave)),
  },
]
