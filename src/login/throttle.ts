/**
 * The throttle of every route that takes a password: check and count as one, before any hash is made. Its rules are pure
 * decisions on one key's state: an account is closed for a while that doubles with each failure, an address after so many
 * failures in a window. Tries in flight count, so that many at once are not more than one after another.
 */
import { AuthError } from '../errors.ts'
import { sha256Hex } from '../lib/digest.ts'
import { restMilliseconds } from '../lib/time.ts'
import type { ThrottleState, ThrottleStore } from '../storage/account-repositories.ts'
import { toAddressKeys } from './client-address.ts'

/** Who tries. */
export interface Trier {
  /** The account's normalized e-mail, or what was given for one. */
  readonly email: string
  /** The client's address; `null` where it is not known: then only the account is counted. */
  readonly address: string | null
}

/** What {@link createThrottle} makes. */
export interface Throttle {
  /**
   * Run `work` as one try. A value is a success, `null` a failure that counts; what it throws counts for nothing. `work` may
   * ask `isCounted` before it begins: a try that has waited for long will soon not count as in flight any more. Costs one
   * update of the store before and one after it, for account and address together; a refused try one look-up.
   *
   * @throws AuthError `rate_limit_exceeded` with `Retry-After`: `work` did not run
   */
  attempt<T>(trier: Trier, work: (isCounted: () => boolean) => Promise<T | null>): Promise<T | null>
  /** Forget the failures of an account. */
  reset(email: string): Promise<void>
}

/** Create the throttle over a store. */
export function createThrottle(store: ThrottleStore, limits: ThrottleLimits, clock: () => number): Throttle {
  const policies = {
    address: addressPolicy(limits),
    network: addressPolicy(limits, NETWORK_TIMES),
    account: accountPolicy(limits),
  }
  const begin = (counters: readonly Counter[], now: number): Promise<Begun> =>
    store.update(keysOf(counters), new Date(now), (states, at) => {
      const begun = counters.map(({ kind }, i) => ({ by: kind, ...policies[kind].begin(states[i] ?? null, at) }))
      const first = begun.find(({ result }) => result.kind === 'closed') ?? begun[0]
      const { by, result } = first as (typeof begun)[number]
      return { states: result.kind === 'closed' ? states : begun.map(({ state }) => state), result: { ...result, by } }
    })
  const end = (counters: readonly Counter[], pendingUntil: number, outcome: Outcome): Promise<null> =>
    store.update(keysOf(counters), new Date(clock()), (states, at) => ({
      states: counters.map(({ kind }, i) => policies[kind].end(states[i] ?? null, at, pendingUntil, outcome)),
      result: null,
    }))
  return {
    async attempt<T>(trier: Trier, work: (isCounted: () => boolean) => Promise<T | null>) {
      const counters = await countersOf(trier)
      const begunAt = clock()
      const begun = await begin(counters, begunAt)
      if (begun.kind === 'closed') throw refusal(begun)
      let value: T | null
      try {
        value = await work(() => clock() - begunAt < LEASE_MS / 2)
      } catch (error) {
        // Nothing that is thrown leaves a try in flight.
        await end(counters, begun.pendingUntil, 'dropped').catch(() => null)
        throw error
      }
      await end(counters, begun.pendingUntil, value === null ? 'failed' : 'succeeded')
      return value
    },
    async reset(email) {
      const keys = keysOf(await countersOf({ email, address: null }))
      await store.update(keys, new Date(clock()), () => ({ states: [null], result: null }))
    },
  }
}

interface Counter {
  readonly kind: 'address' | 'network' | 'account'
  readonly key: string
}

type Begun = Attempt & { readonly by: Counter['kind'] }

const keysOf = (counters: readonly Counter[]): readonly string[] => counters.map(({ key }) => key)

function refusal({ by, retryAfterSeconds }: Extract<Begun, { kind: 'closed' }>): AuthError {
  const more = { retryAfterSeconds }
  if (by === 'account') return new AuthError('rate_limit_exceeded', { reason: 'login_account_throttled', ...more })
  if (by === 'address') return new AuthError('rate_limit_exceeded', { reason: 'login_address_throttled', ...more })
  return new AuthError('rate_limit_exceeded', { reason: 'login_network_throttled', ...more })
}

// Digests: a table of failed logins is no list of people.
async function countersOf({ email, address }: Trier): Promise<readonly Counter[]> {
  const found = toAddressKeys(address)
  const named: (readonly [Counter['kind'], string])[] = []
  if (found !== null) named.push(['address', found.address])
  if (found !== null && found.network !== null) named.push(['network', found.network])
  named.push(['account', email])
  return Promise.all(
    // Joined: what is put together by `+` or a template goes on holding its parts, here the whole digest, as long as a store has it.
    named.map(async ([kind, text]) => ({ kind, key: [kind, (await sha256Hex(text)).slice(0, 32)].join(':') })),
  )
}

/** Limits of the throttle. Times in seconds. */
export interface ThrottleLimits {
  /** The failure of an account from which on it is closed for a while. Default 5. */
  readonly accountFailures: number
  /** How long at first. Default 1. */
  readonly firstWaitSeconds: number
  /** How long at most, however many failures follow. Default 900. */
  readonly longestWaitSeconds: number
  /** Failures from one address (of IPv6: from one /64) within the window, from which on it is refused, a /48 with 12 times as many. Default 50. */
  readonly addressFailures: number
  /** For how long a failure counts against its address. Default 900. */
  readonly addressWindowSeconds: number
}

/** An IPv6 network of 48 bits may fail so many times as often as an address (of IPv6: a network of 64 bits). */
export const NETWORK_TIMES = 12

/** What holds unless a host says otherwise. */
export const DEFAULT_LIMITS: ThrottleLimits = Object.freeze({
  accountFailures: 5,
  firstWaitSeconds: 1,
  longestWaitSeconds: 900,
  addressFailures: 50,
  addressWindowSeconds: 900,
})

/** Whether a try may begin. */
export type Attempt =
  | { readonly kind: 'open'; readonly pendingUntil: number }
  | { readonly kind: 'closed'; readonly retryAfterSeconds: number }

/** How a try ended: `dropped` is one that never got to its password, and counts for nothing. */
export type Outcome = 'failed' | 'succeeded' | 'dropped'

/** The rules of one kind of key. Every `now` is by the store's clock. */
export interface ThrottlePolicy {
  /** Begin a try, or not: then the state is the very one that was given. */
  begin(state: ThrottleState | null, now: number): { readonly state: ThrottleState | null; readonly result: Attempt }
  /** End the try that `begin` opened. */
  end(state: ThrottleState | null, now: number, pendingUntil: number, outcome: Outcome): ThrottleState | null
}

// For how long a try in flight counts: a process that died in the middle of one must not leave it there for good.
const LEASE_MS = 60_000
// Longer than the longest wait: with less, a patient attacker would never meet it.
const MEMORY_MS = 86_400_000
// What a clock may be set back, or another process's be ahead, where the store has none of its own.
const SKEW_MS = 60_000

const EMPTY: ThrottleState = Object.freeze({ failures: 0, closedUntil: 0, recent: [], pending: [], expiresAt: 0 })

/** The rules for an account, known or not. A success resets it. */
export function accountPolicy(limits: ThrottleLimits): ThrottlePolicy {
  const { accountFailures, firstWaitSeconds, longestWaitSeconds } = limits
  const rest = { firstMs: firstWaitSeconds * 1000, mostMs: longestWaitSeconds * 1000, spread: 0 }
  // A clock set back must not keep it closed for longer than it ever was meant to be.
  const isClosed = ({ closedUntil }: ThrottleState, now: number): boolean =>
    closedUntil > now && closedUntil <= now + longestWaitSeconds * 1000
  return {
    begin(state, now) {
      const known = current(state, now)
      if (isClosed(known, now)) return closed(state, known.closedUntil - now)
      // After the limit one at a time: each further failure has a wait of its own.
      const free = Math.max(1, accountFailures - known.failures) - known.pending.length
      return free > 0 ? opened(known, now) : closed(state, firstWaitSeconds * 1000)
    },
    end(state, now, pendingUntil, outcome) {
      const known = settled(current(state, now), pendingUntil)
      if (outcome === 'dropped') return kept(known, now)
      if (outcome === 'succeeded') return kept({ ...known, failures: 0, closedUntil: 0 }, now)
      // Begun before it was closed: only a failure after a wait makes the next one longer.
      if (isClosed(known, now)) return kept(known, now)
      // Bounded: beyond some sixty doublings there is nothing left to count.
      const failures = Math.min(known.failures + 1, accountFailures + 60)
      const rests = failures - accountFailures + 1
      const closedUntil = rests < 1 ? 0 : now + restMilliseconds(rests, rest)
      return kept({ ...known, failures, closedUntil }, now)
    },
  }
}

/**
 * The rules for an address: so many failures within a window that moves along. A success changes nothing of it. A network of
 * many addresses may fail `times` as often: its failures are counted in lots of so many, each as old as its last one.
 */
export function addressPolicy({ addressFailures, addressWindowSeconds }: ThrottleLimits, times = 1): ThrottlePolicy {
  const windowMs = addressWindowSeconds * 1000
  const within = (state: ThrottleState | null, now: number): ThrottleState => {
    const known = current(state, now)
    const recent = known.recent.filter((at) => at > now - windowMs && at <= now + SKEW_MS)
    return recent.length === known.recent.length ? known : { ...known, recent }
  }
  return {
    begin(state, now) {
      const known = within(state, now)
      if (known.recent.length >= addressFailures) {
        return closed(state, (known.recent.at(-addressFailures) as number) + windowMs - now)
      }
      const free = (addressFailures - known.recent.length) * times - known.failures - known.pending.length
      return free > 0 ? opened(known, now) : closed(state, 1000)
    },
    end(state, now, pendingUntil, outcome) {
      const known = settled(within(state, now), pendingUntil)
      if (outcome !== 'failed') return kept(known, now, windowMs)
      const failures = known.failures + 1
      if (failures < times) return kept({ ...known, failures }, now, windowMs)
      return kept({ ...known, failures: 0, recent: [...known.recent, now].slice(-addressFailures) }, now, windowMs)
    },
  }
}

// Nor anything in flight.
function current(state: ThrottleState | null, now: number): ThrottleState {
  const known = state ?? EMPTY
  const pending = known.pending.filter((until) => until > now && until <= now + LEASE_MS + SKEW_MS)
  return pending.length === known.pending.length ? known : { ...known, pending }
}

function opened(known: ThrottleState, now: number): ReturnType<ThrottlePolicy['begin']> {
  const pendingUntil = now + LEASE_MS
  const pending = [...known.pending, pendingUntil]
  const expiresAt = Math.max(known.expiresAt, pendingUntil)
  return { state: Object.freeze({ ...known, pending, expiresAt }), result: { kind: 'open', pendingUntil } }
}

// The state as it was: a refused try counts for nothing and writes nothing.
function closed(state: ThrottleState | null, waitMs: number): ReturnType<ThrottlePolicy['begin']> {
  return { state, result: { kind: 'closed', retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) } }
}

function settled(known: ThrottleState, pendingUntil: number): ThrottleState {
  const at = known.pending.indexOf(pendingUntil)
  return at < 0 ? known : { ...known, pending: known.pending.toSpliced(at, 1) }
}

function kept(known: ThrottleState, now: number, memoryMs: number = MEMORY_MS): ThrottleState | null {
  const { failures, recent, pending } = known
  if (failures === 0 && recent.length === 0 && pending.length === 0) return null
  const isRemembered = failures > 0 || recent.length > 0
  return Object.freeze({ ...known, expiresAt: Math.max(isRemembered ? now + memoryMs : 0, ...pending) })
}
