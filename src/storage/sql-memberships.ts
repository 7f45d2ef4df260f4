/** The membership repository of the SQL storages, and what callers may act in by it. */
import type { ActingOrg, Caller } from '../context.ts'
import type { GuardedChange, Membership, MembershipRepository } from './repositories.ts'
import type { SqlDialect } from './sql-dialects.ts'
import type { SqlSession, SqlStatement } from './sql-executor.ts'
import { toActing, toMembership } from './sql-rows.ts'
import type { SqlStatements } from './sql-statements.ts'
import { isId, isText, LONGEST } from './sql-text.ts'
import { ConflictError } from './storage-errors.ts'
import type { StoredOrganization, StoredUser } from './stored.ts'

/** What the repositories are built over. */
export interface SqlRepositoryOptions {
  readonly session: SqlSession
  readonly statements: SqlStatements
  readonly dialect: SqlDialect
  readonly clock: () => number
}

type Acting = ActingOrg<StoredOrganization>

/** Build the membership repository over a session. */
export function sqlMemberships(options: SqlRepositoryOptions): MembershipRepository<StoredUser, StoredOrganization> {
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
      const [row] = await session.run(statements.findMembership, [orgId, userId])
      return row === undefined ? null : toMembership(row)
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
      const [row] = await session.run(statements.findActing, [caller.user.id, orgId])
      return row === undefined ? null : toActing(row)
    }
    if (caller.kind === 'apiKey' && caller.key.orgId !== null && caller.key.orgId !== orgId) return null
    const [row] = await session.run(statements.findOrg, [orgId])
    const role = caller.kind === 'apiKey' ? caller.key.role : null
    return row === undefined ? null : toActing({ ...row, acting_role: role })
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
