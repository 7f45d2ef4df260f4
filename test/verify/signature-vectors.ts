// Signatures at the edges of each algorithm, made with keys of our own: what must be good, what must not, and why somebody might
// think otherwise. `null`: implementations differ, but all of one runtime must agree.
import {
  constants,
  createHash,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  privateEncrypt,
  randomBytes,
  sign,
} from 'node:crypto'
import type { Algorithm, KeyAlgorithm, SecretAlgorithm } from '../../src/verify/token-form.ts'

export interface Vector {
  readonly name: string
  readonly signature: Uint8Array
  readonly isGood: boolean | null
}

export interface VectorGroup {
  readonly algorithm: Algorithm
  /** Which key, where an algorithm has several. */
  readonly what: string
  readonly secret: Uint8Array<ArrayBuffer> | null
  readonly members: Readonly<Record<string, string>>
  readonly input: string
  readonly vectors: readonly Vector[]
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const inputOf = (algorithm: Algorithm): string =>
  `${encode({ alg: algorithm })}.${encode({ sub: 'u1', iss: 'https://issuer.test' })}`
const bitsOf = (algorithm: Algorithm): number => Number(algorithm.slice(2))
const hashOf = (algorithm: Algorithm): string => `sha${bitsOf(algorithm)}`
const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)
const toBytes = (value: bigint, length: number): Buffer =>
  Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')
const membersOf = (key: KeyObject): Record<string, string> => key.export({ format: 'jwk' }) as Record<string, string>

/** What is no signature under any algorithm, whatever its length. */
function nonsense(signature: Uint8Array): readonly Vector[] {
  const sizes = [0, 1, 31, 32, 33, 48, 63, 64, 65, 71, 72, 96, 114, 132, 255, 256, 257, 384, 385, 512, 6000]
  const filled = sizes.flatMap((size) =>
    [0, 1, 0x30, 0x7f, 0x80, 0xff].map((fill) => [`${size} times ${fill}`, Buffer.alloc(size, fill)] as const),
  )
  const bytes = Buffer.from(signature)
  const flipped = bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 1 : byte))
  const damaged: readonly (readonly [string, Uint8Array])[] = [
    ['without its first byte', bytes.subarray(1)],
    ['without its last byte', bytes.subarray(0, -1)],
    ['half of it', bytes.subarray(0, bytes.length >> 1)],
    ['a zero before it', Buffer.concat([Buffer.alloc(1), bytes])],
    ['a zero after it', Buffer.concat([bytes, Buffer.alloc(1)])],
    ['twice', Buffer.concat([bytes, bytes])],
    ['a bit in the middle turned', flipped],
    ['the highest bit turned', bytes.map((byte, index) => (index === 0 ? byte ^ 0x80 : byte))],
    ['the lowest bit turned', bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte))],
    ['backwards', Buffer.from(bytes).reverse()],
  ]
  return [...filled, ...damaged].map(([name, each]) => ({ name, signature: each, isGood: false }))
}

const good = (name: string, signature: Uint8Array): Vector => ({ name, signature, isGood: true })
const bad = (name: string, signature: Uint8Array): Vector => ({ name, signature, isGood: false })
const either = (name: string, signature: Uint8Array): Vector => ({ name, signature, isGood: null })

function hmacGroup(algorithm: SecretAlgorithm): VectorGroup {
  const input = inputOf(algorithm)
  const secret = new Uint8Array(randomBytes(64))
  const macBy = (hash: string, key: Uint8Array = secret, text = input): Buffer =>
    createHmac(hash, key).update(text).digest()
  const mac = macBy(hashOf(algorithm))
  const others = ['sha1', 'sha256', 'sha384', 'sha512', 'sha3-256', 'md5'].filter((hash) => hash !== hashOf(algorithm))
  return {
    algorithm,
    what: 'a secret',
    secret,
    members: {},
    input,
    vectors: [
      good('its own', mac),
      ...nonsense(mac),
      ...others.flatMap((hash) => [
        bad(`by ${hash}`, macBy(hash)),
        bad(`by ${hash}, cut`, macBy(hash).subarray(0, mac.length)),
      ]),
      bad('truncated to 128 bits', mac.subarray(0, 16)),
      bad('of another text', macBy(hashOf(algorithm), secret, `${input}A`)),
      bad('by no secret', macBy(hashOf(algorithm), new Uint8Array())),
      bad('a digest without a secret', createHash(hashOf(algorithm)).update(input).digest()),
    ],
  }
}

// The orders of the groups (SP 800-186 §3.2.1).
const CURVES = {
  ES256: ['P-256', 32, 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n],
  ES384: [
    'P-384',
    48,
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ],
  ES512: [
    'P-521',
    66,
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  ],
} as const

function ecdsaGroup(algorithm: keyof typeof CURVES): VectorGroup {
  const [namedCurve, size, order] = CURVES[algorithm]
  const input = inputOf(algorithm)
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
  const signBy = (hash: string, dsaEncoding: 'ieee-p1363' | 'der', text = input): Buffer =>
    sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding })
  const signature = signBy(hashOf(algorithm), 'ieee-p1363')
  const [r, s] = [toBigInt(signature.subarray(0, size)), toBigInt(signature.subarray(size))]
  const most = 2n ** BigInt(size * 8) - 1n
  const pair = (one: bigint, other: bigint): Buffer =>
    Buffer.concat([toBytes(one & most, size), toBytes(other & most, size)])
  const edges: readonly (readonly [string, bigint])[] = [
    ['0', 0n],
    ['1', 1n],
    ['n-1', order - 1n],
    ['n', order],
    ['n+1', order + 1n],
    ['all ones', most],
    ['half of n', order / 2n],
  ]
  return {
    algorithm,
    what: namedCurve,
    secret: null,
    members: membersOf(publicKey),
    input,
    vectors: [
      good('its own', signature),
      good('another one', signBy(hashOf(algorithm), 'ieee-p1363')),
      // RFC 7518 says nothing against either half: s and n-s are both good.
      good('with n-s', pair(r, order - s)),
      ...nonsense(signature),
      ...edges.flatMap(([name, value]) => [
        bad(`r is ${name}`, pair(value, s)),
        bad(`s is ${name}`, pair(r, value)),
        ...edges.map(([other, second]) => bad(`r is ${name}, s is ${other}`, pair(value, second))),
      ]),
      bad('r and s exchanged', pair(s, r)),
      bad('r+n', pair(r + order, s)),
      bad('s+n', pair(r, s + order)),
      bad('-r', pair(order - r, s)),
      bad('in DER', signBy(hashOf(algorithm), 'der')),
      bad('each with a zero before it', Buffer.concat([toBytes(r, size + 1), toBytes(s, size + 1)])),
      bad('each shorter by a byte', Buffer.concat([toBytes(r, size).subarray(1), toBytes(s, size).subarray(1)])),
      bad('little-endian', Buffer.concat([toBytes(r, size).reverse(), toBytes(s, size).reverse()])),
      bad('by another digest', signBy(algorithm === 'ES256' ? 'sha384' : 'sha256', 'ieee-p1363')),
      bad('of another text', signBy(hashOf(algorithm), 'ieee-p1363', `${input}A`)),
    ],
  }
}

// The order of the group (RFC 8032 §5.1), and points of small order (the identity, of order 2, of order 4, of order 8).
const ED_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => Buffer.from(hex, 'hex'))

const little = (value: bigint): Buffer => toBytes(value & (2n ** 256n - 1n), 32).reverse()

function edGroup(): VectorGroup {
  const input = inputOf('EdDSA')
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const signature = sign(null, Buffer.from(input), privateKey)
  const [r, tail] = [signature.subarray(0, 32), signature.subarray(32)]
  const s = toBigInt(Buffer.from(tail).reverse())
  return {
    algorithm: 'EdDSA',
    what: 'Ed25519',
    secret: null,
    members: membersOf(publicKey),
    input,
    vectors: [
      good('its own', signature),
      ...nonsense(signature),
      // RFC 8032 §5.1.7: S is below the order, else one text would have several signatures.
      ...[1n, 2n, 4n, 8n, 15n].map((times) => bad(`S+${times}L`, Buffer.concat([r, little(s + times * ED_ORDER)]))),
      bad('S is 0', Buffer.concat([r, little(0n)])),
      bad('S is L', Buffer.concat([r, little(ED_ORDER)])),
      bad('L-S', Buffer.concat([r, little(ED_ORDER - s)])),
      ...[0x20, 0x40, 0x80].map((bit) =>
        bad(
          `bit ${bit} of S`,
          signature.map((byte, at) => (at === 63 ? byte ^ bit : byte)),
        ),
      ),
      bad(
        'the sign of R turned',
        signature.map((byte, at) => (at === 31 ? byte ^ 0x80 : byte)),
      ),
      ...SMALL_ORDER.flatMap((point, index) => [
        bad(`R of small order ${index}`, Buffer.concat([point, tail])),
        bad(`R of small order ${index}, S is 0`, Buffer.concat([point, little(0n)])),
      ]),
      bad('S before R', Buffer.concat([tail, r])),
      bad('of another text', sign(null, Buffer.from(`${input}A`), privateKey)),
      bad('of the digest', sign(null, createHash('sha512').update(input).digest(), privateKey)),
    ],
  }
}

// Keys that verify what nobody has signed, where a runtime takes them: it must say the same by every way.
function smallOrderGroups(): readonly VectorGroup[] {
  return SMALL_ORDER.map((key, index) => ({
    algorithm: 'EdDSA' as const,
    what: `Ed25519 of small order ${index}`,
    secret: null,
    members: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') },
    input: inputOf('EdDSA'),
    vectors: SMALL_ORDER.map((point, at) => either(`R ${at}, S is 0`, Buffer.concat([point, little(0n)]))),
  }))
}

// DER of DigestInfo up to the digest (RFC 8017 §9.2).
const DIGEST_INFO: Readonly<Record<number, string>> = {
  256: '3031300d060960864801650304020105000420',
  384: '3041300d060960864801650304020205000430',
  512: '3051300d060960864801650304020305000440',
}

interface RsaPair {
  readonly modulusLength: number
  readonly publicExponent: number
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

function rsaGroup(algorithm: KeyAlgorithm, pair: RsaPair): VectorGroup {
  const input = inputOf(algorithm)
  const { modulusLength, publicExponent, publicKey, privateKey } = pair
  const members = membersOf(publicKey)
  const modulus = toBigInt(Buffer.from(members['n'] ?? '', 'base64url'))
  const size = modulusLength / 8
  const digestBytes = bitsOf(algorithm) / 8
  const pss = (saltLength: number, hash = hashOf(algorithm), text = input): Buffer =>
    sign(hash, Buffer.from(text), { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
  const pkcs1 = (hash = hashOf(algorithm), text = input): Buffer => sign(hash, Buffer.from(text), privateKey)
  const isPss = algorithm.startsWith('PS')
  // One in 256 begins with a zero, and is good to OpenSSL without it too (RFC 8017 §8.1.2 would have it refused).
  const withoutZero = (signature: Buffer): Buffer => (signature[0] === 0 ? withoutZero(pss(digestBytes)) : signature)
  const goodPss = (): Buffer => withoutZero(pss(digestBytes))
  const signature = isPss ? goodPss() : pkcs1()
  const value = toBigInt(signature)
  // A block of our own, signed as it is.
  const raw = (block: Buffer): Buffer =>
    privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, Buffer.concat([block], size))
  const info = Buffer.from(DIGEST_INFO[bitsOf(algorithm)] ?? '', 'hex')
  const digest = createHash(hashOf(algorithm)).update(input).digest()
  const padded = (type: number, fill: number, content: Buffer, after = 0): Buffer =>
    Buffer.concat([
      Buffer.from([0, type]),
      Buffer.alloc(size - 3 - content.length - after, fill),
      Buffer.from([0]),
      content,
      Buffer.alloc(after),
    ])
  const bare = Buffer.concat([
    Buffer.from([0x30, 2 + 11 + 2 + digestBytes, 0x30, 0x0b]),
    info.subarray(4, 15),
    info.subarray(17),
  ])
  const blocks = isPss
    ? []
    : [
        good('a block of our own, as it must be', raw(padded(1, 0xff, Buffer.concat([info, digest])))),
        bad('a block of type 2', raw(padded(2, 0xff, Buffer.concat([info, digest])))),
        bad('a block of type 0', raw(padded(0, 0, Buffer.concat([info, digest])))),
        bad('padding of zeros', raw(padded(1, 0, Buffer.concat([info, digest])))),
        bad('padding of fe', raw(padded(1, 0xfe, Buffer.concat([info, digest])))),
        bad('the digest alone', raw(padded(1, 0xff, digest))),
        bad('zeros after the digest', raw(padded(1, 0xff, Buffer.concat([info, digest]), 16))),
        bad(
          '8 bytes of padding, zeros after',
          raw(padded(1, 0xff, Buffer.concat([info, digest]), size - 3 - info.length - digestBytes - 8)),
        ),
        bad('parameters left out', raw(padded(1, 0xff, Buffer.concat([bare, digest])))),
        bad(
          'the digest of nothing',
          raw(padded(1, 0xff, Buffer.concat([info, createHash(hashOf(algorithm)).digest()]))),
        ),
      ]
  const salts = [0, 1, digestBytes - 1, digestBytes + 1, size - digestBytes - 2]
  const hashes = ['sha1', 'sha256', 'sha384', 'sha512'].filter((hash) => hash !== hashOf(algorithm))
  return {
    algorithm,
    what: `${modulusLength} bits, exponent ${publicExponent}`,
    secret: null,
    members,
    input,
    vectors: [
      good('its own', signature),
      ...nonsense(signature),
      ...blocks,
      isPss ? good('of another salt', goodPss()) : bad('PSS', pss(digestBytes)),
      ...(isPss ? [bad('PKCS #1 v1.5', pkcs1())] : []),
      ...salts.map((salt) => bad(`PSS, a salt of ${salt} bytes`, pss(salt))),
      ...hashes.map((hash) => bad(`by ${hash}`, isPss ? pss(digestBytes, hash) : pkcs1(hash))),
      bad('of another text', isPss ? pss(digestBytes, undefined, `${input}A`) : pkcs1(undefined, `${input}A`)),
      bad('s+n, in as many bytes as it takes', toBytes(value + modulus, size + 1)),
      ...(value + modulus < 2n ** BigInt(modulusLength) ? [bad('s+n', toBytes(value + modulus, size))] : []),
      bad('n-s', toBytes(modulus - value, size)),
      bad('n', toBytes(modulus, size)),
      bad('n-1', toBytes(modulus - 1n, size)),
      bad('n+1', toBytes(modulus + 1n, size)),
      bad('2', toBytes(2n, size)),
      bad('little-endian', Buffer.from(signature).reverse()),
    ],
  }
}

const RSA_KEYS = [
  { modulusLength: 2048, publicExponent: 65_537 },
  { modulusLength: 2048, publicExponent: 3 },
  // Beyond what is checked at once.
  { modulusLength: 2048, publicExponent: 65_539 },
  { modulusLength: 4096, publicExponent: 65_537 },
] as const

/** All groups; keys are made anew each time. RSA: every key for one digest, the first for all. */
export function vectorGroups(): readonly VectorGroup[] {
  const pairs = RSA_KEYS.map((key) => ({ ...key, ...generateKeyPairSync('rsa', key) }))
  return [
    ...(['HS256', 'HS384', 'HS512'] as const).map(hmacGroup),
    ...(['ES256', 'ES384', 'ES512'] as const).map(ecdsaGroup),
    edGroup(),
    ...smallOrderGroups(),
    ...(['RS256', 'PS256'] as const).flatMap((algorithm) => pairs.map((pair) => rsaGroup(algorithm, pair))),
    ...(['RS384', 'RS512', 'PS384', 'PS512'] as const).flatMap((algorithm) =>
      pairs.slice(0, 1).map((pair) => rsaGroup(algorithm, pair)),
    ),
  ]
}
