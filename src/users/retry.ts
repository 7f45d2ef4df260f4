/**
 * Try a transaction again after a failure of the moment (P4), for a bounded time, also where one never answers (R3); then
 * say so.
 */
import { AuthError } from '../errors.ts'
import { startTimer } from '../lib/timer.ts'
import { isConflictError, isTransientError } from '../storage/storage-errors.ts'

const RETRIES = 5
const DEADLINE_MS = 5000

/**
 * Run `attempt`; after a transient failure or a unique violation run it again, at most 5 times, 5–50 ms apart, within
 * 5 seconds. Any other throw passes through untouched.
 *
 * An attempt that hangs is cut off for the caller when the 5 seconds are over. It can't be stopped: what becomes of it is
 * its transaction's business, and nobody is told.
 *
 * @throws AuthError `temporarily_unavailable` where all of them failed, or one did not end
 */
export async function retryTransient<T>(attempt: () => Promise<T>, clock: () => number): Promise<T> {
  const deadline = clock() + DEADLINE_MS
  const end = startDeadline(DEADLINE_MS)
  try {
    for (let retries = 0; ; retries++) {
      try {
        return requireEnded(await Promise.race([end.reached, attempt()]))
      } catch (error) {
        if (!isTransientError(error) && !isConflictError(error)) throw error
        const wait = jitter()
        if (retries === RETRIES || clock() + wait >= deadline) throw busy(error)
        await pause(wait)
      }
    }
  } finally {
    end.stop()
  }
}

const LATE: unique symbol = Symbol('late')

function requireEnded<T>(outcome: T | typeof LATE): T {
  if (outcome === LATE) {
    throw new AuthError('temporarily_unavailable', { reason: 'provisioning_cut_off', retryAfterSeconds: 1 })
  }
  return outcome
}

function busy(cause: unknown): AuthError {
  return new AuthError('temporarily_unavailable', { reason: 'provisioning_not_committed', retryAfterSeconds: 1, cause })
}

function jitter(): number {
  const [byte = 0] = crypto.getRandomValues(new Uint8Array(1))
  return 5 + (byte * 45) / 255
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function startDeadline(milliseconds: number): { readonly reached: Promise<typeof LATE>; readonly stop: () => void } {
  let stop: () => void = () => undefined
  const reached = new Promise<typeof LATE>((resolve) => {
    stop = startTimer(() => resolve(LATE), milliseconds)
  })
  return { reached, stop }
}
