/**
 * Roles and what each may do: a ladder, or sets that include one another. One frozen value for all that asks for roles; a
 * ladder is the sets in which each role includes the one before.
 */
import type { Roles } from '../context.ts'
import { AuthError } from '../errors.ts'
import { isPlain, isScope, optionsError, ownMembers } from '../lib/parse-options.ts'
import { NONE, sortedOnce } from './permission-check.ts'

/** Roles as sets: by name what each holds, permissions and the names of roles whose permissions it has too. */
export type RoleSets = Readonly<Record<string, readonly string[]>>

/** What an option `roles` takes: a ladder, lowest first; sets; or what {@link createRoles} made of either. */
export type RolesGiven = readonly string[] | RoleSets | Roles

/** The names of the roles that were given. */
export type RoleOf<G> =
  G extends Roles<infer R, string> ? R : G extends readonly (infer R extends string)[] ? R : keyof G & string

/** The names of the permissions that were given: of sets, whatever is no role's name. */
export type PermissionOf<G> =
  G extends Roles<string, infer P>
    ? P
    : G extends readonly string[]
      ? never
      : G extends RoleSets
        ? Exclude<G[keyof G][number], keyof G>
        : never

/** Options of {@link createRoles} beside sets. */
export interface RoleSetOptions<P extends string = string> {
  /** Permissions beside those that the roles hold: what roles made at run time can have. Default: there are none. */
  readonly permissions?: readonly P[] | undefined
}

/**
 * Create the roles of a service, once, for `createAuth`, `createApiKeys` and `createLogin` alike. Costs nothing afterwards:
 * what each role holds is worked out here.
 *
 * A ladder is a list, lowest first: each role includes the one before. Its permissions, if it has any, come by name with the
 * lowest role that holds them. Sets are an object: each role with its permissions, and with the names of the roles that it
 * includes. `permissions` beside sets are further ones, which only roles made at run time hold (`customRoles` of `createAuth`).
 * A permission is a scope token (RFC 6749 §3.3): it is what tokens and API keys call it.
 *
 * @throws OptionsError for no role, a blank name or one twice, a role that includes itself over any number of steps, and a
 * permission that is no scope token or has the name of a role
 * @example
 * const roles = createRoles(['viewer', 'member', 'admin'], { 'dependencies:read': 'viewer', 'dependencies:write': 'member' })
 * const sets = createRoles({
 *   support: ['tickets:read', 'tickets:write'],
 *   billing: ['invoices:read'],
 *   admin: ['support', 'billing', 'users:write'],
 * })
 */
export function createRoles<const R extends string, const P extends string = never>(
  ladder: readonly R[],
  permissions?: Readonly<Record<P, NoInfer<R>>>,
): Roles<R, P>
export function createRoles<const S extends RoleSets, const P extends string = never>(
  sets: S,
  options?: RoleSetOptions<P>,
): Roles<keyof S & string, PermissionOf<S> | P>
export function createRoles(given: readonly string[] | RoleSets, more: object = {}): Roles {
  if (Array.isArray(given)) return build(NAME, withLowest(ladderOf(NAME, given), aRecord(more)), true)
  const { permissions = NONE, ...others } = aRecord(more)
  for (const unknown of Object.keys(others)) throw optionsError(NAME, unknown, 'is unknown')
  if (!Array.isArray(permissions)) throw optionsError(NAME, 'permissions', 'must be a list')
  const sets = setsOf(NAME, given)
  for (const permission of permissions) requirePermission(NAME, permission, Object.keys(given))
  return build(NAME, sets, false, permissions)
}

const NAME = 'createRoles'
/**
 * Take what a host gave as an option `roles`.
 * @param name the function to name in the error, as the host calls it
 * @throws OptionsError as {@link createRoles}
 */
export function toRoles(given: RolesGiven | undefined, name: string): Roles {
  if (given === undefined) throw optionsError(name, 'roles', 'is required')
  if (isRoles(given)) return given
  return Array.isArray(given) ? build(name, ladderOf(name, given), true) : build(name, setsOf(name, given), false)
}

/** Ask whether a value is what {@link createRoles} makes, by whichever copy of this package. */
export function isRoles(value: unknown): value is Roles {
  const own = (name: keyof Roles): unknown => (Object.hasOwn(Object(value), name) ? (value as Roles)[name] : undefined)
  return (
    Array.isArray(own('names')) && typeof own('includes') === 'function' && typeof own('permissionsOf') === 'function'
  )
}

/** The roles of an auth that knows identities alone: nobody has one, and whoever asks for one is told so at once. */
export const NO_ROLES: Roles<never, never> = Object.freeze({
  ...{ names: NONE, permissions: NONE, highest: null },
  includes: () => false,
  permissionsOf: () => NONE,
})

// A role with what was written into it.
type Entry = readonly [role: string, entries: readonly string[]]

function ladderOf(name: string, ladder: readonly unknown[]): Entry[] {
  if (ladder.length === 0 || !areNames(ladder)) {
    throw optionsError(name, 'roles', 'must be a list of different role names, lowest first')
  }
  return ladder.map((role, rank) => [role, ladder.slice(Math.max(0, rank - 1), rank)])
}

// Each permission with the lowest role that has it.
function withLowest(ladder: readonly Entry[], lowest: Readonly<Record<string, unknown>>): Entry[] {
  const names = ladder.map(([role]) => role)
  const permissions = Object.entries(lowest)
  for (const [permission, role] of permissions) {
    requirePermission(NAME, permission, names)
    if (names.includes(role as string)) continue
    throw optionsError(NAME, `permissions.${permission}`, `must be one of the roles ${names.join(', ')}`)
  }
  return ladder.map(([role, held]) => {
    const own = permissions.filter(([, least]) => least === role).map(([permission]) => permission)
    return [role, [...held, ...own]]
  })
}

function setsOf(name: string, sets: unknown): Entry[] {
  const entries = Object.entries(isPlain(sets) ? sets : {})
  const roles = entries.map(([role]) => role)
  if (roles.length === 0 || !areNames(roles)) {
    const wrong = 'must be a list of role names, lowest first, or an object of roles and what each holds'
    throw optionsError(name, 'roles', wrong)
  }
  for (const [role, held] of entries as [string, unknown][]) {
    const option = `roles.${role}`
    if (!Array.isArray(held) || !areNames(held)) {
      throw optionsError(name, option, 'must be a list of different permissions and names of roles')
    }
    for (const each of held) if (!roles.includes(each)) requirePermission(name, each, [], option)
  }
  return entries as Entry[]
}

function areNames(given: readonly unknown[]): given is readonly string[] {
  const isName = (each: unknown): boolean => typeof each === 'string' && each.trim() !== ''
  // A hole in a list is none to `every`.
  return [...given].every(isName) && new Set(given).size === given.length
}

function aRecord(given: unknown): Readonly<Record<string, unknown>> {
  if (isPlain(given)) return ownMembers(given) as Record<string, unknown>
  throw optionsError(NAME, 'permissions', 'must be given in a plain object')
}

// It stands in challenges and in tokens. Where it had the name of a role, no set could hold it.
function requirePermission(name: string, given: unknown, roles: readonly string[], option = 'permissions'): void {
  if (isScope(given) && !roles.includes(given)) return
  const text = JSON.stringify(given)
  throw optionsError(name, option, `has the permission ${text}, which is a role, or no scope token (RFC 6749 §3.3)`)
}

interface Held {
  /** The role itself, and all that it includes. */
  readonly roles: ReadonlySet<string>
  readonly permissions: readonly string[]
}

function build(name: string, entries: readonly Entry[], isLadder: boolean, further: readonly string[] = NONE): Roles {
  const names = Object.freeze(entries.map(([role]) => role))
  const held = heldBy(name, new Map(entries))
  const all = [...further, ...[...held.values()].flatMap(({ permissions }) => permissions)]
  return Object.freeze({
    names,
    permissions: sortedOnce(all),
    highest: isLadder ? (names.at(-1) ?? null) : null,
    includes: (role: string, other: string) => held.get(role)?.roles.has(other) === true,
    permissionsOf: (role: string) => held.get(role)?.permissions ?? NONE,
  })
}

// What each role holds by itself and by the roles that it includes.
function heldBy(name: string, entries: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, Held> {
  const known = new Map<string, Held>()
  const find = (role: string, path: readonly string[]): Held => {
    const found = known.get(role)
    if (found !== undefined) return found
    if (path.includes(role)) {
      throw optionsError(name, 'roles', `has a circle: ${[...path, role].join(' includes ')}`)
    }
    const own = entries.get(role) ?? NONE
    const included = own.filter((each) => entries.has(each)).map((each) => find(each, [...path, role]))
    const permissions = [...own.filter((each) => !entries.has(each)), ...included.flatMap((each) => each.permissions)]
    const roles = new Set([role, ...included.flatMap((each) => [...each.roles])])
    const held = { roles, permissions: sortedOnce(permissions) }
    known.set(role, held)
    return held
  }
  for (const role of entries.keys()) find(role, [])
  return known
}

/** Ask whether there is a role of that name. */
export function isKnown(roles: Roles, role: string | null): role is string {
  return role !== null && roles.includes(role, role)
}

/**
 * Check at construction that there is a role of that name.
 * @param name the function to name in the error, as the host calls it
 * @throws OptionsError naming the option
 */
export function requireNamed(roles: Roles, role: string, name: string, option = 'role'): string {
  if (isKnown(roles, role)) return role
  const sentence =
    roles.names.length === 0
      ? 'asks for a role: createAuth was given no roles'
      : `must be one of the roles: role ${JSON.stringify(role)} is not one of ${roles.names.join(', ')}`
  throw optionsError(name, option, sentence)
}

/**
 * Require that a stored role is one that there is.
 * @throws AuthError `forbidden`; names are compared exactly
 */
export function requireKnown(roles: Roles, role: string | null): string {
  if (isKnown(roles, role)) return role
  throw new AuthError('forbidden', { reason: 'role_unknown', expected: roles.names.join(', '), got: role ?? 'none' })
}

/**
 * Require that a role is `minimum` or includes it. One made at run time includes none.
 * @throws AuthError `forbidden`
 */
export function requireAtLeast(roles: Roles, role: string | null, minimum: string): void {
  if (role === null) requireKnown(roles, role)
  else if (!roles.includes(role, minimum)) {
    throw new AuthError('forbidden', { reason: 'role_too_low', expected: minimum, got: role })
  }
}

/** Say how roles differ from others, to follow their name, or `null`: what is high in one may be low in the other. */
export function differenceOf(roles: Roles, others: Roles): string | null {
  if (roles === others) return null
  if (!isRoles(others)) return 'must have roles that createRoles made, or none'
  if (`${roles.names}` !== `${others.names}`) {
    return `has the roles ${others.names.join(', ')}, option "roles" has ${roles.names.join(', ')}`
  }
  return textOf(roles) === textOf(others) ? null : 'has roles that hold something else than those of option "roles"'
}

function textOf({ names, permissions, includes, permissionsOf }: Roles): string {
  const held = names.map((role) => [role, permissionsOf(role), names.filter((other) => includes(role, other))])
  return JSON.stringify([held, permissions])
}
