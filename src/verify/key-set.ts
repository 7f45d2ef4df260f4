/**
 * The keys of one source, kept fresh by the requests that need them: no timer runs here. Good keys are replaced
 * by good keys only, and an outage is bridged with stale ones for a while. A server is asked by one request at a time, on
 * demand at most every 30 s, in the background with growing rests while it fails. Hands on keys that may be used now.
 */
import { type FetchFault, faultOf, fetchFailure } from '../lib/json-exchange.ts'
import { createFlight, restMilliseconds } from '../lib/time.ts'
import { idOf, type PublicKey } from './jwk-import.ts'
import type { LoadKeys } from './key-source.ts'
import type { VerifyingKey } from './signature.ts'
import type { KeyAlgorithm } from './token-form.ts'

/** A key in a set. */
export interface SetKey extends PublicKey, VerifyingKey {
  /** Whether the key may be used now: still in the set, and the set not too old. Counts as a use of the set. */
  isUsable(): boolean
}

/** What {@link createKeySet} and {@link createFixedKeySet} make. */
export interface KeySet {
  readonly algorithms: ReadonlySet<KeyAlgorithm>
  /** Whether the host has written the keys out: one without a key id is for tokens of any. */
  readonly isWrittenOut: boolean
  /** The cached keys, if they may be used now; else none. No wait, but an aged set is refreshed in the background. */
  keys(): ReadonlySet<SetKey>
  /**
   * Get newer keys, if the server may be asked now: a promise only then. Ends with whether the set can be trusted to be complete;
   * never rejects.
   */
  refresh(): boolean | Promise<boolean>
  /** What can be said of the set now. Counts as a use of it; where no set is held, and the server had its rest, a refresh begins. */
  state(): KeySetState
  /** Seconds until the server may be asked again. */
  retryAfterSeconds(): number
  /** What became of asking last, for a record: the URL, and a status or a word; `null` where nothing failed. */
  failure(): string | null
  close(): void
}

/**
 * `ready`: there are keys to use. `empty`: the server says that there are none, and that may be. `lacking`: it answers, and
 * has no key of use. `down`: it can't be asked, or answers nonsense. `unasked`: nobody has asked it yet.
 */
export type KeySetState = 'ready' | 'empty' | 'lacking' | 'down' | 'unasked'

/** What happened to a key set. */
export type KeyNews =
  | { readonly type: 'fetch_ok'; readonly keys: number }
  /** `reason`: one word, such as `timeout`, `network`, `status`, `too_large`, `no_usable_key`. */
  | ({ readonly type: 'fetch_failed' } & FetchFault)
  /** Old keys serve because no newer ones can be had; told once until there are. */
  | { readonly type: 'stale_served'; readonly ageSeconds: number }

/** What a fetched key set needs. */
export interface KeySetOptions {
  /** Where they are, for what is said of a failure. */
  readonly url: string
  readonly algorithms: ReadonlySet<KeyAlgorithm>
  readonly load: LoadKeys
  readonly maxAgeSeconds: number
  readonly maxStaleSeconds: number
  /** A well-formed set without any key is no failure as long as none was ever held: the issuer has a secret, too. */
  readonly mayBeEmpty: boolean
  /** Milliseconds, never running backwards. */
  readonly time: () => number
  readonly onNews: (news: KeyNews) => void
}

const REFRESH_AT = 0.8

/** Create a key set over a server. Nothing is fetched before the first use. */
export function createKeySet(options: KeySetOptions): KeySet {
  const { algorithms, time, onNews, mayBeEmpty } = options
  const maxAge = options.maxAgeSeconds * 1000
  const maxStale = options.maxStaleSeconds * 1000
  let current: ReadonlySet<SetKey> = new Set()
  let loadedAt = Number.NEGATIVE_INFINITY
  let staleReported = false
  let lastFault: FetchFault | null = null
  const refresher = createRefresher({ load, time, onLoaded, onFailed })
  const isFresh = (): boolean => time() - loadedAt < maxAge + maxStale

  async function load(signal: AbortSignal): Promise<readonly PublicKey[]> {
    const keys = await options.load(signal)
    if (keys.length === 0 && (!mayBeEmpty || current.size > 0)) throw fetchFailure('no_usable_key')
    return keys
  }

  function onFailed(error: unknown): void {
    lastFault = faultOf(error)
    onNews({ type: 'fetch_failed', ...lastFault })
  }

  function onLoaded(keys: readonly PublicKey[], at: number): void {
    // The same object for the same key, so that tokens verified with it stay verified; a key that left is usable no more.
    const isUsable = (entry: SetKey): boolean => current.has(entry) && use()
    const known = new Map([...current].map((key) => [idOf(key), key]))
    current = new Set(keys.map((key) => known.get(idOf(key)) ?? toSetKey(key, isUsable)))
    loadedAt = at
    staleReported = false
    onNews({ type: 'fetch_ok', keys: current.size })
  }

  function use(): boolean {
    const age = time() - loadedAt
    if (age >= maxAge + maxStale) return false
    if (age >= maxAge * REFRESH_AT) refresher.inBackground()
    if (age >= maxAge && !staleReported && current.size > 0) {
      staleReported = true
      onNews({ type: 'stale_served', ageSeconds: Math.floor(age / 1000) })
    }
    return true
  }

  return {
    algorithms,
    isWrittenOut: false,
    keys: () => (use() ? current : NO_KEYS),
    refresh() {
      const isComplete = (): boolean => !refresher.isFailing() && isFresh()
      // Keys that ran out while all was well: nobody has asked for a long time, so the server needs no rest.
      return refresher.onDemand(!isFresh())?.then(isComplete) ?? isComplete()
    },
    state() {
      const isHeld = use()
      if (isHeld && current.size > 0) return 'ready'
      // Who asks whether we are ready sends nobody before we are: the asking itself has to bring the keys. A set that may be empty
      // is held as any other, and is no reason to ask at each probe.
      if (!isHeld || refresher.isFailing()) refresher.inBackground()
      if (refresher.isFailing()) return lastFault?.reason === 'no_usable_key' ? 'lacking' : 'down'
      return isFresh() ? 'empty' : 'unasked'
    },
    retryAfterSeconds: refresher.retryAfterSeconds,
    failure: () => (lastFault === null || !refresher.isFailing() ? null : describeFault(lastFault, options.url)),
    close: refresher.close,
  }
}

function describeFault({ reason, asked, status, cause }: FetchFault, url: string): string {
  const what = reason === 'status' || reason === 'redirect' ? status : (cause ?? reason)
  return `${asked ?? url.replace(/\?.*/, '')}: ${what}`
}

const NO_KEYS: ReadonlySet<SetKey> = /* @__PURE__ */ new Set()

function toSetKey(key: PublicKey, isUsable: (entry: SetKey) => boolean): SetKey {
  const entry: SetKey = { ...key, isUsable: () => isUsable(entry) }
  return entry
}

/** Create a key set over keys that never change; they are imported at the first use. */
export function createFixedKeySet(
  algorithms: ReadonlySet<KeyAlgorithm>,
  importAll: () => Promise<readonly PublicKey[]>,
): KeySet {
  let keys: ReadonlySet<SetKey> | null = null
  let pending: Promise<true> | null = null
  return {
    algorithms,
    isWrittenOut: true,
    keys: () => keys ?? NO_KEYS,
    refresh() {
      if (keys !== null) return true
      pending ??= importAll().then((imported) => {
        keys = new Set(imported.map((key) => ({ ...key, isUsable: () => true })))
        // What can't be imported will never be: it is no outage, there is no such key.
        return true
      })
      return pending
    },
    // Before the import they are as good as there: nobody has to be asked for them.
    state: () => (keys === null || keys.size > 0 ? 'ready' : 'lacking'),
    retryAfterSeconds: () => 1,
    failure: () => null,
    close() {},
  }
}

/** What {@link createRefresher} makes. */
interface Refresher {
  /** Begin a refresh if none runs and the server has had its rest; wait for nothing. */
  inBackground(): void
  /**
   * Wait for the refresh that runs, or for a new one if the server may be asked now; `urgent`: rest only after failures.
   * `null`: it may not, and there is nothing to wait for.
   */
  onDemand(urgent: boolean): Promise<unknown> | null
  /** Whether the last attempt failed. */
  isFailing(): boolean
  /** Seconds until the server may be asked on demand, at least 1. */
  retryAfterSeconds(): number
  /** Ask no more, and end what runs. */
  close(): void
}

/** What a refresher needs. */
interface RefresherOptions {
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
function createRefresher({ load, time, onLoaded, onFailed }: RefresherOptions): Refresher {
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
    onDemand(urgent) {
      if (closed) return null
      const mayAsk = flight.isRunning() || rested(attemptedAt, DEMAND_MS) || (urgent && failures === 0)
      return mayAsk || (settledAt < attemptedAt && mayReplace()) ? flight.join() : null
    },
    isFailing: () => failures > 0,
    retryAfterSeconds: () => Math.max(1, Math.ceil((attemptedAt + DEMAND_MS - time()) / 1000)),
    close() {
      closed = true
      flight.end()
    },
  }
}
