/**
 * At full size: 50 people, 100 parallel first requests each, on four processes of Iron and one PostgreSQL, on a quiet
 * machine and on a busy one; and a database that no longer answers, which is told within a quarter of a minute.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { World } from '../../examples/demo/world.ts'
import { openProxy } from '../frozen-proxy.ts'
import { createTestDatabase } from '../postgres.ts'
import { openWorldOf, startProcess } from './app-process.ts'
import { storm } from './iron-storm.ts'

let world: World
beforeAll(async () => {
  const url = await createTestDatabase('empty')
  world = await openWorldOf(['iron'], { storeOf: () => ({ DATABASE_URL: url }) })
})
afterAll(() => world.close())

/** Processes that want all of the machine. */
function startLoad(count: number): () => void {
  const busy: ChildProcess[] = Array.from({ length: count }, () => spawn(process.execPath, ['-e', 'for (;;);']))
  return () => {
    for (const child of busy) child.kill('SIGKILL')
  }
}

describe('50 people × 100 first requests on four processes: 5,000 times 200, nothing on stderr', () => {
  it.each([0, 4 * cpus().length])('with %i processes beside them that want all of the machine', async (load) => {
    const stop = startLoad(load)
    try {
      console.log(`with ${load} busy processes:`, await storm(world, { people: 50, requests: 100 }), 'seconds')
    } finally {
      stop()
    }
  })
})

it('a database that no longer answers is a 503 within 15 seconds, and the app ends within 5', async () => {
  const proxy = await openProxy(await createTestDatabase('empty'))
  const app = await startProcess(['examples/iron-crm/main.ts'], {
    ...world.environmentOf('iron'),
    DATABASE_URL: proxy.url,
  })
  const headers = { authorization: `Bearer ${await world.token('iron', 'ada')}` }
  expect((await fetch(`${app.url}/api/v1/me`, { headers })).status).toBe(200)
  proxy.freeze()
  const asked = performance.now()
  const answer = await fetch(`${app.url}/api/v1/me`, { headers })
  expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: 'temporarily_unavailable' } }])
  expect(performance.now() - asked).toBeLessThan(15_000)
  // Whoever runs it is told why, once.
  const told = /^sallyport: answered 503, storage_unavailable: TransientError; [^\n]+\n$/
  expect(await app.end()).toMatchObject({ code: 0, stderr: expect.stringMatching(told) })
  proxy.close()
})
