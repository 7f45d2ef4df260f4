/** Somebody is erased while they log in, are made a member, or another owner goes: nothing half-made, and one owner is always left (M3, M15). */
import { describe, expect, it } from 'vitest'
import { createMembers } from '../../src/people/members.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { identityOf } from '../users/first-logins.ts'
import { STORAGES } from './storages.ts'
import { createUserAdminWorld, ISSUER, ROLES, type UserAdminWorld } from './user-admin-world.ts'
import { contextOf } from './world.ts'

const ROUNDS = 25
const UNNAMED = { kind: 'unnamed' } as const
const FREED = { identity: 'freed', emptyOrgs: 'remove' } as const
const BLOCKED = { identity: 'blocked', emptyOrgs: 'remove' } as const

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
}

/** Whoever of them is an enabled owner. */
async function ownersOf({ storage }: UserAdminWorld, orgId: string): Promise<number> {
  const members = await storage.memberships.listByOrg(orgId)
  return members.filter(({ role, disabled }) => role === 'owner' && !disabled).length
}

describe.each(STORAGES)('erase, in $name', ({ open }) => {
  it.each([FREED, BLOCKED])('× their own requests: $identity', async (options) => {
    const world = createUserAdminWorld(await open())
    const { storage, admin } = world
    const provisioners = Array.from({ length: 4 }, () => createProvisioner({ storage, refreshEmail: 'when-verified' }))
    let [people, orgs] = [0, 0]
    for (let round = 0; round < ROUNDS; round++) {
      const subject = `person-${round}`
      const identity = (email: string) => identityOf(subject, { issuer: ISSUER, email })
      const [first] = provisioners
      const { user } = (await first?.(identity(`${subject}@example.test`), UNNAMED)) ?? {}
      const requests = provisioners.map((comes, i) => codeOf(comes(identity(`${subject}@new-${i}.test`), UNNAMED)))
      const erasing = codeOf(admin.erase(user?.id ?? '', options))
      expect(await erasing).toBe('done')
      for (const code of await Promise.all(requests)) expect(['done', 'forbidden']).toContain(code)
      const row = await storage.users.findById(user?.id ?? '')
      expect(row).toMatchObject({ email: null, disabled: true })
      expect(await storage.memberships.listActing({ kind: 'user', user: row as never })).toEqual([])
      const found = await storage.users.findByIdentity({ issuer: ISSUER, subject }, UNNAMED)
      const isNew = found !== null && found.user.id !== row?.id
      if (options.identity === 'blocked') expect(found?.user.id).toBe(row?.id)
      if (isNew) expect([found.user.disabled, found.membership?.role]).toEqual([false, 'owner'])
      people += isNew ? 2 : 1
      orgs += isNew ? 1 : 0
      expect([await storage.users.count(), await storage.orgs.count()]).toEqual([people, orgs])
    }
  })

  it('× being made a member: a user who is erased is a member of nothing', async () => {
    const world = createUserAdminWorld(await open())
    const { storage, admin } = world
    const host = await world.user('host')
    const members = createMembers({ storage, roles: ROLES, manage: { role: 'owner' } })
    for (let round = 0; round < ROUNDS; round++) {
      const ada = await world.user(`ada-${round}`)
      const orgs = await Promise.all([1, 2, 3].map(() => world.org('Acme', [host, 'owner'])))
      const adding = orgs.map(({ id }) =>
        codeOf(members.add(contextOf(host.id, 'owner', id), { userId: ada.id, role: 'member' })),
      )
      expect(await codeOf(admin.erase(ada.id, BLOCKED))).toBe('done')
      for (const code of await Promise.all(adding))
        expect(['done', 'not_found', 'temporarily_unavailable']).toContain(code)
      const row = await storage.users.findById(ada.id)
      expect(row?.disabled).toBe(true)
      expect(await storage.memberships.listActing({ kind: 'user', user: row as never })).toEqual([])
    }
  })

  it('× a newcomer whom the host puts into the organization that is left empty: they are its member, or it is gone', async () => {
    const world = createUserAdminWorld(await open())
    const { storage, admin } = world
    for (let round = 0; round < ROUNDS * 2; round++) {
      const ada = await world.user(`ada-${round}`)
      const { id: orgId } = await world.org('Acme', [ada, 'owner'])
      let asked = 0
      const decide = () =>
        asked++ === 0 ? ({ kind: 'join', orgId, role: 'viewer' } as const) : ({ kind: 'create' } as const)
      const comes = createProvisioner({ storage, decide })
      const identity = identityOf(`newcomer-${round}`, { issuer: ISSUER, email: null })
      const [{ user }, erased] = await Promise.all([comes(identity, UNNAMED), codeOf(admin.erase(ada.id, FREED))])
      // With somebody in it, it is not left empty, and its owner must name another one.
      expect(['done', 'conflict']).toContain(erased)
      const acting = await storage.memberships.listActing({ kind: 'user', user: user as never })
      const joined = acting.map(({ org, role }) => `${org.id === orgId ? 'theirs' : 'own'} ${role}`).join()
      expect(['theirs viewer', 'own owner']).toContain(joined)
      expect((await storage.orgs.findById(orgId)) !== null).toBe(joined === 'theirs viewer')
    }
  })

  it('× another owner who leaves, is demoted or erased: one owner is always left', async () => {
    const world = createUserAdminWorld(await open())
    const { storage, admin } = world
    const members = createMembers({ storage, roles: ROLES, manage: { role: 'owner' } })
    const acts = [
      (orgId: string, id: string) => members.leave(contextOf(id, 'owner', orgId)),
      (orgId: string, id: string) => members.changeRole(contextOf(id, 'owner', orgId), { userId: id, role: 'viewer' }),
      (_orgId: string, id: string) => admin.erase(id, FREED),
    ]
    for (let round = 0; round < ROUNDS; round++) {
      const [ada, bob, eve] = [
        await world.user(`ada-${round}`),
        await world.user(`bob-${round}`),
        await world.user(`eve-${round}`),
      ]
      const orgs = await Promise.all(
        [1, 2].map(() => world.org('Acme', [ada, 'owner'], [bob, 'owner'], [eve, 'viewer'])),
      )
      const act = acts[round % acts.length]
      const outcomes = await Promise.all([
        codeOf(admin.erase(ada.id, FREED)),
        ...orgs.slice(0, round % 3 === 2 ? 1 : 2).map(({ id }) => codeOf(act?.(id, bob.id) ?? Promise.resolve())),
      ])
      for (const code of outcomes) expect(['done', 'conflict']).toContain(code)
      expect(outcomes.includes('done')).toBe(true)
      for (const { id } of orgs) expect(await ownersOf(world, id)).toBeGreaterThan(0)
    }
  })
})
