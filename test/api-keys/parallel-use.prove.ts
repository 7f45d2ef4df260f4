/**
 * 50 callers over real sockets, half of them at each of two Intello processes on one PostgreSQL, use one key without a pause
 * while it is rotated at one process and revoked at the other: nobody is served from the deadline or the answered revocation
 * on, at either of them, and nobody is refused before.
 */
import { Agent, request } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { World } from '../../examples/demo/world.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { openWorldOf, startProcess } from '../systems/app-process.ts'

const CALLERS = 50

interface Use {
  readonly from: number
  readonly to: number
  readonly status: number
}
interface Sent {
  readonly status: number
  readonly text: string
}

const agent = new Agent({ keepAlive: true, maxSockets: CALLERS })
let databaseUrl = ''
let world: World
let token = ''
let urls: readonly [string, string]
let stopSecond: () => Promise<void>
beforeAll(async () => {
  databaseUrl = await createTestDatabase('empty')
  world = await openWorldOf(['intello'], { storeOf: () => ({ DATABASE_URL: databaseUrl }) })
  const second = await startProcess(['examples/intello/main.ts'], world.environmentOf('intello'))
  stopSecond = second.stop
  urls = [world.urlOf('intello'), second.url]
  token = await world.token('intello', 'ada')
  expect((await call(urls[0], token, 'POST /auth/sync')).status).toBe(201)
})
afterAll(async () => {
  agent.destroy()
  await stopSecond()
  await world.close()
})

function call(url: string, bearer: string, line: string, body?: object): Promise<Sent> {
  const [method, path = ''] = line.split(' ')
  const headers = {
    authorization: `Bearer ${bearer}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method: method ?? '', headers, agent }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** Half of the callers at each process, one call after another, until the clock says so. */
async function useUntil(key: string, end: () => number): Promise<readonly Use[]> {
  const callers = Array.from({ length: CALLERS }, async (_, index) => {
    const uses: Use[] = []
    while (Date.now() < end()) {
      const from = Date.now()
      const { status } = await call(urls[index % 2] as string, key, 'GET /api/dependencies')
      uses.push({ from, to: Date.now(), status })
    }
    return uses
  })
  return (await Promise.all(callers)).flat()
}

/** Whoever started at `ends` or later is refused, whoever was answered before `begins` is served; both did happen. */
function expectEnd(uses: readonly Use[], begins: number, ends: number): void {
  const [before, after] = [uses.filter(({ to }) => to < begins), uses.filter(({ from }) => from >= ends)]
  expect([...new Set(before.map(({ status }) => status))]).toEqual([200])
  expect([...new Set(after.map(({ status }) => status))]).toEqual([401])
  expect(uses.filter(({ status }) => status !== 200 && status !== 401)).toEqual([])
  expect(before.length).toBeGreaterThan(2 * CALLERS)
  expect(after.length).toBeGreaterThan(2 * CALLERS)
}

async function issue(): Promise<{ readonly id: string; readonly key: string }> {
  const { status, text } = await call(urls[0], token, 'POST /api/keys', { name: 'worker' })
  expect(status).toBe(201)
  return JSON.parse(text).data
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

it('rotated with an overlap: to the deadline in the database and not a moment longer; the new one at once', async () => {
  const { id, key } = await issue()
  let end = Number.POSITIVE_INFINITY
  const uses = useUntil(key, () => end)
  await wait(800)
  const { text } = await call(urls[0], token, `POST /api/keys/${id}/rotate`, { overlap_seconds: 2 })
  const { rows } = await openPool(databaseUrl).query('SELECT previous_until FROM api_keys WHERE id = $1', [id])
  const deadline = (rows[0].previous_until as Date).getTime()
  end = deadline + 1500
  const fresh = await useUntil(JSON.parse(text).data.key, () => end)
  expect([...new Set(fresh.map(({ status }) => status))]).toEqual([200])
  expectEnd(await uses, deadline, deadline)
})

it('rotated without an overlap at one process: the old one is dead at both when the answer is there', async () => {
  const { id, key } = await issue()
  let end = Number.POSITIVE_INFINITY
  const uses = useUntil(key, () => end)
  await wait(1200)
  const begins = Date.now()
  expect((await call(urls[1], token, `POST /api/keys/${id}/rotate`)).status).toBe(200)
  const ends = Date.now() + 1
  end = ends + 1500
  expectEnd(await uses, begins, ends)
})

it('revoked at one process, both its texts: dead at both when the answer is there', async () => {
  const { id, key } = await issue()
  const { text } = await call(urls[0], token, `POST /api/keys/${id}/rotate`, { overlap_seconds: 3600 })
  let end = Number.POSITIVE_INFINITY
  const texts = [key, JSON.parse(text).data.key as string].map((each) => useUntil(each, () => end))
  await wait(1500)
  const begins = Date.now()
  expect((await call(urls[1], token, `DELETE /api/keys/${id}`)).status).toBe(204)
  const ends = Date.now() + 1
  end = ends + 1500
  for (const uses of await Promise.all(texts)) expectEnd(uses, begins, ends)
})
