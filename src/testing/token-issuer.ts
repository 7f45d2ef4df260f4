/**
 * An identity provider without a network: own key pairs, an HS256 secret, tokens with any claims. Hands on tokens that
 * verify, and everything needed to make ones that do not.
 */
import { type KeyObject, randomBytes } from 'node:crypto'
import * as z from 'zod/mini'
import { aFunction, aName, parseOptions } from '../lib/parse-options.ts'
import { type SigningAlgorithm, signCompact } from './compact-jws.ts'
import {
  createIssuerKey,
  createIssuerKeys,
  type IssuerKey,
  type IssuerKeys,
  type KeyAlgorithm,
  type PublicJwk,
} from './issuer-keys.ts'

/** Claims of a token; a member that is `undefined` is left out. */
export type TokenClaims = Readonly<Record<string, unknown>>

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
  /** Key ids of the first keys. Default `es256-1`, `rs256-2`, … */
  readonly keyIds?: { readonly [K in KeyAlgorithm]?: string | undefined } | undefined
}

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
  /** Life of the token in seconds from now, may be negative. Default 3,600. */
  readonly expiresInSeconds?: number | undefined
  /** Another key than the issuer's own: a private key, or bytes as an HMAC secret. */
  readonly key?: KeyObject | Uint8Array | undefined
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
const LIFE_SECONDS = 3600

/**
 * Create an issuer with fresh keys. Costs one key generation per algorithm (RSA: about 0.1 s), no network.
 *
 * @param options who it claims to be and what it signs by
 * @throws TypeError for an unknown or malformed option
 * @example
 * const issuer = await createTokenIssuer()
 * const token = await issuer.sign({ sub: 'u1' }, { algorithm: 'RS256' })
 */
export async function createTokenIssuer(options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
  const parsed = parseTokenIssuerOptions(options)
  const { issuer, audience, algorithms, clock } = parsed
  const secret = parsed.secret ?? randomBytes(48).toString('base64url')
  const paired = algorithms.filter((algorithm) => algorithm !== 'HS256')
  const keys = createIssuerKeys(
    await Promise.all(
      paired.map((name, index) => createIssuerKey(name, parsed.keyIds[name] ?? `${name.toLowerCase()}-${index + 1}`)),
    ),
  )
  const sign = createSigner({ issuer, audience, algorithms, clock, secret }, keys)
  return Object.freeze({
    issuer,
    audience,
    algorithms,
    secret,
    clock,
    sign,
    key: (algorithm: KeyAlgorithm) => keyOf(keys, algorithm),
    jwks: () => ({ keys: keys.published().map(({ publicJwk }) => publicJwk) }),
    rotate: async (algorithm: KeyAlgorithm = paired[0] ?? 'ES256', { overlap = true, key }: RotateOptions = {}) =>
      await keys.replace(algorithm, overlap, key),
    drop: keys.drop,
    supabaseClaims: (overrides: TokenClaims = {}) =>
      supabaseClaimsOf({ ...defaultClaims(issuer, audience, clock, LIFE_SECONDS), ...overrides }),
  })
}

type Settings = Pick<TokenIssuer, 'issuer' | 'audience' | 'algorithms' | 'clock' | 'secret'>

function parseTokenIssuerOptions(options: TokenIssuerOptions): Omit<Settings, 'secret'> & {
  secret: string | undefined
  keyIds: { readonly [K in KeyAlgorithm]?: string | undefined }
} {
  const parsed = parseOptions(
    'createTokenIssuer',
    {
      issuer: z.optional(aName()),
      audience: z.optional(aName()),
      algorithms: z.optional(z.array(z.enum(['ES256', 'RS256', 'EdDSA', 'HS256'])).check(z.minLength(1))),
      secret: z.optional(aName()),
      clock: z.optional(aFunction<() => number>()),
      keyIds: z.optional(z.partialRecord(z.enum(['ES256', 'RS256', 'EdDSA']), z.optional(aName()))),
    },
    options,
  )
  return {
    issuer: parsed.issuer ?? 'https://issuer.test/auth/v1',
    audience: parsed.audience ?? 'authenticated',
    algorithms: Object.freeze([...new Set(parsed.algorithms ?? (['ES256', 'RS256', 'EdDSA'] as const))]),
    secret: parsed.secret,
    clock: parsed.clock ?? Date.now,
    keyIds: parsed.keyIds ?? {},
  }
}

function keyOf(keys: IssuerKeys, algorithm: KeyAlgorithm): IssuerKey {
  const key = keys.current(algorithm)
  if (key === undefined) throw new TypeError(`createTokenIssuer: this issuer has no key for ${algorithm}`)
  return key
}

function createSigner(settings: Settings, keys: IssuerKeys): TokenIssuer['sign'] {
  const { issuer, audience, clock, secret } = settings
  return async (claims = {}, options = {}) => {
    const algorithm = options.algorithm ?? settings.algorithms[0] ?? 'HS256'
    const pair = algorithm.startsWith('HS') ? undefined : pairOf(keys, algorithm, options.key !== undefined)
    const kid = options.kid === undefined ? (pair?.kid ?? null) : options.kid
    const typ = options.typ === undefined ? 'JWT' : options.typ
    const header = { alg: algorithm, ...(typ !== null && { typ }), ...(kid !== null && { kid }), ...options.header }
    const payload = { ...defaultClaims(issuer, audience, clock, options.expiresInSeconds ?? LIFE_SECONDS), ...claims }
    return signCompact(header, payload, algorithm, options.key ?? pair?.privateKey ?? Buffer.from(secret))
  }
}

// With a foreign key the issuer's own pair only lends its kid, and may be missing.
function pairOf(keys: IssuerKeys, algorithm: SigningAlgorithm, foreign: boolean): IssuerKey | undefined {
  const name = algorithm === 'ES256' || algorithm === 'EdDSA' ? algorithm : 'RS256'
  return foreign ? keys.current(name) : keyOf(keys, name)
}

function defaultClaims(iss: string, aud: string, clock: () => number, lifeSeconds: number): TokenClaims {
  const iat = Math.floor(clock() / 1000)
  return { iss, sub: DEFAULT_SUBJECT, aud, iat, exp: iat + lifeSeconds, email: DEFAULT_EMAIL }
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
