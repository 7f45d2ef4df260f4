/**
 * The recipe for the throttle in Redis holds the promises of the port: on a real Redis (`redis-server` on the path, or
 * `TEST_REDIS_URL`), by the calls of node-redis and of ioredis. Where there is none it says so; what always runs is the
 * recipe's own part, over clients that compare and set as the script does.
 */

import { isTransientError, type ThrottleState } from 'sallyport/storage'
import { throttleContract } from 'sallyport/testing'
import { describe, expect, it } from 'vitest'
import { COMPARE_AND_SET, createRedisThrottle, type RedisClient } from '../../examples/recipes/redis-throttle.ts'
import { PATIENCE_MS } from '../patience.ts'
import { findRedis, type NodeRedis } from './redis-server.ts'

const NOW = new Date('2026-11-20T10:00:00.000Z')
const SECONDS = 90

const EXPIRES = NOW.getTime() + SECONDS * 1000

function counted([state = null]: readonly (ThrottleState | null)[], now: number) {
  const failures = (state?.failures ?? 0) + 1
  const expiresAt = now + SECONDS * 1000
  return { states: [{ failures, closedUntil: 0, recent: [], pending: [], expiresAt }], result: failures }
}

const textOf = (failures: number): string =>
  JSON.stringify({ failures, closedUntil: 0, recent: [], pending: [], expiresAt: EXPIRES })

// The server's part: one command after another, each an answer of its own, later. Its clock stands still.
function createFake() {
  const values = new Map<string, string>()
  const commands: { readonly keys: readonly string[]; readonly given: readonly string[] }[] = []
  const answer = async (script: string, keys: readonly string[], given: readonly string[]): Promise<string[]> => {
    if (script !== COMPARE_AND_SET) throw new Error('no such script')
    commands.push({ keys, given })
    const found = keys.map((key) => values.get(key) ?? '')
    if (given.length > 0 && found.every((value, index) => value === given[3 * index])) {
      keys.forEach((key, index) => {
        const to = given[3 * index + 1] ?? ''
        if (to === '') values.delete(key)
        else values.set(key, to)
      })
    }
    return [String(NOW.getTime()), ...found]
  }
  const ioRedis: RedisClient = {
    call: (_, script = '', count = '', ...more) =>
      answer(script, more.slice(0, Number(count)), more.slice(Number(count))),
  }
  const nodeRedis: RedisClient = { eval: (script, { keys, arguments: given }) => answer(script, keys, given) }
  return { values, commands, ioRedis, nodeRedis }
}

describe.each(['nodeRedis', 'ioRedis'] as const)('the recipe for Redis, over a stand-in for %s', (kind) => {
  for (const { id, name, run } of throttleContract.cases(() => ({
    throttle: createRedisThrottle(createFake()[kind]),
  }))) {
    it(`${id}: ${name}`, run)
  }

  it('asks once where nothing is to be written, twice where something is, however many keys', async () => {
    const fake = createFake()
    const { update } = createRedisThrottle(fake[kind], { prefix: 'p:' })
    await update(['account:a'], NOW, () => ({ states: [null], result: null }))
    expect(fake.commands.splice(0)).toEqual([{ keys: ['p:account:a'], given: [] }])
    await update(['account:a', 'address:b'], NOW, (states, now) => ({
      states: [counted(states, now).states[0] ?? null, null],
      result: null,
    }))
    const keys = ['p:account:a', 'p:address:b']
    expect(fake.commands.splice(0)).toEqual([
      { keys, given: [] },
      { keys, given: ['', textOf(1), String(SECONDS * 1000), '', '', '1'] },
    ])
    await update(['account:a'], NOW, (states) => ({ states, result: null }))
    expect(fake.commands).toHaveLength(1)
  })

  it('decides again on what the other one has written, without another read', async () => {
    const fake = createFake()
    const [one, other] = [createRedisThrottle(fake[kind]), createRedisThrottle(fake[kind])]
    const results = await Promise.all([one, other].map(({ update }) => update(['account:a'], NOW, counted)))
    expect(results.toSorted()).toEqual([1, 2])
    expect(fake.commands.map(({ given }) => given.length > 0)).toEqual([false, false, true, true, true])
  })

  it('gives up where it never wins, and goes on with the next', async () => {
    const fake = createFake()
    const { update } = createRedisThrottle(fake[kind])
    let rival = 0
    const losing = update(['account:a'], NOW, (states, now) => {
      fake.values.set('{sallyport:throttle}:account:a', textOf(++rival))
      return counted(states, now)
    })
    expect(await losing.catch(isTransientError)).toBe(true)
    expect(rival).toBe(100)
    expect(await update(['account:a'], NOW, counted)).toBe(101)
  })

  it('passes on what the client throws', async () => {
    const gone = new Error('the socket is closed')
    const { update } = createRedisThrottle({ call: () => Promise.reject(gone) })
    await expect(update(['account:a'], NOW, counted)).rejects.toBe(gone)
  })
})

const connect = await findRedis()

if (connect === null) {
  const missing = 'NOT RUN on a real Redis: no redis-server on the path, and no TEST_REDIS_URL'
  console.warn(missing)
  it.skip(missing)
} else {
  const client = await connect()
  const byCall = (given: NodeRedis): RedisClient => ({
    call: (...command) => given.sendCommand(command),
  })
  const prefix = `{sallyport-test}:${crypto.randomUUID()}:`

  describe.each([
    ['node-redis', (given: NodeRedis): RedisClient => given],
    ['ioredis', byCall],
  ])('the recipe for Redis, by the calls of %s, on a real one', (kind, toClient) => {
    const throttle = createRedisThrottle(toClient(client), { prefix })
    for (const { id, name, run } of throttleContract.cases(() => ({ throttle }))) it(`${id}: ${name}`, run)

    it('counts each of 200 tries at once of two processes', async () => {
      const other = createRedisThrottle(toClient(await connect()), { prefix })
      const tries = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? throttle : other))
      const results = await Promise.all(tries.map(({ update }) => update([`account:two-${kind}`], NOW, counted)))
      expect(results.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1))
    })

    it('keeps nothing for longer than it counts, and forgets it then', async () => {
      await throttle.update([`account:kept-${kind}`], NOW, counted)
      const left = await client.pTTL(`${prefix}account:kept-${kind}`)
      expect(left).toBeGreaterThan((SECONDS - 30) * 1000)
      expect(left).toBeLessThanOrEqual(SECONDS * 1000)
      const keys = await client.keys(`${prefix}*`)
      expect(keys.length).toBeGreaterThan(3)
      expect((await Promise.all(keys.map((key) => client.pTTL(key)))).filter((ms) => ms < 0)).toEqual([])

      await throttle.update([`account:soon-${kind}`], NOW, (states, now) => ({
        states: counted(states, now).states.map((state) => state && { ...state, expiresAt: now + 20 }),
        result: null,
      }))
      await expect.poll(() => client.exists(`${prefix}account:soon-${kind}`), { timeout: PATIENCE_MS }).toBe(0)
    })
  })
}
