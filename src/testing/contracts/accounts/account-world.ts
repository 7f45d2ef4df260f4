/** What a case of the account contract finds around it: the storage, and accounts that nobody else uses. */
import type { AccountRecord, AccountStorage, NewAccount } from '../../../storage/account-repositories.ts'
import type { Closable } from '../contract.ts'
import * as expect from '../expectations.ts'
import { newEmail } from '../storage-world.ts'

/** Accounts to be tested. */
export interface AccountsUnderTest extends Closable {
  readonly storage: Pick<AccountStorage, 'accounts' | 'sessions' | 'transaction'>
}

/** The surroundings of one case. */
export interface AccountWorld extends Pick<AccountStorage, 'accounts' | 'sessions' | 'transaction'> {
  /** A role that no other account has: who is its last holder depends on this case alone. */
  readonly role: string
  /** An account of this role in the storage. */
  newAccount(over?: Partial<NewAccount>): Promise<AccountRecord>
  /** The account as it is now. */
  now(account: { readonly id: string }): Promise<AccountRecord>
  /** The account has not changed. */
  expectUnchanged(account: AccountRecord, after: string): Promise<void>
}

/** Build the surroundings of one case. */
export function createAccountWorld({ storage }: AccountsUnderTest): AccountWorld {
  // Of both cases: a storage that folds roles makes two of them one.
  const role = `Role-${newText()}`
  const now: AccountWorld['now'] = async ({ id }) =>
    expect.found(await storage.accounts.findById(id), 'the account to be found by id')
  return {
    ...storage,
    role,
    now,
    newAccount: (over = {}) => storage.accounts.insert({ ...newAccountOf(role), ...over }),
    expectUnchanged: async (account, after) =>
      expect.same(await now(account), account, `the account, unchanged after ${after}`),
  }
}

/** An account that is not in the storage. */
export function newAccountOf(role: string): NewAccount {
  return { email: newEmail(), passwordHash: newHash(), role, createdAt: new Date('2026-11-20T10:00:00.123Z') }
}

/** A text in the form of a password's hash, that no other is like. */
export function newHash(): string {
  return `$scrypt$ln=15,r=8,p=3$c2FsdHNhbHRzYWx0c2FsdA$${newText()}`
}

/** The id of a session. */
export function newSessionId(): string {
  return newText().slice(0, 22)
}

/** 32 letters that nobody else has. */
function newText(): string {
  return crypto.randomUUID().replaceAll('-', '')
}
