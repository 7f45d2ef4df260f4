/**
 * The contexts that handlers get: one for each kind of caller and how far its route goes, frozen, with what the caller may do.
 */
import type {
  ApiKey,
  ApiKeyContext,
  Identity,
  IdentityContext,
  Machine,
  MachineContext,
  MachineOrgContext,
  UserContext,
  UserOrgContext,
} from '../context.ts'
import { effectiveOf, givenTo, type Holdings, requirePermissions } from '../permissions/permission-check.ts'
import { requireAtLeast, requireKnown } from '../permissions/roles.ts'
import type { Rule } from './access.ts'
import type { Steps } from './auth-options.ts'
import type { Acted, KeptUser } from './own-copies.ts'

/**
 * A person whom nobody has looked up here.
 * @throws AuthError where the token does not carry what the rule asks
 */
export function identityContext(steps: Steps, rule: Rule, identity: Identity): IdentityContext {
  const holdings = holdingsOf(steps, identity)
  requirePermissions(holdings, rule.permissions)
  return Object.freeze({ kind: 'user', identity, permissions: effectiveOf(holdings) })
}

/**
 * A user, wherever they act.
 * @throws AuthError where their own role, or their token, is not enough for the rule
 */
export function userContext(steps: Steps, rule: Rule, identity: Identity, { user, role }: KeptUser): UserContext {
  const own = role === undefined ? null : requireKnown(steps.roles, role)
  if (rule.role !== null) requireAtLeast(steps.roles, own, rule.role)
  const granted = own === null ? null : steps.roles.permissionsOf(own)
  const holdings = granted === null ? holdingsOf(steps, identity) : { granted, bound: identity.scopes, token: true }
  requirePermissions(holdings, rule.permissions)
  return Object.freeze({ kind: 'user', identity, user, role: own, permissions: effectiveOf(holdings) })
}

/** A user who acts in an organization, or in none, where the rule's role and permissions were asked. */
export function userOrgContext(
  acted: Acted,
  { identity, user }: Pick<UserOrgContext, 'identity' | 'user'>,
): UserOrgContext {
  const { org, role } = acted
  const permissions = permittedIn(acted, identity.scopes)
  return Object.freeze({ kind: 'user', identity, user, org, role: role as string, permissions })
}

/**
 * A machine, wherever it acts.
 * @throws AuthError where it was not given what the rule asks
 */
export function machineContext(steps: Steps, rule: Rule, machine: Machine, identity: Identity): MachineContext {
  const holdings = givenByItself(steps, machine, identity)
  requirePermissions(holdings, rule.permissions)
  return Object.freeze({ kind: 'machine', machine, identity, permissions: effectiveOf(holdings) })
}

/** A machine that acts in an organization. */
export function machineOrgContext(machine: Machine, identity: Identity, acted: Acted): MachineOrgContext {
  const { org, role } = acted
  if (org === null) throw new Error('sallyport: the org resolver gave a machine no organization')
  const permissions = permittedIn(acted, identity.scopes)
  return Object.freeze({ kind: 'machine', machine, identity, org, role, permissions })
}

/** An API key, in the organization it acts in. */
export function apiKeyContext(key: ApiKey, acted: Acted): ApiKeyContext {
  const { org, role } = acted
  if (org === null) throw new Error('sallyport: the org resolver gave an API key no organization')
  return Object.freeze({
    kind: 'apiKey',
    key,
    org,
    role: role as string,
    permissions: permittedIn(acted, key.permissions),
  })
}

// Without an organization; where nothing was given to it, its token alone says what it may do.
function givenByItself(steps: Steps, machine: Machine, identity: Identity): Holdings {
  const { role, permissions } = machine
  if (role === null && permissions === null) return holdingsOf(steps, identity)
  const ofRole = role === null ? NONE : steps.roles.permissionsOf(role)
  return { granted: givenTo(machine, ofRole, steps.permissions), bound: identity.scopes, token: true }
}

// Where no role says what a person may do, the token alone does, of what there is to be allowed.
function holdingsOf({ permissions }: Steps, identity: Identity): Holdings {
  const { scopes: bound } = identity
  const known = permissions === null ? bound : permissions.filter((permission) => bound?.includes(permission))
  return { granted: null, bound: known, token: true }
}

const NONE: readonly never[] = Object.freeze([])

function permittedIn({ granted }: Acted, bound: Holdings['bound']): readonly string[] {
  return effectiveOf({ granted: granted ?? NONE, bound })
}
