// Public keys as PEM: the JWKs they become are those Node makes of them, and everything else is refused with a sentence.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { pemToJwks } from '../../src/verify/pem.ts'
import { verdictOf } from './bench.ts'

const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent })
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const PAIRS = {
  'P-256': ec('P-256'),
  'P-384': ec('P-384'),
  'P-521': ec('P-521'),
  Ed25519: generateKeyPairSync('ed25519'),
  'RSA of 2,048 bits': rsa(2048),
  'RSA of 2,056 bits': rsa(2056),
  'RSA of 3,072 bits': rsa(3072),
  'RSA with e = 3': rsa(2048, 3),
}
const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
const jwkOf = (key: KeyObject): object => key.export({ format: 'jwk' })
const p256 = pemOf(PAIRS['P-256'].publicKey)
const bodyOf = (pem: string): string => pem.split('-----')[2] ?? ''
const wrap = (body: string): string => `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`
const der = (change: (bytes: Buffer) => Buffer, pem = p256): string =>
  wrap(change(Buffer.from(bodyOf(pem), 'base64')).toString('base64'))

describe('pemToJwks', () => {
  it.each(Object.entries(PAIRS))('makes of %s the JWK that Node makes', (_, { publicKey }) => {
    expect(pemToJwks(pemOf(publicKey))).toEqual([jwkOf(publicKey)])
  })

  it.each<[string, string]>([
    ['line feeds of a Windows file', p256.replaceAll('\n', '\r\n')],
    ['line feeds written out, as in an environment file', p256.replaceAll('\n', '\\n')],
    ['carriage returns written out, too', p256.replaceAll('\n', '\\r\\n')],
    ['one line', p256.replaceAll('\n', '')],
    ['spaces for line feeds', p256.replaceAll('\n', ' ')],
    ['a comment before', `Key of 2026\n${p256}`],
  ])('takes %s', (_, pem) => {
    expect(pemToJwks(pem)).toEqual([jwkOf(PAIRS['P-256'].publicKey)])
  })

  it('takes several blocks, in their order', () => {
    const keys = Object.values(PAIRS).map(({ publicKey }) => publicKey)
    expect(pemToJwks(keys.map(pemOf).join('\n'))).toEqual(keys.map(jwkOf))
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', '', /must be PEM/],
    ['undefined', undefined, /must be PEM/],
    ['bytes', Buffer.from(p256), /must be PEM/],
    ['a JWK', JSON.stringify(jwkOf(PAIRS['P-256'].publicKey)), /must be PEM/],
    ['base64 alone', bodyOf(p256), /must be PEM/],
    ['a private key', PAIRS['P-256'].privateKey.export({ type: 'pkcs8', format: 'pem' }), /private key/],
    ['a private key of SEC 1', PAIRS['P-256'].privateKey.export({ type: 'sec1', format: 'pem' }), /private key/],
    [
      'a private key behind a public one',
      p256 + PAIRS.Ed25519.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      /private key/,
    ],
    ['PKCS #1', rsa(2048).publicKey.export({ type: 'pkcs1', format: 'pem' }), /PKCS #1.*openssl/],
    ['a certificate', p256.replaceAll('PUBLIC KEY', 'CERTIFICATE'), /certificate.*openssl/],
    ['something else', p256.replaceAll('PUBLIC KEY', 'PGP PUBLIC KEY BLOCK'), /something else/],
    ['no end', p256.split('-----END')[0], /does not end/],
    ['no base64', wrap('MFkw*'), /does not end, or is not base64/],
    ['broken base64', wrap('MFkwE'), /none of RSA/],
    ['RSA of 1,024 bits', pemOf(rsa(1024).publicKey), /none of RSA/],
    ['RSA of 2,040 bits', pemOf(rsa(2040).publicKey), /none of RSA/],
    ['secp256k1', pemOf(ec('secp256k1').publicKey), /none of RSA/],
    ['X25519', pemOf(generateKeyPairSync('x25519').publicKey), /none of RSA/],
    ['RSA-PSS', pemOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey), /none of RSA/],
    [
      'a point beside its curve',
      der((bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])])),
      /none of RSA/,
    ],
    ['a byte too many', der((bytes) => Buffer.concat([bytes, Buffer.from([0])])), /none of RSA/],
    ['a byte too few', der((bytes) => bytes.subarray(0, -1)), /none of RSA/],
    [
      'RSA with a byte too many',
      der((bytes) => Buffer.concat([bytes, Buffer.from([0])]), pemOf(PAIRS['RSA of 2,048 bits'].publicKey)),
      /none of RSA/,
    ],
    [
      'RSA of another length',
      der((bytes) => bytes.fill(0xff, 2, 4), pemOf(PAIRS['RSA of 2,048 bits'].publicKey)),
      /none of RSA/,
    ],
  ])('refuses %s, and shows nothing of it', (_, pem, message) => {
    expect(() => pemToJwks(pem as string)).toThrow(TypeError)
    expect(() => pemToJwks(pem as string)).toThrow(message)
    expect(() => pemToJwks(pem as string)).toThrow(/^(?!.*MFkw)/)
  })

  it('gives keys that verify, for the algorithms that the source accepts', async () => {
    const { publicKey, privateKey } = PAIRS['RSA of 2,048 bits']
    const token = await new SignJWT({ sub: 'u', iss: 'i' })
      .setProtectedHeader({ alg: 'PS256', kid: 'any' })
      .setExpirationTime('1h')
      .sign(privateKey)
    const verdict = (kid: object): Promise<string> => {
      const keys = pemToJwks(pemOf(publicKey)).map((jwk) => ({ ...jwk, ...kid }))
      const source = { kind: 'jwks' as const, keys, algorithms: ['PS256' as const] }
      return verdictOf(createJwtVerifier({ issuers: [{ issuer: 'i', keys: [source], audience: null }] }).verify(token))
    }
    expect(await verdict({})).toBe('ok')
    expect(await verdict({ kid: 'any' })).toBe('ok')
    expect(await verdict({ kid: 'another' })).toBe('unauthorized:token_key_unknown')
  })
})
