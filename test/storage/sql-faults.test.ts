/** Serialization failures, deadlocks and real lost connections: tried again, and nothing half-made ever (P4). */
import { describe, expect, it } from 'vitest'
import { refusalOf } from '../pipeline/world.ts'
import { createFaultyHost, firstLoginsWithFaults } from './sql-faults.ts'
import type { Fault, PlannedFault } from './sql-pools.ts'

const KINDS: readonly Fault[] = ['serialization', 'deadlock', 'drop', 'lost-answer']
const NOTHING = { users: 0, organizations: 0, memberships: 0, tenants: 0, pipelines: 0 }
const ONE = { users: 1, organizations: 1, memberships: 1, tenants: 1, pipelines: 1 }

describe('100 first logins, 30 % of the transactions and of the look-ups before them failing', () => {
  it('leave 100 of everything', async () => {
    const { faults, rows } = await firstLoginsWithFaults(100)
    expect(faults.length).toBeGreaterThan(20)
    for (const kind of KINDS) expect(faults).toContain(kind)
    expect(rows).toEqual({ users: 100, organizations: 100, memberships: 100, tenants: 100, pipelines: 100 })
  })
})

describe('one fault', () => {
  // BEGIN, user, org, membership, the hook's two, the user read anew, COMMIT.
  const places = [0, 1, 2, 3, 4, 5, 6, 7]
  it.each(KINDS)('%s, at each statement of the transaction: mended by one more attempt', async (fault) => {
    const plans: (PlannedFault | null)[] = []
    const host = await createFaultyHost({ transaction: () => plans.shift() ?? null }, 1)
    for (const at of places) {
      plans.push({ fault, at })
      expect(await host.authenticate(await host.tokenOf(`person-${at}`))).toMatchObject({ role: 'owner' })
      expect(host.faults).toHaveLength(at + 1)
    }
    const eight = Object.fromEntries(Object.keys(NOTHING).map((table) => [table, places.length]))
    expect(await host.countRows()).toEqual(eight)
  })
})

describe('six failures in a row', () => {
  it.each(['serialization', 'deadlock', 'drop'] as const)('%s: 503, and no rows', async (fault) => {
    const host = await createFaultyHost({ transaction: () => ({ fault, at: 5 }) })
    const refusal = await refusalOf(host.authenticate(await host.tokenOf('ada')))
    expect([refusal.code, refusal.status, refusal.headers['Retry-After']]).toEqual([
      'temporarily_unavailable',
      503,
      '1',
    ])
    expect(host.faults).toHaveLength(6)
    expect(await host.countRows()).toEqual(NOTHING)
  })

  it('five, and the sixth attempt is the one that succeeds', async () => {
    let left = 5
    const host = await createFaultyHost({
      transaction: () => (left-- > 0 ? { fault: 'serialization', at: 3 } : null),
    })
    await host.authenticate(await host.tokenOf('ada'))
    expect(host.faults).toHaveLength(5)
    expect(await host.countRows()).toEqual(ONE)
  })
})

describe('a look-up outside of transactions', () => {
  it.each(KINDS)('%s, at each one of a first and of a second request: asked again', async (fault) => {
    for (const at of [0, 1, 2]) {
      let asked = 0
      const host = await createFaultyHost({
        transaction: () => null,
        lookUp: () => (asked++ === at ? fault : null),
      })
      const token = await host.tokenOf('ada')
      expect(await host.authenticate(token)).toMatchObject({ role: 'owner' })
      expect(await host.authenticate(token)).toMatchObject({ role: 'owner' })
      expect([host.faults, await host.countRows()]).toEqual([[fault], ONE])
    }
  })

  it.each(KINDS)('%s, again and again: 503 at the second, and no rows', async (fault) => {
    const host = await createFaultyHost({ transaction: () => null, lookUp: () => fault })
    const refusal = await refusalOf(host.authenticate(await host.tokenOf('ada')))
    expect([refusal.code, refusal.headers['Retry-After']]).toEqual(['temporarily_unavailable', '1'])
    expect([host.faults, await host.countRows()]).toEqual([[fault, fault], NOTHING])
  })
})
