/** A map that never holds more than it may: the entry that was not used for longest makes room. */

// A Map keeps the order of insertion: what is put in anew is the youngest.
class BoundedMap<K, V> extends Map<K, V> {
  readonly #maxEntries: number

  constructor(maxEntries: number) {
    super()
    this.#maxEntries = maxEntries
  }

  override get(key: K): V | undefined {
    const value = super.get(key)
    if (value !== undefined) this.set(key, value)
    return value
  }

  override set(key: K, value: V): this {
    this.delete(key)
    // Only where it is full: the way to the first key leads over all that were deleted before it.
    const [oldest] = this.size < this.#maxEntries ? [] : this.keys()
    if (oldest !== undefined) this.delete(oldest)
    return super.set(key, value)
  }
}

/** Create a map of at most so many entries, a whole number from 1: reading one uses it, too. All is O(1). */
export function createBoundedMap<K, V>(maxEntries: number): Map<K, V> {
  return new BoundedMap(maxEntries)
}
