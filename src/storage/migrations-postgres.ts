/** The migrations for PostgreSQL, each a list of plain statements. What was released is never changed, only followed. */
import type { SqlNames } from './sql-names.ts'

/** The table of the migrations that were run. */
export function postgresBookkeeping({ migrations }: SqlNames): string {
  return `CREATE TABLE IF NOT EXISTS ${migrations} (
  id integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz(3) NOT NULL DEFAULT now()
)`
}

/**
 * 1: users, organizations, memberships, invitations. Text is compared by its bytes (`COLLATE "C"`): exact, and not
 * dependent on the system's locale. The indexes hold what the look-ups of a request read, so that these need no table.
 */
export function postgresTables(names: SqlNames): readonly string[] {
  const { orgs, users } = names
  return [
    `CREATE TABLE ${orgs} (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
)`,
    `CREATE TABLE ${users} (
  id uuid PRIMARY KEY,
  issuer text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  email text COLLATE "C",
  disabled boolean NOT NULL DEFAULT false,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  org_id uuid REFERENCES ${orgs} (id) ON DELETE SET NULL,
  role text COLLATE "C",
  joined_at timestamptz(3)
)`,
    `CREATE UNIQUE INDEX ${names.index('users', 'identity')} ON ${users} (issuer, subject)
  INCLUDE (id, email, disabled, created_at, org_id, role)`,
    `CREATE INDEX ${names.index('users', 'org')} ON ${users} (org_id, joined_at, id) WHERE org_id IS NOT NULL`,
    ...memberships(names),
    ...invitations(names),
  ]
}

/** 2: API keys. Deleting the user who made one changes nothing, so `created_by` references nobody. */
export function postgresApiKeys(names: SqlNames): readonly string[] {
  const { apiKeys: table } = names
  return [
    `CREATE TABLE ${table} (
  id text COLLATE "C" PRIMARY KEY,
  org_id uuid REFERENCES ${names.orgs} (id) ON DELETE CASCADE,
  name text NOT NULL,
  role text COLLATE "C" NOT NULL,
  scopes text NOT NULL,
  secret_hash text NOT NULL,
  previous_secret_hash text,
  previous_until timestamptz(3),
  created_by text,
  created_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  last_used_at timestamptz(3)
)`,
    `CREATE INDEX ${names.index('apiKeys', 'org')} ON ${table} (org_id, created_at, id)`,
  ]
}

/** 3: local login: accounts, the marker of the first admin, sessions that were ended early, the throttle's counters. */
export function postgresLogin(names: SqlNames): readonly string[] {
  const { accounts, revokedSessions, throttle } = names
  return [
    `CREATE TABLE ${accounts} (
  id uuid PRIMARY KEY,
  email text COLLATE "C" NOT NULL UNIQUE,
  password_hash text,
  role text COLLATE "C" NOT NULL,
  disabled boolean NOT NULL DEFAULT false,
  session_version integer NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL DEFAULT now()
)`,
    `CREATE INDEX ${names.index('accounts', 'role')} ON ${accounts} (role, id) WHERE NOT disabled`,
    `CREATE TABLE ${names.firstAdmin} (
  id integer PRIMARY KEY CHECK (id = 1),
  claimed_at timestamptz(3) NOT NULL
)`,
    `CREATE TABLE ${revokedSessions} (
  id text COLLATE "C" PRIMARY KEY,
  expires_at timestamptz(3) NOT NULL
)`,
    `CREATE INDEX ${names.index('revokedSessions', 'expires')} ON ${revokedSessions} (expires_at)`,
    `CREATE TABLE ${throttle} (
  key text COLLATE "C" PRIMARY KEY,
  state text NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  used_at timestamptz(3) NOT NULL
)`,
    `CREATE INDEX ${names.index('throttle', 'expires')} ON ${throttle} (expires_at)`,
    `CREATE INDEX ${names.index('throttle', 'used')} ON ${throttle} (used_at)`,
  ]
}

function memberships(names: SqlNames): string[] {
  const { memberships: table } = names
  return [
    `CREATE TABLE ${table} (
  user_id uuid NOT NULL REFERENCES ${names.users} (id) ON DELETE CASCADE,
  org_id uuid NOT NULL REFERENCES ${names.orgs} (id) ON DELETE CASCADE,
  role text COLLATE "C" NOT NULL,
  joined_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, org_id) INCLUDE (role)
)`,
    `CREATE INDEX ${names.index('memberships', 'joined')} ON ${table} (user_id, joined_at, org_id) INCLUDE (role)`,
    `CREATE INDEX ${names.index('memberships', 'members')} ON ${table} (org_id, joined_at, user_id) INCLUDE (role)`,
  ]
}

function invitations(names: SqlNames): string[] {
  const { invitations: table } = names
  return [
    `CREATE TABLE ${table} (
  id uuid PRIMARY KEY,
  org_id uuid NOT NULL REFERENCES ${names.orgs} (id) ON DELETE CASCADE,
  email text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  UNIQUE (org_id, email)
)`,
    `CREATE INDEX ${names.index('invitations', 'email')} ON ${table} (email, created_at, id)`,
  ]
}
