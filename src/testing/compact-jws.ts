/**
 * Write compact JWS by hand (RFC 7515 §3.1), also ones no library would write: any bytes as header or payload, any key
 * under any `alg`. Hands on text only. For tests: a signing service has no business here.
 */
import { createHmac, createSecretKey, type KeyObject, sign as signBytes } from 'node:crypto'

/** Algorithms the testing kit can sign by. */
export type SigningAlgorithm = 'ES256' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'EdDSA' | 'HS256' | 'HS384' | 'HS512'

const RSA_PSS_PADDING = 6
const PSS_SALT_IS_DIGEST = -1

/**
 * Encode one part of a token.
 *
 * @param part bytes, text (as UTF-8), or a value to write as JSON
 */
export function encodePart(part: unknown): string {
  const bytes = part instanceof Uint8Array ? part : typeof part === 'string' ? part : JSON.stringify(part)
  return Buffer.from(bytes).toString('base64url')
}

/**
 * Sign two parts as they are.
 *
 * @param header the header: a value, JSON text, or bytes
 * @param payload the payload: a value, JSON text, or bytes
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
  return `${input}.${signatureOf(input, algorithm, key).toString('base64url')}`
}

function signatureOf(input: string, algorithm: SigningAlgorithm, key: KeyObject | Uint8Array): Buffer {
  const digest = `sha${algorithm.slice(2)}`
  if (algorithm.startsWith('HS')) {
    return createHmac(digest, key instanceof Uint8Array ? createSecretKey(key) : key)
      .update(input)
      .digest()
  }
  const bytes = Buffer.from(input)
  const privateKey = key as KeyObject
  if (algorithm === 'EdDSA') return signBytes(null, bytes, privateKey)
  if (algorithm === 'ES256') return signBytes(digest, bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  if (algorithm === 'PS256') {
    return signBytes(digest, bytes, { key: privateKey, padding: RSA_PSS_PADDING, saltLength: PSS_SALT_IS_DIGEST })
  }
  return signBytes(digest, bytes, privateKey)
}
