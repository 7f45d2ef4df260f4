/** Repositories that write down each call: how many look-ups a request costs is a promise, so it is counted. */
import type { MemoryStorage } from '../../src/storage/memory.ts'

/** Wrap every method of an object: its name goes into `calls` before it runs. */
export function counted<T extends object>(label: string, target: T, calls: string[]): T {
  const entries = Object.entries(target).map(([name, member]) => {
    if (typeof member !== 'function') return [name, member]
    const wrapped = (...given: unknown[]): unknown => {
      calls.push(`${label}.${name}`)
      return (member as (...given: unknown[]) => unknown)(...given)
    }
    return [name, wrapped]
  })
  return Object.fromEntries(entries) as T
}

/** A storage whose repositories are counted, outside transactions. */
export function countedStorage(storage: MemoryStorage, calls: string[]): MemoryStorage {
  return {
    ...storage,
    users: counted('users', storage.users, calls),
    orgs: counted('orgs', storage.orgs, calls),
    memberships: counted('memberships', storage.memberships, calls),
    invitations: counted('invitations', storage.invitations, calls),
    apiKeys: counted('apiKeys', storage.apiKeys, calls),
    machines: counted('machines', storage.machines, calls),
    transaction: (work) => {
      calls.push('transaction')
      return storage.transaction(work)
    },
  }
}
