// How an issuer is named: exactly, in several ways, by a pattern; whose tokens a key signs; what construction refuses.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import type { IssuerOptions } from '../../src/verify/issuer-options.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { createKeyServer, createTestClock, verdictOf } from './bench.ts'

const ANY = 'https://login.test/{tid}/v2.0'
const of = (tenant: string): string => `https://login.test/${tenant}/v2.0`
const issuer = await createTokenIssuer({ algorithms: ['ES256'] })
const { audience } = issuer
const [jwk] = issuer.jwks().keys as [object]
const verifierOf = (name: IssuerOptions['issuer'], ...keys: readonly object[]) =>
  createJwtVerifier({
    issuers: [{ issuer: name, keys: [{ kind: 'jwks', keys: keys.length > 0 ? keys : [jwk] }], audience }],
  })
const ALL = ['ES256', 'ES384', 'RS256', 'RS512', 'PS256', 'EdDSA'] as const
const UNKNOWN = 'unauthorized:token_issuer_unknown'

describe('several names', () => {
  const verifier = verifierOf(['https://accounts.test', 'accounts.test'])

  it('are one issuer, called by the first', async () => {
    for (const iss of ['https://accounts.test', 'accounts.test']) {
      expect(await verifier.verify(await issuer.sign({ iss }))).toMatchObject({ issuer: 'https://accounts.test' })
    }
    expect(await verdictOf(verifier.verify(await issuer.sign({ iss: 'https://accounts.test/' })))).toBe(UNKNOWN)
  })

  it('are told where a token has none of them', async () => {
    const refused = verifier.verify(await issuer.sign({ iss: 'x' }))
    await expect(refused).rejects.toMatchObject({ expected: 'https://accounts.test, accounts.test', got: 'x' })
  })
})

describe('a pattern', () => {
  const verifier = verifierOf(ANY)

  it('is filled by the claim of the token; the identity has the token’s own issuer', async () => {
    for (const tid of ['t1', '9188040d-6c67-4c5b-b112-36a304b66dad', 'a.b_C', 'x'.repeat(64)]) {
      expect(await verifier.verify(await issuer.sign({ iss: of(tid), tid }))).toMatchObject({ issuer: of(tid) })
    }
  })

  it.each<[string, Record<string, unknown>]>([
    ['another tenant in the name', { iss: of('t2'), tid: 't1' }],
    ['no claim', { iss: of('t1') }],
    ['an empty claim', { iss: of(''), tid: '' }],
    ['a claim of another type', { iss: of('7'), tid: 7 }],
    ['a claim that is a list', { iss: of('t1'), tid: ['t1'] }],
    ['a claim with a slash', { iss: of('a/b'), tid: 'a/b' }],
    ['a claim with a space', { iss: of('a b'), tid: 'a b' }],
    ['a claim of 65 letters', { iss: of('x'.repeat(65)), tid: 'x'.repeat(65) }],
    ['the pattern itself', { iss: ANY, tid: '{tid}' }],
    ['another case', { iss: of('T1'), tid: 't1' }],
    ['something behind', { iss: `${of('t1')}/`, tid: 't1' }],
    ['no issuer', { iss: undefined, tid: 't1' }],
    ['an issuer of another type', { iss: [of('t1')], tid: 't1' }],
  ])('is nobody by %s', async (_, claims) => {
    expect(await verdictOf(verifier.verify(await issuer.sign(claims)))).toBe(UNKNOWN)
  })

  it('comes after exact names', async () => {
    const other = await createTokenIssuer({ algorithms: ['ES256'] })
    const keysOf = (keys: readonly object[]) => [{ kind: 'jwks' as const, keys }]
    const both = createJwtVerifier({
      issuers: [
        { issuer: ANY, keys: keysOf([jwk]), audience },
        { issuer: of('own'), keys: keysOf(other.jwks().keys), audience },
      ],
    })
    expect(await verdictOf(both.verify(await other.sign({ iss: of('own'), tid: 'own' })))).toBe('ok')
    expect(await verdictOf(both.verify(await issuer.sign({ iss: of('own'), tid: 'own' })))).not.toBe('ok')
    expect(await verdictOf(both.verify(await issuer.sign({ iss: of('t1'), tid: 't1' })))).toBe('ok')
  })

  it.each<[string, unknown, boolean]>([
    ['for every tenant', 'https://login.test/{tenantid}/v2.0', true],
    ['for this one', of('t1'), true],
    ['for another one', of('t2'), false],
    ['for everybody elsewhere', 'https://login.other.test/{tenantid}/v2.0', false],
    ['for no issuer', '', false],
    ['for what is no name', [of('t1')], false],
    ['for null', null, false],
    ['for whom, not said', undefined, true],
  ])('a key that is %s', async (_, name, isGood) => {
    const token = await issuer.sign({ iss: of('t1'), tid: 't1' })
    expect(await verdictOf(verifierOf(ANY, { ...jwk, issuer: name }).verify(token))).toBe(
      isGood ? 'ok' : 'unauthorized:token_key_unknown',
    )
  })

  it('is what makes the issuer of a key matter: elsewhere RFC 7517 has no such member', async () => {
    const token = await issuer.sign({ iss: of('t1'), tid: 't1' })
    expect(await verdictOf(verifierOf(of('t1'), { ...jwk, issuer: of('t2') }).verify(token))).toBe('ok')
  })

  it('takes the key of the right tenant where two have the same kid', async () => {
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
    const kid = issuer.key('ES256').kid
    const keys = [
      { ...stranger, kid, issuer: of('t2') },
      { ...jwk, kid, issuer: of('t1') },
    ]
    const both = verifierOf(ANY, ...keys)
    expect(await verdictOf(both.verify(await issuer.sign({ iss: of('t1'), tid: 't1' })))).toBe('ok')
    expect(await verdictOf(both.verify(await issuer.sign({ iss: of('t2'), tid: 't2' })))).toMatch(/signature_invalid/)
  })
})

it('a thousand tenants with a thousand unknown keys cost two fetches in half a minute (K5)', async () => {
  const clock = createTestClock(Date.now())
  const server = createKeyServer(() => issuer.jwks())
  const keys = [{ kind: 'jwks' as const, url: 'https://login.test/common/keys', algorithms: ALL }]
  const verifier = createJwtVerifier({ issuers: [{ issuer: ANY, keys, audience }], clock, fetch: server.fetch })
  expect(await verdictOf(verifier.verify(await issuer.sign({ iss: of('t1'), tid: 't1' })))).toBe('ok')
  const before = server.calls
  for (let i = 0; i < 1000; i += 1) {
    const alg = ALL[i % ALL.length] as string
    const token = await issuer.sign({ iss: of(`t${i}`), tid: `t${i}` }, { header: { alg }, kid: `k${i}` })
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_key_unknown')
    clock.tick(0.0299)
  }
  expect(server.calls - before).toBeLessThanOrEqual(1)
  clock.tick(30)
  await issuer.rotate('ES256')
  expect(await verdictOf(verifier.verify(await issuer.sign({ iss: of('t1'), tid: 't1' })))).toBe('ok')
})

describe('construction refuses', () => {
  const issuersOf = (...names: readonly unknown[]): unknown =>
    createJwtVerifier({
      issuers: names.map((name) => ({ issuer: name as string, keys: [{ kind: 'jwks', keys: [jwk] }], audience })),
    })

  it.each<[string, readonly unknown[], RegExp]>([
    ['an empty list', [[]], /issuers\.0\.issuer" must not be empty/],
    ['a blank name in a list', [['a', ' ']], /issuers\.0\.issuer" must not be blank/],
    ['null in a list', [['a', null]], /issuers\.0\.issuer" must be of type string/],
    ['a name twice in a list', [['a', 'a']], /named twice/],
    ['a name of a list twice', [['a', 'b'], 'b'], /named twice/],
    ['null beside a list', [['a', 'b'], null], /null alone/],
    ['a pattern in a list', [['a', ANY]], /must be exact names/],
    ['two claims', ['https://{a}.test/{b}'], /one \{claim\} at most/],
    ['a brace alone', ['https://login.test/{tid'], /one \{claim\} at most/],
    ['a claim without a name', ['https://login.test/{}'], /one \{claim\} at most/],
    ['the same pattern over two claims', [ANY, 'https://login.test/{tenant}/v2.0'], /two patterns/],
    ['a pattern within another', [ANY, 'https://login.test/a-{tenant}/v2.0'], /two patterns/],
    ['a pattern that ends as another', ['x-{a}', '{b}-y'], /two patterns/],
  ])('%s', (_, names, message) => {
    expect(() => issuersOf(...names)).toThrow(message)
  })

  it('no patterns that no token could both fit', () => {
    expect(() => issuersOf(ANY, 'https://login.test/{tid}/v1.0')).not.toThrow()
    expect(() => issuersOf(ANY, 'https://login.test/x/{tid}/v2.0')).not.toThrow()
    expect(() => issuersOf(ANY, 'https://sts.test/{tid}/')).not.toThrow()
  })

  it('discovery for a pattern, whose metadata names nobody’s keys', () => {
    const build = (url?: string) => (): unknown =>
      createJwtVerifier({ issuers: [{ issuer: ANY, keys: [{ kind: 'discovery', url }], audience }] })
    expect(build()).toThrow(/keys\.0\.kind" is discovery/)
    expect(build('https://login.test/common/.well-known/openid-configuration')).toThrow(/keys\.0\.kind" is discovery/)
  })

  it('a sample secret for a pattern of this machine', () => {
    const keys = [{ kind: 'secret' as const, secret: 'super-secret-jwt-token-with-at-least-32-characters-long' }]
    expect(() => createJwtVerifier({ issuers: [{ issuer: 'http://127.0.0.1/{tid}', keys, audience }] })).toThrow(
      /sample/,
    )
    expect(() => createJwtVerifier({ issuers: [{ issuer: ['http://127.0.0.1', 'x'], keys, audience }] })).toThrow(
      /sample/,
    )
    expect(() =>
      createJwtVerifier({ issuers: [{ issuer: ['http://127.0.0.1', 'http://localhost'], keys, audience }] }),
    ).not.toThrow()
  })
})
