/**
 * The workbench on which bad tokens are made: a good token of the issuer and the tools to spoil exactly one thing of it.
 * Hands recipes what they need; `badTokens` runs them.
 */
import type { KeyObject } from 'node:crypto'
import {
  createIssuerKey,
  type IssuerAlgorithm,
  type IssuerKey,
  type KeyAlgorithm,
  type SigningAlgorithm,
  type SignOptions,
  signCompact,
  type TokenClaims,
  type TokenIssuer,
} from '../../../src/testing/token-issuer.ts'

/** What a recipe works with. */
export interface Bench {
  readonly issuer: TokenIssuer
  /** What good tokens of this bench are signed by. */
  readonly algorithm: IssuerAlgorithm
  /** Algorithms the issuer has key pairs for. */
  readonly paired: readonly KeyAlgorithm[]
  /** Now, in whole seconds. */
  readonly now: number
  /** Where an attacker's keys would be fetched from. */
  readonly attackerUrl: string
  /** The claims of a good token. */
  readonly claims: TokenClaims
  /** The header of a good token. */
  readonly header: TokenClaims
  /** A good token, and its three parts. */
  readonly good: string
  readonly parts: readonly [header: string, payload: string, signature: string]
  /** Sign claims over the good ones by the issuer's key. */
  sign(claims?: TokenClaims, options?: SignOptions): Promise<string>
  /** Sign any payload, and any header, by the issuer's key. */
  raw(payload: unknown, header?: unknown): string
  /** Sign by a key of choice. */
  forge(header: TokenClaims, algorithm: SigningAlgorithm, key: KeyObject | Uint8Array): string
  /** A key pair nobody published, of the bench's algorithm (ES256 for HS256). */
  readonly attacker: IssuerKey
}

/** How one bad token is made: everything but one thing is right. `make` gives `null` where the issuer has no such key. */
export interface BadTokenRecipe {
  readonly name: string
  readonly requirement: string
  readonly why: string
  readonly code?: 'token_expired' | undefined
  make(bench: Bench): string | null | Promise<string | null>
}

/** Set up a bench; costs one key generation. */
export async function createBench(
  issuer: TokenIssuer,
  algorithm: IssuerAlgorithm,
  attackerUrl: string,
): Promise<Bench> {
  const now = Math.floor(issuer.clock() / 1000)
  const good = await issuer.sign({}, { algorithm })
  const parts = good.split('.') as unknown as Bench['parts']
  const [header, claims] = parts
    .map((part) => Buffer.from(part, 'base64url').toString())
    .slice(0, 2)
    .map(parse)
  const key = algorithm === 'HS256' ? Buffer.from(issuer.secret) : issuer.key(algorithm).privateKey
  const attacker = await createIssuerKey(algorithm === 'HS256' ? 'ES256' : algorithm, 'attacker')
  return {
    issuer,
    algorithm,
    paired: issuer.algorithms.filter((name) => name !== 'HS256'),
    now,
    attackerUrl,
    claims: claims ?? {},
    header: header ?? {},
    good,
    parts,
    attacker,
    sign: (own, options) => issuer.sign(own, { algorithm, ...options }),
    raw: (payload, own = header) => signCompact(own, payload, algorithm, key),
    forge: (own, by, foreign) => signCompact(own, claims, by, foreign),
  }
}

function parse(text: string): TokenClaims {
  return JSON.parse(text) as TokenClaims
}
