/** The contract suites of local login, as tests: accounts and throttle over the storages that a caller opens. */
import { it } from 'vitest'
import type { AccountStorage } from '../../src/storage/account-repositories.ts'
import { accountContract } from '../../src/testing/contracts/accounts/account-contract.ts'
import { throttleContract } from '../../src/testing/contracts/throttle/throttle-contract.ts'
import { PATIENCE_MS } from '../patience.ts'

/** Opens a storage, or hands out the one that is open. */
export type Make = () => Promise<AccountStorage & { close?(): unknown }>

/** All cases on one storage, and those about the first admin on one each. */
export function testLoginContracts(shared: Make, fresh: Make): void {
  const timeoutSeconds = PATIENCE_MS / 1000
  const options = { without: ['freshAccounts'], timeoutSeconds } as const
  const cases = accountContract.cases(async () => ({ storage: await shared() }), options)
  for (const { id, name, run } of cases) it(`${id}: ${name}`, run)
  const sharable = new Set(cases.map(({ id }) => id))
  const alone = accountContract.cases(
    async () => {
      const { close, ...storage } = await fresh()
      return { storage, close: async () => close?.() }
    },
    { timeoutSeconds },
  )
  for (const { id, name, run } of alone) if (!sharable.has(id)) it(`${id}: ${name}`, run)
  const throttle = throttleContract.cases(async () => ({ throttle: (await shared()).throttle }), { timeoutSeconds })
  for (const { id, name, run } of throttle) it(`${id}: ${name}`, run)
}
