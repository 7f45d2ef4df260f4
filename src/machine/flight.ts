/**
 * One request at a time, whoever wants it, and nobody waits for ever. Hands on what the request gave to all who asked
 * meanwhile.
 */
import { withDeadline } from '../lib/timer.ts'

/** What {@link createFlight} makes. */
export interface Flight {
  isRunning(): boolean
  /** Wait for the request that runs, or start one. Never rejects; `null` where it gave nothing. */
  join(): Promise<string | null>
  /** Start a request if none runs; wait for nothing. */
  begin(): void
  /** End the request under way, for good: no other one is begun. */
  end(): void
}

/** What a flight needs. */
export interface FlightOptions<T> {
  readonly time: () => number
  readonly timeoutSeconds: number
  /** Makes the request. */
  readonly work: (signal: AbortSignal) => Promise<T>
  /** What it gave, or `null` where it took too long, and when it began; not called for a request that was given up. */
  readonly land: (given: T | null, startedAt: number) => string | null
}

interface Running {
  readonly startedAt: number
  readonly controller: AbortController
  readonly landed: Promise<string | null>
}

const OVERDUE: unique symbol = Symbol('overdue')

/** Wait for work, but not longer than this. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | typeof OVERDUE> {
  return await withDeadline(
    new AbortController(),
    milliseconds,
    () => OVERDUE,
    () => work,
  ).catch(() => OVERDUE)
}

/**
 * Create a flight. Workers end what an invocation began together with it, without a word: a request that is overdue is
 * given up, by those who wait for it and by whoever comes next; it says nothing of the issuer, so another one is begun.
 */
export function createFlight<T>({ time, timeoutSeconds, work, land }: FlightOptions<T>): Flight {
  const limit = timeoutSeconds * 1000
  let running: Running | null = null
  let ended = false

  async function fly(controller: AbortController, startedAt: number): Promise<string | null> {
    // The controller must be the running one before anything can end.
    await null
    const given = await withDeadline(controller, limit, () => null, work).catch(() => null)
    if (running?.controller !== controller) return null
    running = null
    return land(given, startedAt)
  }

  function live(): Running | null {
    return running !== null && time() - running.startedAt <= limit + 1000 ? running : null
  }

  function start(): Running {
    const controller = new AbortController()
    const startedAt = time()
    running = { controller, startedAt, landed: fly(controller, startedAt) }
    return running
  }

  return {
    isRunning: () => live() !== null,
    async join() {
      for (let mine = live(); mine !== null; mine = live()) {
        const outcome = await within(limit + 500, mine.landed)
        if (outcome !== OVERDUE) return outcome
        if (running === mine) running = null
      }
      // What this very call begins ends with it at the latest.
      return ended ? null : await start().landed
    },
    begin() {
      if (live() === null && !ended) start()
    },
    end() {
      ended = true
      running?.controller.abort(null)
      running = null
    },
  }
}
