/**
 * Statements and transactions on PostgreSQL: over a pool, where a transaction has one connection and gives it back clean
 * or not at all, or over PGlite, which takes turns by itself. Hands on sessions to the repositories.
 */
import { isUnanswered, toStorageError } from './sql-errors.ts'
import type {
  PgClient,
  PgliteDatabase,
  PgliteQueryable,
  PgPool,
  PgQueryable,
  PgResult,
  SqlRow,
  SqlSession,
  SqlStatement,
  SqlValue,
} from './sql-executor.ts'
import { oneTransaction } from './sql-transaction.ts'
import { isTransientError } from './storage-errors.ts'

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
  const begin = isPostgresPool(pool) ? beginOn(pool) : beginIn(pool)
  const ask = isPostgresPool(pool) ? askByName(prepare) : askByText
  const over = (queryable: unknown): SqlSession['run'] =>
    running((statement, values) => ask(queryable, statement, values))
  const transaction: PostgresSessions['transaction'] = (work) =>
    begin((handle) => oneTransaction(over(handle), (session) => work(session, handle)))
  return {
    session: { run: onceMore(over(pool)), atomically: (work) => transaction((session) => work(session)) },
    transaction,
    within(handle) {
      const session: SqlSession = { run: over(handle), atomically: (work) => work(session) }
      return session
    },
  }
}

/** Ask whether it is a pool; else it is PGlite, which begins a transaction by itself. */
export function isPostgresPool(pool: PgPool | PgliteDatabase): pool is PgPool {
  return typeof (pool as Partial<PgPool>).connect === 'function'
}

type Ask = (queryable: unknown, statement: SqlStatement, values: readonly SqlValue[]) => Promise<PgResult>
type Begin = <T>(work: (handle: unknown) => Promise<T>) => Promise<T>

function running(ask: (statement: SqlStatement, values: readonly SqlValue[]) => Promise<PgResult>): SqlSession['run'] {
  return async (statement, values) => {
    try {
      return (await ask(statement, values)).rows as readonly SqlRow[]
    } catch (error) {
      throw toStorageError(error, 'statement')
    }
  }
}

// A look-up outside of transactions may be asked again, on another connection: once, because a database that is gone is to
// be told soon. Who has waited in vain for an answer has waited long enough.
function onceMore(run: SqlSession['run']): SqlSession['run'] {
  return async (statement, values) => {
    try {
      return await run(statement, values)
    } catch (error) {
      if (statement.writes || !isTransientError(error) || isUnanswered(error)) throw error
      return run(statement, values)
    }
  }
}

const askByText: Ask = (queryable, { text }, values) => (queryable as PgliteQueryable).query(text, [...values])

function askByName(prepare: boolean): Ask {
  const names = new WeakMap<SqlStatement, string>()
  return (queryable, statement, values) => {
    const { text, hot } = statement
    if (!prepare || !hot) return (queryable as PgQueryable).query({ text, values: [...values] })
    const name = names.get(statement) ?? nameOf(statement)
    names.set(statement, name)
    return (queryable as PgQueryable).query({ name, text, values: [...values] })
  }
}

// A connection may be shared with a storage over other tables: another text needs another name (FNV-1a).
function nameOf({ name, text }: SqlStatement): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return `sallyport_${name}_${(hash >>> 0).toString(16)}`
}

// PGlite begins, commits and rolls back by itself. A failed statement that the work swallowed would make its COMMIT a
// silent ROLLBACK: the last query fails on it.
function beginIn(database: PgliteDatabase): Begin {
  return async (work) => {
    try {
      return await database.transaction(async (handle: PgliteQueryable) => {
        const result = await work(handle)
        await handle.query('SELECT 1')
        return result
      })
    } catch (error) {
      throw toStorageError(error, 'work')
    }
  }
}

function beginOn(pool: PgPool): Begin {
  return async (work) => {
    const client = await connect(pool)
    const loss = watch(client)
    let broken: Error | undefined
    try {
      await control(client, 'BEGIN ISOLATION LEVEL READ COMMITTED')
      const result = await work(client)
      await commit(client)
      return result
    } catch (error) {
      broken = loss.error() ?? (isUnanswered(error) ? error : await failedRollback(client))
      throw toStorageError(error, broken === undefined ? 'work' : 'statement')
    } finally {
      loss.stop()
      client.release(broken)
    }
  }
}

async function connect(pool: PgPool): Promise<PgClient> {
  let client: PgClient
  try {
    client = await pool.connect()
  } catch (error) {
    throw toStorageError(error, 'statement')
  }
  if (typeof client?.release === 'function') return client
  throw new TypeError('createPostgresStorage: option "pool" must be a pool: its connections have no release()')
}

// An error of a connection in use that nobody listens to would end the process.
function watch(client: PgClient): { error(): Error | undefined; stop(): void } {
  let lost: Error | undefined
  const note = (error: Error): void => {
    lost = error
  }
  client.on?.('error', note)
  return { error: () => lost, stop: () => void client.removeListener?.('error', note) }
}

async function commit(client: PgClient): Promise<void> {
  const { command } = await control(client, 'COMMIT')
  if (command === 'ROLLBACK') throw new Error('nothing was stored: the work went on after a failed statement')
}

async function control(client: PgClient, text: string): Promise<PgResult> {
  try {
    return await client.query(text)
  } catch (error) {
    throw toStorageError(error, 'statement')
  }
}

async function failedRollback(client: PgClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK')
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error('the rollback failed', { cause: error })
  }
}
