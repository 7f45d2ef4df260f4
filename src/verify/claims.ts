/**
 * The claims of a token whose signature is good: subject, audience and times, `exp` last, so that `token_expired` is
 * said only of a token that is right in everything else. Hands on what the identity is built from.
 */
import { AuthError } from '../errors.ts'
import { describeInstant } from '../lib/log-text.ts'
import { ownOf } from './token-form.ts'

/** What claims must hold. */
export interface ClaimRules {
  /** Audiences of which the token must name one; `null`: not checked. */
  readonly audience: readonly string[] | null
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
  const subject = readSubject(payload)
  const audience = readAudience(payload, rules.audience)
  if (!rules.takesBoundTokens && ownOf(payload, 'cnf') !== undefined) {
    throw new AuthError('unauthorized', { reason: 'token_bound_to_key' })
  }
  const leeway = rules.clockToleranceSeconds
  const tolerance = leeway * 1000
  const notBefore = readInstant(payload, 'nbf') ?? Number.NEGATIVE_INFINITY
  if (notBefore > now + tolerance) {
    const [expected, got] = [`nbf <= ${describeInstant(now)} + ${leeway} s`, describeInstant(notBefore)]
    throw new AuthError('unauthorized', { reason: 'token_not_yet_valid', expected, got })
  }
  const issuedAt = readInstant(payload, 'iat')
  if (issuedAt !== null && issuedAt > now + tolerance) {
    const [expected, got] = [`iat <= ${describeInstant(now)} + ${leeway} s`, describeInstant(issuedAt)]
    throw new AuthError('unauthorized', { reason: 'token_issued_in_future', expected, got })
  }
  const oldAt = ageLimit(issuedAt, rules.maxTokenAgeSeconds) + tolerance
  if (now >= oldAt) {
    const expected = `iat > ${describeInstant(now)} - ${rules.maxTokenAgeSeconds} s - ${leeway} s`
    const got = issuedAt === null ? 'none' : describeInstant(issuedAt)
    throw new AuthError('unauthorized', { reason: 'token_too_old', expected, got })
  }
  const expiresAt = readInstant(payload, 'exp')
  if (expiresAt === null) throw new AuthError('unauthorized', { reason: 'token_without_expiry' })
  if (expiresAt <= now - tolerance) {
    const [expected, got] = [`exp > ${describeInstant(now)} - ${leeway} s`, describeInstant(expiresAt)]
    throw new AuthError('token_expired', { reason: 'token_expiry_passed', expected, got })
  }
  return {
    subject,
    audience,
    expiresAt,
    validFrom: Math.max(notBefore, issuedAt ?? Number.NEGATIVE_INFINITY) - tolerance,
    validUntil: Math.min(expiresAt + tolerance, oldAt),
  }
}

function readSubject(payload: object): string {
  const subject = ownOf(payload, 'sub')
  if (typeof subject !== 'string' || !isSubject(subject)) {
    throw new AuthError('unauthorized', { reason: 'token_subject_malformed' })
  }
  return subject
}

// Cc: C0, DEL and C1. Cs: lone surrogates, which no database and no UTF-8 can hold.
function isSubject(text: string): boolean {
  return text.length <= MAX_SUBJECT && text.trim() !== '' && !/[\p{Cc}\p{Cs}]/u.test(text)
}

function readAudience(payload: object, wanted: readonly string[] | null): readonly string[] {
  const claim = ownOf(payload, 'aud')
  const audience: readonly unknown[] = claim === undefined ? [] : Array.isArray(claim) ? claim : [claim]
  if (!isStrings(audience)) throw new AuthError('unauthorized', { reason: 'token_audience_malformed' })
  if (wanted !== null && !wanted.some((name) => audience.includes(name))) {
    const expected = wanted.join(', ')
    if (audience.length === 0) throw new AuthError('unauthorized', { reason: 'token_audience_missing', expected })
    throw new AuthError('unauthorized', { reason: 'token_audience_other', expected, got: audience.join(', ') })
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
    throw new AuthError('unauthorized', { reason: 'token_time_malformed', expected, got })
  }
  return value * 1000
}

// A token that doesn't say how old it is, is too old.
function ageLimit(issuedAt: number | null, maxTokenAgeSeconds: number | null): number {
  if (maxTokenAgeSeconds === null) return Number.POSITIVE_INFINITY
  return issuedAt === null ? Number.NEGATIVE_INFINITY : issuedAt + maxTokenAgeSeconds * 1000
}
