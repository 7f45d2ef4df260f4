import { beforeAll, describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { apiKeyContract } from '../../src/testing/contracts/api-keys/api-key-contract.ts'
import type { ApiKeysUnderTest } from '../../src/testing/contracts/api-keys/api-key-world.ts'
import { runContract } from '../../src/testing/contracts/contract.ts'
import { PATIENCE_MS } from '../patience.ts'
import { BROKEN_API_KEYS } from '../support/broken-stores/broken-api-keys.ts'
import { plainApiKeys } from '../support/broken-stores/plain-api-keys.ts'

function memory({ apiKeys, orgs } = createMemoryStorage()): ApiKeysUnderTest {
  return { apiKeys, newOrg: () => orgs.insert({ name: 'Acme' }), deleteOrg: (orgId) => orgs.remove(orgId) }
}

describe('the in-memory API keys', () => {
  for (const { id, name, run } of apiKeyContract.cases(() => memory())) it.concurrent(`${id}: ${name}`, run)

  it('hold the contract all at once in one storage', async () => {
    const shared = memory()
    const run = () => runContract(apiKeyContract, () => shared, { concurrency: 100 })
    const results = (await Promise.all([run(), run()])).flat()
    expect(results.filter(({ error }) => error !== null)).toEqual([])
  })
})

describe('the plain repository that broken ones are made of', () => {
  it('holds the contract', async () => {
    const results = await runContract(apiKeyContract, () => plainApiKeys())
    expect(results.filter(({ error }) => error !== null)).toEqual([])
  })
})

describe('the list of cases', () => {
  const ids = (without: readonly ('deleteOrg' | 'unboundKeys')[]): string[] =>
    apiKeyContract.cases(() => memory(), { without }).map(({ id }) => id)

  it('has stable ids, once each, and sentences with MUST', () => {
    for (const { id, name } of apiKeyContract.cases(() => memory())) {
      expect(id).toMatch(/^api-keys\/[a-z]+(-[a-z]+)*$/)
      expect(name).toMatch(/^MUST /)
    }
    expect(new Set(ids([])).size).toBe(ids([]).length)
  })

  it('leaves out what the storage has no such thing as', () => {
    const left = ids(['deleteOrg', 'unboundKeys'])
    expect(ids([]).filter((id) => !left.includes(id))).toEqual([
      'api-keys/unbound',
      'api-keys/installation',
      'api-keys/installation-created-by',
      'api-keys/deleted-org',
    ])
  })

  it('asks for what it needs, and refuses an unknown option', async () => {
    const { deleteOrg: _, ...rest } = memory()
    const needing = apiKeyContract.cases(() => rest).find(({ id }) => id === 'api-keys/deleted-org')
    await expect(needing?.run()).rejects.toThrow("without: ['deleteOrg']")
    expect(() => apiKeyContract.cases(() => memory(), { with: [] } as never)).toThrow('unknown option "with"')
    expect(() => apiKeyContract.cases(memory() as never)).toThrow('apiKeyContract: make must be a function')
  })
})

describe('each broken repository', () => {
  /** By name: the cases that failed on it, and what they said. */
  const failures = new Map<string, ReadonlyMap<string, string>>()

  beforeAll(async () => {
    const testing = BROKEN_API_KEYS.map(async ({ name, make }) => {
      const results = await runContract(apiKeyContract, make, { concurrency: 4, timeoutSeconds: PATIENCE_MS / 1000 })
      const failed = results.flatMap(({ id, error }): [string, string][] =>
        error === null ? [] : [[id, error.message]],
      )
      failures.set(name, new Map(failed))
    })
    await Promise.all(testing)
  })

  it('has a name of its own', () => {
    expect(new Set(BROKEN_API_KEYS.map(({ name }) => name)).size).toBe(BROKEN_API_KEYS.length)
  })

  for (const { name, breaks } of BROKEN_API_KEYS) {
    it(`is caught by the cases it names: ${name}`, () => {
      expect(breaks.length).toBeGreaterThan(0)
      expect([...(failures.get(name)?.keys() ?? [])]).toEqual(expect.arrayContaining([...breaks]))
    })
  }

  it('is caught by an expectation, never by a case that hung', () => {
    for (const [name, failed] of failures) {
      for (const [id, message] of failed) {
        expect(`${name}, ${id}: ${message}`).toMatch(/: expected .+, got /s)
        expect(`${name}, ${id}: ${message}`).not.toContain('still waits')
      }
    }
  })

  it('and no case is there that none of them needs', () => {
    const needed = new Set([...failures.values()].flatMap((failed) => [...failed.keys()]))
    expect(
      apiKeyContract
        .cases(() => memory())
        .map(({ id }) => id)
        .filter((id) => !needed.has(id)),
    ).toEqual([])
  })
})
