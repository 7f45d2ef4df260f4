/** The options of `createAuth`, checked, their defaults filled in, and turned into the steps of one pipeline. */
import type {
  ApiKeyVerifier,
  Decision,
  KnownRoles,
  Organization,
  OrgResolver,
  Roles,
  ServiceVerifier,
  User,
  UserResolver,
  Verifier,
} from '../context.ts'
import { createExtractor, type DevAuthenticator, type Extractor } from '../credentials/extractor.ts'
import { type ChallengeOptions, type ErrorFormat, NO_CHALLENGE } from '../errors.ts'
import { describeExactUrl, describeHttpUrl } from '../lib/http-url.ts'
import {
  aFunction,
  aGroup,
  aListOf,
  also,
  aMatch,
  anObjectWith,
  aValue,
  checkedBy,
  isHttpToken,
  isScope,
  oneOf,
  optional,
  optionsError,
  ownMembers,
  ownOf,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { createOrgResolver } from '../orgs/org-resolver.ts'
import { header } from '../orgs/selector.ts'
import { type CustomRoles, toKnownRoles } from '../permissions/custom-roles.ts'
import { sortedOnce } from '../permissions/permission-check.ts'
import { differenceOf, isKnown, NO_ROLES, type RolesGiven, toRoles } from '../permissions/roles.ts'
import type { AuthRequest } from '../request.ts'
import type { AuthStorage, MachineRepository } from '../storage/repositories.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'
import { createProvisioner } from '../users/provisioner.ts'
import type { IssuerOptions } from '../verify/issuer-options.ts'
import { createJwtVerifier, isVerifierOption } from '../verify/jwt-verifier.ts'
import { requireWritten } from './machine.ts'

/** Options of `createAuth` that every auth has. */
export interface CommonOptions<C extends string, S extends string, Q extends string = string> {
  /** Whose tokens are accepted: short for `verifier: createJwtVerifier({ issuers })`. */
  readonly issuers?: readonly IssuerOptions[] | undefined
  /** Who verifies bearer tokens, in the place of `issuers`: `createJwtVerifier(…)`, or that of `login.auth`. */
  readonly verifier?: Verifier<C> | undefined
  /** Who verifies API keys, whose tokens begin with its prefix: `createApiKeys(…)`. Default: there are none. */
  readonly apiKeys?: ApiKeyVerifier | undefined
  /** Who verifies service secrets: `createServiceVerifier(…)`. Default: there are none. */
  readonly services?: ServiceVerifier<S, Q> | undefined
  /**
   * Where the rows of machines are: `storage.machines`. Whom a written rule names (`machines` of an issuer's options) is not
   * asked for. Default: there are none but those.
   */
  readonly machines?: MachineRepository | undefined
  /** A session cookie that carries a bearer token; with it the CSRF rule holds. Default: no cookie is read. */
  readonly cookie?: SessionCookie | undefined
  /**
   * A header in which a gateway before this service hands on who signed in there (Cloudflare Access, Google IAP, Pomerium), in
   * the place of `Authorization`, which is then read for nothing. Default: there is no gateway.
   */
  readonly gateway?: Gateway | undefined
  /** Dev mode: every request is judged by it first and may enter without a credential. Default: there is no such mode. */
  readonly dev?: DevAuthenticator | undefined
  /** The body of refusals. Default `json`; `problem` is RFC 9457. */
  readonly errorFormat?: ErrorFormat | undefined
  /** What `WWW-Authenticate` says beside the error: a realm, the scopes asked, where tokens are to be had. Default: nothing. */
  readonly challenge?: ChallengeOptions | undefined
  /** Gets one record per request: audit log, telemetry, the answer to "why was this refused?". Never changes an answer: what it throws is printed. */
  readonly onDecision?: ((decision: Decision) => unknown) | undefined
  /** What a record calls its request: up to 128 letters, digits and `._:/+=-`. Default, and for anything else: a random UUID. */
  readonly requestId?: ((request: AuthRequest) => string | undefined) | undefined
  /** The clock for records, in milliseconds. Default `Date.now`, and `performance.now` for how long a step took. */
  readonly clock?: (() => number) | undefined
}

/** Options of `createAuth` for an auth that knows identities alone: its routes need no user, organization or role. */
export interface IdentityOptions<C extends string, S extends string> extends CommonOptions<C, S> {
  readonly roles?: never
  readonly customRoles?: undefined
  readonly storage?: never
  readonly users?: never
  readonly orgs?: never
}

/** Options of `createAuth`. */
export interface AuthOptions<
  G extends RolesGiven,
  U extends User,
  O extends Organization | null,
  C extends string,
  S extends string,
  Q extends string = string,
  M extends CustomRoles | undefined = CustomRoles | undefined,
  StoredU extends User = U,
  StoredO extends Organization = NonNullable<O>,
> extends CommonOptions<C, S, Q> {
  /**
   * The roles: a ladder, lowest first; sets of permissions that include one another; or what `createRoles` made of either. A
   * stored role that is none of them is refused.
   */
  readonly roles: G
  /** Roles that organizations make at run time, beside these. Default: there are none. */
  readonly customRoles?: M | CustomRoles | undefined
  /** Where users, organizations and memberships are: what the defaults of `users` and `orgs` ask. */
  readonly storage?: AuthStorage<StoredU, StoredO>
  /**
   * Who finds or makes the user, and whose rows handlers get: `createProvisioner(…)`, `createSyncGate(…)`, or that of `login.auth`. Default:
   * `createProvisioner({ storage, ownerRole })` with the highest role of a ladder, where every issuer, or every one of
   * `verifier: createJwtVerifier(…)`, has `people: 'own'`;
   * else, and with sets, it must be written.
   */
  readonly users?: UserResolver<U, NoInfer<C>>
  /**
   * Who decides the organization: `createOrgResolver(…)`, `createUserOrgResolver(…)`. Default: `createOrgResolver({ memberships:
   * storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'only-membership' })`.
   */
  readonly orgs?: OrgResolver<NoInfer<U>, O>
}

/** The one cookie that is read as a credential. */
export interface SessionCookie {
  /** The cookie's name. Its value is a bearer token, under the cross-site rule. */
  readonly name: string
  /** The public URL of this service behind a proxy: its origin is "our own" for CSRF. Default: socket and `Host`. */
  readonly publicUrl?: string | undefined
}

/** The header of a gateway. */
export interface Gateway {
  /**
   * Its name, `Cf-Access-Jwt-Assertion` say. It holds a token and nothing else, of an issuer of this auth. The gateway writes
   * it into whatever a browser sends, so the cross-site rule holds as for a cookie.
   */
  readonly header: string
  /** The public URL of this service, where the gateway is no transparent one: its origin is "our own" for CSRF. Default: socket and `Host`. */
  readonly publicUrl?: string | undefined
}

/** The steps of one auth. */
export interface Steps {
  readonly extractor: Extractor
  readonly verifier: Verifier
  readonly apiKeys: ApiKeyVerifier | null
  readonly services: ServiceVerifier | null
  readonly machines: MachineRepository | null
  /** What each service may do, sorted. */
  readonly servicePermissions: ReadonlyMap<string, readonly string[]>
  readonly users: UserResolver
  readonly orgs: OrgResolver
  readonly roles: Roles
  /** The same, and those made at run time. */
  readonly knownRoles: KnownRoles
  /** Whether there are any of those. */
  readonly hasCustomRoles: boolean
  /** Every permission that somebody can have; `null` where the credential alone says what it carries. */
  readonly permissions: readonly string[] | null
  /** Whether its routes know the identity alone. */
  readonly identityOnly: boolean
  /** What its challenges say beside why. */
  readonly challenge: ChallengeOptions
}

/** What `createAuth` was called with, whichever way. */
export type AnyAuthOptions = Partial<AuthOptions<RolesGiven, User, Organization | null, string, string>>

const NAME = 'createAuth'

// Any of these makes an auth that knows more than identities: by a value that got lost nothing may open.
const MORE_THAN_IDENTITIES = ['roles', 'storage', 'users', 'orgs'] as const

/** Check the options of `createAuth`, and build its steps. */
export function parseAuthOptions(given: AnyAuthOptions): { readonly options: AnyAuthOptions; readonly steps: Steps } {
  const written = Object.keys(given ?? {}) as (keyof AnyAuthOptions)[]
  for (const option of written) requireOfAuth(option, given[option])
  const options = parseOptions<AnyAuthOptions>(NAME, SHAPE, given)
  const { apiKeys = null, services = null, cookie, gateway, dev, challenge = NO_CHALLENGE } = options
  requireGatewayAlone(options)
  const extractor = createExtractor({
    serviceHeaders: services?.services.map((service) => service.header) ?? [],
    apiKeyPrefix: apiKeys?.prefix ?? null,
    cookie: cookie && { name: cookie.name, origin: originOf(cookie.publicUrl) },
    gateway: gateway && { name: gateway.header, origin: originOf(gateway.publicUrl) },
    dev,
  })
  const isIdentityOnly = MORE_THAN_IDENTITIES.every((option) => options[option] === undefined)
  const servicePermissions = new Map(
    services?.services.map(ownMembers).map(({ name, permissions = [] }) => [name, sortedOnce(permissions)]),
  )
  const more = isIdentityOnly
    ? identitiesAlone(options)
    : usersAndOrgs(options, [...servicePermissions.values()].flat())
  const verifier = toVerifier(options)
  const machines = options.machines === undefined ? null : withStorageErrors(options.machines)
  requireWritten(verifier.machines, more, options.issuers === undefined ? 'verifier' : 'issuers')
  const fixed = { extractor, verifier, apiKeys, services, servicePermissions, machines, challenge }
  return { options, steps: Object.freeze({ ...fixed, ...more }) }
}

function requireOfAuth(option: string, value: unknown): void {
  if (value === undefined && MORE_THAN_IDENTITIES.some((each) => each === option)) {
    throw optionsError(NAME, option, 'is undefined: give it a value, or leave it out')
  }
  // What is said of tokens by who verifies them is no unknown word.
  if (!Object.hasOwn(SHAPE, option) && isVerifierOption(option)) {
    const message = `is one of createJwtVerifier: verifier: createJwtVerifier({ issuers, ${option} })`
    throw optionsError(NAME, option, message)
  }
}

type UsersAndOrgs = Omit<
  Steps,
  'extractor' | 'verifier' | 'apiKeys' | 'services' | 'servicePermissions' | 'machines' | 'challenge'
>

function identitiesAlone(options: AnyAuthOptions): UsersAndOrgs {
  for (const option of ['apiKeys', 'customRoles'] as const) {
    if (options[option] === undefined) continue
    throw optionsError(NAME, option, 'needs option "roles" and who decides the organization')
  }
  const unasked = (): never => {
    throw new Error('sallyport: createAuth was given no users and no organizations')
  }
  const orgs: OrgResolver = { readSelection: unasked, resolve: unasked, toOrgId: unasked, responseHeader: null }
  const knownRoles: KnownRoles = { roles: NO_ROLES, find: unasked }
  return {
    users: unasked,
    orgs,
    roles: NO_ROLES,
    knownRoles,
    hasCustomRoles: false,
    permissions: null,
    identityOnly: true,
  }
}

function usersAndOrgs(options: AnyAuthOptions, ofServices: readonly string[]): UsersAndOrgs {
  const { apiKeys, customRoles } = options
  const roles = toRoles(options.roles, NAME)
  const users = options.users ?? defaultUsers(options, roles)
  const orgs =
    options.orgs ??
    createOrgResolver({
      memberships: requireStorage(options, 'orgs').memberships,
      selectors: [header('X-Org-Id')],
      whenUnnamed: 'only-membership',
    })
  if (options.users === undefined) requireOwnPeople(options)
  requireSameRoles(roles, 'apiKeys', apiKeys?.roles)
  requireSameRoles(roles, 'users', users.roles)
  // The default of `createProvisioner` is a role that nobody wrote: the sentence says where to.
  const unknown = users.assignsRoles?.find((role) => !isKnown(roles, role))
  if (unknown !== undefined) {
    throw optionsError(
      NAME,
      'users',
      `makes people ${unknown}, which is no role: createProvisioner({ storage, ownerRole })`,
    )
  }
  const permissions = sortedOnce([...roles.permissions, ...ofServices])
  const knownRoles = toKnownRoles(roles, customRoles)
  return { users, orgs, roles, knownRoles, hasCustomRoles: customRoles !== undefined, permissions, identityOnly: false }
}

function defaultUsers(options: AnyAuthOptions, { highest: ownerRole }: Roles): UserResolver {
  const storage = requireStorage(options, 'users')
  if (ownerRole !== null) return createProvisioner({ storage, ownerRole })
  const sentence =
    'is required with sets of permissions, none of which is the highest: createProvisioner({ storage, ownerRole })'
  throw optionsError(NAME, 'users', sentence)
}

function toVerifier({ issuers, verifier }: AnyAuthOptions): Verifier {
  if (verifier !== undefined && issuers !== undefined) throw optionsError(NAME, 'issuers', 'excludes option "verifier"')
  if (verifier !== undefined) return verifier
  if (issuers === undefined) throw optionsError(NAME, 'issuers', 'is required, or option "verifier"')
  return createJwtVerifier({ issuers })
}

function requireStorage({ storage }: AnyAuthOptions, option: string): AuthStorage {
  if (storage === undefined) throw optionsError(NAME, option, 'is required without option "storage"')
  return storage as AuthStorage
}

// Whoever has an account at a public provider is nobody's user yet: to make one of them must be written.
function requireOwnPeople({ issuers, verifier }: AnyAuthOptions): void {
  const isOwn = (issuer: IssuerOptions): boolean => Object.hasOwn(issuer, 'people') && issuer.people === 'own'
  if (verifier !== undefined ? ownOf(verifier, 'hasOwnPeopleAlone') === true : issuers?.every(isOwn) === true) return
  throw optionsError(
    NAME,
    'users',
    'is required where an issuer is not known to sign in your own people alone: if it does, write so at the issuer (oidc({ issuer, audience, people: "own" })); else createProvisioner({ storage, ownerRole }) makes a user of whoever comes, createSyncGate({ users }) lets in who is known',
  )
}

// Where two ladders differ, a role that is high on one may be low on the other.
function requireSameRoles(roles: Roles, option: string, theirs: Roles = roles): void {
  const difference = differenceOf(roles, theirs)
  if (difference !== null) throw optionsError(NAME, option, difference)
}

// What comes in `Authorization` or a cookie is read for nothing behind a gateway, and one header can be one credential.
function requireGatewayAlone({ gateway, cookie, apiKeys, services }: AnyAuthOptions): void {
  if (gateway === undefined) return
  if (cookie !== undefined) throw optionsError(NAME, 'gateway', 'excludes option "cookie"')
  if (apiKeys !== undefined) throw optionsError(NAME, 'gateway', 'excludes option "apiKeys"')
  const name = gateway.header.toLowerCase()
  if (services?.services.some(({ header }) => header.toLowerCase() === name) === true) {
    throw optionsError(NAME, 'gateway.header', 'is the header of a service')
  }
}

function originOf(publicUrl: string | undefined): string | null {
  return publicUrl === undefined ? null : new URL(publicUrl).origin
}

function hasPrefix({ prefix }: { readonly prefix: unknown }): boolean {
  return typeof prefix === 'string' && /^[\w-]+$/.test(prefix)
}

function listsServices({ services }: { readonly services: unknown }): boolean {
  return Array.isArray(services) && services.every((each) => isOwnHeader(each?.header))
}

function listsScopes({ services }: ServiceVerifier): boolean {
  return services.every(({ permissions = [] }) => Array.isArray(permissions) && permissions.every(isScope))
}

// A header that is read as another credential could not be told apart from it.
function isOwnHeader(name: unknown): boolean {
  return isHttpToken(name) && !/^(authorization|cookie)$/i.test(name)
}

// A quoted string that says by itself what it says (RFC 9110 §5.6.4).
const REALM = /^(?=.*\S)[\x20\x21\x23-\x5b\x5d-\x7e]+$/

const SHAPE: Shape<AnyAuthOptions> = {
  issuers: optional(aListOf(anObjectWith<IssuerOptions>())),
  verifier: optional(anObjectWith<Verifier>('verify')),
  apiKeys: optional(also(anObjectWith('verify'), hasPrefix, 'must have a prefix')),
  services: optional(
    also(
      also(anObjectWith('verify'), listsServices, 'must list its services, each with a header of its own'),
      listsScopes,
      'must list what a service may do in scope tokens (RFC 6749 §3.3)',
    ),
  ),
  machines: optional(anObjectWith('findByIdentity')),
  cookie: optional(
    aGroup<SessionCookie>({
      name: aValue(isHttpToken, 'must be a cookie name'),
      publicUrl: optional(checkedBy(describeHttpUrl)),
    }),
  ),
  gateway: optional(
    aGroup<Gateway>({
      header: aValue(isOwnHeader, 'must be a header of its own'),
      publicUrl: optional(checkedBy(describeHttpUrl)),
    }),
  ),
  dev: optional(aFunction()),
  errorFormat: optional(oneOf('json', 'problem')),
  challenge: optional(
    aGroup<ChallengeOptions>({
      realm: optional(aMatch(REALM, 'must be printable ASCII without quotes and backslashes, and not blank')),
      scope: optional(oneOf('asked')),
      resourceMetadata: optional(checkedBy(describeExactUrl)),
    }),
  ),
  onDecision: optional(aFunction()),
  requestId: optional(aFunction()),
  clock: optional(aFunction()),
  roles: optional(aValue<RolesGiven>()),
  customRoles: optional(anObjectWith<CustomRoles>('find')),
  storage: optional(anObjectWith('transaction')),
  users: optional(aFunction()),
  orgs: optional(anObjectWith('readSelection', 'resolve', 'toOrgId')),
}
