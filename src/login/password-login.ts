/**
 * E-mail and password to a session, and an old password to a new one. Whatever is wrong, the work is the same: one look-up
 * and one hash, both behind the throttle. Hands on the session, or refuses.
 */
import type { Identity } from '../context.ts'
import { AuthError, isAuthError } from '../errors.ts'
import { normalizeEmail } from '../lib/email.ts'
import type { Account, AccountRecord } from '../storage/account-repositories.ts'
import { type AddressNotes, createAddressNotes } from './address-notes.ts'
import { tellEvent } from './login-events.ts'
import type { LoginSettings } from './login-options.ts'
import type { HashingPlace } from './password-hash.ts'
import { requireGoodPassword } from './password-rules.ts'
import { createSessionIssuer, type IssuedSession } from './session-token.ts'
import { createThrottle, type Throttle } from './throttle.ts'

/** What {@link createPasswordLogin} makes. `address` is the client's, for the throttle. */
export interface PasswordLogin {
  /**
   * Log in.
   * @throws AuthError `unauthorized` (challenge `Bearer` alone) for anything wrong, `rate_limit_exceeded`,
   * `temporarily_unavailable`
   */
  logIn(email: string, password: string, address: string | null): Promise<IssuedSession>
  /**
   * Change the own password: every session of the account ends.
   * @throws AuthError `validation_error` (field `new_password`), `forbidden` for a wrong current one, which counts,
   * `rate_limit_exceeded`, `temporarily_unavailable`, `conflict` where it was changed meanwhile
   */
  changePassword(user: Account, passwords: ChangedPassword, address: string | null): Promise<void>
  /** End one session. */
  logOut(identity: Identity<'ver'>): Promise<void>
}

/** The own password, and what it is to become. */
interface ChangedPassword {
  readonly current: string
  readonly next: string
}

// A verifier lets a session in for some seconds beyond its end; a storage forgets a revocation at the end it is told.
const LONGEST_LEEWAY_MS = 300_000

// No normalized address: nobody has it, and looking it up costs what looking up any other does.
const NOBODY = '-'

const RETRY_AFTER_SECONDS = 5

/** What a try is judged with. */
interface Parts {
  readonly settings: LoginSettings
  readonly throttle: Throttle
  readonly notes: AddressNotes
  readonly issue: (account: AccountRecord) => Promise<IssuedSession>
}

/** Create the login. */
export function createPasswordLogin(settings: LoginSettings): PasswordLogin {
  const { storage, limits, clock } = settings
  const parts: Parts = {
    settings,
    throttle: createThrottle(storage.throttle, limits, clock),
    notes: createAddressNotes(limits.addressWindowSeconds, clock),
    issue: createSessionIssuer(settings, settings.sessionSeconds, clock),
  }
  return {
    logIn: (...given) => logIn(parts, ...given),
    changePassword: (...given) => changePassword(parts, ...given),
    async logOut({ subject, tokenId, expiresAt }) {
      const forgettableAt = new Date(expiresAt.getTime() + LONGEST_LEEWAY_MS)
      await storage.sessions.revoke({ id: tokenId as string, expiresAt: forgettableAt }, new Date(clock()))
      tellEvent(settings, 'logged_out', subject)
    },
  }
}

async function logIn(
  parts: Parts,
  ...[email, password, address]: Parameters<PasswordLogin['logIn']>
): Promise<IssuedSession> {
  const { settings, issue } = parts
  const normal = normalizeEmail(email)
  let accountId: string | null = null
  const judge = async (place: HashingPlace | undefined): Promise<IssuedSession | null> => {
    const account = await settings.storage.accounts.findByEmail(normal ?? NOBODY)
    accountId = account?.id ?? null
    const isRight = await isPassword(settings, password, account, place)
    if (!isRight || account === null || account.disabled) return null
    await upgradeHash(settings, account, password, place)
    return issue(account)
  }
  const trier = { email: normal ?? `\0${email}`, address }
  const session = await attempt(parts, trier, judge).catch((error: unknown) => {
    if (isAuthError(error) && error.code === 'rate_limit_exceeded') tellEvent(settings, 'login_throttled', null)
    throw error
  })
  tellEvent(settings, session === null ? 'login_failed' : 'login_succeeded', accountId)
  if (session === null) throw new AuthError('unauthorized', { reason: 'login_refused', absent: true })
  return session
}

async function changePassword(
  parts: Parts,
  ...[{ id, email }, { current, next }, address]: Parameters<PasswordLogin['changePassword']>
): Promise<void> {
  const { settings } = parts
  const { storage, passwords, rules } = settings
  requireGoodPassword(next, rules, email, 'new_password')
  // Both hashes in one place: who was found right is not sent away for want of another.
  const change = await attempt(parts, { email, address }, async (place) => {
    const account = await storage.accounts.findById(id)
    const isRight = await isPassword(settings, current, account, place)
    const from = account?.passwordHash ?? null
    return isRight && from !== null ? { from, to: await passwords.hash(next, place), endSessions: true } : null
  })
  if (change === null) throw new AuthError('forbidden', { reason: 'current_password_wrong' })
  const isChanged = await storage.accounts.replaceHash(id, change)
  if (!isChanged) throw new AuthError('conflict', { reason: 'password_changed_meanwhile' })
  tellEvent(settings, 'password_changed', id)
}

// First a place in the queue, then the throttle: who gets no place writes nothing, and who holds one is counted.
async function attempt<T>(
  { settings, throttle, notes }: Parts,
  trier: { readonly email: string; readonly address: string | null },
  judge: (place: HashingPlace | undefined) => Promise<T | null>,
): Promise<T | null> {
  const place = settings.passwords.takePlace?.(notes.isQuiet(trier.address))
  const note = notes.begin(trier.address)
  let isFailure = false
  try {
    const value = await throttle.attempt(trier, (isCounted) => judge(place && whileCounted(place, isCounted)))
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
    tellEvent(settings, 'password_hash_unusable', account.id)
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
