/** First logins, all at once: one user, one org, one membership and the hook's rows, on a pool of five (P3, P8). */
import { describe, expect, it } from 'vitest'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { createPipeline, HOST_TABLES, type Pipeline } from './sql-pipeline.ts'

const USERS = 50
const REQUESTS = 40

/** All requests of all users at once; the org of each user, after checking that everybody was let in and saw one org. */
async function everybodyAtOnce(pipelines: readonly Pipeline[]): Promise<readonly string[]> {
  const tokens = await Promise.all(
    Array.from({ length: USERS }, (_, index) => pipelines[0]?.tokenOf(`user-${index}`) ?? ''),
  )
  const requests = Array.from({ length: USERS * REQUESTS }, (_, index) =>
    pipelines[index % pipelines.length]?.authenticate(tokens[index % USERS] ?? ''),
  )
  const ends = await Promise.all(requests)
  const orgs = tokens.map(
    (_, user) => new Set(ends.filter((_, index) => index % USERS === user).map((end) => end?.orgId)),
  )
  for (const own of orgs) expect(own.size).toBe(1)
  return orgs.map((own) => [...own][0] ?? '')
}

const TABLES = ['users', 'organizations', 'memberships', 'tenants', 'pipelines']

describe('PostgreSQL', () => {
  it(`lets ${USERS} × ${REQUESTS} first requests in, by three instances with pools of five`, async () => {
    const url = await createTestDatabase()
    const pools = [1, 2, 3].map(() => openPool(url, { max: 5 }))
    for (const table of HOST_TABLES) await pools[0]?.query(table)
    // Each instance has a provisioner of its own: what they don't share, the database must settle.
    const pipelines = pools.map((pool) => createPipeline(createPostgresStorage({ pool })))
    const orgs = await everybodyAtOnce(pipelines)
    expect(new Set(orgs).size).toBe(USERS)
    for (const table of TABLES) {
      const { rows } = await (pools[0] as (typeof pools)[0]).query(`SELECT count(*)::int AS count FROM ${table}`)
      expect([table, rows[0]?.count]).toEqual([table, USERS])
    }
  })
})

describe.each(SQLITE_DRIVERS)('SQLite by $name', ({ open }) => {
  it(`lets ${USERS} × ${REQUESTS} first requests in, by one process`, async () => {
    const database = open(createSqlitePath())
    await migrate({ database })
    for (const table of HOST_TABLES) database.exec(table)
    const orgs = await everybodyAtOnce([createPipeline(createSqliteStorage({ database }))])
    expect(new Set(orgs).size).toBe(USERS)
    for (const table of TABLES) {
      const [row] = database.prepare(`SELECT count(*) AS count FROM ${table}`).all() as { count: number }[]
      expect([table, row?.count]).toEqual([table, USERS])
    }
    database.close()
  })
})
