/** Two storages on one database, in memory, on PostgreSQL and SQLite: as many processes as one can be. */
import * as postgres from '../../src/storage/postgres.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import * as sqlite from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import type { Pair } from './member-races.ts'
import { newMemory } from './world.ts'

type On = 'rows' | 'user-row'

/** By name: how two storages on one new database are opened, each over a pool or handle of its own. */
export const STORAGE_PAIRS: readonly (readonly [name: string, open: (membershipOn?: On) => Promise<Pair>])[] = [
  [
    'memory',
    async (membershipOn = 'rows') => {
      const storage = newMemory({ membershipOn })
      return [storage, storage]
    },
  ],
  [
    'PostgreSQL',
    async (membershipOn = 'rows') => {
      const url = await createTestDatabase()
      const open = (): ShippedStorage =>
        postgres.createPostgresStorage({ pool: openPool(url, { max: 4 }), membershipOn }) as ShippedStorage
      return [open(), open()]
    },
  ],
  ...SQLITE_DRIVERS.map(
    ({ name, open }) =>
      [
        `SQLite by ${name}`,
        async (membershipOn: On = 'rows'): Promise<Pair> => {
          const path = createSqlitePath()
          const openOne = (): ShippedStorage =>
            sqlite.createSqliteStorage({ database: open(path), membershipOn }) as ShippedStorage
          await sqlite.migrate({ database: open(path) })
          return [openOne(), openOne()]
        },
      ] as const,
  ),
]

/** A storage whose transactions wait before they are committed, until they are told to go on. */
export function pausing(storage: ShippedStorage): { slow: ShippedStorage; hasWritten(): boolean; goOn(): void } {
  let isWritten = false
  let goOn = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const transaction: ShippedStorage['transaction'] = (work) =>
    storage.transaction(async (inside) => {
      const result = await work(inside)
      isWritten = true
      await gate
      return result
    })
  return { slow: { ...storage, transaction }, hasWritten: () => isWritten, goOn: () => goOn() }
}
