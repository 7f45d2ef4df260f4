/**
 * When a key server may be asked: one request at a time, on demand at most every 30 s, in the background with
 * growing rests while it fails. Counts from the last attempt, good or bad. Hands on what arrived to the key set.
 */
import { fetchFailure } from '../lib/json-exchange.ts'
import { createFlight, restMilliseconds } from '../lib/time.ts'
import type { PublicKey } from './jwk-import.ts'
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

/** All a key server gets, from the first byte out to the last byte in. */
const FETCH_LIMIT_SECONDS = 5
const DEMAND_MS = 30_000
// 30 to 36 s, doubled with each failure, at most 300.
const BACKOFF = { firstMs: 36_000, mostMs: 300_000, spread: 1 / 6 }

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
        backoff = restMilliseconds(++failures, BACKOFF)
        onFailed(outcome.error ?? fetchFailure('timeout'))
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
