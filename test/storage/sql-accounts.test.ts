/** The contract suites of local login on PostgreSQL and PGlite. */
import type { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe } from 'vitest'
import type { AccountStorage } from '../../src/storage/account-repositories.ts'
import * as postgres from '../../src/storage/postgres.ts'
import { type Make, testLoginContracts } from '../contracts/login-contract-cases.ts'
import { openPglite } from '../pglite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'

describe('PostgreSQL', async () => {
  const open = async (): Promise<AccountStorage> =>
    postgres.createPostgresStorage({ pool: openPool(await createTestDatabase(), { max: 5 }) }).accounts
  const shared = open()
  testLoginContracts(() => shared, open)
})

describe('PGlite', () => {
  let database: PGlite
  beforeAll(async () => {
    database = await openPglite()
    await postgres.migrate({ pool: database })
  })
  afterAll(() => database.close())
  const shared: Make = async () => postgres.createPostgresStorage({ pool: database }).accounts
  // One database for all: whoever needs one without a first admin forgets it.
  const fresh: Make = async () => {
    await database.query('DELETE FROM login_first_admin')
    return shared()
  }
  testLoginContracts(shared, fresh)
})
