/**
 * Guards for handlers that accept several kinds of caller: each narrows a context or throws the refusal the pipeline would
 * have thrown. Built by `createAuth` from the roles and typed by them.
 */
import type {
  ApiKeyContext,
  AuthContext,
  AuthTypes,
  MachineOrgContext,
  Roles,
  ServiceOrgContext,
  UserContext,
  UserOrgContext,
} from './context.ts'
import { AuthError } from './errors.ts'
import { hasOwn, isScope, optionsError } from './lib/parse-options.ts'
import { givenTo, requirePermissions } from './permissions/permission-check.ts'
import { isKnown, requireAtLeast, requireNamed } from './permissions/roles.ts'

/** A context that acts in an organization, whoever calls. */
export type OrgContext<T extends AuthTypes = AuthTypes> =
  | UserOrgContext<T>
  | ApiKeyContext<T>
  | MachineOrgContext<T>
  | ServiceOrgContext<T>

/** A context that has a role. */
export type RoleContext<T extends AuthTypes = AuthTypes> =
  | UserContext<T>
  | UserOrgContext<T>
  | ApiKeyContext<T>
  | MachineOrgContext<T>

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
   * @throws OptionsError at once for a role that there is not
   * @example
   * const requireDeveloper = auth.requireRole('developer')
   * requireDeveloper(getAuth(req))
   */
  requireRole(role: T['role']): (context: AuthContext<T> | null) => RoleContext<T>
  /**
   * Make a guard for permissions, all of them, of every kind of caller.
   * @throws OptionsError at once for no permission, or one that is no scope token
   * @example
   * const requireWrite = auth.requirePermission('contacts:write')
   */
  requirePermission(...permissions: readonly T['permission'][]): <C extends AuthContext<T>>(context: C | null) => C
  /**
   * Ask whether a caller may do something, for code that goes on without and for a page that hides a button. Nobody may do
   * anything.
   * @example
   * const canWrite = auth.can(context, 'contacts:write')
   */
  can(context: AuthContext<T> | null, permission: T['permission']): boolean
}

/** Build the guards. Pure: they read the context and nothing else. */
export function createGuards<T extends AuthTypes>(roles: Roles): Guards<T> {
  return {
    requireUser(context) {
      const known = requireSomebody(context)
      if (!hasOwn(known, 'user'))
        throw new AuthError('forbidden', { reason: 'guard_not_a_user', expected: 'user', got: known.kind })
      return known
    },
    requireOrg(context) {
      const known = requireSomebody(context)
      if (!hasOwn(known, 'org') || known.org === null)
        throw new AuthError('forbidden', { reason: 'guard_no_org', got: known.kind })
      return known as OrgContext<T>
    },
    requireRole(role) {
      const minimum = requireNamed(roles, role, 'requireRole')
      return (context) => {
        const known = requireSomebody(context)
        if (!hasOwn(known, 'role'))
          throw new AuthError('forbidden', { reason: 'guard_no_role', expected: minimum, got: known.kind })
        requireAtLeast(roles, known.role, minimum)
        return known
      }
    },
    requirePermission(...permissions) {
      if (permissions.length === 0 || !permissions.every(isScope)) {
        throw optionsError('requirePermission', '', 'name at least one permission, a scope token (RFC 6749 §3.3)')
      }
      return (context) => {
        const known = requireSomebody(context, permissions)
        if (permissions.every((permission) => known.permissions.includes(permission))) return known
        const holdings = { granted: grantedTo(roles, known), bound: known.permissions, token: known.kind !== 'apiKey' }
        requirePermissions(holdings, permissions)
        return known
      }
    },
    can: (context, permission) => context?.permissions.includes(permission) ?? false,
  }
}

function requireSomebody<C>(context: C | null, scopes?: readonly string[]): C {
  if (context === null) throw new AuthError('unauthorized', { reason: 'guard_anonymous', absent: true, scopes })
  return context
}

// What the caller's role, or its declaration, lacks is refused as that; `null`: it lacks what its credential does not carry.
function grantedTo(roles: Roles, context: AuthContext): readonly string[] | null {
  if (context.kind === 'service') return context.permissions
  if (context.kind === 'machine') {
    const { role, permissions } = context.machine
    if (role === null ? permissions !== null : isKnown(roles, role)) {
      return givenTo(context.machine, roles.permissionsOf(role ?? ''), null)
    }
  }
  if (!hasOwn(context, 'role') || (context.role === null && !hasOwn(context, 'org'))) return null
  if (context.role === null || isKnown(roles, context.role)) return roles.permissionsOf(context.role ?? '')
  // Made at run time: what it may do stands here only as far as the credential carries it.
  const bound = context.kind === 'apiKey' ? context.key.permissions : context.identity.scopes
  return bound == null ? context.permissions : null
}
