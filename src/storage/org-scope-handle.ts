/** The handle a scope's work is given: the host's own client while the work runs, and nothing afterwards. */

/**
 * Run `work` with `handle`, which refuses whatever is asked of it after `work` has settled: by then the connection may
 * serve another organization. Giving it back is not the work's business.
 */
export async function guardHandle<H extends object, T>(handle: H, work: (handle: H) => Promise<T>): Promise<T> {
  let open = true
  const guarded = new Proxy(handle, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => {
        if (!open) throw new Error('this scope has ended: its client can no longer be used')
        if (name === 'release') throw new Error('a scope gives its client back by itself')
        return Reflect.apply(value, target, given)
      }
    },
  })
  try {
    return await work(guarded)
  } finally {
    open = false
  }
}
