/** What both user resolvers share: a row that is there is let in, unless it is disabled. */
import type { ResolvedUser, User } from '../context.ts'
import { AuthError } from '../errors.ts'

/**
 * Let a stored user in.
 * @throws AuthError `forbidden` where the row is disabled or deleted
 */
export function resolveUser<U extends User>({ user, membership }: ResolvedUser<U>): ResolvedUser<U> {
  if (user.disabled) {
    throw new AuthError('forbidden', { reason: 'user_disabled', principal: { kind: 'user', id: user.id } })
  }
  return membership === undefined ? { user } : { user, membership }
}
