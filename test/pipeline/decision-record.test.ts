/** One decision record per request: why it ended as it did, never a secret, and never a say in the answer. */
import { describe, expect, it, vi } from 'vitest'
import type { Decision } from '../../src/context.ts'
import { AuthError } from '../../src/errors.ts'
import type { RefusalReason } from '../../src/reasons.ts'
import type { Access, AuthRequest } from '../../src/request.ts'
import { createTokenIssuer, type SignOptions, type TokenClaims } from '../../src/testing/token-issuer.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { type FakeRequestOptions, fakeRequest } from './fake-request.ts'
import { createWorld, issuer, refusalOf, SERVICE_SECRET } from './world.ts'

async function decisionOf(make: (world: ReturnType<typeof createWorld>) => Promise<[FakeRequestOptions, Access?]>) {
  const world = createWorld()
  const [request, access] = await make(world)
  await world.authenticate(request, access).catch(() => null)
  return { decision: world.decisions.at(-1) as Decision, count: world.decisions.length }
}

// A request that says when its answer's head is out, and the word for that.
function answered(options: FakeRequestOptions): { readonly request: AuthRequest; answer(): void } {
  const listeners: (() => void)[] = []
  const request = fakeRequest({ ...options, whenAnswered: (listener) => listeners.push(listener) })
  return { request, answer: () => listeners.forEach((listener) => void listener()) }
}

describe('the decision record', () => {
  it('of a user let in', async () => {
    const world = createWorld()
    const orgId = await world.org('acme')
    const { id, headers } = await world.person('ada', { [orgId]: 'admin' })
    await world.authenticate({ method: 'GET', path: '/contacts', headers: { ...headers, 'x-org-id': orgId } })
    const [decision] = world.decisions
    expect(decision).toMatchObject({
      method: 'GET',
      path: '/contacts',
      outcome: 'allowed',
      credential: 'bearer',
      code: null,
      reason: null,
      principal: { kind: 'user', id },
      selection: 'named',
      orgId,
      role: 'admin',
    })
    expect(decision?.at).toBeInstanceOf(Date)
    expect(Object.keys(decision?.timings ?? {}).sort()).toEqual(['orgs', 'users', 'verify'])
    expect(Object.isFrozen(decision)).toBe(true)
  })

  it('of a first login: what it did, also where the request is then refused; afterwards nothing', async () => {
    const world = createWorld()
    const headers = { authorization: `Bearer ${await world.sign()}` }
    const elsewhere = { ...headers, 'x-org-id': await world.org('acme') }
    await refusalOf(world.authenticate({ headers: elsewhere }))
    const own = await world.authenticate({ headers })
    const orgId = (own as { readonly org?: { readonly id: string } } | null)?.org?.id
    const provisioned = { decision: 'create', orgId, invitationId: null, passedOver: [] }
    expect(world.decisions).toMatchObject([
      { outcome: 'refused', code: 'forbidden', provisioned },
      { outcome: 'allowed', provisioned: null },
    ])
  })

  it('of nobody on an optional route', async () => {
    const { decision } = await decisionOf(async () => [{}, { optional: true }])
    expect(decision).toMatchObject({ outcome: 'anonymous', credential: null, principal: null, selection: null })
  })

  it('of a public route', async () => {
    const { decision } = await decisionOf(async () => [{}, 'public'])
    expect(decision).toMatchObject({ outcome: 'allowed', credential: null, principal: null, timings: {} })
  })

  it('of a service', async () => {
    const headers = { 'x-telephony-secret': SERVICE_SECRET }
    const { decision } = await decisionOf(async () => [{ headers }, { accept: ['service'] }])
    expect(decision).toMatchObject({ outcome: 'allowed', credential: 'service' })
    expect(decision.principal).toEqual({ kind: 'service', id: 'telephony' })
  })

  it('of a service that acts in an org: with the org, or why it was refused', async () => {
    const world = createWorld()
    const [orgId, other] = [await world.org('acme'), await world.org('other')]
    const acts = async (named: unknown, more: Record<string, string> = {}): Promise<Decision | undefined> => {
      const headers = { 'x-telephony-secret': SERVICE_SECRET, ...more }
      const { request, answer } = answered({ path: '/internal/calls', headers })
      const context = await world.auth.authenticate(request, { accept: ['service'] })
      await world.auth.actIn(context as never, named).catch(() => null)
      answer()
      return world.decisions.at(-1)
    }
    const shared = { path: '/internal/calls', credential: 'service', principal: { kind: 'service', id: 'telephony' } }
    expect(await acts(orgId)).toMatchObject({
      ...{ ...shared, outcome: 'allowed', code: null, selection: 'named', orgId, role: null },
      timings: { orgs: expect.any(Number) },
    })
    const refused = { ...shared, outcome: 'refused', orgId: null }
    expect(await acts('acme')).toMatchObject({ ...refused, reason: 'act_in_org_id_malformed', selection: null })
    expect(await acts(crypto.randomUUID())).toMatchObject({ ...refused, code: 'forbidden', reason: 'not_a_member' })
    const differs = { ...refused, reason: 'act_in_selector_differs', selection: 'named' }
    expect(await acts(orgId, { 'x-org-id': other })).toMatchObject(differs)
    expect(world.decisions).toHaveLength(4)
  })

  it('of an API key in its org', async () => {
    const { decision } = await decisionOf(async (world) => {
      const token = world.apiKey({ id: 'k1', orgId: await world.org('acme') })
      return [{ headers: { authorization: `Bearer ${token}` } }, { accept: ['apiKey'] }]
    })
    expect(decision).toMatchObject({ credential: 'apiKey', principal: { kind: 'apiKey', id: 'k1' }, role: 'member' })
  })

  it('of a refusal: public code and internal reason, and how far it got', async () => {
    const { decision } = await decisionOf(async (world) => {
      const { headers } = await world.person('ada', { [await world.org('acme')]: 'viewer' })
      return [{ headers }, { role: 'admin' }]
    })
    expect(decision).toMatchObject({ outcome: 'refused', code: 'forbidden', reason: 'role_too_low', role: 'viewer' })
    expect(decision.principal?.kind).toBe('user')
  })

  it('of who is refused, where that is proved all the same: a user who was disabled', async () => {
    const world = createWorld()
    const { id, headers } = await world.person('ada', { [await world.org('acme')]: 'admin' })
    await world.storage.users.setDisabled(id, true)
    await world.authenticate({ headers }).catch(() => null)
    expect(world.decisions).toMatchObject([{ reason: 'user_disabled', principal: { kind: 'user', id } }])
  })

  it('of what a handler threw: the same one, with the caller and the org, however many mounts saw it', async () => {
    const world = createWorld()
    const orgId = await world.org('acme')
    const { id, headers } = await world.person('ada', { [orgId]: 'admin' })
    const { request, answer } = answered({ headers })
    await world.auth.authenticate(request)
    const refusal = new AuthError('not_found', { reason: 'no_such_contact' })
    for (const thrown of [refusal, refusal, Object.assign(new Error('gone'), { status: 410 }), null]) {
      world.auth.recordRefusal(request.source, thrown)
    }
    expect(world.decisions).toEqual([])
    answer()
    const common = { principal: { kind: 'user', id }, orgId, role: 'admin' }
    const first = { outcome: 'refused', code: 'not_found', reason: 'no_such_contact', ...common }
    expect(world.decisions).toMatchObject([first])
  })

  it('is told once more where something fails after the head is out, by the same id', async () => {
    const world = createWorld()
    const { headers } = await world.person('ada', { [await world.org('acme')]: 'admin' })
    const { request, answer } = answered({ headers })
    await world.auth.authenticate(request)
    answer()
    answer()
    const broken = new Error('the stream broke')
    for (const thrown of [broken, broken]) world.auth.recordRefusal(request.source, thrown)
    const [first, second, ...more] = world.decisions
    expect(first).toMatchObject({ outcome: 'allowed', code: null })
    expect(second).toMatchObject({ outcome: 'failed', reason: 'internal_error', cause: broken })
    expect(second?.requestId).toBe(first?.requestId)
    expect(more).toEqual([])
  })

  it('waits for the decision where the client has gone before it', async () => {
    const world = createWorld()
    const { request, answer } = answered({})
    const deciding = refusalOf(world.auth.authenticate(request))
    answer()
    await deciding
    expect(world.decisions).toMatchObject([{ reason: 'credential_missing' }])
  })

  it.each([
    ['what the host says', (): unknown => 'req-7/a', 'req-7/a'],
    ['a UUID where the host says nothing', (): unknown => undefined, /^[0-9a-f-]{36}$/],
    ['a UUID for a text that could break a line', (): unknown => 'a\nb', /^[0-9a-f-]{36}$/],
    ['a UUID for a text that is too long', (): unknown => 'a'.repeat(129), /^[0-9a-f-]{36}$/],
    [
      'a UUID where the host’s function throws',
      (): unknown => {
        throw Object.assign(new Error('no header'), { status: 418 })
      },
      /^[0-9a-f-]{36}$/,
    ],
    [
      'a UUID where the host’s function rejects',
      (): unknown => Promise.reject(new Error('no header')),
      /^[0-9a-f-]{36}$/,
    ],
    ['a UUID by default', undefined, /^[0-9a-f-]{36}$/],
  ] as const)('calls its request by %s', async (_what, requestId, expected) => {
    const world = createWorld({ auth: () => ({ requestId: requestId as never }) })
    expect((await refusalOf(world.authenticate({}))).reason).toBe('credential_missing')
    if (typeof expected === 'string') expect(world.decisions[0]?.requestId).toBe(expected)
    else expect(world.decisions[0]?.requestId).toMatch(expected)
  })

  it('of a request that refused is not written twice, and a request that never came by leaves none', async () => {
    const world = createWorld()
    const request = fakeRequest({})
    const refusal = await world.auth.authenticate(request).catch((error: unknown) => error)
    world.auth.recordRefusal(request.source, refusal)
    world.auth.recordRefusal({}, new AuthError('not_found'))
    expect(world.decisions).toMatchObject([{ reason: 'credential_missing' }])
  })

  // An id may look like either: only the host knows its paths.
  it('has no key and no token that somebody put into the path, but a shorter code and an address', async () => {
    const key = `itk_${'a'.repeat(12)}_${'b'.repeat(43)}_${'c'.repeat(6)}`
    const [jwt, code] = ['eyJhbGciOiJIUzI1NiJ9.e30.x', 'd'.repeat(64)]
    const { decision } = await decisionOf(async () => [{ path: `/api/keys/${key}/${jwt}/${code}/ann@example.com` }])
    expect(decision.path).toBe(`/api/keys/…/…/${code}/ann@example.com`)
  })

  it('of a fault of ours or the host’s', async () => {
    const world = createWorld({
      auth: () => ({
        users: (async () => {
          throw new Error('connection lost: postgres://user:hunter2@db')
        }) as never,
      }),
    })
    const headers = { authorization: `Bearer ${await world.sign()}` }
    await expect(world.authenticate({ headers })).rejects.toThrow('connection lost')
    expect(world.decisions).toHaveLength(1)
    expect(world.decisions[0]).toMatchObject({ outcome: 'failed', code: null, reason: 'internal_error' })
    expect(JSON.stringify(world.decisions)).not.toContain('hunter2')
  })

  it('is one for all mounts of a request, with the timings of them all and the last outcome', async () => {
    const world = createWorld()
    const { headers } = await world.person('ada', { [await world.org('acme')]: 'viewer' })
    const { request, answer } = answered({ headers })
    await world.auth.authorizer({ needs: 'user' })(request)
    await world.auth.authorizer({})(request)
    await refusalOf(world.auth.authorizer({ role: 'admin' })(request))
    expect(world.decisions).toEqual([])
    answer()
    expect(world.decisions).toMatchObject([{ outcome: 'refused', reason: 'role_too_low' }])
    expect(Object.keys(world.decisions[0]?.timings ?? {})).toEqual(['verify', 'users', 'orgs'])
  })

  it('holds no token, cookie, secret, key or e-mail', async () => {
    const world = createWorld()
    const canary = 'canary-5f1c'
    const orgId = await world.org('acme')
    await world.person(canary, { [orgId]: 'member' })
    const token = await world.sign({ sub: canary, email: `${canary}@example.test`, name: canary })
    const forged = await world.sign({ sub: canary }, { key: new Uint8Array(32) })
    const requests: readonly [FakeRequestOptions, Access?][] = [
      [{ headers: { authorization: `Bearer ${token}` } }],
      [{ headers: { authorization: `Bearer ${forged}` } }],
      [{ headers: { authorization: `Bearer ${canary}` } }],
      [{ headers: { authorization: canary } }],
      [{ headers: { authorization: `Token ${canary}` } }],
      [{ headers: { authorization: `Bearer ${await world.sign({ iss: `${canary}@example.test` })}` } }],
      [{ headers: { authorization: `Bearer ${await world.sign({ iss: token })}` } }],
      [{ headers: { authorization: `Bearer ${await world.sign({ sub: canary, aud: [canary, 'other'].join('@') })}` } }],
      [{ method: 'POST', headers: { cookie: `session=${token}`, 'sec-fetch-site': canary } }],
      [{ method: 'POST', headers: { cookie: `session=${token}`, origin: `https://${canary}@x.test/${canary}` } }],
      [{ headers: { authorization: [`Bearer ${token}`, canary] } }],
      [{ headers: { authorization: `Bearer tk_${canary}` } }, { accept: ['apiKey'] }],
      [{ headers: { cookie: `session=${token}` } }],
      [{ headers: { 'x-telephony-secret': SERVICE_SECRET } }, { accept: ['service'] }],
      [{ headers: { 'x-telephony-secret': canary } }, { accept: ['service'] }],
      [{ headers: { authorization: `Bearer ${token}`, 'x-org-id': canary } }],
    ]
    const errors: unknown[] = []
    for (const [request, access] of requests)
      await world.authenticate(request, access).catch((error) => errors.push(error))
    expect(world.decisions).toHaveLength(requests.length)
    const seen = JSON.stringify(world.decisions) + JSON.stringify(errors) + errors.map(String).join()
    for (const secret of [canary, token, forged, SERVICE_SECRET, token.split('.')[2] as string]) {
      expect(seen).not.toContain(secret)
    }
  })
})

describe('expected and got in a record', () => {
  const NOW = Date.parse('2026-01-02T03:04:05Z')
  const SECONDS = NOW / 1000

  /** The record of a request with a token of these claims, at an instant that is always the same. */
  async function recordOf(claims: TokenClaims, how?: SignOptions): Promise<Decision> {
    const verifier = createJwtVerifier({
      issuers: [{ issuer: issuer.issuer, keys: [{ kind: 'secret', secret: issuer.secret }], audience: ['one', 'two'] }],
      clock: () => NOW,
      maxTokenAgeSeconds: 600,
    })
    const world = createWorld({ auth: () => ({ verifier: verifier as never }) })
    const times = { iat: SECONDS - 60, exp: SECONDS + 60 }
    const token = await world.sign({ aud: 'one', ...times, ...claims }, how)
    await refusalOf(world.authenticate({ headers: { authorization: `Bearer ${token}` } }))
    return world.decisions[0] as Decision
  }

  const AT = '2026-01-02T03:04:05.000Z'
  it.each<[what: string, reason: RefusalReason, expected: string, got: string, () => Promise<Decision>]>([
    ['issuers', 'token_issuer_unknown', issuer.issuer, 'https://b.test', () => recordOf({ iss: 'https://b.test' })],
    ['no issuer', 'token_issuer_unknown', issuer.issuer, 'none', () => recordOf({ iss: undefined })],
    ['an issuer that is a list', 'token_issuer_unknown', issuer.issuer, 'object', () => recordOf({ iss: [] as never })],
    ['audiences', 'token_audience_other', 'one, two', 'three, four', () => recordOf({ aud: ['three', 'four'] })],
    ['types', 'token_type_refused', 'jwt, at+jwt', 'logout+jwt', () => recordOf({}, { typ: 'logout+jwt' })],
    [
      'an end',
      'token_expiry_passed',
      `exp > ${AT} - 5 s`,
      '2026-01-02T03:03:55.000Z, issued 2026-01-02T03:03:05.000Z',
      () => recordOf({ exp: SECONDS - 10, iat: SECONDS - 60 }),
    ],
    [
      'a beginning',
      'token_not_yet_valid',
      `nbf <= ${AT} + 5 s`,
      '2026-01-02T03:04:15.000Z',
      () => recordOf({ nbf: SECONDS + 10 }),
    ],
    [
      'an issue to come',
      'token_issued_in_future',
      `iat <= ${AT} + 5 s`,
      '2026-01-02T03:04:15.000Z',
      () => recordOf({ iat: SECONDS + 10 }),
    ],
    [
      'an age',
      'token_too_old',
      `iat > ${AT} - 600 s - 5 s`,
      '2026-01-02T02:04:05.000Z',
      () => recordOf({ iat: SECONDS - 3600 }),
    ],
    ['no age', 'token_too_old', `iat > ${AT} - 600 s - 5 s`, 'none', () => recordOf({ iat: undefined })],
    ['no time', 'token_time_malformed', 'exp in seconds', 'string', () => recordOf({ exp: 'soon' as never })],
  ])('say %s', async (_what, reason, expected, got, make) => {
    expect(await make()).toMatchObject({ reason, expected, got })
  })

  it('say algorithms', async () => {
    const world = createWorld()
    const foreign = await createTokenIssuer({ algorithms: ['ES256'], issuer: issuer.issuer })
    const headers = { authorization: `Bearer ${await foreign.sign({ aud: issuer.audience })}` }
    await refusalOf(world.authenticate({ headers }))
    expect(world.decisions[0]).toMatchObject({
      reason: 'token_algorithm_not_of_issuer',
      expected: 'HS256',
      got: 'ES256',
    })
  })

  const SERVICE = { 'x-telephony-secret': SERVICE_SECRET }
  const PLACES = 'Authorization: Bearer, Cookie: session, x-telephony-secret, x-billing-secret'
  it.each<[string, FakeRequestOptions, Access, Partial<Decision>]>([
    ['where a credential is looked for', {}, {}, { reason: 'credential_missing', expected: PLACES, got: 'none' }],
    [
      'another scheme, by its name alone',
      { headers: { authorization: 'Basic YTpi', cookie: 'session=x' } },
      {},
      { reason: 'credential_missing', expected: PLACES, got: 'Authorization: Basic' },
    ],
    [
      'an unknown scheme, not at all',
      { headers: { authorization: 'a-token-alone' } },
      {},
      { reason: 'credential_missing', expected: PLACES, got: 'Authorization: another scheme' },
    ],
    [
      'an empty header, beside which no cookie is read',
      { headers: { authorization: '', cookie: 'session=x' } },
      {},
      { reason: 'credential_missing', expected: PLACES, got: 'an empty Authorization' },
    ],
    [
      'white space alone',
      { headers: { authorization: ' \t' } },
      {},
      { reason: 'credential_missing', expected: PLACES, got: 'an empty Authorization' },
    ],
    [
      'kinds of credential',
      { headers: { authorization: 'Bearer x', ...SERVICE } },
      {},
      { reason: 'credential_ambiguous', expected: '1 credential', got: 'x-telephony-secret, bearer' },
    ],
    [
      'kinds of caller',
      { headers: SERVICE },
      { accept: ['user', 'apiKey'] },
      { reason: 'caller_kind_not_accepted', expected: 'user, apiKey', got: 'service:telephony' },
    ],
    [
      'another site',
      { method: 'POST', headers: { cookie: 'session=x', 'sec-fetch-site': 'cross-site' } },
      {},
      { reason: 'cross_site_request', expected: 'Sec-Fetch-Site: same-origin or none', got: 'cross-site' },
    ],
    [
      'another origin',
      { method: 'POST', headers: { cookie: 'session=x', host: 'a.test', origin: 'https://b.test' } },
      {},
      { reason: 'cross_site_request', expected: 'Origin: http://a.test', got: 'https://b.test' },
    ],
    [
      'neither',
      { method: 'POST', headers: { cookie: 'session=x' } },
      {},
      { reason: 'cross_site_request', expected: 'Sec-Fetch-Site or Origin', got: 'neither' },
    ],
  ])('say %s', async (_what, request, access, said) => {
    const world = createWorld()
    await refusalOf(world.authenticate(request, access))
    expect(world.decisions[0]).toMatchObject(said)
  })

  it('say roles', async () => {
    const world = createWorld()
    const { headers } = await world.person('ada', { [await world.org('acme')]: 'member' })
    await refusalOf(world.authenticate({ headers }, { role: 'admin' }))
    expect(world.decisions[0]).toMatchObject({ reason: 'role_too_low', expected: 'admin', got: 'member' })
  })

  it('say permissions', async () => {
    const world = createWorld()
    const key = world.apiKey({ orgId: await world.org('acme'), permissions: ['things:read', 'things:purge'] })
    const access: Access = { accept: ['apiKey'], permissions: ['things:write'] }
    await refusalOf(world.authenticate({ headers: { authorization: `Bearer ${key}` } }, access))
    const said = { reason: 'scope_missing', expected: 'things:write', got: 'things:read things:purge' }
    expect(world.decisions[0]).toMatchObject(said)
  })

  it('are null where nothing is refused, and where there is nothing to say', async () => {
    const world = createWorld()
    await world.authenticate({}, { optional: true })
    await refusalOf(
      world.authenticate({ headers: { authorization: `Bearer ${await world.sign({ exp: undefined })}` } }),
    )
    expect(world.decisions).toMatchObject([
      { reason: null, expected: null, got: null },
      { reason: 'token_without_expiry', expected: null, got: null },
    ])
  })

  it('take no part of a request as it is: no control character, no address, no more than 200 characters', async () => {
    const { got } = await recordOf({ iss: `https://user:pw@a.test/\n\u202e${'a '.repeat(200)}` })
    expect(got).toMatch(/^…@a\.test\/\u{fffd}\u{fffd}a a /u)
    expect(got).toHaveLength(200)
  })

  it('of an error by an older copy of this package are null', async () => {
    const world = createWorld()
    const { request, answer } = answered({})
    await world.auth.authorizer('public')(request)
    const { expected: _, got: __, ...older } = Object.assign(new AuthError('not_found'), {})
    world.auth.recordRefusal(request.source, Object.assign(older, { [Symbol.for('sallyport.AuthError')]: true }))
    answer()
    expect(world.decisions[0]).toMatchObject({ code: 'not_found', expected: null, got: null })
  })
})

describe('onDecision never changes an answer', () => {
  const hooks: readonly [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('audit is down')
      },
    ],
    [
      'throws null',
      () => {
        throw null
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('audit is down')
      },
    ],
    ['never settles', () => new Promise(() => undefined)],
    [
      'hands back a thenable that throws',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: a hook may hand back anything
        then: () => {
          throw new Error('no')
        },
      }),
    ],
    [
      'hands back something whose then can’t be read',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: a hook may hand back anything
        get then(): never {
          throw new Error('no')
        },
      }),
    ],
  ]

  it.each(hooks)('%s', async (_what, onDecision) => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): unknown => unhandled.push(reason)
    process.on('unhandledRejection', note)
    const world = createWorld({ auth: () => ({ onDecision }) })
    const { headers } = await world.person('ada', { [await world.org('acme')]: 'member' })
    expect(await world.authenticate({ headers })).toMatchObject({ kind: 'user' })
    expect((await refusalOf(world.authenticate({}))).reason).toBe('credential_missing')
    await new Promise((resolve) => setTimeout(resolve, 5))
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })

  it('times the steps to the microsecond, and by the clock that was handed in', async () => {
    let at = 1000
    const now = vi.spyOn(performance, 'now').mockImplementation(() => (at += 0.250_04))
    const world = createWorld({ auth: () => ({ clock: undefined }) })
    await world.authenticate({ headers: (await world.person('ada', {})).headers }, { needs: 'identity' })
    now.mockRestore()
    expect(world.decisions[0]?.timings).toEqual({ verify: 0.25 })

    const frozen = createWorld({ auth: () => ({ clock: () => 7 }) })
    await frozen.authenticate({ headers: (await frozen.person('ada', {})).headers }, { needs: 'identity' })
    expect(frozen.decisions[0]?.timings).toEqual({ verify: 0 })
  })

  it('says when by the clock that was handed in', async () => {
    const at = Date.parse('2026-01-02T03:04:05Z')
    const world = createWorld({ auth: () => ({ clock: () => at }) })
    await world.authenticate({}, { optional: true })
    expect(world.decisions[0]?.at).toEqual(new Date(at))
  })
})
