/** The attempts at a first login: each decides, then writes everything in one transaction, or nothing. */
import type { Admission, Identity, Organization, User } from '../context.ts'
import { isAuthError } from '../errors.ts'
import { normalizeEmail } from '../lib/email.ts'
import type { Invitation, StorageTransaction } from '../storage/repositories.ts'
import { isConflictError, isTransientError, TransientError } from '../storage/storage-errors.ts'
import type {
  Bootstrap,
  ParsedProvisionerOptions,
  ProvisionerOptions,
  ProvisioningDecision,
  SystemContext,
} from './provisioner-options.ts'
import type { AttemptWatch } from './retry.ts'

const SYSTEM: SystemContext = Object.freeze({ kind: 'system', purpose: 'provisioning' })

/**
 * Make the attempts at one first login. Each decides for the identity and writes: the user there is afterwards, and
 * whether this attempt made it.
 */
export function provisioning<U extends User, O extends Organization, Tx>(
  options: ParsedProvisionerOptions<U, O, Tx>,
  identity: Identity,
): (watch: AttemptWatch) => Promise<Admission<U>> {
  const { storage, bootstrap, ownerRole, decide = byInvitation } = options
  const missing = new Set<string>()
  return async (watch) => {
    const decision = await decide(identity, await pendingInvitation(options, identity))
    return storage.transaction(async (transaction) => {
      watch.begin()
      const { issuer, subject, email } = identity
      const { user, created } = await transaction.users.upsertByIdentity({ issuer, subject, email })
      if (!created) return { user, created }
      const { org, role } = await place(transaction, user, { decision, identity, ownerRole, missing })
      await bootstrap?.({ decision: decision.kind, identity, user, org, role, transaction, system: SYSTEM })
      const placed = await reread(transaction, user)
      // Who has been answered 503 is told that nothing was written: nothing may be committed after that.
      watch.requireInTime()
      return { user: placed, created }
    })
  }
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

interface Wish {
  readonly decision: ProvisioningDecision
  readonly identity: Identity
  readonly ownerRole: string
  /** Organizations that an attempt was to join and did not find. */
  readonly missing: Set<string>
}

async function place<U extends User, O extends Organization, Tx>(
  { orgs, memberships, invitations }: StorageTransaction<U, O, Tx>,
  { id: userId }: U,
  { decision, identity, ownerRole, missing }: Wish,
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

// Where the membership stands on the user's row, the row has changed since it was inserted.
async function reread<U extends User>({ users }: Pick<StorageTransaction<U>, 'users'>, user: U): Promise<U> {
  return (await users.findById(user.id)) ?? user
}
