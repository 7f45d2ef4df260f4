/**
 * How a machine account gets a token, one function per grant: by password with rotating refresh tokens (Supabase Auth), or
 * by client credentials (RFC 6749 §4.4). Hands on a verdict; when to ask is the business of `renewal`.
 */

import { exchangeJson, failureWord } from '../lib/json-exchange.ts'
import { discoverUrl } from '../verify/discovery.ts'
import { decideTokenAnswer, READ_STATUSES, type TokenVerdict } from './token-answer.ts'
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

/** Asks for a token now. */
type Obtain = (signal: AbortSignal) => Promise<Attempt>

/** What grants need from outside. */
export interface GrantOutside {
  readonly fetcher: typeof fetch
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Told of a refresh token that was refused, before the password is tried. */
  readonly onRefreshRefused: (failure: TokenFailure) => void
}

/** Make what asks for tokens by a grant. */
export function createObtain(grant: TokenGrant, outside: GrantOutside): Obtain {
  return grant.kind === 'supabase' ? createSupabaseGrant(grant, outside) : createClientCredentialsGrant(grant, outside)
}

/**
 * Sign in by password once, then by the refresh token that each answer brings. A refused one is forgotten and the password
 * is sent, once; a failure of any other kind spends nothing.
 */
function createSupabaseGrant(grant: SupabaseGrant, outside: GrantOutside): Obtain {
  const { apiKey, email, password } = grant
  const url = grant.url.replace(/\/$/, '')
  let refreshToken: string | null = null
  const ask = async (source: TokenSource, type: string, fields: object, signal: AbortSignal): Promise<Attempt> => {
    const headers = { 'content-type': 'application/json', apikey: apiKey }
    const target = `${url}/auth/v1/token?grant_type=${type}`
    const verdict = await exchange({ url: target, headers, body: JSON.stringify(fields) }, outside, signal)
    // Each refresh token works once; an answer without another one leaves the old in force (RFC 6749 §6).
    if (verdict.kind === 'granted') refreshToken = verdict.refreshToken ?? refreshToken
    return { source, verdict }
  }
  return async (signal) => {
    if (refreshToken !== null) {
      const attempt = await ask('refresh_token', 'refresh_token', { refresh_token: refreshToken }, signal)
      const { verdict } = attempt
      if (verdict.kind === 'granted' || verdict.failure.code !== 'token_refused') return attempt
      refreshToken = null
      outside.onRefreshRefused(verdict.failure)
    }
    return await ask('password', 'password', { email, password }, signal)
  }
}

/** Ask with the client's own credentials; the token endpoint is given, or found by discovery and kept while it answers. */
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
  for (const one of [error, memberOf(error, 'cause')]) {
    const code = memberOf(one, 'code')
    if (typeof code === 'string' && /^(?:E[A-Z_0-9]+|UND_ERR_[A-Z_]+|(?:[A-Z]+_)*CERT(?:_[A-Z]+)*)$/.test(code)) {
      return code.slice(0, 48)
    }
  }
  return null
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
