/** What tests need of SQLite: a database file of their own, by every driver that this Node has. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterFile } from './after-file.ts'

export { type ClosableDatabase, SQLITE_DRIVERS, type SqliteDriver } from './storage/sqlite-drivers.ts'

let folder: string | undefined
let files = 0

/** A path for a database file, deleted with its log after the tests of this file. */
export function createSqlitePath(): string {
  folder ??= openFolder()
  return join(folder, `test-${++files}.db`)
}

function openFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sallyport-sqlite-'))
  afterFile(() => {
    folder = undefined
    rmSync(made, { recursive: true, force: true })
  })
  return made
}
