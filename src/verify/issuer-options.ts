/** The issuers a verifier trusts, as the host writes them: the options, and how each is read. What goes together is checked where issuers are made. */
import type { Identity } from '../context.ts'
import { describeHttpUrl } from '../lib/http-url.ts'
import {
  aFilledListOf,
  aFunction,
  aGroup,
  aGroupOfKind,
  aListOf,
  aNumber,
  aString,
  checkedBy,
  type OptionType,
  oneOf,
  optional,
  orNull,
  type Shape,
} from '../lib/parse-options.ts'
import { describeText } from '../lib/secret-check.ts'
import type { ClaimPlace, VerifiedClaims } from './claims.ts'
import { describeIssuer } from './issuer-name.ts'
import { type MachineRule, machineRules } from './machine-rules.ts'
import { describeSecrets, type SecretSource } from './shared-secrets.ts'
import { CURVE_ALGORITHMS, type KeyAlgorithm, RSA_ALGORITHMS, SECRET_ALGORITHMS } from './token-form.ts'

/** An algorithm of a JWK Set; `Ed25519` and `EdDSA` are one (RFC 9864). */
export type JwksAlgorithm = KeyAlgorithm | 'Ed25519'

/** How long fetched keys serve. */
export interface KeyAgeOptions {
  /** Seconds after which fetched keys are old; a refresh begins in the background at 80 % of it. 1–86400, default 600. */
  readonly maxAgeSeconds?: number | undefined
  /** Seconds that old keys go on serving while the server can't be asked. 0–86400, default 3600. */
  readonly maxStaleSeconds?: number | undefined
}

/** What keys of a JWK Set may be used for. */
export interface KeyAlgorithmOptions {
  /**
   * Accepted algorithms (RFC 7518 §3.1, RFC 8037). A key is used for its own `alg`, where it has none for those of these that
   * its type fits. Default: `ES256`, `RS256` and `EdDSA`.
   */
  readonly algorithms?: readonly JwksAlgorithm[] | undefined
}

/** Public keys from a JWK Set URL: https, or http for loopback hosts and those of `insecureHosts`. */
export interface JwksUrlSource extends KeyAgeOptions, KeyAlgorithmOptions {
  readonly kind: 'jwks'
  /** Where the JWK Set is (RFC 7517 §5). */
  readonly url: string
}

/** Public keys written out: no network. */
export interface JwksKeysSource extends KeyAlgorithmOptions {
  readonly kind: 'jwks'
  /**
   * The JWKs (RFC 7517 §4), {@link pemToJwks} makes them of PEM: at least one must be usable, and none for signatures be weak or
   * no key at all. One without `kid` is for tokens of any.
   */
  readonly keys: readonly object[]
}

/** Public keys from the URL that the issuer's metadata names, looked up at the first use. */
export interface DiscoverySource extends KeyAgeOptions, KeyAlgorithmOptions {
  readonly kind: 'discovery'
  /** Where the metadata is. Default: the issuer, followed by `/.well-known/openid-configuration`. */
  readonly url?: string | undefined
}

/** One source of keys. The token's `alg` picks the class: a secret is never tried for `ES256`, a JWK never for `HS256`. */
export type KeySource = SecretSource | JwksUrlSource | JwksKeysSource | DiscoverySource

/** When an e-mail counts as verified: see `emails` of {@link IssuerOptions}. */
export type EmailPolicy = 'confirmed' | 'as-claimed'

/**
 * Where tokens say what: for each the name of a claim, a path to it in nested objects (`['ctx', 'user', 'id']`), or a function
 * of all claims, for what no path finds.
 */
export interface IssuerClaims {
  /** What names the person or machine to this issuer, for ever. Default `sub`. */
  readonly subject?: ClaimPlace | undefined
  /** The e-mail. Default `email`. From elsewhere it counts as verified only where `emailVerified` is written, too. */
  readonly email?: ClaimPlace | undefined
  /** Whether the e-mail is verified; `true` alone says so. Default `email_verified`. */
  readonly emailVerified?: ClaimPlace | undefined
  /** What to call them. Default `name`. */
  readonly name?: ClaimPlace | undefined
  /**
   * What the token allows at most: scopes with one space between them or a list of them (RFC 8693 §4.2), which from then on
   * bind whoever brings it; where a token says nothing, it allows nothing, and what is malformed is 401. Default: tokens of
   * this issuer set no bound.
   */
  readonly scopes?: ClaimPlace | undefined
}

/**
 * An issuer, its keys, and what its tokens are trusted for. {@link supabase} and {@link oidc} write one.
 * @typeParam C names of the further claims that the verifier hands on
 */
export interface IssuerOptions<C extends string = string> {
  /**
   * The exact `iss` claim; a list where one issuer has several names, of which the first is `identity.issuer`. With one
   * `{claim}` in it a pattern: `https://login.microsoftonline.com/{tid}/v2.0` is any token whose `iss` is just that with its
   * own `tid` in it, a word of letters, digits and `._-`; `identity.issuer` is the token's `iss`, and a key whose JWK names
   * an `issuer` signs for that one alone. `null`: not checked, and then this is the only issuer.
   */
  readonly issuer: string | readonly string[] | null
  /**
   * Whose identities its tokens name, where it has taken another issuer's place and calls people by the same subjects: that
   * one's exact name, of several the first. It becomes `identity.issuer`, so that nobody is made a second time; whoever signs for
   * this issuer is trusted for everybody of that one. Both may be listed; keys, audience and all checks stay each one's own, and
   * `identity.tokenIssuer` says which signed. Not with a pattern, `null` or a look-up. Default: its own.
   */
  readonly identityIssuer?: string | undefined
  /** Sources of keys, side by side; at least one. */
  readonly keys: readonly KeySource[]
  /** Audiences of which a token of this issuer must name one. `null` switches the check off, and must be written. */
  readonly audience: string | readonly string[] | null
  /** Accepted `typ` headers; none at all is accepted too. Default `['JWT', 'at+jwt']`. */
  readonly types?: readonly string[] | undefined
  /** Where its tokens say what. */
  readonly claims?: IssuerClaims | undefined
  /**
   * Whether nobody stands behind a token: client credentials, a workload. Whatever it doesn't answer `true` or `false` to is a
   * fault of the host (500). Default: where the subject is the client itself (`sub` equal to `client_id`, RFC 9068 §2.2, to
   * `azp` or `cid`, also with Auth0's `@clients`), and where `gty`, `grant_type` or `idtyp` says so.
   */
  readonly machine?: ((claims: VerifiedClaims) => boolean) | undefined
  /**
   * Machines of this service, named by what their tokens say; the first rule that fits counts. Whom none names is looked up
   * (`machines` of `createAuth`). Default: there are none.
   */
  readonly machines?: readonly MachineRule[] | undefined
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
   * by throwing `AuthError('forbidden', { reason })`. Anything else is a fault of the host (500). Default: all are let in.
   * Asked of machines too, which a route must accept besides.
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

/** How `supabase` and `oidc` say which keys they take, as the sources do. */
export const keyShape = (): Shape<KeyAgeOptions & KeyAlgorithmOptions> => ({
  algorithms: optional(aFilledListOf(oneOf<JwksAlgorithm>(...CURVE_ALGORITHMS, 'Ed25519', ...RSA_ALGORITHMS))),
  maxAgeSeconds: optional(aNumber(1, 86_400)),
  maxStaleSeconds: optional(aNumber(0, 86_400)),
})

const urlSourceShape = (): Shape<JwksUrlSource> => ({
  kind: oneOf('jwks'),
  // Which hosts may be asked by plain http is said by the verifier (`insecureHosts`).
  url: checkedBy((url) => describeHttpUrl(url, () => true)),
  ...keyShape(),
})

const keysSourceShape = (): Shape<JwksKeysSource> => ({
  kind: oneOf('jwks'),
  keys: aListOf(checkedBy(() => null)),
  algorithms: keyShape().algorithms,
})

const secretSourceShape = (source: Partial<SecretSource>): Shape<SecretSource> => ({
  kind: oneOf('secret'),
  secret: checkedBy((value) => describeSecrets(value, source)),
  algorithms: optional(aFilledListOf(oneOf(...SECRET_ALGORITHMS))),
  encoding: optional(oneOf('text', 'base64', 'base64url')),
})

/** An audience, as issuer options name it. */
export function anAudience(): OptionType<IssuerOptions['audience']> {
  return checkedBy((value) => {
    const names = [value].flat()
    return value === null || (names.length > 0 && names.every((name) => describeText(name) === null))
      ? null
      : 'must be a string, a list of strings, or null to switch the check off; none blank, or with white space or quotes around it'
  })
}

function aClaimPlace(): OptionType<ClaimPlace> {
  return checkedBy((value) => {
    const names = [value].flat()
    const isPath = names.length > 0 && names.every((name) => typeof name === 'string' && name !== '')
    return isPath || typeof value === 'function' ? null : 'must be the name of a claim, a path of names, or a function'
  })
}

/** How the places of claims are read. */
export const issuerClaimsShape = (): Shape<IssuerClaims> => ({
  subject: optional(aClaimPlace()),
  email: optional(aClaimPlace()),
  emailVerified: optional(aClaimPlace()),
  name: optional(aClaimPlace()),
  scopes: optional(aClaimPlace()),
})

/** How the options of an issuer are read. */
export const issuerShape = <C extends string>(): Shape<IssuerOptions<C>> => ({
  issuer: orNull(checkedBy(describeIssuer)),
  identityIssuer: optional(checkedBy((name) => describeIssuer([name]))),
  keys: aFilledListOf(
    aGroupOfKind<KeySource>({
      secret: secretSourceShape,
      jwks: (source) => (Object.hasOwn(source, 'keys') ? keysSourceShape() : urlSourceShape()),
      discovery: () => ({ ...urlSourceShape(), kind: oneOf('discovery'), url: optional(urlSourceShape().url) }),
    }),
  ),
  audience: anAudience(),
  types: optional(aFilledListOf(aString())),
  claims: optional(aGroup(issuerClaimsShape())),
  machine: optional(aFunction()),
  machines: optional(machineRules()),
  check: optional(aFunction()),
  emails: optional(oneOf('confirmed', 'as-claimed')),
  accepts: optional(aFunction()),
  people: optional(oneOf('own', 'anybody')),
  boundTokens: optional(oneOf('refuse', 'as-bearer')),
})
