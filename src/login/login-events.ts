/** What happened at the login, for the host's audit log: ids and instants, never a password, a token or an e-mail. */

import { notify } from '../lib/notify.ts'

/** What happened. `accountId` is whose account it was, or `null` where it is unknown or nobody's. */
export interface LoginEvent {
  readonly kind:
    | 'login_succeeded'
    | 'login_failed'
    | 'login_throttled'
    /** The stored hash of the account can't be computed here (damaged, dearer than others, of another kind): nobody can log in by it. */
    | 'password_hash_unusable'
    | 'logged_out'
    | 'password_changed'
    | 'user_created'
    | 'user_changed'
    | 'user_removed'
  readonly accountId: string | null
  /** Who did it, where that is somebody else: the id of the admin. */
  readonly byId: string | null
  readonly at: Date
}

/** Tell the host. Whatever comes of it, the answer is the same. */
export function tellEvent(
  { onEvent, clock }: { readonly onEvent: ((event: LoginEvent) => unknown) | undefined; readonly clock: () => number },
  kind: LoginEvent['kind'],
  accountId: string | null,
  byId: string | null = null,
): void {
  notify(onEvent, Object.freeze({ kind, accountId, byId, at: new Date(clock()) }))
}
