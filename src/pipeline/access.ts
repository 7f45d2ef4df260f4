/** A route's `Access`, checked once when the route is mounted: what the pipeline needs of it, complete and known. */
import * as z from 'zod/mini'
import type { Verified } from '../context.ts'
import {
  aBoolean,
  aListOf,
  aName,
  checkedBy,
  oneOf,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { anOrgSelector } from '../orgs/selector.ts'
import { isScope } from '../permissions/role-ladder.ts'
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
  readonly scopes: readonly string[]
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
    scopes = [],
  } = parsed
  const { optional = false, probe = false } = parsed
  const rule: Rule = {
    accept: new Set(accept.map((kind) => knownKind(kind, steps))),
    optional,
    probe,
    needs,
    selectors,
    role: role === undefined ? null : steps.ladder.named(role, 'Access'),
    scopes,
  }
  if (steps.identityOnly && needs !== 'identity') {
    throw optionsError('Access', 'needs', 'must be "identity": createAuth was given no users and no organizations')
  }
  const contradiction = contradictionIn(rule)
  if (contradiction !== null) throw optionsError('Access', ...contradiction)
  return Object.freeze(rule)
}

type AccessSteps = Pick<Steps, 'ladder' | 'apiKeys' | 'services' | 'identityOnly'>

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
  const { accept, needs, selectors, role, scopes } = rule
  const keys = accept.has('apiKey')
  if (accept.size === 0) return ['accept', 'must name a kind of caller']
  if (needs === 'identity' && role !== null) return ['role', 'requires needs: "user" or "org"']
  if (needs !== 'org' && selectors.length > 0) return ['selectors', 'requires needs: "org"']
  if (needs !== 'org' && keys) return ['accept', 'with "apiKey" requires needs: "org"']
  if (scopes.length > 0 && !keys) return ['scopes', 'binds API keys only: accept "apiKey"']
  if (role !== null && !keys && !accept.has('user')) return ['role', 'can bind users and API keys only']
  return null
}

const SHAPE: Shape<AccessRule> = {
  accept: z.optional(aListOf(aName())),
  optional: z.optional(aBoolean()),
  probe: z.optional(aBoolean()),
  needs: z.optional(oneOf('identity', 'user', 'org')),
  selectors: z.optional(aListOf(anOrgSelector())),
  role: z.optional(aName()),
  scopes: z.optional(aListOf(checkedBy((scope) => (isScope(scope) ? null : 'must be a scope (RFC 6749 §3.3)')))),
}
