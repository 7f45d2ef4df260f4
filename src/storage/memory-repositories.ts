/** The repositories of the in-memory storage over one set of tables: the committed ones, or a transaction's own. */
import type { ActingOrg, Caller, IdentityKey, OrgSelection } from '../context.ts'
import { normalizeEmail } from '../lib/email.ts'
import {
  byCreation,
  compare,
  copy,
  copyOrNull,
  type MemoryRepositoryOptions,
  pairKey,
  type Tables,
} from './memory-tables.ts'
import type {
  ApiKeyOwner,
  ApiKeyRecord,
  ApiKeyRepository,
  GuardedChange,
  Invitation,
  Membership,
  NewUser,
} from './repositories.ts'
import type {
  StoredOrganization,
  StoredOrganizationRepository,
  StoredRepositories,
  StoredUser,
  StoredUserRepository,
} from './shipped-storage.ts'
import { ConflictError } from './storage-errors.ts'

/** Build the repositories over one set of tables. */
export function memoryRepositories(
  options: MemoryRepositoryOptions,
): StoredRepositories & { readonly apiKeys: ApiKeyRepository } {
  const memberships = membershipRepository(options)
  return {
    users: userRepository(options, memberships),
    orgs: organizationRepository(options),
    memberships,
    invitations: invitationRepository(options),
    apiKeys: apiKeyRepository(options.tables),
  }
}

function userRepository(
  { tables, clock }: MemoryRepositoryOptions,
  memberships: StoredRepositories['memberships'],
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
  memberships: StoredRepositories['memberships'],
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

function invitationRepository({ tables, clock }: MemoryRepositoryOptions): StoredRepositories['invitations'] {
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
    findPending: async (email) => copyOrNull(pending(email).sort(byCreation)[0]),
    async consume(invitationId) {
      const invitation = tables.invitations.get(invitationId)
      tables.invitations.delete(invitationId)
      return copyOrNull(invitation)
    },
  }
}

function membershipRepository(options: MemoryRepositoryOptions): StoredRepositories['memberships'] {
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

// Out of every table that knows it.
function removeMembership({ tables, membershipOn }: MemoryRepositoryOptions, orgId: string, userId: string): void {
  const without = (ids: readonly string[] | undefined, id: string): readonly string[] =>
    (ids ?? []).filter((each) => each !== id)
  tables.memberships.delete(pairKey(orgId, userId))
  tables.orgsOfUser.set(userId, without(tables.orgsOfUser.get(userId), orgId))
  tables.usersOfOrg.set(orgId, without(tables.usersOfOrg.get(orgId), userId))
  const user = tables.users.get(userId)
  if (membershipOn === 'user-row' && user !== undefined) tables.users.set(userId, { ...user, orgId: null, role: null })
}

function apiKeyRepository({ apiKeys, orgs }: Tables): ApiKeyRepository {
  // A row is written as a copy and handed out as another.
  const write = (key: ApiKeyRecord): ApiKeyRecord => {
    apiKeys.set(key.id, copyOf(key))
    return copyOf(key)
  }
  const keyOf = (owner: ApiKeyOwner, keyId: string): ApiKeyRecord | undefined => {
    const key = apiKeys.get(keyId)
    return key !== undefined && isOf(owner, key) ? key : undefined
  }
  return {
    async findById(keyId) {
      const key = apiKeys.get(keyId)
      return key === undefined ? null : copyOf(key)
    },
    list: async (owner) =>
      [...apiKeys.values()]
        .filter((key) => key.revokedAt === null && isOf(owner, key))
        .sort(byCreation)
        .map(copyOf),
    async insert(key) {
      if (key.orgId !== null && orgs.get(key.orgId) === undefined) {
        throw new Error('an API key needs an organization that exists, or none')
      }
      if (apiKeys.get(key.id) !== undefined) throw new ConflictError('there is an API key of this id')
      return write({ ...key, previousSecretHash: null, previousUntil: null, revokedAt: null, lastUsedAt: null })
    },
    async rotate(owner, keyId, { secretHash, previousUntil }) {
      const key = keyOf(owner, keyId)
      if (key === undefined || key.revokedAt !== null) return null
      const previousSecretHash = previousUntil === null ? null : key.secretHash
      return write({ ...key, secretHash, previousSecretHash, previousUntil })
    },
    async revoke(owner, keyId, at) {
      const key = keyOf(owner, keyId)
      if (key?.revokedAt === null) write({ ...key, revokedAt: at })
      return key !== undefined
    },
    async touch(keyId, at) {
      const key = apiKeys.get(keyId)
      if (key !== undefined && (key.lastUsedAt === null || key.lastUsedAt < at)) write({ ...key, lastUsedAt: at })
    },
  }
}

function isOf(owner: ApiKeyOwner, { orgId }: ApiKeyRecord): boolean {
  return owner.kind === 'installation' || (orgId !== null && owner.orgId === orgId)
}

function copyOf<K extends { readonly scopes: readonly string[] }>(key: K): K {
  return Object.freeze({ ...copy(key), scopes: Object.freeze([...key.scopes]) })
}
