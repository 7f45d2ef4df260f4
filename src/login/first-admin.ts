/**
 * The first admin of an empty installation, made once and by nobody's request, and the way back in after a lost
 * password. Both hand the new password to the host, once, inside the transaction that makes it good.
 */
import * as z from 'zod/mini'
import { normalizeEmail } from '../lib/email.ts'
import { aFunction, aName, anObjectWith, type Complete, parseOptions } from '../lib/parse-options.ts'
import type { AccountStorage, AccountTransaction } from '../storage/account-repositories.ts'
import { createPasswordHasher, type PasswordHasher } from './password-hash.ts'
import { createThrottle } from './throttle.ts'
import { DEFAULT_LIMITS } from './throttle-policy.ts'

/** Options of {@link createFirstAdmin} and {@link resetAdmin}. */
export interface FirstAdminOptions {
  /** Where the accounts are. */
  readonly storage: AccountStorage
  /** The admin's e-mail. */
  readonly email: string
  /** The admin's role, the highest of the ladder. */
  readonly role: string
  /**
   * Gets the password, once: print it, log nothing of it. Called inside the transaction, so that a crash can't leave an
   * admin whom nobody knows; where it throws, there is no admin and no new password.
   */
  readonly announce: (admin: { readonly email: string; readonly password: string }) => unknown
  /** What hashes the password. Default: {@link createPasswordHasher} as it is. */
  readonly passwords?: PasswordHasher | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/**
 * Create the first admin unless this storage has, or ever had, one: a marker that one process claims, once and for all.
 * Call it at every start, after the tables are made. There is no route for it. Cost where there is nothing
 * to do: one transaction, no hash.
 *
 * @returns whether this call made the admin
 * @throws TypeError for a missing or unknown option, or what is no e-mail
 * @example
 * await createFirstAdmin({
 *   storage,
 *   email: 'admin@example.com',
 *   role: 'admin',
 *   announce: ({ email, password }) => console.log(`${email} has the password: ${password}`),
 * })
 */
export async function createFirstAdmin(options: FirstAdminOptions): Promise<boolean> {
  const { storage, now, makePassword, announce, email, role } = settingsOf('createFirstAdmin', options)
  return storage.transaction(async (transaction) => {
    if (!(await transaction.claimFirstAdmin(now()))) return false
    const accounts = await transaction.accounts.list()
    if (accounts.some((account) => account.role === role || account.email === email)) return false
    const { password, passwordHash } = await makePassword()
    await transaction.accounts.insert({ email, passwordHash, role, createdAt: now() })
    await announce({ email, password })
    return true
  })
}

/**
 * Give the admin a new password: the account is enabled, its role set, made where it was deleted; its sessions end and its
 * throttle is forgotten. Safe beside running servers. Cost: one hash, one transaction.
 *
 * @throws TypeError for a missing or unknown option, or what is no e-mail
 * @example
 * await resetAdmin({ storage, email: 'admin@example.com', role: 'admin', announce })
 */
export async function resetAdmin(options: FirstAdminOptions): Promise<void> {
  const { storage, now, makePassword, announce, email, role, clock } = settingsOf('resetAdmin', options)
  const { password, passwordHash } = await makePassword()
  await storage.transaction(async (transaction) => {
    await transaction.claimFirstAdmin(now())
    await putAdmin(transaction, { email, role, passwordHash, createdAt: now() })
    await announce({ email, password })
  })
  await createThrottle(storage.throttle, DEFAULT_LIMITS, clock).reset(email)
}

interface NewAdmin {
  readonly email: string
  readonly role: string
  readonly passwordHash: string
  readonly createdAt: Date
}

async function putAdmin({ accounts }: AccountTransaction, admin: NewAdmin): Promise<void> {
  const found = await accounts.findByEmail(admin.email)
  const { role, passwordHash } = admin
  if (found === null) await accounts.insert(admin)
  else await accounts.update(found.id, { role, passwordHash, disabled: false })
}

interface Settings extends Complete<Pick<FirstAdminOptions, 'storage' | 'email' | 'role' | 'announce' | 'clock'>> {
  now(): Date
  makePassword(): Promise<{ readonly password: string; readonly passwordHash: string }>
}

function settingsOf(name: string, options: FirstAdminOptions): Settings {
  const parsed = parseOptions(name, SHAPE, options)
  const { passwords = createPasswordHasher(), clock = Date.now } = parsed
  const email = normalizeEmail(parsed.email)
  if (email === null) throw new TypeError(`${name}: option "email" must be a plain e-mail address`)
  return {
    ...parsed,
    email,
    clock,
    now: () => new Date(clock()),
    async makePassword() {
      const password = randomPassword()
      return { password, passwordHash: await passwords.hash(password) }
    },
  }
}

// 26 of 32 letters: 130 bits. Nothing in it is mistaken for another letter, or broken by a double click.
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'

function randomPassword(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(26)), (byte) => LETTERS.charAt(byte & 31)).join('')
}

const SHAPE = {
  storage: anObjectWith<AccountStorage>('transaction'),
  email: z.string(),
  role: aName(),
  announce: aFunction<FirstAdminOptions['announce']>(),
  passwords: z.optional(anObjectWith<PasswordHasher>('hash', 'verify', 'needsRehash')),
  clock: z.optional(aFunction<() => number>()),
}
