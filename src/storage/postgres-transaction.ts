/**
 * A transaction on PostgreSQL whose work has a guarded handle: it begins and ends here and nowhere else, and its connection
 * goes back as it came or not at all. Its beginning and its end are one round trip each, with all that is asked beside them.
 */
import { isPending } from '../lib/at-once.ts'
import { optionsError } from '../lib/parse-options.ts'
import { type Frame, type FrameOptions, openFrame, UNFINISHED } from './guarded-handle.ts'
import type { PgClient, PgliteDatabase, PgliteQueryable, PgPool, PgResult, SqlRow } from './sql-executor.ts'
import { isReadOnly, isUnanswered, toStorageError } from './storage-errors.ts'
import { createTurns } from './turns.ts'

/** A transaction, from its BEGIN to the end of its work. */
export interface PostgresTransaction {
  readonly frame: Frame
  /** The connection's state when it began. */
  readonly before: Settings
  /** What the columns of its {@link Binding} were, if it has one. */
  readonly bound: SqlRow
  /** What has to be bound still when it ends, by the settings' names; else nothing is stored. */
  held: Settings
}

/** What is bound to a transaction by the query that begins it, after the state was read. */
export interface Binding {
  /** Columns of a SELECT; they are computed in their order. */
  readonly columns: string
  /** Say what it means that the query has failed. */
  explain(error: unknown): unknown
}

/** Run `work` in a transaction. */
export type Begin = <T>(work: (transaction: PostgresTransaction) => Promise<T>, binding?: Binding) => Promise<T>

/** How a transaction is begun. */
export interface BeginOptions {
  /** What it is, for sentences. */
  readonly what: 'scope' | 'transaction'
  /** Names of the settings that a scope binds, such as `app.org_id`. */
  readonly settings: readonly string[]
}

/** Ask whether it is a pool; else it is PGlite, which begins a transaction by itself. */
export function isPostgresPool(pool: PgPool | PgliteDatabase): pool is PgPool {
  return typeof (pool as Partial<PgPool>).connect === 'function'
}

/** Begin transactions on a pool, or in PGlite. */
export function beginOn(pool: PgPool | PgliteDatabase, { what, settings }: BeginOptions): Begin {
  const frameOptions = { what, bound: what === 'scope' ? boundBy(settings) : [], isOurs: true }
  const reader = readerOf([...STATE, ...settings.map((each) => each.toLowerCase())])
  return isPostgresPool(pool) ? beginOnPool(pool, frameOptions, reader) : beginInDatabase(pool, frameOptions, reader)
}

function beginOnPool(pool: PgPool, options: FrameOptions, reader: SettingsReader): Begin {
  return async (work, binding) => {
    const { client, loss } = await connect(pool)
    let frame: Frame | undefined
    let before: Settings | undefined
    let broken: Error | undefined
    try {
      frame = openFrame(client, options)
      const transaction = await asStatement(() => opened(frame as Frame, [BEGIN, MARKED], { reader, binding }))
      before = transaction.before
      const result = await frame.run(() => work(transaction))
      broken = unclean(frame, before, await commit(transaction, reader))
      return result
    } catch (error) {
      const gone = loss.error() ?? (isUnanswered(error) || isReadOnly(error) ? error : undefined)
      const { failed, dirty } = gone === undefined ? await rollBack(frame, reader, before) : { failed: gone }
      // Nobody knows what else was asked on such a connection, or is still on its way.
      const isOutOfHand = isNotHeld(error) || (error as Error | null)?.message === UNFINISHED
      broken = failed ?? dirty ?? (isOutOfHand ? (error as Error) : undefined)
      throw toStorageError(explained(error), failed === undefined ? 'work' : 'statement')
    } finally {
      loss.stop()
      frame?.end()
      client.release(broken)
    }
  }
}

// PGlite begins, commits and rolls back by itself, on the one connection it has: what can't be put back is not stored.
function beginInDatabase(database: PgliteDatabase, options: FrameOptions, reader: SettingsReader): Begin {
  // It gives turns by itself as well; but whoever hangs would hold everybody.
  const withinHold = createTurns('PGlite', { atOnce: Number.POSITIVE_INFINITY })
  return async (work, binding) => {
    try {
      return await database.transaction(async (handle: PgliteQueryable) => {
        const frame = openFrame(handle, options)
        try {
          const transaction = await opened(frame, [MARKED], { reader, binding })
          const result = await withinHold(() => frame.run(() => work(transaction)))
          await frame.ask(checking(transaction.held, IS_MARKED))
          await putBack(frame, transaction.before)
          return result
        } finally {
          frame.end()
        }
      })
    } catch (error) {
      throw toStorageError(explained(error), 'work')
    }
  }
}

/**
 * Begin scopes as savepoints in the transaction that a client is in, or a scope's handle. What one is rolled back to restores
 * the settings by itself; what it is released to does not. Its name is its own, so that none ends another's.
 */
export function beginWithin(client: object, settings: readonly string[]): Begin {
  const reader = readerOf([...settings, 'role'])
  return async (work, binding) => {
    const frame = openFrame(client, { what: 'scope', bound: boundBy(settings) })
    const savepoint = `sallyport_${crypto.randomUUID().replaceAll('-', '')}`
    try {
      const transaction = await opened(frame, [`SAVEPOINT ${savepoint}`], { reader, binding })
      const result = await frame.run(() => work(transaction))
      // The transaction is the host's, and so is the connection: what can't be put back is undone.
      if (frame.parent === null && frame.connection.touched.size > 0) throw new Error(LASTING)
      const restoring = `SELECT ${settingCalls(transaction.before)}`
      await frame.ask(checking(transaction.held), restoring, `RELEASE SAVEPOINT ${savepoint}`)
      return result
    } catch (error) {
      // On a lost connection this fails too; the first failure is the one that counts.
      await frame.ask(`ROLLBACK TO SAVEPOINT ${savepoint}`, `RELEASE SAVEPOINT ${savepoint}`).catch(() => undefined)
      throw explained(error)
    } finally {
      frame.end()
    }
  }
}

// The query that begins a transaction: what is there before, and then what is bound.
async function opened(
  frame: Frame,
  beginning: readonly string[],
  { reader, binding }: { readonly reader: SettingsReader; readonly binding: Binding | undefined },
): Promise<PostgresTransaction> {
  const columns = binding === undefined ? reader.column : `${reader.column}, ${binding.columns}`
  try {
    const row = lastRow(await frame.ask(...beginning, `SELECT ${columns}`))
    return { frame, before: reader.settingsOf(row), bound: row, held: new Map() }
  } catch (error) {
    throw binding === undefined ? error : binding.explain(error)
  }
}

// What no text inside a scope may change.
function boundBy(settings: readonly string[]): string[] {
  return ['role', 'session_authorization', ...settings.map((each) => each.toLowerCase())]
}

async function commit({ frame, held }: PostgresTransaction, reader: SettingsReader): Promise<Settings> {
  const results = await asStatement(() => frame.ask(checking(held, IS_MARKED), 'COMMIT', `SELECT ${reader.column}`))
  if (results.some(({ command }) => command === 'ROLLBACK')) throw new Error(SWALLOWED)
  return reader.settingsOf(lastRow(results))
}

const SWALLOWED = 'nothing was stored: the work went on after a failed statement'
const NOT_HELD =
  'nothing was stored: the work ended its transaction, or changed the role or organization that it was bound to'
const LASTING =
  'nothing was stored: the work changed a setting for longer than its transaction, or left something temporary (SET LOCAL and ON COMMIT DROP do not)'

function explained(error: unknown): unknown {
  return isNotHeld(error) ? new Error(NOT_HELD, { cause: error }) : explainSwallowed(error)
}

// Says of in_failed_sql_transaction what it means: most often it was the last check that met it.
function explainSwallowed(error: unknown): unknown {
  const code = (error as { code?: unknown } | null)?.code
  return code === '25P02' ? new Error(SWALLOWED, { cause: error }) : error
}

function unclean(frame: Frame, before: Settings, after: Settings): Error | undefined {
  const { touched, lost } = frame.connection
  if (lost !== undefined) return lost
  const isClean = isSameState(before, after) && [...touched].every((name) => before.has(name))
  return isClean ? undefined : new Error('the work changed settings of its connection: it is not given back')
}

async function putBack(frame: Frame, before: Settings): Promise<void> {
  const touched = [...frame.connection.touched]
  if (!touched.every((name) => before.has(name))) throw new Error(LASTING)
  for (const name of touched) {
    await frame.ask(`SELECT set_config('${name}', ${literal(before.get(name) ?? '')}, false)`)
  }
}

interface Connected {
  readonly client: PgClient
  readonly loss: Loss
}

// By callback where the pool takes one: a connection may end in the breath in which it comes, before a promise of it has told
// anybody.
async function connect(pool: PgPool): Promise<Connected> {
  const connected = await asStatement(
    () =>
      new Promise<Connected | null>((resolve, reject) => {
        let loss: Loss | undefined
        const take = (client: PgClient | undefined): void => {
          if (typeof client?.release === 'function') {
            loss ??= watch(client)
            resolve({ client, loss })
          } else resolve(null)
        }
        if (pool.connect.length === 0) {
          pool.connect().then(take, reject)
          return
        }
        const given = pool.connect((error, client) => (error ? reject(error) : take(client))) as
          | Promise<PgClient | undefined>
          | undefined
        // Of another parameter than a callback.
        if (isPending(given)) given.then((client) => client !== undefined && take(client), reject)
      }),
  )
  if (connected !== null) return connected
  throw optionsError('createPostgresStorage', 'pool', 'must be a pool: its connections have no release()')
}

// Ask, and throw as a statement of the storage does.
async function asStatement<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw toStorageError(error, 'statement')
  }
}

interface Loss {
  error(): Error | undefined
  stop(): void
}

// An error of a connection in use that nobody listens to would end the process.
function watch(client: PgClient): Loss {
  let lost: Error | undefined
  const note = (error: Error): void => {
    lost = error
  }
  client.on?.('error', note)
  return { error: () => lost, stop: () => void client.removeListener?.('error', note) }
}

// Why the connection can't be given back, if it can't: it no longer answers, or is not what it was. What was set in a
// transaction is undone with it.
async function rollBack(
  frame: Frame | undefined,
  reader: SettingsReader,
  before: Settings | undefined,
): Promise<{ readonly failed?: Error; readonly dirty?: Error | undefined }> {
  try {
    if (frame === undefined) throw new Error('the pool gave out a connection that has a scope')
    frame.connection.touched.clear()
    const after = reader.settingsOf(lastRow(await frame.ask('ROLLBACK', `SELECT ${reader.column}`)))
    // Without a first state nothing was asked on it.
    return { dirty: unclean(frame, before ?? after, after) }
  } catch (error) {
    return { failed: error instanceof Error ? error : new Error('the rollback failed', { cause: error }) }
  }
}

// What a connection has to be given back with.
const STATE: readonly string[] = [
  ...['role', 'session_authorization', 'search_path', 'row_security', 'session_replication_role'],
  ...['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'],
  ...['default_transaction_isolation', 'default_transaction_read_only'],
  ...['timezone', 'datestyle', 'intervalstyle', 'client_encoding', 'standard_conforming_strings', 'bytea_output'],
]

const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED'
// Set with BEGIN, and gone with the transaction.
const MARK = 'sallyport.transaction'
const MARKED = `SET LOCAL ${MARK} = 'open'`
const IS_MARKED: Settings = new Map([[MARK, 'open']])
// A setting nobody has: to ask for it fails.
const CHECK_FAILED = 'sallyport.transaction_is_not_held'

// A query that fails where one of these is no longer bound.
function checking(...held: readonly Settings[]): string {
  const bound = held.flatMap((each) => [...each].map(([name, value]) => `${current(name)} = ${literal(value)}`))
  return `SELECT CASE WHEN ${bound.join(' AND ') || 'true'} THEN '' ELSE current_setting('${CHECK_FAILED}') END`
}

function isNotHeld(error: unknown): boolean {
  return String((error as Error | null)?.message).includes(CHECK_FAILED)
}

/** The values of settings by their names, in lower case. */
export type Settings = ReadonlyMap<string, string>

interface SettingsReader {
  /** What a SELECT asks for: one column, because a driver reads each by itself. */
  readonly column: string
  /** Read what it answered. */
  settingsOf(row: SqlRow): Settings
}

// Reads settings by their names, which stand in its text as they are.
function readerOf(names: readonly string[]): SettingsReader {
  return {
    column: `json_build_array(${names.map(current).join(', ')})::text AS state`,
    settingsOf(row) {
      const values = JSON.parse(String(row['state'])) as readonly unknown[]
      // What nobody has set yet is as what is empty.
      return new Map(names.map((name, index) => [name, String(values[index] ?? '')]))
    },
  }
}

function lastRow(results: readonly PgResult[]): SqlRow {
  return (results.at(-1)?.rows?.[0] ?? {}) as SqlRow
}

/** Columns of a SELECT that set each until the transaction ends; the names stand in it as they are. */
export function settingCalls(settings: Settings): string {
  return [...settings].map(([name, value]) => `set_config('${name}', ${literal(value)}, true)`).join(', ')
}

function isSameState(one: Settings, other: Settings): boolean {
  return [...one].every(([name, value]) => other.get(name) === value)
}

function current(name: string): string {
  return `current_setting('${name}', true)`
}

const PLAIN = /^[A-Za-z0-9 :._-]*$/

/** A text as a literal, whatever it is, and however the connection reads strings just now. */
export function literal(value: string): string {
  if (PLAIN.test(value)) return `'${value}'`
  const hex = Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `convert_from(decode('${hex}', 'hex'), 'UTF8')`
}
