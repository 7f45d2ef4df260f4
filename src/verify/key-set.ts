/**
 * The keys of one source, kept fresh by the requests that need them (K3–K10): no timer runs here. Good keys are replaced
 * by good keys only; an outage is bridged with stale ones for a while; a flood of unknown key ids asks the server twice a
 * minute. Hands on keys that may be used now.
 */
import type { KeyAlgorithm, PublicKey } from './jwk-import.ts'
import { failureWord, runLimited } from './key-fetch.ts'
import type { LoadKeys } from './key-source.ts'

/** A key in a set. */
export interface SetKey extends PublicKey {
  /** Whether the key may be used now: still in the set, and the set not too old. Counts as a use of the set. */
  isUsable(): boolean
}

/** What {@link createKeySet} and {@link createFixedKeySet} make. */
export interface KeySet {
  readonly algorithms: ReadonlySet<KeyAlgorithm>
  /** The cached keys, if they may be used now; else none. No wait, but an aged set is refreshed in the background. */
  keys(): Iterable<SetKey>
  /** Get newer keys, if the server may be asked now. Ends with whether the set can be trusted to be complete. */
  refresh(): Promise<boolean>
  /** Whether there are keys to use now. */
  isReady(): boolean
  /** Seconds until the server may be asked again. */
  retryAfterSeconds(): number
  close(): void
}

/** What happened to a key set: for metrics and the audit log (K9, G3). */
export type KeyEvent =
  | { readonly type: 'fetch_ok'; readonly issuer: string | null; readonly url: string; readonly keys: number }
  | { readonly type: 'fetch_failed'; readonly issuer: string | null; readonly url: string; readonly reason: string }
  | { readonly type: 'stale_served'; readonly issuer: string | null; readonly url: string; readonly ageSeconds: number }

/** What a fetched key set needs. */
export interface KeySetOptions {
  readonly algorithms: ReadonlySet<KeyAlgorithm>
  readonly load: LoadKeys
  readonly maxAgeSeconds: number
  readonly maxStaleSeconds: number
  /** Milliseconds, never running backwards. */
  readonly time: () => number
  readonly onEvent: (event: KeyEvent) => void
  /** Who the events are about. */
  readonly subject: { readonly issuer: string | null; readonly url: string }
}

const DEMAND_MS = 30_000
const MAX_BACKOFF_MS = 300_000
const REFRESH_AT = 0.8

/** Create a key set over a server. Nothing is fetched before the first use. */
export function createKeySet(options: KeySetOptions): KeySet {
  const { algorithms, load, time, onEvent, subject } = options
  const maxAge = options.maxAgeSeconds * 1000
  const maxStale = options.maxStaleSeconds * 1000
  let current: ReadonlyMap<string, SetKey> = new Map()
  let loadedAt = Number.NEGATIVE_INFINITY
  let attemptedAt = Number.NEGATIVE_INFINITY
  let backoff = 0
  let failures = 0
  let staleReported = false
  let pending: Promise<void> | null = null
  let controller: AbortController | null = null
  let closed = false

  const age = (): number => time() - loadedAt
  const isReady = (): boolean => current.size > 0 && age() < maxAge + maxStale

  function attempt(): Promise<void> {
    attemptedAt = time()
    controller = new AbortController()
    pending = runLimited(controller, load)
      .then(accept, reject)
      .finally(() => {
        pending = null
      })
    return pending
  }

  function accept(keys: readonly PublicKey[]): void {
    const next = new Map<string, SetKey>()
    for (const key of keys) {
      const id = JSON.stringify([key.kid, key.thumbprint])
      // The same object as before, so that tokens verified with it stay verified.
      const entry: SetKey = current.get(id) ?? { ...key, isUsable: () => current.get(id) === entry && use() }
      next.set(id, entry)
    }
    current = next
    loadedAt = attemptedAt
    failures = 0
    staleReported = false
    onEvent({ type: 'fetch_ok', ...subject, keys: next.size })
  }

  function reject(error: unknown): void {
    failures += 1
    backoff = backoffAfter(failures)
    staleReported = false
    onEvent({ type: 'fetch_failed', ...subject, reason: failureWord(error) })
  }

  function use(): boolean {
    if (!isReady()) return false
    const old = age()
    const rested = failures === 0 || time() - attemptedAt >= backoff
    if (old >= maxAge * REFRESH_AT && rested && pending === null && !closed) void attempt()
    if (old >= maxAge && !staleReported) {
      staleReported = true
      onEvent({ type: 'stale_served', ...subject, ageSeconds: Math.floor(old / 1000) })
    }
    return true
  }

  // Keys that ran out while all was well need no rest: nobody has asked the server for a long time.
  const mayAsk = (): boolean => time() - attemptedAt >= DEMAND_MS || (failures === 0 && !isReady())

  return {
    algorithms,
    keys: () => (use() ? current.values() : []),
    async refresh() {
      if (pending !== null) await pending
      else if (!closed && mayAsk()) await attempt()
      return failures === 0 && isReady()
    },
    isReady,
    retryAfterSeconds: () => Math.max(1, Math.ceil((attemptedAt + DEMAND_MS - time()) / 1000)),
    close() {
      closed = true
      controller?.abort()
    },
  }
}

// 30 s, doubled with each failure up to 300 s, a fifth more or less so that many processes don't ask in step.
function backoffAfter(failures: number): number {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1))
  const jittered = DEMAND_MS * 2 ** Math.min(failures - 1, 4) * (0.8 + (0.4 * random) / 2 ** 32)
  return Math.min(MAX_BACKOFF_MS, Math.max(DEMAND_MS, jittered))
}

/** Create a key set over keys that never change; they are imported at the first use. */
export function createFixedKeySet(
  algorithms: ReadonlySet<KeyAlgorithm>,
  importAll: () => Promise<readonly PublicKey[]>,
): KeySet {
  let keys: readonly SetKey[] | null = null
  let pending: Promise<void> | null = null
  // Before the import they are as good as there: nobody has to be asked for them.
  const isReady = (): boolean => keys === null || keys.length > 0
  return {
    algorithms,
    keys: () => keys ?? [],
    async refresh() {
      pending ??= importAll().then((imported) => {
        keys = imported.map((key) => ({ ...key, isUsable: () => true }))
      })
      await pending
      return isReady()
    },
    isReady,
    retryAfterSeconds: () => 1,
    close() {},
  }
}
