/** The migrations for SQLite, each a list of plain statements. What was released is never changed, only followed. */
import type { SqlNames } from './sql-names.ts'

// Whole milliseconds since 1970, for rows that a host inserts by its own statements.
const NOW = "(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))"

/** The table of the migrations that were run. */
export function sqliteBookkeeping({ migrations }: SqlNames): string {
  return `CREATE TABLE IF NOT EXISTS ${migrations} (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at INTEGER NOT NULL DEFAULT ${NOW}
) STRICT`
}

/** 1: users, organizations, memberships, invitations. Instants are milliseconds since 1970. */
export function sqliteTables(names: SqlNames): readonly string[] {
  const { orgs, users } = names
  return [
    `CREATE TABLE ${orgs} (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL DEFAULT ${NOW}
) STRICT`,
    `CREATE TABLE ${users} (
  id TEXT NOT NULL PRIMARY KEY,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  email TEXT,
  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  created_at INTEGER NOT NULL DEFAULT ${NOW},
  org_id TEXT REFERENCES ${orgs} (id) ON DELETE SET NULL,
  role TEXT,
  joined_at INTEGER
) STRICT`,
    `CREATE UNIQUE INDEX ${names.index('users', 'identity')} ON ${users} (issuer, subject)`,
    `CREATE INDEX ${names.index('users', 'org')} ON ${users} (org_id, joined_at, id) WHERE org_id IS NOT NULL`,
    ...memberships(names),
    ...invitations(names),
  ]
}

/** 2: API keys. Deleting the user who made one changes nothing, so `created_by` references nobody. */
export function sqliteApiKeys(names: SqlNames): readonly string[] {
  const { apiKeys: table } = names
  return [
    `CREATE TABLE ${table} (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT REFERENCES ${names.orgs} (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  scopes TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  previous_secret_hash TEXT,
  previous_until INTEGER,
  created_by TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER
) STRICT`,
    `CREATE INDEX ${names.index('apiKeys', 'org')} ON ${table} (org_id, created_at, id)`,
  ]
}

/** 3: local login: accounts, the marker of the first admin, sessions that were ended early, the throttle's counters. */
export function sqliteLogin(names: SqlNames): readonly string[] {
  const { accounts, revokedSessions, throttle } = names
  return [
    `CREATE TABLE ${accounts} (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  password_hash TEXT,
  role TEXT NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  session_version INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL DEFAULT ${NOW}
) STRICT`,
    `CREATE INDEX ${names.index('accounts', 'role')} ON ${accounts} (role, id) WHERE NOT disabled`,
    `CREATE TABLE ${names.firstAdmin} (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  claimed_at INTEGER NOT NULL
) STRICT`,
    `CREATE TABLE ${revokedSessions} (
  id TEXT NOT NULL PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
    `CREATE INDEX ${names.index('revokedSessions', 'expires')} ON ${revokedSessions} (expires_at)`,
    `CREATE TABLE ${throttle} (
  key TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
    `CREATE INDEX ${names.index('throttle', 'expires')} ON ${throttle} (expires_at)`,
    `CREATE INDEX ${names.index('throttle', 'used')} ON ${throttle} (used_at)`,
  ]
}

function memberships(names: SqlNames): string[] {
  const { memberships: table } = names
  return [
    `CREATE TABLE ${table} (
  user_id TEXT NOT NULL REFERENCES ${names.users} (id) ON DELETE CASCADE,
  org_id TEXT NOT NULL REFERENCES ${names.orgs} (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  joined_at INTEGER NOT NULL DEFAULT ${NOW},
  PRIMARY KEY (user_id, org_id)
) STRICT, WITHOUT ROWID`,
    `CREATE INDEX ${names.index('memberships', 'joined')} ON ${table} (user_id, joined_at, org_id, role)`,
    `CREATE INDEX ${names.index('memberships', 'members')} ON ${table} (org_id, joined_at, user_id, role)`,
  ]
}

function invitations(names: SqlNames): string[] {
  const { invitations: table } = names
  return [
    `CREATE TABLE ${table} (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES ${names.orgs} (id) ON DELETE CASCADE,
  email TEXT NOT NULL,
  role TEXT NOT NULL,
  created_at INTEGER NOT NULL DEFAULT ${NOW},
  UNIQUE (org_id, email)
) STRICT`,
    `CREATE INDEX ${names.index('invitations', 'email')} ON ${table} (email, created_at, id)`,
  ]
}
