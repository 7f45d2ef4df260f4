/** The promises of the API key repository: a key found exactly as it was stored, and changed by its owner only. */
import * as z from 'zod/mini'
import { aNumber, parseOptions } from '../../lib/parse-options.ts'
import { API_KEY_CHANGE_CASES } from './api-key-change-cases.ts'
import { API_KEY_LIST_CASES } from './api-key-list-cases.ts'
import { API_KEY_RACE_CASES } from './api-key-race-cases.ts'
import { API_KEY_RECORD_CASES } from './api-key-record-cases.ts'
import { type ApiKeyCaseSpec, type ApiKeysUnderTest, createApiKeyWorld } from './api-key-world.ts'
import { type ContractCase, runnable } from './contract-case.ts'

/** Options of {@link apiKeyContract}. */
export interface ApiKeyContractOptions {
  /**
   * What this storage has no such thing as: organizations that can be deleted, keys that are bound to none. Default `[]`.
   */
  readonly without?: readonly ('deleteOrg' | 'unbound')[] | undefined
  /** Seconds after which a case fails as hung, 1 to 600. Default 10. */
  readonly timeoutSeconds?: number | undefined
}

const CASES: readonly ApiKeyCaseSpec[] = [
  ...API_KEY_RECORD_CASES,
  ...API_KEY_LIST_CASES,
  ...API_KEY_CHANGE_CASES,
  ...API_KEY_RACE_CASES,
]

/**
 * Test an API key repository: every promise of the port, races and hostile ids included, as cases for any test runner.
 *
 * @param make makes the storage of one case: fresh, or one shared database (cases use random ids)
 * @throws TypeError for an unknown option
 * @example
 * for (const { id, name, run } of apiKeyContract(() => ({
 *   apiKeys: storage.apiKeys,
 *   newOrg: () => storage.orgs.insert({ name: 'Acme' }),
 *   deleteOrg: (orgId) => storage.orgs.remove(orgId),
 * }))) {
 *   it(`${id}: ${name}`, run)
 * }
 */
export function apiKeyContract(
  make: () => Promise<ApiKeysUnderTest> | ApiKeysUnderTest,
  options: ApiKeyContractOptions = {},
): readonly ContractCase[] {
  if (typeof make !== 'function') throw new TypeError(`${NAME}: make must be a function`)
  const { without = [], timeoutSeconds = 10 } = parseOptions(NAME, SHAPE, options)
  return CASES.filter(({ needs }) => needs === undefined || !without.includes(needs)).map(({ test, ...named }) =>
    runnable(named, timeoutSeconds, make, (made) => test(createApiKeyWorld(made))),
  )
}

const NAME = 'apiKeyContract'
const SHAPE = {
  without: z.optional(z.array(z.enum(['deleteOrg', 'unbound']))),
  timeoutSeconds: z.optional(aNumber(1, 600)),
}
