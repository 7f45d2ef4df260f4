/** A route's `Access`, checked once when the route is mounted: what the pipeline needs of it, complete and known. */
import * as z from 'zod/mini'
import type { ServiceVerifier, Verified } from '../context.ts'
import { aGroup, aHeaderName, aName, parseOptions } from '../lib/parse-options.ts'
import { isScope, type RoleLadder } from '../permissions/role-ladder.ts'
import type { Access, Needs, OrgSelector } from '../request.ts'

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

/** What an Access may name. */
export interface AccessVocabulary {
  readonly ladder: RoleLadder
  readonly apiKeys: boolean
  readonly services: ServiceVerifier['services']
}

/**
 * Parse an Access.
 * @throws TypeError for an unknown option, role, kind of caller or service, and for rules that contradict each other
 */
export function parseAccess(access: Access, vocabulary: AccessVocabulary): Rule | 'public' {
  if (access === 'public') return 'public'
  const parsed = parseOptions('Access', SHAPE, access)
  const { accept = ['user'], needs = 'org', selectors = [], role, scopes = [] } = parsed
  const { optional = false, probe = false } = parsed
  const rule: Rule = {
    accept: new Set(accept.map((kind) => knownKind(kind, vocabulary))),
    optional,
    probe,
    needs,
    selectors,
    role: role === undefined ? null : vocabulary.ladder.named(role, 'Access'),
    scopes,
  }
  const contradiction = contradictionIn(rule)
  if (contradiction !== null) throw new TypeError(`Access: ${contradiction}`)
  return Object.freeze(rule)
}

/** Whether a verified caller is of a kind the rule accepts. */
export function accepts({ accept }: Rule, verified: Verified): boolean {
  return accept.has(verified.kind) || (verified.kind === 'service' && accept.has(`service:${verified.name}`))
}

function knownKind(kind: string, { apiKeys, services }: AccessVocabulary): string {
  if (kind === 'user' || (kind === 'apiKey' && apiKeys) || (kind === 'service' && services.length > 0)) return kind
  if (services.some(({ name }) => kind === `service:${name}`)) return kind
  throw new TypeError(
    `Access: option "accept" names ${JSON.stringify(kind)}, which createAuth was given no verifier for`,
  )
}

function contradictionIn({ accept, needs, selectors, role, scopes }: Rule): string | null {
  const keys = accept.has('apiKey')
  if (accept.size === 0) return 'option "accept" must name a kind of caller'
  if (needs === 'identity' && role !== null) return 'option "role" requires needs: "user" or "org"'
  if (needs !== 'org' && selectors.length > 0) return 'option "selectors" requires needs: "org"'
  if (needs !== 'org' && keys) return 'an API key requires needs: "org"'
  if (scopes.length > 0 && !keys) return 'option "scopes" binds API keys only: accept "apiKey"'
  if (role !== null && !keys && !accept.has('user')) return 'option "role" can bind users and API keys only'
  return null
}

const SHAPE = {
  accept: z.optional(z.array(aName())),
  optional: z.optional(z.boolean()),
  probe: z.optional(z.boolean()),
  needs: z.optional(z.enum(['identity', 'user', 'org'])),
  selectors: z.optional(
    z.array(
      z.union([
        aGroup({ kind: z.literal('header'), name: aHeaderName() }),
        aGroup({ kind: z.literal('pathParam'), name: aName() }),
      ]),
    ),
  ),
  role: z.optional(aName()),
  scopes: z.optional(z.array(z.custom<string>(isScope, 'must be a scope (RFC 6749 §3.3)'))),
}
