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
  abort(): void
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

/**
 * Create a flight. Workers end what an invocation began together with it, without a word: a request that is overdue is
 * given up, by those who wait for it and by whoever comes next.
 */
export function createFlight<T>({ time, timeoutSeconds, work, land }: FlightOptions<T>): Flight {
  const limit = timeoutSeconds * 1000
  let running: Running | null = null

  async function fly(controller: AbortController, startedAt: number): Promise<string | null> {
    // The controller must be the running one before anything can end.
    await null
    const given = await withDeadline(controller, limit, () => null, work).catch(() => null)
    if (running?.controller !== controller) return null
    running = null
    return land(given, startedAt)
  }

  function current(): Running {
    if (running === null || time() - running.startedAt > limit + 1000) {
      const controller = new AbortController()
      const startedAt = time()
      running = { controller, startedAt, landed: fly(controller, startedAt) }
    }
    return running
  }

  return {
    isRunning: () => running !== null,
    async join() {
      const mine = current()
      const wait = (): Promise<string | null> => mine.landed
      return await withDeadline(new AbortController(), limit + 500, () => null, wait).catch(() => {
        if (running !== mine) return null
        running = null
        return land(null, mine.startedAt)
      })
    },
    begin: () => void current(),
    abort() {
      const ended = running
      running = null
      ended?.controller.abort(null)
    },
  }
}
