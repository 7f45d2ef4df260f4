/**
 * E-mail and password to a session, and an old password to a new one. Whatever is wrong, the work is the same: one look-up
 * and one hash (L1), both behind the throttle. Hands on the session, or refuses.
 */
import type { Identity } from '../context.ts'
import { AuthError, isAuthError } from '../errors.ts'
import { normalizeEmail } from '../lib/email.ts'
import type { Account, AccountRecord } from '../storage/account-repositories.ts'
import { tellEvent } from './login-events.ts'
import type { LoginSettings } from './login-options.ts'
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
   * Change the own password: every session of the account ends (L17).
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

/** Create the login. */
export function createPasswordLogin(settings: LoginSettings): PasswordLogin {
  const { storage, limits, clock } = settings
  const throttle = createThrottle(storage.throttle, limits, clock)
  const issue = createSessionIssuer(settings, settings.sessionSeconds, clock)
  return {
    logIn: (...given) => logIn(settings, throttle, issue, ...given),
    changePassword: (...given) => changePassword(settings, throttle, ...given),
    async logOut({ subject, tokenId, expiresAt }) {
      const forgettableAt = new Date(expiresAt.getTime() + LONGEST_LEEWAY_MS)
      await storage.sessions.revoke({ id: tokenId as string, expiresAt: forgettableAt }, new Date(clock()))
      tellEvent(settings, 'logged_out', subject)
    },
  }
}

async function logIn(
  settings: LoginSettings,
  throttle: Throttle,
  issue: (account: AccountRecord) => Promise<IssuedSession>,
  ...[email, password, address]: Parameters<PasswordLogin['logIn']>
): Promise<IssuedSession> {
  const { storage, passwords } = settings
  const normal = normalizeEmail(email)
  let accountId: string | null = null
  const judge = async (): Promise<IssuedSession | null> => {
    const account = await storage.accounts.findByEmail(normal ?? NOBODY)
    accountId = account?.id ?? null
    const matches = await passwords.verify(password, account?.passwordHash ?? null)
    if (!matches || account === null || account.disabled) return null
    await upgradeHash(settings, account, password)
    return issue(account)
  }
  const session = await throttle.attempt({ email: normal ?? `\0${email}`, address }, judge).catch((error: unknown) => {
    if (isAuthError(error) && error.code === 'rate_limit_exceeded') tellEvent(settings, 'login_throttled', null)
    throw error
  })
  tellEvent(settings, session === null ? 'login_failed' : 'login_succeeded', accountId)
  if (session === null) throw new AuthError('unauthorized', { reason: 'login_refused', absent: true })
  return session
}

async function changePassword(
  settings: LoginSettings,
  throttle: Throttle,
  ...[{ id, email }, { current, next }, address]: Parameters<PasswordLogin['changePassword']>
): Promise<void> {
  const { storage, passwords, rules } = settings
  requireGoodPassword(next, rules, email, 'new_password')
  const from = await throttle.attempt({ email, address }, async () => {
    const account = await storage.accounts.findById(id)
    const matches = await passwords.verify(current, account?.passwordHash ?? null)
    return matches ? (account?.passwordHash ?? null) : null
  })
  if (from === null) throw new AuthError('forbidden', { reason: 'current_password_wrong' })
  const change = { from, to: await passwords.hash(next), endSessions: true }
  const isChanged = await storage.accounts.replaceHash(id, change)
  if (!isChanged) throw new AuthError('conflict', { reason: 'password_changed_meanwhile' })
  tellEvent(settings, 'password_changed', id)
}

// The password is at hand only now. What becomes of it is nobody's business who logs in: the old hash is still good.
async function upgradeHash(
  { storage, passwords }: LoginSettings,
  { id, passwordHash }: AccountRecord,
  password: string,
): Promise<void> {
  if (passwordHash === null || !passwords.needsRehash(passwordHash)) return
  try {
    const to = await passwords.hash(password)
    await storage.accounts.replaceHash(id, { from: passwordHash, to, endSessions: false })
  } catch (error) {
    if (!isAuthError(error)) throw error
  }
}
