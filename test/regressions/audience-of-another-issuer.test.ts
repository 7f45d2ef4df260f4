/**
 * One list of audiences stood for all issuers of a verifier: a token of one that named the other's audience was let in, and
 * an issuer whose tokens have none switched the check off for all of them. The same with types and the host's check.
 */
import { expect, it } from 'vitest'
import { createJwtVerifier, type IssuerOptions } from '../../src/index.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'

const own = await createTokenIssuer({ issuer: 'https://own.test', algorithms: ['HS256'], audience: 'app' })
const partner = await createTokenIssuer({
  issuer: 'https://partner.test',
  algorithms: ['HS256'],
  audience: 'partner-api',
})
const legacy = await createTokenIssuer({ issuer: 'https://legacy.test', algorithms: ['HS256'] })
const trust = ({ issuer, secret }: typeof own, more: Omit<IssuerOptions, 'issuer' | 'keys'>): IssuerOptions => ({
  issuer,
  keys: [{ kind: 'secret', secret }],
  ...more,
})

const verifier = createJwtVerifier({
  issuers: [
    trust(own, { audience: ['app', 'admin'], types: ['JWT'] }),
    trust(partner, { audience: 'partner-api', types: ['at+jwt'], check: ({ subject }) => subject !== 'blocked' }),
    trust(legacy, { audience: null }),
  ],
})
const verdictOf = async (token: Promise<string>): Promise<string> =>
  verifier.verify(await token).then(
    ({ subject }) => subject,
    (error: { reason: string }) => error.reason,
  )

it.each([
  ['its own', own, { aud: 'admin', sub: 'u' }, 'JWT', 'u'],
  ['the other’s', own, { aud: 'partner-api' }, 'JWT', 'token_audience_other'],
  ['none', own, { aud: undefined }, 'JWT', 'token_audience_missing'],
  ['its own', partner, { aud: 'partner-api', sub: 'u' }, 'at+jwt', 'u'],
  ['the other’s', partner, { aud: ['app'] }, 'at+jwt', 'token_audience_other'],
  ['none, where none is asked for', legacy, { aud: undefined, sub: 'u' }, 'JWT', 'u'],
])('audience of a token: %s', async (_, issuer, claims, typ, expected) => {
  expect(await verdictOf(issuer.sign(claims, { typ }))).toBe(expected)
})

it('a type that another issuer alone may use is refused', async () => {
  expect(await verdictOf(own.sign({}, { typ: 'at+jwt' }))).toBe('token_type_refused')
  expect(await verdictOf(partner.sign({}, { typ: 'JWT' }))).toBe('token_type_refused')
})

it('the check of one issuer is not asked of another’s tokens, on cache hits neither', async () => {
  const tokens = [own.sign({ sub: 'blocked' }), partner.sign({ sub: 'blocked' }, { typ: 'at+jwt' })]
  for (const _ of ['anew', 'from the cache']) {
    expect(await Promise.all(tokens.map(verdictOf))).toEqual(['blocked', 'identity_check_refused'])
  }
})
