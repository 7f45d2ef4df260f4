/**
 * Machine accounts: a job or a service of ours that signs in somewhere as itself. Hands on tokens that are good for a
 * while, and a `fetch` that carries them.
 */
import * as z from 'zod/mini'
import { parseHttpUrl } from '../lib/http-url.ts'
import { notify } from '../lib/notify.ts'
import { aFunction, aNumber, parseOptions } from '../lib/parse-options.ts'
import { describeEdges } from '../lib/secret-check.ts'
import {
  type ClientCredentialsGrant,
  createClientCredentialsGrant,
  createSupabaseGrant,
  type GrantOutside,
  type Obtain,
  type SupabaseGrant,
  type TokenGrant,
  type TokenSource,
} from './grants.ts'
import { createRenewal } from './renewal.ts'
import type { TokenClientErrorCode } from './token-client-error.ts'
import { createTokenFetch } from './token-fetch.ts'

/** What happened to the token of a machine account: for metrics and the log. Holds no secret. */
export type TokenEvent =
  | {
      readonly type: 'renewed'
      /** By what. */
      readonly source: TokenSource
      /** The life the issuer gave it. */
      readonly expiresInSeconds: number
      readonly at: Date
    }
  | {
      /** The refresh token was refused; the password is tried next. */
      readonly type: 'refresh_refused'
      readonly reason: string
      readonly at: Date
    }
  | {
      readonly type: 'failed'
      readonly code: TokenClientErrorCode
      readonly reason: string
      readonly status: number | null
      /** How long the issuer is left alone now. */
      readonly retryAfterSeconds: number | null
      readonly at: Date
    }

/** Options of {@link createTokenClient}. */
export interface TokenClientOptions {
  /** Who the machine account is and where it signs in. */
  readonly grant: TokenGrant
  /** The origins (`https://api.example.com`) that `fetch` may send the token to; none is `[]`. */
  readonly origins: readonly string[]
  /** How long before its end a token is handed out no more. Default 10; at most a tenth of its life counts. */
  readonly marginSeconds?: number | undefined
  /** How long getting a token may take, all requests together. Default 10. */
  readonly timeoutSeconds?: number | undefined
  /** How long the wrapped `fetch` waits for the head of an answer; the body has no limit. Default 60; `null`: for ever. */
  readonly responseTimeoutSeconds?: number | null | undefined
  /** Told of every renewal and every failure; what it throws is dropped. */
  readonly onEvent?: ((event: TokenEvent) => unknown) | undefined
  /** What sends requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
  /** Now, in milliseconds. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** What {@link createTokenClient} makes. */
export interface TokenClient {
  /**
   * Get a token that is good for at least the margin. Costs nothing while there is one; else waits for the one request
   * that is under way.
   *
   * @throws TokenClientError `token_unavailable`, `token_refused`, `client_closed`
   */
  token(): Promise<string>
  /**
   * `fetch` with the token as bearer. A 401 is answered by one more try with a renewed token, unless the body is a stream
   * (or came in a `Request`): then the 401 is yours, and the renewal goes on without you. However often a token is revoked
   * after it worked, the next call replaces it. Only after a new token was refused in turn no 401 is answered by another
   * one for ten seconds, so that a service that refuses everything does not wear out the issuer: those 401s are yours.
   * Redirects are followed, at most 20; the first one to another origin drops the token. An `Authorization` header of
   * yours is replaced.
   *
   * @throws TokenClientError also `origin_not_allowed`; whatever `fetch` throws; `TimeoutError` (a `DOMException`)
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** Forget the tokens, end the request under way and all timers. Calls on their way to a service are left alone. */
  close(): void
}

const NAME = 'createTokenClient'

/**
 * Create a client that keeps a machine account signed in.
 *
 * Nothing happens before the first call. A token in use is renewed after 70 to 80 % of its life by one request, whoever
 * asks; a timer begins it and nobody waits. Where no timer did (workers, a client that was idle), one call begins it and
 * stays for it, at most a second. A client that nobody uses asks nobody. While the issuer is down calls go on with the old token as
 * long as it lives, then fail with `token_unavailable`; the issuer is asked again after rests of half a second to a minute
 * (half a minute to five after a refusal), or what its `Retry-After` says, up to 15 minutes. A token's life is counted by
 * our clock from the moment it was asked for (`expires_in`, else `exp` − `iat`): neither side's clock has to be right.
 *
 * Cost of a call while a token is held: nothing; a renewal is one request (RFC 6749 §4.3, §4.4 and §6, one at a time).
 *
 * Secrets travel over https only (http for loopback hosts), to the token endpoint only, never after a redirect; none is in
 * an error, an event, or what `util.inspect` shows. No timer keeps the process alive. Runs on Node, Bun, Deno and workers.
 *
 * @param options who signs in, and where the token may go
 * @throws TypeError at construction: a missing or blank secret, a plain http URL, an origin with a path, a misspelt option
 * @example
 * const client = createTokenClient({
 *   grant: { kind: 'supabase', url: SUPABASE_URL, apiKey: SUPABASE_ANON_KEY, email: 'bot@example.com', password },
 *   origins: ['https://api.example.com'],
 * })
 * const answer = await client.fetch('https://api.example.com/api/dependencies')
 */
export function createTokenClient(options: TokenClientOptions): TokenClient {
  const { grant, origins, marginSeconds, timeoutSeconds, responseTimeoutSeconds, fetcher, clock, onEvent } =
    parseTokenClientOptions(options)
  const at = (): Date => new Date(clock())
  const renewal = createRenewal({
    obtain: toObtain(grant, {
      fetcher,
      clock,
      onRefreshRefused: ({ reason }) => onEvent({ type: 'refresh_refused', reason, at: at() }),
    }),
    clock,
    marginSeconds,
    timeoutSeconds,
    onRenewed: (source, expiresInSeconds) => onEvent({ type: 'renewed', source, expiresInSeconds, at: at() }),
    onFailed: ({ code, reason, status, retryAfterSeconds }) =>
      onEvent({ type: 'failed', code, reason, status, retryAfterSeconds, at: at() }),
  })
  return Object.freeze({
    token: renewal.token,
    fetch: createTokenFetch(renewal, origins, { fetcher, timeoutSeconds: responseTimeoutSeconds }),
    close: renewal.close,
  })
}

function toObtain(grant: TokenGrant, outside: GrantOutside): Obtain {
  return grant.kind === 'supabase' ? createSupabaseGrant(grant, outside) : createClientCredentialsGrant(grant, outside)
}

function parseTokenClientOptions(options: TokenClientOptions) {
  const shape = {
    grant: z.unknown(),
    origins: z.array(z.unknown()),
    marginSeconds: z.optional(aNumber(0, 3600)),
    timeoutSeconds: z.optional(aNumber(0.1, 300)),
    responseTimeoutSeconds: z.optional(z.nullable(aNumber(0.1, 86_400))),
    onEvent: z.optional(aFunction<(event: TokenEvent) => unknown>()),
    fetch: z.optional(aFunction<typeof fetch>()),
    clock: z.optional(aFunction<() => number>()),
  }
  const parsed = parseOptions(NAME, shape, options)
  const { responseTimeoutSeconds = 60 } = parsed
  return {
    grant: parseGrant(`${NAME}: option "grant"`, parsed.grant),
    origins: new Set(parsed.origins.map((origin, index) => toOrigin(`${NAME}: origins[${index}]`, origin))),
    marginSeconds: parsed.marginSeconds ?? 10,
    timeoutSeconds: parsed.timeoutSeconds ?? 10,
    responseTimeoutSeconds,
    // Looked up at each call: a worker's global one must not be torn off, a tracer may replace it later.
    fetcher: parsed.fetch ?? ((input: string | URL | Request, init?: RequestInit) => fetch(input, init)),
    clock: parsed.clock ?? Date.now,
    onEvent: (event: TokenEvent) => notify(parsed.onEvent, Object.freeze(event)),
  }
}

function toOrigin(name: string, given: unknown): string {
  const url = parseHttpUrl(name, given)
  if (url.pathname !== '/' || url.search !== '') throw new TypeError(`${name} must be an origin, without a path`)
  return url.origin
}

/** Judge a grant; `name` is what to call it in errors. No value is ever part of one. */
export function parseGrant(name: string, given: unknown): TokenGrant {
  const kind =
    typeof given === 'object' && given !== null && Object.hasOwn(given, 'kind') ? Reflect.get(given, 'kind') : null
  if (kind === 'supabase') return parseSupabase(name, given)
  if (kind === 'clientCredentials') return parseClientCredentials(name, given)
  throw new TypeError(`${name} must have a "kind": "supabase" or "clientCredentials"`)
}

function parseSupabase(name: string, given: unknown): SupabaseGrant {
  const shape = { kind: z.literal('supabase'), url: z.unknown(), apiKey: aKey(), email: aText(), password: aSecret() }
  const grant = parseOptions(name, shape, given)
  const url = parseHttpUrl(`${name}: option "url"`, grant.url)
  if (url.search !== '') throw new TypeError(`${name}: option "url" must not contain a query`)
  return { ...grant, url: url.href.replace(/\/$/, '') }
}

function parseClientCredentials(name: string, given: unknown): ClientCredentialsGrant {
  const shape = {
    kind: z.literal('clientCredentials'),
    clientId: aText(),
    clientSecret: aSecret(),
    clientAuth: z.optional(z.enum(['basic', 'post'])),
    scopes: z.optional(z.array(aScope())),
    resource: z.optional(z.union([aResource(), z.array(aResource())])),
    audience: z.optional(z.union([aText(), z.array(aText())])),
    tokenUrl: z.optional(z.unknown()),
    issuer: z.optional(z.unknown()),
  }
  const { tokenUrl, issuer, ...grant } = parseOptions(name, shape, given)
  if ((tokenUrl === undefined) === (issuer === undefined)) {
    throw new TypeError(`${name}: one of the options "tokenUrl" and "issuer" is required, not both`)
  }
  if (tokenUrl !== undefined) return { ...grant, tokenUrl: parseHttpUrl(`${name}: option "tokenUrl"`, tokenUrl).href }
  if (parseHttpUrl(`${name}: option "issuer"`, issuer).search !== '') {
    throw new TypeError(`${name}: option "issuer" must not contain a query`)
  }
  return { ...grant, issuer: issuer as string }
}

function aText() {
  return z.custom<string>(
    (value) => typeof value === 'string' && value.trim() !== '' && describeEdges(value) === null,
    'must be a string that is not blank, without white space or quotes around it',
  )
}

// The texts that unset variables turn into are refused: they would only be refused later, by the issuer, as a wrong secret.
function aSecret() {
  return z.custom<string>(
    (value) =>
      typeof value === 'string' &&
      value.trim() !== '' &&
      describeEdges(value) === null &&
      !/^(?:undefined|null|\[object object\])$/i.test(value),
    'must be a string that is not blank, nor the text of an unset variable, without white space or quotes around it',
  )
}

function aKey() {
  return z.custom<string>(
    (value) =>
      typeof value === 'string' &&
      /^[\x21-\x7e]+$/.test(value) &&
      describeEdges(value) === null &&
      !/^(?:undefined|null)$/i.test(value),
    'must be a string of visible ASCII characters without quotes around it, not the text of an unset variable',
  )
}

function aScope() {
  return z.custom<string>(
    (value) => typeof value === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value),
    'must be a scope token (RFC 6749 §3.3)',
  )
}

function aResource() {
  return z.custom<string>(
    (value) => typeof value === 'string' && URL.canParse(value) && !/[#\s]/.test(value),
    'must be an absolute URI without a fragment (RFC 8707)',
  )
}
