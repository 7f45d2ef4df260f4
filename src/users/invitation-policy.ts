/** What the provisioner asks about invitations: `createInvitations` of `sallyport/people` makes one. Types only. */
import type { Identity, PassedOver } from '../context.ts'
import type { Invitation, StorageTransaction } from '../storage/repositories.ts'

/** Which invitations there are for somebody seen for the first time, and which one takes effect by itself. */
export interface InvitationPolicy {
  /** Find the invitations of an identity's e-mail. Writes nothing. */
  find(identity: Identity): Promise<FoundInvitations>
}

/** What there is for somebody seen for the first time. */
export interface FoundInvitations {
  /** The one that takes effect by itself, or `null`. */
  readonly invitation: Invitation | null
  /** The good ones that don't. */
  readonly pending: readonly Invitation[]
  /**
   * Take one of them, inside the transaction that writes the membership: its organization is held, it is consumed, and its
   * inviter must be one who may grant `role` there now. `false`: it can't be taken; then the transaction is to be undone.
   * @throws Error for one that is none of them
   */
  take(transaction: StorageTransaction, taken: TakenInvitation): Promise<boolean>
  /** All but the one that was taken, and why they were not. */
  passedOver(invitationId: string | null): readonly PassedOver[]
}

/** Which invitation is taken, and as what. */
export interface TakenInvitation {
  readonly invitationId: string
  readonly orgId: string
  readonly role: string
  /** What that role may do, where it was looked up: one made at run time can't be inside the transaction. */
  readonly permissions?: readonly string[] | undefined
}
