/**
 * What is known of the token at a moment: whether it is fresh, still good or gone, and when its issuer may be asked again.
 * Knows the time, asks nobody; hands on answers to `renewal`.
 */
import { type TokenFailure, toTokenFailure } from './token-client-error.ts'

/** What {@link createTokenLife} makes. */
export interface TokenLife {
  /** The token while there is no need for another. */
  fresh(): string | null
  /** The token while it may be handed out. */
  usable(): string | null
  /** Whether the issuer has had its rest. */
  mayAsk(): boolean
  /** When to look for another token: milliseconds by the clock. */
  nextLook(): number
  /** A token came, for a request that began at `askedAt`. */
  succeed(token: string, expiresInSeconds: number, askedAt: number): void
  /** None came. Returns the failure with the rest that follows it. */
  fail(failure: TokenFailure): TokenFailure
  /** Why there is no token, as of now. */
  failure(): TokenFailure
  forget(): void
}

interface Held {
  readonly token: string
  readonly renewAt: number
  readonly usableUntil: number
}

/** What a request that took too long comes to. */
export const TIMEOUT: TokenFailure = toTokenFailure('token_unavailable', 'timeout')

/**
 * Create the state of no token. A token is fresh for 70 to 80 % of its life, by chance, and handed out until
 * `marginSeconds` before its end, or a tenth of its life if that is less.
 *
 * @param time milliseconds, never running backwards
 */
export function createTokenLife(time: () => number, marginSeconds: number): TokenLife {
  let held: Held | null = null
  let last: TokenFailure | null = null
  let restUntil = Number.NEGATIVE_INFINITY
  let failures = 0
  return {
    fresh: () => (held !== null && time() < held.renewAt ? held.token : null),
    usable: () => (held !== null && time() < held.usableUntil ? held.token : null),
    mayAsk: () => time() >= restUntil,
    nextLook: () => Math.max(held?.renewAt ?? 0, restUntil),
    succeed(token, expiresInSeconds, askedAt) {
      const life = certainLife(expiresInSeconds * 1000)
      const margin = Math.min(marginSeconds * 1000, life / 10)
      held = { token, renewAt: askedAt + life * (0.7 + 0.1 * random()), usableUntil: askedAt + life - margin }
      failures = 0
      restUntil = Number.NEGATIVE_INFINITY
    },
    fail(failure) {
      failures += 1
      const rest = restAfter(failure, failures)
      restUntil = time() + rest
      last = failure
      return { ...failure, retryAfterSeconds: Math.ceil(rest / 1000) }
    },
    failure() {
      const seconds = Math.ceil((restUntil - time()) / 1000)
      return { ...(last ?? TIMEOUT), retryAfterSeconds: Math.max(1, Number.isFinite(seconds) ? seconds : 1) }
    },
    forget() {
      held = null
    },
  }
}

// A token tells its end in whole seconds, rounded down: it may end up to a second before its life is over.
function certainLife(life: number): number {
  return life - Math.min(1000, life / 2)
}

// Doubled with each failure, by up to half less so that many processes don't ask in step. A refusal is for a person to
// mend: asking again soon would only lock the account. An issuer that names a wait gets it, within reason.
function restAfter({ code, retryAfterSeconds }: TokenFailure, failures: number): number {
  const [first, most] = code === 'token_refused' ? [30_000, 300_000] : [1000, 60_000]
  const rest = Math.min(most, first * 2 ** Math.min(failures - 1, 10)) * (0.5 + 0.5 * random())
  return Math.max(rest, Math.min(900, retryAfterSeconds ?? 0) * 1000)
}

function random(): number {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1))
  return number / 2 ** 32
}
