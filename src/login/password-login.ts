/**
 * E-mail and password to a session, and an old password to a new one. Whatever is wrong, the work is the same: one look-up
 * and one hash, both behind the throttle. Hands on the session, or refuses.
 */
import { AuthError, isAuthError } from '../errors.ts'
import { normalizeEmail } from '../lib/email.ts'
import type { Account, AccountRecord } from '../storage/account-repositories.ts'
import { type AddressNotes, createAddressNotes } from './client-address.ts'
import { type LoginSettings, notifyEvent } from './login-options.ts'
import type { HashingPlace } from './password-hash.ts'
import { requireGoodPassword } from './password-rules.ts'
import type { Sessions } from './session.ts'
import { createThrottle, type Throttle, type Trier } from './throttle.ts'

/** What a try is checked with. */
export interface PasswordLogin {
  readonly settings: LoginSettings
  readonly sessions: Sessions
  readonly throttle: Throttle
  readonly notes: AddressNotes
}

// No normalized address: nobody has it, and looking it up costs what looking up any other does.
const NOBODY = '-'
const RETRY_AFTER_SECONDS = 5

/** Create what one login checks its tries with. */
export function createPasswordLogin(settings: LoginSettings, sessions: Sessions): PasswordLogin {
  const { storage, limits, clock } = settings
  return {
    settings,
    sessions,
    throttle: createThrottle(storage.throttle, limits, clock),
    notes: createAddressNotes(limits.addressWindowSeconds, clock),
  }
}

/** Log in, from a client's address, to the token of a session. Anything wrong is `unauthorized`, challenge `Bearer` alone. */
export async function logIn(
  login: PasswordLogin,
  email: string,
  password: string,
  address: string | null,
): Promise<string> {
  const { settings, sessions } = login
  const normal = normalizeEmail(email)
  let accountId: string | null = null
  const check = async (place: HashingPlace | undefined): Promise<string | null> => {
    const account = await settings.storage.accounts.findByEmail(normal ?? NOBODY)
    accountId = account?.id ?? null
    const isRight = await isPassword(settings, password, account, place)
    if (!isRight || account === null || account.disabled) return null
    await upgradeHash(settings, account, password, place)
    return sessions.issue(account)
  }
  const trier = { email: normal ?? `\0${email}`, address }
  const token = await attempt(login, trier, check).catch((error: unknown) => {
    if (isAuthError(error) && error.code === 'rate_limit_exceeded') notifyEvent(settings, 'login_throttled', null)
    throw error
  })
  notifyEvent(settings, token === null ? 'login_failed' : 'login_succeeded', accountId)
  if (token === null) throw new AuthError('unauthorized', { reason: 'login_refused', absent: true })
  return token
}

/** A new password in the place of another one. */
export interface PasswordChange {
  readonly current: string
  readonly next: string
  /** Have the caller checked once more after the hashes: their session may have ended while these waited for their turn. */
  recheck(): Promise<void>
}

/** Change the own password: every session of the account ends. A wrong current one counts as a failed try. */
export async function changePassword(
  login: PasswordLogin,
  { id, email }: Account,
  { current, next, recheck }: PasswordChange,
  address: string | null,
): Promise<void> {
  const { settings } = login
  const { storage, passwords, rules } = settings
  requireGoodPassword(next, rules, email, 'new_password')
  // Both hashes in one place: who was found right is not sent away for want of another.
  const change = await attempt(login, { email, address }, async (place) => {
    const account = await storage.accounts.findById(id)
    const isRight = await isPassword(settings, current, account, place)
    const from = account?.passwordHash ?? null
    return isRight && from !== null ? { from, to: await passwords.hash(next, place), endSessions: true } : null
  })
  if (change === null) throw new AuthError('forbidden', { reason: 'current_password_wrong' })
  await recheck()
  const isChanged = await storage.accounts.replaceHash(id, change)
  if (!isChanged) throw new AuthError('conflict', { reason: 'password_changed_meanwhile' })
  notifyEvent(settings, 'password_changed', id)
}

// First a place in the queue, then the throttle: who gets no place writes nothing, and who holds one is counted.
async function attempt<T>(
  { settings, throttle, notes }: PasswordLogin,
  trier: Trier,
  check: (place: HashingPlace | undefined) => Promise<T | null>,
): Promise<T | null> {
  const place = settings.passwords.takePlace?.(notes.isQuiet(trier.address))
  const note = notes.begin(trier.address)
  let isFailure = false
  try {
    const value = await throttle.attempt(trier, (isCounted) => check(place && whileCounted(place, isCounted)))
    isFailure = value === null
    return value
  } catch (error) {
    // Another process knows of failures; a closed account says nothing about an address.
    isFailure = isAuthError(error) && /^login_(?:address|network)_throttled$/.test(error.reason ?? '')
    throw error
  } finally {
    note(isFailure)
    place?.leave()
  }
}

// A try that has waited for so long that it will soon not count as in flight must not begin any more.
function whileCounted(place: HashingPlace, isCounted: () => boolean): HashingPlace {
  return {
    leave: () => place.leave(),
    run: (work) =>
      place.run(async () => {
        if (isCounted()) return work()
        throw new AuthError('temporarily_unavailable', {
          reason: 'password_queue_slow',
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        })
      }),
  }
}

// A stored hash that can't be computed is answered as a wrong password, after the same work.
async function isPassword(
  settings: LoginSettings,
  password: string,
  account: AccountRecord | null,
  place: HashingPlace | undefined,
): Promise<boolean> {
  const { passwords } = settings
  const stored = account?.passwordHash ?? null
  try {
    return await passwords.verify(password, stored, place)
  } catch (error) {
    if (account === null || stored === null || isAuthError(error)) throw error
    await passwords.verify(password, null, place)
    notifyEvent(settings, 'password_hash_unusable', account.id)
    return false
  }
}

// The password is at hand only now. What becomes of it is nobody's business who logs in: the old hash is still good.
async function upgradeHash(
  { storage, passwords }: LoginSettings,
  { id, passwordHash }: AccountRecord,
  password: string,
  place: HashingPlace | undefined,
): Promise<void> {
  if (passwordHash === null || !passwords.needsRehash(passwordHash)) return
  try {
    const to = await passwords.hash(password, place)
    await storage.accounts.replaceHash(id, { from: passwordHash, to, endSessions: false })
  } catch (error) {
    if (!isAuthError(error)) throw error
  }
}
