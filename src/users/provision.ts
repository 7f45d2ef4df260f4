/**
 * First logins: what a host says about them, and the attempts at one, each of which decides, then writes everything in one
 * transaction, or nothing.
 */
import type { Identity, KnownRoles, Organization, Provisioned, User } from '../context.ts'
import { AuthError, isAuthError } from '../errors.ts'
import { toEmail } from '../lib/email.ts'
import { causesOf } from '../lib/standard-error.ts'
import type {
  AuthStorage,
  Invitation,
  OrganizationAdmin,
  OrganizationRepository,
  StorageTransaction,
} from '../storage/repositories.ts'
import {
  isConflictError,
  isTransient,
  isTransientError,
  TransientError,
  toTransient,
} from '../storage/storage-errors.ts'
import type { FoundInvitations, InvitationPolicy } from './invitation-policy.ts'
import type { ProfileOptions } from './profile.ts'
import type { AttemptWatch } from './retry.ts'

/** What becomes of a person seen for the first time. */
export type ProvisioningDecision =
  /**
   * A fresh organization of their own, with the owner's role in it. Its name by default the e-mail, else `Personal`; its id
   * the storage's. An `orgId` that is taken is decided about once more; the same again is a mistake of the host.
   */
  | { readonly kind: 'create'; readonly orgName?: string | undefined; readonly orgId?: string | undefined }
  /**
   * Into an organization that is there. With `invitationId`, one of those that `decide` was handed, only if that invitation
   * can still be taken and its inviter may grant `role`.
   */
  | { readonly kind: 'join'; readonly orgId: string; readonly role: string; readonly invitationId?: string | undefined }
  /** A user row without a membership. */
  | { readonly kind: 'none' }

/**
 * Says in a host's own code that it acts for the system, not for a caller: handed to the bootstrap hook and nowhere
 * else, because at that moment no organization exists that the work could be scoped to.
 */
export interface SystemContext {
  readonly kind: 'system'
  readonly purpose: 'provisioning'
}

/** What the bootstrap hook is handed, inside the transaction that makes the user. */
export interface Bootstrap<U extends User = User, O extends Organization = Organization, Tx = unknown> {
  /** What was decided: `create`, `join` or `none`. */
  readonly decision: ProvisioningDecision['kind']
  /** Who the token says that is. */
  readonly identity: Identity
  readonly user: U
  /** The organization made or joined; `null` where the decision was `none`. */
  readonly org: O | null
  /** The user's role in it; `null` where the decision was `none`. */
  readonly role: string | null
  /** The repositories inside this transaction, and the host's own handle to it (`transaction.handle`). */
  readonly transaction: StorageTransaction<U, O, Tx>
  /** Nobody in no organization: for what writes without one, `withSystemScope`, say. */
  readonly system: SystemContext
}

/** Options of {@link createProvisioner}. */
export interface ProvisionerOptions<U extends User, O extends Organization, Tx> {
  /** Where users, organizations and memberships are, and their transaction; with `invitations` a storage that has them. */
  readonly storage: Pick<AuthStorage<U, O, Tx>, 'users' | 'transaction'>
  /** The role in an organization of one's own. Default `owner`; `createAuth` checks that there is such a role. */
  readonly ownerRole?: string | undefined
  /**
   * Who says which invitations there are for a new person's e-mail, which one takes effect by itself, and who takes it:
   * `createInvitations(…)` of `sallyport/people`, over the same storage. An address counts where its issuer's options say that
   * it is verified. Default: nobody is asked.
   */
  readonly invitations?: InvitationPolicy | undefined
  /**
   * Ask the person's issuer for more than the token says, before anything is decided or written. What it gives is in the
   * `identity` of `invitations`, `decide` and `bootstrap`, and the user's e-mail; where it can't be had the request is 503
   * `temporarily_unavailable`. Default: what the token says is all.
   */
  readonly profile?: ProfileOptions | undefined
  /**
   * `when-verified`: where the token of somebody who is here already has another address than their row, and its issuer says
   * that it is verified (`identity.emailVerified`), it is written into the row; a token without one changes nothing. One that was
   * issued before the change writes the old address again. Nobody is found by it. Default: the row keeps its first.
   */
  readonly refreshEmail?: 'when-verified' | undefined
  /**
   * Decide by yourself; runs before any write, and again when an invitation was lost to somebody else. `invitation` is the one
   * that takes effect now, or `null`; `pending` are the good ones that don't by themselves. Default: join by the invitation,
   * else create.
   */
  readonly decide?:
    | ((
        identity: Identity,
        invitation: Invitation | null,
        pending: readonly Invitation[],
      ) => ProvisioningDecision | Promise<ProvisioningDecision>)
    | undefined
  /**
   * Write the host's own rows in the same transaction. What it throws undoes everything: an `AuthError` refuses the
   * caller without a trace, anything else is a 500. Runs once per attempt: effects outside the database (mail,
   * billing) belong into an outbox row.
   */
  readonly bootstrap?: ((bootstrap: Bootstrap<U, O, Tx>) => void | Promise<void>) | undefined
  /** The clock for the retry deadline, in milliseconds. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

const SYSTEM: SystemContext = Object.freeze({ kind: 'system', purpose: 'provisioning' })

/** The options of a provisioner, read. */
export interface ProvisionerSettings<U extends User, O extends Organization, Tx> extends ProvisionerOptions<U, O, Tx> {
  readonly ownerRole: string
  readonly clock: () => number
}

/** A user after an attempt, and what it did where it made them. */
export interface AttemptedUser<U extends User> {
  readonly user: U
  readonly created: boolean
  readonly provisioned?: Provisioned | undefined
}

/**
 * Make the attempts at one first login. Each decides for the identity and writes: the user there is afterwards, and
 * whether this attempt made it. `roles`: those there are, where they are known.
 */
export function provisioning<U extends User, O extends Organization, Tx>(
  settings: ProvisionerSettings<U, O, Tx>,
  identity: Identity,
  roles: KnownRoles | undefined,
): (watch: AttemptWatch) => Promise<AttemptedUser<U>> {
  const { invitations, ownerRole, decide = byInvitation } = settings
  const missing = new Set<string>()
  const email = toEmail(identity.email)
  // What an attempt made whose COMMIT was not heard of: the next one finds it.
  let earlier: AttemptedUser<U> | undefined
  return async (watch) => {
    const found = await invitations?.find(identity)
    const { decision, permissions } = await watch.inTime(async () => {
      const decided = await decide(identity, found?.invitation ?? null, found?.pending ?? [])
      return { decision: decided, permissions: await requireRole(decided, ownerRole, roles) }
    })
    const wish = { decision, permissions, email, ownerRole, missing, found }
    const making = { identity, watch, kind: decision.kind }
    const { user, created } = await makeUser(settings, making, async (transaction, upserted) => {
      if (!upserted.created) return null
      const placed = await place(transaction, upserted.user, wish)
      const invitationId = invitationOf(decision)
      const passedOver = found?.passedOver(invitationId) ?? []
      const provisioned = { decision: decision.kind, orgId: placed.org?.id ?? null, invitationId, passedOver }
      earlier = { ...upserted, provisioned: Object.freeze(provisioned) }
      return placed
    })
    return user.id === earlier?.user.id ? { ...earlier, user } : { user, created }
  }
}

function invitationOf(decision: ProvisioningDecision): string | null {
  return (decision.kind === 'join' ? decision.invitationId : null) ?? null
}

/** Where a person was placed. */
export type Placed<U extends User, O extends Organization> = Pick<Bootstrap<U, O>, 'org' | 'role'>

interface Making {
  readonly identity: Identity
  readonly watch: AttemptWatch
  /** What the hook is told that was decided. */
  readonly kind: ProvisioningDecision['kind']
}

/**
 * Make the user of an identity, or find the one that is there, and write in the same transaction what `write` writes; of a
 * user that was made the hook writes too.
 */
export async function makeUser<U extends User, O extends Organization, Tx, P extends Placed<U, O> | null>(
  { storage, bootstrap }: ProvisionerSettings<U, O, Tx>,
  { identity, watch, kind }: Making,
  write: (
    transaction: StorageTransaction<U, O, Tx>,
    upserted: { readonly user: U; readonly created: boolean },
  ) => P | Promise<P>,
): Promise<{ readonly user: U; readonly created: boolean; readonly placed: P }> {
  const { issuer, subject } = identity
  watch.wait()
  let thrownByHook: unknown
  const work = async (transaction: StorageTransaction<U, O, Tx>) => {
    const upserted = await transaction.users.upsertByIdentity({ issuer, subject, email: toEmail(identity.email) })
    const { user, created } = upserted
    const placed = await write(transaction, upserted)
    if (!created || placed === null) return { user, created, placed }
    const { org, role } = placed
    try {
      await bootstrap?.({ decision: kind, identity, user, org, role, transaction, system: SYSTEM })
    } catch (error) {
      thrownByHook = error
      throw error
    }
    // Where the membership stands on the user's row, the row has changed since it was inserted.
    return { user: (await transaction.users.findById(user.id)) ?? user, created, placed }
  }
  try {
    // What holds the transaction open is cut off inside it, so that the storage undoes it and is free again.
    return await storage.transaction((transaction) => watch.inTime(() => work(transaction)))
  } catch (error) {
    const isOfHook = thrownByHook !== undefined && causesOf(error).includes(thrownByHook)
    throw isOfHook ? toHookError(error) : toTransient(error, 'statement')
  }
}

/** What a hook threw, for its throw: whom else it has asked in vain is not asked again and again. */
export function toHookError(error: unknown): unknown {
  if (!isTransient(error, 'statement') || isTransient(error, 'work')) return error
  return new AuthError('temporarily_unavailable', { reason: 'bootstrap_not_reached', cause: error })
}

// Before anything is written: a role that no route knows would leave a user who is refused for ever. What it may do.
async function requireRole(
  decision: ProvisioningDecision,
  ownerRole: string,
  known?: KnownRoles,
): Promise<readonly string[] | undefined> {
  if (decision.kind === 'none' || known === undefined) return undefined
  const { roles } = known
  const isOwner = decision.kind === 'create'
  const role = isOwner ? ownerRole : decision.role
  // An organization that is still to be made has made no role.
  const permissions = isOwner ? roles.permissionsOf(role) : await known.find(decision.orgId, role)
  if (isOwner ? roles.includes(role, role) : permissions !== null) return permissions ?? undefined
  throw new Error(
    `createProvisioner: ${JSON.stringify(role)} is not one of the roles of createAuth: nothing was written`,
  )
}

function byInvitation(_identity: Identity, invitation: Invitation | null): ProvisioningDecision {
  if (invitation === null) return { kind: 'create' }
  return { kind: 'join', orgId: invitation.orgId, role: invitation.role, invitationId: invitation.id }
}

interface Wish {
  readonly decision: ProvisioningDecision
  readonly permissions: readonly string[] | undefined
  readonly email: string | null
  readonly ownerRole: string
  /** What an attempt was to have and did not find, or not free. */
  readonly missing: Set<string>
  readonly found: FoundInvitations | undefined
}

async function place<U extends User, O extends Organization, Tx>(
  transaction: StorageTransaction<U, O, Tx>,
  { id: userId }: U,
  { decision, permissions, email, ownerRole, missing, found }: Wish,
): Promise<Placed<U, O>> {
  const { orgs, memberships } = transaction
  if (decision.kind === 'none') return { org: null, role: null }
  if (decision.kind === 'create') {
    const { orgName: name = email ?? 'Personal', orgId: id } = decision
    const org = await orgs.insert({ name, id }).catch((error: unknown) => {
      throw id !== undefined && isConflictError(error) ? decideAgain(missing, id, TAKEN) : error
    })
    await memberships.insert({ orgId: org.id, userId, role: ownerRole })
    return { org, role: ownerRole }
  }
  const { orgId, role } = decision
  const invitationId = invitationOf(decision)
  // Whoever lost it rolls back and decides again.
  if (invitationId !== null && (await found?.take(transaction, { invitationId, orgId, role, permissions })) !== true) {
    throw decideAgain(missing, invitationId, 'an invitation that can not be taken')
  }
  const org = await hold(orgs, orgId)
  if (org === null) throw decideAgain(missing, orgId, 'an organization that does not exist')
  try {
    await memberships.insert({ orgId, userId, role })
  } catch (error) {
    if (isAuthError(error) || isConflictError(error) || isTransientError(error)) throw error
    throw decideAgain(missing, orgId, error)
  }
  return { org, role }
}

// A store that can hold an organization does: somebody may be about to remove it as one that nobody is left in.
function hold<O extends Organization>(
  orgs: OrganizationRepository<O> & Partial<OrganizationAdmin<O>>,
  orgId: string,
): Promise<O | null> {
  return orgs.findLocked?.(orgId) ?? orgs.findById(orgId)
}

const TAKEN = 'an organization that is there already'

// Deleted or taken since it was decided upon, or between the look and the write: the next decision is another. The same
// once more is a mistake of the host.
function decideAgain(missing: Set<string>, id: string, why: unknown): unknown {
  const cause = typeof why === 'string' ? new Error(`createProvisioner: decide names ${why}`) : why
  if (missing.has(id)) return cause
  missing.add(id)
  return new TransientError('what was decided upon is gone', { cause })
}
