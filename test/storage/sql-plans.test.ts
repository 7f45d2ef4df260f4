/** Every statement of the SQL storages on empty tables: what it looks for is found by an index, but for what reads a table whole. */
import { describe, expect, it, vi } from 'vitest'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { SqlStatement } from '../../src/storage/sql-executor.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

// Whatever statements a storage makes for itself.
const made = vi.hoisted(() => [] as SqlStatement[])
vi.mock('../../src/storage/sql-statements.ts', async (original) => {
  const module = await original<typeof import('../../src/storage/sql-statements.ts')>()
  const noting =
    <A extends readonly unknown[], S extends object>(make: (...given: A) => S) =>
    (...given: A): S => {
      const statements = make(...given)
      made.push(...(Object.values(statements) as SqlStatement[]))
      return statements
    }
  return { ...module, toStatements: noting(module.toStatements), createStatements: noting(module.createStatements) }
})

/** What reads a table whole, by its name: what lists or counts everything. */
const WHOLE: readonly string[] = ['countOrgs', 'countUsers', 'listAccounts', 'listApiKeys', 'listMachines']

describe.each(['rows', 'user-row'] as const)('with memberships in %s', (membershipOn) => {
  it.each(SQLITE_DRIVERS)('SQLite by $name searches, and scans no table but for those', async ({ open }) => {
    const database = open(createSqlitePath())
    await migrate({ database })
    made.length = 0
    createSqliteStorage({ database, membershipOn })
    const scanning = made.filter(({ name, text }) => {
      // The place from which on the oldest go is counted in an index.
      if (name === 'trimThrottle') return false
      const bound = Array.from(text.matchAll(/\$\d+/g), () => '1')
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${text.replace(/\$\d+/g, '?')}`).all(...bound)
      return (plan as { detail: string }[]).some(({ detail }) => /^SCAN (?!CONSTANT ROW)/.test(detail))
    })
    database.close()
    expect(made.length).toBeGreaterThan(60)
    expect(scanning.map(({ name }) => name).toSorted()).toEqual(WHOLE.toSorted())
  })

  it('PostgreSQL can do without scanning a table, but for those', async () => {
    const pool = openPool(await createTestDatabase(), { max: 1 })
    await pool.query('SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan')
    made.length = 0
    createPostgresStorage({ pool, membershipOn })
    const scanning: string[] = []
    for (const { name, text } of made) {
      const count = Math.max(0, ...Array.from(text.matchAll(/\$(\d+)/g), ([, number]) => Number(number)))
      const values = count === 0 ? '' : `(${Array(count).fill('NULL').join(', ')})`
      const results = await pool.query(`PREPARE p AS ${text}; EXPLAIN EXECUTE p${values}; DEALLOCATE p`)
      const [, plan] = results as unknown as { rows: { 'QUERY PLAN': string }[] }[]
      if (plan?.rows.some((row) => row['QUERY PLAN'].includes('Seq Scan'))) scanning.push(name)
    }
    // Counts are made in an index.
    expect(scanning.toSorted()).toEqual(WHOLE.filter((name) => !name.startsWith('count')).toSorted())
  })
})
