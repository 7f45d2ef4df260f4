/** The membership repository of the in-memory storage, and what callers may act in by it. */
import type { ActingOrg, Caller } from '../context.ts'
import { compare, copy, copyOrNull, type MemoryRepositoryOptions, pairKey, type Tables } from './memory-tables.ts'
import type { GuardedChange, Membership, MembershipRepository } from './repositories.ts'
import { ConflictError } from './storage-errors.ts'
import type { StoredOrganization, StoredUser } from './stored.ts'

/** Build the membership repository over one set of tables. */
export function membershipRepository(
  options: MemoryRepositoryOptions,
): MembershipRepository<StoredUser, StoredOrganization> {
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
  if (caller.kind === 'service') return Object.freeze({ org: copy(org), role: null })
  if (caller.kind === 'apiKey') {
    const { orgId: boundTo, role } = caller.key
    return boundTo === null || boundTo === orgId ? Object.freeze({ org: copy(org), role }) : null
  }
  const membership = tables.memberships.get(pairKey(orgId, caller.user.id))
  return membership === undefined ? null : Object.freeze({ org: copy(org), role: membership.role })
}

function listActing(tables: Tables, caller: Caller<StoredUser>): ActingOrg<StoredOrganization>[] {
  if (caller.kind === 'service') return []
  if (caller.kind === 'apiKey') {
    const acting = caller.key.orgId === null ? null : findActing(tables, caller, caller.key.orgId)
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

/** Take a membership out of every table that knows it. */
export function removeMembership(
  { tables, membershipOn }: MemoryRepositoryOptions,
  orgId: string,
  userId: string,
): void {
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
