/** Turns at something that only one may hold: in order of arrival, and not waited for without end. */
import { TransientError } from './storage-errors.ts'

const WAIT_MS = 5000

/** Run `work` when it is its turn, at once where nobody is before it; the next turn comes when its promise has settled. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Make turns at `what` (a storage, for the sentence of the error). Who waits longer than 5 seconds gives up its turn with
 * a `TransientError`: most often a hook that waits for itself.
 */
export function createTurns(what: string): Turns {
  let last: Promise<void> = Promise.resolve()
  let unsettled = 0
  return async (work) => {
    const turn = last
    let pass: () => void = () => undefined
    // Before the work runs, because what it calls at once must already wait for it.
    last = new Promise((resolve) => {
      pass = resolve
    })
    try {
      if (unsettled++ > 0) await waitFor(turn, what)
      return await work()
    } finally {
      unsettled--
      // Who gave up does not pass on a turn that somebody else still has.
      void turn.then(pass)
    }
  }
}

async function waitFor(turn: Promise<unknown>, what: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TransientError(`${what} ${SENTENCE}`)), WAIT_MS)
    ;(timer as { unref?: (() => void) | undefined }).unref?.()
  })
  try {
    await Promise.race([turn, late])
  } finally {
    clearTimeout(timer)
  }
}

const SENTENCE = 'was busy for 5 seconds: inside a transaction, use the repositories that it hands you'
