/** The promises of the unit of work: everything or nothing, once, unseen until it is there. */
import { ATOMIC_CASES } from './atomic-cases.ts'
import { CONCURRENT_CASES } from './concurrent-cases.ts'
import { type CaseSpec, type ContractCase, type ContractOptions, casesOf, type MakeStorage } from './contract-case.ts'
import { newPerson, pause, retried } from './contract-world.ts'
import { expectRejected, expectSame, expectThat } from './expectations.ts'
import { somebodyJoins, whatIsThere } from './first-login.ts'

const CASES: readonly CaseSpec[] = [
  {
    id: 'transactions/value',
    name: "MUST fulfil with the work's value, the very same, and run the work once",
    async test({ storage }) {
      for (const value of [{ some: 'object' }, undefined, null, 0]) {
        let runs = 0
        const got = await retried(() => {
          runs = 0
          return storage.transaction(async ({ users }) => {
            runs++
            await users.upsertByIdentity(newPerson())
            return value
          })
        })
        expectThat(got === value, 'the value of the work', got)
        expectThat(runs === 1, 'the work to run once', runs)
      }
    },
  },
  {
    id: 'transactions/error',
    name: "MUST reject with the work's error, the very same, and run the work once",
    async test({ storage }) {
      for (const thrown of [new Error('the work failed'), Object.freeze({ code: 'E_HOST' }), undefined]) {
        let runs = 0
        const failing = retried(() => {
          runs = 0
          return storage.transaction(async ({ users }) => {
            runs++
            await users.upsertByIdentity(newPerson())
            throw thrown
          })
        })
        const error = await expectRejected(failing, 'a transaction whose work fails')
        expectThat(error === thrown, 'the error of the work, untouched', error)
        expectThat(runs === 1, 'the work to run once', runs)
      }
    },
  },
  {
    id: 'transactions/own-writes',
    name: 'MUST show the work its own writes, and what was there before',
    async test({ newOrg, newMember, roles, transaction }) {
      const org = await newOrg()
      await newMember(org.id)
      await transaction(async (inner) => {
        const joined = await somebodyJoins(inner, roles)
        const seen = await whatIsThere(inner, joined)
        expectSame(seen, { user: true, org: true, membership: true, invitation: true }, 'what the work wrote')
        expectSame(await inner.orgs.findById(org.id), org, 'an org that was there before')
        const members = await inner.memberships.listByOrg(org.id)
        expectThat(members.length === 1, 'its one member', members)
        const acting = await inner.memberships.listActing({ kind: 'user', user: joined.user })
        expectThat(acting.length <= 1, 'at most the one org of the new user', acting)
      })
    },
  },
  {
    id: 'transactions/committed',
    name: 'MUST have stored everything the work wrote when it fulfils',
    async test({ storage, roles, transaction }) {
      const joined = await transaction((inner) => somebodyJoins(inner, roles))
      const seen = await whatIsThere(storage, joined)
      expectSame(seen, { user: true, org: true, membership: true, invitation: true }, 'what the work wrote')
    },
  },
  {
    id: 'transactions/unseen-outside',
    name: 'MUST NOT show others what the work wrote before it is committed; they may wait for it',
    async test({ storage, roles, transaction }) {
      let early: unknown = 'nothing, it waited'
      let ended = false
      let outside: Promise<unknown> = Promise.resolve()
      await transaction(async (inner) => {
        ended = false
        const joined = await somebodyJoins(inner, roles)
        outside = whatIsThere(storage, joined).then((seen) => {
          if (!ended) early = seen
        })
        await Promise.race([outside, pause(50)])
        ended = true
      })
      await outside
      const none = { user: false, org: false, membership: false, invitation: false }
      if (typeof early !== 'string') expectSame(early, none, 'what others see during the work')
    },
  },
  {
    id: 'transactions/goes-on',
    name: 'MUST go on after failed transactions: no lock and no connection stays behind',
    async test({ storage, newUser, roles, transaction }) {
      for (let count = 0; count < 15; count++) {
        await expectRejected(
          transaction(async ({ orgs }) => {
            await orgs.insert({ name: 'never' })
            throw new Error('on purpose')
          }),
          'a transaction whose work fails',
        )
      }
      const seen = await whatIsThere(storage, await transaction((inner) => somebodyJoins(inner, roles)))
      expectThat(seen.user && seen.membership, 'the next transaction to be stored', seen)
      await newUser()
    },
  },
]

/** The cases, for compositions. */
export const TRANSACTION_CASES: readonly CaseSpec[] = [...CASES, ...ATOMIC_CASES, ...CONCURRENT_CASES]

/**
 * Test a storage's unit of work: `transactions/…` of {@link storageContract}.
 *
 * @param make makes the storage of one case
 * @throws TypeError for an unknown option
 * @example
 * for (const { id, name, run } of transactionContract(make)) it(`${id}: ${name}`, run)
 */
export function transactionContract(make: MakeStorage, options?: ContractOptions): readonly ContractCase[] {
  return casesOf('transactionContract', TRANSACTION_CASES, make, options)
}
