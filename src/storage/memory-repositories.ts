/** The repositories of the in-memory storage over one set of tables: the committed ones, or a transaction's own. */
import type { IdentityKey, OrgSelection } from '../context.ts'
import { toStep } from '../lib/at-once.ts'
import { ownMembers, ownOf } from '../lib/parse-options.ts'
import type { AccountTables } from './memory-accounts.ts'
import { type InvitationRow, memoryInvitations } from './memory-invitations.ts'
import { memoryMachines } from './memory-machines.ts'
import { actingIn, asOfNow, insertInOrder, makeReady, type PeopleTables, personOf, putUser } from './memory-people.ts'
import { byCreation, identityKeyOf, isOwnedBy, put, putList, type Table, toRow } from './memory-tables.ts'
import type { OrgIds } from './org-ids.ts'
import type {
  ApiKeyOwner,
  ApiKeyRecord,
  ApiKeyRepository,
  GuardedChange,
  Membership,
  RegisteredMachine,
} from './repositories.ts'
import type {
  ShippedStorage,
  StoredOrganizationRepository,
  StoredRepositories,
  StoredUser,
  StoredUserRepository,
} from './shipped-storage.ts'
import { ConflictError, TransientError } from './storage-errors.ts'

/** Everything the in-memory storage keeps but the throttle. */
export interface Tables extends AccountTables, PeopleTables {
  /** A membership stands in both: by the id of its organization here, in `membershipsOf` by that of its user, in one order. */
  readonly membersOf: Table<readonly Membership[]>
  readonly invitations: Table<InvitationRow>
  readonly apiKeys: Table<ApiKeyRecord>
  /** By identity. */
  readonly machines: Table<RegisteredMachine>
}

/** Make empty tables. */
export function createTables(): Omit<Tables, keyof AccountTables> {
  return {
    users: new Map(),
    peopleOfSubject: new Map(),
    orgs: new Map(),
    membersOf: new Map(),
    membershipsOf: new Map(),
    invitations: new Map(),
    apiKeys: new Map(),
    machines: new Map(),
  }
}

interface MemoryRepositoryOptions {
  readonly tables: Tables
  readonly clock: () => number
  readonly membershipOn: 'rows' | 'user-row'
  readonly orgIds: OrgIds
}

/** Build the repositories over one set of tables. */
export function memoryRepositories(
  options: MemoryRepositoryOptions,
): StoredRepositories & Pick<ShippedStorage, 'machines'> {
  return {
    users: userRepository(options),
    orgs: organizationRepository(options),
    memberships: membershipRepository(options),
    invitations: memoryInvitations(options.tables),
    apiKeys: apiKeyRepository(options.tables),
    machines: memoryMachines(options),
  }
}

function userRepository({ tables, clock }: MemoryRepositoryOptions): StoredUserRepository {
  const { users } = tables
  const acting = actingIn(tables)
  const byIdentity = (identity: IdentityKey): StoredUser | undefined => personOf(tables, identity)?.user
  const change = (userId: string, changed: Partial<StoredUser>): StoredUser | null => {
    const user = users.get(userId)
    return user === undefined ? null : putUser(tables, { ...user, ...changed })
  }
  return {
    findByIdentity: toStep((identity: IdentityKey, selection: OrgSelection) => {
      const person = personOf(tables, identity)
      if (person === undefined) return null
      if (selection.kind === 'unnamed') return asOfNow(tables, person)
      const { user } = person
      if (selection.kind !== 'named') return { user }
      return { user, membership: acting.find({ kind: 'user', user }, selection.orgId) }
    }),
    findById: async (userId) => users.get(userId) ?? null,
    async upsertByIdentity({ issuer, subject, email }) {
      const found = byIdentity({ issuer, subject })
      if (found !== undefined) return { user: found, created: false }
      const id = crypto.randomUUID()
      const row = { id, issuer, subject, email, disabled: false, createdAt: new Date(clock()), orgId: null, role: null }
      return { user: putUser(tables, row), created: true }
    },
    setDisabled: async (userId, disabled) => change(userId, { disabled }),
    setEmail: async (userId, email) => (users.get(userId)?.disabled === false ? change(userId, { email }) : null),
    async moveIdentity(from, to) {
      const user = byIdentity(from)
      if (user === undefined) return null
      if (byIdentity(to) !== undefined) throw new ConflictError('the identity is somebody else’s')
      return change(user.id, { issuer: to.issuer, subject: to.subject })
    },
    async anonymize(userId, identity) {
      const holder = identity === null ? undefined : byIdentity(identity)
      if (users.get(userId) !== undefined && holder !== undefined && holder.id !== userId) {
        throw new ConflictError('the identity is somebody else’s')
      }
      const instead = identity && { issuer: identity.issuer, subject: identity.subject }
      return change(userId, { email: null, disabled: true, ...instead })
    },
    count: async () => [...users.values()].length,
  }
}

function organizationRepository(options: MemoryRepositoryOptions): StoredOrganizationRepository {
  const { orgs, membersOf, invitations, apiKeys, machines } = options.tables
  return {
    async insert(org) {
      const { name, id: given } = ownMembers(org)
      const id = options.orgIds.newOrgId(given)
      if (orgs.get(id) !== undefined) throw new ConflictError('there is an organization of this id')
      return put(orgs, { id, name, createdAt: new Date(options.clock()) })
    },
    findById: async (orgId) => orgs.get(orgId) ?? null,
    // Whoever writes has the tables for itself.
    findLocked: async (orgId) => orgs.get(orgId) ?? null,
    async rename(orgId, name) {
      const org = orgs.get(orgId)
      return org === undefined ? null : put(orgs, { ...org, name })
    },
    async remove(orgId) {
      if (orgs.get(orgId) === undefined) return false
      orgs.delete(orgId)
      for (const { userId } of membersOf.get(orgId) ?? []) place(options, { orgId, userId }, null)
      for (const table of [invitations, apiKeys]) {
        for (const row of table.values()) if (row.orgId === orgId) table.delete(row.id)
      }
      for (const machine of machines.values()) if (machine.orgId === orgId) machines.delete(identityKeyOf(machine))
      return true
    },
    count: async () => [...orgs.values()].length,
  }
}

function membershipRepository(options: MemoryRepositoryOptions): StoredRepositories['memberships'] {
  const { users, orgs, membersOf, membershipsOf } = options.tables
  const acting = actingIn(options.tables)
  const find = (orgId: string, userId: string): Membership | undefined =>
    membershipsOf.get(userId)?.find((membership) => membership.orgId === orgId)
  const change = (orgId: string, userId: string, role: string | null, keep: string | undefined): GuardedChange => {
    const membership = find(orgId, userId)
    if (membership === undefined) return 'missing'
    const remains = (other: Membership): boolean =>
      other.userId !== userId && other.role === keep && users.get(other.userId)?.disabled === false
    if (membership.role === keep && role !== keep && !membersOf.get(orgId)?.some(remains)) return 'last'
    place(options, membership, role === null ? null : toRow({ ...membership, role }))
    return 'done'
  }
  return {
    findActing: async (caller, orgId) => acting.find(caller, orgId),
    listActing: async (caller, limit) => acting.list(caller, limit),
    async insert({ orgId, userId, role }) {
      const user = users.get(userId)
      if (orgs.get(orgId) === undefined || user === undefined) {
        throw new Error('a membership needs an organization and a user that exist')
      }
      const { length } = membershipsOf.get(userId) ?? []
      const isTaken = options.membershipOn === 'user-row' ? length > 0 : find(orgId, userId) !== undefined
      if (isTaken) throw new ConflictError('the user has this membership already')
      if (user.disabled) throw new TransientError('a disabled user becomes a member of nothing')
      const membership = toRow({ orgId, userId, role, joinedAt: new Date(options.clock()) })
      place(options, membership, membership)
      return membership
    },
    find: async (orgId, userId) => find(orgId, userId) ?? null,
    listByOrg: async (orgId) =>
      (membersOf.get(orgId) ?? []).map((membership) => {
        const { email, disabled } = users.get(membership.userId) as StoredUser
        return toRow({ ...membership, email, disabled })
      }),
    setRole: async (orgId, userId, role, options = {}) => change(orgId, userId, role, ownOf(options, 'keep')),
    remove: async (orgId, userId, options = {}) => change(orgId, userId, null, ownOf(options, 'keep')),
  }
}

// Write the membership of a user in an organization into every table that knows it, or remove it.
function place(
  { tables, membershipOn }: MemoryRepositoryOptions,
  { orgId, userId }: Pick<Membership, 'orgId' | 'userId'>,
  membership: Membership | null,
): void {
  const replace = (table: Table<readonly Membership[]>, key: string): void => {
    const list = table.get(key) ?? []
    const at = list.findIndex((each) => each.orgId === orgId && each.userId === userId)
    if (membership === null) putList(table, key, at < 0 ? list : list.toSpliced(at, 1))
    else putList(table, key, at < 0 ? insertInOrder(list, membership) : list.with(at, membership))
  }
  replace(tables.membersOf, orgId)
  replace(tables.membershipsOf, userId)
  const user = tables.users.get(userId)
  if (user === undefined) return
  if (membershipOn === 'rows') makeReady(tables, user)
  else putUser(tables, { ...user, orgId: membership?.orgId ?? null, role: membership?.role ?? null })
}

function apiKeyRepository({ apiKeys, orgs, users, accounts, membershipsOf }: Tables): ApiKeyRepository {
  const find = (owner: ApiKeyOwner, keyId: string): ApiKeyRecord | undefined => {
    const key = apiKeys.get(keyId)
    return key !== undefined && isOwnedBy(owner, key) ? key : undefined
  }
  const insert: ApiKeyRepository['insert'] = async (key) => {
    if (key.orgId !== null && orgs.get(key.orgId) === undefined) {
      throw new Error('an API key needs an organization that exists, or none')
    }
    if (apiKeys.get(key.id) !== undefined) throw new ConflictError('there is an API key of this id')
    return put(apiKeys, { ...key, previousSecretHash: null, previousUntil: null, revokedAt: null, lastUsedAt: null })
  }
  return {
    findById: async (keyId) => apiKeys.get(keyId) ?? null,
    list: async (owner) =>
      [...apiKeys.values()].filter((key) => key.revokedAt === null && isOwnedBy(owner, key)).sort(byCreation),
    listCreatedBy: async (userId) =>
      [...apiKeys.values()].filter(({ createdBy }) => createdBy === userId).sort(byCreation),
    insert,
    async insertByMaker(owner, key) {
      const maker = key.createdBy ?? ''
      const isUser = users.get(maker)?.disabled === false
      const isMaker =
        owner.kind === 'org'
          ? isUser && isOwnedBy(owner, key) && membershipsOf.get(maker)?.some(({ orgId }) => orgId === owner.orgId)
          : isUser || accounts.get(maker)?.disabled === false
      return isMaker && (key.orgId === null || orgs.get(key.orgId) !== undefined) ? insert(key) : null
    },
    async rotate(owner, keyId, { secretHash, previousUntil }) {
      const key = find(owner, keyId)
      if (key === undefined || key.revokedAt !== null) return null
      const previousSecretHash = previousUntil === null ? null : key.secretHash
      return put(apiKeys, { ...key, secretHash, previousSecretHash, previousUntil })
    },
    async revoke(owner, keyId, at) {
      const key = find(owner, keyId)
      if (key?.revokedAt === null) put(apiKeys, { ...key, revokedAt: at })
      return key !== undefined
    },
    async revokeCreatedBy(owner, userId, at) {
      const made = [...apiKeys.values()].filter(
        (key) => key.createdBy === userId && key.revokedAt === null && isOwnedBy(owner, key),
      )
      for (const key of made) put(apiKeys, { ...key, revokedAt: at })
      return made.sort(byCreation).map(({ id }) => id)
    },
    async touch(keyId, at) {
      const key = apiKeys.get(keyId)
      if (key !== undefined && (key.lastUsedAt === null || key.lastUsedAt < at))
        put(apiKeys, { ...key, lastUsedAt: at })
    },
  }
}
