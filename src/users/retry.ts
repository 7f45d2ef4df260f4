/** Try a transaction again after a failure of the moment, for a bounded time; cut off one that hangs; then say so. */
import { AuthError } from '../errors.ts'
import { pause, restMilliseconds, startPatience } from '../lib/time.ts'
import { isConflictError, isTransientError } from '../storage/storage-errors.ts'

const RETRIES = 5
// 5 to 50 ms.
const REST = { firstMs: 50, mostMs: 50, spread: 0.9 }
const DEADLINE_MS = 5000
const WORK_MS = 5000
// For its turn at a busy database: the pool's own limit ends most waits before.
const WAIT_MS = 120_000

/** What an attempt is watched by, so that waiting for a connection is not taken for hanging. */
export interface AttemptWatch {
  /**
   * Run work that has 5 seconds: a decision, or what is written in an open transaction. Rejects when they are over, whatever
   * the work does then, and where it comes too late.
   */
  inTime<T>(work: () => Promise<T>): Promise<T>
  /** From here on it waits for a connection, which may take 2 minutes. */
  wait(): void
}

/** What is thrown where no attempt succeeds: `temporarily_unavailable`, each by a reason of its own. */
export interface RetryRefusals {
  /** All of them failed, the last one of this. */
  busy(cause: unknown): AuthError
  /** One did not end. */
  cutOff(): AuthError
}

/**
 * Run `attempt`; after a transient failure or a unique violation run it again, at most 5 times, 5–50 ms apart, within
 * 5 seconds of the first failure (where no work began, of that attempt's start). Any other throw passes through untouched.
 *
 * An attempt that hangs is cut off: its work 5 seconds after it began, inside its transaction, which is undone and free
 * for others; the whole 2 minutes after it was asked for. A COMMIT that was on its way by then may still succeed.
 *
 * @throws AuthError where all of them failed, or one did not end: what `refusals` makes, by default those of first logins
 */
export async function retryTransient<T>(
  attempt: (watch: AttemptWatch) => Promise<T>,
  clock: () => number,
  refusals: RetryRefusals = OF_FIRST_LOGINS,
): Promise<T> {
  let deadline: number | undefined
  for (let retries = 0; ; retries++) {
    const started = clock()
    const watch = startWatch(refusals.cutOff)
    try {
      return await Promise.race([watch.late, attempt(watch)])
    } catch (error) {
      if (!isTransientError(error) && !isConflictError(error)) throw error
      deadline ??= (watch.hasBegun() ? clock() : started) + DEADLINE_MS
      const wait = restMilliseconds(1, REST)
      if (retries === RETRIES || clock() + wait >= deadline) throw refusals.busy(error)
      await pause(wait)
    } finally {
      watch.stop()
    }
  }
}

const OF_FIRST_LOGINS: RetryRefusals = {
  busy: (cause) => new AuthError('temporarily_unavailable', { reason: 'provisioning_not_committed', cause }),
  cutOff() {
    const cause = new Error('the first login took too long: decide, bootstrap or the storage did not answer')
    return new AuthError('temporarily_unavailable', { reason: 'provisioning_cut_off', cause })
  },
}

function startWatch(cutOff: RetryRefusals['cutOff']) {
  const controller = new AbortController()
  const { signal } = controller
  // Rejects when the time is up; nobody may be waiting any more.
  const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  late.catch(() => undefined)
  let hasBegun = false
  let stop = (): void => undefined
  const restart = (milliseconds: number): void => {
    stop()
    stop = startPatience(milliseconds, () => controller.abort(cutOff()))
  }
  restart(WAIT_MS)
  return {
    late,
    inTime<T>(work: () => Promise<T>): Promise<T> {
      signal.throwIfAborted()
      hasBegun = true
      restart(WORK_MS)
      return Promise.race([late, work()])
    },
    wait(): void {
      hasBegun = false
      restart(WAIT_MS)
    },
    hasBegun: (): boolean => hasBegun,
    stop: (): void => stop(),
  }
}
