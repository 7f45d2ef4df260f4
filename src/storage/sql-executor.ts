/**
 * What the SQL storages ask of a database driver, as structure: `pg` and PGlite, and handles shaped like better-sqlite3
 * (`libsql`, `node:sqlite`, `bun:sqlite`) satisfy it as they are. No driver is imported anywhere. Hands on the session:
 * the one way in which the repositories run a statement, and one transaction as a session.
 */
import { whileOpen } from './turns.ts'

/** What a query of a PostgreSQL driver answers. */
export interface PgResult {
  readonly rows: readonly unknown[]
  /** The command tag: where a COMMIT became a ROLLBACK, `pg` says so here. */
  readonly command?: string | undefined
}

/** A statement as `pg` takes it; with a name it is prepared once for each connection. */
export interface PgQuery {
  name?: string | undefined
  text: string
  values?: unknown[] | undefined
}

/** Whatever runs a query on PostgreSQL: a `pg` Pool, Client or PoolClient. */
export interface PgQueryable {
  query(query: string | PgQuery): Promise<PgResult>
}

/** A connection out of a pool. */
export interface PgClient extends PgQueryable {
  /** Give it back; with an error or `true` it is closed instead. */
  release(broken?: Error | boolean): void
  on?(event: 'error', listener: (error: Error) => void): unknown
  removeListener?(event: 'error', listener: (error: Error) => void): unknown
}

/** A pool of PostgreSQL connections: `pg.Pool`, and those made in its image. */
export interface PgPool extends PgQueryable {
  connect(): Promise<PgClient>
  /** So it is called where it has a parameter. */
  connect(callback: (error: Error | null | undefined, client: PgClient | undefined) => void): unknown
}

/** Whatever runs a query in PGlite: the database or its transaction. */
export interface PgliteQueryable {
  query(text: string, values?: unknown[]): Promise<PgResult>
}

/** PostgreSQL in this process: one connection, which takes turns by itself. */
export interface PgliteDatabase extends PgliteQueryable {
  // The driver's own transaction is wider; what it hands out is only asked to run queries.
  // biome-ignore lint/suspicious/noExplicitAny: a callback's parameter can't be stated structurally without it
  transaction(work: (transaction: any) => Promise<any>): Promise<any>
}

/** The handle of a transaction on a pool: what its `connect()` resolves with, or PGlite's transaction. */
export type PostgresHandle<P> = P extends {
  transaction(work: (transaction: infer T) => Promise<unknown>): Promise<unknown>
}
  ? T
  : P extends { connect: { (): Promise<infer C>; (...rest: never[]): unknown } }
    ? unknown extends C
      ? P extends { connect(): Promise<infer D> }
        ? D
        : never
      : C
    : never

/** A prepared statement of a synchronous SQLite driver. */
export interface SqliteStatement {
  // biome-ignore lint/suspicious/noExplicitAny: drivers differ in how they type what they bind
  all(...values: any[]): unknown[]
}

/** A SQLite database of a synchronous driver. */
export interface SqliteDatabase {
  exec(text: string): unknown
  prepare(text: string): SqliteStatement
}

/** What a statement binds. */
export type SqlValue = string | number | null

/** A row as a driver hands it out, before it is read column by column. */
export type SqlRow = Readonly<Record<string, unknown>>

/** One statement, with rows for an answer: a write by its RETURNING. */
export interface SqlStatement {
  readonly name: string
  /** With `$1`, `$2` … for its values. */
  readonly text: string
  /** Asked for on the way of a request: prepared by name where the driver can. */
  readonly hot: boolean
  readonly writes: boolean
  /** It defines something and answers no rows: some drivers ask for it in another way. */
  readonly silent?: boolean | undefined
}

/** Where statements run: a pool, one transaction, a database handle. */
export interface SqlSession {
  /** Run a statement. A driver's error becomes a storage error where it has a meaning of its own. */
  run(statement: SqlStatement, values: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** Run `work` in one transaction: this one, where there is one. */
  atomically<T>(work: (session: SqlSession) => Promise<T>): Promise<T>
  /**
   * The same for what a power cut may undo (never a process that ends), so that nobody waits for the disk: where whoever
   * waits for it would hold up the whole process.
   */
  readonly fleeting?: SqlSession | undefined
}

/**
 * Run `work` with a session over `run` that refuses whatever is asked of it after `work` has settled, or once `isHeld` says
 * that what it works in is no longer its own.
 */
export function oneTransaction<T>(
  run: SqlSession['run'],
  work: (session: SqlSession) => Promise<T>,
  isHeld: () => boolean = () => true,
): Promise<T> {
  return whileOpen(isHeld, (requireOpen) => {
    const session: SqlSession = {
      async run(statement, values) {
        requireOpen()
        return run(statement, values)
      },
      atomically: (inner) => inner(session),
    }
    return work(session)
  })
}
