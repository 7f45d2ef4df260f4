/**
 * Tokens signed rightly over a header that must be refused.
 */

import { encodePart, type SigningAlgorithm, signCompact, type TokenClaims } from '../../../src/testing/token-issuer.ts'
import type { BadTokenRecipe, Bench } from './bench.ts'

function header(name: string, why: string, members: TokenClaims, requirement = 'T3'): BadTokenRecipe {
  return {
    name: `header ${name}`,
    requirement,
    why,
    make: (bench) => bench.raw(bench.claims, { ...bench.header, ...members }),
  }
}

function whole(name: string, why: string, of: (bench: Bench) => unknown): BadTokenRecipe {
  return { name: `header ${name}`, requirement: 'T3', why, make: (bench) => bench.raw(bench.claims, of(bench)) }
}

// HS256 needs no kid, so only there a bad kid is the one thing wrong: both are made.
function kid(name: string, value: unknown): readonly BadTokenRecipe[] {
  const why = 'a kid is absent or a string of at most 256 characters'
  return [
    header(`kid ${name}`, why, { kid: value }),
    {
      name: `header kid ${name}, HS256`,
      requirement: 'T3',
      why,
      make: ({ issuer, claims, algorithm }) =>
        algorithm === 'HS256' ? null : issuer.sign(claims, { algorithm: 'HS256', header: { kid: value } }),
    },
  ]
}

const FORM: readonly BadTokenRecipe[] = [
  whole('an array', 'a header is an object', (bench) => [bench.header]),
  whole('a JSON string', 'a header is an object', (bench) => JSON.stringify(JSON.stringify(bench.header))),
  whole('null', 'a header is an object', () => 'null'),
  whole('an empty object', 'an alg is required', () => '{}'),
  whole('no JSON', 'it is no JSON', (bench) => JSON.stringify(bench.header).slice(1)),
  whole('with a BOM', 'RFC 8259 §8.1', (bench) => `\ufeff${JSON.stringify(bench.header)}`),
  whole('with a byte that is no UTF-8', 'it is no UTF-8', ({ header: good }) =>
    Buffer.from(JSON.stringify({ ...good, x: '\u00ff' }), 'latin1'),
  ),
  whole('with alg twice, the last none', 'the last one wins', ({ header: good }) =>
    JSON.stringify(good).replace(/\}$/, ',"alg":"none"}'),
  ),
  whole('with alg in __proto__', '__proto__ gives no member', ({ header: good, algorithm }) =>
    JSON.stringify({ ...good, alg: undefined }).replace(/\}$/, `,"__proto__":{"alg":"${algorithm}"}}`),
  ),
]

const EXTENSIONS: readonly BadTokenRecipe[] = [
  header('crit unknown', 'no extension is understood', { crit: ['urn:unknown'], 'urn:unknown': 1 }),
  header('crit empty', 'RFC 7515 §4.1.11: never empty', { crit: [] }),
  header('crit naming what is absent', 'RFC 7515 §4.1.11', { crit: ['absent'] }),
  header('crit naming a registered member', 'RFC 7515 §4.1.11', { crit: ['alg'] }),
  header('crit a string', 'RFC 7515 §4.1.11: an array', { crit: 'exp' }),
  header('crit null', 'present is present', { crit: null }),
  header('b64 false in crit', 'RFC 7797 is not for tokens', { crit: ['b64'], b64: false }),
  header('b64 false outside crit', 'RFC 7797 is not for tokens', { b64: false }),
  header('b64 true', 'RFC 7797 is not for tokens', { b64: true }),
  header('zip', 'a signed token is not compressed', { zip: 'DEF' }),
  header('zip null', 'present is present', { zip: null }),
]

const TYPES: readonly BadTokenRecipe[] = [
  ...['session+jwt', 'dpop+jwt', 'logout+jwt', 'secevent+jwt', 'JOSE', 'JWE', 'JWT2', ' JWT', ''].map((typ) =>
    header(`typ ${JSON.stringify(typ)}`, 'another kind of token', { typ }),
  ),
  header('typ a number', 'a typ is a string', { typ: 1 }),
  header('typ null', 'a typ is a string', { typ: null }),
  header('typ an array', 'a typ is a string', { typ: ['JWT'] }),
]

const KIDS: readonly BadTokenRecipe[] = [
  ...kid('a number', 1),
  ...kid('null', null),
  ...kid('true', true),
  ...kid('an array', ['es256-1']),
  ...kid('an object', { kid: 'es256-1' }),
  ...kid('of 300 characters', 'k'.repeat(300)),
  ...['unknown-key', '', '__proto__', 'constructor', '../../../../dev/null', "' OR 1=1 --", 'undefined'].map(
    (value): BadTokenRecipe => ({
      name: `header kid ${JSON.stringify(value)}`,
      requirement: 'K5',
      why: 'nobody published a key of that name',
      make: ({ raw, algorithm, header: good, claims }) =>
        algorithm === 'HS256' ? null : raw(claims, { ...good, kid: value }),
    }),
  ),
  ...(['ES256', 'RS256', 'EdDSA'] as const).map(
    (other): BadTokenRecipe => ({
      name: `header kid of the ${other} key`,
      requirement: 'K7',
      why: 'that key is of another type',
      make: ({ raw, algorithm, paired, header: good, claims, issuer }) =>
        algorithm === 'HS256' || algorithm === other || !paired.includes(other)
          ? null
          : raw(claims, { ...good, kid: issuer.key(other).kid }),
    }),
  ),
]

function really(algorithm: SigningAlgorithm): BadTokenRecipe {
  return {
    name: `header alg ${algorithm}, rightly signed`,
    requirement: 'T1',
    why: 'the algorithm is not on the list, though the key would fit',
    make: ({ issuer, paired, claims }) =>
      !algorithm.startsWith('HS') && !paired.includes('RS256') ? null : issuer.sign(claims, { algorithm }),
  }
}

const NONE = [
  'none',
  'None',
  'NONE',
  'nOnE',
  'none ',
  ' none',
  'none\u0000',
  '',
  'n\u0585ne',
  null,
  ['none'],
  0,
  undefined,
]

const ALGORITHMS: readonly BadTokenRecipe[] = [
  ...NONE.flatMap((alg): readonly BadTokenRecipe[] =>
    ['', 'AA'].map((signature) => ({
      name: `alg ${JSON.stringify(alg) ?? 'missing'}, ${signature === '' ? 'no signature' : 'any signature'}`,
      requirement: 'T3',
      why: 'an unsigned token proves nothing',
      make: ({ header: good, parts }) => `${encodePart({ ...good, alg })}.${parts[1]}.${signature}`,
    })),
  ),
  {
    name: 'alg none, spelt with an escape',
    requirement: 'T3',
    why: 'an unsigned token proves nothing',
    make: ({ parts }) => `${encodePart('{"alg":"\\u006eone","typ":"JWT"}')}.${parts[1]}.`,
  },
  {
    name: 'alg none, two parts',
    requirement: 'T2',
    why: 'three parts',
    make: ({ parts }) => `${encodePart({ alg: 'none' })}.${parts[1]}`,
  },
  ...(['HS384', 'HS512', 'RS384', 'RS512', 'PS256'] as const).map(really),
  ...[
    'es256',
    'ES384',
    'ES512',
    'ES256K',
    'RS1',
    'Ed448',
    'hs256',
    'A128KW',
    'dir',
    'toString',
    '__proto__',
    ' ES256',
  ].map((alg) => header(`alg ${JSON.stringify(alg)}`, 'the algorithm is not on the list', { alg }, 'T1')),
  header('alg an array', 'an alg is a string', { alg: ['ES256', 'HS256'] }, 'T1'),
  header('alg an object', 'an alg is a string', { alg: { alg: 'ES256' } }, 'T1'),
  {
    name: 'header alg of another key pair',
    requirement: 'T1',
    why: 'the header says an algorithm the signature is not of',
    make: ({ algorithm, header: good, claims, issuer, paired }) =>
      algorithm === 'HS256' || paired.length < 2
        ? null
        : signCompact(
            { ...good, alg: paired.find((other) => other !== algorithm) },
            claims,
            algorithm,
            issuer.key(algorithm).privateKey,
          ),
  },
]

/** Bad header, good signature (or none where the header says so). */
export const BAD_HEADER_TOKENS: readonly BadTokenRecipe[] = [...FORM, ...EXTENSIONS, ...TYPES, ...KIDS, ...ALGORITHMS]
