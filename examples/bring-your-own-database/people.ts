/** Users are the schema's persons: found by their login, locked or deleted ones too, with the company they act in. */
import type { ExpressionBuilder, Kysely } from 'kysely'
import type { ActingOrg, OrgSelection, User } from 'sallyport'
import type { UserRepository } from 'sallyport/storage'
import { TransientError } from 'sallyport/storage'
import { isNumber, isStorable, type Schema } from './schema.ts'

/** A company, as handlers get it. */
export interface Company {
  readonly id: string
  readonly title: string
}

/** The user repository over the tables. */
export function people(db: Kysely<Schema>): UserRepository<User, Company> {
  return {
    async findByIdentity({ issuer, subject }, selection) {
      if (!isStorable(issuer) || !isStorable(subject)) return null
      const person = db
        .selectFrom('person')
        .where('login_issuer', '=', issuer)
        .where('login_subject', '=', subject)
        .select(PERSON)
      const askable = toAskable(selection)
      if (askable === null) {
        const row = await person.executeTakeFirst()
        if (row === undefined) return null
        return selection.kind === 'named' ? { user: toUser(row), membership: null } : { user: toUser(row) }
      }
      const row = await person
        .leftJoinLateral(
          (eb) => actingIn(eb, askable).as('acting'),
          (join) => join.onTrue(),
        )
        .select(['acting.company_no', 'acting.title', 'acting.position'])
        .executeTakeFirst()
      return row === undefined ? null : { user: toUser(row), membership: toActing(row) }
    },
    async findById(id) {
      if (!isNumber(id)) return null
      const row = await db.selectFrom('person').where('person_no', '=', id).select(PERSON).executeTakeFirst()
      return row === undefined ? null : toUser(row)
    },
    async upsertByIdentity({ issuer, subject, email }) {
      if (!isStorable(issuer) || !isStorable(subject))
        throw new TypeError('issuer and subject must be well-formed text')
      const mail = email !== null && isStorable(email) ? email : null
      const login = { login_issuer: issuer, login_subject: subject }
      const made = await db
        .insertInto('person')
        .values({ ...login, mail })
        .onConflict((conflict) => conflict.columns(['login_issuer', 'login_subject']).doNothing())
        .returning(PERSON)
        .executeTakeFirst()
      if (made !== undefined) return { user: toUser(made), created: true }
      // A statement of its own: it sees what the insert had to wait for.
      const there = await this.findByIdentity({ issuer, subject }, { kind: 'malformed' })
      if (there === null) throw new TransientError('the person was neither inserted nor there')
      return { user: there.user, created: false }
    },
  }
}

const PERSON = ['person_no', 'mail', 'locked', 'deleted_at'] as const

type PersonRow = Pick<Schema['person'], 'mail' | 'deleted_at'> & {
  readonly person_no: string
  readonly locked: boolean
}

function toUser({ person_no, mail, locked, deleted_at }: PersonRow): User {
  return { id: person_no, email: mail, disabled: locked || deleted_at !== null }
}

type Askable = Extract<OrgSelection, { kind: 'named' | 'unnamed' }>

// A number that no bigint holds is nobody's company.
function toAskable(selection: OrgSelection): Askable | null {
  if (selection.kind === 'unnamed') return selection
  return selection.kind === 'named' && isNumber(selection.orgId) ? selection : null
}

// The company that is named, else the one joined first: by time, then number.
function actingIn(eb: ExpressionBuilder<Schema, 'person'>, selection: Askable) {
  const own = eb
    .selectFrom('staff')
    .innerJoin('company', 'company.company_no', 'staff.company_no')
    .whereRef('staff.person_no', '=', 'person.person_no')
    .where('staff.left_at', 'is', null)
    .where('company.closed_at', 'is', null)
    .select(['company.company_no', 'company.title', 'staff.position'])
    .orderBy('staff.since')
    .orderBy('company.company_no')
    .limit(1)
  return selection.kind === 'named' ? own.where('company.company_no', '=', selection.orgId) : own
}

/** Read what somebody may act in, or `null` where the join found none. */
export function toActing(row: {
  readonly company_no: string | null
  readonly title: string | null
  readonly position: string | null
}): ActingOrg<Company> | null {
  if (row.company_no === null) return null
  return { org: { id: row.company_no, title: row.title ?? '' }, role: row.position }
}
