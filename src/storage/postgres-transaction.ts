/**
 * A transaction on PostgreSQL whose work has a guarded handle: it begins and ends here and nowhere else, and its connection
 * goes back as it came or not at all. BEGIN and COMMIT are one round trip each, with what is asked beside them.
 */
import { optionsError } from '../lib/parse-options.ts'
import { type Frame, type FrameOptions, openFrame, UNFINISHED } from './guarded-handle.ts'
import type { PgClient, PgliteDatabase, PgliteQueryable, PgPool, PgResult, SqlRow } from './sql-executor.ts'
import { isReadOnly, isUnanswered, toStorageError } from './storage-errors.ts'
import { withinHold } from './turns.ts'

/** A transaction, from its BEGIN to the end of its work. */
export interface PostgresTransaction {
  readonly frame: Frame
  /** The connection's state when it began. */
  readonly before: Settings
  /** What has to be bound still when it ends, by the settings' names; else nothing is stored. */
  hold(settings: Settings): void
}

/** Run `work` in a transaction. */
export type Begin = <T>(work: (transaction: PostgresTransaction) => Promise<T>) => Promise<T>

/** How a transaction is begun. */
export interface BeginOptions {
  /** What it is, for sentences. */
  readonly what: 'scope' | 'transaction'
  /** Names of the settings that a scope binds. */
  readonly settings: readonly string[]
}

/** Ask whether it is a pool; else it is PGlite, which begins a transaction by itself. */
export function isPostgresPool(pool: PgPool | PgliteDatabase): pool is PgPool {
  return typeof (pool as Partial<PgPool>).connect === 'function'
}

/** Begin transactions on a pool, or in PGlite. */
export function beginOn(pool: PgPool | PgliteDatabase, options: BeginOptions): Begin {
  return isPostgresPool(pool) ? beginOnPool(pool, options) : beginInDatabase(pool, options)
}

function beginOnPool(pool: PgPool, options: BeginOptions): Begin {
  return async (work) => {
    const client = await connect(pool)
    const loss = watch(client)
    const state = createSessionState(options.settings)
    let frame: Frame | undefined
    let before: Settings | undefined
    let broken: Error | undefined
    try {
      frame = openFrame(client, frameOf(options))
      before = state.settingsOf(await control(frame, `BEGIN ISOLATION LEVEL READ COMMITTED; ${state.begin}`))
      const { result, held } = await run(frame, before, work)
      broken = unclean(frame, before, await commit(frame, state, held))
      return result
    } catch (error) {
      const gone = loss.error() ?? (isUnanswered(error) || isReadOnly(error) ? error : undefined)
      const { failed, dirty } = gone === undefined ? await rollBack(frame, state, before) : { failed: gone }
      broken = failed ?? dirty ?? (isOutOfHand(error, state) ? (error as Error) : undefined)
      throw toStorageError(explained(error, state), failed === undefined ? 'work' : 'statement')
    } finally {
      loss.stop()
      frame?.end()
      client.release(broken)
    }
  }
}

/** What no text inside a scope may change. */
export function boundBy(settings: readonly string[]): string[] {
  return ['role', 'session_authorization', ...settings.map((each) => each.toLowerCase())]
}

function frameOf({ what, settings }: BeginOptions): FrameOptions {
  return { what, bound: what === 'scope' ? boundBy(settings) : [], isOurs: true }
}

// Nobody knows what else was asked on such a connection, or is still on its way.
function isOutOfHand(error: unknown, state: SessionState): boolean {
  return state.isNotHeld(error) || (error as Error | null)?.message === UNFINISHED
}

// PGlite begins, commits and rolls back by itself, on the one connection it has: what can't be put back is not stored.
function beginInDatabase(database: PgliteDatabase, options: BeginOptions): Begin {
  return async (work) => {
    const state = createSessionState(options.settings)
    try {
      return await database.transaction(async (handle: PgliteQueryable) => {
        const frame = openFrame(handle, frameOf(options))
        try {
          const before = state.settingsOf(await frame.ask(state.begin))
          // Whoever hangs would hold everybody: there is one connection.
          const { result, held } = await withinHold('PGlite', () => run(frame, before, work))
          await frame.ask(state.check(held))
          await putBack(frame, before)
          return result
        } finally {
          frame.end()
        }
      })
    } catch (error) {
      throw toStorageError(explained(error, state), 'work')
    }
  }
}

async function run<T>(
  frame: Frame,
  before: Settings,
  work: (transaction: PostgresTransaction) => Promise<T>,
): Promise<{ readonly result: T; readonly held: Settings }> {
  let held: Settings = new Map()
  const hold = (settings: Settings): void => {
    held = settings
  }
  const result = await frame.run(() => work({ frame, before, hold }))
  return { result, held }
}

async function commit(frame: Frame, state: SessionState, held: Settings): Promise<Settings> {
  const results = await control(frame, `${state.check(held)}; COMMIT; SELECT ${state.columns}`)
  const list = Array.isArray(results) ? (results as PgResult[]) : [results]
  if (list.some(({ command }) => command === 'ROLLBACK')) throw new Error(SWALLOWED)
  return state.settingsOf(list)
}

const SWALLOWED = 'nothing was stored: the work went on after a failed statement'

/** Thrown at work that does not leave its transaction, role and organization as they were bound. */
export const NOT_HELD =
  'nothing was stored: the work ended its transaction, or changed the role or organization that it was bound to'

/** Thrown at work that changes a setting where nobody could put it back. */
export const LASTING =
  'nothing was stored: the work changed a setting for longer than its transaction (SET LOCAL does not)'

function explained(error: unknown, state: SessionState): unknown {
  return state.isNotHeld(error) ? new Error(NOT_HELD, { cause: error }) : explainSwallowed(error)
}

/** Say of in_failed_sql_transaction what it means: most often it was the last check that met it. */
export function explainSwallowed(error: unknown): unknown {
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
    await frame.ask('SELECT set_config($1, $2, false)', [name, before.get(name)])
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
  throw optionsError('createPostgresStorage', 'pool', 'must be a pool: its connections have no release()')
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

async function control(frame: Frame, text: string): Promise<PgResult> {
  try {
    return await frame.ask(text)
  } catch (error) {
    throw toStorageError(error, 'statement')
  }
}

// Why the connection can't be given back, if it can't: it no longer answers, or is not what it was. What was set in a
// transaction is undone with it.
async function rollBack(
  frame: Frame | undefined,
  state: SessionState,
  before: Settings | undefined,
): Promise<{ readonly failed?: Error; readonly dirty?: Error | undefined }> {
  try {
    if (frame === undefined) throw new Error('the pool gave out a connection that has a scope')
    frame.connection.touched.clear()
    const after = state.settingsOf(await frame.ask(`ROLLBACK; SELECT ${state.columns}`))
    // Without a first state nothing was asked on it.
    return { dirty: unclean(frame, before ?? after, after) }
  } catch (error) {
    return { failed: error instanceof Error ? error : new Error('the rollback failed', { cause: error }) }
  }
}

const STATE: readonly string[] = [
  'role',
  'session_authorization',
  'search_path',
  'row_security',
  'session_replication_role',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'default_transaction_isolation',
  'default_transaction_read_only',
  'timezone',
  'datestyle',
  'intervalstyle',
  'client_encoding',
  'standard_conforming_strings',
  'bytea_output',
]

// Set with BEGIN, and gone with the transaction.
const MARK = 'sallyport.transaction'
// A setting nobody has: to ask for it fails.
const CHECK_FAILED = 'sallyport.transaction_is_not_held'

/** The values of settings by their names, in lower case. */
export type Settings = ReadonlyMap<string, string>

/** The texts of a transaction. */
interface SessionState extends SettingsReader {
  /** Mark the transaction, and read the state; a query of its own or one with BEGIN. */
  readonly begin: string
  /** A query that fails where it is no longer this transaction, or one of `held` no longer bound. */
  check(held: Settings): string
  /** Whether it was {@link check} that failed. */
  isNotHeld(error: unknown): boolean
}

// `settings` are the scope's own names, such as `app.org_id`.
function createSessionState(settings: readonly string[]): SessionState {
  const reader = readerOf([...STATE, ...settings.map((each) => each.toLowerCase())])
  return {
    ...reader,
    begin: `SELECT set_config('${MARK}', 'open', true), ${reader.columns}`,
    check(held) {
      const bound = [...held].map(([name, value]) => ` AND ${current(name)} = ${literal(value)}`).join('')
      return `SELECT CASE WHEN ${current(MARK)} = 'open'${bound} THEN '' ELSE current_setting('${CHECK_FAILED}') END`
    },
    isNotHeld: (error) => String((error as Error | null)?.message).includes(CHECK_FAILED),
  }
}

/** Reads settings. */
export interface SettingsReader {
  /** What a SELECT asks for. */
  readonly columns: string
  /** Read what it answered, in the last of several results. */
  settingsOf(results: PgResult | readonly PgResult[]): Settings
}

/** Make a reader of settings by their names, which stand in its text as they are. */
export function readerOf(names: readonly string[]): SettingsReader {
  return {
    columns: names.map((name, index) => `${current(name)} AS s${index}`).join(', '),
    settingsOf(results) {
      const row = (Array.isArray(results) ? results : [results]).at(-1)?.rows?.[0] as SqlRow | undefined
      return new Map(names.map((name, index) => [name, String(row?.[`s${index}`])]))
    },
  }
}

/** Ask whether two states are the same. */
export function isSameState(one: Settings, other: Settings): boolean {
  return [...one].every(([name, value]) => other.get(name) === value)
}

function current(name: string): string {
  return `coalesce(current_setting('${name}', true), '')`
}

// Whatever the value, and however the connection reads strings just now.
function literal(value: string): string {
  const hex = Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `convert_from(decode('${hex}', 'hex'), 'UTF8')`
}
