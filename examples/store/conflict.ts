/** A row that is there already, answered as a refusal. */
import { AuthError } from 'sallyport'
import { isConflictError } from 'sallyport/storage'

/** Wait for a write; a unique violation is the client's 409. */
export async function orConflict<T>(write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    throw isConflictError(error) ? new AuthError('conflict') : error
  }
}
