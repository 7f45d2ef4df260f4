/** The promises of the membership repository: unique by org and user, exact roles, a guarded last holder. */

import { type CaseSpec, type ContractCase, type ContractOptions, casesOf, type MakeStorage } from './contract-case.ts'
import { compareIds, pause, spoil } from './contract-world.ts'
import { expectNull, expectRejected, expectSame, expectThat, textOf } from './expectations.ts'
import { GUARDED_CASES } from './guarded-cases.ts'
import { MEMBERSHIP_CHANGE_CASES } from './membership-change-cases.ts'
import { UNIQUE_CASES } from './membership-unique-cases.ts'

const CASES: readonly CaseSpec[] = [
  {
    id: 'memberships/found-after-insert',
    name: 'MUST find and list a membership as insert returned it',
    async test({ storage: { memberships }, newOrg, newUser, low }) {
      const [org, user] = [await newOrg(), await newUser()]
      expectNull(await memberships.find(org.id, user.id), 'the membership before it is inserted')
      const inserted = await memberships.insert({ orgId: org.id, userId: user.id, role: low })
      const { orgId, userId, role, joinedAt } = inserted
      expectSame([orgId, userId, role], [org.id, user.id, low], 'the inserted membership')
      expectThat(joinedAt instanceof Date, 'joinedAt to be a Date', joinedAt)
      expectSame(await memberships.find(org.id, user.id), inserted, 'the membership found')
      expectSame(await memberships.listByOrg(org.id), [inserted], 'the members of the org')
    },
  },
  {
    id: 'memberships/deleted-org',
    name: 'MUST treat a deleted org as if it had never been: no members, none to change, none to add',
    requirement: 'O3',
    needs: ['deleteOrg'],
    async test({ storage: { memberships }, newOrg, newMember, newUser, deleteOrg, top, low }) {
      const { id: orgId } = await newOrg()
      const { id: userId } = await newMember(orgId, low)
      await deleteOrg(orgId)
      expectNull(await memberships.find(orgId, userId), 'the membership')
      expectSame(await memberships.listByOrg(orgId), [], 'the members')
      expectSame(await memberships.setRole(orgId, userId, top), 'missing', 'setRole')
      expectSame(await memberships.remove(orgId, userId), 'missing', 'remove')
      const late = { orgId, userId: (await newUser()).id, role: low }
      await expectRejected(memberships.insert(late), 'a new membership in a deleted org')
      const { id: elsewhere } = await newOrg()
      const joined = await memberships.insert({ orgId: elsewhere, userId, role: low })
      expectSame(await memberships.find(elsewhere, userId), joined, 'a membership of the user in another org')
    },
  },
  {
    id: 'memberships/list-order',
    name: 'MUST list the members of an org by join time, then user id, and of that org only',
    async test({ storage, newOrg, newUser, newMember, low, transaction }) {
      const [org, other] = [await newOrg(), await newOrg()]
      const users = (await Promise.all(Array.from({ length: 8 }, newUser)))
        .map(({ id }) => id)
        .sort(compareIds)
        .reverse()
      await newMember(other.id)
      for (const userId of users.slice(0, 3)) {
        await storage.memberships.insert({ orgId: org.id, userId, role: low })
        await pause(4)
      }
      // One transaction: in most storages that is one instant.
      await transaction(async ({ memberships }) => {
        for (const userId of users.slice(3)) await memberships.insert({ orgId: org.id, userId, role: low })
      })
      const listed = await storage.memberships.listByOrg(org.id)
      const wanted = [...listed].sort(
        (a, b) => a.joinedAt.getTime() - b.joinedAt.getTime() || compareIds(a.userId, b.userId),
      )
      expectSame(listed.map(({ userId }) => userId).sort(compareIds), [...users].reverse(), 'the members of the org')
      expectSame(listed, wanted, 'the members in join order')
    },
  },
  {
    id: 'memberships/instants',
    name: 'MUST keep instants to the millisecond, the same wherever they are read',
    async test({ storage: { memberships }, newOrg, newUser, low }) {
      const { id: orgId } = await newOrg()
      const instants: number[] = []
      for (let count = 0; count < 6; count++) {
        const { id: userId } = await newUser()
        const { joinedAt } = await memberships.insert({ orgId, userId, role: low })
        expectSame((await memberships.find(orgId, userId))?.joinedAt, joinedAt, 'joinedAt, found')
        instants.push(joinedAt.getTime())
        await pause(7)
      }
      const listed = (await memberships.listByOrg(orgId)).map(({ joinedAt }) => joinedAt.getTime())
      expectSame(listed, instants, 'joinedAt, listed')
      const steps = instants.slice(1).map((instant, index) => instant - (instants[index] ?? 0))
      expectThat(
        steps.every((step) => step > 0),
        'instants 7 ms apart to differ',
        instants,
      )
      // Ten minutes: clocks differ, but a time zone taken for another is off by more.
      const off = Math.abs((instants[0] ?? 0) - Date.now())
      expectThat(off < 600_000, 'joinedAt to be now', new Date(instants[0] ?? 0))
    },
  },
  {
    id: 'memberships/copies',
    name: 'MUST return copies of memberships, Dates included',
    async test({ storage: { memberships }, newOrg, newUser, low }) {
      const [{ id: orgId }, { id: userId }] = [await newOrg(), await newUser()]
      const input = { orgId, userId, role: low }
      const inserted = await memberships.insert(input)
      const before = textOf(inserted)
      input.role = 'spoiled'
      spoil(inserted)
      spoil(await memberships.find(orgId, userId))
      spoil(await memberships.listByOrg(orgId))
      expectSame(textOf(await memberships.find(orgId, userId)), before, 'the membership found')
      expectSame(textOf(await memberships.listByOrg(orgId)), `[${before}]`, 'the membership listed')
    },
  },
]

/** The cases, for compositions. */
export const MEMBERSHIP_CASES: readonly CaseSpec[] = [
  ...CASES,
  ...UNIQUE_CASES,
  ...MEMBERSHIP_CHANGE_CASES,
  ...GUARDED_CASES,
]

/**
 * Test a membership repository: `memberships/…` of {@link storageContract}.
 *
 * @param make makes the storage of one case
 * @throws TypeError for an unknown option
 * @example
 * for (const { id, name, run } of membershipContract(make)) it(`${id}: ${name}`, run)
 */
export function membershipContract(make: MakeStorage, options?: ContractOptions): readonly ContractCase[] {
  return casesOf('membershipContract', MEMBERSHIP_CASES, make, options)
}
