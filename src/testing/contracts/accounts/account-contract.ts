/** The promises of the account storage: accounts, sessions that end early, the one first admin. */

import { type Contract, createContract } from '../contract.ts'
import { type AccountsUnderTest, createAccountWorld } from './account-world.ts'
import { ACCOUNT_CHANGE_CASES } from './change-cases.ts'
import { ACCOUNT_RECORD_CASES, ACCOUNT_SESSION_CASES } from './record-cases.ts'

/**
 * The promises of an account storage, races and hostile ids included. Where all cases share a database, the options say
 * `without: ['freshAccounts']`: then those about the one first admin are left out, and must be run with fresh ones.
 *
 * @example
 * for (const { id, name, run } of accountContract.cases(() => ({ storage: myAccounts() }))) it(`${id}: ${name}`, run)
 */
export const accountContract: Contract<AccountsUnderTest> = createContract(
  'accountContract',
  { ...ACCOUNT_RECORD_CASES, ...ACCOUNT_CHANGE_CASES, ...ACCOUNT_SESSION_CASES },
  createAccountWorld,
)
