/**
 * Time: a clock that never runs backwards, timers that never keep a process alive, rests after failures, work that ends in
 * time, and attempts that several wait for, none of them for ever. Clocks are handed in as `() => number`, milliseconds
 * since 1970; timers are real time, and no injected clock moves them.
 */

/**
 * Create a clock that never runs backwards, over one that may: what ages (a cached key, a cool-down) must not become
 * young again, nor wait for hours, because the system's clock was set back. After such a jump it goes on from where it was.
 */
export function createMonotonicClock(clock: () => number): () => number {
  let last = Number.NEGATIVE_INFINITY
  let offset = 0
  return () => {
    const wall = clock()
    if (wall + offset < last) offset = last - wall
    last = wall + offset
    return last
  }
}

/** Milliseconds with their fractions, from no particular beginning on, never running backwards: for how long something takes. */
export function stopwatch(): number {
  return performance.now()
}

// What setTimeout can wait for; it fires at once for more.
const MAX_MS = 2 ** 31 - 1

/** Run `work` once, later, after 24 days at most. Returns a function that calls it off. */
export function startTimer(work: () => void, milliseconds: number): () => void {
  const timer: unknown = setTimeout(work, Math.min(MAX_MS, Math.max(0, milliseconds)))
  // Node and Bun return an object, Deno a number with a function of its own; in workers nothing outlives its request.
  if (typeof timer === 'number') (globalThis as { Deno?: { unrefTimer?(id: number): void } }).Deno?.unrefTimer?.(timer)
  else (timer as { unref?(): void }).unref?.()
  return () => clearTimeout(timer as number)
}

/** Wait some milliseconds. Unlike a timer it keeps the process alive: somebody is in the middle of work. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** A random number from 0 to 1. */
export function randomFraction(): number {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1))
  return number / 2 ** 32
}

/**
 * How long to rest after so many failures in a row: doubled with each up to `mostMs`, then shortened at random by up to
 * `spread` of itself, so that many processes don't ask in step.
 */
export function restMilliseconds(
  failures: number,
  { firstMs, mostMs, spread }: { readonly firstMs: number; readonly mostMs: number; readonly spread: number },
): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30)) * (1 - spread * randomFraction())
}

/**
 * Run `end` once the process has let others run for so long. Counted in steps: one that a busy machine did not let run has
 * not waited all that time, and its answer may be here. Returns a function that calls it off.
 */
export function startPatience(milliseconds: number, end: () => void, steps = 10): () => void {
  let stop = startTimer(() => {
    if (steps === 1) end()
    else stop = startPatience((milliseconds / steps) * (steps - 1), end, steps - 1)
  }, milliseconds / steps)
  return () => stop()
}

/**
 * Wait for `work` until it ends, the time is up or `controller` aborts, whichever comes first; also if `work` ignores its
 * signal. When the time is up, the controller is aborted with what `late` makes, which is thrown.
 */
export async function withDeadline<T>(
  controller: AbortController,
  milliseconds: number,
  late: () => unknown,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal } = controller
  signal.throwIfAborted()
  const stop = startTimer(() => controller.abort(late()), milliseconds)
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  try {
    return await Promise.race([work(signal), aborted])
  } finally {
    stop()
  }
}

/** What {@link within} hands back where the work did not end in time. */
export const OVERDUE: unique symbol = Symbol('overdue')

/** Wait for work, but not longer than this; the work goes on. Rejects only as the work does. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | typeof OVERDUE> {
  const late = (): unknown => OVERDUE
  return await withDeadline(new AbortController(), milliseconds, late, () => work).catch((error: unknown) => {
    if (error !== OVERDUE) throw error
    return OVERDUE
  })
}

/** What {@link createFlight} makes. */
export interface Flight<R> {
  isRunning(): boolean
  /** Wait for the attempt that runs, or start one. Never rejects; `null` where it gave nothing. */
  join(): Promise<R | null>
  /** Start an attempt if none runs; wait for nothing. */
  begin(): void
  /** End the attempt under way, for good: no other one is begun. */
  end(): void
}

interface FlightOptions<T, R> {
  /** Milliseconds, never running backwards. */
  readonly time: () => number
  /** How long an attempt may last. */
  readonly limitSeconds: number
  readonly work: (signal: AbortSignal) => Promise<T>
  /**
   * Makes something of what the attempt gave, `error` being what it threw (`null`: it took too long), and when it began;
   * not called for an attempt that was given up.
   */
  readonly settle: (outcome: { readonly given: T } | { readonly error: unknown }, startedAt: number) => R
  /** Whether one may be begun in the place of one that was given up. Default: always. */
  readonly mayReplace?: (() => boolean) | undefined
}

interface Running<R> {
  readonly startedAt: number
  readonly controller: AbortController
  readonly settled: Promise<R | null>
}

/**
 * Create a flight: one attempt at a time, whoever wants it. Workers end what an invocation began together with it, without
 * a word: an attempt that is overdue is given up, by those who wait for it and by whoever comes next; it says nothing of
 * who was asked, so another one is begun.
 */
export function createFlight<T, R>(options: FlightOptions<T, R>): Flight<R> {
  const { time, work, settle, mayReplace = () => true } = options
  const limit = options.limitSeconds * 1000
  let running: Running<R> | null = null
  let ended = false

  async function fly(controller: AbortController, startedAt: number): Promise<R | null> {
    // The controller must be the running one before anything can end.
    await null
    const outcome = await withDeadline(controller, limit, () => null, work).then(
      (given) => ({ given }),
      (error: unknown) => ({ error }),
    )
    if (running?.controller !== controller) return null
    running = null
    return settle(outcome, startedAt)
  }

  function live(): Running<R> | null {
    return running !== null && time() - running.startedAt <= limit + 1000 ? running : null
  }

  function start(): Running<R> {
    const controller = new AbortController()
    const startedAt = time()
    running = { controller, startedAt, settled: fly(controller, startedAt) }
    return running
  }

  return {
    isRunning: () => live() !== null,
    async join() {
      for (let mine = live(); mine !== null; mine = live()) {
        const outcome = await within(limit + 500, mine.settled)
        if (outcome !== OVERDUE) return outcome
        if (running !== mine) continue
        running = null
        if (!mayReplace()) return null
      }
      // What this very call begins ends with it at the latest.
      return ended ? null : await start().settled
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
