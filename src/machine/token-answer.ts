/**
 * Judge the answer of a token endpoint (RFC 6749 §5; Supabase Auth writes the same members). Pure: an answer in, a token
 * or the reason why there is none out. Nothing an issuer writes reaches an error but words of a fixed list.
 */
import { decodeBase64Url } from '../lib/base64url.ts'
import { type JsonAnswer, parseJsonObject } from '../lib/json-exchange.ts'
import { trimBlanks } from '../lib/trim-blanks.ts'
import { type TokenFailure, toTokenFailure } from './token-client-error.ts'

/** A token as it came. It is a secret. */
interface GrantedToken {
  readonly kind: 'granted'
  readonly token: string
  readonly refreshToken: string | null
  /** Its life, counted from when it was asked for: no clock but ours is read. */
  readonly expiresInSeconds: number
}

/** The verdict on an answer. */
export type TokenVerdict = GrantedToken | { readonly kind: 'failed'; readonly failure: TokenFailure }

// RFC 6749 §5.2, RFC 8707 §2, and what Supabase Auth says of a password or a refresh token.
const REFUSALS: ReadonlySet<unknown> = new Set([
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type'],
  ...['invalid_scope', 'invalid_target', 'access_denied', 'invalid_credentials', 'email_not_confirmed', 'user_banned'],
  ...['user_not_found', 'validation_failed', 'email_provider_disabled', 'captcha_failed', 'session_expired'],
  ...['session_not_found', 'refresh_token_not_found', 'refresh_token_already_used', 'bad_json'],
])
const PASSING: ReadonlySet<unknown> = new Set([
  'temporarily_unavailable',
  'server_error',
  'slow_down',
  'request_timeout',
])

/** The statuses whose bodies say something of a token. */
export const READ_STATUSES: readonly number[] = [200, 201, 400, 401, 403]

const MAX_TOKEN_LETTERS = 16_384
const MAX_LIFE_SECONDS: number = 10 * 365 * 86_400
/** What a token that says nothing of its end is taken to live. */
const ASSUMED_LIFE_SECONDS = 300

/**
 * Decide what an answer is worth.
 *
 * @param now milliseconds, for a `Retry-After` that is a date, and for a token that tells only when it ends
 */
export function decideTokenAnswer(answer: JsonAnswer, now: number): TokenVerdict {
  const { status, body } = answer
  const seen = { status, retryAfterSeconds: toSeconds(answer.retryAfter, now) }
  const unavailable = (reason: string): TokenVerdict => failed(toTokenFailure('token_unavailable', reason, seen))
  if (status >= 300 && status < 400) return unavailable('redirect')
  const members = typeof body === 'string' ? null : body
  if (status === 400 || status === 401 || status === 403) {
    const words = [members?.['error'], members?.['error_code'], members?.['code']].filter(isErrorWord)
    const word = words.find(isKnown) ?? (words.length > 0 ? 'refused' : 'status')
    if (word === 'status' || PASSING.has(word)) return unavailable(word)
    return failed(toTokenFailure('token_refused', word, { status }))
  }
  if (status === 429) return unavailable('rate_limited')
  if (status !== 200 && status !== 201) return unavailable('status')
  if (members === null) return unavailable(body === 'too_large' ? 'too_large' : 'not_json')
  return readToken(members, now, unavailable)
}

function readToken(
  members: Readonly<Record<string, unknown>>,
  now: number,
  unavailable: (reason: string) => TokenVerdict,
): TokenVerdict {
  const { access_token: token, token_type: type, refresh_token: refreshToken, expires_in: expiresIn } = members
  // The letters of RFC 6750 §2.1: anything else could break out of the header it is sent in.
  if (typeof token !== 'string' || !/^[\w.~+/-]+=*$/.test(token) || token.length > MAX_TOKEN_LETTERS) {
    return unavailable('no_access_token')
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return unavailable('not_a_bearer_token')
  const expiresInSeconds = lifeOf(expiresIn) ?? lifeOfJwt(token, now) ?? ASSUMED_LIFE_SECONDS
  if (!(expiresInSeconds > 0)) return unavailable('bad_lifetime')
  return {
    kind: 'granted',
    token,
    refreshToken: typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : null,
    expiresInSeconds: Math.min(expiresInSeconds, MAX_LIFE_SECONDS),
  }
}

function failed(failure: TokenFailure): TokenVerdict {
  return { kind: 'failed', failure }
}

// How OAuth and Supabase Auth write each of their words. What stands in front of an issuer (a firewall, a gateway) refuses by
// a page, or by `Forbidden`: that says nothing of the account.
function isErrorWord(member: unknown): member is string {
  return typeof member === 'string' && /^[a-z]+(?:_[a-z]+)+$/.test(member)
}

function isKnown(word: string): boolean {
  return REFUSALS.has(word) || PASSING.has(word)
}

// `NaN` is a life that was named and makes no sense; `null` one that was not named.
function lifeOf(expiresIn: unknown): number | null {
  if (expiresIn === undefined || expiresIn === null) return null
  if (typeof expiresIn === 'number') return expiresIn
  return typeof expiresIn === 'string' && /^\d{1,10}$/.test(expiresIn) ? Number(expiresIn) : Number.NaN
}

// From `iat` to `exp`, both by the issuer's clock, so that it doesn't matter how far that is off.
function lifeOfJwt(token: string, now: number): number | null {
  const bytes = decodeBase64Url(token.split('.')[1] ?? '')
  const claims = bytes === null ? 'not_json' : parseJsonObject(bytes)
  if (typeof claims === 'string') return null
  const { exp, iat } = claims
  if (typeof exp !== 'number') return null
  return exp - (typeof iat === 'number' ? iat : now / 1000)
}

// RFC 9110 §10.2.3: seconds, or a date.
function toSeconds(retryAfter: string | null, now: number): number | null {
  const text = trimBlanks(retryAfter ?? '')
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const date = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now) / 1000))
}
