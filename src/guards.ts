/**
 * Guards for handlers that accept several kinds of caller: each narrows a context or throws the refusal the pipeline would
 * have thrown. Built by `createAuth` from the ladder and typed by it.
 */
import type {
  ApiKeyContext,
  AuthContext,
  AuthTypes,
  ServiceOrgContext,
  UserContext,
  UserOrgContext,
} from './context.ts'
import { AuthError } from './errors.ts'
import { optionsError } from './lib/parse-options.ts'
import { isScope, type RoleLadder, requireScopes } from './permissions/role-ladder.ts'

/** A context that acts in an organization, whoever calls. */
export type OrgContext<T extends AuthTypes = AuthTypes> = UserOrgContext<T> | ApiKeyContext<T> | ServiceOrgContext<T>

/** A context that has a role. */
export type RoleContext<T extends AuthTypes = AuthTypes> = UserContext<T> | UserOrgContext<T> | ApiKeyContext<T>

/** The guards of one auth. */
export interface Guards<T extends AuthTypes = AuthTypes> {
  /**
   * Require a person known here.
   * @throws AuthError `unauthorized` for nobody, `forbidden` for another kind of caller
   */
  requireUser(context: AuthContext<T> | null): UserContext<T> | UserOrgContext<T>
  /**
   * Require an acting organization. A service has one only after `actIn`.
   * @throws AuthError `unauthorized` for nobody, `forbidden` without one
   */
  requireOrg(context: AuthContext<T> | ServiceOrgContext<T> | null): OrgContext<T>
  /**
   * Make a guard for at least `role`.
   * @throws OptionsError at once for a role that is not on the ladder
   * @example
   * const requireDeveloper = auth.requireRole('developer')
   * requireDeveloper(getAuth(req))
   */
  requireRole(role: T['role']): (context: AuthContext<T> | null) => RoleContext<T>
  /**
   * Make a guard for scopes: binds API keys, lets every other kind of caller pass.
   * @throws OptionsError at once for no scope, or one that is none
   * @example
   * const requireWrite = auth.requireScope('contacts:write')
   */
  requireScope(...scopes: readonly string[]): <C extends AuthContext<T>>(context: C | null) => C
}

/** Build the guards. Pure: they read the context and nothing else. */
export function createGuards<T extends AuthTypes>(ladder: RoleLadder): Guards<T> {
  return {
    requireUser(context) {
      const known = requireSomebody(context)
      if (!('user' in known))
        throw new AuthError('forbidden', { reason: 'guard_not_a_user', expected: 'user', got: known.kind })
      return known
    },
    requireOrg(context) {
      const known = requireSomebody(context)
      if (!('org' in known) || known.org === null)
        throw new AuthError('forbidden', { reason: 'guard_no_org', got: known.kind })
      return known as OrgContext<T>
    },
    requireRole(role) {
      const minimum = ladder.named(role, 'requireRole')
      return (context) => {
        const known = requireSomebody(context)
        if (!('role' in known))
          throw new AuthError('forbidden', { reason: 'guard_no_role', expected: minimum, got: known.kind })
        ladder.requireAtLeast(known.role, minimum)
        return known
      }
    },
    requireScope(...scopes) {
      if (scopes.length === 0 || !scopes.every(isScope)) {
        throw optionsError('requireScope', '', 'name at least one scope (RFC 6749 §3.3)')
      }
      return (context) => {
        const known = requireSomebody(context)
        if (known.kind === 'apiKey') requireScopes(known.scopes, scopes)
        return known
      }
    },
  }
}

function requireSomebody<C>(context: C | null): C {
  if (context === null) throw new AuthError('unauthorized', { reason: 'guard_anonymous', absent: true })
  return context
}
