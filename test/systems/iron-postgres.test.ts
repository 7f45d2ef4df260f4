/** Iron on PostgreSQL, as a process: the same tour as on its SQLite file, then what only the database can show. */
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IRON } from '../../examples/demo/tour-iron.ts'
import type { World } from '../../examples/demo/world.ts'
import { openProxy } from '../frozen-proxy.ts'
import { PATIENCE_MS, until } from '../patience.ts'
import { createTestDatabase, isLockAwaited, openPool } from '../postgres.ts'
import { openWorldOf, runToEnd, startProcess } from './app-process.ts'
import { storm } from './iron-storm.ts'
import { runChapters } from './run-chapters.ts'

const IRON_MAIN = ['examples/iron-crm/main.ts']
const databases: Record<string, string> = {}
let world: World
let pool: pg.Pool
beforeAll(async () => {
  for (const system of ['iron', 'iron without seam']) databases[system] = await createTestDatabase('empty')
  world = await openWorldOf(Object.keys(databases), {
    storeOf: (system) => ({ DATABASE_URL: databases[system] ?? '' }),
  })
  pool = openPool(databases['iron'] ?? '', { max: 2 })
})
afterAll(() => world.close())

describe('the contract', () => runChapters(IRON, () => world))

it('is in the database: one tenant and one pipeline of each organization that a first login made', async () => {
  const text = `SELECT (SELECT count(*)::int FROM organizations) AS orgs, (SELECT count(*)::int FROM tenants) AS tenants,
    (SELECT count(*)::int FROM pipelines) AS pipelines,
    (SELECT count(*)::int FROM organizations o LEFT JOIN tenants t ON t.org_id = o.id WHERE t.id IS NULL) AS without`
  const [row] = (await pool.query<Record<'orgs' | 'tenants' | 'pipelines' | 'without', number>>(text)).rows
  expect(row?.orgs).toBeGreaterThan(3)
  expect(row).toEqual({ orgs: row?.orgs, tenants: row?.orgs, pipelines: row?.orgs, without: 0 })
})

it('leaves no transaction open between requests', async () => {
  const text = `SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'`
  await expect.poll(async () => (await pool.query(text)).rows, { timeout: PATIENCE_MS }).toEqual([{ count: 0 }])
})

it('four processes of it start at once on one empty database, and 600 first requests of 12 people make 12 users', async () => {
  await storm(world, { people: 12, requests: 50 })
})

describe('told to end while a request hangs, it ends', () => {
  it('on a lock that somebody else holds', async () => {
    const DATABASE_URL = await createTestDatabase('empty')
    const app = await startProcess(IRON_MAIN, { ...world.environmentOf('iron'), DATABASE_URL })
    const locker = await openPool(DATABASE_URL, { max: 1 }).connect()
    await locker.query('BEGIN; LOCK TABLE contacts')
    const asked = ask(`${app.url}/api/v1/contacts`)
    await until(() => isLockAwaited(locker))
    const { code, stderr } = await app.end()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    await asked
    locker.release(true)
  })

  it('on a database that no longer answers', async () => {
    const proxy = await openProxy(await createTestDatabase('empty'))
    const app = await startProcess(IRON_MAIN, { ...world.environmentOf('iron'), DATABASE_URL: proxy.url })
    expect(await ask(`${app.url}/api/v1/me`)).toBe(200)
    proxy.freeze()
    const asked = ask(`${app.url}/api/v1/me`)
    const { code, stderr } = await app.end()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    await asked
    proxy.close()
  })

  /** Ask as somebody; the status, or that the connection was cut. */
  async function ask(url: string): Promise<number | 'cut'> {
    const headers = { authorization: `Bearer ${await world.token('iron', 'ada')}` }
    return fetch(url, { headers }).then(
      ({ status }) => status,
      () => 'cut' as const,
    )
  }
})

it.each([
  ['no URL of a PostgreSQL', 'mysql://x/y', 'DATABASE_URL must be a URL postgres://…'],
  [
    'nobody there',
    'postgres://127.0.0.1:1/x',
    'DATABASE_URL: cannot open the database: connect ECONNREFUSED 127.0.0.1:1',
  ],
])('refuses to start where DATABASE_URL is %s: one sentence, no stack, exit code 1', async (_name, url, sentence) => {
  const ending = await runToEnd(IRON_MAIN, { ...world.environmentOf('iron'), DATABASE_URL: url })
  expect(ending).toEqual({ code: 1, stdout: '', stderr: `iron-crm: ${sentence}\n` })
})
