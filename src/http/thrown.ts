/** What was thrown, in a form that no framework misreads. */

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

/** The same, where only an `Error` stays the same object. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error('sallyport: a handler threw a value that is no error', { cause: thrown })
}
