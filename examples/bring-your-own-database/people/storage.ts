/** What `sallyport/people` asks beside: members to list and change, invitations, people and companies that go. */
import { type RawBuilder, sql } from 'kysely'
import { normalizeEmail, type User } from 'sallyport'
import type { Invitation, InvitationRepository, Member, Membership, MembershipAdmin } from 'sallyport/storage'
import { ConflictError, type OrganizationAdmin, type PeopleStorage, type UserAdmin } from 'sallyport/storage'
import { asking, type Db, type FleetTransaction, inTransaction, withTransactions } from '../pipeline/database.ts'
import { loginOf, toLogin, toNumber, toStored, toText, toTitle } from '../pipeline/schema.ts'
import { COMPANY, type Company, PERSON, pipelineRepositories, STAFF, USER } from '../pipeline/storage.ts'

/** The storage, of people too. */
export type FleetPeopleStorage = PeopleStorage<User, Company, FleetTransaction>

/** Create the storage over a connected Kysely, as `createFleetStorage`. */
export function createFleetPeopleStorage(db: Db, issuer: string): FleetPeopleStorage {
  return withTransactions(db, (handle) => {
    const { users, orgs, memberships } = pipelineRepositories(handle, issuer)
    return {
      users: { ...users, ...userAdmin(handle, issuer) },
      orgs: { ...orgs, ...companyAdmin(handle) },
      memberships: { ...memberships, ...staffAdmin(handle) },
      invitations: invites(handle),
    }
  })
}

function userAdmin(db: Db, issuer: string): UserAdmin<User> & Pick<FleetPeopleStorage['users'], 'setEmail'> {
  const { first } = asking(db)
  const update = (id: string, set: RawBuilder<unknown>) =>
    first<User>`UPDATE person SET ${set} WHERE person_no = ${toNumber(id)} RETURNING ${USER}`
  return {
    setEmail: (id, email) => first<User>`UPDATE person SET mail = ${email === null ? null : toStored(email)}
      WHERE person_no = ${toNumber(id)} AND NOT locked AND deleted_at IS NULL RETURNING ${USER}`,
    setDisabled: (id, disabled) => update(id, sql`locked = ${disabled}`),
    anonymize(id, identity) {
      const login = identity === null ? sql`login` : loginOf(identity, issuer) // another issuer's: nobody's
      return update(id, sql`mail = NULL, locked = true, login = ${login}`)
    },
    moveIdentity: async (from, to) => first<User>`UPDATE person SET login = ${toLogin(to, issuer)}
      WHERE login = ${loginOf(from, issuer)} RETURNING ${USER}`,
  }
}

function companyAdmin(db: Db): OrganizationAdmin<Company> {
  const { first } = asking(db)
  const update = (id: string, set: RawBuilder<unknown>) => first<Company>`UPDATE company SET ${set}
    WHERE company_no = ${toNumber(id)} AND closed_at IS NULL RETURNING ${COMPANY}`
  return {
    findLocked: (id) => first<Company>`SELECT ${COMPANY} FROM company
      WHERE company_no = ${toNumber(id)} AND closed_at IS NULL FOR NO KEY UPDATE`,
    rename: (id, name) => update(id, sql`title = ${toTitle(name)}`),
    remove: async (id) => (await update(id, sql`closed_at = now()`)) !== null,
  }
}

function staffAdmin(db: Db): MembershipAdmin {
  const { all, first } = asking(db)
  return {
    find: (orgId, userId) => first<Membership>`SELECT ${STAFF} FROM on_staff
      WHERE company_no = ${toNumber(orgId)} AND person_no = ${toNumber(userId)}`,
    listByOrg: (orgId) => all<Member>`SELECT ${STAFF}, ${PERSON} FROM on_staff JOIN person USING (person_no)
      WHERE company_no = ${toNumber(orgId)} ORDER BY since, person_no`,
    async setRole(orgId, userId, role, { keep } = {}) {
      const set = sql`position = ${toText(role)}`
      return change(db, { orgId, userId, set, keep: keep === role ? undefined : keep })
    },
    remove: (orgId, userId, { keep } = {}) => change(db, { orgId, userId, set: sql`left_at = now()`, keep }),
  }
}

type Change = Pick<Membership, 'orgId' | 'userId'> & { set: RawBuilder<unknown>; keep: string | undefined }

// The company is held first: of two who demote each other the second sees what the first has left.
async function change(db: Db, asked: Change): ReturnType<MembershipAdmin['remove']> {
  if (!db.isTransaction) return inTransaction(db, (handle) => change(handle, asked))
  const { orgId, userId, set, keep } = asked
  await companyAdmin(db).findLocked(orgId)
  const members = await staffAdmin(db).listByOrg(orgId)
  const member = members.find((each) => each.userId === userId)
  if (member === undefined) return 'missing'
  const others = members.filter((each) => each !== member && each.role === keep && !each.disabled)
  if (member.role === keep && others.length === 0) return 'last'
  await asking(db).all`UPDATE staff SET ${set}
    WHERE company_no = ${orgId} AND person_no = ${userId} AND left_at IS NULL`
  return 'done'
}

const INVITE = sql`invite_no AS id, company_no AS "orgId", mail AS email, position AS role, invited_by AS "invitedBy",
  sent_at AS "createdAt", expires_at AS "expiresAt"`
const OPEN = sql`company_no IN (SELECT company_no FROM company WHERE closed_at IS NULL)`
const FIND = sql`SELECT ${INVITE} FROM invite WHERE ${OPEN}`
const IN_ORDER = sql`ORDER BY sent_at, invite_no`

function invites(db: Db): InvitationRepository {
  const { all, first } = asking(db)
  const byOrTo = (by: string, email: string | null) =>
    sql`(invited_by = ${toNumber(by)} OR mail = ${email === null ? null : toStored(email)})`
  return {
    async insert({ orgId, email, role, invitedBy, createdAt, expiresAt, secretHash }) {
      const mail = normalizeEmail(email)
      if (mail === null) throw new TypeError('an invitation needs a valid address')
      const company = await first`SELECT FROM company WHERE company_no = ${toNumber(orgId)} AND closed_at IS NULL`
      if (company === null) throw new Error('an invitation needs a company that is open')
      await all`DELETE FROM invite WHERE company_no = ${orgId} AND mail = ${mail} AND expires_at <= ${createdAt}`
      const made = await first<Invitation>`
        INSERT INTO invite (company_no, mail, position, invited_by, sent_at, expires_at, secret_hash)
        VALUES (${orgId}, ${mail}, ${toText(role)}, ${invitedBy}, ${createdAt}, ${expiresAt}, ${secretHash})
        ON CONFLICT DO NOTHING RETURNING ${INVITE}`
      if (made === null) throw new ConflictError('that address is invited already')
      return made
    },
    findById: (id) => first<Invitation>`${FIND} AND invite_no = ${toNumber(id)}`,
    findBySecretHash: (hash) => first<Invitation>`${FIND} AND secret_hash = ${toStored(hash)}`,
    listByEmail: (email, limit, liveAt) =>
      all<Invitation>`${FIND} AND mail = ${toStored(email)}
        AND (${liveAt ?? null}::timestamptz IS NULL OR expires_at > ${liveAt ?? null}) ${IN_ORDER} LIMIT ${limit}`,
    listByOrg: (orgId) => all<Invitation>`${FIND} AND company_no = ${toNumber(orgId)} ${IN_ORDER}`,
    listOf: (invitedBy, email) => all<Invitation>`${FIND} AND ${byOrTo(invitedBy, email)} ${IN_ORDER}`,
    consume: (id) =>
      first<Invitation>`DELETE FROM invite WHERE ${OPEN} AND invite_no = ${toNumber(id)} RETURNING ${INVITE}`,
    removeOf: async (invitedBy, email) =>
      (await all`DELETE FROM invite WHERE ${OPEN} AND ${byOrTo(invitedBy, email)} RETURNING 1`).length,
  }
}
