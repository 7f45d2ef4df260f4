/** People whom an operator administers, on a shipped storage: users, what is stored about them, and an admin of them all. */
import { createHash } from 'node:crypto'
import {
  createUserAdmin,
  type UserAdminEvent,
  type UserAdministration,
  type UserAdminOptions,
} from '../../src/people/user-admin.ts'
import type { Account } from '../../src/storage/account-repositories.ts'
import type { ApiKeyRecord } from '../../src/storage/repositories.ts'
import type { ShippedStorage, StoredOrganization, StoredUser } from '../../src/storage/shipped-storage.ts'
import { newInvitation } from '../invitation.ts'

export const ROLES = ['viewer', 'member', 'owner'] as const
export const ISSUER = 'https://issuer.test'
export const NOBODY = '00000000-0000-4000-8000-000000000000'

/** What is never to be seen of a person but in the storage itself. */
export const HASH: string = createHash('sha256').update('a secret of a key').digest('hex')
export const PHC = 'a PHC string of Ada'

// Each younger than the one before, so that lists have one order.
let instant = Date.parse('2026-11-20T10:00:00Z')
export const nextInstant = (): Date => new Date(instant++)

export type Admin = UserAdministration<StoredUser, StoredOrganization, unknown>

export interface UserAdminWorld {
  readonly storage: ShippedStorage
  readonly admin: Admin
  readonly events: UserAdminEvent[]
  /** Make a user, by default with an address of theirs. */
  user(subject: string, email?: string | null): Promise<StoredUser>
  /** Make an organization with members, in their order. */
  org(
    name: string,
    ...members: readonly (readonly [user: { readonly id: string }, role: string])[]
  ): Promise<StoredOrganization>
  /** Make an API key that a user made. */
  key(id: string, createdBy: string, orgId: string | null): Promise<ApiKeyRecord>
  account(email: string, role?: string): Promise<Account>
  /** The roles of an organization's members by their ids; `null`: it is not there. */
  membersOf(orgId: string): Promise<Record<string, string> | null>
}

export function createUserAdminWorld(
  storage: ShippedStorage,
  over: Partial<UserAdminOptions<StoredUser, StoredOrganization, unknown>> = {},
): UserAdminWorld {
  const events: UserAdminEvent[] = []
  const admin = createUserAdmin({ storage, roles: ROLES as never, onEvent: (event) => events.push(event), ...over })
  return {
    storage,
    admin,
    events,
    user: async (subject, email = `${subject}@example.test`) =>
      (await storage.users.upsertByIdentity({ issuer: ISSUER, subject, email })).user,
    async org(name, ...members) {
      const org = await storage.orgs.insert({ name })
      for (const [{ id: userId }, role] of members) {
        await storage.memberships.insert({ orgId: org.id, userId, role })
      }
      return org
    },
    key: (id, createdBy, orgId) =>
      storage.apiKeys.insert({
        ...{ id, orgId, name: `key ${id}`, role: 'member', permissions: [], secretHash: HASH, createdBy },
        ...{ createdAt: nextInstant(), expiresAt: null },
      }),
    account: (email, role = 'member') =>
      storage.accounts.accounts.insert({ email, role, passwordHash: PHC, createdAt: new Date() }),
    async membersOf(orgId) {
      if ((await storage.orgs.findById(orgId)) === null) return null
      const members = await storage.memberships.listByOrg(orgId)
      return Object.fromEntries(members.map(({ userId, role }) => [userId, role]))
    },
  }
}

/** Invite an address into an organization. */
export async function invite(
  { storage }: Pick<UserAdminWorld, 'storage'>,
  orgId: string,
  email: string,
  invitedBy: string | null = null,
): Promise<string> {
  return (await storage.invitations.insert(newInvitation({ orgId, email, role: 'member', invitedBy }))).id
}
