/**
 * 50 users × 100 parallel first requests through HTTP: four server processes on one PostgreSQL, one process on SQLite.
 * 5,000 answers 200; of everything one for each user; nothing on any stderr (P3, P8).
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { afterAll, expect, it } from 'vitest'
import { migrate } from '../../src/storage/sqlite.ts'
import { issuer } from '../pipeline/world.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { programOf } from '../program.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { HOST_TABLES } from './host-rows.ts'

const USERS = 50
const REQUESTS = 100
const TABLES = ['users', 'organizations', 'memberships', 'tenants', 'pipelines']

const agent = new Agent({ keepAlive: true, maxSockets: 500 })
const children: ChildProcess[] = []
afterAll(() => {
  agent.destroy()
  for (const child of children) child.kill()
})

interface Server {
  readonly port: number
  readonly errors: string[]
}

async function startServer(env: Readonly<Record<string, string>>): Promise<Server> {
  const child = fork(await programOf('test/storage/sql-server.ts'), {
    execArgv: ['--no-warnings'],
    env: { PATH: process.env['PATH'], ISSUER: issuer.issuer, AUDIENCE: issuer.audience, SECRET: issuer.secret, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  children.push(child)
  const errors: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  const [port] = (await once(child, 'message')) as [number]
  return { port, errors }
}

function ask(port: number, token: string): Promise<{ status: number; body: string }> {
  const headers = { authorization: `Bearer ${token}` }
  return new Promise((resolve, reject) => {
    get({ port, path: '/me', host: '127.0.0.1', agent, headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    }).on('error', reject)
  })
}

async function storm(servers: readonly Server[]): Promise<void> {
  const sign = (index: number): Promise<string> =>
    issuer.sign({ sub: `user-${index}`, email: `u${index}@example.test` })
  const tokens = await Promise.all(Array.from({ length: USERS }, (_, index) => sign(index)))
  const start = performance.now()
  const asked = Array.from({ length: USERS * REQUESTS }, (_, index) =>
    ask(servers[index % servers.length]?.port ?? 0, tokens[index % USERS] ?? ''),
  )
  const answers = await Promise.all(asked)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const statuses = answers.reduce<Record<number, number>>(
    (all, { status }) => Object.assign(all, { [status]: (all[status] ?? 0) + 1 }),
    {},
  )
  console.log(`${USERS} × ${REQUESTS}, ${servers.length} processes: ${seconds} s`, statuses)
  expect(statuses).toEqual({ 200: USERS * REQUESTS })
  // All answers of one user are the same: one user, one org, one role.
  expect(new Set(answers.map(({ body }) => body)).size).toBe(USERS)
  expect(servers.flatMap(({ errors }) => errors)).toEqual([])
}

it('PostgreSQL, four processes with pools of five', async () => {
  const url = await createTestDatabase()
  const pool = openPool(url, { max: 1 })
  for (const table of HOST_TABLES) await pool.query(table)
  await storm(await Promise.all([1, 2, 3, 4].map(() => startServer({ DATABASE_URL: url }))))
  const counts = await Promise.all(
    TABLES.map(async (table) => (await pool.query(`SELECT count(*)::int AS count FROM ${table}`)).rows[0]?.count),
  )
  console.log(TABLES.join(' · '), counts)
  expect(counts).toEqual(TABLES.map(() => USERS))
})

it.each(SQLITE_DRIVERS)('SQLite by $name, one process', async ({ name, open }) => {
  const path = createSqlitePath()
  const database = open(path)
  await migrate({ database })
  for (const table of HOST_TABLES) database.exec(table)
  await storm([await startServer({ DATABASE_URL: path, SQLITE_DRIVER: name })])
  const counts = TABLES.map((table) => {
    const [row] = database.prepare(`SELECT count(*) AS count FROM ${table}`).all() as { count: number }[]
    return row?.count
  })
  database.close()
  console.log(TABLES.join(' · '), counts)
  expect(counts).toEqual(TABLES.map(() => USERS))
})
