/** Preloaded by `node --import`: what Node has and workers have not is gone, and timers are numbers. */
const { setTimeout: start, clearTimeout: stop } = globalThis
const timers = new Map()
globalThis.setTimeout = (work, milliseconds, ...args) => {
  const id = timers.size + 1
  timers.set(id, start(work, milliseconds, ...args))
  return id
}
globalThis.clearTimeout = (id) => stop(timers.get(id))

// Node's own Fetch asks for some of them by these very names: its frames, and no others, still see them.
for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate']) {
  const value = globalThis[name]
  const get = () => (/^\s+at .*\(?node:/.test(new Error('who asks?').stack.split('\n')[2]) ? value : undefined)
  Object.defineProperty(globalThis, name, { get, configurable: true })
}
