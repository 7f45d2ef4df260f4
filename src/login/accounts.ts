/**
 * Who writes accounts: admins, by the bodies of their requests, and who starts the service, for its first admin and for the
 * way back in after a lost password. One enabled admin always remains. Hands on accounts without their hashes.
 */
import * as z from 'zod/mini'
import { AuthError } from '../errors.ts'
import { type JsonObject, parseBody } from '../http/read-json.ts'
import { normalizeEmail } from '../lib/email.ts'
import { aFunction, aString, optionsError, parseOptions, type Shape } from '../lib/parse-options.ts'
import { canTake, withoutCustom } from '../permissions/grants.ts'
import { isKnown } from '../permissions/roles.ts'
import type { Account } from '../storage/account-repositories.ts'
import { isConflictError } from '../storage/storage-errors.ts'
import { type AccountSettings, notifyEvent } from './login-options.ts'
import { requireGoodPassword } from './password-rules.ts'
import { createThrottle, DEFAULT_LIMITS } from './throttle.ts'

const anEmail = z.pipe(
  z.string(),
  z.transform((text, payload) => {
    const email = normalizeEmail(text)
    if (email === null) payload.issues.push({ code: 'custom', message: 'is no e-mail address', input: text })
    return email ?? ''
  }),
)

// What an admin may set of an account: only what is named here can be set from outside.
const fieldsOf = ({ roles }: AccountSettings) =>
  z.object({
    email: anEmail,
    role: z.custom<string>((role) => isKnown(roles, role as string)),
    disabled: z.optional(z.boolean()),
    password: z.string(),
  })

/** The admin who writes accounts. */
export interface Admin {
  readonly id: string
  readonly role: string | null
  /**
   * Have them checked once more after a hash, which may have waited for its turn for as long as a body may take: whoever was
   * removed or disabled meanwhile must leave no account behind.
   */
  recheck(): Promise<void>
}

/**
 * Create an account on behalf of an admin.
 * @throws AuthError `validation_error` naming the field, `forbidden` for a role that the admin's doesn't include, `conflict` for
 * a taken e-mail, `temporarily_unavailable`
 */
export async function createAccount(settings: AccountSettings, body: JsonObject, by: Admin): Promise<Account> {
  const { storage, passwords, rules, clock } = settings
  const { email, role, disabled = false, password } = await parseBody(body, fieldsOf(settings))
  requireNotAbove(settings, by, role)
  requireGoodPassword(password, rules, email, 'password')
  const passwordHash = await passwords.hash(password)
  await by.recheck()
  const account = await orConflict(() =>
    storage.accounts.insert({ email, passwordHash, role, disabled, createdAt: new Date(clock()) }),
  )
  notifyEvent(settings, 'user_created', account.id, by.id)
  return account
}

/**
 * Change an account on behalf of an admin. Fields that are not there stay as they are.
 * @throws AuthError as {@link createAccount}; `not_found`; `conflict` for the last admin
 */
export async function changeAccount(
  settings: AccountSettings,
  accountId: string,
  body: JsonObject,
  by: Admin,
): Promise<Account> {
  const { storage, passwords, rules, adminRole } = settings
  const found = requireAccount(await storage.accounts.findById(accountId))
  requireNotAbove(settings, by, found.role)
  const { password, ...fields } = await parseBody(body, z.partial(fieldsOf(settings)))
  if (fields.role !== undefined) requireNotAbove(settings, by, fields.role)
  if (password !== undefined) requireGoodPassword(password, rules, fields.email ?? found.email, 'password')
  const change = password === undefined ? fields : { ...fields, passwordHash: await passwords.hash(password) }
  if (password !== undefined) {
    await by.recheck()
    // Whose password it is may have another role by now.
    requireNotAbove(settings, by, requireAccount(await storage.accounts.findById(accountId)).role)
  }
  const updated = await orConflict(() => storage.accounts.update(accountId, change, { keep: adminRole }))
  requireNotLast(updated.kind)
  const account = requireAccount(updated.kind === 'done' ? updated.account : null)
  notifyEvent(settings, 'user_changed', accountId, by.id)
  return account
}

/**
 * Remove an account on behalf of an admin.
 * @throws AuthError `not_found`, `forbidden` as {@link createAccount}, `conflict` for the last admin
 */
export async function removeAccount(
  settings: AccountSettings,
  accountId: string,
  by: Pick<Admin, 'id' | 'role'>,
): Promise<void> {
  const { role } = requireAccount(await settings.storage.accounts.findById(accountId))
  requireNotAbove(settings, by, role)
  const removed = await settings.storage.accounts.remove(accountId, { keep: settings.adminRole })
  requireNotLast(removed)
  requireAccount(removed === 'done' ? removed : null)
  notifyEvent(settings, 'user_removed', accountId, by.id)
}

function requireNotAbove({ roles }: AccountSettings, { role: own }: Pick<Admin, 'role'>, role: string): void {
  if (canTake(withoutCustom(roles), { role: own, bound: null }, role)) return
  throw new AuthError('forbidden', { reason: 'account_above_its_admin', expected: `at most ${own}`, got: role })
}

function requireAccount<T>(found: T | null): T {
  if (found === null) throw new AuthError('not_found', { reason: 'account_not_found' })
  return found
}

function requireNotLast(kind: 'done' | 'missing' | 'last'): void {
  if (kind === 'last') throw new AuthError('conflict', { reason: 'account_last_admin' })
}

async function orConflict<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (isConflictError(cause)) throw new AuthError('conflict', { reason: 'account_email_taken', cause })
    throw cause
  }
}

/** Options of `createFirstAdmin` and `resetAdmin` of a {@link Login}. */
export interface FirstAdminOptions {
  /** The admin's e-mail. */
  readonly email: string
  /**
   * Gets the password, once: print it, log nothing of it. Called inside the transaction, so that a crash can't leave an
   * admin whom nobody knows; where it throws, there is no admin and no new password.
   */
  readonly announce: (admin: { readonly email: string; readonly password: string }) => unknown
}

export async function createFirstAdmin(settings: AccountSettings, options: FirstAdminOptions): Promise<boolean> {
  const { email, announce } = parseAdmin('createFirstAdmin', options)
  const { storage, adminRole: role, passwords, clock } = settings
  return storage.transaction(async (transaction) => {
    const createdAt = new Date(clock())
    if (!(await transaction.claimFirstAdmin(createdAt))) return false
    const accounts = await transaction.accounts.list()
    if (accounts.some((account) => account.role === role || account.email === email)) return false
    const password = randomPassword()
    await transaction.accounts.insert({ email, passwordHash: await passwords.hash(password), role, createdAt })
    await announce({ email, password })
    return true
  })
}

export async function resetAdmin(settings: AccountSettings, options: FirstAdminOptions): Promise<void> {
  const { email, announce } = parseAdmin('resetAdmin', options)
  const { storage, adminRole: role, passwords, clock } = settings
  const password = randomPassword()
  const passwordHash = await passwords.hash(password)
  await storage.transaction(async (transaction) => {
    const { accounts } = transaction
    const createdAt = new Date(clock())
    await transaction.claimFirstAdmin(createdAt)
    const found = await accounts.findByEmail(email)
    if (found === null) await accounts.insert({ email, passwordHash, role, createdAt })
    else await accounts.update(found.id, { role, passwordHash, disabled: false })
    await announce({ email, password })
  })
  await createThrottle(storage.throttle, DEFAULT_LIMITS, clock).reset(email)
}

function parseAdmin(name: string, options: FirstAdminOptions): FirstAdminOptions {
  const parsed = parseOptions(name, ADMIN_SHAPE, options)
  const email = normalizeEmail(parsed.email)
  if (email === null) throw optionsError(name, 'email', 'must be a plain e-mail address')
  return { ...parsed, email }
}

const ADMIN_SHAPE: Shape<FirstAdminOptions> = { email: aString(), announce: aFunction() }

// 26 of 32 letters: 130 bits. Nothing in it is mistaken for another letter, or broken by a double click.
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'
function randomPassword(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(26)), (byte) => LETTERS.charAt(byte & 31)).join('')
}
