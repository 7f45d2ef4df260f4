/**
 * First logins: what a host says about them, and the attempts at one, each of which decides, then writes everything in one
 * transaction, or nothing.
 */
import type { Identity, KnownRoles, Organization, ResolvedUser, User } from '../context.ts'
import { AuthError, isAuthError } from '../errors.ts'
import { normalizeEmail, toEmail } from '../lib/email.ts'
import type { AuthStorage, Invitation, InvitationRepository, StorageTransaction } from '../storage/repositories.ts'
import {
  causesOf,
  isConflictError,
  isTransient,
  isTransientError,
  TransientError,
  toTransient,
} from '../storage/storage-errors.ts'
import type { ProfileOptions } from './profile.ts'
import type { AttemptWatch } from './retry.ts'

/** What becomes of a person seen for the first time. */
export type ProvisioningDecision =
  /** A fresh organization of their own, with the owner's role in it. */
  | { readonly kind: 'create'; readonly orgName?: string | undefined }
  /** Into an organization that is there. With `invitationId` only if that invitation can still be taken. */
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
  readonly identity: Identity
  readonly user: U
  /** The organization made or joined; `null` where the decision was `none`. */
  readonly org: O | null
  /** The user's role in it; `null` where the decision was `none`. */
  readonly role: string | null
  /** The repositories inside this transaction, and the host's own handle to it (`transaction.handle`). */
  readonly transaction: StorageTransaction<U, O, Tx>
  readonly system: SystemContext
}

interface WithInvitations {
  readonly invitations?: Pick<InvitationRepository, 'listByEmail' | 'consume'>
}

/** Options of {@link createProvisioner}. */
export interface ProvisionerOptions<U extends User, O extends Organization, Tx> {
  /** Where users, organizations, memberships and invitations are, and their transaction. */
  readonly storage: Pick<AuthStorage<U, O, Tx>, 'users' | 'transaction'> & WithInvitations
  /** The role in an organization of one's own. Default `owner`; `createAuth` checks that there is such a role. */
  readonly ownerRole?: string | undefined
  /**
   * Ask for a pending invitation of the token's e-mail before anything is written. `emailIsVerified` has no default:
   * an unverified address must never join anybody's organization.
   */
  readonly invitations?: { readonly emailIsVerified: (identity: Identity) => boolean } | undefined
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
   * Decide by yourself; runs before any write, and again when an invitation was lost to somebody else. Default: join
   * by the pending invitation, else create.
   */
  readonly decide?:
    | ((identity: Identity, invitation: Invitation | null) => ProvisioningDecision | Promise<ProvisioningDecision>)
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

/**
 * Make the attempts at one first login. Each decides for the identity and writes: the user there is afterwards, and
 * whether this attempt made it. `roles`: those there are, where they are known.
 */
export function provisioning<U extends User, O extends Organization, Tx>(
  options: ProvisionerOptions<U, O, Tx> & { readonly ownerRole: string },
  identity: Identity,
  roles: KnownRoles | undefined,
): (watch: AttemptWatch) => Promise<ResolvedUser<U>> {
  const { storage, bootstrap, ownerRole, decide = byInvitation } = options
  const missing = new Set<string>()
  const { issuer, subject } = identity
  const email = toEmail(identity.email)
  return async (watch) => {
    const invitation = await pendingInvitation(options, identity, email)
    const decision = await watch.inTime(async () => {
      const decided = await decide(identity, invitation)
      await requireRole(decided, ownerRole, roles)
      return decided
    })
    watch.wait()
    let thrownByHook: unknown
    const write = async (transaction: StorageTransaction<U, O, Tx>): Promise<ResolvedUser<U>> => {
      const { user, created } = await transaction.users.upsertByIdentity({ issuer, subject, email })
      if (!created) return { user, created }
      const { org, role } = await place(transaction, user, { decision, email, ownerRole, missing })
      try {
        await bootstrap?.({ decision: decision.kind, identity, user, org, role, transaction, system: SYSTEM })
      } catch (error) {
        thrownByHook = error
        throw error
      }
      // Where the membership stands on the user's row, the row has changed since it was inserted.
      return { user: (await transaction.users.findById(user.id)) ?? user, created }
    }
    try {
      // What holds the transaction open is cut off inside it, so that the storage undoes it and is free again.
      return await storage.transaction((transaction) => watch.inTime(() => write(transaction)))
    } catch (error) {
      const isOfHook = thrownByHook !== undefined && causesOf(error).includes(thrownByHook)
      throw isOfHook ? toHookError(error) : toTransient(error, 'statement')
    }
  }
}

/** What a hook threw, for its throw: whom else it has asked in vain is not asked again and again. */
export function toHookError(error: unknown): unknown {
  if (!isTransient(error, 'statement') || isTransient(error, 'work')) return error
  const [cause, retryAfterSeconds] = [error, 1]
  return new AuthError('temporarily_unavailable', { reason: 'bootstrap_not_reached', retryAfterSeconds, cause })
}

// Before anything is written: a role that no route knows would leave a user who is refused for ever.
async function requireRole(decision: ProvisioningDecision, ownerRole: string, known?: KnownRoles): Promise<void> {
  if (decision.kind === 'none' || known === undefined) return
  const { roles } = known
  const isOwner = decision.kind === 'create'
  const role = isOwner ? ownerRole : decision.role
  // An organization that is still to be made has made no role.
  if (isOwner ? roles.includes(role, role) : (await known.find(decision.orgId, role)) !== null) return
  throw new Error(
    `createProvisioner: ${JSON.stringify(role)} is not one of the roles of createAuth: nothing was written`,
  )
}

async function pendingInvitation<U extends User, O extends Organization, Tx>(
  { storage, invitations }: ProvisionerOptions<U, O, Tx>,
  identity: Identity,
  address: string | null,
): Promise<Invitation | null> {
  if (invitations === undefined || address === null) return null
  if (invitations.emailIsVerified(identity) !== true) return null
  const email = normalizeEmail(address)
  return email === null ? null : ((await storage.invitations?.listByEmail(email, 1))?.[0] ?? null)
}

function byInvitation(_identity: Identity, invitation: Invitation | null): ProvisioningDecision {
  if (invitation === null) return { kind: 'create' }
  return { kind: 'join', orgId: invitation.orgId, role: invitation.role, invitationId: invitation.id }
}

interface Wish {
  readonly decision: ProvisioningDecision
  readonly email: string | null
  readonly ownerRole: string
  /** Organizations that an attempt was to join and did not find. */
  readonly missing: Set<string>
}

async function place<U extends User, O extends Organization, Tx>(
  { orgs, memberships, invitations }: StorageTransaction<U, O, Tx> & WithInvitations,
  { id: userId }: U,
  { decision, email, ownerRole, missing }: Wish,
): Promise<Pick<Bootstrap<U, O>, 'org' | 'role'>> {
  if (decision.kind === 'none') return { org: null, role: null }
  if (decision.kind === 'create') {
    const org = await orgs.insert({ name: decision.orgName ?? email ?? 'Personal' })
    await memberships.insert({ orgId: org.id, userId, role: ownerRole })
    return { org, role: ownerRole }
  }
  const { orgId, role, invitationId } = decision
  // One conditional write takes the invitation; whoever lost it rolls back and decides again.
  if (invitationId !== undefined && ((await invitations?.consume(invitationId)) ?? null) === null) {
    throw new TransientError('the invitation was taken by somebody else')
  }
  const org = await orgs.findById(orgId)
  if (org === null) {
    throw decideAgain(orgId, missing, new Error('createProvisioner: decide names an organization that does not exist'))
  }
  try {
    await memberships.insert({ orgId, userId, role })
  } catch (error) {
    if (isAuthError(error) || isConflictError(error) || isTransientError(error)) throw error
    throw decideAgain(orgId, missing, error)
  }
  return { org, role }
}

// Deleted since it was decided upon, or between the look and the write: the next decision is another. The same once more
// is a mistake of the host.
function decideAgain(orgId: string, missing: Set<string>, cause: unknown): unknown {
  if (missing.has(orgId)) return cause
  missing.add(orgId)
  return new TransientError('the organization to join is gone', { cause })
}
