/** Members who change each other at the same moment, on memory, PostgreSQL and SQLite, each over two pools or handles. */
import { describe, expect, it } from 'vitest'
import { createMembers } from '../../src/people/members.ts'
import * as postgres from '../../src/storage/postgres.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import { until } from '../patience.ts'
import { createTestDatabase, isLockAwaited, openPool } from '../postgres.ts'
import { raceAddAndDisable, raceAddAndRemove, raceOverOne, raceOwners } from './member-races.ts'
import { pausing, STORAGE_PAIRS } from './storage-pairs.ts'
import { contextOf, createUser, outcomeOf, ROLES } from './world.ts'

describe.each(STORAGE_PAIRS)('%s', (_, open) => {
  it.each(['rows', 'user-row'] as const)('one owner is left of two, 200 times, memberships on %s', async (on) => {
    await raceOwners(await open(on), 200)
  })
  it('who is removed or demoted while they add grants nothing afterwards, 100 times', async () => {
    await raceAddAndRemove(await open('rows'), 100)
  })
  it('who is disabled while they are added is a member from before, or not found, 50 times', async () => {
    await raceAddAndDisable(await open('rows'), 50)
  })
  it('one user added, changed and removed by several at once, 50 times', async () => {
    await raceOverOne(await open('rows'), 50)
  })
})

describe('PostgreSQL holds the organization', () => {
  it.each([
    ['a demotion', 'a grant by who is demoted', '403 role_too_low', undefined],
    ['a grant', 'the demotion of its granter', 'done', 'admin'],
  ])('while %s is not committed, %s waits, and is judged afterwards', async (earlier, _, outcome, role) => {
    const pool = openPool(await createTestDatabase(), { max: 4 })
    const storage = postgres.createPostgresStorage({ pool }) as ShippedStorage
    const { id: orgId } = await storage.orgs.insert({ name: 'Acme' })
    const userOf = async (name: string, given: string | null): Promise<string> => {
      const userId = await createUser(storage, name)
      if (given !== null) await storage.memberships.insert({ orgId, userId, role: given })
      return userId
    }
    const [owner, admin, target] = [
      await userOf('owner', 'owner'),
      await userOf('admin', 'admin'),
      await userOf('x', null),
    ]
    const { hasWritten, goOn, slow } = pausing(storage)
    const membersOn = (each: ShippedStorage) =>
      createMembers({ storage: each, roles: ROLES, manage: { role: 'admin' } })
    const demote = (each: ShippedStorage) =>
      outcomeOf(membersOn(each).changeRole(contextOf(owner, 'owner', orgId), { userId: admin, role: 'viewer' }))
    const grant = (each: ShippedStorage) =>
      outcomeOf(membersOn(each).add(contextOf(admin, 'admin', orgId), { userId: target, role: 'admin' }))
    const [first, second] = earlier === 'a grant' ? [grant, demote] : [demote, grant]
    const begun = first(slow)
    await until(hasWritten)
    const waiting = second(storage)
    await until(() => isLockAwaited(pool))
    goOn()
    expect(await begun).toBe('done')
    expect(await waiting).toBe(outcome)
    expect((await storage.memberships.find(orgId, target))?.role).toBe(role)
  })
})
