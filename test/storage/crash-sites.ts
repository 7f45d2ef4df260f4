/** The two databases that first logins crash over. */
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { PgQueryable, SqliteDatabase } from '../../src/storage/sql-executor.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import type { CrashSite } from './crash-runs.ts'
import { HOST_TABLES } from './sql-pipeline.ts'

/** A PostgreSQL. */
export async function postgresSite(): Promise<CrashSite> {
  const where = await createTestDatabase()
  const pool = openPool(where, { max: 3 })
  for (const table of HOST_TABLES) await pool.query(table)
  return {
    where,
    storage: createPostgresStorage({ pool }),
    run: (handle, text) => (handle as PgQueryable).query(text),
    async count(table) {
      const { rows } = await pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`)
      return rows[0]?.count ?? -1
    },
  }
}

/** A SQLite file; each look at it is by a handle of its own, as after a restart. */
export async function sqliteSite(): Promise<CrashSite> {
  const where = createSqlitePath()
  const open = () => {
    const driver = SQLITE_DRIVERS.at(-1)
    if (driver === undefined) throw new Error('there is no driver')
    return driver.open(where)
  }
  const database = open()
  await migrate({ database })
  for (const table of HOST_TABLES) database.exec(table)
  return {
    where,
    storage: createSqliteStorage({ database }),
    run: async (handle, text) => (handle as SqliteDatabase).exec(text),
    async count(table) {
      const fresh = open()
      try {
        const [row] = fresh.prepare(`SELECT count(*) AS count FROM ${table}`).all() as { count: number }[]
        return Number(row?.count ?? -1)
      } finally {
        fresh.close()
      }
    },
  }
}
