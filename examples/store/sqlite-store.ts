/** An example's store as one SQLite file, by the driver that is built into Node, else by `libsql`. */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { type ActingScope, createOrgScoped } from 'sallyport'
import { createSqliteStorage, migrate, type SqliteDatabase, type SqliteStorage } from 'sallyport/sqlite'
import { makeFolder } from './folder.ts'
import { type ActingContext, isRowId, type OrgRow, type OrgTable, orgRow, toRow } from './org-table.ts'
import { forEachTable, type Store, type StoreOptions } from './store.ts'

/** Open the file in this folder, and make what is missing. */
export async function openSqliteStore<T extends string>(
  folder: string,
  { app, tables, membershipOn, orgIds }: StoreOptions<T>,
): Promise<Store<T>> {
  makeFolder(folder)
  const open = await findDriver()
  const file = join(folder, `${app}.db`)
  // Hashes of passwords and keys lie in it: a new one is for this user alone, and so are the files beside it.
  closeSync(openSync(file, 'a', 0o600))
  const database = open(file)
  try {
    await migrate({ database, orgIds })
    const storage = createSqliteStorage({ database, membershipOn, orgIds })
    await storage.transaction(async ({ handle }) => {
      for (const table of tables) handle.exec(tableSql(table))
    })
    return {
      storage,
      tables: forEachTable(tables, (table) => createTable(storage, table)),
      close: async () => void database.close(),
    }
  } catch (error) {
    database.close()
    throw error
  }
}

type Closable = SqliteDatabase & { close(): unknown }

async function findDriver(): Promise<(path: string) => Closable> {
  const builtIn = withoutWarning(() => process.getBuiltinModule('node:sqlite')) as
    | { DatabaseSync: new (path: string) => Closable }
    | undefined
  if (builtIn !== undefined) return (path) => new builtIn.DatabaseSync(path)
  const { default: Libsql } = (await import('libsql')) as unknown as { default: new (path: string) => Closable }
  return (path) => new Libsql(path)
}

// Node calls its own driver experimental, on every start.
function withoutWarning<M>(load: () => M): M {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}

const tableSql = (table: string): string => `CREATE TABLE IF NOT EXISTS ${table} (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  org_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS ${table}_org ON ${table} (org_id, seq)`

// No policies here: every statement says whose rows it means, and is told so by the library.
function createTable(storage: SqliteStorage<Closable>, table: string): OrgTable {
  const write = (database: SqliteDatabase, { id, orgId, name }: OrgRow): unknown =>
    database.prepare(`INSERT INTO ${table} (id, org_id, name) VALUES (?, ?, ?) RETURNING id`).all(id, orgId, name)
  const read = (text: string, ...values: string[]): Promise<OrgRow[]> =>
    storage.exclusive((database) =>
      database
        .prepare(text)
        .all(...values)
        .map(toRow),
    )
  type Scope = ActingScope<ActingContext>
  return {
    of: createOrgScoped({
      list: ({ orgId }: Scope) => read(`SELECT id, org_id, name FROM ${table} WHERE org_id = ? ORDER BY seq`, orgId),
      async find({ orgId }: Scope, id: string) {
        const rows = await read(`SELECT id, org_id, name FROM ${table} WHERE id = ? AND org_id = ?`, id, orgId)
        return (isRowId(id) && rows[0]) || null
      },
      async insert({ orgId }: Scope, name: string) {
        const row = orgRow(orgId, name)
        await storage.transaction(async ({ handle }) => write(handle, row))
        return row
      },
      async remove({ orgId }: Scope, id: string) {
        if (!isRowId(id)) return false
        const text = `DELETE FROM ${table} WHERE id = ? AND org_id = ? RETURNING id`
        return storage.transaction(async ({ handle }) => handle.prepare(text).all(id, orgId).length > 0)
      },
    }),
    async insertWithin(handle, orgId, name) {
      write(handle as SqliteDatabase, orgRow(orgId, name))
    },
    async isEmptyWithin(handle, orgId) {
      const text = `SELECT id FROM ${table} WHERE org_id = ? LIMIT 1`
      return (handle as SqliteDatabase).prepare(text).all(orgId).length === 0
    },
  }
}
