/** API keys in memory: a clock to turn, counted repositories, members of two organizations. */

import { type ApiKeys, type ApiKeysOptions, createApiKeys } from '../../src/api-keys/api-keys.ts'
import type { AuthContext, Roles, User, UserContext, UserOrgContext } from '../../src/context.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import type { ApiKeyRepository } from '../../src/storage/repositories.ts'
import { testContext, testUser } from '../../src/testing/principals.ts'
import { counted } from '../pipeline/counted.ts'

export const LADDER: readonly ['viewer', 'member', 'admin', 'owner'] = ['viewer', 'member', 'admin', 'owner']

type Permission = 'things:read' | 'things:write' | 'things:purge'

export const ROLES: Roles<(typeof LADDER)[number], Permission> = createRoles(LADDER, {
  ...{ 'things:read': 'viewer', 'things:write': 'member', 'things:purge': 'admin' },
})
export const START: number = Date.parse('2026-11-20T10:00:00.000Z')

type Options = ApiKeysOptions<Roles>

export interface ApiKeyTestWorld {
  readonly storage: MemoryStorage
  /** Counted: every call is in `calls`. */
  readonly repository: ApiKeyRepository
  readonly calls: string[]
  readonly apiKeys: ApiKeys
  /** A member of the first organization, or of another. */
  member(role: string, orgId?: string): UserOrgContext
  /** A user that needs `user`, with a role of their own. */
  user(role: string | null): UserContext
  readonly orgId: string
  readonly otherOrgId: string
  now(): number
  /** Turn the clock. */
  pass(milliseconds: number): void
}

export async function createApiKeyTestWorld(options: Partial<Options> = {}): Promise<ApiKeyTestWorld> {
  let now = START
  const clock = (): number => now
  const storage = createMemoryStorage({ clock })
  const calls: string[] = []
  const repository = counted('apiKeys', storage.apiKeys, calls)
  const [org, other] = [await storage.orgs.insert({ name: 'Acme' }), await storage.orgs.insert({ name: 'Other' })]
  const apiKeys = createApiKeys<Roles>({
    storage: { apiKeys: repository },
    prefix: 'itk',
    roles: ROLES,
    defaultPermissions: ['things:read'],
    clock,
    ...options,
  })
  return {
    storage,
    repository,
    calls,
    apiKeys,
    member: (role, orgId = org.id) =>
      testContext({ role, org: { id: orgId }, user: testUser({ id: `user-${role}` }) }) as UserOrgContext,
    user: (role) =>
      testContext({
        needs: 'user',
        user: testUser<User>({ id: `user-${role}`, email: null, disabled: false }),
        ...(role !== null && { role }),
      }) as UserContext,
    orgId: org.id,
    otherOrgId: other.id,
    now: clock,
    pass: (milliseconds) => {
      now += milliseconds
    },
  }
}

/** A key of the first organization, with its text. */
export async function issueKey(
  { apiKeys, member }: Pick<ApiKeyTestWorld, 'apiKeys' | 'member'>,
  fields: object = {},
  context: AuthContext = member('owner'),
): Promise<{ readonly id: string; readonly key: string }> {
  const { apiKey, key } = await apiKeys.issue(context, { name: 'Nightly build', ...fields })
  return { id: apiKey.id, key }
}
