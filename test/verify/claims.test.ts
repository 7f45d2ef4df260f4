// T4: the claims, each at its limit, and `exp` last of all.
import { describe, expect, it } from 'vitest'
import { checkClaims, readClaim, STANDARD_PLACES, toClaims } from '../../src/verify/claims.ts'

const NOW = 1_800_000_000
const TIMES = { clockToleranceSeconds: 5, maxTokenAgeSeconds: null }
const RULES = { ...TIMES, audience: ['api'], takesBoundTokens: false, places: STANDARD_PLACES }
const GOOD = { sub: 'u1', aud: 'api', exp: NOW + 60, iat: NOW - 60, nbf: NOW - 60 }

function verdict(claims: object, rules: object = {}, now = NOW): string {
  try {
    checkClaims(toClaims({ ...GOOD, ...claims }), { ...RULES, ...rules }, now * 1000)
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
    expect(() => checkClaims(toClaims(claims), RULES, NOW * 1000)).toThrow(
      expect.objectContaining({ code: 'unauthorized' }),
    )
  })

  it('hands on from when to when the claims hold, leeway included', () => {
    const { validFrom, validUntil, expiresAt } = checkClaims(toClaims(GOOD), RULES, NOW * 1000)
    expect([validFrom, validUntil, expiresAt]).toEqual([(NOW - 65) * 1000, (NOW + 65) * 1000, (NOW + 60) * 1000])
    const aged = checkClaims(toClaims(GOOD), { ...RULES, maxTokenAgeSeconds: 90 }, NOW * 1000)
    expect(aged.validUntil).toBe((NOW + 35) * 1000)
  })
})

describe('readClaim', () => {
  const claims = toClaims({
    ...{ tid: 't', 'kubernetes.io': { namespace: 'ns', serviceaccount: { uid: 'u' } }, list: ['a'] },
    ...JSON.parse('{"__proto__": {"own": 1}}'),
  })

  it.each<[string, Parameters<typeof readClaim>[1], unknown]>([
    ['by its name, dots and all', 'kubernetes.io', claims['kubernetes.io']],
    ['by a path', ['kubernetes.io', 'serviceaccount', 'uid'], 'u'],
    ['by a path of one', ['tid'], 't'],
    ['by a path beyond a text', ['tid', 'length'], undefined],
    ['by a path into a list', ['list', '0'], undefined],
    ['by a path to nowhere', ['none', 'none'], undefined],
    ['of a prototype', 'toString', undefined],
    ['of a prototype, by a path', ['kubernetes.io', 'toString'], undefined],
    ['by a function', ({ tid, list }) => [tid, list], ['t', ['a']]],
  ])('%s', (_, place, expected) => {
    expect(readClaim(claims, place)).toEqual(expected)
  })

  it('hands a function claims that it can’t write, without a prototype', () => {
    const seen = readClaim(claims, (all) => all) as object
    expect(Object.isFrozen(seen)).toBe(true)
    expect(Object.getPrototypeOf(seen)).toBeNull()
  })
})

describe('the subject', () => {
  it.each<[string, object, string]>([
    ['where the host says', { oid: 'o1', sub: '' }, 'o1'],
    ['and nowhere else', { sub: 'u1' }, 'token_subject_malformed'],
    ['of the form of any subject', { oid: ' ' }, 'token_subject_malformed'],
  ])('is read %s', (_, claims, expected) => {
    const rules = { ...RULES, places: { ...STANDARD_PLACES, subject: 'oid' } }
    const read = (): string => checkClaims(toClaims({ ...GOOD, ...claims }), rules, NOW * 1000).subject
    if (expected === 'o1') expect(read()).toBe(expected)
    else expect(read).toThrow(expect.objectContaining({ reason: expected }))
  })
})

describe('scopes', () => {
  const MALFORMED = 'token_scopes_malformed'
  const scopesOf = (claims: object, scopes: (typeof STANDARD_PLACES)['scopes'] = 'scope'): unknown => {
    const rules = { ...RULES, places: { ...STANDARD_PLACES, scopes } }
    try {
      return checkClaims(toClaims({ ...GOOD, ...claims }), rules, NOW * 1000).scopes
    } catch (error) {
      return (error as { reason: string }).reason
    }
  }

  it.each<[string, unknown, unknown]>([
    ['absent', undefined, []],
    ['empty text', '', []],
    ['an empty list', [], []],
    ['one', 'read', ['read']],
    ['several', 'read write', ['read', 'write']],
    ['a list', ['read', 'write'], ['read', 'write']],
    ['duplicated', 'read write read', ['read', 'write']],
    ['duplicated in a list', ['read', 'read'], ['read']],
    ['look-alikes, which are others', 'read Read READ read:', ['read', 'Read', 'READ', 'read:']],
    ['URLs', 'https://api.test/read', ['https://api.test/read']],
    ['a name of Object.prototype', '__proto__ constructor', ['__proto__', 'constructor']],
    ['null', null, MALFORMED],
    ['a number', 7, MALFORMED],
    ['true', true, MALFORMED],
    ['an object', { read: true }, MALFORMED],
    ['a list with another type in it', ['read', 7], MALFORMED],
    ['a list in a list', [['read']], MALFORMED],
    ['a list of texts of several', ['read write'], MALFORMED],
    ['a list with an empty one', ['read', ''], MALFORMED],
    ['two spaces', 'read  write', MALFORMED],
    ['a space before', ' read', MALFORMED],
    ['a space after', 'read ', MALFORMED],
    ['a tab', 'read\twrite', MALFORMED],
    ['a line feed', 'read\nwrite', MALFORMED],
    ['a quote', 'read"', MALFORMED],
    ['a backslash', 'read\\', MALFORMED],
    ['letters beyond ASCII', 'r\u0435ad', MALFORMED],
    ['a space that is none', 'read\u00a0write', MALFORMED],
    ['a zero-width space', 'read\u200b', MALFORMED],
  ])('%s', (_, scope, expected) => {
    expect(scopesOf({ scope })).toEqual(expected)
  })

  it('bind nothing unless the host says where they stand, and are not looked at', () => {
    expect(scopesOf({ scope: 7 }, null)).toBeNull()
  })

  it('may lie deep, or be made by a function, under the same rules', () => {
    const roles = { realm_access: { roles: ['a', 'b'] } }
    expect(scopesOf(roles, ['realm_access', 'roles'])).toEqual(['a', 'b'])
    expect(scopesOf(roles, ({ realm_access }) => Object.keys(realm_access as object))).toEqual(['roles'])
    expect(scopesOf(roles, () => ['a b'])).toBe(MALFORMED)
    expect(scopesOf(roles, () => undefined)).toEqual([])
  })

  it('are frozen, and malformed ones are said before expired', () => {
    expect(Object.isFrozen(scopesOf({ scope: 'a' }))).toBe(true)
    expect(scopesOf({ scope: 7, exp: NOW - 600 })).toBe(MALFORMED)
  })
})

describe('who acts', () => {
  const MALFORMED = 'token_actor_malformed'
  const nested = (depth: number): object => ({ sub: `a${depth}`, ...(depth > 1 && { act: nested(depth - 1) }) })
  const actorOf = (claims: object): unknown => {
    try {
      return checkClaims(toClaims({ ...GOOD, ...claims }), RULES, NOW * 1000).actor
    } catch (error) {
      return (error as { reason: string }).reason
    }
  }

  it.each<[string, unknown, unknown]>([
    ['nobody', undefined, null],
    ['an actor', { sub: 'agent', client_id: 'x' }, { subject: 'agent', issuer: null, actor: null }],
    [
      'one of another issuer',
      { sub: 'a', iss: 'https://i.test' },
      { subject: 'a', issuer: 'https://i.test', actor: null },
    ],
    [
      'one for another',
      { sub: 'a', act: { sub: 'b' } },
      { subject: 'a', issuer: null, actor: { subject: 'b', issuer: null, actor: null } },
    ],
    ['null', null, MALFORMED],
    ['a text', 'agent', MALFORMED],
    ['a list', [{ sub: 'agent' }], MALFORMED],
    ['no subject', {}, MALFORMED],
    ['a blank subject', { sub: ' ' }, MALFORMED],
    ['a subject of another type', { sub: 7 }, MALFORMED],
    ['a subject of a prototype', Object.create({ sub: 'agent' }), MALFORMED],
    ['an issuer of another type', { sub: 'a', iss: ['i'] }, MALFORMED],
    ['a malformed one behind', { sub: 'a', act: 'b' }, MALFORMED],
    ['five', nested(5), MALFORMED],
  ])('%s', (_, act, expected) => {
    expect(actorOf({ act })).toEqual(expected)
  })

  it('are four at most, all frozen', () => {
    let actor = actorOf({ act: nested(4) }) as { readonly subject: string; readonly actor: never } | null
    const subjects: string[] = []
    for (; actor !== null; actor = actor.actor) {
      expect(Object.isFrozen(actor)).toBe(true)
      subjects.push(actor.subject)
    }
    expect(subjects).toEqual(['a4', 'a3', 'a2', 'a1'])
  })

  it('is said before expired', () => {
    expect(actorOf({ act: 7, exp: NOW - 600 })).toBe(MALFORMED)
  })
})
