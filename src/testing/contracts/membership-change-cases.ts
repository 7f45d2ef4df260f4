/** Cases of the membership contract: roles as they were written, changes that meet one membership and no other. */
import type { CaseSpec } from './contract-case.ts'
import { expectFound, expectNull, expectSame, expectThat } from './expectations.ts'
import { expectNothing, hostileIds } from './hostile-ids.ts'

export const MEMBERSHIP_CHANGE_CASES: readonly CaseSpec[] = [
  {
    id: 'memberships/roles-exact',
    name: 'MUST store and return role names exactly, known or not',
    requirement: 'O6',
    async test({ storage: { memberships }, newOrg, newMember, callerOf, oddRoles }) {
      const org = await newOrg()
      for (const role of oddRoles) {
        const user = await newMember(org.id, role)
        const found = await memberships.find(org.id, user.id)
        const acting = await memberships.findActing(await callerOf(user), org.id)
        expectSame([found?.role, acting?.role], [role, role], 'the inserted role')
      }
      const changed = await newMember(org.id)
      for (const role of oddRoles) {
        await memberships.setRole(org.id, changed.id, role)
        expectSame((await memberships.find(org.id, changed.id))?.role, role, 'the changed role')
      }
    },
  },
  {
    id: 'memberships/set-role',
    name: 'MUST change the role of that membership and nothing else of it',
    async test({ storage: { memberships }, newOrg, newMember, newUser, top, low }) {
      const [{ id: orgId }, stranger] = [await newOrg(), await newUser()]
      const user = await newMember(orgId, low)
      const before = expectFound(await memberships.find(orgId, user.id), 'the membership')
      expectSame(await memberships.setRole(orgId, user.id, top), 'done', 'what became of the change')
      expectSame(await memberships.find(orgId, user.id), { ...before, role: top }, 'the membership')
      for (const userId of [stranger.id, crypto.randomUUID()]) {
        expectSame(await memberships.setRole(orgId, userId, top), 'missing', 'a change for no member')
        expectSame(await memberships.setRole(orgId, userId, low, { keep: top }), 'missing', 'a guarded one')
      }
      expectNull(await memberships.find(orgId, stranger.id), 'a membership of a stranger')
    },
  },
  {
    id: 'memberships/remove',
    name: 'MUST remove that membership, once; the user may join again',
    async test({ storage: { memberships }, newOrg, newMember, top, low }) {
      const { id: orgId } = await newOrg()
      const { id: userId } = await newMember(orgId, low)
      expectSame(await memberships.remove(orgId, userId), 'done', 'what became of the removal')
      expectNull(await memberships.find(orgId, userId), 'the removed membership')
      expectSame(await memberships.listByOrg(orgId), [], 'the members')
      expectSame(await memberships.remove(orgId, userId), 'missing', 'a second removal')
      expectSame(await memberships.remove(orgId, userId, { keep: top }), 'missing', 'a guarded one')
      const again = await memberships.insert({ orgId, userId, role: top })
      expectSame(await memberships.listByOrg(orgId), [again], 'the members after joining again')
    },
  },
  {
    id: 'memberships/other-org',
    name: 'MUST NOT find, list, change or remove a membership by way of another org or another user',
    requirement: 'O3',
    async test({ storage: { memberships }, newOrg, newMember, top, low }) {
      const [{ id: orgA }, { id: orgB }] = [await newOrg(), await newOrg()]
      const [a, a2, b] = [await newMember(orgA, low), await newMember(orgA, low), await newMember(orgB, low)]
      const before = await memberships.listByOrg(orgA)
      expectNull(await memberships.find(orgB, a.id), 'a member of one org in the other')
      expectSame(await memberships.setRole(orgB, a.id, top), 'missing', 'setRole by way of the other org')
      expectSame(await memberships.remove(orgB, a.id), 'missing', 'remove by way of the other org')
      expectSame(await memberships.listByOrg(orgA), before, 'the members of the one org')
      await memberships.setRole(orgA, a.id, top)
      await memberships.remove(orgA, a.id)
      expectSame((await memberships.find(orgA, a2.id))?.role, low, 'the role of the other member')
      const listed = (await memberships.listByOrg(orgB)).map(({ userId, role }) => [userId, role])
      expectSame(listed, [[b.id, low]], 'the members of the other org')
    },
  },
  {
    id: 'memberships/hostile-ids',
    name: 'MUST find and change nothing by hostile ids, and never throw',
    requirement: 'V1',
    async test({ storage: { memberships }, newOrg, newMember, top, low }) {
      const org = await newOrg()
      const user = await newMember(org.id, low)
      const [orgIds, userIds] = [hostileIds(org.id), hostileIds(user.id)]
      const empty = (got: unknown): boolean => Array.isArray(got) && got.length === 0
      const missing = (got: unknown): boolean => got === 'missing'
      await expectNothing('find by org', orgIds, (id) => memberships.find(id, user.id))
      await expectNothing('find by user', userIds, (id) => memberships.find(org.id, id))
      await expectNothing('listByOrg', orgIds, (id) => memberships.listByOrg(id), empty)
      await expectNothing('setRole by org', orgIds, (id) => memberships.setRole(id, user.id, top), missing)
      await expectNothing('setRole by user', userIds, (id) => memberships.setRole(org.id, id, top), missing)
      await expectNothing('remove by org', orgIds, (id) => memberships.remove(id, user.id), missing)
      await expectNothing('remove by user', userIds, (id) => memberships.remove(org.id, id, { keep: top }), missing)
      const listed = await memberships.listByOrg(org.id)
      expectThat(listed.length === 1 && listed[0]?.role === low, 'the one member, unchanged', listed)
    },
  },
]
