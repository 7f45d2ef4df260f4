/** What a scope says to the database: one query that binds it and asks whether policies bind its role, one that reads it. */
import type { ParsedScopeOptions } from './org-scope-options.ts'
import type { PgliteQueryable, PgQueryable, PgResult, SqlRow } from './sql-executor.ts'

/** What a scope binds. */
export interface ScopeValues {
  readonly scope: string
  readonly userId: string
  readonly orgId: string
  readonly role: string
}

/** What was bound before. */
export interface BoundScope extends ScopeValues {
  /** The database role of the statements, or `none` for the connection's own. */
  readonly databaseRole: string
}

/** Bind the values to the transaction, and to nothing beyond it. Says whether policies bind the role they are bound for. */
export async function bindScope(
  handle: PgliteQueryable,
  { settings }: ParsedScopeOptions,
  databaseRole: string | undefined,
  { scope, userId, orgId, role }: ScopeValues,
): Promise<{ readonly name: string; readonly obeys: boolean }> {
  const pairs = [settings.scope, scope, settings.userId, userId, settings.orgId, orgId, settings.role, role]
  if (databaseRole !== undefined) pairs.push('role', databaseRole)
  const calls = Array.from(
    { length: pairs.length / 2 },
    (_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true)`,
  )
  const name = databaseRole === undefined || databaseRole === 'none' ? 'current_user' : `$${pairs.length}::name`
  const text = `SELECT ${calls.join(', ')}, ${name} AS name, (SELECT NOT (r.rolsuper OR r.rolbypassrls)
    FROM pg_catalog.pg_roles r WHERE r.rolname = ${name}) AS obeys`
  const [row] = (await ask(handle, text, pairs)).rows as SqlRow[]
  return { name: String(row?.['name']), obeys: row?.['obeys'] === true }
}

/**
 * Bind the values, in one query with making sure that row-level security binds the statements' role: asked each time,
 * because a role may be altered, and a client's own be set to another.
 *
 * @throws Error where the role is a superuser or has BYPASSRLS, or is not there
 */
export async function bindObedientScope(
  handle: PgliteQueryable,
  parsed: ParsedScopeOptions,
  role: string | undefined,
  values: ScopeValues,
): Promise<void> {
  const { name, obeys } = await bindScope(handle, parsed, role, values).catch((error: unknown) => {
    throw isUnknownRole(error) ? new Error(missing(role), { cause: error }) : error
  })
  if (!obeys) {
    throw new Error(`withOrgScope: the role "${name}" bypasses row-level security: name one that does not (role)`)
  }
}

// invalid_parameter_value: of what is bound here only the role can be.
function isUnknownRole(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { code?: unknown }).code === '22023'
}

function missing(role: string | undefined): string {
  return `withOrgScope: there is no role "${role}" in this database: make it by roleSql`
}

/** Read what is bound. */
export async function readScope(handle: PgliteQueryable, { settings }: ParsedScopeOptions): Promise<BoundScope> {
  const { scope, userId, orgId, role } = settings
  const names = [scope, userId, orgId, role, 'role']
  const texts = names.map((_, index) => `coalesce(current_setting($${index + 1}, true), '') AS value_${index}`)
  const { rows } = await ask(handle, `SELECT ${texts.join(', ')}`, names)
  const row = rows[0] as SqlRow
  const [boundScope, boundUser, boundOrg, boundRole, databaseRole] = names.map((_, index) =>
    String(row[`value_${index}`]),
  ) as [string, string, string, string, string]
  return { scope: boundScope, userId: boundUser, orgId: boundOrg, role: boundRole, databaseRole }
}

// `pg` takes what is bound with the text, PGlite beside it.
function ask(handle: PgQueryable | PgliteQueryable, text: string, values: readonly unknown[]): Promise<PgResult> {
  if ('release' in handle) return (handle as PgQueryable).query({ text, values: [...values] })
  return (handle as PgliteQueryable).query(text, [...values])
}
