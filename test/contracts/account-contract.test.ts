import { describe, expect, it } from 'vitest'
import { createMemoryAccounts, createMemoryStorage } from '../../src/storage/memory.ts'
import { accountContract } from '../../src/testing/contracts/accounts/account-contract.ts'
import { runContract } from '../../src/testing/contracts/contract.ts'
import { throttleContract } from '../../src/testing/contracts/throttle/throttle-contract.ts'
import { PATIENCE_MS } from '../patience.ts'
import { BROKEN_ACCOUNTS } from '../support/broken-stores/broken-accounts.ts'

describe('the in-memory accounts', () => {
  const cases = accountContract.cases(() => ({ storage: createMemoryAccounts() }))
  for (const { id, name, run } of cases) it.concurrent(`${id}: ${name}`, run)
})

describe('the in-memory accounts, shared by all cases', () => {
  const storage = createMemoryStorage().accounts
  const cases = accountContract.cases(() => ({ storage }), { without: ['freshAccounts'] })
  for (const { id, name, run } of cases) it.concurrent(`${id}: ${name}`, run)
})

describe('the in-memory throttle', () => {
  const { throttle } = createMemoryAccounts()
  for (const { id, name, run } of throttleContract.cases(() => ({ throttle }))) it.concurrent(`${id}: ${name}`, run)
})

describe('each broken storage', async () => {
  const failures = new Map<string, Awaited<ReturnType<typeof runContract>>>()
  await Promise.all(
    BROKEN_ACCOUNTS.map(async ({ name, make }) => {
      const options = { timeoutSeconds: PATIENCE_MS / 1000, concurrency: 4 }
      const accounts = await runContract(accountContract, () => ({ storage: make() }), options)
      const throttle = await runContract(throttleContract, () => ({ throttle: make().throttle }), options)
      const results = [...accounts, ...throttle]
      failures.set(
        name,
        results.filter(({ error }) => error !== null),
      )
    }),
  )

  it.each(BROKEN_ACCOUNTS)('is caught by the cases it names: $name', ({ name, breaks }) => {
    const failed = failures.get(name) ?? []
    expect(failed.map(({ id }) => id)).toEqual(expect.arrayContaining([...breaks]))
    for (const { error } of failed) expect(error?.message).toMatch(/expected .+, got /s)
  })

  it('leaves no case that none of them needs, but the plain ones', () => {
    const storage = createMemoryAccounts()
    const ids = [...accountContract.cases(() => ({ storage })), ...throttleContract.cases(() => storage)].map(
      ({ id }) => id,
    )
    const caught = new Set([...failures.values()].flat().map(({ id }) => id))
    expect(ids.filter((id) => !caught.has(id))).toEqual([])
  })
})
