/**
 * Presets: the issuers many hosts have, in one line. Each returns plain issuer options, which can be written out by hand
 * just as well; nothing here knows more than the public options do.
 */
import { describeHttpUrl, describeProjectUrl } from '../lib/http-url.ts'
import {
  aListOf,
  checkedBy,
  type OptionsError,
  oneOf,
  optional,
  optionsError,
  parseOptions,
  type Shape,
  unsetWhere,
} from '../lib/parse-options.ts'
import { describeText } from '../lib/secret-check.ts'
import { requireKnownApp, requireSignedUp } from './caller-classes.ts'
import {
  anAudience,
  type DiscoverySource,
  type EmailPolicy,
  type IssuerOptions,
  type KeyAgeOptions,
  type KeyAlgorithmOptions,
  type KeySource,
  keyShape,
} from './issuer-options.ts'
import { describeSecrets } from './shared-secrets.ts'

/** Options of {@link supabase}: at least one of `url` and `secret`. */
export interface SupabaseOptions extends KeyAgeOptions, KeyAlgorithmOptions {
  /** The project's URL, `https://<project>.supabase.co`; its JWK Set serves ES256, RS256 and EdDSA. */
  readonly url?: string | undefined
  /** The legacy JWT secret, for HS256; two while it is being changed. */
  readonly secret?: string | readonly [string] | readonly [string, string] | undefined
  /** The exact `iss` claim. Default `${url}/auth/v1`. */
  readonly issuer?: string | undefined
  /** Audiences of which a token must name one. Default `authenticated`; `null` switches the check off. */
  readonly audience?: IssuerOptions['audience'] | undefined
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
  /** Audiences of which a token must name one. `null` switches the check off, and must be written. */
  readonly audience: IssuerOptions['audience']
  /** Whom it signs in: `own` people of this service alone, or `anybody`, the default. */
  readonly people?: IssuerOptions['people'] | undefined
}

// Which hosts may be asked by plain http is said by the verifier (`insecureHosts`).
const anyHost = (): boolean => true

const supabaseShape = (): Shape<SupabaseOptions> => ({
  url: optional(checkedBy((url) => describeProjectUrl(url, anyHost))),
  secret: optional(checkedBy(describeProjectSecret)),
  issuer: optional(checkedBy(describeText)),
  audience: optional(anAudience()),
  emails: optional(oneOf('confirmed', 'as-claimed')),
  anonymous: optional(oneOf('refuse', 'accept')),
  apps: optional(aListOf(checkedBy(describeText))),
  ...keyShape(),
})
const oidcShape = (): Shape<OidcOptions> => ({
  issuer: checkedBy(describeOidcIssuer),
  audience: anAudience(),
  people: optional(oneOf('own', 'anybody')),
  url: optional(checkedBy((url) => describeHttpUrl(url, anyHost))),
  ...keyShape(),
})

/**
 * Write the issuer of a Supabase project: HS256 by the legacy secret and asymmetric keys from
 * `${url}/auth/v1/.well-known/jwks.json`, side by side while a project moves from one to the other. Lets in people's own
 * sessions: anonymous sign-ins and third-party apps only where they are written out. Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer, keys: [{ kind: 'secret', … }, { kind: 'jwks', … }], audience, emails, people: 'own', accepts }`
 * @throws OptionsError neither `url` nor `secret`; no issuer to be had; a bad URL; an API key in the place of the secret
 * @example
 * createJwtVerifier({ issuers: [supabase({ url: 'https://abc.supabase.co' })] })
 */
export function supabase(options: SupabaseOptions): IssuerOptions {
  const parsed = parseOptions('supabase', supabaseShape(), options)
  const { url, secret, issuer, audience = 'authenticated', emails = 'as-claimed', ...rest } = parsed
  const { anonymous = 'refuse', apps = [], ...source } = rest
  if (url === undefined && secret === undefined) throw oneIsRequired(options, 'url', 'secret')
  const base = url === undefined ? undefined : `${url.replace(/\/$/, '')}/auth/v1`
  const named = issuer ?? base
  if (named === undefined) throw oneIsRequired(options, 'issuer', 'url')
  const keys: KeySource[] = []
  if (secret !== undefined) keys.push({ kind: 'secret', secret })
  if (base !== undefined) keys.push({ kind: 'jwks', url: `${base}/.well-known/jwks.json`, ...given(source) })
  return { issuer: named, keys, audience, emails, people: 'own', accepts: acceptsOnly(anonymous, apps) }
}

// Of the two it is the one that was written, if one was.
function oneIsRequired(options: SupabaseOptions, one: 'url' | 'issuer', other: 'url' | 'secret'): OptionsError {
  const isWritten = (name: keyof SupabaseOptions): boolean => Object.hasOwn(options, name)
  const [named, left] = isWritten(other) && !isWritten(one) ? [other, one] : [one, other]
  return optionsError('supabase', named, `is required without option "${left}"${unsetWhere(isWritten(named))}`)
}

// By one key, issuer and audience the project signs what its people, its guests and the apps of its OAuth server send.
function acceptsOnly(anonymous: 'refuse' | 'accept', apps: readonly string[]): IssuerOptions['accepts'] {
  const known = new Set<unknown>(apps)
  return (claims) => {
    if (anonymous !== 'accept') requireSignedUp(claims['is_anonymous'] === true)
    requireKnownApp(claims['client_id'], known)
    return true
  }
}

/**
 * Write the issuer of an OpenID provider: its keys are found by discovery at the first use, under the limits of every key
 * fetch. The metadata must name exactly this issuer (OpenID Connect Discovery 1.0 §4.3). Pure: nothing is fetched here.
 *
 * @returns issuer options: `{ issuer, keys: [{ kind: 'discovery', … }], audience }`
 * @throws OptionsError a bad URL; no audience
 * @example
 * createJwtVerifier({ issuers: [oidc({ issuer: 'https://login.example.com', audience: 'https://api.example.com' })] })
 */
export function oidc(options: OidcOptions): IssuerOptions {
  const { issuer, audience, people, ...source } = parseOptions('oidc', oidcShape(), options)
  return { issuer, keys: [{ kind: 'discovery', ...given(source) }], audience, people }
}

// Where its metadata stands is what pages of providers show, and no token names it.
function describeOidcIssuer(value: unknown): string | null {
  const wrong = describeHttpUrl(value, anyHost)
  if (wrong !== null || !/\/\.well-known\//.test(value as string)) return wrong
  return 'is the name that tokens have as `iss`, without /.well-known and what follows; where the metadata stands is `url`'
}

// What the dashboard shows beside the secret, and whoever takes one for the other trusts what is public.
function describeProjectSecret(value: unknown): string | null {
  const isApiKey = [value]
    .flat()
    .some((text) => typeof text === 'string' && /^\s*(?:eyJ[\w-]+\.eyJ|sb_(?:publishable|secret)_)/.test(text))
  return isApiKey
    ? 'is an API key of the project (anon, service_role, publishable or secret), not its JWT secret'
    : describeSecrets(value)
}

function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
