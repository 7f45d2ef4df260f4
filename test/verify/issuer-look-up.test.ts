// Issuers that are looked up when first seen: what asks the host, how often, what is remembered, and for how long.
import { describe, expect, it } from 'vitest'
import { TransientError } from '../../src/storage/storage-errors.ts'
import { createTokenIssuer, type TokenIssuer } from '../../src/testing/token-issuer.ts'
import { createIssuerLookUp, type IssuerLookUpOptions } from '../../src/verify/issuer-look-up.ts'
import type { IssuerOptions } from '../../src/verify/issuer-options.ts'
import type { KeyEvent } from '../../src/verify/issuers.ts'
import { createJwtVerifier, type JwtVerifierOptions } from '../../src/verify/jwt-verifier.ts'
import { createTestClock, START, settle, type TestClock, verdictOf } from './bench.ts'

const AUDIENCE = 'authenticated'
const SECRET = 'kZ8vQ2mX7cL4nR9tB3wY6pD1sF5gH0jK'
const nameOf = (id: number | string): string => `https://${id}.customers.test`
const anybody = await createTokenIssuer({ algorithms: ['HS256'], secret: SECRET, clock: () => START })
const customer = await createTokenIssuer({ issuer: nameOf('acme'), algorithms: ['ES256', 'HS256'], clock: () => START })
const tokenOf = (id: number | string, claims: object = {}): Promise<string> =>
  anybody.sign({ iss: nameOf(id), exp: START / 1000 + 86_400, ...claims })
const withSecret = (issuer: string): IssuerOptions => ({
  issuer,
  keys: [{ kind: 'secret', secret: SECRET }],
  audience: AUDIENCE,
})
const withKeys = (issuer: string): IssuerOptions => ({
  issuer,
  keys: [{ kind: 'jwks', url: `${issuer}/jwks` }],
  audience: AUDIENCE,
})
const goodOf = (issuer: TokenIssuer): Promise<string> =>
  issuer.sign({ exp: START / 1000 + 86_400 }, { algorithm: 'ES256' })
const UNKNOWN = 'unauthorized:token_issuer_unknown'
const EXHAUSTED = 'keys_unavailable:issuer_look_ups_exhausted'
const FAILING = 'keys_unavailable:issuer_look_up_failing'

interface Rig {
  readonly clock: TestClock
  readonly asked: string[]
  readonly fetched: string[]
  readonly events: KeyEvent[]
  verify(token: string): Promise<string>
  readonly close: () => void
  readonly isReady: () => boolean
}

function rig(look: Partial<IssuerLookUpOptions> = {}, options: Partial<JwtVerifierOptions> = {}): Rig {
  const clock = createTestClock()
  const asked: string[] = []
  const fetched: string[] = []
  const events: KeyEvent[] = []
  const { mayBe = (issuer) => issuer.endsWith('.customers.test'), find = async () => null, ...more } = look
  const lookUp = createIssuerLookUp({
    mayBe,
    find(issuer) {
      asked.push(issuer)
      return find(issuer)
    },
    ...more,
  })
  const verifier = createJwtVerifier({
    issuers: [],
    lookUp,
    clock,
    fetch: async (input) => {
      fetched.push(String(input))
      return Response.json(customer.jwks())
    },
    onKeyEvent: (event) => events.push(event),
    ...options,
  })
  const { close = () => undefined, isReady = () => false } = verifier
  return { clock, asked, fetched, events, close, isReady, verify: (token) => verdictOf(verifier.verify(token)) }
}

describe('an issuer that is found', () => {
  it('verifies its tokens by its own options, and is looked up once', async () => {
    const { verify, asked, fetched } = rig({
      find: async (issuer) => (issuer === customer.issuer ? withKeys(issuer) : null),
    })
    for (let i = 0; i < 3; i += 1) expect(await verify(await goodOf(customer))).toBe('ok')
    expect(asked).toEqual([customer.issuer])
    expect(fetched).toEqual([`${customer.issuer}/jwks`])
    expect(await verify(await customer.sign({ aud: 'other' }, { algorithm: 'ES256' }))).toBe(
      'unauthorized:token_audience_other',
    )
    expect(await verify(await tokenOf('acme'))).toBe('unauthorized:token_algorithm_not_of_issuer')
  })

  it('is looked up once by any number of tokens at a time', async () => {
    const { verify, asked } = rig({ find: async (issuer) => withSecret(issuer) })
    const tokens = await Promise.all(Array.from({ length: 100 }, (_, i) => tokenOf('one', { sub: `u${i}` })))
    expect(new Set(await Promise.all(tokens.map(verify)))).toEqual(new Set(['ok']))
    expect(asked).toEqual([nameOf('one')])
  })

  it('is looked up anew after its time; keys of the same sources stay, and bridge an outage', async () => {
    let isDown = false
    const { clock, verify, asked, fetched } = rig(
      { find: async (issuer) => withKeys(issuer), ttlSeconds: 60 },
      {
        fetch: async (input) => {
          fetched.push(String(input))
          return isDown ? new Response('', { status: 500 }) : Response.json(customer.jwks())
        },
      },
    )
    expect(await verify(await goodOf(customer))).toBe('ok')
    clock.tick(60)
    expect(await verify(await goodOf(customer))).toBe('ok')
    expect([asked.length, fetched.length]).toEqual([2, 1])
    isDown = true
    clock.tick(1800)
    expect(await verify(await goodOf(customer))).toBe('ok')
    expect(asked).toHaveLength(3)
  })

  it('has other keys from the next look-up on, for tokens of the cache too', async () => {
    let options = withSecret(nameOf('one'))
    const { clock, verify } = rig({ find: async () => options, ttlSeconds: 60 })
    const token = await tokenOf('one')
    expect(await verify(token)).toBe('ok')
    options = { ...options, keys: [{ kind: 'secret', secret: SECRET.replace('k', 'K') }] }
    clock.tick(59)
    expect(await verify(token)).toBe('ok')
    clock.tick(1)
    expect(await verify(token)).toBe('unauthorized:token_signature_invalid')
  })

  it('is gone from the next look-up on, for tokens of the cache too', async () => {
    let isThere = true
    const { clock, verify, asked } = rig({
      find: async (issuer) => (isThere ? withSecret(issuer) : null),
      ttlSeconds: 60,
    })
    const token = await tokenOf('one')
    expect(await verify(token)).toBe('ok')
    isThere = false
    clock.tick(60)
    for (let i = 0; i < 3; i += 1) expect(await verify(token)).toBe(UNKNOWN)
    expect(asked).toHaveLength(2)
  })

  it('comes after the issuers of the verifier itself', async () => {
    const { verify, asked } = rig({ mayBe: () => expect.fail('asked') }, { issuers: [withSecret(nameOf('own'))] })
    expect(await verify(await tokenOf('own'))).toBe('ok')
    expect(asked).toEqual([])
  })

  it('has no name that a pattern of the verifier itself could have, whatever the token says in its claim', async () => {
    const options = {
      ...withSecret('https://{tid}.customers.test'),
      accepts: ({ tid }: object & { tid?: unknown }) => tid === 'own',
    }
    const { verify, asked } = rig({ find: async (issuer) => withSecret(issuer) }, { issuers: [options] })
    expect(await verify(await tokenOf('own', { tid: 'own' }))).toBe('ok')
    expect(await verify(await tokenOf('two', { tid: 'two' }))).toBe('forbidden:token_kind_not_accepted')
    for (const tid of [undefined, 'own', 2]) expect(await verify(await tokenOf('two', { tid }))).toBe(UNKNOWN)
    expect(asked).toEqual([])
    expect(await verify(await tokenOf('two.eu', { tid: 'eu' }))).toBe(UNKNOWN)
  })

  it('makes room for others: the least recently used goes', async () => {
    const { verify, asked } = rig({ find: async (issuer) => withSecret(issuer), maxIssuers: 2 })
    for (const id of [1, 2, 1, 3, 1]) expect(await verify(await tokenOf(id, { jti: `${asked.length}` }))).toBe('ok')
    expect(asked).toEqual([1, 2, 3].map(nameOf))
    expect(await verify(await tokenOf(2))).toBe('ok')
    expect(asked).toEqual([1, 2, 3, 2].map(nameOf))
  })

  it('keeps to the limits of any key server: unknown key ids cost two fetches in half a minute, look-ups or not', async () => {
    const { clock, verify, fetched } = rig({ find: async (issuer) => withKeys(issuer), ttlSeconds: 1 })
    expect(await verify(await goodOf(customer))).toBe('ok')
    for (let i = 0; i < 100; i += 1) {
      const kid = await customer.sign({ exp: START / 1000 + 86_400 }, { algorithm: 'ES256', kid: `k${i}` })
      expect(await verify(kid)).toBe('unauthorized:token_key_unknown')
      clock.tick(0.29)
    }
    expect(fetched).toHaveLength(1)
  })

  it('tells its key events, and leaves readiness alone', async () => {
    const { verify, events, isReady } = rig({ find: async (issuer) => withKeys(issuer) })
    expect(isReady()).toBe(true)
    await verify(await goodOf(customer))
    expect(events).toEqual([{ type: 'fetch_ok', keys: 1, issuer: customer.issuer, url: `${customer.issuer}/jwks` }])
  })
})

describe('an unknown issuer', () => {
  it('is asked for by no token whose name mayBe refuses', async () => {
    const { verify, asked } = rig()
    expect(await verify(await anybody.sign({ iss: 'https://evil.test' }))).toBe(UNKNOWN)
    for (const iss of [undefined, 7, null, ['https://a.customers.test']]) {
      expect(await verify(await anybody.sign({ iss }))).toBe(UNKNOWN)
    }
    expect(asked).toEqual([])
  })

  it.each([
    ['over 1,024 characters', `https://${'x'.repeat(1010)}.customers.test`],
    ['with a brace, which a pattern would have', 'https://{sub}.customers.test'],
    ['with what no database holds', 'https://a\u0000.customers.test'],
    ['with half a pair', 'https://a\ud800.customers.test'],
    ['with a line feed', 'https://a\n.customers.test'],
    ['with a space', 'https://a .customers.test'],
  ])('is not asked for where its name is one %s', async (_, iss) => {
    const { verify, asked } = rig({ mayBe: () => expect.fail('asked') })
    expect(await verify(await anybody.sign({ iss }))).toBe(UNKNOWN)
    expect(asked).toEqual([])
  })

  it('is remembered for 60 seconds', async () => {
    const { clock, verify, asked } = rig()
    for (const tick of [0, 30, 29.9]) {
      clock.tick(tick)
      expect(await verify(await tokenOf(1))).toBe(UNKNOWN)
    }
    expect(asked).toHaveLength(1)
    clock.tick(0.1)
    expect(await verify(await tokenOf(1))).toBe(UNKNOWN)
    expect(asked).toHaveLength(2)
  })

  it.each([
    [
      'one after the other',
      async (rig: Rig, tokens: readonly string[]) => {
        const verdicts: string[] = []
        for (const token of tokens) verdicts.push(await rig.verify(token))
        return verdicts
      },
    ],
    ['at once', async (rig: Rig, tokens: readonly string[]) => Promise.all(tokens.map(rig.verify))],
  ] as const)('and a thousand of them, %s, cost 20 look-ups a minute', async (_, all) => {
    const look = rig()
    const tokens = await Promise.all(Array.from({ length: 1000 }, (_, i) => tokenOf(i)))
    const verdicts = await all(look, tokens)
    expect(look.asked).toHaveLength(20)
    expect(verdicts.filter((verdict) => verdict === UNKNOWN)).toHaveLength(20)
    expect(verdicts.filter((verdict) => verdict === EXHAUSTED)).toHaveLength(980)
    look.clock.tick(59)
    expect(await look.verify(tokens[999] as string)).toBe(EXHAUSTED)
    look.clock.tick(1)
    expect(await look.verify(tokens[999] as string)).toBe(UNKNOWN)
    expect(look.asked).toHaveLength(21)
  })

  it('says when to come again', async () => {
    const clock = createTestClock()
    const lookUp = createIssuerLookUp({ mayBe: () => true, find: async () => null })
    const verifier = createJwtVerifier({ issuers: [], lookUp, clock })
    for (let i = 0; i < 20; i += 1) await verdictOf(verifier.verify(await tokenOf(i)))
    clock.tick(15)
    const refused = verifier.verify(await tokenOf(20))
    await expect(refused).rejects.toMatchObject({ headers: { 'Retry-After': '45' } })
  })

  it('takes no room from those that are found, nor from those that were', async () => {
    const { clock, verify, asked } = rig({
      find: async (issuer) => (issuer.includes('good') ? withSecret(issuer) : null),
      ttlSeconds: 30,
    })
    for (let i = 0; i < 50; i += 1) expect(await verify(await tokenOf(`good${i}`))).toBe('ok')
    for (let i = 0; i < 20; i += 1) expect(await verify(await tokenOf(i))).toBe(UNKNOWN)
    expect(await verify(await tokenOf('good50'))).toBe(EXHAUSTED)
    clock.tick(30)
    for (let i = 0; i < 50; i += 1) expect(await verify(await tokenOf(`good${i}`, { jti: 'new' }))).toBe('ok')
    expect(asked).toHaveLength(50 + 20 + 50)
  })
})

describe('a look-up that fails', () => {
  it('passes its error on to all who wait, rests a second, and is tried again', async () => {
    let isFailing = true
    const failure = new TransientError('no storage')
    const { clock, verify, asked } = rig({
      find: async (issuer) => {
        if (isFailing) throw failure
        return withSecret(issuer)
      },
    })
    const token = await tokenOf(1)
    expect(await Promise.all([verify(token), verify(token)])).toEqual(['undefined:undefined', 'undefined:undefined'])
    expect(await verify(token)).toBe(FAILING)
    expect(asked).toHaveLength(1)
    isFailing = false
    clock.tick(1)
    expect(await verify(token)).toBe('ok')
  })

  it('counts like one that finds nothing', async () => {
    const { verify, asked } = rig({ find: () => Promise.reject(new Error('no storage')) })
    for (let i = 0; i < 1000; i += 1) await verify(await tokenOf(i))
    expect(asked).toHaveLength(20)
    expect(await verify(await tokenOf(2000))).toBe(EXHAUSTED)
  })

  it('leaves a known issuer refused until it is found again, and loses it no keys', async () => {
    let isFailing = false
    const { clock, verify, fetched } = rig({
      find: async (issuer) => {
        if (isFailing) throw new Error('no storage')
        return withKeys(issuer)
      },
      ttlSeconds: 60,
    })
    expect(await verify(await goodOf(customer))).toBe('ok')
    isFailing = true
    clock.tick(60)
    expect(await verify(await goodOf(customer))).toBe('undefined:undefined')
    expect(await verify(await goodOf(customer))).toBe(FAILING)
    isFailing = false
    clock.tick(1)
    expect(await verify(await goodOf(customer))).toBe('ok')
    expect(fetched).toHaveLength(1)
  })

  it('by never ending is 503 after 5 seconds, for whoever waits', async () => {
    const { verify, asked, close } = rig({ find: () => new Promise(() => undefined) })
    const waiting = verify(await tokenOf(1))
    await settle()
    expect(asked).toHaveLength(1)
    close()
    expect(await waiting).toBe(FAILING)
  })

  it.each<[string, (issuer: string) => unknown, RegExp]>([
    ['undefined', () => undefined, /"answer" is required/],
    ['text', () => 'yes', /"answer"/],
    ['a misspelt option', (issuer) => ({ ...withSecret(issuer), audiance: 'x' }), /unknown option "answer\.audiance"/],
    [
      'no audience',
      (issuer) => ({ ...withSecret(issuer), audience: undefined }),
      /"answer\.audience" is required \(got undefined: is the variable set\?\): must/,
    ],
    ['another issuer', () => withSecret('https://other.test'), /"answer\.issuer" must be the one that was asked for/],
    ['issuer null', (issuer) => ({ ...withSecret(issuer), issuer: null }), /"answer\.issuer" must be the one/],
    ['a list of names', (issuer) => ({ ...withSecret(issuer), issuer: [issuer] }), /"answer\.issuer" must be the one/],
    [
      'a plain http key URL',
      (issuer) => ({ ...withKeys(issuer), keys: [{ kind: 'jwks', url: 'http://k.test' }] }),
      /"answer\.keys\.0\.url" must be an https URL/,
    ],
    ['no keys', (issuer) => ({ ...withSecret(issuer), keys: [] }), /"answer\.keys" must not be empty/],
    [
      'a sample secret',
      (issuer) => ({
        ...withSecret(issuer),
        keys: [{ kind: 'secret', secret: 'your-256-bit-secret-your-256-bit-secret' }],
      }),
      /"answer\.keys\.0\.secret" is a sample/,
    ],
  ])('by answering %s is the host’s fault', async (_, answer, message) => {
    const lookUp = createIssuerLookUp({ mayBe: () => true, find: async (issuer) => answer(issuer) as never })
    const verifier = createJwtVerifier({ issuers: [], lookUp })
    await expect(verifier.verify(await anybody.sign({ iss: nameOf(1) }))).rejects.toThrow(message)
  })

  it.each([undefined, 1, 'yes', Promise.resolve(true)])('mayBe must answer true or false, not %j', async (answer) => {
    const lookUp = createIssuerLookUp({ mayBe: () => answer as never, find: async () => expect.fail('asked') })
    const verifier = createJwtVerifier({ issuers: [], lookUp })
    await expect(verifier.verify(await tokenOf(1))).rejects.toThrow('option "mayBe" must answer true or false')
  })
})

describe('construction', () => {
  const good: IssuerLookUpOptions = { mayBe: () => true, find: async () => null }

  it.each<[object, RegExp]>([
    [{ mayBe: undefined }, /mayBe/],
    [{ find: undefined }, /find/],
    [{ maxIssuers: 0 }, /maxIssuers/],
    [{ maxIssuers: 2.5 }, /maxIssuers" must be a whole number/],
    [{ ttlSeconds: 0 }, /ttlSeconds/],
    [{ ttlSeconds: 3601 }, /ttlSeconds/],
    [{ ttl: 5 }, /unknown option "ttl"/],
  ])('refuses %j', (options, message) => {
    expect(() => createIssuerLookUp({ ...good, ...options } as IssuerLookUpOptions)).toThrow(message)
  })

  it('of a verifier with no issuers, and of one that takes any', () => {
    const lookUp = createIssuerLookUp(good)
    expect(() => createJwtVerifier({ issuers: [] })).toThrow(/issuers/)
    expect(() => createJwtVerifier({ issuers: [], lookUp: {} as never })).toThrow(/lookUp/)
    expect(() => createJwtVerifier({ issuers: [{ ...withSecret(''), issuer: null }], lookUp })).toThrow(/lookUp/)
  })

  it('gives each verifier its own', async () => {
    const asked: string[] = []
    const lookUp = createIssuerLookUp({
      mayBe: () => true,
      find: async (issuer) => withSecret(asked.push(issuer) > 0 ? issuer : ''),
    })
    for (let i = 0; i < 2; i += 1) {
      const verifier = createJwtVerifier({ issuers: [], lookUp, clock: () => START })
      expect(await verdictOf(verifier.verify(await tokenOf(1)))).toBe('ok')
    }
    expect(asked).toHaveLength(2)
  })
})
