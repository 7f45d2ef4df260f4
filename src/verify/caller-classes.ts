/**
 * Whom one key of an issuer signs for beside people's own sessions: guests, apps of others that act for people, and other
 * classes of token. Presets refuse them by these, each under one reason.
 */
import { type AuthError, refused } from '../errors.ts'
import { describeValue } from '../lib/log-text.ts'

/** What is said of a token of another kind than the options take: of claims only those that name a client or a class. */
export interface KindRefusal {
  readonly expected: string
  readonly got: string
}

/** Make the refusal of a token whose kind the issuer's options don't take. */
export function kindNotAccepted(said?: KindRefusal): AuthError {
  return refused('forbidden', { reason: 'token_kind_not_accepted', ...said })
}

/**
 * Require somebody who has signed up.
 * @throws AuthError `forbidden` for a guest
 */
export function requireSignedUp(isGuest: boolean): void {
  if (isGuest) throw refused('forbidden', { reason: 'anonymous_user' })
}

/**
 * Require that no app acts for the person, or one of these.
 *
 * @param app what the token names as its client; `undefined`: nobody's
 * @throws AuthError `forbidden` for another one
 */
export function requireKnownApp(app: unknown, known: ReadonlySet<unknown>): void {
  if (app === undefined || known.has(app)) return
  const expected = [...known].join(', ') || 'none'
  throw refused('forbidden', { reason: 'third_party_app', expected, got: describeValue(app) })
}
