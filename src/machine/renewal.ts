/**
 * When a token is renewed: ahead of its end, one request at a time, with growing rests while it fails. While the old token
 * lives nobody waits for the new one. Hands on a token that is good for a while, or says why there is none.
 */
import { createMonotonicClock } from '../lib/clock.ts'
import { createFlight, type Flight, startTimer, within } from '../lib/timer.ts'
import type { Attempt, TokenSource } from './grants.ts'
import { createReplacements } from './replacement.ts'
import { TokenClientError, type TokenFailure, toTokenFailure } from './token-client-error.ts'
import { createTokenLife, TIMEOUT, type TokenLife } from './token-life.ts'

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

/** What a renewal needs. */
export interface RenewalOptions {
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
  const { life, flight, use, end } = createKeeper(options, time)
  const replacements = createReplacements(time)
  let closed = false
  const isOverdue = (): boolean => life.usable() !== null && !flight.isRunning() && time() >= life.nextLook() + GRACE_MS

  return {
    async token() {
      use()
      const fresh = life.fresh()
      if (fresh !== null) return fresh
      if (isOverdue()) await within(PATIENCE_MS, flight.join())
      const mayAsk = !closed && (flight.isRunning() || life.mayAsk())
      const token = life.usable() ?? (mayAsk ? await flight.join() : null)
      if (closed) throw new TokenClientError(toTokenFailure('client_closed', 'closed'))
      if (token === null) throw new TokenClientError(life.failure())
      return token
    },
    async replace(refused) {
      const other = life.usable()
      if (closed || (other !== null && other !== refused)) return other
      if (!flight.isRunning() && !(life.mayAsk() && replacements.begin(refused))) return null
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

interface Keeper {
  readonly life: TokenLife
  readonly flight: Flight<string | null>
  /** Somebody wants the token. */
  use(): void
  end(): void
}

// The token, the one request for it, and the timer between them.
function createKeeper(options: RenewalOptions, time: () => number): Keeper {
  const { obtain, timeoutSeconds, marginSeconds, onRenewed, onFailed } = options
  const life = createTokenLife(time, marginSeconds)
  const flight = createFlight<Attempt, string | null>({
    time,
    limitSeconds: timeoutSeconds,
    work: obtain,
    settle: (outcome, askedAt) => land('given' in outcome ? outcome.given : null, askedAt),
  })
  // A client that nobody uses stops asking; so does one whose token has ended, until somebody wants one.
  const lookout = createLookout(time, () => {
    if (used && life.usable() !== null) flight.begin()
  })
  let used = false

  function land(attempt: Attempt | null, askedAt: number): string | null {
    if (attempt?.verdict.kind !== 'granted') {
      const failure = life.fail(attempt?.verdict.failure ?? TIMEOUT)
      if (life.usable() !== null) lookout.at(life.nextLook())
      onFailed(failure)
      return null
    }
    const { token, expiresInSeconds } = attempt.verdict
    life.succeed(token, expiresInSeconds, askedAt)
    used = false
    lookout.at(life.nextLook())
    onRenewed(attempt.source, expiresInSeconds)
    return token
  }

  return {
    life,
    flight,
    use() {
      used = true
    },
    end() {
      life.forget()
      lookout.stop()
      flight.end()
    },
  }
}

// Real timers only say when to look; whether it is time is for the clock, which may be a test's or may have been set back.
function createLookout(time: () => number, work: () => void): { at(moment: number): void; stop(): void } {
  let stop = (): void => {}
  const at = (moment: number): void => {
    stop()
    stop = startTimer(() => (time() >= moment ? work() : at(moment)), Math.max(100, moment - time()))
  }
  return { at, stop: () => stop() }
}
