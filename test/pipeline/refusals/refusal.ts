/** What one refusal of the library is: the check by its reason, a scenario that provokes it, and what the client sees. */
import type { AuthErrorCode } from '../../../src/errors.ts'
import type { World } from '../world.ts'

export interface Refusal {
  readonly reason: string
  readonly code: AuthErrorCode
  /** What the table's row leaves open; left out: nothing. */
  readonly wire?: {
    /** The challenge, where it is not the row's own. */
    readonly challenge?: string
    readonly retryAfter?: string
    readonly field?: string
  }
  /** Do what is refused. A fresh world each time. */
  provoke(world: World): unknown
}
