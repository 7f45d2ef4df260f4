/** Invitations at a first login: which takes effect, what is passed over and why, what is asked again in the transaction (M6, M7). */
import { describe, expect, it } from 'vitest'
import type { Identity, OrgSelection, PassedOver } from '../../src/context.ts'
import { toKnownRoles } from '../../src/permissions/custom-roles.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { Invitation } from '../../src/storage/repositories.ts'
import type { StoredUser } from '../../src/storage/shipped-storage.ts'
import { createProvisioner, type ProvisioningDecision } from '../../src/users/provisioner.ts'
import { ROLES } from '../pipeline/world.ts'
import { identityOf } from '../users/first-logins.ts'
import { createInvitationWorld, type InvitationWorld, WEEK_MS } from './invitation-world.ts'

const UNNAMED: OrgSelection = { kind: 'unnamed' }
const AT_ONCE = { invitations: { takeEffect: 'on-first-login' } } as const

type World = InvitationWorld<unknown>
type Options = NonNullable<Parameters<typeof createInvitationWorld<unknown>>[0]>

async function open(options: Options = AT_ONCE): Promise<{ readonly world: World; readonly boss: StoredUser }> {
  const world = await createInvitationWorld<unknown>(options)
  return { world, boss: await world.person('boss', 'admin') }
}

const logIn = ({ provision }: World, identity: Partial<Identity> = {}) =>
  provision(identityOf('ada', identity), UNNAMED)

describe('a first login', () => {
  it('on-first-login: joins by the one good invitation, takes it, and says so', async () => {
    const { world, boss } = await open()
    const id = await world.invited('ada', 'member', boss)
    const { provisioned, created } = await logIn(world, { email: ' ADA@Example.test' })
    expect([created, provisioned]).toEqual([
      true,
      { decision: 'join', orgId: world.orgId, invitationId: id, passedOver: [] },
    ])
    expect(await world.rolesOf()).toEqual({ boss: 'admin', ADA: 'member' })
    expect(await world.storage.invitations.findById(id)).toBeNull()
    expect(await world.storage.orgs.count()).toBe(2)
    expect((await logIn(world)).provisioned).toBeUndefined()
  })

  it('when-accepted: makes an organization of their own, and the invitation waits', async () => {
    const { world, boss } = await open({})
    const id = await world.invited('ada', 'member', boss)
    const { provisioned, user } = await logIn(world)
    expect(provisioned).toMatchObject({
      ...{ decision: 'create', invitationId: null },
      passedOver: [{ invitationId: id, orgId: world.orgId, why: 'when_accepted' }],
    })
    expect(Object.isFrozen(provisioned)).toBe(true)
    expect(await world.invitations.accept(world.user(user), id)).toMatchObject({ role: 'member' })
    expect(await world.storage.orgs.count()).toBe(3)
  })

  it('tells it to one of those who came at once', async () => {
    const { world } = await open()
    const all = await Promise.all(Array.from({ length: 20 }, () => logIn(world)))
    expect(all.filter(({ provisioned }) => provisioned !== undefined)).toHaveLength(1)
  })
})

describe('passed over', () => {
  type Make = (world: World, boss: StoredUser) => Promise<unknown>
  const one =
    (role: string, change: Make = async () => null): Make =>
    async (world, boss) => {
      await world.invited('ada', role, boss)
      await change(world, boss)
    }
  const cases: readonly (readonly [string, Make, Partial<Identity>, readonly PassedOver['why'][]])[] = [
    ['expired at that very instant', one('member', async (world) => world.pass(WEEK_MS)), {}, ['expired']],
    ['an address that is not verified', one('member'), { emailVerified: false }, ['email_not_verified']],
    ['an address of which nothing is said', one('member'), { emailVerified: null }, ['email_not_verified']],
    [
      'an inviter who was removed',
      one('member', ({ storage, orgId }, boss) => storage.memberships.remove(orgId, boss.id)),
      {},
      ['inviter_not_entitled'],
    ],
    [
      'an inviter who was disabled',
      one('member', ({ storage }, boss) => storage.users.setDisabled(boss.id, true)),
      {},
      ['inviter_not_entitled'],
    ],
    [
      'an inviter whose role is lower now',
      one('admin', ({ storage, orgId }, boss) => storage.memberships.setRole(orgId, boss.id, 'member')),
      {},
      ['inviter_not_entitled'],
    ],
    ['a role above the inviter’s', one('owner'), {}, ['inviter_not_entitled']],
    ['a role that is none', one('emperor'), {}, ['role_unknown']],
    [
      'several that are as good',
      async (world, boss) => {
        await world.invited('ada', 'member', boss)
        await world.invited('ada', 'viewer', null, world.otherOrgId)
      },
      {},
      ['several_pending', 'several_pending'],
    ],
    ['none of their address', (world, boss) => world.invited('bob', 'member', boss), {}, []],
    ['no address', one('member'), { email: null }, []],
    ['what is no address', one('member'), { email: 'ada@example.test\n@x' }, []],
  ]
  it.each(cases)('%s', async (_, make, identity, whys) => {
    const { world, boss } = await open()
    await make(world, boss)
    const before = (await world.storage.invitations.listByEmail('ada@example.test', 9)).length
    const { provisioned } = await logIn(world, identity)
    expect(provisioned).toMatchObject({ decision: 'create', invitationId: null })
    expect(provisioned?.passedOver.map(({ why }) => why)).toEqual(whys)
    expect(await world.storage.invitations.listByEmail('ada@example.test', 9)).toHaveLength(before)
  })

  it('bad ones beside the one that takes effect', async () => {
    const { world, boss } = await open()
    const id = await world.invited('ada', 'member', boss)
    await world.invited('ada', 'emperor', null, world.otherOrgId)
    const { provisioned } = await logIn(world)
    expect(provisioned).toMatchObject({ decision: 'join', invitationId: id })
    expect(provisioned?.passedOver).toEqual([
      { invitationId: expect.any(String), orgId: world.otherOrgId, why: 'role_unknown' },
    ])
  })
})

describe('the host’s decide', () => {
  it.each([
    ['readers', true],
    ['purgers', false],
  ])('may name a role made at run time, which the inviter may give: %s', async (role, isGood) => {
    const made: Readonly<Record<string, readonly string[]>> = { readers: ['things:read'], purgers: ['things:purge'] }
    const customRoles = { find: async (_: string, name: string) => made[name] ?? null }
    const { world } = await open({
      invitations: { takeEffect: 'on-first-login', customRoles, manage: { role: 'member' } },
      provisioner: {
        decide: (_, invitation) =>
          invitation === null
            ? { kind: 'none' }
            : { kind: 'join', orgId: invitation.orgId, role, invitationId: invitation.id },
      },
    })
    const host = await world.person('host', 'member')
    await world.invited('ada', 'member', host)
    const first = world.provision(identityOf('ada'), UNNAMED, toKnownRoles(ROLES, customRoles))
    if (isGood) expect((await first).created).toBe(true)
    else await expect(first).rejects.toThrow('an invitation that can not be taken')
    expect((await world.rolesOf())['ada']).toBe(isGood ? role : undefined)
  })

  const decided = async (
    decide: (
      identity: Identity,
      invitation: Invitation | null,
      pending: readonly Invitation[],
    ) => ProvisioningDecision | Promise<ProvisioningDecision>,
    options: Options = AT_ONCE,
  ) => open({ ...options, provisioner: { decide } })

  it('is handed the one that takes effect, and the good ones that don’t', async () => {
    const seen: unknown[] = []
    const decide = (_: Identity, invitation: Invitation | null, pending: readonly Invitation[]) => {
      seen.push([invitation?.role ?? null, pending.map(({ role }) => role)])
      return { kind: 'none' } as const
    }
    const { world } = await decided(decide)
    await world.invited('ada', 'member', null)
    await logIn(world)
    await world.invited('bob', 'member', null)
    world.pass(1)
    await world.invited('bob', 'viewer', null, world.otherOrgId)
    await world.provision(identityOf('bob'), UNNAMED)
    await world.provision(identityOf('eve'), UNNAMED)
    expect(seen).toEqual([
      ['member', []],
      [null, ['member', 'viewer']],
      [null, []],
    ])
  })

  it('may pass over the one that would take effect, and take one that would not', async () => {
    const { world } = await decided((_, __, pending) => {
      const [, second] = pending
      if (second === undefined) return { kind: 'none' }
      return { kind: 'join', orgId: second.orgId, role: second.role, invitationId: second.id }
    })
    const only = await world.invited('ada', 'member', null)
    expect((await logIn(world)).provisioned).toEqual({
      ...{ decision: 'none', orgId: null, invitationId: null },
      passedOver: [{ invitationId: only, orgId: world.orgId, why: 'decided_otherwise' }],
    })
    const first = await world.invited('bob', 'member', null)
    world.pass(1)
    const second = await world.invited('bob', 'viewer', null, world.otherOrgId)
    expect((await world.provision(identityOf('bob'), UNNAMED)).provisioned).toEqual({
      ...{ decision: 'join', orgId: world.otherOrgId, invitationId: second },
      passedOver: [{ invitationId: first, orgId: world.orgId, why: 'several_pending' }],
    })
  })

  it('may give less than was offered, and no more than the inviter may give', async () => {
    for (const [role, outcome] of [
      ['viewer', 'viewer'],
      ['owner', 'an invitation that can not be taken'],
    ] as const) {
      const { world, boss } = await decided((_, invitation) => ({
        ...{ kind: 'join', orgId: invitation?.orgId ?? '', role, invitationId: invitation?.id },
      }))
      const id = await world.invited('ada', 'member', boss)
      const login = logIn(world)
      if (role === 'viewer') await login
      else await expect(login).rejects.toThrow(outcome)
      expect(await world.rolesOf()).toEqual({ boss: 'admin', ...(role === 'viewer' && { ada: 'viewer' }) })
      expect((await world.storage.invitations.findById(id)) === null).toBe(role === 'viewer')
    }
  })

  it.each([
    ['somebody else’s', (theirs: string, orgId: string) => ({ invitationId: theirs, orgId })],
    [
      'another organization',
      (_: string, __: string, own: string, otherOrgId: string) => ({ invitationId: own, orgId: otherOrgId }),
    ],
  ])('may not name %s: its mistake, nothing written', async (_, make) => {
    const named = { invitationId: '', orgId: '' }
    const { world } = await decided(() => ({ kind: 'join', role: 'viewer', ...named }))
    const [theirs, own] = [await world.invited('bob', 'member', null), await world.invited('ada', 'member', null)]
    Object.assign(named, make(theirs, world.orgId, own, world.otherOrgId))
    await expect(logIn(world)).rejects.toThrow('that it was not handed: nothing was written')
    expect(await world.storage.users.count()).toBe(1)
    expect(await world.storage.invitations.findById(theirs)).not.toBeNull()
  })

  it('is the host’s mistake over a storage without invitations', async () => {
    const { world } = await open()
    await world.invited('ada', 'member', null)
    const { storage } = world
    const transaction: typeof storage.transaction = (work) =>
      storage.transaction(({ invitations: _, ...inside }) => work(inside as never))
    const provision = createProvisioner({ storage: { ...storage, transaction }, invitations: world.invitations })
    await expect(provision(identityOf('ada'), UNNAMED)).rejects.toThrow('must be the storage of the invitations')
    expect(await storage.users.count()).toBe(1)
  })

  it('may not name one where there are none to be had', async () => {
    const storage = createMemoryStorage()
    const { id: orgId } = await storage.orgs.insert({ name: 'acme' })
    const decide = () => ({ kind: 'join', orgId, role: 'owner', invitationId: 'any' }) as const
    const login = createProvisioner({ storage, decide })(identityOf('ada'), UNNAMED)
    await expect(login).rejects.toThrow('an invitation that can not be taken')
    expect(await storage.users.count()).toBe(0)
  })
})

describe('what has changed since it was decided', () => {
  const changed = async (change: (world: World, boss: StoredUser, id: string) => Promise<unknown>) => {
    let isFirst = true
    const decide = async (_: Identity, invitation: Invitation | null): Promise<ProvisioningDecision> => {
      if (isFirst) await change(world, boss, id)
      isFirst = false
      if (invitation === null) return { kind: 'create' }
      return { kind: 'join', orgId: invitation.orgId, role: invitation.role, invitationId: invitation.id }
    }
    const { world, boss } = await open({ ...AT_ONCE, provisioner: { decide } })
    const id = await world.invited('ada', 'member', boss)
    return { world, provisioned: (await logIn(world)).provisioned }
  }

  it.each<readonly [string, Parameters<typeof changed>[0], readonly PassedOver['why'][]]>([
    ['it was revoked', ({ storage }, _, id) => storage.invitations.consume(id), []],
    ['it has expired', async (world) => world.pass(WEEK_MS), ['expired']],
    [
      'its inviter was removed',
      ({ storage, orgId }, boss) => storage.memberships.remove(orgId, boss.id),
      ['inviter_not_entitled'],
    ],
    [
      'its inviter may give less',
      ({ storage, orgId }, boss) => storage.memberships.setRole(orgId, boss.id, 'viewer'),
      ['inviter_not_entitled'],
    ],
    ['its organization is deleted', ({ storage, orgId }) => storage.orgs.remove(orgId), []],
  ])('%s: decided again', async (_, change, whys) => {
    const { world, provisioned } = await changed(change)
    expect(provisioned).toMatchObject({ decision: 'create', invitationId: null })
    expect(provisioned?.passedOver.map(({ why }) => why)).toEqual(whys)
    expect(await world.rolesOf()).not.toHaveProperty('ada')
  })

  it('its inviter has a role made at run time since: looked up, and decided again', async () => {
    const found: string[] = []
    const customRoles = {
      find: async (_orgId: string, role: string) => {
        found.push(role)
        return role === 'inviters' ? ['things:purge'] : null
      },
    }
    let isFirst = true
    const { world, boss } = await open({
      invitations: { takeEffect: 'on-first-login', customRoles, manage: { permissions: ['things:purge'] } },
      provisioner: {
        decide: async (_, invitation) => {
          if (isFirst) await world.storage.memberships.setRole(world.orgId, boss.id, 'inviters')
          isFirst = false
          return invitation === null
            ? { kind: 'none' }
            : { kind: 'join', orgId: invitation.orgId, role: invitation.role, invitationId: invitation.id }
        },
      },
    })
    await world.invited('ada', 'viewer', boss)
    // Whoever has a role made at run time gives none of the ladder: it includes no other.
    expect((await logIn(world)).provisioned).toMatchObject({
      ...{ decision: 'none', passedOver: [{ why: 'inviter_not_entitled' }] },
    })
    expect(found).toContain('inviters')
  })
})
