/**
 * Try a transaction again after a failure of the moment (P4), for a bounded time, and cut off one that hangs (R3); then
 * say so.
 */
import { AuthError } from '../errors.ts'
import { startTimer } from '../lib/timer.ts'
import { isConflictError, isTransientError } from '../storage/storage-errors.ts'

const RETRIES = 5
const DEADLINE_MS = 5000
const WORK_MS = 5000
// For its turn at a busy database: the pool's own limit ends most waits before.
const WAIT_MS = 120_000

/** What an attempt tells of its transaction, so that waiting for a connection is not taken for hanging. */
export interface AttemptWatch {
  /** The transaction is open and its work begins: from now on it has 5 seconds. Throws where it comes too late. */
  begin(): void
  /** The work is done and would be committed: throws where the caller has been answered already. */
  requireInTime(): void
}

/**
 * Run `attempt`; after a transient failure or a unique violation run it again, at most 5 times, 5–50 ms apart, within
 * 5 seconds of the first failure (where no work began, of that attempt's start). Any other throw passes through untouched.
 *
 * An attempt that hangs is cut off for the caller 5 seconds after its work began, or 2 minutes after it was asked for. It
 * can't be stopped: it fails before its COMMIT by the watch it was handed, and nobody is told. A COMMIT that was on its way
 * by then may still succeed.
 *
 * @throws AuthError `temporarily_unavailable` where all of them failed, or one did not end
 */
export async function retryTransient<T>(attempt: (watch: AttemptWatch) => Promise<T>, clock: () => number): Promise<T> {
  let deadline: number | undefined
  for (let retries = 0; ; retries++) {
    const started = clock()
    const watched = startWatch()
    try {
      return await Promise.race([watched.late, attempt(watched.watch)])
    } catch (error) {
      if (!isTransientError(error) && !isConflictError(error)) throw error
      deadline ??= (watched.hasBegun() ? clock() : started) + DEADLINE_MS
      const wait = jitter()
      if (retries === RETRIES || clock() + wait >= deadline) throw busy(error)
      await pause(wait)
    } finally {
      watched.stop()
    }
  }
}

function busy(cause: unknown): AuthError {
  return new AuthError('temporarily_unavailable', { reason: 'provisioning_not_committed', retryAfterSeconds: 1, cause })
}

function cutOff(): AuthError {
  return new AuthError('temporarily_unavailable', { reason: 'provisioning_cut_off', retryAfterSeconds: 1 })
}

interface Watched {
  readonly watch: AttemptWatch
  /** Rejects when the time is up. */
  readonly late: Promise<never>
  hasBegun(): boolean
  stop(): void
}

function startWatch(): Watched {
  let isLate = false
  let hasBegun = false
  let tell: (refusal: AuthError) => void = () => undefined
  const late = new Promise<never>((_, reject) => {
    tell = reject
  })
  const end = (): void => {
    isLate = true
    tell(cutOff())
  }
  let stop = startPatience(WAIT_MS, end)
  const requireInTime = (): void => {
    if (isLate) throw cutOff()
  }
  const begin = (): void => {
    requireInTime()
    hasBegun = true
    stop()
    stop = startPatience(WORK_MS, end)
  }
  return { watch: { begin, requireInTime }, late, hasBegun: () => hasBegun, stop: () => stop() }
}

const STEPS = 10

// Counted in steps: a process that a busy machine did not let run has not waited all that time, and its answer may be here.
function startPatience(milliseconds: number, end: () => void, steps: number = STEPS): () => void {
  let stop = startTimer(() => {
    if (steps === 1) end()
    else stop = startPatience(milliseconds, end, steps - 1)
  }, milliseconds / STEPS)
  return () => stop()
}

function jitter(): number {
  const [byte = 0] = crypto.getRandomValues(new Uint8Array(1))
  return 5 + (byte * 45) / 255
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
