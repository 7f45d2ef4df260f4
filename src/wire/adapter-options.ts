/** What every adapter's `createAdapter` is given, read once; and the check of the handlers that it wraps. */
import * as z from 'zod/mini'
import { parseOptions } from '../lib/parse-options.ts'

/** Options of every adapter's `createAdapter`. */
export interface AdapterOptions {
  /**
   * `write` (default): refusals are answered by the adapter, the same bytes on every framework. `delegate`: the
   * `AuthError` is handed to the framework's own error handling, which reads `status`, `headers` and `getResponse()`.
   */
  readonly errors?: 'write' | 'delegate' | undefined
}

const NAME = 'createAdapter'

interface Doors {
  readonly door: unknown
}

/** What an adapter goes by. */
export interface AdapterSettings {
  /** Who answers a refusal. */
  readonly errors: 'write' | 'delegate'
  /**
   * Check the handler that `protect` is to wrap, and hand it back.
   * @throws TypeError where it is no function
   */
  requireHandler<H>(handler: H): H
}

/**
 * Parse what `createAdapter` was called with. For who writes an adapter. Costs nothing at request time.
 *
 * @param auth what `createAuth` made
 * @param options the adapter's options
 * @throws TypeError for something else than an auth, an unknown option or a wrong value
 * @example
 * export function createAdapter(auth, options = {}) {
 *   const { errors, requireHandler } = parseAdapterOptions(auth, options)
 *   return { protect: (access, handler) => wrap(access, requireHandler(handler)), … }
 * }
 */
export function parseAdapterOptions(auth: Doors, options: AdapterOptions): AdapterSettings {
  if (typeof (auth as Partial<Doors> | null | undefined)?.door !== 'function') {
    throw new TypeError(`${NAME}: the auth (first argument) must be what createAuth returned`)
  }
  const { errors = 'write' } = parseOptions(NAME, { errors: z.optional(z.enum(['write', 'delegate'])) }, options)
  return Object.freeze({ errors, requireHandler })
}

function requireHandler<H>(handler: H): H {
  if (typeof handler !== 'function') throw new TypeError('protect: the handler (second argument) must be a function')
  return handler
}
