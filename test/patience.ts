/**
 * How long a test waits before it calls something hung: one constant, for every deadline of the tests. It says nothing about
 * speed and no test may depend on it; a machine that is slower still is given more by `SALLYPORT_TEST_PATIENCE`, a factor.
 */

const factor = Number(process.env['SALLYPORT_TEST_PATIENCE'] ?? '1')
if (!(factor > 0)) throw new RangeError('SALLYPORT_TEST_PATIENCE must be a number above 0')

/** The longest wait for one thing, in milliseconds: an answer, a process that is ready, a lock that is held. */
export const PATIENCE_MS: number = 60_000 * factor

/** The longest a whole test may take, in milliseconds: several waits, so that the one that hung is what is told. */
export const TEST_PATIENCE_MS: number = 4 * PATIENCE_MS

// A test that holds the clock still does not hold this one.
const { setTimeout: later } = globalThis
const now = performance.now.bind(performance)

/** Wait until something is so, by asking again and again; where it never comes, the text of what was asked is told. */
export async function until(isSo: () => unknown): Promise<void> {
  const deadline = now() + PATIENCE_MS
  while (!(await isSo())) {
    if (now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms for ${isSo}`)
    await new Promise((resolve) => later(resolve, 5))
  }
}
