/** The repositories of the in-memory storage, over one set of tables: the committed ones, or a transaction's own. */
import type { ActingOrg, Caller, IdentityKey, OrgSelection } from '../context.ts'
import { normalizeEmail } from '../lib/email.ts'
import type { StoredOrganization, StoredUser, Tables } from './memory-tables.ts'
import type {
  GuardedChange,
  Invitation,
  InvitationRepository,
  Membership,
  MembershipRepository,
  NewUser,
  OrganizationRepository,
  UserRepository,
} from './repositories.ts'
import { ConflictError } from './storage-errors.ts'

/** The user repository of the shipped storages: the port, and what an operator needs. */
export interface StoredUserRepository extends UserRepository<StoredUser, StoredOrganization> {
  /** Disable or enable a user; `null` if there is none. A disabled user is refused on the next request. */
  setDisabled(userId: string, disabled: boolean): Promise<StoredUser | null>
  /** Count the users. */
  count(): Promise<number>
}

/** The organization repository of the shipped storages. */
export interface StoredOrganizationRepository extends OrganizationRepository<StoredOrganization> {
  /** Delete an organization, its memberships and invitations: from the next request on it is as if it had never been. */
  remove(orgId: string): Promise<boolean>
  /** Count the organizations. */
  count(): Promise<number>
}

/** The repositories of the shipped storages. */
export interface StoredRepositories {
  readonly users: StoredUserRepository
  readonly orgs: StoredOrganizationRepository
  readonly memberships: MembershipRepository<StoredUser, StoredOrganization>
  readonly invitations: InvitationRepository
}

/** What the repositories are built over. */
export interface MemoryRepositoryOptions {
  readonly tables: Tables
  readonly clock: () => number
  readonly membershipOn: 'rows' | 'user-row'
}

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
      return { ...copy(user), disabled }
    },
    count: async () => [...tables.users.values()].length,
  }
}

async function membershipFor(
  user: StoredUser,
  selection: OrgSelection,
  memberships: MembershipRepository<StoredUser, StoredOrganization>,
): Promise<{ membership?: ActingOrg<StoredOrganization> | null }> {
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
      return true
    },
    count: async () => [...tables.orgs.values()].length,
  }
}

function membershipRepository(options: MemoryRepositoryOptions): MembershipRepository<StoredUser, StoredOrganization> {
  const { tables } = options
  const listByOrg = (orgId: string): Membership[] =>
    (tables.usersOfOrg.get(orgId) ?? [])
      .map((userId) => tables.memberships.get(pairKey(orgId, userId)))
      .filter((membership) => membership !== undefined)
      .sort((a, b) => a.joinedAt.getTime() - b.joinedAt.getTime() || compare(a.userId, b.userId))
  const guarded = (orgId: string, userId: string, keep: string | undefined): GuardedChange => {
    const membership = tables.memberships.get(pairKey(orgId, userId))
    if (membership === undefined) return 'missing'
    const holders = listByOrg(orgId).filter(({ role }) => role === keep)
    return membership.role === keep && holders.length === 1 ? 'last' : 'done'
  }
  return {
    findActing: async (caller, orgId) => findActing(tables, caller, orgId),
    listActing: async (caller, limit) => listActing(tables, caller).slice(0, limit),
    insert: async (membership) => insertMembership(options, membership),
    find: async (orgId, userId) => copyOrNull(tables.memberships.get(pairKey(orgId, userId))),
    listByOrg: async (orgId) => listByOrg(orgId).map(copy),
    async setRole(orgId, userId, role, { keep } = {}) {
      const change = role === keep ? guarded(orgId, userId, undefined) : guarded(orgId, userId, keep)
      if (change === 'done') writeMembership(options, { ...membershipAt(tables, orgId, userId), role })
      return change
    },
    async remove(orgId, userId, { keep } = {}) {
      const change = guarded(orgId, userId, keep)
      if (change === 'done') removeMembership(options, orgId, userId)
      return change
    },
  }
}

function membershipAt(tables: Tables, orgId: string, userId: string): Membership {
  return tables.memberships.get(pairKey(orgId, userId)) as Membership
}

function findActing(tables: Tables, caller: Caller<StoredUser>, orgId: string): ActingOrg<StoredOrganization> | null {
  const org = tables.orgs.get(orgId)
  if (org === undefined) return null
  if (caller.kind === 'service') return { org: copy(org), role: null }
  if (caller.kind === 'apiKey') return caller.key.orgId === orgId ? { org: copy(org), role: caller.key.role } : null
  const membership = tables.memberships.get(pairKey(orgId, caller.user.id))
  return membership === undefined ? null : { org: copy(org), role: membership.role }
}

function listActing(tables: Tables, caller: Caller<StoredUser>): ActingOrg<StoredOrganization>[] {
  if (caller.kind === 'service') return []
  if (caller.kind === 'apiKey') {
    const acting = findActing(tables, caller, caller.key.orgId)
    return acting === null ? [] : [acting]
  }
  return (tables.orgsOfUser.get(caller.user.id) ?? [])
    .map((orgId) => membershipAt(tables, orgId, caller.user.id))
    .sort((a, b) => a.joinedAt.getTime() - b.joinedAt.getTime() || compare(a.orgId, b.orgId))
    .map(({ orgId }) => findActing(tables, caller, orgId))
    .filter((acting) => acting !== null)
}

function insertMembership(
  options: MemoryRepositoryOptions,
  { orgId, userId, role }: Omit<Membership, 'joinedAt'>,
): Membership {
  const { tables, clock, membershipOn } = options
  if (tables.orgs.get(orgId) === undefined || tables.users.get(userId) === undefined) {
    throw new Error('a membership needs an organization and a user that exist')
  }
  const taken =
    membershipOn === 'user-row'
      ? (tables.orgsOfUser.get(userId) ?? []).length > 0
      : tables.memberships.get(pairKey(orgId, userId)) !== undefined
  if (taken) throw new ConflictError('the user has this membership already')
  const membership = { orgId, userId, role, joinedAt: new Date(clock()) }
  tables.orgsOfUser.set(userId, [...(tables.orgsOfUser.get(userId) ?? []), orgId])
  tables.usersOfOrg.set(orgId, [...(tables.usersOfOrg.get(orgId) ?? []), userId])
  writeMembership(options, membership)
  return copy(membership)
}

function writeMembership({ tables, membershipOn }: MemoryRepositoryOptions, membership: Membership): void {
  const { orgId, userId, role } = membership
  tables.memberships.set(pairKey(orgId, userId), membership)
  const user = tables.users.get(userId)
  if (membershipOn === 'user-row' && user !== undefined) tables.users.set(userId, { ...user, orgId, role })
}

function removeMembership({ tables, membershipOn }: MemoryRepositoryOptions, orgId: string, userId: string): void {
  tables.memberships.delete(pairKey(orgId, userId))
  tables.orgsOfUser.set(
    userId,
    (tables.orgsOfUser.get(userId) ?? []).filter((id) => id !== orgId),
  )
  tables.usersOfOrg.set(
    orgId,
    (tables.usersOfOrg.get(orgId) ?? []).filter((id) => id !== userId),
  )
  const user = tables.users.get(userId)
  if (membershipOn === 'user-row' && user !== undefined) tables.users.set(userId, { ...user, orgId: null, role: null })
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

// Two strings as one key that no other pair makes.
function pairKey(first: string, second: string): string {
  return `${first.length}:${first}${second}`
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

// Dates are copied too: a caller may change what it was given.
function copy<T extends object>(record: T): T {
  const entries = Object.entries(record).map(([key, value]) => [key, value instanceof Date ? new Date(value) : value])
  return Object.fromEntries(entries) as T
}

function copyOrNull<T extends object>(record: T | undefined): T | null {
  return record === undefined ? null : copy(record)
}
