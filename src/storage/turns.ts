/** Turns at something that only one may hold, or so many: in order of arrival, and not waited for without end. */
import { TransientError } from './storage-errors.ts'

const WAIT_SECONDS = 5

/** Run `work` when it is its turn, at once where nobody is before it; the next turn comes when its promise has settled. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Make turns at `what` (a storage, for the sentence of the error), for `atOnce` works at once. Who waits longer than
 * `waitSeconds` gives up its turn with a `TransientError`: most often a hook that waits for itself.
 */
export function createTurns(what: string, atOnce = 1, waitSeconds: number = WAIT_SECONDS): Turns {
  const waiting = new Set<() => void>()
  let running = 0
  const turn = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(timer)
        resolve()
      }
      // Who gave up does not pass on a turn that somebody else still has.
      const timer = setTimeout(() => {
        waiting.delete(begin)
        reject(new TransientError(`${what} was busy for ${waitSeconds} seconds${ADVICE}`))
      }, waitSeconds * 1000)
      ;(timer as { unref?: (() => void) | undefined }).unref?.()
      waiting.add(begin)
    })
  return async (work) => {
    // Before the work runs, because what it calls at once must already wait for it.
    if (running < atOnce) running++
    else await turn()
    try {
      return await work()
    } finally {
      const [next] = waiting
      // A turn that is handed on stays taken: nobody slips in between.
      if (next === undefined) running--
      else {
        waiting.delete(next)
        next()
      }
    }
  }
}

const ADVICE = ': inside a transaction, use the repositories that it hands you'
