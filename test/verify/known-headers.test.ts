// Headers that were read once: by themselves, and that a verifier asks of each token what it would ask of one by a new header.
import { describe, expect, it } from 'vitest'
import { isAuthError } from '../../src/errors.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { createKnownHeaders } from '../../src/verify/known-headers.ts'
import { readTokenForm, type TokenForm } from '../../src/verify/token-form.ts'
import { createBench, createTestClock, verdictOf } from './bench.ts'

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const SIGNATURE = Buffer.alloc(64, 7).toString('base64url')
const tokenWith = (header: object): string => `${encode(header)}.${encode({ sub: 'u' })}.${SIGNATURE}`

function formOf(token: string, known?: Parameters<typeof readTokenForm>[1]): TokenForm {
  const form = readTokenForm(token, known)
  return isAuthError(form) ? expect.fail(form.reason) : form
}

describe('createKnownHeaders', () => {
  it.each([
    { alg: 'HS256', typ: 'JWT' },
    { alg: 'ES256', kid: 'k', typ: 'application/at+JWT' },
    { alg: 'Ed25519', kid: 'ключ?>~', x5t: 'x'.repeat(300) },
  ])('hands on the same form as reading anew: %j', (header) => {
    const known = createKnownHeaders()
    const form = formOf(tokenWith(header))
    known.keep(form)
    expect(known.get(form.headerText)).toMatchObject({ algorithm: form.algorithm, kid: form.kid, type: form.type })
    expect(formOf(tokenWith(header), known)).toEqual(form)
  })

  it('knows no header that differs by a letter, or is spelt otherwise', () => {
    const known = createKnownHeaders()
    const form = formOf(tokenWith({ alg: 'ES256', kid: 'k' }))
    known.keep(form)
    const { headerText } = form
    const others = [
      headerText.slice(0, -1),
      `${headerText}=`,
      headerText.toLowerCase(),
      encode({ kid: 'k', alg: 'ES256' }),
    ]
    expect(others.map(known.get)).toEqual(others.map(() => undefined))
  })

  it('leaves a header that begins with white space to be read each time', () => {
    const known = createKnownHeaders()
    const token = `${Buffer.from('\n{"alg":"ES256"}').toString('base64url')}.${encode({ sub: 'u' })}.${SIGNATURE}`
    const form = formOf(token)
    known.keep(form)
    expect([known.get(form.headerText), formOf(token, known)]).toEqual([undefined, form])
  })

  it('is bounded; one that is used stays', () => {
    const known = createKnownHeaders()
    const forms = Array.from({ length: 1000 }, (_, index) => formOf(tokenWith({ alg: 'ES256', kid: `k${index}` })))
    const [first] = forms as [TokenForm]
    for (const form of forms) {
      known.keep(form)
      known.get(first.headerText)
    }
    expect(forms.filter(({ headerText }) => known.get(headerText) !== undefined)).toHaveLength(100)
    expect(known.get(first.headerText)?.kid).toBe('k0')
  })
})

describe('a verifier that knows the header', () => {
  it('refuses by a key that has left the set', async () => {
    const { clock, issuer, verifier } = await createBench()
    expect(await verdictOf(verifier.verify(await issuer.sign()))).toBe('ok')
    const later = await issuer.sign({ jti: 'later' })
    issuer.drop(issuer.key('ES256').kid)
    clock.tick(31)
    await verifier.warmUp?.()
    expect(await verdictOf(verifier.verify(later))).toBe('unauthorized:token_key_unknown')
  })

  it('asks of each issuer its own algorithms, types and keys, for tokens of one and the same header', async () => {
    const clock = createTestClock()
    const [one, other, third] = await Promise.all(
      ['https://one.test', 'https://other.test', 'https://third.test'].map((name) =>
        createTokenIssuer({ clock, issuer: name, algorithms: ['ES256', 'RS256'] }),
      ),
    )
    if (one === undefined || other === undefined || third === undefined) expect.fail()
    const optionsOf = ({ issuer, jwks, audience }: typeof one) => ({
      issuer,
      keys: [{ kind: 'jwks' as const, keys: jwks().keys }],
      audience,
    })
    const noEs256 = {
      ...optionsOf(third),
      keys: [{ kind: 'jwks' as const, keys: third.jwks().keys, algorithms: ['RS256' as const] }],
    }
    const verifier = createJwtVerifier({
      issuers: [optionsOf(one), { ...optionsOf(other), types: ['at+jwt'] }, noEs256],
      clock,
    })
    const header = { kid: one.key('ES256').kid, algorithm: 'ES256' as const }
    for (const token of [await one.sign({ jti: '1' }, header), await one.sign({ jti: '2' }, header)]) {
      expect(await verdictOf(verifier.verify(token))).toBe('ok')
    }
    const of = async (issuer: typeof one): Promise<string> => verdictOf(verifier.verify(await issuer.sign({}, header)))
    expect([await of(other), await of(third)]).toEqual([
      'unauthorized:token_type_refused',
      'unauthorized:token_algorithm_not_of_issuer',
    ])
    const forged = await other.sign({ iss: one.issuer }, { ...header, key: other.key('ES256').privateKey })
    expect(await verdictOf(verifier.verify(forged))).toBe('unauthorized:token_signature_invalid')
  })

  it.each<[object, string]>([
    [{ crit: ['exp'] }, 'token_header_extension'],
    [{ alg: 'none' }, 'token_algorithm_unknown'],
    [{ typ: 1 }, 'token_type_malformed'],
    [{ kid: 1 }, 'token_kid_malformed'],
  ])('says of a header with %j what it says without', async (header, reason) => {
    const { issuer, verifier } = await createBench()
    const bad = await issuer.sign({}, { header: { ...header } })
    for (let round = 0; round < 3; round++) {
      expect(await verdictOf(verifier.verify(bad))).toBe(`unauthorized:${reason}`)
      expect(await verdictOf(verifier.verify(await issuer.sign({ jti: `${round}` })))).toBe('ok')
    }
  })

  it('says of what follows a known header what it says without', async () => {
    const { issuer, verifier } = await createBench()
    const [header, payload, signature] = (await issuer.sign()).split('.')
    expect(await verdictOf(verifier.verify(`${header}.${payload}.${signature}`))).toBe('ok')
    const verdicts = [
      `${header}.${payload}=.${signature}`,
      `${header}.${encode([])}.${signature}`,
      `${header}.${payload}.${signature}=`,
    ].map((token) => verdictOf(verifier.verify(token)))
    expect(await Promise.all(verdicts)).toEqual([
      'unauthorized:token_part_encoding',
      'unauthorized:token_payload_not_object',
      'unauthorized:token_part_encoding',
    ])
  })
})
