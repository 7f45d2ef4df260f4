/**
 * An example's store on PostgreSQL. Its own tables have row-level security, forced: statements of a request run as a role
 * that can't bypass it, bound to the acting organization; the bootstrap hook writes for the system.
 */
import type pg from 'pg'
import { type ActingScope, createOrgScoped } from 'sallyport'
import {
  createPostgresStorage,
  migrate,
  type OrgScopeOptions,
  policySql,
  roleSql,
  withOrgScope,
  withSystemScope,
} from 'sallyport/postgres'
import { settingsError } from '../start/settings.ts'
import { type ActingContext, isRowId, type OrgRow, type OrgTable, orgRow, toRow } from './org-table.ts'
import { endPool, openPool } from './postgres-pool.ts'
import { forEachTable, type Store, type StoreOptions } from './store.ts'

/** Open the database, and make what is missing. */
export async function openPostgresStore<T extends string>(
  connectionString: string,
  { tables, membershipOn, orgIds = 'uuid' }: StoreOptions<T>,
): Promise<Store<T>> {
  const pool = await openPool(connectionString)
  try {
    await migrate({ pool, orgIds })
    const scope = await withSystemScope(pool, (client) => prepare(client, tables, orgIds))
    return {
      storage: createPostgresStorage({ pool, membershipOn, orgIds }),
      tables: forEachTable(tables, (table) => createTable(pool, table, scope)),
      close: () => endPool(pool),
    }
  } catch (error) {
    await endPool(pool)
    throw error
  }
}

// A role that would bypass policies needs another one for the statements of requests. Roles belong to the cluster: this
// one is named after the database, so that no other app takes it for its own.
async function prepare(
  client: pg.PoolClient,
  tables: readonly string[],
  orgIds: 'uuid' | 'host',
): Promise<OrgScopeOptions> {
  await client.query("SELECT pg_advisory_xact_lock(hashtext('sallyport examples'))")
  const { rows } = await client.query<{ bypasses: boolean; role: string }>(
    `SELECT rolsuper OR rolbypassrls AS bypasses, 'sallyport_tenant_' || d.oid AS role
    FROM pg_roles, pg_database d WHERE rolname = current_user AND datname = current_database()`,
  )
  const scope = rows[0]?.bypasses === false ? {} : { role: rows[0]?.role ?? '' }
  if (scope.role !== undefined) await client.query(roleSql(scope.role)).catch(nameTheRemedy)
  const type = orgIds === 'host' ? 'text' : 'uuid'
  for (const table of tables) {
    if (await isReady(client, table, scope.role)) continue
    await client.query(tableSql(table, type))
    await client.query(policySql({ table, column: 'org_id', type, system: 'all', ...scope }))
  }
  return scope
}

function nameTheRemedy(error: { readonly code?: string }): never {
  if (error.code !== '42501') throw error
  throw settingsError(
    'DATABASE_URL: its role bypasses row-level security and may not make one that does not: give it CREATEROLE, or NOBYPASSRLS',
  )
}

// Policies are for roles: those of a start as another role, a superuser for one, would show this one nothing.
async function isReady(client: pg.PoolClient, table: string, role: string | undefined): Promise<boolean> {
  const { rows } = await client.query<{ ready: boolean }>(
    `SELECT has_table_privilege(who.name, c.oid, 'INSERT') AND has_schema_privilege(who.name, c.relnamespace, 'USAGE')
      AND 2 = (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND (p.polname, p.polroles) IN (
        ($1 || '_of_org', ARRAY[coalesce(to_regrole($2)::oid, 0)]),
        ($1 || '_by_system', ARRAY[to_regrole(quote_ident(current_user))::oid]))) AS ready
    FROM pg_class c, (SELECT coalesce($2::name, current_user) AS name) AS who WHERE c.oid = to_regclass($1)`,
    [table, role],
  )
  return rows[0]?.ready === true
}

const tableSql = (table: string, type: 'uuid' | 'text'): string => `CREATE TABLE IF NOT EXISTS ${table} (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  id uuid PRIMARY KEY,
  org_id ${type} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name text NOT NULL
);
CREATE INDEX IF NOT EXISTS ${table}_org ON ${table} (org_id, seq)`

function createTable(pool: pg.Pool, table: string, scope: OrgScopeOptions): OrgTable {
  const write = (client: pg.PoolClient, { id, orgId, name }: OrgRow): Promise<unknown> =>
    client.query(`INSERT INTO ${table} (id, org_id, name) VALUES ($1, $2, $3)`, [id, orgId, name])
  const ask = ({ context }: Scope, text: string, ...values: string[]): Promise<OrgRow[]> =>
    withOrgScope(pool, context, async (client) => (await client.query(text, values)).rows.map(toRow), scope)
  type Scope = ActingScope<ActingContext>
  return {
    // The database knows whose rows are meant: no statement here has to say it, and none could say it wrongly.
    of: createOrgScoped({
      list: (acting: Scope) => ask(acting, `SELECT id, org_id, name FROM ${table} ORDER BY seq`),
      async find(acting: Scope, id: string) {
        if (!isRowId(id)) return null
        return (await ask(acting, `SELECT id, org_id, name FROM ${table} WHERE id = $1`, id))[0] ?? null
      },
      async insert(acting: Scope, name: string) {
        const row = orgRow(acting.orgId, name)
        await withOrgScope(pool, acting.context, (client) => write(client, row), scope)
        return row
      },
      async remove(acting: Scope, id: string) {
        if (!isRowId(id)) return false
        return (await ask(acting, `DELETE FROM ${table} WHERE id = $1 RETURNING id, org_id, name`, id)).length > 0
      },
    }),
    async insertWithin(handle, orgId, name) {
      await withSystemScope(handle as pg.PoolClient, (client) => write(client, orgRow(orgId, name)), scope)
    },
    async isEmptyWithin(handle, orgId) {
      const text = `SELECT FROM ${table} WHERE org_id = $1 LIMIT 1`
      const found = await withSystemScope(handle as pg.PoolClient, (client) => client.query(text, [orgId]), scope)
      return found.rows.length === 0
    },
  }
}
