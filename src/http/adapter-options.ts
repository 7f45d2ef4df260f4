/** What every adapter's `createAdapter` is given, read once; the check of the handlers it wraps, and what they throw. */
import { type AuthError, isAuthError } from '../errors.ts'
import { checkedBy, oneOf, optional, optionsError, parseOptions, type Shape } from '../lib/parse-options.ts'
import { printError } from '../lib/standard-error.ts'
import type { AuthRequest, AuthResponse } from '../request.ts'
import { keptBeside } from './beside-messages.ts'
import { describeBodySeconds } from './request-body.ts'

/** Options of every adapter's `createAdapter`. */
export interface AdapterOptions {
  /**
   * `write` (default): refusals are answered by the adapter, the same bytes on every framework. `delegate`: the
   * `AuthError` is handed to the framework's own error handling, which reads `status`, `headers` and `getResponse()`.
   */
  readonly errors?: 'write' | 'delegate' | undefined
  /**
   * How long the body of a request that came through this adapter may take until it is whole, for its Routes and
   * `readJson`: above 0 and at most 3,600 seconds. Then it is 408 `request_timeout` and the connection ends. Default 10.
   */
  readonly bodyTimeoutSeconds?: number | undefined
}

const NAME = 'createAdapter'
const SHAPE: Shape<AdapterOptions> = {
  errors: optional(oneOf('write', 'delegate')),
  bodyTimeoutSeconds: optional(checkedBy(describeBodySeconds)),
}

interface BoundAuth {
  authorizer(access: never): ((request: AuthRequest) => Promise<unknown>) & { contextOf(source: object): unknown }
  recordRefusal(source: object, error: unknown): unknown
  toResponse(error: AuthError): AuthResponse
}

// biome-ignore lint/suspicious/noExplicitAny: each adapter's own wrapper, with what its framework calls a handler with
type Wrap = (access: any, run: ((context: any, ...given: any[]) => unknown) | null) => unknown

/** What an adapter goes by. */
export interface AdapterSettings<A extends BoundAuth> {
  /** `authorizer` of the auth; the body of a request that it is asked about takes no longer than the option says. */
  readonly authorizer: A['authorizer']
  /**
   * Record what was thrown: `error` is what is to be answered, `response` how, or `null` where that is left to the framework.
   * @param source the framework's request object
   */
  refusalOf(source: object, thrown: unknown): { readonly error: unknown; readonly response: AuthResponse | null }
  /**
   * Make `middleware` and `protect` of what wraps a handler: `null` for the framework's own next one. Both throw at once for what
   * they can't be called with: no Access but a request or an app, no function as a handler.
   */
  handlersOf(wrap: Wrap): { readonly middleware: never; readonly protect: never }
  /** Throw it on to a framework that hands its error handling nothing but `Error`s, so that nothing goes without a trace. */
  throwOn(error: unknown): never
  /**
   * Answer what a handler threw as Fetch frameworks do where nobody asks, for an adapter that stands in their place: by its
   * `getResponse()`, else with 500, printed on standard error.
   */
  toErrorPage(error: unknown): Response
}

/**
 * Parse what `createAdapter` was called with. For who writes an adapter. Costs nothing at request time.
 *
 * @throws OptionsError for something else than an auth, an unknown option or a wrong value
 * @example
 * const { authorizer, refusalOf } = parseAdapterOptions(auth, { errors: 'write' })
 * const authorize = authorizer({ role: 'admin' })
 * try {
 *   const { context, responseHeaders } = await authorize(toAuthRequest(req))
 *   keepHeaders(res, responseHeaders)
 *   await handler(context)
 * } catch (error) {
 *   const { response } = refusalOf(req, error)
 *   if (response !== null) writeAuthResponse(res, response)
 * }
 */
export function parseAdapterOptions<A extends BoundAuth>(auth: A, options: AdapterOptions): AdapterSettings<A> {
  if (typeof (auth as Partial<BoundAuth> | null | undefined)?.authorizer !== 'function') {
    throw optionsError(NAME, '', 'the auth (first argument) must be what createAuth returned')
  }
  const { errors = 'write', bodyTimeoutSeconds } = parseOptions(NAME, SHAPE, options)
  return Object.freeze<AdapterSettings<A>>({
    authorizer(access: never) {
      const authorize = auth.authorizer(access)
      if (bodyTimeoutSeconds === undefined) return authorize
      const { contextOf } = authorize
      const limited = async (request: AuthRequest): Promise<unknown> => {
        keptBeside(request.source).bodySeconds = bodyTimeoutSeconds
        return authorize(request)
      }
      return Object.assign(limited, { contextOf })
    },
    refusalOf(source, thrown) {
      // What is no object fails as an error does, and is written down as one.
      const error = auth.recordRefusal(source, toThrown(thrown))
      return { error, response: errors === 'write' && isAuthError(error) ? auth.toResponse(error) : null }
    },
    handlersOf: (wrap) => {
      const middleware = (access: unknown = {}, ...more: unknown[]): unknown => wrap(requireAccess(access, more), null)
      const protect = (...given: unknown[]): unknown => {
        const [access, handler] = given.length === 1 ? [{}, given[0]] : given
        return wrap(access, requireHandler(access, handler))
      }
      return { middleware: middleware as never, protect: protect as never }
    },
    throwOn(error) {
      throw toError(error)
    },
    toErrorPage,
  })
}

// A framework that was handed `protect` itself calls it with a request, or what holds one, and perhaps a function.
function requireHandler(access: unknown, handler: unknown): () => unknown {
  const { req, rawHeaders } = (access ?? {}) as { readonly req?: unknown; readonly rawHeaders?: unknown }
  if ((req ?? rawHeaders) !== undefined) {
    throw optionsError('protect', '', 'it makes the handler and must be called: protect(handler)')
  }
  if (typeof handler === 'function') return handler as () => unknown
  throw optionsError('protect', '', 'the handler (second argument) must be a function')
}

// With more arguments, or an app, `middleware` was handed to the framework as if it were the middleware.
function requireAccess(access: unknown, more: readonly unknown[]): unknown {
  const isApp = typeof access === 'function' || typeof (access as { use?: unknown } | null)?.use === 'function'
  if (!isApp && more.length === 0) return access
  throw optionsError('middleware', '', 'it makes the middleware and must be called: app.use(middleware())')
}

function toErrorPage(error: unknown): Response {
  const { getResponse } = (error ?? {}) as { readonly getResponse?: (() => unknown) | undefined }
  const response = typeof getResponse === 'function' ? getResponse.call(error) : null
  if (response instanceof Response) return response
  printError(error)
  return new Response('Internal Server Error', {
    status: 500,
    headers: { 'Content-Type': 'text/plain; charset=UTF-8' },
  })
}

/**
 * Turn what a handler threw into something a framework can only take for a failure: objects stay the same object, any
 * other value becomes the `cause` of an `Error`. Express goes on to the next handler for `null` and obeys the words
 * `route` and `router`; Koa never answers for `null`. For who writes an adapter.
 *
 * @param thrown anything at all
 * @example
 * try {
 *   await handler(context)
 * } catch (error) {
 *   next(toThrown(error))
 * }
 */
export function toThrown(thrown: unknown): object {
  return typeof thrown === 'object' && thrown !== null ? thrown : toError(thrown)
}

// Here only an `Error` stays the same object.
function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error('sallyport: a handler threw a value that is no error', { cause: thrown })
}
