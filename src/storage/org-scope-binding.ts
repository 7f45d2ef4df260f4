/** What a scope says to the database: one query that binds it and asks whether policies bind its role, one that reads it. */
import type { ParsedScopeOptions } from './org-scope-options.ts'
import type { PgResult, SqlRow } from './sql-executor.ts'

/** Ask on a scope's client. */
export type AskScope = (text: string, values: readonly unknown[]) => Promise<PgResult>

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
  ask: AskScope,
  { settings }: ParsedScopeOptions,
  databaseRole: string | undefined,
  { scope, userId, orgId, role }: ScopeValues,
): Promise<{ readonly name: string; readonly obeys: boolean }> {
  const pairs = [settings.scope, scope, settings.userId, userId, settings.orgId, orgId, settings.role, role]
  if (databaseRole !== undefined) pairs.push('role', databaseRole)
  const calls = settingCalls(pairs)
  const name = databaseRole === undefined || databaseRole === 'none' ? 'current_user' : `$${pairs.length}::name`
  const text = `SELECT ${calls.join(', ')}, ${name} AS name, (SELECT NOT (r.rolsuper OR r.rolbypassrls)
    FROM pg_catalog.pg_roles r WHERE r.rolname = ${name}) AS obeys`
  const [row] = (await ask(text, pairs)).rows as SqlRow[]
  return { name: String(row?.['name']), obeys: row?.['obeys'] === true }
}

/**
 * Bind the values, in one query with making sure that row-level security binds the statements' role: asked each time,
 * because a role may be altered, and a client's own be set to another.
 *
 * @throws Error where the role is a superuser or has BYPASSRLS, or is not there
 */
export async function bindObedientScope(
  ask: AskScope,
  parsed: ParsedScopeOptions,
  role: string | undefined,
  values: ScopeValues,
): Promise<void> {
  const { name, obeys } = await bindScope(ask, parsed, role, values).catch((error: unknown) => {
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
export async function readScope(ask: AskScope, parsed: ParsedScopeOptions): Promise<BoundScope> {
  const names = namesOf(parsed)
  return toBoundScope((await ask(`SELECT ${readings(names, 0)}`, names)).rows[0] as SqlRow)
}

/** Bind what was bound `before`, and say what was until now; in one query, which reads before it binds. */
export async function restoreScope(ask: AskScope, parsed: ParsedScopeOptions, before: BoundScope): Promise<BoundScope> {
  const names = namesOf(parsed)
  const { scope, userId, orgId, role, databaseRole } = before
  const values = [scope, userId, orgId, role, databaseRole]
  const pairs = names.flatMap((name, index) => [name, values[index] ?? ''])
  const text = `SELECT ${readings(names, pairs.length)}, ${settingCalls(pairs).join(', ')}`
  return toBoundScope((await ask(text, [...pairs, ...names])).rows[0] as SqlRow)
}

/** The settings of a scope by their names, and the database role. */
export function settingsOf({ settings }: ParsedScopeOptions, bound: BoundScope): Map<string, string> {
  const { scope, userId, orgId, role, databaseRole } = bound
  return new Map([
    [settings.scope, scope],
    [settings.userId, userId],
    [settings.orgId, orgId],
    [settings.role, role],
    ['role', databaseRole],
  ])
}

function namesOf({ settings: { scope, userId, orgId, role } }: ParsedScopeOptions): string[] {
  return [scope, userId, orgId, role, 'role']
}

function readings(names: readonly string[], from: number): string {
  return names
    .map((_, index) => `coalesce(current_setting($${from + index + 1}, true), '') AS value_${index}`)
    .join(', ')
}

function settingCalls(pairs: readonly string[]): string[] {
  return Array.from(
    { length: pairs.length / 2 },
    (_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true)`,
  )
}

function toBoundScope(row: SqlRow): BoundScope {
  const [scope = '', userId = '', orgId = '', role = '', databaseRole = ''] = [0, 1, 2, 3, 4].map((index) =>
    String(row[`value_${index}`]),
  )
  return { scope, userId, orgId, role, databaseRole }
}
