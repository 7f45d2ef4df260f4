/** The storage of PostgreSQL on PGlite, for the contract suites: one database, of one connection, for all cases of a file. */
import type { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll } from 'vitest'
import { createPostgresStorage, migrate } from '../../src/storage/postgres.ts'
import type { StorageUnderTest } from '../../src/testing/contracts/storage-world.ts'
import { openPglite } from '../pglite.ts'

/** Open a database before the tests of this file; what gives the storage on it. */
export function usePglite(): (membershipOn: 'rows' | 'user-row') => StorageUnderTest {
  let database: PGlite
  beforeAll(async () => {
    database = await openPglite()
    await migrate({ pool: database })
  })
  afterAll(() => database.close())
  return (membershipOn) => {
    const storage = createPostgresStorage({ pool: database, membershipOn })
    const probe = {
      disableUser: (userId: string) => storage.users.setDisabled(userId, true),
      deleteOrg: (orgId: string) => storage.orgs.remove(orgId),
    }
    return { storage, probe }
  }
}
