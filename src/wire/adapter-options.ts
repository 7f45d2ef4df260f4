/** The options every adapter's `createAdapter` takes, read once. */
import * as z from 'zod/mini'
import { parseOptions } from '../lib/parse-options.ts'

/** Options of every adapter's `createAdapter`. */
export interface AdapterOptions {
  /**
   * `write` (default): refusals are answered by the adapter, the same bytes on every framework. `delegate`: the
   * `AuthError` is handed to the framework's own error handling, which reads `status`, `headers` and `getResponse()`.
   */
  readonly errors?: 'write' | 'delegate'
}

/**
 * Parse the options of an adapter. For who writes one.
 *
 * @returns who answers a refusal
 * @throws TypeError for an unknown option or a wrong value
 */
export function parseAdapterOptions(options: AdapterOptions): 'write' | 'delegate' {
  return parseOptions('createAdapter', { errors: z.optional(z.enum(['write', 'delegate'])) }, options).errors ?? 'write'
}
