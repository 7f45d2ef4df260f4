/** The names of the tables: the host's choice, checked once, quoted always. */
import {
  aGroup,
  also,
  aMatch,
  type Complete,
  type OptionalType,
  type OptionType,
  optional,
  type Shape,
} from '../lib/parse-options.ts'

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
  /** Default `machines`. */
  readonly machines?: string | undefined
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
  machines: 'machines',
  accounts: 'login_accounts',
  firstAdmin: 'login_first_admin',
  revokedSessions: 'login_revoked_sessions',
  throttle: 'login_throttle',
  migrations: 'sallyport_migrations',
}

// Short enough for the names of indexes that are made of it (PostgreSQL cuts at 63 bytes).
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/

/** An SQL identifier: letters, digits and underscores, at most 40. */
export function anIdentifier(): OptionType<string> {
  return aMatch(IDENTIFIER, 'must be a name of letters, digits and underscores, at most 40')
}

/** An optional group of names, each with a default; `twice` says what is wrong where two are one, whatever their case. */
export function aGroupOfNames<T extends NamesOf<T>>(
  defaults: Complete<T>,
  aName: OptionType<string>,
  twice: string,
): OptionalType<T> {
  const keys = Object.keys(defaults)
  const group = aGroup(Object.fromEntries(keys.map((key) => [key, optional(aName)])) as Shape<T>)
  const areDistinct = (given: T): boolean => {
    const names = Object.values<string>(withDefaults(defaults, given))
    return new Set(names.map((name) => name.toLowerCase())).size === keys.length
  }
  return optional(also(group, areDistinct, twice))
}

type NamesOf<T> = { readonly [K in keyof T]?: string | undefined }

/** The defaults, and in their place what was given. */
export function withDefaults<T extends object>(defaults: Complete<T>, given: T | undefined): Complete<T> {
  const own = Object.entries(given ?? {}).filter(([, name]) => name !== undefined)
  return { ...defaults, ...Object.fromEntries(own) }
}

/** How the option `tables` is checked. */
export const TABLES: OptionalType<SqlTableNames> = aGroupOfNames(DEFAULTS, anIdentifier(), 'gives two tables one name')

/** Complete and quote the names. */
export function createNames(tables?: SqlTableNames, schema?: string): SqlNames {
  const plain = withDefaults(DEFAULTS, tables)
  const prefix = schema === undefined ? '' : `"${schema}".`
  const quoted = Object.fromEntries(Object.entries(plain).map(([table, each]) => [table, `${prefix}"${each}"`]))
  return {
    ...(quoted as Complete<SqlTableNames>),
    schema: schema === undefined ? null : `"${schema}"`,
    index: (table, suffix) => `"${plain[table]}_${suffix}"`,
  }
}
