import { describe, expect, it } from 'vitest'
import { createMemoryAccounts, createMemoryStorage } from '../../src/storage/memory.ts'
import { accountContract } from '../../src/testing/contracts/account-contract.ts'
import { type ContractResult, runContract } from '../../src/testing/contracts/storage-contract.ts'
import { throttleContract } from '../../src/testing/contracts/throttle-contract.ts'
import { PATIENCE_MS } from '../patience.ts'
import { BROKEN_ACCOUNTS } from '../support/broken-stores/broken-accounts.ts'

describe('the in-memory accounts', () => {
  const cases = accountContract(() => ({ storage: createMemoryAccounts() }))
  for (const { id, name, run } of cases) it.concurrent(`${id}: ${name}`, run)
})

describe('the in-memory accounts, shared by all cases', () => {
  const storage = createMemoryStorage().accounts
  const cases = accountContract(() => ({ storage }), { fresh: false })
  for (const { id, name, run } of cases) it.concurrent(`${id}: ${name}`, run)
})

describe('the in-memory throttle', () => {
  const { throttle } = createMemoryAccounts()
  for (const { id, name, run } of throttleContract(() => ({ throttle }))) it.concurrent(`${id}: ${name}`, run)
})

describe('each broken storage', async () => {
  const failures = new Map<string, readonly ContractResult[]>()
  await Promise.all(
    BROKEN_ACCOUNTS.map(async ({ name, make }) => {
      const accounts = accountContract(() => ({ storage: make() }), { timeoutSeconds: PATIENCE_MS / 1000 })
      const throttle = throttleContract(() => ({ throttle: make().throttle }), { timeoutSeconds: PATIENCE_MS / 1000 })
      const results = await runContract([...accounts, ...throttle], { concurrency: 4 })
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
    const ids = [...accountContract(() => ({ storage })), ...throttleContract(() => storage)].map(({ id }) => id)
    const caught = new Set([...failures.values()].flat().map(({ id }) => id))
    expect(ids.filter((id) => !caught.has(id))).toEqual([])
  })
})
