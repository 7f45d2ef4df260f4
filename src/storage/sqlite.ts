/**
 * The SQLite storage: every repository of the ports over the host's own handle (`node:sqlite`, `libsql`, better-sqlite3,
 * `bun:sqlite`), and its migrations. No driver is imported; a transaction's handle is the host's own.
 */
import * as z from 'zod/mini'
import { aFunction, anObjectWith, parseOptions } from '../lib/parse-options.ts'
import type { AccountStorage } from './account-repositories.ts'
import {
  ask,
  type MigrationStatus,
  type MigrationTarget,
  printMigrations,
  readStatus,
  runPending,
} from './migrations.ts'
import type { ApiKeyRepository, AuthStorage } from './repositories.ts'
import { sqlAccounts } from './sql-accounts.ts'
import { sqlApiKeys } from './sql-api-keys.ts'
import type { SqliteDatabase, SqlSession } from './sql-executor.ts'
import { createNames, type SqlTableNames, TABLES_SHAPE } from './sql-names.ts'
import { sqlRepositories } from './sql-repositories.ts'
import { createStatements, SQLITE } from './sql-statements.ts'
import { createSqliteSessions, lendHandle, type SqliteSessions } from './sqlite-session.ts'
import type { StoredOrganization, StoredRepositories, StoredUser } from './stored.ts'

export type { MigrationStatus } from './migrations.ts'
export type { SqliteDatabase, SqliteStatement } from './sql-executor.ts'
export type { SqlTableNames } from './sql-names.ts'
export { toStorageError } from './storage-errors.ts'
export type {
  StoredOrganization,
  StoredOrganizationRepository,
  StoredRepositories,
  StoredUser,
  StoredUserRepository,
} from './stored.ts'

/** Where the tables are, for {@link createSqliteStorage} and the migrations alike. */
export interface SqliteTablesOptions {
  /** The tables' names. */
  readonly tables?: SqlTableNames | undefined
}

/** Options of {@link createSqliteStorage}. */
export interface SqliteStorageOptions<D extends SqliteDatabase = SqliteDatabase> extends SqliteTablesOptions {
  /** The host's handle. The host opens it, and closes it. */
  readonly database: D
  /**
   * Where memberships live: `rows` (default), a user may belong to many organizations; `user-row`, the organization
   * and role are columns of the user's own row, so there is at most one.
   */
  readonly membershipOn?: 'rows' | 'user-row' | undefined
  /** The clock for joined and created instants, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** The SQLite storage: the ports, and what an operator needs. */
export interface SqliteStorage<D> extends AuthStorage<StoredUser, StoredOrganization, D>, StoredRepositories {
  readonly users: StoredRepositories['users']
  readonly orgs: StoredRepositories['orgs']
  readonly memberships: StoredRepositories['memberships']
  readonly invitations: StoredRepositories['invitations']
  /** API keys; not part of a transaction's repositories. */
  readonly apiKeys: ApiKeyRepository
  /** The storage of local login, with transactions of its own. */
  readonly accounts: AccountStorage
  transaction<T>(work: (transaction: StoredRepositories & { readonly handle: D }) => Promise<T>): Promise<T>
  /**
   * Run the host's own statements on the handle when no transaction is open. Whatever a host asks of the handle outside
   * of this and of `transaction` may land inside somebody's open transaction: it sees what is not committed, and is
   * undone with it. Where `work` hasn't ended after 30 seconds it is rejected, the next one's turn comes, and the handle that
   * it was given does nothing more. A failure of the moment in it is a `TransientError`.
   */
  exclusive<T>(work: (database: D) => T | Promise<T>): Promise<T>
}

/**
 * Create a storage on SQLite 3.37 or later. Its tables are made by {@link migrate}. Sets the write-ahead log
 * (`journal_mode = WAL`) and foreign keys on this handle.
 *
 * A look-up by identity is one query, the membership included. Transactions take turns (`BEGIN IMMEDIATE`); whoever
 * waits more than 5 seconds, for this process or another, gets a `TransientError`; a transaction that has not ended after
 * 30 seconds is rolled back and rejects, so that nobody who hangs holds everybody. Unique violations throw
 * `ConflictError`, also out of the host's own statements inside `transaction`.
 *
 * @throws TypeError for a missing, unknown or malformed option
 * @example
 * const database = new DatabaseSync('app.db')
 * await migrate({ database })
 * const storage = createSqliteStorage({ database })
 */
export function createSqliteStorage<D extends SqliteDatabase>(options: SqliteStorageOptions<D>): SqliteStorage<D> {
  const name = 'createSqliteStorage'
  const { database, tables, membershipOn = 'rows', clock = Date.now } = parseOptions(name, SHAPE, options)
  const names = createNames(name, tables)
  const statements = createStatements({ dialect: SQLITE, names, membershipOn })
  const sessions = createSqliteSessions(database)
  const over = (session: SqlSession): StoredRepositories =>
    sqlRepositories({ session, statements, dialect: SQLITE, clock })
  const storage: SqliteStorage<SqliteDatabase> = {
    ...over(sessions.session),
    apiKeys: sqlApiKeys({ session: sessions.session, dialect: SQLITE, names }),
    accounts: sqlAccounts({ session: sessions.session, dialect: SQLITE, names }),
    transaction: (work) =>
      sessions.transaction(async (session, isHeld) => {
        const { handle, end } = lendHandle(database, isHeld)
        try {
          return await work({ ...over(session), handle })
        } finally {
          end()
        }
      }),
    exclusive: (work) => sessions.exclusive(async (isHeld) => work(lendHandle(database, isHeld).handle)),
  }
  return storage as unknown as SqliteStorage<D>
}

/** Options of {@link migrate} and {@link migrationStatus}. */
export interface SqliteMigrationOptions extends SqliteTablesOptions {
  /** The host's handle. */
  readonly database: SqliteDatabase
}

/**
 * Make or bring up to date the tables. Any number of processes may start at once: one works, the others wait and find
 * it done. All pending migrations are one transaction.
 *
 * @returns the migrations that were run by this call; none where all had been
 * @throws TypeError for a missing, unknown or malformed option
 * @throws Error where they had been run for tables of other names
 * @example
 * await migrate({ database })
 */
export async function migrate(options: SqliteMigrationOptions): Promise<readonly MigrationStatus[]> {
  const { sessions, target } = parseMigrationOptions('migrate', options)
  return sessions.transaction(async (session) => runPending(session, target))
}

/**
 * List all migrations with when they were run here. Writes nothing, also where none was ever run. Cost: two queries.
 *
 * @throws TypeError for a missing, unknown or malformed option
 * @example
 * const pending = (await migrationStatus({ database })).filter(({ appliedAt }) => appliedAt === null)
 */
export async function migrationStatus(options: SqliteMigrationOptions): Promise<readonly MigrationStatus[]> {
  const { sessions, target } = parseMigrationOptions('migrationStatus', options)
  return readStatus(sessions.session, target)
}

/**
 * Write the migrations as one script of plain SQL, for a host that runs its own: with the lines that tell
 * {@link migrate} what was run. Asks no database.
 *
 * @throws TypeError for an unknown or malformed option
 * @example
 * writeFileSync('auth.sql', migrationSql({ tables: { users: 'people' } }))
 */
export function migrationSql(options: SqliteTablesOptions = {}): string {
  const { tables } = parseOptions('migrationSql', TABLES, options)
  return printMigrations({ dialect: SQLITE, names: createNames('migrationSql', tables) })
}

function parseMigrationOptions(
  name: string,
  options: SqliteMigrationOptions,
): { sessions: SqliteSessions; target: MigrationTarget } {
  const { database, tables } = parseOptions(name, { ...TABLES, database: SHAPE.database }, options)
  return {
    sessions: createSqliteSessions(database),
    target: { dialect: SQLITE, names: createNames(name, tables), isThere },
  }
}

async function isThere(session: SqlSession, table: string): Promise<boolean> {
  const name = table.replaceAll('"', '')
  return (await ask(session, `SELECT name FROM sqlite_master WHERE name = '${name}' COLLATE NOCASE`)).length > 0
}

const TABLES = { tables: TABLES_SHAPE }

const SHAPE = {
  ...TABLES,
  database: anObjectWith<SqliteDatabase>('exec', 'prepare'),
  membershipOn: z.optional(z.enum(['rows', 'user-row'])),
  clock: z.optional(aFunction<() => number>()),
}
