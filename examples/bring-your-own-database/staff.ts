/** Organizations are the schema's companies, memberships its staff: who left keeps the row, and is no member. */
import type { Kysely } from 'kysely'
import type { ActingOrg, Caller, User } from 'sallyport'
import type { AdminStorage, Membership, OrganizationRepository } from 'sallyport/storage'
import { type Company, toActing } from './people.ts'
import { isNumber, isStorable, type Schema } from './schema.ts'

/** The organization repository over the tables. */
export function companies(db: Kysely<Schema>): OrganizationRepository<Company> {
  return {
    async insert({ name }) {
      const title = name.slice(0, 255).replace(/[\0\p{Cs}]/gu, '\ufffd')
      const row = await db.insertInto('company').values({ title }).returning(COMPANY).executeTakeFirstOrThrow()
      return toCompany(row)
    },
    findById: (id) => findCompany(db, id),
  }
}

const COMPANY = ['company.company_no', 'company.title'] as const

function toCompany({ company_no, title }: { company_no: string; title: string }): Company {
  return { id: company_no, title }
}

async function findCompany(db: Kysely<Schema>, id: string): Promise<Company | null> {
  if (!isNumber(id)) return null
  const row = await openCompanies(db).where('company_no', '=', id).select(COMPANY).executeTakeFirst()
  return row === undefined ? null : toCompany(row)
}

const openCompanies = (db: Kysely<Schema>) => db.selectFrom('company').where('closed_at', 'is', null)

const currentStaff = (db: Kysely<Schema>) =>
  db
    .selectFrom('staff')
    .innerJoin('company', 'company.company_no', 'staff.company_no')
    .where('staff.left_at', 'is', null)
    .where('company.closed_at', 'is', null)

type Staff = AdminStorage<User, Company>['memberships']

/** The membership repository over the tables. */
export function staff(db: Kysely<Schema>): Staff {
  const member = (orgId: string, userId: string) =>
    currentStaff(db).where('staff.company_no', '=', orgId).where('staff.person_no', '=', userId)
  return {
    findActing: (caller, orgId) => findActing(db, caller, orgId),
    async listActing(caller, limit) {
      if (caller.kind === 'service') return []
      if (caller.kind !== 'user') {
        const { orgId } = caller.kind === 'apiKey' ? caller.key : caller.machine
        const acting = orgId === null ? null : await findActing(db, caller, orgId)
        return acting === null ? [] : [acting].slice(0, limit)
      }
      if (!isNumber(caller.user.id)) return []
      const rows = await currentStaff(db)
        .where('staff.person_no', '=', caller.user.id)
        .select([...COMPANY, 'staff.position'])
        .orderBy('staff.since')
        .orderBy('staff.company_no')
        .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
        .execute()
      return rows.map((row) => toActing(row) as ActingOrg<Company>)
    },
    insert: (membership) => hire(db, membership),
    async find(orgId, userId) {
      if (!isNumber(orgId) || !isNumber(userId)) return null
      const row = await member(orgId, userId).select(STAFF).executeTakeFirst()
      return row === undefined ? null : toMembership(row)
    },
    async listByOrg(orgId) {
      if (!isNumber(orgId)) return []
      const rows = await currentStaff(db)
        .where('staff.company_no', '=', orgId)
        .select(STAFF)
        .orderBy('staff.since')
        .orderBy('staff.person_no')
        .execute()
      return rows.map(toMembership)
    },
    setRole: (orgId, userId, position, { keep } = {}) =>
      change(db, { orgId, userId, keep: keep === position ? undefined : keep }, { position: requireRole(position) }),
    remove: (orgId, userId, { keep } = {}) => change(db, { orgId, userId, keep }, { left_at: new Date() }),
  }
}

const STAFF = ['staff.company_no', 'staff.person_no', 'staff.position', 'staff.since'] as const

function toMembership(row: Pick<Schema['staff'], 'company_no' | 'person_no' | 'position' | 'since'>): Membership {
  return { orgId: row.company_no, userId: row.person_no, role: row.position, joinedAt: row.since }
}

function requireRole(role: string): string {
  if (!isStorable(role)) throw new TypeError('a role must be well-formed text')
  return role
}

async function findActing(db: Kysely<Schema>, caller: Caller<User>, orgId: string): Promise<ActingOrg<Company> | null> {
  if (!isNumber(orgId)) return null
  if (caller.kind === 'user') {
    if (!isNumber(caller.user.id)) return null
    const row = await currentStaff(db)
      .where('staff.company_no', '=', orgId)
      .where('staff.person_no', '=', caller.user.id)
      .select([...COMPANY, 'staff.position'])
      .executeTakeFirst()
    return row === undefined ? null : toActing(row)
  }
  const { orgId: own, role } = placeOf(caller)
  if (own !== null && own !== orgId) return null
  const org = await findCompany(db, orgId)
  return org === null ? null : { org, role }
}

/** Where a key or a machine is bound to, and as what it acts; a service anywhere, as nothing. */
function placeOf(caller: Exclude<Caller<User>, { kind: 'user' }>): { orgId: string | null; role: string | null } {
  if (caller.kind === 'service') return { orgId: null, role: null }
  return caller.kind === 'apiKey' ? caller.key : caller.machine
}

async function hire(db: Kysely<Schema>, { orgId, userId, role }: Omit<Membership, 'joinedAt'>): Promise<Membership> {
  const org = await findCompany(db, orgId)
  if (org === null || !isNumber(userId)) throw new Error('a membership needs a company and a person that exist')
  const row = await db
    .insertInto('staff')
    .values({ company_no: orgId, person_no: userId, position: requireRole(role), since: new Date() })
    .returning(STAFF)
    .executeTakeFirstOrThrow()
  return toMembership(row)
}

type Change = Awaited<ReturnType<Staff['remove']>>

interface Guarded {
  readonly orgId: string
  readonly userId: string
  readonly keep: string | undefined
}

// All holders of the role are locked first: of two who demote each other at once the second sees what the first has left.
async function change(
  db: Kysely<Schema>,
  { orgId, userId, keep }: Guarded,
  values: { position?: string; left_at?: Date },
): Promise<Change> {
  if (!isNumber(orgId) || !isNumber(userId)) return 'missing'
  if (keep !== undefined && isStorable(keep)) {
    const guarded = async (inside: Kysely<Schema>): Promise<Change> => {
      const holders = await inside
        .selectFrom('staff')
        .where('company_no', '=', orgId)
        .where('position', '=', keep)
        .where('left_at', 'is', null)
        .select('person_no')
        .orderBy('person_no')
        .forUpdate()
        .execute()
      const isLast = holders.length === 1 && holders[0]?.person_no === userId
      return isLast ? 'last' : change(inside, { orgId, userId, keep: undefined }, values)
    }
    return db.isTransaction ? guarded(db) : db.transaction().execute(guarded)
  }
  const changed = await db
    .updateTable('staff')
    .set(values)
    .where('company_no', '=', orgId)
    .where('person_no', '=', userId)
    .where('left_at', 'is', null)
    .where((eb) => eb.exists(openCompanies(db).where('company_no', '=', orgId).select('company_no')))
    .returning('person_no')
    .execute()
  return changed.length > 0 ? 'done' : 'missing'
}
