/** Cases of the membership contract: one membership for each org and user, of a user and an org that exist. */
import { isConflictError } from '../../storage/storage-errors.ts'
import type { CaseSpec } from './contract-case.ts'
import { RACERS, race } from './contract-world.ts'
import {
  expectConflict,
  expectFound,
  expectNull,
  expectRejected,
  expectSame,
  expectThat,
  fulfilledValue,
} from './expectations.ts'

export const UNIQUE_CASES: readonly CaseSpec[] = [
  {
    id: 'memberships/insert-race',
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
  {
    id: 'memberships/insert-twice',
    name: 'MUST refuse a second membership of the pair with a ConflictError and leave the first as it is',
    async test({ storage: { memberships }, newOrg, newUser, top, low }) {
      const [{ id: orgId }, { id: userId }] = [await newOrg(), await newUser()]
      const first = await memberships.insert({ orgId, userId, role: low })
      await expectConflict(memberships.insert({ orgId, userId, role: top }), 'a second membership')
      expectSame(await memberships.find(orgId, userId), first, 'the first membership, unchanged')
    },
  },
  {
    id: 'memberships/several-orgs',
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
  {
    id: 'memberships/one-per-user',
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
  {
    id: 'memberships/insert-unknown',
    name: 'MUST refuse a membership of a user or in an org that does not exist',
    async test({ storage: { memberships }, newOrg, newUser, low }) {
      const [org, user, unknown] = [await newOrg(), await newUser(), crypto.randomUUID()]
      const inOrg = { orgId: org.id, userId: unknown, role: low }
      await expectRejected(memberships.insert(inOrg), 'a membership of an unknown user')
      expectSame(await memberships.listByOrg(org.id), [], 'the members of the org')
      const inNone = { orgId: unknown, userId: user.id, role: low }
      await expectRejected(memberships.insert(inNone), 'a membership in an unknown org')
      expectNull(await memberships.find(unknown, user.id), 'a membership in an unknown org')
    },
  },
]
