/** The two databases that first logins crash over. */
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { PgQueryable, SqliteDatabase } from '../../src/storage/sql-executor.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import type { CrashSite } from './crash-runs.ts'
import { HOST_TABLES } from './sql-pipeline.ts'

// One statement, so one snapshot: a server may still commit for a client that was killed.
const selectCounts = (tables: readonly string[]): string =>
  `SELECT ${tables.map((table, index) => `(SELECT count(*) FROM ${table}) AS n${index}`).join(', ')}`

/** A PostgreSQL. */
export async function postgresSite(): Promise<CrashSite> {
  const where = await createTestDatabase()
  const pool = openPool(where, { max: 3 })
  for (const table of HOST_TABLES) await pool.query(table)
  return {
    where,
    storage: createPostgresStorage({ pool }),
    run: (handle, text) => (handle as PgQueryable).query(text),
    async counts(tables) {
      const { rows } = await pool.query<Record<string, string>>(selectCounts(tables))
      return Object.values(rows[0] ?? {}).map(Number)
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
    async counts(tables) {
      const fresh = open()
      try {
        const [row] = fresh.prepare(selectCounts(tables)).all() as Record<string, number>[]
        return Object.values(row ?? {}).map(Number)
      } finally {
        fresh.close()
      }
    },
  }
}
