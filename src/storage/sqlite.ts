/**
 * The SQLite storage: every repository of the ports over the host's own handle (`node:sqlite`, `libsql`, better-sqlite3,
 * `bun:sqlite`), and its migrations. No driver is imported; a transaction's handle is the host's own.
 */
import { anObjectWith, parseOptions, type Shape } from '../lib/parse-options.ts'
import { ask, type MigrationStatus, printMigrations, readStatus, runPending } from './migrations.ts'
import { createOrgIds, ORG_IDS } from './org-ids.ts'
import { SHIPPED, type ShippedStorage, type ShippedStorageOptions } from './shipped-storage.ts'
import type { SqliteDatabase, SqlSession } from './sql-executor.ts'
import { createNames, type SqlTableNames, TABLES } from './sql-names.ts'
import { sqlStorage } from './sql-repositories.ts'
import { SQLITE, type SqlTables } from './sql-statements.ts'
import { createSqliteSessions, lendHandle } from './sqlite-session.ts'

export type { MigrationStatus } from './migrations.ts'
export type {
  StoredMembershipRepository,
  StoredOrganization,
  StoredOrganizationRepository,
  StoredUser,
  StoredUserRepository,
} from './shipped-storage.ts'
export type { SqliteDatabase } from './sql-executor.ts'

/** Options of {@link createSqliteStorage}. */
interface SqliteStorageOptions<D extends SqliteDatabase = SqliteDatabase> extends ShippedStorageOptions {
  /** The host's handle. The host opens it, and closes it. */
  readonly database: D
  /** The tables' names. */
  readonly tables?: SqlTableNames | undefined
}

/** The SQLite storage: what all shipped storages offer, and turns at the handle for the host's own statements. */
export interface SqliteStorage<D> extends ShippedStorage<D> {
  /**
   * Run the host's own statements on the handle when no transaction is open. Whatever a host asks of the handle outside
   * of this and of `transaction` may become part of somebody's open transaction: it sees what is not committed, and is
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
 * `ConflictError`, also out of the host's own statements inside `transaction`. Each commit waits for the disk, if the handle's
 * `synchronous` says so, but for those of the login's throttle: a power cut may undo its last counters, a crash of the process
 * none.
 *
 * @throws OptionsError
 * @example
 * const database = new DatabaseSync('app.db')
 * await migrate({ database })
 * const storage = createSqliteStorage({ database })
 */
export function createSqliteStorage<D extends SqliteDatabase>(options: SqliteStorageOptions<D>): SqliteStorage<D> {
  const parsed = parseOptions<SqliteStorageOptions>('createSqliteStorage', SHAPE, options)
  const { database: given, tables, orgIds, ...more } = parsed
  const database = given as D
  const { sessions, place } = placeOf({ database, tables, orgIds })
  const { over, atRest } = sqlStorage(place, more)
  return {
    ...atRest,
    transaction: (work) =>
      sessions.transaction(async (session, isHeld) => {
        let isOpen = true
        const handle = lendHandle(database, () => isOpen && isHeld())
        try {
          return await work({ ...over(session), handle })
        } finally {
          isOpen = false
        }
      }),
    exclusive: (work) => sessions.exclusive(async (isHeld) => work(lendHandle(database, isHeld))),
  }
}

/**
 * Make or bring up to date the tables. Any number of processes may start at once: one works, the others wait and find
 * it done. All pending migrations are one transaction.
 *
 * @returns the migrations that were run by this call; none where all had been
 * @throws OptionsError
 * @throws Error where they had been run for tables of other names, or for other `orgIds`
 * @example
 * await migrate({ database })
 */
export async function migrate(options: MigrationOptions): Promise<readonly MigrationStatus[]> {
  const { sessions, place } = placeOf(parseOptions('migrate', PLACE, options))
  return sessions.transaction((session) => runPending(session, place))
}

/**
 * List all migrations with when they were run here. Writes nothing, also where none was ever run. Cost: two queries.
 *
 * @throws OptionsError
 * @throws Error as `migrate` does
 * @example
 * const pending = (await migrationStatus({ database })).filter(({ appliedAt }) => appliedAt === null)
 */
export async function migrationStatus(options: MigrationOptions): Promise<readonly MigrationStatus[]> {
  const { place } = placeOf(parseOptions('migrationStatus', PLACE, options))
  return readStatus(place.session, place)
}

/**
 * Write the migrations as one script of plain SQL, for a host that runs its own; {@link migrate} finds them done then. Asks
 * no database.
 *
 * @throws OptionsError
 * @example
 * writeFileSync('auth.sql', migrationSql({ tables: { users: 'people' } }))
 */
export function migrationSql(options: TablesOptions = {}): string {
  return printMigrations(tablesOf(parseOptions('migrationSql', TABLE_SHAPE, options)))
}

type TablesOptions = Pick<SqliteStorageOptions, 'tables' | 'orgIds'>

type MigrationOptions = TablesOptions & Pick<SqliteStorageOptions, 'database'>

function placeOf({ database, ...options }: MigrationOptions) {
  const sessions = createSqliteSessions(database)
  return { sessions, place: { session: sessions.session, ...tablesOf(options), isThere } }
}

function tablesOf({ tables, orgIds }: TablesOptions): SqlTables {
  return { dialect: SQLITE, names: createNames(tables), orgIds: createOrgIds(orgIds) }
}

async function isThere(session: SqlSession, table: string): Promise<boolean> {
  const name = table.replaceAll('"', '')
  return (await ask(session, `SELECT name FROM sqlite_master WHERE name = '${name}' COLLATE NOCASE`)).length > 0
}

const TABLE_SHAPE: Shape<TablesOptions> = { tables: TABLES, orgIds: ORG_IDS }
const PLACE: Shape<MigrationOptions> = { ...TABLE_SHAPE, database: anObjectWith('exec', 'prepare') }
const SHAPE: Shape<SqliteStorageOptions> = { ...SHIPPED, ...PLACE }
