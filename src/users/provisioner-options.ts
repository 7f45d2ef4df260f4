/** What a host says about first logins: the options of the provisioner, checked once, and the nouns they speak in. */
import * as z from 'zod/mini'
import type { Identity, Organization, User } from '../context.ts'
import { aFunction, aGroup, aName, anObjectWith, parseOptions } from '../lib/parse-options.ts'
import type { AuthStorage, Invitation, StorageTransaction } from '../storage/repositories.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'

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

/** Options of {@link createProvisioner}. */
export interface ProvisionerOptions<U extends User, O extends Organization, Tx> {
  /** Where users, organizations, memberships and invitations are, and their transaction. */
  readonly storage: Pick<AuthStorage<U, O, Tx>, 'users' | 'transaction'> &
    Partial<Pick<AuthStorage<U, O, Tx>, 'invitations'>>
  /** The role in an organization of one's own. Default `owner`; checked against the ladder by `createAuth`. */
  readonly ownerRole?: string | undefined
  /**
   * Ask for a pending invitation of the token's e-mail before anything is written. `emailIsVerified` has no default:
   * an unverified address must never join anybody's organization.
   */
  readonly invitations?: { readonly emailIsVerified: (identity: Identity) => boolean } | undefined
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

/** The options with their defaults. */
export interface ParsedProvisionerOptions<U extends User, O extends Organization, Tx>
  extends ProvisionerOptions<U, O, Tx> {
  readonly ownerRole: string
  readonly clock: () => number
}

/** Parse the options; throws `TypeError`. */
export function parseProvisionerOptions<U extends User, O extends Organization, Tx>(
  options: ProvisionerOptions<U, O, Tx>,
): ParsedProvisionerOptions<U, O, Tx> {
  const parsed = parseOptions('createProvisioner', SHAPE, options) as unknown as ProvisionerOptions<U, O, Tx>
  if (parsed.invitations !== undefined && typeof parsed.storage.invitations?.findPending !== 'function') {
    throw new TypeError('createProvisioner: option "invitations" needs a storage with invitations')
  }
  const storage = withStorageErrors(parsed.storage)
  return { ...parsed, storage, ownerRole: parsed.ownerRole ?? 'owner', clock: parsed.clock ?? Date.now }
}

const SHAPE = {
  storage: anObjectWith<{ readonly users?: Partial<AuthStorage['users']> | null | undefined }>('transaction').check(
    z.refine(({ users }) => typeof users?.findByIdentity === 'function', 'must be a storage with users'),
  ),
  ownerRole: z.optional(aName()),
  invitations: z.optional(aGroup({ emailIsVerified: aFunction<(identity: Identity) => boolean>() })),
  decide: z.optional(aFunction()),
  bootstrap: z.optional(aFunction()),
  clock: z.optional(aFunction<() => number>()),
}
