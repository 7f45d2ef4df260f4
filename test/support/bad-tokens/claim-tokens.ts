/**
 * Tokens whose signature is good and one of whose claims is not.
 */

import type { TokenClaims, TokenIssuer } from '../../../src/testing/token-issuer.ts'
import type { BadTokenRecipe } from './bench.ts'

const HOUR = 3600

type ClaimsOf = (now: number, issuer: TokenIssuer) => TokenClaims

function claims(name: string, why: string, of: ClaimsOf, code?: 'token_expired'): BadTokenRecipe {
  const make: BadTokenRecipe['make'] = ({ sign, now, issuer }) => sign(of(now, issuer))
  return { name, requirement: 'T4', why, make, ...(code !== undefined && { code }) }
}

// A number JSON.stringify can't write.
function literal(claim: string, text: string, why: string): BadTokenRecipe {
  return {
    name: `${claim} ${text}`,
    requirement: 'T4',
    why,
    make: ({ raw, claims: good }) => raw(JSON.stringify({ ...good, [claim]: '@' }).replace('"@"', text)),
  }
}

function each<V>(
  values: readonly (readonly [label: string, value: V])[],
  to: (label: string, value: V) => BadTokenRecipe,
) {
  return values.map(([label, value]) => to(label, value))
}

const TIMES: readonly BadTokenRecipe[] = [
  claims('expired', 'it ended an hour ago', (now) => ({ iat: now - 2 * HOUR, exp: now - HOUR }), 'token_expired'),
  claims('expired in 1970', 'exp 0 is a time like any other', () => ({ exp: 0 }), 'token_expired'),
  claims('expired and for another audience', 'exp is judged last: expired is only said of a good token', (now) => ({
    exp: now - HOUR,
    aud: 'somebody-else',
  })),
  claims('expired and without sub', 'exp is judged last', (now) => ({ exp: now - HOUR, sub: undefined })),
  claims('expired and from another issuer', 'exp is judged last', (now) => ({
    exp: now - HOUR,
    iss: 'https://evil.test',
  })),
  claims('not yet valid', 'nbf lies an hour ahead', (now) => ({ nbf: now + HOUR, exp: now + 2 * HOUR })),
  claims('issued in the future', 'iat lies an hour ahead', (now) => ({ iat: now + HOUR, exp: now + 2 * HOUR })),
  claims('exp missing', 'it would never end', () => ({ exp: undefined })),
  ...['exp', 'nbf', 'iat'].flatMap((claim) => [
    ...each<unknown>(
      [
        ['a word', 'tomorrow'],
        ['null', null],
        ['true', true],
        ['an array', [1]],
        ['an object', {}],
      ],
      (label, value) => claims(`${claim} ${label}`, 'a time is a number', () => ({ [claim]: value })),
    ),
    claims(`${claim} a numeric string`, 'a time is a number', (now) => ({
      [claim]: String(claim === 'exp' ? now + HOUR : now - HOUR),
    })),
    literal(claim, '1e999', 'a time is finite'),
  ]),
  literal('exp', '-1e999', 'a time is finite'),
  literal('exp', '9223372036854775808', 'beyond every date there is: it would never end'),
]

const PARTIES: readonly BadTokenRecipe[] = [
  ...each<(iss: string) => unknown>(
    [
      ['missing', () => undefined],
      ['empty', () => ''],
      ['null', () => null],
      ['of somebody else', () => 'https://evil.test/auth/v1'],
      ['with a slash appended', (iss) => `${iss}/`],
      ['in upper case', (iss) => iss.toUpperCase()],
      ['cut short', (iss) => iss.slice(0, -1)],
      ['with a suffix', (iss) => `${iss}.evil.test`],
      ['with a space before', (iss) => ` ${iss}`],
      ['an array with ours', (iss) => [iss, 'https://evil.test']],
      ['an array of ours alone', (iss) => [iss]],
      ['an object', (iss) => ({ iss })],
    ],
    (label, of) =>
      claims(`iss ${label}`, 'the issuer is one string, compared exactly', (_, { issuer }) => ({ iss: of(issuer) })),
  ),
  ...each<(aud: string) => unknown>(
    [
      ['missing', () => undefined],
      ['empty', () => ''],
      ['null', () => null],
      ['of somebody else', () => 'somebody-else'],
      ['in upper case', (aud) => aud.toUpperCase()],
      ['cut short', (aud) => aud.slice(0, -1)],
      ['with a suffix', (aud) => `${aud}-admin`],
      ['two in one string', (aud) => `${aud} other`],
      ['an empty array', () => []],
      ['an array of others', (aud) => ['other', `${aud}2`]],
      ['a nested array', (aud) => [[aud]]],
      ['an object', (aud) => ({ [aud]: true })],
      ['a number', () => 1],
    ],
    (label, of) => claims(`aud ${label}`, 'an audience is ours exactly', (_, { audience }) => ({ aud: of(audience) })),
  ),
]

const SUBJECTS: readonly BadTokenRecipe[] = each<unknown>(
  [
    ['missing', undefined],
    ['empty', ''],
    ['blank', '   '],
    ['blank beyond ASCII', '\u3000\u00a0'],
    ['null', null],
    ['a number', 42],
    ['true', true],
    ['an array', ['u1']],
    ['an object', { id: 'u1' }],
    ['256 characters', 'u'.repeat(256)],
    ['with NUL', 'u1\u0000admin'],
    ['with a line feed', 'u1\nadmin'],
    ['with CR LF', 'u1\r\nX-Role: admin'],
    ['with DEL', 'u1\u007f'],
    ['with a C1 control', 'u1\u0085'],
    ['with a lone surrogate', 'u1\ud800'],
  ],
  (label, sub) => claims(`sub ${label}`, 'a subject is a well-formed string, 1 to 255, visible', () => ({ sub })),
)

/** Good signature, bad claim. */
export const BAD_CLAIM_TOKENS: readonly BadTokenRecipe[] = [...TIMES, ...PARTIES, ...SUBJECTS]
