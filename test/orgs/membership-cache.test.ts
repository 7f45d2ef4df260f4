/** The opt-in cache of memberships (O5): fewer look-ups, and whatever is revoked is refused in time. */
import { describe, expect, it } from 'vitest'
import type { OrgSelection } from '../../src/context.ts'
import { isAuthError } from '../../src/errors.ts'
import { createMembershipCache, type MembershipCacheOptions } from '../../src/orgs/membership-cache.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { ActingOrgSource, UserRepository } from '../../src/storage/repositories.ts'
import type { StoredUser } from '../../src/storage/shipped-storage.ts'
import { testIdentity } from '../../src/testing/principals.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'

type More = Partial<MembershipCacheOptions<UserRepository, ActingOrgSource>>

/** Rooms over a cache, with a clock to be turned and a count of what the storage was asked. */
async function createWorld(more: More = {}) {
  const storage = createMemoryStorage()
  const world = { now: 1_000_000, asked: 0 }
  const counted = <F extends (...given: never[]) => unknown>(ask: F): F =>
    ((...given: never[]) => {
      world.asked++
      return ask(...given)
    }) as F
  const cache = createMembershipCache({
    users: { ...storage.users, findByIdentity: counted(storage.users.findByIdentity) },
    memberships: {
      ...storage.memberships,
      findActing: counted(storage.memberships.findActing),
      listActing: counted(storage.memberships.listActing),
    },
    clock: () => world.now,
    ...more,
  } as MembershipCacheOptions<typeof storage.users, typeof storage.memberships>)
  const users = createProvisioner({ storage: { ...storage, users: cache.users } })
  const orgs = createOrgResolver({ memberships: cache.memberships, selectors: [], whenUnnamed: 'earliest-joined' })
  /** Authenticate as far as the organization: its id and role, or the refusal's code. */
  const authenticate = async (subject: string, orgId?: string): Promise<string> => {
    const selection: OrgSelection = orgId === undefined ? { kind: 'unnamed' } : { kind: 'named', orgId }
    try {
      const { user, membership } = await users(testIdentity({ subject }), selection)
      const { org, role } = await orgs.resolve({ kind: 'user', user }, selection, membership)
      return `${role} of ${org.id}`
    } catch (error) {
      if (isAuthError(error)) return error.code
      throw error
    }
  }
  await authenticate('ada')
  const found = await storage.users.findByIdentity(testIdentity({ subject: 'ada' }), { kind: 'unnamed' })
  const user = found?.user as StoredUser
  const own = found?.membership?.org.id ?? ''
  return { storage, cache, authenticate, user, own, world }
}

describe('what it saves', () => {
  it('is every look-up of a warm request within the time to live', async () => {
    const { authenticate, own, world } = await createWorld()
    await Promise.all([authenticate('ada'), authenticate('ada', own)])
    const before = world.asked
    for (let count = 0; count < 500; count++)
      expect(await authenticate('ada', count % 2 === 0 ? own : undefined)).toBe(`owner of ${own}`)
    expect(world.asked).toBe(before)
    world.now += 5000
    await authenticate('ada')
    expect(world.asked).toBe(before + 1)
  })

  it('is nothing for an API key or a service', async () => {
    const { cache, own, world } = await createWorld()
    const key = { id: 'k', name: 'k', orgId: own, role: 'member', permissions: [] }
    const before = world.asked
    for (const caller of [
      { kind: 'apiKey', key },
      { kind: 'service', name: 's' },
    ] as const) {
      for (let count = 0; count < 3; count++) {
        await cache.memberships.findActing(caller, own)
        await cache.memberships.listActing(caller)
      }
    }
    expect(world.asked).toBe(before + 12)
  })
})

describe('what is revoked', () => {
  const changes = {
    'a membership that was removed': {
      change: ({ storage, own, user }) => storage.memberships.remove(own, user.id),
      after: 'forbidden',
    },
    'a role that was lowered': {
      change: ({ storage, own, user }) => storage.memberships.setRole(own, user.id, 'member'),
      after: 'member of {own}',
    },
    'a user who was disabled': {
      change: ({ storage, user }) => storage.users.setDisabled(user.id, true),
      after: 'forbidden',
    },
    'an organization that was deleted': { change: ({ storage, own }) => storage.orgs.remove(own), after: 'forbidden' },
  } satisfies Record<
    string,
    { change: (world: Awaited<ReturnType<typeof createWorld>>) => Promise<unknown>; after: string }
  >
  const rows = Object.entries(changes)

  it.each(rows)('%s: noticed within the time to live and 0.1 seconds, 250 of 250', async (_name, { change, after }) => {
    for (let trial = 0; trial < 250; trial++) {
      const ttlSeconds = 0.5 + (trial % 10) / 2
      const world = await createWorld({ ttlSeconds: Math.min(ttlSeconds, 5) })
      const { authenticate, own } = world
      // The answers may be of any age when it happens.
      await authenticate('ada', own)
      world.world.now += trial * 3
      await authenticate('ada', own)
      await change(world)
      world.world.now += ttlSeconds * 1000 + 100
      for (const orgId of [own, undefined]) expect(await authenticate('ada', orgId)).toBe(after.replace('{own}', own))
    }
  })

  it.each(rows)('%s: noticed at once where the host says so', async (_name, { change, after }) => {
    const world = await createWorld()
    const { authenticate, own, user, cache } = world
    await Promise.all([authenticate('ada', own), authenticate('ada')])
    await change(world)
    cache.invalidate(user.id, own)
    for (const orgId of [own, undefined]) expect(await authenticate('ada', orgId)).toBe(after.replace('{own}', own))
  })

  it('is told of one user and one organization: the others stay known', async () => {
    const { storage, authenticate, own, user, cache, world } = await createWorld()
    await authenticate('bob')
    const second = await storage.orgs.insert({ name: 'second' })
    await storage.memberships.insert({ orgId: second.id, userId: user.id, role: 'member' })
    for (const orgId of [own, second.id]) await authenticate('ada', orgId)
    await authenticate('bob')
    const before = world.asked
    cache.invalidate(user.id, second.id)
    await authenticate('ada', own)
    await authenticate('bob')
    expect(world.asked).toBe(before)
    await authenticate('ada', second.id)
    expect(world.asked).toBe(before + 1)
    cache.invalidate(user.id)
    await authenticate('ada', own)
    expect(world.asked).toBe(before + 2)
  })

  it('while a look-up is on its way: its old answer is not kept', async () => {
    const { storage, own, user } = await createWorld()
    let let_go = (): void => {}
    const held = new Promise<void>((resolve) => {
      let_go = resolve
    })
    const slow: ActingOrgSource = {
      listActing: storage.memberships.listActing,
      async findActing(caller, orgId) {
        const answer = await storage.memberships.findActing(caller as never, orgId)
        await held
        return answer
      },
    }
    const cache = createMembershipCache({ users: storage.users, memberships: slow })
    const first = cache.memberships.findActing({ kind: 'user', user }, own)
    await Promise.resolve()
    await storage.memberships.remove(own, user.id)
    cache.invalidate(user.id, own)
    let_go()
    expect(await first).not.toBeNull()
    expect(await cache.memberships.findActing({ kind: 'user', user }, own)).toBeNull()
  })
})

describe('an e-mail that the provisioner refreshes', () => {
  it('is written once, and known from then on', async () => {
    const storage = createMemoryStorage()
    const written: unknown[] = []
    const setEmail: typeof storage.users.setEmail = (...given) => {
      written.push(given[1])
      return storage.users.setEmail(...given)
    }
    const cache = createMembershipCache({ users: { ...storage.users, setEmail }, memberships: storage.memberships })
    const users = createProvisioner({ storage: { ...storage, users: cache.users }, refreshEmail: 'when-verified' })
    const comes = async (email: string): Promise<string | null> =>
      (await users(testIdentity({ subject: 'ada', email, emailVerified: true }), { kind: 'unnamed' })).user.email
    for (const email of ['ada@old.test', 'ada@old.test', 'ada@new.test', 'ada@new.test', 'ada@new.test']) {
      expect(await comes(email)).toBe(email)
    }
    expect(written).toEqual(['ada@new.test'])
  })

  it('is nothing that a storage can write only because it is cached', () => {
    const { users, memberships } = createMemoryStorage()
    const { setEmail: _, ...without } = users
    expect(createMembershipCache({ users: without, memberships }).users).not.toHaveProperty('setEmail')
    expect('setEmail' in createMembershipCache({ users, memberships }).users).toBe(true)
  })
})

describe('"not a member"', () => {
  it('is good for one second, whatever the time to live', async () => {
    const { storage, authenticate, user, world } = await createWorld({ ttlSeconds: 5 })
    const org = await storage.orgs.insert({ name: 'later' })
    expect(await authenticate('ada', org.id)).toBe('forbidden')
    await storage.memberships.insert({ orgId: org.id, userId: user.id, role: 'member' })
    world.now += 999
    expect(await authenticate('ada', org.id)).toBe('forbidden')
    world.now += 1
    expect(await authenticate('ada', org.id)).toBe(`member of ${org.id}`)
  })

  it('"no such user" is not kept: a first login is seen at once', async () => {
    const { cache, storage } = await createWorld()
    const key = testIdentity({ subject: 'new' })
    expect(await cache.users.findByIdentity(key, { kind: 'unnamed' })).toBeNull()
    await storage.users.upsertByIdentity({ ...key, email: null })
    expect(await cache.users.findByIdentity(key, { kind: 'unnamed' })).not.toBeNull()
  })
})

describe('what it holds', () => {
  it('is bounded: ten times as many people as fit, and the first are asked for again', async () => {
    const { cache, own, user, world } = await createWorld({ maxEntries: 100 })
    const person = (index: number) => ({ kind: 'user', user: { ...user, id: `user-${index}` } }) as const
    for (let index = 0; index < 1000; index++) await cache.memberships.findActing(person(index), own)
    const before = world.asked
    for (let index = 900; index < 1000; index++) await cache.memberships.findActing(person(index), own)
    expect(world.asked).toBe(before)
    await cache.memberships.findActing(person(0), own)
    expect(world.asked).toBe(before + 1)
  })

  it('is handed out as copies', async () => {
    const { cache, own, user } = await createWorld()
    const ask = () => cache.users.findByIdentity(testIdentity({ subject: 'ada' }), { kind: 'named', orgId: own })
    const spoil = (record: unknown): void => {
      const { user: row, membership } = record as {
        user: { id: string }
        membership: { role: string; org: { id: string } }
      }
      for (const [of, name] of [
        [row, 'id'],
        [membership, 'role'],
        [membership.org, 'id'],
      ] as const)
        Reflect.set(of, name, 'spoilt')
    }
    const good = JSON.stringify(await ask())
    spoil(await ask())
    expect(JSON.stringify(await ask())).toBe(good)
    const acting = await cache.memberships.findActing({ kind: 'user', user }, own)
    Reflect.set(acting ?? {}, 'role', 'spoilt')
    expect((await cache.memberships.findActing({ kind: 'user', user }, own))?.role).toBe('owner')
    expect((await cache.memberships.listActing({ kind: 'user', user }, 1))[0]?.role).toBe('owner')
  })

  // As of a user on trial: `end = user.createdAt; end.setDate(end.getDate() + 14)`.
  it('is handed out with dates of its own, where rows are frozen with theirs', async () => {
    const createdAt = new Date('2026-11-20T10:00:00.000Z')
    const rows = {
      user: Object.freeze({ id: 'ada', disabled: false, createdAt }),
      membership: { org: Object.freeze({ id: 'acme', createdAt }), role: 'owner' },
    }
    const { cache, world } = await createWorld({
      users: { findByIdentity: async () => rows } as unknown as UserRepository,
      memberships: {
        findActing: async () => rows.membership,
        listActing: async () => [rows.membership],
      } as unknown as ActingOrgSource,
    })
    const caller = { kind: 'user', user: rows.user as unknown as StoredUser } as const
    const ask = async () => {
      const found = await cache.users.findByIdentity(testIdentity({ subject: 'ada' }), { kind: 'unnamed' })
      const acting = [
        await cache.memberships.findActing(caller, 'acme'),
        ...(await cache.memberships.listActing(caller)),
      ]
      return [
        found?.user,
        found?.membership?.org,
        ...acting.map((each) => each?.org),
      ] as unknown as (typeof rows.user)[]
    }
    for (const row of await ask()) row.createdAt.setFullYear(2000)
    for (const row of await ask()) expect(row).toEqual({ ...row, createdAt: new Date('2026-11-20T10:00:00.000Z') })
    expect(world.asked).toBe(0)
  })

  // As an ORM's, whose columns are getters of its class.
  it('is handed out as it is, where rows are of a class: of a copy nobody would know whose it is, and that they are disabled', async () => {
    class Row {
      readonly #id: string
      constructor(id: string) {
        this.#id = id
      }
      get id() {
        return this.#id
      }
      get disabled() {
        return true
      }
    }
    class Acting {
      readonly org = new Row('acme')
      get role() {
        return 'owner'
      }
    }
    const user = new Row('ada') as unknown as StoredUser
    const acting = new Acting()
    const { cache, authenticate } = await createWorld({
      users: { findByIdentity: async () => ({ user, membership: acting }) } as unknown as UserRepository,
      memberships: { findActing: async () => acting, listActing: async () => [acting] } as unknown as ActingOrgSource,
    })
    // Asked for, and kept.
    for (const _ of [1, 2]) {
      const found = await cache.users.findByIdentity(testIdentity({ subject: 'ada' }), { kind: 'unnamed' })
      expect(found?.user.id).toBe('ada')
      expect(await authenticate('ada')).toBe('forbidden')
      const places = [
        found?.membership,
        await cache.memberships.findActing({ kind: 'user', user }, 'acme'),
        ...(await cache.memberships.listActing({ kind: 'user', user })),
      ]
      expect(places.map((each) => [each?.org.id, each?.role])).toEqual(Array(3).fill(['acme', 'owner']))
    }
  })

  it('stands before frozen repositories too, and can be spread', async () => {
    const storage = createMemoryStorage()
    const cache = createMembershipCache({
      users: Object.freeze({ ...storage.users }),
      memberships: Object.freeze({ ...storage.memberships }),
    })
    const { user } = await storage.users.upsertByIdentity({ issuer: 'i', subject: 'ada', email: null })
    const spread = { ...cache.users }
    for (const users of [cache.users, spread]) {
      const found = await users.findByIdentity(testIdentity({ issuer: 'i', subject: 'ada' }), { kind: 'unnamed' })
      expect(found?.user.id).toBe(user.id)
      expect((await users.findById(user.id))?.id).toBe(user.id)
    }
    expect(Object.keys(cache.users)).toEqual(Object.keys(storage.users))
    expect(['findById' in cache.users, 'toBe' in cache.users]).toEqual([true, false])
    expect(await cache.memberships.listActing({ kind: 'user', user })).toEqual([])
  })

  it('leaves the storage’s own methods in reach', async () => {
    const { cache, user, own } = await createWorld()
    expect(await (cache.users as unknown as { count(): Promise<number> }).count()).toBe(1)
    expect(
      await (cache.memberships as unknown as { find(o: string, u: string): Promise<unknown> }).find(own, user.id),
    ).not.toBeNull()
  })
})

describe('options', () => {
  const { users, memberships } = createMemoryStorage()
  it.each([
    [{ ttlSeconds: 0 }, 'ttlSeconds'],
    [{ ttlSeconds: 5.1 }, 'ttlSeconds'],
    [{ ttlSeconds: Number.NaN }, 'ttlSeconds'],
    [{ maxEntries: 10_001 }, 'maxEntries'],
    [{ maxEntries: 0 }, 'maxEntries'],
    [{ maxEntries: 2.5 }, 'maxEntries'],
    [{ users: {} }, 'users'],
    [{ memberships: {} }, 'memberships'],
    [{ ttl: 1 }, 'ttl'],
  ])('%j is refused', (more, option) => {
    expect(() => createMembershipCache({ users, memberships, ...more } as never)).toThrow(
      new RegExp(`^createMembershipCache: .*option "${option}"`),
    )
  })
})
