/** An invitation as a test inserts it: from the host itself, good for a week, without a link. */
import type { NewInvitation } from '../src/storage/repositories.ts'

/** Fill in what the test does not care for. */
export function newInvitation(
  given: Pick<NewInvitation, 'orgId' | 'email' | 'role'> & Partial<NewInvitation>,
): NewInvitation {
  const createdAt = new Date()
  const expiresAt = new Date(createdAt.getTime() + 604_800_000)
  return { invitedBy: null, createdAt, expiresAt, secretHash: null, ...given }
}
