/** The contract suite of API keys on PostgreSQL and SQLite. */
import { afterAll, describe, it } from 'vitest'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { apiKeyContract } from '../../src/testing/contracts/api-key-contract.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

describe('PostgreSQL', async () => {
  const { apiKeys, orgs } = createPostgresStorage({ pool: openPool(await createTestDatabase(), { max: 5 }) })
  const cases = apiKeyContract(() => ({
    apiKeys,
    newOrg: () => orgs.insert({ name: 'Acme' }),
    deleteOrg: (orgId) => orgs.remove(orgId),
  }))
  for (const { id, name, run } of cases) it(`${id}: ${name}`, run)
})

describe.each(SQLITE_DRIVERS)('SQLite by $name', ({ open }) => {
  const database = open(createSqlitePath())
  afterAll(() => void database.close())
  const migrated = migrate({ database })
  const { apiKeys, orgs } = createSqliteStorage({ database })
  const cases = apiKeyContract(async () => {
    await migrated
    return {
      apiKeys,
      newOrg: () => orgs.insert({ name: 'Acme' }),
      deleteOrg: (orgId) => orgs.remove(orgId),
    }
  })
  for (const { id, name, run } of cases) it(`${id}: ${name}`, run)
})
