/**
 * A map that never holds more than it may: what was not used lately makes room (SIEVE: Zhang et al., NSDI 2024). Who reads an
 * entry marks it and moves nothing, so that a hit costs what a plain map costs.
 */

/** What a bounded map keeps: an object of its own, marked by whoever uses it. */
export interface Used {
  used: boolean
}

// No removal may look at more, however many are marked: the next one goes then.
const MOST_PASSED = 100

class BoundedMap<K, V extends Used> extends Map<K, V> {
  readonly #maxEntries: number
  // Where the look for one that may go has come to. None before there is one to find: it would hold the tables of a map that grows.
  #hand: MapIterator<[K, V]> | undefined

  constructor(maxEntries: number) {
    super()
    this.#maxEntries = maxEntries
  }

  override get(key: K): V | undefined {
    const value = super.get(key)
    if (value !== undefined) value.used = true
    return value
  }

  override set(key: K, value: V): this {
    value.used = this.has(key)
    if (!value.used && this.size >= this.#maxEntries) this.#makeRoom()
    return super.set(key, value)
  }

  override clear(): void {
    this.#hand = undefined
    super.clear()
  }

  // From the oldest to the youngest and round again: whoever is marked loses the mark, the first without one goes.
  #makeRoom(): void {
    for (let passed = 0; ; passed += 1) {
      this.#hand ??= this.entries()
      const { done, value } = this.#hand.next()
      if (done === true) {
        this.#hand = undefined
        continue
      }
      const [key, entry] = value
      if (!entry.used || passed >= MOST_PASSED) {
        this.delete(key)
        return
      }
      entry.used = false
    }
  }
}

/** Create a map of at most so many entries, a whole number from 1: reading one uses it, too. All is O(1). */
export function createBoundedMap<K, V extends Used>(maxEntries: number): Map<K, V> {
  return new BoundedMap(maxEntries)
}
