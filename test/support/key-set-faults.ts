/**
 * What can be wrong with a JWK Set that arrives as it should, as data. Hands on functions from good
 * keys to a bad set.
 */
import { generateKeyPairSync } from 'node:crypto'
import { createIssuerKey, type IssuerKey, type KeyAlgorithm, type PublicJwk } from '../../src/testing/token-issuer.ts'

/** A fault of the JWK Set itself. */
export type KeySetFault =
  | 'empty-set'
  | 'no-keys-member'
  | 'keys-an-object'
  | 'duplicate-kids'
  | 'without-kids'
  | 'without-algs'
  | 'unusable-keys'
  | 'one-bad-entry'
  | 'secret-inside'
  | 'too-many-keys'
  | 'other-keys'

/** What a careful client makes of a good token while the fault lasts. */
export type KeyOutcome = 'accepted' | 'unknown-key' | 'unavailable'

interface KeySetFaultRow {
  readonly sentence: string
  readonly outcome: KeyOutcome
  spoil(keys: readonly PublicJwk[]): object | Promise<object>
}

/** The secret of the symmetric key that `secret-inside` publishes, as text: no token signed by it is good. */
export const PUBLISHED_SECRET = 'a symmetric key that somebody published by mistake'

// Under the 256 KB a client reads, over the 100 keys it takes.
const MANY = 300

/** The faults by name. */
export const KEY_SET_FAULTS: Readonly<Record<KeySetFault, KeySetFaultRow>> = {
  'empty-set': { sentence: 'The set has no key.', outcome: 'unavailable', spoil: () => ({ keys: [] }) },
  'no-keys-member': {
    sentence: 'The object has no member keys.',
    outcome: 'unavailable',
    spoil: (keys) => ({ jwks: keys }),
  },
  'keys-an-object': {
    sentence: 'The keys are an object by number, no array.',
    outcome: 'unavailable',
    spoil: (keys) => ({ keys: { ...keys } }),
  },
  'duplicate-kids': {
    sentence: "Each kid is there twice, first with a stranger's key of the same type.",
    outcome: 'accepted',
    spoil: async (keys) => ({ keys: (await Promise.all(keys.map(withDouble))).flat() }),
  },
  'without-kids': {
    sentence: 'No key has a kid, so none is the one a token names.',
    outcome: 'unknown-key',
    spoil: (keys) => ({ keys: keys.map((key) => ({ ...key, kid: undefined })) }),
  },
  'without-algs': {
    sentence: 'No key has an alg: the type of the key decides.',
    outcome: 'accepted',
    spoil: (keys) => ({ keys: keys.map((key) => ({ ...key, alg: undefined })) }),
  },
  'unusable-keys': {
    sentence: 'Every key is of no use: too short, another curve, not for signatures, no key at all.',
    outcome: 'unavailable',
    spoil: () => ({ keys: unusableKeys() }),
  },
  'one-bad-entry': {
    sentence: 'Useless entries stand around the good keys.',
    outcome: 'accepted',
    spoil: (keys) => ({ keys: [null, ...unusableKeys(), ...keys, 'key', 1, []] }),
  },
  'secret-inside': {
    sentence: 'A symmetric key of kid "shared" stands among the good keys.',
    outcome: 'accepted',
    spoil: (keys) => ({ keys: [octetKey('shared'), ...keys] }),
  },
  'too-many-keys': {
    sentence: `The good keys come behind ${MANY} others.`,
    outcome: 'unavailable',
    spoil: async (keys) => ({ keys: [...(await manyKeys()), ...keys] }),
  },
  'other-keys': {
    sentence: "The set holds a stranger's key only.",
    outcome: 'unknown-key',
    spoil: async () => ({ keys: [(await strangerOf('ES256')).publicJwk] }),
  },
}

const strangers = new Map<KeyAlgorithm, Promise<IssuerKey>>()

function strangerOf(algorithm: KeyAlgorithm): Promise<IssuerKey> {
  const known = strangers.get(algorithm) ?? createIssuerKey(algorithm, `stranger-${algorithm}`)
  strangers.set(algorithm, known)
  return known
}

async function withDouble(key: PublicJwk): Promise<readonly object[]> {
  const { publicJwk } = await strangerOf(key.alg as KeyAlgorithm)
  return [{ ...publicJwk, kid: key.kid }, key]
}

async function manyKeys(): Promise<readonly object[]> {
  const { publicJwk } = await strangerOf('ES256')
  return Array.from({ length: MANY }, (_, index) => ({ ...publicJwk, kid: `other-${index}` }))
}

function octetKey(kid: string): object {
  return { kty: 'oct', kid, alg: 'HS256', use: 'sig', k: Buffer.from(PUBLISHED_SECRET).toString('base64url') }
}

let unusable: readonly object[] | undefined

function unusableKeys(): readonly object[] {
  unusable ??= makeUnusableKeys()
  return unusable
}

function makeUnusableKeys(): readonly object[] {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  const good = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
  const wide = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })
  const point = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  return [
    octetKey('bad-oct'),
    { ...short, kid: 'bad-short', alg: 'RS256', use: 'sig' },
    { ...good, e: 'AQ', kid: 'bad-exponent', alg: 'RS256', use: 'sig' },
    { ...good, kid: 'bad-use', alg: 'RS256', use: 'enc' },
    { ...good, kid: 'bad-ops', alg: 'RS256', key_ops: ['encrypt'] },
    { ...wide, kid: 'bad-curve', alg: 'ES384', use: 'sig' },
    { ...point, y: point.x, kid: 'bad-point', alg: 'ES256', use: 'sig' },
    { ...point, y: undefined, kid: 'bad-missing', alg: 'ES256', use: 'sig' },
    { kty: 'PQC', kid: 'bad-type', alg: 'ML-DSA-44', use: 'sig', pub: 'AAAA' },
    { kid: 'bad-nothing' },
    {},
  ]
}
