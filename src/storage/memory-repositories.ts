/** The repositories of the in-memory storage but the memberships, over one set of tables: the committed ones, or a transaction's own. */
import type { ActingOrg, IdentityKey, OrgSelection } from '../context.ts'
import { normalizeEmail } from '../lib/email.ts'
import { membershipRepository, removeMembership } from './memory-memberships.ts'
import { compare, copy, copyOrNull, type MemoryRepositoryOptions, pairKey, type Tables } from './memory-tables.ts'
import type { Invitation, InvitationRepository, MembershipRepository, NewUser } from './repositories.ts'
import { ConflictError } from './storage-errors.ts'
import type {
  StoredOrganization,
  StoredOrganizationRepository,
  StoredRepositories,
  StoredUser,
  StoredUserRepository,
} from './stored.ts'

/** Build the repositories over one set of tables. */
export function memoryRepositories(options: MemoryRepositoryOptions): StoredRepositories {
  const memberships = membershipRepository(options)
  return {
    users: userRepository(options, memberships),
    orgs: organizationRepository(options),
    memberships,
    invitations: invitationRepository(options),
  }
}

function userRepository(
  { tables, clock }: MemoryRepositoryOptions,
  memberships: MembershipRepository<StoredUser, StoredOrganization>,
): StoredUserRepository {
  const byIdentity = ({ issuer, subject }: IdentityKey): StoredUser | undefined =>
    tables.users.get(tables.userIds.get(pairKey(issuer, subject)) ?? '')
  return {
    async findByIdentity(identity, selection) {
      const user = byIdentity(identity)
      return user === undefined ? null : { user: copy(user), ...(await membershipFor(user, selection, memberships)) }
    },
    findById: async (userId) => copyOrNull(tables.users.get(userId)),
    async upsertByIdentity(user) {
      const found = byIdentity(user)
      return found === undefined
        ? { user: insertUser(tables, user, clock()), created: true }
        : { user: copy(found), created: false }
    },
    async setDisabled(userId, disabled) {
      const user = tables.users.get(userId)
      if (user === undefined) return null
      tables.users.set(userId, { ...user, disabled })
      return copy({ ...user, disabled })
    },
    count: async () => [...tables.users.values()].length,
  }
}

async function membershipFor(
  user: StoredUser,
  selection: OrgSelection,
  memberships: MembershipRepository<StoredUser, StoredOrganization>,
): Promise<{ membership?: ActingOrg<StoredOrganization> | null | undefined }> {
  const caller = { kind: 'user', user } as const
  if (selection.kind === 'named') return { membership: await memberships.findActing(caller, selection.orgId) }
  if (selection.kind === 'unnamed') return { membership: (await memberships.listActing(caller, 1))[0] ?? null }
  return {}
}

function insertUser(tables: Tables, { issuer, subject, email }: NewUser, now: number): StoredUser {
  const id = crypto.randomUUID()
  const user = { id, issuer, subject, email, disabled: false, createdAt: new Date(now), orgId: null, role: null }
  tables.users.set(id, user)
  tables.userIds.set(pairKey(issuer, subject), id)
  return copy(user)
}

function organizationRepository(options: MemoryRepositoryOptions): StoredOrganizationRepository {
  const { tables, clock } = options
  return {
    async insert({ name }) {
      const org = { id: crypto.randomUUID(), name, createdAt: new Date(clock()) }
      tables.orgs.set(org.id, org)
      return copy(org)
    },
    findById: async (orgId) => copyOrNull(tables.orgs.get(orgId)),
    async remove(orgId) {
      if (tables.orgs.get(orgId) === undefined) return false
      tables.orgs.delete(orgId)
      for (const userId of tables.usersOfOrg.get(orgId) ?? []) removeMembership(options, orgId, userId)
      for (const { id, orgId: into } of tables.invitations.values()) if (into === orgId) tables.invitations.delete(id)
      for (const { id, orgId: of } of tables.apiKeys.values()) if (of === orgId) tables.apiKeys.delete(id)
      return true
    },
    count: async () => [...tables.orgs.values()].length,
  }
}

function invitationRepository({ tables, clock }: MemoryRepositoryOptions): InvitationRepository {
  const pending = (email: string): Invitation[] =>
    [...tables.invitations.values()].filter((invitation) => invitation.email === email)
  return {
    async insert({ orgId, email: address, role }) {
      const email = normalizeEmail(address)
      if (email === null) throw new TypeError('an invitation needs a valid e-mail address')
      if (tables.orgs.get(orgId) === undefined) throw new Error('an invitation needs an organization that exists')
      if (pending(email).some((invitation) => invitation.orgId === orgId)) {
        throw new ConflictError('this address is already invited into this organization')
      }
      const invitation = { id: crypto.randomUUID(), orgId, email, role, createdAt: new Date(clock()) }
      tables.invitations.set(invitation.id, invitation)
      return copy(invitation)
    },
    findPending: async (email) =>
      copyOrNull(
        pending(email).sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || compare(a.id, b.id))[0],
      ),
    async consume(invitationId) {
      const invitation = tables.invitations.get(invitationId)
      tables.invitations.delete(invitationId)
      return copyOrNull(invitation)
    },
  }
}
