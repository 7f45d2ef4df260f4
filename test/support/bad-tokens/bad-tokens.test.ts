import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { isAuthError } from '../../../src/errors.ts'
import { createTokenIssuer } from '../../../src/testing/token-issuer.ts'
import { createJwtVerifier } from '../../../src/verify/jwt-verifier.ts'
import { badTokens } from './bad-tokens.ts'

const issuer = await createTokenIssuer()
const legacy = await createTokenIssuer({ algorithms: ['HS256'] })
const byKeys = createLocalJWKSet(issuer.jwks() as never)
const getKey: JWTVerifyGetKey = (header, token) =>
  header.alg === 'HS256' ? new TextEncoder().encode(issuer.secret) : byKeys(header, token)

/** As careful as plain jose gets. */
async function joseTakes(token: string): Promise<boolean> {
  const algorithms = ['ES256', 'RS256', 'EdDSA', 'HS256']
  const claims = { issuer: issuer.issuer, audience: issuer.audience, requiredClaims: ['sub', 'exp'], typ: 'JWT' }
  return await jwtVerify(token, getKey, { algorithms, clockTolerance: 5, maxTokenAge: '1d', ...claims }).then(
    () => true,
    () => false,
  )
}

const codeOf = (error: unknown): string => (isAuthError(error) ? error.code : String(error))

// What jose leaves to its caller (its SECURITY.md says so); everything else it refuses for the reason we name.
const LEFT_TO_US =
  /^(sub (?!missing$)|header kid|header b64 (false outside|true)|header zip|exp 9223|exp 1e999|iss an array of ours|payload (with a (BOM|stray)|with the byte|with an (overlong|enc)|with half|just over|of a token|with sub twice)|\w+ (padded|with stray bits)|signature in the other base64|header with a (BOM|byte)|header alg)/

describe.each(['ES256', 'RS256', 'EdDSA', 'HS256'] as const)('bad tokens around %s', async (algorithm) => {
  const tokens = await badTokens(issuer, { algorithm })

  it('are many, each under its own name, with a reason and a requirement', () => {
    expect(tokens.length).toBeGreaterThanOrEqual(250)
    expect(new Set(tokens.map(({ name }) => name)).size).toBe(tokens.length)
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(tokens.length)
    for (const { why, requirement } of tokens) {
      expect(why).not.toBe('')
      expect(requirement).toMatch(/^[TK]\d+$/)
    }
  })

  it('can all be sent as one bearer token', () => {
    for (const { name, token } of tokens) {
      expect(token, name).toMatch(/^[!-+\--~\u0080-\u00ff]+$/)
      expect(token.length, name).toBeLessThan(14_000)
    }
  })

  it('are never taken by jose, but where it leaves the check to its caller', async () => {
    const taken: string[] = []
    for (const { name, token } of tokens) if (await joseTakes(token)) taken.push(name)
    expect(taken.filter((name) => !LEFT_TO_US.test(name))).toEqual([])
    // The check has teeth: these are valid but for one thing, and jose takes them.
    expect(taken).toEqual(
      expect.arrayContaining(['sub empty', 'payload with a BOM', 'payload just over 8,192 characters of token']),
    )
  })

  it('are each refused by our verifier, with the code named', async () => {
    const verifier = createJwtVerifier({
      issuers: [
        {
          issuer: issuer.issuer,
          keys: [
            { kind: 'jwks', keys: issuer.jwks().keys },
            { kind: 'secret', secret: issuer.secret },
          ],
          audience: issuer.audience,
        },
      ],
    })
    await verifier.verify(await issuer.sign({}, { algorithm }))
    const wrong: string[] = []
    for (const { name, code, token } of tokens) {
      const got = await verifier.verify(token).then(() => 'accepted', codeOf)
      if (got !== code) wrong.push(`${name}: ${got}`)
    }
    expect(wrong).toEqual([])
  })

  it('a good token is taken', async () => {
    expect(await joseTakes(await issuer.sign({}, { algorithm }))).toBe(true)
  })
})

describe('spot checks', async () => {
  const tokens = new Map((await badTokens(issuer)).map((entry) => [entry.name, entry]))
  const token = (name: string): string => {
    const found = tokens.get(name)
    if (found === undefined) throw new Error(`no bad token named ${name}`)
    return found.token
  }
  const bytes = (name: string, part: number) => Buffer.from(token(name).split('.')[part] ?? '', 'base64url')

  it('expired ones are only wrong in exp', async () => {
    const expired = [...tokens.values()].filter(({ code }) => code === 'token_expired')
    expect(expired.map(({ name }) => name)).toEqual([
      'expired',
      'expired in 1970',
      'payload with exp twice, the last passed',
    ])
    for (const entry of expired) {
      const claims = { issuer: issuer.issuer, audience: issuer.audience, currentDate: new Date(-10_000) }
      expect((await jwtVerify(entry.token, byKeys, claims)).payload.sub).toBe(decodeJwt(await issuer.sign()).sub)
      await expect(jwtVerify(entry.token, byKeys)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' })
    }
  })

  it('claims are wrong as named, under a good signature', async () => {
    const later = { currentDate: new Date(Date.now() + 5_400_000) }
    await expect(jwtVerify(token('not yet valid'), byKeys)).rejects.toMatchObject({ claim: 'nbf' })
    await jwtVerify(token('not yet valid'), byKeys, later)
    await jwtVerify(token('issued in the future'), byKeys)
    expect(decodeJwt(token('sub missing'))).not.toHaveProperty('sub')
    expect(decodeJwt(token('iss an array with ours')).iss).toEqual([issuer.issuer, 'https://evil.test'])
    expect(bytes('exp 1e999', 1).toString()).toContain('"exp":1e999')
    expect(decodeJwt(token('exp 9223372036854775808')).exp).toBe(2 ** 63)
    expect(decodeJwt(token('sub with a lone surrogate')).sub).toBe('u1\ud800')
    await jwtVerify(token('sub with a lone surrogate'), byKeys)
  })

  it('confusion: the signature is right by the public key as secret', async () => {
    const pem = issuer.key('RS256').publicKey.export({ type: 'spki', format: 'pem' }).toString()
    await jwtVerify(token('HS256 by the RS256 key as SPKI PEM'), new TextEncoder().encode(pem))
    const jwk = JSON.stringify(issuer.key('EdDSA').publicJwk)
    await jwtVerify(token('HS256 by the EdDSA key as JWK JSON'), new TextEncoder().encode(jwk))
    const raw = issuer.key('ES256').publicKey.export({ type: 'spki', format: 'der' }).subarray(-65)
    await jwtVerify(token('HS256 by the ES256 key as the raw key'), raw)
    for (const algorithm of ['ES256', 'RS256', 'EdDSA']) {
      const forms = [...tokens.keys()].filter((name) => name.startsWith(`HS256 by the ${algorithm} key as `))
      expect(forms.length).toBeGreaterThanOrEqual(19)
    }
  })

  it("a stranger's key is right by itself", async () => {
    const header = decodeProtectedHeader(token("a stranger's key in jwk, under the kid of the real one"))
    expect(header.kid).toBe(issuer.key('ES256').kid)
    await jwtVerify(token("a stranger's key in jwk"), header.jwk as never).catch(() => {
      throw new Error('the embedded key is not the one that signed')
    })
    const own = await badTokens(issuer, { attackerUrl: 'http://127.0.0.1:1/keys' })
    const jku = own.find(({ name }) => name === "a stranger's key in jku")
    expect(decodeProtectedHeader(jku?.token ?? '').jku).toBe('http://127.0.0.1:1/keys')
  })

  it('spellings decode to a token that is good', async () => {
    for (const part of ['header', 'payload', 'signature']) {
      for (const defect of ['padded', 'with stray bits']) {
        const spelt = token(`${part} ${defect}`)
        const canonical = spelt.split('.').map((text) => Buffer.from(text, 'base64url').toString('base64url'))
        expect(canonical.join('.')).not.toBe(spelt)
        if (part === 'signature') await jwtVerify(canonical.join('.'), byKeys)
        expect(decodeJwt(canonical.join('.')).iss).toBe(issuer.issuer)
      }
    }
    expect(token('signature in the other base64')).toMatch(/[+/]/)
  })

  it('forms, sizes and bytes are as named', () => {
    expect(token('JWE, RSA-OAEP around a good token').split('.')).toHaveLength(5)
    expect(token('payload just over 8,192 characters of token').length).toBeGreaterThan(8192)
    expect(token('payload just over 8,192 characters of token').length).toBeLessThan(8200)
    expect(bytes('payload with a BOM', 1).subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]))
    expect(bytes('payload with the byte FF', 1).includes(0xff)).toBe(true)
    expect(Array.isArray(JSON.parse(bytes('payload an array', 1).toString()))).toBe(true)
    expect(decodeProtectedHeader(token('header kid of 300 characters, HS256')).kid).toHaveLength(300)
    expect([...tokens.keys()].filter((name) => name.startsWith('alg ')).length).toBeGreaterThanOrEqual(24)
    expect(bytes('signature in DER', 2)[0]).toBe(0x30)
  })

  it('an issuer with one algorithm has the ones that apply, and never its own secret', async () => {
    const few = await badTokens(legacy)
    expect(few.some(({ name }) => name.startsWith('HS256 by the RS256 key'))).toBe(false)
    expect(few.length).toBeGreaterThan(180)
    const weak = await createTokenIssuer({ algorithms: ['HS256'], secret: 'your-256-bit-secret' })
    expect((await badTokens(weak)).some(({ name }) => name === 'HS256 by the word your-256-bit-secret')).toBe(false)
  })
})
