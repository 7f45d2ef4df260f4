/**
 * The user resolver of local accounts: a session is as good as its account is now. Disabling, deleting, a new password, a new
 * role, logging out: each ends sessions from the next request on. Hands on the account with its role.
 */
import type { Identity, UserResolver } from '../context.ts'
import { AuthError } from '../errors.ts'
import { anObjectWith, parseOptions } from '../lib/parse-options.ts'
import type { Account, SessionRecord, SessionRepository } from '../storage/account-repositories.ts'

/** Options of {@link createAccountGate}. */
export interface AccountGateOptions {
  /** Where to find what a session is judged by. */
  readonly sessions: Pick<SessionRepository, 'find'>
}

/**
 * Create the account gate. It refuses with `unauthorized` (401, as for any credential that is none any more) where the
 * account is deleted or disabled, where the session is of another version than the account, and where it was revoked.
 * Cost: one query per request, never a cache. The role is the account's; a claim of the token is not read for it.
 *
 * @throws TypeError for a missing or unknown option
 * @example
 * users: createAccountGate({ sessions: storage.sessions })
 */
export function createAccountGate(options: AccountGateOptions): UserResolver<Account, 'ver'> {
  const { sessions } = parseOptions('createAccountGate', SHAPE, options)
  return async (identity) => {
    const found = await sessions.find(identity.subject, identity.tokenId ?? '')
    const account = requireLive(found, identity)
    return { user: account, role: account.role }
  }
}

function requireLive(found: SessionRecord | null, { claims }: Identity<'ver'>): Account {
  if (found === null) throw new AuthError('unauthorized', { reason: 'account_missing' })
  const { revoked, account } = found
  const principal = { kind: 'user', id: account.id } as const
  if (account.disabled) throw new AuthError('unauthorized', { reason: 'account_disabled', principal })
  if (account.sessionVersion !== claims.ver) {
    throw new AuthError('unauthorized', { reason: 'session_superseded', principal })
  }
  if (revoked) throw new AuthError('unauthorized', { reason: 'session_revoked', principal })
  return withoutHash(account)
}

// A handler, a log, an answer: none of them has a use for the hash.
function withoutHash({ id, email, role, disabled, sessionVersion, createdAt }: Account): Account {
  return Object.freeze({ id, email, role, disabled, sessionVersion, createdAt })
}

const SHAPE = { sessions: anObjectWith<AccountGateOptions['sessions']>('find') }
