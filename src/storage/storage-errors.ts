/**
 * The two storage failures with a meaning of their own, a unique violation and a failure that passes by itself
 * (unreachable, too many connections, a lost race, failover, a busy file), and the one place that knows them by what
 * drivers and query builders put on their errors, never by a class.
 */
import { isAuthError, toFault } from '../errors.ts'
import { CONFLICT, causesOf, isOfSchema, prismaCauseOf, readError as read } from '../lib/standard-error.ts'

const TRANSIENT: symbol = Symbol.for('sallyport.TransientError')

/**
 * A unique violation: the row is there already. Recognise one by {@link isConflictError}, never by `instanceof`.
 *
 * @example
 * throw new ConflictError('users: the identity is taken', { cause: error })
 */
export class ConflictError extends Error {
  override readonly name = 'ConflictError'
  /** The constraint that refused the row, else its columns, as the database names them; `toStorageError` fills it in, where it is told. */
  declare readonly constraint?: string | undefined

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    Object.defineProperty(this, CONFLICT, { value: true })
  }
}

/**
 * A failure of the moment (serialization failure, deadlock, busy database, lost connection): nothing was written, and the
 * provisioner tries again. Recognise one by {@link isTransientError}, never by `instanceof`.
 *
 * @example
 * if (code === '40001') throw new TransientError('serialization failure', { cause: error })
 */
export class TransientError extends Error {
  override readonly name = 'TransientError'

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    Object.defineProperty(this, TRANSIENT, { value: true })
  }
}

/**
 * Ask whether a thrown value is a {@link ConflictError}, also one made by another copy of this package. Pure.
 *
 * @example
 * if (isConflictError(error)) throw new AuthError('conflict')
 */
export function isConflictError(error: unknown): error is ConflictError {
  return CONFLICT in read(error)
}

/**
 * Ask whether a thrown value is a {@link TransientError}, also one made by another copy of this package. Pure.
 *
 * @example
 * if (isTransientError(error)) return again()
 */
export function isTransientError(error: unknown): error is TransientError {
  return TRANSIENT in read(error)
}

/**
 * Say what a driver's error means to a storage (`pg`, PGlite, `mysql2`, `mariadb` and the SQLite drivers alike), for
 * repositories of one's own: a unique violation becomes a `ConflictError`; a serialization failure, deadlock, lost connection or busy database
 * a `TransientError`, which the provisioner tries again. What already is one of them, or means nothing special, comes
 * back as it is. A query builder's wrapper is looked through: Drizzle's, and Prisma's, whose raw queries say what happened
 * in `meta` alone.
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
  const passing = toTransient(error, from)
  if (passing !== error || isAuthError(error) || isConflictError(error) || isTransientError(error)) return passing
  // A query builder wraps the driver's error and says which query it was; a host's own error class does not.
  const { query, sql, name } = read(error)
  const isWrapper =
    typeof query === 'string' || typeof sql === 'string' || name === OF_ADAPTER || prismaCauseOf(error) !== undefined
  const isTaken = isWrapper ? causesOf(error).some(isUnique) : isUnique(error)
  if (!isTaken) return error
  const constraint = constraintOf(error)
  const named = constraint === undefined ? '' : ` (${constraint})`
  return Object.assign(new ConflictError(`the row is there already${named}`, { cause: error }), { constraint })
}

// PostgreSQL, Prisma; SQLite and MySQL by name and by number.
const UNIQUE = /^(23505|P2002|SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)|1555|2067|2579|ER_DUP_ENTRY|1022|1062|1169|1586)$/
const PASSING: readonly RegExp[] = [
  // PostgreSQL: serialization failure, deadlock, lock not available, class 08 (connection), too many connections, read-only
  // (after a failover), shutdown, crash, start-up, idle session ended.
  /^(40001|40P01|55P03|08[0-9A-Z]{3}|53300|25006|57P0[1235])$/,
  // Prisma: unreachable, timed out, connection closed, no connection in the pool, too many connections, write conflict; and what
  // its driver adapters call the same.
  /^(P(10(0[128]|17)|20(24|3[47]))|DatabaseNotReachable|SocketTimeout|ConnectionClosed|TooManyConnections|TransactionWriteConflict)$/,
  // MySQL and MariaDB, whose drivers all say the number: changed since it was read, too many connections, a node of a cluster
  // that is not ready, shutdown, too many of a user, lock wait, deadlock, read-only, ended, lost to another of a group, lock not to
  // be had, idle; and of MariaDB's own driver (450…) a connection that is closed or could not be had in time.
  /^(10(20|40|47|53)|12(03|05|13|26|90)|1836|1927|3101|3169|3572|4031|450(04|09|1[23]|26|28|61))$/,
  /^(ER_LOCK_(DEADLOCK|WAIT_TIMEOUT)|PROTOCOL_CONNECTION_LOST)$/,
]
const OF_ADAPTER = 'DriverAdapterError'
// The database, or Prisma's transaction, has given up what took too long: PostgreSQL's `statement_timeout`, and those of a
// transaction, which end the connection; MySQL's and MariaDB's, and that of their drivers.
const TOO_LONG = /^(57014|25P03|25P04|P2028|ER_QUERY_TIMEOUT|PROTOCOL_SEQUENCE_TIMEOUT|1317|1969|3024)$/
// Sentences of drivers that give a lost connection no code, and of a Redis that starts up or fails over.
const LOST =
  /^(Connection terminated|Client [a-z ]+ not queryable|Can't add new command|Socket closed unexpectedly|(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN) )/
const NETWORK =
  /^(E(CONN|HOST|NET)[A-Z]+|E(PIPE|TIMEDOUT|NOTFOUND|NOTCONN|ADDRNOTAVAIL)|EAI_[A-Z]+|ERR_(STREAM_(DESTROYED|WRITE_AFTER_END)|SOCKET_CLOSED)|UND_ERR_([A-Z]+_TIMEOUT|SOCKET)|CONNECT_TIMEOUT|CONNECTION_(CLOSED|DESTROYED))$/
// Of pools and clients that waited in vain for a connection.
const NO_CONNECTION =
  /^(timeout (exceeded when trying to connect|expired)|Knex: Timeout acquiring a connection|Connection timeout$|The client is (closed|offline)|(No connections available|Queue limit reached)\.$)/
const NO_ANSWER = /^(Query read|Defined query) timeout/
const SQLITE_BUSY = 5

// By what drivers say, Prisma (`errorCode`) and its adapters (`originalCode`, `kind`). A `code` that is a number is no database's,
// and SQLite's (`errcode`) would be another one's.
function isCoded(error: unknown, known: RegExp): boolean {
  const { code, errno, errorCode, originalCode, kind } = read(error)
  const word = typeof code === 'number' ? '' : code
  return [word, errno, errorCode, originalCode, kind].some((each) => known.test(textOf(each)))
}

// What is thrown may hold anything under these names.
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

// Knex puts the statement before what a driver says; Drizzle's own sentence ends in the statement's values.
function sentenceOf(error: unknown): string {
  const { code, message } = read(error)
  return code === undefined ? textOf(message).replace(/^(?!Failed query).* - /s, '') : textOf(message)
}

function isUnique(error: unknown): boolean {
  const { code, errcode, message } = read(error)
  const isSaid = /^(ERR_)?SQLITE_.*UNIQUE constraint failed/s.test(`${textOf(code)} ${textOf(message)}`)
  return isSaid || isCoded(error, UNIQUE) || UNIQUE.test(textOf(errcode))
}

function passes(error: unknown): boolean {
  const { severity } = read(error)
  // PgBouncer ends a connection with 08P01 (`FATAL`); from PostgreSQL itself it is a statement with another number of
  // values than it asks for, which never passes.
  const isMisuse = severity === 'ERROR' && isCoded(error, /^08P01$/)
  return (
    (!isMisuse && PASSING.some((known) => isCoded(error, known))) ||
    LOST.test(sentenceOf(error)) ||
    isBusy(error) ||
    isGivenUp(error)
  )
}

function isAway(error: unknown): boolean {
  const { code, syscall } = read(error)
  // A server that is down takes its Unix socket along.
  if (NETWORK.test(textOf(code)) || (code === 'ENOENT' && syscall === 'connect')) return true
  return NO_CONNECTION.test(sentenceOf(error)) || NO_ANSWER.test(sentenceOf(error))
}

function isGivenUp(error: unknown): boolean {
  return isCoded(error, TOO_LONG)
}

/** Where a throw comes from: a network that can't be reached is the storage's, or somebody else's whom the work has asked. */
export type ThrownBy = 'statement' | 'work'

/**
 * Ask whether a failure passes by itself, so that the whole may be tried again: a `TransientError`, or what drivers throw
 * for one. Wrapped causes and `AggregateError`s are looked through; a refusal is one, whatever its cause.
 */
export function isTransient(error: unknown, from: ThrownBy): boolean {
  if (isAuthError(error) || isConflictError(error)) return false
  const isOne = (each: unknown) => isTransientError(each) || passes(each) || (from === 'statement' && isAway(each))
  return causesOf(error).some(isOne)
}

/**
 * Hand on a storage whose methods, those of its groups (`storage.sessions`) too, throw a `TransientError` for a failure that
 * passes, whatever its driver throws, and for anything else what no framework takes for an answer.
 */
export function withStorageErrors<T extends object>(storage: T): T {
  const known = new WeakMap<object, unknown>()
  // Before a copy, because what is frozen must answer with what it holds.
  return new Proxy(
    { ...storage },
    {
      get(_, name) {
        const value: unknown = Reflect.get(storage, name)
        if ((typeof value !== 'function' && typeof value !== 'object') || value === null) return value
        const wrapped =
          known.get(value) ??
          (typeof value === 'function' ? asking(storage, name, value as Method) : withStorageErrors(value))
        known.set(value, wrapped)
        return wrapped
      },
    },
  ) as T
}

type Method = (...given: unknown[]) => unknown

function asking(storage: object, name: PropertyKey, method: Method): unknown {
  const from = name === 'transaction' ? 'work' : 'statement'
  return async (...given: unknown[]) => {
    try {
      return await Reflect.apply(method, storage, given)
    } catch (error) {
      throw from === 'work' ? toTransient(error, from) : toQueryFailure(error)
    }
  }
}

/** What {@link withStorageErrors} throws in the place of what a query has thrown, for whoever asks too often to go through it. */
export function toQueryFailure(error: unknown): unknown {
  return toFault(toTransient(error, 'statement'))
}

/** Convert a failure that passes to a `TransientError` with the failure as its cause; anything else comes back as it is. */
export function toTransient(error: unknown, from: ThrownBy): unknown {
  if (isTransientError(error) || !isTransient(error, from)) return error
  return new TransientError('the database could not do it just now', { cause: error })
}

/** Ask whether the driver stopped waiting for an answer that may still come: nothing else can be asked on that connection. */
export function isUnanswered(error: unknown): error is Error {
  return causesOf(error).some((each) => NO_ANSWER.test(sentenceOf(each)))
}

/** Ask whether somebody has waited for as long as they would, for an answer or for what was given up: not to be asked once more. */
export function hasTakenTooLong(error: unknown): boolean {
  return isUnanswered(error) || causesOf(error).some(isGivenUp)
}

/** Ask whether the server takes no writes any more: it was failed over from, and so is whoever goes on with this connection. */
export function isReadOnly(error: unknown): error is Error {
  return causesOf(error).some((each) => read(each)['code'] === '25006')
}

/** Ask whether SQLite says that another process is writing just now. */
export function isBusy(error: unknown): boolean {
  const { code, errcode, rawCode, message } = read(error)
  const isSaid = /^(SQLITE_BUSY|(ERR_)?SQLITE_[A-Z]+ database is locked)/.test(`${textOf(code)} ${textOf(message)}`)
  return isSaid || isPrimary(errcode) || isPrimary(rawCode)
}

const IN_SENTENCE = /^(?:(?:SQLITE_CONSTRAINT: )?UNIQUE constraint failed: |Duplicate entry .* for key ')(.+?)'?$/s

// The constraint that a row broke, else its columns, as drivers and Prisma name them: never a value.
function constraintOf(error: unknown): string | undefined {
  for (const each of causesOf(error)) {
    const { constraint, constraint_name: name, meta, message, sqlMessage = message } = read(each)
    const { index, fields } = read(constraint)
    const { target } = read(meta)
    const said = IN_SENTENCE.exec(textOf(sqlMessage))?.[1]
    const names = [constraint, name, index, fields, target, said].map((one) =>
      Array.isArray(one) ? one.join(', ') : one,
    )
    const found = names.find(isOfSchema)
    if (found !== undefined) return found
  }
  return undefined
}

// An extended result code holds the primary one in its lowest byte.
function isPrimary(code: unknown): boolean {
  return typeof code === 'number' && (code & 0xff) === SQLITE_BUSY
}
