// What the storage in memory keeps ready of people, against a plain model, after every write: in any order, in transactions that
// commit and that fail, seen from inside and from outside.
import { describe, expect, it } from 'vitest'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import { createAccountTables } from '../../src/storage/memory-accounts.ts'
import { createTables, memoryRepositories } from '../../src/storage/memory-repositories.ts'
import { createOrgIds } from '../../src/storage/org-ids.ts'
import { ConflictError } from '../../src/storage/storage-errors.ts'
import { createRandom } from '../verify/mutate.ts'

interface Model {
  readonly users: { id: string; issuer: string; subject: string; email: string | null; disabled: boolean }[]
  readonly orgs: { id: string; name: string }[]
  readonly memberships: { orgId: string; userId: string; role: string; at: number }[]
}

type Repositories = Pick<MemoryStorage, 'users' | 'orgs' | 'memberships'>

const ISSUERS = ['https://one.test', 'https://other.test', 'https://third.test']
const SUBJECTS = ['s', 't', 'u', '__proto__', '']
const IDENTITIES = ISSUERS.flatMap((issuer) => SUBJECTS.map((subject) => ({ issuer, subject })))
const ROLES = ['owner', 'member']
const MODES = ['rows', 'user-row'] as const

const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

function placesOf({ memberships, orgs }: Model, userId: string): readonly { org: object; role: string }[] {
  return memberships
    .filter((membership) => membership.userId === userId)
    .sort((a, b) => a.at - b.at || byText(a.orgId, b.orgId))
    .map(({ orgId, role }) => ({ org: orgs.find(({ id }) => id === orgId) as object, role }))
}

async function expectAlike(model: Model, { users, orgs, memberships }: Repositories): Promise<void> {
  const orgIds = [...model.orgs.map(({ id }) => id), crypto.randomUUID()]
  for (const identity of IDENTITIES) {
    const is = (user: (typeof IDENTITIES)[0]): boolean =>
      user.issuer === identity.issuer && user.subject === identity.subject
    const user = model.users.find(is)
    const unnamed = await users.findByIdentity(identity, { kind: 'unnamed' })
    if (user === undefined) {
      expect(unnamed).toBeNull()
      continue
    }
    const places = placesOf(model, user.id)
    expect(unnamed).toMatchObject({ user, membership: places[0] ?? null })
    for (const orgId of orgIds) {
      const place = places.find(({ org }) => (org as { id: string }).id === orgId) ?? null
      const named = await users.findByIdentity(identity, { kind: 'named', orgId, by: 'header' } as never)
      expect(named).toMatchObject({ user, membership: place })
      const acting = await memberships.findActing({ kind: 'user', user: named?.user as never }, orgId)
      expect(acting).toEqual(place === null ? null : { role: place.role, org: expect.objectContaining(place.org) })
    }
    const caller = { kind: 'user', user: unnamed?.user as never } as const
    for (const limit of [undefined, 1, 2]) {
      expect(await memberships.listActing(caller, limit)).toMatchObject(places.slice(0, limit))
    }
  }
  for (const { id } of model.orgs) {
    const members = model.memberships
      .filter(({ orgId }) => orgId === id)
      .sort((a, b) => a.at - b.at || byText(a.userId, b.userId))
    expect((await memberships.listByOrg(id)).map(({ userId, role }) => ({ userId, role }))).toEqual(
      members.map(({ userId, role }) => ({ userId, role })),
    )
  }
  expect([await users.count(), await orgs.count()]).toEqual([model.users.length, model.orgs.length])
}

// One random write, in the model and in the storage: both say the same of it.
function createWriter(random: () => number, now: () => number, mode: (typeof MODES)[number]) {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const outcomeOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: Error) => (error instanceof ConflictError ? 'conflict' : error.name))
  const at = (model: Model, { issuer, subject }: (typeof IDENTITIES)[0]) =>
    model.users.find((user) => user.issuer === issuer && user.subject === subject)
  const keeps = (model: Model, { orgId, userId }: Model['memberships'][0], keep: string): boolean =>
    model.memberships.some(
      (other) =>
        other.orgId === orgId &&
        other.userId !== userId &&
        other.role === keep &&
        model.users.some(({ id, disabled }) => id === other.userId && !disabled),
    )
  const writes: Record<string, (model: Model, own: Repositories) => Promise<void>> = {
    async upsert(model, { users }) {
      const identity = pick(IDENTITIES)
      const known = at(model, identity)
      const { user, created } = await users.upsertByIdentity({ ...identity, email: 'a@b.c' })
      expect(created).toBe(known === undefined)
      if (known === undefined) model.users.push({ ...identity, id: user.id, email: 'a@b.c', disabled: false })
    },
    async disable(model, { users }) {
      const [user, disabled] = [pick(model.users), random() < 0.3]
      if (user === undefined) return
      await users.setDisabled(user.id, disabled)
      user.disabled = disabled
    },
    async email(model, { users }) {
      const [user, email] = [pick(model.users), pick([null, 'x@y.z'])]
      if (user === undefined) return
      await users.setEmail(user.id, email)
      if (!user.disabled) user.email = email
    },
    async move(model, { users }) {
      const [from, to] = [pick(IDENTITIES), pick(IDENTITIES)]
      const user = at(model, from)
      const outcome = await outcomeOf(users.moveIdentity(from, to))
      if (user === undefined) expect(outcome).toBeNull()
      else if (at(model, to) !== undefined) expect(outcome).toBe('conflict')
      else Object.assign(user, to)
    },
    async anonymize(model, { users }) {
      const [user, identity] = [pick(model.users), pick([null, ...IDENTITIES])]
      if (user === undefined) return
      const outcome = await outcomeOf(users.anonymize(user.id, identity))
      const holder = identity === null ? undefined : at(model, identity)
      if (holder !== undefined && holder !== user) expect(outcome).toBe('conflict')
      else Object.assign(user, { email: null, disabled: true, ...identity })
    },
    async org(model, { orgs }) {
      const { id } = await orgs.insert({ name: 'new' })
      model.orgs.push({ id, name: 'new' })
    },
    async rename(model, { orgs }) {
      const [org, name] = [pick(model.orgs), `${random()}`]
      if (org === undefined) return
      await orgs.rename(org.id, name)
      org.name = name
    },
    async removeOrg(model, { orgs }) {
      const org = pick(model.orgs)
      if (org === undefined || random() < 0.5) return
      expect(await orgs.remove(org.id)).toBe(true)
      model.orgs.splice(model.orgs.indexOf(org), 1)
      const others = model.memberships.filter(({ orgId }) => orgId !== org.id)
      model.memberships.splice(0, model.memberships.length, ...others)
    },
    async join(model, { memberships }) {
      const [org, user, role] = [pick(model.orgs), pick(model.users), pick(ROLES)]
      if (org === undefined || user === undefined) return
      const [orgId, userId] = [org.id, user.id]
      const outcome = await outcomeOf(memberships.insert({ orgId, userId, role }))
      const isTaken = model.memberships.some(
        (each) => each.userId === userId && (mode === 'user-row' || each.orgId === orgId),
      )
      if (isTaken) expect(outcome).toBe('conflict')
      else if (user.disabled) expect(outcome).toBe('TransientError')
      else model.memberships.push({ orgId, userId, role, at: now() })
    },
    async role(model, { memberships }) {
      const [membership, role, keep] = [pick(model.memberships), pick(ROLES), pick([undefined, 'owner'])]
      if (membership === undefined) return
      const isLast = membership.role === keep && role !== keep && !keeps(model, membership, keep)
      const options = keep === undefined ? {} : { keep }
      expect(await memberships.setRole(membership.orgId, membership.userId, role, options)).toBe(
        isLast ? 'last' : 'done',
      )
      if (!isLast) membership.role = role
    },
    async leave(model, { memberships }) {
      const [membership, keep] = [pick(model.memberships), pick([undefined, 'owner'])]
      if (membership === undefined) return
      const isLast = membership.role === keep && !keeps(model, membership, keep)
      const options = keep === undefined ? {} : { keep }
      expect(await memberships.remove(membership.orgId, membership.userId, options)).toBe(isLast ? 'last' : 'done')
      if (!isLast) model.memberships.splice(model.memberships.indexOf(membership), 1)
    },
  }
  return (model: Model, own: Repositories): Promise<void> => pick(Object.values(writes))(model, own)
}

describe.each(MODES)('users in memory, memberships on %s', (membershipOn) => {
  it.each([1, 2])('are found as a plain model says, after every write: seed %i', async (seed) => {
    const random = createRandom(seed)
    let now = 1_000_000
    // Some join at one instant, and clocks are set back.
    const tick = (): void => {
      now += Math.floor(random() * 4) - 1
    }
    const storage = createMemoryStorage({ membershipOn, clock: () => now })
    const write = createWriter(random, () => now, membershipOn)
    let model: Model = { users: [], orgs: [], memberships: [] }
    for (let step = 0; step < 60; step++) {
      tick()
      if (random() < 0.6) await write(model, storage)
      else {
        const before = structuredClone(model)
        const after = structuredClone(model)
        const fails = random() < 0.4
        const done = storage.transaction(async (own) => {
          for (let n = Math.ceil(random() * 5); n > 0; n--) {
            tick()
            await write(after, own)
          }
          await expectAlike(after, own)
          await expectAlike(before, storage)
          if (fails) throw new RangeError('dropped')
        })
        // What is written meanwhile comes after.
        const behind = random() < 0.5 ? write : null
        await (fails ? expect(done).rejects.toThrow(RangeError) : done)
        model = fails ? before : after
        await behind?.(model, storage)
      }
      await expectAlike(model, storage)
    }
  })
})

function createBare() {
  const tables = { ...createTables(), ...createAccountTables() }
  const own = memoryRepositories({ tables, clock: () => 0, membershipOn: 'rows', orgIds: createOrgIds() })
  return { tables, ...own }
}

describe('the tables of people', () => {
  it('keep nothing of an identity that a user had, of an organization that is gone, of who left', async () => {
    const { tables, users, orgs, memberships } = createBare()
    for (let n = 0; n < 10; n++) {
      const { user } = await users.upsertByIdentity({
        issuer: 'https://one.test',
        subject: `private-${n}`,
        email: null,
      })
      const org = await orgs.insert({ name: 'Acme' })
      await memberships.insert({ orgId: org.id, userId: user.id, role: 'owner' })
      if (n % 2 === 0) await memberships.remove(org.id, user.id)
      await orgs.remove(org.id)
      await users.anonymize(user.id, { issuer: 'https://one.test', subject: 'moved' })
      await users.moveIdentity({ issuer: 'https://one.test', subject: 'moved' }, { issuer: 'erased', subject: `${n}` })
    }
    const sizes = Object.values(tables).map((table) => [...table.values()].length)
    expect(Math.max(...sizes)).toBe(10)
    expect([...(tables.peopleOfSubject as Map<string, unknown>).keys()]).toEqual([...'0123456789'])
    expect([...tables.membersOf.values(), ...tables.membershipsOf.values(), ...tables.orgs.values()]).toEqual([])
  })

  it('are not written for each member where an organization is renamed', async () => {
    const { tables, users, orgs, memberships } = createBare()
    const identity = { issuer: 'https://one.test', subject: 's' }
    const { user } = await users.upsertByIdentity({ ...identity, email: null })
    const org = await orgs.insert({ name: 'Acme' })
    await memberships.insert({ orgId: org.id, userId: user.id, role: 'owner' })
    const before = tables.peopleOfSubject.get('s')
    await orgs.rename(org.id, 'Acme & Sons')
    expect(tables.peopleOfSubject.get('s')).toBe(before)
    const found = await users.findByIdentity(identity, { kind: 'unnamed' })
    expect(found).toMatchObject({ membership: { org: { name: 'Acme & Sons' }, role: 'owner' } })
  })
})
