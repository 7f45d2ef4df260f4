/**
 * Signatures of tokens (RFC 7515 §5.2), by two engines behind one type. Where the runtime has `node:crypto`, what costs the
 * main thread less than a trip through the thread pool is checked at once: HMACs, and RSA by keys of common sizes. All else,
 * and everything where there is no `node:crypto`, is WebCrypto's. docs/performance.md has the figures behind it.
 */
import { importJWK } from 'jose/key/import'
import { isBase64Url, toBinary, toBytes } from '../lib/base64url.ts'
import { isEqualConstantTime } from '../lib/digest.ts'
import { ownMembers } from '../lib/parse-options.ts'
import { type KeyAlgorithm, RSA_ALGORITHMS, type SecretAlgorithm } from './token-form.ts'

/**
 * Asks whether a signature, in canonical base64url, is the key's over the ASCII text `input`. Never throws, never rejects:
 * whatever a token provokes is `false`.
 */
export type SignatureCheck = (input: string, signature: string) => boolean | Promise<boolean>

/** A key, ready to verify with. */
export interface VerifyingKey {
  readonly isSigned: SignatureCheck
  /** Whether it may still be used. */
  isUsable(): boolean
}

/** The members of a public JWK that make the key. */
type JwkMembers = Readonly<Record<string, string>>

/** Makes checks of keys. */
export interface SignatureEngine {
  /** HMAC with a secret (RFC 7518 §3.2), compared in constant time. */
  bySecret(secret: Uint8Array<ArrayBuffer>, algorithm: SecretAlgorithm): SignatureCheck
  /** The check by a public JWK of these members; rejects where they are no key of the algorithm. */
  byPublicKey(members: JwkMembers, algorithm: KeyAlgorithm): Promise<SignatureCheck>
}

/** What is used of `node:crypto`. */
export interface NodeCrypto {
  createSecretKey(bytes: Uint8Array): object
  createPublicKey(key: { readonly key: JwkMembers; readonly format: 'jwk' }): object
  createHmac(hash: string, key: object): NodeHmac
  createVerify(hash: string): NodeVerify
}

interface NodeHmac {
  update(text: string): { digest(encoding: 'base64url'): string }
}

interface NodeVerify {
  update(text: string): { verify(key: object, signature: string, encoding: 'base64url'): boolean }
}

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder()

/** WebCrypto alone: what every runtime has. */
export const webEngine: SignatureEngine = {
  bySecret(secret, algorithm) {
    const parameters = { name: 'HMAC', hash: hashOf(algorithm) }
    let importing: Promise<CryptoKey> | undefined
    return async (input, signature) => {
      importing ??= crypto.subtle.importKey('raw', secret, parameters, false, ['verify'])
      return isSigned(await importing, parameters, [input, signature])
    }
  },
  async byPublicKey(members, algorithm) {
    // Bytes come of symmetric keys only, and those never get here.
    const key = (await importJWK({ ...members }, algorithm, { extractable: false })) as CryptoKey
    const parameters = toParameters(algorithm)
    return (input, signature) => isSigned(key, parameters, [input, signature])
  },
}

async function isSigned(
  key: CryptoKey,
  parameters: Parameters<SubtleCrypto['verify']>[0],
  [input, signature]: readonly [input: string, signature: string],
): Promise<boolean> {
  try {
    return await crypto.subtle.verify(parameters, key, toBytes(toBinary(signature)), encoder.encode(input))
  } catch {
    // The key is imported and fits the algorithm: whatever is thrown here was provoked by the token.
    return false
  }
}

function toParameters(algorithm: KeyAlgorithm): EcdsaParams | RsaPssParams | { readonly name: string } {
  if (algorithm === 'EdDSA') return { name: 'Ed25519' }
  if (algorithm.startsWith('ES')) return { name: 'ECDSA', hash: hashOf(algorithm) }
  // RFC 7518 §3.5: as many bytes of salt as the digest has.
  return algorithm.startsWith('PS')
    ? { name: 'RSA-PSS', saltLength: bitsOf(algorithm) / 8 }
    : { name: 'RSASSA-PKCS1-v1_5' }
}

/** The bits of the hash of an algorithm. */
export function bitsOf(algorithm: string): number {
  return Number(algorithm.slice(2))
}

function hashOf(algorithm: string): string {
  return `SHA-${bitsOf(algorithm)}`
}

/** `node:crypto` for what it checks at once, WebCrypto for the rest, and for what only part of a `node:crypto` can't do. */
export function createNodeEngine(node: NodeCrypto): SignatureEngine {
  return {
    bySecret: (secret, algorithm) => toHmacCheck(node, secret, algorithm) ?? webEngine.bySecret(secret, algorithm),
    async byPublicKey(members, algorithm) {
      const atOnce =
        RSA_ALGORITHMS.includes(algorithm) && isCheapRsa(members) ? toRsaCheck(node, members, algorithm) : null
      return atOnce ?? (await webEngine.byPublicKey(members, algorithm))
    },
  }
}

function toHmacCheck(node: NodeCrypto, secret: Uint8Array, algorithm: SecretAlgorithm): SignatureCheck | null {
  const hash = `sha${bitsOf(algorithm)}`
  try {
    const key = node.createSecretKey(secret)
    const first = node.createHmac(hash, key)
    if (!isBase64Url(first.update(TRIAL).digest('base64url'))) return null
    // Both are canonical: the texts are equal where the bytes are.
    const isSignedBy: SignatureCheck = (input, signature) =>
      isEqualConstantTime(node.createHmac(hash, key).update(input).digest('base64url'), signature)
    return Object.assign(isSignedBy, { first })
  } catch {
    return null
  }
}

function toRsaCheck(node: NodeCrypto, members: JwkMembers, algorithm: KeyAlgorithm): SignatureCheck | null {
  const hash = `sha${bitsOf(algorithm)}`
  const padding = algorithm.startsWith('PS') ? { padding: RSA_PSS, saltLength: bitsOf(algorithm) / 8 } : {}
  try {
    // Node looks members up, in `Object.prototype` too.
    const key = ownMembers({ key: node.createPublicKey({ key: members, format: 'jwk' }), ...padding })
    const first = node.createVerify(hash)
    first.update(TRIAL).verify(key, TRIAL, 'base64url')
    const isSignedBy: SignatureCheck = (input, signature) => {
      try {
        return node.createVerify(hash).update(input).verify(key, signature, 'base64url')
      } catch {
        return false
      }
    }
    return Object.assign(isSignedBy, { first })
  } catch {
    return null
  }
}

// What can't be done is seen before any token comes: a runtime may have names alone. Each check keeps the first object that it
// has had of Node: where none is alive when garbage is collected, V8 drops what it has compiled for their class.
const TRIAL = 'AAAA'
// RSA_PKCS1_PSS_PADDING.
const RSA_PSS = 6
// Of 2,048 bits, in base64url: 17 µs, where a trip through the pool costs the main thread 21. At 3,072 bits it is 32.
const CHEAP_MODULUS = 342

// What a check costs grows with the square of the modulus, and with the exponent: 65537, or 3.
function isCheapRsa({ kty, n = '', e }: JwkMembers): boolean {
  return kty === 'RSA' && n.length <= CHEAP_MODULUS && (e === 'AQAB' || e === 'Aw')
}

/** The engine of this runtime. */
export const engine: SignatureEngine = /* @__PURE__ */ findEngine()

function findEngine(): SignatureEngine {
  try {
    const runtime = globalThis as { process?: { getBuiltinModule?(name: string): NodeCrypto | undefined } }
    const node = runtime.process?.getBuiltinModule?.('node:crypto')
    return node === undefined ? webEngine : createNodeEngine(node)
  } catch {
    return webEngine
  }
}
