/** The promises of the account storage: accounts, sessions that end early, the one first admin. */
import * as z from 'zod/mini'
import { aNumber, parseOptions } from '../../lib/parse-options.ts'
import { ACCOUNT_CHANGE_CASES } from './account-change-cases.ts'
import { ACCOUNT_RECORD_CASES } from './account-record-cases.ts'
import { ACCOUNT_SESSION_CASES } from './account-session-cases.ts'
import { type AccountCaseSpec, type AccountsUnderTest, createAccountWorld } from './account-world.ts'
import { type ContractCase, runnable } from './contract-case.ts'

/** Options of {@link accountContract}. */
export interface AccountContractOptions {
  /**
   * Whether `make` makes a storage of its own for each case (default). `false`: one shared database; the cases about the
   * one first admin are left out, and must be run with fresh ones.
   */
  readonly fresh?: boolean | undefined
  /** Seconds after which a case fails as hung, 1 to 600. Default 10. */
  readonly timeoutSeconds?: number | undefined
}

const CASES: readonly AccountCaseSpec[] = [...ACCOUNT_RECORD_CASES, ...ACCOUNT_CHANGE_CASES, ...ACCOUNT_SESSION_CASES]

/**
 * Test an account storage: every promise of the ports, races and hostile ids included, as cases for any test runner.
 *
 * @param make makes the storage of one case
 * @throws TypeError for an unknown option
 * @example
 * for (const { id, name, run } of accountContract(() => ({ storage: myAccounts() }))) it(`${id}: ${name}`, run)
 */
export function accountContract(
  make: () => Promise<AccountsUnderTest> | AccountsUnderTest,
  options: AccountContractOptions = {},
): readonly ContractCase[] {
  if (typeof make !== 'function') throw new TypeError(`${NAME}: make must be a function`)
  const { fresh = true, timeoutSeconds = 10 } = parseOptions(NAME, SHAPE, options)
  return CASES.filter(({ needsFresh }) => fresh || needsFresh !== true).map(({ test, needsFresh: _, ...named }) =>
    runnable(named, timeoutSeconds, make, (made) => test(createAccountWorld(made))),
  )
}

const NAME = 'accountContract'
const SHAPE = {
  fresh: z.optional(z.boolean()),
  timeoutSeconds: z.optional(aNumber(1, 600)),
}
