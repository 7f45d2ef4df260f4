/** How a broken store is made: the in-memory storage, with one flaw wrapped around it. */
import { createMemoryStorage, type MemoryStorageOptions } from '../../../src/storage/memory.ts'
import type {
  StoredOrganizationRepository,
  StoredRepositories,
  StoredUserRepository,
} from '../../../src/storage/shipped-storage.ts'
import { textOf } from '../../../src/testing/contracts/expectations.ts'
import type { StorageUnderTest } from '../../../src/testing/contracts/storage-world.ts'

/** A storage with a flaw that real ones had, and the contract cases that must find it. */
export interface BrokenStore {
  readonly name: string
  /** What is wrong, and how it comes about. */
  readonly why: string
  /** Ids of the cases that fail on it; others may fail too. */
  readonly breaks: readonly string[]
  /** The option to run the suites with. */
  readonly membershipsPerUser: 'many' | 'one'
  make(): StorageUnderTest
}

/** The methods that a flaw replaces. */
export interface Replaced {
  readonly users?: Partial<StoredUserRepository> | undefined
  readonly orgs?: Partial<StoredOrganizationRepository> | undefined
  readonly memberships?: Partial<StoredRepositories['memberships']> | undefined
  readonly invitations?: Partial<StoredRepositories['invitations']> | undefined
  readonly apiKeys?: Partial<StoredRepositories['apiKeys']> | undefined
}

/** A storage's way to run a unit of work. */
export type Transact = <T>(
  work: (transaction: StoredRepositories & { readonly handle: null }) => Promise<T>,
) => Promise<T>

/** One flaw, with the state of one storage in its closure. */
export interface Flaw {
  /** Replace methods of the repositories, of the storage's and of each transaction's. */
  change?(inner: StoredRepositories): Replaced
  /** Replace the unit of work; `outside` are the storage's own repositories, with the flaw. */
  transact?(transaction: Transact, outside: StoredRepositories): Transact
}

/** A broken store before it is made. */
export interface BrokenStoreSpec extends Omit<BrokenStore, 'make' | 'membershipsPerUser'> {
  readonly membershipsPerUser?: 'many' | 'one' | undefined
  readonly options?: MemoryStorageOptions | undefined
  flaw(): Flaw
}

/** Turn a specification into a store of the list. */
export function brokenStore({ flaw, options, membershipsPerUser = 'many', ...rest }: BrokenStoreSpec): BrokenStore {
  const membershipOn = membershipsPerUser === 'one' ? 'user-row' : 'rows'
  return { ...rest, membershipsPerUser, make: () => withFlaw(flaw(), { membershipOn, ...options }) }
}

function withFlaw({ change, transact }: Flaw, options: MemoryStorageOptions): StorageUnderTest {
  const good = createMemoryStorage(options)
  const changed = (inner: StoredRepositories): StoredRepositories => {
    const { users, orgs, memberships, invitations, apiKeys } = change?.(inner) ?? {}
    return {
      users: { ...inner.users, ...users },
      orgs: { ...inner.orgs, ...orgs },
      memberships: { ...inner.memberships, ...memberships },
      invitations: { ...inner.invitations, ...invitations },
      apiKeys: { ...inner.apiKeys, ...apiKeys },
    }
  }
  const outside = changed(good)
  const transaction: Transact = (work) => good.transaction((inner) => work({ ...changed(inner), handle: null }))
  return {
    storage: { ...outside, transaction: transact?.(transaction, outside) ?? transaction },
    probe: {
      disableUser: (userId) => outside.users.setDisabled(userId, true),
      deleteOrg: (orgId) => outside.orgs.remove(orgId),
    },
  }
}

/** No transaction at all: the work runs on the storage itself. */
export const autocommit: NonNullable<Flaw['transact']> = (_, outside) => (work) => work({ ...outside, handle: null })

/** Hand out one and the same object for a row until the row changes. */
export function sharing(): <T>(key: string, fresh: T) => T {
  const kept = new Map<string, { readonly text: string; readonly value: unknown }>()
  return <T>(key: string, fresh: T): T => {
    const text = textOf(fresh)
    const held = kept.get(key)
    if (held?.text === text) return held.value as T
    const value = structuredClone(fresh)
    kept.set(key, { text, value })
    return value
  }
}
