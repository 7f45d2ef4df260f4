/** Account storages and throttle stores with one flaw each, all of them: what the suites are tested by. */
import { BROKEN_ACCOUNT_GUARDS } from './broken-account-guards.ts'
import { BROKEN_ACCOUNT_RECORDS } from './broken-account-records.ts'
import type { BrokenAccounts } from './broken-account-storage.ts'
import { BROKEN_THROTTLES } from './broken-throttles.ts'

export type { BrokenAccounts }

/**
 * Account storages with one flaw each: to see `accountContract` and `throttleContract` fail.
 *
 * @example
 * for (const { make } of BROKEN_ACCOUNTS) await runContract(accountContract, () => ({ storage: make() }))
 */
export const BROKEN_ACCOUNTS: readonly BrokenAccounts[] = [
  ...BROKEN_ACCOUNT_RECORDS,
  ...BROKEN_ACCOUNT_GUARDS,
  ...BROKEN_THROTTLES,
]
