/**
 * Make verification keys of JWKs (RFC 7517), one by one: what isn't a public signature key of ours is skipped, never fatal.
 * The key's own type fixes its one algorithm; a token's header never does. Hands on CryptoKeys.
 */
import { importJWK } from 'jose'
import { decodeBase64Url } from '../lib/base64url.ts'
import { type Algorithm, ownOf, toAlgorithm } from './token-form.ts'

/** A key pair's algorithm: what a JWK may be used for. */
export type KeyAlgorithm = Exclude<Algorithm, 'HS256'>

/** A public key, ready to verify with. */
export interface PublicKey {
  readonly algorithm: KeyAlgorithm
  /** The key id, or `null` where the JWK has none. */
  readonly kid: string | null
  readonly key: CryptoKey
  /** Equal for equal keys, whatever else the JWKs say (the members of an RFC 7638 thumbprint). */
  readonly thumbprint: string
}

/** A JWK of use, not yet imported. */
export interface UsableJwk {
  readonly algorithm: KeyAlgorithm
  readonly kid: string | null
  /** The members that make the key, and no others. */
  readonly members: Readonly<Record<string, string>>
}

const PRIVATE_MEMBERS: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const MIN_RSA_BITS = 2048
// What a verification costs grows with the square of the modulus and with the exponent: a hostile key set must not make each
// one dear.
const MAX_RSA_BITS = 8192
const MAX_EXPONENT_BITS = 64
const MAX_KID = 256

/** Judge one entry of a JWK Set: what it can be used for, or `null`. Pure. */
export function toUsableJwk(entry: unknown): UsableJwk | null {
  const jwk = toSignatureJwk(entry)
  return jwk !== null && isSound(jwk) ? jwk : null
}

/** Ask whether an entry is meant for signatures of ours and can't make any good: weak, or no key at all. Pure. */
export function isUnsoundJwk(entry: unknown): boolean {
  const jwk = toSignatureJwk(entry)
  return jwk !== null && !isSound(jwk)
}

function toSignatureJwk(entry: unknown): UsableJwk | null {
  if (typeof entry !== 'object' || entry === null || PRIVATE_MEMBERS.some((name) => Object.hasOwn(entry, name))) {
    return null
  }
  const use = ownOf(entry, 'use')
  const operations = ownOf(entry, 'key_ops')
  const kid = ownOf(entry, 'kid')
  const alg = ownOf(entry, 'alg')
  if (use !== undefined && use !== 'sig') return null
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID)) return null
  const found = toKeyMembers(entry)
  if (found === null || (alg !== undefined && toAlgorithm(alg) !== found.algorithm)) return null
  return { ...found, kid: kid ?? null }
}

function toKeyMembers(entry: object): Pick<UsableJwk, 'algorithm' | 'members'> | null {
  const kty = ownOf(entry, 'kty')
  const crv = ownOf(entry, 'crv')
  if (kty === 'EC' && crv === 'P-256') return pick('ES256', entry, ['crv', 'kty', 'x', 'y'])
  if (kty === 'OKP' && crv === 'Ed25519') return pick('EdDSA', entry, ['crv', 'kty', 'x'])
  return kty === 'RSA' ? pick('RS256', entry, ['e', 'kty', 'n']) : null
}

function isSound({ algorithm, members }: UsableJwk): boolean {
  if (algorithm === 'RS256') return isStrongRsa(members)
  if (algorithm === 'EdDSA') return decodeBase64Url(members['x'] ?? '')?.length === 32
  return isOnP256(toInteger(members['x']), toInteger(members['y']))
}

// SEC 1 §3.2.2.1: y² = x³ − 3x + b over the field of P-256 (SP 800-186 §3.2.1.3). Imports would say the same, but later.
function isOnP256(x: bigint | null, y: bigint | null): boolean {
  if (x === null || y === null || x >= P256_P || y >= P256_P) return false
  return (y * y - (x * x * x - 3n * x + P256_B)) % P256_P === 0n
}

const P256_P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
const P256_B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn

// At most the 32 bytes of a coordinate.
function toInteger(text: string | undefined): bigint | null {
  const bytes = decodeBase64Url(text ?? '')
  if (bytes === null || bytes.length === 0 || bytes.length > 32) return null
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
}

function pick(algorithm: KeyAlgorithm, entry: object, names: readonly string[]): Omit<UsableJwk, 'kid'> | null {
  const members: Record<string, string> = {}
  for (const name of names) {
    const value = ownOf(entry, name)
    if (typeof value !== 'string') return null
    members[name] = value
  }
  return { algorithm, members }
}

function isStrongRsa({ n, e }: Readonly<Record<string, string>>): boolean {
  // An exponent of two bits is 2 or 3; 3 is the least that is one.
  const exponent = bitsOf(e)
  if (exponent > MAX_EXPONENT_BITS || (exponent <= 2 && e !== 'Aw')) return false
  const bits = bitsOf(n)
  return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS
}

// The length of an unsigned big-endian number, without leading zeros.
function bitsOf(text: string | undefined): number {
  const bytes = decodeBase64Url(text ?? '') ?? new Uint8Array()
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24
}

/** Import the usable keys among the entries that are for one of `algorithms`; the others are left out. Never throws. */
export async function importKeys(
  entries: readonly unknown[],
  algorithms: ReadonlySet<KeyAlgorithm>,
): Promise<readonly PublicKey[]> {
  const imported = await Promise.all(entries.map((entry) => importKey(toUsableJwk(entry), algorithms)))
  const keys = new Map<string, PublicKey>()
  for (const key of imported) if (key !== null) keys.set(`${key.kid ?? ''} ${key.kid === null} ${key.thumbprint}`, key)
  return [...keys.values()]
}

async function importKey(jwk: UsableJwk | null, algorithms: ReadonlySet<KeyAlgorithm>): Promise<PublicKey | null> {
  if (jwk === null || !algorithms.has(jwk.algorithm)) return null
  try {
    // Bytes come of symmetric keys only, and those never get here.
    const key = (await importJWK({ ...jwk.members }, jwk.algorithm, { extractable: false })) as CryptoKey
    return { algorithm: jwk.algorithm, kid: jwk.kid, key, thumbprint: JSON.stringify(jwk.members) }
  } catch {
    return null
  }
}
