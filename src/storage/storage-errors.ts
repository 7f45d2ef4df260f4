/**
 * The two storage failures with a meaning of their own, a unique violation and a failure that passes by itself
 * (unreachable, too many connections, a lost race, failover, a busy file), and the one place that knows them by what
 * drivers and query builders put on their errors, never by a class.
 */
import { isAuthError, toFault } from '../errors.ts'
import { adapterErrorOf, CONFLICT, causesOf, isOfSchema, readError as read } from '../lib/standard-error.ts'

const TRANSIENT: symbol = Symbol.for('sallyport.TransientError')

/**
 * A unique violation: the row is there already. Recognise one by {@link isConflictError}, never by `instanceof`.
 *
 * @example
 * throw new ConflictError('users: the identity is taken', { cause: error })
 */
export class ConflictError extends Error {
  override readonly name = 'ConflictError'

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
 * Say what a driver's error means to a storage (`pg`, PGlite and the SQLite drivers alike), for repositories of one's
 * own: a unique violation becomes a `ConflictError`; a serialization failure, deadlock, lost connection or busy database
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
    typeof query === 'string' || typeof sql === 'string' || name === OF_ADAPTER || adapterErrorOf(error) !== undefined
  const isTaken = isWrapper ? causesOf(error).some(isUnique) : isUnique(error)
  if (!isTaken) return error
  const constraint = constraintOf(error)
  if (constraint === undefined) return new ConflictError('the row is there already', { cause: error })
  return Object.assign(new ConflictError(`the row is there already (${constraint})`, { cause: error }), { constraint })
}

// PostgreSQL, Prisma, SQLite by name and by number.
const UNIQUE: readonly unknown[] = [
  ...['23505', 'P2002', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY', 1555, 2067, 2579],
]
const SQLITE = /^(ERR_)?SQLITE_/
// PostgreSQL: serialization failure, deadlock, lock not available, class 08 (connection), too many connections, read-only
// (after a failover), shutdown, crash, start-up, idle session ended. MySQL by name.
const PASSING =
  /^(40001|40P01|55P03|08[0-9A-Z]{3}|53300|25006|57P0[1235]|ER_(CON_COUNT_ERROR|LOCK_DEADLOCK|LOCK_WAIT_TIMEOUT|OPTION_PREVENTS_STATEMENT|SERVER_SHUTDOWN)|PROTOCOL_CONNECTION_LOST)$/
// Prisma: unreachable, timed out, connection closed, no connection in the pool, too many connections, write conflict; and what
// its driver adapters call the same.
const PRISMA = /^(P1001|P1002|P1008|P1017|P2024|P2034|P2037)$/
const ADAPTER = /^(DatabaseNotReachable|SocketTimeout|ConnectionClosed|TooManyConnections|TransactionWriteConflict)$/
const OF_ADAPTER = 'DriverAdapterError'
// The database, or Prisma's transaction, has given up what took too long: PostgreSQL's `statement_timeout`, and those of a
// transaction, which end the connection; MySQL's.
const TOO_LONG = /^(57014|25P03|25P04|P2028|ER_QUERY_TIMEOUT)$/
// Sentences of drivers that give a lost connection no code, and of a Redis that starts up or fails over.
const LOST =
  /^(Connection terminated|Client (has encountered a connection error|was closed) and is not queryable|Socket closed unexpectedly|(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN) )/
const NETWORK =
  /^(E(CONNREFUSED|CONNRESET|CONNABORTED|PIPE|TIMEDOUT|NOTFOUND|HOSTUNREACH|HOSTDOWN|NETUNREACH|NETDOWN|NETRESET|NOTCONN|ADDRNOTAVAIL)|EAI_[A-Z]+|ERR_(STREAM_DESTROYED|STREAM_WRITE_AFTER_END|SOCKET_CLOSED)|UND_ERR_(CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|SOCKET)|CONNECT_TIMEOUT|CONNECTION_(CLOSED|DESTROYED))$/
// Of pools and clients that waited in vain for a connection.
const NO_CONNECTION =
  /^(timeout exceeded when trying to connect|timeout expired|Knex: Timeout acquiring a connection|Connection timeout$|The client is (closed|offline))/
const NO_ANSWER = /^Query read timeout/
const SQLITE_BUSY = 5

function isUnique(error: unknown): boolean {
  const { code, errcode, originalCode, message } = read(error)
  if ([code, errcode, originalCode].some((each) => UNIQUE.includes(each))) return true
  return SQLITE.test(String(code)) && /UNIQUE constraint failed/.test(String(message))
}

function passes(error: unknown): boolean {
  const { code, errorCode, originalCode, kind, message, severity } = read(error)
  // PgBouncer ends a connection with 08P01 (`FATAL`); from PostgreSQL itself it is a statement with another number of
  // values than it asks for, which never passes.
  const isMisuse = code === '08P01' && severity === 'ERROR'
  const isCode = PRISMA.test(String(code)) || (PASSING.test(String(code)) && !isMisuse)
  const isAdapters = ADAPTER.test(String(kind)) || (PASSING.test(String(originalCode)) && !isMisuse)
  return (
    isCode ||
    isAdapters ||
    PRISMA.test(String(errorCode)) ||
    LOST.test(String(message)) ||
    isBusy(error) ||
    isGivenUp(error)
  )
}

function isAway(error: unknown): boolean {
  const { code, syscall, message } = read(error)
  // A server that is down takes its Unix socket along.
  if (NETWORK.test(String(code)) || (code === 'ENOENT' && syscall === 'connect')) return true
  return [NO_CONNECTION, NO_ANSWER].some((sentence) => sentence.test(String(message)))
}

function isGivenUp(error: unknown): boolean {
  const { code, originalCode } = read(error)
  return TOO_LONG.test(String(code)) || TOO_LONG.test(String(originalCode))
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
  return causesOf(error).some((each) => NO_ANSWER.test(String(read(each)['message'])))
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
  if (String(code).startsWith('SQLITE_BUSY') || isPrimary(errcode) || isPrimary(rawCode)) return true
  return SQLITE.test(String(code)) && /^database is locked/.test(String(message))
}

const IN_SENTENCE = /^(?:SQLITE_CONSTRAINT: )?UNIQUE constraint failed: (.+)$/

// The constraint that a row broke, else its columns, as drivers and Prisma name them: never a value.
function constraintOf(error: unknown): string | undefined {
  for (const each of causesOf(error)) {
    const { constraint, constraint_name: name, meta, message } = read(each)
    const { index, fields } = read(constraint)
    const { target } = read(meta)
    const said = IN_SENTENCE.exec(String(message))?.[1]
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
