/** The broken stores, all of them: what the contract suites are tested by. */
import { BROKEN_GUARDS } from './broken-guards.ts'
import { BROKEN_IDENTITIES } from './broken-identities.ts'
import { BROKEN_IDS } from './broken-ids.ts'
import { BROKEN_INVITATIONS } from './broken-invitations.ts'
import { BROKEN_LISTS } from './broken-lists.ts'
import { BROKEN_MEMBERSHIPS } from './broken-memberships.ts'
import { BROKEN_MOVES } from './broken-moves.ts'
import { BROKEN_ORG_ADMIN } from './broken-org-admin.ts'
import { BROKEN_ORGS } from './broken-orgs.ts'
import { BROKEN_REPLACEMENTS } from './broken-replacements.ts'
import { type BrokenStore, brokenStore } from './broken-storage.ts'
import { BROKEN_TRANSACTIONS } from './broken-transactions.ts'
import { BROKEN_UNIQUENESS } from './broken-uniqueness.ts'
import { BROKEN_USER_ADMIN } from './broken-user-admin.ts'
import { BROKEN_USERS } from './broken-users.ts'

/**
 * Storages with one flaw each, as real ones had them: to see the contract suites fail, and to test cases of one's own.
 *
 * @example
 * for (const { name, make, membershipsPerUser } of BROKEN_STORES) {
 *   const results = await runContract(storageContract, make, { membershipsPerUser, concurrency: 8 })
 *   console.log(name, results.filter(({ error }) => error !== null).map(({ id }) => id))
 * }
 */
export const BROKEN_STORES: readonly BrokenStore[] = [
  ...BROKEN_USERS,
  ...BROKEN_USER_ADMIN,
  ...BROKEN_MOVES,
  ...BROKEN_IDENTITIES,
  ...BROKEN_IDS,
  ...BROKEN_ORGS,
  ...BROKEN_ORG_ADMIN,
  ...BROKEN_LISTS,
  ...BROKEN_UNIQUENESS,
  ...BROKEN_MEMBERSHIPS,
  ...BROKEN_GUARDS,
  ...BROKEN_INVITATIONS,
  ...BROKEN_REPLACEMENTS,
  ...BROKEN_TRANSACTIONS,
].map(brokenStore)
