/** A few slots for costly work, and places before them that have an end: who gets no place is told so at once. */

/** A place: the right to a slot, sooner or later. */
export interface Place {
  /** Run `work` when a slot is free, in the order of asking. A slot is given back however the work ends. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Give the place back, after the last work. A second time means nothing. */
  leave(): void
}

/** What {@link createSlots} makes. */
export interface Slots {
  /** Take a place; `null` where there is none. With `mayTakeKept` the last ones too, which are kept for some. */
  take(mayTakeKept: boolean): Place | null
}

/**
 * Create slots.
 *
 * @param slots how much work runs at once
 * @param queued how many more places there are
 * @param kept how many of those are for who may take them
 */
export function createSlots(slots: number, queued: number, kept: number): Slots {
  const waiting: (() => void)[] = []
  let running = 0
  let taken = 0

  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < slots) running += 1
    else await new Promise<void>((resolve) => void waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      // A slot that is handed on stays taken: nobody slips in between.
      if (next === undefined) running -= 1
      else next()
    }
  }
  return {
    take(mayTakeKept) {
      if (taken >= slots + queued - (mayTakeKept ? 0 : kept)) return null
      taken += 1
      let isHeld = true
      return {
        run,
        leave() {
          if (isHeld) taken -= 1
          isHeld = false
        },
      }
    },
  }
}
