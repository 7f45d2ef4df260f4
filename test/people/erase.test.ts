/** Somebody is erased: every place that says something of them, what stays, what is refused, and what becomes of their organizations (M15–M17). */
import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { Member } from '../../src/storage/repositories.ts'
import type { StoredUser } from '../../src/storage/shipped-storage.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { reasonOf, refusalOf } from '../pipeline/world.ts'
import { identityOf } from '../users/first-logins.ts'
import { STORAGES } from './storages.ts'
import { createUserAdminWorld, HASH, ISSUER, invite, NOBODY, PHC, type UserAdminWorld } from './user-admin-world.ts'

const UNNAMED = { kind: 'unnamed' } as const
const FREED = { identity: 'freed', emptyOrgs: 'remove' } as const
const BLOCKED = { identity: 'blocked', emptyOrgs: 'keep' } as const
const identity = (subject: string) => identityOf(subject, { issuer: ISSUER })

/** Ada, a member of three organizations, with everything that can be stored about her; Bob beside her in one of them. */
let now = Date.parse('2026-11-20T10:00:00Z')
async function createFullWorld(storage = createMemoryStorage({ clock: () => now++ }) as UserAdminWorld['storage']) {
  const world = createUserAdminWorld(storage)
  const [ada, bob] = [await world.user('ada'), await world.user('bob')]
  const own = await world.org('ada@example.test', [ada, 'owner'])
  const shared = await world.org('Acme of ada@example.test', [bob, 'owner'], [ada, 'member'])
  const alone = await world.org('Team', [ada, 'owner'])
  await invite(world, shared.id, 'eve@example.test', ada.id)
  await invite(world, shared.id, 'ada@example.test', bob.id)
  await invite(world, shared.id, 'zoe@example.test', bob.id)
  await world.key('AdaKeyShared', ada.id, shared.id)
  await world.key('AdaKeyNoOrg1', ada.id, null)
  await world.key('BobKeyShared', bob.id, shared.id)
  await world.account('root@example.test', 'owner')
  const account = await world.account('ada@example.test')
  await world.key('AccountKey01', account.id, null)
  return { ...world, ada, bob, own, shared, alone, account }
}

describe.each(STORAGES)('erase, in $name', ({ open }) => {
  it('leaves nothing of a person but a row that says who is meant, and everybody else’s as it was', async () => {
    const world = await createFullWorld(await open())
    const { storage, admin, events, ada, bob, own, shared, alone, account } = world
    const erased = await admin.erase(ada.id, { ...FREED, account: account.id })
    expect(erased).toMatchObject({ userId: ada.id, accountId: account.id, identity: 'freed', invitations: 2 })
    expect(Object.fromEntries(erased.orgs.map(({ orgId, fate }) => [orgId, fate]))).toEqual({
      [own.id]: 'removed',
      [shared.id]: 'left',
      [alone.id]: 'removed',
    })
    expect([...erased.endedKeyIds].sort()).toEqual(['AccountKey01', 'AdaKeyNoOrg1', 'AdaKeyShared'])
    const row = await storage.users.findById(ada.id)
    expect(row).toEqual({ ...ada, issuer: 'urn:sallyport:erased', subject: ada.id, email: null, disabled: true })
    expect(await world.membersOf(own.id)).toBeNull()
    expect(await world.membersOf(alone.id)).toBeNull()
    expect(await world.membersOf(shared.id)).toEqual({ [bob.id]: 'owner' })
    expect(await storage.orgs.findById(shared.id)).toMatchObject({ name: 'Personal' })
    expect((await storage.invitations.listByOrg(shared.id)).map(({ email }) => email)).toEqual(['zoe@example.test'])
    const keys = await Promise.all(['AdaKeyShared', 'AdaKeyNoOrg1', 'AccountKey01'].map(storage.apiKeys.findById))
    expect(keys.map((key) => key?.revokedAt instanceof Date)).toEqual([true, true, true])
    expect(await storage.apiKeys.findById('BobKeyShared')).toMatchObject({ revokedAt: null })
    expect(await storage.accounts.accounts.findById(account.id)).toBeNull()
    expect(await storage.accounts.sessions.find(account.id, 'any')).toBeNull()
    expect(await storage.accounts.accounts.findByEmail('root@example.test')).not.toBeNull()
    expect(events).toEqual([{ kind: 'user_erased', at: expect.any(Date), ...erased }])
    expect(JSON.stringify(events)).not.toContain('@')
    expect([events, events[0], erased, erased.orgs, erased.orgs[0], erased.endedKeyIds].map(Object.isFrozen)).toEqual([
      false,
      ...Array(5).fill(true),
    ])
  })

  it('keeps the identity of who is blocked, and whoever comes by it is refused and never made anew', async () => {
    const world = await createFullWorld(await open())
    const { storage, admin, ada, own } = world
    await admin.erase(ada.id, BLOCKED)
    expect(await storage.users.findById(ada.id)).toEqual({ ...ada, email: null, disabled: true })
    expect(await world.membersOf(own.id)).toEqual({})
    expect(await storage.orgs.findById(own.id)).toMatchObject({ name: 'Personal' })
    const provision = createProvisioner({ storage, refreshEmail: 'when-verified' })
    for (const _ of [1, 2]) expect(await reasonOf(() => provision(identity('ada'), UNNAMED))).toBe('user_disabled')
    expect([await storage.users.count(), (await storage.users.findById(ada.id))?.email]).toEqual([2, null])
  })

  it('lets whoever comes by a freed identity be somebody new', async () => {
    const { storage, admin, ada } = await createFullWorld(await open())
    await admin.erase(ada.id, FREED)
    const { user, created } = await createProvisioner({ storage })(identity('ada'), UNNAMED)
    expect(created).toBe(true)
    expect(user.id).not.toBe(ada.id)
    expect(await storage.users.findById(ada.id)).toMatchObject({ email: null, disabled: true })
  })

  it('refuses to leave an organization with others without an owner, names all of them, and writes nothing', async () => {
    const world = createUserAdminWorld(await open())
    const [ada, bob, eve] = [await world.user('ada'), await world.user('bob'), await world.user('eve')]
    const first = await world.org('first', [ada, 'owner'], [bob, 'member'])
    const second = await world.org('second', [ada, 'owner'], [eve, 'owner'])
    const third = await world.org('third', [ada, 'owner'], [bob, 'viewer'])
    const mine = await world.org('mine', [ada, 'owner'])
    await world.storage.users.setDisabled(eve.id, true)
    const refusal = await refusalOf(world.admin.erase(ada.id, FREED))
    expect(refusal).toMatchObject({ code: 'conflict', reason: 'erasure_leaves_no_owner' })
    const orgIds = [first.id, second.id, third.id].sort()
    expect(refusal.cause).toMatchObject({ orgIds })
    expect(refusal.got?.startsWith(orgIds.slice(0, 2).join(', '))).toBe(true)
    expect(await world.storage.users.findById(ada.id)).toEqual(ada)
    for (const { id } of [first, second, third, mine]) expect(await world.membersOf(id)).toHaveProperty(ada.id, 'owner')
    expect(world.events).toEqual([])
  })

  it('hands an organization over to whom the host names among its enabled members', async () => {
    const world = createUserAdminWorld(await open())
    const [ada, bob, eve] = [await world.user('ada'), await world.user('bob'), await world.user('eve')]
    const org = await world.org('Acme', [ada, 'owner'], [eve, 'viewer'], [bob, 'member'])
    await world.storage.users.setDisabled(eve.id, true)
    const asked: unknown[] = []
    const handOver = async (given: { id: string }, members: readonly Member[]) => {
      asked.push([given.id, members.map(({ userId, role }) => [userId, role])])
      return members[0]?.userId
    }
    const { orgs } = await world.admin.erase(ada.id, { ...FREED, handOver })
    expect(orgs).toEqual([{ orgId: org.id, fate: 'handed_over', newOwnerId: bob.id }])
    expect(asked).toEqual([[org.id, [[bob.id, 'member']]]])
    expect(await world.membersOf(org.id)).toEqual({ [eve.id]: 'viewer', [bob.id]: 'owner' })
  })

  it('undoes everything with the host’s own hook, which sees the user as they were', async () => {
    const world = await createFullWorld(await open())
    const { storage, admin, ada, own, alone, account } = world
    const seen: unknown[] = []
    const failing = admin.erase(ada.id, {
      ...FREED,
      account: account.id,
      async within({ user, account: theirs, removedOrgs, transaction }) {
        const acting = await transaction.memberships.listActing({ kind: 'user', user: user as StoredUser })
        seen.push(user, theirs?.email, removedOrgs.map(({ id }) => id).sort(), acting.length)
        await transaction.orgs.rename(own.id, 'renamed')
        throw new Error('the host’s rows could not be deleted')
      },
    })
    await expect(failing).rejects.toThrow('the host’s rows could not be deleted')
    expect(seen).toEqual([ada, 'ada@example.test', [own.id, alone.id].sort(), 3])
    expect(await storage.users.findById(ada.id)).toEqual(ada)
    expect(await storage.orgs.findById(own.id)).toMatchObject({ name: 'ada@example.test' })
    expect(await storage.accounts.accounts.findById(account.id)).not.toBeNull()
    expect(await storage.apiKeys.findById('AdaKeyShared')).toMatchObject({ revokedAt: null })
  })

  it('lets nobody become a member who is disabled', async () => {
    const world = createUserAdminWorld(await open())
    const [ada, org] = [await world.user('ada'), await world.org('Acme')]
    await world.admin.erase(ada.id, BLOCKED)
    const joining = world.storage.memberships.insert({ orgId: org.id, userId: ada.id, role: 'member' })
    await expect(joining).rejects.toThrow(/a disabled user becomes a member of nothing/)
    expect(await world.membersOf(org.id)).toEqual({})
  })

  it('deletes a local account alone, and what was made and sent under its id', async () => {
    const { admin, events, storage, ada, account } = await createFullWorld(await open())
    const erased = await admin.eraseAccount(account.id)
    expect(erased).toEqual({
      ...{ userId: null, accountId: account.id, identity: null, orgs: [], invitations: 1 },
      endedKeyIds: ['AccountKey01'],
    })
    expect(events).toEqual([{ kind: 'account_erased', at: expect.any(Date), ...erased }])
    expect(await storage.accounts.accounts.findById(account.id)).toBeNull()
    expect(await storage.users.findById(ada.id)).toEqual(ada)
  })

  it('keeps the last admin among local accounts, and then everything else', async () => {
    const { admin, storage, ada, account } = await createFullWorld(await open())
    const root = await storage.accounts.accounts.findByEmail('root@example.test')
    const erasing = (id: string) => admin.erase(ada.id, { ...FREED, account: id })
    expect(await refusalOf(erasing(root?.id ?? ''))).toMatchObject({
      ...{ code: 'conflict', reason: 'erasure_leaves_no_admin' },
    })
    expect(await reasonOf(() => admin.eraseAccount(root?.id ?? ''))).toBe('erasure_leaves_no_admin')
    expect(await reasonOf(() => erasing(NOBODY))).toBe('person_unknown')
    expect(await storage.users.findById(ada.id)).toEqual(ada)
    expect(await storage.accounts.accounts.findById(account.id)).not.toBeNull()
  })

  it('is fine again, frees whom it had blocked, and knows nobody else', async () => {
    const { admin, storage, ada } = await createFullWorld(await open())
    await admin.erase(ada.id, BLOCKED)
    expect(await admin.erase(ada.id, FREED)).toMatchObject({ orgs: [], invitations: 0, endedKeyIds: [] })
    expect(await storage.users.findById(ada.id)).toMatchObject({ subject: ada.id, disabled: true })
    await admin.erase(ada.id, BLOCKED)
    expect(await storage.users.findById(ada.id)).toMatchObject({ subject: ada.id })
    for (const id of [NOBODY, '', 'x\0', '%']) {
      expect(await refusalOf(admin.erase(id, FREED))).toMatchObject({ code: 'not_found', reason: 'person_unknown' })
    }
  })

  it('takes the one organization of users whose membership stands on their row', async () => {
    const world = createUserAdminWorld(await open({ membershipOn: 'user-row' }))
    const [ada, bob] = [await world.user('ada'), await world.user('bob')]
    const org = await world.org('Acme', [ada, 'owner'], [bob, 'member'])
    expect(await reasonOf(() => world.admin.erase(ada.id, FREED))).toBe('erasure_leaves_no_owner')
    await world.admin.erase(ada.id, { ...FREED, handOver: () => bob.id })
    expect(await world.membersOf(org.id)).toEqual({ [bob.id]: 'owner' })
    expect(await world.storage.users.findById(ada.id)).toMatchObject({ orgId: null, role: null, disabled: true })
    await world.admin.erase(bob.id, FREED)
    expect(await world.membersOf(org.id)).toBeNull()
  })
})

describe('what is asked of erase', () => {
  it.each<[string, object, RegExp]>([
    ['nothing', {}, /"identity" is required: must be one of.*"emptyOrgs" is required: must be one of/],
    ['an identity that is neither', { ...FREED, identity: 'kept' }, /"identity" must be one of/],
    ['no word on empty organizations', { identity: 'freed' }, /"emptyOrgs" is required: must be one of/],
    ['an unknown option', { ...FREED, handover: () => null }, /unknown option "handover"/],
    ['a hook that is none', { ...FREED, within: 'x' }, /"within" must be a function/],
    ['a blank account', { ...FREED, account: ' ' }, /"account" must be/],
  ])('must not be %s', async (_, options, message) => {
    const { admin, storage, ada } = await createFullWorld()
    await expect(admin.erase(ada.id, options as never)).rejects.toThrow(message)
    expect(await storage.users.findById(ada.id)).toEqual(ada)
  })

  it.each<[string, (ids: { ada: string; eve: string }) => unknown, string]>([
    ['nobody', () => null, 'erasure_leaves_no_owner'],
    ['who is erased', ({ ada }) => ada, 'must name one of the members'],
    ['somebody else', () => NOBODY, 'must name one of the members'],
    ['a disabled member', ({ eve }) => eve, 'must name one of the members'],
    ['no id', () => 7, 'must name one of the members'],
  ])('handOver must not name %s', async (_, named, expected) => {
    const world = createUserAdminWorld(createMemoryStorage())
    const [ada, bob, eve] = [await world.user('ada'), await world.user('bob'), await world.user('eve')]
    const org = await world.org('Acme', [ada, 'owner'], [bob, 'member'], [eve, 'member'])
    await world.storage.users.setDisabled(eve.id, true)
    const handOver = () => named({ ada: ada.id, eve: eve.id }) as string
    const erasing = world.admin.erase(ada.id, { ...FREED, handOver })
    const outcome = await erasing.catch((error: { reason?: string; message: string }) => error.reason ?? error.message)
    expect(outcome).toContain(expected)
    expect(await world.membersOf(org.id)).toEqual({ [ada.id]: 'owner', [bob.id]: 'member', [eve.id]: 'member' })
  })

  it('needs accounts in the transaction where it is to delete one', async () => {
    const { storage, ada, account } = await createFullWorld()
    const without = {
      ...storage,
      transaction: (work: never) =>
        storage.transaction(({ accounts: _, ...transaction }) =>
          (work as (tx: unknown) => Promise<never>)(transaction),
        ),
    }
    const { admin } = createUserAdminWorld(without as never)
    await expect(admin.erase(ada.id, { ...FREED, account: account.id })).rejects.toThrow(/has no accounts/)
    expect(await storage.users.findById(ada.id)).toEqual(ada)
    await admin.erase(ada.id, FREED)
  })

  it('calls an organization Personal that was named by an address, their own or an earlier one', async () => {
    const world = createUserAdminWorld(createMemoryStorage())
    const [ada, bob] = [await world.user('ada', 'ADA@example.test'), await world.user('bob')]
    const names = async (...ids: readonly { id: string }[]) =>
      Promise.all(ids.map(async ({ id }) => (await world.storage.orgs.findById(id))?.name))
    const orgs = [
      await world.org('Team of Ada@Example.test', [ada, 'owner']),
      await world.org('earlier@example.test', [ada, 'owner']),
      await world.org('bob@example.test', [bob, 'owner'], [ada, 'member']),
      await world.org('Team', [ada, 'owner']),
    ]
    await world.admin.erase(ada.id, BLOCKED)
    expect(await names(...orgs)).toEqual(['Personal', 'Personal', 'bob@example.test', 'Team'])
  })

  it('begins anew where they become a member of another organization meanwhile', async () => {
    const storage = createMemoryStorage()
    const world = createUserAdminWorld(storage)
    const ada = await world.user('ada')
    const late = await world.org('late')
    let attempts = 0
    await world.admin.erase(ada.id, {
      ...FREED,
      async within({ transaction }) {
        if (attempts++ === 0) await transaction.memberships.insert({ orgId: late.id, userId: ada.id, role: 'member' })
      },
    })
    expect(attempts).toBe(2)
    expect(await world.membersOf(late.id)).toEqual({})
  })
})

describe('exportOf', () => {
  it.each(STORAGES)('hands out everything that is stored, without secrets and hashes, in $name', async ({ open }) => {
    const { admin, storage, ada, own, shared, alone, account } = await createFullWorld(await open())
    await storage.apiKeys.revoke({ kind: 'installation' }, 'AdaKeyNoOrg1', new Date())
    await storage.apiKeys.rotate({ kind: 'installation' }, 'AdaKeyShared', {
      secretHash: HASH.replace(/^./, '0'),
      previousUntil: new Date(),
    })
    const data = await admin.exportOf(ada.id, { account: account.id, verifiedEmail: true })
    expect(data.user).toEqual(ada)
    expect(data.account).toMatchObject({ id: account.id, email: 'ada@example.test', role: 'member' })
    expect(data.memberships.map(({ org, role, joinedAt }) => [org.id, role, joinedAt instanceof Date])).toEqual([
      [own.id, 'owner', true],
      [shared.id, 'member', true],
      [alone.id, 'owner', true],
    ])
    expect(data.invitationsSent.map(({ email }) => email)).toEqual(['eve@example.test'])
    expect(data.invitationsReceived.map(({ email }) => email)).toEqual(['ada@example.test'])
    expect(data.apiKeys.map(({ id, revokedAt }) => [id, revokedAt !== null])).toEqual([
      ['AdaKeyShared', false],
      ['AdaKeyNoOrg1', true],
      ['AccountKey01', false],
    ])
    expect(JSON.stringify(data)).not.toMatch(/hash/i)
    expect(JSON.stringify(data).includes(HASH) || JSON.stringify(data).includes(PHC)).toBe(false)
    const alike = await admin.exportOfAccount(account.id, { verifiedEmail: true })
    expect(alike).toMatchObject({ user: null, memberships: [], invitationsSent: [], account: data.account })
    expect(alike.invitationsReceived).toEqual(data.invitationsReceived)
    expect(alike.apiKeys.map(({ id }) => id)).toEqual(['AccountKey01'])
  })

  it('hands out what was sent to an address only where the host says that it is theirs: anybody can claim one', async () => {
    const { admin, ada, account } = await createFullWorld()
    const [claimed, ofAccount] = [
      await admin.exportOf(ada.id, { account: account.id }),
      await admin.exportOfAccount(account.id),
    ]
    for (const data of [claimed, ofAccount]) expect(data.invitationsReceived).toEqual([])
    expect(claimed.invitationsSent.map(({ email }) => email)).toEqual(['eve@example.test'])
    for (const verifiedEmail of [false, 'yes', null]) {
      const given = { verifiedEmail } as never
      await expect(admin.exportOf(ada.id, given)).rejects.toThrow(/"verifiedEmail" must be true/)
      await expect(admin.exportOfAccount(account.id, given)).rejects.toThrow(/"verifiedEmail" must be true/)
    }
  })

  it('is empty after they are erased, and knows nobody else', async () => {
    const { admin, ada } = await createFullWorld()
    await admin.erase(ada.id, BLOCKED)
    const { user, apiKeys, ...rest } = await admin.exportOf(ada.id)
    expect(user).toMatchObject({ email: null, disabled: true })
    expect(apiKeys.every(({ revokedAt }) => revokedAt !== null)).toBe(true)
    expect(rest).toEqual({ account: null, memberships: [], invitationsSent: [], invitationsReceived: [] })
    expect(await reasonOf(() => admin.exportOf(NOBODY))).toBe('person_unknown')
    expect(await reasonOf(() => admin.exportOf(ada.id, { account: NOBODY }))).toBe('person_unknown')
    expect(await reasonOf(() => admin.exportOfAccount(NOBODY))).toBe('person_unknown')
    await expect(admin.exportOf(ada.id, { accounts: NOBODY } as never)).rejects.toThrow(/unknown option "accounts"/)
  })
})

describe('somebody who is made a member while their row is waited for', () => {
  it('is seen: what was begun is undone and begun anew', async () => {
    const storage = createMemoryStorage()
    const { id: orgId } = await storage.orgs.insert({ name: 'Other' })
    let attempts = 0
    // As where another transaction has put them there and was committed first.
    const late: UserAdminWorld['storage'] = {
      ...storage,
      transaction: (work) =>
        storage.transaction((inside) => {
          const anonymize: typeof inside.users.anonymize = async (userId, identity) => {
            if (attempts++ === 0) await inside.memberships.insert({ orgId, userId, role: 'member' })
            return inside.users.anonymize(userId, identity)
          }
          return work({ ...inside, users: { ...inside.users, anonymize } })
        }),
    }
    const { user, admin } = createUserAdminWorld(late)
    const ada = await user('ada')
    await admin.erase(ada.id, BLOCKED)
    expect([attempts, await storage.memberships.listByOrg(orgId)]).toEqual([2, []])
  })
})
