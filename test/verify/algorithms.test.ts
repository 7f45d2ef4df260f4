// Every algorithm by its name: taken where the source names it, refused where it doesn't, each by a key of its own type alone.
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import type { KeySource } from '../../src/verify/issuer-options.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { CURVE_ALGORITHMS, type KeyAlgorithm, RSA_ALGORITHMS, SECRET_ALGORITHMS } from '../../src/verify/token-form.ts'
import { verdictOf } from './bench.ts'

const ISSUER = 'https://issuer.test'
const KEYS = [...CURVE_ALGORITHMS, ...RSA_ALGORITHMS]
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const curves = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: generateKeyPairSync('ed25519'),
}
const pairOf = (algorithm: KeyAlgorithm) => (algorithm in curves ? curves[algorithm as keyof typeof curves] : rsa)
const jwkOf = (algorithm: KeyAlgorithm): object => pairOf(algorithm).publicKey.export({ format: 'jwk' })
const ALL = [...Object.keys(curves), 'RS256'].map((name) => jwkOf(name as KeyAlgorithm))

const sign = (alg: string, key: KeyObject | Uint8Array): Promise<string> =>
  new SignJWT({ sub: 'u1', iss: ISSUER, aud: 'api' }).setProtectedHeader({ alg }).setExpirationTime('1h').sign(key)
const verify = (source: KeySource, token: string): Promise<string> =>
  verdictOf(createJwtVerifier({ issuers: [{ issuer: ISSUER, keys: [source], audience: 'api' }] }).verify(token))
const NOT_OF_ISSUER = 'unauthorized:token_algorithm_not_of_issuer'

describe.each(KEYS)('%s', (algorithm) => {
  it('is taken where it is named, by a JWK that says it or leaves it open', async () => {
    const token = await sign(algorithm, pairOf(algorithm).privateKey)
    for (const keys of [[{ ...jwkOf(algorithm), alg: algorithm }], ALL]) {
      expect(await verify({ kind: 'jwks', keys, algorithms: [algorithm] }, token)).toBe('ok')
      expect(await verify({ kind: 'jwks', keys: ALL, algorithms: KEYS }, token)).toBe('ok')
    }
  })

  it('is refused where it is not, and the default is three', async () => {
    const token = await sign(algorithm, pairOf(algorithm).privateKey)
    const others = KEYS.filter((name) => name !== algorithm)
    expect(await verify({ kind: 'jwks', keys: ALL, algorithms: others }, token)).toBe(NOT_OF_ISSUER)
    const isDefault = ['ES256', 'RS256', 'EdDSA'].includes(algorithm)
    expect(await verify({ kind: 'jwks', keys: ALL }, token)).toBe(isDefault ? 'ok' : NOT_OF_ISSUER)
  })

  it('meets no key that is for another one', async () => {
    const token = await sign(algorithm, pairOf(algorithm).privateKey)
    const keys = KEYS.filter((name) => name !== algorithm).map((name) => ({ ...jwkOf(name), alg: name }))
    expect(await verify({ kind: 'jwks', keys, algorithms: KEYS }, token)).toBe('unauthorized:token_key_unknown')
  })
})

describe.each(SECRET_ALGORITHMS)('%s', (algorithm) => {
  const bytes = Number(algorithm.slice(2)) / 8
  const secret = randomBytes(bytes)
  const source = (more: object): KeySource => ({ kind: 'secret', secret, ...more }) as KeySource

  it('is taken where it is named, and refused where it is not; the default is HS256', async () => {
    const token = await sign(algorithm, secret)
    const others = SECRET_ALGORITHMS.filter((name) => name !== algorithm)
    expect(await verify(source({ algorithms: [algorithm] }), token)).toBe('ok')
    const long = randomBytes(64)
    expect(await verify(source({ secret: long, algorithms: SECRET_ALGORITHMS }), await sign(algorithm, long))).toBe(
      'ok',
    )
    expect(await verify(source({ secret: long, algorithms: others }), await sign(algorithm, long))).toBe(NOT_OF_ISSUER)
    expect(await verify(source({}), token)).toBe(algorithm === 'HS256' ? 'ok' : NOT_OF_ISSUER)
  })

  it(`wants ${bytes} bytes of a secret (RFC 7518 §3.2), whatever stands for them`, () => {
    const short = randomBytes(bytes - 1)
    const build = (more: object) => (): unknown =>
      createJwtVerifier({
        issuers: [{ issuer: ISSUER, keys: [source({ algorithms: [algorithm], ...more })], audience: 'api' }],
      })
    for (const encoding of ['base64', 'base64url'] as const) {
      expect(build({ secret: short.toString(encoding), encoding })).toThrow(`must be at least ${bytes} bytes long`)
      expect(build({ secret: secret.toString(encoding), encoding })).not.toThrow()
    }
    expect(build({ secret: short })).toThrow(`must be at least ${bytes} bytes long`)
    expect(build({ secret: [secret, short] })).toThrow(`must be at least ${bytes} bytes long`)
    expect(build({ secret: short.toString('hex').slice(0, bytes - 1) })).toThrow(/must be at least \d\d bytes long/)
    expect(build({ secret: secret.toString('hex').slice(0, bytes) })).not.toThrow()
  })

  it('meets no other secret, and no public key', async () => {
    expect(
      await verify(source({ algorithms: SECRET_ALGORITHMS, secret: randomBytes(64) }), await sign(algorithm, secret)),
    ).toBe('unauthorized:token_signature_invalid')
    expect(await verify({ kind: 'jwks', keys: ALL, algorithms: KEYS }, await sign(algorithm, secret))).toBe(
      NOT_OF_ISSUER,
    )
  })
})

it('a secret and keys side by side never serve each other’s algorithms', async () => {
  const secret = randomBytes(64)
  const verifier = createJwtVerifier({
    issuers: [
      {
        issuer: ISSUER,
        keys: [
          { kind: 'secret', secret, algorithms: ['HS512'] },
          { kind: 'jwks', keys: ALL, algorithms: ['ES384'] },
        ],
        audience: 'api',
      },
    ],
  })
  expect(await verdictOf(verifier.verify(await sign('HS512', secret)))).toBe('ok')
  expect(await verdictOf(verifier.verify(await sign('ES384', curves.ES384.privateKey)))).toBe('ok')
  expect(await verdictOf(verifier.verify(await sign('HS256', secret)))).toBe(NOT_OF_ISSUER)
  const spki = curves.ES384.publicKey.export({ type: 'spki', format: 'der' })
  expect(await verdictOf(verifier.verify(await sign('HS512', spki)))).toBe('unauthorized:token_signature_invalid')
})
