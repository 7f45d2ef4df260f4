/** Rows by the thousand for the growth of databases: written by the databases themselves, one statement a table. */
import type pg from 'pg'
import type { SqliteDatabase } from 'sallyport/sqlite'
import { ISSUER } from '../tokens.ts'

/** The subject of the user of a number. */
export function subjectOf(number: number): string {
  return `subject-${number}`
}

// The id of a row by its number, in SQL.
const pgId = (prefix: string, number: string): string =>
  `('${prefix}0000000-0000-4000-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`
const sqliteId = (prefix: string, number: string): string =>
  `printf('${prefix}0000000-0000-4000-8000-%012x', ${number})`

/** So many users, each the owner of an organization and a member of the one before. */
export async function fillPostgres(pool: pg.Pool, schema: string, count: number): Promise<void> {
  const range = `generate_series(0, ${count - 1}) AS n`
  await pool.query(`INSERT INTO ${schema}.organizations (id, name) SELECT ${pgId('b', 'n')}, 'Org ' || n FROM ${range}`)
  await pool.query(`INSERT INTO ${schema}.users (id, issuer, subject, email)
    SELECT ${pgId('a', 'n')}, '${ISSUER}', 'subject-' || n, 'user-' || n || '@example.test' FROM ${range}`)
  await pool.query(`INSERT INTO ${schema}.memberships (user_id, org_id, role)
    SELECT ${pgId('a', 'n')}, ${pgId('b', 'n - back')}, 'owner' FROM ${range}, generate_series(0, 1) AS back WHERE n >= back`)
  // What autovacuum does a minute later.
  await pool.query('VACUUM ANALYZE')
}

/** The same in SQLite. */
export function fillSqlite(database: SqliteDatabase, count: number): void {
  const range = `WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < ${count - 1})`
  database.exec(`INSERT INTO organizations (id, name) ${range} SELECT ${sqliteId('b', 'n')}, 'Org ' || n FROM r;
    INSERT INTO users (id, issuer, subject, email)
      ${range} SELECT ${sqliteId('a', 'n')}, '${ISSUER}', 'subject-' || n, 'user-' || n || '@example.test' FROM r;
    INSERT INTO memberships (user_id, org_id, role) ${range} SELECT ${sqliteId('a', 'n')}, ${sqliteId('b', 'n')}, 'owner' FROM r;
    INSERT INTO memberships (user_id, org_id, role)
      ${range} SELECT ${sqliteId('a', 'n')}, ${sqliteId('b', 'n - 1')}, 'owner' FROM r WHERE n > 0`)
}

/** A user for each number, who is a member of so many organizations. */
export function fillMemberships(counts: readonly number[]): {
  postgres(pool: pg.Pool, schema: string): Promise<void>
  sqlite(database: SqliteDatabase): void
} {
  const most = Math.max(...counts)
  return {
    async postgres(pool, schema) {
      await fillPostgres(pool, schema, most)
      for (const [user, count] of counts.entries()) {
        await pool.query(`INSERT INTO ${schema}.memberships (user_id, org_id, role)
          SELECT ${pgId('a', String(user))}, ${pgId('b', 'n')}, 'owner' FROM generate_series(0, ${count - 1}) AS n
          ON CONFLICT DO NOTHING`)
      }
      await pool.query('VACUUM ANALYZE')
    },
    sqlite(database) {
      fillSqlite(database, most)
      for (const [user, count] of counts.entries()) {
        database.exec(`INSERT OR IGNORE INTO memberships (user_id, org_id, role)
          WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < ${count - 1})
          SELECT ${sqliteId('a', String(user))}, ${sqliteId('b', 'n')}, 'owner' FROM r`)
      }
    },
  }
}
