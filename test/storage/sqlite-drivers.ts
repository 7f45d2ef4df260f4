/** The SQLite drivers that this Node has, by name. */
import Libsql from 'libsql'
import type { SqliteDatabase } from '../../src/storage/sql-executor.ts'

/** A handle that can be closed. */
export type ClosableDatabase = SqliteDatabase & { close(): unknown }

/** A driver by its name. */
export interface SqliteDriver {
  readonly name: string
  open(path: string): ClosableDatabase
}

/** `libsql`, and `node:sqlite` where it is built in. */
export const SQLITE_DRIVERS: readonly SqliteDriver[] = [
  { name: 'libsql', open: (path) => new Libsql(path) },
  ...builtIn(),
]

function builtIn(): SqliteDriver[] {
  const module = process.getBuiltinModule('node:sqlite') as
    | { DatabaseSync: new (path: string) => ClosableDatabase }
    | undefined
  return module === undefined ? [] : [{ name: 'node:sqlite', open: (path) => new module.DatabaseSync(path) }]
}

/** The driver of a name. */
export function sqliteDriver(wanted: string): SqliteDriver {
  const found = SQLITE_DRIVERS.find(({ name }) => name === wanted)
  if (found === undefined) throw new Error(`this Node has no ${wanted}`)
  return found
}
