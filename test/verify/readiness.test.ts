// Ready: somebody can be verified, and no issuer that answers lacks a key. Who is down takes only its own users along.
import { describe, expect, it } from 'vitest'
import { supabase } from '../../src/index.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import type { IssuerOptions } from '../../src/verify/issuer-options.ts'
import { createJwtVerifier, type JwtVerifierOptions } from '../../src/verify/jwt-verifier.ts'
import { createTestAuth } from '../support/world.ts'
import { createTestClock, down, settle, verdictOf } from './bench.ts'

const SECRET = 'Zx81-kd93-hhwq-0192-qqqq-lsdk-29sk'
const clock = createTestClock()
const one = await createTokenIssuer({ issuer: 'https://one.test', algorithms: ['ES256', 'HS256'], clock })
const two = await createTokenIssuer({ issuer: 'https://two.test', algorithms: ['ES256'], clock })

const byUrl = (issuer: string): IssuerOptions => ({
  issuer,
  keys: [{ kind: 'jwks', url: `${issuer}/jwks` }],
  audience: one.audience,
})
const withSecret = (issuer: string): IssuerOptions => ({
  ...byUrl(issuer),
  keys: [...byUrl(issuer).keys, { kind: 'secret', secret: one.secret }],
})
const keysOf = {
  'https://one.test': () => Response.json(one.jwks()),
  'https://two.test': () => Response.json(two.jwks()),
}
const empty = (): Response => Response.json({ keys: [] })
const useless = (): Response => Response.json({ keys: [{ kty: 'oct' }] })

type Answers = Record<string, () => Response>

function createVerifier(issuers: readonly IssuerOptions[], answers: Answers, more: Partial<JwtVerifierOptions> = {}) {
  const asked: string[] = []
  const verifier = createJwtVerifier({
    issuers,
    cache: null,
    clock,
    fetch: async (input) => {
      asked.push(String(input))
      return (answers[new URL(String(input)).origin] as () => Response)()
    },
    ...more,
  })
  const { warmUp, readiness } = verifier as Required<typeof verifier>
  return { verifier, asked, warmUp, readiness }
}

describe('readiness', () => {
  it.each<[string, readonly IssuerOptions[], Answers, object]>([
    ['all answer', [byUrl('https://one.test'), byUrl('https://two.test')], {}, { isReady: true, down: [] }],
    [
      'one is down: ready for the others, and it is named',
      [byUrl('https://one.test'), byUrl('https://two.test')],
      { 'https://two.test': down },
      { isReady: true, down: ['https://two.test'] },
    ],
    [
      'all are down: nobody can be verified',
      [byUrl('https://one.test'), byUrl('https://two.test')],
      { 'https://one.test': down, 'https://two.test': down },
      { isReady: false, down: ['https://one.test', 'https://two.test'] },
    ],
    [
      'one answers without a key of use',
      [byUrl('https://one.test'), byUrl('https://two.test')],
      { 'https://two.test': useless },
      { isReady: false, down: [] },
    ],
    [
      'one answers with an empty set, and has no secret',
      [byUrl('https://one.test'), byUrl('https://two.test')],
      { 'https://two.test': empty },
      { isReady: false, down: [] },
    ],
    [
      'the only one answers with an empty set, and has a secret',
      [withSecret('https://one.test')],
      { 'https://one.test': empty },
      { isReady: true, down: [] },
    ],
    [
      'the only one has a secret, and a key server that is down',
      [withSecret('https://one.test')],
      { 'https://one.test': down },
      { isReady: true, down: ['https://one.test'] },
    ],
  ])('%s', async (_, issuers, answers, expected) => {
    const { warmUp, readiness, verifier } = createVerifier(issuers, { ...keysOf, ...answers })
    await warmUp()
    expect(readiness()).toEqual(expected)
    expect(verifier.isReady?.()).toBe((expected as { isReady: boolean }).isReady)
  })

  it('comes to a service that nobody warmed up, and that gets no request before it is ready', async () => {
    const { readiness, asked } = createVerifier([withSecret('https://one.test')], keysOf)
    expect(readiness()).toEqual({ isReady: false, down: [] })
    await settle()
    expect(readiness()).toEqual({ isReady: true, down: [] })
    expect(asked).toHaveLength(1)
  })

  it('comes back by itself after an outage, and does not wear out the server', async () => {
    const answers: Answers = { 'https://one.test': down }
    const { warmUp, readiness, asked } = createVerifier([byUrl('https://one.test')], answers)
    await warmUp()
    for (let asking = 0; asking < 100; asking += 1) readiness()
    await settle()
    expect(asked).toHaveLength(1)
    answers['https://one.test'] = keysOf['https://one.test']
    clock.tick(60)
    expect(readiness().isReady).toBe(false)
    await settle()
    expect(readiness()).toEqual({ isReady: true, down: [] })
  })

  it('lasts while nobody calls but the probe', async () => {
    const { warmUp, readiness } = createVerifier([byUrl('https://one.test')], keysOf)
    await warmUp()
    for (let minute = 0; minute < 120; minute += 1) {
      clock.tick(60)
      expect(readiness().isReady).toBe(true)
      await settle()
    }
  })

  it('outlasts an outage as long as the keys may', async () => {
    const answers: Answers = { ...keysOf }
    const { warmUp, readiness } = createVerifier([byUrl('https://one.test')], answers)
    await warmUp()
    answers['https://one.test'] = down
    clock.tick(4199)
    expect(readiness()).toEqual({ isReady: true, down: [] })
    await settle()
    clock.tick(1)
    expect(readiness()).toEqual({ isReady: false, down: ['https://one.test'] })
  })

  it('is told by an auth, also of a verifier that knows no more than isReady', async () => {
    const make = (verify: object) => createTestAuth(createMemoryStorage(), { verifier: verify as never })
    const { verifier, warmUp } = createVerifier([byUrl('https://one.test'), byUrl('https://two.test')], {
      ...keysOf,
      'https://two.test': down,
    })
    await warmUp()
    expect(make(verifier).readiness()).toEqual({ isReady: true, down: ['https://two.test'] })
    expect(make(verifier).isReady()).toBe(true)
    const verify = async (): Promise<never> => expect.fail('asked')
    expect(make({ verify, isReady: () => false }).readiness()).toEqual({ isReady: false, down: [] })
    expect(make({ verify }).readiness()).toEqual({ isReady: true, down: [] })
  })
})

describe('an empty key set of an issuer that has a secret', () => {
  it('means that there is no such key: 401, and the secret works', async () => {
    const { verifier, asked } = createVerifier([withSecret('https://one.test')], { 'https://one.test': empty })
    expect(await verdictOf(verifier.verify(await one.sign({}, { algorithm: 'HS256' })))).toBe('ok')
    const unknown = await one.sign({}, { algorithm: 'ES256' })
    for (let asking = 0; asking < 10; asking += 1) {
      expect(await verdictOf(verifier.verify(unknown))).toBe('unauthorized:token_key_unknown')
    }
    expect(asked).toHaveLength(1)
  })

  it('gives way to the first key, half a minute after it was asked for', async () => {
    const answers: Answers = { 'https://one.test': empty }
    const { verifier } = createVerifier([withSecret('https://one.test')], answers)
    const token = await one.sign({}, { algorithm: 'ES256' })
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_key_unknown')
    answers['https://one.test'] = keysOf['https://one.test']
    clock.tick(30)
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
  })

  it('takes no key away that was held: a failure, the old keys serve up to maxStale', async () => {
    const answers: Answers = { ...keysOf }
    const reasons: unknown[] = []
    const { verifier, readiness } = createVerifier([withSecret('https://one.test')], answers, {
      onKeyEvent: (event) => event.type === 'fetch_failed' && reasons.push(event.reason),
    })
    const token = (): Promise<string> => one.sign({}, { algorithm: 'ES256' })
    expect(await verdictOf(verifier.verify(await token()))).toBe('ok')
    answers['https://one.test'] = empty
    clock.tick(4199)
    expect(await verdictOf(verifier.verify(await token()))).toBe('ok')
    await settle()
    expect(reasons).toEqual(['no_usable_key'])
    clock.tick(31)
    expect(await verdictOf(verifier.verify(await token()))).toBe('keys_unavailable:key_servers_failing')
    expect(readiness()).toEqual({ isReady: true, down: [] })
  })

  it('is held like any other set: probes do not ask for it again', async () => {
    const { warmUp, readiness, asked } = createVerifier([withSecret('https://one.test')], { 'https://one.test': empty })
    await warmUp()
    for (let probe = 0; probe < 60; probe += 1) {
      expect(readiness()).toEqual({ isReady: true, down: [] })
      clock.tick(20)
      await settle()
    }
    // In twenty minutes: warmed up, and refreshed at 80 % of ten.
    expect(asked).toHaveLength(3)
  })

  it('says again who is down, and asks with rests, where a later attempt fails', async () => {
    const answers: Answers = { 'https://one.test': empty }
    const { verifier, warmUp, readiness, asked } = createVerifier([withSecret('https://one.test')], answers)
    await warmUp()
    answers['https://one.test'] = down
    clock.tick(30)
    await verdictOf(verifier.verify(await one.sign({}, { algorithm: 'ES256' })))
    for (let probe = 0; probe < 29; probe += 1) {
      expect(readiness()).toEqual({ isReady: true, down: ['https://one.test'] })
      clock.tick(1)
      await settle()
    }
    expect(asked).toHaveLength(2)
    answers['https://one.test'] = empty
    clock.tick(10)
    readiness()
    await settle()
    expect(readiness()).toEqual({ isReady: true, down: [] })
    expect(asked).toHaveLength(3)
  })

  it('is written so by the preset', async () => {
    const { verifier, warmUp } = createVerifier([supabase({ url: 'https://abc.test', secret: SECRET })], {
      'https://abc.test': empty,
    })
    await warmUp()
    expect(verifier.isReady?.()).toBe(true)
  })
})
