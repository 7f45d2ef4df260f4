/** A map that never holds more than it may: the entry that was not used for longest makes room. */

/** What {@link createBoundedMap} makes. */
export interface BoundedMap<K, V> {
  readonly size: number
  /** Read an entry; it counts as used. */
  get(key: K): V | undefined
  /** Write an entry; when the map is full, the least recently used one goes. */
  set(key: K, value: V): void
  delete(key: K): void
  /** Delete what `condition` holds for: looks at every entry. */
  deleteWhere(condition: (value: V) => boolean): void
  clear(): void
}

/**
 * Create a map of at most `maxEntries` entries, least recently used first out. Every operation is O(1), but `deleteWhere`.
 *
 * @param maxEntries a whole number from 1
 */
export function createBoundedMap<K, V>(maxEntries: number): BoundedMap<K, V> {
  const entries = new Map<K, V>()
  return {
    get size() {
      return entries.size
    },
    get(key) {
      const value = entries.get(key)
      if (value === undefined) return undefined
      // A Map keeps the order of insertion: putting the entry in anew makes it the youngest.
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      entries.delete(key)
      if (entries.size >= maxEntries) {
        const oldest = entries.keys().next()
        if (oldest.done !== true) entries.delete(oldest.value)
      }
      entries.set(key, value)
    },
    delete(key) {
      entries.delete(key)
    },
    deleteWhere(condition) {
      for (const [key, value] of entries) if (condition(value)) entries.delete(key)
    },
    clear() {
      entries.clear()
    },
  }
}
