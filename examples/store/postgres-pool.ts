/**
 * The pool of an example's store. Nothing that is asked of it waits without end: not for a connection, not in the queue,
 * not for an answer, and not when the app ends.
 */
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { settingsError } from '../start/settings.ts'

const CONNECT_MS = 8000
const QUEUE_MS = 60_000
const STATEMENT_MS = 10_000
const ANSWER_MS = 12_000
const END_MS = 1000

// The pool's own limit counts the wait in its queue too, where a burst of requests is no failure.
class Client extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super({ ...(config as pg.ClientConfig), connectionTimeoutMillis: CONNECT_MS })
  }
}

/** Open a pool, and make sure that the database is there. What is wrong with the URL is one sentence. */
export async function openPool(connectionString: string): Promise<pg.Pool> {
  let pool: pg.Pool | undefined
  try {
    pool = new pg.Pool({
      connectionString,
      Client,
      max: 10,
      connectionTimeoutMillis: QUEUE_MS,
      statement_timeout: STATEMENT_MS,
      // A database that no longer answers can't say that it gave up.
      query_timeout: ANSWER_MS,
      keepAlive: true,
    })
    // An idle connection that is lost is replaced by the pool.
    pool.on('error', () => {})
    const client = await pool.connect()
    client.release()
    return pool
  } catch (error) {
    if (pool !== undefined) await endPool(pool)
    const { message, code } = error as NodeJS.ErrnoException
    throw settingsError(`DATABASE_URL: cannot open the database: ${message || code || 'unknown error'}`)
  }
}

/** End a pool: what is in flight gets a moment, then it is let go. */
export async function endPool(pool: pg.Pool): Promise<void> {
  await Promise.race([pool.end(), pause(END_MS, undefined, { ref: false })])
}
