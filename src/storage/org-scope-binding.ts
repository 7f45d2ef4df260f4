/** What a scope says to the database: one query that binds it, one that reads it, one that asks whom policies bind. */
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

/** Bind the values to the transaction, and to nothing beyond it. */
export async function bindScope(
  handle: PgliteQueryable,
  { settings }: ParsedScopeOptions,
  databaseRole: string | undefined,
  { scope, userId, orgId, role }: ScopeValues,
): Promise<void> {
  const pairs = [settings.scope, scope, settings.userId, userId, settings.orgId, orgId, settings.role, role]
  if (databaseRole !== undefined) pairs.push('role', databaseRole)
  const calls = Array.from(
    { length: pairs.length / 2 },
    (_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true)`,
  )
  await ask(handle, `SELECT ${calls.join(', ')}`, pairs)
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

// By the host's pool or client, and the role that was asked about.
const OBEDIENT = new WeakMap<object, Set<string | undefined>>()

/**
 * Make sure that row-level security binds the statements' role.
 *
 * @throws Error where it is a superuser or has BYPASSRLS, or is not there
 */
export async function requireNoBypass(
  target: object,
  handle: PgliteQueryable,
  role: string | undefined,
): Promise<void> {
  const known = OBEDIENT.get(target) ?? new Set()
  if (known.has(role)) return
  const text = `SELECT rolname AS name, rolsuper OR rolbypassrls AS bypasses FROM pg_roles
WHERE rolname = coalesce($1::name, current_user)`
  const [row] = (await ask(handle, text, [role ?? null])).rows as SqlRow[]
  if (row === undefined)
    throw new Error(`withOrgScope: there is no role "${role}" in this database: make it by roleSql`)
  if (row['bypasses'] !== false) {
    throw new Error(
      `withOrgScope: the role "${String(row['name'])}" bypasses row-level security: name one that does not (role)`,
    )
  }
  OBEDIENT.set(target, known.add(role))
}

// `pg` takes what is bound with the text, PGlite beside it.
function ask(handle: PgQueryable | PgliteQueryable, text: string, values: readonly unknown[]): Promise<PgResult> {
  if ('release' in handle) return (handle as PgQueryable).query({ text, values: [...values] })
  return (handle as PgliteQueryable).query(text, [...values])
}
