/** The user resolver that lets in only who is here already: a valid token without a user row is 428, not a new user. */
import * as z from 'zod/mini'
import type { ResolvedUser, User, UserResolver } from '../context.ts'
import { AuthError } from '../errors.ts'
import { anObjectWith, aPath, parseOptions, type Shape } from '../lib/parse-options.ts'
import type { UserRepository } from '../storage/repositories.ts'

/** Options of {@link createSyncGate}. */
export interface SyncGateOptions<U extends User> {
  /** Where to find the user. */
  readonly users: Pick<UserRepository<U>, 'findByIdentity'>
  /** The path of the host's sync route, for the 428's message. Default `/auth/sync`. */
  readonly syncPath?: string | undefined
}

/**
 * Create the sync gate: find the user of an identity, or refuse with `user_not_synced` (428) saying where to POST;
 * `forbidden` where the user is disabled. It never writes. Cost: one storage query.
 *
 * @throws OptionsError for a missing or unknown option
 * @example
 * users: createSyncGate({ users: storage.users })
 */
export function createSyncGate<U extends User>(options: SyncGateOptions<U>): UserResolver<U> {
  const { users, syncPath = '/auth/sync' } = parseOptions('createSyncGate', shape<U>(), options)
  return async (identity, selection) => {
    const record = await users.findByIdentity(identity, selection)
    if (record === null) throw new AuthError('user_not_synced', { reason: 'user_not_synced', syncPath })
    return resolveUser(record)
  }
}

/**
 * Let a stored user in: what both user resolvers do with a row that is there.
 * @throws AuthError `forbidden` where the row is disabled or deleted
 */
export function resolveUser<U extends User>({ user, membership }: ResolvedUser<U>): ResolvedUser<U> {
  if (user.disabled) {
    throw new AuthError('forbidden', { reason: 'user_disabled', principal: { kind: 'user', id: user.id } })
  }
  return membership === undefined ? { user } : { user, membership }
}

// A function: what a host does not use must not stay in its bundle.
const shape = <U extends User>(): Shape<SyncGateOptions<U>> => ({
  users: anObjectWith('findByIdentity'),
  syncPath: z.optional(aPath()),
})
