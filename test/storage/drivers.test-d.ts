/** Drivers fit as they are: no cast, and the host's own handle comes back with its own type. */
import type { DatabaseSync } from 'node:sqlite'
import type { PGlite, Transaction } from '@electric-sql/pglite'
import type Libsql from 'libsql'
import type pg from 'pg'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage } from '../../src/storage/sqlite.ts'

declare const pool: pg.Pool
declare const pglite: PGlite
declare const libsql: Libsql.Database
declare const builtIn: DatabaseSync
declare const client: pg.PoolClient

// Never called: it only has to compile.
export async function fits(): Promise<void> {
  await createPostgresStorage({ pool }).transaction(async ({ handle }) => {
    const same: pg.PoolClient = handle
    return same
  })
  createPostgresStorage({ pool }).within(client)
  await createPostgresStorage({ pool: pglite }).transaction(async ({ handle }) => {
    const same: Transaction = handle
    return same
  })
  await createSqliteStorage({ database: libsql }).transaction(async ({ handle }) => {
    const same: Libsql.Database = handle
    return same
  })
  await createSqliteStorage({ database: builtIn }).transaction(async ({ handle }) => {
    const same: DatabaseSync = handle
    return same
  })
  // @ts-expect-error a client is no pool: what its connect() resolves with can't be released
  createPostgresStorage({ pool: {} as pg.Client })
}
