/** One attempt at a first login: decide, then write everything in one transaction, or nothing. */
import type { Admission, Identity, Organization, User } from '../context.ts'
import { normalizeEmail } from '../lib/email.ts'
import type { Invitation, StorageTransaction } from '../storage/repositories.ts'
import { TransientError } from '../storage/storage-errors.ts'
import type {
  Bootstrap,
  ParsedProvisionerOptions,
  ProvisionerOptions,
  ProvisioningDecision,
  SystemContext,
} from './provisioner-options.ts'

const SYSTEM: SystemContext = Object.freeze({ kind: 'system', purpose: 'provisioning' })

/** Decide for the identity and write: the user there is afterwards, and whether this attempt made it. */
export async function provision<U extends User, O extends Organization, Tx>(
  options: ParsedProvisionerOptions<U, O, Tx>,
  identity: Identity,
): Promise<Admission<U>> {
  const { storage, bootstrap, decide = byInvitation } = options
  const decision = await decide(identity, await pendingInvitation(options, identity))
  return storage.transaction(async (transaction) => {
    const { issuer, subject, email } = identity
    const { user, created } = await transaction.users.upsertByIdentity({ issuer, subject, email })
    if (!created) return { user, created }
    const { org, role } = await place(transaction, user, decision, options.ownerRole, identity)
    await bootstrap?.({ decision: decision.kind, identity, user, org, role, transaction, system: SYSTEM })
    return { user: await reread(transaction, user), created }
  })
}

async function pendingInvitation<U extends User, O extends Organization, Tx>(
  { storage, invitations }: ProvisionerOptions<U, O, Tx>,
  identity: Identity,
): Promise<Invitation | null> {
  if (invitations === undefined || identity.email === null) return null
  if (invitations.emailIsVerified(identity) !== true) return null
  const email = normalizeEmail(identity.email)
  return email === null ? null : ((await storage.invitations?.findPending(email)) ?? null)
}

function byInvitation(_identity: Identity, invitation: Invitation | null): ProvisioningDecision {
  if (invitation === null) return { kind: 'create' }
  return { kind: 'join', orgId: invitation.orgId, role: invitation.role, invitationId: invitation.id }
}

type Place<O extends Organization> = Pick<Bootstrap<User, O>, 'org' | 'role'>

async function place<U extends User, O extends Organization, Tx>(
  { orgs, memberships, invitations }: StorageTransaction<U, O, Tx>,
  { id: userId }: U,
  decision: ProvisioningDecision,
  ownerRole: string,
  identity: Identity,
): Promise<Place<O>> {
  if (decision.kind === 'none') return { org: null, role: null }
  if (decision.kind === 'create') {
    const org = await orgs.insert({ name: decision.orgName ?? identity.email ?? identity.subject })
    await memberships.insert({ orgId: org.id, userId, role: ownerRole })
    return { org, role: ownerRole }
  }
  const { orgId, role, invitationId } = decision
  // One conditional write takes the invitation; whoever lost it rolls back and decides again.
  if (invitationId !== undefined && (await invitations.consume(invitationId)) === null) {
    throw new TransientError('the invitation was taken by somebody else')
  }
  const org = await orgs.findById(orgId)
  if (org === null) throw new TransientError('the organization to join is gone')
  await memberships.insert({ orgId, userId, role })
  return { org, role }
}

// Where the membership stands on the user's row, the row has changed since it was inserted.
async function reread<U extends User>({ users }: Pick<StorageTransaction<U>, 'users'>, user: U): Promise<U> {
  return (await users.findById(user.id)) ?? user
}
