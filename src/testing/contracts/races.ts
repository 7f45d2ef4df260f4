/** What cases do with calls at once, with time, and with the order of ids. */
import { isTransientError } from '../../storage/storage-errors.ts'

/** How many callers a race has. */
export const RACERS = 20

/** Start `count` calls at once and wait for all, however they end. */
export function race<T>(count: number, call: (index: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
  return Promise.allSettled(Array.from({ length: count }, (_, index) => call(index)))
}

/** Try again what failed for the moment, as the port leaves to its callers: at most 30 times. */
export async function retried<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (!isTransientError(error) || attempt === 30) throw error
      const [random = 0] = crypto.getRandomValues(new Uint8Array(1))
      await pause(1 + (random % (4 * attempt)))
    }
  }
}

/** Wait some milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Order by id as storages do: code units, and decimal ids by their number. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0
  const decimal = /^\d+$/
  if (decimal.test(a) && decimal.test(b) && a.length !== b.length) return a.length - b.length
  return a < b ? -1 : 1
}

/** Order records by id. */
export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return compareIds(a.id, b.id)
}

/** The ids of records, in their order. */
export function idsOf(records: readonly { readonly id: string }[]): readonly string[] {
  return records.map(({ id }) => id)
}
