/** A few slots for costly work, and a queue before them that has an end: what does not fit in is told so at once. */

/**
 * Run `work` when a slot is free; `null` at once where the queue is full. A slot is given back however the work ends.
 */
export type Slots = <T>(work: () => Promise<T>) => Promise<T> | null

/**
 * Create slots.
 *
 * @param slots how much work runs at once
 * @param queued how much more may wait, in order of arrival
 */
export function createSlots(slots: number, queued: number): Slots {
  const waiting: (() => void)[] = []
  let running = 0

  const run = async <T>(work: () => Promise<T>, turn: Promise<void> | null): Promise<T> => {
    if (turn !== null) await turn
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      // A slot that is handed on stays taken: nobody slips in between.
      if (next === undefined) running -= 1
      else next()
    }
  }
  return (work) => {
    if (running < slots) {
      running += 1
      return run(work, null)
    }
    if (waiting.length >= queued) return null
    return run(work, new Promise((resolve) => void waiting.push(resolve)))
  }
}
