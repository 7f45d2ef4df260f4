/**
 * What members do to each other at the same moment, over two storages on one database: as many processes as one can be. Run
 * by the tests, a few rounds in memory, and by the long ones, all of them on every storage (M2, M3).
 */
import { expect } from 'vitest'
import { createMembers, type Members } from '../../src/people/members.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import { contextOf, createUser, outcomeOf, ROLES } from './world.ts'

/** Two storages on one database. */
export type Pair = readonly [ShippedStorage, ShippedStorage]

/** Something that a member does to another. */
type Deed = (members: Members, by: string, to: string, orgId: string) => Promise<unknown>

const demote: Deed = (members, by, to, orgId) =>
  members.changeRole(contextOf(by, 'owner', orgId), { userId: to, role: 'viewer' })
const remove: Deed = (members, by, to, orgId) => members.remove(contextOf(by, 'owner', orgId), to)
const leave: Deed = (members, by, _, orgId) => members.leave(contextOf(by, 'owner', orgId))
const DEEDS = [demote, remove, leave]

const membersOf = (storage: ShippedStorage): Members =>
  createMembers({ storage, roles: ROLES, manage: { role: 'admin' }, endApiKeys: true })

/** Two owners demote, remove and leave each other, `rounds` times: one owner is left each time, and nothing is a fault. */
export async function raceOwners(pair: Pair, rounds: number): Promise<void> {
  const [storage] = pair
  const [one, two] = pair.map(membersOf) as [Members, Members]
  const [ada, bob] = [await createUser(storage, 'ada'), await createUser(storage, 'bob')]
  const { id: orgId } = await storage.orgs.insert({ name: 'Acme' })
  for (let round = 0; round < rounds; round++) {
    for (const userId of [ada, bob]) {
      await storage.memberships.remove(orgId, userId)
      await storage.memberships.insert({ orgId, userId, role: 'owner' })
    }
    const deeds = [DEEDS[round % 3], DEEDS[Math.floor(round / 3) % 3]] as [Deed, Deed]
    const outcomes = await Promise.all([
      outcomeOf(deeds[0](one, ada, bob, orgId)),
      outcomeOf(deeds[1](two, bob, ada, orgId)),
    ])
    for (const outcome of outcomes) expect(outcome).toMatch(/^(?:done|403 |404 |409 member_last_owner)/)
    const owners = (await storage.memberships.listByOrg(orgId)).filter(({ role }) => role === 'owner')
    expect(owners, `round ${round}: ${outcomes}`).toHaveLength(1)
    // Whoever was demoted or removed has done nothing any more.
    if (!deeds.includes(leave)) expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1)
  }
}

/** An admin adds somebody while an owner removes or demotes that admin: added by an admin, or not at all. */
export async function raceAddAndRemove(pair: Pair, rounds: number): Promise<void> {
  const [storage] = pair
  const [one, two] = pair.map(membersOf) as [Members, Members]
  const { id: orgId } = await storage.orgs.insert({ name: 'Acme' })
  const owner = await createUser(storage, 'owner')
  await storage.memberships.insert({ orgId, userId: owner, role: 'owner' })
  for (let round = 0; round < rounds; round++) {
    const [admin, target] = [await createUser(storage, 'admin'), await createUser(storage, 'target')]
    await storage.memberships.insert({ orgId, userId: admin, role: 'admin' })
    const add = outcomeOf(one.add(contextOf(admin, 'admin', orgId), { userId: target, role: 'admin' }))
    const end = outcomeOf((round % 2 === 0 ? remove : demote)(two, owner, admin, orgId))
    const [added, ended] = await Promise.all([add, end])
    expect(ended).toBe('done')
    expect(added).toMatch(/^(?:done|403 actor_not_a_member|403 role_too_low)$/)
    const found = await storage.memberships.find(orgId, target)
    expect(found?.role).toBe(added === 'done' ? 'admin' : undefined)
    // And from now on nothing at all.
    const late = outcomeOf(one.add(contextOf(admin, 'admin', orgId), { userId: target, role: 'viewer' }))
    expect(await late).toMatch(/^403 /)
    await storage.memberships.remove(orgId, target)
  }
}

/** One user is added, changed and removed by several at once: one is first, and nothing is a fault. */
export async function raceOverOne(pair: Pair, rounds: number): Promise<void> {
  const [storage] = pair
  const both = pair.map(membersOf) as [Members, Members]
  const { id: orgId } = await storage.orgs.insert({ name: 'Acme' })
  const [owner, target] = [await createUser(storage, 'owner'), await createUser(storage, 'target')]
  await storage.memberships.insert({ orgId, userId: owner, role: 'owner' })
  const by = contextOf(owner, 'owner', orgId)
  for (let round = 0; round < rounds; round++) {
    const adds = Array.from({ length: 6 }, (_, index) =>
      outcomeOf((both[index % 2] as Members).add(by, { userId: target, role: 'viewer' })),
    )
    const added = await Promise.all(adds)
    expect(added.filter((each) => each === 'done')).toHaveLength(1)
    expect(added.filter((each) => each === '409 member_already')).toHaveLength(5)
    const ended = await Promise.all([
      outcomeOf(both[0].remove(by, target)),
      outcomeOf(both[1].remove(by, target)),
      outcomeOf(both[0].changeRole(by, { userId: target, role: 'admin' })),
      outcomeOf(both[1].leave(contextOf(target, 'viewer', orgId))),
    ])
    for (const each of ended) expect(each).toMatch(/^(?:done|404 member_unknown|403 actor_not_a_member)$/)
    expect(await storage.memberships.find(orgId, target)).toBeNull()
  }
}

/** Somebody is added while they are disabled: a member from before, or not found, and nothing is a fault. */
export async function raceAddAndDisable(pair: Pair, rounds: number): Promise<void> {
  const [storage, other] = pair
  const members = membersOf(storage)
  const { id: orgId } = await storage.orgs.insert({ name: 'Acme' })
  const owner = await createUser(storage, 'owner')
  await storage.memberships.insert({ orgId, userId: owner, role: 'owner' })
  for (let round = 0; round < rounds; round++) {
    const target = await createUser(storage, 'target')
    const add = outcomeOf(members.add(contextOf(owner, 'owner', orgId), { userId: target, role: 'viewer' }))
    const [added] = await Promise.all([add, other.users.setDisabled(target, true)])
    expect(added).toMatch(/^(?:done|404 user_to_add_unknown)$/)
    expect((await storage.memberships.find(orgId, target)) !== null).toBe(added === 'done')
  }
}
