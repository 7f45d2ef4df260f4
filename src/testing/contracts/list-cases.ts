/** Cases of the organization contract: `listActing`, by join time and then org id. */
import type { ActingOrg, Organization, User } from '../../context.ts'
import type { Membership, MembershipAdmin } from '../../storage/repositories.ts'
import { expectActing } from './acting-cases.ts'
import type { CaseSpec } from './contract-case.ts'
import { compareIds, pause, spoil } from './contract-world.ts'
import { expectFound, expectSame, expectThat, textOf } from './expectations.ts'

/** The user's organizations in the order that the memberships' own instants say. */
async function inJoinOrder(
  memberships: MembershipAdmin,
  user: User,
  orgs: readonly Organization[],
): Promise<readonly string[]> {
  const joined: Membership[] = []
  for (const { id } of orgs) joined.push(expectFound(await memberships.find(id, user.id), 'the membership'))
  return joined
    .sort((a, b) => a.joinedAt.getTime() - b.joinedAt.getTime() || compareIds(a.orgId, b.orgId))
    .map(({ orgId }) => orgId)
}

function idsOf(acting: readonly ActingOrg<Organization>[]): readonly string[] {
  return acting.map(({ org }) => org.id)
}

export const LIST_CASES: readonly CaseSpec[] = [
  {
    id: 'orgs/list-own',
    name: 'MUST list the orgs of the caller only, with the own role; of a stranger, none',
    requirement: 'O3',
    async test({ storage: { memberships }, newOrg, newMember, newUser, callerOf, top, low }) {
      const [org, other] = [await newOrg(), await newOrg()]
      await newMember(org.id, low)
      const owner = await newMember(org.id, top)
      await newMember(other.id, low)
      const listed = await memberships.listActing(await callerOf(owner))
      expectThat(listed.length === 1, 'one org', listed)
      expectActing(listed[0], org, top, 'the own org, as the own role')
      expectSame(await memberships.listActing(await callerOf(await newUser())), [], 'the orgs of a stranger')
    },
  },
  {
    id: 'orgs/list-order',
    name: 'MUST list by join time, earliest first, not by id',
    requirement: 'O4',
    needs: ['many'],
    async test({ storage: { memberships }, newOrgs, newUser, callerOf, low }) {
      const [user, orgs] = [await newUser(), await newOrgs(5)]
      for (const { id } of orgs) {
        await memberships.insert({ orgId: id, userId: user.id, role: low })
        await pause(4)
      }
      const wanted = await inJoinOrder(memberships, user, orgs)
      expectSame(idsOf(await memberships.listActing(await callerOf(user))), wanted, 'the orgs in join order')
    },
  },
  {
    id: 'orgs/list-ties',
    name: 'MUST list orgs that were joined in the same millisecond by org id',
    requirement: 'O4',
    needs: ['many'],
    async test({ storage, newOrgs, newUser, callerOf, low, transaction }) {
      const [user, orgs] = [await newUser(), await newOrgs(6)]
      // One transaction: in most storages that is one instant.
      await transaction(async ({ memberships }) => {
        for (const { id } of orgs) await memberships.insert({ orgId: id, userId: user.id, role: low })
      })
      const wanted = await inJoinOrder(storage.memberships, user, orgs)
      expectSame(idsOf(await storage.memberships.listActing(await callerOf(user))), wanted, 'the orgs by time, then id')
    },
  },
  {
    id: 'orgs/list-limit',
    name: 'MUST list the first `limit` of the order and no more',
    requirement: 'O4',
    needs: ['many'],
    async test({ storage: { memberships }, newOrgs, newUser, callerOf, low }) {
      const [user, orgs] = [await newUser(), await newOrgs(4)]
      for (const { id } of orgs) await memberships.insert({ orgId: id, userId: user.id, role: low })
      const caller = await callerOf(user)
      const all = idsOf(await memberships.listActing(caller))
      expectThat(all.length === 4, '4 orgs without a limit', all)
      for (const limit of [1, 2, 4, 100]) {
        const listed = idsOf(await memberships.listActing(caller, limit))
        expectSame(listed, all.slice(0, limit), `the first ${limit} orgs`)
      }
    },
  },
  {
    id: 'orgs/acting-copies',
    name: 'MUST return copies of what a caller may act in',
    async test({ storage: { memberships }, newOrg, newMember, callerOf }) {
      const { id } = await newOrg()
      const caller = await callerOf(await newMember(id))
      const before = textOf(await memberships.findActing(caller, id))
      spoil(await memberships.findActing(caller, id))
      spoil(await memberships.listActing(caller))
      const found = await memberships.findActing(caller, id)
      expectThat(textOf(found) === before, `findActing to be still ${before}`, found)
      const listed = await memberships.listActing(caller)
      expectThat(textOf(listed) === `[${before}]`, `listActing to be still [${before}]`, listed)
    },
  },
]
