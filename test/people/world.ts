/** People of two organizations on a storage, by default in memory: their contexts, and what is done with them. */
import type { AuthContext, Roles, UserOrgContext } from '../../src/context.ts'
import { createMembers, type MemberEvent, type Members, type MembersOptions } from '../../src/people/members.ts'
import { createOrganizations, type Organizations, type OrganizationsOptions } from '../../src/people/organizations.ts'
import { createRoles } from '../../src/permissions/roles.ts'
import { createMemoryStorage, type MemoryStorage, type MemoryStorageOptions } from '../../src/storage/memory.ts'
import type { ShippedStorage, StoredOrganization, StoredUser } from '../../src/storage/shipped-storage.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'
import { testContext, testUser } from '../../src/testing/principals.ts'

export const ROLES: Roles<'viewer' | 'member' | 'admin' | 'owner'> = createRoles(
  ['viewer', 'member', 'admin', 'owner'],
  {
    'things:read': 'viewer',
    'things:write': 'member',
    'members:write': 'admin',
    'org:delete': 'owner',
  },
)

/** An id of nobody and nothing. */
export const NOBODY = '00000000-0000-4000-8000-000000000000'

type Options = MembersOptions<Roles>

export interface PeopleWorld<S extends ShippedStorage = ShippedStorage> {
  readonly storage: S
  readonly orgId: string
  readonly otherOrgId: string
  readonly members: Members
  readonly events: MemberEvent[]
  /** Make a user; with a role a member, of the first organization where none is named. */
  person(name: string, role?: string | null, orgId?: string): Promise<string>
  /** The context of a user who acts as that role, as a request would have found it. */
  as(
    userId: string,
    role: string,
    more?: { readonly orgId?: string; readonly scopes?: readonly string[] },
  ): UserOrgContext
  /** The roles of an organization's members, by user id. */
  rolesOf(orgId?: string): Promise<Record<string, string>>
}

export interface PeopleWorldOptions<S extends ShippedStorage> {
  readonly storage?: S
  readonly members?: Partial<Options>
}

let people = 0
// Each row younger than the one before: join order is the order of the calls.
let now = Date.parse('2026-11-20T10:00:00Z')

/** A storage in memory. */
export function newMemory(options: MemoryStorageOptions = {}): MemoryStorage {
  return createMemoryStorage({ clock: () => now++, ...options })
}

/** Make a user of that name, which need not be free. */
export async function createUser({ users }: Pick<ShippedStorage, 'users'>, name: string): Promise<string> {
  const identity = { issuer: 'https://issuer.test', subject: `${name}-${people++}` }
  return (await users.upsertByIdentity({ ...identity, email: `${name}@example.test` })).user.id
}

export function contextOf(
  userId: string,
  role: string,
  orgId: string,
  scopes: readonly string[] | null = null,
): UserOrgContext {
  const user = testUser({ id: userId })
  return testContext({ user, org: { id: orgId }, role, identity: { scopes } }) as UserOrgContext
}

export async function createPeopleWorld<S extends ShippedStorage = ShippedStorage>(
  options: PeopleWorldOptions<S> = {},
): Promise<PeopleWorld<S>> {
  const storage = options.storage ?? (newMemory() as ShippedStorage as S)
  const [{ id: orgId }, { id: otherOrgId }] = [
    await storage.orgs.insert({ name: 'Acme' }),
    await storage.orgs.insert({ name: 'Other' }),
  ]
  const events: MemberEvent[] = []
  const members = createMembers<Roles>({
    ...{ storage, roles: ROLES, manage: { role: 'admin' }, list: { role: 'viewer' } },
    onEvent: (event) => void events.push(event),
    ...options.members,
  })
  return {
    ...{ storage, orgId, otherOrgId, members, events },
    async person(name, role = null, org = orgId) {
      const userId = await createUser(storage, name)
      if (role !== null) await storage.memberships.insert({ orgId: org, userId, role })
      return userId
    },
    as: (userId, role, { orgId: org = orgId, scopes } = {}) => contextOf(userId, role, org, scopes ?? null),
    async rolesOf(org = orgId) {
      return Object.fromEntries((await storage.memberships.listByOrg(org)).map(({ userId, role }) => [userId, role]))
    },
  }
}

/** The same storage, whose first transaction is committed, and nobody hears of it. */
export function withUnheardCommit(storage: ShippedStorage): ShippedStorage {
  let isFirst = true
  const transaction: ShippedStorage['transaction'] = async (work) => {
    const result = await storage.transaction(work)
    if (!isFirst) return result
    isFirst = false
    throw new TransientError('the connection was lost')
  }
  return { ...storage, transaction }
}

/** What an act came to: `done`, or the status and the reason it was refused by. */
export async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    const { status, reason } = error as { readonly status?: number; readonly reason?: string }
    if (status === undefined) throw error
    return `${status} ${reason}`
  }
}

/** A context of a kind that administers nobody. */
export function withoutUser(context: UserOrgContext): AuthContext {
  const { identity, permissions } = context
  return Object.freeze({ kind: 'user', identity, permissions })
}

type OrganizationsOf = OrganizationsOptions<StoredUser, StoredOrganization, unknown, Roles>

export type OrganizationsOverrides = Partial<OrganizationsOf>

/** What is done with organizations of a world. */
export function createWorldOrganizations(
  { storage }: Pick<PeopleWorld, 'storage'>,
  options: OrganizationsOverrides = {},
): Organizations<StoredOrganization> {
  return createOrganizations<StoredUser, StoredOrganization, unknown, Roles>({
    ...{ storage, roles: ROLES, manage: { role: 'admin' } },
    ...options,
  })
}
