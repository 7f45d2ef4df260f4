// The last header whose key its issuer does not have: that it refuses what the long way refuses, says the same, and for how long.
import { sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isAuthError } from '../../src/errors.ts'
import { createTokenIssuer, type TokenIssuer } from '../../src/testing/token-issuer.ts'
import { createIssuerLookUp } from '../../src/verify/issuer-look-up.ts'
import type { IssuerOptions } from '../../src/verify/issuer-options.ts'
import { type Issuer, toIssuers } from '../../src/verify/issuers.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { verifySignature } from '../../src/verify/key-choice.ts'
import { readTokenForm } from '../../src/verify/token-form.ts'
import { createUnknownKey, type UnknownKey } from '../../src/verify/unknown-key.ts'
import { createBench, createTestClock, down, KEYS_URL, START, settle, verdictOf } from './bench.ts'
import { createRandom } from './mutate.ts'

const UNKNOWN = 'unauthorized:token_key_unknown'
const encode = (text: string): string => Buffer.from(text).toString('base64url')

const optionsOf = ({ issuer, jwks, audience }: TokenIssuer): IssuerOptions => ({
  issuer,
  keys: [{ kind: 'jwks', keys: jwks().keys }],
  audience,
})

async function createPair(): Promise<readonly [TokenIssuer, TokenIssuer]> {
  const make = (issuer: string): Promise<TokenIssuer> =>
    createTokenIssuer({ issuer, clock: () => START, algorithms: ['ES256'] })
  const both = [await make('https://one.test'), await make('https://other.test')] as const
  // Its key is the second one by its id, too.
  await both[1].rotate('ES256', { overlap: false })
  return both
}

const [one, other] = await createPair()
const { kid, privateKey } = other.key('ES256')
const HEADER = encode(JSON.stringify({ alg: 'ES256', kid, typ: 'JWT' }))

// Signed by the key of the other one, as all tokens here: only for the first one it is unknown.
function tokenOf(claims: string | Buffer): string {
  const input = `${HEADER}.${Buffer.from(claims).toString('base64url')}`
  return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

const USUAL = { sub: 'u', aud: one.audience, iat: START / 1000, exp: START / 1000 + 3600 }
const claimsOf = (claims: object): string => JSON.stringify({ ...USUAL, ...claims })
const OF_ONE = tokenOf(claimsOf({ iss: one.issuer }))

function issuersOf(options: readonly IssuerOptions[]): readonly Issuer[] {
  return toIssuers(options, {
    name: 'test',
    times: { clockToleranceSeconds: 5, maxTokenAgeSeconds: null },
    fetcher: fetch,
    mayBeHttp: () => false,
    time: () => START,
    onEvent: () => {},
  })
}

async function refuseBy(unknownKey: UnknownKey, token: string, issuer: Issuer | undefined): Promise<void> {
  const form = readTokenForm(token)
  if (isAuthError(form) || issuer === undefined) expect.fail()
  expect(await verifySignature(form, issuer, unknownKey)).toMatchObject({ reason: 'token_key_unknown' })
}

// Keeps the header of the tokens here, and does so again.
async function createKept(): Promise<UnknownKey & { again(): Promise<void> }> {
  const issuers = issuersOf([optionsOf(one), optionsOf(other)])
  const unknownKey = createUnknownKey(issuers)
  const again = (): Promise<void> => refuseBy(unknownKey, OF_ONE, issuers[0])
  await again()
  return { ...unknownKey, again }
}

const factsOf = (refusal: unknown): object => {
  if (!isAuthError(refusal)) expect.fail(String(refusal))
  const { code, status, message, reason, expected, got, retryAfterSeconds } = refusal
  return { code, status, message, reason, expected, got, retryAfterSeconds }
}

// The long way: the last header is another one whenever it is asked.
async function createLongWay(): Promise<(token: string) => Promise<unknown>> {
  const verifier = createJwtVerifier({ issuers: [optionsOf(one), optionsOf(other)], clock: () => START, cache: null })
  const elsewhere = await one.sign({}, { header: { kid: 'elsewhere' } })
  return async (token) => {
    expect(await verdictOf(verifier.verify(elsewhere))).toBe(UNKNOWN)
    return verifier.verify(token).then(
      () => 'ok',
      (refusal: unknown) => refusal,
    )
  }
}

const NAMES = [one.issuer, other.issuer, 'https://third.test']
const MEMBERS: readonly ((name: string) => string)[] = [
  (name) => `"iss":"${name}"`,
  (name) => `"iss":"${name}"`,
  (name) => `"iss" : "${name}"`,
  (name) => `"iss":\n"${name}"`,
  (name) => `"\\u0069ss":"${name}"`,
  (name) => `"iss":"${name.replace('t', '\\u0074')}"`,
  (name) => `"iss":["${name}"]`,
  () => '"iss":null',
  (name) => `"via":{"iss":"${name}"}`,
  (name) => `"via":{"\\u0069ss":"${name}"}`,
  (name) => `"__proto__":{"iss":"${name}"}`,
  (name) => `"note":"\\"iss\\":\\"${name}\\""`,
  () => '"note":"iss"',
  () => '"näme":"\u{1f511}"',
]
const SPOILT: readonly ((claims: string) => string | Buffer)[] = [
  (claims) => claims.slice(0, -1),
  (claims) => `[${claims}]`,
  (claims) => claims.replace('{', '{,'),
  (claims) => Buffer.concat([Buffer.from(claims), Buffer.from([0xff])]),
]

describe('a token with the last header', () => {
  it('has the refusal of the long way, whatever is in its claims', async () => {
    const random = createRandom(15)
    const unknownKey = await createKept()
    const longWay = await createLongWay()
    for (let n = 0; n < 300; n++) {
      const members = Object.entries({
        ...USUAL,
        iss: one.issuer,
        jti: `${n}`,
        level: { aal: n, list: ['"', '\u{1f511}'] },
      })
      const claims = Object.fromEntries(members.sort(() => random() - 0.5).slice(Math.floor(random() * 2)))
      const { iss, level } = claims as { iss?: string; level?: { list: string[] } }
      if (level !== undefined && n % 4 !== 0) level.list = ['a', '\u{1f511}']
      const token = tokenOf(JSON.stringify(claims))
      const refusal = unknownKey.refusalOf(token)
      // What escapes something takes the long way, as what doesn't say who has issued it.
      expect(refusal === null).toBe(iss === undefined || (level !== undefined && n % 4 === 0))
      if (refusal === null) await unknownKey.again()
      else expect(factsOf(refusal)).toEqual(factsOf(await longWay(token)))
    }
  })

  it('is never refused where the long way takes it, wherever `iss` stands and however it is written', async () => {
    const random = createRandom(16)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
    const unknownKey = await createKept()
    const longWay = await createLongWay()
    const counts = { good: 0, short: 0, otherReason: 0 }
    for (let n = 0; n < 2000; n++) {
      const members = Array.from({ length: Math.floor(random() * 4) }, () => pick(MEMBERS)(pick(NAMES)))
      members.splice(Math.floor(random() * 4), 0, JSON.stringify({ ...USUAL, jti: `${n}` }).slice(1, -1))
      const claims = `{${members.join(',')}}`
      const token = tokenOf(random() < 0.1 ? pick(SPOILT)(claims) : claims)
      const refusal = unknownKey.refusalOf(token)
      const answer = await longWay(token)
      if (answer === 'ok') counts.good += 1
      if (refusal === null) {
        await unknownKey.again()
        continue
      }
      counts.short += 1
      const [short, long] = [factsOf(refusal), factsOf(answer)]
      expect({ ...short, reason: '', expected: '', got: '' }).toEqual({ ...long, reason: '', expected: '', got: '' })
      if (JSON.stringify(short) !== JSON.stringify(long)) counts.otherReason += 1
    }
    // A nested name, and none above it; what is no JSON.
    expect(counts).toEqual({ good: expect.any(Number), short: expect.any(Number), otherReason: expect.any(Number) })
    expect(Math.min(counts.good, counts.short, counts.otherReason)).toBeGreaterThan(20)
    expect(counts.otherReason).toBeLessThan(counts.short)
  })

  it.each<[string, (token: string) => string]>([
    ['a padded payload', (token) => token.replace(/\.(\w)/, '=.$1')],
    ['a padded signature', (token) => `${token}=`],
    ['a letter that is none', (token) => `${token.slice(0, -3)}+${token.slice(-2)}`],
    ['no second dot', (token) => token.slice(0, token.lastIndexOf('.'))],
    ['a part more', (token) => `${token}.e30`],
    ['a header that goes on', (token) => `${HEADER}A${token.slice(HEADER.length)}`],
    [
      'another header',
      (token) => token.replace(HEADER, encode(JSON.stringify({ alg: 'ES256', kid: 'k', typ: 'JWT' }))),
    ],
  ])('takes the long way with %s', async (_, spoil) => {
    const unknownKey = await createKept()
    expect(isAuthError(unknownKey.refusalOf(OF_ONE))).toBe(true)
    expect(unknownKey.refusalOf(spoil(OF_ONE))).toBeNull()
  })

  it.each<[string, string]>([
    ['nested before it, and blanks', '"via":{"iss":"https://one.test"},"iss" : "https://other.test"'],
    ['nested after it, and blanks', '"iss" :"https://other.test","via":{"iss":"https://one.test"}'],
    ['nested, and escapes', '"via":{"iss":"https://one.test"},"\\u0069ss":"https://other.test"'],
    ['nested, and an escaped name', '"via":{"iss":"https://one.test"},"iss":"https:\\/\\/other.test"'],
    ['nested before it', '"via":{"iss":"https://one.test"},"iss":"https://other.test"'],
    ['nested after it', '"iss":"https://other.test","via":{"iss":"https://one.test"}'],
    ['the last of two', '"iss":"https://one.test","iss":"https://other.test"'],
    ['the last of two, escaped', '"iss":"https://one.test","\\u0069ss":"https://other.test"'],
  ])('is taken where the issuer that has the key is named: with another one %s', async (_, members) => {
    const verifier = createJwtVerifier({ issuers: [optionsOf(one), optionsOf(other)], clock: () => START })
    expect(await verdictOf(verifier.verify(OF_ONE))).toBe(UNKNOWN)
    const good = tokenOf(`{${members},${JSON.stringify(USUAL).slice(1)}`)
    expect(await verifier.verify(good)).toMatchObject({ issuer: other.issuer })
  })

  it('is refused for its size and for a missing signature before all else', async () => {
    const verifier = createJwtVerifier({ issuers: [optionsOf(one)], clock: () => START })
    expect(await verdictOf(verifier.verify(OF_ONE))).toBe(UNKNOWN)
    const [header, payload, signature] = OF_ONE.split('.')
    const verdicts = [
      `${header}.${payload}.`,
      `${header}.${payload}.${signature}${'A'.repeat(8192)}`,
      tokenOf(claimsOf({ iss: one.issuer, x: 'x'.repeat(8192) })),
    ].map((token) => verdictOf(verifier.verify(token)))
    expect(await Promise.all(verdicts)).toEqual([
      'unauthorized:token_part_count',
      'unauthorized:token_oversize',
      'unauthorized:token_oversize',
    ])
  })

  it('of another issuer is told so, with what is expected and what came', async () => {
    const verifier = createJwtVerifier({ issuers: [optionsOf(one)], clock: () => START })
    const foreign = tokenOf(claimsOf({ iss: 'https://wrong-project.test' }))
    for (let round = 0; round < 2; round++) {
      expect(await verdictOf(verifier.verify(OF_ONE))).toBe(UNKNOWN)
      await expect(verifier.verify(foreign)).rejects.toMatchObject({
        reason: 'token_issuer_unknown',
        expected: one.issuer,
        got: 'https://wrong-project.test',
      })
    }
  })

  it('of the issuer that has the key is taken, from the cache too', async () => {
    const verifier = createJwtVerifier({ issuers: [optionsOf(one), optionsOf(other)], clock: () => START })
    const good = tokenOf(claimsOf({ iss: other.issuer }))
    for (let round = 0; round < 3; round++) {
      expect(await verdictOf(verifier.verify(OF_ONE))).toBe(UNKNOWN)
      expect(await verdictOf(verifier.verify(good))).toBe('ok')
    }
    const identity = await verifier.verify(good)
    expect(await verdictOf(verifier.verify(OF_ONE))).toBe(UNKNOWN)
    expect(await verifier.verify(good)).toBe(identity)
  })
})

describe('a key that nobody had', () => {
  const stranger = { header: { kid: 'stranger' } }

  it('lets its tokens in once it is published, also those that were refused by it', async () => {
    const { clock, issuer, server, verifier } = await createBench({ cache: {} })
    await verifier.verify(await issuer.sign())
    const before = issuer.jwks()
    await issuer.rotate('ES256')
    server.answer = () => Response.json(before)
    const token = await issuer.sign()
    clock.tick(30)
    for (let n = 0; n < 3; n++) expect(await verdictOf(verifier.verify(token))).toBe(UNKNOWN)
    server.answer = () => Response.json(issuer.jwks())
    clock.tick(29)
    expect(await verdictOf(verifier.verify(token))).toBe(UNKNOWN)
    expect(server.calls).toBe(2)
    clock.tick(1)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    expect(server.calls).toBe(3)
    expect(await verifier.verify(token)).toBe(await verifier.verify(token))
  })

  it('lets them in at once where a refresh brought it that others had begun', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    await verifier.verify(await issuer.sign())
    const before = issuer.jwks()
    await issuer.rotate('ES256')
    server.answer = () => Response.json(before)
    const token = await issuer.sign()
    clock.tick(480)
    expect(await verdictOf(verifier.verify(token))).toBe(UNKNOWN)
    server.answer = () => Response.json(issuer.jwks())
    // Of the 30 s nothing is left to wait for the token that comes now.
    clock.tick(30)
    await verifier.warmUp?.()
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
  })

  it('is asked for whenever that is due: by 1,000 tokens in 100 s four times', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const token = await issuer.sign({}, stranger)
    for (let second = 0; second < 100; second++) {
      for (let n = 0; n < 10; n++) expect(await verdictOf(verifier.verify(token))).toBe(UNKNOWN)
      clock.tick(1)
    }
    expect(server.calls).toBe(4)
  })

  it('is 503 while the key server fails, and 401 again after', async () => {
    const { clock, issuer, server, verifier } = await createBench()
    const token = await issuer.sign({}, stranger)
    expect(await verdictOf(verifier.verify(token))).toBe(UNKNOWN)
    expect(await verdictOf(verifier.verify(token))).toBe(UNKNOWN)
    server.answer = down
    clock.tick(30)
    for (let n = 0; n < 3; n++) {
      await expect(verifier.verify(token)).rejects.toMatchObject({
        code: 'keys_unavailable',
        reason: 'key_servers_failing',
        got: `${KEYS_URL}: 500`,
        retryAfterSeconds: 30,
      })
    }
    server.answer = () => Response.json(issuer.jwks())
    clock.tick(30)
    for (let n = 0; n < 2; n++) expect(await verdictOf(verifier.verify(token))).toBe(UNKNOWN)
    await settle()
  })

  it('is asked for once the set has run out, in which it might be now', async () => {
    const { clock, issuer, server, verifier } = await createBench({}, { maxAgeSeconds: 2, maxStaleSeconds: 0 })
    const token = await issuer.sign({}, stranger)
    for (let n = 0; n < 2; n++) expect(await verdictOf(verifier.verify(token))).toBe(UNKNOWN)
    clock.tick(3)
    expect(await verdictOf(verifier.verify(token))).toBe(UNKNOWN)
    expect(server.calls).toBe(2)
  })

  it('is not kept of an issuer that was looked up: that one may go', async () => {
    const clock = createTestClock()
    let isThere = true
    const lookUp = createIssuerLookUp({
      mayBe: () => true,
      find: async () => (isThere ? optionsOf(one) : null),
      ttlSeconds: 60,
    })
    const verifier = createJwtVerifier({ issuers: [], lookUp, clock })
    for (let n = 0; n < 2; n++) expect(await verdictOf(verifier.verify(OF_ONE))).toBe(UNKNOWN)
    isThere = false
    clock.tick(61)
    expect(await verdictOf(verifier.verify(OF_ONE))).toBe('unauthorized:token_issuer_unknown')
  })
})

describe('createUnknownKey', () => {
  it('lets go of a header that good tokens may have, so that one of them pays for it and none after', async () => {
    const unknownKey = await createKept()
    const good = tokenOf(claimsOf({ iss: other.issuer }))
    expect(isAuthError(unknownKey.refusalOf(OF_ONE))).toBe(true)
    expect(unknownKey.refusalOf(good)).toBeNull()
    expect(unknownKey.refusalOf(OF_ONE)).toBeNull()
    await unknownKey.again()
    expect(isAuthError(unknownKey.refusalOf(OF_ONE))).toBe(true)
  })

  it('keeps one header, however many come', async () => {
    const issuers = issuersOf([optionsOf(one)])
    const unknownKey = createUnknownKey(issuers)
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, n) => one.sign({ jti: `${n}` }, { header: { kid: `k${n % 25}` } })),
    )
    for (const token of tokens) await refuseBy(unknownKey, token, issuers[0])
    const refused = tokens.filter((token) => unknownKey.refusalOf(token) !== null)
    expect(refused).toEqual([tokens[24], tokens[49]])
  })

  it('keeps nothing of an issuer that is not listed', async () => {
    const unknownKey = createUnknownKey([])
    await refuseBy(unknownKey, OF_ONE, issuersOf([optionsOf(one)])[0])
    expect(unknownKey.refusalOf(OF_ONE)).toBeNull()
  })

  it('makes a refusal of its own for each', async () => {
    const unknownKey = await createKept()
    expect(unknownKey.refusalOf(OF_ONE)).not.toBe(unknownKey.refusalOf(OF_ONE))
  })
})
