/**
 * The migrations as plain statements, once for both databases: what differs in types and table options is a word of
 * its own. What was released is never changed, only followed.
 */
import type { SqlNames } from './sql-names.ts'
import type { SqlDialect, SqlTables } from './sql-statements.ts'

interface Words {
  readonly id: string
  readonly text: string
  /** Text of which the bytes are compared: exact, and not dependent on the system's locale. */
  readonly exact: string
  readonly instant: string
  readonly integer: string
  readonly now: string
  readonly flag: string
  readonly primaryKey: string
  /** What ends a table; and one whose primary key is looked up by nothing but itself. */
  readonly table: string
  readonly keyedTable: string
  /** Columns of an index, and those that it only holds, so that a look-up of a request need not read the table. */
  covering(columns: string, held: string): string
  /** What a unique index or a key holds beside its columns, where the database can. */
  holding(held: string, gap?: string): string
}

const WORDS: Readonly<Record<SqlDialect['name'], Words>> = {
  postgres: {
    id: 'uuid',
    text: 'text',
    exact: 'text COLLATE "C"',
    instant: 'timestamptz(3)',
    integer: 'integer',
    now: 'timestamptz(3) NOT NULL DEFAULT now()',
    flag: 'boolean NOT NULL DEFAULT false',
    primaryKey: 'PRIMARY KEY',
    table: ')',
    keyedTable: ')',
    covering: (columns, held) => `(${columns}) INCLUDE (${held})`,
    holding: (held, gap = ' ') => `${gap}INCLUDE (${held})`,
  },
  // Instants are whole milliseconds since 1970; the default is for rows that a host inserts by its own statements.
  sqlite: {
    id: 'TEXT',
    text: 'TEXT',
    exact: 'TEXT',
    instant: 'INTEGER',
    integer: 'INTEGER',
    now: "INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))",
    flag: 'INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1))',
    primaryKey: 'NOT NULL PRIMARY KEY',
    table: ') STRICT',
    keyedTable: ') STRICT, WITHOUT ROWID',
    covering: (columns, held) => `(${columns}, ${held})`,
    holding: () => '',
  },
}

/** The table of the migrations that were run. */
export function bookkeeping({ dialect, names }: SqlTables): string {
  const { integer, text, now, table } = WORDS[dialect.name]
  return `CREATE TABLE IF NOT EXISTS ${names.migrations} (
  id ${integer} PRIMARY KEY,
  name ${text} NOT NULL,
  applied_at ${now}
${table}`
}

/** 1: users, organizations, memberships, invitations. */
export function tenancy({ dialect, names }: SqlTables): readonly string[] {
  const words = WORDS[dialect.name]
  const { id, text, exact, instant, now, flag, primaryKey, table, holding } = words
  const { orgs, users } = names
  const held = holding('id, email, disabled, created_at, org_id, role', '\n  ')
  return [
    `CREATE TABLE ${orgs} (
  id ${id} ${primaryKey},
  name ${text} NOT NULL,
  created_at ${now}
${table}`,
    `CREATE TABLE ${users} (
  id ${id} ${primaryKey},
  issuer ${exact} NOT NULL,
  subject ${exact} NOT NULL,
  email ${exact},
  disabled ${flag},
  created_at ${now},
  org_id ${id} REFERENCES ${orgs} (id) ON DELETE SET NULL,
  role ${exact},
  joined_at ${instant}
${table}`,
    `CREATE UNIQUE INDEX ${names.index('users', 'identity')} ON ${users} (issuer, subject)${held}`,
    `CREATE INDEX ${names.index('users', 'org')} ON ${users} (org_id, joined_at, id) WHERE org_id IS NOT NULL`,
    ...memberships(words, names),
    ...invitations(words, names),
  ]
}

function memberships(words: Words, names: SqlNames): string[] {
  const { id, exact, now, keyedTable, covering, holding } = words
  const { memberships: table } = names
  return [
    `CREATE TABLE ${table} (
  user_id ${id} NOT NULL REFERENCES ${names.users} (id) ON DELETE CASCADE,
  org_id ${id} NOT NULL REFERENCES ${names.orgs} (id) ON DELETE CASCADE,
  role ${exact} NOT NULL,
  joined_at ${now},
  PRIMARY KEY (user_id, org_id)${holding('role')}
${keyedTable}`,
    `CREATE INDEX ${names.index('memberships', 'joined')} ON ${table} ${covering('user_id, joined_at, org_id', 'role')}`,
    `CREATE INDEX ${names.index('memberships', 'members')} ON ${table} ${covering('org_id, joined_at, user_id', 'role')}`,
  ]
}

function invitations({ id, exact, now, primaryKey, table: end }: Words, names: SqlNames): string[] {
  const { invitations: table } = names
  return [
    `CREATE TABLE ${table} (
  id ${id} ${primaryKey},
  org_id ${id} NOT NULL REFERENCES ${names.orgs} (id) ON DELETE CASCADE,
  email ${exact} NOT NULL,
  role ${exact} NOT NULL,
  created_at ${now},
  UNIQUE (org_id, email)
${end}`,
    `CREATE INDEX ${names.index('invitations', 'email')} ON ${table} (email, created_at, id)`,
  ]
}

/** 2: API keys. Deleting the user who made one changes nothing, so `created_by` references nobody. */
export function apiKeys({ dialect, names }: SqlTables): readonly string[] {
  const { id, text, exact, instant, primaryKey, table: end } = WORDS[dialect.name]
  const { apiKeys: table } = names
  return [
    `CREATE TABLE ${table} (
  id ${exact} ${primaryKey},
  org_id ${id} REFERENCES ${names.orgs} (id) ON DELETE CASCADE,
  name ${text} NOT NULL,
  role ${exact} NOT NULL,
  scopes ${text} NOT NULL,
  secret_hash ${text} NOT NULL,
  previous_secret_hash ${text},
  previous_until ${instant},
  created_by ${text},
  created_at ${instant} NOT NULL,
  expires_at ${instant},
  revoked_at ${instant},
  last_used_at ${instant}
${end}`,
    `CREATE INDEX ${names.index('apiKeys', 'org')} ON ${table} (org_id, created_at, id)`,
  ]
}

/** 3: local login: accounts, the marker of the first admin, sessions that were ended early, the throttle's counters. */
export function localLogin({ dialect, names }: SqlTables): readonly string[] {
  const { id, text, exact, instant, integer, now, flag, primaryKey, table, keyedTable } = WORDS[dialect.name]
  const { accounts, revokedSessions, throttle } = names
  return [
    `CREATE TABLE ${accounts} (
  id ${id} ${primaryKey},
  email ${exact} NOT NULL UNIQUE,
  password_hash ${text},
  role ${exact} NOT NULL,
  disabled ${flag},
  session_version ${integer} NOT NULL DEFAULT 0,
  created_at ${now}
${table}`,
    `CREATE INDEX ${names.index('accounts', 'role')} ON ${accounts} (role, id) WHERE NOT disabled`,
    `CREATE TABLE ${names.firstAdmin} (
  id ${integer} PRIMARY KEY CHECK (id = 1),
  claimed_at ${instant} NOT NULL
${table}`,
    `CREATE TABLE ${revokedSessions} (
  id ${exact} ${primaryKey},
  expires_at ${instant} NOT NULL
${keyedTable}`,
    `CREATE INDEX ${names.index('revokedSessions', 'expires')} ON ${revokedSessions} (expires_at)`,
    `CREATE TABLE ${throttle} (
  key ${exact} ${primaryKey},
  state ${text} NOT NULL,
  expires_at ${instant} NOT NULL,
  used_at ${instant} NOT NULL
${keyedTable}`,
    `CREATE INDEX ${names.index('throttle', 'expires')} ON ${throttle} (expires_at)`,
    `CREATE INDEX ${names.index('throttle', 'used')} ON ${throttle} (used_at)`,
  ]
}
