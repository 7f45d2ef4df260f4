/** What is stored about somebody, for whoever asks for it: all of it, but no secret and no hash. */
import type { Organization, User } from '../context.ts'
import { normalizeEmail } from '../lib/email.ts'
import type { Account } from '../storage/account-repositories.ts'
import type { ApiKeyRecord, Invitation } from '../storage/repositories.ts'
import { type PersonIds, requireAccounts, requireFound, type UserAdminSettings } from './user-admin-storage.ts'

/** What is stored about somebody. */
export interface PersonalData<U extends User = User, O extends Organization = Organization> {
  /** Their row, as the storage hands it to every handler; `null`: only an account was asked for. */
  readonly user: U | null
  /** Their local account; `null`: none was asked for. */
  readonly account: Account | null
  /** Where they are a member, by join time. */
  readonly memberships: readonly { readonly org: O; readonly role: string | null; readonly joinedAt: Date | null }[]
  /** Those that they have made, of any organization. */
  readonly invitationsSent: readonly Invitation[]
  /** To the address of their row, or of their account, where it is said to be verified; else none. */
  readonly invitationsReceived: readonly Invitation[]
  /** Those that they made, revoked ones too. */
  readonly apiKeys: readonly Omit<ApiKeyRecord, 'secretHash' | 'previousSecretHash'>[]
}

/**
 * Read it all. Not one snapshot: what is changed meanwhile may be in it or not.
 * @throws AuthError `not_found`
 */
export async function exportOf<U extends User, O extends Organization, Tx>(
  { storage }: UserAdminSettings<U, O, Tx>,
  { userId, accountId, hasVerifiedEmail }: PersonIds & { readonly hasVerifiedEmail: boolean },
): Promise<PersonalData<U, O>> {
  const { users, memberships, invitations, apiKeys } = storage
  const user = userId === null ? null : requireFound(await users.findById(userId))
  const account = accountId === null ? null : await findAccount(storage.accounts, accountId)
  const acting = user === null ? [] : await memberships.listActing({ kind: 'user', user })
  const places: PersonalData<U, O>['memberships'][number][] = []
  for (const { org, role } of acting) {
    const membership = user && (await memberships.find(org.id, user.id))
    places.push({ org, role, joinedAt: membership?.joinedAt ?? null })
  }
  const known = [user, account].filter((each) => each !== null)
  const invited = new Map<string, Invitation>()
  const keys: ApiKeyRecord[] = []
  for (const { id, email } of known) {
    // Any address can be claimed: what was sent to it is its owner's.
    const address = hasVerifiedEmail && email !== null ? normalizeEmail(email) : null
    const found = await invitations.listOf(id, address)
    for (const invitation of found) invited.set(invitation.id, invitation)
    keys.push(...((await apiKeys?.listCreatedBy(id)) ?? []))
  }
  const isSent = ({ invitedBy }: Invitation): boolean => known.some(({ id }) => id === invitedBy)
  const sent = [...invited.values()].filter(isSent)
  return {
    user,
    account,
    memberships: places,
    invitationsSent: sent,
    invitationsReceived: [...invited.values()].filter((invitation) => !sent.includes(invitation)),
    apiKeys: keys.map(({ secretHash: _, previousSecretHash: __, ...key }) => key),
  }
}

async function findAccount(accounts: UserAdminSettings['storage']['accounts'], accountId: string): Promise<Account> {
  const { passwordHash: _, ...account } = requireFound(await requireAccounts(accounts).accounts.findById(accountId))
  return account
}
