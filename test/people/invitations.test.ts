/** Invitations: who may send, list and revoke them, what they are, and what the host is told and sends (M1, M2, M4, M9, M17). */
import { describe, expect, it, vi } from 'vitest'
import type { AuthContext } from '../../src/context.ts'
import { sha256Hex } from '../../src/lib/digest.ts'
import { createInvitations } from '../../src/people/invitations.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { testApiKeyContext, testServiceContext } from '../../src/testing/principals.ts'
import { until } from '../patience.ts'
import { reasonOf, refusalOf } from '../pipeline/world.ts'
import { createInvitationWorld, type InvitationWorld, NOBODY, START, WEEK_MS } from './invitation-world.ts'
import { withUnheardCommit } from './world.ts'

const ADA = { email: 'ada@example.test', role: 'member' }

async function withAdmin(options: Parameters<typeof createInvitationWorld>[0] = {}) {
  const world = await createInvitationWorld(options as never)
  const admin = await world.person('boss', 'admin')
  return { world, admin, as: world.acting(admin, 'admin') }
}

describe('an invitation', () => {
  it('is of a normalized address, by who sends it, good for seven days', async () => {
    const { world, admin, as } = await withAdmin()
    const invitation = await world.invitations.create(as, { email: ' Ada@Example.TEST ', role: 'member' })
    expect(invitation).toEqual({
      id: expect.any(String),
      orgId: world.orgId,
      email: 'ada@example.test',
      role: 'member',
      invitedBy: admin.id,
      createdAt: new Date(START),
      expiresAt: new Date(START + WEEK_MS),
    })
    expect(Object.isFrozen(invitation)).toBe(true)
    expect(await world.invitations.list(as)).toEqual([invitation])
  })

  it('ends when the host says, and is listed until that very instant', async () => {
    const { world, as } = await withAdmin({ invitations: { expiresInSeconds: 60 } })
    const { id } = await world.invitations.create(as, ADA)
    world.pass(59_999)
    expect(await world.invitations.list(as)).toHaveLength(1)
    world.pass(1)
    expect(await world.invitations.list(as)).toEqual([])
    expect(await reasonOf(world.invitations.revoke(as, id))).toBe('invitation_not_found')
    expect(await world.invitations.create(as, ADA)).toMatchObject({ email: ADA.email })
  })

  it.each([
    [{ email: undefined }, 'email'],
    [{ email: 7 }, 'email'],
    [{ email: '' }, 'email'],
    [{ email: 'ada' }, 'email'],
    [{ email: 'ada@example.test, eve@example.test' }, 'email'],
    [{ email: 'ádá@example.test' }, 'email'],
    [{ role: undefined }, 'role'],
    [{ role: 'Member' }, 'role'],
    [{ role: 'boss' }, 'role'],
    [{ role: '' }, 'role'],
    [{ role: ['member'] }, 'role'],
  ])('with %j is refused by its field', async (fields, field) => {
    const { world, as } = await withAdmin()
    expect(await refusalOf(world.invitations.create(as, { ...ADA, ...fields }))).toMatchObject({
      code: 'validation_error',
      field,
    })
    expect(await world.storage.invitations.listByOrg(world.orgId)).toEqual([])
  })

  it('is not sent twice to an address, nor to a member’s, in whatever case', async () => {
    const { world, as } = await withAdmin()
    await world.invitations.create(as, ADA)
    expect(await reasonOf(world.invitations.create(as, { ...ADA, email: 'ADA@example.test' }))).toBe(
      'invitation_pending_already',
    )
    expect(await refusalOf(world.invitations.create(as, { ...ADA, email: 'Boss@example.test' }))).toMatchObject({
      code: 'conflict',
      reason: 'invitation_of_a_member',
    })
    const elsewhere = world.acting(await world.person('eve', 'admin', world.otherOrgId), 'admin', {
      orgId: world.otherOrgId,
    })
    await world.invitations.create(elsewhere, ADA)
  })

  it('is of a member’s address also where it is stored as it was typed', async () => {
    const { world, as } = await withAdmin()
    const { user } = await world.storage.users.upsertByIdentity({
      ...{ issuer: 'https://other.test', subject: 'ada', email: 'Ada@Example.Test' },
    })
    await world.storage.memberships.insert({ orgId: world.orgId, userId: user.id, role: 'viewer' })
    expect(await reasonOf(world.invitations.create(as, ADA))).toBe('invitation_of_a_member')
  })

  it('is one of at most so many pending ones; expired ones don’t count', async () => {
    const { world, as } = await withAdmin({ invitations: { maxPending: 2 } })
    for (const name of ['a', 'b']) await world.invitations.create(as, { ...ADA, email: `${name}@example.test` })
    expect(await refusalOf(world.invitations.create(as, ADA))).toMatchObject({
      code: 'conflict',
      reason: 'invitations_too_many',
    })
    world.pass(WEEK_MS)
    await world.invitations.create(as, ADA)
  })
})

describe('who may', () => {
  it.each([
    ['viewer', 'viewer', 'role_too_low'],
    ['member', 'viewer', 'role_too_low'],
    ['admin', 'viewer', 'created'],
    ['admin', 'admin', 'created'],
    ['admin', 'owner', 'role_above_ones_own'],
    ['owner', 'owner', 'created'],
  ])('create: %s for %s: %s', async (own, role, expected) => {
    const world = await createInvitationWorld()
    const context = world.acting(await world.person('boss', own), own)
    const outcome = world.invitations.create(context, { ...ADA, role })
    expect(expected === 'created' ? await outcome.then(() => 'created') : await reasonOf(outcome)).toBe(expected)
    expect(world.mails).toHaveLength(expected === 'created' ? 1 : 0)
  })

  it.each([
    ['viewer', 'viewer', 'role_too_low'],
    ['admin', 'admin', 'revoked'],
    ['admin', 'owner', 'role_above_ones_own'],
    ['owner', 'owner', 'revoked'],
    ['admin', 'gone from the roles', 'revoked'],
  ])('revoke: %s of %s: %s', async (own, role, expected) => {
    const world = await createInvitationWorld()
    const context = world.acting(await world.person('boss', own), own)
    const id = await world.invited('ada', role, null)
    const outcome = world.invitations.revoke(context, id)
    expect(expected === 'revoked' ? await outcome.then(() => 'revoked') : await reasonOf(outcome)).toBe(expected)
    expect(await world.storage.invitations.findById(id).then((found) => found === null)).toBe(expected === 'revoked')
  })

  it('list: who may invite', async () => {
    const world = await createInvitationWorld()
    const [member, admin] = [await world.person('ada', 'member'), await world.person('boss', 'admin')]
    expect(await reasonOf(world.invitations.list(world.acting(member, 'member')))).toBe('role_too_low')
    expect(await world.invitations.list(world.acting(admin, 'admin'))).toEqual([])
  })

  it('is asked of what they are now, not of what the request found', async () => {
    const { world, admin, as } = await withAdmin()
    const { storage, invitations, orgId } = world
    const id = await world.invited('eve', 'member', null)
    await storage.memberships.setRole(orgId, admin.id, 'member')
    for (const work of [() => invitations.create(as, ADA), () => invitations.revoke(as, id)]) {
      expect(await reasonOf(work)).toBe('role_too_low')
    }
    await storage.memberships.remove(orgId, admin.id)
    for (const work of [() => invitations.create(as, ADA), () => invitations.revoke(as, id)]) {
      expect(await reasonOf(work)).toBe('actor_not_a_member')
    }
    expect(await storage.invitations.listByOrg(orgId)).toHaveLength(1)
  })

  it('goes by permissions too, and by what the credential carries', async () => {
    const { world, admin, as } = await withAdmin({ invitations: { manage: { permissions: ['things:purge'] } } })
    const limited = (scopes: readonly string[]): AuthContext => world.acting(admin, 'admin', { scopes })
    expect(await refusalOf(world.invitations.create(limited(['things:read']), ADA))).toMatchObject({
      code: 'insufficient_scope',
    })
    expect(await reasonOf(world.invitations.create(limited(['things:purge']), ADA))).toBe('role_above_ones_own')
    await world.invitations.create(limited(['things:purge', 'things:read', 'things:write']), ADA)
    expect(await world.invitations.list(as)).toHaveLength(1)
  })

  it.each([
    ['an API key', testApiKeyContext({ role: 'owner' }) as AuthContext],
    ['a service', testServiceContext('crm') as AuthContext],
  ])('nobody but a person: %s', async (_, context) => {
    const { invitations } = await createInvitationWorld()
    const works = [
      () => invitations.create(context, ADA),
      () => invitations.list(context),
      () => invitations.revoke(context, NOBODY),
      () => invitations.mine(context),
      () => invitations.accept(context, NOBODY),
      () => invitations.acceptByLink(context, 'secret'),
    ]
    for (const work of works) expect(await reasonOf(work)).toBe('people_need_a_user')
  })

  it('revoke: those of the organization one acts in, and nothing tells others from none', async () => {
    const { world, as } = await withAdmin()
    const elsewhere = await world.invited('ada', 'member', null, world.otherOrgId)
    for (const id of [elsewhere, NOBODY, 'no id at all', '']) {
      expect(await refusalOf(world.invitations.revoke(as, id))).toMatchObject({
        code: 'not_found',
        reason: 'invitation_not_found',
      })
    }
    expect(await world.storage.invitations.findById(elsewhere)).not.toBeNull()
  })

  it('revoke: once', async () => {
    const { world, as } = await withAdmin()
    const { id } = await world.invitations.create(as, ADA)
    await world.invitations.revoke(as, id)
    expect(await reasonOf(world.invitations.revoke(as, id))).toBe('invitation_not_found')
  })
})

describe('roles made at run time', () => {
  it('are given by whoever may do all that they may, and looked up outside the transaction', async () => {
    let inTransaction = false
    const memory = createMemoryStorage()
    const storage = {
      ...memory,
      transaction: (work: never) => {
        inTransaction = true
        return memory.transaction(work).finally(() => {
          inTransaction = false
        })
      },
    } as typeof memory
    const looked: boolean[] = []
    const customRoles = {
      find: async (_orgId: string, role: string) => {
        looked.push(inTransaction)
        const all: Record<string, readonly string[]> = { readers: ['things:read'], purgers: ['things:purge'] }
        return all[role] ?? null
      },
    }
    const world = await createInvitationWorld({ storage, invitations: { customRoles, manage: { role: 'member' } } })
    const context = world.acting(await world.person('boss', 'member'), 'member')
    await world.invitations.create(context, { ...ADA, role: 'readers' })
    expect(await reasonOf(world.invitations.create(context, { ...ADA, role: 'purgers' }))).toBe('role_above_ones_own')
    expect(await refusalOf(world.invitations.create(context, { ...ADA, role: 'nobody' }))).toMatchObject({
      field: 'role',
    })
    const id = (await world.storage.invitations.listByOrg(world.orgId))[0]?.id ?? ''
    expect(await world.invitations.accept(world.user(await world.person('ada')), id)).toMatchObject({ role: 'readers' })
    expect(looked).not.toContain(true)
  })
})

describe('what names no role', () => {
  it.each([undefined, null, 7, ['member'], '', 'x'.repeat(256)])('is never looked up: %j', async (role) => {
    const asked: unknown[] = []
    const customRoles = {
      find: async (_orgId: string, given: string) => {
        asked.push(given)
        return ['things:read']
      },
    }
    const { world, as } = await withAdmin({ invitations: { customRoles } })
    expect(await refusalOf(world.invitations.create(as, { ...ADA, role }))).toMatchObject({ field: 'role' })
    expect(asked).toEqual([])
  })
})

describe('what the host is told', () => {
  it('is every act, once it is so, without an address or a secret', async () => {
    const { world, admin, as } = await withAdmin({ invitations: { links: 'any-verified-address' } })
    const ada = await world.person('ada')
    const { id } = await world.invitations.create(as, ADA)
    await world.invitations.revoke(as, id)
    const { id: second } = await world.invitations.create(as, ADA)
    await world.invitations.accept(world.user(ada), second)
    const told = { orgId: world.orgId, role: 'member', leftOrgId: null, cause: undefined, at: new Date(START) }
    expect(world.events).toEqual([
      { kind: 'invitation_created', invitationId: id, byId: admin.id, ...told },
      { kind: 'invitation_revoked', invitationId: id, byId: admin.id, ...told },
      { kind: 'invitation_created', invitationId: second, byId: admin.id, ...told },
      { kind: 'invitation_accepted', invitationId: second, byId: ada.id, ...told },
    ])
    expect(world.events.every(Object.isFrozen)).toBe(true)
    const text = JSON.stringify(world.events)
    for (const { secret } of world.mails) expect(text.includes(secret ?? '!')).toBe(false)
    expect(text).not.toContain('ada@')
  })

  it('changes nothing by throwing', async () => {
    const { world, as } = await withAdmin({
      invitations: {
        onEvent: () => {
          throw new Error('the audit log is full')
        },
      },
    })
    expect(await world.invitations.create(as, ADA)).toMatchObject({ role: 'member' })
  })
})

describe('a COMMIT whose answer does not come', () => {
  it('is asked after: the invitation is made once, told and sent', async () => {
    const { world, as } = await withAdmin({
      storage: withUnheardCommit(createMemoryStorage()),
      invitations: { links: 'any-verified-address' },
    } as never)
    const { id } = await world.invitations.create(as, ADA)
    expect(world.events).toMatchObject([{ kind: 'invitation_created', invitationId: id }])
    const found = await world.storage.invitations.findBySecretHash(await sha256Hex(world.mails[0]?.secret ?? ''))
    expect([found?.id, world.mails.length]).toEqual([id, 1])
  })

  it('is asked after: one is revoked once, and that is told', async () => {
    const { world, as } = await withAdmin({ storage: withUnheardCommit(createMemoryStorage()) } as never)
    const id = await world.invited('ada', 'member', null)
    await world.invitations.revoke(as, id)
    expect(world.events).toMatchObject([{ kind: 'invitation_revoked', invitationId: id }])
    expect(await reasonOf(world.invitations.revoke(as, id))).toBe('invitation_not_found')
  })
})

describe('the mail', () => {
  const stored = async (world: InvitationWorld): Promise<number> =>
    (await world.storage.invitations.listByOrg(world.orgId)).length

  it('is sent once the invitation is stored, with all it needs', async () => {
    const seen: number[] = []
    const mails: unknown[] = []
    const { world, as } = await withAdmin({
      invitations: {
        send: async (mail: unknown) => {
          mails.push(mail)
          seen.push(await stored(world as never))
        },
      },
    } as never)
    const invitation = await world.invitations.create(as, ADA)
    expect(seen).toEqual([1])
    expect(mails).toEqual([
      {
        invitation,
        org: expect.objectContaining({ id: world.orgId, name: 'Acme' }),
        inviter: expect.objectContaining({ email: 'boss@example.test' }),
        secret: null,
      },
    ])
  })

  it('is not sent for what was refused or undone', async () => {
    const memory = createMemoryStorage()
    const storage = {
      ...memory,
      transaction: async (work: never) =>
        memory.transaction(async (inside) => {
          await (work as (given: unknown) => Promise<unknown>)(inside)
          throw new Error('the commit failed')
        }),
    } as never
    const world = await createInvitationWorld({ storage })
    const as = world.acting(await world.person('boss', 'admin'), 'admin')
    await expect(world.invitations.create(as, ADA)).rejects.toThrow('the commit failed')
    await expect(world.invitations.create(as, { ...ADA, role: 'owner' })).rejects.toThrow()
    expect([world.mails, world.events, await stored(world as never)]).toEqual([[], [], 0])
  })

  it.each([
    ['throws', () => Promise.reject(new Error('smtp'))],
    [
      'throws at once',
      () => {
        throw new Error('smtp')
      },
    ],
  ])('that %s undoes nothing and is told', async (_, send) => {
    const { world, as } = await withAdmin({ invitations: { send } })
    const { id } = await world.invitations.create(as, ADA)
    expect(world.events.map(({ kind }) => kind)).toEqual(['invitation_created', 'invitation_not_sent'])
    expect(world.events[1]).toMatchObject({ invitationId: id, cause: expect.objectContaining({ message: 'smtp' }) })
    expect(await world.invitations.list(as)).toHaveLength(1)
  })

  it('that was not sent is a line on standard error where nobody listens, without address and secret', async () => {
    const lines: unknown[] = []
    const print = vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(line))
    try {
      const send = (): Promise<never> => Promise.reject(Object.assign(new Error('to ada@'), { code: 'ECONNREFUSED' }))
      const { world, as } = await withAdmin({ invitations: { send, onEvent: undefined } })
      await world.invitations.create(as, ADA)
      expect(lines).toEqual(['sallyport: an invitation was not sent: ECONNREFUSED; onEvent is told the cause'])
    } finally {
      print.mockRestore()
    }
  })

  it('that hangs is given up after 10 seconds, its signal aborted', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      let signal: AbortSignal | undefined
      const send = (_mail: unknown, given: AbortSignal): Promise<never> => {
        signal = given
        return new Promise(() => undefined)
      }
      const { world, as } = await withAdmin({ invitations: { send } })
      const creating = world.invitations.create(as, ADA)
      await until(() => signal !== undefined)
      await vi.advanceTimersByTimeAsync(10_000)
      expect((await creating).role).toBe('member')
      expect(signal?.aborted).toBe(true)
      expect(world.events.at(-1)).toMatchObject({ kind: 'invitation_not_sent', cause: expect.any(Error) })
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a link', () => {
  it('has a secret of 256 bits, which is handed to the mail and stored hashed alone', async () => {
    const memory = createMemoryStorage()
    const { world, as } = await withAdmin({ storage: memory, invitations: { links: 'any-verified-address' } } as never)
    const rows: unknown[] = []
    const made = await world.invitations.create(as, ADA)
    const [{ secret } = { secret: null }] = world.mails
    expect(secret).toMatch(/^[\w-]{43}$/)
    const found = await memory.invitations.findBySecretHash(await sha256Hex(secret ?? ''))
    expect(found?.id).toBe(made.id)
    rows.push(made, ...(await world.invitations.list(as)), ...world.events)
    expect(JSON.stringify(rows).includes(secret ?? '!')).toBe(false)
    await world.invitations.create(as, { ...ADA, email: 'eve@example.test' })
    expect(world.mails[1]?.secret === secret).toBe(false)
  })

  it('there is none without the option', async () => {
    const { world, as } = await withAdmin()
    await world.invitations.create(as, ADA)
    expect(world.mails[0]?.secret).toBeNull()
    expect(world.invitations.hasLinks).toBe(false)
  })
})

describe('construction', () => {
  const storage = createMemoryStorage()
  const good = { storage, roles: ['member', 'admin'], manage: { role: 'admin' } }
  it.each([
    [{ manage: undefined }, 'manage'],
    [{ manage: {} }, 'manage'],
    [{ manage: { role: 'boss' } }, 'manage.role'],
    [{ manage: { permissions: ['things:write'] } }, 'manage.permissions'],
    [{ roles: undefined }, 'roles'],
    [{ storage: { ...storage, invitations: undefined } }, 'storage'],
    [{ storage: { ...storage, transaction: undefined } }, 'storage'],
    [{ storage: { ...storage, orgs: { ...storage.orgs, findLocked: undefined } } }, 'storage'],
    [{ takeEffect: 'at-once' }, 'takeEffect'],
    [{ takeEffect: true }, 'takeEffect'],
    [{ expiresInSeconds: 59 }, 'expiresInSeconds'],
    [{ expiresInSeconds: 31_536_001 }, 'expiresInSeconds'],
    [{ expiresInSeconds: '3600' }, 'expiresInSeconds'],
    [{ maxPending: 0 }, 'maxPending'],
    [{ maxPending: 2.5 }, 'maxPending'],
    [{ links: true }, 'links'],
    [{ links: 'any-verified-address' }, 'links'],
    [{ send: 'smtp://' }, 'send'],
    [{ mayLeave: true }, 'mayLeave'],
    [{ onEvent: {} }, 'onEvent'],
    [{ customRoles: {} }, 'customRoles'],
    [{ expiry: 7 }, 'expiry'],
  ])('refuses %j', (more, option) => {
    expect(() => createInvitations({ ...good, ...more } as never)).toThrow(`"${option}"`)
  })

  it('takes the rest undefined', () => {
    const rest = { customRoles: undefined, takeEffect: undefined, links: undefined, send: undefined, clock: undefined }
    expect(createInvitations({ ...good, ...rest } as never).manage).toEqual({ role: 'admin', permissions: undefined })
  })
})
