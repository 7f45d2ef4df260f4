// Secrets as text, bytes or base64: what is read, what is refused at construction, and that no message shows one.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { describeSecrets, readSecrets, type SecretSource } from '../../src/verify/shared-secrets.ts'
import { verdictOf } from './bench.ts'

const BYTES = Buffer.from('fbefff'.repeat(12), 'hex')
const LEAST = Buffer.concat([Buffer.from([4]), Buffer.alloc(31)])
const spki = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' })

describe('a secret', () => {
  it.each<[string, Omit<SecretSource, 'kind'>, Uint8Array]>([
    ['as text', { secret: 'é'.repeat(16) }, Buffer.from('é'.repeat(16))],
    ['as text that would be base64, too', { secret: 'A'.repeat(64) }, Buffer.from('A'.repeat(64))],
    ['as bytes', { secret: BYTES }, BYTES],
    ['in base64', { secret: BYTES.toString('base64'), encoding: 'base64' }, BYTES],
    ['in base64url', { secret: BYTES.toString('base64url'), encoding: 'base64url' }, BYTES],
    ['in base64 with padding', { secret: `B${'A'.repeat(42)}=`, encoding: 'base64' }, LEAST],
    ['in base64 without it', { secret: `B${'A'.repeat(42)}`, encoding: 'base64' }, LEAST],
    ['in base64url with padding', { secret: `B${'A'.repeat(42)}=`, encoding: 'base64url' }, LEAST],
  ])('%s signs by its bytes', async (_, source, bytes) => {
    const claims = new SignJWT({ sub: 'u', iss: 'i' }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h')
    const token = await claims.sign(bytes)
    const keys = [{ kind: 'secret' as const, ...source }]
    const verifier = createJwtVerifier({ issuers: [{ issuer: 'i', keys, audience: null }] })
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
  })

  it('of bytes is what it was when it was handed over', async () => {
    const given = new Uint8Array(randomBytes(32))
    const token = await new SignJWT({ sub: 'u', iss: 'i' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new Uint8Array(given))
    const keys = [{ kind: 'secret' as const, secret: given }]
    const verifier = createJwtVerifier({ issuers: [{ issuer: 'i', keys, audience: null }] })
    given.fill(0)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
  })

  it.each<[string, unknown, SecretSource['encoding'], RegExp]>([
    ['base64 with a foreign letter', `${'A'.repeat(43)}!`, 'base64', /must be base64/],
    ['base64url given as base64', BYTES.toString('base64url'), 'base64', /must be base64/],
    ['base64 given as base64url', BYTES.toString('base64'), 'base64url', /must be base64url/],
    ['base64 of stray bits', `${'A'.repeat(42)}B`, 'base64', /must be base64/],
    ['base64 with a line feed in it', `${'A'.repeat(40)}\n${'A'.repeat(40)}`, 'base64', /must be base64/],
    ['base64 with an edge', ` ${'A'.repeat(44)}`, 'base64', /white space/],
    ['base64 in quotes', `"${'A'.repeat(44)}"`, 'base64', /quotes/],
    ['base64 that is no text', 7, 'base64', /must be of type string/],
    ['blank base64', ' ', 'base64', /blank/],
    ['the base64 of a public key', spki.toString('base64'), 'base64', /looks like a DER key/],
    ['the bytes of a public key', spki, undefined, /looks like a DER key/],
    ['the bytes of a JWK', Buffer.from(`{"kty":"EC","x":"${'A'.repeat(43)}"}`), undefined, /looks like a JWK/],
    ['the bytes of a PEM', Buffer.from(`-----BEGIN PUBLIC KEY-----\n${'A'.repeat(64)}`), undefined, /looks like a PEM/],
    [
      'a PEM with the line feed at its end',
      `-----BEGIN PUBLIC KEY-----\n${'A'.repeat(64)}\n-----END PUBLIC KEY-----\n`,
      undefined,
      /looks like a PEM/,
    ],
    ['bytes that nobody has filled', new Uint8Array(64), undefined, /must not be zeros alone/],
    ['base64 of zeros', 'A'.repeat(64), 'base64', /must not be zeros alone/],
    ['bytes that are too few', new Uint8Array(31), undefined, /must be at least 32 bytes/],
    ['bytes within a list', [randomBytes(32), new Uint8Array(31)], undefined, /must be at least 32 bytes/],
    ['a buffer that is no bytes', new ArrayBuffer(32), undefined, /must be of type string/],
  ])('%s is refused, unseen', (_, secret, encoding, message) => {
    const wrong = describeSecrets(secret, { encoding })
    expect(wrong).toMatch(message)
    if (typeof secret === 'string' && secret.trim() !== '') expect(wrong).not.toContain(secret.trim())
  })

  it.each<[string, object, RegExp]>([
    ['an unknown encoding', { secret: 'A'.repeat(64), encoding: 'hex' }, /keys\.0\.encoding" must be one of/],
    [
      'an unknown algorithm',
      { secret: 'A'.repeat(64), algorithms: ['RS256'] },
      /keys\.0\.algorithms\.0" must be one of/,
    ],
    ['no algorithm', { secret: 'A'.repeat(64), algorithms: [] }, /keys\.0\.algorithms" must not be empty/],
    ['algorithms that are no list', { secret: 'A'.repeat(64), algorithms: 'HS512' }, /keys\.0\.algorithms/],
    [
      'algorithms that are anything',
      { secret: 'A'.repeat(64), algorithms: [Object.create(null), Symbol('x')] },
      /algorithms/,
    ],
    [
      'a sample in base64',
      { secret: btoa('your-256-bit-secret-your-256-bit-secret'), encoding: 'base64' },
      /is a sample/,
    ],
    ['a sample in bytes', { secret: Buffer.from('your-256-bit-secret-your-256-bit-secret') }, /is a sample/],
  ])('%s is refused by the verifier', (_, source, message) => {
    const keys = [{ kind: 'secret', ...source }] as never
    expect(() => createJwtVerifier({ issuers: [{ issuer: 'i', keys, audience: null }] })).toThrow(message)
  })
})

it('secrets are told from each other by their bytes', () => {
  const text = 'A'.repeat(64)
  const base = { kind: 'secret' as const }
  expect(
    readSecrets([
      { ...base, secret: text },
      { ...base, secret: Buffer.from(text) },
    ]).hasTwins,
  ).toBe(true)
  expect(
    readSecrets([
      { ...base, secret: text },
      { ...base, secret: text, encoding: 'base64' },
    ]).hasTwins,
  ).toBe(false)
})
