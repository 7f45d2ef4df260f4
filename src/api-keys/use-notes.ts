/** Note when API keys are used: rarely, beside the request, in bounded memory. What goes wrong with it is dropped. */
import { createBoundedMap } from '../lib/bounded-map.ts'
import type { ApiKeyRecord } from '../storage/repositories.ts'

const MINUTE_MS = 60_000
const MAX_KEYS = 10_000
const MAX_IN_FLIGHT = 100

/**
 * Create the notes.
 *
 * @param touch writes one down; it may reject, throw or never end
 * @returns a function that notes a use at `now`, unless one was noted less than a minute ago, here or by another process
 */
export function createUseNotes(
  touch: (keyId: string, at: Date) => Promise<unknown>,
): (record: Pick<ApiKeyRecord, 'id' | 'lastUsedAt'>, now: number) => void {
  const noted = createBoundedMap<string, number>(MAX_KEYS)
  const inFlight = new Set<{ readonly since: number }>()

  const write = async (keyId: string, now: number): Promise<void> => {
    const note = { since: now }
    inFlight.add(note)
    try {
      await touch(keyId, new Date(now))
    } catch {
      // The next use, a minute from now, tries again.
    } finally {
      inFlight.delete(note)
    }
  }
  // Workers end what a request began together with it: a note that is overdue stands in nobody's way.
  const isFull = (now: number): boolean => {
    if (inFlight.size < MAX_IN_FLIGHT) return false
    for (const note of inFlight) if (Math.abs(now - note.since) >= MINUTE_MS) inFlight.delete(note)
    return inFlight.size >= MAX_IN_FLIGHT
  }
  return ({ id, lastUsedAt }, now) => {
    const known = [noted.get(id), lastUsedAt?.getTime()]
    // A storage that never answers must not be asked without end.
    if (isFull(now) || known.some((at) => at !== undefined && Math.abs(now - at) < MINUTE_MS)) return
    noted.set(id, now)
    void write(id, now)
  }
}
