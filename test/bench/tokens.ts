/** The tokens of a run: one issuer, the claims of a Supabase access token, and a fresh text for every call. */
import { createHmac, type KeyObject, sign as signBytes } from 'node:crypto'
import { createTokenIssuer, type TokenIssuer } from 'sallyport/testing'

/** What everybody verifies: the signature, and these two. */
export const ISSUER = 'https://issuer.example.test/auth/v1'
export const AUDIENCE = 'authenticated'
/** Leeway of everybody, in seconds. */
export const LEEWAY_SECONDS = 5

/** The algorithms, in the order of the tables. */
export const ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** As many people as tokens, up to these. */
const PEOPLE = 1000

/** The issuer of a run, with fresh keys. */
export function createIssuer(): Promise<TokenIssuer> {
  return createTokenIssuer({ issuer: ISSUER, audience: AUDIENCE, algorithms: [...ALGORITHMS] })
}

/** Many texts in one piece of memory, outside of the heap. */
export interface TokenTexts {
  readonly count: number
  /** A new string each time, as an HTTP parser makes one: nothing about it is worked out yet. */
  fresh(index: number): string
}

/** How to make them. */
export interface TokenOptions {
  /** Claims over the usual ones. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Header members over `alg`, `typ` and `kid`. */
  readonly header?: Readonly<Record<string, unknown>>
  /** The first one's number: no two numbers give the same token. */
  readonly from?: number
  /** How many people they are of, at most. Default 1,000. */
  readonly people?: number
}

/** Make distinct tokens. */
export function makeTokens(
  issuer: TokenIssuer,
  algorithm: Algorithm,
  count: number,
  options: TokenOptions = {},
): TokenTexts {
  const sign = signerOf(issuer, algorithm)
  const kid = algorithm === 'HS256' ? {} : { kid: issuer.key(algorithm).kid }
  const head = encode({ alg: algorithm, typ: 'JWT', ...kid, ...options.header })
  const usual = issuer.supabaseClaims()
  return textsOf(count, (index) => {
    const number = index + (options.from ?? 0)
    const sub = `3f0c7a52-8d1e-4c6b-9a47-${String(number % (options.people ?? PEOPLE)).padStart(12, '0')}`
    const input = `${head}.${encode({ ...usual, sub, email: `${sub}@example.test`, jti: `${number}`, ...options.claims })}`
    return `${input}.${sign(input)}`
  })
}

/** Keep texts that a function makes one by one. */
export function textsOf(count: number, make: (index: number) => string): TokenTexts {
  const ends = new Float64Array(count + 1)
  let bytes = Buffer.allocUnsafe(Math.max(1, count) * 1200)
  for (let index = 0; index < count; index++) {
    const text = make(index)
    const start = ends[index] as number
    if (start + text.length > bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2 + text.length)
    ends[index + 1] = start + bytes.write(text, start, 'latin1')
  }
  return {
    count,
    fresh: (index) => bytes.toString('latin1', ends[index % count], ends[(index % count) + 1]),
  }
}

/** A good token with another signature of the same length. */
export function tampered(token: string): string {
  const at = token.lastIndexOf('.') + 5
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}

/** Fresh strings for one turn, made outside the clock: in order, from one on. */
export function freshTexts(texts: TokenTexts, size: number, from = 0): string[] {
  return Array.from({ length: size }, (_, call) => texts.fresh(from + call))
}

/** Fresh strings for one turn, of tokens picked at random; the same seed picks the same. */
export function pickTexts(texts: TokenTexts, size: number, seed: number): string[] {
  const random = createRandom(seed)
  return Array.from({ length: size }, () => texts.fresh(Math.floor(random() * texts.count)))
}

// Mulberry32: repeatable, and even enough to pick by.
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function signerOf(issuer: TokenIssuer, algorithm: Algorithm): (input: string) => string {
  if (algorithm === 'HS256') {
    return (input) => createHmac('sha256', issuer.secret).update(input).digest('base64url')
  }
  const key: KeyObject = issuer.key(algorithm).privateKey
  const hash = algorithm === 'EdDSA' ? null : 'sha256'
  return (input) => signBytes(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}
