/**
 * sallyport for Express 5 and 4: translates a request into the pipeline and its answer back, and nothing else.
 * The same exports as `sallyport/koa` and `sallyport/hono`.
 */
import type { NextFunction, Request, RequestHandler, Response, Router } from 'express'
import type { AccessOf, AuthContextOf, AuthTypes } from '../src/context.ts'
import { AuthError } from '../src/errors.ts'
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

/** For any path: handlers beside it know the parameters of theirs, since it asks for none. */
type Middleware = (
  req: Pick<Request, 'method' | 'rawHeaders'>,
  res: Pick<Response, 'headersSent'>,
  next: NextFunction,
) => void

// biome-ignore lint/suspicious/noExplicitAny: what Express's own types stand for where nothing is said
type Unsaid = any
type Locals = Record<string, Unsaid>
/** A handler, with the context before what Express hands it. */
type Handler<C, P, Q, L extends Locals> = (
  context: C,
  req: Request<P, Unsaid, Unsaid, Q, L>,
  res: Response<Unsaid, L>,
  next: NextFunction,
) => unknown

/** What {@link createAdapter} gives for one auth. */
export interface Adapter<T extends AuthTypes> {
  /**
   * Middleware: every request below needs a user, acting in an organization. Its own `getAuth` reads the context that it has
   * made of a request; it throws for a request that this very middleware has not let in, for a copy, a wrapper and an heir of
   * one. The context is frozen; `user` and `org` are the host's own objects.
   */
  middleware(): Middleware & { getAuth(req: object): AuthContextOf<T> }
  /**
   * The same, with what `access` asks of every request below.
   * @throws OptionsError for an Access that is wrong
   */
  middleware<const A extends AccessOf<T>>(access: A): Middleware & { getAuth(req: object): AuthContextOf<T, A> }
  /**
   * Wrap one handler: it gets the context first, of a user who acts in an organization. What it throws reaches Express, an
   * `AuthError` is answered.
   * Annotate `req` where its parameters or query are to be typed: `req: Request<{ id: string }>`.
   */
  protect<P = Request['params'], Q = Request['query'], L extends Locals = Locals>(
    handler: Handler<AuthContextOf<T>, P, Q, L>,
  ): RequestHandler<P, Unsaid, Unsaid, Q, L>
  /**
   * The same, with a context narrowed by what `access` asks.
   * @throws OptionsError for an Access that is wrong
   */
  protect<const A extends AccessOf<T>, P = Request['params'], Q = Request['query'], L extends Locals = Locals>(
    access: A,
    handler: Handler<AuthContextOf<T, A>, P, Q, L>,
  ): RequestHandler<P, Unsaid, Unsaid, Q, L>
  /**
   * Mount Routes, each with its own Access. A path matches exactly, in its case too, and without a slash at the end, as on
   * the other frameworks and whatever the router's options are.
   */
  mount(app: Router, routes: readonly Route[]): void
  /**
   * Error middleware: answers an `AuthError` that a handler of yours threw, and `not_found` for a path that can't be decoded;
   * passes everything else on. Mount it last.
   */
  onError(error: unknown, req: Request, res: Response, next: NextFunction): void
}

/**
 * Bind an auth to Express. Costs nothing beside the pipeline: no storage, no network, one closure a mount.
 *
 * @throws OptionsError for what is no auth, a wrong option, a wrong Access or a handler that is none, when it is mounted
 * @example
 * const { middleware, protect } = createAdapter(auth)
 * app.use('/api', middleware())
 * app.delete('/api/contacts/:id', protect({ role: 'admin' }, async ({ org }, req, res) => {
 *   await contacts.remove(org.id, String(req.params.id))
 *   res.status(204).end()
 * }))
 */
export function createAdapter<T extends AuthTypes>(auth: Auth<T>, options: AdapterOptions = {}): Adapter<T> {
  const { authorizer, refusalOf, handlersOf } = parseAdapterOptions(auth, options)

  const refuse = (thrown: unknown, req: Request, res: Response, next: NextFunction): void => {
    const { error, response } = refusalOf(req, thrown)
    if (response === null || res.headersSent) {
      next(toThrown(error))
      return
    }
    try {
      writeAuthResponse(res, response)
    } catch (unwritten) {
      // What a host has put around `writeHead` may throw, and Express 4 does not look at promises: it would end the process.
      next(toThrown(unwritten))
    }
  }
  const wrap = <A extends AccessOf<T>>(
    access: A,
    run: ((context: AuthContextOf<T, A>, req: Request, res: Response, next: NextFunction) => unknown) | null,
  ): RequestHandler & { getAuth(req: object): AuthContextOf<T, A> } => {
    const authorize = authorizer(access)
    const handler: RequestHandler = async function sallyport(req, res, next) {
      try {
        const { context, responseHeaders } = await authorize(toAuthRequest(req))
        keepHeaders(res, responseHeaders)
        await (run === null ? next() : run(context, req, res, next))
      } catch (error) {
        refuse(error, req, res, next)
      }
    }
    return Object.assign(handler, { getAuth: (req: object) => authorize.contextOf(req) })
  }
  return {
    ...handlersOf(wrap),
    mount(app, routes) {
      const respond = ({ access, handle }: Route): RequestHandler =>
        wrap(access as never, async (context, req, res) => {
          writeAuthResponse(res, await handle(context as never, toAuthRequest(req)))
        })
      const find = createRouteFinder(routes.map((route) => ({ ...route, respond: respond(route) })))
      app.use(function sallyportRoutes(req, res, next) {
        const found = find(req.method, req.url)
        if (found === null) return next()
        Object.assign(req, { params: { ...req.params, ...found.params } })
        return found.route.respond(req, res, next)
      })
    },
    onError: (error, req, res, next) => refuse(toRefusal(error), req, res, next),
  }
}

// What the router says of a path that can't be decoded: there is nothing there, on this framework as on the others.
function toRefusal(error: unknown): unknown {
  const isUndecodable = error instanceof URIError && (error as { status?: unknown }).status === 400
  return isUndecodable ? new AuthError('not_found', { reason: 'path_undecodable', cause: error }) : error
}

/**
 * Read an Express request: its raw header lines, and its body only when it is asked for.
 *
 * @example
 * const context = await auth.authenticate(toAuthRequest(req))
 */
export function toAuthRequest(req: Request): AuthRequest {
  return fromNodeRequest(req, {
    url: req.originalUrl,
    params: req.params as Record<string, string>,
    parsedBody: () => req.body as unknown,
    response: req.res,
    // `_body` is the mark by which the body parsers of Express 4 know each other.
    leaveBody: (body) => void Object.assign(req, { body, _body: true }),
  })
}

/**
 * Write a response value, byte for byte.
 *
 * @example
 * if (isAuthError(error)) writeAuthResponse(res, auth.toResponse(error))
 */
export function writeAuthResponse(res: Response, { status, headers, body }: AuthResponse): void {
  res.status(status)
  const set = (name: string, value: string): unknown => res.setHeader(name, value)
  const remove = (name: string): unknown => res.removeHeader(name)
  writeHeaders(headers, set, (name, value) => res.append(name, value), remove)
  if (body !== null) res.setHeader('Content-Length', Buffer.byteLength(body))
  res.end(body ?? undefined)
}

/**
 * Read a JSON body from a request, before or behind `express.json()`: by any Standard Schema, or as the object it is.
 *
 * @throws AuthError, Error, TypeError as `readJson` of `sallyport` does, in its order: 415, 413, 408, then what checking the
 * caller once more refuses, then 400 `validation_error` with its `field`
 * @example
 * const { name } = await readJson(req, z.object({ name: z.string().min(1) }))
 */
export const readJson: ReadJson<Request> = /* @__PURE__ */ createReadJson(toAuthRequest)
