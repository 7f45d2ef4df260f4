/** `createApiKeys`: its options, checked once, and one object that verifies keys, handles them and has their routes. */
import type { ApiKey, ApiKeyVerifier, Roles } from '../context.ts'
import {
  aCount,
  aFunction,
  aGroupOfKind,
  aListOf,
  aName,
  aNumber,
  anObjectWith,
  aString,
  aValue,
  checkedBy,
  oneOf,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { type PermissionOf, type RoleOf, type RolesGiven, toRoles } from '../permissions/roles.ts'
import type { Route } from '../route.ts'
import type { ApiKeyRepository } from '../storage/repositories.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'
import {
  type ApiKeyActions,
  type ApiKeyEvent,
  type ApiKeyOwnership,
  type ApiKeySettings,
  createApiKeyActions,
} from './api-key-actions.ts'
import { type ApiKeyRoutesOptions, createApiKeyRoutes } from './api-key-routes.ts'
import { createApiKeyVerifier } from './api-key-verifier.ts'
import { createKeyFormat } from './key-format.ts'

/** Options of {@link createApiKeys}. */
export interface ApiKeysOptions<G extends RolesGiven, P extends string = PermissionOf<G>> {
  /**
   * Where the keys are kept: a storage with `apiKeys`. As a key is written its maker must still be there, and enabled
   * (`apiKeys.insertByMaker`): of an organization's a member, where there are `memberships` beside the keys; of the installation's a
   * user or a local account, where there are `users` or `accounts`. Where they are kept elsewhere: `{ apiKeys: storage.apiKeys }`.
   */
  readonly storage: {
    readonly apiKeys: ApiKeyRepository
    readonly memberships?: unknown
    readonly users?: unknown
    readonly accounts?: unknown
  }
  /** How every key begins: a lower-case letter, then 1 to 15 lower-case letters and digits. */
  readonly prefix: string
  /** The roles: the same as those of `createAuth`, which refuses keys of others. Without permissions, each key names its role. */
  readonly roles: G
  /** What a key may carry; one that was made with more carries it no more. Default: all that `roles` have. */
  readonly permissions?: readonly P[] | undefined
  /** What a key carries for which nothing is named. Default: nothing. */
  readonly defaultPermissions?: readonly P[] | undefined
  /**
   * Whose the keys are. `org`, the default: each belongs to the org its maker acts in. `installation`: there is one set of
   * users, whose roles are their own, and one of keys; a key may be bound to an org, whose id a body brings as `field` and
   * in which `memberships` says whether its maker may act, or to none.
   */
  readonly owner?: ApiKeyOwnership | undefined
  /** Longest time for which the secret before a rotation stays good, in seconds. Default 604800, a week. */
  readonly maxOverlapSeconds?: number | undefined
  /** How many keys that are not revoked an owner may have. Default 1000. */
  readonly maxKeys?: number | undefined
  /**
   * A check of the host's own, awaited, after everything else: a limit on requests per key, say. `true` lets the key in,
   * `false` is refused with `unauthorized`; refuse otherwise by throwing an `AuthError`. Anything else that it answers or
   * throws is a fault of the host.
   */
  readonly check?: ((key: ApiKey) => boolean | Promise<boolean>) | undefined
  /** Told of every key issued, rotated and revoked, once it is so; what it throws is printed, and changes nothing. */
  readonly onEvent?: ((event: ApiKeyEvent) => unknown) | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** API keys, ready: what `createAuth({ apiKeys })` takes, and what routes and consoles of the host handle keys by. */
export interface ApiKeys<R extends string = string, P extends string = string> extends ApiKeyVerifier, ApiKeyActions {
  /** The roles that its keys may have. */
  readonly roles: Roles<R, P>
  /** What a key may carry. */
  readonly permissions: readonly P[]
  /**
   * Make the routes by which people handle keys: `GET` and `POST` of the path, `POST <path>/:id/rotate`,
   * `DELETE <path>/:id`. Bodies: `{"name","role"?,"scopes"?,"expires_at"?}` (`scopes` are the key's permissions), with the org's field where keys are the
   * installation's, and `{"overlap_seconds"?}`, which may be left out altogether. They take users only, who act in the org
   * where keys are an org's, and refuse as the methods and `readJson` do. Cost: one or two storage queries a call.
   *
   * @throws OptionsError for a missing, unknown or wrong option
   * @example
   * mount(app, apiKeys.routes({ role: 'admin' }))
   */
  routes(options: ApiKeyRoutesOptions<R, P>): readonly Route[]
}

/**
 * Create the API keys of organizations, or of an installation. A key survives the person who made it; its role and
 * permissions are never above theirs, and nobody but a user handles keys: no key makes another.
 *
 * As the verifier of `createAuth({ apiKeys })` it refuses with `unauthorized`, in the same bytes, what is malformed or
 * mistyped (0 look-ups), unknown, wrong, revoked or expired: one SHA-256 and one look-up, and never from a cache. A rotated
 * key's previous secret is good until its deadline, at that very instant no more. A use is noted with `touch` at most once a
 * minute a key, beside the request: it delays and fails nothing. What the other methods refuse and cost, each says.
 *
 * @throws OptionsError for a missing, unknown or wrong option, a permission that no role has
 * @example
 * const roles = createRoles(['viewer', 'member', 'admin'], { 'dependencies:read': 'viewer', 'dependencies:write': 'member' })
 * const apiKeys = createApiKeys({ storage, prefix: 'itk', roles, defaultPermissions: ['dependencies:read'] })
 * const auth = createAuth({ issuers, storage, roles, apiKeys })
 * mount(app, apiKeys.routes({ role: 'admin' }))
 */
export function createApiKeys<const G extends RolesGiven>(
  options: ApiKeysOptions<G>,
): ApiKeys<RoleOf<G>, PermissionOf<G>> {
  const { repository, check, ...settings } = parse(options as Options)
  const { format, roles, permissions, clock } = settings
  const actions = createApiKeyActions({ ...settings, repository: withStorageErrors(repository) })
  const apiKeys: ApiKeys = {
    ...{ prefix: format.prefix, roles, permissions },
    verify: createApiKeyVerifier({ repository, format, permissions, check, clock }),
    ...actions,
    routes: (given: ApiKeyRoutesOptions) => createApiKeyRoutes(actions, settings, given),
  }
  return Object.freeze(apiKeys) as ApiKeys<RoleOf<G>, PermissionOf<G>>
}

const NAME = 'createApiKeys'

type Options = ApiKeysOptions<RolesGiven, string>

function parse(options: Options): ApiKeySettings & Pick<Options, 'check'> {
  const { storage, prefix, roles: given, ...parsed } = parseOptions(NAME, shape(), options)
  const { owner = { kind: 'org' }, maxOverlapSeconds = 604_800, maxKeys = 1000, clock = Date.now } = parsed
  const roles = toRoles(given, NAME)
  const { permissions = roles.permissions, defaultPermissions = [] } = parsed
  requireAmong('permissions', permissions, roles.permissions)
  requireAmong('defaultPermissions', defaultPermissions, permissions)
  return {
    ...parsed,
    repository: storage.apiKeys,
    knowsMakers: (owner.kind === 'org' ? storage.memberships : (storage.users ?? storage.accounts)) !== undefined,
    format: createKeyFormat(NAME, prefix),
    roles,
    permissions: Object.freeze([...permissions]),
    defaultPermissions,
    owner: owner.kind === 'org' ? owner : { ...owner, memberships: withStorageErrors(owner.memberships) },
    maxOverlapSeconds,
    maxKeys,
    clock,
  }
}

function requireAmong(option: string, named: readonly string[], known: readonly string[]): void {
  const unknown = named.find((permission) => !known.includes(permission))
  if (unknown === undefined) return
  throw optionsError(
    NAME,
    option,
    `names ${JSON.stringify(unknown)}, which is none of ${known.join(', ') || 'nothing'}`,
  )
}

const METHODS = ['insert', 'findById', 'list', 'rotate', 'revoke', 'revokeCreatedBy', 'touch'] as const

function describeStorage(storage: unknown): string | null {
  const { apiKeys } = (storage ?? {}) as { readonly apiKeys?: Partial<ApiKeyRepository> | null }
  const hasAll = METHODS.every((method) => typeof apiKeys?.[method] === 'function')
  return hasAll ? null : `must have apiKeys with ${METHODS.join(', ')}`
}

// A function: what a host does not use must not stay in its bundle.
const shape = (): Shape<Options> => ({
  storage: checkedBy(describeStorage),
  prefix: aString(),
  roles: aValue<RolesGiven>(),
  permissions: optional(aListOf(aString())),
  defaultPermissions: optional(aListOf(aString())),
  owner: optional(
    aGroupOfKind<ApiKeyOwnership>({
      org: () => ({ kind: oneOf('org') }),
      installation: () => ({
        kind: oneOf('installation'),
        memberships: anObjectWith('findActing'),
        field: aName(),
      }),
    }),
  ),
  maxOverlapSeconds: optional(aNumber(0, 31_536_000)),
  maxKeys: optional(aCount(1, 1_000_000)),
  check: optional(aFunction()),
  onEvent: optional(aFunction()),
  clock: optional(aFunction()),
})
