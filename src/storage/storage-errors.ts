/**
 * The two storage failures with a meaning of their own: a unique violation, and a failure that trying the whole
 * transaction again may mend. Recognised by a registered symbol, also across two copies of the package.
 */

const CONFLICT: symbol = Symbol.for('sallyport.ConflictError')
const TRANSIENT: symbol = Symbol.for('sallyport.TransientError')

/**
 * A unique violation: the row is there already. Recognise one by {@link isConflictError}, never by `instanceof`.
 *
 * @example
 * throw new ConflictError('users: the identity is taken', { cause: error })
 */
export class ConflictError extends Error {
  override readonly name = 'ConflictError'

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    Object.defineProperty(this, CONFLICT, { value: true })
  }
}

/**
 * A failure of the moment (serialization failure, deadlock, busy database, lost connection): nothing was written, and the
 * provisioner tries again. Recognise one by {@link isTransientError}, never by `instanceof`.
 *
 * @example
 * if (error.code === '40001') throw new TransientError('serialization failure', { cause: error })
 */
export class TransientError extends Error {
  override readonly name = 'TransientError'

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    Object.defineProperty(this, TRANSIENT, { value: true })
  }
}

/**
 * Ask whether a thrown value is a {@link ConflictError}, also one made by another copy of this package.
 *
 * @example
 * if (isConflictError(error)) throw new AuthError('conflict')
 */
export function isConflictError(error: unknown): error is ConflictError {
  return typeof error === 'object' && error !== null && CONFLICT in error
}

/**
 * Ask whether a thrown value is a {@link TransientError}, also one made by another copy of this package.
 *
 * @example
 * if (isTransientError(error)) return again()
 */
export function isTransientError(error: unknown): error is TransientError {
  return typeof error === 'object' && error !== null && TRANSIENT in error
}
