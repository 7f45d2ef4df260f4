/** An invitation as a test inserts it: from the host itself, good for a week, without a link. */
import { createInvitations, type Invitations } from '../src/people/invitations.ts'
import type { NewInvitation } from '../src/storage/repositories.ts'
import type { ShippedStorage, StoredOrganization, StoredUser } from '../src/storage/shipped-storage.ts'

/** Fill in what the test does not care for. */
export function newInvitation(
  given: Pick<NewInvitation, 'orgId' | 'email' | 'role'> & Partial<NewInvitation>,
): NewInvitation {
  const createdAt = new Date()
  const expiresAt = new Date(createdAt.getTime() + 604_800_000)
  return { invitedBy: null, createdAt, expiresAt, secretHash: null, ...given }
}

/** Invitations of the roles member, boss and owner, of which one that is good takes effect at once. */
export function joiningAtOnce<Tx>(storage: ShippedStorage<Tx>): Invitations<StoredUser, StoredOrganization, Tx> {
  const roles = ['member', 'boss', 'owner']
  return createInvitations({ storage, roles, manage: { role: 'owner' }, takeEffect: 'on-first-login' })
}
