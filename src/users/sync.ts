/**
 * Users who are made by a call of their own: a gate that lets in only who is here already (a valid token without a user row is
 * 428, not a new user), and the route that makes the user.
 */
import type {
  ActingOrg,
  AuthTypes,
  Identity,
  IdentityContext,
  Organization,
  OrgSelection,
  ResolvedUser,
  User,
  UserResolver,
} from '../context.ts'
import { AuthError } from '../errors.ts'
import { jsonResponse } from '../http/json-response.ts'
import { answerOf, follow, toStep } from '../lib/at-once.ts'
import {
  aFunction,
  anObjectWith,
  aPath,
  aRoutePath,
  maker,
  optional,
  ownOf,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import type { Route } from '../route.ts'
import type { ActingOrgSource, UserRepository } from '../storage/repositories.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'
import { CONTEXT_ORIGINS } from './context-origin.ts'

/** Options of {@link createSyncGate}. */
export interface SyncGateOptions<U extends User> {
  /** Where to find the user. */
  readonly users: Pick<UserRepository<U>, 'findByIdentity'>
  /** The path of the host's sync route, for the 428's message. Default `/auth/sync`. */
  readonly syncPath?: string | undefined
}

/**
 * Create the sync gate: find the user of an identity, or refuse with `user_not_synced` (428) saying where to POST;
 * `forbidden` where the user is disabled. It never writes. Cost: one storage query.
 *
 * @throws OptionsError for a missing or unknown option
 * @example
 * const users = createSyncGate({ users: storage.users })
 */
export const createSyncGate: <U extends User>(options: SyncGateOptions<U>) => UserResolver<U> = /* @__PURE__ */ maker(
  'createSyncGate({ users })',
  syncGate,
)

function syncGate<U extends User>(options: SyncGateOptions<U>): UserResolver<U> {
  const { users, syncPath = '/auth/sync' } = parseOptions('createSyncGate', gateShape<U>(), options)
  return toStep((identity: Identity, selection: OrgSelection) =>
    follow(answerOf(users.findByIdentity).call(users, identity, selection), (record) => {
      if (record === null) throw new AuthError('user_not_synced', { reason: 'user_not_synced', syncPath })
      return resolveUser(record)
    }),
  )
}

/**
 * Let a stored user in: what both user resolvers do with a row that is there.
 * @throws AuthError `forbidden` where the row is disabled or deleted
 */
export function resolveUser<U extends User>(found: ResolvedUser<U>): ResolvedUser<U> {
  const { user } = found
  if (user.disabled) {
    throw new AuthError('forbidden', { reason: 'user_disabled', principal: { kind: 'user', id: user.id } })
  }
  const membership = ownOf(found, 'membership')
  return membership === undefined ? { user } : { user, membership }
}

/** Options of {@link createSyncRoute}. */
export interface SyncRouteOptions<U extends User, O extends Organization> {
  /** The provisioner that makes the user. */
  readonly provision: UserResolver<U>
  /** Where to ask for the user's organization and role, for the answer. */
  readonly memberships: ActingOrgSource<U, O>
  /** Where the route is. Default `/auth/sync`. */
  readonly path?: string | undefined
  /** The answer's body, or a promise of it. Default `{"data":{"user":{"id","email","org_id","role"}}}`. */
  readonly present?: ((user: U, acting: ActingOrg<O> | null) => unknown) | undefined
}

/**
 * Create the sync route: `POST /auth/sync` with a valid token makes the user, or finds the one that is there.
 * It answers 201 exactly once and 200 after, with the same body, also under parallel calls. Mount it outside the
 * middleware that has the sync gate.
 *
 * Refuses as the provisioner does. Cost: what the provisioner costs, and one query.
 *
 * @throws OptionsError for a missing or unknown option
 * @example
 * mount(app, [createSyncRoute({ provision: createProvisioner({ storage }), memberships: storage.memberships })])
 */
export function createSyncRoute<U extends User, O extends Organization>(options: SyncRouteOptions<U, O>): Route {
  const parsed = parseOptions('createSyncRoute', routeShape<U, O>(), options)
  const { provision, path = '/auth/sync', present = toBody } = parsed
  const memberships = withStorageErrors(parsed.memberships)
  const route: Route<AuthTypes, { readonly needs: 'identity' }> = {
    method: 'POST',
    path,
    access: { needs: 'identity' },
    async handle(context: IdentityContext) {
      const origin = CONTEXT_ORIGINS.get(context)
      const { user, created, membership, provisioned } = await provision(
        context.identity,
        { kind: 'unnamed' },
        origin?.roles,
        origin?.token,
      )
      if (provisioned !== undefined) origin?.provisioned(provisioned)
      const acting = membership ?? (await memberships.listActing({ kind: 'user', user }, 1))[0] ?? null
      return jsonResponse(created === true ? 201 : 200, await present(user, acting as ActingOrg<O> | null))
    },
  }
  return Object.freeze(route) as Route
}

function toBody(user: User, acting: ActingOrg<Organization> | null): unknown {
  return {
    data: { user: { id: user.id, email: user.email, org_id: acting?.org.id ?? null, role: acting?.role ?? null } },
  }
}

// Functions: what a host does not use must not stay in its bundle.
const gateShape = <U extends User>(): Shape<SyncGateOptions<U>> => ({
  users: anObjectWith('findByIdentity'),
  syncPath: optional(aPath()),
})

const routeShape = <U extends User, O extends Organization>(): Shape<SyncRouteOptions<U, O>> => ({
  provision: aFunction(),
  memberships: anObjectWith('findActing', 'listActing'),
  path: optional(aRoutePath()),
  present: optional(aFunction()),
})
