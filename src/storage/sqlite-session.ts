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
  openUp(database)
  const run = statementRunner(database)
  const patiently = <T>(work: (isHeld: () => boolean) => Promise<T>): Promise<T> =>
    whileBusy(() => turns(work, () => rollBack(database)))
  const transaction: SqliteSessions['transaction'] = (work) =>
    patiently((isHeld) =>
      inTransaction(database, isHeld, () => oneTransaction(run, (session) => work(session, isHeld), isHeld)),
    )
  // A look-up is done there and then: where no transaction is open it waits for nobody, and nobody for it.
  const read: SqlSession['run'] = (statement, values) =>
    whileBusy(() => (turns.isFree() ? run(statement, values) : turns(() => run(statement, values))))
  return {
    session: {
      // A single write is a transaction too: with some drivers a statement that met a busy database stays half-run, and
      // then nobody's transaction on the handle can be committed. BEGIN leaves nothing behind.
      run: (statement, values) =>
        statement.writes ? transaction((inside) => inside.run(statement, values)) : read(statement, values),
      atomically: transaction,
    },
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
function openUp(database: SqliteDatabase): void {
  database.exec('PRAGMA foreign_keys = ON')
  try {
    atOnce(database, () => database.prepare('PRAGMA journal_mode = WAL').all())
  } catch (error) {
    if (!isBusy(error)) throw error
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
  atOnce(database, () => database.exec('BEGIN IMMEDIATE'))
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

function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // SQLite has ended it by itself (disk full, for one): there is nothing to take back.
  }
}

// A driver that waits for another process blocks this one: the waiting is done outside, between attempts.
function atOnce<T>(database: SqliteDatabase, work: () => T): T {
  const timeout = readTimeout(database)
  if (timeout === 0) return work()
  database.exec('PRAGMA busy_timeout = 0')
  try {
    return work()
  } finally {
    database.exec(`PRAGMA busy_timeout = ${timeout}`)
  }
}

function readTimeout(database: SqliteDatabase): number {
  const [row] = database.prepare('PRAGMA busy_timeout').all() as SqlRow[]
  const timeout = Number(row?.['timeout'])
  return Number.isInteger(timeout) && timeout > 0 ? timeout : 0
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
