/** One decision record per request: why it ended as it did, never a secret, and never a say in the answer. */
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../src/context.ts'
import { AuthError } from '../../src/errors.ts'
import type { Access, AuthRequest } from '../../src/request.ts'
import { type FakeRequestOptions, fakeRequest } from './fake-request.ts'
import { createWorld, refusalOf, SERVICE_SECRET } from './world.ts'

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
    ['a UUID by default', undefined, /^[0-9a-f-]{36}$/],
  ] as const)('calls its request by %s', async (_what, requestId, expected) => {
    const world = createWorld({ auth: () => ({ requestId: requestId as never }) })
    await world.authenticate({}).catch(() => null)
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

  it('has no key and no token that somebody put into the path', async () => {
    const key = `itk_${'a'.repeat(12)}_${'b'.repeat(43)}_${'c'.repeat(6)}`
    const { decision } = await decisionOf(async () => [{ path: `/api/keys/${key}/rotate` }])
    expect(decision.path).toBe('/api/keys/…/rotate')
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

  it('times by the clock that was handed in', async () => {
    const at = Date.parse('2026-01-02T03:04:05Z')
    const world = createWorld({ auth: () => ({ clock: () => at }) })
    await world.authenticate({}, { optional: true })
    expect(world.decisions[0]?.at).toEqual(new Date(at))
  })
})
