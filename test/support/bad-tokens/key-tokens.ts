/**
 * Tokens signed by a key the issuer never signs by: a stranger's, one the token brings along, the public key used as an
 * HMAC secret, an empty or guessable secret.
 */
import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import type { IssuerKey, KeyAlgorithm, TokenClaims } from '../../../src/testing/token-issuer.ts'
import type { BadTokenRecipe, Bench } from './bench.ts'

/**
 * Every form in which a published key could be mistaken for a secret. Not here because HMAC makes them the same key:
 * the thumbprint's bytes (a key over 64 bytes is hashed first), any number of NUL bytes (a short key is filled up).
 */
const ENCODINGS: Readonly<Record<string, (key: IssuerKey, bench: Bench) => string | Buffer | null>> = {
  'SPKI PEM': (key) => pem(key),
  'SPKI PEM without the last line feed': (key) => pem(key).trimEnd(),
  'SPKI PEM with CR LF': (key) => pem(key).replaceAll('\n', '\r\n'),
  'SPKI PEM on one line': (key) => pem(key).replaceAll('\n', ''),
  'SPKI PEM behind a space': (key) => ` ${pem(key)}`,
  'SPKI PEM behind a BOM': (key) => `\ufeff${pem(key)}`,
  'the body of the PEM': (key) => pem(key).split('\n').slice(1, -2).join('\n'),
  'SPKI DER': (key) => der(key),
  'SPKI DER in base64': (key) => (key.algorithm === 'EdDSA' ? null : der(key).toString('base64')),
  'SPKI DER in base64url': (key) => der(key).toString('base64url'),
  'SPKI DER in hex': (key) => der(key).toString('hex'),
  'PKCS #1 PEM': (key) =>
    key.algorithm === 'RS256' ? key.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString() : null,
  'PKCS #1 DER': (key) => (key.algorithm === 'RS256' ? key.publicKey.export({ type: 'pkcs1', format: 'der' }) : null),
  'JWK JSON': (key) => JSON.stringify(key.publicJwk),
  'JWK JSON, indented': (key) => JSON.stringify(key.publicJwk, null, 2),
  'JWK JSON, required members': (key) => JSON.stringify(required(key)),
  'JWK Set JSON': (_, { issuer }) => JSON.stringify(issuer.jwks()),
  'JWK Set JSON, indented': (_, { issuer }) => JSON.stringify(issuer.jwks(), null, 2),
  'its JWK Set alone': (key) => JSON.stringify({ keys: [key.publicJwk] }),
  'the raw key': (key) => raw(key),
  'the raw key in base64url': (key) => raw(key).toString('base64url'),
  'its x as text': (key) => (key.algorithm === 'ES256' ? (key.publicJwk.x ?? null) : null),
  'its thumbprint in base64url': (key) =>
    createHash('sha256')
      .update(JSON.stringify(required(key)))
      .digest('base64url'),
  'its kid': (key) => key.kid,
}

function pem({ publicKey }: IssuerKey): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

function der({ publicKey }: IssuerKey): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' })
}

// RFC 7638: the required members in lexicographic order.
function required({ publicJwk }: IssuerKey): object {
  const { crv, e, kty, n, x, y } = publicJwk
  return { crv, e, kty, n, x, y }
}

// The uncompressed point, the 32 bytes of Ed25519, or the modulus.
function raw({ publicJwk: { x, y, n } }: IssuerKey): Buffer {
  const bytes = (text = ''): Buffer => Buffer.from(text, 'base64url')
  if (n !== undefined) return bytes(n)
  return y === undefined ? bytes(x) : Buffer.concat([Buffer.from([4]), bytes(x), bytes(y)])
}

function confusion(algorithm: KeyAlgorithm, encoding: string): BadTokenRecipe {
  return {
    name: `HS256 by the ${algorithm} key as ${encoding}`,
    requirement: 'T1',
    why: 'a public key is no secret (RFC 8725 §2.1)',
    make: (bench) => {
      const key = bench.paired.includes(algorithm) ? bench.issuer.key(algorithm) : null
      const secret = key === null ? null : (ENCODINGS[encoding]?.(key, bench) ?? null)
      return key === null || secret === null
        ? null
        : bench.forge({ alg: 'HS256', typ: 'JWT', kid: key.kid }, 'HS256', Buffer.from(secret))
    },
  }
}

function guess(name: string, secretOf: (bench: Bench) => string | Buffer, header: TokenClaims = {}): BadTokenRecipe {
  return {
    name: `HS256 by ${name}`,
    requirement: 'T6',
    why: 'it is not the secret',
    make: (bench) => {
      const secret = Buffer.from(secretOf(bench))
      const same = secret.equals(Buffer.from(bench.issuer.secret))
      return same ? null : bench.forge({ alg: 'HS256', typ: 'JWT', ...header }, 'HS256', createSecretKey(secret))
    },
  }
}

const GUESSES: readonly BadTokenRecipe[] = [
  guess('another secret', () => randomBytes(48)),
  guess('the empty secret', () => ''),
  guess('the empty secret, kid a path', () => '', { kid: '../../../../dev/null' }),
  guess('the empty secret, kid an injection', () => '', { kid: "x' UNION SELECT '' --" }),
  guess('the empty secret, kid __proto__', () => '', { kid: '__proto__' }),
  ...['undefined', 'null', '[object Object]', 'secret', 'changeme', 'your-256-bit-secret'].map((word) =>
    guess(`the word ${word}`, () => word),
  ),
  guess('the word undefined, kid undefined', () => 'undefined', { kid: 'undefined' }),
  guess('the sample secret of a local Supabase', () => 'super-secret-jwt-token-with-at-least-32-characters-long'),
  guess('the issuer as secret', ({ issuer }) => issuer.issuer),
  guess('the audience as secret', ({ issuer }) => issuer.audience),
  guess('the base64 decoding of the secret', ({ issuer }) => Buffer.from(issuer.secret, 'base64')),
  guess('the hex encoding of the secret', ({ issuer }) => Buffer.from(issuer.secret).toString('hex')),
  guess('the secret with a line feed', ({ issuer }) => `${issuer.secret}\n`),
  guess('the secret in part', ({ issuer }) => issuer.secret.slice(0, -1)),
]

function brought(name: string, headerOf: (bench: Bench) => TokenClaims): BadTokenRecipe {
  return {
    name: `a stranger's key ${name}`,
    requirement: 'T3',
    why: 'the token says itself which key to trust',
    make: (bench) => {
      const { attacker } = bench
      const header = { alg: attacker.algorithm, typ: 'JWT', ...headerOf(bench) }
      return bench.forge(header, attacker.algorithm, attacker.privateKey)
    },
  }
}

const STRANGERS: readonly BadTokenRecipe[] = [
  brought('under the kid of the real one', ({ header: { kid } }) => ({ kid })),
  brought('under its own kid', ({ attacker: { kid } }) => ({ kid })),
  brought('without kid', () => ({})),
  brought('in jwk', ({ attacker }) => ({ jwk: attacker.publicJwk })),
  brought('in jwk, under the kid of the real one', ({ attacker, header: { kid } }) => ({
    jwk: attacker.publicJwk,
    kid,
  })),
  brought('in jku', ({ attacker, attackerUrl }) => ({ jku: attackerUrl, kid: attacker.kid })),
  brought('in jku, under the kid of the real one', ({ attackerUrl, header: { kid } }) => ({ jku: attackerUrl, kid })),
  brought('in x5u', ({ attackerUrl }) => ({ x5u: attackerUrl })),
  brought('in x5c', ({ attacker }) => ({ x5c: [der(attacker).toString('base64')] })),
  brought('as kid, an address', ({ attackerUrl }) => ({ kid: attackerUrl })),
  {
    name: 'a symmetric key in jwk',
    requirement: 'T3',
    why: 'the token says itself which key to trust',
    make: ({ forge }) => {
      const secret = randomBytes(32)
      const jwk = { kty: 'oct', alg: 'HS256', k: secret.toString('base64url') }
      return forge({ alg: 'HS256', typ: 'JWT', jwk }, 'HS256', secret)
    },
  },
]

/** Signed by the wrong key. */
export const BAD_KEY_TOKENS: readonly BadTokenRecipe[] = [
  ...(['ES256', 'RS256', 'EdDSA'] as const).flatMap((algorithm) =>
    Object.keys(ENCODINGS).map((encoding) => confusion(algorithm, encoding)),
  ),
  ...GUESSES,
  ...STRANGERS,
]
