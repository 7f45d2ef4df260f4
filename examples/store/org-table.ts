/**
 * A table of the examples' own, whose rows belong to organizations: one small interface, on SQLite and on PostgreSQL.
 * A handler reaches it by the context of its request only; the bootstrap hook writes in the provisioner's transaction.
 */
import type { OrgHolder, OrgScoped } from 'sallyport'
import type { OrgScopeContext } from 'sallyport/postgres'

/** A row of an organization. */
export interface OrgRow {
  readonly id: string
  readonly orgId: string
  readonly name: string
}

/** What a request acts as, as far as its rows are concerned. */
export type ActingContext = OrgScopeContext & OrgHolder

/** What can be done in the acting organization; the scope is filled in by `createOrgScoped`. */
export interface RowFunctions {
  /** List the rows in the order they were made. */
  list(scope: never): Promise<readonly OrgRow[]>
  find(scope: never, id: string): Promise<OrgRow | null>
  insert(scope: never, name: string): Promise<OrgRow>
  remove(scope: never, id: string): Promise<boolean>
}

/** A table. */
export interface OrgTable {
  /** The rows of the acting organization; what is not there and what is another's is the same 404. */
  of(context: ActingContext): OrgScoped<RowFunctions>
  /** Write a row for the system, in the transaction that makes its organization. */
  insertWithin(handle: unknown, orgId: string, name: string): Promise<void>
  /** Ask for the system, in a transaction, whether an organization has no row. */
  isEmptyWithin(handle: unknown, orgId: string): Promise<boolean>
}

/** Make a row. */
export function orgRow(orgId: string, name: string): OrgRow {
  return { id: crypto.randomUUID(), orgId, name }
}

/** Read a row as a driver hands it out. */
export function toRow(row: unknown): OrgRow {
  const { id, org_id, name } = row as Readonly<Record<string, unknown>>
  return { id: String(id), orgId: String(org_id), name: String(name) }
}

/** Whether there can be a row of this id at all. */
export function isRowId(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
}

/** Show a row to the client. */
export function present({ id, name }: OrgRow): { id: string; name: string } {
  return { id, name }
}
