/**
 * Who verifies a token in process: each peer as its own pages say it is to be used, with keys prepared outside the clock,
 * checking signature, issuer, audience and times.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier } from 'fast-jwt'
import { verify as honoVerify, verifyWithJwks } from 'hono/jwt'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import {
  type AuthRequest,
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createProvisioner,
  header,
  type KeySource,
} from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'
import type { TokenIssuer } from 'sallyport/testing'
import { WrongAnswer } from './section.ts'
import { type Algorithm, AUDIENCE, ISSUER, LEEWAY_SECONDS, makeTokens, tampered } from './tokens.ts'

/** Verify one token, as {@link Peer.toText} hands it over: what it answers to a good one, it throws or rejects for another. */
export type Verify = (text: string) => unknown

/** Somebody who verifies tokens of one algorithm. */
export interface Peer {
  readonly name: string
  readonly synchronous: boolean
  /** What it is handed for a token, made outside the clock. Default: the token. */
  readonly toText?: (token: string) => string
  /** A fresh one, with nothing cached but keys. */
  create(): Promise<Verify>
}

export const OUR_VERIFY = 'sallyport verify()'
export const OUR_WHOLE = 'sallyport authenticate()'
export const JOSE = 'jose'
export const FAST_JWT = 'fast-jwt'
export const FAST_JWT_CACHE = 'fast-jwt, cache'

// With a cache of so many tokens, its usual one, or none.
function ourVerifier(issuer: TokenIssuer, maxEntries?: number | null): ReturnType<typeof createJwtVerifier> {
  const keys: KeySource[] = [
    { kind: 'secret', secret: issuer.secret },
    { kind: 'jwks', keys: issuer.jwks().keys as never },
  ]
  return createJwtVerifier({
    issuers: [{ issuer: ISSUER, keys, audience: AUDIENCE }],
    clockToleranceSeconds: LEEWAY_SECONDS,
    ...(maxEntries === undefined ? {} : { cache: maxEntries === null ? null : { maxEntries, ttlSeconds: 3600 } }),
  })
}

/** Our `verify()` alone, with a cache of so many tokens, its usual one, or none. */
export function ours(issuer: TokenIssuer, maxEntries?: number | null): Peer {
  return {
    name: OUR_VERIFY,
    synchronous: false,
    async create() {
      const verifier = ourVerifier(issuer, maxEntries)
      await verifier.warmUp?.()
      return (token) => verifier.verify(token)
    },
  }
}

/** Our whole pipeline: token, user, organization and role, with one storage in memory for all that are made. */
export function oursWhole(issuer: TokenIssuer, maxEntries?: number): Peer {
  const storage = createMemoryStorage()
  return {
    name: OUR_WHOLE,
    synchronous: false,
    toText: toLine,
    async create() {
      const auth = createAuth({
        roles: ['owner'],
        verifier: ourVerifier(issuer, maxEntries),
        users: createProvisioner({ storage }),
        orgs: createOrgResolver({
          memberships: storage.memberships,
          selectors: [header('X-Org-Id')],
          whenUnnamed: 'earliest-joined',
        }),
      })
      await auth.warmUp?.()
      return (line) => auth.authenticate(requestWith(line))
    },
  }
}

/** `fast-jwt`, with its cache of so many tokens or without. */
export function fastJwt(issuer: TokenIssuer, algorithm: Algorithm, cache: number | false): Peer {
  const key = algorithm === 'HS256' ? issuer.secret : pemOf(issuer, algorithm)
  const options = { key, cache, allowedIss: ISSUER, allowedAud: AUDIENCE, clockTolerance: LEEWAY_SECONDS * 1000 }
  return {
    name: cache === false ? FAST_JWT : FAST_JWT_CACHE,
    synchronous: true,
    create: async () => createVerifier(options),
  }
}

/** `jose`, with a CryptoKey or a local JWK Set. */
export function jose(issuer: TokenIssuer, algorithm: Algorithm): Peer {
  const options = { issuer: ISSUER, audience: AUDIENCE, clockTolerance: LEEWAY_SECONDS }
  return {
    name: JOSE,
    synchronous: false,
    async create() {
      if (algorithm === 'HS256') {
        const secret = await hmacKey(issuer)
        return (token) => jwtVerify(token, secret, options)
      }
      const keys = createLocalJWKSet(issuer.jwks() as JSONWebKeySet)
      return (token) => jwtVerify(token, keys, options)
    },
  }
}

/** Everybody who can verify tokens of an algorithm, without any cache of theirs; jose first. */
export function uncachedPeers(issuer: TokenIssuer, algorithm: Algorithm): Peer[] {
  return [
    jose(issuer, algorithm),
    fastJwt(issuer, algorithm, false),
    ...(algorithm === 'EdDSA' ? [] : [jsonWebToken(issuer, algorithm)]),
    ...(algorithm === 'HS256' ? [] : [awsJwtVerify(issuer)]),
    honoJwt(issuer, algorithm),
    ...(algorithm === 'HS256' ? [] : [honoJwk(issuer, algorithm)]),
  ]
}

function jsonWebToken(issuer: TokenIssuer, algorithm: Algorithm): Peer {
  const key = algorithm === 'HS256' ? createSecretKey(issuer.secret, 'utf8') : publicKey(issuer, algorithm)
  const options = { algorithms: [algorithm], issuer: ISSUER, audience: AUDIENCE, clockTolerance: LEEWAY_SECONDS }
  return {
    name: 'jsonwebtoken',
    synchronous: true,
    create: async () => (token) => jsonwebtoken.verify(token, key, options),
  }
}

function awsJwtVerify(issuer: TokenIssuer): Peer {
  return {
    name: 'aws-jwt-verify',
    synchronous: false,
    async create() {
      const verifier = JwtVerifier.create({
        issuer: ISSUER,
        audience: AUDIENCE,
        jwksUri: `${ISSUER}/jwks.json`,
        graceSeconds: LEEWAY_SECONDS,
      })
      verifier.cacheJwks(issuer.jwks())
      return (token) => verifier.verify(token)
    },
  }
}

function honoJwt(issuer: TokenIssuer, algorithm: Algorithm): Peer {
  const options = { alg: algorithm, iss: ISSUER, aud: AUDIENCE }
  return {
    name: 'hono/jwt',
    synchronous: false,
    async create() {
      const key = algorithm === 'HS256' ? await hmacKey(issuer) : await cryptoKeyOf(issuer, algorithm)
      return (token) => honoVerify(token, key, options)
    },
  }
}

function honoJwk(issuer: TokenIssuer, algorithm: Exclude<Algorithm, 'HS256'> | Algorithm): Peer {
  const keys = issuer.jwks().keys as never
  const options = {
    keys,
    verification: { iss: ISSUER, aud: AUDIENCE },
    allowedAlgorithms: [algorithm as 'ES256'],
  }
  return { name: 'hono/jwk', synchronous: false, create: async () => (token) => verifyWithJwks(token, options) }
}

/** See that everybody takes a good token and refuses one with another signature. */
export async function requireRight(peers: readonly Peer[], issuer: TokenIssuer, algorithm: Algorithm): Promise<void> {
  const token = makeTokens(issuer, algorithm, 1).fresh(0)
  for (const peer of peers) {
    const verify = await peer.create()
    const [good, forged] = [token, tampered(token)].map(peer.toText ?? String) as [string, string]
    if (!(await passes(verify, good))) throw new WrongAnswer(`${peer.name} refused a good ${algorithm} token`)
    if (await passes(verify, forged)) throw new WrongAnswer(`${peer.name} passed a forged ${algorithm} token`)
    if (!(await passes(verify, good))) throw new WrongAnswer(`${peer.name} refused a good ${algorithm} token again`)
  }
}

async function passes(verify: Verify, text: string): Promise<boolean> {
  try {
    const answer = await verify(text)
    return typeof answer === 'object' && answer !== null
  } catch {
    return false
  }
}

/** The line of the header that brings a token, in one piece, as a parser of HTTP makes it. */
export function toLine(token: string): string {
  return Buffer.from(`Bearer ${token}`).toString('latin1')
}

/** A request as an adapter hands it on, with such a line. */
export function requestWith(line: string): AuthRequest {
  return {
    method: 'GET',
    path: '/',
    source: {},
    params: null,
    lines: (name) => (name === 'authorization' ? [line] : []),
    remoteAddress: null,
    encrypted: false,
    upgrade: false,
    body: async () => ({ kind: 'bytes', bytes: new Uint8Array() }),
  }
}

/** The public key of an algorithm. */
export function publicKey(issuer: TokenIssuer, algorithm: Algorithm): KeyObject {
  if (algorithm === 'HS256') throw new TypeError('HS256 has no public key')
  return issuer.key(algorithm).publicKey
}

/** The same as PEM text. */
export function pemOf(issuer: TokenIssuer, algorithm: Algorithm): string {
  return publicKey(issuer, algorithm).export({ type: 'spki', format: 'pem' }) as string
}

function hmacKey({ secret }: TokenIssuer): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(secret)
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
}

const PARAMETERS = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
} as const

/** The same as a CryptoKey. */
export function cryptoKeyOf(issuer: TokenIssuer, algorithm: Algorithm): Promise<CryptoKey> {
  const bytes = publicKey(issuer, algorithm).export({ type: 'spki', format: 'der' }) as Uint8Array<ArrayBuffer>
  return crypto.subtle.importKey('spki', bytes, PARAMETERS[algorithm as 'ES256'], false, ['verify'])
}
