/**
 * The examples' own tables, in memory: every row belongs to one organization, and no query can be asked without one.
 * `withTables` lets a bootstrap hook write them in the transaction that makes the user: all of it is there, or nothing.
 */
import type { Storage } from 'sallyport'
import type { MemoryStorage, StoredOrganization, StoredUser } from 'sallyport/memory'

/** A row of an organization. */
export interface OrgRow {
  readonly id: string
  readonly orgId: string
  readonly name: string
}

/** A table of such rows. */
export interface OrgTable {
  insert(row: OrgRow): void
  /** List an organization's rows in the order they were made. */
  list(orgId: string): readonly OrgRow[]
  /** Find a row of this organization; another's is as if it did not exist. */
  find(orgId: string, id: string): OrgRow | null
  remove(orgId: string, id: string): boolean
}

/** Create an empty table. */
export function createOrgTable(): OrgTable {
  const rowsOf = new Map<string, Map<string, OrgRow>>()
  return {
    insert(row) {
      rowsOf.set(row.orgId, (rowsOf.get(row.orgId) ?? new Map<string, OrgRow>()).set(row.id, row))
    },
    list: (orgId) => [...(rowsOf.get(orgId)?.values() ?? [])],
    find: (orgId, id) => rowsOf.get(orgId)?.get(id) ?? null,
    remove: (orgId, id) => rowsOf.get(orgId)?.delete(id) === true,
  }
}

/** Make a row. */
export function orgRow(orgId: string, name: string): OrgRow {
  return { id: crypto.randomUUID(), orgId, name }
}

/** Show a row to the client. */
export function present({ id, name }: OrgRow): { id: string; name: string } {
  return { id, name }
}

/** What a transaction hands the bootstrap hook to write its own rows with. */
export interface TableWrites {
  insert(table: OrgTable, row: OrgRow): void
}

/** A storage whose transactions write the tables too. */
export type StorageWithTables = Omit<MemoryStorage, 'transaction'> &
  Pick<Storage<StoredUser, StoredOrganization, TableWrites>, 'transaction'>

/** Let transactions of `storage` write tables: rows are kept back until the work is done, and dropped if it throws. */
export function withTables(storage: MemoryStorage): StorageWithTables {
  return {
    ...storage,
    transaction: (work) =>
      storage.transaction(async (transaction) => {
        const rows: (readonly [OrgTable, OrgRow])[] = []
        const handle: TableWrites = { insert: (table, row) => void rows.push([table, row]) }
        const result = await work({ ...transaction, handle })
        for (const [table, row] of rows) table.insert(row)
        return result
      }),
  }
}
