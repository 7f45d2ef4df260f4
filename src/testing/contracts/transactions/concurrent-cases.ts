/**
 * Cases of the transaction contract: several units of work at once. A storage may refuse one with a `TransientError`;
 * then it is tried again, as the port leaves to its callers.
 */
import type { MembershipAdmin } from '../../../storage/repositories.ts'
import { isTransientError } from '../../../storage/storage-errors.ts'
import type { Cases } from '../contract.ts'
import { expectAllFulfilled, expectFound, expectSame, expectThat, settled } from '../expectations.ts'
import { newEmail, pause, RACERS, type Repositories, race, type World } from '../storage-world.ts'

export const CONCURRENT_CASES: Cases<World> = {
  'transactions/first-login-race': {
    must: `make one user and one org of ${RACERS} concurrent first logins of one person`,
    async test({ storage, callerOf, top, transaction, newPerson }) {
      const person = newPerson()
      const results = await race(RACERS, () =>
        transaction(async ({ users, orgs, memberships }) => {
          const { user, created } = await users.upsertByIdentity(person)
          if (!created) return { user, orgId: null }
          const { id: orgId } = await orgs.insert({ name: 'Acme' })
          await memberships.insert({ orgId, userId: user.id, role: top })
          return { user, orgId }
        }),
      )
      const logins = expectAllFulfilled(results, 'login')
      expectThat(new Set(logins.map(({ user }) => user.id)).size === 1, 'one user', logins)
      const orgIds = logins.map(({ orgId }) => orgId).filter((orgId) => orgId !== null)
      expectThat(orgIds.length === 1, 'one org', orgIds)
      const caller = await callerOf(expectFound(logins[0], 'a login').user)
      const acting = await storage.memberships.listActing(caller)
      const actingIds = acting.map(({ org }) => org.id)
      expectSame(actingIds, orgIds, 'what the user may act in')
    },
  },
  'transactions/many-at-once': {
    must: 'complete 40 transactions that are started at once, also with few connections',
    async test({ storage, join, whatIsThere, transaction }) {
      const results = await race(40, () => transaction((inner) => join(inner)))
      for (const joined of expectAllFulfilled(results, 'transaction')) {
        expectSame(await whatIsThere(storage, joined), joined.rows, 'what each has stored')
      }
    },
  },
  'transactions/consume-race': {
    must: 'let one of several transactions that take one invitation have it',
    needs: ['admin'],
    async test({ storage, newOrg, newUser, low, transaction }) {
      const { id: orgId } = await newOrg()
      const { id } = await storage.invitations.insert({ orgId, email: newEmail(), role: low })
      const users = await Promise.all(Array.from({ length: 8 }, newUser))
      const results = await race(users.length, (index) =>
        transaction(async ({ invitations, memberships }) => {
          const taken = await invitations.consume(id)
          const userId = users[index]?.id ?? ''
          return taken === null ? null : await memberships.insert({ orgId, userId, role: taken.role })
        }),
      )
      expectAllFulfilled(results, 'transaction')
      const joined = await storage.memberships.listByOrg(orgId)
      expectThat(joined.length === 1, 'one member by one invitation', joined)
    },
  },
  'transactions/keep-race': {
    must: 'leave one holder of a role where two let go of it in transactions of their own',
    needs: ['admin'],
    async test({ storage, newOrg, newMember, top, low, transaction }) {
      for (let round = 0; round < 10; round++) {
        const { id: orgId } = await newOrg()
        const owners = [await newMember(orgId, top), await newMember(orgId, top)]
        const results = await race(owners.length, (index) =>
          transaction(({ memberships }) => memberships.setRole(orgId, owners[index]?.id ?? '', low, { keep: top })),
        )
        expectSame([...expectAllFulfilled(results, 'change')].sort(), ['done', 'last'], 'what became of the two')
        const left = (await storage.memberships.listByOrg(orgId)).filter(({ role }) => role === top)
        expectThat(left.length === 1, 'one holder to remain', left)
      }
    },
  },
  'transactions/deadlock': {
    must: 'let one of two transactions that wait for each other have its way, and reject the other with a TransientError',
    needs: ['admin', 'deadlock'],
    async test({ storage, newOrg, newMember, top, low, transaction }) {
      const orgs = [(await newOrg()).id, (await newOrg()).id]
      const members = [(await newMember(orgs[0] ?? '', low)).id, (await newMember(orgs[1] ?? '', low)).id]
      const promote = (memberships: MembershipAdmin, index: number): Promise<unknown> =>
        memberships.setRole(orgs[index] ?? '', members[index] ?? '', top)
      let arrivals = 0
      let meet: () => void = () => undefined
      const met = new Promise<void>((resolve) => {
        meet = resolve
      })
      const works = [0, 1].map((index) => async (inner: Repositories): Promise<string> => {
        const { id } = await inner.orgs.insert({ name: 'Acme' })
        await promote(inner.memberships, index)
        if (++arrivals === 2) meet()
        // Where transactions run one after another, the other does not come.
        await Promise.race([met, pause(500)])
        await promote(inner.memberships, 1 - index)
        return id
      })
      const results = await Promise.all(works.map((work) => settled(storage.transaction(work))))
      const lost = works.filter((_, index) => results[index]?.status === 'rejected')
      expectThat(lost.length < works.length, 'one of the two to be fulfilled', results)
      for (const result of results) {
        if (result.status === 'fulfilled') expectFound(await storage.orgs.findById(result.value), 'what it wrote')
        else
          expectThat(isTransientError(result.reason), 'the other to be rejected with a TransientError', result.reason)
      }
      for (const work of lost) expectFound(await storage.orgs.findById(await transaction(work)), 'what it wrote, again')
      for (const [index, orgId] of orgs.entries()) {
        expectSame((await storage.memberships.find(orgId, members[index] ?? ''))?.role, top, 'the role')
      }
    },
  },
}
