/** What a first login makes of invitations: which one takes effect by itself, and how it is taken. */
import type { Identity, Organization, PassedOver, User } from '../context.ts'
import type { Invitation, PeopleTransaction, StorageTransaction } from '../storage/repositories.ts'
import type { FoundInvitations, TakenInvitation } from '../users/invitation-policy.ts'
import {
  addressOf,
  type JudgedInvitation,
  judgeAll,
  listOf,
  type StandingSettings,
  standingOf,
} from './invitation-standing.ts'
import { RoleNotLookedUp } from './people-act.ts'

/** What the policy goes by. */
export interface PolicySettings extends StandingSettings {
  readonly takeEffect: 'when-accepted' | 'on-first-login'
}

/** Find the invitations of somebody seen for the first time. Of an address that is not verified none counts. */
export async function findForNewcomer(settings: PolicySettings, identity: Identity): Promise<FoundInvitations> {
  const address = addressOf(identity)
  if (address === null) return foundOf(settings, [], [])
  if (identity.emailVerified !== true) {
    const invitations = await listOf(settings, address)
    return foundOf(
      settings,
      [],
      invitations.map((each) => toPassedOver(each, 'email_not_verified')),
    )
  }
  const judged = await judgeAll(settings, address)
  const bad = judged.flatMap(({ invitation, standing }) =>
    standing === null ? [] : [toPassedOver(invitation, standing)],
  )
  return foundOf(
    settings,
    judged.filter(({ standing }) => standing === null),
    bad,
  )
}

function foundOf(
  settings: PolicySettings,
  good: readonly JudgedInvitation[],
  bad: readonly PassedOver[],
): FoundInvitations {
  const { takeEffect } = settings
  const first = takeEffect === 'on-first-login' && good.length === 1 ? good[0]?.invitation : undefined
  const waiting = takeEffect === 'when-accepted' ? 'when_accepted' : 'several_pending'
  const whyOf = (invitation: Invitation) => (invitation === first ? 'decided_otherwise' : waiting)
  const invitations = good.map(({ invitation }) => invitation)
  return {
    invitation: first ?? null,
    pending: Object.freeze(invitations.filter((each) => each !== first)),
    async take(transaction, taken) {
      const found = good.find(({ invitation: { id, orgId } }) => id === taken.invitationId && orgId === taken.orgId)
      if (found !== undefined) return take(settings, requirePeople(transaction), found, taken)
      throw new Error('createProvisioner: decide names an invitation that it was not handed: nothing was written')
    },
    passedOver(invitationId) {
      const others = invitations.filter(({ id }) => id !== invitationId)
      return Object.freeze([...others.map((each) => toPassedOver(each, whyOf(each))), ...bad])
    },
  }
}

function toPassedOver({ id: invitationId, orgId }: Invitation, why: PassedOver['why']): PassedOver {
  return Object.freeze({ invitationId, orgId, why })
}

async function take(
  settings: PolicySettings,
  transaction: PeopleTransaction,
  { roles }: JudgedInvitation,
  { invitationId, orgId, role, permissions }: TakenInvitation,
): Promise<boolean> {
  if ((await transaction.orgs.findLocked(orgId)) === null) return false
  const consumed = await transaction.invitations.consume(invitationId)
  if (consumed === null) return false
  try {
    const find = (name: string) => (name === role && permissions !== undefined ? permissions : roles.find(name))
    return (await standingOf(settings, transaction, { ...roles, find }, { ...consumed, role })) === null
  } catch (error) {
    // The inviter has another role since it was looked for.
    if (error instanceof RoleNotLookedUp) return false
    throw error
  }
}

/** A transaction of a storage that has invitations; one of another is a mistake of the host. */
export function requirePeople<U extends User, O extends Organization, Tx>(
  transaction: StorageTransaction<U, O, Tx>,
): PeopleTransaction<U, O, Tx> {
  if (isOfPeople(transaction)) return transaction
  throw new Error('sallyport: createProvisioner: option "storage" must be the storage of the invitations')
}

function isOfPeople<U extends User, O extends Organization, Tx>(
  transaction: StorageTransaction<U, O, Tx>,
): transaction is PeopleTransaction<U, O, Tx> {
  return 'invitations' in transaction
}
