/**
 * How something is done with people: by whom, in one transaction that holds the organization, judged by what everybody is at
 * that moment and not by what they were when the request came.
 */
import type { AuthContext, Identity, IdentityContext, KnownRoles, Organization, User, UserContext } from '../context.ts'
import { AuthError } from '../errors.ts'
import { checkedBy, hasOwn, type OptionType } from '../lib/parse-options.ts'
import type { GrantableRoles, Granter } from '../permissions/grants.ts'
import { differenceOf, isKnown } from '../permissions/roles.ts'
import type { Membership, PeopleStorage, PeopleTransaction } from '../storage/repositories.ts'
import { toTransient } from '../storage/storage-errors.ts'
import { CONTEXT_ORIGINS } from '../users/context-origin.ts'
import { type RetryRefusals, retryTransient } from '../users/retry.ts'

/** What acts work with. */
export interface ActSettings<U extends User = User, O extends Organization = Organization, Tx = unknown> {
  readonly storage: Pick<PeopleStorage<U, O, Tx>, 'transaction'>
  readonly known: KnownRoles
  readonly clock: () => number
}

/** A storage whose repositories have these methods, transactions beside them. */
export function aStorageWith<T>(methods: Readonly<Record<string, readonly string[]>>): OptionType<T> {
  const names = Object.entries(methods).flatMap(([group, each]) => each.map((method) => [group, method] as const))
  return checkedBy((value) => {
    const storage = Object(value) as Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>
    const hasAll = names.every(([group, method]) => typeof storage[group]?.[method] === 'function')
    if (hasAll && typeof storage['transaction'] === 'function') return null
    return `must be a storage with transaction, ${names.map((name) => name.join('.')).join(', ')}`
  })
}

/** A person, as a request has proved them. */
export interface Person {
  readonly identity: Identity
  readonly user: User
  readonly userId: string
  readonly bound: Granter['bound']
}

/**
 * The person behind a context.
 * @throws AuthError `forbidden` for every other caller
 */
export function requirePerson(context: AuthContext, known: KnownRoles): Person {
  const { user, identity } = requireUser(context, known, isUser)
  return { identity, user, userId: user.id, bound: identity.scopes ?? null }
}

/**
 * The identity of the person behind a context, who need not be a user here.
 * @throws AuthError `forbidden` for every other caller
 */
export function requireIdentity(context: AuthContext, known: KnownRoles): Identity {
  return requireUser(context, known, isPerson).identity
}

function isUser(context: AuthContext): context is UserContext {
  return context.kind === 'user' && hasOwn(context, 'user')
}

function isPerson(context: AuthContext): context is IdentityContext {
  return context.kind === 'user'
}

function requireUser<C extends AuthContext>(
  context: AuthContext,
  known: KnownRoles,
  is: (context: AuthContext) => context is C,
): C {
  requireSameRoles(context, known)
  if (is(context)) return context
  throw new AuthError('forbidden', { reason: 'people_need_a_user' })
}

// What is high in the one may be low in the other, and a role made at run time is above nobody where nobody knows of any. A
// context made by hand has no roles of an auth.
function requireSameRoles(context: AuthContext, { roles, hasCustom }: KnownRoles): void {
  const others = CONTEXT_ORIGINS.get(context)?.roles
  if (others === undefined) return
  const difference =
    differenceOf(roles, others.roles) ??
    (hasCustom === others.hasCustom ? null : `has ${others.hasCustom ? '' : 'no '}customRoles, other than these`)
  if (difference !== null) throw new Error(`sallyport: people: the auth of this request ${difference}`)
}

/** A person in an organization, with the role that the request was judged by. */
export interface PersonInOrg extends Person {
  readonly orgId: string
  readonly role: string | null
}

/**
 * The person behind a context that acts in an organization.
 * @throws AuthError `forbidden` for every other caller
 */
export function requirePersonInOrg(context: AuthContext, known: KnownRoles): PersonInOrg {
  const person = requirePerson(context, known)
  if (!hasOwn(context, 'org') || context.org === null)
    throw new AuthError('forbidden', { reason: 'people_need_an_org' })
  return { ...person, orgId: context.org.id, role: hasOwn(context, 'role') ? context.role : null }
}

/** Somebody who acts in an organization, as they are at this moment. */
export interface Actor extends Granter {
  readonly userId: string
}

/** An act under the lock of its organization. */
export interface Act<U extends User = User, O extends Organization = Organization, Tx = unknown> {
  readonly transaction: PeopleTransaction<U, O, Tx>
  readonly orgId: string
  readonly actor: Actor
  readonly roles: GrantableRoles
}

/**
 * Run work on the people of an organization: in one transaction, holding the organization, with the actor read afresh.
 * @param names roles that the work is about, looked up before
 * @param work with `earlier` as in {@link inTransaction}
 * @throws AuthError `forbidden` where the actor is no member any more, `temporarily_unavailable`, and what `work` throws
 */
export function actInOrg<U extends User, O extends Organization, Tx, T>(
  settings: ActSettings<U, O, Tx>,
  person: Omit<PersonInOrg, 'user'>,
  names: readonly string[],
  work: (act: Act<U, O, Tx>, earlier: T | undefined) => Promise<T>,
): Promise<T> {
  const { storage, known, clock } = settings
  const { orgId, userId, bound } = person
  return withRoles(known, orgId, person.role === null ? names : [person.role, ...names], (roles) =>
    inTransaction<PeopleTransaction<U, O, Tx>, T>(storage, clock, async (transaction, earlier) => {
      await transaction.orgs.findLocked(orgId)
      const role = await findRole(transaction, orgId, userId)
      // Whose leaving was committed, and did not come to know it, is no member either.
      if (role === undefined && earlier === undefined) {
        throw new AuthError('forbidden', { reason: 'actor_not_a_member' })
      }
      return work({ transaction, orgId, actor: { userId, role: role ?? null, bound }, roles }, earlier)
    }),
  )
}

/** The role of a user in an organization; `undefined`: they may not act there, or nowhere. Two queries. */
export async function findRole(
  { users, memberships }: Pick<PeopleTransaction, 'users' | 'memberships'>,
  orgId: string,
  userId: string,
): Promise<string | null | undefined> {
  const user = await users.findById(userId)
  const acting = user === null ? null : await memberships.findActing({ kind: 'user', user }, orgId)
  return acting === null || user?.disabled !== false ? undefined : acting.role
}

/** Ask whether a membership that was found is the very one that was made before. */
export function isSameMembership(
  found: Membership | null,
  { role, joinedAt }: Pick<Membership, 'role' | 'joinedAt'>,
): boolean {
  return found?.role === role && found.joinedAt.getTime() === joinedAt.getTime()
}

/**
 * Run work that asks for roles of an organization. Those made at run time are the host's to look up, and where it looks may
 * be the very storage whose transaction is open: so they are looked up before, and where the work meets another one it is
 * begun anew.
 */
export async function withRoles<T>(
  known: KnownRoles,
  orgId: string,
  names: readonly string[],
  work: (roles: GrantableRoles) => T | Promise<T>,
): Promise<T> {
  const { roles } = known
  const found = new Map<string, readonly string[] | null>()
  const look = async (role: string): Promise<unknown> => found.set(role, await known.find(orgId, role))
  for (const role of names) if (!isKnown(roles, role)) await look(role)
  for (;;) {
    const missing: string[] = []
    const find = (role: string): readonly string[] | null => {
      if (isKnown(roles, role)) return roles.permissionsOf(role)
      const permissions = found.get(role)
      if (permissions !== undefined) return permissions
      missing.push(role)
      throw new RoleNotLookedUp()
    }
    try {
      return await work({ roles, find })
    } catch (error) {
      const [role] = missing
      if (role === undefined) throw error
      await look(role)
    }
  }
}

/** What finding a role throws that was not looked up before. */
export class RoleNotLookedUp extends Error {
  constructor() {
    super('sallyport: a role made at run time is looked up first')
  }
}

const REFUSALS: RetryRefusals = {
  busy: (cause) => new AuthError('temporarily_unavailable', { reason: 'people_not_committed', cause }),
  cutOff() {
    const cause = new Error('a change of people took too long: a hook or the storage did not answer')
    return new AuthError('temporarily_unavailable', { reason: 'people_cut_off', cause })
  },
}

/**
 * Run work in one transaction; a failure of the moment is tried again, as with first logins.
 * @param work `earlier` is what it came to before, where the answer to its COMMIT did not come: all of it is there, or nothing
 * @throws AuthError `temporarily_unavailable`, and what `work` throws
 */
export function inTransaction<Tx, T>(
  storage: { transaction<R>(work: (transaction: Tx) => Promise<R>): Promise<R> },
  clock: () => number,
  work: (transaction: Tx, earlier: T | undefined) => Promise<T>,
): Promise<T> {
  let earlier: T | undefined
  return retryTransient<T>(
    async (watch) => {
      watch.wait()
      try {
        return await storage.transaction((transaction) =>
          watch.inTime(async () => {
            earlier = await work(transaction, earlier)
            return earlier
          }),
        )
      } catch (error) {
        throw toTransient(error, 'statement')
      }
    },
    clock,
    REFUSALS,
  )
}
