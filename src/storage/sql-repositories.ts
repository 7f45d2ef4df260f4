/** The repositories of the SQL storages over one session: users, organizations, memberships and invitations. */
import type { ActingOrg, Caller, OrgSelection } from '../context.ts'
import { normalizeEmail } from '../lib/email.ts'
import type { GuardedChange, Membership, NewUser, UserRecord } from './repositories.ts'
import type {
  ShippedStorage,
  ShippedStorageOptions,
  StoredOrganization,
  StoredOrganizationRepository,
  StoredRepositories,
  StoredUser,
  StoredUserRepository,
} from './shipped-storage.ts'
import { sqlAccounts } from './sql-accounts.ts'
import { sqlApiKeys } from './sql-api-keys.ts'
import type { SqlRow, SqlSession, SqlStatement } from './sql-executor.ts'
import {
  isId,
  isText,
  LONGEST,
  toActing,
  toCount,
  toFirst,
  toInvitation,
  toMembership,
  toOrganization,
  toText,
  toUser,
} from './sql-rows.ts'
import { createStatements, type SqlDialect, type SqlPlace, type SqlStatements } from './sql-statements.ts'
import { ConflictError, TransientError } from './storage-errors.ts'

/** A SQL storage but for its transactions. */
export interface SqlStorage {
  /** The repositories over another session: one transaction's. */
  over(session: SqlSession): StoredRepositories
  /** All that is asked outside of transactions, each write by itself. */
  readonly atRest: Omit<ShippedStorage, 'transaction'>
}

/** Put a SQL storage together over a session: a pool's or a handle's. */
export function sqlStorage(
  place: SqlPlace,
  { membershipOn = 'rows', clock = Date.now }: ShippedStorageOptions,
): SqlStorage {
  const { session: outside, dialect, names } = place
  const statements = createStatements({ dialect, names, membershipOn })
  const over = (session: SqlSession): StoredRepositories => {
    const options = { session, statements, dialect, clock }
    return {
      users: userRepository(options),
      orgs: organizationRepository(options),
      memberships: membershipRepository(options),
      invitations: invitationRepository(options),
    }
  }
  return { over, atRest: { ...over(outside), apiKeys: sqlApiKeys(place), accounts: sqlAccounts(place) } }
}

interface SqlRepositoryOptions {
  readonly session: SqlSession
  readonly statements: SqlStatements
  readonly dialect: SqlDialect
  readonly clock: () => number
}

type Found = UserRecord<StoredUser, StoredOrganization>

const UPSERT_ATTEMPTS = 3

function userRepository({ session, statements, clock }: SqlRepositoryOptions): StoredUserRepository {
  const find = async (issuer: string, subject: string, selection: OrgSelection): Promise<Found | null> => {
    const { kind } = selection
    if (kind === 'unnamed') {
      return toFound(await session.run(statements.findUserInEarliestOrg, [issuer, subject]), true)
    }
    if (kind === 'named' && isId(selection.orgId)) {
      return toFound(await session.run(statements.findUserInNamedOrg, [issuer, subject, selection.orgId]), true)
    }
    const found = toFound(await session.run(statements.findUser, [issuer, subject]), false)
    return found !== null && kind === 'named' ? { ...found, membership: null } : found
  }

  return {
    findByIdentity: async ({ issuer, subject }, selection) =>
      isIdentity(issuer) && isIdentity(subject) ? find(issuer, subject, selection) : null,
    findById: async (userId) =>
      isId(userId) ? toFirst(await session.run(statements.findUserById, [userId]), toUser) : null,
    async upsertByIdentity(user) {
      const { issuer, subject, email } = storable(user)
      for (let attempt = 0; attempt < UPSERT_ATTEMPTS; attempt++) {
        const values = [crypto.randomUUID(), issuer, subject, email, clock()]
        const created = toFirst(await session.run(statements.insertUser, values), toUser)
        if (created !== null) return { user: created, created: true }
        // A statement of its own: it sees what the insert had to wait for.
        const found = toFirst(await session.run(statements.findUser, [issuer, subject]), toUser)
        if (found !== null) return { user: found, created: false }
      }
      throw new TransientError('the user was neither inserted nor there')
    },
    setDisabled: async (userId, disabled) =>
      isId(userId) ? toFirst(await session.run(statements.setUserDisabled, [userId, disabled ? 1 : 0]), toUser) : null,
    count: async () => toCount(await session.run(statements.countUsers, [])),
  }
}

function isIdentity(text: string): boolean {
  return isText(text, LONGEST.identity)
}

function storable({ issuer, subject, email }: NewUser): NewUser {
  if (!isIdentity(issuer) || !isIdentity(subject)) {
    throw new TypeError(`issuer and subject must be well-formed text of at most ${LONGEST.identity} characters`)
  }
  // An address that can't be stored as it is would be another address.
  return { issuer, subject, email: isText(email, LONGEST.email) ? email : null }
}

function toFound(rows: readonly SqlRow[], asked: boolean): Found | null {
  return toFirst(rows, (row) => (asked ? { user: toUser(row), membership: toActing(row) } : { user: toUser(row) }))
}

function organizationRepository({ session, statements, clock }: SqlRepositoryOptions): StoredOrganizationRepository {
  return {
    async insert({ name }) {
      const values = [crypto.randomUUID(), toText(name, LONGEST.name), clock()]
      return only(await session.run(statements.insertOrg, values), toOrganization)
    },
    findById: async (orgId) =>
      isId(orgId) ? toFirst(await session.run(statements.findOrg, [orgId]), toOrganization) : null,
    async remove(orgId) {
      if (!isId(orgId)) return false
      return session.atomically(async (inside) => {
        // Locked first, so that nobody joins between the two writes.
        if ((await inside.run(statements.lockOrg, [orgId])).length === 0) return false
        await inside.run(statements.clearUsersOfOrg, [orgId])
        return (await inside.run(statements.deleteOrg, [orgId])).length > 0
      })
    },
    count: async () => toCount(await session.run(statements.countOrgs, [])),
  }
}

function invitationRepository({ session, statements, clock }: SqlRepositoryOptions): StoredRepositories['invitations'] {
  return {
    async insert({ orgId, email: address, role }) {
      const email = normalizeEmail(address)
      if (email === null) throw new TypeError('an invitation needs a valid e-mail address')
      if (!isId(orgId)) throw new Error('an invitation needs an organization that exists')
      if (!isText(role, LONGEST.role)) throw new TypeError(`a role is a text of at most ${LONGEST.role} characters`)
      const rows = await session.run(statements.insertInvitation, [crypto.randomUUID(), orgId, email, role, clock()])
      const inserted = toFirst(rows, toInvitation)
      if (inserted === null) throw new ConflictError('this address is already invited into this organization')
      return inserted
    },
    findPending: async (email) =>
      isText(email, LONGEST.email)
        ? toFirst(await session.run(statements.findInvitation, [email]), toInvitation)
        : null,
    consume: async (invitationId) =>
      isId(invitationId) ? toFirst(await session.run(statements.deleteInvitation, [invitationId]), toInvitation) : null,
  }
}

function only<T>(rows: readonly SqlRow[], read: (row: SqlRow) => T): T {
  const [row] = rows
  if (row === undefined) throw new Error('a statement that returns its row returned none: a trigger or a policy hid it')
  return read(row)
}

type Acting = ActingOrg<StoredOrganization>

function membershipRepository(options: SqlRepositoryOptions): StoredRepositories['memberships'] {
  const { session, statements } = options
  const findActing = actingFinder(options)
  return {
    findActing,
    async listActing(caller, limit) {
      if (caller.kind === 'service') return []
      if (caller.kind === 'apiKey') {
        const { orgId } = caller.key
        return orgId === null ? [] : listed(await findActing(caller, orgId)).slice(0, limit)
      }
      if (!isId(caller.user.id)) return []
      const rows = await session.run(statements.listActing, [caller.user.id, limit ?? options.dialect.noLimit])
      return rows.flatMap((row) => listed(toActing(row)))
    },
    insert: (membership) => insertMembership(options, membership),
    async find(orgId, userId) {
      if (!isId(orgId) || !isId(userId)) return null
      return toFirst(await session.run(statements.findMembership, [orgId, userId]), toMembership)
    },
    async listByOrg(orgId) {
      return isId(orgId) ? (await session.run(statements.listMembershipsOfOrg, [orgId])).map(toMembership) : []
    },
    async setRole(orgId, userId, role, { keep } = {}) {
      if (!isId(orgId) || !isId(userId)) return 'missing'
      const change: Change = { orgId, userId, statement: statements.setRole, values: [requireRole(role)] }
      return role === keep ? run(session, change) : guarded(options, change, keep)
    },
    async remove(orgId, userId, { keep } = {}) {
      if (!isId(orgId) || !isId(userId)) return 'missing'
      return guarded(options, { orgId, userId, statement: statements.deleteMembership, values: [] }, keep)
    },
  }
}

function listed(acting: Acting | null): Acting[] {
  return acting === null ? [] : [acting]
}

function actingFinder({ session, statements }: SqlRepositoryOptions) {
  return async (caller: Caller<StoredUser>, orgId: string): Promise<Acting | null> => {
    if (!isId(orgId)) return null
    if (caller.kind === 'user') {
      if (!isId(caller.user.id)) return null
      return toFirst(await session.run(statements.findActing, [caller.user.id, orgId]), toActing)
    }
    if (caller.kind === 'apiKey' && caller.key.orgId !== null && caller.key.orgId !== orgId) return null
    const role = caller.kind === 'apiKey' ? caller.key.role : null
    return toFirst(await session.run(statements.findOrg, [orgId]), (row) => toActing({ ...row, acting_role: role }))
  }
}

async function insertMembership(
  { session, statements, clock }: SqlRepositoryOptions,
  { orgId, userId, role }: Omit<Membership, 'joinedAt'>,
): Promise<Membership> {
  if (!isId(orgId) || !isId(userId)) throw unknownPair()
  const [row] = await session.run(statements.insertMembership, [orgId, userId, requireRole(role), clock()])
  if (row !== undefined) return toMembership(row)
  const [user] = await session.run(statements.findUserById, [userId])
  throw user === undefined ? unknownPair() : new ConflictError('the user has this membership already')
}

function unknownPair(): Error {
  return new Error('a membership needs an organization and a user that exist')
}

function requireRole(role: string): string {
  if (!isText(role, LONGEST.role)) throw new TypeError(`a role is a text of at most ${LONGEST.role} characters`)
  return role
}

/** A write on one membership: what it is, and what it binds after the pair. */
interface Change {
  readonly orgId: string
  readonly userId: string
  readonly statement: SqlStatement
  readonly values: readonly string[]
}

async function run(session: SqlSession, { orgId, userId, statement, values }: Change): Promise<GuardedChange> {
  return (await session.run(statement, [orgId, userId, ...values])).length > 0 ? 'done' : 'missing'
}

// All holders are locked, in one order: whoever comes second sees what the first has left. Locking the organization
// would not do, because its roles may also be changed by a host's own statement.
function guarded(
  { session, statements }: SqlRepositoryOptions,
  change: Change,
  keep: string | undefined,
): Promise<GuardedChange> {
  if (!isText(keep, LONGEST.role)) return run(session, change)
  return session.atomically(async (inside) => {
    const holders = await inside.run(statements.lockHolders, [change.orgId, keep])
    const isLast = holders.length === 1 && String(holders[0]?.['user_id']) === change.userId
    return isLast ? 'last' : run(inside, change)
  })
}
