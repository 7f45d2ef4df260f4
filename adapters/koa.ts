/**
 * sallyport for Koa 3 and 2: translates a request into the pipeline and its answer back, and nothing else.
 * The same exports as `sallyport/express` and `sallyport/hono`.
 */
import type { DefaultContext, DefaultState, Middleware, Next, ParameterizedContext } from 'koa'
import type { AuthContextOf, AuthTypes } from '../src/context.ts'
import { isAuthError } from '../src/errors.ts'
import {
  type AdapterOptions,
  type Auth,
  type BodyLimits,
  createRouteFinder,
  fromNodeRequest,
  keepHeaders,
  parseAdapterOptions,
  readJson as readJsonOf,
  toThrown,
  writeHeaders,
} from '../src/http/index.ts'
import type { Access, AuthRequest, AuthResponse } from '../src/request.ts'
import type { Route } from '../src/route.ts'

export type { AdapterOptions }

/** The part of Koa's context that is read, whatever the host's own generics are. */
export type KoaContext = Pick<ParameterizedContext, 'req' | 'res' | 'originalUrl' | 'request'>

/** What {@link createAdapter} gives for one auth. */
export interface Adapter<T extends AuthTypes> {
  /** Middleware: every request below is checked against `access` (default: a user, acting in an org). */
  middleware(access?: Access<T['role']>): Middleware
  /**
   * Wrap one handler: it gets the narrowed context first. What it throws reaches Koa, an `AuthError` is answered.
   */
  protect<const A extends Access<T['role']>, S = DefaultState, C = DefaultContext>(
    access: A,
    handler: (context: AuthContextOf<T, A>, ctx: ParameterizedContext<S, C>, next: Next) => unknown,
  ): Middleware<S, C>
  /**
   * Mount Routes, each with its own Access. Koa has no router: this matches method and path itself, exactly; what
   * matches is the handler, so nothing can disagree with it. HEAD is served by GET; no match goes on to the next.
   */
  mount(app: { use(middleware: Middleware): unknown }, routes: readonly Route[]): void
  /**
   * The context that the latest `middleware` or `protect` made for this very request object: none is found for a copy, a
   * wrapper or an heir of it. `access` is what was mounted, if not the default. Frozen; `user` and `org` are the host's own
   * objects, and nothing that is written to them is decided by.
   */
  getAuth(ctx: Pick<KoaContext, 'req'>): AuthContextOf<T, object>
  getAuth<const A extends Access<T['role']>>(ctx: Pick<KoaContext, 'req'>, access: A): AuthContextOf<T, A>
  /** Middleware that answers an `AuthError` which anything below threw; everything else flies on. Mount it first. */
  onError(ctx: ParameterizedContext, next: Next): Promise<void>
}

/**
 * Bind an auth to Koa. Costs nothing beside the pipeline: no storage, no network, one closure a mount.
 *
 * @throws TypeError for what is no auth, a wrong option, a wrong Access or a handler that is none, when it is mounted
 * @example
 * const { middleware, protect, mount, getAuth } = createAdapter(auth)
 * mount(app, [createSyncRoute({ … })])
 * app.use(middleware())
 * app.use((ctx) => { ctx.body = contacts.of(getAuth(ctx).org) })
 */
export function createAdapter<T extends AuthTypes>(auth: Auth<T>, options: AdapterOptions = {}): Adapter<T> {
  const { errors, limitBody, requireHandler } = parseAdapterOptions(auth, options)

  const refuse = (thrown: unknown, ctx: ParameterizedContext): void => {
    const error = auth.recordRefusal(ctx.req, thrown)
    if (errors === 'delegate' || !isAuthError(error) || ctx.headerSent) throw toThrown(error)
    writeAuthResponse(ctx, auth.toResponse(error))
  }
  const wrap = <A extends Access<T['role']>>(
    access: A,
    run: (context: AuthContextOf<T, A>, ctx: ParameterizedContext, next: Next) => unknown,
  ): Middleware => {
    const enter = auth.authorizer(access)
    return async function sallyport(ctx, next) {
      try {
        const authorized = await enter(limitBody(toAuthRequest(ctx)))
        keepHeaders(ctx.res, authorized.responseHeaders)
        await run(authorized.context, ctx, next)
      } catch (error) {
        refuse(error, ctx)
      }
    }
  }
  return {
    middleware: (access = {}) => wrap(access, (_context, _ctx, next) => next()),
    protect: (access, handler) => wrap(access, requireHandler(handler) as never) as never,
    mount(app, routes) {
      const respond = ({ access, handle }: Route): Middleware =>
        wrap(access, async (context, ctx) => writeAuthResponse(ctx, await handle(context as never, toAuthRequest(ctx))))
      const find = createRouteFinder(routes.map((route) => ({ ...route, respond: respond(route) })))
      app.use(function sallyportRoutes(ctx, next) {
        const found = find(ctx.method, ctx.url)
        return found === null ? next() : found.route.respond(Object.assign(ctx, { params: found.params }), next)
      })
    },
    getAuth: ({ req }: Pick<KoaContext, 'req'>, access?: Access<T['role']>) =>
      (access === undefined ? auth.contextOf(req) : auth.contextOf(req, access)) as never,
    onError: (ctx, next) => next().catch((error: unknown) => refuse(error, ctx)),
  }
}

/**
 * Read a Koa context: raw header lines, path parameters as a router has left them in `ctx.params`, and the body only when it
 * is asked for.
 *
 * @example
 * const context = await auth.authenticate(toAuthRequest(ctx))
 */
export function toAuthRequest(ctx: KoaContext): AuthRequest {
  const request = ctx.request as { body?: unknown; rawBody?: unknown }
  return fromNodeRequest(ctx.req, {
    url: ctx.originalUrl,
    params: (ctx as { params?: Record<string, string> | undefined }).params ?? {},
    parsedBody: () => request.rawBody ?? request.body,
    response: ctx.res,
    leaveBody: (body) => void Object.assign(request, { body }),
  })
}

/**
 * Write a response value, byte for byte.
 *
 * @example
 * writeAuthResponse(ctx, auth.toResponse(error))
 */
export function writeAuthResponse(ctx: ParameterizedContext, { status, headers, body }: AuthResponse): void {
  const set = (name: string, value: string): unknown => ctx.set(name, value)
  const remove = (name: string): unknown => ctx.remove(name)
  writeHeaders(headers, set, (name, value) => ctx.append(name, value), remove)
  ctx.body = body
  ctx.status = status
}

/**
 * Read a JSON object from a request, before or behind a body parser.
 *
 * @param limits the largest body in bytes, 16,384 unless told; or `{ limitBytes, timeoutSeconds }`
 * @throws AuthError in this order: `unsupported_media_type` (415), `payload_too_large` (413), `request_timeout` (408, where
 * it is not whole after 10 seconds); where it took over a second, what the pipeline refuses, judged once more;
 * `validation_error` (400, field `body`) for malformed JSON or no object
 * @throws Error where another middleware has consumed the body and left nothing
 * @example
 * const body = await readJson(ctx)
 */
export function readJson(ctx: KoaContext, limits?: number | BodyLimits): Promise<Readonly<Record<string, unknown>>> {
  return readJsonOf(toAuthRequest(ctx), limits)
}
