/** First logins on a PostgreSQL that fails: what is there afterwards, and how often it had to be tried. */
import type pg from 'pg'
import { expect } from 'vitest'
import { isAuthError } from '../../src/errors.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createPipeline, HOST_TABLES, type Pipeline } from './sql-pipeline.ts'
import { type Fault, type FaultPlan, faultsByDice, faultyPool } from './sql-pools.ts'

/** What became of it. */
export interface FaultyRun {
  readonly faults: readonly Fault[]
  /** How many requests ended in a 503, which a client tries again. */
  readonly unavailable: number
  readonly rows: Readonly<Record<string, number>>
}

const TABLES: readonly string[] = ['users', 'organizations', 'memberships', 'tenants', 'pipelines']

/** Rows of each table. */
async function countRows(pool: pg.Pool): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of TABLES) {
    const { rows } = await pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`)
    counts[table] = rows[0]?.count ?? -1
  }
  return counts
}

/** A pipeline whose database fails. */
export interface FaultyHost extends Pipeline {
  readonly pool: pg.Pool
  /** The faults so far. */
  readonly faults: readonly Fault[]
  countRows(): Promise<Readonly<Record<string, number>>>
}

/** A pipeline over a pool that fails as planned, on a database of its own. */
export async function createFaultyHost(plan: FaultPlan, max: number = 5): Promise<FaultyHost> {
  const pool = openPool(await createTestDatabase(), { max })
  for (const table of HOST_TABLES) await pool.query(table)
  const faulty = faultyPool(pool, plan)
  const pipeline = createPipeline(createPostgresStorage({ pool: faulty }))
  return { ...pipeline, pool, faults: faulty.faults, countRows: () => countRows(pool) }
}

/** Let `people` log in for the first time, 20 at a time, 30 % of all that is asked failing; a 503 is tried again. */
export async function firstLoginsWithFaults(people: number): Promise<FaultyRun> {
  const { authenticate, tokenOf, pool, faults } = await createFaultyHost(faultsByDice(0.3, people))
  let unavailable = 0
  const logIn = async (subject: string): Promise<void> => {
    const token = await tokenOf(subject)
    for (;;) {
      try {
        await authenticate(token)
        return
      } catch (error) {
        if (!isAuthError(error) || error.code !== 'temporarily_unavailable') throw error
        unavailable++
      }
    }
  }
  const waiting = Array.from({ length: people }, (_, index) => `person-${index}`)
  const lane = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await logIn(next)
  }
  await Promise.all(Array.from({ length: 20 }, lane))
  expect(pool.totalCount).toBeLessThanOrEqual(5)
  return { faults: [...faults], unavailable, rows: await countRows(pool) }
}
