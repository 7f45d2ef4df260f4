/** How a broken account storage is made: the in-memory one, with one flaw wrapped around it. */
import type { AccountRepository, AccountStorage, ThrottleStore } from '../../../src/storage/account-repositories.ts'
import { createMemoryAccounts } from '../../../src/storage/memory.ts'

/** An account storage with a flaw, and the contract cases that must find it. */
export interface BrokenAccounts {
  readonly name: string
  /** What is wrong, and how it comes about. */
  readonly why: string
  /** Ids of the cases that fail on it; others may fail too. */
  readonly breaks: readonly string[]
  readonly make: () => AccountStorage
}

/** What others do in the meantime: where a store looks first and writes later. */
export function elsewhere(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}

/** Replace methods of the accounts. */
export function withAccounts(change: (inner: AccountRepository) => Partial<AccountRepository>): AccountStorage {
  const good = createMemoryAccounts()
  return { ...good, accounts: { ...good.accounts, ...change(good.accounts) } }
}

/** Replace the throttle's store. */
export function withThrottle(change: (inner: ThrottleStore) => ThrottleStore): AccountStorage {
  const good = createMemoryAccounts()
  return { ...good, throttle: change(good.throttle) }
}
