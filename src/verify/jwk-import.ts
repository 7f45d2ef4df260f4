/**
 * Make verification keys of JWKs (RFC 7517), one by one: what isn't a public signature key of ours is skipped, never fatal.
 * The key's own type says which algorithms it may be for, and its `alg` which one; a token's header never does. Hands on
 * keys ready to verify with, one for each algorithm.
 */
import { decodeBase64Url } from '../lib/base64url.ts'
import { engine, type SignatureCheck } from './signature.ts'
import { type KeyAlgorithm, ownOf, RSA_ALGORITHMS, toAlgorithm } from './token-form.ts'

/** A public key, ready to verify with. */
export interface PublicKey {
  readonly algorithm: KeyAlgorithm
  /** The key id, or `null` where the JWK has none. */
  readonly kid: string | null
  /** The JWK's own `issuer`, which Entra writes and RFC 7517 doesn't know: whose tokens it signs, or `null`. */
  readonly issuer: string | null
  readonly isSigned: SignatureCheck
  /** Equal for equal keys, whatever else the JWKs say (the members of an RFC 7638 thumbprint). */
  readonly thumbprint: string
}

/** A JWK of use, not yet imported. */
export interface UsableJwk extends Pick<PublicKey, 'kid' | 'issuer'> {
  /** What it may be used for, at least one. */
  readonly algorithms: readonly KeyAlgorithm[]
  /** The members that make the key, and no others. */
  readonly members: Readonly<Record<string, string>>
}

/** How many keys a token may mean. */
export const MAX_CANDIDATES = 2

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
  const [use, operations] = [ownOf(entry, 'use'), ownOf(entry, 'key_ops')]
  const [kid, issuer, alg] = [ownOf(entry, 'kid'), ownOf(entry, 'issuer'), ownOf(entry, 'alg')]
  // SPIFFE trust domain bundles have a use of their own (JWT-SVID §4).
  if (use !== undefined && use !== 'sig' && use !== 'jwt-svid') return null
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID)) return null
  const found = toKeyMembers(entry)
  const algorithms = found?.algorithms.filter((name) => alg === undefined || toAlgorithm(alg) === name) ?? []
  if (found === null || algorithms.length === 0) return null
  return { members: found.members, algorithms, kid: kid ?? null, issuer: toNamed(issuer) }
}

// What is there and names nobody signs for nobody.
function toNamed(issuer: unknown): string | null {
  return issuer === undefined ? null : typeof issuer === 'string' ? issuer : ''
}

function toKeyMembers(entry: object): Pick<UsableJwk, 'algorithms' | 'members'> | null {
  const [kty, crv] = [ownOf(entry, 'kty'), ownOf(entry, 'crv')]
  if (kty === 'RSA') return pick(RSA_ALGORITHMS, entry, ['e', 'kty', 'n'])
  if (kty === 'OKP' && crv === 'Ed25519') return pick(['EdDSA'], entry, ['crv', 'kty', 'x'])
  const curve = kty === 'EC' ? curveOf(crv) : null
  return curve === null ? null : pick([curve.algorithm], entry, ['crv', 'kty', 'x', 'y'])
}

function pick(
  algorithms: readonly KeyAlgorithm[],
  entry: object,
  names: readonly string[],
): Pick<UsableJwk, 'algorithms' | 'members'> | null {
  const members: Record<string, string> = {}
  for (const name of names) {
    const value = ownOf(entry, name)
    if (typeof value !== 'string') return null
    members[name] = value
  }
  return { algorithms, members }
}

function isSound({ members }: UsableJwk): boolean {
  const curve = curveOf(members['crv'])
  if (curve !== null) return isOnCurve(curve, toInteger(members['x'], curve), toInteger(members['y'], curve))
  return members['kty'] === 'RSA' ? isStrongRsa(members) : isStrongEd25519(decodeBase64Url(members['x'] ?? ''))
}

// By a point of small order everybody signs (RFC 8032 §5.1.7 multiplies the key by what the signer knows): zeros alone are one.
// These are the y of all eight, in every spelling: 0, 1, −1, and where d·y⁴ + 2y² = 1, d being −121665/121666.
function isStrongEd25519(bytes: Uint8Array | null): boolean {
  if (bytes?.length !== 32) return false
  const y = bytes.reduceRight((sum, byte, at) => sum * 256n + BigInt(at === 31 ? byte & 127 : byte), 0n)
  const square = y * y
  return (y * (square - 1n) * (121665n * square * square - 243332n * square + 121666n)) % (2n ** 255n - 19n) !== 0n
}

/** y² = x³ − 3x + b over the field of `p` (SEC 1 §3.2.2.1). */
interface Curve {
  readonly algorithm: KeyAlgorithm
  /** Of a coordinate. */
  readonly bytes: number
  readonly p: bigint
  readonly b: bigint
}

// The numbers of SP 800-186 §3.2.1.3 to §3.2.1.5.
function curveOf(crv: unknown): Curve | null {
  if (crv === 'P-256') {
    const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
    return { algorithm: 'ES256', bytes: 32, p, b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn }
  }
  if (crv === 'P-384') {
    const p = 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n
    const b = 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn
    return { algorithm: 'ES384', bytes: 48, p, b }
  }
  if (crv !== 'P-521') return null
  const b =
    0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n
  return { algorithm: 'ES512', bytes: 66, p: 2n ** 521n - 1n, b }
}

// Imports would say the same, but later.
function isOnCurve({ p, b }: Curve, x: bigint | null, y: bigint | null): boolean {
  if (x === null || y === null || x >= p || y >= p) return false
  return (y * y - (x * x * x - 3n * x + b)) % p === 0n
}

function toInteger(text: string | undefined, curve: Curve): bigint | null {
  const bytes = decodeBase64Url(text ?? '')
  if (bytes === null || bytes.length === 0 || bytes.length > curve.bytes) return null
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
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
  const usable = entries.map(toUsableJwk).filter((jwk) => jwk !== null)
  const wanted = usable.flatMap((jwk) =>
    jwk.algorithms.filter((name) => algorithms.has(name)).map((name) => [jwk, name] as const),
  )
  const imported = await Promise.all(wanted.map(([jwk, algorithm]) => importKey(jwk, algorithm)))
  return [...new Map(imported.filter((key) => key !== null).map((key) => [idOf(key), key])).values()]
}

/** What makes a key another one: itself, what it is for, and what it is called. */
export function idOf({ algorithm, kid, issuer, thumbprint }: PublicKey): string {
  return JSON.stringify([algorithm, kid, issuer, thumbprint])
}

async function importKey({ members, kid, issuer }: UsableJwk, algorithm: KeyAlgorithm): Promise<PublicKey | null> {
  try {
    const isSigned = await engine.byPublicKey(members, algorithm)
    return { algorithm, kid, issuer, isSigned, thumbprint: JSON.stringify(members) }
  } catch {
    return null
  }
}
