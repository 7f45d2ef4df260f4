/** The invitations of the in-memory storage. */
import { normalizeEmail } from '../lib/email.ts'
import { byCreation, put, type Table, toRow } from './memory-tables.ts'
import type { Invitation, InvitationRepository } from './repositories.ts'
import type { StoredOrganization } from './shipped-storage.ts'
import { ConflictError } from './storage-errors.ts'

/** An invitation as it is kept. */
export interface InvitationRow extends Invitation {
  readonly secretHash: string | null
}

interface InvitationTables {
  readonly invitations: Table<InvitationRow>
  readonly orgs: Table<StoredOrganization>
}

/** Build the invitation repository over tables. */
export function memoryInvitations({ invitations, orgs }: InvitationTables): InvitationRepository {
  const listBy = (isMeant: (row: InvitationRow) => boolean): InvitationRow[] =>
    [...invitations.values()].filter(isMeant).sort(byCreation)
  return {
    async insert({ email: address, ...invitation }) {
      const email = normalizeEmail(address)
      const { orgId, createdAt } = invitation
      if (email === null) throw new TypeError('an invitation needs a valid e-mail address')
      if (orgs.get(orgId) === undefined) throw new Error('an invitation needs an organization that exists')
      const [other] = listBy((row) => row.orgId === orgId && row.email === email)
      if (other !== undefined && other.expiresAt > createdAt) {
        throw new ConflictError('this address is already invited into this organization')
      }
      if (other !== undefined) invitations.delete(other.id)
      return toInvitation(put(invitations, { ...invitation, id: crypto.randomUUID(), email }))
    },
    findById: async (invitationId) => toInvitationOrNull(invitations.get(invitationId)),
    findBySecretHash: async (hash) => toInvitationOrNull(listBy(({ secretHash }) => secretHash === hash)[0]),
    listByEmail: async (email, limit, liveAt) =>
      listBy((row) => row.email === email && (liveAt === undefined || row.expiresAt > liveAt))
        .slice(0, limit)
        .map(toInvitation),
    listByOrg: async (orgId) => listBy((row) => row.orgId === orgId).map(toInvitation),
    async consume(invitationId) {
      const invitation = invitations.get(invitationId)
      invitations.delete(invitationId)
      return toInvitationOrNull(invitation)
    },
    listOf: async (invitedBy, email) => listBy(isOf(invitedBy, email)).map(toInvitation),
    async removeOf(invitedBy, email) {
      const found = listBy(isOf(invitedBy, email))
      for (const { id } of found) invitations.delete(id)
      return found.length
    },
  }
}

function isOf(invitedBy: string, email: string | null): (row: InvitationRow) => boolean {
  return (row) => row.invitedBy === invitedBy || row.email === email
}

// The hash is for looking up, and for nobody to read.
function toInvitation({ secretHash: _, ...invitation }: InvitationRow): Invitation {
  return toRow(invitation)
}

function toInvitationOrNull(row: InvitationRow | undefined): Invitation | null {
  return row === undefined ? null : toInvitation(row)
}
