// T4: the claims, each at its limit, and `exp` last of all.
import { describe, expect, it } from 'vitest'
import { checkClaims } from '../../src/verify/claims.ts'

const NOW = 1_800_000_000
const RULES = { audience: ['api'], clockToleranceSeconds: 5, maxTokenAgeSeconds: null, takesBoundTokens: false }
const GOOD = { sub: 'u1', aud: 'api', exp: NOW + 60, iat: NOW - 60, nbf: NOW - 60 }

function verdict(claims: object, rules: object = {}, now = NOW): string {
  try {
    checkClaims({ ...GOOD, ...claims }, { ...RULES, ...rules }, now * 1000)
    return 'ok'
  } catch (error) {
    const { code, reason } = error as { code: string; reason: string }
    return code === 'unauthorized' ? reason : code
  }
}

describe('checkClaims', () => {
  it.each<[string, object, string]>([
    ['good', {}, 'ok'],
    ['exp within the leeway', { exp: NOW - 4.999 }, 'ok'],
    ['exp at the leeway', { exp: NOW - 5 }, 'token_expired'],
    ['exp 0', { exp: 0 }, 'token_expired'],
    ['exp negative', { exp: -1 }, 'token_expired'],
    ['exp missing', { exp: undefined }, 'token_without_expiry'],
    ['exp null', { exp: null }, 'token_time_malformed'],
    ['exp a string', { exp: String(NOW + 60) }, 'token_time_malformed'],
    ['exp tomorrow', { exp: 'tomorrow' }, 'token_time_malformed'],
    ['exp 1e999', { exp: Number.POSITIVE_INFINITY }, 'token_time_malformed'],
    ['exp NaN', { exp: Number.NaN }, 'token_time_malformed'],
    ['exp 2^63', { exp: 2 ** 63 }, 'token_time_malformed'],
    ['exp the last instant of a Date', { exp: 8.64e12 }, 'ok'],
    ['exp beyond a Date', { exp: 8.64e12 + 1 }, 'token_time_malformed'],
    ['exp in an array', { exp: [NOW + 60] }, 'token_time_malformed'],
    ['nbf at the leeway', { nbf: NOW + 5 }, 'ok'],
    ['nbf beyond the leeway', { nbf: NOW + 5.001 }, 'token_not_yet_valid'],
    ['nbf a string', { nbf: '0' }, 'token_time_malformed'],
    ['nbf missing', { nbf: undefined }, 'ok'],
    ['iat at the leeway', { iat: NOW + 5 }, 'ok'],
    ['iat beyond the leeway', { iat: NOW + 6 }, 'token_issued_in_future'],
    ['iat a boolean', { iat: true }, 'token_time_malformed'],
    ['iat missing', { iat: undefined }, 'ok'],
    ['aud among others', { aud: ['x', 'api'] }, 'ok'],
    ['aud another', { aud: 'API' }, 'token_audience_other'],
    ['aud a longer one', { aud: 'api2' }, 'token_audience_other'],
    ['aud missing', { aud: undefined }, 'token_audience_missing'],
    ['aud empty', { aud: [] }, 'token_audience_missing'],
    ['aud null', { aud: null }, 'token_audience_malformed'],
    ['aud a number', { aud: 1 }, 'token_audience_malformed'],
    ['aud an object', { aud: { api: true } }, 'token_audience_malformed'],
    ['aud with a number among them', { aud: ['api', 1] }, 'token_audience_malformed'],
    ['aud nested', { aud: [['api']] }, 'token_audience_malformed'],
    ['sub missing', { sub: undefined }, 'token_subject_malformed'],
    ['sub empty', { sub: '' }, 'token_subject_malformed'],
    ['sub blank', { sub: ' \u00a0' }, 'token_subject_malformed'],
    ['sub a number', { sub: 7 }, 'token_subject_malformed'],
    ['sub an array', { sub: ['u1'] }, 'token_subject_malformed'],
    ['sub of 255', { sub: 'x'.repeat(255) }, 'ok'],
    ['sub of 256', { sub: 'x'.repeat(256) }, 'token_subject_malformed'],
    ['sub with NUL', { sub: 'u\u0000' }, 'token_subject_malformed'],
    ['sub with a line feed', { sub: 'u\n' }, 'token_subject_malformed'],
    ['sub with DEL', { sub: 'u\u007f' }, 'token_subject_malformed'],
    ['sub with C1', { sub: 'u\u0085' }, 'token_subject_malformed'],
    ['sub with half a pair', { sub: 'u\ud800' }, 'token_subject_malformed'],
    ['sub with a whole pair', { sub: 'auth0|é😀' }, 'ok'],
  ])('%s', (_, claims, expected) => {
    expect(verdict(claims)).toBe(expected)
  })

  it.each<[string, object, string]>([
    ['sub', { sub: '' }, 'token_subject_malformed'],
    ['aud', { aud: 'x' }, 'token_audience_other'],
    ['nbf', { nbf: NOW + 60 }, 'token_not_yet_valid'],
    ['iat', { iat: NOW + 60 }, 'token_issued_in_future'],
    ['nbf of another type', { nbf: 'x' }, 'token_time_malformed'],
  ])('says expired only when %s is right', (_, claims, expected) => {
    expect(verdict({ exp: NOW - 60, ...claims })).toBe(expected)
    expect(verdict({ exp: NOW - 60 })).toBe('token_expired')
  })

  it('bounds the age by iat, and wants iat then', () => {
    const rules = { maxTokenAgeSeconds: 120 }
    expect(verdict({ iat: NOW - 124 }, rules)).toBe('ok')
    expect(verdict({ iat: NOW - 125 }, rules)).toBe('token_too_old')
    expect(verdict({ iat: undefined }, rules)).toBe('token_too_old')
    expect(verdict({ iat: NOW - 125, exp: NOW - 60 }, rules)).toBe('token_too_old')
  })

  it('checks no audience where the host wrote null, but its form all the same', () => {
    expect(verdict({ aud: undefined }, { audience: null })).toBe('ok')
    expect(verdict({ aud: 'whatever' }, { audience: null })).toBe('ok')
    expect(verdict({ aud: null }, { audience: null })).toBe('token_audience_malformed')
  })

  it('refuses a token that is bound to a key, unless that is allowed, before it says expired', () => {
    const cnf = { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' }
    expect(verdict({ cnf })).toBe('token_bound_to_key')
    expect(verdict({ cnf: null })).toBe('token_bound_to_key')
    expect(verdict({ cnf, exp: NOW - 600 })).toBe('token_bound_to_key')
    expect(verdict({ cnf }, { takesBoundTokens: true })).toBe('ok')
  })

  it('takes no claim from a prototype (V1)', () => {
    const claims = Object.create({ sub: 'admin', aud: 'api', exp: NOW + 60 }) as object
    expect(() => checkClaims(claims, RULES, NOW * 1000)).toThrow(expect.objectContaining({ code: 'unauthorized' }))
  })

  it('hands on from when to when the claims hold, leeway included', () => {
    const { validFrom, validUntil, expiresAt } = checkClaims(GOOD, RULES, NOW * 1000)
    expect([validFrom, validUntil, expiresAt]).toEqual([(NOW - 65) * 1000, (NOW + 65) * 1000, (NOW + 60) * 1000])
    const aged = checkClaims(GOOD, { ...RULES, maxTokenAgeSeconds: 90 }, NOW * 1000)
    expect(aged.validUntil).toBe((NOW + 35) * 1000)
  })
})
