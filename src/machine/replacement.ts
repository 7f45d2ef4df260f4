/**
 * How often a refused token may be traded for another. A service that takes the new one may refuse it later as often as it
 * likes; one that refuses a new one at once refuses everything, and must not wear out the issuer. Pure state for `renewal`.
 */

/** What {@link createReplacements} makes. */
export interface Replacements {
  /** Whether another token may be asked for in place of this refused one; if so, it counts as asked for. */
  begin(refused: string): boolean
  /** The token that came. */
  came(token: string): void
  /** A service took this token. */
  accepted(token: string): void
  /** A service refused the new token in the very call that it was made for. */
  refusedAgain(): void
}

/** How long no token is replaced after a replacement was refused in turn. */
const REST_MS = 10_000

/**
 * Create the state of nothing replaced yet. A rest goes by time alone: that another call succeeds meanwhile does not end
 * it, or one route that always answers 401 beside one that works would cost a renewal for each pair of calls.
 *
 * @param time milliseconds, never running backwards
 */
export function createReplacements(time: () => number): Replacements {
  let latest: string | null = null
  let taken = false
  let beganAt = Number.NEGATIVE_INFINITY
  let inVain = false
  return {
    begin(refused) {
      if (refused === latest && !taken) inVain = true
      if (inVain && time() - beganAt < REST_MS) return false
      beganAt = time()
      inVain = false
      return true
    },
    came(token) {
      if (token === latest) return
      latest = token
      taken = false
    },
    accepted(token) {
      if (token === latest) taken = true
    },
    refusedAgain() {
      inVain = true
    },
  }
}
