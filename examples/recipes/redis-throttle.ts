/** The counters of the login throttle in Redis: one for all processes, and off the database that a flood would reach. */

import type { ThrottleState, ThrottleStore } from 'sallyport/storage'
import { TransientError } from 'sallyport/storage'

/** What is asked of a client: node-redis (5, 6; `createClient`, `createCluster`) by its `eval`, ioredis by its `call`. */
export type RedisClient =
  | { eval(script: string, given: { keys: string[]; arguments: string[] }): Promise<unknown> }
  | { call(command: string, ...args: string[]): Promise<unknown> }

/** Options of {@link createRedisThrottle}. */
export interface RedisThrottleOptions {
  /** What all keys begin with. Default `{sallyport:throttle}:`; a cluster needs the braces, to have the keys of a try in one place. */
  readonly prefix?: string
}

// Each time somebody wins: to lose this often in a row is no chance any more.
const ATTEMPTS = 100

/**
 * For each key: what has to be there, what to put there, for how many milliseconds; '' is no value. Writes all or nothing.
 * Gives the server's clock in milliseconds, and what it found: the same, if it wrote. Without arguments it only reads.
 */
export const COMPARE_AND_SET = `
local time = redis.call('TIME')
local found = { string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)) }
local same = #ARGV > 0
for i, key in ipairs(KEYS) do
  found[i + 1] = redis.call('GET', key) or ''
  same = same and found[i + 1] == ARGV[3 * i - 2]
end
if not same then return found end
for i, key in ipairs(KEYS) do
  local to = ARGV[3 * i - 1]
  if to == '' then redis.call('DEL', key)
  elseif to ~= found[i + 1] then redis.call('SET', key, to, 'PX', ARGV[3 * i]) end
end
return found`

/**
 * Create a throttle's store on a connection that others may share: each update is a read, and a script that writes if the
 * values are still those that were read (no WATCH, which would need a connection of its own). A refused try costs one
 * round trip, one that is counted two. Every key is written with its time to live. Times are by Redis' clock, one for all
 * processes. Needs Redis 5 or later (or Valkey).
 *
 * - Redis being away has to fail a login, not to hang it: `disableOfflineQueue` and `commandOptions: { timeout }` with
 *   node-redis, `enableOfflineQueue: false` and `commandTimeout` with ioredis; a listener for `error` with both, or
 *   node-redis ends the process. What the client throws is a 500.
 * - `maxmemory` with `volatile-lru` bounds it: what was not used for longest goes first. With `noeviction` a full Redis
 *   lets nobody log in.
 * - Redis forgets what it had not yet replicated or saved when it died; the counters then begin anew.
 *
 * @param client connected; `close` is the caller's
 * @throws TransientError out of `update`, where others were faster a hundred times in a row: nothing was written
 * @example
 * createLogin({ storage: { ...storage, throttle: createRedisThrottle(await createClient({ url }).connect()) }, … })
 */
export function createRedisThrottle(client: RedisClient, options: RedisThrottleOptions = {}): ThrottleStore {
  const { prefix = '{sallyport:throttle}:' } = options
  const run = runnerOf(client)
  const inTurn = createTurns()

  return {
    async update(names, _, decide) {
      const keys = names.map((name) => prefix + name)
      let found = await run(keys, [])
      const attempt = async () => {
        const { now, values } = found
        const states = values.map((value) => toState(value, now))
        const decided = decide(states, now)
        if (decided.states.every((state, index) => state === states[index])) return { decided, lost: null }
        const wanted = values.flatMap((value, index) => {
          const state = decided.states[index] ?? null
          return [value, state === states[index] ? value : toText(state), timeToLive(state, now)]
        })
        found = await run(keys, wanted)
        const lost = values.findIndex((value, index) => found.values[index] !== value)
        return { decided, lost: keys[lost] ?? null }
      }
      const first = await attempt()
      if (first.lost === null) return first.decided.result
      // Who lost waits for its turn: then one per process is left to compete.
      return inTurn(first.lost, async () => {
        for (let count = 1; count < ATTEMPTS; count++) {
          const { decided, lost } = await attempt()
          if (lost === null) return decided.result
        }
        throw new TransientError('the throttle was written by others again and again')
      })
    },
  }
}

interface Found {
  /** By Redis' clock. */
  readonly now: number
  readonly values: readonly string[]
}

function runnerOf(client: RedisClient): (keys: string[], values: string[]) => Promise<Found> {
  const send = (keys: string[], values: string[]): Promise<unknown> =>
    'call' in client
      ? client.call('EVAL', COMPARE_AND_SET, String(keys.length), ...keys, ...values)
      : client.eval(COMPARE_AND_SET, { keys, arguments: values })
  return async (keys, given) => {
    const [now, ...values] = ((await send(keys, given)) as unknown[]).map(String)
    return { now: Number(now), values }
  }
}

function toState(found: string, now: number): ThrottleState | null {
  const state = found === '' ? null : (JSON.parse(found) as ThrottleState)
  return state !== null && state.expiresAt > now ? state : null
}

function toText(state: ThrottleState | null): string {
  if (state === null) return ''
  const { failures, closedUntil, recent, pending, expiresAt } = state
  return JSON.stringify({ failures, closedUntil, recent, pending, expiresAt })
}

function timeToLive(state: ThrottleState | null, now: number): string {
  return String(Math.max(1, Math.ceil((state?.expiresAt ?? 0) - now)))
}

// One after another at each key, forgotten when nobody holds or awaits a turn.
function createTurns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work, work)
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }
}
