/** What a broken API key repository is: the flaw, why real ones had it, and the cases that must find it. */
import type { ApiKeysUnderTest } from '../../../src/testing/contracts/api-keys/api-key-world.ts'
import type { plainApiKeys } from './plain-api-keys.ts'

/** An API key repository with a flaw that real ones had, and the contract cases that must find it. */
export interface BrokenApiKeys {
  readonly name: string
  /** What is wrong, and how it comes about. */
  readonly why: string
  /** Ids of the cases that fail on it; others may fail too. */
  readonly breaks: readonly string[]
  readonly make: () => ApiKeysUnderTest
}

/** A broken repository before it is made. */
export interface BrokenApiKeysSpec extends Omit<BrokenApiKeys, 'make'> {
  readonly flaw: NonNullable<Parameters<typeof plainApiKeys>[0]>
}
