/**
 * The issuers a verifier trusts, as the host writes them, judged at construction: every weakness is a `TypeError`
 * then. Hands on one configuration per issuer, with its secrets and its key sets strictly apart.
 */
import * as z from 'zod/mini'
import { isLoopbackUrl, parseHttpUrl } from '../lib/http-url.ts'
import { aFunction, aNumber, parseOptions } from '../lib/parse-options.ts'
import { describeEdges, describeKeyMaterial, describeWeakSecret, isSampleSecret } from '../lib/secret-check.ts'
import { toMetadataUrl } from './discovery.ts'
import type { EmailPolicy } from './identity.ts'
import { importKeys, isUnsoundJwk, type KeyAlgorithm, toUsableJwk } from './jwk-import.ts'
import { createFixedKeySet, createKeySet, type KeyNews, type KeySet } from './key-set.ts'
import { type LoadKeys, loadByDiscovery, loadFromUrl } from './key-source.ts'
import { type Algorithm, toAlgorithm } from './token-form.ts'

/** An algorithm of a JWK Set; `Ed25519` and `EdDSA` are one (RFC 9864). */
export type JwksAlgorithm = 'ES256' | 'RS256' | 'EdDSA' | 'Ed25519'

/** How long fetched keys serve. */
export interface KeyAgeOptions {
  /** Seconds after which fetched keys are old; a refresh begins in the background at 80 % of it. 1–86400, default 600. */
  readonly maxAgeSeconds?: number | undefined
  /** Seconds that old keys go on serving while the server can't be asked. 0–86400, default 3600. */
  readonly maxStaleSeconds?: number | undefined
}

/** HS256 with a shared secret: the UTF-8 bytes of a text of at least 32 bytes; two while it is being changed. */
export interface SecretSource {
  readonly kind: 'secret'
  /** The current secret and, while it is being changed, the previous one: at least 32 bytes each (RFC 7518 §3.2). */
  readonly secret: string | readonly [string] | readonly [string, string]
}

/** Public keys from a JWK Set URL: https, or http for loopback hosts only. */
export interface JwksUrlSource extends KeyAgeOptions {
  readonly kind: 'jwks'
  /** Where the JWK Set is (RFC 7517 §5). */
  readonly url: string
  /** Accepted algorithms. Default: `ES256`, `RS256` and `EdDSA`. */
  readonly algorithms?: readonly JwksAlgorithm[] | undefined
}

/** Public keys written out: no network. */
export interface JwksKeysSource {
  readonly kind: 'jwks'
  /** The JWKs (RFC 7517 §4): at least one must be usable, and none for signatures be weak or no key at all. */
  readonly keys: readonly object[]
  /** Accepted algorithms. Default: `ES256`, `RS256` and `EdDSA`. */
  readonly algorithms?: readonly JwksAlgorithm[] | undefined
}

/** Public keys from the URL that the issuer's metadata names, looked up at the first use. */
export interface DiscoverySource extends KeyAgeOptions {
  readonly kind: 'discovery'
  /** Where the metadata is. Default: the issuer, followed by `/.well-known/openid-configuration`. */
  readonly url?: string | undefined
  /** Accepted algorithms. Default: `ES256`, `RS256` and `EdDSA`. */
  readonly algorithms?: readonly JwksAlgorithm[] | undefined
}

/** One source of keys. The token's `alg` picks the class: a secret is never tried for `ES256`, a JWK never for `HS256`. */
export type KeySource = SecretSource | JwksUrlSource | JwksKeysSource | DiscoverySource

/** The claims of a verified token, as they are in it; frozen, without a prototype. */
export type VerifiedClaims = Readonly<Record<string, unknown>>

/** An issuer and its keys. {@link supabase} and {@link oidc} write one. */
export interface IssuerOptions {
  /** The exact `iss` claim. `null`: not checked, and then this is the only issuer. */
  readonly issuer: string | null
  /** Sources of keys, side by side; at least one. */
  readonly keys: readonly KeySource[]
  /**
   * When an e-mail counts as verified (`identity.emailVerified`). Default `as-claimed`: where the token's top-level
   * `email_verified` is `true`. `confirmed`: always, unless that claim is there and isn't `true`; for issuers that put an
   * address into a token only after its owner has confirmed it.
   */
  readonly emails?: EmailPolicy | undefined
  /**
   * Whether somebody with such a token may call here at all, asked of tokens that are good in every other respect and before
   * anybody is looked up. `true` lets them in, `false` is 403 `forbidden` on every route; refuse under a reason of your own
   * by throwing `AuthError('forbidden', { reason })`. Anything else is a fault of the host (500). Default: people are let
   * in. Machines are not, whatever it answers: `sub` equal to `client_id` (RFC 9068 §2.2), or a grant of client credentials.
   */
  readonly accepts?: ((claims: VerifiedClaims) => boolean) | undefined
  /**
   * Tokens that are bound to a key of their holder (`cnf`, RFC 7800; DPoP, mTLS), whose possession nobody here asks a proof
   * of. Default `refuse` (401); `as-bearer` takes them like any other.
   */
  readonly boundTokens?: 'refuse' | 'as-bearer' | undefined
}

/** An issuer, judged. */
export interface Issuer {
  readonly issuer: string | null
  readonly algorithms: ReadonlySet<Algorithm>
  /** Imports the HS256 secrets, once. */
  readonly secrets: () => Promise<readonly CryptoKey[]>
  readonly keySets: readonly KeySet[]
  readonly hasSecret: boolean
  readonly emails: EmailPolicy
  readonly accepts: NonNullable<IssuerOptions['accepts']> | null
  readonly takesBoundTokens: boolean
}

/** What happened to the keys of an issuer: for metrics and the audit log. */
export type KeyEvent = KeyNews & { readonly issuer: string | null; readonly url: string }

/** What key sets need from outside. */
export interface KeyOutside {
  readonly fetcher: typeof fetch
  /** Milliseconds, never running backwards. */
  readonly time: () => number
  readonly onEvent: (event: KeyEvent) => void
}

/** Judge the issuers a host wrote; `name` is the function to name in errors. */
export function toIssuers(name: string, given: readonly unknown[], outside: KeyOutside): readonly Issuer[] {
  const parsed = given.map((value, index) => parseOptions(`${name}: issuers[${index}]`, issuerShape, value))
  if (parsed.length === 0) throw new TypeError(`${name}: option "issuers" must name at least one issuer`)
  const names = parsed.map(({ issuer }) => issuer)
  if (names.some((issuer) => issuer?.trim() === '')) throw new TypeError(`${name}: an issuer must not be blank`)
  for (const [index, issuer] of names.entries()) {
    const edges = describeEdges(issuer ?? '')
    if (edges !== null) throw new TypeError(`${name}: issuers[${index}]: option "issuer" ${edges}`)
  }
  if (new Set(names).size < names.length) throw new TypeError(`${name}: an issuer is named twice`)
  if (names.includes(null) && names.length > 1) throw new TypeError(`${name}: issuer null must be the only one`)
  const local = names.every((issuer) => issuer !== null && isLoopbackUrl(issuer))
  return parsed.map((one, index) => toIssuer(`${name}: issuers[${index}]`, one as IssuerOptions, local, outside))
}

const issuerShape = {
  issuer: z.nullable(z.string()),
  keys: z.array(z.unknown()),
  emails: z.optional(z.enum(['confirmed', 'as-claimed'])),
  accepts: z.optional(aFunction<(claims: VerifiedClaims) => boolean>()),
  boundTokens: z.optional(z.enum(['refuse', 'as-bearer'])),
}

function toIssuer(name: string, options: IssuerOptions, local: boolean, outside: KeyOutside): Issuer {
  const { issuer, emails = 'as-claimed', accepts = null, boundTokens = 'refuse' } = options
  const sources: readonly unknown[] = options.keys
  const hasSecret = sources.some((source) => kindOf(source) === 'secret')
  if (sources.length === 0) throw new TypeError(`${name}: option "keys" must name at least one source of keys`)
  const secrets: string[] = []
  const keySets: KeySet[] = []
  for (const [index, source] of sources.entries()) {
    const label = `${name}.keys[${index}]`
    const kind = kindOf(source)
    if (kind === 'secret') secrets.push(...toSecrets(label, source, local))
    else if (kind === 'jwks') keySets.push(toJwks(label, { issuer, hasSecret }, source, outside))
    else if (kind === 'discovery') keySets.push(toDiscovery(label, { issuer, hasSecret }, source, outside))
    else throw new TypeError(`${label}: option "kind" must be one of "secret", "jwks", "discovery"`)
  }
  if (new Set(secrets).size < secrets.length) throw new TypeError(`${name}: a secret is given twice`)
  const algorithms = new Set<Algorithm>(secrets.length > 0 ? ['HS256'] : [])
  for (const { algorithms: own } of keySets) for (const algorithm of own) algorithms.add(algorithm)
  let imported: Promise<readonly CryptoKey[]> | undefined
  return {
    ...{ issuer, algorithms, keySets, hasSecret, emails, accepts, takesBoundTokens: boundTokens === 'as-bearer' },
    secrets: () => (imported ??= Promise.all(secrets.map(importSecret))),
  }
}

function kindOf(source: unknown): unknown {
  return typeof source === 'object' && source !== null && Object.hasOwn(source, 'kind')
    ? (source as { readonly kind: unknown }).kind
    : undefined
}

function toSecrets(name: string, source: unknown, local: boolean): readonly string[] {
  const { secret } = parseOptions(name, { kind: z.literal('secret'), secret: z.unknown() }, source)
  const secrets: readonly unknown[] = Array.isArray(secret) ? secret : [secret]
  if (secrets.length < 1 || secrets.length > 2) throw new TypeError(`${name}: option "secret" must hold one or two`)
  return secrets.map((text) => {
    const weakness = describeWeakSecret(text)
    if (weakness !== null) throw new TypeError(`${name}: option "secret" ${weakness}`)
    const material = describeKeyMaterial(text as string)
    if (material !== null) throw new TypeError(`${name}: option "secret" looks like ${material}, not like a secret`)
    if (!local && isSampleSecret(text as string)) {
      throw new TypeError(`${name}: option "secret" is a sample that everybody knows; it is for loopback issuers only`)
    }
    return text as string
  })
}

async function importSecret(secret: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(secret)
  return await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
}

const algorithmsOption: z.ZodMiniType<readonly JwksAlgorithm[] | undefined> = z.optional(
  z.readonly(z.array(z.enum(['ES256', 'RS256', 'EdDSA', 'Ed25519'])).check(z.minLength(1, 'must not be empty'))),
)
const ageOptions = { maxAgeSeconds: z.optional(aNumber(1, 86_400)), maxStaleSeconds: z.optional(aNumber(0, 86_400)) }

function toAlgorithms(given: readonly JwksAlgorithm[] | undefined): ReadonlySet<KeyAlgorithm> {
  const names = given ?? ['ES256', 'RS256', 'EdDSA']
  return new Set(names.map(toAlgorithm).filter((name) => name !== undefined && name !== 'HS256'))
}

// Whose keys a set holds.
type Owner = Pick<Issuer, 'issuer' | 'hasSecret'>

function toJwks(name: string, owner: Owner, source: unknown, outside: KeyOutside): KeySet {
  if (Object.hasOwn(source as object, 'keys')) return toFixed(name, source)
  const shape = { kind: z.literal('jwks'), url: z.unknown(), algorithms: algorithmsOption, ...ageOptions }
  const parsed = parseOptions(name, shape, source)
  const url = parseHttpUrl(`${name}: option "url"`, parsed.url)
  const algorithms = toAlgorithms(parsed.algorithms)
  return toFetched(owner, url, algorithms, loadFromUrl(outside.fetcher, url, algorithms), parsed, outside)
}

function toFixed(name: string, source: unknown): KeySet {
  const shape = { kind: z.literal('jwks'), keys: z.array(z.unknown()), algorithms: algorithmsOption }
  const parsed = parseOptions(name, shape, source)
  const algorithms = toAlgorithms(parsed.algorithms)
  const keys: readonly unknown[] = structuredClone(parsed.keys)
  const unsound = keys.findIndex(isUnsoundJwk)
  if (unsound >= 0) throw new TypeError(`${name}: option "keys": keys[${unsound}] is weak, or no key of its type`)
  if (!keys.some((key) => algorithms.has(toUsableJwk(key)?.algorithm as KeyAlgorithm))) {
    throw new TypeError(`${name}: option "keys" holds no public key of use`)
  }
  return createFixedKeySet(algorithms, () => importKeys(keys, algorithms))
}

function toDiscovery(name: string, owner: Owner, source: unknown, outside: KeyOutside): KeySet {
  const { issuer } = owner
  const shape = {
    kind: z.literal('discovery'),
    url: z.optional(z.string()),
    algorithms: algorithmsOption,
    ...ageOptions,
  }
  const parsed = parseOptions(name, shape, source)
  if (issuer === null) throw new TypeError(`${name}: discovery needs an issuer`)
  const url = parseHttpUrl(`${name}: option "url"`, parsed.url ?? toMetadataUrl(issuer))
  const algorithms = toAlgorithms(parsed.algorithms)
  const load = loadByDiscovery(outside.fetcher, issuer, url, algorithms)
  return toFetched(owner, url, algorithms, load, parsed, outside)
}

function toFetched(
  { issuer, hasSecret }: Owner,
  url: URL,
  algorithms: ReadonlySet<KeyAlgorithm>,
  load: LoadKeys,
  { maxAgeSeconds = 600, maxStaleSeconds = 3600 }: KeyAgeOptions,
  { time, onEvent }: KeyOutside,
): KeySet {
  const onNews = (news: KeyNews): void => onEvent({ ...news, issuer, url: url.href })
  return createKeySet({ algorithms, load, maxAgeSeconds, maxStaleSeconds, mayBeEmpty: hasSecret, time, onNews })
}
