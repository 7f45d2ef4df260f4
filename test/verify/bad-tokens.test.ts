// T1–T8 and what went wrong at the peers, by the testing kit's corpus: every bad token is refused with its code, by a
// verifier that takes every algorithm there is, and none of them makes anybody ask an attacker's server.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTokenIssuer, type TokenIssuer } from '../../src/testing/token-issuer.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { badTokens } from '../support/bad-tokens/bad-tokens.ts'
import { verdictOf } from './bench.ts'

const ALGORITHMS = ['ES256', 'RS256', 'EdDSA', 'HS256'] as const

let canaryHits = 0
const canary = createServer((_, response) => {
  canaryHits += 1
  response.end('{}')
})
let issuer: TokenIssuer
let attackerUrl: string

beforeAll(async () => {
  issuer = await createTokenIssuer({ algorithms: [...ALGORITHMS] })
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve))
  attackerUrl = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/jwks.json`
})

afterAll(() => {
  canary.close()
})

describe.each(ALGORITHMS)('bad tokens around %s', (algorithm) => {
  it('are refused, each with its code, and the good one between them is not', async () => {
    const verifier = createJwtVerifier({
      issuers: [
        {
          issuer: issuer.issuer,
          keys: [
            { kind: 'secret', secret: issuer.secret },
            { kind: 'jwks', keys: issuer.jwks().keys },
          ],
          audience: issuer.audience,
        },
      ],
    })
    const wrong: string[] = []
    const tokens = await badTokens(issuer, { algorithm, attackerUrl })
    for (const { name, code, token } of tokens) {
      const verdict = await verdictOf(verifier.verify(token))
      if (!verdict.startsWith(`${code}:token_`)) wrong.push(`${name}: ${verdict}`)
    }
    expect(wrong).toEqual([])
    expect(tokens.length).toBeGreaterThan(250)
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { algorithm })))).toBe('ok')
    expect(canaryHits).toBe(0)
  })
})

describe('key classes stay apart (T1)', () => {
  it('HS256 where only public keys are known is 401 before any key is looked up', async () => {
    let calls = 0
    const verifier = createJwtVerifier({
      issuers: [
        { issuer: issuer.issuer, keys: [{ kind: 'jwks', url: 'https://keys.test/jwks' }], audience: issuer.audience },
      ],
      fetch: () => {
        calls += 1
        return Promise.reject(new Error('nobody there'))
      },
    })
    const token = await issuer.sign({}, { algorithm: 'HS256' })
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_algorithm_not_of_issuer')
    expect(calls).toBe(0)
  })

  it('an asymmetric token where only a secret is known is 401', async () => {
    const verifier = createJwtVerifier({
      issuers: [
        { issuer: issuer.issuer, keys: [{ kind: 'secret', secret: issuer.secret }], audience: issuer.audience },
      ],
    })
    for (const algorithm of ['ES256', 'RS256', 'EdDSA'] as const) {
      const token = await issuer.sign({}, { algorithm })
      expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_algorithm_not_of_issuer')
    }
  })

  it('HS256 asks no network and needs no kid, and no kid selects a secret', async () => {
    const verifier = createJwtVerifier({
      issuers: [
        {
          issuer: issuer.issuer,
          keys: [
            { kind: 'jwks', url: 'https://keys.test/jwks' },
            { kind: 'secret', secret: ['previous-secret-previous-secret-01', issuer.secret] },
          ],
          audience: issuer.audience,
        },
      ],
      fetch: () => expect.fail('no network for HS256'),
    })
    for (const kid of [null, 'undefined', '../../dev/null', "' or 1=1 --", '0', '']) {
      expect(await verdictOf(verifier.verify(await issuer.sign({}, { algorithm: 'HS256', kid })))).toBe('ok')
      const forged = await issuer.sign({}, { algorithm: 'HS256', kid, key: Buffer.alloc(0) })
      expect(await verdictOf(verifier.verify(forged))).toBe('unauthorized:token_signature_invalid')
    }
  })

  it('a key published without alg serves what its source accepts, by default one algorithm a type', async () => {
    const keys = issuer.jwks().keys.map(({ alg: _, ...key }) => key)
    const verifier = createJwtVerifier({
      issuers: [{ issuer: issuer.issuer, keys: [{ kind: 'jwks', keys }], audience: issuer.audience }],
    })
    expect(await verdictOf(verifier.verify(await issuer.sign({}, { algorithm: 'RS256' })))).toBe('ok')
    for (const algorithm of ['PS256', 'RS512'] as const) {
      const token = await issuer.sign(
        {},
        { algorithm, key: issuer.key('RS256').privateKey, kid: issuer.key('RS256').kid },
      )
      expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_algorithm_not_of_issuer')
    }
  })

  it('an algorithm the host left out is 401 before any fetch', async () => {
    const verifier = createJwtVerifier({
      issuers: [
        {
          issuer: issuer.issuer,
          keys: [{ kind: 'jwks', url: 'https://keys.test/jwks', algorithms: ['ES256'] }],
          audience: issuer.audience,
        },
      ],
      fetch: () => expect.fail('no fetch for an algorithm that is not wanted'),
    })
    const token = await issuer.sign({}, { algorithm: 'RS256' })
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_algorithm_not_of_issuer')
  })

  it.each([
    ['EdDSA', 'Ed25519'],
    ['Ed25519', 'EdDSA'],
    ['Ed25519', 'Ed25519'],
  ])('a token of %s meets a key of %s (RFC 9864)', async (tokenAlg, keyAlg) => {
    const { publicJwk } = issuer.key('EdDSA')
    const verifier = createJwtVerifier({
      issuers: [
        {
          issuer: issuer.issuer,
          keys: [{ kind: 'jwks', keys: [{ ...publicJwk, alg: keyAlg }], algorithms: ['Ed25519'] }],
          audience: issuer.audience,
        },
      ],
    })
    const token = await issuer.sign({}, { algorithm: 'EdDSA', header: { alg: tokenAlg } })
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
  })
})

describe('sizes (T2)', () => {
  it('refuses a token over the limit unread, at no cost to speak of', async () => {
    const verifier = createJwtVerifier({
      issuers: [
        { issuer: issuer.issuer, keys: [{ kind: 'secret', secret: issuer.secret }], audience: issuer.audience },
      ],
      maxTokenBytes: 8192,
    })
    const sized = async (size: number): Promise<string> => {
      const bare = (await issuer.sign({ pad: '' }, { algorithm: 'HS256' })).length
      let token = ''
      for (let pad = Math.floor(((size - bare) * 3) / 4) - 3; token.length < size; pad += 1) {
        token = await issuer.sign({ pad: 'x'.repeat(pad) }, { algorithm: 'HS256' })
      }
      return token
    }
    const fitting = await sized(8192)
    expect(fitting.length).toBeGreaterThanOrEqual(8192)
    expect(await verdictOf(verifier.verify(fitting.length === 8192 ? fitting : await sized(8190)))).toMatch(
      /^ok|oversize/,
    )
    expect(await verdictOf(verifier.verify(await sized(8196)))).toBe('unauthorized:token_oversize')
    expect(await verdictOf(verifier.verify(await sized(12_000)))).toBe('unauthorized:token_oversize')
  })

  it.each([undefined, null, 42, {}, ['a.b.c'], Buffer.from('a.b.c')])('refuses %j, which is no text', async (token) => {
    const verifier = createJwtVerifier({
      issuers: [
        { issuer: issuer.issuer, keys: [{ kind: 'secret', secret: issuer.secret }], audience: issuer.audience },
      ],
    })
    expect(await verdictOf(verifier.verify(token as unknown as string))).toBe('unauthorized:token_oversize')
  })
})
