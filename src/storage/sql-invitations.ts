/** The invitations of the SQL storages: their statements, and the repository over a session. */
import { normalizeEmail } from '../lib/email.ts'
import { isUuid } from '../lib/id-form.ts'
import type { Invitation, InvitationRepository } from './repositories.ts'
import { columnsOf, findFirst, isText, LONGEST, requireRole, toDate, toTextOrNull } from './sql-rows.ts'
import { type SqlPlace, type SqlTables, toStatements } from './sql-statements.ts'
import { ConflictError } from './storage-errors.ts'

/** Build the invitation repository over a session. */
export function sqlInvitations({ session, ...tables }: SqlPlace): InvitationRepository {
  const { isOrgId } = tables.orgIds
  const statements = toStatements(textsOf(tables), [])
  return {
    async insert({ orgId, email: address, role, invitedBy, createdAt, expiresAt, secretHash }) {
      const email = normalizeEmail(address)
      if (email === null) throw new TypeError('an invitation needs a valid e-mail address')
      if (!isOrgId(orgId)) throw new Error('an invitation needs an organization that exists')
      if (invitedBy !== null && !isUuid(invitedBy))
        throw new TypeError('an invitation is from a user of this storage, or none')
      if (secretHash !== null && !isText(secretHash, LONGEST_HASH)) throw new TypeError('a hash is 64 hex digits')
      const rest = [invitedBy, secretHash, createdAt.getTime(), expiresAt.getTime()]
      const values = [crypto.randomUUID(), orgId, email, requireRole(role), ...rest]
      const inserted = await findFirst(session, statements.insertInvitation, values, INVITATION.read)
      if (inserted === null) throw new ConflictError('this address is already invited into this organization')
      return inserted
    },
    findById: async (invitationId) =>
      isUuid(invitationId) ? findFirst(session, statements.findInvitation, [invitationId], INVITATION.read) : null,
    findBySecretHash: async (hash) =>
      isText(hash, LONGEST_HASH) ? findFirst(session, statements.findInvitationByHash, [hash], INVITATION.read) : null,
    async listByEmail(email, limit, liveAt) {
      if (!isText(email, LONGEST.email)) return []
      const rows =
        liveAt === undefined
          ? await session.run(statements.listInvitationsOfEmail, [email, limit])
          : await session.run(statements.listLiveInvitationsOfEmail, [email, limit, liveAt.getTime()])
      return rows.map(INVITATION.read)
    },
    listByOrg: async (orgId) =>
      isOrgId(orgId) ? (await session.run(statements.listInvitationsOfOrg, [orgId])).map(INVITATION.read) : [],
    consume: async (invitationId) =>
      isUuid(invitationId) ? findFirst(session, statements.deleteInvitation, [invitationId], INVITATION.read) : null,
    listOf: async (invitedBy, email) =>
      (await session.run(statements.listInvitationsOf, toPersonValues(invitedBy, email))).map(INVITATION.read),
    removeOf: async (invitedBy, email) =>
      (await session.run(statements.deleteInvitationsOf, toPersonValues(invitedBy, email))).length,
  }
}

function toPersonValues(invitedBy: string, email: string | null): [string | null, string | null] {
  return [isUuid(invitedBy) ? invitedBy : null, isText(email, LONGEST.email) ? email : null]
}

const LONGEST_HASH = 64

function textsOf({ dialect, names }: SqlTables) {
  // What a host inserts by a statement of its own may say nothing of when it ends.
  const expiryOf = (i: string): string => `COALESCE(${i}expires_at, ${dialect.weekAfter(`${i}created_at`)})`
  const columns = (i: string): string => INVITATION.select(dialect.toMilliseconds, i, { expiresAt: expiryOf(i) })
  const table = names.invitations
  const instant = dialect.fromMilliseconds
  const find = `SELECT ${columns('')} FROM ${table} WHERE`
  const ofPerson = 'invited_by = $1 OR email = $2'
  const replaced = ['id', 'role', 'invited_by', 'secret_hash', 'created_at', 'expires_at']
  return {
    insertInvitation: `INSERT INTO ${table} AS i
      (id, org_id, email, role, invited_by, secret_hash, created_at, expires_at)
      VALUES ($1, $2, $3, $4, $5, $6, ${instant('$7')}, ${instant('$8')})
      ON CONFLICT (org_id, email) DO UPDATE
      SET ${replaced.map((column) => `${column} = excluded.${column}`).join(', ')}
      WHERE ${expiryOf('i.')} <= excluded.created_at RETURNING ${columns('')}`,
    findInvitation: `${find} id = $1`,
    findInvitationByHash: `${find} secret_hash = $1`,
    listInvitationsOfEmail: `${find} email = $1 ORDER BY created_at, id LIMIT ${dialect.toInteger('$2')}`,
    listLiveInvitationsOfEmail: `${find} email = $1 AND ${expiryOf('')} > ${instant('$3')}
      ORDER BY created_at, id LIMIT ${dialect.toInteger('$2')}`,
    listInvitationsOfOrg: `${find} org_id = $1 ORDER BY created_at, id`,
    deleteInvitation: `DELETE FROM ${table} WHERE id = $1 RETURNING ${columns('')}`,
    listInvitationsOf: `${find} ${ofPerson} ORDER BY created_at, id`,
    deleteInvitationsOf: `DELETE FROM ${table} WHERE ${ofPerson} RETURNING id`,
  }
}

const INVITATION = columnsOf<Invitation>('invitation', {
  ...{ id: String, orgId: String, email: String, role: String, invitedBy: toTextOrNull },
  ...{ createdAt: toDate, expiresAt: toDate },
})
