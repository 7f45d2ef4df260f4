/** Identities, and a storage that fails at its commit: what the tests of the provisioner are made of. */
import type { Identity } from '../../src/context.ts'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import { testIdentity } from '../../src/testing/principals.ts'

/** The identity of a person by name, with a verified e-mail of their own. */
export function identityOf(subject: string, overrides: Partial<Identity> = {}): Identity {
  return testIdentity({ subject, email: `${subject}@example.test`, emailVerified: true, ...overrides })
}

/** Everything a storage holds that a first login writes. */
export async function countRows({ users, orgs }: MemoryStorage): Promise<{ users: number; orgs: number }> {
  return { users: await users.count(), orgs: await orgs.count() }
}

/** A storage whose transactions fail after all their work, as a commit does, while `next()` gives an error. */
export function failingStorage(next: () => Error | null): MemoryStorage & { readonly attempts: () => number } {
  const storage = createMemoryStorage()
  let attempts = 0
  return {
    ...storage,
    attempts: () => attempts,
    transaction: (work) =>
      storage.transaction(async (transaction) => {
        attempts++
        const result = await work(transaction)
        const error = next()
        if (error !== null) throw error
        return result
      }),
  }
}

/** Fail `count` times with what `make` makes. */
export function times(count: number, make: () => Error): () => Error | null {
  let left = count
  return () => (left-- > 0 ? make() : null)
}
