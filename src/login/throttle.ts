/**
 * The throttle of every route that takes a password: check and count as one, before any hash is made. Hands on
 * the answer of the work it lets through, or refuses with 429.
 */
import { AuthError } from '../errors.ts'
import { sha256Hex } from '../lib/digest.ts'
import { toAddressKeys } from '../lib/peer-address.ts'
import type { ThrottleStore } from '../storage/account-repositories.ts'
import {
  type Attempt,
  accountPolicy,
  addressPolicy,
  LEASE_MS,
  NETWORK_TIMES,
  type Outcome,
  type ThrottleLimits,
  type ThrottlePolicy,
} from './throttle-policy.ts'

/** Who tries. */
interface Trier {
  /** The account's normalized e-mail, or what was given for one. */
  readonly email: string
  /** The client's address; `null` where it is not known: then only the account is counted. */
  readonly address: string | null
}

/** What {@link createThrottle} makes. */
export interface Throttle {
  /**
   * Run `judge` as one try. A value is a success, `null` a failure that counts; what it throws counts for nothing.
   * Costs one update of the store before it, for account and address together, and one after it; a refused try one look-up.
   *
   * @param judge may ask `isCounted` before its costly work: a try that has waited for long will soon not count as in
   * flight any more, and must not begin
   * @throws AuthError `rate_limit_exceeded` with `Retry-After`: `judge` did not run
   */
  attempt<T>(trier: Trier, judge: (isCounted: () => boolean) => Promise<T | null>): Promise<T | null>
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
      const begun = counters.map(({ kind }, index) => policies[kind].begin(states[index] ?? null, at))
      const shut = begun.findIndex(({ result }) => result.kind === 'closed')
      const { kind } = counters[Math.max(0, shut)] as Counter
      const { result } = begun[Math.max(0, shut)] as ReturnType<ThrottlePolicy['begin']>
      return { states: shut < 0 ? begun.map(({ state }) => state) : states, result: { ...result, by: kind } }
    })
  const end = (counters: readonly Counter[], pendingUntil: number, outcome: Outcome): Promise<null> =>
    store.update(keysOf(counters), new Date(clock()), (states, at) => ({
      states: counters.map(({ kind }, index) => policies[kind].end(states[index] ?? null, at, pendingUntil, outcome)),
      result: null,
    }))
  return {
    async attempt(trier, judge) {
      const counters = await countersOf(trier)
      const begunAt = clock()
      const begun = await begin(counters, begunAt)
      if (begun.kind === 'closed') throw refusal(begun)
      const isCounted = (): boolean => clock() - begunAt < LEASE_MS / 2
      return settling(
        (outcome) => end(counters, begun.pendingUntil, outcome),
        () => judge(isCounted),
      )
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

// Nothing that is thrown leaves a try in flight.
async function settling<T>(
  end: (outcome: Outcome) => Promise<null>,
  judge: () => Promise<T | null>,
): Promise<T | null> {
  let value: T | null
  try {
    value = await judge()
  } catch (error) {
    await end('dropped').catch(() => null)
    throw error
  }
  await end(value === null ? 'failed' : 'succeeded')
  return value
}

// Digests: a table of failed logins is no list of people.
async function countersOf({ email, address }: Trier): Promise<readonly Counter[]> {
  const found = toAddressKeys(address)
  const named: (readonly [Counter['kind'], string])[] = []
  if (found !== null) named.push(['address', found.address])
  if (found !== null && found.network !== null) named.push(['network', found.network])
  named.push(['account', email])
  return Promise.all(
    named.map(async ([kind, text]) => ({ kind, key: `${kind}:${(await sha256Hex(text)).slice(0, 32)}` })),
  )
}
