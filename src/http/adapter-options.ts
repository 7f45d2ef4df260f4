/** What every adapter's `createAdapter` is given, read once; the check of the handlers it wraps, and what they throw. */
import * as z from 'zod/mini'
import { checkedBy, oneOf, optionsError, parseOptions, type Shape } from '../lib/parse-options.ts'
import { printError } from '../lib/standard-error.ts'
import type { AuthRequest } from '../request.ts'
import { isBodySeconds, limitBodyTime } from './request-body.ts'

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

interface WithAuthorizer {
  readonly authorizer: unknown
}

/** What an adapter goes by. */
export interface AdapterSettings {
  /** Who answers a refusal. */
  readonly errors: 'write' | 'delegate'
  /** Have the body of a request take no longer than the option says; hands it back. */
  limitBody(request: AuthRequest): AuthRequest
  /**
   * Check the handler that `protect` is to wrap, and hand it back.
   * @throws OptionsError where it is no function
   */
  requireHandler<H>(handler: H): H
  /**
   * Check that `middleware` was called by the host, and hand its Access back: with `more` arguments, or an app, it was handed
   * to the framework as if it were the middleware.
   * @throws OptionsError that says so
   */
  requireAccess<A>(access: A, more: readonly unknown[]): A
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
 * @param auth what `createAuth` made
 * @param options the adapter's options
 * @throws OptionsError for something else than an auth, an unknown option or a wrong value
 * @example
 * export function createAdapter(auth, options = {}) {
 *   const { errors, limitBody, requireHandler } = parseAdapterOptions(auth, options)
 *   return { protect: (access, handler) => wrap(access, requireHandler(handler)), … }
 * }
 */
export function parseAdapterOptions(auth: WithAuthorizer, options: AdapterOptions): AdapterSettings {
  if (typeof (auth as Partial<WithAuthorizer> | null | undefined)?.authorizer !== 'function') {
    throw optionsError(NAME, '', 'the auth (first argument) must be what createAuth returned')
  }
  const { errors = 'write', bodyTimeoutSeconds } = parseOptions(NAME, SHAPE, options)
  const limitBody = (request: AuthRequest): AuthRequest => {
    if (bodyTimeoutSeconds !== undefined) limitBodyTime(request.source, bodyTimeoutSeconds)
    return request
  }
  return Object.freeze({ errors, limitBody, requireHandler, requireAccess, throwOn, toErrorPage })
}

const SHAPE: Shape<AdapterOptions> = {
  errors: z.optional(oneOf('write', 'delegate')),
  bodyTimeoutSeconds: z.optional(
    checkedBy((value) => (isBodySeconds(value) ? null : 'must be a number above 0 and at most 3600')),
  ),
}

function requireHandler<H>(handler: H): H {
  if (typeof handler !== 'function')
    throw optionsError('protect', '', 'the handler (second argument) must be a function')
  return handler
}

function requireAccess<A>(access: A, more: readonly unknown[]): A {
  const isApp = typeof access === 'function' || typeof (access as { use?: unknown } | null)?.use === 'function'
  if (!isApp && more.length === 0) return access
  throw optionsError('middleware', '', 'it makes the middleware and must be called: app.use(middleware())')
}

function throwOn(error: unknown): never {
  throw toError(error)
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
 * @example
 * catch (error) { next(toThrown(error)) }
 */
export function toThrown(thrown: unknown): object {
  return typeof thrown === 'object' && thrown !== null ? thrown : toError(thrown)
}

// The same, where only an `Error` stays the same object.
function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error('sallyport: a handler threw a value that is no error', { cause: thrown })
}
