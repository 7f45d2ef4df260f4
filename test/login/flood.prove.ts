/**
 * What a flood of logins does to who has a session (L3): told, not asserted. On SQLite and on PostgreSQL, a request with a
 * session and, beside it, one that asks no storage: idle, and beside 200 logins a second from 200 addresses for 10 s; the
 * median of three runs. Aimed at: 50 ms of difference at p99, and the first answer after the flood within 1 s.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import pg from 'pg'
import { expect, it } from 'vitest'
import { createPasswordHasher } from '../../src/login/password-hash.ts'
import { createPostgresStorage, migrate as migratePostgres } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate as migrateSqlite } from '../../src/storage/sqlite.ts'
import { createTestDatabase } from '../postgres.ts'
import { programOf } from '../program.ts'
import { createSqlitePath, SQLITE_DRIVERS, type SqliteDriver } from '../sqlite.ts'
import { GOOD } from './login-world.ts'

const RUNS = 3
const [DRIVER] = SQLITE_DRIVERS as readonly [SqliteDriver]

const quantile = (values: readonly number[], part: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
const median = (values: readonly number[]): number => quantile(values, 0.5)
const milliseconds = (value: number): string => value.toFixed(1).padStart(7)

// A client of its own thread: what it costs to send a flood is not the server's.
const CLIENT = `
  const { parentPort, workerData: { url, count, everyMs } } = require('node:worker_threads')
  const { Agent, request } = require('node:http')
  const agent = new Agent({ keepAlive: true, maxSockets: 200 })
  const answers = {}
  let left = count
  const done = (status) => {
    answers[status] = (answers[status] ?? 0) + 1
    if (--left === 0) { agent.destroy(); parentPort.postMessage({ answers }) }
  }
  const started = performance.now()
  const send = (i) => {
    const email = i % 2 === 0 ? 'p' + (i % 10) + '@example.test' : 'nobody' + i + '@example.test'
    const password = i % 4 === 0 ? ${JSON.stringify(GOOD)} : 'wrong'
    const headers = { 'content-type': 'application/json', 'x-client': '10.0.' + (i % 200) + '.1' }
    const sent = request(url + '/api/v1/auth/login', { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () => done(response.statusCode))
    })
    sent.on('error', () => done('lost'))
    sent.end(JSON.stringify({ email, password }))
  }
  let next = 0
  const timer = setInterval(() => {
    for (const due = (performance.now() - started) / everyMs; next < count && next <= due; next++) send(next)
    if (next === count) { clearInterval(timer); parentPort.postMessage('sent') }
  }, 2)
`

/** Make ten people in the storage, of whom none has a hash that costs time to make. */
async function prepare(kind: string, where: string): Promise<void> {
  const { hash } = createPasswordHasher()
  const passwordHash = await hash(GOOD)
  const pool = kind === 'pg' ? new pg.Pool({ connectionString: where }) : null
  const database = pool === null ? DRIVER.open(where) : null
  if (pool !== null) await migratePostgres({ pool })
  if (database !== null) await migrateSqlite({ database })
  const { accounts } =
    pool !== null
      ? createPostgresStorage({ pool }).accounts
      : createSqliteStorage({ database: database as never }).accounts
  for (const name of ['me', ...Array.from({ length: 10 }, (_, i) => `p${i}`)]) {
    await accounts.insert({ email: `${name}@example.test`, passwordHash, role: 'viewer', createdAt: new Date() })
  }
  await pool?.end()
  database?.close()
}

async function startServer(kind: string, where: string) {
  await prepare(kind, where)
  const child = fork(await programOf('test/login/flood-server.ts'), [kind, where])
  const [port] = await once(child, 'message')
  const url = `http://127.0.0.1:${port}`
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const get = (path: string, token: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const started = performance.now()
      const headers = { authorization: `Bearer ${token}` }
      const sent = request(url + path, { agent, headers }, (response) => {
        response.resume()
        response.on('end', () => {
          if (response.statusCode === 200) resolve(performance.now() - started)
          else reject(new Error(`${path}: ${response.statusCode}`))
        })
      })
      sent.on('error', reject).end()
    })
  const answer = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-client': '10.9.9.9' },
    body: JSON.stringify({ email: 'me@example.test', password: GOOD }),
  })
  const { token } = (await answer.json()) as { token: string }
  return {
    url,
    session: () => get('/api/v1/auth/validate', token),
    control: () => get('/api/v1/capabilities', token),
    async close() {
      agent.destroy()
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

type Server = Awaited<ReturnType<typeof startServer>>

/** Both requests again and again, until it is over. */
async function measure({ session, control }: Server, isOver: () => boolean) {
  const times = { session: [] as number[], control: [] as number[] }
  while (!isOver()) {
    times.session.push(await session())
    times.control.push(await control())
    await sleep(4)
  }
  return times
}

async function runOnce(server: Server) {
  const idleEnds = performance.now() + 3000
  const idle = await measure(server, () => performance.now() > idleEnds)
  const client = new Worker(CLIENT, { eval: true, workerData: { url: server.url, count: 2000, everyMs: 5 } })
  let isSent = false
  const answered = new Promise<Readonly<Record<string, number>>>((resolve, reject) => {
    client.on('error', reject)
    client.on('message', (message: 'sent' | { answers: Readonly<Record<string, number>> }) => {
      if (message === 'sent') isSent = true
      else resolve(message.answers)
    })
  })
  const flood = await measure(server, () => isSent)
  const first = await server.session()
  return { idle, flood, first, answers: await answered }
}

it.each([
  ['SQLite', DRIVER.name, async () => createSqlitePath()],
  ['PostgreSQL', 'pg', () => createTestDatabase('empty')],
])('beside 200 logins a second a request with a session is answered, on %s', async (name, kind, where) => {
  const server = await startServer(kind, await where())
  const runs: Awaited<ReturnType<typeof runOnce>>[] = []
  for (let run = 0; run < RUNS; run++) runs.push(await runOnce(server))
  await server.close()
  for (const of of ['session', 'control'] as const) {
    const told = (when: 'idle' | 'flood', part: number): number =>
      median(runs.map((run) => quantile(run[when][of], part)))
    const figures = (['idle', 'flood'] as const)
      .flatMap((when) => [told(when, 0.5), told(when, 0.99)])
      .map(milliseconds)
    const difference = milliseconds(told('flood', 0.99) - told('idle', 0.99))
    const what = of === 'session' ? 'with a session' : 'without storage'
    console.log(
      `${name}, ${what}: idle p50 ${figures[0]}, p99 ${figures[1]}; flood p50 ${figures[2]}, p99 ${figures[3]} (${difference} more) ms`,
    )
  }
  console.log(
    `${name}, the first answer after the flood:`,
    runs.map(({ first }) => milliseconds(first)).join(', '),
    'ms',
  )
  for (const { answers } of runs) {
    console.log(`${name}, answers to the flood`, answers)
    expect(Object.keys(answers).filter((status) => !['200', '401', '429', '503'].includes(status))).toEqual([])
    expect(answers['401']).toBeGreaterThan(0)
  }
})
