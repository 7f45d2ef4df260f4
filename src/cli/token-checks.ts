/** The checks of a token, in the order of the verifier, as data: by which reasons each fails, and what it says where it does not. */

import type { Refusal } from '../explain/explain.ts'
import type { IssuerOptions } from '../index.ts'
import type { Check } from './checks.ts'
import { describeWhen, type TokenFacts } from './token-facts.ts'

/** What has been found out, for the checks. */
export interface Found {
  readonly failures: ReadonlyMap<string, Refusal>
  readonly facts: TokenFacts | null
  readonly isVerified: boolean
  readonly hasKeys: boolean
  /** Whether the issuers are written as a service has them, by a preset or a config: what they leave out, they mean to. */
  readonly isWritten: boolean
  /** Whether it is good in every respect. */
  readonly isGood: boolean
  /** Whose rules it was asked by; `null`: nobody's, of several. */
  readonly issuer: IssuerOptions | null
}

type Passed = Pick<Check, 'state' | 'says' | 'try'>

/** One check of a token. */
export interface TokenCheck {
  readonly name: string
  readonly reasons: readonly string[]
  readonly isMinor?: boolean | undefined
  /** What it says where none of its reasons was given. */
  passes(found: Found, now: number): Passed
}

const skipped = (says: string): Passed => ({ state: 'skipped', says })
const passed = (says: string): Passed => ({ state: 'passes', says })

const NOT_READ = skipped('not asked: the token can’t be read')
const NOBODYS = skipped('not asked: no issuer of these has this name')

// What is said of the claims of a token that could be read.
const ofClaims =
  (says: (facts: NonNullable<Found['facts']>, now: number) => string): TokenCheck['passes'] =>
  ({ facts, issuer }, now) =>
    facts === null ? NOT_READ : issuer === null ? NOBODYS : passed(says(facts, now))

const KEY_REASONS = ['token_algorithm_not_of_issuer', 'token_key_unknown', 'token_key_ambiguous']

// At no instant are its claims good, so that no verifier comes to the signature alone.
function whyNotAsked({ issuedAt, notBefore, expiresAt }: TokenFacts): string {
  const from = Math.max(issuedAt?.getTime() ?? 0, notBefore?.getTime() ?? 0)
  return expiresAt !== null && expiresAt.getTime() <= from
    ? 'not asked: it expires before it begins to be good'
    : 'not asked: can’t be told apart from what fails'
}

/** All checks, in order. */
export const CHECKS: readonly TokenCheck[] = [
  {
    name: 'form',
    reasons: [
      ...['token_oversize', 'token_not_a_jwt', 'token_part_count', 'token_part_encoding', 'token_header_not_object'],
      ...['token_header_extension', 'token_algorithm_unknown', 'token_kid_malformed', 'token_type_malformed'],
      ...['token_payload_not_object'],
    ],
    passes: ({ facts }) => passed(`a signed JWT of ${facts?.bytes} bytes`),
  },
  {
    name: 'issuer',
    reasons: ['token_issuer_unknown', 'issuer_look_ups_exhausted', 'issuer_look_up_failing'],
    passes({ facts, issuer }) {
      if (facts === null) return NOT_READ
      if (issuer === null) return NOBODYS
      if (issuer.issuer !== null) return passed(`"${facts.issuer}"`)
      const says = facts.issuer === null ? 'the token names none' : `"${facts.issuer}", which is not compared with any`
      return { state: 'warning', says, try: '--issuer names the one that is trusted' }
    },
  },
  {
    name: 'type',
    reasons: ['token_type_refused'],
    passes: ofClaims(({ type }) => (type === null ? 'none, which is accepted' : `"${type}"`)),
  },
  {
    name: 'key',
    reasons: [...KEY_REASONS, 'key_servers_failing'],
    passes({ facts, hasKeys, isVerified, issuer, failures }) {
      if (facts === null) return NOT_READ
      if (issuer === null) return NOBODYS
      if (!hasKeys) return { state: 'unknown', says: 'none was given' }
      const isFound = isVerified || failures.has('token_signature_invalid')
      return isFound ? passed(`one for ${facts.algorithm} fits`) : skipped(whyNotAsked(facts))
    },
  },
  {
    name: 'signature',
    reasons: ['token_signature_invalid'],
    passes({ facts, hasKeys, isVerified, failures }) {
      if (facts === null) return NOT_READ
      if (!hasKeys)
        return { state: 'unknown', says: 'not verified: without a key anybody may have written all of this' }
      if (isVerified) return passed('good')
      if (failures.has('key_servers_failing')) return skipped('not asked: the keys can’t be had')
      const hasNoKey = KEY_REASONS.some((reason) => failures.has(reason))
      return skipped(hasNoKey ? 'not asked: no key of theirs fits' : whyNotAsked(facts))
    },
  },
  { name: 'subject', reasons: ['token_subject_malformed'], isMinor: true, passes: ofClaims(() => 'there is one') },
  {
    name: 'audience',
    reasons: ['token_audience_malformed', 'token_audience_missing', 'token_audience_other'],
    passes({ facts, issuer, isWritten }) {
      if (facts === null) return NOT_READ
      if (issuer === null) return NOBODYS
      const names = facts.audience.map((each) => `"${each}"`).join(', ') || 'none'
      if (issuer.audience !== null) return passed(names)
      if (isWritten) return passed(`${names}, which the issuer’s options do not compare`)
      const next = '--audience names the one of this API: without it, tokens for others pass'
      return { state: 'warning', says: `${names}, which is not compared with any`, try: next }
    },
  },
  { name: 'binding', reasons: ['token_bound_to_key'], isMinor: true, passes: ofClaims(() => 'a bearer token') },
  {
    name: 'scopes',
    reasons: ['token_scopes_malformed'],
    isMinor: true,
    passes: ofClaims(() => 'well-formed, or none'),
  },
  { name: 'actor', reasons: ['token_actor_malformed'], isMinor: true, passes: ofClaims(() => 'well-formed, or none') },
  { name: 'numbers', reasons: ['token_time_malformed'], isMinor: true, passes: ofClaims(() => 'times in seconds') },
  {
    name: 'not before',
    reasons: ['token_not_yet_valid'],
    isMinor: true,
    passes: ofClaims(({ notBefore }, now) => (notBefore === null ? 'not said' : describeWhen(notBefore, now))),
  },
  {
    name: 'issued',
    reasons: ['token_issued_in_future', 'token_too_old'],
    passes: ofClaims(({ issuedAt }, now) => (issuedAt === null ? 'not said' : describeWhen(issuedAt, now))),
  },
  {
    name: 'expires',
    reasons: ['token_without_expiry', 'token_expiry_passed'],
    passes: ofClaims(({ expiresAt }, now) => (expiresAt === null ? 'not said' : describeWhen(expiresAt, now))),
  },
  {
    name: 'rules',
    reasons: ['identity_check_refused', 'token_kind_not_accepted', 'anonymous_user', 'third_party_app'],
    isMinor: true,
    passes: ({ isGood, hasKeys }) =>
      isGood && hasKeys ? passed('those of the issuer’s options let it pass') : skipped('asked of good tokens alone'),
  },
]
