/**
 * How an invitation stands: good, or why it is not. It counts until it expires, for a role that there is, and from the host
 * itself or from somebody who may give that role in that organization. Asked when invitations are shown or looked for, and
 * again in the transaction in which one takes effect.
 */
import type { Identity, KnownRoles, PassedOver } from '../context.ts'
import { normalizeEmail, toEmail } from '../lib/email.ts'
import { canGrant, type GrantableRoles } from '../permissions/grants.ts'
import type { Invitation, PeopleStorage, PeopleTransaction } from '../storage/repositories.ts'
import { findRole, withRoles } from './people-act.ts'
import { type PeopleRule, satisfiesRule } from './people-rule.ts'

/** The most invitations of one address that are looked at. */
const MOST_OF_AN_ADDRESS = 100

/** What an invitation is judged by. */
export interface StandingSettings {
  readonly storage: Pick<PeopleStorage, 'users' | 'memberships' | 'invitations'>
  readonly known: KnownRoles
  /** Who may invite. */
  readonly manage: PeopleRule
  readonly clock: () => number
}

/** Why an invitation does not count; `null`: it is good. */
export type Standing = Extract<PassedOver['why'], 'expired' | 'inviter_not_entitled' | 'role_unknown'> | null

/** An invitation, and how it stands. */
export interface JudgedInvitation {
  readonly invitation: Invitation
  readonly standing: Standing
  /** The roles it was judged by, for who judges it again in a transaction. */
  readonly roles: GrantableRoles
}

/** The address by which somebody is invited, whether it is verified or not; `null`: none. */
export function addressOf({ email }: Pick<Identity, 'email'>): string | null {
  const text = toEmail(email)
  return text === null ? null : normalizeEmail(text)
}

/** The address that somebody has proved to be theirs, as their issuer says it; `null`: none. */
export function verifiedAddressOf(identity: Pick<Identity, 'email' | 'emailVerified'>): string | null {
  return identity.emailVerified === true ? addressOf(identity) : null
}

/** Ask whether an invitation still counts at an instant: at that of its end it does not. */
export function isLive({ expiresAt }: Pick<Invitation, 'expiresAt'>, now: number): boolean {
  return now < expiresAt.getTime()
}

/**
 * List the invitations of an address, the earliest first; where there are more than are looked at, those alone that still count:
 * what strangers sent long ago must not stand before what is good. One query, two where there are so many.
 */
export async function listOf(
  { storage: { invitations }, clock }: Pick<StandingSettings, 'storage' | 'clock'>,
  address: string,
): Promise<readonly Invitation[]> {
  const all = await invitations.listByEmail(address, MOST_OF_AN_ADDRESS)
  return all.length < MOST_OF_AN_ADDRESS ? all : invitations.listByEmail(address, MOST_OF_AN_ADDRESS, new Date(clock()))
}

/** List and judge them. Costs a query or two, and two for each that someone sent. */
export async function judgeAll(settings: StandingSettings, address: string): Promise<readonly JudgedInvitation[]> {
  const { storage, known } = settings
  const judged: JudgedInvitation[] = []
  for (const invitation of await listOf(settings, address)) {
    const { orgId, role } = invitation
    const one = await withRoles(known, orgId, [role], async (roles) => {
      return { invitation, standing: await standingOf(settings, storage, roles, invitation), roles }
    })
    judged.push(one)
  }
  return judged
}

/** Judge one invitation, by what its inviter is now. */
export async function standingOf(
  { manage, clock }: Pick<StandingSettings, 'manage' | 'clock'>,
  asked: Pick<PeopleTransaction, 'users' | 'memberships'>,
  roles: GrantableRoles,
  invitation: Pick<Invitation, 'orgId' | 'role' | 'invitedBy' | 'expiresAt'>,
): Promise<Standing> {
  const { orgId, role, invitedBy } = invitation
  if (!isLive(invitation, clock())) return 'expired'
  if (roles.find(role) === null) return 'role_unknown'
  if (invitedBy === null) return null
  const own = await findRole(asked, orgId, invitedBy)
  if (own === undefined) return 'inviter_not_entitled'
  const mayGive = satisfiesRule(roles, manage, own) && canGrant(roles, { role: own, bound: null }, role)
  return mayGive ? null : 'inviter_not_entitled'
}
