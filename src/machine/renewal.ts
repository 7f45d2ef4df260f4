/**
 * When a token is renewed: ahead of its end, one request at a time, with growing rests while it fails. While the old token
 * lives nobody waits for the new one. Hands on a token that is good for a while, or says why there is none.
 */
import {
  createFlight,
  createMonotonicClock,
  randomFraction,
  restMilliseconds,
  startTimer,
  within,
} from '../lib/time.ts'
import type { Attempt, TokenSource } from './grants.ts'
import { TokenClientError, type TokenFailure, toTokenFailure } from './token-client-error.ts'

/** What {@link createRenewal} makes. */
export interface Renewal {
  /** A token that is good for a while. */
  token(): Promise<string>
  /** Another token than this one, which somebody refused; `null` if there is none to be had now. */
  replace(refused: string): Promise<string | null>
  /** A service took this token. */
  accepted(token: string): void
  /** A service refused the token that `replace` had just given for the one it refused before. */
  refusedAgain(): void
  close(): void
}

interface RenewalOptions {
  /** Asks for a token now; throws only when aborted. */
  readonly obtain: (signal: AbortSignal) => Promise<Attempt>
  readonly clock: () => number
  readonly marginSeconds: number
  readonly timeoutSeconds: number
  readonly onRenewed: (source: TokenSource, expiresInSeconds: number) => void
  readonly onFailed: (failure: TokenFailure) => void
}

// While a client is in use its timer begins each renewal, and nobody waits. Where no timer lives that long (workers) or none
// had reason to fire (nobody asked for a while), a caller begins it, and stays a moment: workers end what nobody waits for.
const GRACE_MS = 1000
const PATIENCE_MS = 1000

/** Create a renewal. Nothing is asked, and no timer runs, before the first call. */
export function createRenewal(options: RenewalOptions): Renewal {
  const time = createMonotonicClock(options.clock)
  const { held, flight, use, end } = createTokenRequester(options, time)
  const replacements = createReplacements(time)
  let closed = false
  return {
    async token() {
      use()
      const fresh = held.fresh()
      if (fresh !== null) return fresh
      const isIdle = held.usable() !== null && !flight.isRunning()
      if (isIdle && time() >= held.nextLook() + GRACE_MS) await within(PATIENCE_MS, flight.join())
      const mayAsk = !closed && (flight.isRunning() || held.mayAsk())
      const token = held.usable() ?? (mayAsk ? await flight.join() : null)
      if (closed) throw new TokenClientError(toTokenFailure('client_closed', 'closed'))
      if (token === null) throw new TokenClientError(held.failure())
      return token
    },
    async replace(refused) {
      const other = held.usable()
      if (closed || (other !== null && other !== refused)) return other
      if (!flight.isRunning() && !(held.mayAsk() && replacements.begin(refused))) return null
      use()
      const token = await flight.join()
      if (token !== null) replacements.came(token)
      return token
    },
    accepted: replacements.accepted,
    refusedAgain: replacements.refusedAgain,
    close() {
      closed = true
      end()
    },
  }
}

const TIMEOUT: TokenFailure = toTokenFailure('token_unavailable', 'timeout')

// The token, the one request for it, and the timer between them.
function createTokenRequester(options: RenewalOptions, time: () => number) {
  const { obtain, timeoutSeconds, marginSeconds, onRenewed, onFailed } = options
  const held = createHeldToken(time, marginSeconds)
  const flight = createFlight<Attempt, string | null>({
    time,
    limitSeconds: timeoutSeconds,
    work: obtain,
    settle: (outcome, askedAt) => ('given' in outcome ? take(outcome.given, askedAt) : fail(TIMEOUT)),
  })
  let used = false
  let stop = (): void => {}

  // Real timers only say when to look; whether it is time is for the clock, which may be a test's or may have been set back.
  // A client that nobody uses stops asking; so does one whose token has ended, until somebody wants one.
  function lookAt(moment: number): void {
    stop()
    stop = startTimer(
      () => {
        if (time() < moment) lookAt(moment)
        else if (used && held.usable() !== null) flight.begin()
      },
      Math.max(100, moment - time()),
    )
  }

  function take({ source, verdict }: Attempt, askedAt: number): string | null {
    if (verdict.kind === 'failed') return fail(verdict.failure)
    const { token, expiresInSeconds } = verdict
    held.succeed(token, expiresInSeconds, askedAt)
    used = false
    lookAt(held.nextLook())
    onRenewed(source, expiresInSeconds)
    return token
  }

  function fail(failure: TokenFailure): null {
    const known = held.fail(failure)
    if (held.usable() !== null) lookAt(held.nextLook())
    onFailed(known)
    return null
  }

  const use = (): void => {
    used = true
  }
  const end = (): void => {
    held.forget()
    stop()
    flight.end()
  }
  return { held, flight, use, end }
}

// What is known of the token at a moment.
function createHeldToken(time: () => number, marginSeconds: number) {
  let held: { readonly token: string; readonly renewAt: number; readonly usableUntil: number } | null = null
  let last: TokenFailure | null = null
  let restUntil = Number.NEGATIVE_INFINITY
  let failures = 0
  return {
    /** The token while there is no need for another: 70 to 80 % of its life, by chance. */
    fresh: (): string | null => (held !== null && time() < held.renewAt ? held.token : null),
    /** The token while it may be handed out: until the margin before its end, or a tenth of its life if that is less. */
    usable: (): string | null => (held !== null && time() < held.usableUntil ? held.token : null),
    /** Whether the issuer has had its rest. */
    mayAsk: () => time() >= restUntil,
    /** When to look for another token: milliseconds by the clock. */
    nextLook: () => Math.max(held?.renewAt ?? 0, restUntil),
    /** A token came, for a request that began at `askedAt`. */
    succeed(token: string, expiresInSeconds: number, askedAt: number) {
      // A token tells its end in whole seconds, rounded down: it may end up to a second before its life is over.
      const named = expiresInSeconds * 1000
      const life = named - Math.min(1000, named / 2)
      const margin = Math.min(marginSeconds * 1000, life / 10)
      held = { token, renewAt: askedAt + life * (0.7 + 0.1 * randomFraction()), usableUntil: askedAt + life - margin }
      failures = 0
      restUntil = Number.NEGATIVE_INFINITY
    },
    /** None came. Returns the failure with the rest that follows it. */
    fail(failure: TokenFailure): TokenFailure {
      failures += 1
      const rest = restAfter(failure, failures)
      restUntil = time() + rest
      last = failure
      return { ...failure, retryAfterSeconds: Math.ceil(rest / 1000) }
    },
    /** Why there is no token, as of now. */
    failure(): TokenFailure {
      const seconds = Math.ceil((restUntil - time()) / 1000)
      return { ...(last ?? TIMEOUT), retryAfterSeconds: Math.max(1, Number.isFinite(seconds) ? seconds : 1) }
    },
    forget() {
      held = null
    },
  }
}

// A refusal is for a person to mend: asking again soon would only lock the account. An issuer that names a wait gets it,
// within reason.
function restAfter({ code, retryAfterSeconds }: TokenFailure, failures: number): number {
  const [firstMs, mostMs] = code === 'token_refused' ? [30_000, 300_000] : [1000, 60_000]
  const rest = restMilliseconds(failures, { firstMs, mostMs, spread: 0.5 })
  return Math.max(rest, Math.min(900, retryAfterSeconds ?? 0) * 1000)
}

interface Replacements extends Pick<Renewal, 'accepted' | 'refusedAgain'> {
  /** Whether another token may be asked for in place of this refused one; if so, it counts as asked for. */
  begin(refused: string): boolean
  /** The token that came. */
  came(token: string): void
}

// How long no token is replaced after a replacement was refused in turn.
const REPLACEMENT_REST_MS = 10_000

/**
 * Create the rule of how often a refused token is replaced. A service that takes the new token may refuse it later as often
 * as it likes; one that refuses a new one at once refuses everything, and must not wear out the issuer. A rest goes by time
 * alone: that another call succeeds meanwhile does not end it, or one route that always answers 401 beside one that works
 * would cost a renewal for each pair of calls.
 */
export function createReplacements(time: () => number): Replacements {
  let latest: string | null = null
  let taken = false
  let beganAt = Number.NEGATIVE_INFINITY
  let inVain = false
  return {
    begin(refused) {
      if (refused === latest && !taken) inVain = true
      if (inVain && time() - beganAt < REPLACEMENT_REST_MS) return false
      beganAt = time()
      inVain = false
      return true
    },
    came(token) {
      if (token === latest) return
      latest = token
      taken = false
    },
    accepted(token) {
      if (token === latest) taken = true
    },
    refusedAgain() {
      inVain = true
    },
  }
}
