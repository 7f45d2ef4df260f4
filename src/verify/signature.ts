/**
 * Check one signature with one key, by the platform's WebCrypto. The form of the token is known to be good by now; to have
 * its parts decoded and parsed once more, by another reader, would cost a tenth and gain nothing (T5).
 */
import type { Algorithm, TokenForm } from './token-form.ts'

// RFC 7518 §3.2, §3.3, §3.4; RFC 8037 §3.1.
const METHODS: Readonly<Record<Algorithm, AlgorithmIdentifier | EcdsaParams>> = {
  HS256: 'HMAC',
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  RS256: 'RSASSA-PKCS1-v1_5',
  EdDSA: 'Ed25519',
}

const ascii: TextEncoder = /* @__PURE__ */ new TextEncoder()

/** Take what the signature of a token is over: everything before the last dot. */
export function toSignedBytes(token: string): Uint8Array<ArrayBuffer> {
  return ascii.encode(token.slice(0, token.lastIndexOf('.')))
}

/** Ask whether the key, which was imported for the token's algorithm, signed these bytes. Never throws. */
export async function isSignedBy(key: CryptoKey, form: TokenForm, signed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    return await crypto.subtle.verify(METHODS[form.algorithm], key, form.signature, signed)
  } catch {
    // The key is imported and fits the algorithm: whatever is thrown here was provoked by the signature's bytes.
    return false
  }
}
