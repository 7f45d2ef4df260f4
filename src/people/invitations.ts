/**
 * Invitations into organizations: sent to an address by somebody who may give the role, taken by whoever has proved that the
 * address is theirs. What an inviter may give is asked again at the moment it takes effect, while the organization is held.
 */
import type { AuthContext, Organization, User } from '../context.ts'
import {
  aCount,
  aFunction,
  aNumber,
  anObjectWith,
  aValue,
  oneOf,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { type CustomRoles, toKnownRoles } from '../permissions/custom-roles.ts'
import { type RolesGiven, toRoles } from '../permissions/roles.ts'
import type { Invitation } from '../storage/repositories.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'
import type { InvitationPolicy } from '../users/invitation-policy.ts'
import type { Provisioner } from '../users/provisioner.ts'
import { accept, acceptByLink } from './accept-invitation.ts'
import { create, list, mine, revoke } from './invitation-actions.ts'
import { createSend } from './invitation-mail.ts'
import { findForNewcomer } from './invitation-policy.ts'
import type {
  AcceptedInvitation,
  AcceptSettings,
  InvitationFields,
  InvitationsOptions,
  ReceivedInvitation,
} from './invitation-settings.ts'
import { aStorageWith } from './people-act.ts'
import { aPeopleRule, type PeopleRule, requireSatisfiable } from './people-rule.ts'

/** How an invitation is accepted. */
export interface AcceptOptions<U extends User, O extends Organization, Tx> {
  /**
   * The provisioner. With it the context may be one of `needs: 'identity'`: who is nobody here yet is made in the same
   * transaction, with this membership and no organization of their own.
   */
  readonly provision?: Provisioner<U, O, Tx> | undefined
}

/**
 * What is done with invitations. Every method takes the context of a person; `forbidden` for anybody else. Each change is one
 * transaction, tried again after a failure of the moment as a first login is.
 */
export interface Invitations<U extends User = User, O extends Organization = Organization, Tx = unknown>
  extends InvitationPolicy {
  /** Who may invite, list and revoke. */
  readonly manage: PeopleRule
  /** Whether there are links. */
  readonly hasLinks: boolean
  /**
   * Invite an address into the organization that the person acts in.
   * @throws AuthError `validation_error` naming `email` or `role`; `forbidden` for a role above one's own; `conflict` for an
   * address that is invited already or a member's, and where there are `maxPending`
   */
  create(context: AuthContext, fields: InvitationFields): Promise<Invitation>
  /** List the pending ones of that organization by creation. Costs one query. */
  list(context: AuthContext): Promise<readonly Invitation[]>
  /**
   * Revoke a pending one of that organization.
   * @throws AuthError `not_found`; `forbidden` for one of a role above one's own
   */
  revoke(context: AuthContext, invitationId: string): Promise<void>
  /**
   * List the good ones of the person's verified address, of all organizations, at most 100. Costs a query, and three for each;
   * with a `provision` that asks for profiles, that too.
   */
  mine(context: AuthContext, options?: AcceptOptions<U, O, Tx>): Promise<readonly ReceivedInvitation<O>[]>
  /**
   * Accept one that was sent to the person's verified address.
   * @throws AuthError `not_found` for everything but a good one of theirs, alike; `conflict` for a member, and where users
   * belong to one organization and this one does
   */
  accept(
    context: AuthContext,
    invitationId: string,
    options?: AcceptOptions<U, O, Tx>,
  ): Promise<AcceptedInvitation<U, O>>
  /**
   * Accept the one whose link has this secret.
   * @throws AuthError as `accept`; `forbidden` without a verified address; `validation_error` naming `secret`
   */
  acceptByLink(
    context: AuthContext,
    secret: unknown,
    options?: AcceptOptions<U, O, Tx>,
  ): Promise<AcceptedInvitation<U, O>>
}

/**
 * Create what is done with invitations, and what a provisioner goes by (`createProvisioner({ storage, invitations })`).
 *
 * An invitation is good until it expires, while its role is one that there is, and while its inviter is a member, not disabled,
 * who still satisfies `manage` and may give that role; one that the host itself has stored (`invitedBy: null`) has no inviter to
 * ask. Nobody but the inviter's organization is told of any other. It is taken once, by whoever has its address as a verified
 * one: as their issuer's options say it, and never by what the token's user wrote. Inviting, revoking and accepting are one
 * transaction each.
 *
 * @throws OptionsError for a missing, unknown or wrong option
 * @example
 * const invitations = createInvitations({ storage, roles, manage: { role: 'admin' }, send: ({ invitation }) => mail(invitation) })
 * const users = createProvisioner({ storage, invitations })
 */
export function createInvitations<const G extends RolesGiven, U extends User, O extends Organization, Tx>(
  options: InvitationsOptions<G, U, O, Tx>,
): Invitations<U, O, Tx> {
  const settings = parse(options as Options<U, O, Tx>)
  return Object.freeze({
    manage: settings.manage,
    hasLinks: settings.links !== undefined,
    find: async (identity) => findForNewcomer(settings, identity),
    create: async (context, fields) => create(settings, context, fields),
    list: async (context) => list(settings, context),
    revoke: async (context, invitationId) => revoke(settings, context, invitationId),
    mine: async (context, given) => mine(settings, context, given?.provision?.settings.profile),
    accept: async (context, invitationId, given) => accept(settings, context, invitationId, given?.provision),
    acceptByLink: async (context, secret, given) => acceptByLink(settings, context, secret, given?.provision),
  } satisfies Invitations<U, O, Tx>)
}

const NAME = 'createInvitations'

type Options<U extends User, O extends Organization, Tx> = Omit<InvitationsOptions<RolesGiven, U, O, Tx>, 'manage'> & {
  readonly manage: PeopleRule
}

function parse<U extends User, O extends Organization, Tx>(options: Options<U, O, Tx>): AcceptSettings<U, O, Tx> {
  const parsed = parseOptions<Options<U, O, Tx>>(NAME, shape<U, O, Tx>(), options)
  const { roles: given, customRoles, manage, links, send, mayLeave, onEvent } = parsed
  const { takeEffect = 'when-accepted', expiresInSeconds = 604_800, maxPending = 1000, clock = Date.now } = parsed
  const roles = toRoles(given, NAME)
  if (links !== undefined && send === undefined) throw optionsError(NAME, 'links', 'needs option "send"')
  return {
    ...{ takeEffect, expiresInSeconds, maxPending, clock, links, mayLeave, onEvent },
    storage: withStorageErrors(parsed.storage),
    known: toKnownRoles(roles, customRoles),
    manage: Object.freeze(requireSatisfiable(NAME, 'manage', manage, roles)),
    send: send === undefined ? null : createSend(send, clock),
  }
}

// A function: what a host does not use must not stay in its bundle.
const shape = <U extends User, O extends Organization, Tx>(): Shape<Options<U, O, Tx>> => ({
  storage: aStorageWith({
    users: ['findById'],
    orgs: ['findById', 'findLocked'],
    memberships: ['findActing', 'listActing', 'listByOrg', 'find', 'insert', 'remove'],
    invitations: ['insert', 'findById', 'findBySecretHash', 'listByEmail', 'listByOrg', 'consume'],
  }),
  roles: aValue<RolesGiven>(),
  customRoles: optional(anObjectWith<CustomRoles>('find')),
  manage: aPeopleRule(),
  takeEffect: optional(oneOf('when-accepted', 'on-first-login')),
  expiresInSeconds: optional(aNumber(60, 31_536_000)),
  maxPending: optional(aCount(1, 100_000)),
  links: optional(oneOf('any-verified-address')),
  send: optional(aFunction()),
  mayLeave: optional(aFunction()),
  onEvent: optional(aFunction()),
  clock: optional(aFunction()),
})
