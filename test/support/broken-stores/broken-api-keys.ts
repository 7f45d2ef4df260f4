/** Broken API key repositories, all of them: what the API key contract is tested by. */
import { BROKEN_API_KEY_CHANGES } from './broken-api-key-changes.ts'
import { BROKEN_API_KEY_LISTS } from './broken-api-key-lists.ts'
import { BROKEN_API_KEY_RECORDS } from './broken-api-key-records.ts'
import type { BrokenApiKeys } from './broken-api-key-spec.ts'
import { plainApiKeys } from './plain-api-keys.ts'

/**
 * API key repositories with one flaw each: to see {@link apiKeyContract} fail.
 *
 * @example
 * for (const { name, make } of BROKEN_API_KEYS) console.log(name, await runContract(apiKeyContract, make))
 */
export const BROKEN_API_KEYS: readonly BrokenApiKeys[] = [
  ...BROKEN_API_KEY_RECORDS,
  ...BROKEN_API_KEY_LISTS,
  ...BROKEN_API_KEY_CHANGES,
].map(({ flaw, ...rest }) => ({ ...rest, make: () => plainApiKeys(flaw) }))
