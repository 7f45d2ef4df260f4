/**
 * sallyport for Koa 3 and 2: translates a request into the pipeline and its answer back, and nothing else.
 * The same exports as `sallyport/express` and `sallyport/hono`.
 */
import type { DefaultContext, DefaultState, Middleware, Next, ParameterizedContext } from 'koa'
import type { AccessOf, AuthContextOf, AuthTypes } from '../src/context.ts'
import {
  type AdapterOptions,
  type Auth,
  createReadJson,
  createRouteFinder,
  fromNodeRequest,
  keepHeaders,
  parseAdapterOptions,
  type ReadJson,
  toThrown,
  writeHeaders,
} from '../src/http/index.ts'
import type { AuthRequest, AuthResponse } from '../src/request.ts'
import type { Route } from '../src/route.ts'

/** The part of Koa's context that is read, whatever the host's own generics are. */
type KoaContext = Pick<ParameterizedContext, 'req' | 'res' | 'originalUrl' | 'request'>

/** What {@link createAdapter} gives for one auth. */
export interface Adapter<T extends AuthTypes> {
  /**
   * Middleware: every request below needs a user, acting in an organization. Its own `getAuth` reads the context that it has
   * made of a request; it throws for a request that this very middleware has not let in, for a copy, a wrapper and an heir of
   * one. The context is frozen; `user` and `org` are the host's own objects.
   */
  middleware(): Middleware & { getAuth(ctx: Pick<KoaContext, 'req'>): AuthContextOf<T> }
  /**
   * The same, with what `access` asks of every request below.
   * @throws OptionsError for an Access that is wrong
   */
  middleware<const A extends AccessOf<T>>(
    access: A,
  ): Middleware & { getAuth(ctx: Pick<KoaContext, 'req'>): AuthContextOf<T, A> }
  /**
   * Wrap one handler: it gets the context first, of a user who acts in an organization. What it throws reaches Koa, an
   * `AuthError` is answered.
   */
  protect<S = DefaultState, C = DefaultContext>(
    handler: (context: AuthContextOf<T>, ctx: ParameterizedContext<S, C>, next: Next) => unknown,
  ): Middleware<S, C>
  /**
   * The same, with a context narrowed by what `access` asks.
   * @throws OptionsError for an Access that is wrong
   */
  protect<const A extends AccessOf<T>, S = DefaultState, C = DefaultContext>(
    access: A,
    handler: (context: AuthContextOf<T, A>, ctx: ParameterizedContext<S, C>, next: Next) => unknown,
  ): Middleware<S, C>
  /**
   * Mount Routes, each with its own Access. Koa has no router: this matches method and path itself, exactly; what
   * matches is the handler, so nothing can disagree with it. HEAD is served by GET; no match goes on to the next.
   */
  mount(app: { use(middleware: Middleware): unknown }, routes: readonly Route[]): void
  /** Middleware that answers an `AuthError` which anything below threw; everything else flies on. Mount it first. */
  onError(ctx: ParameterizedContext, next: Next): Promise<void>
}

/**
 * Bind an auth to Koa. Costs nothing beside the pipeline: no storage, no network, one closure a mount.
 *
 * @throws OptionsError for what is no auth, a wrong option, a wrong Access or a handler that is none, when it is mounted
 * @example
 * const { middleware, mount } = createAdapter(auth)
 * mount(app, routes)
 * const signedIn = middleware()
 * app.use(signedIn)
 * app.use(async (ctx) => { ctx.body = await contacts.list(signedIn.getAuth(ctx).org.id) })
 */
export function createAdapter<T extends AuthTypes>(auth: Auth<T>, options: AdapterOptions = {}): Adapter<T> {
  const { authorizer, refusalOf, handlersOf } = parseAdapterOptions(auth, options)

  const refuse = (thrown: unknown, ctx: ParameterizedContext): void => {
    const { error, response } = refusalOf(ctx.req, thrown)
    if (response === null || ctx.headerSent) throw toThrown(error)
    // A handler that wanted to answer by itself has thrown before it did: nobody else answers now.
    ctx.respond = true
    writeAuthResponse(ctx, response)
  }
  const wrap = <A extends AccessOf<T>>(
    access: A,
    run: ((context: AuthContextOf<T, A>, ctx: ParameterizedContext, next: Next) => unknown) | null,
  ): Middleware & { getAuth(ctx: Pick<KoaContext, 'req'>): AuthContextOf<T, A> } => {
    const authorize = authorizer(access)
    const handler: Middleware = async function sallyport(ctx, next) {
      try {
        const { context, responseHeaders } = await authorize(toAuthRequest(ctx))
        keepHeaders(ctx.res, responseHeaders)
        await (run === null ? next() : run(context, ctx, next))
      } catch (error) {
        refuse(error, ctx)
      }
    }
    return Object.assign(handler, { getAuth: (ctx: Pick<KoaContext, 'req'>) => authorize.contextOf(ctx.req) })
  }
  return {
    ...handlersOf(wrap),
    mount(app, routes) {
      const respond = ({ access, handle }: Route): Middleware =>
        wrap(access as never, async (context, ctx) =>
          writeAuthResponse(ctx, await handle(context as never, toAuthRequest(ctx))),
        )
      const find = createRouteFinder(routes.map((route) => ({ ...route, respond: respond(route) })))
      app.use(function sallyportRoutes(ctx, next) {
        const found = find(ctx.method, ctx.url)
        return found === null ? next() : found.route.respond(Object.assign(ctx, { params: found.params }), next)
      })
    },
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
 * if (isAuthError(error)) writeAuthResponse(ctx, auth.toResponse(error))
 */
export function writeAuthResponse(ctx: ParameterizedContext, { status, headers, body }: AuthResponse): void {
  const set = (name: string, value: string): unknown => ctx.set(name, value)
  const remove = (name: string): unknown => ctx.remove(name)
  writeHeaders(headers, set, (name, value) => ctx.append(name, value), remove)
  ctx.body = body
  ctx.status = status
}

/**
 * Read a JSON body from a request, before or behind a body parser: by any Standard Schema, or as the object it is.
 *
 * @throws AuthError, Error, TypeError as `readJson` of `sallyport` does, in its order: 415, 413, 408, then what checking the
 * caller once more refuses, then 400 `validation_error` with its `field`
 * @example
 * const { name } = await readJson(ctx, z.object({ name: z.string().min(1) }))
 */
export const readJson: ReadJson<KoaContext> = /* @__PURE__ */ createReadJson(toAuthRequest)
