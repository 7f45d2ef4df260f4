/**
 * Tokens that are not the one canonical spelling of three signed parts: damaged, spelt differently, of another format,
 * and signatures that are not of this text (RFC 7515 §5.2).
 */
import { createHash, randomUUID } from 'node:crypto'
import { CompactEncrypt, type CompactJWEHeaderParameters } from 'jose'
import { encodePart } from '../../../src/testing/token-issuer.ts'
import type { BadTokenRecipe, Bench } from './bench.ts'

function form(name: string, why: string, make: BadTokenRecipe['make'], requirement = 'T2'): BadTokenRecipe {
  return { name, requirement, why, make }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

// Sets a bit that decoding drops; a part of full groups of three bytes has none.
function withStrayBit(part: string): string | null {
  const last = ALPHABET.indexOf(part.slice(-1))
  return part.length % 4 === 0 ? null : part.slice(0, -1) + ALPHABET[last + 1]
}

/** Re-sign until the part has the shape wanted: a claim of growing length moves the ends, a random one the letters. */
async function until(bench: Bench, part: number, fits: (text: string) => boolean): Promise<string[]> {
  for (let pad = 0; pad < 200; pad += 1) {
    const token = await bench.sign(
      { pad: 'x'.repeat(pad % 3), jti: randomUUID() },
      { header: { pad: 'x'.repeat(pad % 3) } },
    )
    const parts = token.split('.')
    if (fits(parts[part] ?? '')) return parts
  }
  throw new Error('badTokens: no token of the shape wanted in 200 tries')
}

const PART_NAMES = ['header', 'payload', 'signature'] as const

const SPELLINGS: readonly BadTokenRecipe[] = PART_NAMES.flatMap((name, part) => [
  form(`${name} padded`, 'base64url here has no padding (RFC 7515 §2)', async (bench) => {
    const parts = await until(bench, part, (text) => text.length % 4 !== 0)
    return parts
      .map((text, index) => (index === part ? text.padEnd(Math.ceil(text.length / 4) * 4, '=') : text))
      .join('.')
  }),
  form(`${name} with stray bits`, 'two spellings of the same bytes', async (bench) => {
    const parts = await until(bench, part, (text) => text.length % 4 !== 0)
    return parts.map((text, index) => (index === part ? withStrayBit(text) : text)).join('.')
  }),
  form(`${name} empty`, 'three parts that are not empty', ({ parts }) =>
    parts.map((text, index) => (index === part ? '' : text)).join('.'),
  ),
  form(`${name} with a letter appended`, 'one letter of base64url is no byte', ({ parts }) =>
    parts
      .map((text, index) =>
        index === part ? `${text}${'A'.repeat(text.length % 4 === 0 ? 1 : 5 - (text.length % 4))}` : text,
      )
      .join('.'),
  ),
])

const SHAPES: readonly BadTokenRecipe[] = [
  form('signature in the other base64', '+ and / are not of base64url', async (bench) => {
    const [header, payload, signature = ''] = await until(bench, 2, (text) => /[-_]/.test(text))
    return `${header}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}`
  }),
  form('one part', 'three parts', ({ parts }) => parts[0]),
  form('two parts', 'three parts', ({ parts }) => `${parts[0]}.${parts[1]}`),
  form('four parts', 'three parts', ({ good }) => `${good}.AAAA`),
  form('a dot in front', 'three parts', ({ good }) => `.${good}`),
  form('a dot behind', 'three parts', ({ good }) => `${good}.`),
  form('only dots', 'three parts that are not empty', () => '..'),
  form('in quotes', 'a quote is not of base64url', ({ good }) => `"${good}"`),
  form('percent-encoded', 'a percent sign is not of base64url', ({ good }) => good.replaceAll('.', '%2E')),
  form('a lone percent sign', 'it must not break a decoder', () => '%'),
  form(
    'with a letter beyond ASCII',
    'it is not of base64url',
    ({ parts }) => `${parts[0]}.${parts[1]}\u00fc.${parts[2]}`,
  ),
  form('with a tilde', 'it is not of base64url', ({ good }) => `${good}~`),
  form('the word null', 'it is no token', () => 'null'),
  form('the word undefined', 'it is no token', () => 'undefined'),
  form('the word Bearer', 'it is no token', () => 'Bearer'),
  form('twice in a row', 'three parts', ({ good }) => good + good),
  form(
    'signature and payload changed over',
    'the parts have their order',
    ({ parts }) => `${parts[0]}.${parts[2]}.${parts[1]}`,
  ),
]

async function encrypt(bench: Bench, header: CompactJWEHeaderParameters): Promise<string | null> {
  const asymmetric = header.alg !== 'dir'
  if (asymmetric && !bench.paired.includes('RS256')) return null
  const key = asymmetric
    ? bench.issuer.key('RS256').publicKey
    : createHash('sha256').update(bench.issuer.secret).digest()
  return await new CompactEncrypt(Buffer.from(bench.good)).setProtectedHeader({ ...header, cty: 'JWT' }).encrypt(key)
}

const ENCRYPTED: readonly BadTokenRecipe[] = [
  form('JWE, RSA-OAEP around a good token', 'nothing here decrypts', (bench) =>
    encrypt(bench, { alg: 'RSA-OAEP-256', enc: 'A256GCM' }),
  ),
  form('JWE, dir around a good token', 'nothing here decrypts', (bench) =>
    encrypt(bench, { alg: 'dir', enc: 'A256GCM' }),
  ),
  form('JWE, PBES2 with 2^31-1 rounds', 'nobody may choose how hard we work', ({ parts }) => {
    const header = { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31 - 1, p2s: 'c2FsdHNhbHRzYWx0' }
    return [encodePart(header), 'AAAA', 'AAAAAAAAAAAAAAAA', parts[1], 'AAAAAAAAAAAAAAAAAAAAAA'].join('.')
  }),
  form('JWE, empty parts', 'three parts', () => `${encodePart({ alg: 'dir', enc: 'A256GCM' })}....`),
]

function resigned(name: string, change: (signature: Buffer, bench: Bench) => Buffer | null): BadTokenRecipe {
  return form(
    `signature ${name}`,
    'it is not of this text by this key (RFC 7515 §5.2)',
    (bench) => {
      const signature = change(Buffer.from(bench.parts[2], 'base64url'), bench)
      return signature === null ? null : `${bench.parts[0]}.${bench.parts[1]}.${signature.toString('base64url')}`
    },
    'T4',
  )
}

const SIGNATURES: readonly BadTokenRecipe[] = [
  form(
    'payload tampered',
    'the signature is of another text',
    ({ parts, claims }) => `${parts[0]}.${encodePart({ ...claims, sub: 'somebody-else' })}.${parts[2]}`,
    'T4',
  ),
  form(
    'payload tampered, exp moved on',
    'the signature is of another text',
    ({ parts, claims, now }) => `${parts[0]}.${encodePart({ ...claims, exp: now + 10 ** 6 })}.${parts[2]}`,
    'T4',
  ),
  form(
    'payload tampered and expired',
    'expired is only said of a good token',
    ({ parts, claims, now }) => `${parts[0]}.${encodePart({ ...claims, exp: now - 3600 })}.${parts[2]}`,
    'T4',
  ),
  form(
    'header tampered',
    'the signature is of another text',
    ({ parts, header }) => `${encodePart({ ...header, typ: undefined })}.${parts[1]}.${parts[2]}`,
    'T4',
  ),
  form(
    'signature of another token',
    'the signature is of another text',
    async ({ parts, sign }) => `${parts[0]}.${parts[1]}.${(await sign({ jti: randomUUID() })).split('.')[2]}`,
    'T4',
  ),
  resigned('with its first bit flipped', (bytes) =>
    Buffer.from(bytes.map((byte, at) => (at === 0 ? byte ^ 0x80 : byte))),
  ),
  resigned('with its last bit flipped', (bytes) =>
    Buffer.from(bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte))),
  ),
  resigned('one byte short', (bytes) => bytes.subarray(0, -1)),
  resigned('one byte long', (bytes) => Buffer.concat([bytes, Buffer.from([0])])),
  resigned('of zeros', (bytes) => Buffer.alloc(bytes.length)),
  resigned('of ones', (bytes) => Buffer.alloc(bytes.length, 0xff)),
  resigned('of a single byte', () => Buffer.from([1])),
  resigned('with its halves changed over', (bytes) =>
    Buffer.concat([bytes.subarray(bytes.length / 2), bytes.subarray(0, bytes.length / 2)]),
  ),
  resigned('in DER', (bytes, { algorithm }) => (algorithm === 'ES256' ? toDer(bytes) : null)),
]

function toDer(signature: Buffer): Buffer {
  const integer = (bytes: Buffer): Buffer => {
    const value = Buffer.concat([Buffer.from([0]), bytes])
    return Buffer.concat([Buffer.from([0x02, value.length]), value])
  }
  const body = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))])
  return Buffer.concat([Buffer.from([0x30, body.length]), body])
}

/** Not the canonical text of a signed token. */
export const BAD_FORM_TOKENS: readonly BadTokenRecipe[] = [...SPELLINGS, ...SHAPES, ...ENCRYPTED, ...SIGNATURES]
