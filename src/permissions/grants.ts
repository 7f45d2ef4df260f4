/**
 * Who may give a role, or take it away: nobody one above their own. Asked wherever roles are given: of members, of
 * invitations, of API keys, of local accounts.
 */
import type { Roles } from '../context.ts'
import { isKnown } from './roles.ts'

/** The roles there are where one is given. */
export interface GrantableRoles {
  readonly roles: Roles
  /** What a role may do there, one made at run time too; `null`: there is no such role. */
  find(role: string): readonly string[] | null
}

/** Who gives or takes. */
export interface Granter {
  /** Their role there; `null`: none. */
  readonly role: string | null
  /** What their own credential carries; `null`: it has no bound. */
  readonly bound: readonly string[] | null
}

/** The roles of a service alone, none made at run time. */
export function withoutCustom(roles: Roles): GrantableRoles {
  return { roles, find: (role) => (isKnown(roles, role) ? roles.permissionsOf(role) : null) }
}

/**
 * Ask whether a granter may give a role. One of `roles` must be their own, or included by it; one made at run time includes
 * none and may be given by whoever may do all that it may. Whatever else it is, their own credential must carry what is given:
 * `carried`, by default all that the role may do. What is no role is nobody's to give.
 */
export function canGrant(
  known: GrantableRoles,
  { role: own, bound }: Granter,
  role: string,
  carried?: readonly string[],
): boolean {
  const [held, given] = [own === null ? null : known.find(own), known.find(role)]
  if (own === null || held === null || given === null) return false
  const isWithin = isKnown(known.roles, role)
    ? known.roles.includes(own, role)
    : given.every((each) => held.includes(each))
  return isWithin && (carried ?? given).every((each) => bound?.includes(each) ?? true)
}

/** Ask whether somebody may take a role away from who has it: as to give it. A stored one that is none any more is above nobody. */
export function canTake(known: GrantableRoles, granter: Granter, role: string): boolean {
  return known.find(role) === null || canGrant(known, granter, role)
}
