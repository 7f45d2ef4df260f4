/**
 * What a driver's error means to the library: a unique violation is a `ConflictError`, a failure of the moment a
 * `TransientError`; everything else passes untouched. Told by what drivers put on their errors, never by a class.
 */
import { isAuthError } from '../errors.ts'
import { ConflictError, isConflictError, isTransientError } from './storage-errors.ts'
import { causesOf, type ThrownBy, toTransient } from './transient.ts'

const PG_UNIQUE = '23505'
const PRISMA_UNIQUE = 'P2002'
const SQLITE_UNIQUE_CODES: readonly unknown[] = [1555, 2067, 2579]

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
export function toStorageError(error: unknown, from: ThrownBy = 'work'): unknown {
  if (isAuthError(error) || isConflictError(error) || isTransientError(error)) return error
  const told = toTransient(error, from)
  if (told !== error) return told
  const isTaken = causesOf(error).some((each) => isUnique(each) && (each === error || isQueryWrapper(error)))
  return isTaken ? new ConflictError('the row is there already', { cause: error }) : error
}

function isUnique(error: unknown): boolean {
  const { code, errcode, message } = read(error)
  if (
    code === PG_UNIQUE ||
    code === PRISMA_UNIQUE ||
    code === 'SQLITE_CONSTRAINT_UNIQUE' ||
    code === 'SQLITE_CONSTRAINT_PRIMARYKEY'
  )
    return true
  return SQLITE_UNIQUE_CODES.includes(errcode) || (isSqlite(error) && /UNIQUE constraint failed/.test(String(message)))
}

function isSqlite(error: unknown): boolean {
  const { code } = read(error)
  return /^(ERR_)?SQLITE_/.test(String(code))
}

// A query builder wraps the driver's error and says which query it was; a host's own error class does not.
function isQueryWrapper(error: unknown): boolean {
  const { query, sql } = read(error)
  return typeof query === 'string' || typeof sql === 'string'
}

function read(error: unknown): Readonly<Record<string, unknown>> {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {}
}
