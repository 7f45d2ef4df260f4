// T2, T3, T5: the form of a token, one spoilt part at a time. What is wrong is named by the reason.
import { describe, expect, it } from 'vitest'
import { mayBeKnown, requireTokenForm, requireTokenType, toTokenType } from '../../src/verify/token-form.ts'

const TYPES = new Set(['jwt', 'at+jwt'])
const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const HEADER = encode({ alg: 'ES256', kid: 'k' })
const PAYLOAD = encode({ sub: 'u' })
const SIGNATURE = Buffer.alloc(64, 7).toString('base64url')

function verdict(token: string): string {
  try {
    requireTokenType(requireTokenForm(token, 8192), TYPES)
    return 'ok'
  } catch (error) {
    const { code, reason } = error as { code: string; reason: string }
    return code === 'unauthorized' ? reason : code
  }
}
const withHeader = (header: unknown): string => `${encode(header)}.${PAYLOAD}.${SIGNATURE}`
const withPayload = (payload: string | Buffer): string =>
  `${HEADER}.${Buffer.from(payload).toString('base64url')}.${SIGNATURE}`

it.each([
  [{ alg: 'ES256' }, true],
  ['{ "alg": "ES256" }', true],
  [' {"alg":"ES256"}', false],
  ['["alg"]', false],
])('%j is a header that a known token may have: %s', (header, isOne) => {
  const token = `${encode(header)}.${PAYLOAD}.${SIGNATURE}`
  expect([mayBeKnown(token, token.length), mayBeKnown(token.slice(0, -SIGNATURE.length), token.length)]).toEqual([
    isOne,
    false,
  ])
})

describe('parts', () => {
  it.each<[string, string, string]>([
    ['three', `${HEADER}.${PAYLOAD}.${SIGNATURE}`, 'ok'],
    ['none', '', 'token_not_a_jwt'],
    ['one, as an opaque token has', 'b3BhcXVl', 'token_not_a_jwt'],
    ['two', `${HEADER}.${PAYLOAD}`, 'token_part_count'],
    ['four', `${HEADER}.${PAYLOAD}.${SIGNATURE}.`, 'token_part_count'],
    ['five', 'a.b.c.d.e', 'token_part_count'],
    ['no header', `.${PAYLOAD}.${SIGNATURE}`, 'token_part_count'],
    ['no payload', `${HEADER}..${SIGNATURE}`, 'token_part_count'],
    ['no signature', `${HEADER}.${PAYLOAD}.`, 'token_part_count'],
    ['only dots', '..', 'token_part_count'],
    ['a padded header', `${HEADER}=.${PAYLOAD}.${SIGNATURE}`, 'token_part_encoding'],
    ['a padded signature', `${HEADER}.${PAYLOAD}.${SIGNATURE}==`, 'token_part_encoding'],
    ['stray bits', `${HEADER}.${PAYLOAD}.${SIGNATURE.slice(0, -1)}x`, 'token_part_encoding'],
    ['a plus', `${HEADER}.${PAYLOAD}.+${SIGNATURE.slice(1)}`, 'token_part_encoding'],
    ['white space inside', `${HEADER}.${PAYLOAD.slice(0, 4)} ${PAYLOAD.slice(4)}.${SIGNATURE}`, 'token_part_encoding'],
    ['a trailing line feed', `${HEADER}.${PAYLOAD}.${SIGNATURE}\n`, 'token_part_encoding'],
    ['a letter too many', `${HEADER}.${PAYLOAD}.${SIGNATURE}AAA`, 'token_part_encoding'],
    ['a full-width letter', `${HEADER}.${PAYLOAD}.${SIGNATURE.slice(1)}\uff21`, 'token_part_encoding'],
    ['over the size', `${HEADER}.${PAYLOAD}.${'A'.repeat(8192)}`, 'token_oversize'],
  ])('%s', (_, token, expected) => {
    expect(verdict(token)).toBe(expected)
  })
})

describe('header', () => {
  it.each<[unknown, string]>([
    [{ alg: 'ES256' }, 'ok'],
    [{ alg: 'Ed25519' }, 'ok'],
    [{ alg: 'none' }, 'token_algorithm_unknown'],
    [{ alg: 'None' }, 'token_algorithm_unknown'],
    [{ alg: 'es256' }, 'token_algorithm_unknown'],
    [{ alg: 'ES256K' }, 'token_algorithm_unknown'],
    [{ alg: ['ES256'] }, 'token_algorithm_unknown'],
    [{ alg: null }, 'token_algorithm_unknown'],
    [{}, 'token_algorithm_unknown'],
    ['{"__proto__":{"alg":"ES256"}}', 'token_algorithm_unknown'],
    [{ alg: 'ES256', crit: [] }, 'token_header_extension'],
    [{ alg: 'ES256', crit: ['exp'] }, 'token_header_extension'],
    [{ alg: 'ES256', crit: null }, 'token_header_extension'],
    [{ alg: 'ES256', b64: true }, 'token_header_extension'],
    [{ alg: 'ES256', b64: false }, 'token_header_extension'],
    [{ alg: 'ES256', zip: 'DEF' }, 'token_header_extension'],
    [{ alg: 'ES256', kid: 'x'.repeat(256) }, 'ok'],
    [{ alg: 'ES256', kid: 'x'.repeat(257) }, 'token_kid_malformed'],
    [{ alg: 'ES256', kid: 1 }, 'token_kid_malformed'],
    [{ alg: 'ES256', kid: null }, 'token_kid_malformed'],
    [{ alg: 'ES256', typ: 'JWT' }, 'ok'],
    [{ alg: 'ES256', typ: 'application/AT+JWT' }, 'ok'],
    [{ alg: 'ES256', typ: 'session+jwt' }, 'token_type_refused'],
    [{ alg: 'ES256', typ: 'application/application/jwt' }, 'token_type_refused'],
    [{ alg: 'ES256', typ: '' }, 'token_type_refused'],
    [{ alg: 'ES256', typ: null }, 'token_type_malformed'],
    [{ alg: 'ES256', typ: ['JWT'] }, 'token_type_malformed'],
    [{ alg: 'ES256', jwk: {}, jku: 'https://evil.test', x5u: 'https://evil.test', x5c: ['AAAA'] }, 'ok'],
    [[], 'token_header_not_object'],
    ['null', 'token_header_not_object'],
    ['"ES256"', 'token_header_not_object'],
    ['{"alg":"ES256"} x', 'token_header_not_object'],
    ['\ufeff{"alg":"ES256"}', 'token_header_not_object'],
  ])('%j', (header, expected) => {
    expect(verdict(withHeader(header))).toBe(expected)
  })

  it('with a member twice: the last one counts (T5)', () => {
    expect(verdict(withHeader('{"alg":"none","alg":"ES256"}'))).toBe('ok')
    expect(verdict(withHeader('{"alg":"ES256","alg":"none"}'))).toBe('token_algorithm_unknown')
  })

  it('reads nothing from a polluted prototype (V1)', () => {
    const polluted = { alg: 'HS256', crit: ['x'] }
    Object.assign(Object.prototype, polluted)
    try {
      expect(verdict(withHeader({}))).toBe('token_algorithm_unknown')
      expect(verdict(withHeader({ alg: 'ES256' }))).toBe('ok')
    } finally {
      for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name)
    }
  })
})

describe('payload', () => {
  it.each<[string, string | Buffer, string]>([
    ['an object', '{"sub":"u"}', 'ok'],
    ['an object in other letters', '{"sub":"Zoë 😀"}', 'ok'],
    ['an object with white space', ' {\n"sub":\t"u" }\r\n', 'ok'],
    ['an array', '[{"sub":"u"}]', 'token_payload_not_object'],
    ['null', 'null', 'token_payload_not_object'],
    ['a string', '"u"', 'token_payload_not_object'],
    ['cut short', '{"sub":"u"', 'token_payload_not_object'],
    ['a byte order mark', '\ufeff{"sub":"u"}', 'token_payload_not_object'],
    ['broken UTF-8', Buffer.from('{"sub":"u\xff"}', 'latin1'), 'token_payload_not_object'],
    ['overlong UTF-8', Buffer.from('{"sub":"\xc0\xaf"}', 'latin1'), 'token_payload_not_object'],
    ['UTF-16', Buffer.from('{"sub":"u"}', 'utf16le'), 'token_payload_not_object'],
    ['a raw control character', '{"sub":"u\u0001"}', 'token_payload_not_object'],
  ])('%s', (_, payload, expected) => {
    expect(verdict(withPayload(payload))).toBe(expected)
  })

  it('is judged after the header, so that what a token asks for is known before its claims are parsed', () => {
    expect(verdict(`${encode({ alg: 'none' })}.${encode('no json')}.${SIGNATURE}`)).toBe('token_algorithm_unknown')
  })
})

it('brings media types to one form', () => {
  expect(['JWT', 'application/jwt', 'Application/AT+JWT'].map(toTokenType)).toEqual(['jwt', 'jwt', 'at+jwt'])
})
