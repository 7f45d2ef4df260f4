/**
 * Many wrong passwords at once for one account, in one process and in four whose clocks differ by up to 2 s: five are
 * hashed, and what is told then is 1 s, whatever the counters lie in.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createMemoryAccounts } from '../../src/storage/memory.ts'
import { migrate } from '../../src/storage/sqlite.ts'
import { createTestDatabase } from '../postgres.ts'
import { programOf } from '../program.ts'
import { findRedis } from '../recipes/redis-server.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { type ParallelAnswers, type ParallelTask, tryWrongPasswords } from './parallel-process.ts'

const redis = await findRedis()

const PLACES: readonly { readonly name: string; readonly kind: string; where(): Promise<string> }[] = [
  { name: 'PostgreSQL', kind: 'pg', where: () => createTestDatabase() },
  ...SQLITE_DRIVERS.map(({ name, open }) => ({
    ...{ name: `SQLite by ${name}`, kind: name },
    async where() {
      const path = createSqlitePath()
      const database = open(path)
      await migrate({ database })
      database.close()
      return path
    },
  })),
  ...(redis === null ? [] : [{ name: 'Redis', kind: 'redis', where: async () => redis.where }]),
]

async function startProcess(task: ParallelTask) {
  const child = fork(await programOf('test/login/parallel-process.ts'), [JSON.stringify(task)])
  const [ready] = await once(child, 'message')
  expect(ready).toBe('ready')
  return async (): Promise<ParallelAnswers> => {
    child.send('go')
    const [answers] = await once(child, 'message')
    return answers as ParallelAnswers
  }
}

function expectFive(answers: readonly ParallelAnswers[], seconds: number): void {
  const statuses = answers.flatMap((each) => each.statuses)
  const hashed = answers.reduce((sum, each) => sum + each.hashed, 0)
  expect(statuses).toHaveLength(40)
  expect(new Set(statuses)).toEqual(new Set([401, 429]))
  expect(statuses.filter((status) => status === 401)).toHaveLength(hashed)
  // Where the machine stands still in the middle, waits of 1, 2, 4 s pass, and after each one more is looked at.
  const waits = Math.floor(Math.log2(seconds + 1))
  expect(hashed).toBeGreaterThanOrEqual(5)
  expect(hashed).toBeLessThanOrEqual(5 + waits)
  const told = answers.flatMap((each) => each.told).map(Number)
  expect(told).toHaveLength(40 - hashed)
  expect(Math.max(...told)).toBeLessThanOrEqual(2 ** (hashed - 5))
}

async function timed(work: () => Promise<readonly ParallelAnswers[]>): Promise<void> {
  const started = performance.now()
  const answers = await work()
  expectFive(answers, (performance.now() - started) / 1000)
}

it('40 wrong passwords at once, in memory: 5 are hashed, the others are told 1 s', async () => {
  const storage = createMemoryAccounts()
  await timed(async () => [await tryWrongPasswords(storage, 40, 0)])
})

if (redis === null) {
  const missing = 'NOT RUN on a real Redis: no redis-server on the path, and no TEST_REDIS_URL'
  console.warn(missing)
  it.skip(missing)
}

describe.each(PLACES)('40 wrong passwords at once, $name', ({ kind, where }) => {
  it.each([
    ['1 process', [0]],
    ['4 processes whose clocks differ by 2 s', [0, 2000, -2000, 1000]],
  ])('%s: 5 are hashed, the others are told 1 s', async (_, skews) => {
    const prefix = `{sallyport-test}:${crypto.randomUUID()}:`
    const place = await where()
    const tries = 40 / skews.length
    const starts = await Promise.all(skews.map((skew) => startProcess({ kind, where: place, prefix, tries, skew })))
    await timed(() => Promise.all(starts.map((go) => go())))
  })
})
