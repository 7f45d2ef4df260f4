/** The options of `createAuth`, checked and turned into the steps of one pipeline. */
import * as z from 'zod/mini'
import type { ApiKeyVerifier, Decision, OrgResolver, ServiceVerifier, UserResolver, Verifier } from '../context.ts'
import { createExtractor, type DevAuthenticator, type Extractor } from '../credentials/extractor.ts'
import type { ErrorFormat } from '../errors.ts'
import { isHttpUrl } from '../lib/http-url.ts'
import { aFunction, aGroup, anObjectWith, optionsError, parseOptions } from '../lib/parse-options.ts'
import { createRoleLadder, type RoleLadder } from '../permissions/role-ladder.ts'
import type { AuthRequest } from '../request.ts'

/** The steps of one auth. */
export interface Steps {
  readonly extractor: Extractor
  readonly verifier: Verifier
  readonly apiKeys: ApiKeyVerifier | null
  readonly services: ServiceVerifier | null
  readonly users: UserResolver
  readonly orgs: OrgResolver
  readonly ladder: RoleLadder
}

/** The parsed options of `createAuth`. */
export interface ParsedAuthOptions {
  readonly roles: readonly string[]
  readonly verifier: Verifier
  readonly apiKeys?: ApiKeyVerifier | undefined
  readonly services?: ServiceVerifier | undefined
  readonly cookie?: { readonly name: string; readonly publicUrl?: string | undefined } | undefined
  readonly dev?: DevAuthenticator | undefined
  readonly users: UserResolver
  readonly orgs: OrgResolver
  readonly errorFormat?: ErrorFormat | undefined
  readonly onDecision?: ((decision: Decision) => unknown) | undefined
  readonly requestId?: ((request: AuthRequest) => string | undefined) | undefined
  readonly clock?: (() => number) | undefined
}

/** Parse the options of `createAuth`; throws `TypeError`. */
export function parseAuthOptions(options: unknown): ParsedAuthOptions {
  return parseOptions('createAuth', SHAPE, options)
}

/**
 * Build the steps.
 * @throws TypeError for roles granted but not on the ladder, and credentials that can't be told apart
 */
export function toSteps(options: ParsedAuthOptions): Steps {
  const { verifier, users, orgs, apiKeys = null, services = null, cookie, dev } = options
  const ladder = createRoleLadder(options.roles)
  requireSameRoles(ladder.roles, 'apiKeys', apiKeys?.roles)
  requireSameRoles(ladder.roles, 'users', users.roles)
  for (const role of users.assignsRoles ?? []) ladder.named(role, 'createAuth', 'users')
  const extractor = createExtractor({
    serviceHeaders: services?.services.map((service) => service.header) ?? [],
    apiKeyPrefix: apiKeys?.prefix ?? null,
    cookie: cookie === undefined ? null : { name: cookie.name, origin: originOf(cookie.publicUrl) },
    ...(dev === undefined ? {} : { dev }),
  })
  return Object.freeze({ extractor, verifier, apiKeys, services, users, orgs, ladder })
}

// Where two ladders differ, a role that is high on one may be low on the other.
function requireSameRoles(roles: readonly string[], option: string, theirs: readonly string[] = roles): void {
  if (theirs.length === roles.length && theirs.every((role, rank) => role === roles[rank])) return
  throw optionsError('createAuth', option, `has the roles ${theirs.join(', ')}, option "roles" has ${roles.join(', ')}`)
}

function originOf(publicUrl: string | undefined): string | null {
  return publicUrl === undefined ? null : new URL(publicUrl).origin
}

// A header that is read as another credential could not be told apart from it.
function isOwnHeader(name: unknown): boolean {
  return (
    typeof name === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && !/^(authorization|cookie)$/i.test(name)
  )
}

const SHAPE = {
  roles: z.array(z.string()),
  verifier: anObjectWith<Verifier>('verify'),
  apiKeys: z.optional(
    anObjectWith<ApiKeyVerifier>('verify').check(
      z.refine(({ prefix }) => typeof prefix === 'string' && /^[A-Za-z0-9_-]+$/.test(prefix), 'must have a prefix'),
      z.refine(
        ({ roles }) => roles === undefined || (Array.isArray(roles) && roles.every((role) => typeof role === 'string')),
        'must have a list of roles, or none',
      ),
    ),
  ),
  services: z.optional(
    anObjectWith<ServiceVerifier>('verify').check(
      z.refine(
        ({ services }) => Array.isArray(services) && services.every(({ header }) => isOwnHeader(header)),
        'must list its services, each with a header of its own',
      ),
    ),
  ),
  cookie: z.optional(
    aGroup({
      name: z.custom<string>(
        (name) => typeof name === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name),
        'must be a cookie name',
      ),
      publicUrl: z.optional(z.custom<string>(isHttpUrl, 'must be an http(s) URL')),
    }),
  ),
  dev: z.optional(aFunction<DevAuthenticator>()),
  users: aFunction<UserResolver>(),
  orgs: anObjectWith<OrgResolver>('readSelection', 'resolve', 'toOrgId'),
  errorFormat: z.optional(z.enum(['json', 'problem'])),
  onDecision: z.optional(aFunction<(decision: Decision) => unknown>()),
  requestId: z.optional(aFunction<(request: AuthRequest) => string | undefined>()),
  clock: z.optional(aFunction<() => number>()),
}
