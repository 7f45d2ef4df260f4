/** The host's own handle inside one transaction: good while its work runs and not a moment longer, because then others use it. */
import type { SqliteDatabase } from './sql-executor.ts'

/** Lend a handle; after `end` it, and every statement prepared on it, refuses whatever is asked. */
export function lendHandle<D extends SqliteDatabase>(database: D): { readonly handle: D; end(): void } {
  let isOpen = true
  const requireOpen = (): void => {
    if (!isOpen) throw new Error('this transaction has ended: its handle can no longer be used')
  }
  const guard = <O extends object>(object: O): O =>
    new Proxy(object, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...given: unknown[]) => {
          requireOpen()
          const result: unknown = Reflect.apply(value, target, given)
          return name === 'prepare' ? guard(result as object) : result
        }
      },
    })
  return {
    handle: guard(database),
    end() {
      isOpen = false
    },
  }
}
