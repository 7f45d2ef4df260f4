/**
 * sallyport for Hono, on Node (`@hono/node-server`) and wherever Fetch is spoken: translates a request into the pipeline
 * and its answer back, and nothing else. The same exports as `sallyport/express` and `sallyport/koa`.
 */
import type { Context, Env, Handler, MiddlewareHandler, Next, TypedResponse } from 'hono'
import type { AccessOf, AuthContextOf, AuthTypes } from '../src/context.ts'
import {
  type AdapterOptions,
  type Auth,
  createReadJson,
  createRouteFinder,
  fromFetchRequest,
  parseAdapterOptions,
  type ReadJson,
  writeHeaders,
} from '../src/http/index.ts'
import type { AuthRequest, AuthResponse } from '../src/request.ts'
import type { Route } from '../src/route.ts'
import { announce, createUnheard, type HeadersOf, type Node, nodeOf, stamp, type Unheard } from './hono-response.ts'

/** What a Hono handler may return. */
type HandlerAnswer = Response | TypedResponse | Promise<Response | TypedResponse> | Promise<void>

const NO_HEADERS: HeadersOf = () => []

/** What {@link createAdapter} gives for one auth. */
export interface Adapter<T extends AuthTypes> {
  /**
   * Middleware: every request below needs a user, acting in an organization. Its own `getAuth` reads the context that it has
   * made of a request; it throws for a request that this very middleware has not let in, for a copy, a wrapper and an heir of
   * one. The context is frozen; `user` and `org` are the host's own objects.
   */
  middleware(): MiddlewareHandler & { getAuth(c: Context): AuthContextOf<T> }
  /**
   * The same, with what `access` asks of every request below.
   * @throws OptionsError for an Access that is wrong
   */
  middleware<const A extends AccessOf<T>>(access: A): MiddlewareHandler & { getAuth(c: Context): AuthContextOf<T, A> }
  /**
   * Wrap one handler: it gets the context first, of a user who acts in an organization. What it throws reaches Hono, an
   * `AuthError` is answered.
   * Annotate `c` where its bindings, variables and parameters are to be typed: `c: Context<AppEnv, '/contacts/:id'>`.
   */
  // biome-ignore lint/suspicious/noExplicitAny: what Hono's own `Context` stands for where nothing is said
  protect<R extends HandlerAnswer, E extends Env = any, P extends string = any>(
    handler: (context: AuthContextOf<T>, c: Context<E, P>, next: Next) => R,
  ): (c: Context<E, P, object>, next: Next) => R
  /**
   * The same, with a context narrowed by what `access` asks.
   * @throws OptionsError for an Access that is wrong
   */
  // biome-ignore lint/suspicious/noExplicitAny: what Hono's own `Context` stands for where nothing is said
  protect<const A extends AccessOf<T>, R extends HandlerAnswer, E extends Env = any, P extends string = any>(
    access: A,
    handler: (context: AuthContextOf<T, A>, c: Context<E, P>, next: Next) => R,
  ): (c: Context<E, P, object>, next: Next) => R
  /**
   * Mount Routes, each with its own Access. A path matches exactly as it was sent, in its case too, and without a slash at
   * the end, as on the other frameworks and whatever the app's options are.
   */
  mount(app: { on(method: string, path: string, handler: Handler): unknown }, routes: readonly Route[]): void
  /**
   * For `app.onError`: answers an `AuthError` that a handler of yours threw, and everything else as Hono does where nobody
   * asks: printed on standard error, answered 500.
   */
  onError(error: unknown, c: Context): Response
}

/**
 * Bind an auth to Hono. Costs nothing beside the pipeline: no storage, no network, one closure a mount.
 *
 * @throws OptionsError for what is no auth, a wrong option, a wrong Access or a handler that is none, when it is mounted
 * @example
 * const { middleware, protect } = createAdapter(auth)
 * app.use('/api/*', middleware())
 * app.delete('/api/contacts/:id', protect({ role: 'admin' }, async ({ org }, c) => {
 *   await contacts.remove(org.id, c.req.param('id'))
 *   return c.body(null, 204)
 * }))
 */
export function createAdapter<T extends AuthTypes>(auth: Auth<T>, options: AdapterOptions = {}): Adapter<T> {
  const { authorizer, refusalOf, handlersOf, throwOn, toErrorPage } = parseAdapterOptions(auth, options)

  const refuse = (thrown: unknown, c: Context, otherwise: (error: unknown) => Response): Response => {
    const { error, response } = refusalOf(sourceOf(c), thrown)
    return response === null ? otherwise(error) : writeAuthResponse(c, response)
  }
  const wrap = <A extends AccessOf<T>>(
    access: A,
    run: ((context: AuthContextOf<T, A>, c: Context, next: Next) => unknown) | null,
  ): MiddlewareHandler & { getAuth(c: Context): AuthContextOf<T, A> } => {
    const authorize = authorizer(access)
    const handler: MiddlewareHandler = async function sallyport(c, next) {
      let headersOf: HeadersOf = NO_HEADERS
      let unheard: Unheard | null = null
      try {
        const node = nodeOf(c)
        const read = readContext(c, node)
        if (read.whenAnswered === undefined) unheard = createUnheard(read)
        const { context, responseHeaders } = await authorize(unheard?.request ?? read)
        const isCarried = announce(c, node, read.source, responseHeaders)
        if (!isCarried) headersOf = responseHeaders
        const answer = answerOf(c, await (run === null ? next() : run(context, c, next)))
        return isCarried ? answer : stamp(c, headersOf, answer)
      } catch (error) {
        stamp(c, headersOf)
        return refuse(error, c, throwOn)
      } finally {
        unheard?.end()
      }
    }
    return Object.assign(handler, { getAuth: (c: Context) => authorize.contextOf(sourceOf(c)) })
  }
  return {
    ...handlersOf(wrap),
    mount(app, routes) {
      createRouteFinder(routes)
      for (const route of routes) {
        const isSpelt = isSpeltAs(route)
        const respond = wrap(route.access as never, async (context, c) =>
          writeAuthResponse(c, await route.handle(context as never, toAuthRequest(c))),
        )
        app.on(route.method, route.path, (c, next) => (isSpelt(toAuthRequest(c).path) ? respond(c, next) : next()))
      }
    },
    onError: (thrown, c) => refuse(thrown, c, (error) => stamp(c, varyOf(c), toErrorPage(error)) as Response),
  }
}

/**
 * Read a Hono context: header lines from the Node request where there is one, else as Fetch has joined them.
 *
 * @example
 * const context = await auth.authenticate(toAuthRequest(c))
 */
export function toAuthRequest(c: Context): AuthRequest {
  return readContext(c, nodeOf(c))
}

function readContext(c: Context, node: Node | null): AuthRequest {
  return fromFetchRequest(c.req.raw, {
    // The context's own, which outlives `c.req.raw`.
    source: c.req,
    incoming: node?.incoming,
    response: node?.outgoing,
    params: c.req.param() as Record<string, string>,
    readText: () => c.req.text(),
    leaveBytes: (bytes) => void Object.assign(c.req.bodyCache, { arrayBuffer: Promise.resolve(bytes.buffer) }),
  })
}

// Whatever its type says, Hono's `next()` ends in the context itself: that is no answer of the handler's.
function answerOf(c: Context, answer: unknown): Response | undefined {
  return answer === c ? undefined : (answer as Response | undefined)
}

/**
 * Write a response value, byte for byte. Return what it returns.
 *
 * @example
 * if (isAuthError(error)) return writeAuthResponse(c, auth.toResponse(error))
 */
export function writeAuthResponse(c: Context, { status, headers, body }: AuthResponse): Response {
  const append = (name: string, value: string): unknown => c.header(name, value, { append: true })
  writeHeaders(headers, c.header, append, (name) => c.header(name, undefined))
  // Of a HEAD answer Hono keeps the headers only; else the server counts the body, which others may still replace.
  if (body !== null && c.req.method === 'HEAD')
    c.header('Content-Length', String(new TextEncoder().encode(body).length))
  const response = c.newResponse(body, status as 200)
  // Hono drops what is returned once a response is there.
  if (c.finalized) c.res = response
  return response
}

/**
 * Read a JSON body from a request, before or behind `c.req.json()`: by any Standard Schema, or as the object it is.
 *
 * @throws AuthError, Error, TypeError as `readJson` of `sallyport` does, in its order: 415, 413, 408, then what checking the
 * caller once more refuses, then 400 `validation_error` with its `field`
 * @example
 * const { name } = await readJson(c, z.object({ name: z.string().min(1) }))
 */
export const readJson: ReadJson<Context> = /* @__PURE__ */ createReadJson(toAuthRequest)

// An error page is kept for nobody else either: what the handler's answer would have said, it says.
const varyOf = (c: Context): HeadersOf => {
  const vary = c.res.headers.get('Vary')
  return () => (vary === null ? [] : [['Vary', vary]])
}

// The Node request is shared by every app it passes through.
const sourceOf = (c: Context): object => toAuthRequest(c).source

// Hono has matched what it makes of the path: decoded, tidied up, below the app's base. Here it is held as it came, from its
// end, since a base may stand before it.
function isSpeltAs(route: Route): (path: string) => boolean {
  const find = createRouteFinder([route])
  const segments = route.path === '/' ? 0 : route.path.split('/').length - 1
  return (path) => {
    if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) return false
    return segments === 0 || find(route.method, `/${path.split('/').slice(-segments).join('/')}`) !== null
  }
}
