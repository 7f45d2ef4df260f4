/** Broken API key repositories, all of them: what the API key contract is tested by. */
import type { ApiKeysUnderTest } from './api-key-world.ts'
import { BROKEN_API_KEY_CHANGES } from './broken-api-key-changes.ts'
import { BROKEN_API_KEY_LISTS } from './broken-api-key-lists.ts'
import { BROKEN_API_KEY_RECORDS } from './broken-api-key-records.ts'
import { plainApiKeys } from './plain-api-keys.ts'

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

/**
 * API key repositories with one flaw each: to see {@link apiKeyContract} fail.
 *
 * @example
 * for (const { name, make } of BROKEN_API_KEYS) console.log(name, await runContract(apiKeyContract(make)))
 */
export const BROKEN_API_KEYS: readonly BrokenApiKeys[] = [
  ...BROKEN_API_KEY_RECORDS,
  ...BROKEN_API_KEY_LISTS,
  ...BROKEN_API_KEY_CHANGES,
].map(({ flaw, ...rest }) => ({ ...rest, make: () => plainApiKeys(flaw) }))
