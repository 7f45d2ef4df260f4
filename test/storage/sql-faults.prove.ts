/** 1,000 first logins with 30 % of all transactions and look-ups by identity failing: nothing half-made, nothing lost after retry (P4). */
import { expect, it } from 'vitest'
import { firstLoginsWithFaults } from './sql-faults.ts'

it('1,000 first logins, 30 % serialization failures, deadlocks, dropped connections and lost answers', async () => {
  const { faults, unavailable, rows } = await firstLoginsWithFaults(1000)
  const kinds = Object.fromEntries(
    [...new Set(faults)].map((kind) => [kind, faults.filter((each) => each === kind).length]),
  )
  console.log('faults', faults.length, kinds, 'answered 503 and tried again by the client', unavailable, 'rows', rows)
  expect(faults.length).toBeGreaterThan(250)
  expect(rows).toEqual({ users: 1000, organizations: 1000, memberships: 1000, tenants: 1000, pipelines: 1000 })
})
