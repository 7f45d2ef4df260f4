/**
 * Issuers that are looked up when a token of theirs is first seen: customers who bring their own provider. What is asked by
 * tokens nobody has verified is bounded: a synchronous look first, one look-up at a time of each, few for unknown ones.
 */
import { refused } from '../errors.ts'
import { createBoundedMap, type Used } from '../lib/bounded-map.ts'
import { isLoopbackUrl } from '../lib/http-url.ts'
import {
  aCount,
  aFunction,
  aGroup,
  aNumber,
  type Complete,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { createFlight, type Flight } from '../lib/time.ts'
import { requireBoolean } from './identity.ts'
import { type IssuerOptions, issuerShape } from './issuer-options.ts'
import { type Issuer, type Surroundings, toIssuer } from './issuers.ts'

/** Options of {@link createIssuerLookUp}. */
export interface IssuerLookUpOptions {
  /**
   * Whether there could be an issuer of this name: a quick look at its form, synchronous and without asking anybody, for the
   * name is what a token says that nobody has verified, and may be no URL. Anything but `true` or `false`, a throw too, is a
   * fault of the host (500).
   */
  readonly mayBe: (issuer: string) => boolean
  /**
   * Find the options of an issuer, or `null` where there is none. They are checked as those of the verifier are, and must
   * name exactly this issuer; wrong ones are a fault of the host (500). It has 5 seconds.
   */
  readonly find: (issuer: string) => Promise<IssuerOptions | null>
  /** Issuers kept at most; one not used lately makes room. 1–100,000, default 1,000. */
  readonly maxIssuers?: number | undefined
  /** Seconds after which an issuer is looked up anew; its keys are kept where their sources are the same. 1–3600, default 300. */
  readonly ttlSeconds?: number | undefined
}

/** What {@link createIssuerLookUp} makes, for `lookUp` of `createJwtVerifier`. */
export interface IssuerLookUp {
  /** Begin to look up for one verifier, which calls it: what comes and goes is its own. */
  start(surroundings: object): object
}

/** The issuers that one verifier has looked up. */
export interface LookedUpIssuers {
  /**
   * Find the issuer of this name; `null` where there is none.
   * @throws AuthError `keys_unavailable` where it can't be looked up just now
   */
  find(iss: string): Promise<Issuer | null>
  /** Whether an issuer is still the one that would be found. */
  isCurrent(issuer: Issuer): boolean
  close(): void
}

interface Known extends Used {
  readonly issuer: Issuer
  /** What its keys were made of. */
  readonly sources: string
  readonly until: number
}

/** `error`: `null` where it took too long. */
type Outcome = { readonly issuer: Issuer | null } | { readonly error: unknown }

const NAME = 'createIssuerLookUp'
const LONGEST_NAME = 1024
const MOST_MISSES = 20
const MISS_MS = 60_000
const REST_MS = 1000
const LIMIT_SECONDS = 5

/**
 * Create the look-up of issuers that a verifier does not know when it is made. The issuers of the verifier itself come first.
 *
 * An unknown issuer is remembered for 60 seconds; 20 of them in a minute are looked up, whoever names more meanwhile is 503
 * `keys_unavailable` with `Retry-After`, but for issuers that are known. A look-up that fails passes its error on to those
 * who wait for it, and the same issuer is looked up again after a second at the earliest.
 *
 * @throws OptionsError for a missing, misspelt or wrong option
 * @example
 * const lookUp = createIssuerLookUp({
 *   mayBe: (issuer) => issuer.startsWith('https://') && issuer.endsWith('.okta.com'),
 *   find: async (issuer) => {
 *     const customer = await customers.findByIssuer(issuer)
 *     return customer && { ...oidc({ issuer, audience: customer.audience }), people: 'own' }
 *   },
 * })
 * createJwtVerifier({ issuers: [], lookUp })
 */
export function createIssuerLookUp(options: IssuerLookUpOptions): IssuerLookUp {
  const { mayBe, find, maxIssuers = 1000, ttlSeconds = 300 } = parseOptions(NAME, shape(), options)
  const settings = { mayBe, find, maxIssuers, ttlSeconds }
  return Object.freeze({ start: (outside: object) => start(settings, outside as Surroundings) })
}

const shape = (): Shape<IssuerLookUpOptions> => ({
  mayBe: aFunction(),
  find: aFunction(),
  maxIssuers: optional(aCount(1, 100_000)),
  ttlSeconds: optional(aNumber(1, 3600)),
})

type Settings = Complete<IssuerLookUpOptions>

function start({ mayBe, find, maxIssuers, ttlSeconds }: Settings, outside: Surroundings): LookedUpIssuers {
  const { time } = outside
  // Who goes is asked no more, by nobody: its key sets have no timers, and end with whoever uses them still.
  const known = createBoundedMap<string, Known>(Math.floor(maxIssuers))
  const misses = createMisses(time)
  const flights = new Map<string, Flight<Outcome>>()

  // Who was known before is no stranger, and waits for nobody.
  function requireFewStrangers(iss: string): void {
    for (const [name, flight] of flights) if (!flight.isRunning()) flights.delete(name)
    const strangers = new Set([...misses.names(), ...flights.keys()].filter((name) => !known.has(name)))
    if (known.has(iss) || strangers.has(iss) || strangers.size < MOST_MISSES) return
    const retryAfterSeconds = misses.secondsLeft()
    throw refused('keys_unavailable', { reason: 'issuer_look_ups_exhausted', retryAfterSeconds })
  }

  function flightOf(iss: string): Flight<Outcome> {
    const flight =
      flights.get(iss) ??
      createFlight<Known | null, Outcome>({
        time,
        limitSeconds: LIMIT_SECONDS,
        work: async () => {
          const until = time() + ttlSeconds * 1000
          return toKnown({ iss, answer: await find(iss), until, earlier: known.get(iss) }, outside)
        },
        settle(outcome) {
          flights.delete(iss)
          const given = 'given' in outcome ? outcome.given : undefined
          // What is known stays where a look-up fails, to be looked up again.
          if (given == null) misses.add(iss, given === null)
          if (given === null) known.delete(iss)
          if (given != null) known.set(iss, given)
          if (given != null) misses.delete(iss)
          return 'given' in outcome ? { issuer: outcome.given?.issuer ?? null } : outcome
        },
      })
    flights.set(iss, flight)
    return flight
  }

  return {
    async find(iss) {
      // One with a brace would be a pattern; what no database can hold would be a fault of whoever asks one.
      const isName = iss.length <= LONGEST_NAME && !/[{}\s\p{Cc}\p{Cs}]/u.test(iss)
      if (!isName || !requireBoolean(`${NAME}: option "mayBe"`, mayBe(iss))) return null
      const entry = known.get(iss)
      if (entry !== undefined && time() < entry.until) return entry.issuer
      const miss = misses.get(iss)
      requireFewStrangers(iss)
      if (miss === 'unknown') return null
      const outcome = miss === 'failed' ? null : await flightOf(iss).join()
      if (outcome !== null && 'issuer' in outcome) return outcome.issuer
      if (outcome !== null && outcome.error !== null) throw outcome.error
      throw refused('keys_unavailable', { reason: 'issuer_look_up_failing', retryAfterSeconds: REST_MS / 1000 })
    },
    isCurrent(issuer) {
      const entry = known.get(issuer.issuer ?? '')
      return entry?.issuer === issuer && time() < entry.until
    },
    close() {
      for (const flight of flights.values()) flight.end()
      for (const { issuer } of known.values()) for (const set of issuer.keySets) set.close()
    },
  }
}

interface Answer {
  readonly iss: string
  /** What the host's `find` has answered. */
  readonly answer: IssuerOptions | null
  readonly until: number
  readonly earlier: Known | undefined
}

// The keys of the same sources stay: they are fetched no more often, and bridge an outage.
function toKnown({ iss, answer, until, earlier }: Answer, outside: Surroundings): Known | null {
  if (answer === null) return null
  const name = `${NAME}: find`
  const options = parseOptions<Pick<Answer, 'answer'>>(name, { answer: aGroup(issuerShape()) }, { answer }).answer
  if (options?.issuer !== iss) throw optionsError(name, 'answer.issuer', 'must be the one that was asked for')
  if (options.identityIssuer !== undefined) {
    throw optionsError(name, 'answer.identityIssuer', 'must be left out: whoever is looked up is nobody else')
  }
  const sources = JSON.stringify(options.keys)
  const keySets = earlier?.sources === sources ? earlier.issuer.keySets : undefined
  const standing = { path: 'answer', isLocal: isLoopbackUrl(iss), keySets }
  return { issuer: toIssuer(options, standing, { ...outside, name }), sources, until, used: false }
}

// Look-ups that found nothing, for a minute; one that failed may be tried again sooner.
function createMisses(time: () => number) {
  const misses = new Map<string, { readonly at: number; readonly isUnknown: boolean }>()
  const age = ({ at }: { readonly at: number }): number => time() - at
  const live = () => {
    for (const [name, miss] of misses) if (age(miss) >= MISS_MS) misses.delete(name)
    return misses
  }
  return {
    names: () => live().keys(),
    get(iss: string): 'unknown' | 'failed' | null {
      const miss = live().get(iss)
      if (miss?.isUnknown === true) return 'unknown'
      return miss !== undefined && age(miss) < REST_MS ? 'failed' : null
    },
    add(iss: string, isUnknown: boolean): void {
      misses.delete(iss)
      misses.set(iss, { at: time(), isUnknown })
    },
    delete: (iss: string) => misses.delete(iss),
    /** Until the oldest is forgotten; 1 where all are still looked up. */
    secondsLeft(): number {
      const [oldest] = live().values()
      return oldest === undefined ? 1 : (MISS_MS - age(oldest)) / 1000
    },
  }
}
