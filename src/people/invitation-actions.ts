/** What is done with the invitations of an organization: created, listed, revoked; and the answer to "which are mine?". */
import type { AuthContext, Identity, Organization, User } from '../context.ts'
import { AuthError } from '../errors.ts'
import { invalidField } from '../http/read-json.ts'
import { encodeBase64UrlBinary } from '../lib/base64url.ts'
import { sha256Hex } from '../lib/digest.ts'
import { normalizeEmail } from '../lib/email.ts'
import type { Invitation } from '../storage/repositories.ts'
import { isConflictError } from '../storage/storage-errors.ts'
import { CONTEXT_ORIGINS } from '../users/context-origin.ts'
import { type ProfileOptions, withProfile } from '../users/profile.ts'
import {
  type InvitationFields,
  type InvitationSettings,
  notifyOf,
  type ReceivedInvitation,
} from './invitation-settings.ts'
import { isLive, judgeAll, verifiedAddressOf } from './invitation-standing.ts'
import { type Act, actInOrg, requirePerson, requirePersonInOrg, withRoles } from './people-act.ts'
import { requireGrantable, requireRole, requireRoleText, requireRule, requireTakeable } from './people-rule.ts'

export async function create<U extends User, O extends Organization>(
  settings: InvitationSettings<U, O>,
  context: AuthContext,
  fields: InvitationFields,
): Promise<Invitation> {
  const { known, manage, links, send } = settings
  const person = requirePersonInOrg(context, known)
  const [email, role] = [requireAddress(fields.email), requireRoleText(fields.role)]
  const secret = links === undefined ? null : createSecret()
  const secretHash = secret === null ? null : await sha256Hex(secret)
  const { invitation, org, inviter } = await actInOrg<U, O, unknown, Created<U, O>>(
    settings,
    person,
    [role],
    async (act, earlier) => {
      if (earlier !== undefined && (await act.transaction.invitations.findById(earlier.invitation.id)) !== null) {
        return earlier
      }
      requireRule(act.roles, manage, act.actor)
      requireGrantable(act.roles, act.actor, requireRole(act.roles, role))
      return insert(settings, act, { email, role, secretHash })
    },
  )
  const by = { byId: person.userId }
  notifyOf(settings, 'invitation_created', invitation, by)
  const notSent = (cause: unknown): void => notifyOf(settings, 'invitation_not_sent', invitation, { ...by, cause })
  await send?.({ invitation, org, inviter, secret }, settings.onEvent === undefined ? null : notSent)
  return invitation
}

// An invitation, and what its mail needs.
interface Created<U extends User, O extends Organization> {
  readonly invitation: Invitation
  readonly org: O
  readonly inviter: U
}

interface ToInsert {
  readonly email: string
  readonly role: string
  readonly secretHash: string | null
}

async function insert<U extends User, O extends Organization>(
  settings: InvitationSettings<U, O>,
  { transaction, orgId, actor }: Act<U, O>,
  given: ToInsert,
): Promise<Created<U, O>> {
  const { invitations, memberships, orgs, users } = transaction
  const { maxPending, expiresInSeconds, clock } = settings
  const members = await memberships.listByOrg(orgId)
  if (members.some((member) => member.email !== null && normalizeEmail(member.email) === given.email)) {
    throw new AuthError('conflict', { reason: 'invitation_of_a_member' })
  }
  const now = clock()
  const pending = (await invitations.listByOrg(orgId)).filter((each) => isLive(each, now))
  if (pending.length >= maxPending) {
    throw new AuthError('conflict', { reason: 'invitations_too_many', expected: `at most ${maxPending}` })
  }
  const [org, inviter] = [await orgs.findById(orgId), await users.findById(actor.userId)]
  if (org === null || inviter === null) throw new Error('sallyport: createInvitations: an organization was not held')
  const [createdAt, expiresAt] = [new Date(now), new Date(now + expiresInSeconds * 1000)]
  try {
    const row = { ...given, orgId, invitedBy: actor.userId, createdAt, expiresAt }
    return { invitation: toInvitation(await invitations.insert(row)), org, inviter }
  } catch (cause) {
    if (isConflictError(cause)) throw new AuthError('conflict', { reason: 'invitation_pending_already', cause })
    throw cause
  }
}

/** An invitation as it is handed out: a storage's own row may say more. */
export function toInvitation({ id, orgId, email, role, invitedBy, createdAt, expiresAt }: Invitation): Invitation {
  return Object.freeze({ id, orgId, email, role, invitedBy, createdAt, expiresAt })
}

export async function list<U extends User, O extends Organization>(
  settings: InvitationSettings<U, O>,
  context: AuthContext,
): Promise<readonly Invitation[]> {
  const { storage, known, manage, clock } = settings
  const person = requirePersonInOrg(context, known)
  const { orgId, role } = person
  await withRoles(known, orgId, role === null ? [] : [role], (roles) => requireRule(roles, manage, person))
  const now = clock()
  return (await storage.invitations.listByOrg(orgId)).filter((each) => isLive(each, now)).map(toInvitation)
}

export async function revoke<U extends User, O extends Organization>(
  settings: InvitationSettings<U, O>,
  context: AuthContext,
  invitationId: string,
): Promise<void> {
  const person = requirePersonInOrg(context, settings.known)
  const revoked = await actInOrg<U, O, unknown, Invitation>(
    settings,
    person,
    [],
    async ({ transaction: { invitations }, orgId, actor, roles }, earlier) => {
      requireRule(roles, settings.manage, actor)
      const found = await invitations.findById(invitationId)
      if (earlier !== undefined && found === null) return earlier
      if (found === null || found.orgId !== orgId || !isLive(found, settings.clock())) throw invitationNotFound()
      requireTakeable(roles, actor, found.role)
      if ((await invitations.consume(found.id)) === null) throw invitationNotFound()
      return found
    },
  )
  notifyOf(settings, 'invitation_revoked', revoked, { byId: person.userId })
}

export async function mine<U extends User, O extends Organization>(
  settings: InvitationSettings<U, O>,
  context: AuthContext,
  profile: ProfileOptions | undefined,
): Promise<readonly ReceivedInvitation<O>[]> {
  const { identity } = requirePerson(context, settings.known)
  const address = verifiedAddressOf(await withItsProfile(profile, context, identity))
  if (address === null) return []
  const good = (await judgeAll(settings, address)).filter(({ standing }) => standing === null)
  const received: ReceivedInvitation<O>[] = []
  for (const { invitation } of good) {
    const org = await settings.storage.orgs.findById(invitation.orgId)
    if (org !== null) received.push(Object.freeze({ invitation: toInvitation(invitation), org }))
  }
  return received
}

/** Lay over an identity what its issuer says beside the token, where the provisioner asks for that. */
export async function withItsProfile(
  profile: ProfileOptions | undefined,
  context: AuthContext,
  identity: Identity,
): Promise<Identity> {
  return profile === undefined ? identity : withProfile(profile, identity, CONTEXT_ORIGINS.get(context)?.token)
}

/** What everybody gets for an invitation that is not there, not theirs, over, or that nobody entitled has sent. */
export function invitationNotFound(): AuthError {
  return new AuthError('not_found', { reason: 'invitation_not_found' })
}

// 256 bits, as base64url.
function createSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return encodeBase64UrlBinary(String.fromCharCode(...bytes))
}

function requireAddress(email: unknown): string {
  const address = typeof email === 'string' ? normalizeEmail(email) : null
  if (address === null) throw invalidField('email')
  return address
}
