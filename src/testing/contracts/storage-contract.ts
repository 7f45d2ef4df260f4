/** All contract suites as one, and a runner without a runner. */
import {
  type CaseSpec,
  type ContractCase,
  type ContractOptions,
  casesOf,
  leftOutOf,
  type MakeStorage,
} from './contract-case.ts'
import { INVITATION_CASES } from './invitation-contract.ts'
import { MEMBERSHIP_CASES } from './membership-contract.ts'
import { ORG_CASES } from './org-contract.ts'
import { TRANSACTION_CASES } from './transaction-contract.ts'
import { USER_CASES } from './user-contract.ts'

const ALL: readonly CaseSpec[] = [
  ...USER_CASES,
  ...ORG_CASES,
  ...MEMBERSHIP_CASES,
  ...INVITATION_CASES,
  ...TRANSACTION_CASES,
]

/**
 * Test a whole storage: every promise of the ports, races and hostile ids included, as cases for any test runner.
 * Cost: some 70 cases with up to a few hundred queries each; on a local database well under a minute.
 *
 * @param make makes the storage of one case: fresh, or one shared database (cases use random ids)
 * @param options what the storage can't do or hold; {@link leftOutOfContract} names the cases they leave out
 * @throws TypeError for an unknown option
 * @example
 * // vitest
 * describe('my storage', () => {
 *   for (const { id, name, run } of storageContract(make)) it(`${id}: ${name}`, run)
 * })
 * @example
 * // node:test
 * for (const { id, name, run } of storageContract(make)) test(`${id}: ${name}`, run)
 * @example
 * const make = () => ({
 *   storage: myStorage(pool),
 *   probe: {
 *     disableUser: (id) => pool.query('update users set disabled = true where id = $1', [id]),
 *     deleteOrg: (id) => pool.query('delete from orgs where id = $1', [id]),
 *   },
 * })
 */
export function storageContract(make: MakeStorage, options?: ContractOptions): readonly ContractCase[] {
  return casesOf('storageContract', ALL, make, options)
}

/**
 * Name the cases of {@link storageContract} that these options leave out, and why: what a green run did not prove.
 *
 * @throws TypeError for an unknown option
 * @example
 * for (const { id, why } of leftOutOfContract({ membershipsPerUser: 'one' })) console.log(id, why)
 */
export function leftOutOfContract(options: ContractOptions): readonly { readonly id: string; readonly why: string }[] {
  return leftOutOf('leftOutOfContract', ALL, options)
}

/** What became of one case. */
export interface ContractResult {
  readonly id: string
  readonly name: string
  /** What it failed with, or `null`. */
  readonly error: Error | null
  readonly milliseconds: number
}

/**
 * Run cases without a test runner. Never rejects for a failed case.
 *
 * @param options.concurrency how many cases run at once; default 1
 * @returns one result for each case, in their order
 * @example
 * const failed = (await runContract(storageContract(make))).filter(({ error }) => error !== null)
 */
export async function runContract(
  cases: readonly ContractCase[],
  { concurrency = 1 }: { readonly concurrency?: number | undefined } = {},
): Promise<readonly ContractResult[]> {
  const results: ContractResult[] = []
  const waiting = [...cases.entries()]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      results[next[0]] = await runCase(next[1])
  }
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work))
  return results
}

async function runCase({ id, name, run }: ContractCase): Promise<ContractResult> {
  const start = performance.now()
  let error: Error | null = null
  try {
    await run()
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
  }
  return { id, name, error, milliseconds: performance.now() - start }
}
