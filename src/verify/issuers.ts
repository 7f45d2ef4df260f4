/**
 * The issuers a verifier trusts, as the host writes them, checked at construction: every weakness is an `OptionsError`
 * then. Hands on one configuration per issuer, with its secrets and its key sets strictly apart.
 */
import * as z from 'zod/mini'
import type { Identity } from '../context.ts'
import { describeHttpUrl, isLoopbackUrl } from '../lib/http-url.ts'
import {
  aFilledListOf,
  aFunction,
  aGroupOfKind,
  aListOf,
  aNumber,
  aString,
  checkedBy,
  type OptionType,
  oneOf,
  optionsError,
  orNull,
  type Shape,
} from '../lib/parse-options.ts'
import { describeSigningSecret, describeText, isSampleSecret } from '../lib/secret-check.ts'
import type { ClaimRules } from './claims.ts'
import { toMetadataUrl } from './discovery.ts'
import { importKeys, isUnsoundJwk, type KeyAlgorithm, toUsableJwk } from './jwk-import.ts'
import { createFixedKeySet, createKeySet, type KeyNews, type KeySet } from './key-set.ts'
import { type LoadKeys, loadByDiscovery, loadFromUrl } from './key-source.ts'
import { type Algorithm, toAlgorithm, toTokenType } from './token-form.ts'

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

/** When an e-mail counts as verified: see `emails` of {@link IssuerOptions}. */
export type EmailPolicy = 'confirmed' | 'as-claimed'

/**
 * An issuer, its keys, and what its tokens are trusted for. {@link supabase} and {@link oidc} write one.
 * @typeParam C names of the further claims that the verifier hands on
 */
export interface IssuerOptions<C extends string = string> {
  /** The exact `iss` claim. `null`: not checked, and then this is the only issuer. */
  readonly issuer: string | null
  /** Sources of keys, side by side; at least one. */
  readonly keys: readonly KeySource[]
  /** Audiences of which a token of this issuer must name one. `null` switches the check off, and must be written. */
  readonly audience: string | readonly string[] | null
  /** Accepted `typ` headers; none at all is accepted too. Default `['JWT', 'at+jwt']`. */
  readonly types?: readonly string[] | undefined
  /**
   * A check of the host's own, awaited, after all claims and on cache hits too. `true` lets the token pass, `false` is
   * refused with `unauthorized`, like a token that does not verify; refuse by policy with `AuthError('forbidden')`. Anything
   * else that it answers or throws is a fault of the host (500), never a pass.
   */
  readonly check?: ((identity: Identity<C>) => boolean | Promise<boolean>) | undefined
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
   * Whom this issuer signs in. `own`: people of this service alone, who may become users on their first request, which is
   * what `createAuth` then does where it is told nothing else. Default `anybody`.
   */
  readonly people?: 'own' | 'anybody' | undefined
  /**
   * Tokens that are bound to a key of their holder (`cnf`, RFC 7800; DPoP, mTLS), whose possession nobody here asks a proof
   * of. Default `refuse` (401); `as-bearer` takes them like any other.
   */
  readonly boundTokens?: 'refuse' | 'as-bearer' | undefined
}

/** An issuer, checked. */
export interface Issuer {
  readonly issuer: string | null
  readonly algorithms: ReadonlySet<Algorithm>
  /** Imports the HS256 secrets, once. */
  readonly secrets: () => Promise<readonly CryptoKey[]>
  readonly keySets: readonly KeySet[]
  readonly hasSecret: boolean
  /** Accepted `typ` values, by {@link toTokenType}. */
  readonly types: ReadonlySet<string>
  readonly rules: ClaimRules
  readonly emails: EmailPolicy
  readonly accepts: NonNullable<IssuerOptions['accepts']> | null
  readonly check: NonNullable<IssuerOptions['check']> | null
}

/** What happened to the keys of an issuer: for metrics and the audit log. */
export type KeyEvent = KeyNews & { readonly issuer: string | null; readonly url: string }

/** What all issuers of a verifier have in common. */
export interface Surroundings {
  /** What is asked of the times of every token. */
  readonly times: Pick<ClaimRules, 'clockToleranceSeconds' | 'maxTokenAgeSeconds'>
  readonly fetcher: typeof fetch
  /** Milliseconds, never running backwards. */
  readonly time: () => number
  readonly onEvent: (event: KeyEvent) => void
}

const AGES: Shape<KeyAgeOptions> = {
  maxAgeSeconds: z.optional(aNumber(1, 86_400)),
  maxStaleSeconds: z.optional(aNumber(0, 86_400)),
}
const ALGORITHMS: Shape<Pick<JwksUrlSource, 'algorithms'>> = {
  algorithms: z.optional(aFilledListOf(oneOf('ES256', 'RS256', 'EdDSA', 'Ed25519'))),
}
/** How `supabase` and `oidc` say which keys they take, as the sources do. */
export const KEY_SHAPE: Shape<KeyAgeOptions & Pick<JwksUrlSource, 'algorithms'>> = { ...ALGORITHMS, ...AGES }
const URL_SOURCE: Shape<JwksUrlSource> = {
  kind: oneOf('jwks'),
  url: checkedBy(describeHttpUrl),
  ...KEY_SHAPE,
}
const KEYS_SOURCE: Shape<JwksKeysSource> = {
  kind: oneOf('jwks'),
  keys: aListOf(checkedBy(() => null)),
  ...ALGORITHMS,
}

/** An audience, as issuer options name it. */
export function anAudience(): OptionType<IssuerOptions['audience']> {
  return checkedBy((value) => {
    if (value === null) return null
    const names: readonly unknown[] = Array.isArray(value) ? value : [value]
    return names.length > 0 && names.every((name) => describeText(name) === null)
      ? null
      : 'must be a string, a list of strings, or null to switch the check off; none blank, or with white space or quotes around it'
  })
}

/** How the options of an issuer are read. */
export const issuerShape = <C extends string>(): Shape<IssuerOptions<C>> => ({
  issuer: orNull(checkedBy(describeText)),
  keys: aListOf(
    aGroupOfKind<KeySource>({
      secret: () => ({ kind: oneOf('secret'), secret: checkedBy(describeSecrets) }),
      jwks: (source) => (Object.hasOwn(source, 'keys') ? KEYS_SOURCE : URL_SOURCE),
      discovery: () => ({ ...URL_SOURCE, kind: oneOf('discovery'), url: z.optional(URL_SOURCE.url) }),
    }),
  ),
  audience: anAudience(),
  types: z.optional(aFilledListOf(aString())),
  check: z.optional(aFunction()),
  emails: z.optional(oneOf('confirmed', 'as-claimed')),
  accepts: z.optional(aFunction()),
  people: z.optional(oneOf('own', 'anybody')),
  boundTokens: z.optional(oneOf('refuse', 'as-bearer')),
})

export function describeSecrets(value: unknown): string | null {
  const secrets: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (secrets.length < 1 || secrets.length > 2) return 'must hold one or two'
  return secrets.map(describeSigningSecret).find((wrong) => wrong !== null) ?? null
}

/**
 * Make issuers of their options, which have been read by {@link issuerShape}; `name` is the function to name in errors.
 * @throws OptionsError
 */
export function toIssuers<C extends string>(
  name: string,
  given: readonly IssuerOptions<C>[],
  outside: Surroundings,
): readonly Issuer[] {
  if (given.length === 0) throw optionsError(name, 'issuers', 'must name at least one issuer')
  const names = given.map(({ issuer }) => issuer)
  if (new Set(names).size < names.length) throw optionsError(name, 'issuers', 'has an issuer that is named twice')
  if (names.includes(null) && names.length > 1) throw optionsError(name, 'issuers', 'has more than issuer null alone')
  const isLocal = names.every((issuer) => issuer !== null && isLoopbackUrl(issuer))
  return given.map((options, index) => {
    const wrong = problemIn(options, isLocal)
    if (wrong !== null) throw optionsError(name, `issuers.${index}.${wrong[0]}`, wrong[1])
    return toIssuer(options as IssuerOptions<never>, outside)
  })
}

// What is wrong between options that are right, each by itself.
function problemIn(
  { issuer, keys }: Pick<IssuerOptions, 'issuer' | 'keys'>,
  isLocal: boolean,
): readonly [string, string] | null {
  if (keys.length === 0) return ['keys', 'must name at least one source of keys']
  const secrets = keys.flatMap(secretsOf)
  if (new Set(secrets).size < secrets.length) return ['keys', 'has a secret that is given twice']
  for (const [index, source] of keys.entries()) {
    const wrong = problemInSource(source, issuer, isLocal)
    if (wrong !== null) return [`keys.${index}.${wrong[0]}`, wrong[1]]
  }
  return null
}

function problemInSource(source: KeySource, issuer: string | null, isLocal: boolean): readonly [string, string] | null {
  if (!isLocal && secretsOf(source).some(isSampleSecret)) {
    return ['secret', 'is a sample that everybody knows; it is for loopback issuers only']
  }
  if (source.kind === 'discovery') {
    if (issuer === null) return ['kind', 'is discovery, which needs an issuer']
    const wrong = describeHttpUrl(source.url ?? toMetadataUrl(issuer))
    return wrong === null ? null : ['url', wrong]
  }
  if (source.kind !== 'jwks' || !('keys' in source)) return null
  const unsound = source.keys.findIndex(isUnsoundJwk)
  if (unsound >= 0) return ['keys', `has a weak key, or no key of its type: keys[${unsound}]`]
  const algorithms = toAlgorithms(source.algorithms)
  const isUsable = (key: object): boolean => algorithms.has(toUsableJwk(key)?.algorithm as KeyAlgorithm)
  return source.keys.some(isUsable) ? null : ['keys', 'holds no public key of use']
}

function toIssuer(options: IssuerOptions<never>, outside: Surroundings): Issuer {
  const { issuer, keys, audience, types = ['JWT', 'at+jwt'], check = null } = options
  const { emails = 'as-claimed', accepts = null, boundTokens = 'refuse' } = options
  const secrets = keys.flatMap(secretsOf)
  const hasSecret = secrets.length > 0
  const keySets = keys.flatMap((source) => toKeySet(source, { issuer, hasSecret }, outside))
  let imported: Promise<readonly CryptoKey[]> | undefined
  return {
    issuer,
    algorithms: new Set([...(hasSecret ? ['HS256' as const] : []), ...keySets.flatMap((set) => [...set.algorithms])]),
    secrets: () => (imported ??= Promise.all(secrets.map(importSecret))),
    keySets,
    hasSecret,
    types: new Set(types.map(toTokenType)),
    rules: {
      ...outside.times,
      audience: typeof audience === 'string' ? [audience] : audience,
      takesBoundTokens: boundTokens === 'as-bearer',
    },
    emails,
    accepts,
    check: check as Issuer['check'],
  }
}

function secretsOf(source: KeySource): readonly string[] {
  if (source.kind !== 'secret') return []
  return typeof source.secret === 'string' ? [source.secret] : source.secret
}

async function importSecret(secret: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(secret)
  return await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
}

function toAlgorithms(given: readonly JwksAlgorithm[] | undefined): ReadonlySet<KeyAlgorithm> {
  const names = given ?? ['ES256', 'RS256', 'EdDSA']
  return new Set(names.map(toAlgorithm).filter((name) => name !== undefined && name !== 'HS256'))
}

// `owner`: whose keys the set holds.
function toKeySet(source: KeySource, owner: Pick<Issuer, 'issuer' | 'hasSecret'>, outside: Surroundings): KeySet[] {
  if (source.kind === 'secret') return []
  const algorithms = toAlgorithms(source.algorithms)
  if ('keys' in source) {
    const keys: readonly unknown[] = structuredClone(source.keys)
    return [createFixedKeySet(algorithms, () => importKeys(keys, algorithms))]
  }
  const { issuer, hasSecret } = owner
  const { maxAgeSeconds = 600, maxStaleSeconds = 3600 } = source
  const { fetcher, time, onEvent } = outside
  const url = new URL(source.url ?? toMetadataUrl(issuer ?? ''))
  const load: LoadKeys =
    source.kind === 'jwks'
      ? loadFromUrl(fetcher, url, algorithms)
      : loadByDiscovery(fetcher, issuer ?? '', url, algorithms)
  const onNews = (news: KeyNews): void => onEvent({ ...news, issuer, url: url.href })
  return [createKeySet({ algorithms, load, maxAgeSeconds, maxStaleSeconds, mayBeEmpty: hasSecret, time, onNews })]
}
