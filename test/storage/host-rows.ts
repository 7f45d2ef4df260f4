/** Tables of a host's own, and the rows that its hook writes into them in the provisioning transaction. */
import type { PgQueryable, SqliteDatabase } from '../../src/storage/sql-executor.ts'

/** The host's tables: one row of each for a new organization. */
export const HOST_TABLES: readonly string[] = [
  'CREATE TABLE tenants (org_id text PRIMARY KEY)',
  'CREATE TABLE pipelines (org_id text PRIMARY KEY REFERENCES tenants (org_id))',
]

/** What the host's hook writes. */
const HOST_ROWS: readonly ((orgId: string) => string)[] = [
  (orgId) => `INSERT INTO tenants (org_id) VALUES ('${orgId}')`,
  (orgId) => `INSERT INTO pipelines (org_id) VALUES ('${orgId}')`,
]

/** A hook that writes the host's rows through the transaction's own handle. */
export async function writeHostRows(handle: PgQueryable | SqliteDatabase, orgId: string): Promise<void> {
  for (const row of HOST_ROWS) {
    if ('exec' in handle) handle.exec(row(orgId))
    else await handle.query(row(orgId))
  }
}
