/**
 * How a machine account gets a token, one function per grant: by password with rotating refresh tokens (Supabase Auth), or
 * by client credentials (RFC 6749 §4.4); and what the answer of a token endpoint is worth. Hands on a verdict: nothing an
 * issuer writes is in it but words of a fixed list. When to ask is the business of `renewal`.
 */
import { decodeBase64Url } from '../lib/base64url.ts'
import { exchangeJson, failureWord, type JsonAnswer, parseJsonObject } from '../lib/json-exchange.ts'
import { trimBlanks } from '../lib/trim-blanks.ts'
import { discoverUrl } from '../verify/discovery.ts'
import { type TokenFailure, toTokenFailure } from './token-client-error.ts'

/** A machine account that is a user of a Supabase project: password grant, rotating refresh tokens. */
interface SupabaseGrant {
  readonly kind: 'supabase'
  /** The project's URL, `https://<project>.supabase.co`. */
  readonly url: string
  /** The project's publishable (anon) key, sent as `apikey`. */
  readonly apiKey: string
  /** The machine account's e-mail. */
  readonly email: string
  /** Its password. */
  readonly password: string
}

/** A machine account that is an OAuth client: client credentials (RFC 6749 §4.4). */
type ClientCredentialsGrant = {
  readonly kind: 'clientCredentials'
  readonly clientId: string
  readonly clientSecret: string
  /** How the client proves itself (RFC 6749 §2.3.1). Default `basic`; `post` sends id and secret in the body. */
  readonly clientAuth?: 'basic' | 'post' | undefined
  /** Scopes to ask for. Default: the issuer's own choice. */
  readonly scopes?: readonly string[] | undefined
  /** Resource indicators (RFC 8707): absolute URIs. */
  readonly resource?: string | readonly string[] | undefined
  /** The `audience` parameter that some issuers want instead. */
  readonly audience?: string | readonly string[] | undefined
} & (
  | {
      /** The token endpoint. */
      readonly tokenUrl: string
      readonly issuer?: undefined
    }
  | {
      /** The exact issuer; its token endpoint is looked up at the first use (OpenID Connect Discovery). */
      readonly issuer: string
      readonly tokenUrl?: undefined
    }
)

/** How the machine account gets its tokens. */
export type TokenGrant = SupabaseGrant | ClientCredentialsGrant

/** How a token was asked for. */
export type TokenSource = 'password' | 'refresh_token' | 'client_credentials'

/** A verdict, and what it is about. */
export interface Attempt {
  readonly source: TokenSource
  readonly verdict: TokenVerdict
}

type Obtain = (signal: AbortSignal) => Promise<Attempt>

/** What grants need from outside. */
export interface GrantOutside {
  readonly fetcher: typeof fetch
  readonly clock: () => number
  /** Told of a refresh token that was refused, before the password is tried. */
  readonly onRefreshRefused: (failure: TokenFailure) => void
}

/** Make what asks for tokens by a grant. */
export function createObtain(grant: TokenGrant, outside: GrantOutside): Obtain {
  return grant.kind === 'supabase' ? createSupabaseGrant(grant, outside) : createClientCredentialsGrant(grant, outside)
}

// By password once, then by the refresh token that each answer brings. A refused one is forgotten and the password is sent,
// once; a failure of any other kind spends nothing.
function createSupabaseGrant(grant: SupabaseGrant, outside: GrantOutside): Obtain {
  const { apiKey, email, password } = grant
  const url = grant.url.replace(/\/$/, '')
  let refreshToken: string | null = null
  const ask = async (source: TokenSource, fields: object, signal: AbortSignal): Promise<Attempt> => {
    const headers = { 'content-type': 'application/json', apikey: apiKey }
    const target = `${url}/auth/v1/token?grant_type=${source}`
    const verdict = await exchange({ url: target, headers, body: JSON.stringify(fields) }, outside, signal)
    // Each refresh token works once; an answer without another one leaves the old in force (RFC 6749 §6).
    if (verdict.kind === 'granted') refreshToken = verdict.refreshToken ?? refreshToken
    return { source, verdict }
  }
  return async (signal) => {
    if (refreshToken !== null) {
      const attempt = await ask('refresh_token', { refresh_token: refreshToken }, signal)
      const { verdict } = attempt
      if (verdict.kind === 'granted' || verdict.failure.code !== 'token_refused') return attempt
      refreshToken = null
      outside.onRefreshRefused(verdict.failure)
    }
    return await ask('password', { email, password }, signal)
  }
}

// The token endpoint is given, or found by discovery and kept while it answers.
function createClientCredentialsGrant(grant: ClientCredentialsGrant, outside: GrantOutside): Obtain {
  const { headers, body } = toClientRequest(grant)
  const source = 'client_credentials'
  let discovered: string | null = null
  return async (signal) => {
    const url = grant.tokenUrl ?? discovered ?? (await discover(grant.issuer as string, outside.fetcher, signal))
    if (typeof url !== 'string') return { source, verdict: { kind: 'failed', failure: url } }
    const verdict = await exchange({ url, headers, body }, outside, signal)
    // The endpoint may have moved: whatever is no OAuth answer makes the next attempt look it up again.
    const lost = verdict.kind === 'failed' && verdict.failure.code === 'token_unavailable'
    discovered = lost ? null : url
    return { source, verdict }
  }
}

interface TokenRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

async function exchange(
  request: TokenRequest,
  { fetcher, clock }: GrantOutside,
  signal: AbortSignal,
): Promise<TokenVerdict> {
  try {
    return decideTokenAnswer(await exchangeJson(fetcher, { ...request, read: READ_STATUSES }, signal), clock())
  } catch (error) {
    const systemCode = systemCodeOf(error)
    return { kind: 'failed', failure: toTokenFailure('token_unavailable', 'network', { systemCode }) }
  }
}

// RFC 6749 §2.3.1: id and secret are form-encoded before they are joined for Basic; any byte may be in them.
function toClientRequest(grant: ClientCredentialsGrant): Omit<TokenRequest, 'url'> {
  const { clientId, clientSecret, clientAuth = 'basic', scopes = [], resource = [], audience = [] } = grant
  const fields = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scopes.length > 0) fields.set('scope', scopes.join(' '))
  for (const each of [resource].flat()) fields.append('resource', each)
  for (const each of [audience].flat()) fields.append('audience', each)
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' }
  if (clientAuth === 'basic') {
    headers['authorization'] = `Basic ${btoa(`${formEncode(clientId)}:${formEncode(clientSecret)}`)}`
  } else {
    fields.set('client_id', clientId)
    fields.set('client_secret', clientSecret)
  }
  return { headers, body: fields.toString() }
}

function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

async function discover(issuer: string, fetcher: typeof fetch, signal: AbortSignal): Promise<string | TokenFailure> {
  try {
    return await discoverUrl(fetcher, { issuer, member: 'token_endpoint' }, signal)
  } catch (error) {
    const reason = `discovery_${failureWord(error).replace(/^metadata_/, '')}`
    return toTokenFailure('token_unavailable', reason, { systemCode: systemCodeOf(error) })
  }
}

// Of what `fetch` throws, the code of the system at most, never its message: it may hold a secret.
function systemCodeOf(error: unknown): string | null {
  for (const one of [error, (error as Thrown)?.cause]) {
    const code = (one as Thrown)?.code
    if (typeof code === 'string' && /^(?:E[A-Z_0-9]+|UND_ERR_[A-Z_]+|(?:[A-Z]+_)*CERT(?:_[A-Z]+)*)$/.test(code)) {
      return code.slice(0, 48)
    }
  }
  return null
}

type Thrown = { readonly code?: unknown; readonly cause?: unknown } | null | undefined

/** What an answer is worth. */
type TokenVerdict =
  | {
      readonly kind: 'granted'
      readonly token: string
      readonly refreshToken: string | null
      /** Its life, counted from when it was asked for: no clock but ours is read. */
      readonly expiresInSeconds: number
    }
  | { readonly kind: 'failed'; readonly failure: TokenFailure }

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

// Whose bodies say something of a token.
const READ_STATUSES = [200, 201, 400, 401, 403]
const MAX_TOKEN_LETTERS = 16_384
const MAX_LIFE_SECONDS = 10 * 365 * 86_400
// What a token that says nothing of its end is taken to live.
const ASSUMED_LIFE_SECONDS = 300

/** Decide what an answer is worth (RFC 6749 §5; Supabase Auth writes the same members). `now` is in milliseconds. */
export function decideTokenAnswer(answer: JsonAnswer, now: number): TokenVerdict {
  const { status, body } = answer
  const seen = { status, retryAfterSeconds: toSeconds(answer.retryAfter, now) }
  const unavailable = (reason: string): TokenVerdict => failed(toTokenFailure('token_unavailable', reason, seen))
  if (status >= 300 && status < 400) return unavailable('redirect')
  const members = typeof body === 'string' ? null : body
  if (status === 400 || status === 401 || status === 403) {
    const words = [members?.['error'], members?.['error_code'], members?.['code']].filter(isErrorWord)
    const word =
      words.find((each) => REFUSALS.has(each) || PASSING.has(each)) ?? (words.length > 0 ? 'refused' : 'status')
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
