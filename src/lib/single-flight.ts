/** Work in flight under a key is shared: whoever asks meanwhile waits for it instead of starting it again. */

/** What a caller of a single flight gets: the value, and whether this very call did the work. */
export interface Flight<T> {
  readonly value: T
  readonly leader: boolean
}

/** Create a single flight. It keeps nothing once the work is done, so its size is the number of works in flight. */
export function createSingleFlight<T>(): (key: string, work: () => Promise<T>) => Promise<Flight<T>> {
  const flights = new Map<string, Promise<T>>()
  return async (key, work) => {
    const running = flights.get(key)
    if (running !== undefined) return { value: await running, leader: false }
    const started = work().finally(() => flights.delete(key))
    flights.set(key, started)
    return { value: await started, leader: true }
  }
}
