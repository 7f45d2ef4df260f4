import { beforeAll, describe, expect, it } from 'vitest'
import { runContract } from '../../src/testing/contracts/contract.ts'
import { storageContract } from '../../src/testing/contracts/storage-contract.ts'
import { PATIENCE_MS } from '../patience.ts'
import { BROKEN_STORES } from '../support/broken-stores/broken-stores.ts'
import { partOf, suiteOf } from './part-of.ts'

/** By store: the cases that failed on it, and what they said. */
const failures = new Map<string, ReadonlyMap<string, Error>>()
const SUITES = ['users', 'orgs', 'memberships', 'invitations', 'transactions']

// Each by the suites that it names cases of: all by all would be twenty thousand cases. A few at a time: where everybody is late
// for everything, other things go wrong than those that are broken.
beforeAll(async () => {
  const waiting = [...BROKEN_STORES]
  const work = async (): Promise<void> => {
    for (let store = waiting.shift(); store !== undefined; store = waiting.shift()) {
      const { name, make, membershipsPerUser, breaks } = store
      const options = { membershipsPerUser, timeoutSeconds: PATIENCE_MS / 1000, concurrency: 4 }
      const suites = new Set(breaks.map(suiteOf))
      const results = await runContract(
        partOf(storageContract, (id) => suites.has(suiteOf(id))),
        make,
        options,
      )
      const failed = results.flatMap(({ id, error }): [string, Error][] => (error === null ? [] : [[id, error]]))
      failures.set(name, new Map(failed))
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
})

describe('each broken store', () => {
  it('has a name of its own', () => {
    expect(new Set(BROKEN_STORES.map(({ name }) => name)).size).toBe(BROKEN_STORES.length)
  })

  for (const { name, breaks } of BROKEN_STORES) {
    it(`is caught by the cases it names: ${name}`, () => {
      expect(breaks.length).toBeGreaterThan(0)
      expect([...(failures.get(name)?.keys() ?? [])]).toEqual(expect.arrayContaining([...breaks]))
    })
  }

  it('is caught by an expectation, never by a case that hung or stumbled', () => {
    for (const [name, failed] of failures) {
      for (const [id, { message }] of failed) {
        expect(`${name}, ${id}: ${message}`).toMatch(/: expected .+, got /s)
        expect(`${name}, ${id}: ${message}`).not.toContain('still waits')
      }
    }
  })
})

describe('the suites', () => {
  it.each(SUITES)('%s catches at least three broken stores', (suite) => {
    const caught = [...failures].filter(([, failed]) => [...failed.keys()].some((id) => suiteOf(id) === suite))
    expect(caught.length).toBeGreaterThanOrEqual(3)
  })

  it('have no case that no broken store needs', () => {
    const ids = new Set(
      (['many', 'one'] as const).flatMap((membershipsPerUser) =>
        storageContract.cases(() => Promise.reject(new Error('not run')), { membershipsPerUser }).map(({ id }) => id),
      ),
    )
    for (const failed of failures.values()) for (const id of failed.keys()) ids.delete(id)
    expect([...ids]).toEqual([])
  })
})
