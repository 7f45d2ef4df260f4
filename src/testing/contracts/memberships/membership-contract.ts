/** The promises of the membership repository: unique by org and user, exact roles, a guarded last holder. */

import { isConflictError } from '../../../storage/storage-errors.ts'
import { type Cases, type Contract, createContract } from '../contract.ts'
import {
  expectConflict,
  expectFound,
  expectNull,
  expectRejected,
  expectSame,
  expectThat,
  fulfilledValue,
  textOf,
} from '../expectations.ts'
import {
  compareIds,
  createWorld,
  pause,
  RACERS,
  race,
  type StorageUnderTest,
  spoil,
  type World,
} from '../storage-world.ts'
import { MEMBERSHIP_CHANGE_CASES } from './change-cases.ts'

const CASES: Cases<World> = {
  'memberships/found-after-insert': {
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
  'memberships/deleted-org': {
    name: 'MUST treat a deleted org as if it had never been: no members, none to change, none to add',
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
  'memberships/list-order': {
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
  'memberships/instants': {
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
  'memberships/copies': {
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
}

const UNIQUE_CASES: Cases<World> = {
  'memberships/insert-race': {
    name: `MUST let one of ${RACERS} concurrent inserts of a membership win; the others get a ConflictError`,
    async test({ storage: { memberships }, newOrg, newUser, low }) {
      const [org, user] = [await newOrg(), await newUser()]
      const row = { orgId: org.id, userId: user.id, role: low }
      const results = await race(RACERS, () => memberships.insert(row))
      const won = results.filter(({ status }) => status === 'fulfilled').length
      expectThat(won === 1, 'one insert to win', won)
      for (const result of results) {
        const conflict = result.status === 'fulfilled' || isConflictError(result.reason)
        expectThat(conflict, 'every other insert to be rejected with a ConflictError', result)
      }
      const listed = await memberships.listByOrg(org.id)
      expectThat(listed.length === 1, 'one membership', listed)
    },
  },
  'memberships/insert-twice': {
    name: 'MUST refuse a second membership of the pair with a ConflictError and leave the first as it is',
    async test({ storage: { memberships }, newOrg, newUser, top, low }) {
      const [{ id: orgId }, { id: userId }] = [await newOrg(), await newUser()]
      const first = await memberships.insert({ orgId, userId, role: low })
      await expectConflict(memberships.insert({ orgId, userId, role: top }), 'a second membership')
      expectSame(await memberships.find(orgId, userId), first, 'the first membership, unchanged')
    },
  },
  'memberships/several-orgs': {
    name: 'MUST keep a membership of one user in each of several orgs',
    needs: ['many'],
    async test({ storage: { memberships }, newOrgs, newUser, top, low }) {
      const [user, orgs] = [await newUser(), await newOrgs(2)]
      for (const [index, { id }] of orgs.entries()) {
        await memberships.insert({ orgId: id, userId: user.id, role: index === 0 ? top : low })
      }
      for (const [index, { id }] of orgs.entries()) {
        const found = await memberships.find(id, user.id)
        expectSame([found?.orgId, found?.role], [id, index === 0 ? top : low], 'each membership as inserted')
      }
    },
  },
  'memberships/one-per-user': {
    name: 'MUST refuse a membership in a second org with a ConflictError, also at once: nobody is moved',
    needs: ['one'],
    async test({ storage: { memberships }, newOrg, newOrgs, newUser, low }) {
      const [user, orgs] = [await newUser(), await newOrgs(RACERS)]
      const results = await race(RACERS, (index) =>
        memberships.insert({ orgId: orgs[index]?.id ?? '', userId: user.id, role: low }),
      )
      const won = results.map(fulfilledValue).filter((membership) => membership !== undefined)
      expectThat(won.length === 1, 'one insert to win', won)
      for (const result of results) {
        const conflict = result.status === 'fulfilled' || isConflictError(result.reason)
        expectThat(conflict, 'every other insert to be rejected with a ConflictError', result)
      }
      const winner = expectFound(won[0], 'a winner')
      for (const { id } of orgs) {
        const found = await memberships.find(id, user.id)
        expectSame(found, id === winner.orgId ? winner : null, 'the membership of the winner only')
      }
      const late = { orgId: (await newOrg()).id, userId: user.id, role: low }
      await expectConflict(memberships.insert(late), 'a membership in a second org')
      expectSame(await memberships.find(winner.orgId, user.id), winner, 'the one membership, unchanged')
    },
  },
  'memberships/insert-unknown': {
    name: 'MUST refuse a membership of a user or in an org that does not exist',
    async test({ storage: { memberships }, newOrg, newUser, low, newId }) {
      const [org, user, unknown] = [await newOrg(), await newUser(), newId()]
      const inOrg = { orgId: org.id, userId: unknown, role: low }
      await expectRejected(memberships.insert(inOrg), 'a membership of an unknown user')
      expectSame(await memberships.listByOrg(org.id), [], 'the members of the org')
      const inNone = { orgId: unknown, userId: user.id, role: low }
      await expectRejected(memberships.insert(inNone), 'a membership in an unknown org')
      expectNull(await memberships.find(unknown, user.id), 'a membership in an unknown org')
    },
  },
}

/** The cases, for compositions. */
export const MEMBERSHIP_CASES: Cases<World> = { ...CASES, ...UNIQUE_CASES, ...MEMBERSHIP_CHANGE_CASES }

/**
 * The promises of a membership repository: `memberships/…` of `storageContract`.
 *
 * @example
 * for (const { id, name, run } of membershipContract.cases(make)) it(`${id}: ${name}`, run)
 */
export const membershipContract: Contract<StorageUnderTest> = createContract(
  'membershipContract',
  MEMBERSHIP_CASES,
  createWorld,
)
