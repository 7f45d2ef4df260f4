/** Roles as an ordered ladder the host names once, lowest first; and the scopes that bind API keys. */
import { AuthError } from '../errors.ts'
import { optionsError } from '../lib/parse-options.ts'

/** An ordered list of roles. */
export interface RoleLadder<R extends string = string> {
  /** The roles, lowest first. */
  readonly roles: readonly R[]
  /** Check at construction that a role is on the ladder; throws `OptionsError` naming the function and the option. */
  named(role: string, name: string, option?: string): R
  /**
   * Take a stored role onto the ladder.
   * @throws AuthError `forbidden` where it is not on it: names are compared exactly
   */
  requireKnown(role: string | null): R
  /**
   * Require at least `minimum`.
   * @throws AuthError `forbidden`
   */
  requireAtLeast(role: string | null, minimum: R): R
}

/**
 * Build the ladder.
 *
 * @param roles lowest first: `['viewer', 'developer', 'admin']`
 * @param name the function to name in the error, as the host calls it
 * @throws OptionsError where it is empty, has a blank name or one twice
 */
export function createRoleLadder<const R extends string>(roles: readonly R[], name = 'createAuth'): RoleLadder<R> {
  const ranks = new Map<string, number>(roles.map((role, rank) => [role, rank]))
  if (roles.length === 0 || ranks.size !== roles.length || roles.some((role) => role.trim() === '')) {
    throw optionsError(name, 'roles', 'must be a list of different role names, lowest first')
  }
  const ladder: RoleLadder<R> = {
    roles: Object.freeze([...roles]),
    named(role, name, option = 'role') {
      if (ranks.has(role)) return role as R
      throw optionsError(
        name,
        option,
        `must be on the ladder: role ${JSON.stringify(role)} is not one of ${roles.join(', ')}`,
      )
    },
    requireKnown(role) {
      if (role === null || !ranks.has(role)) {
        throw new AuthError('forbidden', { reason: 'role_unknown', expected: roles.join(', '), got: role ?? 'none' })
      }
      return role as R
    },
    requireAtLeast(role, minimum) {
      const known = ladder.requireKnown(role)
      if (rankOf(known) < rankOf(minimum)) {
        throw new AuthError('forbidden', { reason: 'role_too_low', expected: minimum, got: known })
      }
      return known
    },
  }
  const rankOf = (role: string): number => ranks.get(role) ?? -1
  return ladder
}

/** The ladder of an auth that knows identities alone: nobody has a role, and whoever asks for one is told so at once. */
export const NO_ROLES: RoleLadder<never> = {
  roles: Object.freeze([]),
  named: (_role, where) => noRoles(where),
  requireKnown: () => noRoles('requireRole'),
  requireAtLeast: () => noRoles('requireRole'),
}

function noRoles(where: string): never {
  throw optionsError(where, 'role', 'asks for a role: createAuth was given no roles')
}

/** Ask whether a text is a scope (RFC 6749 §3.3): it stands in a challenge, so a quote or a line break must not. */
export function isScope(text: unknown): text is string {
  return typeof text === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)
}

/**
 * Require all of `needed` among the scopes an API key holds.
 * @throws AuthError `insufficient_scope`, its challenge naming what the route needs (RFC 6750 §3.1)
 */
export function requireScopes(held: readonly string[], needed: readonly string[]): void {
  if (!needed.every((scope) => held.includes(scope))) {
    const [expected, got] = [needed.join(' '), held.join(' ') || 'none']
    throw new AuthError('insufficient_scope', { reason: 'scope_missing', scopes: needed, expected, got })
  }
}
