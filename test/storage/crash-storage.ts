/** The storage of a process that is to crash, by the URL of a PostgreSQL or the path of a SQLite file. */
import pg from 'pg'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import type { PgQueryable, SqliteDatabase } from '../../src/storage/sql-executor.ts'
import { createSqliteStorage } from '../../src/storage/sqlite.ts'

const isPostgres = (where: string): boolean => /^postgres/.test(where)

/** Open it. */
export async function openCrashStorage(where: string): Promise<ShippedStorage> {
  if (isPostgres(where)) return createPostgresStorage({ pool: new pg.Pool({ connectionString: where, max: 2 }) })
  const builtIn = process.getBuiltinModule('node:sqlite') as
    | { DatabaseSync: new (path: string) => SqliteDatabase }
    | undefined
  if (builtIn !== undefined) return createSqliteStorage({ database: new builtIn.DatabaseSync(where) })
  const { default: Libsql } = await import('libsql')
  return createSqliteStorage({ database: new Libsql(where) as unknown as SqliteDatabase })
}

/** Write on a transaction's handle, as a hook of a host does. */
export async function writeOn(where: string, handle: unknown, text: string): Promise<void> {
  if (isPostgres(where)) await (handle as PgQueryable).query(text)
  else (handle as SqliteDatabase).exec(text)
}
