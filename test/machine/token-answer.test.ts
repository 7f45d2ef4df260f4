// The judgement of token answers, by tables: it is pure, so nothing here has a socket.
import { describe, expect, it } from 'vitest'
import { parseJsonObject } from '../../src/lib/json-exchange.ts'
import { decideTokenAnswer } from '../../src/machine/grants.ts'

const NOW = Date.UTC(2026, 0, 1)
const GOOD = { access_token: 'abc.def-._~+/=', token_type: 'bearer', expires_in: 3600, refresh_token: 'r1' }

function decide(status: number, body: unknown, retryAfter: string | null = null) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return decideTokenAnswer({ status, retryAfter, body: parseJsonObject(new TextEncoder().encode(text)) }, NOW)
}

function reasonOf(status: number, body: unknown): string {
  const verdict = decide(status, body)
  return verdict.kind === 'granted' ? 'granted' : `${verdict.failure.code} ${verdict.failure.reason}`
}

function jwt(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`
}

describe('a good answer', () => {
  it('is a token, its life and the next refresh token', () => {
    const { access_token: token } = GOOD
    const granted = { kind: 'granted', token, expiresInSeconds: 3600, refreshToken: 'r1' }
    expect(decide(200, GOOD)).toEqual(granted)
    expect(decide(201, { ...GOOD, token_type: 'Bearer' })).toEqual(granted)
    for (const refresh_token of [undefined, null, '', 7]) {
      expect(decide(200, { ...GOOD, refresh_token })).toEqual({ ...granted, refreshToken: null })
    }
  })

  it.each([
    ['expires_in, whatever the token says', { expires_in: 60, access_token: jwt({ iat: 0, exp: 10 ** 9 }) }, 60],
    ['expires_in as a text of digits', { expires_in: '60' }, 60],
    [
      'from iat to exp, by the clock of the issuer alone',
      { expires_in: null, access_token: jwt({ iat: 5, exp: 65 }) },
      60,
    ],
    ['until exp, without iat', { expires_in: undefined, access_token: jwt({ exp: NOW / 1000 + 90 }) }, 90],
    ['five minutes for a token that says nothing', { expires_in: undefined }, 300],
    ['five minutes for a token that is no JWT', { expires_in: undefined, access_token: 'a.b.c' }, 300],
    ['ten years at most', { expires_in: 1e300 }, 315_360_000],
  ])('lives %s', (_what, members, expected) => {
    expect(decide(200, { ...GOOD, ...members })).toMatchObject({ expiresInSeconds: expected })
  })
})

describe('no good answer', () => {
  it.each([
    [200, '', 'token_unavailable not_json'],
    [200, '<!doctype html>', 'token_unavailable not_json'],
    [200, 'null', 'token_unavailable not_json'],
    [200, [GOOD], 'token_unavailable not_json'],
    [200, {}, 'token_unavailable no_access_token'],
    [200, '{"__proto__":{"access_token":"x","token_type":"bearer"}}', 'token_unavailable no_access_token'],
    [200, { ...GOOD, access_token: '' }, 'token_unavailable no_access_token'],
    [200, { ...GOOD, access_token: 7 }, 'token_unavailable no_access_token'],
    [200, { ...GOOD, access_token: 'a b' }, 'token_unavailable no_access_token'],
    [200, { ...GOOD, access_token: 'a\r\nX-Evil: 1' }, 'token_unavailable no_access_token'],
    [200, { ...GOOD, access_token: 'a\n' }, 'token_unavailable no_access_token'],
    [200, { ...GOOD, access_token: 'a'.repeat(16_385) }, 'token_unavailable no_access_token'],
    [200, { ...GOOD, token_type: 'DPoP' }, 'token_unavailable not_a_bearer_token'],
    [200, { ...GOOD, token_type: undefined }, 'token_unavailable not_a_bearer_token'],
    [200, { ...GOOD, expires_in: 0 }, 'token_unavailable bad_lifetime'],
    [200, { ...GOOD, expires_in: -1 }, 'token_unavailable bad_lifetime'],
    [200, { ...GOOD, expires_in: 'soon' }, 'token_unavailable bad_lifetime'],
    [200, { ...GOOD, expires_in: {} }, 'token_unavailable bad_lifetime'],
    [200, { ...GOOD, expires_in: undefined, access_token: jwt({ iat: 5, exp: 5 }) }, 'token_unavailable bad_lifetime'],
    [204, '', 'token_unavailable status'],
    [302, GOOD, 'token_unavailable redirect'],
    [307, GOOD, 'token_unavailable redirect'],
    [404, GOOD, 'token_unavailable status'],
    [408, GOOD, 'token_unavailable status'],
    [429, GOOD, 'token_unavailable rate_limited'],
    [500, { error: 'invalid_client' }, 'token_unavailable status'],
    [503, GOOD, 'token_unavailable status'],
    [400, { error: 'temporarily_unavailable' }, 'token_unavailable temporarily_unavailable'],
    [400, { error: 'invalid_grant', error_description: 'no' }, 'token_refused invalid_grant'],
    [401, { error: 'invalid_client' }, 'token_refused invalid_client'],
    [400, { code: 400, error_code: 'invalid_credentials', msg: 'no' }, 'token_refused invalid_credentials'],
    [400, { code: 'refresh_token_already_used', message: 'no' }, 'token_refused refresh_token_already_used'],
    [403, { code: 'user_banned' }, 'token_refused user_banned'],
    [400, { error: 'the_password_you_sent' }, 'token_refused refused'],
    [403, { error: 'mfa_required', message: 'no' }, 'token_refused refused'],
    [403, { error: 'Forbidden', error_code: 'user_banned' }, 'token_refused user_banned'],
    // No word on the account: whatever stands in front of the issuer said this.
    [400, { error: { toString: 'invalid_grant' } }, 'token_unavailable status'],
    [400, '', 'token_unavailable status'],
    [401, 'go away', 'token_unavailable status'],
    [401, { message: 'Invalid authentication credentials' }, 'token_unavailable status'],
    [401, { code: 401, msg: 'no' }, 'token_unavailable status'],
    [403, '<html><h1>403 Forbidden: invalid_grant</h1></html>', 'token_unavailable status'],
    [403, { error: 'Forbidden', message: 'invalid_grant' }, 'token_unavailable status'],
    [403, ['invalid_grant'], 'token_unavailable status'],
  ])('%i %j is %s', (status, body, expected) => {
    expect(reasonOf(status, body)).toBe(expected)
  })

  it('is one that is too large or no UTF-8', () => {
    expect(decideTokenAnswer({ status: 200, retryAfter: null, body: 'too_large' }, NOW)).toMatchObject({
      failure: { reason: 'too_large' },
    })
    const bytes = new Uint8Array([...new TextEncoder().encode(JSON.stringify(GOOD).slice(0, -1)), 0xff, 0x7d])
    expect(decideTokenAnswer({ status: 200, retryAfter: null, body: parseJsonObject(bytes) }, NOW)).toMatchObject({
      failure: { reason: 'not_json' },
    })
  })
})

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    [' 17 ', 17],
    ['\t17\t', 17],
    ['\u00a017', null],
    ['\v17', null],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['-1', null],
    ['1.5', null],
    ['soon', null],
    ['2026-01-01', null],
    ['', null],
  ])('%j is %j', (text, expected) => {
    expect(decide(503, '', text)).toMatchObject({ failure: { retryAfterSeconds: expected } })
  })
})
