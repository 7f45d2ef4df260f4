/**
 * The acting organization, bound to a transaction in PostgreSQL, so that the database's own policies hold for whatever
 * a handler asks: a query that forgets its `where` finds nothing of another organization.
 */
import type { Organization, User } from '../context.ts'
import { type Frame, openFrame } from './guarded-handle.ts'
import {
  type BoundScope,
  bindObedientScope,
  bindScope,
  readScope,
  restoreScope,
  type ScopeValues,
  settingsOf,
} from './org-scope-binding.ts'
import { type OrgScopeOptions, type ParsedScopeOptions, parseScopeOptions } from './org-scope-options.ts'
import { beginOn, boundBy, isPostgresPool, LASTING, NOT_HELD, tellSwallowed } from './postgres-transaction.ts'
import type { PgliteDatabase, PgliteQueryable, PgPool, PgQueryable, PostgresHandle } from './sql-executor.ts'

/** The part of an `AuthContext` that a scope is made of: who acts, in which organization, as what. */
export interface OrgScopeContext {
  readonly kind: 'user' | 'apiKey' | 'service'
  readonly org: Organization | null
  readonly user?: User | undefined
  readonly role?: string | null | undefined
}

/** Where a scope runs: a pool or PGlite, for a transaction of its own; or a client that is in one, which is used. */
export type ScopeTarget = PgPool | PgliteDatabase | PgQueryable | PgliteQueryable

/** The handle that a scope's work gets: the host's own client, or PGlite's transaction. */
export type ScopeHandle<P> = P extends { release(...rest: never[]): unknown } ? P : PostgresHandleOr<P>

type PostgresHandleOr<P> = [PostgresHandle<P>] extends [never] ? P : PostgresHandle<P>

/**
 * Run `work` in one transaction in which the database knows the acting user, organization and role: the settings
 * `app.user_id`, `app.org_id` and `app.role`, and `app.scope` = `org`, all ending with the transaction. The policies of
 * {@link policySql} go by them. With `role` the statements run as that database role.
 *
 * The handle is guarded. It works until `work` has settled and not a moment longer; COMMIT, ROLLBACK, BEGIN, SAVEPOINT and
 * their like are refused, and so are texts that change what the scope binds: `transaction()` of a query builder on the handle
 * says BEGIN, so take a scope inside instead. Keep `work` short: it holds a connection; a transaction for the length of a
 * request holds it as long as the client wants.
 * On a client that is in a transaction already (a `transaction.handle`, another scope's), the scope is a savepoint in it, and
 * what held before holds again afterwards. A client has one scope at a time: a second one, and whoever asks the client around
 * it meanwhile, are refused at once; nothing waits.
 * A connection goes back to its pool as it came: one whose role or settings `work` changed for longer than the transaction
 * (a plain SET; SET LOCAL does not) is closed instead, as is one that has become read-only or was cut off. What was asked
 * inside a block (`DO`) or a function of yours is seen by the last check only, what a function sets by nobody but for the
 * role, the search path and others of PostgreSQL's that decide who sees what. On PGlite, and inside a transaction of your
 * own, a lasting SET that can't be put back fails instead.
 *
 * Cost: BEGIN, one query that binds the scope and asks whether the role obeys policies, COMMIT: three round trips, the checks
 * among them (BEGIN and COMMIT are texts of several statements). (PostgreSQL's manual, "Row Security Policies": superusers
 * and roles with BYPASSRLS are not bound by any.)
 *
 * @param pool the host's pool, PGlite, or a client inside a transaction
 * @param context the context of the request; an API key and a service have an organization too, no user id
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
export function withOrgScope<P extends ScopeTarget, T>(
  pool: P,
  context: OrgScopeContext,
  work: (handle: ScopeHandle<P>) => Promise<T>,
  options: OrgScopeOptions = {},
): Promise<T> {
  const parsed = parseScopeOptions('withOrgScope', options)
  return inScope(pool, { parsed, role: parsed.role, obeys: true }, () => valuesOf(context), work)
}

/**
 * Run `work` in one transaction that acts for the system, in no organization: `app.scope` is `system`, the other
 * settings are empty. What it may do is what the policies say of the system ({@link policySql}, `system`), or everything
 * where its role bypasses them. For migrations, jobs over all organizations, and the provisioner's hook, on the hook's
 * own handle.
 *
 * Cost: BEGIN, one query that binds the scope, COMMIT; on a client inside a transaction a savepoint.
 *
 * @throws TypeError for an unknown or malformed option
 * @throws TransientError and ConflictError as a storage's transaction does; what `work` throws, after the rollback
 * @example
 * bootstrap: ({ org, transaction }) =>
 *   withSystemScope(transaction.handle, (client) => client.query('INSERT INTO tenants (org_id) VALUES ($1)', [org.id]))
 */
export function withSystemScope<P extends ScopeTarget, T>(
  pool: P,
  work: (handle: ScopeHandle<P>) => Promise<T>,
  options: OrgScopeOptions = {},
): Promise<T> {
  const parsed = parseScopeOptions('withSystemScope', options)
  return inScope(pool, { parsed, role: parsed.systemRole, obeys: false }, () => SYSTEM, work)
}

const SYSTEM: ScopeValues = { scope: 'system', userId: '', orgId: '', role: '' }

function valuesOf({ kind, org, user, role }: OrgScopeContext): ScopeValues {
  const orgId = org?.id
  if (typeof orgId !== 'string' || orgId === '') {
    throw new Error('withOrgScope: the context has no organization: the database can be bound to none')
  }
  return { scope: 'org', orgId, userId: kind === 'user' ? (user?.id ?? '') : '', role: role ?? '' }
}

interface ScopePlan {
  readonly parsed: ParsedScopeOptions
  /** The database role of the statements, or `undefined` for the connection's own. */
  readonly role: string | undefined
  /** Whether that role has to obey policies. */
  readonly obeys: boolean
}

async function inScope<P extends ScopeTarget, T>(
  target: P,
  plan: ScopePlan,
  values: () => ScopeValues,
  work: (handle: ScopeHandle<P>) => Promise<T>,
): Promise<T> {
  const bound = values()
  const run = ({ handle }: Frame): Promise<T> => work(handle as ScopeHandle<P>)
  if (isInTransaction(target)) return nested(target, plan, bound, run)
  const begin = beginOn(target, { what: 'scope', settings: Object.values(plan.parsed.settings) })
  return begin(async ({ frame, before, hold }) => {
    await bind(frame, plan, bound)
    hold(settingsOf(plan.parsed, { ...bound, databaseRole: plan.role ?? before.get('role') ?? '' }))
    return run(frame)
  })
}

function bind(frame: Frame, { parsed, role, obeys }: ScopePlan, values: ScopeValues): Promise<unknown> {
  return (obeys ? bindObedientScope : bindScope)(frame.ask, parsed, role, values)
}

// A client out of a pool can connect too; what has a way back to its pool is in use.
function isInTransaction(target: ScopeTarget): target is PgQueryable | PgliteQueryable {
  return 'release' in target || !(isPostgresPool(target as PgPool) || 'transaction' in target)
}

// What a savepoint is rolled back to restores the settings by itself; what it is released to does not. Its name is its
// own, so that none ends another's.
async function nested<T>(
  target: object,
  plan: ScopePlan,
  values: ScopeValues,
  run: (frame: Frame) => Promise<T>,
): Promise<T> {
  const frame = openFrame(target, { what: 'scope', bound: boundBy(Object.values(plan.parsed.settings)) })
  const savepoint = `sallyport_${crypto.randomUUID().replaceAll('-', '')}`
  try {
    const before = await readScope(frame.ask, plan.parsed)
    await frame.ask(`SAVEPOINT ${savepoint}`)
    try {
      await bind(frame, plan, values)
      const result = await frame.run(() => run(frame))
      const until = await restoreScope(frame.ask, plan.parsed, before)
      requireHeld(frame, until, { ...values, databaseRole: plan.role ?? before.databaseRole })
      await frame.ask(`RELEASE SAVEPOINT ${savepoint}`)
      return result
    } catch (error) {
      // On a lost connection this fails too; the first failure is the one to tell.
      await undo(frame, savepoint).catch(() => undefined)
      throw tellSwallowed(error)
    }
  } finally {
    frame.end()
  }
}

function requireHeld({ parent, connection }: Frame, until: BoundScope, held: BoundScope): void {
  const names = Object.keys(held) as (keyof BoundScope)[]
  if (names.some((name) => until[name] !== held[name])) {
    throw new Error(NOT_HELD)
  }
  // The transaction is the host's, and so is the connection: what can't be put back is undone.
  if (parent === null && connection.touched.size > 0) {
    throw new Error(LASTING)
  }
}

async function undo(frame: Frame, savepoint: string): Promise<void> {
  await frame.ask(`ROLLBACK TO SAVEPOINT ${savepoint}`)
  await frame.ask(`RELEASE SAVEPOINT ${savepoint}`)
}
