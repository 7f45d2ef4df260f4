/**
 * Tokens whose signature is good and whose payload is not one plain JSON object in UTF-8, or is too big.
 */
import type { BadTokenRecipe, Bench } from './bench.ts'

type PayloadOf = (bench: Bench) => unknown

function payload(name: string, why: string, of: PayloadOf, requirement = 'T4'): BadTokenRecipe {
  return { name: `payload ${name}`, requirement, why, make: (bench) => bench.raw(of(bench)) }
}

function text({ claims }: Bench): string {
  return JSON.stringify(claims)
}

// The members go last, where the last one wins.
function withMembers(bench: Bench, members: string): string {
  return `${text(bench).slice(0, -1)},${members}}`
}

function withBytes(bench: Bench, bytes: readonly number[]): Uint8Array {
  const [before = '', after = ''] = JSON.stringify({ ...bench.claims, sub: '@' }).split('"@"')
  return Buffer.concat([Buffer.from(`${before}"u1`), Buffer.from(bytes), Buffer.from(`"${after}`)])
}

const NOT_AN_OBJECT: readonly BadTokenRecipe[] = [
  payload('an array', 'claims are an object', ({ claims }) => [claims]),
  payload('an array of pairs', 'claims are an object', ({ claims }) => Object.entries(claims)),
  payload('a JSON string', 'claims are an object', (bench) => JSON.stringify(text(bench))),
  payload('null', 'claims are an object', () => 'null'),
  payload('true', 'claims are an object', () => 'true'),
  payload('a number', 'claims are an object', () => '1'),
  payload('an empty object', 'no claim is there', () => '{}'),
  payload('white space', 'it is no JSON', () => ' '),
  payload('cut short', 'it is no JSON', (bench) => text(bench).slice(0, -1)),
  payload('with a trailing comma', 'it is no JSON', (bench) => `${text(bench).slice(0, -1)},}`),
  payload('with a comment', 'it is no JSON', (bench) => `/* */${text(bench)}`),
  payload('twice', 'two documents are no JSON', (bench) => text(bench) + text(bench)),
  payload('with a NUL behind', 'it is no JSON', (bench) => `${text(bench)}\u0000`),
  payload('with single quotes', 'it is no JSON', (bench) => text(bench).replaceAll('"', "'")),
  payload('with NaN', 'it is no JSON', (bench) => withMembers(bench, '"n":NaN')),
  payload('in UTF-16', 'claims are UTF-8', (bench) => Buffer.from(text(bench), 'utf16le')),
  payload('with a BOM', 'RFC 8259 §8.1: a reader may refuse a byte order mark', (bench) => `\ufeff${text(bench)}`),
  payload('with a stray continuation byte', 'it is no UTF-8', (bench) => withBytes(bench, [0x80])),
  payload('with the byte FF', 'it is no UTF-8', (bench) => withBytes(bench, [0xff])),
  payload('with an overlong sequence', 'it is no UTF-8', (bench) => withBytes(bench, [0xc0, 0xaf])),
  payload('with an encoded surrogate', 'it is no UTF-8', (bench) => withBytes(bench, [0xed, 0xa0, 0x80])),
  payload('with half a character', 'it is no UTF-8', (bench) => withBytes(bench, [0xe2, 0x82])),
]

const LAST_WINS: readonly BadTokenRecipe[] = [
  payload('with sub twice, the last empty', 'the last one wins', (bench) => withMembers(bench, '"sub":""'), 'T5'),
  payload(
    'with iss twice, the last foreign',
    'the last one wins',
    (bench) => withMembers(bench, '"iss":"https://evil.test"'),
    'T5',
  ),
  payload('with aud twice, the last foreign', 'the last one wins', (bench) => withMembers(bench, '"aud":"evil"'), 'T5'),
  payload(
    'with exp twice, the last no number',
    'the last one wins',
    (bench) => withMembers(bench, '"exp":"never"'),
    'T5',
  ),
  {
    name: 'payload with exp twice, the last passed',
    requirement: 'T5',
    why: 'the last one wins',
    code: 'token_expired',
    make: (bench) => bench.raw(withMembers(bench, '"exp":1000000000')),
  },
  payload('with the claims in __proto__', '__proto__ gives no claim', (bench) => `{"__proto__":${text(bench)}}`, 'T5'),
  payload(
    'with the subject in __proto__',
    '__proto__ gives no claim',
    ({ claims }) => JSON.stringify({ ...claims, sub: undefined }).replace(/\}$/, ',"__proto__":{"sub":"u1"}}'),
    'T5',
  ),
]

function ofLength(characters: number): PayloadOf {
  return (bench) => {
    const step = characters - bench.raw({ ...bench.claims, pad: '' }).length
    return { ...bench.claims, pad: 'x'.repeat(Math.ceil((step * 3) / 4) + 1) }
  }
}

const HUGE: readonly BadTokenRecipe[] = [
  payload('just over 8,192 characters of token', 'the limit is 8,192', ofLength(8192), 'T2'),
  payload('of a token of 12 KB', 'the limit is 8,192', ofLength(12_000), 'T2'),
]

/** Good signature, bad payload. */
export const BAD_PAYLOAD_TOKENS: readonly BadTokenRecipe[] = [...NOT_AN_OBJECT, ...LAST_WINS, ...HUGE]
