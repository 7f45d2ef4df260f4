/**
 * A token that is good in every respect, but whose bearer is no person of this service (a machine, a guest, a third party's
 * app), made a user with an org of its own. It is 403 wherever people call, and nobody is looked up or made.
 */
import { describe, expect, it } from 'vitest'
import { createJwtVerifier, createProvisioner, createSyncGate, createSyncRoute, supabase } from '../../src/index.ts'
import type { Access } from '../../src/request.ts'
import { createWorld, issuer, refusalOf, SERVICE_SECRET, type World } from '../pipeline/world.ts'

const { issuer: name, secret, audience } = issuer
const PRESETS = {
  'options written out': { issuer: name, keys: [{ kind: 'secret', secret }] },
  supabase: supabase({ issuer: name, secret }),
} as const

const MACHINES: readonly (readonly [string, object])[] = [
  ['whose subject is its client_id (RFC 9068)', { sub: 'client', client_id: 'client' }],
  ['whose subject is its azp', { sub: 'client', azp: 'client' }],
  ['whose subject is its cid', { sub: 'client', cid: 'client' }],
  ['of Auth0', { sub: 'client@clients', gty: 'client-credentials', azp: 'client' }],
  ['of Auth0 in the profile of RFC 9068', { sub: 'client@clients', client_id: 'client' }],
  ['of Kinde', { azp: 'client', gty: ['client_credentials'] }],
  ['of a grant named in full', { grant_type: 'client_credentials' }],
  ['of an app at Entra', { idtyp: 'app' }],
]

function createWorldOf(preset: keyof typeof PRESETS, syncFirst = false): World {
  const verifier = createJwtVerifier({ issuers: [{ ...PRESETS[preset], audience }] })
  return createWorld({
    auth: ({ users }) => ({ verifier, ...(syncFirst ? { users: createSyncGate({ users }) } : {}) }) as never,
  })
}

const ROUTES: readonly Access[] = [{}, { needs: 'user' }, { needs: 'identity' }, { optional: true }, { role: 'owner' }]

async function expectNobody(world: World, claims: object, reason: string): Promise<void> {
  const token = await world.sign({ sub: 'somebody', email: 'ada@example.test', ...claims })
  const headers = { authorization: `Bearer ${token}` }
  world.calls.length = 0
  for (const access of ROUTES) {
    // Twice: the second time it might come from a cache. The org header is malformed, but nobody gets so far.
    for (const more of [{}, { 'x-org-id': 'no id' }]) {
      const refusal = await refusalOf(world.authenticate({ headers: { ...headers, ...more } }, access))
      expect(refusal).toMatchObject({ code: 'forbidden', reason })
    }
  }
  const cookie = await refusalOf(world.authenticate({ headers: { cookie: `session=${token}` } }))
  expect(cookie).toMatchObject({ code: 'forbidden', reason })
  // Asked for services, it is as welcome as any token of a person.
  expect(await refusalOf(world.authenticate({ headers }, { accept: ['service'] }))).toMatchObject({ code: 'forbidden' })
  expect(world.calls).toEqual([])
}

describe.each(['options written out', 'supabase'] as const)('a machine, %s', (preset) => {
  it.each(MACHINES)('%s, is 403 and nobody is made', async (_, claims) => {
    // What else the issuer's options refuse they refuse of machines too.
    const isApp = preset === 'supabase' && 'client_id' in claims
    await expectNobody(createWorldOf(preset), claims, isApp ? 'third_party_app' : 'token_of_a_machine')
  })
})

it.each<[string, object]>([
  ['a client beside a subject', { client_id: 'client', azp: 'client' }],
  ['a client that is no text', { sub: '7', client_id: 7 }],
  ['a grant of a person', { gty: 'password' }],
  ['a grant that is an object', { gty: { 'client-credentials': true } }],
  ['an app of a user', { idtyp: 'user' }],
])('%s makes nobody a machine', async (_, claims) => {
  const world = createWorldOf('options written out')
  const token = await world.sign({ sub: 'somebody', ...claims })
  await expect(world.authenticate({ headers: { authorization: `Bearer ${token}` } })).resolves.toMatchObject({
    kind: 'user',
  })
})

describe('a guest of a Supabase project (an anonymous sign-in)', () => {
  it('is 403 and nobody is made', async () => {
    await expectNobody(createWorldOf('supabase'), { is_anonymous: true }, 'anonymous_user')
  })

  it('is 403, not 428, behind a sync gate', async () => {
    await expectNobody(createWorldOf('supabase', true), { is_anonymous: true }, 'anonymous_user')
  })

  it('is 403 where the user has been known before', async () => {
    const world = createWorldOf('supabase')
    await world.person('somebody')
    await expectNobody(world, { is_anonymous: true }, 'anonymous_user')
  })

  it('is 403 on the sync route, which makes nobody', async () => {
    const world = createWorldOf('supabase')
    const provision = createProvisioner({ storage: world.storage })
    const { access } = createSyncRoute({ provision, memberships: world.storage.memberships })
    const token = await world.sign({ is_anonymous: true })
    const authenticating = world.authenticate({ method: 'POST', headers: { authorization: `Bearer ${token}` } }, access)
    expect((await refusalOf(authenticating)).reason).toBe('anonymous_user')
  })

  it.each([false, 'true', 1, null])('is told by the boolean alone: not by %j', async (value) => {
    const world = createWorldOf('supabase')
    const token = await world.sign({ is_anonymous: value })
    await expect(world.authenticate({ headers: { authorization: `Bearer ${token}` } })).resolves.toMatchObject({
      kind: 'user',
    })
  })

  it('comes in where the host accepts guests', async () => {
    const verifier = createJwtVerifier({ issuers: [supabase({ issuer: name, secret, anonymous: 'accept', audience })] })
    await expect(verifier.verify(await issuer.sign({ is_anonymous: true }))).resolves.toBeDefined()
  })
})

describe('a third-party app of a Supabase project’s OAuth server', () => {
  it.each<unknown>(['9d3f', '', null, 7])('is 403 and nobody is made: client_id %j', async (id) => {
    await expectNobody(createWorldOf('supabase'), { client_id: id }, 'third_party_app')
  })

  it('comes in where the host lists it, and no other', async () => {
    const verifier = createJwtVerifier({
      issuers: [supabase({ issuer: name, secret, apps: ['one', 'two'], audience })],
    })
    for (const id of ['one', 'two', 'one']) {
      await expect(verifier.verify(await issuer.sign({ client_id: id }))).resolves.toBeDefined()
    }
    for (const id of ['three', 'ONE', 'one ', ['one']]) {
      const refused = refusalOf(verifier.verify(await issuer.sign({ client_id: id })))
      expect(await refused).toMatchObject({ code: 'forbidden', reason: 'third_party_app' })
    }
  })
})

it('a service is not asked what it is by the issuer of people', async () => {
  const world = createWorldOf('supabase')
  const headers = { 'x-telephony-secret': SERVICE_SECRET }
  await expect(world.authenticate({ headers }, { accept: ['service'] })).resolves.toMatchObject({ kind: 'service' })
})

describe('accepts, the host’s own word on who may call', () => {
  const verifierOf = (accepts: unknown) =>
    createJwtVerifier({ issuers: [{ ...PRESETS['options written out'], accepts: accepts as never, audience }] })

  it('is handed the claims, frozen and without a prototype, and lets in by true', async () => {
    const seen: object[] = []
    const verifier = verifierOf((claims: object) => seen.push(claims) > 0)
    await verifier.verify(await issuer.sign({ sub: 'u', level: 3 }))
    expect(seen).toEqual([expect.objectContaining({ sub: 'u', level: 3 })])
    expect(Object.isFrozen(seen[0])).toBe(true)
    expect(Object.getPrototypeOf(seen[0])).toBeNull()
  })

  it('refuses by false', async () => {
    const refused = refusalOf(verifierOf(() => false).verify(await issuer.sign()))
    expect(await refused).toMatchObject({ code: 'forbidden', reason: 'token_kind_not_accepted' })
  })

  it.each([undefined, null, 1, 'yes', Promise.resolve(true)])(
    'lets nobody in by %j: the host’s fault',
    async (answer) => {
      const verifying = verifierOf(() => answer).verify(await issuer.sign())
      await expect(verifying).rejects.toThrow('must answer true or false')
    },
  )

  it('is not asked about a token that does not verify, nor one that the host’s check refuses', async () => {
    const accepts = (): boolean => expect.fail('asked')
    const verifier = createJwtVerifier({
      issuers: [{ ...PRESETS['options written out'], accepts, audience, check: () => false }],
    })
    expect((await refusalOf(verifier.verify(await issuer.sign({ aud: 'other' })))).code).toBe('unauthorized')
    expect((await refusalOf(verifier.verify(await issuer.sign()))).code).toBe('unauthorized')
  })
})
