/** An identity provider without a network: tokens that verify, and everything needed to make ones that do not. */
import { constants, createHmac, generateKeyPair, type KeyObject, randomBytes, sign as signBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { aFilledListOf, aFunction, aName, oneOf, optional, parseOptions, type Shape } from '../lib/parse-options.ts'

/** Claims of a token; a member that is `undefined` is left out. */
export type TokenClaims = Readonly<Record<string, unknown>>

/** Algorithms a test issuer has key pairs for. */
export type KeyAlgorithm = 'ES256' | 'RS256' | 'EdDSA'

/** Algorithms an issuer signs by: the ones with key pairs, and HS256 with its secret. */
export type IssuerAlgorithm = KeyAlgorithm | 'HS256'

/** Options of {@link createTokenIssuer}; all have defaults. */
export interface TokenIssuerOptions {
  /** The `iss` claim. Default `https://issuer.test/auth/v1`. */
  readonly issuer?: string | undefined
  /** The `aud` claim. Default `authenticated`. */
  readonly audience?: string | undefined
  /** What to sign by; the first is the default of `sign`. Default `['ES256', 'RS256', 'EdDSA']`. */
  readonly algorithms?: readonly IssuerAlgorithm[] | undefined
  /** The HS256 secret. Default: 48 random bytes as base64url. */
  readonly secret?: string | undefined
  /** Now, in milliseconds. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** Algorithms a token can be signed by. */
export type SigningAlgorithm = 'ES256' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'EdDSA' | 'HS256' | 'HS384' | 'HS512'

/** How to sign one token. */
export interface SignOptions {
  /** Default: the issuer's first. */
  readonly algorithm?: SigningAlgorithm | undefined
  /** The `kid` header; `null` for none. Default: the key's own (HS256 has none). */
  readonly kid?: string | null | undefined
  /** The `typ` header; `null` for none. Default `JWT`. */
  readonly typ?: string | null | undefined
  /** Header members to add or replace; `undefined` removes one. */
  readonly header?: Readonly<Record<string, unknown>> | undefined
  /**
   * Life of the token in seconds from now; negative: it has expired, and was issued before that. Default 3,600. Not beside a
   * claim `exp`, as `supabaseClaims()` has one: a `TypeError`.
   */
  readonly expiresInSeconds?: number | undefined
  /** Another key than the issuer's own: a private key, or bytes as an HMAC secret. */
  readonly key?: KeyObject | Uint8Array | undefined
}

/** A public key as a JWK Set holds it (RFC 7517). */
export interface PublicJwk {
  readonly kty?: string | undefined
  /** The curve of an `EC` or `OKP` key, with `x`, and of `EC` with `y`. */
  readonly crv?: string | undefined
  readonly x?: string | undefined
  readonly y?: string | undefined
  /** The modulus of an `RSA` key, with `e`. */
  readonly n?: string | undefined
  readonly e?: string | undefined
  readonly kid: string
  readonly alg: KeyAlgorithm
  readonly use: 'sig'
}

/** A key pair of a test issuer. */
export interface IssuerKey {
  readonly algorithm: KeyAlgorithm
  /** `es256-1`, `rs256-2`, … by the order they were made. */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** The published form, with `kid`, `alg` and `use`. */
  readonly publicJwk: PublicJwk
}

/** How to replace a key. */
export interface RotateOptions {
  /** Whether the old key stays published, so that its tokens live on. Default `true`. */
  readonly overlap?: boolean | undefined
  /** The key to sign by from now on, such as an earlier one (a rollback). Default: a new one. */
  readonly key?: IssuerKey | undefined
}

/** An issuer of tokens for tests. */
export interface TokenIssuer {
  /** The `iss` claim. */
  readonly issuer: string
  /** The `aud` claim. */
  readonly audience: string
  /** The algorithms that it has a key for, the default first. */
  readonly algorithms: readonly IssuerAlgorithm[]
  /** The HS256 secret: its UTF-8 bytes are the key. */
  readonly secret: string
  /** Now, in milliseconds. */
  readonly clock: () => number
  /** Sign a token; the claims given go over the defaults (iss, sub, aud, iat, exp, email). */
  sign(claims?: TokenClaims, options?: SignOptions): Promise<string>
  /** The key that signs now. Throws a `TypeError` if the issuer has none for the algorithm. */
  key(algorithm: KeyAlgorithm): IssuerKey
  /** The public JWK Set (RFC 7517 §5); never holds the secret. */
  jwks(): { readonly keys: readonly PublicJwk[] }
  /** Sign by a new key from now on. Without an algorithm: the first that has a key pair. */
  rotate(algorithm?: KeyAlgorithm, options?: RotateOptions): Promise<IssuerKey>
  /** Take a key out of the published set; nothing happens if it is not there. */
  drop(kid: string): void
  /** The whole claim set of a Supabase access token; none of it says anything about organizations. */
  supabaseClaims(overrides?: TokenClaims): TokenClaims
}

/** The subject of tokens that name none. */
export const DEFAULT_SUBJECT = '3f0c7a52-8d1e-4c6b-9a47-5e2b1d9f8c30'
/** The e-mail of tokens that name none. */
export const DEFAULT_EMAIL = 'ada@example.test'

/**
 * Create an issuer with fresh keys. Costs one key generation per algorithm (RSA: about 0.1 s), no network.
 *
 * @throws OptionsError for an unknown or malformed option
 * @example
 * const issuer = await createTokenIssuer()
 * const token = await issuer.sign({ sub: 'u1' }, { algorithm: 'RS256' })
 */
export async function createTokenIssuer(options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
  const parsed = parseOptions('createTokenIssuer', SHAPE, options)
  const { issuer = 'https://issuer.test/auth/v1', audience = 'authenticated', clock = Date.now } = parsed
  const { secret = randomBytes(48).toString('base64url') } = parsed
  const algorithms = Object.freeze([...new Set(parsed.algorithms ?? (['ES256', 'RS256', 'EdDSA'] as const))])
  const paired = algorithms.filter((algorithm) => algorithm !== 'HS256')
  const newKey = (algorithm: KeyAlgorithm, number: number): Promise<IssuerKey> =>
    createIssuerKey(algorithm, `${algorithm.toLowerCase()}-${number}`)
  let published: readonly IssuerKey[] = await Promise.all(
    paired.map((algorithm, index) => newKey(algorithm, index + 1)),
  )
  let made = published.length
  const signing = new Map(published.map((key) => [key.algorithm, key]))
  const key = (algorithm: KeyAlgorithm): IssuerKey => {
    const found = signing.get(algorithm)
    if (found === undefined) throw new TypeError(`createTokenIssuer: this issuer has no key for ${algorithm}`)
    return found
  }
  const defaults = (lifeSeconds = 3600): TokenClaims => {
    const now = Math.floor(clock() / 1000)
    // A token that has expired was issued before that.
    const iat = Math.min(now, now + lifeSeconds - 1)
    return { iss: issuer, sub: DEFAULT_SUBJECT, aud: audience, iat, exp: now + lifeSeconds, email: DEFAULT_EMAIL }
  }
  return Object.freeze({
    issuer,
    audience,
    algorithms,
    secret,
    clock,
    key,
    async sign(claims: TokenClaims = {}, how: SignOptions = {}) {
      if (how.expiresInSeconds !== undefined && claims['exp'] !== undefined) {
        throw new TypeError(
          'createTokenIssuer: sign takes expiresInSeconds or the claim exp, which would say otherwise',
        )
      }
      const algorithm = how.algorithm ?? algorithms[0] ?? 'HS256'
      const pairedBy = algorithm === 'ES256' || algorithm === 'EdDSA' ? algorithm : 'RS256'
      // With a foreign key the issuer's own pair only lends its kid, and may be missing.
      const own = how.key === undefined ? key : (name: KeyAlgorithm) => signing.get(name)
      const pair = algorithm.startsWith('HS') ? undefined : own(pairedBy)
      const { kid = pair?.kid ?? null, typ = 'JWT', key: signsBy = pair?.privateKey ?? Buffer.from(secret) } = how
      const header = { alg: algorithm, ...(typ !== null && { typ }), ...(kid !== null && { kid }), ...how.header }
      return signCompact(header, { ...defaults(how.expiresInSeconds), ...claims }, algorithm, signsBy)
    },
    jwks: () => ({ keys: published.map(({ publicJwk }) => publicJwk) }),
    async rotate(algorithm: KeyAlgorithm = paired[0] ?? 'ES256', { overlap = true, key: given }: RotateOptions = {}) {
      made += 1
      const next = given ?? (await newKey(algorithm, made))
      const gone = [next.kid, ...(overlap ? [] : [signing.get(algorithm)?.kid])]
      published = [...published.filter(({ kid }) => !gone.includes(kid)), next]
      signing.set(next.algorithm, next)
      return next
    },
    drop(kid: string) {
      published = published.filter((each) => each.kid !== kid)
    },
    supabaseClaims: (overrides: TokenClaims = {}) => supabaseClaimsOf({ ...defaults(), ...overrides }),
  })
}

const SHAPE: Shape<TokenIssuerOptions> = {
  issuer: optional(aName()),
  audience: optional(aName()),
  algorithms: optional(aFilledListOf(oneOf('ES256', 'RS256', 'EdDSA', 'HS256'))),
  secret: optional(aName()),
  clock: optional(aFunction<() => number>()),
}

/** Generate a key pair: ES256 (P-256), RS256 (2,048 bits) or EdDSA (Ed25519). */
export async function createIssuerKey(algorithm: KeyAlgorithm, kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generated(algorithm)
  const jwk = publicKey.export({ format: 'jwk' })
  const publicJwk: PublicJwk = Object.freeze({ ...jwk, kid, alg: algorithm, use: 'sig' as const })
  return Object.freeze({ algorithm, kid, privateKey, publicKey, publicJwk })
}

function generated(algorithm: KeyAlgorithm): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  const generate = promisify(generateKeyPair)
  if (algorithm === 'ES256') return generate('ec', { namedCurve: 'P-256' })
  return algorithm === 'RS256' ? generate('rsa', { modulusLength: 2048 }) : generate('ed25519')
}

// What a Supabase access token holds around the registered claims.
function supabaseClaimsOf(claims: TokenClaims): TokenClaims {
  const { email, sub, iat } = claims
  return {
    phone: '',
    app_metadata: { provider: 'email', providers: ['email'] },
    user_metadata: { email, email_verified: true, phone_verified: false, sub },
    role: 'authenticated',
    aal: 'aal1',
    amr: [{ method: 'password', timestamp: iat }],
    session_id: '9b2f6d1e-40c7-4b8a-8f35-c1d07e6a2b94',
    is_anonymous: false,
    ...claims,
  }
}

/** Encode one part of a token: bytes, text (as UTF-8), or a value to write as JSON. */
export function encodePart(part: unknown): string {
  const bytes = part instanceof Uint8Array || typeof part === 'string' ? part : JSON.stringify(part)
  return Buffer.from(bytes as string).toString('base64url')
}

/**
 * Sign two parts as they are, as a compact JWS (RFC 7515 §3.1), also one that no library would write.
 *
 * @param algorithm what to compute; the header may claim something else
 * @param key private key, or the secret of an HMAC as a `KeyObject` or bytes (an empty one is possible)
 */
export function signCompact(
  header: unknown,
  payload: unknown,
  algorithm: SigningAlgorithm,
  key: KeyObject | Uint8Array,
): string {
  const input = `${encodePart(header)}.${encodePart(payload)}`
  const digest = `sha${algorithm.slice(2)}`
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants
  const how = { dsaEncoding: 'ieee-p1363' as const, ...(algorithm === 'PS256' && { padding, saltLength }) }
  const signature = algorithm.startsWith('HS')
    ? createHmac(digest, key).update(input).digest()
    : signBytes(algorithm === 'EdDSA' ? null : digest, Buffer.from(input), { key: key as KeyObject, ...how })
  return `${input}.${signature.toString('base64url')}`
}
