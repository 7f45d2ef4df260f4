/**
 * When a key server may be asked: one request at a time, on demand at most every 30 s, in the background with
 * growing rests while it fails. Counts from the last attempt, good or bad. Hands on what arrived to the key set.
 */
import { createFlight } from '../lib/timer.ts'
import type { PublicKey } from './jwk-import.ts'
import { FETCH_LIMIT_SECONDS, keyFailure } from './key-fetch.ts'
import type { LoadKeys } from './key-source.ts'

/** What {@link createRefresher} makes. */
export interface Refresher {
  /** Begin a refresh if none runs and the server has had its rest; wait for nothing. */
  inBackground(): void
  /** Wait for the refresh that runs, or for a new one if the server may be asked now; `urgent`: rest only after failures. */
  onDemand(urgent: boolean): Promise<void>
  /** Whether the last attempt failed. */
  isFailing(): boolean
  /** Seconds until the server may be asked on demand, at least 1. */
  retryAfterSeconds(): number
  /** Ask no more, and end what runs. */
  close(): void
}

/** What a refresher needs. */
export interface RefresherOptions {
  readonly load: LoadKeys
  /** Milliseconds, never running backwards. */
  readonly time: () => number
  /** Told of new keys, and when they were asked for. */
  readonly onLoaded: (keys: readonly PublicKey[], at: number) => void
  readonly onFailed: (error: unknown) => void
}

const DEMAND_MS = 30_000
const MAX_BACKOFF_MS = 300_000

/** Create a refresher. Nothing is asked before it is told to. */
export function createRefresher({ load, time, onLoaded, onFailed }: RefresherOptions): Refresher {
  let attemptedAt = Number.NEGATIVE_INFINITY
  let settledAt = Number.NEGATIVE_INFINITY
  let replacedAt = Number.NEGATIVE_INFINITY
  let failures = 0
  let backoff = 0
  let closed = false
  const rested = (since: number, ms: number): boolean => time() - since >= ms

  const flight = createFlight<readonly PublicKey[], void>({
    time,
    limitSeconds: FETCH_LIMIT_SECONDS,
    work(signal) {
      attemptedAt = time()
      return load(signal)
    },
    settle(outcome, startedAt) {
      settledAt = attemptedAt
      if ('given' in outcome) {
        failures = 0
        onLoaded(outcome.given, startedAt)
      } else {
        backoff = backoffAfter(++failures)
        onFailed(outcome.error ?? keyFailure('timeout'))
      }
    },
    mayReplace,
  })

  // An attempt that ended with the request that had begun it (in workers) says nothing of the server. One more may be made
  // at once; the same again is taken for an attempt like any other.
  function mayReplace(): boolean {
    if (!rested(replacedAt, DEMAND_MS)) return false
    replacedAt = time()
    return true
  }

  return {
    inBackground() {
      if (!closed && (failures === 0 || rested(attemptedAt, backoff))) flight.begin()
    },
    async onDemand(urgent) {
      if (closed) return
      const mayAsk = flight.isRunning() || rested(attemptedAt, DEMAND_MS) || (urgent && failures === 0)
      if (mayAsk || (settledAt < attemptedAt && mayReplace())) await flight.join()
    },
    isFailing: () => failures > 0,
    retryAfterSeconds: () => Math.max(1, Math.ceil((attemptedAt + DEMAND_MS - time()) / 1000)),
    close() {
      closed = true
      flight.end()
    },
  }
}

// 30 s, doubled with each failure up to 300 s, a fifth more or less so that many processes don't ask in step.
function backoffAfter(failures: number): number {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1))
  const jittered = DEMAND_MS * 2 ** Math.min(failures - 1, 4) * (0.8 + (0.4 * random) / 2 ** 32)
  return Math.min(MAX_BACKOFF_MS, Math.max(DEMAND_MS, jittered))
}
