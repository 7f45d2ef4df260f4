/** Public keys as PEM (RFC 7468 §13), made JWKs: what some issuers hand out in the place of a JWK Set. */
import { encodeBase64UrlBinary } from '../lib/base64url.ts'
import { OptionsError } from '../lib/parse-options.ts'
import { isUnsoundJwk } from './jwk-import.ts'

/**
 * Convert public keys in PEM to JWKs for `{ kind: 'jwks', keys }`: every `PUBLIC KEY` block of the text (SubjectPublicKeyInfo,
 * RFC 5280 §4.1.2.7), of RSA from 2,048 bits, P-256, P-384, P-521 and Ed25519. Line breaks may be `\n` as two characters, as
 * variables of an environment have them, or missing. Pure.
 *
 * @param pem the text of one or several blocks
 * @returns JWKs without `kid` and `alg`: each serves the algorithms of its type that the source accepts
 * @throws OptionsError no such block in it, or a private key, a certificate, a key of another kind or too weak a one
 * @example
 * createJwtVerifier({ issuers: [{ issuer, keys: [{ kind: 'jwks', keys: pemToJwks(PUBLIC_KEY) }], audience }] })
 */
export function pemToJwks(pem: string): readonly object[] {
  const text = typeof pem === 'string' ? pem.replaceAll('\\n', '\n').replaceAll('\\r', '') : ''
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = '']) => label)
  const other = labels.find((label) => label !== 'PUBLIC KEY')
  if (labels.length === 0) throw wrong('must be PEM with a PUBLIC KEY block')
  if (other?.endsWith('PRIVATE KEY') === true)
    throw wrong('holds a private key, which has no business here: write its public key')
  if (other === 'CERTIFICATE') throw wrong('holds a certificate: write its public key (openssl x509 -pubkey -noout)')
  if (other === 'RSA PUBLIC KEY')
    throw wrong('holds a key of PKCS #1: write it as PUBLIC KEY (openssl rsa -RSAPublicKey_in -pubout)')
  if (other !== undefined) throw wrong('holds something else than PUBLIC KEY blocks')
  const blocks = [...text.matchAll(/-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]*)-----END PUBLIC KEY-----/g)]
  if (blocks.length < labels.length) throw wrong('has a block that does not end, or is not base64')
  return Object.freeze(blocks.map(([, body = '']) => toJwk(body)))
}

function toJwk(body: string): object {
  const hex = toHex(body.replaceAll(/\s/g, ''))
  const jwk = hex === null ? null : (toCurveJwk(hex) ?? toRsaJwk(hex))
  if (jwk !== null && !isUnsoundJwk(jwk)) return Object.freeze(jwk)
  throw wrong('holds a key that is none of RSA from 2,048 bits, P-256, P-384, P-521 and Ed25519')
}

function wrong(message: string): OptionsError {
  return new OptionsError('pemToJwks', [{ option: 'pem', message }])
}

// What stands before the key itself in DER, whole: everything in it is fixed by the curve (RFC 5480 §2, RFC 8410 §4). Then the
// length of a coordinate.
const CURVES: readonly (readonly [crv: string, head: string, bytes: number])[] = [
  ['P-256', '3059301306072a8648ce3d020106082a8648ce3d03010703420004', 32],
  ['P-384', '3076301006072a8648ce3d020106052b8104002203620004', 48],
  ['P-521', '30819b301006072a8648ce3d020106052b810400230381860004', 66],
  ['Ed25519', '302a300506032b6570032100', 32],
]

function toCurveJwk(hex: string): object | null {
  const [crv, head = '', bytes = 0] = CURVES.find(([, start]) => hex.startsWith(start)) ?? []
  const [x, y] = [hex.slice(head.length, head.length + 2 * bytes), hex.slice(head.length + 2 * bytes)]
  if (crv === 'Ed25519') return y === '' && x.length === 2 * bytes ? { kty: 'OKP', crv, x: toBase64Url(x) } : null
  return crv !== undefined && y.length === 2 * bytes ? { kty: 'EC', crv, x: toBase64Url(x), y: toBase64Url(y) } : null
}

// rsaEncryption (RFC 3279 §2.3.1) around two numbers; from 2,048 bits on all lengths but that of the exponent have two bytes.
const RSA =
  /^3082(....)300d06092a864886f70d01010105000382(....)003082(....)0282(....)((?:..){256,1025})02(..)((?:..){1,9})$/

function toRsaJwk(hex: string): object | null {
  const [, all = '', bits = '', pair = '', first = '', n = '', last = '', e = ''] = RSA.exec(hex) ?? []
  const sizes: readonly (readonly [length: string, of: number])[] = [
    [all, hex.length / 2 - 4],
    [bits, hex.length / 2 - 23],
    [pair, hex.length / 2 - 28],
    [first, n.length / 2],
    [last, e.length / 2],
  ]
  const isWhole = n !== '' && sizes.every(([length, size]) => Number.parseInt(length, 16) === size)
  return isWhole ? { kty: 'RSA', n: toBase64Url(n.replace(/^00/, '')), e: toBase64Url(e.replace(/^00/, '')) } : null
}

function toHex(base64: string): string | null {
  try {
    return Array.from(atob(base64), (char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join('')
  } catch {
    return null
  }
}

function toBase64Url(hex: string): string {
  const binary = hex.replaceAll(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16)))
  return encodeBase64UrlBinary(binary)
}
