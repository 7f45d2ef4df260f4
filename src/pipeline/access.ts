/** A route's `Access`, checked once when the route is mounted: what the pipeline needs of it, complete and known. */
import type { Verified } from '../context.ts'
import {
  aBoolean,
  aFilledListOf,
  aListOf,
  aName,
  aScope,
  oneOf,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { anOrgSelector } from '../orgs/selector.ts'
import { givenTo } from '../permissions/permission-check.ts'
import { isKnown, requireNamed } from '../permissions/roles.ts'
import type { Access, AccessRule, Needs, OrgSelector } from '../request.ts'
import type { Steps } from './auth-options.ts'

/** A parsed {@link AccessRule}: every default filled in. */
export interface Rule {
  readonly accept: ReadonlySet<string>
  readonly optional: boolean
  readonly probe: boolean
  readonly needs: Needs
  readonly selectors: readonly OrgSelector[]
  readonly role: string | null
  readonly permissions: readonly string[]
}

/**
 * Parse an Access.
 * @throws OptionsError for an unknown option, role, kind of caller or service, and for rules that contradict each other
 */
export function parseAccess(access: Access, steps: AccessSteps): Rule | 'public' {
  if (access === 'public') return 'public'
  const parsed = parseOptions<AccessRule>('Access', SHAPE, access)
  const {
    accept = ['user'],
    needs = steps.identityOnly ? 'identity' : 'org',
    selectors = [],
    role,
    permissions = [],
  } = parsed
  const { optional = false, probe = false } = parsed
  const rule: Rule = {
    accept: new Set(accept.map((kind) => knownKind(kind, steps))),
    optional,
    probe,
    needs,
    selectors,
    role: role === undefined ? null : requireNamed(steps.roles, role, 'Access'),
    permissions,
  }
  if (steps.identityOnly && needs !== 'identity') {
    throw optionsError('Access', 'needs', 'must be "identity": createAuth was given no users and no organizations')
  }
  const contradiction = contradictionIn(rule)
  if (contradiction !== null) throw optionsError('Access', ...contradiction)
  requireHolder(rule, steps)
  return Object.freeze(rule)
}

type AccessSteps = Omit<Steps, 'extractor' | 'users' | 'orgs' | 'knownRoles'>

/** Whether a verified caller is of a kind the rule accepts; which machine it is, is asked once that is known. */
export function accepts({ accept }: Rule, verified: Verified): boolean {
  if (verified.kind === 'machine') return acceptsMachines(accept)
  return verified.kind === 'service' ? acceptsNamed(accept, 'service', verified.name) : accept.has(verified.kind)
}

/** Whether a rule accepts a service or a machine: all of them, or this one by its name. */
export function acceptsNamed(accept: Rule['accept'], kind: 'service' | 'machine', name: string): boolean {
  return accept.has(kind) || accept.has(`${kind}:${name}`)
}

function acceptsMachines(accept: ReadonlySet<string>): boolean {
  return [...accept].some((kind) => kind === 'machine' || kind.startsWith('machine:'))
}

function knownKind(kind: string, steps: AccessSteps): string {
  const { apiKeys, services, verifier } = steps
  const names = services?.services.map(({ name }) => `service:${name}`) ?? []
  const written = verifier.machines?.map(({ name }) => `machine:${name}`) ?? []
  const known = [
    'user',
    ...(apiKeys === null ? [] : ['apiKey']),
    ...(names.length === 0 ? [] : ['service', ...names]),
    ...(hasOnlyWritten(steps) && written.length === 0 ? [] : ['machine', ...written]),
  ]
  if (known.includes(kind) || (!hasOnlyWritten(steps) && /^machine:[\w.-]{1,64}$/.test(kind))) return kind
  throw optionsError('Access', 'accept', `names ${JSON.stringify(kind)}, which createAuth knows nothing of`)
}

// Else a row, or a verifier that does not say whom it names, may name any.
function hasOnlyWritten({ machines, verifier }: AccessSteps): boolean {
  return machines === null && verifier.machines !== undefined && verifier.namesOtherMachines !== true
}

function contradictionIn(rule: Rule): readonly [option: string, message: string] | null {
  const { accept, needs, selectors, role } = rule
  const [keys, machines] = [accept.has('apiKey'), acceptsMachines(accept)]
  if (needs === 'identity' && role !== null) return ['role', 'requires needs: "user" or "org"']
  if (needs !== 'org' && selectors.length > 0) return ['selectors', 'requires needs: "org"']
  if (needs !== 'org' && keys) return ['accept', 'with "apiKey" requires needs: "org"']
  if (needs === 'user' && machines) return ['accept', 'with "machine" requires needs: "org" or "identity"']
  if (role !== null && !keys && !machines && !accept.has('user')) {
    return ['role', 'can bind users, machines and API keys only']
  }
  return null
}

// A route that nobody can enter is a mistake, a misspelt permission most of all.
function requireHolder(rule: Rule, steps: AccessSteps): void {
  const { permissions } = rule
  const isHeldIn = (held: readonly string[] | null): boolean =>
    held === null || permissions.every((permission) => held.includes(permission))
  if (permissions.length === 0 || heldBy(rule, steps).some(isHeldIn)) return
  // Without roles the claim is missing, most often, and no letter of the permission.
  const why = steps.identityOnly && steps.verifier.bindsScopes === false ? ': no issuer has claims.scopes' : ''
  throw optionsError(
    'Access',
    'permissions',
    `asks for ${permissions.join(', ')}, which nobody it accepts can have${why}`,
  )
}

type Held = readonly string[] | null

// What those who may enter can have, one by one; `null`: whatever a token says.
function heldBy({ accept, needs, role }: Rule, steps: AccessSteps): Held[] {
  const { roles, hasCustomRoles, apiKeys, verifier } = steps
  const names = role === null ? roles.names : roles.names.filter((each) => roles.includes(each, role))
  const inOrg = names.map((each) => roles.permissionsOf(each))
  if (hasCustomRoles && role === null) inOrg.push(roles.permissions)
  const isByToken = needs !== 'org' && role === null && verifier.bindsScopes !== false
  const ofUsers = [...(needs === 'identity' ? [] : inOrg), ...(isByToken ? [steps.permissions] : [])]
  const carried = (held: readonly string[]) => held.filter((each) => apiKeys?.permissions?.includes(each) ?? true)
  const ofServices = [...steps.servicePermissions].filter(([name]) => acceptsNamed(accept, 'service', name))
  return [
    ...(accept.has('user') ? ofUsers : []),
    ...(accept.has('apiKey') ? inOrg.map(carried) : []),
    ...(acceptsMachines(accept) ? heldByMachines({ accept, needs }, steps) : []),
    ...ofServices.map(([, held]) => held),
  ]
}

function heldByMachines({ accept, needs }: Pick<Rule, 'accept' | 'needs'>, steps: AccessSteps): Held[] {
  const { roles, permissions: all, verifier } = steps
  if (!hasOnlyWritten(steps)) return [all]
  const named = (verifier.machines ?? []).filter(({ name }) => acceptsNamed(accept, 'machine', name))
  return named.map(({ role, permissions }) => {
    const isByToken = role === null && permissions === null && needs === 'identity' && verifier.bindsScopes !== false
    if (isByToken || (role !== null && !isKnown(roles, role))) return all
    return givenTo({ role, permissions }, roles.permissionsOf(role ?? ''), all)
  })
}

const SHAPE: Shape<AccessRule> = {
  accept: optional(aFilledListOf(aName())),
  optional: optional(aBoolean()),
  probe: optional(aBoolean()),
  needs: optional(oneOf('identity', 'user', 'org')),
  selectors: optional(aListOf(anOrgSelector())),
  role: optional(aName()),
  permissions: optional(aListOf(aScope())),
}
