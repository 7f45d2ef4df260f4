/** One invitation and several who want something of it, on memory, PostgreSQL and SQLite, each over two pools or handles. */
import { describe, expect, it } from 'vitest'
import { createMembers } from '../../src/people/members.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import { until } from '../patience.ts'
import { ROLES } from '../pipeline/world.ts'
import { createTestDatabase, isLockAwaited, openPool } from '../postgres.ts'
import { raceFirstLogin, raceInviter, raceRevoke, raceTakers } from './invitation-races.ts'
import { createInvitationWorld } from './invitation-world.ts'
import { pausing, STORAGE_PAIRS } from './storage-pairs.ts'
import { contextOf, outcomeOf } from './world.ts'

describe.each(STORAGE_PAIRS)('%s', (_, open) => {
  it.each([
    ['accepted while it is revoked: one of the two, 100 times', raceRevoke, 100],
    ['accepted while its inviter is removed or may give less, 100 times', raceInviter, 100],
    ['fifty takers at once: one, 10 times', raceTakers, 10],
    ['a first login and the acceptance of one person at once, 50 times', raceFirstLogin, 50],
  ] as const)('%s', async (_title, race, rounds) => {
    await race(await open(), rounds)
  })
})

describe('PostgreSQL holds the organization', () => {
  it.each([
    ['its inviter is removed', 'accepting', '404 invitation_not_found'],
    ['accepting', 'its inviter is removed', 'done'],
  ])('while %s is not committed, %s waits, and is judged afterwards', async (earlier, _, outcome) => {
    const pool = openPool(await createTestDatabase(), { max: 4 })
    const storage = createPostgresStorage({ pool }) as ShippedStorage
    const { hasWritten, goOn, slow } = pausing(storage)
    const [own, other] = [await worldOver(storage), await worldOver(slow)]
    const [owner, inviter] = [await own.person('owner', 'owner'), await own.person('inviter', 'admin')]
    const id = await own.invited('ada', 'admin', inviter)
    const remove = (each: World) => outcomeOf(each.members.remove(contextOf(owner.id, 'owner', own.orgId), inviter.id))
    const accept = ({ invitations, identity, provision }: World) =>
      outcomeOf(invitations.accept(identity('ada'), id, { provision }))
    const [first, second] = earlier === 'accepting' ? [accept, remove] : [remove, accept]
    const begun = first(other)
    await until(hasWritten)
    const waiting = second(own)
    await until(() => isLockAwaited(pool))
    goOn()
    const [ended, accepted] = earlier === 'accepting' ? [await waiting, await begun] : [await begun, await waiting]
    expect([ended, accepted]).toEqual(['done', outcome])
    expect('ada' in (await own.rolesOf())).toBe(outcome === 'done')
  })
})

type World = Awaited<ReturnType<typeof worldOver>>

async function worldOver(storage: ShippedStorage) {
  const members = createMembers({ storage, roles: ROLES, manage: { role: 'admin' } })
  return { members, ...(await createInvitationWorld<unknown>({ storage: storage as never, clock: Date.now })) }
}
