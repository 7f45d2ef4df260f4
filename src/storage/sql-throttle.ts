/**
 * The throttle's counters in the SQL storages. An update reads, decides, and writes on condition that nobody has written
 * meanwhile; who loses decides again, in this process one after another. No connection is held and no row locked while
 * somebody waits or decides; a try that is refused costs one look-up, one that is counted one more commit. However many
 * try at once, a few of them are at the database.
 */
import type { ThrottleDecision, ThrottleState, ThrottleStore } from './account-repositories.ts'
import type { SqlSession } from './sql-executor.ts'
import { hasRows, isText, toTextOrNull } from './sql-rows.ts'
import { type SqlPlace, type SqlTables, sweepText, toStatements } from './sql-statements.ts'
import { TransientError } from './storage-errors.ts'
import { createTurns, type Turns } from './turns.ts'

const LONGEST_KEY = 100
const MOST_KEYS = 3
// Each time one of so many processes wins: to lose this often in a row is no chance any more.
const ATTEMPTS = 100
// Of a flood of logins: the rest of the pool, or of the turns at a SQLite handle, is for who has a session.
const ATTEMPTS_AT_ONCE = 3
// No longer than who waits for a hash.
const WAIT_SECONDS = 15

// What holds a turn here is the storage alone.
const toTransient = (sentence: string): Error => new TransientError(sentence)

// How many keys are kept, how often (by new keys, so that more goes than comes) what is old is looked for, how many go at once.
const UPKEEP = { mostKeys: 1_000_000, sweepEvery: 100, trimEvery: 1000, atOnce: 2000 }

/** Build the throttle's store over a session of the database, by the database's clock. */
export function sqlThrottle({ session, ...tables }: SqlPlace, upkeep: typeof UPKEEP = UPKEEP): ThrottleStore {
  const statements = createStatements(tables)
  const write = writer(session, statements, upkeep)
  const inTurn = createKeyedTurns()
  const inSmallNumber = createTurns('the throttle', {
    ...{ atOnce: ATTEMPTS_AT_ONCE, waitSeconds: WAIT_SECONDS, toError: toTransient },
  })
  // `lost` is the key that somebody else has written meanwhile: then nothing was written.
  const attempt = <T>(keys: readonly string[], decide: Decide<T>) =>
    inSmallNumber(async () => {
      const values = Array.from({ length: MOST_KEYS }, (_, index) => keys[index] ?? null)
      const [row = {}] = await session.run(statements.readThrottle, values)
      const now = Number(row['now'])
      const stored = keys.map((_, index) => toTextOrNull(row[`state${index}`]))
      const states = stored.map((text) => toState(text, now))
      const { states: decided, result } = decide(states, now)
      const changes = keys.flatMap((key, index) => {
        const [before = null, state = null] = [stored[index], decided[index]]
        return state === states[index] ? [] : [{ key, stored: before, state }]
      })
      return { result, lost: await write(changes, now) }
    })
  return {
    async update(keys, _, decide) {
      requireKeys(keys)
      let { result, lost } = await attempt(keys, decide)
      for (let count = 1; lost !== null; count++) {
        if (count === ATTEMPTS) throw new TransientError('the throttle was written by others again and again')
        ;({ result, lost } = await inTurn(lost, () => attempt(keys, decide)))
      }
      return result
    },
  }
}

type Decide<T> = (states: readonly (ThrottleState | null)[], now: number) => ThrottleDecision<T>

function requireKeys(keys: readonly string[]): void {
  const areKeys = keys.length >= 1 && keys.length <= MOST_KEYS && keys.every((key) => isText(key, LONGEST_KEY))
  if (areKeys && new Set(keys).size === keys.length) return
  throw new TypeError(`one to ${MOST_KEYS} different keys, each a text of at most ${LONGEST_KEY} characters`)
}

interface Change {
  readonly key: string
  /** What was read. */
  readonly stored: string | null
  readonly state: ThrottleState | null
}

// Writes all changes or none; hands on the key that stood in the way.
function writer(session: SqlSession, statements: ThrottleStatements, upkeep: typeof UPKEEP) {
  const { mostKeys, sweepEvery, trimEvery, atOnce } = upkeep
  let newKeys = 0
  const sweep = async (now: number): Promise<void> => {
    const count = newKeys++
    if (count % sweepEvery === 0) await session.run(statements.sweepThrottle, [now, atOnce])
    if (count % trimEvery === 0) await session.run(statements.trimThrottle, [mostKeys, atOnce])
  }
  const writeOne = (inside: SqlSession, { key, stored, state }: Change, now: number): Promise<boolean> => {
    if (state === null) return hasRows(inside, statements.deleteThrottle, [key, stored])
    const values = [key, toText(state), state.expiresAt, now]
    if (stored === null) return hasRows(inside, statements.insertThrottle, values)
    return hasRows(inside, statements.replaceThrottle, [...values, stored])
  }
  return async (changes: readonly Change[], now: number): Promise<string | null> => {
    // Before the transaction: what is deleted here stands in no order.
    for (const { stored } of changes) if (stored === null) await sweep(now)
    // In one order, so that two who write the same keys never wait for each other.
    const ordered = changes.toSorted((a, b) => (a.key < b.key ? -1 : 1))
    let lost: string | null = null
    const writeAll = async (inside: SqlSession): Promise<void> => {
      for (const change of ordered) {
        if (await writeOne(inside, change, now)) continue
        lost = change.key
        throw UNDONE
      }
    }
    try {
      await (changes.length > 1 ? session.atomically(writeAll) : writeAll(session))
    } catch (error) {
      if (error !== UNDONE) throw error
    }
    return lost
  }
}

// Takes the transaction back; never leaves this module.
const UNDONE = new Error('written by somebody else meanwhile')

function toState(stored: string | null, now: number): ThrottleState | null {
  const state = stored === null ? null : (JSON.parse(stored) as ThrottleState)
  return state !== null && state.expiresAt > now ? state : null
}

function toText({ failures, closedUntil, recent, pending, expiresAt }: ThrottleState): string {
  return JSON.stringify({ failures, closedUntil, recent, pending, expiresAt })
}

// Turns at each key by itself, forgotten when nobody holds or awaits one.
function createKeyedTurns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const queues = new Map<string, { readonly turns: Turns; waiting: number }>()
  return async (key, work) => {
    const turns = createTurns('a key of the throttle', { toError: toTransient })
    const queue = queues.get(key) ?? { turns, waiting: 0 }
    queues.set(key, queue)
    queue.waiting++
    try {
      return await queue.turns(work)
    } finally {
      queue.waiting--
      if (queue.waiting === 0) queues.delete(key)
    }
  }
}

type ThrottleStatements = ReturnType<typeof createStatements>

function createStatements({ dialect, names }: SqlTables) {
  const table = names.throttle
  const [expires, used] = [dialect.fromMilliseconds('$3'), dialect.fromMilliseconds('$4')]
  const stateOf = (key: string): string => `(SELECT state FROM ${table} WHERE key = ${key})`
  const asRead = 'WHERE key = $1 AND state = $5'
  // Of more than $1 keys those not used for longest.
  const newest = `SELECT used_at FROM ${table} ORDER BY used_at DESC LIMIT 1 OFFSET ${dialect.toInteger('$1')}`
  const oldest = `SELECT key FROM ${table} WHERE used_at <= (${newest})
    ORDER BY used_at LIMIT ${dialect.toInteger('$2')}${dialect.skipLocked}`
  const texts = {
    // One row, whatever is there: the clock, and up to three states.
    readThrottle: `SELECT ${dialect.now} AS now, ${stateOf('$1')} AS state0, ${stateOf('$2')} AS state1,
      ${stateOf('$3')} AS state2`,
    insertThrottle: `INSERT INTO ${table} (key, state, expires_at, used_at) VALUES ($1, $2, ${expires}, ${used})
      ON CONFLICT (key) DO NOTHING RETURNING key`,
    replaceThrottle: `UPDATE ${table} SET state = $2, expires_at = ${expires}, used_at = ${used}
      ${asRead} RETURNING key`,
    deleteThrottle: `DELETE FROM ${table} WHERE key = $1 AND state = $2 RETURNING key`,
    sweepThrottle: sweepText(dialect, table, 'key'),
    trimThrottle: `DELETE FROM ${table} WHERE key IN (${oldest}) RETURNING key`,
  }
  return toStatements(texts, ['readThrottle'])
}
