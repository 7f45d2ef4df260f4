/**
 * Whom one key of an issuer signs for beside people's own sessions: guests, and apps of others that act for people. Presets
 * refuse them by these, each under one reason.
 */
import { refused } from '../errors.ts'

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
  if (app !== undefined && !known.has(app)) throw refused('forbidden', { reason: 'third_party_app' })
}
