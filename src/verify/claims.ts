/**
 * The claims of a token whose signature is good: where each lies, and that subject, audience, scopes, actor and times are
 * what they must be, `exp` last, so that `token_expired` is said only of a token that is right in everything else. Hands on
 * what the identity is built from.
 */
import type { Actor } from '../context.ts'
import { refused } from '../errors.ts'
import { requireAtOnce } from '../lib/at-once.ts'
import { describeInstant } from '../lib/log-text.ts'
import { isObject, isScope } from '../lib/parse-options.ts'
import { ownOf } from './token-form.ts'

/** The claims of a verified token, as they are in it; frozen, without a prototype. */
export type VerifiedClaims = Readonly<Record<string, unknown>>

/** Where something is said in a token: the name of a claim, a path into nested objects, or a function of all claims. */
export type ClaimPlace = string | readonly string[] | ((claims: VerifiedClaims) => unknown)

/** Where a token says what. */
export interface ClaimPlaces {
  readonly subject: ClaimPlace
  readonly email: ClaimPlace
  readonly emailVerified: ClaimPlace
  readonly name: ClaimPlace
  /** `null`: scopes bind nothing. */
  readonly scopes: ClaimPlace | null
}

/** Where tokens say it by OpenID Connect Core §5.1. */
export const STANDARD_PLACES: ClaimPlaces = {
  subject: 'sub',
  email: 'email',
  emailVerified: 'email_verified',
  name: 'name',
  scopes: null,
}

/**
 * Lay the places that are written over those that are known. An e-mail from elsewhere brings its own word on whether it is
 * verified: what is said of another one can deny it, and never vouch for it.
 */
export function placesOf<P extends Partial<ClaimPlaces>>(
  known: P,
  given: { readonly [K in keyof ClaimPlaces]?: ClaimPlaces[K] | undefined } = {},
): P {
  const written = Object.fromEntries(Object.entries(given).filter(([, place]) => place !== undefined))
  const { email = STANDARD_PLACES.email, emailVerified: word = STANDARD_PLACES.emailVerified } = known
  const place = Object.hasOwn(given, 'email') ? given.email : undefined
  if (place === undefined || place === email) return { ...known, ...written }
  const denied: ClaimPlace = (claims) => (readClaim(claims, word) === true ? undefined : readClaim(claims, word))
  return { ...known, emailVerified: denied, ...written }
}

/** Make the claims of a payload, for the functions of a host alone: a copy costs as much as all that is read of it here. */
export function toClaims(payload: object): VerifiedClaims {
  return Object.freeze(Object.assign(Object.create(null) as VerifiedClaims, payload))
}

/**
 * Read what a token says at a place; `undefined` where it says nothing. Own members of objects only.
 * @throws Error where a function of the host's answers by a promise
 */
export function readClaim(payload: object, place: ClaimPlace): unknown {
  if (typeof place === 'function') return requireAtOnce('createJwtVerifier: option "claims"', place(toClaims(payload)))
  if (typeof place === 'string') return ownOf(payload, place)
  return place.reduce<unknown>((value, name) => (isObject(value) ? ownOf(value, name) : undefined), payload)
}

/** What claims must hold. */
export interface ClaimRules {
  readonly places: Pick<ClaimPlaces, 'subject' | 'scopes'>
  /** Audiences of which the token must name one; `null`: not checked. */
  readonly audience: readonly string[] | null
  /** Of each of those the frozen list that all tokens for it alone share; left out: each has its own. */
  readonly audienceLists?: ReadonlyMap<unknown, readonly string[]> | undefined
  readonly clockToleranceSeconds: number
  /** The greatest age by `iat`, or `null`. */
  readonly maxTokenAgeSeconds: number | null
  /** Whether a token may be bound to a key (`cnf`, RFC 7800 §3.1), of which nobody asks a proof here. */
  readonly takesBoundTokens: boolean
}

/** What {@link checkClaims} made sure of. */
export interface CheckedClaims {
  readonly subject: string
  readonly audience: readonly string[]
  /** What the token may do at most; `null`: not said. */
  readonly scopes: readonly string[] | null
  /** Who acts for the subject, or `null`. */
  readonly actor: Actor | null
  /** The `exp` claim, in milliseconds. */
  readonly expiresAt: number
  /** From when to when the claims hold, tolerance included, in milliseconds; the end itself is outside. */
  readonly validFrom: number
  readonly validUntil: number
}

const MAX_SUBJECT = 255
// What a Date can hold, in seconds (ECMA-262 §21.4.1.1).
const MAX_INSTANT = 8.64e12

/**
 * Check the claims at the instant `now` (milliseconds), or refuse: `token_expired` if only `exp` is amiss, else
 * `unauthorized`. The issuer was checked by selecting its configuration.
 */
export function checkClaims(payload: object, rules: ClaimRules, now: number): CheckedClaims {
  // Nothing is later than NaN, so nothing would have ended.
  if (!Number.isFinite(now)) throw new TypeError('sallyport: the clock must give a number of milliseconds')
  const { places } = rules
  const subject = requireSubject(readClaim(payload, places.subject))
  const audience = readAudience(payload, rules)
  if (!rules.takesBoundTokens && ownOf(payload, 'cnf') !== undefined) {
    throw refused('unauthorized', { reason: 'token_bound_to_key' })
  }
  const scopes = places.scopes === null ? null : toScopes(readClaim(payload, places.scopes))
  const actor = toActor(ownOf(payload, 'act'))
  const leeway = rules.clockToleranceSeconds
  const tolerance = leeway * 1000
  const notBefore = readInstant(payload, 'nbf') ?? Number.NEGATIVE_INFINITY
  if (notBefore > now + tolerance) {
    const [expected, got] = [`nbf <= ${describeInstant(now)} + ${leeway} s`, describeInstant(notBefore)]
    throw refused('unauthorized', { reason: 'token_not_yet_valid', expected, got })
  }
  const issuedAt = readInstant(payload, 'iat')
  if (issuedAt !== null && issuedAt > now + tolerance) {
    const [expected, got] = [`iat <= ${describeInstant(now)} + ${leeway} s`, describeInstant(issuedAt)]
    throw refused('unauthorized', { reason: 'token_issued_in_future', expected, got })
  }
  const oldAt = ageLimit(issuedAt, rules.maxTokenAgeSeconds) + tolerance
  if (now >= oldAt) {
    const expected = `iat > ${describeInstant(now)} - ${rules.maxTokenAgeSeconds} s - ${leeway} s`
    const got = issuedAt === null ? 'none' : describeInstant(issuedAt)
    throw refused('unauthorized', { reason: 'token_too_old', expected, got })
  }
  const expiresAt = readInstant(payload, 'exp')
  if (expiresAt === null) throw refused('unauthorized', { reason: 'token_without_expiry' })
  if (expiresAt <= now - tolerance) {
    const expected = `exp > ${describeInstant(now)} - ${leeway} s`
    const got = describeInstant(expiresAt) + (issuedAt === null ? '' : `, issued ${describeInstant(issuedAt)}`)
    throw refused('token_expired', { reason: 'token_expiry_passed', expected, got })
  }
  return {
    subject,
    audience,
    scopes,
    actor,
    expiresAt,
    validFrom: Math.max(notBefore, issuedAt ?? Number.NEGATIVE_INFINITY) - tolerance,
    validUntil: Math.min(expiresAt + tolerance, oldAt),
  }
}

function requireSubject(subject: unknown): string {
  if (isSubject(subject)) return subject
  const got = subject === undefined ? 'none' : typeof subject
  throw refused('unauthorized', { reason: 'token_subject_malformed', got })
}

// Cc: C0, DEL and C1. Cs: lone surrogates, which no database and no UTF-8 can hold.
function isSubject(text: unknown): text is string {
  return typeof text === 'string' && text.length <= MAX_SUBJECT && text.trim() !== '' && !/[\p{Cc}\p{Cs}]/u.test(text)
}

// RFC 6749 §3.3, RFC 8693 §4.2: words with one space between them, or a list of them. Nothing said is nothing allowed.
function toScopes(claim: unknown): readonly string[] {
  const words =
    typeof claim === 'string' && claim !== '' ? claim.split(' ') : claim === undefined || claim === '' ? [] : claim
  if (Array.isArray(words) && words.every(isScope)) return Object.freeze([...new Set(words)])
  const [expected, got] = ['scopes with one space between them, or a list of scopes', describeType(claim)]
  throw refused('unauthorized', { reason: 'token_scopes_malformed', expected, got })
}

function describeType(claim: unknown): string {
  return Array.isArray(claim) ? 'list' : claim === null ? 'null' : typeof claim
}

const MAX_ACTORS = 4

// RFC 8693 §4.1: who acts, and in `act` of it, for whom that one does.
function toActor(claim: unknown, depth = 1): Actor | null {
  if (claim === undefined) return null
  const [subject, issuer] = isObject(claim) ? [ownOf(claim, 'sub'), ownOf(claim, 'iss')] : []
  if (!isObject(claim) || !isSubject(subject) || !(issuer === undefined || isSubject(issuer)) || depth > MAX_ACTORS) {
    const [expected, got] = [`who acts, at most ${MAX_ACTORS} deep`, depth > MAX_ACTORS ? 'more' : describeType(claim)]
    throw refused('unauthorized', { reason: 'token_actor_malformed', expected, got })
  }
  return Object.freeze({ subject, issuer: issuer ?? null, actor: toActor(ownOf(claim, 'act'), depth + 1) })
}

function readAudience(payload: object, { audience: wanted, audienceLists }: ClaimRules): readonly string[] {
  const claim = ownOf(payload, 'aud')
  const shared = audienceLists?.get(claim)
  if (shared !== undefined) return shared
  const audience: readonly unknown[] = claim === undefined ? [] : Array.isArray(claim) ? claim : [claim]
  if (!isStrings(audience)) throw refused('unauthorized', { reason: 'token_audience_malformed' })
  if (wanted !== null && !wanted.some((name) => audience.includes(name))) {
    const expected = wanted.join(', ')
    if (audience.length === 0) throw refused('unauthorized', { reason: 'token_audience_missing', expected })
    throw refused('unauthorized', { reason: 'token_audience_other', expected, got: audience.join(', ') })
  }
  return Object.freeze([...audience])
}

function isStrings(values: readonly unknown[]): values is readonly string[] {
  return values.every((value) => typeof value === 'string')
}

function readInstant(payload: object, name: 'exp' | 'nbf' | 'iat'): number | null {
  const value = ownOf(payload, name)
  if (value === undefined) return null
  if (typeof value !== 'number' || !(Math.abs(value) <= MAX_INSTANT)) {
    const [expected, got] = [`${name} in seconds`, typeof value]
    throw refused('unauthorized', { reason: 'token_time_malformed', expected, got })
  }
  return value * 1000
}

// A token that doesn't say how old it is, is too old.
function ageLimit(issuedAt: number | null, maxTokenAgeSeconds: number | null): number {
  if (maxTokenAgeSeconds === null) return Number.POSITIVE_INFINITY
  return issuedAt === null ? Number.NEGATIVE_INFINITY : issuedAt + maxTokenAgeSeconds * 1000
}
