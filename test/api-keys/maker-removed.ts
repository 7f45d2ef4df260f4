/** Somebody makes API keys at the very moment at which they are removed, and their keys with them: none of these lives on. */
import { expect } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import type { AuthContext } from '../../src/context.ts'
import { isAuthError } from '../../src/errors.ts'
import { createMembers } from '../../src/people/members.ts'
import { createUserAdmin } from '../../src/people/user-admin.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import { INSTALLATION } from '../../src/testing/contracts/api-keys/api-key-world.ts'
import { testContext, testUser } from '../../src/testing/principals.ts'
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

/** The ways in which somebody goes who makes keys of the installation, and the keys with them: a user, or an account. */
export const INSTALLATION_WAYS: Readonly<Record<string, MakerOfInstallation>> = {
  'is a user, and disabled': {
    make: newUser,
    go: (storage, id) => adminOf(storage).disable(id, { endApiKeys: true }),
  },
  'is a user, and erased': {
    make: newUser,
    go: (storage, id) => adminOf(storage).erase(id, { identity: 'freed', emptyOrgs: 'keep' }),
  },
  'has an account, and is erased': {
    make: newAccount,
    go: (storage, id) => adminOf(storage).eraseAccount(id),
  },
  'has an account that is disabled': {
    make: newAccount,
    go: (storage, id) =>
      storage.transaction(async ({ accounts, apiKeys }) => {
        await accounts.update(id, { disabled: true })
        await apiKeys.revokeCreatedBy(INSTALLATION, id, new Date())
      }),
  },
}

interface MakerOfInstallation {
  make(storage: ShippedStorage, name: string): Promise<string>
  go(storage: ShippedStorage, id: string): Promise<unknown>
}

async function newUser(storage: ShippedStorage, subject: string): Promise<string> {
  return (await storage.users.upsertByIdentity({ issuer: 'https://issuer.test', subject, email: null })).user.id
}

async function newAccount({ accounts }: ShippedStorage, name: string): Promise<string> {
  const account = { email: `${name}@example.test`, passwordHash: null, role: 'member', createdAt: new Date() }
  return (await accounts.accounts.insert(account)).id
}

/** The same of the installation's keys, every other of them bound to an organization. */
export async function expectNoInstallationKeyLeft(
  [here, there]: readonly [ShippedStorage, ShippedStorage],
  { make, go }: MakerOfInstallation,
  rounds: number,
): Promise<void> {
  const { id: orgId } = await here.orgs.insert({ name: 'Acme' })
  const memberships = { findActing: async () => ({ org: { id: orgId }, role: 'member' }) }
  const owner = { kind: 'installation', memberships, field: 'org' } as const
  const keys = [here, there].map((storage) => createApiKeys({ storage, prefix: 'itk', roles: ROLES, owner }))
  for (let round = 0; round < rounds; round++) {
    const id = await make(here, `maker-${round}`)
    const maker = testContext({ needs: 'user', user: testUser({ id }), role: 'member' }) as AuthContext
    const making = keys.flatMap((each) =>
      Array.from({ length: 5 }, (_, at) =>
        each.issue(maker, { name: `k${at}`, role: 'viewer', orgId: at % 2 === 0 ? orgId : null }),
      ),
    )
    const going = go(there, id)
    await expectIssuedOrForbidden(making)
    await going
    expect((await here.apiKeys.listCreatedBy(id)).filter(({ revokedAt }) => revokedAt === null)).toEqual([])
    for (const bound of [orgId, null]) {
      await expect(keys[0]?.issue(maker, { name: 'later', role: 'viewer', orgId: bound })).rejects.toMatchObject({
        reason: 'api_key_maker_no_member',
      })
    }
  }
}

async function expectIssuedOrForbidden(making: readonly Promise<unknown>[]): Promise<void> {
  for (const each of await Promise.allSettled(making)) {
    if (each.status === 'rejected') expect(isAuthError(each.reason) && each.reason.code).toBe('forbidden')
  }
}

/** Let somebody go this way so often, while they make five keys by each of two instances. */
export async function expectNoKeyLeft(
  [here, there]: readonly [ShippedStorage, ShippedStorage],
  go: (going: Going) => Promise<unknown>,
  rounds: number,
): Promise<void> {
  const ownerId = await newUser(here, 'owner')
  const keys = [here, there].map((storage) => createApiKeys({ storage, prefix: 'itk', roles: ROLES }))
  for (let round = 0; round < rounds; round++) {
    const { id: orgId } = await here.orgs.insert({ name: 'Acme' })
    const userId = await newUser(here, `maker-${round}`)
    // In a storage of one membership a user, an owner of each organization.
    const owner = (await here.memberships.listActing({ kind: 'user', user: { id: ownerId } as never })).length === 0
    const byId = owner ? ownerId : await newUser(here, `owner-${round}`)
    await here.memberships.insert({ orgId, userId: byId, role: 'owner' })
    await here.memberships.insert({ orgId, userId, role: 'member' })
    const maker = contextOf(userId, 'member', orgId)
    const making = keys.flatMap((each) =>
      Array.from({ length: 5 }, (_, at) => each.issue(maker, { name: `k${at}`, role: 'viewer' })),
    )
    const going = go({ storage: there, userId, by: contextOf(byId, 'owner', orgId) })
    await expectIssuedOrForbidden(making)
    await going
    expect((await here.apiKeys.list({ kind: 'org', orgId })).filter(({ createdBy }) => createdBy === userId)).toEqual(
      [],
    )
    await expect(keys[0]?.issue(maker, { name: 'later', role: 'viewer' })).rejects.toMatchObject({
      reason: 'api_key_maker_no_member',
    })
  }
}
