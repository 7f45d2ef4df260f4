import { beforeAll, describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { runContract } from '../../src/testing/contracts/contract.ts'
import { machineContract } from '../../src/testing/contracts/machines/machine-contract.ts'
import type { MachinesUnderTest } from '../../src/testing/contracts/machines/machine-world.ts'
import { PATIENCE_MS } from '../patience.ts'
import { BROKEN_MACHINES } from '../support/broken-stores/broken-machines.ts'
import { plainMachines } from '../support/broken-stores/plain-machines.ts'

function memory({ machines, orgs } = createMemoryStorage()): MachinesUnderTest {
  return { machines, newOrg: () => orgs.insert({ name: 'Acme' }), deleteOrg: (orgId) => orgs.remove(orgId) }
}

describe('the in-memory machines', () => {
  for (const { id, name, run } of machineContract.cases(() => memory())) it.concurrent(`${id}: ${name}`, run)

  it('hold the contract all at once in one storage', async () => {
    const shared = memory()
    const run = () => runContract(machineContract, () => shared, { concurrency: 100 })
    const results = (await Promise.all([run(), run()])).flat()
    expect(results.filter(({ error }) => error !== null)).toEqual([])
  })
})

describe('the plain repository that broken ones are made of', () => {
  it('holds the contract', async () => {
    const results = await runContract(machineContract, () => plainMachines())
    expect(results.filter(({ error }) => error !== null)).toEqual([])
  })
})

describe('the list of cases', () => {
  const ids = (options = {}): string[] => machineContract.cases(() => memory(), options).map(({ id }) => id)

  it('has stable ids, once each, and sentences with MUST', () => {
    for (const { id, name } of machineContract.cases(() => memory())) {
      expect(id).toMatch(/^machines\/[a-z]+(-[a-z]+)*$/)
      expect(name).toMatch(/^MUST /)
    }
    expect(new Set(ids()).size).toBe(ids().length)
  })

  it('leaves out what the storage has no such thing as', () => {
    const options = { without: ['deleteOrg', 'unboundMachines'], issuers: ['https://only.test'] }
    const left = ids(options)
    const anyIssuer = ['machines/issuer-is-exact', 'machines/joined-pairs', 'machines/hostile-issuers']
    const out = ['machines/identity-is-the-pair', ...anyIssuer, 'machines/unbound', 'machines/deleted-org']
    expect(ids().filter((id) => !left.includes(id))).toEqual(out)
  })

  it('asks for what it needs', async () => {
    const { deleteOrg: _, ...rest } = memory()
    const needing = machineContract.cases(() => rest).find(({ id }) => id === 'machines/deleted-org')
    await expect(needing?.run()).rejects.toThrow("without: ['deleteOrg']")
  })
})

describe('each broken repository', () => {
  /** By name: the cases that failed on it, and what they said. */
  const failures = new Map<string, ReadonlyMap<string, string>>()

  beforeAll(async () => {
    const testing = BROKEN_MACHINES.map(async ({ name, make }) => {
      const results = await runContract(machineContract, make, { concurrency: 4, timeoutSeconds: PATIENCE_MS / 1000 })
      const failed = results.flatMap(({ id, error }): [string, string][] =>
        error === null ? [] : [[id, error.message]],
      )
      failures.set(name, new Map(failed))
    })
    await Promise.all(testing)
  })

  it('has a name of its own', () => {
    expect(new Set(BROKEN_MACHINES.map(({ name }) => name)).size).toBe(BROKEN_MACHINES.length)
  })

  for (const { name, breaks } of BROKEN_MACHINES) {
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
    const all = machineContract.cases(() => memory()).map(({ id }) => id)
    expect(all.filter((id) => !needed.has(id))).toEqual([])
  })
})
