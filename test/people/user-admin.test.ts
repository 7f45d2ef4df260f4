/** Users whom an operator disables, enables and gives another identity; what such an admin is made of (M13, M17). */
import { describe, expect, it } from 'vitest'
import { createUserAdmin } from '../../src/people/user-admin.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { createJwtVerifier } from '../../src/verify/jwt-verifier.ts'
import { reasonOf, refusalOf } from '../pipeline/world.ts'
import { identityOf } from '../users/first-logins.ts'
import { createTestClock } from '../verify/bench.ts'
import { STORAGES } from './storages.ts'
import { createUserAdminWorld, ISSUER, NOBODY, ROLES } from './user-admin-world.ts'

const UNNAMED = { kind: 'unnamed' } as const
const NEW = 'https://new.test'
const clock = createTestClock()
const issuerOf = (issuer: string) => createTokenIssuer({ issuer, algorithms: ['ES256'], clock })
const [before, after] = await Promise.all([issuerOf(ISSUER), issuerOf(NEW)])
const verifier = createJwtVerifier({
  clock,
  cache: null,
  issuers: [before, after].map(({ issuer, audience, jwks }) => ({
    ...{ issuer, audience, keys: [{ kind: 'jwks', keys: jwks().keys }] },
  })) as never,
})
const [from, to] = [
  { issuer: ISSUER, subject: 'ada' },
  { issuer: NEW, subject: 'ada-2' },
]
const tokens = async () => ({
  from: { token: await before.sign({ sub: 'ada' }) },
  to: { token: await after.sign({ sub: 'ada-2' }) },
})

async function createWorld(storage = createMemoryStorage() as Parameters<typeof createUserAdminWorld>[0]) {
  const world = createUserAdminWorld(storage, { verifier })
  const ada = await world.user('ada')
  const org = await world.org('Acme', [ada, 'owner'])
  const ownerOf = async (identity: { issuer: string; subject: string }) =>
    (await storage.users.findByIdentity(identity, UNNAMED))?.user.id ?? null
  return { ...world, ada, org, ownerOf }
}

describe('disable and enable', () => {
  it('refuse a user from the next request on, owners too, and let them in again', async () => {
    const { admin, storage, events, ada, org, membersOf } = await createWorld()
    const provision = createProvisioner({ storage })
    const comes = () => provision(identityOf('ada', { issuer: ISSUER }), UNNAMED)
    expect(await admin.disable(ada.id)).toEqual({ ...ada, disabled: true })
    expect(await admin.disable(ada.id)).toEqual({ ...ada, disabled: true })
    expect(await reasonOf(comes)).toBe('user_disabled')
    expect(await membersOf(org.id)).toEqual({ [ada.id]: 'owner' })
    expect(await admin.enable(ada.id)).toEqual(ada)
    expect((await comes()).user).toEqual(ada)
    const event = { userId: ada.id, endedKeyIds: [], at: expect.any(Date) }
    expect(events).toEqual([
      { kind: 'user_disabled', ...event },
      { kind: 'user_disabled', ...event },
      { kind: 'user_enabled', ...event },
    ])
    expect(events.every(Object.isFrozen)).toBe(true)
    expect(await storage.users.count()).toBe(1)
  })

  it('end the API keys that they made, where that is asked for', async () => {
    const { admin, storage, events, ada, org, key, user } = await createWorld()
    await key('KeyOfAda0001', ada.id, org.id)
    await key('KeyOfBob0001', (await user('bob')).id, org.id)
    await admin.disable(ada.id)
    expect(await storage.apiKeys.findById('KeyOfAda0001')).toMatchObject({ revokedAt: null })
    await admin.disable(ada.id, { endApiKeys: true })
    expect((await storage.apiKeys.findById('KeyOfAda0001'))?.revokedAt).toBeInstanceOf(Date)
    expect(await storage.apiKeys.findById('KeyOfBob0001')).toMatchObject({ revokedAt: null })
    expect(events.at(-1)).toMatchObject({ kind: 'user_disabled', endedKeyIds: ['KeyOfAda0001'] })
  })

  it.each(['', NOBODY, 'x\0', undefined])('know nobody called %j', async (id) => {
    const { admin, events } = await createWorld()
    for (const asked of [() => admin.disable(id as string), () => admin.enable(id as string)]) {
      expect(await refusalOf(asked())).toMatchObject({ code: 'not_found', reason: 'person_unknown' })
    }
    expect(events).toEqual([])
  })

  it('take no option that they do not know', async () => {
    const { admin, ada } = await createWorld()
    await expect(admin.disable(ada.id, { endApiKeys: false } as never)).rejects.toThrow(/"endApiKeys" must be true/)
    await expect(admin.disable(ada.id, { endKeys: true } as never)).rejects.toThrow(/unknown option "endKeys"/)
  })
})

describe('moveIdentity', () => {
  it.each(STORAGES)('gives a user the identity that both tokens prove, in $name', async ({ open }) => {
    const { admin, storage, events, ada, org, ownerOf, membersOf } = await createWorld(await open())
    const proved = await tokens()
    expect(await admin.moveIdentity(proved.from, proved.to)).toEqual({ ...ada, ...to })
    expect([await ownerOf(from), await ownerOf(to)]).toEqual([null, ada.id])
    expect(await membersOf(org.id)).toEqual({ [ada.id]: 'owner' })
    expect(events).toEqual([{ kind: 'identity_moved', userId: ada.id, from, to, operator: null, at: expect.any(Date) }])
    // Who comes by the old one is somebody new.
    const { user } = await createProvisioner({ storage })(identityOf('ada', { issuer: ISSUER }), UNNAMED)
    expect(user.id).not.toBe(ada.id)
  })

  it('moves what an operator vouches for, and says who that was', async () => {
    const { admin, events, ada, ownerOf } = await createWorld()
    expect((await admin.moveIdentity(from, to, { operator: 'grace' })).id).toBe(ada.id)
    const mixed = await admin.moveIdentity({ token: await after.sign({ sub: 'ada-2' }) }, from, { operator: 'grace' })
    expect([mixed.id, await ownerOf(from)]).toEqual([ada.id, ada.id])
    expect(events).toMatchObject([
      { from, to, operator: 'grace' },
      { from: to, to: from, operator: 'grace' },
    ])
  })

  it('is refused for what is neither proved nor vouched for, before anybody is looked up', async () => {
    const { admin, ada, ownerOf } = await createWorld()
    const proved = await tokens()
    for (const [one, other] of [[from, to] as const, [proved.from, to] as const, [from, proved.to] as const]) {
      expect(await refusalOf(admin.moveIdentity(one, other))).toMatchObject({
        ...{ code: 'forbidden', reason: 'identity_not_proved' },
      })
    }
    const nobody = { issuer: ISSUER, subject: 'nobody' }
    expect(await reasonOf(() => admin.moveIdentity(nobody, to))).toBe('identity_not_proved')
    expect([await ownerOf(from), await ownerOf(to)]).toEqual([ada.id, null])
  })

  it('is refused by a token that does not verify, or no longer, whoever vouches', async () => {
    const { admin, ada, ownerOf } = await createWorld()
    const old = await tokens()
    clock.tick(7200)
    const fresh = await tokens()
    const foreign = await before.sign({ sub: 'ada-2', iss: NEW })
    const cases = [
      [old.from, fresh.to, 'token_expired'],
      [fresh.from, old.to, 'token_expired'],
      [fresh.from, { token: foreign }, 'unauthorized'],
      [{ token: 'x' }, fresh.to, 'unauthorized'],
      [{ token: '' }, fresh.to, 'unauthorized'],
    ] as const
    for (const [one, other, code] of cases) {
      for (const by of [undefined, { operator: 'grace' }]) {
        expect(await refusalOf(admin.moveIdentity(one, other, by))).toMatchObject({ code })
      }
    }
    expect(await ownerOf(from)).toBe(ada.id)
  })

  it('is refused by a token that nobody stands behind', async () => {
    const { admin } = await createWorld()
    const machine = { token: await after.sign({ sub: 'ci', client_id: 'ci' }) }
    const proved = await tokens()
    for (const [one, other] of [[proved.from, machine] as const, [machine, proved.to] as const]) {
      expect(await refusalOf(admin.moveIdentity(one, other, { operator: 'grace' }))).toMatchObject({
        ...{ code: 'forbidden', reason: 'moved_to_a_machine' },
      })
    }
  })

  it('is refused by a token by which somebody acts for the person, unless an operator vouches', async () => {
    const { admin, ada, ownerOf } = await createWorld()
    const proved = await tokens()
    const act = { sub: 'desk' }
    const [one, other] = [
      { token: await before.sign({ sub: 'ada', act }) },
      { token: await after.sign({ sub: 'ada-2', act }) },
    ]
    for (const pair of [[one, proved.to] as const, [proved.from, other] as const]) {
      expect(await refusalOf(admin.moveIdentity(...pair))).toMatchObject({
        ...{ code: 'forbidden', reason: 'moved_by_an_actor' },
      })
    }
    expect(await ownerOf(from)).toBe(ada.id)
    expect(await admin.moveIdentity(one, other, { operator: 'grace' })).toMatchObject({ id: ada.id })
  })

  it.each(STORAGES)('never takes an identity that is somebody’s, disabled or not, in $name', async ({ open }) => {
    const { admin, storage, events, ada, ownerOf } = await createWorld(await open())
    const { user: bob } = await storage.users.upsertByIdentity({ ...to, email: null })
    const proved = await tokens()
    for (const disabled of [false, true]) {
      await storage.users.setDisabled(bob.id, disabled)
      expect(await refusalOf(admin.moveIdentity(proved.from, proved.to))).toMatchObject({
        ...{ code: 'conflict', reason: 'identity_taken' },
      })
      expect(await reasonOf(() => admin.moveIdentity(from, to, { operator: 'grace' }))).toBe('identity_taken')
    }
    expect([await ownerOf(from), await ownerOf(to), events]).toEqual([ada.id, bob.id, []])
  })

  it.each(STORAGES)(
    'gives one identity to one of any number who are moved to it at once, in $name',
    async ({ open }) => {
      const { admin, storage, user, events, ownerOf } = await createWorld(await open())
      const people = await Promise.all(Array.from({ length: 8 }, (_, i) => user(`person-${i}`)))
      const moves = people.map(({ issuer, subject }) =>
        admin.moveIdentity({ issuer, subject }, to, { operator: 'grace' }),
      )
      const outcomes = await Promise.allSettled(moves)
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const reasons = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason.reason] : []))
      expect(new Set(reasons)).toEqual(new Set(['identity_taken']))
      expect(people.map(({ id }) => id)).toContain(await ownerOf(to))
      expect([events.length, await storage.users.count()]).toEqual([1, 9])
    },
  )

  it('knows nobody by an identity that is nobody’s', async () => {
    const { admin } = await createWorld()
    const nobody = { token: await before.sign({ sub: 'nobody' }) }
    expect(await refusalOf(admin.moveIdentity(nobody, (await tokens()).to))).toMatchObject({
      ...{ code: 'not_found', reason: 'person_unknown' },
    })
  })

  it('leaves a disabled user where they are, unless an operator moves them: nobody frees an identity that is blocked', async () => {
    const { admin, storage, ada, ownerOf } = await createWorld()
    await admin.disable(ada.id)
    const proved = await tokens()
    expect(await refusalOf(admin.moveIdentity(proved.from, proved.to))).toMatchObject({
      ...{ code: 'forbidden', reason: 'moved_user_disabled' },
    })
    expect([await ownerOf(from), await ownerOf(to)]).toEqual([ada.id, null])
    expect(await admin.moveIdentity(proved.from, proved.to, { operator: 'grace' })).toMatchObject({ disabled: true })
    expect(await storage.users.findById(ada.id)).toMatchObject({ ...to, disabled: true })
  })

  it('writes nothing where both identities are one already', async () => {
    const { admin, events, ada } = await createWorld()
    const proof = (await tokens()).from
    expect(await admin.moveIdentity(proof, proof)).toEqual(ada)
    expect(events).toEqual([])
    const nobody = { issuer: ISSUER, subject: 'nobody' }
    expect(await reasonOf(() => admin.moveIdentity(nobody, nobody, { operator: 'grace' }))).toBe('person_unknown')
  })

  it.each<[string, unknown, unknown, unknown, RegExp]>([
    ['no proof', null, to, undefined, /"from" must be \{ token \} or \{ issuer, subject \}/],
    ['a token and an identity', { ...from, token: 'x' }, to, undefined, /"from" must be/],
    ['half an identity', from, { issuer: NEW }, undefined, /"to" must be/],
    ['an operator without a name', from, to, { operator: ' ' }, /"by.operator" must be/],
    ['a name alone', from, to, 'grace', /"by" must be/],
  ])('must not be given %s', async (_, one, other, by, message) => {
    const { admin } = await createWorld()
    await expect(admin.moveIdentity(one as never, other as never, by as never)).rejects.toThrow(message)
  })

  it('needs a verifier for tokens', async () => {
    const { admin } = createUserAdminWorld(createMemoryStorage())
    const proved = await tokens()
    await expect(admin.moveIdentity(proved.from, proved.to)).rejects.toThrow(/"verifier" is required/)
  })
})

describe('createUserAdmin', () => {
  const storage = createMemoryStorage()
  const { anonymize: _, ...users } = storage.users

  it.each<[string, object, RegExp]>([
    ['no storage', { storage: undefined }, /"storage"/],
    ['a storage that erases nobody', { storage: { ...storage, users } }, /"storage" must be .*users\.anonymize/],
    ['a storage without transactions', { storage: { ...storage, transaction: undefined } }, /"storage" must be/],
    ['no roles', { roles: undefined }, /"roles"/],
    ['a role that is none', { ownerRole: 'boss' }, /"ownerRole" must be one of the roles/],
    ['an admin’s role that is none', { adminRole: 'boss' }, /"adminRole" must be one of the roles/],
    ['a verifier that verifies nothing', { verifier: {} }, /"verifier" must be an object with verify/],
    ['sets of permissions and no owner', { roles: { a: ['x'], b: ['y'] } }, /"ownerRole" is required/],
    ['an option that it does not know', { verifiers: [] }, /unknown option "verifiers"/],
  ])('refuses %s', (_name, over, message) => {
    const create = () => createUserAdmin({ storage, roles: ROLES, ...over } as never)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(message)
  })

  it('needs the role of admins where the roles are sets and an account is to be erased', async () => {
    const options = { storage, roles: { a: ['x'], b: ['y'] }, ownerRole: 'a' } as const
    const account = await storage.accounts.accounts.insert({
      ...{ email: 'ada@example.test', passwordHash: null, role: 'a', createdAt: new Date() },
    })
    await expect(createUserAdmin(options).eraseAccount(account.id)).rejects.toThrow(/"adminRole" is required/)
    expect(await createUserAdmin({ ...options, adminRole: 'b' }).eraseAccount(account.id)).toMatchObject({ orgs: [] })
  })

  it('tries again after a failure of the moment, and says where that did not help', async () => {
    let failures = 2
    const failing = {
      ...storage,
      transaction: (work: never) =>
        failures-- > 0 ? Promise.reject(new TransientError('busy')) : storage.transaction(work),
    }
    const { admin, user } = createUserAdminWorld(failing as never)
    const ada = await user('eve')
    expect(await admin.disable(ada.id)).toMatchObject({ disabled: true })
    failures = 10
    expect(await refusalOf(admin.enable(ada.id))).toMatchObject({ code: 'temporarily_unavailable' })
  })
})
