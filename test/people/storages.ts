/** The shipped storages that the tests of people are asked of: in memory, a SQLite file, a PostgreSQL database. */
import { createMemoryStorage } from '../../src/storage/memory.ts'
import * as postgres from '../../src/storage/postgres.ts'
import type { ShippedStorage, ShippedStorageOptions } from '../../src/storage/shipped-storage.ts'
import * as sqlite from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

/** Where people can be. */
export interface StorageKind {
  readonly name: string
  /** Open a new and empty one. */
  open(options?: ShippedStorageOptions): Promise<ShippedStorage>
}

// Each row younger than the one before: join order is the order of the calls.
let now = Date.parse('2026-11-20T10:00:00Z')
const clock = (): number => now++

export const STORAGES: readonly StorageKind[] = [
  { name: 'memory', open: async (options) => createMemoryStorage({ clock, ...options }) },
  {
    name: 'SQLite',
    async open(options) {
      const driver = SQLITE_DRIVERS.at(-1)
      if (driver === undefined) throw new Error('there is no driver')
      const database = driver.open(createSqlitePath())
      await sqlite.migrate({ database })
      return sqlite.createSqliteStorage({ database, clock, ...options })
    },
  },
  {
    name: 'PostgreSQL',
    open: async (options) =>
      postgres.createPostgresStorage({ pool: openPool(await createTestDatabase(), { max: 8 }), clock, ...options }),
  },
]
