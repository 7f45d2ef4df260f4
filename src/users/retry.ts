/** Try a transaction again after a failure of the moment (P4), for a bounded time; then say so, with nothing written. */
import { AuthError } from '../errors.ts'
import { isConflictError, isTransientError } from '../storage/storage-errors.ts'

const RETRIES = 5
const DEADLINE_MS = 5000

/**
 * Run `attempt`; after a transient failure or a unique violation run it again, at most 5 times, 5–50 ms apart, within
 * 5 seconds. Any other throw passes through untouched.
 *
 * @throws AuthError `temporarily_unavailable` where all of them failed
 */
export async function retryTransient<T>(attempt: () => Promise<T>, clock: () => number): Promise<T> {
  const deadline = clock() + DEADLINE_MS
  for (let retries = 0; ; retries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isTransientError(error) && !isConflictError(error)) throw error
      if (retries === RETRIES || clock() >= deadline) throw busy(error)
      await pause(jitter())
    }
  }
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
