/** The promises of the API key repository: a key found exactly as it was stored, and changed by its owner only. */

import { type Contract, createContract } from '../contract.ts'
import { type ApiKeysUnderTest, createApiKeyWorld } from './api-key-world.ts'
import { API_KEY_CHANGE_CASES, API_KEY_RACE_CASES } from './change-cases.ts'
import { API_KEY_LIST_CASES, API_KEY_RECORD_CASES } from './record-cases.ts'

/**
 * The promises of an API key repository, races and hostile ids included.
 *
 * @example
 * const make = () => ({
 *   apiKeys: storage.apiKeys,
 *   newOrg: () => storage.orgs.insert({ name: 'Acme' }),
 *   deleteOrg: (orgId) => storage.orgs.remove(orgId),
 * })
 * for (const { id, name, run } of apiKeyContract.cases(make)) it(`${id}: ${name}`, run)
 */
export const apiKeyContract: Contract<ApiKeysUnderTest> = createContract(
  'apiKeyContract',
  { ...API_KEY_RECORD_CASES, ...API_KEY_LIST_CASES, ...API_KEY_CHANGE_CASES, ...API_KEY_RACE_CASES },
  createApiKeyWorld,
)
