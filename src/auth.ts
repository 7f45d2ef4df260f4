/** The pipeline's front: the steps fixed once, an authorizer for every route, and what a host asks of the whole. */
import type {
  AccessOf,
  ApiKeyVerifier,
  AuthContext,
  AuthContextOf,
  AuthTypes,
  Decision,
  Organization,
  OrgResolver,
  Readiness,
  ServiceOrgContext,
  ServiceVerifier,
  User,
  UserResolver,
  Verifier,
} from './context.ts'
import type { DevAuthenticator } from './credentials/extractor.ts'
import { type AuthError, type ErrorFormat, toAuthResponse } from './errors.ts'
import { createGuards, type Guards } from './guards.ts'
import { parseAccess, type Rule } from './pipeline/access.ts'
import { actIn } from './pipeline/act-in.ts'
import { type Authorized, createAuthorization } from './pipeline/authorize.ts'
import { contextFor } from './pipeline/request-state.ts'
import { parseAuthOptions, toSteps } from './pipeline/steps.ts'
import type { Access, AuthRequest, AuthResponse } from './request.ts'
import type { Route } from './route.ts'

/** Options of {@link createAuth}. */
export interface AuthOptions<
  R extends string,
  U extends User,
  O extends Organization | null,
  C extends string,
  S extends string,
> {
  /** The role ladder, lowest first. A stored role that is not on it is refused. */
  readonly roles: readonly R[]
  /** Who verifies bearer tokens: `createJwtVerifier(…)`, or the one of `login.auth`. */
  readonly verifier: Verifier<C>
  /** Who verifies API keys, whose tokens begin with its prefix: `createApiKeys(…)`. Default: there are none. */
  readonly apiKeys?: ApiKeyVerifier | undefined
  /** Who verifies service secrets: `createServiceVerifier(…)`. Default: there are none. */
  readonly services?: ServiceVerifier<S> | undefined
  /** A session cookie that carries a bearer token; with it the CSRF rule holds. Default: no cookie is read. */
  readonly cookie?: SessionCookie | undefined
  /** Dev mode: every request is judged by it first and may enter without a credential. Default: there is no such mode. */
  readonly dev?: DevAuthenticator | undefined
  /** Who finds or makes the user: `createProvisioner(…)`, `createSyncGate(…)`, or that of `login.auth`. */
  readonly users: UserResolver<U, C>
  /** Who decides the organization: `createOrgResolver(…)`, `createUserOrgResolver(…)`. */
  readonly orgs: OrgResolver<U, O>
  /** The body of refusals. Default `json`; `problem` is RFC 9457. */
  readonly errorFormat?: ErrorFormat | undefined
  /** Gets one record per request: audit log, telemetry, the answer to "why was this refused?". Never changes an answer. */
  readonly onDecision?: ((decision: Decision) => unknown) | undefined
  /** What a record calls its request: up to 128 letters, digits and `._:/+=-`. Default, and for anything else: a random UUID. */
  readonly requestId?: ((request: AuthRequest) => string | undefined) | undefined
  /** The clock for records, in milliseconds. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** The one cookie that is read as a credential. */
export interface SessionCookie {
  /** The cookie's name. Its value is a bearer token, under the cross-site rule. */
  readonly name: string
  /** The public URL of this service behind a proxy: its origin is "our own" for CSRF. Default: socket and `Host`. */
  readonly publicUrl?: string | undefined
}

export type { Authorized } from './pipeline/authorize.ts'

/** The types of a host's auth, inferred by {@link createAuth}. */
export interface HostTypes<
  R extends string,
  U extends User,
  O extends Organization | null,
  C extends string,
  S extends string,
> {
  readonly user: U
  readonly org: O
  readonly role: R
  readonly actingRole: null extends O ? R | null : R
  readonly claim: C
  readonly service: S
}

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

/** One pipeline, ready: what adapters and hosts use. */
export interface Auth<T extends AuthTypes = AuthTypes> extends Guards<T> {
  /**
   * Make the authorizer of a route: its Access is checked now, every request is checked against it.
   * @throws TypeError for an Access that is wrong
   */
  authorizer<const A extends AccessOf<T>>(access: A): Authorizer<AuthContextOf<T, A>>
  /**
   * Authenticate a request without a response object: a WebSocket upgrade, a queue's HTTP hook, a test.
   * One request object is authenticated once and its verdict kept: to check a connection that stays open again, hand in the same
   * message with a fresh source, `fromNodeRequest(message, { source: {} })`.
   * @param access what the caller must be; default: a user, acting in an organization
   * @throws AuthError the refusal
   */
  authenticate(request: AuthRequest): Promise<AuthContextOf<T, object>>
  authenticate<const A extends AccessOf<T>>(request: AuthRequest, access: A): Promise<AuthContextOf<T, A>>
  /**
   * Let a service, and only a service, act in an organization that it names in its body. A selector in the request
   * must name the same one.
   * @throws AuthError `forbidden` for a user, an API key or an unknown org; `invalid_org_id`; `org_selector_conflict`
   */
  actIn(context: AuthContext<T>, orgId: unknown): Promise<ServiceOrgContext<T>>
  /**
   * Write a Route with the types of this auth: its handler's context follows from its `access`, which is checked now.
   * @throws TypeError for an Access that is wrong
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
  /** Convert a refusal to the response this host wants (`errorFormat`). */
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
 * Create the pipeline: fix the steps once, then hand it to an adapter (`createAdapter(auth)` of `sallyport/express`,
 * `/koa`, `/hono`), or call `authenticate` yourself.
 *
 * Each request is authenticated once: nothing later runs after a refusal, every fault is a 500 or a named
 * 503. The pipeline itself asks no storage and no network; each step's `create…` says what it costs.
 *
 * @throws TypeError for a missing, misspelt or wrong option, and for a role that is granted but not on the ladder
 * @example
 * const auth = createAuth({
 *   roles: ['member', 'admin', 'owner'],
 *   verifier: createJwtVerifier({ issuers: [supabase({ url, secret })], audience: 'authenticated' }),
 *   users: createProvisioner({ storage }),
 *   orgs: createOrgResolver({ memberships: storage.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' }),
 * })
 */
export function createAuth<
  const R extends string,
  U extends User,
  O extends Organization | null,
  C extends string = never,
  S extends string = never,
>(options: AuthOptions<R, U, O, C, S>): Auth<HostTypes<R, U, O, C, S>> {
  const { errorFormat = 'json', onDecision, requestId, clock = Date.now, ...given } = parseAuthOptions(options)
  const steps = toSteps(given)
  const records = onDecision === undefined ? null : { clock, onDecision, requestId }
  const { authorize, recordRefusal } = createAuthorization(steps, clock, records)
  const vocabulary = { ladder: steps.ladder, apiKeys: steps.apiKeys !== null, services: steps.services?.services ?? [] }
  const parse = (access: Access): Rule | 'public' => parseAccess(access, vocabulary)
  const ruleOf = rememberRules(parse)

  const authorizer = (access: Access): Authorizer<AuthContext | null> => {
    const rule = parse(access)
    return Object.assign((request: AuthRequest) => authorize(request, rule), {
      contextOf: (source: object) => contextFor(source, steps, rule),
    })
  }
  const auth = {
    ...createGuards(steps.ladder),
    authorizer,
    authenticate: async (request: AuthRequest, access?: Access) => (await authorize(request, ruleOf(access))).context,
    route: (route: Route) => {
      parse(route.access)
      return Object.freeze(route)
    },
    actIn: (context: AuthContext, orgId: unknown) => actIn(steps, context, orgId),
    recordRefusal,
    toResponse: (error: AuthError) => toAuthResponse(error, errorFormat),
    warmUp: async () => steps.verifier.warmUp?.(),
    isReady: () => readinessOf(steps.verifier).isReady,
    readiness: () => readinessOf(steps.verifier),
    close: () => steps.verifier.close?.(),
  }
  return Object.freeze(auth) as unknown as ReturnType<typeof createAuth<R, U, O, C, S>>
}

function readinessOf(verify: Verifier): Readiness {
  return verify.readiness?.() ?? { isReady: verify.isReady?.() ?? true, down: [] }
}

// An Access that comes with every call is parsed once, as long as it is the same object.
function rememberRules(parse: (access: Access) => Rule | 'public'): (access?: Access) => Rule | 'public' {
  const byDefault = parse({})
  const rules = new WeakMap<object, Rule | 'public'>()
  return (access) => {
    if (access === undefined) return byDefault
    const known = typeof access === 'object' && access !== null ? rules.get(access) : undefined
    const rule = known ?? parse(access)
    if (typeof access === 'object') rules.set(access, rule)
    return rule
  }
}
