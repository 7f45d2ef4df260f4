/** Accounts, throttle and API keys on SQLite alone: no server is asked for. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { apiKeyContract } from '../../src/testing/contracts/api-keys/api-key-contract.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { type Make, testLoginContracts } from './login-contract-cases.ts'

describe.each(SQLITE_DRIVERS)('accounts and throttle on SQLite by $name', ({ open }) => {
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
  testLoginContracts(() => shared, make)
})

describe.each(SQLITE_DRIVERS)('API keys on SQLite by $name', ({ open }) => {
  const database = open(createSqlitePath())
  afterAll(() => void database.close())
  const migrated = migrate({ database })
  const { apiKeys, orgs } = createSqliteStorage({ database })
  const cases = apiKeyContract.cases(async () => {
    await migrated
    return {
      apiKeys,
      newOrg: () => orgs.insert({ name: 'Acme' }),
      deleteOrg: (orgId) => orgs.remove(orgId),
    }
  })
  for (const { id, name, run } of cases) it(`${id}: ${name}`, run)
})
