import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { createTokenIssuer, DEFAULT_EMAIL, DEFAULT_SUBJECT } from '../../src/testing/token-issuer.ts'

const NOW = Date.parse('2026-01-02T03:04:05Z')
const issuer = await createTokenIssuer()

const verify = (token: string, from = issuer) =>
  jwtVerify(token, createLocalJWKSet(from.jwks() as never), { issuer: from.issuer, audience: from.audience })

describe('good tokens', () => {
  for (const algorithm of ['ES256', 'RS256', 'EdDSA'] as const) {
    it(`verify with jose: ${algorithm}`, async () => {
      const { payload, protectedHeader } = await verify(await issuer.sign({}, { algorithm }))
      expect(protectedHeader).toEqual({ alg: algorithm, typ: 'JWT', kid: issuer.key(algorithm).kid })
      expect(payload).toMatchObject({ sub: DEFAULT_SUBJECT, email: DEFAULT_EMAIL, aud: 'authenticated' })
    })
  }

  it('verify with jose: HS256 by the UTF-8 bytes of the secret, without a kid', async () => {
    const token = await issuer.sign({}, { algorithm: 'HS256' })
    const { protectedHeader } = await jwtVerify(token, new TextEncoder().encode(issuer.secret))
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(Buffer.byteLength(issuer.secret)).toBeGreaterThanOrEqual(32)
  })

  it('verify with jose: RSA variants, by the RSA key', async () => {
    for (const algorithm of ['RS384', 'RS512', 'PS256'] as const) {
      const token = await issuer.sign({}, { algorithm })
      const { protectedHeader } = await jwtVerify(token, issuer.key('RS256').publicKey)
      expect(protectedHeader.alg).toBe(algorithm)
    }
  })

  it('are signed by the first algorithm by default', async () => {
    expect(decodeProtectedHeader(await issuer.sign()).alg).toBe('ES256')
    const legacy = await createTokenIssuer({ algorithms: ['HS256'] })
    expect(decodeProtectedHeader(await legacy.sign()).alg).toBe('HS256')
    expect(legacy.jwks()).toEqual({ keys: [] })
  })
})

describe('what a caller chooses', () => {
  it('claims go over the defaults, undefined removes one', async () => {
    const claims = decodeJwt(await issuer.sign({ sub: 'u1', email: undefined, org_id: 'o1' }))
    expect(claims).toMatchObject({ sub: 'u1', org_id: 'o1', iss: issuer.issuer })
    expect('email' in claims).toBe(false)
  })

  it('kid, typ, other header members and their absence', async () => {
    const token = await issuer.sign({}, { kid: 'k9', typ: 'at+jwt', header: { crit: ['x'], x: 1 } })
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', kid: 'k9', typ: 'at+jwt', crit: ['x'], x: 1 })
    expect(decodeProtectedHeader(await issuer.sign({}, { kid: null, typ: null }))).toEqual({ alg: 'ES256' })
    expect(decodeProtectedHeader(await issuer.sign({}, { header: { typ: undefined } }))).not.toHaveProperty('typ')
  })

  it('the life of the token, counted from the clock', async () => {
    const fixed = await createTokenIssuer({ algorithms: ['EdDSA'], clock: () => NOW })
    expect(decodeJwt(await fixed.sign({}, { expiresInSeconds: -60 }))).toMatchObject({
      iat: NOW / 1000 - 61,
      exp: NOW / 1000 - 60,
    })
    expect(decodeJwt(await fixed.sign({}, { expiresInSeconds: 60 }))).toMatchObject({ iat: NOW / 1000 })
  })

  it('no life beside an exp that would say otherwise', async () => {
    const signed = issuer.sign(issuer.supabaseClaims(), { expiresInSeconds: -60 })
    await expect(signed).rejects.toThrow('expiresInSeconds or the claim exp')
  })

  it('another key, under the own kid', async () => {
    const other = await createTokenIssuer({ algorithms: ['ES256'] })
    const token = await issuer.sign({}, { key: other.key('ES256').privateKey })
    expect(decodeProtectedHeader(token).kid).toBe(issuer.key('ES256').kid)
    await expect(verify(token)).rejects.toThrow('signature verification failed')
  })

  it('names, audience and secret of the issuer', async () => {
    const options = { issuer: 'https://a.test', audience: 'api', secret: 's'.repeat(40) }
    const named = await createTokenIssuer({ ...options, algorithms: ['ES256'] })
    expect(decodeJwt(await named.sign())).toMatchObject({ iss: 'https://a.test', aud: 'api' })
    expect(named.secret).toBe(options.secret)
    expect(named.jwks().keys.map(({ kid }) => kid)).toEqual(['es256-1'])
  })

  it('mistakes are a TypeError', async () => {
    await expect(createTokenIssuer({ audiance: 'x' } as never)).rejects.toThrow(/createTokenIssuer: unknown option/)
    await expect(createTokenIssuer({ algorithms: [] })).rejects.toThrow(TypeError)
    const legacy = await createTokenIssuer({ algorithms: ['HS256'] })
    await expect(legacy.sign({}, { algorithm: 'ES256' })).rejects.toThrow('no key for ES256')
  })
})

describe('keys', () => {
  it('publish public members only', () => {
    const text = JSON.stringify(issuer.jwks())
    expect(issuer.jwks().keys.map(({ alg }) => alg)).toEqual(['ES256', 'RS256', 'EdDSA'])
    for (const key of issuer.jwks().keys) {
      for (const secret of ['d', 'p', 'q', 'k']) expect(key).not.toHaveProperty(secret)
    }
    expect(text).not.toContain(issuer.secret)
  })

  it('rotate with overlap, suddenly, and back', async () => {
    const rotating = await createTokenIssuer({ algorithms: ['ES256'] })
    const first = rotating.key('ES256')
    const old = await rotating.sign()
    const second = await rotating.rotate()
    expect(rotating.jwks().keys.map(({ kid }) => kid)).toEqual([first.kid, second.kid])
    const young = await rotating.sign()
    await verify(old, rotating)
    await verify(young, rotating)

    await rotating.rotate('ES256', { overlap: false })
    await expect(verify(young, rotating)).rejects.toThrow()
    await verify(old, rotating)
    rotating.drop(first.kid)
    await expect(verify(old, rotating)).rejects.toThrow()

    await rotating.rotate('ES256', { overlap: false, key: first })
    await verify(old, rotating)
    await verify(await rotating.sign(), rotating)
    expect(rotating.jwks().keys).toHaveLength(1)
  })

  it('an HS256 issuer gets its first key pair by rotating', async () => {
    const moving = await createTokenIssuer({ algorithms: ['HS256'] })
    await moving.rotate('ES256')
    await verify(await moving.sign({}, { algorithm: 'ES256' }), moving)
    expect(decodeProtectedHeader(await moving.sign()).alg).toBe('HS256')
  })
})

it('a Supabase claim set has every documented claim and takes overrides', async () => {
  const claims = issuer.supabaseClaims({ sub: 'u2', aal: 'aal2' })
  expect(Object.keys(claims).sort()).toEqual(
    'aal amr app_metadata aud email exp iat is_anonymous iss phone role session_id sub user_metadata'.split(' '),
  )
  expect(claims).toMatchObject({ aud: 'authenticated', role: 'authenticated', aal: 'aal2', sub: 'u2' })
  const { payload } = await verify(await issuer.sign(claims))
  expect(payload).toEqual(claims)
})
