/** Accepting: whose an invitation is, what its inviter may give at that moment, who is made a user, who moves (M4–M6, M8, M10). */
import { describe, expect, it } from 'vitest'
import type { AuthContext, Identity } from '../../src/context.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { ROLES, reasonOf, refusalOf } from '../pipeline/world.ts'
import { identityOf } from '../users/first-logins.ts'
import { createInvitationWorld, type InvitationWorld, NOBODY, WEEK_MS } from './invitation-world.ts'
import { withUnheardCommit } from './world.ts'

const NOT_PROVED = 'invitation_without_verified_email'
const UNVERIFIED: readonly (readonly [string, Partial<Identity>, reason: string, got: string | null])[] = [
  ['not verified', { emailVerified: false }, NOT_PROVED, 'not verified'],
  ['of which nothing is said', { emailVerified: null }, NOT_PROVED, 'not verified'],
  ['verified by a truthy word', { emailVerified: 'true' as never }, NOT_PROVED, 'not verified'],
  ['that there is none', { email: null }, NOT_PROVED, 'none'],
  ['that is none', { email: 'ada@example.test\n@x' }, NOT_PROVED, 'none'],
  ['of somebody else', { email: 'eve@example.test' }, 'invitation_not_found', null],
]

async function invitedAda(options: Parameters<typeof createInvitationWorld>[0] = {}, role = 'member') {
  const world = await createInvitationWorld(options as never)
  const [boss, ada] = [await world.person('boss', 'admin'), await world.person('ada')]
  const id = await world.invited('ada', role, boss)
  return { world, boss, ada, id, as: world.user(ada) }
}

describe('accepting', () => {
  it('makes a member of that role, once, and the invitation is gone for everybody', async () => {
    const { world, boss, ada, id, as } = await invitedAda()
    const { invitations } = world
    expect(await invitations.mine(as)).toMatchObject([{ invitation: { id, role: 'member' }, org: { name: 'Acme' } }])
    const accepted = await invitations.accept(as, id)
    expect(accepted).toMatchObject({ invitationId: id, org: { id: world.orgId }, role: 'member', leftOrgId: null })
    expect(accepted.user.id).toBe(ada.id)
    expect(await world.rolesOf()).toEqual({ boss: 'admin', ada: 'member' })
    expect(await reasonOf(invitations.accept(as, id))).toBe('invitation_not_found')
    expect(await invitations.mine(as)).toEqual([])
    expect(await invitations.list(world.acting(boss, 'admin'))).toEqual([])
  })

  it('goes by the address in whatever case, with blanks around it', async () => {
    const { world, ada, id } = await invitedAda()
    const as = world.user(ada, { email: ' ADA@Example.Test ' })
    expect(await world.invitations.mine(as)).toHaveLength(1)
    expect(await world.invitations.accept(as, id)).toMatchObject({ role: 'member' })
  })

  it.each(UNVERIFIED)('by an address %s: 404, and none is theirs', async (_, identity, ...why) => {
    const { world, ada, id } = await invitedAda()
    const as = world.user(ada, identity)
    const { code, reason, got } = await refusalOf(world.invitations.accept(as, id))
    expect([code, reason, got]).toEqual(['not_found', ...why])
    expect(await world.invitations.mine(as)).toEqual([])
    expect(await world.rolesOf()).toEqual({ boss: 'admin' })
    expect(await world.storage.invitations.findById(id)).not.toBeNull()
  })

  it('never goes by the e-mail of the user’s row', async () => {
    const { world, ada, id } = await invitedAda()
    expect(ada.email).toBe('ada@example.test')
    expect(await reasonOf(world.invitations.accept(world.user(ada, { email: null }), id))).toBe(NOT_PROVED)
  })

  it('ends at the very instant', async () => {
    const { world, id, as } = await invitedAda()
    world.pass(WEEK_MS - 1)
    expect(await world.invitations.mine(as)).toHaveLength(1)
    world.pass(1)
    expect(await world.invitations.mine(as)).toEqual([])
    expect(await reasonOf(world.invitations.accept(as, id))).toBe('invitation_not_found')
  })

  it('by a member: 409', async () => {
    const { world, ada, id, as } = await invitedAda()
    await world.storage.memberships.insert({ orgId: world.orgId, userId: ada.id, role: 'viewer' })
    expect(await refusalOf(world.invitations.accept(as, id))).toMatchObject({
      code: 'conflict',
      reason: 'invitation_of_a_member_already',
    })
    expect(await world.rolesOf()).toMatchObject({ ada: 'viewer' })
  })

  it('by who was disabled or is gone since the request came: 403, 404', async () => {
    const { world, ada, id, as } = await invitedAda()
    await world.storage.users.setDisabled(ada.id, true)
    expect(await refusalOf(world.invitations.accept(as, id))).toMatchObject({ code: 'forbidden' })
    const ghost = world.user({ ...ada, id: NOBODY })
    expect(await reasonOf(world.invitations.accept(ghost, id))).toBe('invitation_not_found')
    expect(await world.rolesOf()).toEqual({ boss: 'admin' })
  })

  it('by a credential that carries less than the role may do: 403, and nothing happens', async () => {
    const { world, ada, id } = await invitedAda()
    const limited = world.user(ada, { scopes: ['things:read'] })
    expect(await refusalOf(world.invitations.accept(limited, id))).toMatchObject({ code: 'insufficient_scope' })
    expect(await world.rolesOf()).toEqual({ boss: 'admin' })
    const enough = world.user(ada, { scopes: ['things:read', 'things:write'] })
    expect(await world.invitations.accept(enough, id)).toMatchObject({ role: 'member' })
  })

  it('needs a user, unless a provisioner is at hand', async () => {
    const { world, id } = await invitedAda()
    expect(await reasonOf(world.invitations.accept(world.identity('ada'), id))).toBe('people_need_a_user')
    expect(await reasonOf(world.invitations.mine(world.identity('ada')))).toBe('people_need_a_user')
  })

  it('of 50 at once: one', async () => {
    const { world, id, as } = await invitedAda()
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => world.invitations.accept(as, id)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'not_found' })
    }
    expect(world.events.map(({ kind }) => kind)).toEqual(['invitation_accepted'])
  })

  it('of several that are theirs: each by itself', async () => {
    const { world, id, as } = await invitedAda()
    const other = await world.invited('ada', 'viewer', null, world.otherOrgId)
    expect(await world.invitations.mine(as)).toHaveLength(2)
    await world.invitations.accept(as, id)
    expect(await world.invitations.mine(as)).toMatchObject([{ invitation: { id: other } }])
    await world.invitations.accept(as, other)
    expect([await world.rolesOf(), await world.rolesOf(world.otherOrgId)]).toEqual([
      { boss: 'admin', ada: 'member' },
      { ada: 'viewer' },
    ])
  })
})

describe('who invited', () => {
  type Change = (world: InvitationWorld<unknown>, bossId: string) => Promise<unknown>
  const becomes =
    (role: string): Change =>
    ({ storage, orgId }, bossId) =>
      storage.memberships.setRole(orgId, bossId, role)
  it.each<readonly [string, Change, string, boolean]>([
    ['has become an owner', becomes('owner'), 'member', true],
    ['was removed', ({ storage, orgId }, bossId) => storage.memberships.remove(orgId, bossId), 'member', false],
    ['was disabled', ({ storage }, bossId) => storage.users.setDisabled(bossId, true), 'member', false],
    ['may invite no more', becomes('member'), 'viewer', false],
    ['has a role that is none any more', becomes('boss'), 'viewer', false],
    ['is an admin now, who gave an owner’s role', becomes('admin'), 'owner', false],
    ['is an admin now, who gave what is still theirs to give', becomes('admin'), 'admin', true],
    [
      'is the organization’s no more: it is deleted',
      ({ storage, orgId }) => storage.orgs.remove(orgId),
      'member',
      false,
    ],
  ])('%s: asked at the moment it takes effect', async (_, change, role, isGood) => {
    const { world, boss, id, as } = await invitedAda({}, role)
    await change(world as never, boss.id)
    expect((await world.invitations.mine(as)).length).toBe(isGood ? 1 : 0)
    const outcome = world.invitations.accept(as, id)
    expect(isGood ? (await outcome).role : await reasonOf(outcome)).toBe(isGood ? role : 'invitation_not_found')
    expect('ada' in (await world.rolesOf())).toBe(isGood)
  })

  it('is re-entitled: the invitation is good again, until it expires', async () => {
    const { world, boss, id, as } = await invitedAda()
    await world.storage.memberships.setRole(world.orgId, boss.id, 'viewer')
    expect(await reasonOf(world.invitations.accept(as, id))).toBe('invitation_not_found')
    await world.storage.memberships.setRole(world.orgId, boss.id, 'admin')
    expect(await world.invitations.accept(as, id)).toMatchObject({ role: 'member' })
  })

  it('is the host itself: always good', async () => {
    const { world, as } = await invitedAda()
    const id = await world.invited('ada', 'owner', null, world.otherOrgId)
    expect(await world.invitations.accept(as, id)).toMatchObject({ role: 'owner' })
  })

  it('gave a role that is none any more: nobody’s', async () => {
    const { world, as } = await invitedAda()
    const id = await world.invited('ada', 'boss', null, world.otherOrgId)
    expect(await world.invitations.mine(as)).toHaveLength(1)
    expect(await reasonOf(world.invitations.accept(as, id))).toBe('invitation_not_found')
  })
})

describe('accepting as the very first request', () => {
  const fresh = async (options: Parameters<typeof createInvitationWorld>[0] = {}) => {
    const world = await createInvitationWorld(options as never)
    const id = await world.invited('new', 'member', await world.person('boss', 'admin'))
    return { world, id, provision: world.provision }
  }

  it('makes user and membership, and no organization of their own', async () => {
    const hooks: unknown[] = []
    const { world, id, provision } = await fresh({
      provisioner: { bootstrap: ({ decision, role, org }) => void hooks.push([decision, role, org?.id]) },
    })
    const accepted = await world.invitations.accept(world.identity('new'), id, { provision })
    expect(accepted).toMatchObject({ org: { id: world.orgId }, role: 'member', user: { email: 'new@example.test' } })
    expect(await world.rolesOf()).toEqual({ boss: 'admin', new: 'member' })
    expect([await world.storage.users.count(), await world.storage.orgs.count()]).toEqual([2, 2])
    expect(hooks).toEqual([['join', 'member', world.orgId]])
    const resolved = await provision(identityOf('new'), { kind: 'unnamed' })
    expect([resolved.created, resolved.user.id]).toEqual([undefined, accepted.user.id])
  })

  it.each([
    ['not theirs', (world: InvitationWorld<unknown>) => world.invited('other', 'member', null)],
    ['nobody’s', async () => NOBODY],
    [
      'of an inviter who is gone',
      async (world: InvitationWorld<unknown>) => {
        const gone = await world.person('gone', 'admin', world.otherOrgId)
        const id = await world.invited('new', 'member', gone, world.otherOrgId)
        await world.storage.memberships.remove(world.otherOrgId, gone.id)
        return id
      },
    ],
  ])('of one that is %s: 404, and nobody is made', async (_, make) => {
    const { world, provision } = await fresh()
    const id = await make(world as never)
    const users = await world.storage.users.count()
    expect(await reasonOf(world.invitations.accept(world.identity('new'), id, { provision }))).toBe(
      'invitation_not_found',
    )
    expect(await world.storage.users.count()).toBe(users)
  })

  it('by somebody who is a user here: joins as they are; the hook does not run again', async () => {
    let hooks = 0
    const { world, id, provision } = await fresh({ provisioner: { bootstrap: () => void hooks++ } })
    const user = await world.person('new', 'owner', world.otherOrgId)
    const accepted = await world.invitations.accept(world.identity('new'), id, { provision })
    expect([accepted.user.id, hooks]).toEqual([user.id, 0])
    expect(await world.rolesOf(world.otherOrgId)).toEqual({ new: 'owner' })
  })

  it('by somebody disabled: 403 before anything else, whatever the id', async () => {
    const { world, id, provision } = await fresh()
    const user = await world.person('new')
    await world.storage.users.setDisabled(user.id, true)
    for (const each of [id, NOBODY]) {
      expect(await reasonOf(world.invitations.accept(world.identity('new'), each, { provision }))).toBe('user_disabled')
    }
  })

  it('undone where the hook refuses: no user, no membership, and the invitation stays', async () => {
    const { world, id, provision } = await fresh({
      provisioner: {
        bootstrap: () => {
          throw new Error('the CRM is full')
        },
      },
    })
    await expect(world.invitations.accept(world.identity('new'), id, { provision })).rejects.toThrow('the CRM is full')
    expect(await world.storage.users.count()).toBe(1)
    expect(await world.storage.invitations.findById(id)).not.toBeNull()
    expect(world.events).toEqual([])
  })

  it('goes by what the issuer says beside the token, where the provisioner asks it', async () => {
    const { world, id, provision } = await fresh({
      provisioner: { profile: { load: async () => ({ email: 'new@example.test', emailVerified: true }) } },
    })
    const bare = world.identity('new', { email: null, emailVerified: null })
    // A context made by hand has no token.
    await expect(world.invitations.accept(bare, id, { provision })).rejects.toThrow('needs the token')
  })

  it('of 50 people at once by one shared address: one user, one member', async () => {
    const { world, id, provision } = await fresh()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) =>
        world.invitations.accept(world.identity(`person-${n}`, { email: 'new@example.test' }), id, { provision }),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await world.storage.users.count()).toBe(2)
    expect(Object.keys(await world.rolesOf())).toHaveLength(2)
  })

  it('is refused where the provisioner’s storage has no invitations', async () => {
    const { world, id } = await fresh()
    const { storage } = world
    const transaction: typeof storage.transaction = (work) =>
      storage.transaction(({ invitations: _, ...inside }) => work(inside as never))
    const other = {
      ...world.provision,
      settings: { ...world.provision.settings, storage: { ...storage, transaction } },
    }
    const accepting = world.invitations.accept(world.identity('new'), id, { provision: other as never })
    await expect(accepting).rejects.toThrow('must be the storage of the invitations')
  })
})

describe('a link', () => {
  const linked = async (more: object = {}) => {
    const world = await createInvitationWorld({ invitations: { links: 'any-verified-address', ...more } } as never)
    const boss = await world.person('boss', 'admin')
    const as = world.acting(boss, 'admin')
    const { id } = await world.invitations.create(as, { email: 'ada@example.test', role: 'member' })
    const secret = world.mails[0]?.secret ?? ''
    return { world, boss, id, secret }
  }

  it('is taken by whoever has it and a verified address, once', async () => {
    const { world, id, secret } = await linked()
    const eve = world.user(await world.person('eve'))
    expect(await world.invitations.acceptByLink(eve, secret)).toMatchObject({ invitationId: id, role: 'member' })
    expect(await world.rolesOf()).toEqual({ boss: 'admin', eve: 'member' })
    const ada = world.user(await world.person('ada'))
    expect(await reasonOf(world.invitations.acceptByLink(ada, secret))).toBe('invitation_not_found')
    expect(await reasonOf(world.invitations.accept(ada, id))).toBe('invitation_not_found')
  })

  it('stands beside the address', async () => {
    const { world, id } = await linked()
    expect(await world.invitations.accept(world.user(await world.person('ada')), id)).toMatchObject({ role: 'member' })
  })

  it.each(UNVERIFIED.slice(0, 5))('is nobody’s by an address %s', async (_, identity) => {
    const { world, secret } = await linked()
    const ada = world.user(await world.person('ada'), identity)
    for (const each of [secret, 'A'.repeat(43)]) {
      expect(await refusalOf(world.invitations.acceptByLink(ada, each))).toMatchObject({
        code: 'forbidden',
        reason: 'invitation_link_without_verified_email',
      })
    }
    expect(await world.rolesOf()).toEqual({ boss: 'admin' })
  })

  it('of another secret: 404; of none: 400', async () => {
    const { world, secret } = await linked()
    const ada = world.user(await world.person('ada'))
    for (const each of ['', 'x', secret.slice(1), `${secret}A`, secret.toLowerCase(), 'A'.repeat(10_000)]) {
      expect(await reasonOf(world.invitations.acceptByLink(ada, each))).toBe('invitation_not_found')
    }
    for (const each of [undefined, null, 7, {}]) {
      expect(await refusalOf(world.invitations.acceptByLink(ada, each))).toMatchObject({ field: 'secret' })
    }
  })

  it('is judged as every invitation: expiry, revocation, its inviter', async () => {
    for (const end of ['expires', 'revoked', 'removed']) {
      const { world, boss, id, secret } = await linked()
      if (end === 'expires') world.pass(WEEK_MS)
      if (end === 'revoked') await world.invitations.revoke(world.acting(boss, 'admin'), id)
      if (end === 'removed') await world.storage.memberships.remove(world.orgId, boss.id)
      const ada = world.user(await world.person('ada'))
      expect(await reasonOf(world.invitations.acceptByLink(ada, secret))).toBe('invitation_not_found')
    }
  })

  it('makes a user too', async () => {
    const { world, secret } = await linked()
    const { provision } = world
    const accepted = await world.invitations.acceptByLink(world.identity('new'), secret, { provision })
    expect(accepted.user.email).toBe('new@example.test')
    expect(await world.storage.orgs.count()).toBe(2)
  })

  it('opens nothing any more where the host has links no longer', async () => {
    const { world, secret } = await linked()
    const later = await createInvitationWorld({ storage: world.storage as never })
    const ada = later.user(await later.person('ada'))
    expect(await reasonOf(later.invitations.acceptByLink(ada, secret))).toBe('invitation_not_found')
  })
})

describe('where users belong to one organization', () => {
  const alone = async (mayLeave?: unknown, others: readonly string[] = []) => {
    const storage = createMemoryStorage({ membershipOn: 'user-row' })
    const world = await createInvitationWorld({ storage, invitations: { mayLeave } } as never)
    const own = await storage.orgs.insert({ name: 'Own' })
    const id = await world.invited('ada', 'member', await world.person('boss', 'admin'))
    const ada = await world.person('ada', 'owner', own.id)
    for (const name of others) await world.person(name, 'member', own.id)
    const places = async () => [await world.rolesOf(own.id), await world.rolesOf()]
    return { world, storage, own, id, ada, places, accept: () => world.invitations.accept(world.user(ada), id) }
  }

  it('who has one stays in it: 409', async () => {
    const { accept, places } = await alone()
    expect(await refusalOf(accept)).toMatchObject({ code: 'conflict', reason: 'invitation_to_another_org' })
    expect(await places()).toEqual([{ ada: 'owner' }, { boss: 'admin' }])
  })

  it('who has none joins', async () => {
    const { world, ada, own, accept } = await alone()
    await world.storage.memberships.remove(own.id, ada.id)
    expect(await accept()).toMatchObject({ role: 'member', leftOrgId: null })
  })

  it('its only member moves where the host agrees; what they leave behind has no key that works', async () => {
    const asked: unknown[] = []
    const { world, storage, own, ada, accept, places } = await alone((org: { id: string }, transaction: object) => {
      asked.push(org.id, 'invitations' in transaction)
      return true
    })
    const key = { orgId: own.id, name: 'CI', role: 'member', permissions: [], secretHash: 'a'.repeat(64) }
    const row = { ...key, id: 'abcdefghijkl', createdBy: null, createdAt: new Date(), expiresAt: null }
    await storage.apiKeys.insert(row)
    expect(await accept()).toMatchObject({ leftOrgId: own.id, role: 'member' })
    expect(await places()).toEqual([{}, { boss: 'admin', ada: 'member' }])
    expect(asked).toEqual([own.id, true])
    expect((await storage.apiKeys.findById('abcdefghijkl'))?.revokedAt).not.toBeNull()
    expect(await storage.orgs.findById(own.id)).not.toBeNull()
    expect((await storage.users.findById(ada.id))?.orgId).toBe(world.orgId)
    expect(world.events.at(-1)).toMatchObject({ kind: 'invitation_accepted', leftOrgId: own.id })
  })

  it('the host may remove what they leave', async () => {
    const { storage, own, accept, places } = await alone(
      async (org: { id: string }, { orgs }: { orgs: { remove(id: string): Promise<boolean> } }) => orgs.remove(org.id),
    )
    expect(await accept()).toMatchObject({ role: 'member' })
    expect(await storage.orgs.findById(own.id)).toBeNull()
    expect(await places()).toEqual([{}, { boss: 'admin', ada: 'member' }])
  })

  it.each<readonly [string, unknown, readonly string[], string]>([
    ['the host does not agree', () => false, [], 'invitation_leaves_what_may_not_be_left'],
    ['others are in it', () => true, ['bob'], 'invitation_leaves_others'],
  ])('%s: 409, and all stays', async (_, mayLeave, others, reason) => {
    const { accept, places } = await alone(mayLeave, others)
    const before = await places()
    expect(await refusalOf(accept)).toMatchObject({ code: 'conflict', reason })
    expect(await places()).toEqual(before)
  })

  it.each([undefined, null, 1, 'yes', {}])('the host answers %j: its fault, and all stays', async (answer) => {
    const { accept, places } = await alone(() => answer)
    await expect(accept()).rejects.toThrow('must answer true or false')
    expect(await places()).toEqual([{ ada: 'owner' }, { boss: 'admin' }])
  })

  it('by a credential that carries less than what they leave: 403, as with every other leaving', async () => {
    const { world, own, ada, id, places } = await alone(() => true)
    const scopes = ROLES.permissionsOf('member')
    const accept = () => world.invitations.accept(world.user(ada, { scopes }), id)
    expect(await refusalOf(accept)).toMatchObject({ code: 'insufficient_scope', reason: 'scope_missing' })
    expect(await places()).toEqual([{ ada: 'owner' }, { boss: 'admin' }])
    await world.storage.memberships.setRole(own.id, ada.id, 'made at run time')
    expect(await reasonOf(accept)).toBe('scope_missing')
    const all = world.user(ada, { scopes: ROLES.permissions })
    expect(await world.invitations.accept(all, id)).toMatchObject({ role: 'member' })
  })

  it('who was removed from it a moment ago moves from where they are now', async () => {
    const storage = createMemoryStorage({ membershipOn: 'user-row' })
    const asked: unknown[] = []
    const [own, next] = [await storage.orgs.insert({ name: 'Own' }), await storage.orgs.insert({ name: 'Next' })]
    let looks = 0
    const transaction: typeof storage.transaction = (work) =>
      storage.transaction((inside) => {
        // What was read before the organization was held.
        const listActing: typeof inside.memberships.listActing = async (...given) =>
          looks++ === 0 ? [{ org: own, role: 'owner' }] : inside.memberships.listActing(...given)
        return work({ ...inside, memberships: { ...inside.memberships, listActing } })
      })
    const mayLeave = ({ id }: { readonly id: string }): boolean => asked.push(id) > 0
    const options = { storage: { ...storage, transaction }, invitations: { mayLeave } }
    const world = await createInvitationWorld(options as never)
    const ada = await world.person('ada', 'viewer', next.id)
    const id = await world.invited('ada', 'member', null)
    expect(await world.invitations.accept(world.user(ada), id)).toMatchObject({ leftOrgId: next.id })
    expect(asked).toEqual([next.id])
  })

  it('who belongs to several moves nowhere: 409', async () => {
    const world = await createInvitationWorld({ invitations: { mayLeave: () => true } })
    const ada = await world.person('ada', 'owner', world.otherOrgId)
    const third = await world.storage.orgs.insert({ name: 'Third' })
    await world.storage.memberships.insert({ orgId: third.id, userId: ada.id, role: 'owner' })
    const id = await world.invited('ada', 'member', null)
    expect(await reasonOf(world.invitations.accept(world.user(ada), id))).toBe('invitation_leaves_several')
  })
})

describe('a COMMIT whose answer does not come', () => {
  it('is asked after: who accepts is a member, and that is told once', async () => {
    const { world, ada, id, as } = await invitedAda({ storage: withUnheardCommit(createMemoryStorage()) as never })
    expect(await world.invitations.accept(as, id)).toMatchObject({ invitationId: id, role: 'member' })
    expect(world.events).toMatchObject([{ kind: 'invitation_accepted', byId: ada.id }])
    expect(await reasonOf(world.invitations.accept(as, id))).toBe('invitation_not_found')
  })

  it('is asked after: who accepts as the very first request is made once', async () => {
    let hooks = 0
    const world = await createInvitationWorld({
      storage: withUnheardCommit(createMemoryStorage()) as never,
      provisioner: { bootstrap: () => void hooks++ },
    })
    const [id, { provision }] = [await world.invited('new', 'member', null), world]
    const accepted = await world.invitations.accept(world.identity('new'), id, { provision })
    expect(accepted).toMatchObject({ role: 'member', user: { email: 'new@example.test' } })
    expect([await world.rolesOf(), world.events.length, hooks]).toEqual([{ new: 'member' }, 1, 1])
  })
})

describe('a stranger’s tries', () => {
  it('ask as much and get the same, whether it is another’s, another organization’s or none', async () => {
    const calls: string[] = []
    const memory = createMemoryStorage()
    const counting = <T extends object>(label: string, target: T): T =>
      Object.fromEntries(
        Object.entries(target).map(([name, member]) => [
          name,
          (...given: unknown[]) => {
            calls.push(`${label}.${name}`)
            return (member as (...all: unknown[]) => unknown)(...given)
          },
        ]),
      ) as T
    const countAll = (given: object): object =>
      Object.fromEntries(
        Object.entries(given).map(([name, each]) => [
          name,
          each !== null && typeof each === 'object' ? counting(name, each) : each,
        ]),
      )
    const storage = {
      ...countAll(memory),
      transaction: (work: (inside: never) => Promise<unknown>) =>
        memory.transaction((inside) => work(countAll(inside) as never)),
    } as never
    const world = await createInvitationWorld({ storage, invitations: { links: 'any-verified-address' } } as never)
    const eve = await world.person('eve', 'admin')
    const ids = [
      await world.invited('ada', 'member', null, world.otherOrgId),
      await world.invited('bob', 'owner', await world.person('zoe', 'owner', world.otherOrgId), world.otherOrgId),
      NOBODY,
    ]
    const walk = async (act: (id: string) => Promise<unknown>) => {
      const seen = []
      for (const id of ids) {
        calls.length = 0
        const { code, status, message, reason } = await refusalOf(act(id))
        seen.push(JSON.stringify({ code, status, message, reason, calls }))
      }
      return new Set(seen).size
    }
    const { invitations, provision } = world
    const [user, identity]: [AuthContext, AuthContext] = [world.user(eve), world.identity('stranger')]
    expect(await walk((id) => invitations.accept(user, id))).toBe(1)
    expect(await walk((id) => invitations.accept(identity, id, { provision }))).toBe(1)
    expect(await walk((id) => invitations.revoke(world.acting(eve, 'admin'), id))).toBe(1)
    expect(await walk((id) => invitations.acceptByLink(user, id))).toBe(1)
  })
})
