/** The counters of the login throttle in Redis: one for all processes, and off the database that a flood would reach. */
import { TransientError } from 'sallyport'
import type { ThrottleState, ThrottleStore } from 'sallyport/login'

/** What is asked of a client: node-redis (5, 6; `createClient`, `createCluster`) by its `eval`, ioredis by its `call`. */
export type RedisClient = { get(key: string): Promise<string | null> } & (
  | { eval(script: string, given: { keys: string[]; arguments: string[] }): Promise<unknown> }
  | { call(command: string, ...args: string[]): Promise<unknown> }
)

/** Options of {@link createRedisThrottle}. */
export interface RedisThrottleOptions {
  /** What all keys begin with. Default `sallyport:throttle:`. */
  readonly prefix?: string
}

// Each time somebody wins: to lose this often in a row is no chance any more.
const ATTEMPTS = 100

/** Put a value where `ARGV[1]` is, for so many milliseconds; '' is no value. Gives what it found: the same, if it wrote. */
export const COMPARE_AND_SET = `
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[1] then return found end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return found`

/**
 * Create a throttle's store on a connection that others may share: each update is a read, and a script that writes if the
 * value is still the one that was read (no WATCH, which would need a connection of its own). A refused try costs one
 * round trip, one that is counted two. Every key is written with its time to live.
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
  const { prefix = 'sallyport:throttle:' } = options
  const compareAndSet = compareAndSetOf(client)
  const inTurn = createTurns()

  return {
    async update(name, now, decide) {
      const key = prefix + name
      let found = (await client.get(key)) ?? ''
      const attempt = async () => {
        const state = toState(found, now)
        const decided = decide(state)
        if (decided.state === state) return decided
        const before = found
        found = await compareAndSet(key, before, toText(decided.state), timeToLive(decided.state, now))
        return found === before ? decided : null
      }
      const first = await attempt()
      if (first !== null) return first.result
      // Who lost waits for its turn: then one per process is left to compete.
      return inTurn(key, async () => {
        for (let count = 1; count < ATTEMPTS; count++) {
          const done = await attempt()
          if (done !== null) return done.result
        }
        throw new TransientError('the throttle was written by others again and again')
      })
    },
  }
}

type CompareAndSet = (key: string, from: string, to: string, milliseconds: string) => Promise<string>

function compareAndSetOf(client: RedisClient): CompareAndSet {
  if ('call' in client) {
    return async (key, ...values) => String(await client.call('EVAL', COMPARE_AND_SET, '1', key, ...values))
  }
  return async (key, ...values) => String(await client.eval(COMPARE_AND_SET, { keys: [key], arguments: values }))
}

function toState(found: string, now: Date): ThrottleState | null {
  const state = found === '' ? null : (JSON.parse(found) as ThrottleState)
  return state !== null && state.expiresAt > now.getTime() ? state : null
}

function toText(state: ThrottleState | null): string {
  if (state === null) return ''
  const { failures, closedUntil, recent, pending, expiresAt } = state
  return JSON.stringify({ failures, closedUntil, recent, pending, expiresAt })
}

// From the instant that was handed in on: Redis may have another clock.
function timeToLive(state: ThrottleState | null, now: Date): string {
  return String(Math.max(1, Math.ceil((state?.expiresAt ?? 0) - now.getTime())))
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
