import { describe, it } from 'vitest'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { storageContract } from '../../src/testing/contracts/storage-contract.ts'
import type { StorageUnderTest } from '../../src/testing/contracts/storage-world.ts'
import { PATIENCE_MS } from '../patience.ts'
import { createTestDatabase, openPool } from '../postgres.ts'

// On a machine that is busy with other tests.
const timeoutSeconds = PATIENCE_MS / 1000

// One database and one small pool for all cases at once: they must not disturb each other.
const pool = openPool(await createTestDatabase(), { max: 5 })

function postgres(membershipOn: 'rows' | 'user-row'): StorageUnderTest {
  const storage = createPostgresStorage({ pool, membershipOn })
  return {
    storage,
    probe: {
      disableUser: (userId) => storage.users.setDisabled(userId, true),
      deleteOrg: (orgId) => storage.orgs.remove(orgId),
      countUsers: async ({ issuer, subject }) => {
        const text = 'SELECT count(*)::int AS count FROM users WHERE issuer = $1 AND subject = $2'
        return (await pool.query<{ count: number }>(text, [issuer, subject])).rows[0]?.count ?? -1
      },
    },
  }
}

describe('PostgreSQL, memberships in rows of their own', () => {
  for (const { id, name, run } of storageContract.cases(() => postgres('rows'), { timeoutSeconds }))
    it.concurrent(`${id}: ${name}`, run)
})

describe('PostgreSQL, memberships on the user row', () => {
  const cases = storageContract.cases(() => postgres('user-row'), { membershipsPerUser: 'one', timeoutSeconds })
  for (const { id, name, run } of cases) it.concurrent(`${id}: ${name}`, run)
})
