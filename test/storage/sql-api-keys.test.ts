/** The contract suite of API keys on PostgreSQL. */
import { describe, it } from 'vitest'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { apiKeyContract } from '../../src/testing/contracts/api-keys/api-key-contract.ts'
import { createTestDatabase, openPool } from '../postgres.ts'

describe('PostgreSQL', async () => {
  const { apiKeys, orgs } = createPostgresStorage({ pool: openPool(await createTestDatabase(), { max: 5 }) })
  const cases = apiKeyContract.cases(() => ({
    apiKeys,
    newOrg: () => orgs.insert({ name: 'Acme' }),
    deleteOrg: (orgId) => orgs.remove(orgId),
  }))
  for (const { id, name, run } of cases) it(`${id}: ${name}`, run)
})
