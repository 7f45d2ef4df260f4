/** The contract suites of local login on PostgreSQL, PGlite and SQLite. */
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { AccountStorage } from '../../src/storage/account-repositories.ts'
import * as postgres from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { accountContract } from '../../src/testing/contracts/account-contract.ts'
import { throttleContract } from '../../src/testing/contracts/throttle-contract.ts'
import { PATIENCE_MS } from '../patience.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

type Make = () => Promise<AccountStorage & { close?(): unknown }>

/** All cases on one storage, and those about the first admin on one each. */
function contract(shared: Make, fresh: Make): void {
  const timeoutSeconds = PATIENCE_MS / 1000
  const options = { fresh: false, timeoutSeconds }
  const cases = accountContract(async () => ({ storage: await shared() }), options)
  for (const { id, name, run } of cases) it(`${id}: ${name}`, run)
  const sharable = new Set(cases.map(({ id }) => id))
  const alone = accountContract(
    async () => {
      const { close, ...storage } = await fresh()
      return { storage, close: async () => close?.() }
    },
    { timeoutSeconds },
  )
  for (const { id, name, run } of alone) if (!sharable.has(id)) it(`${id}: ${name}`, run)
  const throttle = throttleContract(async () => ({ throttle: (await shared()).throttle }), { timeoutSeconds })
  for (const { id, name, run } of throttle) it(`${id}: ${name}`, run)
}

describe('PostgreSQL', async () => {
  const open = async (): Promise<AccountStorage> =>
    postgres.createPostgresStorage({ pool: openPool(await createTestDatabase(), { max: 5 }) }).accounts
  const shared = open()
  contract(() => shared, open)
})

describe.each(SQLITE_DRIVERS)('SQLite by $name', ({ open }) => {
  const make: Make = async () => {
    const database = open(createSqlitePath())
    await migrate({ database })
    return { ...createSqliteStorage({ database }).accounts, close: () => database.close() }
  }
  let shared: ReturnType<Make>
  beforeAll(() => {
    shared = make()
  })
  afterAll(async () => (await shared).close?.())
  contract(() => shared, make)
})

describe('PGlite', () => {
  let database: PGlite
  beforeAll(async () => {
    database = await PGlite.create()
    await postgres.migrate({ pool: database })
  })
  afterAll(() => database.close())
  const shared: Make = async () => postgres.createPostgresStorage({ pool: database }).accounts
  // One database for all: whoever needs one without a first admin forgets it.
  const fresh: Make = async () => {
    await database.query('DELETE FROM login_first_admin')
    return shared()
  }
  contract(shared, fresh)
})
