/** What invitations are made with and handed on as: options, settings, events. */
import type { Organization, User } from '../context.ts'
import { notify } from '../lib/standard-error.ts'
import type { CustomRoles } from '../permissions/custom-roles.ts'
import type { PermissionOf, RoleOf, RolesGiven } from '../permissions/roles.ts'
import type { Invitation, PeopleStorage, PeopleTransaction } from '../storage/repositories.ts'
import type { Send, SendInvitation } from './invitation-mail.ts'
import type { PolicySettings } from './invitation-policy.ts'
import type { PeopleRule } from './people-rule.ts'

/**
 * What happened to an invitation, for the host's audit log. Holds no address and no secret, but for what `send` threw. One that
 * a first login has taken stands in that request's decision record.
 */
export interface InvitationEvent {
  readonly kind: 'invitation_created' | 'invitation_revoked' | 'invitation_accepted' | 'invitation_not_sent'
  readonly invitationId: string
  readonly orgId: string
  readonly role: string
  /** The id of the user who did it; of an accepted one, the member from now on. */
  readonly byId: string
  /** The organization that they left for it (`mayLeave`), or `null`. */
  readonly leftOrgId: string | null
  /** Why it was not sent: what `send` threw. Else `undefined`. */
  readonly cause?: unknown
  readonly at: Date
}

/** Options of `createInvitations`. */
export interface InvitationsOptions<G extends RolesGiven, U extends User, O extends Organization, Tx> {
  /** Where users, organizations, members and invitations are, and their transaction. */
  readonly storage: PeopleStorage<U, O, Tx>
  /** The roles: the same as those of `createAuth`. */
  readonly roles: G
  /** Roles that organizations make at run time, as of `createAuth`. They are looked up outside the transaction. */
  readonly customRoles?: CustomRoles | undefined
  /** Who may invite, up to their own role, list invitations and revoke them. There is no safe default. */
  readonly manage: PeopleRule<RoleOf<G>, PermissionOf<G>>
  /**
   * `when-accepted` (default): somebody seen for the first time gets what the provisioner's `decide` says, and accepts
   * afterwards. `on-first-login`: they join, where exactly one good invitation is pending for their verified address; whoever
   * may invite can so make a newcomer theirs, unasked.
   */
  readonly takeEffect?: 'when-accepted' | 'on-first-login' | undefined
  /** How long an invitation is good, in seconds: 60 to a year. Default 604,800: 7 days. */
  readonly expiresInSeconds?: number | undefined
  /** The most pending ones of an organization. Default 1000. */
  readonly maxPending?: number | undefined
  /**
   * `any-verified-address`: each invitation also has a link with a secret, for `send`; whoever has it and a verified address,
   * whichever, may accept. Default: there are no links.
   */
  readonly links?: 'any-verified-address' | undefined
  /**
   * Send the mail. Called once the invitation is stored, and waited for, 10 seconds at most (then the signal aborts). What it
   * throws undoes nothing and refuses nobody: the event `invitation_not_sent` has it. Default: nothing is sent.
   */
  readonly send?: SendInvitation<U, O> | undefined
  /**
   * Where users belong to one organization: may the only member of `org` leave it for another? Asked in the transaction in
   * which they accept; `true` moves them, and the API keys of the organization that they leave end; its row stays, unless this
   * removes it. `false`: 409. Their credential must carry what their role there may do. Default: nobody moves.
   */
  readonly mayLeave?: ((org: O, transaction: PeopleTransaction<U, O, Tx>) => boolean | Promise<boolean>) | undefined
  /** Told of every invitation created, revoked and accepted, once it is so; what it throws is printed, and changes nothing. */
  readonly onEvent?: ((event: InvitationEvent) => unknown) | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** Whom to invite. Values may come straight from a client: everything is checked. */
export interface InvitationFields {
  /** Whom to invite: an address, as a body brings it; it is checked and normalized. */
  readonly email: unknown
  /** One of the roles. */
  readonly role: unknown
}

/** An invitation as who has been invited sees it. */
export interface ReceivedInvitation<O extends Organization = Organization> {
  /** The invitation, as it is stored. */
  readonly invitation: Invitation
  /** The organization that invites. */
  readonly org: O
}

/** The membership that an invitation became. */
export interface AcceptedInvitation<U extends User = User, O extends Organization = Organization> {
  readonly invitationId: string
  readonly user: U
  readonly org: O
  /** Their role from now on. */
  readonly role: string
  readonly joinedAt: Date
  /** The organization that they left for it, or `null`. */
  readonly leftOrgId: string | null
}

/** What the actions work with. */
export interface InvitationSettings<U extends User = User, O extends Organization = Organization>
  extends PolicySettings,
    Pick<InvitationsOptions<RolesGiven, U, O, unknown>, 'links' | 'onEvent'> {
  readonly storage: PeopleStorage<U, O>
  readonly expiresInSeconds: number
  readonly maxPending: number
  readonly send: Send<U, O> | null
}

/** What accepting works with. */
export interface AcceptSettings<U extends User, O extends Organization, Tx>
  extends InvitationSettings<U, O>,
    Pick<InvitationsOptions<RolesGiven, U, O, Tx>, 'storage' | 'mayLeave'> {
  readonly storage: PeopleStorage<U, O, Tx>
}

/** Tell the host's audit log. */
export function notifyOf(
  { onEvent, clock }: Pick<InvitationSettings, 'onEvent' | 'clock'>,
  kind: InvitationEvent['kind'],
  { id: invitationId, orgId, role }: Pick<Invitation, 'id' | 'orgId' | 'role'>,
  {
    byId,
    leftOrgId = null,
    cause,
  }: Pick<InvitationEvent, 'byId' | 'cause'> & { readonly leftOrgId?: string | null | undefined },
): void {
  const event = { kind, invitationId, orgId, role, byId, leftOrgId, cause, at: new Date(clock()) }
  notify('createInvitations: onEvent', onEvent, Object.freeze(event))
}
