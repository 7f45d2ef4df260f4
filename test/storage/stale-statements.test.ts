/** A prepared statement that is gone, outdated or another's costs its caller nothing. */
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { createPostgresStorage, type PostgresStorage } from '../../src/storage/postgres.ts'
import { createTestDatabase, openPool } from '../postgres.ts'

const person = { issuer: 'https://issuer.test', subject: 'ada' }
const find = (storage: PostgresStorage<pg.PoolClient>): Promise<string | undefined> =>
  storage.users.findByIdentity(person, { kind: 'unnamed' }).then((found) => found?.user.subject)

/** A storage whose one connection has prepared what a look-up asks, and the statement's name. */
async function warmed(): Promise<{
  url: string
  pool: pg.Pool
  storage: PostgresStorage<pg.PoolClient>
  name: string
}> {
  const url = await createTestDatabase()
  const pool = openPool(url, { max: 1 })
  const storage = createPostgresStorage({ pool })
  await storage.users.upsertByIdentity({ ...person, email: null })
  expect(await find(storage)).toBe('ada')
  const { rows } = await pool.query<{ name: string }>('SELECT name FROM pg_prepared_statements')
  expect(rows).toHaveLength(1)
  return { url, pool, storage, name: rows[0]?.name ?? '' }
}

describe('a look-up by a prepared statement', () => {
  it('is answered where its connection has lost it', async () => {
    const { pool, storage } = await warmed()
    await pool.query('DEALLOCATE ALL')
    expect(await find(storage)).toBe('ada')
    expect(await find(storage)).toBe('ada')
  })

  it('is answered where its table has changed', async () => {
    const { pool, storage } = await warmed()
    await pool.query('ALTER TABLE users ALTER COLUMN email TYPE varchar(300)')
    expect(await find(storage)).toBe('ada')
  })

  it('is answered where a pooler’s connection has the name already', async () => {
    const { url, name } = await warmed()
    const pooler = openPool(url, { max: 1 })
    pooler.on('connect', (client) => void client.query(`PREPARE "${name}" AS SELECT 1`))
    expect(await find(createPostgresStorage({ pool: pooler }))).toBe('ada')
  })

  it('is not named inside a transaction, which an outdated one would take with it', async () => {
    const { pool, storage } = await warmed()
    await pool.query('ALTER TABLE users ALTER COLUMN email TYPE varchar(300)')
    const found = await storage.transaction(({ users }) => users.findByIdentity(person, { kind: 'unnamed' }))
    expect(found?.user.subject).toBe('ada')
  })
})
