/**
 * Statements and transactions on one SQLite handle. The handle is synchronous and has one transaction at a time, the work
 * inside is not: so whoever comes meanwhile waits its turn, and another process that is writing is waited for in between.
 * Whoever is given the handle has it for as long as its work runs and not a moment longer, because then others use it.
 */
import { pause, randomFraction } from '../lib/time.ts'
import {
  oneTransaction,
  type SqliteDatabase,
  type SqliteStatement,
  type SqlRow,
  type SqlSession,
} from './sql-executor.ts'
import { isBusy, TransientError, toStorageError } from './storage-errors.ts'
import { createTurns, ENDED, type Turns } from './turns.ts'

/** Sessions on one handle. */
export interface SqliteSessions {
  readonly session: SqlSession
  /** Run `work` in one write transaction. `isHeld`: whether it still is; undone, it may ask nothing more. */
  transaction<T>(work: (session: SqlSession, isHeld: () => boolean) => Promise<T>): Promise<T>
  /** Run `work` when no transaction is open, and let none begin until it has settled, or held all others up for too long. */
  exclusive<T>(work: (isHeld: () => boolean) => Promise<T>): Promise<T>
}

// With the pauses between them some 5 seconds.
const BUSY_ATTEMPTS = 500

// Whoever uses one handle takes turns at it, also through two storages.
const TURNS = new WeakMap<SqliteDatabase, Turns>()

/** Make sessions on a handle. */
export function createSqliteSessions(database: SqliteDatabase): SqliteSessions {
  const turns = TURNS.get(database) ?? createTurns('the SQLite database')
  TURNS.set(database, turns)
  const isLogged = openUp(database)
  const run = statementRunner(database)
  const patiently = <T>(work: (isHeld: () => boolean) => Promise<T>): Promise<T> =>
    whileBusy(() => turns(work, () => rollBack(database)))
  const transactionOf =
    (prepare: () => () => void): SqliteSessions['transaction'] =>
    (work) =>
      patiently(async (isHeld) => {
        const putBack = prepare()
        try {
          return await inTransaction(database, isHeld, () =>
            oneTransaction(run, (session) => work(session, isHeld), isHeld),
          )
        } finally {
          putBack()
        }
      })
  // A look-up is done there and then: where no transaction is open it waits for nobody, and nobody for it.
  const read: SqlSession['run'] = (statement, values) =>
    whileBusy(() => (turns.isFree() ? run(statement, values) : turns(() => run(statement, values))))
  // A single write is a transaction too: with some drivers a statement that met a busy database stays half-run, and then
  // nobody's transaction on the handle can be committed. BEGIN leaves nothing behind.
  const sessionOf = (atomically: SqliteSessions['transaction']): SqlSession => ({
    run: (statement, values) =>
      statement.writes ? atomically((inside) => inside.run(statement, values)) : read(statement, values),
    atomically,
  })
  const transaction = transactionOf(() => () => undefined)
  // A commit that waits for the disk holds up the whole process. In a write-ahead log one that does not is gone with the
  // power at worst, and whatever was committed before it stays.
  const hurried = isLogged ? transactionOf(() => lower(database, 'synchronous', SYNC_NORMAL)) : transaction
  return {
    session: { ...sessionOf(transaction), fleeting: sessionOf(hurried) },
    transaction,
    exclusive: (work) =>
      turns(
        (isHeld) =>
          work(isHeld).catch((error: unknown) => {
            throw toStorageError(error, 'work')
          }),
        () => rollBack(database),
      ),
  }
}

// Readers beside a writer, and references that hold. A log that can't be switched just now another process is switching.
// Hands on whether the log is there.
function openUp(database: SqliteDatabase): boolean {
  database.exec('PRAGMA foreign_keys = ON')
  const putBack = lower(database, 'busy_timeout', 0)
  try {
    const [row] = database.prepare('PRAGMA journal_mode = WAL').all() as SqlRow[]
    return row?.['journal_mode'] === 'wal'
  } catch (error) {
    if (!isBusy(error)) throw error
    return false
  } finally {
    putBack()
  }
}

function statementRunner(database: SqliteDatabase): SqlSession['run'] {
  const prepared = new Map<string, { readonly statement: SqliteStatement; readonly order: readonly number[] }>()
  return async ({ text, silent }, values) => {
    try {
      if (silent === true) {
        database.exec(text)
        return []
      }
      let entry = prepared.get(text)
      if (entry === undefined) {
        entry = { statement: database.prepare(text.replace(PARAMETER, '?')), order: orderOf(text) }
        prepared.set(text, entry)
      }
      return entry.statement.all(...entry.order.map((index) => values[index] ?? null)) as readonly SqlRow[]
    } catch (error) {
      throw isBusy(error) ? error : toStorageError(error, 'statement')
    }
  }
}

const PARAMETER = /\$(\d+)/g

// Drivers differ in numbered parameters and agree in `?`: a value is bound once for each place it stands in.
function orderOf(text: string): number[] {
  return [...text.matchAll(PARAMETER)].map(([, index]) => Number(index) - 1)
}

async function inTransaction<T>(database: SqliteDatabase, isHeld: () => boolean, work: () => Promise<T>): Promise<T> {
  begin(database)
  try {
    const result = await work()
    // Else what is open by now is somebody else's.
    if (!isHeld()) throw new Error(ENDED)
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (isHeld()) rollBack(database)
    // Past BEGIN, busy is the work's own: it must not run twice here.
    throw toStorageError(error, 'work')
  }
}

// A driver that waits for another process blocks this one: the waiting is done outside, between attempts.
function begin(database: SqliteDatabase): void {
  const putBack = lower(database, 'busy_timeout', 0)
  try {
    database.exec('BEGIN IMMEDIATE')
  } finally {
    putBack()
  }
}

function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // SQLite has ended it by itself (disk full, for one): there is nothing to take back.
  }
}

// NORMAL: the log reaches the disk when it is put into the database, not with each commit.
const SYNC_NORMAL = 1

// Sets what is higher to a value; what is handed on sets it back.
function lower(database: SqliteDatabase, pragma: 'busy_timeout' | 'synchronous', value: number): () => void {
  const [row = {}] = database.prepare(`PRAGMA ${pragma}`).all() as SqlRow[]
  const before = Number(Object.values(row)[0])
  if (!(before > value)) return () => undefined
  database.exec(`PRAGMA ${pragma} = ${value}`)
  return () => void database.exec(`PRAGMA ${pragma} = ${before}`)
}

async function whileBusy<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isBusy(error)) throw error
      if (attempt === BUSY_ATTEMPTS) {
        throw new TransientError('another process kept the SQLite database busy', { cause: error })
      }
      await pause(1 + 16 * randomFraction())
    }
  }
}

/**
 * Lend a handle; once `isHeld` says no, it refuses whatever is asked, and so does every statement prepared on it, and
 * whatever else of the driver's it has answered with.
 */
export function lendHandle<D extends SqliteDatabase>(database: D, isHeld: () => boolean): D {
  const lent = new WeakMap<object, object>()
  const guard = (value: unknown, self?: unknown): unknown => {
    if (!isOfDriver(value)) return value
    const known = lent.get(value)
    if (known !== undefined) return known
    const proxy = new Proxy(value, {
      get: (target, name) => guard(Reflect.get(target, name), target),
      apply(target, _self, given) {
        if (!isHeld()) throw new Error('this transaction has ended: its handle can no longer be used')
        return guard(Reflect.apply(target as () => unknown, self, given))
      },
    })
    if (typeof value !== 'function') lent.set(value, proxy)
    return proxy
  }
  return guard(database) as D
}

// Statements, iterators, the handle again by another name, functions; not a row, which holds values alone.
function isOfDriver(value: unknown): value is object {
  if (typeof value === 'function') return true
  if (typeof value !== 'object' || value === null) return false
  return ['prepare', 'all', 'run', 'next'].some((name) => typeof Reflect.get(value, name) === 'function')
}
