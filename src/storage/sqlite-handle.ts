/** The host's own handle inside one transaction: good while its work runs and not a moment longer, because then others use it. */
import type { SqliteDatabase } from './sql-executor.ts'

/**
 * Lend a handle; after `end`, or once `isHeld` says no, it refuses whatever is asked, and so does every statement prepared on
 * it, and whatever else of the driver's it has answered with.
 */
export function lendHandle<D extends SqliteDatabase>(
  database: D,
  isHeld: () => boolean = () => true,
): { readonly handle: D; end(): void } {
  let isOpen = true
  const lent = new WeakMap<object, object>()
  const guard = (value: unknown, self?: unknown): unknown => {
    if (!isOfDriver(value)) return value
    const known = lent.get(value)
    if (known !== undefined) return known
    const proxy = new Proxy(value, {
      get: (target, name) => guard(Reflect.get(target, name), target),
      apply(target, _self, given) {
        if (!isOpen || !isHeld()) throw new Error('this transaction has ended: its handle can no longer be used')
        return guard(Reflect.apply(target as () => unknown, self, given))
      },
    })
    if (typeof value !== 'function') lent.set(value, proxy)
    return proxy
  }
  return {
    handle: guard(database) as D,
    end() {
      isOpen = false
    },
  }
}

// Statements, iterators, the handle again by another name, functions; not a row, which holds values alone.
function isOfDriver(value: unknown): value is object {
  if (typeof value === 'function') return true
  if (typeof value !== 'object' || value === null) return false
  return ['prepare', 'all', 'run', 'next'].some((name) => typeof Reflect.get(value, name) === 'function')
}
