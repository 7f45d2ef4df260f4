/** The suites of a storage: as one, and one for each of its repositories. */
import { type Cases, type Contract, createContract } from './contract.ts'
import { INVITATION_CASES } from './invitations/invitation-cases.ts'
import { MEMBERSHIP_CASES } from './memberships/membership-cases.ts'
import { ORG_CASES } from './organizations/org-cases.ts'
import { createWorld, type StorageUnderTest, type World } from './storage-world.ts'
import { TRANSACTION_CASES } from './transactions/transaction-cases.ts'
import { USER_CASES } from './users/user-cases.ts'

const suite = (name: string, cases: Cases<World>): Contract<StorageUnderTest> =>
  createContract(name, cases, createWorld)

/**
 * The promises of a whole storage, races and hostile ids included: users, organizations, memberships, invitations,
 * transactions. A storage that has not every port of a `PeopleStorage` says which it has not: an `AuthStorage` and no more
 * is run `without: ['userAdmin', 'organizationAdmin', 'membershipAdmin', 'invitations', 'apiKeys', 'setEmail']`. Cost: some
 * 150 cases with up to a few hundred queries each; on a local database well under a minute.
 *
 * @example
 * // vitest; `node:test` has `test` in place of `it`
 * const make = () => ({
 *   storage: myStorage(pool),
 *   probe: {
 *     disableUser: (id: string) => pool.query('update users set disabled = true where id = $1', [id]),
 *     deleteOrg: (id: string) => pool.query('delete from orgs where id = $1', [id]),
 *   },
 * })
 * for (const { id, name, run } of storageContract.cases(make)) it(`${id}: ${name}`, run)
 * console.log(storageContract.leftOut())
 */
export const storageContract: Contract<StorageUnderTest> = suite('storageContract', [
  ...USER_CASES,
  ...ORG_CASES,
  ...MEMBERSHIP_CASES,
  ...INVITATION_CASES,
  ...TRANSACTION_CASES,
])

/** The promises of a user repository: `users/…` of {@link storageContract}, run like it. */
export const userContract: Contract<StorageUnderTest> = suite('userContract', USER_CASES)

/** The promises of an organization repository, and of what a caller may act in: `orgs/…` of {@link storageContract}, run like it. */
export const orgContract: Contract<StorageUnderTest> = suite('orgContract', ORG_CASES)

/** The promises of a membership repository: `memberships/…` of {@link storageContract}, run like it. */
export const membershipContract: Contract<StorageUnderTest> = suite('membershipContract', MEMBERSHIP_CASES)

/** The promises of an invitation repository: `invitations/…` of {@link storageContract}, run like it. */
export const invitationContract: Contract<StorageUnderTest> = suite('invitationContract', INVITATION_CASES)

/** The promises of a storage's unit of work: `transactions/…` of {@link storageContract}, run like it. */
export const transactionContract: Contract<StorageUnderTest> = suite('transactionContract', TRANSACTION_CASES)
