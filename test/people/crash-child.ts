/**
 * A process that acts on people and says so between any two of its steps. At the step that it is told it stops for good, or
 * goes on at once: either way somebody kills it there. Told to stop nowhere it says how many steps there were. Not a test.
 */
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import { openCrashStorage, writeOn } from '../storage/crash-storage.ts'
import { ACTS, type Given } from './crash-acts.ts'

const [where = '', name = '', given = '{}', stopAt = '', how = 'stop'] = process.argv.slice(2)
let steps = 0

async function step(): Promise<void> {
  const at = steps++
  if (at !== Number(stopAt)) return
  process.stdout.write(`at ${at}\n`)
  // A timer keeps the process; nothing ends this wait but a signal.
  if (how === 'stop') await new Promise(() => setInterval(() => {}, 1000))
}

/** Each of its methods, with a step after it. */
function stepping<T extends object>(group: T): T {
  const methods = Object.entries<(...given: unknown[]) => Promise<unknown>>(group as never)
  const then = methods.map(([method, ask]) => [
    method,
    async (...values: unknown[]) => {
      const answer = await ask(...values)
      await step()
      return answer
    },
  ])
  return Object.fromEntries(then) as T
}

const storage = await openCrashStorage(where)
const stepped: ShippedStorage = {
  ...storage,
  async transaction(work) {
    const result = await storage.transaction(async ({ handle, ...repositories }) => {
      await step()
      const groups = Object.entries<object>(repositories).map(([group, each]) => [group, stepping(each)])
      const done = await work({ ...Object.fromEntries(groups), handle })
      await step()
      return done
    })
    await step()
    return result
  },
}
await ACTS[name]?.perform(stepped, JSON.parse(given) as Given, async (handle, text) => {
  await writeOn(where, handle, text)
  await step()
})
process.stdout.write(`${steps} steps\n`)
process.exit(0)
