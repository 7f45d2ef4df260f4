/**
 * What of a PostgreSQL connection outlives a transaction and decides who sees what, or how a statement reads: asked with
 * BEGIN and again with COMMIT, so that a connection goes back as it came or not at all. Hands on the texts of both.
 */
import type { PgResult, SqlRow } from './sql-executor.ts'

const STATE: readonly string[] = [
  'role',
  'session_authorization',
  'search_path',
  'row_security',
  'session_replication_role',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'default_transaction_isolation',
  'default_transaction_read_only',
  'timezone',
  'datestyle',
  'intervalstyle',
  'client_encoding',
  'standard_conforming_strings',
  'bytea_output',
]

// Set with BEGIN, and gone with the transaction.
const MARK = 'sallyport.transaction'
// A setting nobody has: to ask for it fails.
const NOT_HELD = 'sallyport.transaction_is_not_held'

/** The values of settings by their names, in lower case. */
export type Settings = ReadonlyMap<string, string>

/** The texts of a transaction. */
export interface SessionState {
  /** Mark the transaction, and read the state; a query of its own or one with BEGIN. */
  readonly begin: string
  /** Read the state. */
  readonly read: string
  /** Read what {@link begin} and {@link read} answered, in the last of their results. */
  settingsOf(results: PgResult | readonly PgResult[]): Settings
  /** A query that fails where it is no longer this transaction, or one of `held` no longer bound. */
  check(held: Settings): string
  /** Whether it was {@link check} that failed. */
  isNotHeld(error: unknown): boolean
}

/** Make the texts; `settings` are the scope's own names, such as `app.org_id`. */
export function createSessionState(settings: readonly string[]): SessionState {
  const names = [...STATE, ...settings.map((each) => each.toLowerCase())]
  const columns = names.map((name, index) => `${current(name)} AS s${index}`).join(', ')
  return {
    begin: `SELECT set_config('${MARK}', 'open', true), ${columns}`,
    read: `SELECT ${columns}`,
    settingsOf(results) {
      const row = (Array.isArray(results) ? results : [results]).at(-1)?.rows?.[0] as SqlRow | undefined
      return new Map(names.map((name, index) => [name, String(row?.[`s${index}`])]))
    },
    check(held) {
      const bound = [...held].map(([name, value]) => ` AND ${current(name)} = ${literal(value)}`).join('')
      return `SELECT CASE WHEN ${current(MARK)} = 'open'${bound} THEN '' ELSE current_setting('${NOT_HELD}') END`
    },
    isNotHeld: (error) => String((error as Error | null)?.message).includes(NOT_HELD),
  }
}

/** Ask whether two states are the same. */
export function isSameState(one: Settings, other: Settings): boolean {
  return [...one].every(([name, value]) => other.get(name) === value)
}

function current(name: string): string {
  return `coalesce(current_setting('${name}', true), '')`
}

// Whatever the value, and however the connection reads strings just now.
function literal(value: string): string {
  const hex = Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `convert_from(decode('${hex}', 'hex'), 'UTF8')`
}
