/**
 * The throttle of every route that takes a password (L2, L17): check and count as one, before any hash is made. Hands on
 * the answer of the work it lets through, or refuses with 429.
 */
import { AuthError } from '../errors.ts'
import { toAddressKey } from '../lib/peer-address.ts'
import { sha256Hex } from '../lib/sha256.ts'
import type { ThrottleStore } from '../storage/account-repositories.ts'
import { type Attempt, accountPolicy, addressPolicy, type Outcome, type ThrottleLimits } from './throttle-policy.ts'

/** Who tries. */
interface Trier {
  /** The account's normalized e-mail, or what was given for one. */
  readonly email: string
  /** The client's address. */
  readonly address: string | null
}

/** What {@link createThrottle} makes. */
export interface Throttle {
  /**
   * Run `judge` as one try. A value is a success, `null` a failure that counts; what it throws counts for nothing.
   * Costs four updates of the store, two where the account is closed, one where the address is.
   * @throws AuthError `rate_limit_exceeded` with `Retry-After`: `judge` did not run
   */
  attempt<T>(trier: Trier, judge: () => Promise<T | null>): Promise<T | null>
  /** Forget the failures of an account. */
  reset(email: string): Promise<void>
}

/** Create the throttle over a store. */
export function createThrottle(store: ThrottleStore, limits: ThrottleLimits, clock: () => number): Throttle {
  const policies = { account: accountPolicy(limits), address: addressPolicy(limits) }
  type Kind = keyof typeof policies

  const begin = (kind: Kind, key: string): Promise<Attempt> => {
    const now = clock()
    return store.update(key, new Date(now), (state) => policies[kind].begin(state, now))
  }
  const end = (kind: Kind, key: string, { pendingUntil }: Opened, outcome: Outcome): Promise<null> => {
    const now = clock()
    const decide: Parameters<typeof store.update<null>>[2] = (state) => ({
      state: policies[kind].end(state, now, pendingUntil, outcome),
      result: null,
    })
    return store.update(key, new Date(now), decide)
  }
  return {
    async attempt(trier, judge) {
      const [addressKey, accountKey] = await keysOf(trier)
      const address = await begin('address', addressKey)
      if (address.kind === 'closed') {
        const { retryAfterSeconds } = address
        throw new AuthError('rate_limit_exceeded', { reason: 'login_address_throttled', retryAfterSeconds })
      }
      const endAddress = (outcome: Outcome): Promise<null> => end('address', addressKey, address, outcome)
      return settling(endAddress, async () => {
        const account = await begin('account', accountKey)
        if (account.kind === 'closed') {
          const { retryAfterSeconds } = account
          throw new AuthError('rate_limit_exceeded', { reason: 'login_account_throttled', retryAfterSeconds })
        }
        return settling((outcome) => end('account', accountKey, account, outcome), judge)
      })
    },
    async reset(email) {
      const [, accountKey] = await keysOf({ email, address: null })
      await store.update(accountKey, new Date(clock()), () => ({ state: null, result: null }))
    },
  }
}

type Opened = Extract<Attempt, { kind: 'open' }>

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
async function keysOf({ email, address }: Trier): Promise<readonly [address: string, account: string]> {
  const [addressDigest, accountDigest] = await Promise.all([sha256Hex(toAddressKey(address)), sha256Hex(email)])
  return [`address:${addressDigest.slice(0, 32)}`, `account:${accountDigest.slice(0, 32)}`]
}
