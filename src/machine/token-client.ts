/**
 * Machine accounts: a job or a service of ours that signs in somewhere as itself. Hands on tokens that are good for a
 * while, and a `fetch` that carries them.
 */
import { describeHttpUrl, describeProjectUrl } from '../lib/http-url.ts'
import {
  aFunction,
  aGroupOfKind,
  aListOf,
  aNumber,
  aScope,
  checkedBy,
  type OptionType,
  oneOf,
  optional,
  orNull,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { describeText } from '../lib/secret-check.ts'
import { notify } from '../lib/standard-error.ts'
import { createObtain, type TokenGrant, type TokenSource } from './grants.ts'
import { createRenewal } from './renewal.ts'
import type { TokenFailure } from './token-client-error.ts'
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
  | (Pick<TokenFailure, 'code' | 'reason' | 'status' | 'retryAfterSeconds'> & {
      readonly type: 'failed'
      readonly at: Date
    })

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
  /** Told of every renewal and every failure; what it throws is printed, and changes nothing. */
  readonly onEvent?: ((event: TokenEvent) => unknown) | undefined
  /** What sends requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
  /** Now, in milliseconds. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** What {@link createTokenClient} makes. */
export interface TokenClient {
  /**
   * Get a token that is good for at least the margin. Costs nothing while there is one; else waits for the one request.
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

/**
 * Create a client that keeps a machine account signed in.
 *
 * Nothing happens before the first call. A token in use is renewed after 70 to 80 % of its life by one request at a time
 * (RFC 6749 §4.3, §4.4 and §6), which a timer begins and nobody waits for; where none did (workers, a client that was
 * idle), one call begins it and stays for it, at most a second. A client that nobody uses asks nobody. While the issuer is
 * down calls go on with the old token as long as it lives, then fail with `token_unavailable`; the issuer is asked again
 * after rests of half a second to a minute (half a minute to five after a refusal), or what its `Retry-After` says, up to
 * 15 minutes. A token's life is counted by our clock from the moment it was asked for (`expires_in`, else `exp` − `iat`):
 * neither side's clock has to be right. A call while a token is held costs nothing.
 *
 * Secrets travel over https only (http for loopback hosts), to the token endpoint only, never after a redirect; none is in
 * an error, an event, or what `util.inspect` shows. No timer keeps the process alive. Runs on Node, Bun, Deno and workers.
 *
 * @throws OptionsError at construction: a missing or blank secret, a plain http URL, an origin with a path, a misspelt option
 * @example
 * const client = createTokenClient({
 *   grant: { kind: 'supabase', url: SUPABASE_URL, apiKey: SUPABASE_ANON_KEY, email: 'bot@example.com', password },
 *   origins: ['https://api.example.com'],
 * })
 * const answer = await client.fetch('https://api.example.com/api/dependencies')
 */
export function createTokenClient(options: TokenClientOptions): TokenClient {
  const parsed = parseOptions('createTokenClient', SHAPE, options)
  const { grant, origins, marginSeconds = 10, timeoutSeconds = 10, responseTimeoutSeconds = 60 } = parsed
  const { onEvent, clock = Date.now } = parsed
  // Looked up at each call: a worker's global one must not be torn off, a tracer may replace it later.
  const fetcher = parsed.fetch ?? ((input: string | URL | Request, init?: RequestInit) => fetch(input, init))
  const report = (event: TokenEvent): void => notify('createTokenClient: onEvent', onEvent, Object.freeze(event))
  const at = (): Date => new Date(clock())
  const renewal = createRenewal({
    obtain: createObtain(grant, {
      fetcher,
      clock,
      onRefreshRefused: ({ reason }) => report({ type: 'refresh_refused', reason, at: at() }),
    }),
    clock,
    marginSeconds,
    timeoutSeconds,
    onRenewed: (source, expiresInSeconds) => report({ type: 'renewed', source, expiresInSeconds, at: at() }),
    onFailed: ({ code, reason, status, retryAfterSeconds }) =>
      report({ type: 'failed', code, reason, status, retryAfterSeconds, at: at() }),
  })
  const allowed = new Set(origins.map((origin) => new URL(origin).origin))
  return Object.freeze({
    token: renewal.token,
    fetch: createTokenFetch(renewal, allowed, { fetcher, timeoutSeconds: responseTimeoutSeconds }),
    close: renewal.close,
  })
}

function describeOrigin(value: unknown): string | null {
  const wrong = describeHttpUrl(value)
  if (wrong !== null) return wrong
  const { pathname, search } = new URL(value as string)
  return pathname === '/' && search === '' ? null : 'must be an origin, without a path'
}

function describeIssuer(value: unknown): string | null {
  return describeHttpUrl(value) ?? ((value as string).includes('?') ? 'must not contain a query' : null)
}

// The texts that unset variables turn into are refused: they would only be refused later, by the issuer, as a wrong secret.
function describeSecret(value: unknown): string | null {
  const isUnset = typeof value === 'string' && /^(?:undefined|null|\[object object\])$/i.test(value)
  return isUnset ? 'is the text of an unset variable' : describeText(value)
}

function describeApiKey(value: unknown): string | null {
  const isVisible = typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
  return isVisible ? describeSecret(value) : 'must be a string of visible ASCII characters'
}

function describeResource(value: unknown): string | null {
  const isResource = typeof value === 'string' && URL.canParse(value) && !/[#\s]/.test(value)
  return isResource ? null : 'must be an absolute URI without a fragment (RFC 8707)'
}

function oneOrMore(describe: (value: unknown) => string | null): OptionType<string | readonly string[]> {
  return checkedBy((value) => [value].flat().reduce<string | null>((wrong, each) => wrong ?? describe(each), null))
}

const notBoth = (): OptionType<never> => checkedBy(() => 'must not stand beside "tokenUrl": one of them, not both')

const CLIENT = {
  kind: oneOf('clientCredentials'),
  clientId: checkedBy<string>(describeText),
  clientSecret: checkedBy<string>(describeSecret),
  clientAuth: optional(oneOf('basic', 'post')),
  scopes: optional(aListOf(aScope())),
  resource: optional(oneOrMore(describeResource)),
  audience: optional(oneOrMore(describeText)),
} as const

const SHAPE: Shape<TokenClientOptions> = {
  grant: aGroupOfKind<TokenGrant>({
    supabase: () => ({
      kind: oneOf('supabase'),
      url: checkedBy(describeProjectUrl),
      apiKey: checkedBy(describeApiKey),
      email: checkedBy(describeText),
      password: checkedBy(describeSecret),
    }),
    clientCredentials: ({ issuer, tokenUrl }: { readonly issuer?: unknown; readonly tokenUrl?: unknown }) =>
      issuer !== undefined && tokenUrl === undefined
        ? { ...CLIENT, issuer: checkedBy<string>(describeIssuer), tokenUrl: optional(notBoth()) }
        : { ...CLIENT, tokenUrl: checkedBy<string>(describeHttpUrl), issuer: optional(notBoth()) },
  }),
  origins: aListOf(checkedBy(describeOrigin)),
  marginSeconds: optional(aNumber(0, 3600)),
  timeoutSeconds: optional(aNumber(0.1, 300)),
  responseTimeoutSeconds: optional(orNull(aNumber(0.1, 86_400))),
  onEvent: optional(aFunction()),
  fetch: optional(aFunction()),
  clock: optional(aFunction()),
}
