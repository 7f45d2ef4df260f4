/** What a person's issuer says of them beside the token, asked once: before they are made, and before anything is written. */
import type { Identity, Profile } from '../context.ts'
import { AuthError, isAuthError } from '../errors.ts'
import { toDisplayName } from '../lib/display-name.ts'
import { toEmail } from '../lib/email.ts'
import { withDeadline } from '../lib/time.ts'

/** How the issuer of a new person is asked for more than the token says. */
export interface ProfileOptions {
  /**
   * Ask, with the token that came along: `userInfo()`, or a function of the host's. The signal aborts when the time is up. What
   * it throws is 503, but for an `AuthError`, which refuses; an answer that is no object is a fault of the host (500).
   */
  readonly load: (token: string, identity: Identity, signal: AbortSignal) => Promise<Profile>
  /** How long it may take, in seconds. 1–10, default 5. */
  readonly timeoutSeconds?: number | undefined
}

/**
 * Ask for the profile of an identity, and lay it over: an e-mail comes with its own word on whether it is verified.
 *
 * @param token what the identity was verified by
 * @throws AuthError `temporarily_unavailable` where it can't be had
 */
export async function withProfile(
  { load, timeoutSeconds = 5 }: ProfileOptions,
  identity: Identity,
  token: string | undefined,
): Promise<Identity> {
  if (token === undefined)
    throw new Error('sallyport: createProvisioner: option "profile" needs the token of the person')
  const late = (): Error => new Error('the profile took too long')
  const work = (signal: AbortSignal): Promise<Profile> => load(token, identity, signal)
  const profile = await withDeadline(new AbortController(), timeoutSeconds * 1000, late, work).catch(
    (cause: unknown) => {
      if (isAuthError(cause)) throw cause
      throw new AuthError('temporarily_unavailable', { reason: 'profile_not_loaded', cause })
    },
  )
  if (typeof profile !== 'object' || profile === null) {
    throw new Error('sallyport: createProvisioner: option "profile.load" must answer an object')
  }
  return Object.freeze({ ...identity, ...emailOf(profile), ...nameOf(profile) })
}

function emailOf({ email, emailVerified }: Profile): Partial<Identity> {
  if (email == null) return {}
  const address = toEmail(email)
  const isVerified = emailVerified == null ? null : emailVerified === true
  return { email: address, emailVerified: address === null ? null : isVerified }
}

function nameOf({ name }: Profile): Partial<Identity> {
  return name == null ? {} : { name: toDisplayName(name) }
}
