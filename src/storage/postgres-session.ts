/**
 * Statements and transactions on PostgreSQL: over a pool, or over PGlite, which takes turns by itself. Hands on sessions
 * to the repositories.
 */
import { codeOf } from '../lib/standard-error.ts'
import { SETTING_NAMES } from './org-scope.ts'
import { beginOn, isPostgresPool } from './postgres-transaction.ts'
import {
  oneTransaction,
  type PgliteDatabase,
  type PgliteQueryable,
  type PgPool,
  type PgQueryable,
  type PgResult,
  type SqlRow,
  type SqlSession,
  type SqlStatement,
  type SqlValue,
} from './sql-executor.ts'
import { hasTakenTooLong, isTransientError, toStorageError } from './storage-errors.ts'

/** Sessions on one database; the handle is the host's own. */
export interface PostgresSessions {
  /** Each statement on whatever connection is free. */
  readonly session: SqlSession
  /** Run `work` in one transaction, with the host's own handle to it. */
  transaction<T>(work: (session: SqlSession, handle: unknown) => Promise<T>): Promise<T>
  /** Statements in a transaction that the host has begun and will end. */
  within(handle: unknown): SqlSession
}

/** Make sessions; `prepare` names the statements of the hot path, so that a connection plans each once. */
export function createPostgresSessions(pool: PgPool | PgliteDatabase, prepare: boolean): PostgresSessions {
  const begin = beginOn(pool, { what: 'transaction', settings: Object.values(SETTING_NAMES) })
  // In a transaction by text: a prepared statement that is gone or outdated would take the transaction with it.
  const over = (queryable: unknown): SqlSession['run'] =>
    isPostgresPool(pool)
      ? running(({ text }, values) => (queryable as PgQueryable).query({ text, values: [...values] }))
      : running(({ text }, values) => (queryable as PgliteQueryable).query(text, [...values]))
  const transaction: PostgresSessions['transaction'] = (work) =>
    begin(({ frame: { handle } }) => oneTransaction(over(handle), (session) => work(session, handle)))
  const outside = isPostgresPool(pool) && prepare ? byName(pool, over(pool)) : over(pool)
  return {
    session: { run: onceMore(outside), atomically: (work) => transaction((session) => work(session)) },
    transaction,
    within(handle) {
      const session: SqlSession = { run: over(handle), atomically: (work) => work(session) }
      return session
    },
  }
}

type Ask = (statement: SqlStatement, values: readonly SqlValue[]) => Promise<PgResult>

function running(ask: Ask): SqlSession['run'] {
  return async (statement, values) => {
    try {
      return (await ask(statement, values)).rows as readonly SqlRow[]
    } catch (error) {
      throw toStorageError(error, 'statement')
    }
  }
}

// A look-up outside of transactions may be asked again, on another connection: once, because who asks a
// database that is gone should soon know. Who has waited in vain for an answer has waited long enough. A write that was undone
// because another one came first is asked again: that happens where the default is stricter than READ COMMITTED.
function onceMore(run: SqlSession['run']): SqlSession['run'] {
  const ask = (statement: SqlStatement, values: readonly SqlValue[], times: number): Promise<readonly SqlRow[]> =>
    run(statement, values).catch((error: unknown) => {
      if (statement.writes && isUndone(error) && times > 0) return ask(statement, values, times - 1)
      if (statement.writes || !isTransientError(error) || hasTakenTooLong(error)) throw error
      return run(statement, values)
    })
  return (statement, values) => ask(statement, values, MOST_UNDONE)
}

const MOST_UNDONE = 8

// serialization_failure: nothing was written.
function isUndone(error: unknown): boolean {
  return isTransientError(error) && codeOf(error) === '40001'
}

// A statement that is gone from its connection, outdated by a change of its tables, or another's behind a pooler was not
// run: it is asked once more, unnamed.
function byName(pool: PgPool, byText: SqlSession['run']): SqlSession['run'] {
  const names = new WeakMap<SqlStatement, string>()
  const nameOf = (statement: SqlStatement): string => {
    const name = names.get(statement) ?? newName(statement)
    names.set(statement, name)
    return name
  }
  return async (statement, values) => {
    if (!statement.hot) return byText(statement, values)
    try {
      const { rows } = await pool.query({ name: nameOf(statement), text: statement.text, values: [...values] })
      return rows as readonly SqlRow[]
    } catch (error) {
      if (isStale(error)) return byText(statement, values)
      throw toStorageError(error, 'statement')
    }
  }
}

// invalid_sql_statement_name, duplicate_prepared_statement, and what says that a cached plan must not change its result.
function isStale(error: unknown): boolean {
  return ['26000', '42P05', '0A000'].includes(String((error as { code?: unknown } | null)?.code))
}

// A connection may be shared with a storage over other tables: another text needs another name (FNV-1a).
function newName({ name, text }: SqlStatement): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return `sallyport_${name}_${(hash >>> 0).toString(16)}`
}
