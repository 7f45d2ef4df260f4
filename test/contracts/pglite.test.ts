import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { createPostgresStorage, migrate } from '../../src/storage/postgres.ts'
import { storageContract } from '../../src/testing/contracts/storage-contract.ts'
import type { StorageUnderTest } from '../../src/testing/contracts/storage-world.ts'
import { PATIENCE_MS } from '../patience.ts'
import { partOf, suiteOf } from './part-of.ts'

let database: PGlite

// PostgreSQL in this process: some seconds to start, and one connection for everybody.
beforeAll(async () => {
  database = await PGlite.create()
  await migrate({ pool: database })
})

afterAll(() => database.close())

function pglite(membershipOn: 'rows' | 'user-row'): StorageUnderTest {
  const storage = createPostgresStorage({ pool: database, membershipOn })
  return {
    storage,
    probe: {
      disableUser: (userId) => storage.users.setDisabled(userId, true),
      deleteOrg: (orgId) => storage.orgs.remove(orgId),
    },
  }
}

const timeoutSeconds = PATIENCE_MS / 1000

describe('PGlite, memberships in rows of their own', () => {
  for (const { id, name, run } of storageContract.cases(() => pglite('rows'), { timeoutSeconds }))
    it(`${id}: ${name}`, run)
})

describe('PGlite, memberships on the user row', () => {
  // What there differs from rows; the rest is asked of them.
  const differing = partOf(storageContract, (id) => ['orgs', 'memberships'].includes(suiteOf(id)))
  const cases = differing.cases(() => pglite('user-row'), { membershipsPerUser: 'one', timeoutSeconds })
  for (const { id, name, run } of cases) it(`${id}: ${name}`, run)
})
