/** The suites of a whole storage as one. */

import { type Contract, createContract } from './contract.ts'
import { INVITATION_CASES } from './invitations/invitation-contract.ts'
import { MEMBERSHIP_CASES } from './memberships/membership-contract.ts'
import { ORG_CASES } from './organizations/org-contract.ts'
import { createWorld, type StorageUnderTest } from './storage-world.ts'
import { TRANSACTION_CASES } from './transactions/transaction-contract.ts'
import { USER_CASES } from './users/user-contract.ts'

/**
 * The promises of a whole storage, races and hostile ids included: users, organizations, memberships, invitations,
 * transactions. Cost: some 75 cases with up to a few hundred queries each; on a local database well under a minute.
 *
 * @example
 * // vitest; `node:test` has `test` in place of `it`
 * const make = () => ({
 *   storage: myStorage(pool),
 *   probe: {
 *     disableUser: (id) => pool.query('update users set disabled = true where id = $1', [id]),
 *     deleteOrg: (id) => pool.query('delete from orgs where id = $1', [id]),
 *   },
 * })
 * for (const { id, name, run } of storageContract.cases(make)) it(`${id}: ${name}`, run)
 * console.log(storageContract.leftOut())
 */
export const storageContract: Contract<StorageUnderTest> = createContract(
  'storageContract',
  { ...USER_CASES, ...ORG_CASES, ...MEMBERSHIP_CASES, ...INVITATION_CASES, ...TRANSACTION_CASES },
  createWorld,
)
