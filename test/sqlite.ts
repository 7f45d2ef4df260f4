/** What tests need of SQLite: a database file of their own, by every driver that this Node has. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { afterAll } from 'vitest'
import type { SqliteDatabase } from '../src/storage/sql-executor.ts'

/** A handle that can be closed. */
export type ClosableDatabase = SqliteDatabase & { close(): unknown }

/** A driver by its name. */
export interface SqliteDriver {
  readonly name: string
  open(path: string): ClosableDatabase
}

/** `libsql`, and `node:sqlite` where it is built in. */
export const SQLITE_DRIVERS: readonly SqliteDriver[] = [
  { name: 'libsql', open: (path) => new Libsql(path) as unknown as ClosableDatabase },
  ...builtIn(),
]

function builtIn(): SqliteDriver[] {
  const module = process.getBuiltinModule('node:sqlite') as
    | { DatabaseSync: new (path: string) => ClosableDatabase }
    | undefined
  return module === undefined ? [] : [{ name: 'node:sqlite', open: (path) => new module.DatabaseSync(path) }]
}

/** A path for a database file, deleted with its log after the tests of this file. */
export function createSqlitePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-sqlite-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'test.db')
}
