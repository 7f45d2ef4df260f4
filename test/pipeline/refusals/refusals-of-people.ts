/** The refusals of who administers people, and of their transactions. */
import { vi } from 'vitest'
import type { Organizations } from '../../../src/people/organizations.ts'
import { inTransaction } from '../../../src/people/people-act.ts'
import { createMemoryStorage } from '../../../src/storage/memory.ts'
import { TransientError } from '../../../src/storage/storage-errors.ts'
import {
  createPeopleWorld,
  createWorldOrganizations,
  NOBODY,
  newMemory,
  type OrganizationsOverrides,
  type PeopleWorld,
  withoutUser,
} from '../../people/world.ts'
import type { Refusal } from './refusal.ts'

function ofMembers(
  reason: string,
  code: Refusal['code'],
  provoke: (world: PeopleWorld, owner: string) => unknown,
): Refusal {
  return {
    reason,
    code,
    provoke: async () => {
      const world = await createPeopleWorld()
      return provoke(world, await world.person('owner', 'owner'))
    },
  }
}

function ofOrganizations(
  reason: string,
  code: Refusal['code'],
  options: OrganizationsOverrides,
  provoke: (organizations: Organizations, world: PeopleWorld, owner: string) => unknown,
): Refusal {
  return ofMembers(reason, code, (world, owner) => provoke(createWorldOrganizations(world, options), world, owner))
}

function ofTransactions(reason: string, provoke: () => unknown): Refusal {
  return { reason, code: 'temporarily_unavailable', wire: { retryAfter: '1' }, provoke }
}

export const REFUSALS_OF_PEOPLE: readonly Refusal[] = [
  ofMembers('people_need_a_user', 'forbidden', ({ members, as }, owner) =>
    members.list(withoutUser(as(owner, 'owner'))),
  ),
  ofMembers('people_need_an_org', 'forbidden', ({ members, as }, owner) => {
    const { org: _, ...context } = as(owner, 'owner')
    return members.list(context as never)
  }),
  ofMembers('actor_not_a_member', 'forbidden', async ({ members, as, person }) =>
    members.leave(as(await person('ada'), 'viewer')),
  ),
  ofMembers('role_above_ones_own', 'forbidden', async ({ members, as, person }, owner) =>
    members.remove(as(await person('ada', 'admin'), 'admin'), owner),
  ),
  ofMembers('user_to_add_unknown', 'not_found', ({ members, as }, owner) =>
    members.add(as(owner, 'owner'), { userId: NOBODY, role: 'viewer' }),
  ),
  ofMembers('member_already', 'conflict', ({ members, as }, owner) =>
    members.add(as(owner, 'owner'), { userId: owner, role: 'viewer' }),
  ),
  ofMembers('member_unknown', 'not_found', ({ members, as }, owner) => members.remove(as(owner, 'owner'), NOBODY)),
  ofMembers('member_last_owner', 'conflict', ({ members, as }, owner) => members.leave(as(owner, 'owner'))),
  ofOrganizations('founder_disabled', 'forbidden', {}, async (organizations, { storage, as }, owner) => {
    await storage.users.setDisabled(owner, true)
    return organizations.create(as(owner, 'owner'), { name: 'Second' })
  }),
  ofOrganizations('organization_id_taken', 'conflict', { ids: () => NOBODY }, async (organizations, { as }, owner) => {
    await organizations.create(as(owner, 'owner'), { id: 'x', name: 'Second' })
    return organizations.create(as(owner, 'owner'), { id: 'x', name: 'Third' })
  }),
  ofOrganizations('organizations_too_many', 'conflict', { maxOrganizations: 1 }, (organizations, { as }, owner) =>
    organizations.create(as(owner, 'owner'), { name: 'Second' }),
  ),
  {
    reason: 'member_elsewhere',
    code: 'conflict',
    provoke: async () => {
      const world = await createPeopleWorld({ storage: newMemory({ membershipOn: 'user-row' }) })
      const owner = await world.person('owner', 'owner')
      return createWorldOrganizations(world).create(world.as(owner, 'owner'), { name: 'Second' })
    },
  },
  ofTransactions('people_not_committed', () =>
    inTransaction(createMemoryStorage(), Date.now, () => Promise.reject(new TransientError('busy'))),
  ),
  ofTransactions('people_cut_off', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const never = new Promise<never>(() => undefined)
      const work = inTransaction(createMemoryStorage(), Date.now, () => never)
      await Promise.all([work.catch(() => undefined), vi.advanceTimersByTimeAsync(5000)])
      return await work
    } finally {
      vi.useRealTimers()
    }
  }),
]
