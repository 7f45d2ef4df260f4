/**
 * What a request and a first login ask of a storage, over somebody's own tables by the query builder they have: an hour's
 * work, proved by the contract suites of `sallyport/testing`. Who lists no members and invites nobody stops here.
 */
import { type RawBuilder, sql } from 'kysely'
import type { ActingOrg, Caller, User } from 'sallyport'
import { type AuthStorage, ConflictError, type Membership, TransientError } from 'sallyport/storage'
import { asking, type Db, type FleetTransaction, withTransactions } from './database.ts'
import { loginOf, toLogin, toNumber, toStored, toText, toTitle } from './schema.ts'

/** A company, as handlers get it. */
export interface Company {
  readonly id: string
  readonly title: string
}

/** The storage; a bootstrap hook gets Kysely's own transaction. */
export type FleetStorage = AuthStorage<User, Company, FleetTransaction>

/** Create the storage over a connected Kysely; `person.login` holds subjects of this one issuer. */
export function createFleetStorage(db: Db, issuer: string): FleetStorage {
  return withTransactions(db, (handle) => pipelineRepositories(handle, issuer))
}

/** What the pipeline asks. */
export function pipelineRepositories(db: Db, issuer: string): Omit<FleetStorage, 'transaction'> {
  return { users: people(db, issuer), orgs: companies(db), memberships: staff(db) }
}

/** Persons as users (without their ids), companies as organizations, staff as memberships. */
export const PERSON: RawBuilder<unknown> = sql`mail AS email, locked OR deleted_at IS NOT NULL AS disabled`
export const USER: RawBuilder<unknown> = sql`person.person_no AS id, ${PERSON}`
export const COMPANY: RawBuilder<unknown> = sql`company_no AS id, title`
export const STAFF: RawBuilder<unknown> = sql`
  company_no AS "orgId", person_no AS "userId", position AS role, since AS "joinedAt"`
const ACTING = sql`json_build_object('id', company_no::text, 'title', title) AS org, position AS role`

type Acting = ActingOrg<Company>

// Users are the persons: found by their login, locked or deleted ones too, with the company they act in.
function people(db: Db, issuer: string): FleetStorage['users'] {
  const { first } = asking(db)
  const findByIdentity: FleetStorage['users']['findByIdentity'] = async (identity, selection) => {
    const named = selection.kind === 'named' ? toNumber(selection.orgId) : null
    const row = await first<User & Acting>`SELECT ${USER}, ${ACTING} FROM person
      LEFT JOIN on_staff ON on_staff.person_no = person.person_no AND company_no = coalesce(${named}, company_no)
      WHERE login = ${loginOf(identity, issuer)} ORDER BY since, company_no LIMIT 1`
    if (row === null) return null
    const { org, role, ...user } = row
    const isAsked = selection.kind === 'named' || selection.kind === 'unnamed'
    return isAsked ? { user, membership: role === null ? null : { org, role } } : { user }
  }
  return {
    findByIdentity,
    findById: (id) => first<User>`SELECT ${USER} FROM person WHERE person_no = ${toNumber(id)}`,
    async upsertByIdentity({ email, ...identity }) {
      const mail = email === null ? null : toStored(email)
      const user = await first<User>`INSERT INTO person (login, mail) VALUES (${toLogin(identity, issuer)}, ${mail})
        ON CONFLICT (login) DO NOTHING RETURNING ${USER}`
      if (user !== null) return { user, created: true }
      // A statement of its own: it sees what the insert had to wait for.
      const there = await findByIdentity(identity, { kind: 'malformed' })
      if (there === null) throw new TransientError('the person was neither inserted nor there')
      return { user: there.user, created: false }
    },
  }
}

// Organizations are the companies.
function companies(db: Db): FleetStorage['orgs'] {
  const { all, first } = asking(db)
  return {
    async insert({ id, name }) {
      if (id !== undefined) throw new TypeError('companies get their numbers here')
      const made = await all<Company>`INSERT INTO company (title) VALUES (${toTitle(name)}) RETURNING ${COMPANY}`
      return made[0] as Company
    },
    findById: (id) =>
      first<Company>`SELECT ${COMPANY} FROM company WHERE company_no = ${toNumber(id)} AND closed_at IS NULL`,
  }
}

// Memberships are the staff: who left keeps the row, and is no member.
function staff(db: Db): FleetStorage['memberships'] {
  const { all, first } = asking(db)
  const { findById } = companies(db)
  const findActing: FleetStorage['memberships']['findActing'] = async (caller, orgId) => {
    if (caller.kind === 'user') {
      return first<Acting>`SELECT ${ACTING} FROM on_staff
        WHERE person_no = ${toNumber(caller.user.id)} AND company_no = ${toNumber(orgId)}`
    }
    const { orgId: own, role } = placeOf(caller)
    const org = own === null || own === orgId ? await findById(orgId) : null
    return org === null ? null : { org, role }
  }
  return {
    findActing,
    async listActing(caller, limit) {
      if (caller.kind === 'user') {
        return all<Acting>`SELECT ${ACTING} FROM on_staff
          WHERE person_no = ${toNumber(caller.user.id)} ORDER BY since, company_no LIMIT ${limit ?? null}`
      }
      const own = await findActing(caller, placeOf(caller).orgId ?? '')
      return own === null ? [] : [own].slice(0, limit)
    },
    async insert({ orgId, userId, role }) {
      const made = await first<Membership>`INSERT INTO staff (company_no, person_no, position, since)
        SELECT company_no, person_no, ${toText(role)}, ${new Date()}::timestamptz
        FROM company, person WHERE company_no = ${toNumber(orgId)} AND closed_at IS NULL
        AND person_no = ${toNumber(userId)} AND NOT locked AND deleted_at IS NULL FOR SHARE OF person
        ON CONFLICT DO NOTHING RETURNING ${STAFF}`
      if (made !== null) return made
      const person = await first<User>`SELECT ${USER} FROM person WHERE person_no = ${toNumber(userId)}`
      const isThere = person !== null && (await findActing({ kind: 'user', user: person }, orgId)) !== null
      if (isThere) throw new ConflictError('that person is on the staff already')
      if (person?.disabled === true) throw new TransientError('a person was locked before they were hired')
      throw new Error('a membership needs a company that is open and a person who may log in')
    },
  }
}

// Where a key or a machine is bound to, and as what it acts; a service anywhere, as nothing.
function placeOf(caller: Exclude<Caller<User>, { kind: 'user' }>): { orgId: string | null; role: string | null } {
  if (caller.kind === 'service') return { orgId: null, role: null }
  return caller.kind === 'apiKey' ? caller.key : caller.machine
}
