/**
 * The management of users by admins: create, change, remove, list. Only what is named here can be set from outside;
 * one enabled admin always remains, whatever happens at the same time. Hands on accounts without their hashes.
 */
import { AuthError } from '../errors.ts'
import { type JsonObject, readField } from '../http/read-json.ts'
import { normalizeEmail } from '../lib/email.ts'
import type { Account, AccountChange } from '../storage/account-repositories.ts'
import { isConflictError } from '../storage/storage-errors.ts'
import { tellEvent } from './login-events.ts'
import type { AccountSettings } from './login-options.ts'
import { requireGoodPassword } from './password-rules.ts'

/** The operations on users, each on behalf of `byId`. */
export interface Accounts {
  list(): Promise<readonly Account[]>
  /** @throws AuthError `validation_error` naming the field, `conflict` for a taken e-mail, `temporarily_unavailable` */
  create(body: JsonObject, byId: string): Promise<Account>
  /** @throws AuthError as `create`; `not_found`; `conflict` for the last admin */
  change(accountId: string, body: JsonObject, byId: string): Promise<Account>
  /** @throws AuthError `not_found`, `conflict` for the last admin */
  remove(accountId: string, byId: string): Promise<void>
}

/** Create the operations. */
export function createAccounts(settings: AccountSettings): Accounts {
  const { storage, passwords, adminRole, clock } = settings
  const { accounts } = storage
  return {
    list: () => accounts.list(),
    async create(body, byId) {
      const email = readEmail(body)
      const role = readRole(settings, body)
      const disabled = Object.hasOwn(body, 'disabled') ? readField(body, 'disabled', isBoolean) : false
      const password = readPassword(settings, body, email)
      const passwordHash = await passwords.hash(password)
      const account = await orConflict(() =>
        accounts.insert({ email, passwordHash, role, disabled, createdAt: new Date(clock()) }),
      )
      tellEvent(settings, 'user_created', account.id, byId)
      return account
    },
    async change(accountId, body, byId) {
      const found = requireAccount(await accounts.findById(accountId))
      const change = await readChange(settings, body, found.email)
      const updated = await orConflict(() => accounts.update(accountId, change, { keep: adminRole }))
      requireNotLast(updated.kind)
      const account = requireAccount(updated.kind === 'done' ? updated.account : null)
      tellEvent(settings, 'user_changed', accountId, byId)
      return account
    },
    async remove(accountId, byId) {
      const removed = await accounts.remove(accountId, { keep: adminRole })
      requireNotLast(removed)
      requireAccount(removed === 'done' ? removed : null)
      tellEvent(settings, 'user_removed', accountId, byId)
    },
  }
}

// Members that are not there stay as they are; any other member of the body means nothing.
async function readChange(settings: AccountSettings, body: JsonObject, email: string): Promise<AccountChange> {
  const has = (name: string): boolean => Object.hasOwn(body, name)
  const change = {
    ...(has('email') ? { email: readEmail(body) } : {}),
    ...(has('role') ? { role: readRole(settings, body) } : {}),
    ...(has('disabled') ? { disabled: readField(body, 'disabled', isBoolean) } : {}),
  }
  if (!has('password')) return change
  const password = readPassword(settings, body, change.email ?? email)
  return { ...change, passwordHash: await settings.passwords.hash(password) }
}

function readEmail(body: JsonObject): string {
  const email = normalizeEmail(readField(body, 'email', isString))
  if (email === null) throw new AuthError('validation_error', { field: 'email', reason: 'account_email_malformed' })
  return email
}

function readRole({ ladder }: AccountSettings, body: JsonObject): string {
  return readField(body, 'role', (value): value is string => (ladder.roles as readonly unknown[]).includes(value))
}

function readPassword({ rules }: AccountSettings, body: JsonObject, email: string): string {
  const password = readField(body, 'password', isString)
  requireGoodPassword(password, rules, email, 'password')
  return password
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

/** A type guard for members of a body. */
export function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean'
}
