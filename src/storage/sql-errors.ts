/**
 * What a driver's error means to the library: a unique violation is a `ConflictError`, a failure of the moment a
 * `TransientError`; everything else passes untouched. Told by what drivers put on their errors, never by a class.
 */
import { ConflictError, isConflictError, isTransientError, TransientError } from './storage-errors.ts'

// PostgreSQL: serialization failure, deadlock, class 08 (connection), too many connections, shutdown and start-up.
const PG_TRANSIENT = /^(40001|40P01|08[0-9A-Z]{3}|53300|57P0[123])$/
const PG_UNIQUE = '23505'
const SQLITE_UNIQUE_CODES: readonly unknown[] = [1555, 2067, 2579]
const SQLITE_BUSY = 5
// Sentences of drivers that give a lost connection no code.
const LOST = /^(Connection terminated|Client (has encountered a connection error|was closed) and is not queryable)/
const NETWORK = /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)$/
const NO_CONNECTION = /^(timeout exceeded when trying to connect|timeout expired)/
const NO_ANSWER = /^Query read timeout/

/**
 * Say what a driver's error means to a storage (`pg`, PGlite and the SQLite drivers alike), for repositories of one's
 * own: a unique violation becomes a `ConflictError`; a serialization failure, deadlock, lost connection or busy database
 * a `TransientError`, which the provisioner tries again. What already is one of them, or means nothing special, comes
 * back as it is. A query builder's wrapper is looked through.
 *
 * @param error what was thrown
 * @param from `statement`: thrown by a query, so that an unreachable network is the database's; `work` (default): thrown
 * out of a transaction's work, where it may be another one
 * @example
 * try {
 *   return await db.insertInto('members').values(row).execute()
 * } catch (error) {
 *   throw toStorageError(error)
 * }
 */
export function toStorageError(error: unknown, from: 'work' | 'statement' = 'work'): unknown {
  if (isConflictError(error) || isTransientError(error)) return error
  for (const each of causesOf(error)) {
    if (isTransient(each) || (from === 'statement' && isUnreachable(each))) {
      return new TransientError('the database could not do it just now', { cause: error })
    }
    if (isUnique(each) && (each === error || isQueryWrapper(error))) {
      return new ConflictError('the row is there already', { cause: error })
    }
  }
  return error
}

/** Ask whether the driver stopped waiting for an answer that may still come: nothing else can be asked on that connection. */
export function isUnanswered(error: unknown): error is Error {
  return causesOf(error).some((each) => NO_ANSWER.test(String(read(each)['message'])))
}

/** Ask whether SQLite says that another process is writing just now. */
export function isBusy(error: unknown): boolean {
  const { code, errcode, rawCode, message } = read(error)
  if (typeof code === 'string' && code.startsWith('SQLITE_BUSY')) return true
  if (isPrimary(errcode, SQLITE_BUSY) || isPrimary(rawCode, SQLITE_BUSY)) return true
  return isSqlite(error) && /^database is locked/.test(String(message))
}

function isTransient(error: unknown): boolean {
  const { code, message } = read(error)
  return (typeof code === 'string' && PG_TRANSIENT.test(code)) || LOST.test(String(message)) || isBusy(error)
}

function isUnreachable(error: unknown): boolean {
  const { code, message } = read(error)
  return NETWORK.test(String(code)) || NO_CONNECTION.test(String(message)) || NO_ANSWER.test(String(message))
}

function isUnique(error: unknown): boolean {
  const { code, errcode, message } = read(error)
  if (code === PG_UNIQUE || code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY') return true
  return SQLITE_UNIQUE_CODES.includes(errcode) || (isSqlite(error) && /UNIQUE constraint failed/.test(String(message)))
}

function isSqlite(error: unknown): boolean {
  const { code } = read(error)
  return /^(ERR_)?SQLITE_/.test(String(code))
}

// An extended result code holds the primary one in its lowest byte.
function isPrimary(code: unknown, primary: number): boolean {
  return typeof code === 'number' && (code & 0xff) === primary
}

// A query builder wraps the driver's error and says which query it was; a host's own error class does not.
function isQueryWrapper(error: unknown): boolean {
  const { query, sql } = read(error)
  return typeof query === 'string' || typeof sql === 'string'
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = []
  for (let each = error; typeof each === 'object' && each !== null && causes.length < 4; each = read(each)['cause']) {
    causes.push(each)
  }
  return causes
}

function read(error: unknown): Readonly<Record<string, unknown>> {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {}
}
