/**
 * The PostgreSQL storage: every repository of the ports over the host's own pool (`pg`, or PGlite), and its migrations.
 * No driver is imported; a transaction's handle is the host's own client.
 */
import { aBoolean, checkedBy, optional, parseOptions, type Shape } from '../lib/parse-options.ts'
import { ask, type MigrationStatus, printMigrations, readStatus, runPending } from './migrations.ts'
import { createOrgIds, ORG_IDS } from './org-ids.ts'
import { createPostgresSessions } from './postgres-session.ts'
import { SHIPPED, type ShippedStorage, type ShippedStorageOptions, type StoredRepositories } from './shipped-storage.ts'
import type { PgliteDatabase, PgPool, PostgresHandle, SqlSession } from './sql-executor.ts'
import { anIdentifier, createNames, type SqlTableNames, TABLES } from './sql-names.ts'
import { sqlStorage } from './sql-repositories.ts'
import { POSTGRES, type SqlTables } from './sql-statements.ts'

export type { MigrationStatus } from './migrations.ts'
export { type OrgScopeContext, type OrgScopeOptions, withOrgScope, withSystemScope } from './org-scope.ts'
export { policySql, roleSql } from './policy-sql.ts'
export type {
  StoredMembershipRepository,
  StoredOrganization,
  StoredOrganizationRepository,
  StoredUser,
  StoredUserRepository,
} from './shipped-storage.ts'

/** Options of {@link createPostgresStorage}. */
interface PostgresStorageOptions<P extends PgPool | PgliteDatabase = PgPool | PgliteDatabase>
  extends ShippedStorageOptions {
  /** The host's pool. The host makes it, sets its size, listens to its `error` event and ends it. */
  readonly pool: P
  /** The schema of the tables. Default: the first of the connection's search path. */
  readonly schema?: string | undefined
  /** The tables' names. */
  readonly tables?: SqlTableNames | undefined
  /**
   * Whether the statements of the hot path are prepared by name on each connection (default), so that the database plans
   * them once. `false` behind a pooler that gives each statement another connection and knows no prepared statements.
   */
  readonly prepare?: boolean | undefined
}

/** The PostgreSQL storage: what all shipped storages offer, and a way into the host's own transactions. */
export interface PostgresStorage<Tx> extends ShippedStorage<Tx> {
  /**
   * The repositories inside a transaction that the host has begun by itself and will end: with the client it runs on.
   * What they throw leaves the transaction to the host; a guarded change needs one that is READ COMMITTED.
   */
  within(handle: Tx): StoredRepositories
}

/**
 * Create a storage on PostgreSQL 13 or later. Its tables are made by {@link migrate}.
 *
 * A look-up by identity is one query, the membership included. A transaction is READ COMMITTED and has one connection,
 * nothing inside asks for a second one. Serialization failures, deadlocks and lost connections throw
 * `TransientError`, unique violations `ConflictError`, also out of the host's own queries inside `transaction`; a
 * connection that was lost, has become read-only or keeps a changed role or setting is closed, never given back. A
 * transaction's handle is guarded as {@link withOrgScope}'s is, and dies with it. Lost while committing means that nobody knows whether it was
 * stored: a first login that is tried again finds the user then.
 *
 * @throws OptionsError
 * @example
 * const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
 * await migrate({ pool })
 * const storage = createPostgresStorage({ pool })
 */
export function createPostgresStorage<const P extends PgPool | PgliteDatabase>(
  options: PostgresStorageOptions<P>,
): PostgresStorage<PostgresHandle<P>> {
  const {
    pool,
    schema,
    tables,
    orgIds,
    prepare = true,
    ...more
  } = parseOptions<PostgresStorageOptions>('createPostgresStorage', SHAPE, options)
  const { sessions, place } = placeOf({ pool, schema, tables, orgIds }, prepare)
  const explained = orgIds === 'host' ? explaining : (session: SqlSession) => session
  const { over, atRest } = sqlStorage({ ...place, session: explained(place.session) }, more)
  return {
    ...atRest,
    transaction: (work) =>
      sessions.transaction((session, handle) =>
        work({ ...over(explained(session)), handle: handle as PostgresHandle<P> }),
      ),
    within: (handle) => over(explained(sessions.within(handle))),
  }
}

// invalid_text_representation: ids of users are looked at before they are bound, so it can only be an organization's.
function explaining(session: SqlSession): SqlSession {
  return {
    run: (statement, values) =>
      session.run(statement, values).catch((error: unknown) => {
        if ((error as { code?: unknown } | null)?.code !== '22P02') throw error
        const sentence = "the tables hold UUIDs as ids of organizations: migrate others with orgIds: 'host'"
        throw new Error(`createPostgresStorage: ${sentence}`, { cause: error })
      }),
    atomically: (work) => session.atomically((inside) => work(explaining(inside))),
  }
}

/**
 * Make or bring up to date the tables. Any number of instances may start at once: one works, the others wait and find
 * it done. All pending migrations are one transaction. The lock is an advisory one, so it is known in this database
 * only; roles, which belong to the whole cluster, are not touched.
 *
 * @returns the migrations that were run by this call; none where all had been
 * @throws OptionsError
 * @throws Error where they had been run for tables of other names, or for other `orgIds`
 * @example
 * await migrate({ pool, schema: 'auth' })
 */
export async function migrate(options: MigrationOptions): Promise<readonly MigrationStatus[]> {
  const { sessions, place } = placeOf(parseOptions('migrate', PLACE, options))
  return sessions.transaction(async (session) => {
    await ask(session, `SELECT pg_advisory_xact_lock(${LOCK})::text`)
    const { schema } = place.names
    if (schema !== null && !(await isNamed(session, 'regnamespace', schema))) {
      await ask(session, `CREATE SCHEMA ${schema}`)
    }
    return runPending(session, place)
  })
}

/**
 * List all migrations with when they were run here. Writes nothing, also where none was ever run. Cost: two queries.
 *
 * @throws OptionsError
 * @throws Error as `migrate` does
 * @example
 * const pending = (await migrationStatus({ pool })).filter(({ appliedAt }) => appliedAt === null)
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
 * writeFileSync('auth.sql', migrationSql({ schema: 'auth', tables: { users: 'people' } }))
 */
export function migrationSql(options: TablesOptions = {}): string {
  return printMigrations(tablesOf(parseOptions('migrationSql', TABLE_SHAPE, options)))
}

type TablesOptions = Pick<PostgresStorageOptions, 'schema' | 'tables' | 'orgIds'>

// The role of the pool may create tables.
type MigrationOptions = TablesOptions & Pick<PostgresStorageOptions, 'pool'>

// Any number nobody else uses; two instances of one database must agree in it.
const LOCK = '7358196320481'

function placeOf({ pool, ...options }: MigrationOptions, prepare = false) {
  const sessions = createPostgresSessions(pool, prepare)
  const isThere = (session: SqlSession, table: string): Promise<boolean> => isNamed(session, 'regclass', table)
  return { sessions, place: { session: sessions.session, ...tablesOf(options), isThere } }
}

function tablesOf({ schema, tables, orgIds }: TablesOptions): SqlTables {
  return { dialect: POSTGRES, names: createNames(tables, schema), orgIds: createOrgIds(orgIds) }
}

// Asked first, because CREATE … IF NOT EXISTS wants the right to create also where there is nothing to do.
async function isNamed(session: SqlSession, kind: 'regclass' | 'regnamespace', name: string): Promise<boolean> {
  const [row] = await ask(session, `SELECT to_${kind}('${name}')::text AS name`)
  return row?.['name'] !== null && row?.['name'] !== undefined
}

const TABLE_SHAPE: Shape<TablesOptions> = {
  schema: optional(anIdentifier()),
  tables: TABLES,
  orgIds: ORG_IDS,
}
const PLACE: Shape<MigrationOptions> = {
  ...TABLE_SHAPE,
  pool: checkedBy((pool) => (isPool(pool) ? null : 'must be a pool with connect and query, or a PGlite database')),
}
const SHAPE: Shape<PostgresStorageOptions> = { ...SHIPPED, ...PLACE, prepare: optional(aBoolean()) }

function isPool(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('query' in value)) return false
  return ['connect', 'transaction'].some((method) => typeof Reflect.get(value, method) === 'function')
}
