/**
 * A storage in this process's memory: for unit tests, quick starts and examples. It holds every promise of the ports
 * (uniqueness, one transaction at a time, nothing half-written), and forgets everything when the process ends.
 */
import { parseOptions } from '../lib/parse-options.ts'
import { accountRepository, accountsOver, createAccountTables } from './memory-accounts.ts'
import { createTables, memoryRepositories, type Tables } from './memory-repositories.ts'
import { transactionsOver, writingInTurn } from './memory-tables.ts'
import { createOrgIds } from './org-ids.ts'
import { SHIPPED, type ShippedStorage, type ShippedStorageOptions } from './shipped-storage.ts'

export type { AccountStorage } from './account-repositories.ts'
export { createMemoryAccounts } from './memory-accounts.ts'
export type {
  StoredMembershipRepository,
  StoredOrganization,
  StoredOrganizationRepository,
  StoredUser,
  StoredUserRepository,
} from './shipped-storage.ts'

/** Options of {@link createMemoryStorage}. */
export interface MemoryStorageOptions extends ShippedStorageOptions {}

/** The in-memory storage. Its transaction handle is `null`. */
export type MemoryStorage = ShippedStorage<null>

/**
 * Create a storage in memory. Writers take turns; a reader sees what is committed. A writer that waits more than 5
 * seconds for its turn gets a `TransientError`: most often a hook that used the storage instead of its transaction. A
 * transaction that has not ended after 30 seconds is dropped and rejects, so that nobody who hangs holds everybody.
 *
 * @throws OptionsError
 * @example
 * const storage = createMemoryStorage()
 * const users = createProvisioner({ storage })
 */
export function createMemoryStorage(options: MemoryStorageOptions = {}): MemoryStorage {
  const { membershipOn = 'rows', clock = Date.now, ...more } = parseOptions('createMemoryStorage', SHIPPED, options)
  const orgIds = createOrgIds(more.orgIds)
  const committed = { ...createTables(), ...createAccountTables() }
  const inTurn = transactionsOver(committed)
  const over = (tables: Tables) => memoryRepositories({ tables, clock, membershipOn, orgIds })
  // Reads go to the committed tables; each write is a transaction of its own, so that it waits its turn.
  const reading = over(committed)
  const alone = <K extends keyof typeof reading>(name: K): (typeof reading)[K] =>
    writingInTurn(reading[name], (work) => inTurn((tables) => work(over(tables)[name])))
  return {
    users: alone('users'),
    orgs: alone('orgs'),
    memberships: alone('memberships'),
    invitations: alone('invitations'),
    apiKeys: alone('apiKeys'),
    machines: alone('machines'),
    accounts: accountsOver(committed, inTurn),
    transaction: (work) =>
      inTurn((tables) => {
        const { machines: _, ...own } = over(tables)
        return work({ ...own, accounts: accountRepository(tables.accounts), handle: null })
      }),
  }
}
