/** Turns at something that only one may hold, or so many: in order of arrival, not waited for without end, and not held without end. */
import { ownMembers } from '../lib/parse-options.ts'
import { createMonotonicClock, startPatience } from '../lib/time.ts'
import { TransientError } from './storage-errors.ts'

const WAIT_SECONDS = 5
// How long work may hold what others wait for.
const HOLD_MS = 30_000

/** Turns, taken by a call. */
export interface Turns {
  /**
   * Run `work` when it is its turn, at once where nobody is before it; the next turn comes when its promise has settled, or
   * when it was held for 30 seconds: then `undo` is called there and then, and what the work does from that moment on must
   * have no effect: `isHeld` says so.
   */
  <T>(work: (isHeld: () => boolean) => Promise<T>, undo?: () => void): Promise<T>
  /** Whether nobody holds one: what is begun and ended there and then needs none. */
  isFree(): boolean
}

/** How turns are given. */
export interface TurnsOptions {
  /** How many hold one at once. Default 1. */
  readonly atOnce?: number | undefined
  /** How long one waits, while the process runs. Default 5. */
  readonly waitSeconds?: number | undefined
  /** Makes what is thrown at work that held its turn too long. Default: an `Error`, which is the host's mistake. */
  readonly toError?: ((sentence: string) => Error) | undefined
  readonly clock?: (() => number) | undefined
}

/**
 * Make turns at `what` (a storage, for the sentences of the errors). Who waits too long gives up its turn with a
 * `TransientError`: most often a hook that waits for itself. Where timers end together with the request that set them,
 * whoever comes after a minute takes away a turn that is held too long.
 */
export function createTurns(what: string, options: TurnsOptions = {}): Turns {
  const {
    atOnce = 1,
    waitSeconds = WAIT_SECONDS,
    toError = (sentence) => new Error(sentence),
    clock = Date.now,
  } = ownMembers<TurnsOptions>(options)
  const time = createMonotonicClock(clock)
  const waiting = new Set<Turn>()
  const holding = new Set<Turn>()

  const begin = (turn: Turn): void => {
    turn.stop()
    holding.add(turn)
    turn.startedAt = time()
    turn.stop = startPatience(HOLD_MS, () => takeAway(turn))
    turn.begin()
  }
  const wait = (turn: Turn): void => {
    waiting.add(turn)
    turn.stop = startPatience(waitSeconds * 1000, () => {
      // Who gives up does not pass on a turn that somebody else still has.
      waiting.delete(turn)
      turn.lose(new TransientError(`${what} was busy for ${waitSeconds} seconds${ADVICE}`))
    })
  }
  const end = (turn: Turn): void => {
    turn.stop()
    if (!holding.delete(turn)) return
    const [next] = waiting
    if (next === undefined) return
    waiting.delete(next)
    begin(next)
  }
  const takeAway = (turn: Turn): void => {
    turn.undo()
    turn.lose(toError(`${what} ${HELD}`))
    end(turn)
  }

  const take = async <T>(work: (isHeld: () => boolean) => Promise<T>, undo = (): void => undefined): Promise<T> => {
    if (holding.size >= atOnce) {
      for (const other of [...holding]) if (time() - other.startedAt > 2 * HOLD_MS) takeAway(other)
    }
    const turn = createTurn(undo)
    const isHeld = (): boolean => holding.has(turn)
    try {
      // Before the work runs, because what it calls at once must already wait for it.
      if (holding.size < atOnce) begin(turn)
      else {
        wait(turn)
        await Promise.race([turn.begun, turn.lost])
      }
      return await Promise.race([turn.lost, isHeld() ? work(isHeld) : turn.lost])
    } finally {
      end(turn)
    }
  }
  return Object.assign(take, { isFree: () => holding.size === 0 })
}

const ADVICE = ': inside a transaction, use the repositories that it hands you'
const HELD = 'was held for 30 seconds by work that did not end: nothing of it is stored, and it can do nothing more'

interface Turn {
  readonly begun: Promise<void>
  readonly begin: () => void
  /** Rejects when it is taken away, or not waited for any more. */
  readonly lost: Promise<never>
  readonly lose: (error: Error) => void
  readonly undo: () => void
  startedAt: number
  /** Calls off what takes it away, or ends the waiting. */
  stop(): void
}

function createTurn(undo: () => void): Turn {
  let begin: () => void = () => undefined
  let lose: (error: Error) => void = () => undefined
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const lost = new Promise<never>((_, reject) => {
    lose = reject
  })
  // Nobody may be waiting any more.
  lost.catch(() => undefined)
  return { begun, begin, lost, lose, undo, startedAt: 0, stop: () => undefined }
}

/** What is said to whoever asks a transaction that has ended. */
export const ENDED = 'this transaction has ended: its repositories can no longer be used'

/** Run `work` with a check that throws once the work has settled, or no longer holds its turn. */
export async function whileOpen<T>(isHeld: () => boolean, work: (requireOpen: () => void) => Promise<T>): Promise<T> {
  let isOpen = true
  try {
    return await work(() => {
      if (!isOpen || !isHeld()) throw new Error(ENDED)
    })
  } finally {
    isOpen = false
  }
}
