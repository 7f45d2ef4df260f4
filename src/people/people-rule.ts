/** Who may administer people: the rule that a host writes once, the roles that may be given and taken, the fields that name one. */
import type { Roles } from '../context.ts'
import { AuthError } from '../errors.ts'
import { invalidField } from '../http/read-json.ts'
import { aFilledListOf, aGroup, aName, aScope, type OptionType, optional, optionsError } from '../lib/parse-options.ts'
import { canGrant, canTake, type GrantableRoles, type Granter } from '../permissions/grants.ts'
import { requirePermissions } from '../permissions/permission-check.ts'
import { requireAtLeast, requireNamed } from '../permissions/roles.ts'

/** Who may do something with people: a role, permissions, or both; one of them there must be. */
export interface PeopleRule<R extends string = string, P extends string = string> {
  /** That role, and every one that includes it. */
  readonly role?: R | undefined
  /** What they must be allowed to do, all of it. */
  readonly permissions?: readonly P[] | undefined
}

/** How a rule is read. */
export function aPeopleRule(): OptionType<PeopleRule> {
  return aGroup<PeopleRule>({ role: optional(aName()), permissions: optional(aFilledListOf(aScope())) })
}

/**
 * Check at construction that somebody can satisfy a rule.
 * @param name the function to name in the error, as the host calls it
 * @throws OptionsError naming the option
 */
export function requireSatisfiable(name: string, option: string, rule: PeopleRule, roles: Roles): PeopleRule {
  const { role, permissions } = rule
  if (role === undefined && permissions === undefined) throw optionsError(name, option, 'must have role or permissions')
  if (role !== undefined) requireNamed(roles, role, name, `${option}.role`)
  const unknown = permissions?.find((permission) => !roles.permissions.includes(permission))
  if (unknown === undefined) return rule
  throw optionsError(name, `${option}.permissions`, `names ${JSON.stringify(unknown)}, which no role has`)
}

/**
 * Require that somebody satisfies a rule.
 * @throws AuthError `forbidden`, `insufficient_scope`
 */
export function requireRule(known: GrantableRoles, { role, permissions }: PeopleRule, granter: Granter): void {
  if (role !== undefined) requireAtLeast(known.roles, granter.role, role)
  const granted = (granter.role === null ? null : known.find(granter.role)) ?? []
  if (permissions !== undefined) requirePermissions({ granted, bound: granter.bound, token: true }, permissions)
}

/** Ask whether a role satisfies a rule, whatever the credential of who has it. */
export function satisfiesRule(
  known: GrantableRoles,
  { role, permissions = [] }: PeopleRule,
  own: string | null,
): boolean {
  const granted = own === null ? null : known.find(own)
  const isHigh = role === undefined || (own !== null && known.roles.includes(own, role))
  return isHigh && permissions.every((permission) => granted?.includes(permission) === true)
}

/**
 * Require that somebody may give a role.
 * @throws AuthError `forbidden`
 */
export function requireGrantable(known: GrantableRoles, granter: Granter, role: string): void {
  if (!canGrant(known, granter, role)) throw aboveOwn(granter, role)
}

/**
 * Require that somebody may take a role away.
 * @throws AuthError `forbidden`
 */
export function requireTakeable(known: GrantableRoles, granter: Granter, role: string): void {
  if (!canTake(known, granter, role)) throw aboveOwn(granter, role)
}

function aboveOwn({ role: own, bound }: Granter, role: string): AuthError {
  const expected = `at most ${own ?? 'none'}${bound === null ? '' : ', and what the credential carries'}`
  return new AuthError('forbidden', { reason: 'role_above_ones_own', expected, got: role })
}

/** The role that a body names, as text; whether there is such a role is asked where it is given. */
export function requireRoleText(role: unknown): string {
  if (typeof role === 'string' && role !== '' && role.length <= 255) return role
  throw invalidField('role')
}

/** Require that a role that a body names is one there is. */
export function requireRole(known: GrantableRoles, role: string): string {
  if (known.find(role) !== null) return role
  throw invalidField('role')
}

/**
 * The role whose last holder stays: the one that was named, else the highest of a ladder.
 * @throws OptionsError for a role that there is not, and for none where the roles are sets
 */
export function toOwnerRole(name: string, given: string | undefined, roles: Roles): string {
  if (given !== undefined) return requireNamed(roles, given, name, 'ownerRole')
  if (roles.highest !== null) return roles.highest
  throw optionsError(name, 'ownerRole', 'is required where the roles are sets')
}
