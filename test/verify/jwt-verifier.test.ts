// The step as a whole: what construction refuses, what an identity holds, the host's check, the cache of verified tokens.
import { inspect } from 'node:util'
import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import type { Identity, Verifier } from '../../src/context.ts'
import { AuthError } from '../../src/errors.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import type { IssuerOptions } from '../../src/verify/issuer-options.ts'
import { createJwtVerifier, type JwtVerifierOptions } from '../../src/verify/jwt-verifier.ts'
import { createBench, createTestClock, settle, verdictOf } from './bench.ts'

const refusalOf = (verifying: Promise<unknown> | undefined): Promise<AuthError> =>
  Promise.resolve(verifying).then(
    () => expect.fail('was let in'),
    (error: AuthError) => error,
  )

const clock = createTestClock()
const issuer = await createTokenIssuer({ clock, algorithms: ['ES256', 'RS256', 'EdDSA', 'HS256'] })
const other = await createTokenIssuer({ clock, issuer: 'https://other.test', algorithms: ['ES256', 'HS256'] })
const { audience } = issuer
const TRUSTED = { issuer: issuer.issuer, keys: [{ kind: 'jwks' as const, keys: issuer.jwks().keys }], audience }
const ISSUERS = [TRUSTED]
const GOOD = { issuers: ISSUERS, clock }
const withIssuer = (more: Partial<IssuerOptions>): JwtVerifierOptions<never> => ({
  ...GOOD,
  issuers: [{ ...TRUSTED, ...more }],
})

describe('construction refuses', () => {
  const issuerWith = (more: object): object => ({ issuers: [{ ...TRUSTED, ...more }] })
  it.each<[string, object, RegExp]>([
    ['no audience', issuerWith({ audience: undefined }), /audience/],
    ['an empty audience', issuerWith({ audience: '' }), /audience/],
    ['a blank audience', issuerWith({ audience: ' ' }), /audience/],
    ['an empty list of audiences', issuerWith({ audience: [] }), /audience/],
    ['an audience that is a RegExp', issuerWith({ audience: /api/ }), /audience/],
    ['a RegExp among audiences', issuerWith({ audience: ['a', /b/g] }), /audience/],
    [
      'no audience of the second issuer',
      { issuers: [TRUSTED, { ...TRUSTED, issuer: 'x', audience: undefined }] },
      /issuers.1.audience/,
    ],
    ['an audience for all issuers', { audience }, /unknown option "audience"/],
    ['no issuers', { issuers: undefined }, /issuers/],
    ['an empty list of issuers', { issuers: [] }, /issuers/],
    ['an issuer that is a RegExp', { issuers: [{ ...ISSUERS[0], issuer: /x/ }] }, /issuer/],
    ['an issuer left out', { issuers: [{ keys: ISSUERS[0]?.keys }] }, /issuer/],
    ['a blank issuer', { issuers: [{ ...ISSUERS[0], issuer: ' ' }] }, /blank/],
    ['the same issuer twice', { issuers: [...ISSUERS, ...ISSUERS] }, /twice/],
    ['issuer null beside another', { issuers: [...ISSUERS, { ...ISSUERS[0], issuer: null }] }, /issuer null alone/],
    ['a negative leeway', { clockToleranceSeconds: -1 }, /clockTolerance/],
    ['a leeway that is a string', { clockToleranceSeconds: '5' }, /clockTolerance/],
    ['a leeway NaN', { clockToleranceSeconds: Number.NaN }, /clockTolerance/],
    ['an endless leeway', { clockToleranceSeconds: Number.POSITIVE_INFINITY }, /clockTolerance/],
    ['a leeway over 300', { clockToleranceSeconds: 301 }, /clockTolerance/],
    ['tokens over 16 KB', { maxTokenBytes: 16_385 }, /maxTokenBytes/],
    ['an age of 0', { maxTokenAgeSeconds: 0 }, /maxTokenAge/],
    ['no types', issuerWith({ types: [] }), /types/],
    ['a check that is no function', issuerWith({ check: true }), /check/],
    ['a clock that is no function', { clock: 5 }, /clock/],
    ['a cache of no size', { cache: { maxEntries: 0 } }, /maxEntries/],
    ['a cache of half an entry', { cache: { maxEntries: 2.5 } }, /maxEntries" must be a whole number/],
    ['a token of half a byte', { maxTokenBytes: 100.5 }, /maxTokenBytes" must be a whole number/],
    ['a cache that is true', { cache: true }, /cache/],
    ['a misspelt cache option', { cache: { ttl: 5 } }, /ttl/],
    ['a misspelt option', { audiance: 'api' }, /audiance/],
  ])('%s', (_, options, message) => {
    const build = (): unknown => createJwtVerifier({ ...GOOD, ...options } as JwtVerifierOptions)
    expect(build).toThrow(TypeError)
    expect(build).toThrow(message)
    expect(build).toThrow(/createJwtVerifier/)
  })

  it('what an own option would allow, when it sits on a prototype (V1)', () => {
    const polluted = Object.assign(Object.create({ audience: null }) as object, { ...TRUSTED })
    Reflect.deleteProperty(polluted, 'audience')
    expect(() => createJwtVerifier({ issuers: [polluted as IssuerOptions] })).toThrow(/audience/)
  })

  it('nothing it should take', () => {
    expect(() =>
      createJwtVerifier({ ...withIssuer({ audience: null }), clockToleranceSeconds: 300, cache: null }),
    ).not.toThrow()
    expect(() => createJwtVerifier(withIssuer({ issuer: null }))).not.toThrow()
  })
})

it('names claims in types', () => {
  expectTypeOf(createJwtVerifier({ ...GOOD, claims: ['aal', 'role'] })).toEqualTypeOf<Verifier<'aal' | 'role'>>()
  expectTypeOf(createJwtVerifier(GOOD)).toEqualTypeOf<Verifier<never>>()
  const { issuer: name, keys } = TRUSTED
  // @ts-expect-error the audience must be written, if only as null
  expect(() => createJwtVerifier({ issuers: [{ issuer: name, keys }] })).toThrow(TypeError)
  // @ts-expect-error a RegExp is no audience
  expect(() => createJwtVerifier({ issuers: [{ issuer: name, keys, audience: /x/ }] })).toThrow(TypeError)
})

describe('the issuer', () => {
  const verifier = createJwtVerifier({
    issuers: [...ISSUERS, { issuer: other.issuer, keys: [{ kind: 'jwks', keys: other.jwks().keys }], audience }],
    clock,
  })

  it('is selected by the token, and its keys alone are tried', async () => {
    expect((await verifier.verify(await issuer.sign())).issuer).toBe(issuer.issuer)
    expect((await verifier.verify(await other.sign())).issuer).toBe(other.issuer)
    const crossed = await issuer.sign({ iss: other.issuer }, { header: { kid: other.key('ES256').kid } })
    expect(await verdictOf(verifier.verify(crossed))).toBe('unauthorized:token_signature_invalid')
  })

  it.each([
    [undefined],
    ['https://evil.test'],
    [`${issuer.issuer}/`],
    [issuer.issuer.toUpperCase()],
    [[issuer.issuer]],
    [[issuer.issuer, 'https://evil.test']],
    [null],
    [{ toString: issuer.issuer }],
    ['__proto__'],
  ])('%j is nobody here', async (iss) => {
    expect(await verdictOf(verifier.verify(await issuer.sign({ iss })))).toBe('unauthorized:token_issuer_unknown')
  })

  it('null takes any, and hands on what the token says, if it is text', async () => {
    const any = createJwtVerifier(withIssuer({ issuer: null }))
    expect((await any.verify(await issuer.sign({ iss: 'x' }))).issuer).toBe('x')
    expect((await any.verify(await issuer.sign({ iss: ['x'] }))).issuer).toBe('')
    expect((await any.verify(await issuer.sign({ iss: undefined }))).issuer).toBe('')
  })

  it('keeps two verifiers apart: what one has just accepted the other refuses', async () => {
    const token = await issuer.sign()
    const first = createJwtVerifier(GOOD)
    await first.verify(token)
    expect(await verdictOf(createJwtVerifier(withIssuer({ audience: 'else' })).verify(token))).toMatch(
      /audience_other$/,
    )
    const elsewhere = ISSUERS.map((one) => ({ ...one, issuer: 'https://else.test' }))
    expect(await verdictOf(createJwtVerifier({ ...GOOD, issuers: elsewhere }).verify(token))).toMatch(/issuer_unknown$/)
  })
})

describe('the identity', () => {
  it('holds named claims only, frozen to the bottom', async () => {
    const verifier = createJwtVerifier({ ...GOOD, claims: ['aal', 'app_metadata', 'absent'] })
    const token = await issuer.sign({
      sub: 'u1',
      aud: [issuer.audience, 'second'],
      email: 'Ada@Example.test',
      email_verified: true,
      jti: 'j1',
      aal: 'aal2',
      app_metadata: { roles: [{ name: 'admin' }] },
      org_id: 'evil',
    })
    const identity = await verifier.verify(token)
    expect(identity).toEqual({
      issuer: issuer.issuer,
      tokenIssuer: issuer.issuer,
      subject: 'u1',
      machine: null,
      kind: 'person',
      audience: [issuer.audience, 'second'],
      email: 'Ada@Example.test',
      emailVerified: true,
      name: null,
      scopes: null,
      actor: null,
      tokenId: 'j1',
      expiresAt: new Date(clock() + 3_600_000),
      claims: { aal: 'aal2', app_metadata: { roles: [{ name: 'admin' }] } },
    })
    const { roles } = identity.claims.app_metadata as { roles: { name: string }[] }
    for (const frozen of [
      identity,
      identity.audience,
      identity.claims,
      identity.claims.app_metadata,
      roles,
      roles[0],
    ]) {
      expect(Object.isFrozen(frozen)).toBe(true)
    }
    expect('constructor' in identity.claims).toBe(false)
    expectTypeOf(identity).toEqualTypeOf<Identity<'aal' | 'app_metadata' | 'absent'>>()
  })

  it('has an end that nobody can move, not even for the next request', async () => {
    const verifier = createJwtVerifier(GOOD)
    const token = await issuer.sign()
    const identity = await verifier.verify(token)
    const end = identity.expiresAt.getTime()
    identity.expiresAt.setFullYear(2099)
    expect(identity.expiresAt.getTime()).toBe(end)
    expect((await verifier.verify(token)).expiresAt.getTime()).toBe(end)
    expect({ ...identity }.expiresAt).toEqual(new Date(end))
  })

  it.each<[string, Record<string, unknown>, object]>([
    ['no e-mail', { email: undefined }, { email: null, emailVerified: null }],
    ['an e-mail of another type', { email: ['a@b.test'] }, { email: null }],
    ['an e-mail not verified', { email_verified: false }, { emailVerified: false }],
    ['"false" as text', { email_verified: 'false' }, { emailVerified: false }],
    ['"true" as text', { email_verified: 'true' }, { emailVerified: false }],
    ['verified null', { email_verified: null }, { emailVerified: false }],
    ['user_metadata', { user_metadata: { email_verified: true } }, { emailVerified: null }],
    ['an id of another type', { jti: 7 }, { tokenId: null }],
  ])('reads %s', async (_, claims, expected) => {
    expect(await createJwtVerifier(GOOD).verify(await issuer.sign(claims))).toMatchObject(expected)
  })

  it('gets nothing from __proto__ in a payload, at any depth (T5)', async () => {
    const claims = ['meta', '__proto__', 'constructor', 'polluted'] as const
    const verifier = createJwtVerifier({ ...GOOD, claims })
    const payload = JSON.parse('{"__proto__":{"email":"evil@x.test","polluted":1},"meta":{"__proto__":{"polluted":1}}}')
    const identity = await verifier.verify(
      await issuer.sign({ ...JSON.parse('{}'), meta: payload.meta, email: undefined }),
    )
    expect(identity.email).toBeNull()
    const raw = await verifier.verify(await signRaw(payload))
    expect(raw.email).toBeNull()
    for (const name of ['__proto__', 'constructor', 'polluted'] as const) expect(raw.claims[name]).toBeUndefined()
    expect(Object.keys(raw.claims.meta as object)).toEqual([])
    expect(Object.assign({}, raw.claims.meta)).not.toHaveProperty('polluted')
  })

  it('takes claims nested deeper than a stack is', async () => {
    const depth = 4000
    const nested = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown
    const verifier = createJwtVerifier({ ...GOOD, claims: ['nested'], maxTokenBytes: 16_384 })
    expect(await verdictOf(verifier.verify(await issuer.sign({ nested })))).toBe('ok')
  })

  // Claims as a host's JSON would be: with an own member `__proto__`, which no object literal has.
  async function signRaw(payload: object): Promise<string> {
    const { iss, aud, sub, exp } = { iss: issuer.issuer, aud: issuer.audience, sub: 'u', exp: clock() / 1000 + 60 }
    const text = `${JSON.stringify({ iss, aud, sub, exp }).slice(0, -1)},${JSON.stringify(payload).slice(1)}`
    const { signCompact } = await import('../../src/testing/token-issuer.ts')
    const { kid, privateKey } = issuer.key('ES256')
    return signCompact({ alg: 'ES256', kid }, text, 'ES256', privateKey)
  }
})

describe('when an e-mail is verified', () => {
  const verifiedBy = async (emails: 'confirmed' | 'as-claimed' | undefined, claims: object): Promise<unknown> => {
    const verifier = createJwtVerifier(withIssuer({ emails }))
    return (
      await verifier.verify(await issuer.sign({ email: 'ada@example.test', email_verified: undefined, ...claims }))
    ).emailVerified
  }
  const ABSENT = {}
  const METADATA = { user_metadata: { email_verified: false } }

  it.each<[object, unknown, unknown]>([
    [ABSENT, null, true],
    [METADATA, null, true],
    [{ user_metadata: { email_verified: true } }, null, true],
    [{ email_verified: true }, true, true],
    [{ email_verified: false }, false, false],
    [{ email_verified: 'true' }, false, false],
    [{ email_verified: null }, false, false],
    [{ email: undefined }, null, null],
    [{ email: 7 }, null, null],
  ])('%j is %j as claimed, and %j where the issuer confirms addresses', async (claims, asClaimed, confirmed) => {
    expect(await verifiedBy(undefined, claims)).toBe(asClaimed)
    expect(await verifiedBy('as-claimed', claims)).toBe(asClaimed)
    expect(await verifiedBy('confirmed', claims)).toBe(confirmed)
  })
})

describe('a token that is bound to a key', () => {
  it('is 401, unless its issuer’s options take it as a bearer', async () => {
    const token = await issuer.sign({ cnf: { jkt: 'thumbprint' } })
    expect(await verdictOf(createJwtVerifier(GOOD).verify(token))).toBe('unauthorized:token_bound_to_key')
    expect(await verdictOf(createJwtVerifier(withIssuer({ boundTokens: 'as-bearer' })).verify(token))).toBe('ok')
  })
})

describe('the check of the host', () => {
  it('sees the identity, on cache hits too, and may let in', async () => {
    const seen: string[] = []
    const verifier = createJwtVerifier(withIssuer({ check: ({ subject }) => seen.push(subject) > 0 }))
    const token = await issuer.sign({ sub: 'u1' })
    await verifier.verify(token)
    await verifier.verify(token)
    expect(seen).toEqual(['u1', 'u1'])
  })

  it.each<[string, () => unknown, string]>([
    ['an AuthError', () => Promise.reject(new AuthError('forbidden', { reason: 'mine' })), 'forbidden:mine'],
    [
      'an AuthError of its choice',
      () => Promise.reject(new AuthError('unauthorized', { reason: 'mine' })),
      'unauthorized:mine',
    ],
    ['false', () => false, 'unauthorized:identity_check_refused'],
    ['false, later', async () => false, 'unauthorized:identity_check_refused'],
    ['true', async () => true, 'ok'],
    ['nothing', () => undefined, 'undefined:undefined'],
    ['nothing, later', async () => {}, 'undefined:undefined'],
    ['1', () => 1, 'undefined:undefined'],
    ['a text', () => 'yes', 'undefined:undefined'],
    ['null', () => null, 'undefined:undefined'],
    ['an object', async () => ({ allowed: true }), 'undefined:undefined'],
    ['a Boolean object', () => Object(true), 'undefined:undefined'],
    ['its own fault', () => Promise.reject(new Error('database')), 'undefined:undefined'],
  ])('refuses by %s, each time', async (_, check, expected) => {
    const verifier = createJwtVerifier(withIssuer({ check: check as () => boolean }))
    const token = await issuer.sign()
    expect(await verdictOf(verifier.verify(token))).toBe(expected)
    expect(await verdictOf(verifier.verify(token))).toBe(expected)
  })

  it('may change its mind about a token that was let in', async () => {
    let blocked = false
    const verifier = createJwtVerifier(withIssuer({ check: () => !blocked }))
    const token = await issuer.sign()
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    blocked = true
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:identity_check_refused')
  })

  it('is not asked about a token that does not verify', async () => {
    const verifier = createJwtVerifier(withIssuer({ check: () => expect.fail('asked') }))
    expect(await verdictOf(verifier.verify(await issuer.sign({ aud: 'x' })))).toMatch(/^unauthorized/)
  })
})

describe('the cache of verified tokens', () => {
  it('hands on the very same identity, until exp; then says expired', async () => {
    const own = createTestClock()
    const verifier = createJwtVerifier({ ...GOOD, clock: own, cache: { ttlSeconds: 3600 } })
    const token = await issuer.sign({ exp: own() / 1000 + 100 })
    const first = await verifier.verify(token)
    own.tick(104)
    expect(await verifier.verify(token)).toBe(first)
    own.tick(1)
    expect(await verdictOf(verifier.verify(token))).toBe('token_expired:token_expiry_passed')
  })

  it('says of a token that has expired since what the long way says, and asks no signature for it', async () => {
    const own = createTestClock()
    const [verifier, without] = [{}, { cache: null }].map((more) => createJwtVerifier({ ...GOOD, clock: own, ...more }))
    const token = await issuer.sign({ exp: own() / 1000 + 100.5 }, { algorithm: 'ES256' })
    const first = await verifier?.verify(token)
    const checks = vi.spyOn(crypto.subtle, 'verify')
    try {
      own.tick(105)
      // Within the second that it ends in.
      expect(await verifier?.verify(token)).toEqual(first)
      own.tick(1)
      const refusal = await refusalOf(verifier?.verify(token))
      expect(refusal).toMatchObject({ code: 'token_expired', reason: 'token_expiry_passed' })
      expect(checks).not.toHaveBeenCalled()
      const { code, reason, expected, got } = await refusalOf(without?.verify(token))
      expect(refusal).toMatchObject({ code, reason, expected, got })
      expect(checks).toHaveBeenCalled()
      // Until the cache relies on it no more.
      own.tick(300)
      checks.mockClear()
      expect(await refusalOf(verifier?.verify(token))).toMatchObject({ code: 'token_expired' })
      expect(checks).toHaveBeenCalled()
    } finally {
      checks.mockRestore()
    }
  })

  it('says of an expired token whose key has left the set what it says of any such key', async () => {
    const { clock: own, issuer: rotating, verifier } = await createBench({ cache: {} }, { maxAgeSeconds: 60 })
    const token = await rotating.sign({ exp: own() / 1000 + 100 }, { algorithm: 'ES256' })
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    await rotating.rotate('ES256', { overlap: false })
    own.tick(106)
    // The set is refreshed beside this one.
    expect(await verdictOf(verifier.verify(token))).toBe('token_expired:token_expiry_passed')
    await settle()
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_key_unknown')
  })

  it('ends an entry after its time to live', async () => {
    const own = createTestClock()
    const verifier = createJwtVerifier({ ...GOOD, clock: own, cache: { ttlSeconds: 10 } })
    const token = await issuer.sign()
    const first = await verifier.verify(token)
    own.tick(9)
    expect(await verifier.verify(token)).toBe(first)
    own.tick(1)
    expect(await verifier.verify(token)).not.toBe(first)
  })

  it('checks nbf and age again when the clock moves', async () => {
    const own = createTestClock()
    const verifier = createJwtVerifier({ ...GOOD, clock: own, maxTokenAgeSeconds: 60 })
    const token = await issuer.sign({ nbf: own() / 1000, iat: own() / 1000 })
    expect(await verdictOf(verifier.verify(token))).toBe('ok')
    own.tick(-10)
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_not_yet_valid')
    own.tick(75)
    expect(await verdictOf(verifier.verify(token))).toBe('unauthorized:token_too_old')
  })

  it('off means each token is verified anew', async () => {
    const verifier = createJwtVerifier({ ...GOOD, cache: null })
    const token = await issuer.sign()
    expect(await verifier.verify(token)).not.toBe(await verifier.verify(token))
  })

  it('is bounded; what is refused puts nothing out', async () => {
    const verifier = createJwtVerifier({ ...GOOD, cache: { maxEntries: 2 } })
    const kept = await issuer.sign({ sub: 'kept' })
    const first = await verifier.verify(kept)
    for (let n = 0; n < 20; n += 1) await verdictOf(verifier.verify(await issuer.sign({ sub: `x${n}`, aud: 'x' })))
    expect(await verifier.verify(kept)).toBe(first)
    const once = await issuer.sign({ sub: 'once' })
    const second = await verifier.verify(once)
    for (let n = 0; n < 2; n += 1) await verifier.verify(await issuer.sign({ sub: `y${n}` }))
    // What was used lately stays, what came once made room.
    expect(await verifier.verify(kept)).toBe(first)
    expect(await verifier.verify(once)).not.toBe(second)
  })

  it('does not keep a token that the check refused, nor put another out for it', async () => {
    const verifier = createJwtVerifier({
      ...withIssuer({ check: ({ subject }) => subject === 'kept' }),
      cache: { maxEntries: 1 },
    })
    const kept = await issuer.sign({ sub: 'kept' })
    const first = await verifier.verify(kept)
    await verdictOf(verifier.verify(await issuer.sign({ sub: 'blocked' })))
    expect(await verifier.verify(kept)).toBe(first)
  })

  it('never takes one token for another: the same claims under another signature, the same signature under other claims', async () => {
    const verifier = createJwtVerifier(GOOD)
    const a = (await issuer.sign({ sub: 'a' })).split('.')
    const b = (await issuer.sign({ sub: 'b' })).split('.')
    await verifier.verify(a.join('.'))
    await verifier.verify(b.join('.'))
    for (const crafted of [
      `${a[0]}.${b[1]}.${a[2]}`,
      `${a[0]}.${a[1]}.${b[2]}`,
      `${a.join('.')}.`,
      ` ${a.join('.')}`,
    ]) {
      expect(await verdictOf(verifier.verify(crafted))).toMatch(/^unauthorized/)
    }
  })
})

it('shows no secret to JSON or to the inspector (G2)', async () => {
  const verifier = createJwtVerifier(withIssuer({ keys: [{ kind: 'secret', secret: issuer.secret }] }))
  const token = await issuer.sign({}, { algorithm: 'HS256' })
  await verifier.verify(token)
  const shown = JSON.stringify(verifier) + inspect(verifier, { depth: 20, showHidden: true })
  expect(shown).not.toContain(issuer.secret)
  expect(shown).not.toContain(token)
  expect(Object.isFrozen(verifier)).toBe(true)
})

it('accepts other types where the host names them, and no others then', async () => {
  const verifier = createJwtVerifier(withIssuer({ types: ['application/secevent+jwt'] }))
  expect(await verdictOf(verifier.verify(await issuer.sign({}, { typ: 'SECEVENT+JWT' })))).toBe('ok')
  expect(await verdictOf(verifier.verify(await issuer.sign({}, { typ: null })))).toBe('ok')
  expect(await verdictOf(verifier.verify(await issuer.sign({}, { typ: 'JWT' })))).toBe(
    'unauthorized:token_type_refused',
  )
})
