/** What a request and a first login ask of a storage, over tables of one's own by Drizzle: `users`, `teams`, `team_members`. */
import { and, asc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text, timestamp, unique } from 'drizzle-orm/pg-core'
import type { ActingOrg, Caller, OrgSelection, User } from 'sallyport'
import { type AuthStorage, ConflictError, TransientError, toStorageError } from 'sallyport/storage'

const users = pgTable(
  'users',
  {
    id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
    email: text('email'),
    disabledAt: timestamp('disabled_at', { withTimezone: true }),
    issuer: text('issuer'),
    subject: text('subject'),
  },
  (table) => [unique().on(table.issuer, table.subject)],
)
const teams = pgTable('teams', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  name: text('name').notNull(),
  closedAt: timestamp('closed_at', { withTimezone: true }),
})
const members = pgTable('team_members', {
  userId: integer('user_id').notNull(),
  teamId: integer('team_id').notNull(),
  role: text('role').notNull(),
  joinedAt: timestamp('joined_at', { withTimezone: true, precision: 3 }).notNull(),
})

/** A team, as handlers get it. */
export interface Team {
  readonly id: string
  readonly name: string
}

/** The database, or a transaction in it. */
export type Db = Pick<NodePgDatabase, 'select' | 'insert' | 'execute'>

/** The storage; a bootstrap hook gets Drizzle's own transaction as `transaction.handle`. */
export type DrizzleStorage = AuthStorage<User, Team, Db>

/** Create the storage over a database. */
export function createDrizzleStorage(db: NodePgDatabase): DrizzleStorage {
  return {
    ...repositories(db),
    transaction: (work) =>
      translated(() =>
        db.transaction(async (handle) => {
          const result = await work({ ...repositories(handle), handle })
          // After a failed statement that the work swallowed, a COMMIT would silently be a ROLLBACK: this fails then.
          await handle.execute(sql`SELECT 1`)
          return result
        }),
      ),
  }
}

function repositories(db: Db): Omit<DrizzleStorage, 'transaction'> {
  return { users: usersOf(db), orgs: teamsOf(db), memberships: membersOf(db) }
}

const USER = { id: users.id, email: users.email, disabledAt: users.disabledAt }
const PLACE = { teamId: teams.id, name: teams.name, role: members.role }
const BY_JOIN = [asc(members.joinedAt), asc(members.teamId)] as const

function usersOf(db: Db): DrizzleStorage['users'] {
  const findByIdentity: DrizzleStorage['users']['findByIdentity'] = async ({ issuer, subject }, selection) => {
    if (!isText(issuer) || !isText(subject)) return null
    // One query: the user, and where they act.
    const places = db
      .select({ userId: members.userId, joinedAt: members.joinedAt, ...PLACE })
      .from(members)
      .innerJoin(teams, eq(teams.id, members.teamId))
      .where(and(isNull(teams.closedAt), named(selection)))
      .as('places')
    const [row] = await translated(() =>
      db
        .select({ ...USER, teamId: places.teamId, name: places.name, role: places.role })
        .from(users)
        .leftJoin(places, eq(places.userId, users.id))
        .where(and(eq(users.issuer, issuer), eq(users.subject, subject)))
        .orderBy(asc(places.joinedAt), asc(places.teamId))
        .limit(1),
    )
    if (row === undefined) return null
    const isAsked = selection.kind === 'named' || selection.kind === 'unnamed'
    return isAsked ? { user: toUser(row), membership: toActing(row) } : { user: toUser(row) }
  }
  return {
    findByIdentity,
    async findById(userId) {
      const [row] = await translated(() =>
        db
          .select(USER)
          .from(users)
          .where(eq(users.id, toNumber(userId))),
      )
      return row === undefined ? null : toUser(row)
    },
    async upsertByIdentity({ issuer, subject, email }) {
      const identity = { issuer: toText(issuer), subject: toText(subject) }
      const values = { ...identity, email: email !== null && isText(email) ? email : null }
      const [made] = await translated(() =>
        db
          .insert(users)
          .values(values)
          .onConflictDoNothing({ target: [users.issuer, users.subject] })
          .returning(USER),
      )
      if (made !== undefined) return { user: toUser(made), created: true }
      // A statement of its own: it sees what the insert had to wait for.
      const there = await findByIdentity(identity, { kind: 'malformed' })
      if (there === null) throw new TransientError('the user was neither inserted nor there')
      return { user: there.user, created: false }
    },
  }
}

function teamsOf(db: Db): DrizzleStorage['orgs'] {
  const team = { id: teams.id, name: teams.name }
  return {
    async insert({ id, name }) {
      if (id !== undefined) throw new TypeError('teams get their numbers here')
      const stored = name.slice(0, 255).replace(/[\0\p{Cs}]/gu, '\ufffd')
      const [made] = await translated(() => db.insert(teams).values({ name: stored }).returning(team))
      return toTeam(made as NonNullable<typeof made>)
    },
    async findById(orgId) {
      const isOpen = and(eq(teams.id, toNumber(orgId)), isNull(teams.closedAt))
      const [found] = await translated(() => db.select(team).from(teams).where(isOpen))
      return found === undefined ? null : toTeam(found)
    },
  }
}

function membersOf(db: Db): DrizzleStorage['memberships'] {
  const list = async (userId: string, selection: OrgSelection, limit?: number): Promise<ActingOrg<Team>[]> => {
    const isTheirs = and(eq(members.userId, toNumber(userId)), isNull(teams.closedAt), named(selection))
    const found = db.select(PLACE).from(members).innerJoin(teams, eq(teams.id, members.teamId)).where(isTheirs)
    const ordered = found.orderBy(...BY_JOIN)
    const rows = await translated(async () => (limit === undefined ? ordered : ordered.limit(limit)))
    return rows.map((row) => toActing(row) as ActingOrg<Team>)
  }
  const findActing: DrizzleStorage['memberships']['findActing'] = async (caller, orgId) => {
    if (caller.kind === 'user') return (await list(caller.user.id, { kind: 'named', orgId }))[0] ?? null
    const { orgId: own, role } = placeOf(caller)
    const org = own === null || own === orgId ? await teamsOf(db).findById(orgId) : null
    return org && { org, role }
  }
  return {
    findActing,
    async listActing(caller, limit) {
      if (caller.kind === 'user') return list(caller.user.id, { kind: 'unnamed' }, limit)
      const own = await findActing(caller, placeOf(caller).orgId ?? '')
      return own === null ? [] : [own].slice(0, limit)
    },
    async insert({ orgId, userId, role }) {
      // One statement: whoever disables the user just now is waited for.
      const made = await translated(() =>
        db.execute<{ joinedAt: Date }>(sql`
          INSERT INTO team_members (team_id, user_id, role, joined_at)
          SELECT t.id, u.id, ${toText(role)}, clock_timestamp() FROM teams t, users u
          WHERE t.id = ${toNumber(orgId)} AND t.closed_at IS NULL AND u.id = ${toNumber(userId)} AND u.disabled_at IS NULL
          FOR SHARE OF u ON CONFLICT DO NOTHING RETURNING joined_at AS "joinedAt"`),
      )
      const [row] = made.rows
      if (row !== undefined) return { orgId, userId, role, joinedAt: new Date(row.joinedAt) }
      const user = await usersOf(db).findById(userId)
      if (user !== null && (await findActing({ kind: 'user', user }, orgId)) !== null) {
        throw new ConflictError('that user is a member already')
      }
      if (user?.disabled === true) throw new TransientError('the user was disabled before they were made a member')
      throw new Error('a membership needs a team that is open and a user who is here')
    },
  }
}

function named(selection: OrgSelection): SQL | undefined {
  return selection.kind === 'named' ? eq(members.teamId, toNumber(selection.orgId)) : undefined
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

function toActing(row: { teamId: number | null; name: string | null; role: string | null }): ActingOrg<Team> | null {
  const { teamId: id, name, role } = row
  return id === null || name === null ? null : { org: toTeam({ id, name }), role }
}

// The number that an id is, or 0, which no row has.
function toNumber(id: string): number {
  return /^[1-9][0-9]{0,9}$/.test(id) && Number(id) <= 2_147_483_647 ? Number(id) : 0
}

// What PostgreSQL keeps exactly: no NUL, no half of a character.
function isText(value: string): boolean {
  return value.length <= 255 && !/[\0\p{Cs}]/u.test(value)
}

function toText(value: string): string {
  if (!isText(value)) throw new TypeError('the text must be well-formed, of at most 255 characters')
  return value
}

// A unique violation is a ConflictError; a deadlock, a lost connection, a statement that took too long a TransientError.
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toStorageError(error)
  }
}
