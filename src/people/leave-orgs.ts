/** Somebody who is to be erased leaves every organization: what becomes of each, decided before anything is written, then written. */
import type { Organization, User } from '../context.ts'
import { AuthError } from '../errors.ts'
import { toEmail } from '../lib/email.ts'
import type { Member } from '../storage/repositories.ts'
import { TransientError } from '../storage/storage-errors.ts'
import type { UserAdminTransaction } from './user-admin-storage.ts'

/** What becomes of an organization that somebody was a member of. */
export interface LeftOrg {
  readonly orgId: string
  /**
   * `left`: others stay. `handed_over`: another member is its owner now. `removed`: nobody else was in it. `kept`: nobody is in it
   * any more.
   */
  readonly fate: 'left' | 'handed_over' | 'removed' | 'kept'
  /** Who was made its owner; `null`: nobody had to be. */
  readonly newOwnerId: string | null
}

/** How organizations are left. */
export interface LeavingRules<O extends Organization> {
  readonly ownerRole: string
  readonly emptyOrgs: 'remove' | 'keep'
  readonly handOver?:
    | ((org: O, members: readonly Member[]) => string | null | undefined | Promise<string | null | undefined>)
    | undefined
}

/** What is to be written. */
export interface LeavingPlan<O extends Organization> extends LeftOrg {
  readonly org: O
}

type Repositories<U extends User, O extends Organization> = Pick<UserAdminTransaction<U, O>, 'orgs' | 'memberships'>

/**
 * Hold all organizations of a user, in the order of their ids, and say what becomes of each. Writes nothing.
 * @throws AuthError `conflict` where one would have no owner left
 */
export async function planLeaving<U extends User, O extends Organization>(
  { orgs, memberships }: Repositories<U, O>,
  user: U,
  rules: LeavingRules<O>,
): Promise<readonly LeavingPlan<O>[]> {
  const plans: LeavingPlan<O>[] = []
  const ownerless: string[] = []
  for (const orgId of await idsOf(memberships, user)) {
    const org = await orgs.findLocked(orgId)
    // Afresh: it may have been left, or gone, while others held it.
    const members = org === null ? [] : await memberships.listByOrg(orgId)
    const own = members.find(({ userId }) => userId === user.id)
    if (org === null || own === undefined) continue
    const plan = await planOf(org, { own, others: members.filter((each) => each !== own) }, rules)
    if (plan === null) ownerless.push(orgId)
    else plans.push(plan)
  }
  if (ownerless.length === 0) return plans
  const cause = Object.assign(new Error('organizations with other members would have no owner'), { orgIds: ownerless })
  throw new AuthError('conflict', { reason: 'erasure_leaves_no_owner', got: ownerless.join(', '), cause })
}

interface Members {
  readonly own: Member
  readonly others: readonly Member[]
}

async function planOf<O extends Organization>(
  org: O,
  { own, others }: Members,
  { ownerRole, emptyOrgs, handOver }: LeavingRules<O>,
): Promise<LeavingPlan<O> | null> {
  const { id: orgId } = org
  const nobody = { org, orgId, newOwnerId: null }
  if (others.length === 0) return { ...nobody, fate: emptyOrgs === 'remove' ? 'removed' : 'kept' }
  const enabled = others.filter(({ disabled }) => !disabled)
  if (own.role !== ownerRole || enabled.some(({ role }) => role === ownerRole)) return { ...nobody, fate: 'left' }
  const next = enabled.length === 0 ? null : ((await handOver?.(org, Object.freeze(enabled))) ?? null)
  if (next === null) return null
  if (enabled.some(({ userId }) => userId === next)) return { ...nobody, fate: 'handed_over', newOwnerId: next }
  throw new Error('sallyport: option "handOver" must name one of the members it was handed: nothing was written')
}

/** Write what {@link planLeaving} has said. */
export async function leaveOrgs<U extends User, O extends Organization>(
  { orgs, memberships }: Repositories<U, O>,
  { id: userId, email }: U,
  plans: readonly LeavingPlan<O>[],
  ownerRole: string,
): Promise<void> {
  for (const { org, orgId, fate, newOwnerId } of plans) {
    if (fate === 'removed') {
      await orgs.remove(orgId)
      continue
    }
    if (newOwnerId !== null) requireDone(await memberships.setRole(orgId, newOwnerId, ownerRole))
    requireDone(await memberships.remove(orgId, userId, fate === 'kept' ? {} : { keep: ownerRole }))
    if (isNamedAfter(org, email, fate)) await orgs.rename(orgId, NAMELESS)
  }
}

/** Require that nobody has made them a member anywhere meanwhile: then it is all begun anew. */
export async function requireNowhere<U extends User, O extends Organization>(
  { memberships }: Repositories<U, O>,
  user: U,
): Promise<void> {
  const left = await idsOf(memberships, user)
  if (left.length > 0) throw new TransientError('they were made a member of another organization meanwhile')
}

async function idsOf<U extends User, O extends Organization>(
  memberships: Repositories<U, O>['memberships'],
  user: U,
): Promise<readonly string[]> {
  return (await memberships.listActing({ kind: 'user', user })).map(({ org }) => org.id).sort()
}

// Under the lock it is another one's statement, not another act, that has changed what was planned.
function requireDone(change: 'done' | 'missing' | 'last'): void {
  if (change !== 'done') throw new TransientError('the members of an organization have changed meanwhile')
}

// What a first login calls an organization of somebody who has no address.
const NAMELESS = 'Personal'

// By the address they have now; one that nobody else was in may be called by an earlier one.
function isNamedAfter(org: object, email: string | null, fate: LeftOrg['fate']): boolean {
  const { name } = org as { readonly name?: unknown }
  if (typeof name !== 'string') return false
  const isTheirs = email !== null && name.toLowerCase().includes(email.toLowerCase())
  return isTheirs || (fate === 'kept' && toEmail(name) !== null)
}
