/**
 * A storage in this process's memory: for unit tests, quick starts and examples. It holds every promise of the ports
 * (uniqueness, one transaction at a time, nothing half-written), and forgets everything when the process ends.
 */

import * as z from 'zod/mini'
import { aFunction, parseOptions } from '../lib/parse-options.ts'
import type { AccountStorage } from './account-repositories.ts'
import { createMemoryAccounts } from './memory-accounts.ts'
import { apiKeyRepository, memoryRepositories } from './memory-repositories.ts'
import { createTables, overlay, type Tables } from './memory-tables.ts'
import type { ApiKeyRepository, AuthStorage } from './repositories.ts'
import type { StoredOrganization, StoredRepositories, StoredUser } from './stored.ts'
import { createTurns, whileOpen } from './turns.ts'

export { createMemoryAccounts, type MemoryAccountsOptions } from './memory-accounts.ts'
export type {
  StoredOrganization,
  StoredOrganizationRepository,
  StoredRepositories,
  StoredUser,
  StoredUserRepository,
} from './stored.ts'

/** Options of {@link createMemoryStorage}. */
export interface MemoryStorageOptions {
  /**
   * Where memberships live: `rows` (default), a user may belong to many organizations; `user-row`, the organization
   * and role are columns of the user's own row, so there is at most one.
   */
  readonly membershipOn?: 'rows' | 'user-row' | undefined
  /** The clock for joined and created instants, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** The in-memory storage: the ports, and what an operator needs. Its transaction handle is `null`. */
export interface MemoryStorage extends AuthStorage<StoredUser, StoredOrganization, null>, StoredRepositories {
  readonly users: StoredRepositories['users']
  readonly orgs: StoredRepositories['orgs']
  readonly memberships: StoredRepositories['memberships']
  readonly invitations: StoredRepositories['invitations']
  /** API keys; not part of a transaction's repositories. */
  readonly apiKeys: ApiKeyRepository
  /** The storage of local login, with transactions of its own: {@link createMemoryAccounts} as it is. */
  readonly accounts: AccountStorage
  transaction<T>(work: (transaction: StoredRepositories & { readonly handle: null }) => Promise<T>): Promise<T>
}

/**
 * Create a storage in memory. Writers take turns; a reader sees what is committed. A writer that waits more than 5
 * seconds for its turn gets a `TransientError`: most often a hook that used the storage instead of its transaction. A
 * transaction that has not ended after 30 seconds is dropped and rejects, so that nobody who hangs holds everybody.
 *
 * @throws TypeError for an unknown option
 * @example
 * const storage = createMemoryStorage()
 * const users = createProvisioner({ storage })
 */
export function createMemoryStorage(options: MemoryStorageOptions = {}): MemoryStorage {
  const { membershipOn = 'rows', clock = Date.now } = parseOptions('createMemoryStorage', SHAPE, options)
  const committed = createTables()
  const exclusive = createTurns('the in-memory storage')
  const over = (tables: Tables): StoredRepositories => memoryRepositories({ tables, clock, membershipOn })

  const inTurn = <T>(work: (tables: Tables) => Promise<T>): Promise<T> =>
    exclusive((isHeld) =>
      whileOpen(isHeld, async (requireOpen) => {
        const { tables, commit } = overlay(committed, requireOpen)
        const result = await work(tables)
        requireOpen()
        commit()
        return result
      }),
    )
  const transaction: MemoryStorage['transaction'] = (work) =>
    inTurn((tables) => work({ ...over(tables), handle: null }))
  return {
    ...writingThrough(over(committed), transaction),
    apiKeys: apiKeysInTurn(committed, inTurn),
    accounts: createMemoryAccounts(),
    transaction,
  }
}

const SHAPE = {
  membershipOn: z.optional(z.enum(['rows', 'user-row'])),
  clock: z.optional(aFunction<() => number>()),
}

// Reads see what is committed; each write waits its turn.
function apiKeysInTurn(
  committed: Tables,
  inTurn: <T>(work: (tables: Tables) => Promise<T>) => Promise<T>,
): ApiKeyRepository {
  return {
    ...apiKeyRepository(committed),
    insert: (key) => inTurn((tables) => apiKeyRepository(tables).insert(key)),
    rotate: (...change) => inTurn((tables) => apiKeyRepository(tables).rotate(...change)),
    revoke: (...change) => inTurn((tables) => apiKeyRepository(tables).revoke(...change)),
    touch: (...use) => inTurn((tables) => apiKeyRepository(tables).touch(...use)),
  }
}

type Transact = <T>(work: (repositories: StoredRepositories) => Promise<T>) => Promise<T>

// Reads go to the committed tables; each write is a transaction of its own, so that it waits its turn.
function writingThrough(reading: StoredRepositories, transact: Transact): StoredRepositories {
  return {
    users: {
      ...reading.users,
      upsertByIdentity: (user) => transact(({ users }) => users.upsertByIdentity(user)),
      setDisabled: (userId, disabled) => transact(({ users }) => users.setDisabled(userId, disabled)),
    },
    orgs: {
      ...reading.orgs,
      insert: (org) => transact(({ orgs }) => orgs.insert(org)),
      remove: (orgId) => transact(({ orgs }) => orgs.remove(orgId)),
    },
    memberships: {
      ...reading.memberships,
      insert: (membership) => transact(({ memberships }) => memberships.insert(membership)),
      setRole: (...change) => transact(({ memberships }) => memberships.setRole(...change)),
      remove: (...change) => transact(({ memberships }) => memberships.remove(...change)),
    },
    invitations: {
      ...reading.invitations,
      insert: (invitation) => transact(({ invitations }) => invitations.insert(invitation)),
      consume: (invitationId) => transact(({ invitations }) => invitations.consume(invitationId)),
    },
  }
}
