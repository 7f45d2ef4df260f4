/** What a request and a first login ask of a storage, over tables of one's own by Prisma 7: `User`, `Team`, `TeamMember`. */
import type { ActingOrg, Caller, OrgSelection, User } from 'sallyport'
import { type AuthStorage, ConflictError, type Membership, TransientError, toStorageError } from 'sallyport/storage'
import type { Prisma, PrismaClient } from './generated/client.ts'

/** A team, as handlers get it. */
export interface Team {
  readonly id: string
  readonly name: string
}

/** The storage; a bootstrap hook gets Prisma's own transaction as `transaction.handle`. */
export type PrismaStorage = AuthStorage<User, Team, Prisma.TransactionClient>

/** Create the storage over a client. */
export function createPrismaStorage(prisma: PrismaClient): PrismaStorage {
  return {
    ...repositories(prisma),
    transaction: (work) =>
      translated(() =>
        prisma.$transaction(
          async (handle) => {
            const result = await work({ ...repositories(handle), handle })
            // After a failed statement that the work swallowed, a COMMIT would silently be a ROLLBACK: this fails then.
            await handle.$queryRaw`SELECT 1`
            return result
          },
          { maxWait: 60_000, timeout: 10_000 },
        ),
      ),
  }
}

function repositories(db: Prisma.TransactionClient): Omit<PrismaStorage, 'transaction'> {
  return { users: usersOf(db), orgs: teamsOf(db), memberships: membersOf(db) }
}

function usersOf(db: Prisma.TransactionClient): PrismaStorage['users'] {
  const findByIdentity: PrismaStorage['users']['findByIdentity'] = async ({ issuer, subject }, selection) => {
    if (!isText(issuer) || !isText(subject)) return null
    const row = await translated(() =>
      db.user.findUnique({ where: { issuer_subject: { issuer, subject } }, include: { teams: placesOf(selection) } }),
    )
    if (row === null) return null
    const isAsked = selection.kind === 'named' || selection.kind === 'unnamed'
    return isAsked ? { user: toUser(row), membership: toActing(row.teams[0]) } : { user: toUser(row) }
  }
  return {
    findByIdentity,
    async findById(userId) {
      const row = await translated(() => db.user.findUnique({ where: { id: toNumber(userId) } }))
      return row && toUser(row)
    },
    async upsertByIdentity({ issuer, subject, email }) {
      const identity = { issuer: toText(issuer), subject: toText(subject) }
      const stored = email !== null && isText(email) ? email : null
      // In SQL: `skipDuplicates` would also pass over a row that another constraint refuses, and not say so.
      const [made] = await translated(
        () => db.$queryRaw<Parameters<typeof toUser>>`
          INSERT INTO users (issuer, subject, email) VALUES (${identity.issuer}, ${identity.subject}, ${stored})
          ON CONFLICT (issuer, subject) DO NOTHING RETURNING id, email, disabled_at AS "disabledAt"`,
      )
      if (made !== undefined) return { user: toUser(made), created: true }
      const there = await findByIdentity(identity, { kind: 'malformed' }) // sees what the insert had to wait for
      if (there === null) throw new TransientError('the user was neither inserted nor there')
      return { user: there.user, created: false }
    },
  }
}

function teamsOf(db: Prisma.TransactionClient): PrismaStorage['orgs'] {
  return {
    async insert({ id, name }) {
      if (id !== undefined) throw new TypeError('teams get their numbers here')
      return toTeam(await translated(() => db.team.create({ data: { name: toName(name) } })))
    },
    async findById(orgId) {
      const team = await translated(() => db.team.findUnique({ where: { id: toNumber(orgId), closedAt: null } }))
      return team && toTeam(team)
    },
  }
}

function membersOf(db: Prisma.TransactionClient): PrismaStorage['memberships'] {
  const findActing: PrismaStorage['memberships']['findActing'] = async (caller, orgId) => {
    if (caller.kind === 'user') {
      const where = { userId: toNumber(caller.user.id), ...placesOf({ kind: 'named', orgId }).where }
      return toActing(await translated(() => db.teamMember.findFirst({ where, include: { team: true } })))
    }
    const { orgId: own, role } = placeOf(caller)
    const org = own === null || own === orgId ? await teamsOf(db).findById(orgId) : null
    return org && { org, role }
  }
  return {
    findActing,
    async listActing(caller, limit) {
      if (caller.kind !== 'user') {
        const own = await findActing(caller, placeOf(caller).orgId ?? '')
        return own === null ? [] : [own].slice(0, limit)
      }
      const { where, orderBy, include } = placesOf({ kind: 'unnamed' })
      const rows = await translated(() =>
        db.teamMember.findMany({
          ...{ where: { userId: toNumber(caller.user.id), ...where }, orderBy, include },
          ...(limit !== undefined && { take: limit }),
        }),
      )
      return rows.map((row) => toActing(row) as ActingOrg<Team>)
    },
    async insert({ orgId, userId, role }) {
      const [teamNo, userNo] = [toNumber(orgId), toNumber(userId)]
      // One statement: whoever disables the user just now is waited for.
      const [made] = await translated(
        () => db.$queryRaw<{ joinedAt: Date }[]>`
          INSERT INTO team_members (team_id, user_id, role, joined_at)
          SELECT t.id, u.id, ${toText(role)}, clock_timestamp() FROM teams t, users u
          WHERE t.id = ${teamNo} AND t.closed_at IS NULL AND u.id = ${userNo} AND u.disabled_at IS NULL
          FOR SHARE OF u ON CONFLICT DO NOTHING RETURNING joined_at AS "joinedAt"`,
      )
      if (made !== undefined) return { orgId, userId, role, joinedAt: made.joinedAt } satisfies Membership
      const user = await usersOf(db).findById(userId)
      if (user !== null && (await findActing({ kind: 'user', user }, orgId)) !== null) {
        throw new ConflictError('that user is a member already')
      }
      if (user?.disabled === true) throw new TransientError('the user was disabled before they were made a member')
      throw new Error('a membership needs a team that is open and a user who is here')
    },
  }
}

// Where a user acts: in the named team, else the one they joined first.
function placesOf(selection: OrgSelection) {
  const named = selection.kind === 'named' ? { teamId: toNumber(selection.orgId) } : {}
  return {
    where: { ...named, team: { closedAt: null } },
    orderBy: [{ joinedAt: 'asc' }, { teamId: 'asc' }],
    include: { team: true },
    take: 1,
  } satisfies Prisma.TeamMemberFindManyArgs
}

// Where a key or a machine is bound to, and as what it acts; a service anywhere, as nothing.
function placeOf(caller: Exclude<Caller<User>, { kind: 'user' }>): { orgId: string | null; role: string | null } {
  if (caller.kind === 'service') return { orgId: null, role: null }
  return caller.kind === 'apiKey' ? caller.key : caller.machine
}

function toUser({ id, email, disabledAt }: { id: number; email: string | null; disabledAt: Date | null }): User {
  return { id: String(id), email, disabled: disabledAt !== null }
}

function toTeam({ id, name }: { id: number; name: string }): Team {
  return { id: String(id), name }
}

function toActing(
  row: { role: string; team: { id: number; name: string } } | null | undefined,
): ActingOrg<Team> | null {
  return row ? { org: toTeam(row.team), role: row.role } : null
}

// The number that an id is, or 0, which no row has.
function toNumber(id: string): number {
  return /^[1-9][0-9]{0,9}$/.test(id) && Number(id) <= 2_147_483_647 ? Number(id) : 0
}

// What PostgreSQL keeps exactly: no NUL, no half of a character.
function isText(text: string): boolean {
  return text.length <= 255 && !/[\0\p{Cs}]/u.test(text)
}

function toText(text: string): string {
  if (!isText(text)) throw new TypeError('the text must be well-formed, of at most 255 characters')
  return text
}

function toName(name: string): string {
  return name.slice(0, 255).replace(/[\0\p{Cs}]/gu, '\ufffd')
}

// A unique violation is a ConflictError; a deadlock, a write conflict, a lost connection a TransientError.
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toStorageError(error)
  }
}
