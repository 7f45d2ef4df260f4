import { describe, expect, it } from 'vitest'
import { createExtractor } from '../../src/credentials/extractor.ts'
import { type FakeRequestOptions, fakeRequest } from '../pipeline/fake-request.ts'
import { reasonOf } from '../pipeline/world.ts'

const extractor = createExtractor({
  serviceHeaders: ['X-A-Secret', 'x-a-secret', 'X-B-Secret'],
  apiKeyPrefix: 'tk',
  cookie: { name: 'session', origin: null },
})
const bare = createExtractor({ serviceHeaders: [], apiKeyPrefix: null })

const bearer = (token: string, from: 'header' | 'cookie' = 'header') => ({ kind: 'bearer', token, from })
const service = (header: string, secret: string) => ({ kind: 'service', header, secret })

// [what, headers, credential]
const READ: readonly (readonly [string, NonNullable<FakeRequestOptions['headers']>, object | null])[] = [
  ['nothing', {}, null],
  ['a bearer token', { authorization: 'Bearer a.b.c' }, bearer('a.b.c')],
  ['an API key by its prefix', { authorization: 'Bearer tk_1' }, { kind: 'apiKey', token: 'tk_1' }],
  ['a token that only looks alike', { authorization: 'Bearer tkx_1' }, bearer('tkx_1')],
  ['the prefix in another case', { authorization: 'Bearer TK_1' }, bearer('TK_1')],
  ['a service secret', { 'x-a-secret': 's' }, service('x-a-secret', 's')],
  ['an empty service secret: somebody calls', { 'x-b-secret': '' }, service('x-b-secret', '')],
  ['the cookie', { cookie: 'session=t' }, bearer('t', 'cookie')],
  ['an API key in the cookie is no API key', { cookie: 'session=tk_1' }, bearer('tk_1', 'cookie')],
  ['a header before the cookie', { authorization: 'Bearer h', cookie: 'session=t' }, bearer('h')],
  ['another scheme: the cookie is not read', { authorization: 'Basic x', cookie: 'session=t' }, null],
  ['the same, for an ambiguous cookie', { authorization: 'Basic x', cookie: 'session=a; session=b' }, null],
  ['a service before the cookie', { 'x-a-secret': 's', cookie: 'session=t' }, service('x-a-secret', 's')],
  ['Proxy-Authorization is no credential (H4)', { 'proxy-authorization': 'Bearer x' }, null],
  ['an API key header nobody configured', { 'x-api-key': 'tk_1' }, null],
  ['another cookie', { cookie: 'token=t; access_token=u' }, null],
]

const REFUSED: readonly (readonly [string, NonNullable<FakeRequestOptions['headers']>, string])[] = [
  ['two services', { 'x-a-secret': 's', 'x-b-secret': 's' }, 'credential_ambiguous'],
  ['a service and a bearer', { 'x-a-secret': 's', authorization: 'Bearer t' }, 'credential_ambiguous'],
  ['an empty service and a bearer', { 'x-a-secret': '', authorization: 'Bearer t' }, 'credential_ambiguous'],
  ['a service twice', { 'x-a-secret': ['s', 's'] }, 'service_header_repeated'],
  ['a service with a comma', { 'x-a-secret': 's, t' }, 'service_header_repeated'],
  ['a long service secret', { 'x-a-secret': 'x'.repeat(8193) }, 'service_secret_too_long'],
  ['an empty bearer beside a cookie', { authorization: 'Bearer', cookie: 'session=t' }, 'bearer_token_missing'],
]

describe('the extractor', () => {
  it.each(READ)('reads %s', (_what, headers, credential) => {
    expect(extractor.extract(fakeRequest({ headers }))).toEqual(credential)
  })

  it.each(REFUSED)('refuses %s', async (_what, headers, reason) => {
    expect(await reasonOf(() => extractor.extract(fakeRequest({ headers })))).toBe(reason)
  })

  it('lets a credential of exactly 8,192 bytes through', () => {
    const token = 'x'.repeat(8192)
    expect(extractor.extract(fakeRequest({ headers: { authorization: `Bearer ${token}` } }))).toEqual(bearer(token))
    expect(extractor.extract(fakeRequest({ headers: { 'x-a-secret': token } }))).toEqual(service('x-a-secret', token))
    expect(extractor.extract(fakeRequest({ headers: { cookie: `session=${token}` } }))).toEqual(bearer(token, 'cookie'))
  })

  it('knows no cookie, service or key where none is configured', () => {
    const headers = { cookie: 'session=t', 'x-a-secret': 's' }
    expect(bare.extract(fakeRequest({ method: 'POST', headers }))).toBeNull()
    expect(bare.extract(fakeRequest({ headers: { authorization: 'Bearer tk_1' } }))).toEqual(bearer('tk_1'))
    expect(() =>
      bare.checkPublic(fakeRequest({ method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } })),
    ).not.toThrow()
  })

  it('applies the cross-site rule to a cookie credential only', async () => {
    const cross = { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } }
    const withCookie = { ...cross, headers: { ...cross.headers, cookie: 'session=t' } }
    expect(await reasonOf(() => extractor.extract(fakeRequest(withCookie)))).toBe('cross_site_request')
    expect(extractor.extract(fakeRequest(cross))).toBeNull()
  })

  it('applies it to a public route, with or without a cookie', async () => {
    const check = (headers: Record<string, string>, method = 'POST') =>
      extractor.checkPublic(fakeRequest({ method, headers }))
    expect(await reasonOf(() => check({ 'sec-fetch-site': 'cross-site' }))).toBe('cross_site_request')
    expect(await reasonOf(() => check({ cookie: 'session=' }))).toBe('cross_site_request')
    expect(() => check({ cookie: 'my-session=t' })).not.toThrow()
    expect(() => check({})).not.toThrow()
    expect(() => check({ 'sec-fetch-site': 'cross-site' }, 'GET')).not.toThrow()
  })

  it.each([
    ['Basic, which a browser remembers and adds', 'Basic dTpw', false],
    ['Negotiate', 'Negotiate x', false],
    ['a bearer token', 'bearer x', true],
    ['a bearer without a token', 'Bearer', false],
    ['a bearer with two', 'Bearer a b', false],
    ['two bearers in one', 'Bearer a, Bearer b', false],
    ['two lines', ['Bearer a', 'Bearer a'], false],
    ['an empty line', '', false],
  ])('exempts a public route from it only for a bearer token: %s', async (_what, authorization, isExempt) => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.test' },
      { cookie: 'session=t' },
    ]) {
      const check = () =>
        extractor.checkPublic(fakeRequest({ method: 'POST', headers: { ...headers, authorization } as never }))
      if (isExempt) expect(check).not.toThrow()
      else expect(await reasonOf(check)).toBe('cross_site_request')
    }
  })
})

describe('behind a gateway', () => {
  const NAME = 'Cf-Access-Jwt-Assertion'
  const behind = createExtractor({
    serviceHeaders: ['X-A-Secret'],
    apiKeyPrefix: null,
    gateway: { name: NAME, origin: 'https://app.test' },
  })
  const fromGateway = (token: string) => ({ kind: 'bearer', token, from: 'gateway' })

  it.each<[string, NonNullable<FakeRequestOptions['headers']>, object | null]>([
    ['its header', { 'cf-access-jwt-assertion': 'a.b.c' }, fromGateway('a.b.c')],
    [
      'its header beside Authorization, which is not read',
      { 'cf-access-jwt-assertion': 't', authorization: 'Bearer x' },
      fromGateway('t'),
    ],
    [
      'its header beside a broken Authorization',
      { 'cf-access-jwt-assertion': 't', authorization: ['Bearer', 'x'] },
      fromGateway('t'),
    ],
    ['Authorization alone, which is no credential', { authorization: 'Bearer a.b.c' }, null],
    ['a long Authorization, which nobody reads', { authorization: `Bearer ${'x'.repeat(9000)}` }, null],
    ['a cookie', { cookie: 'CF_Authorization=a.b.c' }, null],
    [
      'a service, which says itself that it calls',
      { 'x-a-secret': 's', 'cf-access-jwt-assertion': 't' },
      service('x-a-secret', 's'),
    ],
    ['a token of exactly 8,192 bytes', { 'cf-access-jwt-assertion': 'x'.repeat(8192) }, fromGateway('x'.repeat(8192))],
    ['nothing', {}, null],
  ])('reads %s', (_what, headers, credential) => {
    expect(behind.extract(fakeRequest({ headers }))).toEqual(credential)
  })

  it.each<[string, string | string[], string]>([
    ['repeated', ['t', 'u'], 'gateway_header_malformed'],
    ['repeated, the same', ['t', 't'], 'gateway_header_malformed'],
    ['joined by a comma', 't, u', 'gateway_header_malformed'],
    ['with a scheme', 'Bearer t', 'gateway_header_malformed'],
    ['with a tab', 't\tu', 'gateway_header_malformed'],
    ['empty', '', 'gateway_header_malformed'],
    ['too long', 'x'.repeat(8193), 'gateway_token_too_long'],
    ['too long, and repeated', ['t', 'x'.repeat(8193)], 'gateway_token_too_long'],
  ])('refuses a header that is %s', async (_what, line, reason) => {
    const headers = { 'cf-access-jwt-assertion': line }
    expect(await reasonOf(() => behind.extract(fakeRequest({ headers })))).toBe(reason)
  })

  it.each<[string, Record<string, string>, boolean]>([
    ['from our own page', { 'sec-fetch-site': 'same-origin' }, true],
    ['from our own origin', { origin: 'https://app.test' }, true],
    ['from another site', { 'sec-fetch-site': 'cross-site' }, false],
    ['from a sibling', { 'sec-fetch-site': 'same-site' }, false],
    ['from another origin', { origin: 'https://evil.test' }, false],
    ['that says neither', {}, false],
    [
      'with an Authorization, which exempts nothing here',
      { 'sec-fetch-site': 'cross-site', authorization: 'Bearer x' },
      false,
    ],
  ])('takes an unsafe request %s: the gateway would write its header into any', async (_what, headers, isGood) => {
    const request = { method: 'POST', headers: { ...headers, 'cf-access-jwt-assertion': 't' } }
    for (const read of [behind.extract, behind.checkPublic]) {
      if (isGood) expect(() => read(fakeRequest(request))).not.toThrow()
      else expect(await reasonOf(() => read(fakeRequest(request)))).toBe('cross_site_request')
      expect(() => read(fakeRequest({ ...request, method: 'GET' }))).not.toThrow()
    }
    if (!isGood) {
      const upgrade = fakeRequest({ ...request, method: 'GET', upgrade: true })
      expect(await reasonOf(() => behind.extract(upgrade))).toBe('cross_site_request')
    }
  })

  it('says where a credential was looked for, and nothing of Authorization', () => {
    const request = fakeRequest({ headers: { authorization: 'Basic x' } })
    expect(behind.describeMissing(request)).toEqual({ expected: `${NAME}, x-a-secret`, got: 'none' })
    expect(behind.tokenHeaders).toEqual([NAME])
  })
})
