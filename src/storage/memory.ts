/**
 * A storage in this process's memory: for unit tests, quick starts and examples. It holds every promise of the ports
 * (uniqueness, one transaction at a time, nothing half-written), and forgets everything when the process ends.
 */
import * as z from 'zod/mini'
import { aFunction, parseOptions } from '../lib/parse-options.ts'
import { createMemoryAccounts } from './memory-accounts.ts'
import { apiKeyRepository, memoryRepositories } from './memory-repositories.ts'
import { createTables, overlay, type Tables, writingInTurn } from './memory-tables.ts'
import type { ShippedStorage, StoredRepositories } from './shipped-storage.ts'
import { createTurns, whileOpen } from './turns.ts'

export { createMemoryAccounts } from './memory-accounts.ts'

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

/** The in-memory storage. Its transaction handle is `null`. */
export type MemoryStorage = ShippedStorage<null>

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
  // Reads go to the committed tables; each write is a transaction of its own, so that it waits its turn.
  const { users, orgs, memberships, invitations } = over(committed)
  const writing =
    <R>(pick: (repositories: StoredRepositories) => R) =>
    <T>(work: (own: R) => Promise<T>): Promise<T> =>
      inTurn((tables) => work(pick(over(tables))))
  return {
    users: writingInTurn(
      users,
      ['upsertByIdentity', 'setDisabled'],
      writing((own) => own.users),
    ),
    orgs: writingInTurn(
      orgs,
      ['insert', 'remove'],
      writing((own) => own.orgs),
    ),
    memberships: writingInTurn(
      memberships,
      ['insert', 'setRole', 'remove'],
      writing((own) => own.memberships),
    ),
    invitations: writingInTurn(
      invitations,
      ['insert', 'consume'],
      writing((own) => own.invitations),
    ),
    apiKeys: writingInTurn(apiKeyRepository(committed), ['insert', 'rotate', 'revoke', 'touch'], (work) =>
      inTurn((tables) => work(apiKeyRepository(tables))),
    ),
    accounts: createMemoryAccounts(),
    transaction: (work) => inTurn((tables) => work({ ...over(tables), handle: null })),
  }
}

const SHAPE = {
  membershipOn: z.optional(z.enum(['rows', 'user-row'])),
  clock: z.optional(aFunction<() => number>()),
}
