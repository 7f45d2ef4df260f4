/** What the storage of user administration holds beside people: local accounts, where people have one there. */
import type { Organization, User } from '../context.ts'
import { AuthError } from '../errors.ts'
import type { AccountRepository } from '../storage/account-repositories.ts'
import type { ApiKeyOwner, PeopleStorage, PeopleTransaction } from '../storage/repositories.ts'

/** What one transaction hands its work: people, and where local accounts are in the same database, those. */
export interface UserAdminTransaction<U extends User = User, O extends Organization = Organization, Tx = unknown>
  extends PeopleTransaction<U, O, Tx> {
  /** Left out: accounts are not in this transaction, and can't be erased. */
  readonly accounts?: AccountRepository | undefined
}

/** A storage of people, with that of local login (`sallyport/login`) where both are in one database: every shipped one. */
export interface UserAdminStorage<U extends User = User, O extends Organization = Organization, Tx = unknown>
  extends Pick<PeopleStorage<U, O, Tx>, 'users' | 'memberships' | 'invitations' | 'apiKeys'> {
  /** The accounts of local login, where erasing and exporting are to know them. Default: none are known. */
  readonly accounts?: { readonly accounts: Pick<AccountRepository, 'findById'> } | undefined
  /** As `PeopleStorage.transaction`. */
  transaction<T>(work: (transaction: UserAdminTransaction<U, O, Tx>) => Promise<T>): Promise<T>
}

/** What user administration works with. */
export interface UserAdminSettings<U extends User = User, O extends Organization = Organization, Tx = unknown> {
  readonly storage: UserAdminStorage<U, O, Tx>
  readonly ownerRole: string
  /** `null`: the roles are sets, and none was named. */
  readonly adminRole: string | null
  readonly clock: () => number
}

/** Who is meant: a user, a local account, or both of one person. */
export interface PersonIds {
  readonly userId: string | null
  readonly accountId: string | null
}

/** All API keys there are. */
export const INSTALLATION: ApiKeyOwner = Object.freeze({ kind: 'installation' })

/**
 * Require that somebody is there.
 * @throws AuthError `not_found`
 */
export function requireFound<T>(found: T | null): T {
  if (found === null) throw new AuthError('not_found', { reason: 'person_unknown' })
  return found
}

/**
 * Require that accounts can be had: none are where the host keeps them elsewhere.
 * @throws Error a mistake of the host
 */
export function requireAccounts<A>(accounts: A | undefined): A {
  if (accounts !== undefined) return accounts
  throw new Error('sallyport: createUserAdmin: this storage has no accounts, or none in its transactions')
}

/**
 * What was done, where the answer to an earlier COMMIT did not come: what that attempt has done is done, or is done once more by
 * this one. Each is told once.
 */
export function withEarlier<T>(
  now: readonly T[],
  earlier: readonly T[] | undefined,
  idOf: (each: T) => string,
): readonly T[] {
  const known = new Set(now.map(idOf))
  return Object.freeze([...(earlier ?? []).filter((each) => !known.has(idOf(each))), ...now])
}
