/** An e-mail address that has changed at its issuer, written into the row of a user who is here already. It names nobody. */
import type { Identity, Organization, User } from '../context.ts'
import { toEmail } from '../lib/email.ts'
import type { UserRecord, UserRepository } from '../storage/repositories.ts'
import { isConflictError } from '../storage/storage-errors.ts'

/**
 * Write the identity's address into the user's row where it is another one and verified, and hand on the record with the row
 * as it is then. Nobody is looked up by it. One that the storage keeps for somebody else stays unwritten, and a user who was
 * disabled meanwhile keeps theirs.
 */
export async function withFreshEmail<U extends User, O extends Organization>(
  users: Pick<UserRepository<U, O>, 'setEmail'>,
  record: UserRecord<U, O>,
  { email: claimed, emailVerified }: Identity,
): Promise<UserRecord<U, O>> {
  const { id, email, disabled } = record.user
  const address = toEmail(claimed)
  if (disabled || emailVerified !== true || address === null || address === email) return record
  const user = await users.setEmail?.(id, address).catch((error: unknown) => {
    if (isConflictError(error)) return null
    throw error
  })
  return user == null ? record : { ...record, user }
}
