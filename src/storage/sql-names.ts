/** The names of the tables: the host's choice, checked once, quoted always. */
import * as z from 'zod/mini'
import { aGroup, type Complete } from '../lib/parse-options.ts'

/** Names of the tables; each one left out is the default. */
export interface SqlTableNames {
  /** Default `users`. */
  readonly users?: string | undefined
  /** Default `organizations`. */
  readonly orgs?: string | undefined
  /** Default `memberships`. */
  readonly memberships?: string | undefined
  /** Default `invitations`. */
  readonly invitations?: string | undefined
  /** Default `api_keys`. */
  readonly apiKeys?: string | undefined
  /** Accounts of local login. Default `login_accounts`. */
  readonly accounts?: string | undefined
  /** The marker of the first admin. Default `login_first_admin`. */
  readonly firstAdmin?: string | undefined
  /** Sessions that were ended before their time. Default `login_revoked_sessions`. */
  readonly revokedSessions?: string | undefined
  /** The counters of the throttle. Default `login_throttle`. */
  readonly throttle?: string | undefined
  /** Where the migrations that were run are kept. Default `sallyport_migrations`. */
  readonly migrations?: string | undefined
}

/** The tables' names as they stand in a statement, and what indexes are named after. */
export interface SqlNames extends Complete<SqlTableNames> {
  /** The schema, quoted, or `null` for the first of the search path. */
  readonly schema: string | null
  /** The name of an index of a table. */
  index(table: keyof SqlTableNames, suffix: string): string
}

const DEFAULTS: Complete<SqlTableNames> = {
  users: 'users',
  orgs: 'organizations',
  memberships: 'memberships',
  invitations: 'invitations',
  apiKeys: 'api_keys',
  accounts: 'login_accounts',
  firstAdmin: 'login_first_admin',
  revokedSessions: 'login_revoked_sessions',
  throttle: 'login_throttle',
  migrations: 'sallyport_migrations',
}

// Short enough for the names of indexes that are made of it (PostgreSQL cuts at 63 bytes).
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/

/** An SQL identifier: letters, digits and underscores, at most 40. */
export function anIdentifier(): z.ZodMiniCustom<string, string> {
  return z.custom<string>(
    (value) => typeof value === 'string' && IDENTIFIER.test(value),
    'must be a name of letters, digits and underscores, at most 40',
  )
}

/** The shape of the option `tables`. */
export const TABLES_SHAPE: z.ZodMiniOptional<z.ZodMiniType<SqlTableNames>> = z.optional(
  aGroup(Object.fromEntries(Object.keys(DEFAULTS).map((table) => [table, z.optional(anIdentifier())]))) as never,
)

/**
 * Complete and quote the names.
 *
 * @param name the function to name in the error
 * @throws TypeError where two tables have one name
 */
export function createNames(name: string, tables: SqlTableNames = {}, schema?: string): SqlNames {
  const plain = { ...DEFAULTS, ...withoutUndefined(tables) }
  if (new Set(Object.values(plain).map((each) => each.toLowerCase())).size < Object.keys(plain).length) {
    throw new TypeError(`${name}: option "tables" gives two tables one name`)
  }
  const prefix = schema === undefined ? '' : `"${schema}".`
  const quoted = Object.fromEntries(Object.entries(plain).map(([table, each]) => [table, `${prefix}"${each}"`]))
  return {
    ...(quoted as Complete<SqlTableNames>),
    schema: schema === undefined ? null : `"${schema}"`,
    index: (table, suffix) => `"${plain[table]}_${suffix}"`,
  }
}

function withoutUndefined(tables: SqlTableNames): Partial<Complete<SqlTableNames>> {
  return Object.fromEntries(Object.entries(tables).filter(([, each]) => each !== undefined))
}
