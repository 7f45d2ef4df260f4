/** What tests need of SQLite: a database file of their own, by every driver that this Node has. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

export { type ClosableDatabase, SQLITE_DRIVERS, type SqliteDriver } from './storage/sqlite-drivers.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-sqlite-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

/** A path for a database file, deleted with its log after the tests of this file. */
export function createSqlitePath(): string {
  return join(folder, `test-${++files}.db`)
}
