/**
 * Cases of the transaction contract: several units of work at once. A storage may refuse one with a `TransientError`;
 * then it is tried again, as the port leaves to its callers.
 */
import type { CaseSpec } from './contract-case.ts'
import { newEmail, newPerson, RACERS, race } from './contract-world.ts'
import { expectFound, expectSame, expectThat, fulfilledValue } from './expectations.ts'
import { somebodyJoins, whatIsThere } from './first-login.ts'

export const CONCURRENT_CASES: readonly CaseSpec[] = [
  {
    id: 'transactions/first-login-race',
    name: `MUST make one user and one org of ${RACERS} concurrent first logins of one person`,
    requirement: 'P3',
    async test({ storage, callerOf, top, transaction }) {
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
      const failed = results.find(({ status }) => status === 'rejected')
      expectThat(failed === undefined, 'no login to be rejected', failed)
      const logins = results.map(fulfilledValue).filter((login) => login !== undefined)
      expectThat(new Set(logins.map(({ user }) => user.id)).size === 1, 'one user', logins)
      const orgIds = logins.map(({ orgId }) => orgId).filter((orgId) => orgId !== null)
      expectThat(orgIds.length === 1, 'one org', orgIds)
      const caller = await callerOf(expectFound(logins[0], 'a login').user)
      const acting = await storage.memberships.listActing(caller)
      expectSame(
        acting.map(({ org }) => org.id),
        orgIds,
        'what the user may act in',
      )
    },
  },
  {
    id: 'transactions/many-at-once',
    name: 'MUST complete 40 transactions that are started at once, also with few connections',
    requirement: 'P8',
    async test({ storage, roles, transaction }) {
      const results = await race(40, () => transaction((inner) => somebodyJoins(inner, roles)))
      for (const result of results) {
        expectThat(result.status === 'fulfilled', 'every transaction to be fulfilled', result)
        const seen = await whatIsThere(storage, result.value)
        expectThat(seen.user && seen.org && seen.membership && seen.invitation, 'everything to be stored', seen)
      }
    },
  },
  {
    id: 'transactions/consume-race',
    name: 'MUST let one of several transactions that take one invitation have it',
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
      const failed = results.find(({ status }) => status === 'rejected')
      expectThat(failed === undefined, 'no transaction to be rejected', failed)
      const joined = await storage.memberships.listByOrg(orgId)
      expectThat(joined.length === 1, 'one member by one invitation', joined)
    },
  },
  {
    id: 'transactions/keep-race',
    name: 'MUST leave one holder of a role where two let go of it in transactions of their own',
    requirement: 'L15',
    async test({ storage, newOrg, newMember, top, low, transaction }) {
      for (let round = 0; round < 10; round++) {
        const { id: orgId } = await newOrg()
        const owners = [await newMember(orgId, top), await newMember(orgId, top)]
        const results = await race(owners.length, (index) =>
          transaction(({ memberships }) => memberships.setRole(orgId, owners[index]?.id ?? '', low, { keep: top })),
        )
        const changes = results.map((result) => (result.status === 'rejected' ? result : result.value))
        expectSame([...changes].sort(), ['done', 'last'], 'what became of the two')
        const left = (await storage.memberships.listByOrg(orgId)).filter(({ role }) => role === top)
        expectThat(left.length === 1, 'one holder to remain', left)
      }
    },
  },
]
