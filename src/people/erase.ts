/** Somebody is erased: everything that is stored about them goes in one transaction, or nothing does. */
import type { IdentityKey, Organization, User } from '../context.ts'
import { AuthError } from '../errors.ts'
import { normalizeEmail } from '../lib/email.ts'
import { aFunction, aName, oneOf, optional, optionsError, parseOptions, type Shape } from '../lib/parse-options.ts'
import type { Account } from '../storage/account-repositories.ts'
import type { Member } from '../storage/repositories.ts'
import { type LeavingPlan, type LeftOrg, leaveOrgs, planLeaving, requireNowhere } from './leave-orgs.ts'
import { inTransaction } from './people-act.ts'
import {
  INSTALLATION,
  type PersonIds,
  requireAccounts,
  requireFound,
  type UserAdminSettings,
  type UserAdminTransaction,
  withEarlier,
} from './user-admin-storage.ts'

/** Options of `erase` of a `UserAdministration`. */
export interface EraseOptions<U extends User, O extends Organization, Tx> {
  /**
   * What becomes of issuer and subject. `blocked`: they stay on the disabled row, and whoever comes by them is refused for ever.
   * `freed`: they are replaced, and whoever comes by them is somebody new.
   */
  readonly identity: 'blocked' | 'freed'
  /** What becomes of organizations in which nobody else is: they go with all that is theirs, or stay without members. */
  readonly emptyOrgs: 'remove' | 'keep'
  /**
   * Name the next owner of an organization that would have none: the id of one of its other enabled members, who gets the
   * owner's role. Asked inside the transaction; `null`: none, and nobody is erased. Default: none.
   */
  readonly handOver?:
    | ((org: O, members: readonly Member[]) => string | null | undefined | Promise<string | null | undefined>)
    | undefined
  /** The id of the same person's local account, which is deleted with them. Default: they have none. */
  readonly account?: string | undefined
  /**
   * Delete the host's own rows in the same transaction, before anything else is written: the user is as they were, and
   * `removedOrgs` are still there. What it throws undoes everything. Runs once an attempt, and has 5 seconds with all the rest; where the
   * answer to a COMMIT did not come, it runs once more, and may find its rows gone.
   */
  readonly within?: ((erasing: Erasing<U, O, Tx>) => unknown) | undefined
}

/** Options of `eraseAccount` of a `UserAdministration`. */
export interface EraseAccountOptions<Tx> {
  /** As of {@link EraseOptions}. */
  readonly within?: ((erasing: Erasing<never, never, Tx>) => unknown) | undefined
}

/** What `within` is handed. */
export interface Erasing<U extends User, O extends Organization, Tx> {
  /** The user, as they were; `null`: a local account alone is erased. */
  readonly user: U | null
  /** The local account, as it was; `null`: there is none. */
  readonly account: Account | null
  /** The organizations that go with them. */
  readonly removedOrgs: readonly O[]
  /** The repositories inside this transaction, and the host's own handle to it. */
  readonly transaction: UserAdminTransaction<User, Organization, Tx>
}

/** What was erased. */
export interface Erasure extends PersonIds {
  /** `null`: a local account alone was erased. */
  readonly identity: 'blocked' | 'freed' | null
  /** Where they were a member, and what became of each. */
  readonly orgs: readonly LeftOrg[]
  /** How many invitations were deleted, but for those of organizations that went, too. */
  readonly invitations: number
  /** The public ids of the API keys that were revoked. */
  readonly endedKeyIds: readonly string[]
}

type AnyOptions<U extends User, O extends Organization, Tx> = EraseOptions<U, O, Tx> | EraseAccountOptions<Tx>

/**
 * Erase somebody; see `erase` of `UserAdministration`.
 * @throws AuthError
 */
export async function erase<U extends User, O extends Organization, Tx>(
  settings: UserAdminSettings<U, O, Tx>,
  ids: PersonIds,
  given: AnyOptions<U, O, Tx>,
): Promise<Erasure> {
  const { storage, clock } = settings
  const isUser = ids.userId !== null
  const options = isUser ? parseOptions('erase', userShape<U, O, Tx>(), given as EraseOptions<U, O, Tx>) : null
  const { within } = options ?? parseOptions('eraseAccount', accountShape<Tx>(), given as EraseAccountOptions<Tx>)
  const { erased } = await inTransaction<UserAdminTransaction<U, O, Tx>, Attempt<U, O>>(
    storage,
    clock,
    async (transaction, earlier) => {
      const row = ids.userId === null ? null : requireFound(await transaction.users.findById(ids.userId))
      const user = row?.email === null && earlier?.user ? earlier.user : row
      const account = ids.accountId === null ? null : await findAccount(transaction, ids.accountId, earlier?.account)
      const plans =
        row && options ? await planLeaving(transaction, row, { ...options, ownerRole: settings.ownerRole }) : []
      const gone = plans.filter(({ fate }) => fate === 'removed').map(({ org }) => org)
      const removedOrgs = withEarlier(gone, earlier?.removedOrgs, ({ id }) => id)
      await (within as EraseOptions<U, O, Tx>['within'])?.({ user, account, removedOrgs, transaction })
      if (account !== null) await removeAccount(settings, transaction, account.id)
      const traces = await removeTraces(transaction, [user, account], new Date(clock()))
      if (user !== null && options !== null) await removeUser(settings, transaction, { user, plans, ...options })
      // Who was waited for may have been making another key.
      const late = user === null ? [] : await endKeys(transaction, user, new Date(clock()))
      const found = { ...traces, endedKeyIds: Object.freeze([...traces.endedKeyIds, ...late]) }
      const orgs = withEarlier(plans.map(toLeftOrg), earlier?.erased.orgs, ({ orgId }) => orgId)
      return { user, account, removedOrgs, erased: { ...withEarlierTraces(found, earlier?.erased), orgs } }
    },
  )
  return Object.freeze({ ...ids, identity: options?.identity ?? null, ...erased })
}

/** What one attempt found and wrote. Where its COMMIT was not answered, the next one finds all of it gone, or all still there. */
interface Attempt<U extends User, O extends Organization> extends Pick<Erasing<U, O, never>, 'user' | 'account'> {
  readonly removedOrgs: readonly O[]
  readonly erased: Pick<Erasure, 'orgs' | 'invitations' | 'endedKeyIds'>
}

type Traces = Pick<Erasure, 'invitations' | 'endedKeyIds'>

function withEarlierTraces({ invitations, endedKeyIds }: Traces, earlier: Traces | undefined): Traces {
  const keys = withEarlier(endedKeyIds, earlier?.endedKeyIds, (id) => id)
  return { invitations: Math.max(invitations, earlier?.invitations ?? 0), endedKeyIds: keys }
}

async function findAccount(
  { accounts }: Pick<UserAdminTransaction, 'accounts'>,
  accountId: string,
  earlier: Account | null = null,
): Promise<Account> {
  const found = await requireAccounts(accounts).findById(accountId)
  if (found === null) return requireFound(earlier)
  const { passwordHash: _, ...account } = found
  return account
}

// Without its account no session is one any more, from the next request on.
async function removeAccount(
  { adminRole }: Pick<UserAdminSettings, 'adminRole'>,
  { accounts }: Pick<UserAdminTransaction, 'accounts'>,
  accountId: string,
): Promise<void> {
  if (adminRole === null) throw optionsError('createUserAdmin', 'adminRole', 'is required where the roles are sets')
  const change = await requireAccounts(accounts).remove(accountId, { keep: adminRole })
  if (change === 'last') throw new AuthError('conflict', { reason: 'erasure_leaves_no_admin' })
}

// What somebody has left behind under their id, and under their address.
async function removeTraces(
  { invitations, apiKeys }: Pick<UserAdminTransaction, 'invitations' | 'apiKeys'>,
  known: readonly (Pick<User, 'id' | 'email'> | null)[],
  at: Date,
): Promise<Traces> {
  const endedKeyIds: string[] = []
  let removed = 0
  for (const { id, email } of known.filter((each) => each !== null)) {
    removed += await invitations.removeOf(id, email === null ? null : normalizeEmail(email))
    endedKeyIds.push(...(await endKeys({ apiKeys }, { id }, at)))
  }
  return { invitations: removed, endedKeyIds: Object.freeze(endedKeyIds) }
}

async function endKeys(
  { apiKeys }: Pick<UserAdminTransaction, 'apiKeys'>,
  { id }: Pick<User, 'id'>,
  at: Date,
): Promise<readonly string[]> {
  return (await apiKeys?.revokeCreatedBy(INSTALLATION, id, at)) ?? []
}

interface UserRemoval<U extends User, O extends Organization> extends Pick<Erasure, 'identity'> {
  readonly user: U
  readonly plans: readonly LeavingPlan<O>[]
}

async function removeUser<U extends User, O extends Organization, Tx>(
  { ownerRole }: Pick<UserAdminSettings, 'ownerRole'>,
  transaction: UserAdminTransaction<U, O, Tx>,
  { user, plans, identity }: UserRemoval<U, O>,
): Promise<void> {
  await leaveOrgs(transaction, user, plans, ownerRole)
  requireFound(await transaction.users.anonymize(user.id, identity === 'freed' ? nobodysIdentity(user.id) : null))
  // Nobody who waits for this row can make them a member any more; who has done so before is seen.
  await requireNowhere(transaction, user)
}

// No issuer is called so, and it is the same each time.
function nobodysIdentity(subject: string): IdentityKey {
  return { issuer: 'urn:sallyport:erased', subject }
}

function toLeftOrg<O extends Organization>({ orgId, fate, newOwnerId }: LeavingPlan<O>): LeftOrg {
  return Object.freeze({ orgId, fate, newOwnerId })
}

// Functions: what a host does not use must not stay in its bundle.
const userShape = <U extends User, O extends Organization, Tx>(): Shape<EraseOptions<U, O, Tx>> => ({
  identity: oneOf('blocked', 'freed'),
  emptyOrgs: oneOf('remove', 'keep'),
  handOver: optional(aFunction()),
  account: optional(aName()),
  within: optional(aFunction()),
})

const accountShape = <Tx>(): Shape<EraseAccountOptions<Tx>> => ({ within: optional(aFunction()) })
