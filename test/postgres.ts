/** What tests need of PostgreSQL: a database of their own, as a pool that is ended with the test file. */
import pg from 'pg'
import { inject } from 'vitest'
import { afterFile } from './after-file.ts'
import { askDesk } from './desk.ts'

/** Make a database, `migrated` by default or `empty`, and return its URL. It is gone when the run ends. */
export function createTestDatabase(kind: 'migrated' | 'empty' = 'migrated'): Promise<string> {
  return askDesk(inject('postgresDesk'), kind)
}

/** Open a pool that is ended after the tests of this file. */
export function openPool(connectionString: string, more: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString, ...more })
  pool.on('error', () => undefined)
  afterFile(() => pool.end())
  return pool
}

/** Whether a statement waits for a lock, in the database that is asked; the server has others. */
export async function isLockAwaited(client: Pick<pg.ClientBase, 'query'>): Promise<boolean> {
  const text = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
  return (await client.query(text)).rows.length > 0
}
