/** A route's `Access`, checked once when the route is mounted: what the pipeline needs of it, complete and known. */
import * as z from 'zod/mini'
import type { Verified } from '../context.ts'
import {
  aBoolean,
  aListOf,
  aName,
  aScope,
  oneOf,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { anOrgSelector } from '../orgs/selector.ts'
import { requireNamed } from '../permissions/roles.ts'
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

/** Whether a verified caller is of a kind the rule accepts. */
export function accepts({ accept }: Rule, verified: Verified): boolean {
  return accept.has(verified.kind) || (verified.kind === 'service' && accept.has(`service:${verified.name}`))
}

function knownKind(kind: string, { apiKeys, services }: AccessSteps): string {
  const names = services?.services.map(({ name }) => `service:${name}`) ?? []
  const known = ['user', ...(apiKeys === null ? [] : ['apiKey']), ...(names.length === 0 ? [] : ['service', ...names])]
  if (known.includes(kind)) return kind
  throw optionsError('Access', 'accept', `names ${JSON.stringify(kind)}, which createAuth was given no verifier for`)
}

function contradictionIn(rule: Rule): readonly [option: string, message: string] | null {
  const { accept, needs, selectors, role } = rule
  const keys = accept.has('apiKey')
  if (accept.size === 0) return ['accept', 'must name a kind of caller']
  if (needs === 'identity' && role !== null) return ['role', 'requires needs: "user" or "org"']
  if (needs !== 'org' && selectors.length > 0) return ['selectors', 'requires needs: "org"']
  if (needs !== 'org' && keys) return ['accept', 'with "apiKey" requires needs: "org"']
  if (role !== null && !keys && !accept.has('user')) return ['role', 'can bind users and API keys only']
  return null
}

// A route that nobody can enter is a mistake, a misspelt permission most of all.
function requireHolder(rule: Rule, steps: AccessSteps): void {
  const { permissions } = rule
  const isHeldIn = (held: readonly string[] | null): boolean =>
    held === null || permissions.every((permission) => held.includes(permission))
  if (permissions.length === 0 || heldBy(rule, steps).some(isHeldIn)) return
  throw optionsError('Access', 'permissions', `asks for ${permissions.join(', ')}, which nobody it accepts can have`)
}

// What those who may enter can have, one by one; `null`: whatever a token says.
function heldBy({ accept, needs, role }: Rule, steps: AccessSteps): (readonly string[] | null)[] {
  const { roles, hasCustomRoles, apiKeys, verifier } = steps
  const names = role === null ? roles.names : roles.names.filter((each) => roles.includes(each, role))
  const inOrg = names.map((each) => roles.permissionsOf(each))
  if (hasCustomRoles && role === null) inOrg.push(roles.permissions)
  const isByToken = needs !== 'org' && role === null && verifier.bindsScopes !== false
  const ofUsers = [...(needs === 'identity' ? [] : inOrg), ...(isByToken ? [steps.permissions] : [])]
  const carried = (held: readonly string[]) => held.filter((each) => apiKeys?.permissions?.includes(each) ?? true)
  const isService = (name: string): boolean => accept.has('service') || accept.has(`service:${name}`)
  const ofServices = [...steps.servicePermissions].flatMap(([name, held]) => (isService(name) ? [held] : []))
  return [...(accept.has('user') ? ofUsers : []), ...(accept.has('apiKey') ? inOrg.map(carried) : []), ...ofServices]
}

const SHAPE: Shape<AccessRule> = {
  accept: z.optional(aListOf(aName())),
  optional: z.optional(aBoolean()),
  probe: z.optional(aBoolean()),
  needs: z.optional(oneOf('identity', 'user', 'org')),
  selectors: z.optional(aListOf(anOrgSelector())),
  role: z.optional(aName()),
  permissions: z.optional(aListOf(aScope())),
}
