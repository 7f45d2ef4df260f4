/** Who leaves an organization by an invitation to another one, and makes a key of it meanwhile, leaves none behind. */
import { expect, it } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import { until } from '../patience.ts'
import { ROLES } from '../pipeline/world.ts'
import { createTestDatabase, isLockAwaited, openPool } from '../postgres.ts'
import { createInvitationWorld } from './invitation-world.ts'

it('waits for the end of the membership, and is refused', async () => {
  const pool = openPool(await createTestDatabase(), { max: 4 })
  const storage = createPostgresStorage({ pool, membershipOn: 'user-row' }) as ShippedStorage
  // After the first of the two that leaving does: who ends the keys, and who ends the membership.
  let between: (() => Promise<unknown>) | undefined
  const andThen =
    <A extends unknown[], T>(ask: (...given: A) => Promise<T>) =>
    async (...given: A): Promise<T> => {
      const answer = await ask(...given)
      const make = between
      between = undefined
      await make?.()
      return answer
    }
  const transaction: ShippedStorage['transaction'] = (work) =>
    storage.transaction((inside) => {
      const { memberships, apiKeys } = inside
      return work({
        ...inside,
        memberships: { ...memberships, remove: andThen(memberships.remove) },
        apiKeys: { ...apiKeys, list: andThen(apiKeys.list) },
      })
    })
  const world = await createInvitationWorld<unknown>({
    storage: { ...storage, transaction },
    invitations: { mayLeave: () => true },
  })
  const own = await storage.orgs.insert({ name: 'Own' })
  const ada = await world.person('ada', 'owner', own.id)
  const id = await world.invited('ada', 'member', null)

  const keys = createApiKeys({ storage, prefix: 'itk', roles: ROLES })
  const outcomes: unknown[] = []
  let making: Promise<unknown> | undefined
  between = () => {
    making = keys
      .issue(world.acting(ada, 'owner', { orgId: own.id }), { name: 'CI', role: 'viewer' })
      .catch((error: unknown) => error)
      .then((outcome) => outcomes.push(outcome))
    return until(async () => outcomes.length > 0 || (await isLockAwaited(pool)))
  }
  expect(await world.invitations.accept(world.user(ada), id)).toMatchObject({ leftOrgId: own.id })
  await making
  expect(await storage.apiKeys.list({ kind: 'org', orgId: own.id })).toEqual([])
  expect(outcomes).toMatchObject([{ code: 'forbidden', reason: 'api_key_maker_no_member' }])
})
