/**
 * The acting organization, bound to a transaction in PostgreSQL, so that the database's own policies hold for whatever
 * a handler asks: a query that forgets its `where` finds nothing of another organization.
 */

import type { Organization, User } from '../context.ts'
import {
  aMatch,
  type Complete,
  type OptionalType,
  type OptionType,
  optional,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import {
  type Binding,
  beginOn,
  beginWithin,
  isPostgresPool,
  literal,
  type Settings,
  settingCalls,
} from './postgres-transaction.ts'
import type { PgliteDatabase, PgliteQueryable, PgPool, PgQueryable, PostgresHandle, SqlRow } from './sql-executor.ts'
import { aGroupOfNames, withDefaults } from './sql-names.ts'

/** The part of an `AuthContext` that a scope is made of: who acts, in which organization, as what. */
export interface OrgScopeContext {
  readonly kind: 'user' | 'apiKey' | 'machine' | 'service'
  /** Where they act. Nothing runs without one. */
  readonly org: Organization | null
  readonly user?: User | undefined
  /** As what, for policies that ask. */
  readonly role?: string | null | undefined
  /** What they may do, for policies that ask. */
  readonly permissions?: readonly string[] | undefined
}

/** Where a scope runs: a pool or PGlite, for a transaction of its own; or a client that is in one, which is used. */
export type ScopeTarget = PgPool | PgliteDatabase | PgQueryable | PgliteQueryable

/** The handle that a scope's work gets: the host's own client, or PGlite's transaction. */
export type ScopeHandle<P> = P extends { release(...rest: never[]): unknown } ? P : PostgresHandleOr<P>

type PostgresHandleOr<P> = [PostgresHandle<P>] extends [never] ? P : PostgresHandle<P>

/**
 * Run `work` in one transaction in which the database knows the acting user, organization, role, and what the caller may do:
 * the settings `app.user_id`, `app.org_id`, `app.role` and `app.permissions` (with a space between them), and `app.scope` =
 * `org`, all ending with the transaction. The policies of {@link policySql} go by organization and scope; one of your own asks
 * for a permission by `'contacts:write' = ANY (string_to_array(current_setting('app.permissions', true), ' '))`. With `role`
 * the statements run as that database role.
 *
 * The handle is guarded. It works until `work` has settled; COMMIT, ROLLBACK, BEGIN, SAVEPOINT and their like are refused,
 * and so are texts that change what the scope binds: `transaction()` of a query builder says BEGIN, so take a scope inside
 * instead. Keep `work` short: it holds a connection.
 * On a client that is in a transaction already (a `transaction.handle`, another scope's), the scope is a savepoint in it, and
 * what held before holds again afterwards. A client has one scope at a time: a second one, and whoever asks the client around
 * it meanwhile, are refused at once.
 * A connection whose role or settings `work` changed for longer than the transaction (a plain SET; SET LOCAL does not), or that
 * keeps a temporary table (but for ON COMMIT DROP) or a cursor WITH HOLD of it, is closed and not given back, as is one that has
 * become read-only or was cut off. What was asked inside a block (`DO`) or a function of yours is seen by the last check only,
 * what a function sets by nobody but for the role, the search path and others of PostgreSQL's that decide who sees what, and what
 * temporary it makes by nobody. On PGlite, and inside a transaction of your own, what lasts so and can't be put back fails instead.
 *
 * Cost: two round trips: BEGIN with the query that binds the scope and asks whether the role obeys policies (superusers and
 * roles with BYPASSRLS do not: PostgreSQL's manual, "Row Security Policies"), and COMMIT with the last check. The same inside
 * a transaction, by a savepoint.
 *
 * @param pool the host's pool, PGlite, or a client inside a transaction
 * @param context the context of the request; an API key, a machine and a service have an organization too, no user id
 * @throws Error where the context has no organization, or the statements' role would bypass row-level security: a
 * mistake of the host, so a 500
 * @throws Error where the client has a scope already, or `work` did not leave its transaction, organization and role as they
 * were bound, or a scope inside it unfinished: then nothing is stored
 * @throws TransientError and ConflictError as a storage's transaction does
 * @example
 * const contacts = await withOrgScope(pool, context, async (client) => {
 *   const { rows } = await client.query('SELECT id, name FROM contacts')
 *   return rows
 * })
 */
export async function withOrgScope<P extends ScopeTarget, T>(
  pool: P,
  context: OrgScopeContext,
  work: (handle: ScopeHandle<P>) => Promise<T>,
  options: OrgScopeOptions = {},
): Promise<T> {
  const { settings, role } = parseScopeOptions('withOrgScope', options)
  return inScope(pool, { settings, role, obeys: true, values: () => valuesOf(context) }, work)
}

/**
 * Run `work` in one transaction that acts for the system, in no organization: `app.scope` is `system`, the other
 * settings are empty. What it may do is what the policies say of the system ({@link policySql}, `system`), or everything
 * where its role bypasses them. For migrations, jobs over all organizations, and the provisioner's hook, on the hook's
 * own handle.
 *
 * Cost: two round trips, as `withOrgScope`.
 *
 * @throws OptionsError
 * @throws TransientError and ConflictError as a storage's transaction does; what `work` throws, after the rollback
 * @example
 * const users = createProvisioner({
 *   storage: createPostgresStorage({ pool }),
 *   bootstrap: async ({ org, transaction }) => {
 *     const insert = 'INSERT INTO tenants (org_id) VALUES ($1)'
 *     await withSystemScope(transaction.handle, (client) => client.query(insert, [org?.id]))
 *   },
 * })
 */
export async function withSystemScope<P extends ScopeTarget, T>(
  pool: P,
  work: (handle: ScopeHandle<P>) => Promise<T>,
  options: OrgScopeOptions = {},
): Promise<T> {
  const { settings, systemRole: role } = parseScopeOptions('withSystemScope', options)
  return inScope(pool, { settings, role, obeys: false, values: () => SYSTEM }, work)
}

const SYSTEM: Complete<ScopeSettings> = { scope: 'system', userId: '', orgId: '', role: '', permissions: '' }

function valuesOf({ kind, org, user, role, permissions = [] }: OrgScopeContext): Complete<ScopeSettings> {
  const orgId = org?.id
  if (typeof orgId !== 'string' || orgId === '') {
    throw new Error('withOrgScope: the context has no organization: the database can be bound to none')
  }
  const userId = kind === 'user' ? (user?.id ?? '') : ''
  return { scope: 'org', orgId, userId, role: role ?? '', permissions: permissions.join(' ') }
}

interface ScopePlan {
  /** The names of the settings. */
  readonly settings: Complete<ScopeSettings>
  /** The database role of the statements, or `undefined` for the connection's own. */
  readonly role: string | undefined
  /** Whether that role has to obey policies. */
  readonly obeys: boolean
  values(): Complete<ScopeSettings>
}

async function inScope<P extends ScopeTarget, T>(
  target: P,
  plan: ScopePlan,
  work: (handle: ScopeHandle<P>) => Promise<T>,
): Promise<T> {
  const entries = Object.entries(plan.values()) as [keyof ScopeSettings, string][]
  const values: Settings = new Map(entries.map(([key, value]) => [plan.settings[key], value]))
  const settings = [...values.keys()]
  const begin = isInTransaction(target) ? beginWithin(target, settings) : beginOn(target, { what: 'scope', settings })
  return begin(
    async (transaction) => {
      const { frame, before, bound } = transaction
      requireObeys(plan, bound)
      transaction.held = new Map([...values, ['role', plan.role ?? before.get('role') ?? '']])
      return work(frame.handle as ScopeHandle<P>)
    },
    bindingOf(plan, values),
  )
}

// A client out of a pool can connect too; what has a way back to its pool is in use.
function isInTransaction(target: ScopeTarget): target is PgQueryable | PgliteQueryable {
  return 'release' in target || !(isPostgresPool(target as PgPool) || 'transaction' in target)
}

// Bound to the transaction and to nothing beyond it, in one query with making sure that row-level security binds the
// statements' role: asked each time, because a role may be altered, and a client's own be set to another.
function bindingOf({ role, obeys }: ScopePlan, values: Settings): Binding {
  const bound: Settings = new Map([...values, ...(role === undefined ? [] : [['role', role] as const])])
  const name = role === undefined ? 'current_user' : `${literal(role)}::name`
  const obeying = `SELECT NOT (r.rolsuper OR r.rolbypassrls) FROM pg_catalog.pg_roles r WHERE r.rolname = ${name}`
  return {
    columns: `${settingCalls(bound)}, ${name} AS name, (${obeying}) AS obeys`,
    explain(error) {
      // invalid_parameter_value: of what is bound here only the role can be.
      const isUnknown = (error as { code?: unknown } | null)?.code === '22023'
      if (!obeys || !isUnknown) return error
      return new Error(`withOrgScope: there is no role "${role}" in this database: make it by roleSql`, {
        cause: error,
      })
    },
  }
}

function requireObeys({ obeys }: ScopePlan, { name, obeys: isBound }: SqlRow): void {
  if (!obeys || isBound === true) return
  throw new Error(`withOrgScope: the role "${String(name)}" bypasses row-level security: name one that does not (role)`)
}

/** Names of the settings that a scope binds. */
export interface ScopeSettings {
  /** The acting user's id; empty for an API key, a service and the system. Default `app.user_id`. */
  readonly userId?: string | undefined
  /** The acting organization's id; empty for the system. Default `app.org_id`. */
  readonly orgId?: string | undefined
  /** The role in it; empty where there is none. Default `app.role`. */
  readonly role?: string | undefined
  /** What the caller may do there, with a space between; empty for the system. Default `app.permissions`. */
  readonly permissions?: string | undefined
  /** `org` or `system`. Default `app.scope`. */
  readonly scope?: string | undefined
}

/** Options of {@link withOrgScope} and {@link withSystemScope}; the same value for all of an app. */
export interface OrgScopeOptions {
  /**
   * The database role of org-scoped statements (`SET LOCAL ROLE`): one without BYPASSRLS, made by {@link roleSql}.
   * Default: the connection's own, which then has to be such a one.
   */
  readonly role?: string | undefined
  /** The database role of the system's statements. Default: the connection's own. */
  readonly systemRole?: string | undefined
  /** Other names of the settings, each one left out the default: the ones the policies were written with. */
  readonly settings?: ScopeSettings | undefined
}

/** The names of the settings, where no others are given. */
export const SETTING_NAMES: Complete<ScopeSettings> = {
  userId: 'app.user_id',
  orgId: 'app.org_id',
  role: 'app.role',
  permissions: 'app.permissions',
  scope: 'app.scope',
}

// PostgreSQL takes a setting of one's own only with a dot in its name.
const SETTING = /^[A-Za-z_][A-Za-z0-9_]{0,30}\.[A-Za-z_][A-Za-z0-9_]{0,30}$/
const ROLE = /^(?!pg_|none$|public$)[a-z_][a-z0-9_]{0,62}$/i

/** A name that PostgreSQL takes as it is. */
export function aRoleName(): OptionType<string> {
  const rule = 'must be a name of letters, digits and underscores, at most 63, that PostgreSQL does not keep for itself'
  return aMatch(ROLE, rule)
}

/** How the option `settings` is checked. */
export const SETTINGS: OptionalType<ScopeSettings> = aGroupOfNames(
  SETTING_NAMES,
  aMatch(SETTING, 'must be a name such as app.org_id'),
  'gives two settings one name',
)

const SHAPE: Shape<OrgScopeOptions> = {
  role: optional(aRoleName()),
  systemRole: optional(aRoleName()),
  settings: SETTINGS,
}

type ParsedScopeOptions = Omit<OrgScopeOptions, 'settings'> & { readonly settings: Complete<ScopeSettings> }

// A host hands in one value with every call: it is read once.
const KNOWN = new WeakMap<OrgScopeOptions, ParsedScopeOptions>()

function parseScopeOptions(name: string, options: OrgScopeOptions): ParsedScopeOptions {
  const known = typeof options === 'object' && options !== null ? KNOWN.get(options) : undefined
  if (known !== undefined) return known
  const { role, systemRole, settings } = parseOptions(name, SHAPE, options)
  const parsed = { role, systemRole, settings: withDefaults(SETTING_NAMES, settings) }
  KNOWN.set(options, parsed)
  return parsed
}
