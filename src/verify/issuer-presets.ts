/**
 * Presets: the issuers many hosts have, in one line. Each returns plain issuer options, which can be written out by hand
 * just as well; nothing here knows more than the public options do.
 */
import * as z from 'zod/mini'
import { parseHttpUrl } from '../lib/http-url.ts'
import { parseOptions } from '../lib/parse-options.ts'
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
}

/** Options of {@link oidc}. */
export interface OidcOptions extends Omit<DiscoverySource, 'kind'> {
  /** The exact issuer, as its metadata and its tokens name it. */
  readonly issuer: string
}

const anything = { url: z.unknown(), secret: z.unknown(), issuer: z.unknown(), algorithms: z.unknown() }
const ages = { maxAgeSeconds: z.unknown(), maxStaleSeconds: z.unknown() }

/**
 * Write the issuer of a Supabase project: HS256 by the legacy secret and asymmetric keys from
 * `${url}/auth/v1/.well-known/jwks.json`, side by side while a project moves from one to the other (T1).
 *
 * @returns issuer options: `{ issuer, keys: [{ kind: 'secret', … }, { kind: 'jwks', … }] }`
 * @throws TypeError neither `url` nor `secret`; no issuer to be had; a bad URL
 * @example
 * createJwtVerifier({ issuers: [supabase({ url: 'https://abc.supabase.co' })], audience: 'authenticated' })
 */
export function supabase(options: SupabaseOptions): IssuerOptions {
  const shape = optional({ ...anything, ...ages })
  const { url, secret, issuer, ...rest } = parseOptions('supabase', shape, options) as SupabaseOptions
  if (url === undefined && secret === undefined) {
    throw new TypeError('supabase: option "url" or option "secret" is required')
  }
  const base = url === undefined ? undefined : `${toProjectUrl(url)}/auth/v1`
  const named = issuer ?? base
  if (named === undefined) throw new TypeError('supabase: option "issuer" is required without option "url"')
  const keys: KeySource[] = []
  if (secret !== undefined) keys.push({ kind: 'secret', secret })
  if (base !== undefined) keys.push({ kind: 'jwks', url: `${base}/.well-known/jwks.json`, ...given(rest) })
  return { issuer: named, keys }
}

/**
 * Write the issuer of an OpenID provider: its keys are found by discovery at the first use, under the limits of every key
 * fetch. The metadata must name exactly this issuer (OpenID Connect Discovery 1.0 §4.3; K1, K2).
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
  return text.endsWith('/') ? text.slice(0, -1) : text
}

function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
