/** Clocks are handed in as `() => number`, milliseconds since 1970. This one measures durations. */

/**
 * Create a clock that never runs backwards, over one that may: what ages (a cached key, a cool-down) must not become
 * young again, nor wait for hours, because the system's clock was set back. After such a jump it goes on from where it was.
 *
 * @param clock the wall clock, in milliseconds
 */
export function createMonotonicClock(clock: () => number): () => number {
  let last = Number.NEGATIVE_INFINITY
  let offset = 0
  return () => {
    const wall = clock()
    if (wall + offset < last) offset = last - wall
    last = wall + offset
    return last
  }
}
