/**
 * How an invitation becomes a membership: in one transaction that holds the organization, takes the invitation, and asks what
 * its inviter may give at that moment. Who is nobody here yet is made in it; who may belong to one organization leaves the other.
 */
import type { AuthContext, Identity, Organization, User } from '../context.ts'
import { AuthError } from '../errors.ts'
import { invalidField } from '../http/read-json.ts'
import { sha256Hex } from '../lib/digest.ts'
import { toEmail } from '../lib/email.ts'
import type { GrantableRoles } from '../permissions/grants.ts'
import { requirePermissions } from '../permissions/permission-check.ts'
import { isKnown } from '../permissions/roles.ts'
import type { Invitation, PeopleTransaction } from '../storage/repositories.ts'
import { isConflictError, TransientError } from '../storage/storage-errors.ts'
import { CONTEXT_ORIGINS } from '../users/context-origin.ts'
import { makeUser } from '../users/provision.ts'
import type { Provisioner } from '../users/provisioner.ts'
import { retryTransient } from '../users/retry.ts'
import { resolveUser } from '../users/sync.ts'
import { invitationNotFound, withItsProfile } from './invitation-actions.ts'
import { requirePeople } from './invitation-policy.ts'
import { type AcceptedInvitation, type AcceptSettings, notifyOf } from './invitation-settings.ts'
import { addressOf, standingOf, verifiedAddressOf } from './invitation-standing.ts'
import { inTransaction, isSameMembership, requireIdentity, requirePerson, withRoles } from './people-act.ts'

export async function accept<U extends User, O extends Organization, Tx>(
  settings: AcceptSettings<U, O, Tx>,
  context: AuthContext,
  invitationId: string,
  provision: Provisioner<U, O, Tx> | undefined,
): Promise<AcceptedInvitation<U, O>> {
  const taker = await takerOf(settings, context, provision)
  const found = await settings.storage.invitations.findById(invitationId)
  const address = verifiedAddressOf(taker.identity)
  if (address === null) {
    const got = addressOf(taker.identity) === null ? 'none' : 'not verified'
    throw new AuthError('not_found', { reason: 'invitation_without_verified_email', got })
  }
  if (found === null || found.email !== address) throw invitationNotFound()
  return acceptFound(settings, taker, found)
}

export async function acceptByLink<U extends User, O extends Organization, Tx>(
  settings: AcceptSettings<U, O, Tx>,
  context: AuthContext,
  secret: unknown,
  provision: Provisioner<U, O, Tx> | undefined,
): Promise<AcceptedInvitation<U, O>> {
  if (typeof secret !== 'string') throw invalidField('secret')
  const taker = await takerOf(settings, context, provision)
  const { email, emailVerified } = taker.identity
  if (emailVerified !== true || toEmail(email) === null) {
    throw new AuthError('forbidden', { reason: 'invitation_link_without_verified_email' })
  }
  // Those from a time when there were links open nothing any more.
  const { storage, links } = settings
  const found = links === undefined ? null : await storage.invitations.findBySecretHash(await sha256Hex(secret))
  if (found === null) throw invitationNotFound()
  return acceptFound(settings, taker, found)
}

/** Who accepts: a user, or somebody whom the provisioner makes one. */
interface Taker<U extends User, O extends Organization, Tx> {
  readonly identity: Identity
  /** Run what makes them a member, in one transaction. */
  run(join: Join<U, O, Tx>): Promise<AcceptedInvitation<U, O>>
}

type Join<U extends User, O extends Organization, Tx> = (
  transaction: PeopleTransaction<U, O, Tx>,
  user: U,
  earlier: AcceptedInvitation<U, O> | undefined,
) => Promise<AcceptedInvitation<U, O>>

async function takerOf<U extends User, O extends Organization, Tx>(
  { known, storage, clock }: AcceptSettings<U, O, Tx>,
  context: AuthContext,
  provision: Provisioner<U, O, Tx> | undefined,
): Promise<Taker<U, O, Tx>> {
  const identity = requireIdentity(context, known)
  if (provision !== undefined) return newcomer(provision, context, identity)
  const { userId } = requirePerson(context, known)
  return {
    identity,
    run: (join) =>
      inTransaction<PeopleTransaction<U, O, Tx>, AcceptedInvitation<U, O>>(
        storage,
        clock,
        async (transaction, earlier) => {
          const user = await transaction.users.findById(userId)
          if (user === null) throw invitationNotFound()
          return join(transaction, resolveUser({ user }).user, earlier)
        },
      ),
  }
}

async function newcomer<U extends User, O extends Organization, Tx>(
  { settings }: Provisioner<U, O, Tx>,
  context: AuthContext,
  identity: Identity,
): Promise<Taker<U, O, Tx>> {
  const { storage, clock } = settings
  // Whoever is disabled here is told nothing else.
  const record = await storage.users.findByIdentity(identity, { kind: 'unnamed' })
  if (record !== null) resolveUser(record)
  const person = await withItsProfile(settings.profile, context, identity)
  return {
    identity: person,
    async run(join) {
      let earlier: AcceptedInvitation<U, O> | undefined
      let isNew = false
      const { user, placed } = await retryTransient((watch) => {
        const making = { identity: person, watch, kind: 'join' } as const
        return makeUser(settings, making, async (transaction, upserted) => {
          const joined = await join(requirePeople(transaction), resolveUser(upserted).user, earlier)
          // What was committed unheard was made by the attempt before.
          if (joined !== earlier) isNew = upserted.created
          earlier = joined
          return joined
        })
      }, clock)
      const { org, invitationId } = placed
      const passedOver = Object.freeze([])
      const provisioned = Object.freeze({ decision: 'join' as const, orgId: org.id, invitationId, passedOver })
      if (isNew) CONTEXT_ORIGINS.get(context)?.provisioned(provisioned)
      return Object.freeze({ ...placed, user })
    },
  }
}

async function acceptFound<U extends User, O extends Organization, Tx>(
  settings: AcceptSettings<U, O, Tx>,
  { identity, run }: Taker<U, O, Tx>,
  { id, orgId, role }: Invitation,
): Promise<AcceptedInvitation<U, O>> {
  const bound = identity.scopes ?? null
  const accepted = await withRoles(settings.known, orgId, [role], (roles) =>
    run((transaction, user, earlier) => joinBy(settings, { transaction, user, roles, bound, earlier }, { id, orgId })),
  )
  const { user, leftOrgId } = accepted
  notifyOf(settings, 'invitation_accepted', { id, orgId, role }, { byId: user.id, leftOrgId })
  return accepted
}

interface Joining<U extends User, O extends Organization, Tx> {
  readonly transaction: PeopleTransaction<U, O, Tx>
  readonly user: U
  readonly roles: GrantableRoles
  readonly bound: readonly string[] | null
  /** What an attempt came to before, whose COMMIT nobody heard of: all of it is there, or nothing. */
  readonly earlier: AcceptedInvitation<U, O> | undefined
}

async function joinBy<U extends User, O extends Organization, Tx>(
  settings: AcceptSettings<U, O, Tx>,
  joining: Joining<U, O, Tx>,
  { id, orgId }: Pick<Invitation, 'id' | 'orgId'>,
): Promise<AcceptedInvitation<U, O>> {
  const { transaction, user, roles, bound, earlier } = joining
  const { invitations, memberships } = transaction
  if (earlier !== undefined && isSameMembership(await memberships.find(orgId, user.id), earlier)) return earlier
  const former = settings.mayLeave === undefined ? null : await formerOrgOf(joining, orgId)
  const org = await holdBoth(transaction, orgId, former)
  const taken = org === null ? null : await invitations.consume(id)
  if (org === null || taken === null) throw invitationNotFound()
  if ((await standingOf(settings, transaction, roles, taken)) !== null) throw invitationNotFound()
  const { role } = taken
  // A credential that carries less than the role may do gives nobody more.
  const granted = roles.find(role) ?? []
  requirePermissions({ granted, bound, token: true }, granted)
  if ((await memberships.find(orgId, user.id)) !== null) {
    throw new AuthError('conflict', { reason: 'invitation_of_a_member_already' })
  }
  if (former !== null) await leave(settings, joining, former)
  try {
    const { joinedAt } = await memberships.insert({ orgId, userId: user.id, role })
    return Object.freeze({ invitationId: id, user, org, role, joinedAt, leftOrgId: former?.id ?? null })
  } catch (cause) {
    if (!isConflictError(cause)) throw cause
    throw new AuthError('conflict', { reason: 'invitation_to_another_org', cause })
  }
}

// The organization that the user is to leave; `null`: they belong to none, or to this one.
async function formerOrgOf<U extends User, O extends Organization, Tx>(
  { transaction, user }: Joining<U, O, Tx>,
  orgId: string,
): Promise<O | null> {
  const [first, second] = await transaction.memberships.listActing({ kind: 'user', user }, 2)
  if (first === undefined || first.org.id === orgId) return null
  if (second === undefined) return first.org
  throw new AuthError('conflict', { reason: 'invitation_leaves_several' })
}

// Always in the same order: two who go each other's way must not wait for one another.
async function holdBoth<U extends User, O extends Organization, Tx>(
  { orgs }: PeopleTransaction<U, O, Tx>,
  orgId: string,
  former: O | null,
): Promise<O | null> {
  let held: O | null = null
  for (const id of former === null ? [orgId] : [orgId, former.id].sort()) {
    const org = await orgs.findLocked(id)
    if (id === orgId) held = org
  }
  return held
}

async function leave<U extends User, O extends Organization, Tx>(
  { mayLeave, clock, known: { roles } }: AcceptSettings<U, O, Tx>,
  { transaction, user, bound }: Joining<U, O, Tx>,
  former: O,
): Promise<void> {
  const { memberships, apiKeys } = transaction
  const members = await memberships.listByOrg(former.id)
  const own = members.find(({ userId }) => userId === user.id)
  // Removed before it was held: the next look finds where they are now.
  if (own === undefined) throw new TransientError('who leaves an organization was removed from it')
  // As with every other leaving. One made at run time is not to be looked up in here: it may do no more than all there is.
  const granted = isKnown(roles, own.role) ? roles.permissionsOf(own.role) : roles.permissions
  requirePermissions({ granted, bound, token: true }, granted)
  if (members.some(({ userId }) => userId !== user.id)) {
    throw new AuthError('conflict', { reason: 'invitation_leaves_others' })
  }
  const answer: unknown = await mayLeave?.(former, transaction)
  if (answer === false) throw new AuthError('conflict', { reason: 'invitation_leaves_what_may_not_be_left' })
  if (answer !== true) throw new Error('sallyport: createInvitations: option "mayLeave" must answer true or false')
  await memberships.remove(former.id, user.id)
  // Nobody is left who could end them. Afterwards: whoever goes was waited for, and makes no more.
  const owner = { kind: 'org', orgId: former.id } as const
  for (const { id } of (await apiKeys?.list(owner)) ?? []) await apiKeys?.revoke(owner, id, new Date(clock()))
}
