/**
 * How a machine account gets a token, one function per grant: by password with rotating refresh tokens (Supabase Auth), or
 * by client credentials (RFC 6749 §4.4). Hands on a verdict; when to ask is the business of `renewal`.
 */

import { parseNamedUrl } from '../lib/http-url.ts'
import { failureWord, fetchJsonObject } from '../verify/key-fetch.ts'
import type { ClientCredentialsGrant, SupabaseGrant } from './grant-options.ts'
import { decideTokenAnswer, type TokenVerdict } from './token-answer.ts'
import { type TokenFailure, toTokenFailure } from './token-client-error.ts'
import { describeThrown, sendTokenRequest, type TokenRequest } from './token-request.ts'

/** How a token was asked for. */
export type TokenSource = 'password' | 'refresh_token' | 'client_credentials'

/** A verdict, and what it is about. */
export interface Attempt {
  readonly source: TokenSource
  readonly verdict: TokenVerdict
}

/** Asks for a token now. */
export type Obtain = (signal: AbortSignal) => Promise<Attempt>

/** What grants need from outside. */
export interface GrantOutside {
  readonly fetcher: typeof fetch
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Told of a refresh token that was refused, before the password is tried. */
  readonly onRefreshRefused: (failure: TokenFailure) => void
}

/**
 * Sign in by password once, then by the refresh token that each answer brings. A refused one is forgotten and the password
 * is sent, once; a failure of any other kind spends nothing.
 */
export function createSupabaseGrant(grant: SupabaseGrant, outside: GrantOutside): Obtain {
  const { url, apiKey, email, password } = grant
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
export function createClientCredentialsGrant(grant: ClientCredentialsGrant, outside: GrantOutside): Obtain {
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

async function exchange(
  request: TokenRequest,
  { fetcher, clock }: GrantOutside,
  signal: AbortSignal,
): Promise<TokenVerdict> {
  try {
    return decideTokenAnswer(await sendTokenRequest(fetcher, request, signal), clock())
  } catch (error) {
    return { kind: 'failed', failure: describeThrown(error) }
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
  const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
  try {
    const url = new URL(`${base}/.well-known/openid-configuration`)
    return decideEndpoint(issuer, await fetchJsonObject(fetcher, url, signal))
  } catch (error) {
    const { systemCode } = describeThrown(error)
    return toTokenFailure('token_unavailable', `discovery_${failureWord(error)}`, { systemCode })
  }
}

// OpenID Connect Discovery 1.0 §4: the metadata must name exactly this issuer, or it is somebody else's endpoint.
function decideEndpoint(issuer: string, metadata: object): string | TokenFailure {
  const { issuer: named, token_endpoint: endpoint } = { issuer: null, token_endpoint: null, ...metadata }
  if (named !== (issuer as unknown)) return toTokenFailure('token_unavailable', 'discovery_names_another_issuer')
  try {
    return parseNamedUrl('token_endpoint', endpoint, issuer).href
  } catch {
    // No endpoint, or one that a secret must not travel to.
    return toTokenFailure('token_unavailable', 'discovery_names_a_bad_endpoint')
  }
}
