/**
 * The throttle's counters in the SQL storages. An update reads, decides, and writes on condition that nobody has written
 * meanwhile; who loses decides again, in this process one after another. No connection is held and no row locked while
 * somebody waits, and a try that is refused costs one look-up.
 */
import type { ThrottleState, ThrottleStore } from './account-repositories.ts'
import type { SqlAccountStatements } from './sql-account-statements.ts'
import type { SqlSession } from './sql-executor.ts'
import { isText } from './sql-text.ts'
import { TransientError } from './storage-errors.ts'
import { createTurns, type Turns } from './turns.ts'

const LONGEST_KEY = 100
// Each time one of so many processes wins: to lose this often in a row is no chance any more.
const ATTEMPTS = 100

/** How many keys are kept, and how often what is old is looked for: by new keys, so that more goes than comes. */
export interface ThrottleUpkeep {
  readonly mostKeys: number
  readonly sweepEvery: number
  readonly trimEvery: number
  /** Keys that go at once, at most. */
  readonly atOnce: number
}

const UPKEEP: ThrottleUpkeep = { mostKeys: 1_000_000, sweepEvery: 100, trimEvery: 1000, atOnce: 2000 }

/** Build the throttle's store over a session of the database. */
export function sqlThrottle(
  session: SqlSession,
  statements: SqlAccountStatements,
  upkeep: ThrottleUpkeep = UPKEEP,
): ThrottleStore {
  const inTurn = createKeyedTurns()
  const write = writer(session, statements, upkeep)
  const attempt: Attempt = async (key, now, decide) => {
    const [row] = await session.run(statements.readThrottle, [key])
    const stored = row === undefined ? null : String(row['state'])
    const state = toState(stored, now)
    const decided = decide(state)
    if (decided.state === state) return decided
    return (await write({ key, now, stored, state: decided.state })) ? decided : null
  }
  return {
    async update(key, now, decide) {
      if (!isText(key, LONGEST_KEY)) throw new TypeError(`a key is a text of at most ${LONGEST_KEY} characters`)
      const first = await attempt(key, now, decide)
      if (first !== null) return first.result
      return inTurn(key, async () => {
        for (let count = 1; count < ATTEMPTS; count++) {
          const done = await attempt(key, now, decide)
          if (done !== null) return done.result
        }
        throw new TransientError('the throttle was written by others again and again')
      })
    },
  }
}

interface Decided<T> {
  readonly state: ThrottleState | null
  readonly result: T
}

/** One attempt: `null` where somebody else has written meanwhile. */
type Attempt = <T>(
  key: string,
  now: Date,
  decide: (state: ThrottleState | null) => Decided<T>,
) => Promise<Decided<T> | null>

interface Write {
  readonly key: string
  readonly now: Date
  /** What was read. */
  readonly stored: string | null
  readonly state: ThrottleState | null
}

function writer(session: SqlSession, statements: SqlAccountStatements, upkeep: ThrottleUpkeep) {
  const { mostKeys, sweepEvery, trimEvery, atOnce } = upkeep
  let newKeys = 0
  return async ({ key, now, stored, state }: Write): Promise<boolean> => {
    if (state === null) return stored === null || did(session.run(statements.deleteThrottle, [key, stored]))
    const values = [key, toText(state), state.expiresAt, now.getTime()]
    if (stored !== null) return did(session.run(statements.replaceThrottle, [...values, stored]))
    const count = newKeys++
    if (count % sweepEvery === 0) await session.run(statements.sweepThrottle, [now.getTime(), atOnce])
    if (count % trimEvery === 0) await session.run(statements.trimThrottle, [mostKeys, atOnce])
    return did(session.run(statements.insertThrottle, values))
  }
}

async function did(writing: Promise<readonly unknown[]>): Promise<boolean> {
  return (await writing).length > 0
}

function toState(stored: string | null, now: Date): ThrottleState | null {
  const state = stored === null ? null : (JSON.parse(stored) as ThrottleState)
  return state !== null && state.expiresAt > now.getTime() ? state : null
}

function toText({ failures, closedUntil, recent, pending, expiresAt }: ThrottleState): string {
  return JSON.stringify({ failures, closedUntil, recent, pending, expiresAt })
}

// Turns at each key by itself, forgotten when nobody holds or awaits one.
function createKeyedTurns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const queues = new Map<string, { readonly turns: Turns; waiting: number }>()
  return async (key, work) => {
    const queue = queues.get(key) ?? { turns: createTurns('a key of the throttle'), waiting: 0 }
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
