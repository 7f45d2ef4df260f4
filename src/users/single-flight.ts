/**
 * Work in flight under a key is shared: whoever asks meanwhile waits for it instead of starting it again, and nobody for
 * ever. Workers end what a request began together with it, without a word: what is overdue is given up by those who wait
 * for it and by whoever comes next, who begin it anew.
 */
import { within } from '../lib/time.ts'

/** What a caller of a single flight gets: the value, and whether this very call did the work. */
export interface Shared<T> {
  readonly value: T
  readonly leader: boolean
}

type Settled<T> = { readonly value: T } | { readonly error: unknown }

interface Running<T> {
  readonly startedAt: number
  readonly settled: Promise<Settled<T>>
}

/**
 * Create a single flight. It keeps nothing once the work is done, so its size is the number of works in flight.
 *
 * @param milliseconds how old work may be to be waited for
 * @param time milliseconds, never running backwards
 */
export function createSingleFlight<T>(
  milliseconds: number,
  time: () => number,
): (key: string, work: () => Promise<T>) => Promise<Shared<T>> {
  const flights = new Map<string, Running<T>>()

  const start = (key: string, work: () => Promise<T>): Running<T> => {
    const settled = work()
      .then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      )
      .finally(() => forget(key, running))
    const running: Running<T> = { startedAt: time(), settled }
    flights.set(key, running)
    return running
  }
  const forget = (key: string, running: Running<T>): void => {
    if (flights.get(key) === running) flights.delete(key)
  }
  return async (key, work) => {
    for (let running = flights.get(key); running !== undefined; running = flights.get(key)) {
      const rest = running.startedAt + milliseconds - time()
      const outcome = rest > 0 ? await within(rest, running.settled) : null
      if (outcome !== null && typeof outcome === 'object') return { value: unwrap(outcome), leader: false }
      forget(key, running)
    }
    return { value: unwrap(await start(key, work).settled), leader: true }
  }
}

function unwrap<T>(settled: Settled<T>): T {
  if ('error' in settled) throw settled.error
  return settled.value
}
