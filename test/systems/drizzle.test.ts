/** A storage over tables of one's own by Drizzle: the contract suites, and a first login with a hook. */
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { createProvisioner } from 'sallyport'
import { storageContract, testIdentity } from 'sallyport/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { createDrizzleStorage } from '../../examples/drizzle/storage.ts'
import { PATIENCE_MS } from '../patience.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { CONTRACT, probeOf, TABLES_SQL } from '../query-builders/own-tables.ts'
import { expectNamed } from '../query-builders/unique-email.ts'

const pool = openPool(await createTestDatabase('empty'), { max: 5 })
const storage = createDrizzleStorage(drizzle({ client: pool }))
beforeAll(() => pool.query(TABLES_SQL))

describe('the contract of what the pipeline asks', () => {
  const options = { ...CONTRACT, timeoutSeconds: PATIENCE_MS / 1000 }
  for (const { id, name, run } of storageContract.cases(() => ({ storage, probe: probeOf(pool) }), options)) {
    it.concurrent(`${id}: ${name}`, run)
  }
})

it('a constraint that makes e-mails unique is named', async () => {
  const strict = openPool(await createTestDatabase('empty'), { max: 5 })
  await strict.query(TABLES_SQL)
  await strict.query('ALTER TABLE users ADD UNIQUE (email)')
  await expectNamed(createDrizzleStorage(drizzle({ client: strict })), 'users_email_key')
})

it('a first login is made once, with what the hook writes in its transaction', async () => {
  const users = createProvisioner({
    storage,
    async bootstrap({ org, transaction: { handle } }) {
      await handle.execute(sql`UPDATE teams SET name = 'Team of ' || name WHERE id = ${Number(org?.id)}`)
    },
  })
  const comers = Array.from({ length: 20 }, () => users(testIdentity({ subject: 'ada' }), { kind: 'unnamed' }))
  expect(new Set((await Promise.all(comers)).map(({ user }) => user.id)).size).toBe(1)
  const found = await storage.users.findByIdentity(testIdentity({ subject: 'ada' }), { kind: 'unnamed' })
  expect(found?.membership).toMatchObject({ org: { name: expect.stringMatching(/^Team of /) }, role: 'owner' })
})
