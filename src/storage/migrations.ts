/**
 * The numbered migrations of the SQL storages and what is common in running them: which are pending, what is written
 * down, the whole as plain SQL. What was released is never changed, only followed. The lock that lets several instances
 * start at once is each database's own.
 */
import type { SqlRow, SqlSession } from './sql-executor.ts'
import type { SqlNames, SqlTableNames } from './sql-names.ts'
import { toDate } from './sql-rows.ts'
import type { SqlTables } from './sql-statements.ts'

/** A migration, as it stands in a database. */
export interface MigrationStatus {
  readonly id: number
  readonly name: string
  /** When it was run; `null`: it is pending. */
  readonly appliedAt: Date | null
}

// What the databases say in words of their own: PostgreSQL, SQLite.
const WORDS = {
  id: ['uuid', 'TEXT'],
  text: ['text', 'TEXT'],
  // Text of which the bytes are compared, whatever the system's locale is.
  exact: ['text COLLATE "C"', 'TEXT'],
  // Whole milliseconds since 1970 in SQLite. The default is for rows that a host inserts by its own statements.
  instant: ['timestamptz(3)', 'INTEGER'],
  now: [
    'timestamptz(3) NOT NULL DEFAULT now()',
    "INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))",
  ],
  integer: ['integer', 'INTEGER'],
  flag: ['boolean NOT NULL DEFAULT false', 'INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1))'],
  primaryKey: ['PRIMARY KEY', 'NOT NULL PRIMARY KEY'],
  // What ends a table; and one whose primary key is looked up by nothing but itself.
  end: [')', ') STRICT'],
  endOfKeyed: [')', ') STRICT, WITHOUT ROWID'],
  orgId: ['uuid', 'TEXT'],
  orgForm: ['', ''],
  // What an index only holds, so that a look-up of a request need not read the table.
  holdingUser: ['\n  INCLUDE (id, email, disabled, created_at, org_id, role)', ''],
  holdingRole: [' INCLUDE (role)', ''],
  andRole: [') INCLUDE (role)', ', role)'],
} as const satisfies Record<string, readonly [postgres: string, sqlite: string]>

// Where the id of an organization is a text of the host's, which a request can name.
const OF_HOST = {
  ...WORDS,
  orgId: WORDS.exact,
  orgForm: [
    " CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$')",
    " CHECK (length(id) BETWEEN 1 AND 64 AND id NOT GLOB '*[^A-Za-z0-9_-]*')",
  ],
} as const

type Words = SqlNames & Readonly<Record<keyof typeof WORDS, string>>

function wordsOf({ dialect, names, orgIds }: SqlTables): Words {
  const words = Object.entries(orgIds.kind === 'host' ? OF_HOST : WORDS).map(([word, [postgres, sqlite]]) => [
    word,
    dialect.name === 'postgres' ? postgres : sqlite,
  ])
  return { ...names, ...(Object.fromEntries(words) as Record<keyof typeof WORDS, string>) }
}

const bookkeeping = (w: Words): string => `CREATE TABLE IF NOT EXISTS ${w.migrations} (
  id ${w.integer} PRIMARY KEY,
  name ${w.text} NOT NULL,
  applied_at ${w.now}
${w.end}`

const tenancy = (w: Words): string => `CREATE TABLE ${w.orgs} (
  id ${w.orgId} ${w.primaryKey}${w.orgForm},
  name ${w.text} NOT NULL,
  created_at ${w.now}
${w.end};

CREATE TABLE ${w.users} (
  id ${w.id} ${w.primaryKey},
  issuer ${w.exact} NOT NULL,
  subject ${w.exact} NOT NULL,
  email ${w.exact},
  disabled ${w.flag},
  created_at ${w.now},
  org_id ${w.orgId} REFERENCES ${w.orgs} (id) ON DELETE SET NULL,
  role ${w.exact},
  joined_at ${w.instant}
${w.end};

CREATE UNIQUE INDEX ${w.index('users', 'identity')} ON ${w.users} (issuer, subject)${w.holdingUser};

CREATE INDEX ${w.index('users', 'org')} ON ${w.users} (org_id, joined_at, id) WHERE org_id IS NOT NULL;

CREATE TABLE ${w.memberships} (
  user_id ${w.id} NOT NULL REFERENCES ${w.users} (id) ON DELETE CASCADE,
  org_id ${w.orgId} NOT NULL REFERENCES ${w.orgs} (id) ON DELETE CASCADE,
  role ${w.exact} NOT NULL,
  joined_at ${w.now},
  PRIMARY KEY (user_id, org_id)${w.holdingRole}
${w.endOfKeyed};

CREATE INDEX ${w.index('memberships', 'joined')} ON ${w.memberships} (user_id, joined_at, org_id${w.andRole};

CREATE INDEX ${w.index('memberships', 'members')} ON ${w.memberships} (org_id, joined_at, user_id${w.andRole};

CREATE TABLE ${w.invitations} (
  id ${w.id} ${w.primaryKey},
  org_id ${w.orgId} NOT NULL REFERENCES ${w.orgs} (id) ON DELETE CASCADE,
  email ${w.exact} NOT NULL,
  role ${w.exact} NOT NULL,
  created_at ${w.now},
  UNIQUE (org_id, email)
${w.end};

CREATE INDEX ${w.index('invitations', 'email')} ON ${w.invitations} (email, created_at, id)`

// Deleting the user who made a key changes nothing, so `created_by` references nobody.
const apiKeys = (w: Words): string => `CREATE TABLE ${w.apiKeys} (
  id ${w.exact} ${w.primaryKey},
  org_id ${w.orgId} REFERENCES ${w.orgs} (id) ON DELETE CASCADE,
  name ${w.text} NOT NULL,
  role ${w.exact} NOT NULL,
  scopes ${w.text} NOT NULL,
  secret_hash ${w.text} NOT NULL,
  previous_secret_hash ${w.text},
  previous_until ${w.instant},
  created_by ${w.text},
  created_at ${w.instant} NOT NULL,
  expires_at ${w.instant},
  revoked_at ${w.instant},
  last_used_at ${w.instant}
${w.end};

CREATE INDEX ${w.index('apiKeys', 'org')} ON ${w.apiKeys} (org_id, created_at, id)`

const localLogin = (w: Words): string => `CREATE TABLE ${w.accounts} (
  id ${w.id} ${w.primaryKey},
  email ${w.exact} NOT NULL UNIQUE,
  password_hash ${w.text},
  role ${w.exact} NOT NULL,
  disabled ${w.flag},
  session_version ${w.integer} NOT NULL DEFAULT 0,
  created_at ${w.now}
${w.end};

CREATE INDEX ${w.index('accounts', 'role')} ON ${w.accounts} (role, id) WHERE NOT disabled;

CREATE TABLE ${w.firstAdmin} (
  id ${w.integer} PRIMARY KEY CHECK (id = 1),
  claimed_at ${w.instant} NOT NULL
${w.end};

CREATE TABLE ${w.revokedSessions} (
  id ${w.exact} ${w.primaryKey},
  expires_at ${w.instant} NOT NULL
${w.endOfKeyed};

CREATE INDEX ${w.index('revokedSessions', 'expires')} ON ${w.revokedSessions} (expires_at);

CREATE TABLE ${w.throttle} (
  key ${w.exact} ${w.primaryKey},
  state ${w.text} NOT NULL,
  expires_at ${w.instant} NOT NULL,
  used_at ${w.instant} NOT NULL
${w.endOfKeyed};

CREATE INDEX ${w.index('throttle', 'expires')} ON ${w.throttle} (expires_at);

CREATE INDEX ${w.index('throttle', 'used')} ON ${w.throttle} (used_at)`

const machines = (w: Words): string => `CREATE TABLE ${w.machines} (
  id ${w.id} ${w.primaryKey},
  issuer ${w.exact} NOT NULL,
  subject ${w.exact} NOT NULL,
  name ${w.exact} NOT NULL,
  org_id ${w.orgId} REFERENCES ${w.orgs} (id) ON DELETE CASCADE,
  role ${w.exact},
  permissions ${w.text},
  disabled ${w.flag},
  created_at ${w.now},
  UNIQUE (issuer, subject)
${w.end};

CREATE INDEX ${w.index('machines', 'org')} ON ${w.machines} (org_id, created_at, id)`

// Who invited need not exist any more, so `invited_by` references nobody.
const invitations = (w: Words): string => `ALTER TABLE ${w.invitations} ADD COLUMN invited_by ${w.id};

ALTER TABLE ${w.invitations} ADD COLUMN expires_at ${w.instant};

ALTER TABLE ${w.invitations} ADD COLUMN secret_hash ${w.exact};

CREATE UNIQUE INDEX ${w.index('invitations', 'secret')} ON ${w.invitations} (secret_hash);

CREATE INDEX ${w.index('invitations', 'inviter')} ON ${w.invitations} (invited_by)`

const apiKeyMakers = (w: Words): string =>
  `CREATE INDEX ${w.index('apiKeys', 'maker')} ON ${w.apiKeys} (created_by, created_at, id)`

interface Migration {
  readonly id: number
  readonly name: string
  /** What it is written down as where the ids of organizations are the host's, if not by its name: so it is known later. */
  readonly nameOfHost?: string
  /** What it makes. */
  readonly tables: readonly (keyof SqlTableNames)[]
  readonly text: (words: Words) => string
}

const MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'users, organizations, memberships, invitations',
    nameOfHost: 'users, organizations by ids of the host, memberships, invitations',
    tables: ['users', 'orgs', 'memberships', 'invitations'],
    text: tenancy,
  },
  { id: 2, name: 'API keys', tables: ['apiKeys'], text: apiKeys },
  { id: 3, name: 'local login', tables: ['accounts', 'firstAdmin', 'revokedSessions', 'throttle'], text: localLogin },
  { id: 4, name: 'machines', tables: ['machines'], text: machines },
  { id: 5, name: 'invitations that expire, and who sent them', tables: ['invitations'], text: invitations },
  { id: 6, name: 'API keys by their makers', tables: ['apiKeys'], text: apiKeyMakers },
]

/** Where migrations are looked up and run. */
export interface MigrationTarget extends SqlTables {
  /** Whether a table is there, by its quoted name. */
  isThere(session: SqlSession, name: string): Promise<boolean>
}

/**
 * Run what is pending, in a session that holds the database's lock for migrations.
 *
 * @returns the migrations that were run by this call
 * @throws Error where one was run, and its tables are not there under these names, or hold other ids of organizations
 */
export async function runPending(session: SqlSession, target: MigrationTarget): Promise<readonly MigrationStatus[]> {
  const before = await readStatus(session, target)
  const pending = new Set(before.flatMap(({ id, appliedAt }) => (appliedAt === null ? [id] : [])))
  if (!(await target.isThere(session, target.names.migrations))) await define(session, bookkeeping(wordsOf(target)))
  for (const migration of MIGRATIONS.filter(({ id }) => pending.has(id))) {
    for (const text of statementsOf(migration, target)) await define(session, text)
  }
  return (await readStatus(session, target)).filter(({ id }) => pending.has(id))
}

/**
 * Read which migrations were run; those of a newer version of the package are listed too.
 *
 * @throws Error where one was run, and its tables are not there under these names, or hold other ids of organizations
 */
export async function readStatus(session: SqlSession, target: MigrationTarget): Promise<readonly MigrationStatus[]> {
  const { dialect, names, isThere } = target
  const text = `SELECT id, name, ${dialect.toMilliseconds('applied_at')} AS applied FROM ${names.migrations} ORDER BY id`
  const rows = (await isThere(session, names.migrations)) ? await ask(session, text) : []
  const ran = new Map(rows.map((row) => [Number(row['id']), row]))
  for (const migration of MIGRATIONS.filter(({ id }) => ran.has(id))) {
    const { id, tables } = migration
    for (const table of tables) {
      if (await isThere(session, names[table])) continue
      // What was written down holds for the names it was run with.
      throw new Error(
        `migration ${id} was run, as ${names.migrations} says, but there is no table ${names[table]}: name the tables as they were named then, or another table for "migrations"`,
      )
    }
    requireOrgIds(migration, target, String(ran.get(id)?.['name']))
  }
  const done = [...ran].map(([id, { name, applied }]) => ({ id, name: String(name), appliedAt: toDate(applied) }))
  const pending = MIGRATIONS.filter(({ id }) => !ran.has(id)).map((migration) => ({
    ...{ id: migration.id, name: nameOf(migration, target), appliedAt: null },
  }))
  return [...done, ...pending].sort((a, b) => a.id - b.id)
}

// Tables that were made for UUIDs hold no other id, and of those that hold any a storage of UUIDs finds only some.
function requireOrgIds({ id, nameOfHost }: Migration, { names, orgIds }: SqlTables, noted: string): void {
  const kind = nameOfHost === noted ? 'host' : 'uuid'
  if (nameOfHost === undefined || kind === orgIds.kind) return
  throw new Error(
    `migration ${id} was run with orgIds: '${kind}', as ${names.migrations} says: give the migrations and the storage orgIds: '${kind}', or other tables`,
  )
}

function nameOf({ name, nameOfHost = name }: Migration, { orgIds }: SqlTables): string {
  return orgIds.kind === 'host' ? nameOfHost : name
}

/** Write the migrations as one script of plain SQL, in the order in which they are run. */
export function printMigrations(target: SqlTables): string {
  const { schema } = target.names
  const parts = MIGRATIONS.flatMap((migration) => [
    `-- ${migration.id}: ${nameOf(migration, target)}`,
    ...statementsOf(migration, target).map((text) => `${text};`),
  ])
  const before = schema === null ? [] : [`CREATE SCHEMA IF NOT EXISTS ${schema};`]
  return `${[...before, `${bookkeeping(wordsOf(target))};`, ...parts].join('\n\n')}\n`
}

function statementsOf(migration: Migration, target: SqlTables): string[] {
  const values = `${migration.id}, '${nameOf(migration, target)}'`
  const noted = `INSERT INTO ${target.names.migrations} (id, name) VALUES (${values})`
  return [...migration.text(wordsOf(target)).split(';\n\n'), noted]
}

/** Ask something once that binds nothing. */
export function ask(session: SqlSession, text: string): Promise<readonly SqlRow[]> {
  return session.run({ name: 'question', text, hot: false, writes: false }, [])
}

async function define(session: SqlSession, text: string): Promise<void> {
  await session.run({ name: 'definition', text, hot: false, writes: true, silent: true }, [])
}
