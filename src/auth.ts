/** The pipeline's front: the steps fixed once, an authorizer for every route, and what a host asks of the whole. */
import type {
  AccessOf,
  AuthContext,
  AuthContextOf,
  AuthTypes,
  Organization,
  Readiness,
  ServiceOrgContext,
  User,
  Verifier,
} from './context.ts'
import { type AuthError, toAuthResponse, withChallenge } from './errors.ts'
import { createGuards, type Guards } from './guards.ts'
import { stopwatch } from './lib/time.ts'
import type { CustomRoles } from './permissions/custom-roles.ts'
import type { PermissionOf, RoleOf, RolesGiven } from './permissions/roles.ts'
import { parseAccess, type Rule } from './pipeline/access.ts'
import { actIn } from './pipeline/act-in.ts'
import {
  type AnyAuthOptions,
  type AuthOptions,
  type IdentityOptions,
  parseAuthOptions,
} from './pipeline/auth-options.ts'
import { type Authorized, createAuthorization } from './pipeline/authorize.ts'
import { contextFor } from './pipeline/request-state.ts'
import type { Access, AuthRequest, AuthResponse } from './request.ts'
import type { Route } from './route.ts'

export type { AuthOptions, IdentityOptions } from './pipeline/auth-options.ts'
export type { Authorized } from './pipeline/authorize.ts'

/**
 * The types of a host's auth, inferred by {@link createAuth}.
 * @typeParam P permissions that routes can ask
 * @typeParam X the names of roles made at run time: `string` where there are any
 */
export interface HostTypes<
  R extends string,
  U extends User,
  O extends Organization | null,
  C extends string,
  S extends string,
  P extends string = never,
  X extends string = never,
> {
  readonly user: U
  readonly org: O
  readonly role: R
  readonly actingRole: null extends O ? R | X | null : R | X
  readonly permission: P
  readonly claim: C
  readonly service: S
}

/** The types of an auth that knows identities alone, inferred by {@link createAuth}. */
export interface IdentityTypes<C extends string, S extends string> {
  readonly user: never
  readonly org: null
  readonly role: never
  readonly actingRole: null
  readonly permission: string
  readonly claim: C
  readonly service: S
  readonly needs: 'identity'
}

/**
 * The context that handlers of a route get: `ContextOf<typeof auth, { role: 'admin' }>`, for helpers that take one.
 * @typeParam A the route's Access; left out: the default
 */
export type ContextOf<AuthOrTypes, A = object> = AuthOrTypes extends Auth<infer T> ? AuthContextOf<T, A> : never

/** What one mount decides by: its Access, checked once. For who writes an adapter. */
export interface Authorizer<C> {
  /** @throws AuthError the refusal */
  (request: AuthRequest): Promise<Authorized<C>>
  /**
   * The context that this mount has made of a request. Synchronous.
   * @param source the framework's request object itself: for a copy, a wrapper or an heir of it there is no context
   * @throws Error where this mount has let no such request in
   */
  contextOf(source: object): C
}

/**
 * One pipeline, ready: what adapters and hosts use. `typeof auth` is yours. A function for any auth takes `Auth<T>` with a
 * `T extends AuthTypes` of its own, or what it uses: `Pick<Auth, 'readiness'>`; none is an `Auth` without its types.
 */
export interface Auth<T extends AuthTypes = AuthTypes> extends Guards<T> {
  /**
   * Make the authorizer of a route: its Access is checked now, every request is checked against it.
   * @throws OptionsError for an Access that is wrong
   */
  authorizer<const A extends AccessOf<T>>(access: A): Authorizer<AuthContextOf<T, A>>
  /**
   * Authenticate a request without a response object: a WebSocket upgrade, a queue's HTTP hook, a test.
   * One request object is authenticated once and its verdict kept: to check a connection that stays open again, hand in the same
   * message with a fresh source, `fromNodeRequest(message, { source: {} })`.
   * @returns the context of a user who acts in an organization
   * @throws AuthError the refusal
   */
  authenticate(request: AuthRequest): Promise<AuthContextOf<T, object>>
  /**
   * The same, for a caller of another kind.
   * @param access what the caller must be; the same object every time is parsed once
   * @throws AuthError the refusal; OptionsError, as a rejection too, for an Access that is wrong
   */
  authenticate<const A extends AccessOf<T>>(request: AuthRequest, access: A): Promise<AuthContextOf<T, A>>
  /**
   * Let a service, and only a service, act in an organization that it names in its body. A selector in the request
   * must name the same one.
   * @throws AuthError `forbidden` for a user, an API key or an unknown org; `invalid_org_id`; `org_selector_conflict`
   */
  actIn(context: AuthContext<T>, orgId: unknown): Promise<ServiceOrgContext<T>>
  /**
   * Write a Route with the types of this auth: its handler's context follows from its `access`, which is checked now.
   * @throws OptionsError for an Access that is wrong
   * @example
   * auth.route({ method: 'GET', path: '/me', access: {}, handle: ({ user, org }) => jsonResponse(200, { user, org }) })
   */
  route<const A extends AccessOf<T>>(route: Route<T, A>): Route
  /**
   * Write what a handler threw into the request's record. A refusal (`not_found`, `conflict`, a malformed body) is `refused`,
   * an error is `failed`; what carries a status of its own and what the pipeline itself threw is passed over. For who writes
   * an adapter.
   * @param source the framework's request object
   * @returns what is to be answered: `temporarily_unavailable` for a `TransientError`, else the error as it is
   */
  recordRefusal(source: object, error: unknown): unknown
  /** Convert a refusal to the response this host wants (`errorFormat`, `challenge`). */
  toResponse(error: AuthError): AuthResponse
  /** Load what verification needs (keys) before the first request. */
  warmUp(): Promise<void>
  /**
   * Whether somebody could be verified now, and no issuer that answers lacks a key: for a readiness probe. Where there is no
   * key yet, asking begins to fetch it.
   */
  isReady(): boolean
  /** The same, and the issuers whose keys can't be had now: those take only their own users along. */
  readiness(): Readiness
  /** End everything in flight; afterwards the process can exit. */
  close(): void
}

/**
 * Create an auth: what is trusted, where users are, which roles there are. Hand it to an adapter (`createAdapter(auth)` of
 * `sallyport/express`, `/koa`, `/hono`), or call `authenticate` yourself. Every default stands for a long form, which each
 * option's docstring writes out.
 *
 * Without `roles`, `storage`, `users` and `orgs` (none of them given, not even as `undefined`) it knows identities alone:
 * who signed the token and for whom; its routes can ask nothing more.
 *
 * Each request is authenticated once: nothing later runs after a refusal, every fault is a 500 or a named 503. It asks no
 * storage and no network by itself; each step's `create…` says what it costs.
 *
 * @throws OptionsError for a missing, misspelt or wrong option, and for a role that is granted but not one of `roles`
 * @example
 * const auth = createAuth({
 *   issuers: [supabase({ url: 'https://abc.supabase.co' })],
 *   storage: createPostgresStorage({ pool }),
 *   roles: ['member', 'admin', 'owner'],
 * })
 * const identities = createAuth({ issuers: [oidc({ issuer, audience: 'https://api.example.com' })] })
 */
export function createAuth<C extends string = never, S extends string = never>(
  options: IdentityOptions<C, S>,
): Auth<IdentityTypes<C, S>>
export function createAuth<
  const G extends RolesGiven,
  StoredU extends User,
  StoredO extends Organization,
  U extends User = StoredU,
  O extends Organization | null = StoredO,
  C extends string = never,
  S extends string = never,
  Q extends string = never,
  const M extends CustomRoles | undefined = undefined,
>(
  options: AuthOptions<G, U, O, C, S, Q, M, StoredU, StoredO>,
): Auth<HostTypes<RoleOf<G>, U, O, C, S, PermissionOf<G> | Q, M extends CustomRoles ? string : never>>
export function createAuth(given: AnyAuthOptions): unknown {
  const { options, steps } = parseAuthOptions(given)
  const { errorFormat = 'json', onDecision, requestId, clock = Date.now } = options
  const { verifier } = steps
  const records = onDecision === undefined ? null : { clock, timer: options.clock ?? stopwatch, onDecision, requestId }
  const { authorizer, authenticator, recordRefusal } = createAuthorization(steps, clock, records)
  const parse = (access: Access): Rule | 'public' => parseAccess(access, steps)
  const authenticatorOf = remember((access) => authenticator(parse(access)))

  const auth: Auth = {
    ...createGuards(steps.roles),
    authorizer(access) {
      const rule = parse(access)
      const contextOf = (source: object) => contextFor(source, steps, rule) as never
      return Object.assign(authorizer(rule), { contextOf }) as never
    },
    authenticate(request: AuthRequest, access?: Access) {
      try {
        return authenticatorOf(access)(request) as Promise<never>
      } catch (error) {
        // An Access that is wrong rejects, as every refusal does.
        return Promise.reject(error)
      }
    },
    route(route) {
      parse(route.access)
      return Object.freeze(route) as Route
    },
    actIn: (context, orgId) => actIn(steps, context, orgId),
    recordRefusal,
    toResponse: (error) => toAuthResponse(withChallenge(error, steps.challenge), errorFormat),
    warmUp: async () => verifier.warmUp?.(),
    isReady: () => readinessOf(verifier).isReady,
    readiness: () => readinessOf(verifier),
    close: () => verifier.close?.(),
  }
  return Object.freeze(auth)
}

function readinessOf(verify: Verifier): Readiness {
  return verify.readiness?.() ?? { isReady: verify.isReady?.() ?? true, down: [] }
}

// What is made of an Access that comes with every call is made once, as long as it is the same object.
function remember<V>(make: (access: Access) => V): (access?: Access) => V {
  const byDefault = make({})
  const made = new WeakMap<object, V>()
  return (access) => {
    if (access === undefined) return byDefault
    const known = typeof access === 'object' && access !== null ? made.get(access) : undefined
    const value = known ?? make(access)
    if (typeof access === 'object') made.set(access, value)
    return value
  }
}
