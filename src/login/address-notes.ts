/**
 * What this process remembers of the addresses that tried passwords here, without asking any storage: a part of the
 * hashing queue is kept for those of which it knows nothing bad, so that one stranger can't fill it for all.
 */
import { createBoundedMap } from '../lib/bounded-map.ts'
import { toAddressKeys } from '../lib/peer-address.ts'

/** What {@link createAddressNotes} makes. */
export interface AddressNotes {
  /** Whether an address has no failures here and no try in flight. One that is not known is never quiet. */
  isQuiet(address: string | null): boolean
  /** Note that a try is in flight, until it is told how it ended. */
  begin(address: string | null): (isFailure: boolean) => void
}

const MOST_ADDRESSES = 10_000

/** Create the notes; a failure is remembered for `windowSeconds`. IPv6 counts by its /48. */
export function createAddressNotes(windowSeconds: number, clock: () => number): AddressNotes {
  const failedUntil = createBoundedMap<string, number>(MOST_ADDRESSES)
  const inFlight = new Map<string, number>()
  const keyOf = (address: string | null): string | null => {
    const keys = toAddressKeys(address)
    return keys === null ? null : (keys.network ?? keys.address)
  }
  return {
    isQuiet(address) {
      const key = keyOf(address)
      return key !== null && !inFlight.has(key) && !((failedUntil.get(key) ?? 0) > clock())
    },
    begin(address) {
      const key = keyOf(address)
      if (key === null) return () => undefined
      inFlight.set(key, (inFlight.get(key) ?? 0) + 1)
      return (isFailure) => {
        const left = (inFlight.get(key) ?? 1) - 1
        if (left === 0) inFlight.delete(key)
        else inFlight.set(key, left)
        if (isFailure) failedUntil.set(key, clock() + windowSeconds * 1000)
      }
    },
  }
}
