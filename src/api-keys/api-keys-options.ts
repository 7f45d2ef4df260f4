/** The options of `createApiKeys`, checked: the ladder, the scopes and what each needs, whose the keys are. */
import * as z from 'zod/mini'
import { aFunction, aGroup, aName, aNumber, anObjectWith, parseOptions } from '../lib/parse-options.ts'
import { createRoleLadder, isScope, type RoleLadder } from '../permissions/role-ladder.ts'
import type { ActingOrgSource, ApiKeyRepository } from '../storage/repositories.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'
import { createKeyFormat, type KeyFormat } from './key-format.ts'

/**
 * Whose the keys are. `org`: each belongs to the org its creator acts in. `installation`: the installation has one set of
 * users, whose roles are their own, and one set of keys; a key may be bound to an org (an environment) or to none.
 */
export type ApiKeyOwnership =
  | { readonly kind: 'org' }
  | {
      readonly kind: 'installation'
      /** Where to ask whether a creator may act in the org a new key is to be bound to. */
      readonly source: Pick<ActingOrgSource, 'findActing'>
      /** What that org is called in a request's body: `environment`, say. */
      readonly field: string
    }

/** What happened to a key, for the host's audit log. Holds no secret. */
export interface ApiKeyEvent {
  readonly kind: 'api_key_issued' | 'api_key_rotated' | 'api_key_revoked'
  readonly keyId: string
  /** The org the owner of the key is, or `null` where keys are the installation's. */
  readonly ownerOrgId: string | null
  /** The id of the user who did it. */
  readonly byId: string
  readonly at: Date
}

/** Options of {@link createApiKeys}. */
export interface ApiKeysOptions<R extends string, S extends string> {
  /** Where the keys are kept. */
  readonly repository: ApiKeyRepository
  /** How every key begins: a lower-case letter, then 1 to 15 lower-case letters and digits. */
  readonly prefix: string
  /** The role ladder, lowest first: the one of `createAuth`. */
  readonly roles: readonly R[]
  /** Every scope a key may have, and the lowest role that it needs. `{}`: keys have none, and each names its role. */
  readonly scopes: Readonly<Record<S, NoInfer<R>>>
  /** The scopes of a key for which none are named. */
  readonly defaultScopes: readonly NoInfer<S>[]
  /** Whose the keys are. Default: the org's. */
  readonly owner?: ApiKeyOwnership | undefined
  /** Longest time for which the secret before a rotation stays good, in seconds. Default 604800, a week. */
  readonly maxOverlapSeconds?: number | undefined
  /** How many keys that are not revoked an owner may have. Default 1000. */
  readonly maxKeys?: number | undefined
  /** Told of every key issued, rotated and revoked, once it is so; what it throws is dropped. */
  readonly onEvent?: ((event: ApiKeyEvent) => unknown) | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** What `createApiKeys` works with. */
export interface ApiKeySettings {
  readonly repository: ApiKeyRepository
  readonly format: KeyFormat
  readonly ladder: RoleLadder
  /** The lowest role by scope. */
  readonly scopes: ReadonlyMap<string, string>
  readonly defaultScopes: readonly string[]
  readonly owner: ApiKeyOwnership
  readonly maxOverlapSeconds: number
  readonly maxKeys: number
  readonly onEvent: ((event: ApiKeyEvent) => unknown) | undefined
  readonly clock: () => number
}

const NAME = 'createApiKeys'

/** Parse the options of `createApiKeys`; throws `TypeError`. */
export function parseApiKeysOptions(options: unknown): ApiKeySettings {
  const { prefix, roles, scopes, defaultScopes, ...parsed } = parseOptions(NAME, shape(), options)
  const { owner: given = { kind: 'org' }, maxOverlapSeconds = 604_800, maxKeys = 1000, clock = Date.now } = parsed
  const ladder = createRoleLadder(roles, NAME)
  for (const [scope, role] of Object.entries(scopes)) {
    if (!isScope(scope)) throw new TypeError(`${NAME}: option "scopes" has a name that is no scope (RFC 6749 §3.3)`)
    ladder.named(role, `${NAME}: option "scopes"`)
  }
  const unknown = defaultScopes.find((scope) => !Object.hasOwn(scopes, scope))
  if (unknown !== undefined) {
    throw new TypeError(`${NAME}: option "defaultScopes" names ${JSON.stringify(unknown)}, which is not a scope`)
  }
  const { onEvent } = parsed
  const repository = withStorageErrors(parsed.repository)
  const format = createKeyFormat(NAME, prefix)
  const owner = given.kind === 'org' ? given : { ...given, source: withStorageErrors(given.source) }
  const known = new Map(Object.entries(scopes))
  return { repository, format, ladder, scopes: known, defaultScopes, owner, maxOverlapSeconds, maxKeys, onEvent, clock }
}

// A function: what a host does not use must not stay in its bundle.
const shape = () => ({
  repository: anObjectWith<ApiKeyRepository>('insert', 'findById', 'list', 'rotate', 'revoke'),
  prefix: z.string(),
  roles: z.array(z.string()),
  scopes: z.record(z.string(), z.string()),
  defaultScopes: z.array(z.string()),
  owner: z.optional(
    z.union([
      aGroup({ kind: z.literal('org') }),
      aGroup({
        kind: z.literal('installation'),
        source: anObjectWith<Pick<ActingOrgSource, 'findActing'>>('findActing'),
        field: aName(),
      }),
    ]),
  ),
  maxOverlapSeconds: z.optional(aNumber(0, 31_536_000)),
  maxKeys: z.optional(aNumber(1, 1_000_000)),
  onEvent: z.optional(aFunction<(event: ApiKeyEvent) => unknown>()),
  clock: z.optional(aFunction<() => number>()),
})
