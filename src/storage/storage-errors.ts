/**
 * The two storage failures with a meaning of their own: a unique violation, and a failure that trying the whole
 * transaction again may mend. Recognised by a registered symbol, also across two copies of the package.
 */

const CONFLICT: symbol = Symbol.for('sallyport.ConflictError')
const TRANSIENT: symbol = Symbol.for('sallyport.TransientError')

/** A unique violation: the row is there already. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError'

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    Object.defineProperty(this, CONFLICT, { value: true })
  }
}

/** A failure of the moment (serialization failure, deadlock, busy database, lost connection): nothing was written. */
export class TransientError extends Error {
  override readonly name = 'TransientError'

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    Object.defineProperty(this, TRANSIENT, { value: true })
  }
}

/** Ask whether a thrown value is a {@link ConflictError}. */
export function isConflictError(error: unknown): error is ConflictError {
  return typeof error === 'object' && error !== null && CONFLICT in error
}

/** Ask whether a thrown value is a {@link TransientError}. */
export function isTransientError(error: unknown): error is TransientError {
  return typeof error === 'object' && error !== null && TRANSIENT in error
}
