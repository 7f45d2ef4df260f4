/**
 * The recipe for the throttle in Redis holds the promises of the port: on a real Redis (`redis-server` on the path, or
 * `TEST_REDIS_URL`), by the calls of node-redis and of ioredis. Where there is none it says so; what always runs is the
 * recipe's own part, over clients that compare and set as the script does.
 */

import { isTransientError } from 'sallyport'
import type { ThrottleState } from 'sallyport/login'
import { throttleContract } from 'sallyport/testing'
import { describe, expect, it } from 'vitest'
import { COMPARE_AND_SET, createRedisThrottle, type RedisClient } from '../../examples/recipes/redis-throttle.ts'
import { findRedis, type NodeRedis } from './redis-server.ts'

const NOW = new Date('2026-11-20T10:00:00.000Z')
const SECONDS = 90

function counted(state: ThrottleState | null): { state: ThrottleState; result: number } {
  const failures = (state?.failures ?? 0) + 1
  const expiresAt = NOW.getTime() + SECONDS * 1000
  return { state: { failures, closedUntil: 0, recent: [], pending: [], expiresAt }, result: failures }
}

// The server's part: one command after another, each an answer of its own, later.
function createFake() {
  const values = new Map<string, string>()
  const commands: string[][] = []
  const answer = async (...command: string[]): Promise<string | null> => {
    commands.push(command)
    const [name, script, , evalKey = '', from, to = ''] = command
    if (name === 'GET') return values.get(script ?? '') ?? null
    if (name !== 'EVAL' || script !== COMPARE_AND_SET) throw new Error(`no such command: ${name}`)
    const found = values.get(evalKey) ?? ''
    if (found !== from) return found
    if (to === '') values.delete(evalKey)
    else values.set(evalKey, to)
    return found
  }
  const get = (key: string): Promise<string | null> => answer('GET', key)
  const ioRedis: RedisClient = { get, call: answer }
  const nodeRedis: RedisClient = {
    get,
    eval: (script, { keys, arguments: args }) => answer('EVAL', script, String(keys.length), ...keys, ...args),
  }
  return { values, commands, ioRedis, nodeRedis }
}

describe.each(['nodeRedis', 'ioRedis'] as const)('the recipe for Redis, over a stand-in for %s', (kind) => {
  for (const { id, name, run } of throttleContract(() => ({ throttle: createRedisThrottle(createFake()[kind]) }))) {
    it(`${id}: ${name}`, run)
  }

  it('asks once where nothing is to be written, twice where something is', async () => {
    const fake = createFake()
    const { update } = createRedisThrottle(fake[kind], { prefix: 'p:' })
    await update('account:a', NOW, () => ({ state: null, result: null }))
    expect(fake.commands).toEqual([['GET', 'p:account:a']])
    await update('account:a', NOW, counted)
    expect(fake.commands.slice(1)).toEqual([
      ['GET', 'p:account:a'],
      [
        'EVAL',
        COMPARE_AND_SET,
        '1',
        'p:account:a',
        '',
        expect.stringContaining('"failures":1'),
        String(SECONDS * 1000),
      ],
    ])
    await update('account:a', NOW, (state) => ({ state, result: null }))
    expect(fake.commands.length).toBe(4)
  })

  it('decides again on what the other one has written, without another read', async () => {
    const fake = createFake()
    const [one, other] = [createRedisThrottle(fake[kind]), createRedisThrottle(fake[kind])]
    const results = await Promise.all([one, other].map(({ update }) => update('account:a', NOW, counted)))
    expect(results.toSorted()).toEqual([1, 2])
    expect(fake.commands.map(([name]) => name)).toEqual(['GET', 'GET', 'EVAL', 'EVAL', 'EVAL'])
  })

  it('gives up where it never wins, and goes on with the next', async () => {
    const fake = createFake()
    const { update } = createRedisThrottle(fake[kind])
    let rival = 0
    const losing = update('account:a', NOW, (state) => {
      fake.values.set('sallyport:throttle:account:a', JSON.stringify({ ...counted(null).state, failures: ++rival }))
      return counted(state)
    })
    expect(await losing.catch(isTransientError)).toBe(true)
    expect(rival).toBe(100)
    expect(await update('account:a', NOW, counted)).toBe(101)
  })

  it('passes on what the client throws', async () => {
    const fake = createFake()
    const gone = new Error('the socket is closed')
    const { update } = createRedisThrottle({ ...fake[kind], get: () => Promise.reject(gone) })
    await expect(update('account:a', NOW, counted)).rejects.toBe(gone)
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
    get: (key) => given.get(key),
    call: (...command) => given.sendCommand(command),
  })
  const prefix = `sallyport-test:${crypto.randomUUID()}:`

  describe.each([
    ['node-redis', (given: NodeRedis): RedisClient => given],
    ['ioredis', byCall],
  ])('the recipe for Redis, by the calls of %s, on a real one', (kind, toClient) => {
    const throttle = createRedisThrottle(toClient(client), { prefix })
    for (const { id, name, run } of throttleContract(() => ({ throttle }))) it(`${id}: ${name}`, run)

    it('counts each of 200 tries at once of two processes', async () => {
      const other = createRedisThrottle(toClient(await connect()), { prefix })
      const tries = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? throttle : other))
      const results = await Promise.all(tries.map(({ update }) => update(`account:two-${kind}`, NOW, counted)))
      expect(results.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1))
    })

    it('keeps nothing for longer than it counts, and forgets it then', async () => {
      await throttle.update(`account:kept-${kind}`, NOW, counted)
      const left = await client.pTTL(`${prefix}account:kept-${kind}`)
      expect(left).toBeGreaterThan((SECONDS - 30) * 1000)
      expect(left).toBeLessThanOrEqual(SECONDS * 1000)
      const keys = await client.keys(`${prefix}*`)
      expect(keys.length).toBeGreaterThan(3)
      expect((await Promise.all(keys.map((key) => client.pTTL(key)))).filter((ms) => ms < 0)).toEqual([])

      const soon = { ...counted(null).state, expiresAt: NOW.getTime() + 20 }
      await throttle.update(`account:soon-${kind}`, NOW, () => ({ state: soon, result: null }))
      await expect.poll(() => client.exists(`${prefix}account:soon-${kind}`), { timeout: 15_000 }).toBe(0)
    })
  })
}
