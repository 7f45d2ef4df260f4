// K2, K7, T7: which entries of a JWK Set are of use, and for which one algorithm.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { importKeys, toUsableJwk } from '../../src/verify/jwk-import.ts'

const jwkOf = (pair: { publicKey: { export(options: { format: 'jwk' }): object } }): Record<string, unknown> => ({
  ...pair.publicKey.export({ format: 'jwk' }),
})
const ec = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const p384 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }))
const p521 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }))
const k256 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }))
const ed = jwkOf(generateKeyPairSync('ed25519'))
const x25519 = jwkOf(generateKeyPairSync('x25519'))
const RSA = 'RS256,RS384,RS512,PS256,PS384,PS512'
const rsa = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }))
const short = jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 }))
const almost = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2040 }))
const e3 = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }))
// A modulus of so many bits; nobody has to find its factors to publish it.
const modulusOf = (bits: number): string =>
  Buffer.from([1 << ((bits - 1) % 8), ...Buffer.alloc(Math.ceil(bits / 8) - 1, 0xff)]).toString('base64url')
// An odd number of so many bits.
const exponentOf = (bits: number): string =>
  Buffer.from(((1n << BigInt(bits - 1)) + 1n).toString(16).padStart(Math.ceil(bits / 8) * 2, '0'), 'hex').toString(
    'base64url',
  )
const littleEndian = (y: bigint): Buffer => Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse()
// By y alone: the highest bit is the sign of x.
const P = 2n ** 255n - 19n
const OF_ORDER_8 = Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex')
const OTHER_OF_ORDER_8 = Buffer.from('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', 'hex')
const SMALL_ORDER = [...[0n, 1n, P - 1n, P, P + 1n].map(littleEndian), OF_ORDER_8, OTHER_OF_ORDER_8].flatMap((y) =>
  [0, 0x80].map((sign) => Buffer.from(y.map((byte, at) => (at === 31 ? byte | sign : byte))).toString('base64url')),
)
const privateEc = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })

describe('toUsableJwk', () => {
  it.each<[string, unknown, string | null]>([
    ['P-256', ec, 'ES256'],
    ['P-256 for ES256', { ...ec, alg: 'ES256', use: 'sig', key_ops: ['verify'], kid: 'k' }, 'ES256'],
    ['Ed25519', ed, 'EdDSA'],
    ['Ed25519 for EdDSA', { ...ed, alg: 'EdDSA' }, 'EdDSA'],
    ['Ed25519 for Ed25519', { ...ed, alg: 'Ed25519' }, 'EdDSA'],
    ['RSA', rsa, RSA],
    ['RSA with e = 3', e3, RSA],
    ['RSA with e = 2', { ...rsa, e: 'Ag' }, null],
    ['RSA with e = 1', { ...rsa, e: 'AQ' }, null],
    ['RSA with e = 0', { ...rsa, e: 'AA' }, null],
    ['RSA with e = 3 in spare bytes', { ...rsa, e: 'AAAD' }, null],
    ['RSA with e of 64 bits', { ...rsa, e: exponentOf(64) }, RSA],
    ['RSA with e of 65 bits', { ...rsa, e: exponentOf(65) }, null],
    ['RSA with e of 2047 bits', { ...rsa, e: exponentOf(2047) }, null],
    ['RSA of 1024 bits', short, null],
    ['RSA of 2040 bits', almost, null],
    [
      'RSA of 1024 bits behind zeros',
      {
        ...rsa,
        n: Buffer.concat([Buffer.alloc(128), Buffer.from(`${short['n']}`, 'base64url')]).toString('base64url'),
      },
      null,
    ],
    ['RSA of 8192 bits', { ...rsa, n: modulusOf(8192) }, RSA],
    ['RSA of 8193 bits', { ...rsa, n: modulusOf(8193) }, null],
    ['RSA of 16384 bits', { ...rsa, n: modulusOf(16_384) }, null],
    ['RSA for RS512', { ...rsa, alg: 'RS512' }, 'RS512'],
    ['RSA for PS256', { ...rsa, alg: 'PS256' }, 'PS256'],
    ['RSA for RSA-OAEP', { ...rsa, alg: 'RSA-OAEP' }, null],
    ['RSA for ES256', { ...rsa, alg: 'ES256' }, null],
    ['RSA without n', { ...rsa, n: undefined }, null],
    ['RSA with n of another type', { ...rsa, n: [rsa['n']] }, null],
    ['RSA with a space in n', { ...rsa, n: ` ${rsa['n']}` }, null],
    ['another type with the members of RSA', { ...rsa, kty: 'AKP' }, null],
    ['P-256 beside its curve', { ...ec, y: ec['x'] }, null],
    ['P-256 with a coordinate beyond the field', { ...ec, x: Buffer.alloc(32, 0xff).toString('base64url') }, null],
    ['P-256 with a coordinate of 33 bytes', { ...ec, x: `AA${ec['x']}` }, null],
    ['P-256 with an empty coordinate', { ...ec, y: '' }, null],
    ['Ed25519 of 31 bytes', { ...ed, x: Buffer.alloc(31, 9).toString('base64url') }, null],
    // Everybody signs by them.
    ...SMALL_ORDER.map((x): [string, unknown, null] => [`Ed25519 of small order, ${x}`, { ...ed, x }, null]),
    ['P-384', p384, 'ES384'],
    ['P-384 for ES384', { ...p384, alg: 'ES384' }, 'ES384'],
    ['P-384 for ES256', { ...p384, alg: 'ES256' }, null],
    ['P-384 beside its curve', { ...p384, y: p384['x'] }, null],
    ['P-384 under the name of P-256', { ...p384, crv: 'P-256' }, null],
    ['P-521', p521, 'ES512'],
    ['P-521 for ES512', { ...p521, alg: 'ES512' }, 'ES512'],
    ['P-521 beside its curve', { ...p521, y: p521['x'] }, null],
    ['P-256 of a SPIFFE trust domain', { ...ec, use: 'jwt-svid' }, 'ES256'],
    ['P-256 of its X.509 half', { ...ec, use: 'x509-svid' }, null],
    ['secp256k1', k256, null],
    ['X25519', x25519, null],
    ['P-256 for ES384', { ...ec, alg: 'ES384' }, null],
    ['P-256 for HS256', { ...ec, alg: 'HS256' }, null],
    ['P-256 for an alg of another type', { ...ec, alg: ['ES256'] }, null],
    ['P-256 for encryption', { ...ec, use: 'enc' }, null],
    ['P-256 for use null', { ...ec, use: null }, null],
    ['P-256 to sign', { ...ec, key_ops: ['sign'] }, null],
    ['P-256 with key_ops as text', { ...ec, key_ops: 'verify' }, null],
    ['P-256 without y', { ...ec, y: undefined }, null],
    ['P-256 with a kid of another type', { ...ec, kid: 1 }, null],
    ['P-256 with a kid of 257', { ...ec, kid: 'x'.repeat(257) }, null],
    ['a private key', privateEc, null],
    ['a private member of another type', { ...ec, d: null }, null],
    ['a symmetric key', { kty: 'oct', k: 'AAAA', alg: 'HS256' }, null],
    ['a symmetric key dressed as EC', { ...ec, k: 'AAAA' }, null],
    ['members of a prototype', Object.create(ec), null],
    ['an empty object', {}, null],
    ['a list', [ec], null],
    ['null', null, null],
    ['text', JSON.stringify(ec), null],
  ])('%s', (_, entry, algorithm) => {
    expect(toUsableJwk(entry)?.algorithms.join() ?? null).toBe(algorithm)
  })
})

describe('importKeys', () => {
  const all = new Set(['ES256', 'RS256', 'EdDSA'] as const)

  it('imports what is of use and leaves out the rest, points off the curve too', async () => {
    const entries = [
      null,
      { ...ec, y: ec['x'] },
      p384,
      { ...rsa, alg: 'RS512' },
      { ...ec, kid: 'a' },
      short,
      { ...ed, kid: 'b', x: 'AA' },
      { ...rsa, kid: 'c' },
    ]
    const keys = await importKeys(entries, all)
    expect(keys.map(({ kid, algorithm }) => [kid, algorithm])).toEqual([
      ['a', 'ES256'],
      ['c', 'RS256'],
    ])
  })

  it('keeps to the algorithms asked for', async () => {
    expect(await importKeys([ec, rsa, ed], new Set(['RS256'] as const))).toHaveLength(1)
    expect(await importKeys([ec, rsa, ed], new Set())).toHaveLength(0)
  })

  it('makes one key for each algorithm that the source accepts and the JWK leaves open', async () => {
    const accepted = new Set(['RS256', 'PS256', 'ES384', 'ES512'] as const)
    const keys = await importKeys([rsa, { ...rsa, alg: 'PS256', kid: 'a' }, p384, p521, ec], accepted)
    expect(keys.map(({ kid, algorithm }) => [kid, algorithm])).toEqual([
      [null, 'RS256'],
      [null, 'PS256'],
      ['a', 'PS256'],
      [null, 'ES384'],
      [null, 'ES512'],
    ])
  })

  it('keeps whose tokens a key signs, where the JWK says it: the same key twice is two then', async () => {
    const keys = await importKeys(
      [
        { ...ec, issuer: 'a' },
        { ...ec, issuer: 'b' },
        { ...ec, issuer: 7 },
      ],
      all,
    )
    expect(keys.map(({ issuer }) => issuer)).toEqual(['a', 'b', ''])
  })

  it('takes one key once, under one kid', async () => {
    const keys = await importKeys(
      [ec, { ...ec, use: 'sig' }, { ...ec, kid: '' }, { ...ec, kid: 'a' }, { ...ec, kid: 'a', alg: 'ES256' }],
      all,
    )
    expect(keys.map(({ kid }) => kid)).toEqual([null, '', 'a'])
    expect(new Set(keys.map(({ thumbprint }) => thumbprint)).size).toBe(1)
  })
})
