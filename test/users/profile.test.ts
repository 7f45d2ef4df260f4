/** The profile of a new person: asked once, with their token, before anything is decided or written; or nothing is written. */
import { describe, expect, it } from 'vitest'
import type { Identity, OrgSelection, Profile } from '../../src/context.ts'
import { AuthError } from '../../src/errors.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { ProfileOptions } from '../../src/users/profile.ts'
import type { Bootstrap } from '../../src/users/provision.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { createSyncRoute } from '../../src/users/sync.ts'
import { joiningAtOnce, newInvitation } from '../invitation.ts'
import { createWorld, refusalOf } from '../pipeline/world.ts'
import { countRows, identityOf } from './first-logins.ts'

const UNNAMED: OrgSelection = { kind: 'unnamed' }
const BARE = identityOf('ada', { email: null, emailVerified: null })
const NOTHING = { users: 0, orgs: 0 }

function provisionerWith(load: unknown, more: object = {}) {
  const storage = createMemoryStorage()
  const seen: Identity[] = []
  const bootstrap = ({ identity }: Bootstrap): void => void seen.push(identity)
  const profile = { load, ...more } as ProfileOptions
  const provision = createProvisioner({ storage, bootstrap, profile })
  return {
    storage,
    seen,
    provision: (identity = BARE, token?: string) => provision(identity, UNNAMED, undefined, token),
  }
}

describe('a profile', () => {
  it('is asked with token and identity, for a new person alone', async () => {
    const asked: unknown[] = []
    const { provision } = provisionerWith(async (token: string, identity: Identity, signal: AbortSignal) => {
      asked.push([token, identity.subject, signal.aborted])
      return {}
    })
    for (let i = 0; i < 2; i += 1) await provision(BARE, 'a.b.c')
    expect(asked).toEqual([['a.b.c', 'ada', false]])
  })

  it('is asked once for all first requests at a time', async () => {
    let asked = 0
    const { provision } = provisionerWith(async () => ({ email: `ada${asked++}@example.test` }))
    const users = await Promise.all(Array.from({ length: 20 }, () => provision(BARE, 't')))
    expect(asked).toBe(1)
    expect(new Set(users.map(({ user }) => user.email))).toEqual(new Set(['ada0@example.test']))
  })

  it.each<[string, Profile, Partial<Identity>, Partial<Identity>]>([
    ['an e-mail, verified', { email: 'a@b.test', emailVerified: true }, {}, { email: 'a@b.test', emailVerified: true }],
    [
      'an e-mail, not verified',
      { email: 'a@b.test', emailVerified: false },
      {},
      { email: 'a@b.test', emailVerified: false },
    ],
    ['an e-mail alone', { email: 'a@b.test' }, {}, { email: 'a@b.test', emailVerified: null }],
    [
      'an e-mail, verified by a text',
      { email: 'a@b.test', emailVerified: 'true' as never },
      {},
      { emailVerified: false },
    ],
    ['what is no e-mail', { email: 'nobody', emailVerified: true }, {}, { email: null, emailVerified: null }],
    [
      'another e-mail: the token’s word on its own says nothing of it',
      { email: 'a@b.test' },
      { email: 'token@b.test', emailVerified: true },
      { email: 'a@b.test', emailVerified: null },
    ],
    [
      'no e-mail: what the token says stays',
      { emailVerified: true, name: null },
      { email: 'token@b.test', emailVerified: false, name: 'Ada' },
      { email: 'token@b.test', emailVerified: false, name: 'Ada' },
    ],
    ['a name', { name: ' Ada Lovelace ' }, { name: 'A.' }, { name: 'Ada Lovelace' }],
    ['what is no name', { name: 'a\nb' }, { name: 'A.' }, { name: null }],
  ])('gives %s', async (_, profile, token, expected) => {
    const { provision, seen } = provisionerWith(async () => profile)
    const { user } = await provision({ ...BARE, ...token }, 't')
    expect(seen[0]).toMatchObject({ subject: 'ada', issuer: BARE.issuer, kind: 'person', ...expected })
    expect(Object.isFrozen(seen[0])).toBe(true)
    if ('email' in expected) expect(user.email).toBe(expected.email)
  })

  it('decides about an invitation, by its own word on whether the address is verified', async () => {
    for (const isVerified of [true, false]) {
      const storage = createMemoryStorage()
      const org = await storage.transaction(({ orgs }) => orgs.insert({ name: 'acme' }))
      await storage.invitations.insert(newInvitation({ orgId: org.id, email: 'ada@example.test', role: 'member' }))
      const profile = { load: async () => ({ email: 'ada@example.test', emailVerified: isVerified }) }
      const provision = createProvisioner({ storage, invitations: joiningAtOnce(storage), profile })
      const { user } = await provision(BARE, UNNAMED, undefined, 't')
      const [acting] = await storage.memberships.listActing({ kind: 'user', user })
      expect(acting?.org.id === org.id).toBe(isVerified)
    }
  })
})

describe('a profile that can’t be had', () => {
  it.each<[string, () => unknown]>([
    ['a rejection', () => Promise.reject(new TypeError('fetch failed'))],
    [
      'a throw',
      () => {
        throw new Error('mine')
      },
    ],
  ])('is 503 by %s, with its cause, and nothing is written; the next request asks again', async (_, fail) => {
    let isFailing = true
    const { provision, storage } = provisionerWith(async () => (isFailing ? fail() : {}))
    const refusal = await refusalOf(provision(BARE, 't'))
    expect(refusal).toMatchObject({ code: 'temporarily_unavailable', reason: 'profile_not_loaded' })
    expect(refusal.cause).toBeInstanceOf(Error)
    expect(await countRows(storage)).toEqual(NOTHING)
    isFailing = false
    expect((await provision(BARE, 't')).created).toBe(true)
  })

  it('is 503 where it takes too long, its signal aborted', async () => {
    let aborted: AbortSignal | undefined
    const { provision, storage } = provisionerWith(
      (_token: string, _identity: Identity, signal: AbortSignal) => {
        aborted = signal
        return new Promise(() => undefined)
      },
      { timeoutSeconds: 1 },
    )
    expect(await refusalOf(provision(BARE, 't'))).toMatchObject({ reason: 'profile_not_loaded' })
    expect(aborted?.aborted).toBe(true)
    expect(await countRows(storage)).toEqual(NOTHING)
  })

  it('refuses by an AuthError of the host’s', async () => {
    const { provision, storage } = provisionerWith(() => Promise.reject(new AuthError('forbidden', { reason: 'mine' })))
    expect(await refusalOf(provision(BARE, 't'))).toMatchObject({ code: 'forbidden', reason: 'mine' })
    expect(await countRows(storage)).toEqual(NOTHING)
  })

  it.each([undefined, null, 'ada@example.test', true])('is the host’s fault by answering %j', async (answer) => {
    const { provision, storage } = provisionerWith(async () => answer)
    await expect(provision(BARE, 't')).rejects.toThrow('must answer an object')
    expect(await countRows(storage)).toEqual(NOTHING)
  })

  it('is a fault where no token is handed on', async () => {
    const { provision } = provisionerWith(async () => ({}))
    await expect(provision()).rejects.toThrow('needs the token')
  })
})

it.each<[object, RegExp]>([
  [{ profile: {} }, /profile\.load/],
  [{ profile: { load: 'https://x.test' } }, /profile\.load/],
  [{ profile: { load: async () => ({}), timeoutSeconds: 0 } }, /profile\.timeoutSeconds/],
  [{ profile: { load: async () => ({}), timeoutSeconds: 11 } }, /profile\.timeoutSeconds/],
  [{ profile: { load: async () => ({}), timeout: 1 } }, /profile\.timeout/],
])('construction refuses %j', (options, message) => {
  expect(() => createProvisioner({ storage: createMemoryStorage(), ...options } as never)).toThrow(message)
})

describe('in a request', () => {
  const load = async (token: string, { subject }: Identity): Promise<Profile> => ({
    email: `${subject}@profile.test`,
    name: String(token.split('.').length),
  })

  it('the token is the one that came, by whichever route', async () => {
    const names: (string | null)[] = []
    const world = createWorld({
      auth: (storage) => ({
        users: createProvisioner({
          storage,
          profile: { load },
          bootstrap: ({ identity }) => void names.push(identity.name),
        }) as never,
      }),
    })
    const headers = { authorization: `Bearer ${await world.sign({ sub: 'ada', email: undefined })}` }
    const context = await world.authenticate({ headers }, { needs: 'user' })
    expect(context).toMatchObject({ user: { email: 'ada@profile.test' }, identity: { email: null, name: null } })
    const cookie = { cookie: `session=${await world.sign({ sub: 'bob' })}` }
    expect(await world.authenticate({ headers: cookie }, { needs: 'user' })).toMatchObject({
      user: { email: 'bob@profile.test' },
    })
    expect(names).toEqual(['3', '3'])
  })

  it('the sync route has it too', async () => {
    const world = createWorld()
    const provision = createProvisioner({ storage: world.storage, profile: { load } })
    const route = createSyncRoute({ provision, memberships: world.storage.memberships })
    const request = { method: 'POST', headers: { authorization: `Bearer ${await world.sign({ sub: 'ada' })}` } }
    const context = await world.authenticate(request, route.access)
    const { status, body } = await route.handle(context as never, {} as never)
    expect([status, JSON.parse(body ?? '')]).toEqual([
      201,
      { data: { user: expect.objectContaining({ email: 'ada@profile.test' }) } },
    ])
  })
})
