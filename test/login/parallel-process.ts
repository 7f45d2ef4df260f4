/**
 * A process that tries wrong passwords for one account, many at once, when it is told to: on a database or a Redis that it
 * shares with others, by a clock of its own. Hands back what it was answered.
 */
import pg from 'pg'
import { createClient } from 'redis'
import { createRedisThrottle } from '../../examples/recipes/redis-throttle.ts'
import type { AccountStorage } from '../../src/storage/account-repositories.ts'
import { createMemoryAccounts } from '../../src/storage/memory.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage } from '../../src/storage/sqlite.ts'
import { sqliteDriver } from '../storage/sqlite-drivers.ts'
import { createLoginWorld } from './login-world.ts'

/** What one process is told to do. */
export interface ParallelTask {
  /** `pg`, `redis`, or the name of a driver of SQLite. */
  readonly kind: string
  /** A URL or a path; for Redis what its client connects with, as JSON. */
  readonly where: string
  /** What all keys in Redis begin with. */
  readonly prefix: string
  readonly tries: number
  /** What its clock is ahead, in milliseconds. */
  readonly skew: number
}

/** What came of it. */
export interface ParallelAnswers {
  readonly statuses: readonly number[]
  readonly told: readonly string[]
  readonly hashed: number
}

export const PARALLEL_EMAIL = 'stranger@example.test'

async function open({ kind, where, prefix }: ParallelTask): Promise<AccountStorage> {
  if (kind === 'pg') return createPostgresStorage({ pool: new pg.Pool({ connectionString: where, max: 8 }) }).accounts
  if (kind !== 'redis') return createSqliteStorage({ database: sqliteDriver(kind).open(where) }).accounts
  const client = await createClient(JSON.parse(where)).connect()
  return { ...createMemoryAccounts(), throttle: createRedisThrottle(client as never, { prefix }) }
}

/** Try so many wrong passwords at once. */
export async function tryWrongPasswords(
  storage: AccountStorage,
  tries: number,
  skew: number,
): Promise<ParallelAnswers> {
  const { call, calls } = createLoginWorld({ storage, clock: () => Date.now() + skew })
  const body = { email: PARALLEL_EMAIL, password: 'not the right one' }
  // Each from an address of its own, of which every process has others.
  const address = (index: number): string => `10.${(skew / 1000) & 255}.0.${index}`
  const answers = await Promise.all(
    Array.from({ length: tries }, (_, index) => call('POST', '/auth/login', { body, address: address(index) })),
  )
  return {
    statuses: answers.map(({ status }) => status),
    told: answers.flatMap(({ headers }) => headers.flatMap(([name, value]) => (name === 'Retry-After' ? [value] : []))),
    hashed: calls.filter((each) => each === 'passwords.verify').length,
  }
}

const [given] = process.argv.slice(2)
if (process.send !== undefined && given !== undefined) {
  const task = JSON.parse(given) as ParallelTask
  const storage = await open(task)
  // Connected, and what it needs is there.
  await storage.throttle.update(['warm'], new Date(), (states) => ({ states, result: null }))
  process.once('message', async () => {
    const answers = await tryWrongPasswords(storage, task.tries, task.skew)
    process.send?.(answers, () => process.exit(0))
  })
  process.send('ready')
}
