/**
 * Something of ours beside an object of somebody else's, as a `WeakMap` keeps it: found by that very object alone, gone with it,
 * seen by nobody. It is a private field put on the object, which costs a third of a `WeakMap` and no work of the collector.
 */

/** What is kept beside objects. */
export interface Beside<T> {
  get(object: object): T | undefined
  set(object: object, value: T): void
}

// The private fields of a class that extends it are put on what its constructor returns.
class Returned {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is what it is for
    return object
  }
}

/** Create a place beside objects, for one kind of thing. */
export function createBeside<T>(): Beside<T> {
  // Of what nothing can be put on.
  const others = new WeakMap<object, T>()
  class Field extends Returned {
    #value: T | undefined
    constructor(object: object, value?: T) {
      super(object)
      this.#value = value
    }
    static get(object: object): T | undefined {
      return #value in object ? object.#value : others.get(object)
    }
    static set(object: object, value: T): void {
      if (#value in object) object.#value = value
      else if (takesFrozen || Object.isExtensible(object)) new Field(object, value)
      else others.set(object, value)
    }
  }
  const takesFrozen = canMake(() => new Field(Object.freeze({})))
  return Field
}

// Engines to come put no field on a frozen object.
function canMake(make: () => unknown): boolean {
  try {
    make()
    return true
  } catch {
    return false
  }
}
