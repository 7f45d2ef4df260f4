/** Somebody makes API keys at the very moment at which they are removed, and their keys with them: none of these lives on. */
import { expect } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import type { AuthContext } from '../../src/context.ts'
import { isAuthError } from '../../src/errors.ts'
import { createMembers } from '../../src/people/members.ts'
import { createUserAdmin } from '../../src/people/user-admin.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import { contextOf } from '../people/world.ts'

const ROLES = ['viewer', 'member', 'owner'] as const

/** Who goes, and where; `by` is the context of an owner. */
interface Going {
  readonly storage: ShippedStorage
  readonly userId: string
  readonly by: AuthContext
}

/** The ways in which somebody goes, their keys with them. */
export const WAYS: Readonly<Record<string, (going: Going) => Promise<unknown>>> = {
  'is removed': ({ storage, userId, by }) => membersOf(storage).remove(by, userId),
  'is disabled': ({ storage, userId }) => adminOf(storage).disable(userId, { endApiKeys: true }),
  'is erased': ({ storage, userId }) => adminOf(storage).erase(userId, { identity: 'blocked', emptyOrgs: 'keep' }),
}

function membersOf(storage: ShippedStorage) {
  return createMembers({ storage, roles: ROLES, manage: { role: 'owner' }, endApiKeys: true })
}

function adminOf(storage: ShippedStorage) {
  return createUserAdmin({ storage, roles: ROLES })
}

/** Let somebody go this way so often, while they make five keys by each of two instances. */
export async function expectNoKeyLeft(
  [here, there]: readonly [ShippedStorage, ShippedStorage],
  go: (going: Going) => Promise<unknown>,
  rounds: number,
): Promise<void> {
  const newUser = async (subject: string): Promise<string> =>
    (await here.users.upsertByIdentity({ issuer: 'https://issuer.test', subject, email: null })).user.id
  const ownerId = await newUser('owner')
  const keys = [here, there].map((storage) => createApiKeys({ storage, prefix: 'itk', roles: ROLES }))
  for (let round = 0; round < rounds; round++) {
    const { id: orgId } = await here.orgs.insert({ name: 'Acme' })
    const userId = await newUser(`maker-${round}`)
    // In a storage of one membership a user, an owner of each organization.
    const owner = (await here.memberships.listActing({ kind: 'user', user: { id: ownerId } as never })).length === 0
    const byId = owner ? ownerId : await newUser(`owner-${round}`)
    await here.memberships.insert({ orgId, userId: byId, role: 'owner' })
    await here.memberships.insert({ orgId, userId, role: 'member' })
    const maker = contextOf(userId, 'member', orgId)
    const making = keys.flatMap((each) =>
      Array.from({ length: 5 }, (_, at) => each.issue(maker, { name: `k${at}`, role: 'viewer' })),
    )
    const going = go({ storage: there, userId, by: contextOf(byId, 'owner', orgId) })
    const settled = await Promise.allSettled(making)
    await going
    for (const each of settled) {
      if (each.status === 'rejected') expect(isAuthError(each.reason) && each.reason.code).toBe('forbidden')
    }
    expect((await here.apiKeys.list({ kind: 'org', orgId })).filter(({ createdBy }) => createdBy === userId)).toEqual(
      [],
    )
    await expect(keys[0]?.issue(maker, { name: 'later', role: 'viewer' })).rejects.toMatchObject({
      reason: 'api_key_maker_no_member',
    })
  }
}
