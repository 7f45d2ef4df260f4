/**
 * Presets: the issuers many hosts have, in one line. Each returns plain issuer options, which can be written out by hand
 * just as well; nothing here knows more than the public options do.
 */
import * as z from 'zod/mini'
import { AuthError } from '../errors.ts'
import { parseHttpUrl } from '../lib/http-url.ts'
import { parseOptions } from '../lib/parse-options.ts'
import { describeEdges } from '../lib/secret-check.ts'
import type { EmailPolicy } from './identity.ts'
import type {
  DiscoverySource,
  IssuerOptions,
  JwksAlgorithm,
  KeyAgeOptions,
  KeySource,
  SecretSource,
} from './issuers.ts'

/** Options of {@link supabase}: at least one of `url` and `secret`. */
export interface SupabaseOptions extends KeyAgeOptions {
  /** The project's URL, `https://<project>.supabase.co`; its JWK Set serves ES256, RS256 and EdDSA. */
  readonly url?: string | undefined
  /** The legacy JWT secret, for HS256; two while it is being changed. */
  readonly secret?: SecretSource['secret'] | undefined
  /** The exact `iss` claim. Default `${url}/auth/v1`. */
  readonly issuer?: string | undefined
  /** Accepted algorithms of the JWK Set. Default: `ES256`, `RS256` and `EdDSA`. */
  readonly algorithms?: readonly JwksAlgorithm[] | undefined
  /**
   * When an e-mail counts as verified (invitations by e-mail go by it). `confirmed`: always, because the project puts an
   * address into a token only after its owner has confirmed it ("Confirm email" is on, and every sign-in provider does the
   * same), unless the token's top-level `email_verified` is there and isn't `true`. `as-claimed`: only where that claim is
   * `true`, which Supabase writes for nobody unless a hook does. Default `as-claimed`. `user_metadata` is never read: users
   * write it.
   */
  readonly emails?: EmailPolicy | undefined
  /** Anonymous sign-ins (`is_anonymous: true`). Default `refuse`: 403 everywhere. */
  readonly anonymous?: 'refuse' | 'accept' | undefined
  /**
   * Ids of the third-party apps (OAuth clients of the project's OAuth server) that may act for people here: their tokens
   * are signed by the same key and have a `client_id`. Default: none, 403.
   */
  readonly apps?: readonly string[] | undefined
}

/** Options of {@link oidc}. */
export interface OidcOptions extends Omit<DiscoverySource, 'kind'> {
  /** The exact issuer, as its metadata and its tokens name it. */
  readonly issuer: string
}

const anything = { url: z.unknown(), secret: z.unknown(), issuer: z.unknown(), algorithms: z.unknown() }
const ages = { maxAgeSeconds: z.unknown(), maxStaleSeconds: z.unknown() }

const people = {
  emails: z.optional(z.enum(['confirmed', 'as-claimed'])),
  anonymous: z.optional(z.enum(['refuse', 'accept'])),
  apps: z.optional(
    z.array(
      z.custom<string>(
        (id) => typeof id === 'string' && id !== '' && describeEdges(id) === null,
        'must be the id of an app, without white space or quotes around it',
      ),
    ),
  ),
}

/**
 * Write the issuer of a Supabase project: HS256 by the legacy secret and asymmetric keys from
 * `${url}/auth/v1/.well-known/jwks.json`, side by side while a project moves from one to the other. Lets in people's own
 * sessions: anonymous sign-ins and third-party apps only where they are written out.
 *
 * @returns issuer options: `{ issuer, keys: [{ kind: 'secret', … }, { kind: 'jwks', … }], emails, accepts }`
 * @throws TypeError neither `url` nor `secret`; no issuer to be had; a bad URL
 * @example
 * createJwtVerifier({ issuers: [supabase({ url: 'https://abc.supabase.co' })], audience: 'authenticated' })
 */
export function supabase(options: SupabaseOptions): IssuerOptions {
  const shape = { ...optional({ ...anything, ...ages }), ...people }
  const parsed = parseOptions('supabase', shape, options) as SupabaseOptions
  const { url, secret, issuer, emails = 'as-claimed', anonymous = 'refuse', apps = [], ...rest } = parsed
  if (url === undefined && secret === undefined) {
    throw new TypeError('supabase: option "url" or option "secret" is required')
  }
  const base = url === undefined ? undefined : `${toProjectUrl(url)}/auth/v1`
  const named = issuer ?? base
  if (named === undefined) throw new TypeError('supabase: option "issuer" is required without option "url"')
  const keys: KeySource[] = []
  if (secret !== undefined) keys.push({ kind: 'secret', secret })
  if (base !== undefined) keys.push({ kind: 'jwks', url: `${base}/.well-known/jwks.json`, ...given(rest) })
  return { issuer: named, keys, emails, accepts: acceptsOnly(anonymous, apps) }
}

// By one key, issuer and audience the project signs what its people, its guests and the apps of its OAuth server send.
function acceptsOnly(anonymous: 'refuse' | 'accept', apps: readonly string[]): IssuerOptions['accepts'] {
  const known = new Set<unknown>(apps)
  return (claims) => {
    if (claims['is_anonymous'] === true && anonymous !== 'accept') {
      throw new AuthError('forbidden', { reason: 'anonymous_user' })
    }
    const client = claims['client_id']
    if (client !== undefined && !known.has(client)) throw new AuthError('forbidden', { reason: 'third_party_app' })
    return true
  }
}

/**
 * Write the issuer of an OpenID provider: its keys are found by discovery at the first use, under the limits of every key
 * fetch. The metadata must name exactly this issuer (OpenID Connect Discovery 1.0 §4.3).
 *
 * @returns issuer options: `{ issuer, keys: [{ kind: 'discovery', … }] }`
 * @throws TypeError a bad URL
 * @example
 * createJwtVerifier({ issuers: [oidc({ issuer: 'https://login.example.com' })], audience: 'https://api.example.com' })
 */
export function oidc(options: OidcOptions): IssuerOptions {
  const { url, issuer, algorithms } = anything
  const shape = { ...optional({ url, algorithms, ...ages }), issuer }
  const { issuer: named, ...rest } = parseOptions('oidc', shape, options) as OidcOptions
  parseHttpUrl('oidc: option "issuer"', named)
  return { issuer: named, keys: [{ kind: 'discovery', ...given(rest) }] }
}

function optional<S extends Record<string, z.ZodMiniUnknown>>(shape: S): { [K in keyof S]: z.ZodMiniOptional<S[K]> } {
  const entries = Object.entries(shape).map(([name, type]) => [name, z.optional(type)])
  return Object.fromEntries(entries) as { [K in keyof S]: z.ZodMiniOptional<S[K]> }
}

function toProjectUrl(text: string): string {
  if (parseHttpUrl('supabase: option "url"', text).search !== '') {
    throw new TypeError('supabase: option "url" must not contain a query')
  }
  const base = text.replace(/\/$/, '')
  if (/\/auth\/v1$/i.test(base)) throw new TypeError('supabase: option "url" is the project\'s, without /auth/v1')
  return base
}

function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
