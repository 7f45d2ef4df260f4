/** The repositories of the SQL storages over one session: users, organizations, memberships and invitations. */

import type { ActingOrg, Caller, Machine, OrgSelection } from '../context.ts'
import { isUuid } from '../lib/id-form.ts'
import { ownMembers, ownOf } from '../lib/parse-options.ts'
import type { OrgIds } from './org-ids.ts'
import type { NewUser, UserRecord } from './repositories.ts'
import type {
  ShippedStorage,
  ShippedStorageOptions,
  StoredOrganization,
  StoredOrganizationRepository,
  StoredRepositories,
  StoredUser,
  StoredUserRepository,
  TransactionRepositories,
} from './shipped-storage.ts'
import { sqlAccounts } from './sql-accounts.ts'
import { sqlApiKeys } from './sql-api-keys.ts'
import type { SqlRow, SqlSession } from './sql-executor.ts'
import { sqlInvitations } from './sql-invitations.ts'
import { sqlMachines } from './sql-machines.ts'
import {
  findFirst,
  type Holders,
  hasRows,
  isIdentity,
  isText,
  keepingLast,
  LONGEST,
  MEMBER,
  MEMBERSHIP,
  ORG,
  requireIdentity,
  requireRole,
  toActing,
  toCount,
  toGuardedChange,
  toText,
  USER,
} from './sql-rows.ts'
import { createStatements, type SqlDialect, type SqlPlace, type SqlStatements } from './sql-statements.ts'
import { ConflictError, TransientError } from './storage-errors.ts'

/** A SQL storage but for its transactions. */
export interface SqlStorage {
  /** The repositories over another session: one transaction's. */
  over(session: SqlSession): TransactionRepositories
  /** All that is asked outside of transactions, each write by itself. */
  readonly atRest: Omit<ShippedStorage, 'transaction'>
}

/** Put a SQL storage together over a session: a pool's or a handle's. */
export function sqlStorage(
  place: SqlPlace,
  { membershipOn = 'rows', clock = Date.now }: ShippedStorageOptions,
): SqlStorage {
  const { session: outside, ...tables } = place
  const statements = createStatements({ ...tables, membershipOn })
  const accounts = sqlAccounts(place)
  const over = (session: SqlSession): TransactionRepositories => {
    const options = { session, statements, dialect: place.dialect, orgIds: place.orgIds, clock }
    return {
      users: userRepository(options),
      orgs: organizationRepository(options),
      memberships: membershipRepository(options),
      invitations: sqlInvitations({ ...place, session }),
      apiKeys: sqlApiKeys({ ...place, session, membershipOn }),
      accounts: accounts.over(session),
    }
  }
  const others = { machines: sqlMachines(place, clock), accounts: accounts.atRest }
  return { over, atRest: { ...over(outside), ...others } }
}

interface SqlRepositoryOptions {
  readonly session: SqlSession
  readonly statements: SqlStatements
  readonly dialect: SqlDialect
  readonly orgIds: OrgIds
  readonly clock: () => number
}

type Found = UserRecord<StoredUser, StoredOrganization>

const UPSERT_ATTEMPTS = 3

function userRepository({ session, statements, orgIds, clock }: SqlRepositoryOptions): StoredUserRepository {
  const find = (issuer: string, subject: string, selection: OrgSelection): Promise<Found | null> => {
    const { kind } = selection
    if (kind === 'unnamed') return findFirst(session, statements.findUserInEarliestOrg, [issuer, subject], toFound)
    if (kind === 'named' && orgIds.isOrgId(selection.orgId)) {
      return findFirst(session, statements.findUserInNamedOrg, [issuer, subject, selection.orgId], toFound)
    }
    return findFirst(session, statements.findUser, [issuer, subject], (row) =>
      kind === 'named' ? { user: USER.read(row), membership: null } : { user: USER.read(row) },
    )
  }
  return {
    findByIdentity: ({ issuer, subject }, selection) =>
      isIdentity(issuer, subject) ? find(issuer, subject, selection) : Promise.resolve(null),
    findById: async (userId) =>
      isUuid(userId) ? findFirst(session, statements.findUserById, [userId], USER.read) : null,
    async upsertByIdentity(user) {
      const { issuer, subject, email } = storable(user)
      for (let attempt = 0; attempt < UPSERT_ATTEMPTS; attempt++) {
        const values = [crypto.randomUUID(), issuer, subject, email, clock()]
        const created = await findFirst(session, statements.insertUser, values, USER.read)
        if (created !== null) return { user: created, created: true }
        // A statement of its own: it sees what the insert had to wait for.
        const found = await findFirst(session, statements.findUser, [issuer, subject], USER.read)
        if (found !== null) return { user: found, created: false }
      }
      throw new TransientError('the user was neither inserted nor there')
    },
    setDisabled: async (userId, disabled) =>
      isUuid(userId) ? findFirst(session, statements.setUserDisabled, [userId, disabled ? 1 : 0], USER.read) : null,
    async setEmail(userId, email) {
      const values = [userId, toStorableEmail(email)]
      return isUuid(userId) ? findFirst(session, statements.setUserEmail, values, USER.read) : null
    },
    async moveIdentity(from, to) {
      requireIdentity(to.issuer, to.subject)
      if (!isIdentity(from.issuer, from.subject)) return null
      const values = [from.issuer, from.subject, to.issuer, to.subject]
      const moved = await findFirst(session, statements.moveIdentity, values, USER.read)
      if (moved !== null) return moved
      if (!(await hasRows(session, statements.findUser, values.slice(0, 2)))) return null
      throw new ConflictError('the identity is the one of another user')
    },
    async anonymize(userId, identity) {
      if (identity !== null) requireIdentity(identity.issuer, identity.subject)
      if (!isUuid(userId)) return null
      const values = [userId, identity?.issuer ?? null, identity?.subject ?? null]
      const anonymized = await findFirst(session, statements.anonymizeUser, values, USER.read)
      if (anonymized !== null || !(await hasRows(session, statements.findUserById, [userId]))) return anonymized
      throw new ConflictError('the identity is the one of another user')
    },
    count: async () => toCount(await session.run(statements.countUsers, [])),
  }
}

function storable({ issuer, subject, email }: NewUser): NewUser {
  requireIdentity(issuer, subject)
  return { issuer, subject, email: toStorableEmail(email) }
}

// An address that can't be stored as it is would be another address.
function toStorableEmail(email: string | null): string | null {
  return isText(email, LONGEST.email) ? email : null
}

function toFound(row: SqlRow): Found {
  return { user: USER.read(row), membership: toActing(row) }
}

function organizationRepository(options: SqlRepositoryOptions): StoredOrganizationRepository {
  const { session, statements, clock } = options
  const { isOrgId, newOrgId } = options.orgIds
  return {
    async insert(org) {
      const { name, id } = ownMembers(org)
      const values = [newOrgId(id), toText(name, LONGEST.name), clock()]
      const inserted = await findFirst(session, statements.insertOrg, values, ORG.read)
      if (inserted !== null) return inserted
      throw new ConflictError('there is an organization of this id')
    },
    findById: async (orgId) => (isOrgId(orgId) ? findFirst(session, statements.findOrg, [orgId], ORG.read) : null),
    findLocked: async (orgId) =>
      isOrgId(orgId) ? findFirst(session, statements.findOrgLocked, [orgId], ORG.read) : null,
    rename: async (orgId, name) =>
      isOrgId(orgId) ? findFirst(session, statements.renameOrg, [orgId, toText(name, LONGEST.name)], ORG.read) : null,
    async remove(orgId) {
      if (!isOrgId(orgId)) return false
      return session.atomically(async (inside) => {
        // Locked first, so that nobody joins between the two writes.
        if (!(await hasRows(inside, statements.lockOrg, [orgId]))) return false
        await inside.run(statements.clearUsersOfOrg, [orgId])
        return hasRows(inside, statements.deleteOrg, [orgId])
      })
    },
    count: async () => toCount(await session.run(statements.countOrgs, [])),
  }
}

type Acting = ActingOrg<StoredOrganization>

function membershipRepository(options: SqlRepositoryOptions): StoredRepositories['memberships'] {
  const { session, statements, dialect, clock } = options
  const { isOrgId } = options.orgIds
  const findActing = actingFinder(options)
  // Locking the organization would not do, because its roles may also be changed by a host's own statement.
  const holders = (orgId: string, userId: string): Holders => ({
    ...{ lock: statements.lockHolders, values: [orgId], holder: userId },
  })
  return {
    findActing,
    async listActing(caller, limit) {
      if (caller.kind === 'service') return []
      if (caller.kind !== 'user') {
        const { orgId } = caller.kind === 'apiKey' ? caller.key : caller.machine
        return orgId === null ? [] : listed(await findActing(caller, orgId)).slice(0, limit)
      }
      if (!isUuid(caller.user.id)) return []
      const rows = await session.run(statements.listActing, [caller.user.id, limit ?? dialect.noLimit])
      return rows.flatMap((row) => listed(toActing(row)))
    },
    async insert({ orgId, userId, role }) {
      if (!isOrgId(orgId) || !isUuid(userId)) throw unknownPair()
      const values = [orgId, userId, requireRole(role), clock()]
      const inserted = await findFirst(session, statements.insertMembership, values, MEMBERSHIP.read)
      if (inserted !== null) return inserted
      const user = await findFirst(session, statements.findUserById, [userId], USER.read)
      if (user === null) throw unknownPair()
      const isTaken = user.orgId !== null || (await hasRows(session, statements.findMembership, [orgId, userId]))
      throw isTaken || !user.disabled
        ? new ConflictError('the user has this membership already')
        : new TransientError('a disabled user becomes a member of nothing')
    },
    find: async (orgId, userId) =>
      isOrgId(orgId) && isUuid(userId)
        ? findFirst(session, statements.findMembership, [orgId, userId], MEMBERSHIP.read)
        : null,
    async listByOrg(orgId) {
      return isOrgId(orgId) ? (await session.run(statements.listMembersOfOrg, [orgId])).map(MEMBER.read) : []
    },
    async setRole(orgId, userId, role, options = {}) {
      const keep = ownOf(options, 'keep')
      if (!isOrgId(orgId) || !isUuid(userId)) return 'missing'
      const values = [orgId, userId, requireRole(role)]
      const kept = role === keep ? undefined : keep
      const done = await keepingLast(session, holders(orgId, userId), kept, (inside) =>
        hasRows(inside, statements.setRole, values),
      )
      return toGuardedChange(done)
    },
    async remove(orgId, userId, options = {}) {
      const keep = ownOf(options, 'keep')
      if (!isOrgId(orgId) || !isUuid(userId)) return 'missing'
      const done = await keepingLast(session, holders(orgId, userId), keep, (inside) =>
        hasRows(inside, statements.deleteMembership, [orgId, userId]),
      )
      return toGuardedChange(done)
    },
  }
}

function listed(acting: Acting | null): Acting[] {
  return acting === null ? [] : [acting]
}

function actingFinder({ session, statements, orgIds }: SqlRepositoryOptions) {
  return async (caller: Caller<StoredUser>, orgId: string): Promise<Acting | null> => {
    if (!orgIds.isOrgId(orgId)) return null
    if (caller.kind === 'user') {
      if (!isUuid(caller.user.id)) return null
      return findFirst(session, statements.findActing, [caller.user.id, orgId], toActing)
    }
    const { orgId: own, role } = placeOf(caller)
    if (own !== null && own !== orgId) return null
    return findFirst(session, statements.findOrg, [orgId], (row) => toActing({ ...row, acting_role: role }))
  }
}

// What it is bound to, and as what it acts.
function placeOf(caller: Exclude<Caller, { readonly kind: 'user' }>): Pick<Machine, 'orgId' | 'role'> {
  if (caller.kind === 'service') return { orgId: null, role: null }
  return caller.kind === 'apiKey' ? caller.key : caller.machine
}

function unknownPair(): Error {
  return new Error('a membership needs an organization and a user that exist')
}
