import { afterAll, describe, it } from 'vitest'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { storageContract } from '../../src/testing/contracts/storage-contract.ts'
import type { StorageUnderTest } from '../../src/testing/contracts/storage-world.ts'
import { PATIENCE_MS } from '../patience.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

// On a machine that is busy with other tests.
const timeoutSeconds = PATIENCE_MS / 1000

describe.each(SQLITE_DRIVERS)('SQLite by $name', ({ open }) => {
  const database = open(createSqlitePath())
  afterAll(() => void database.close())
  const migrated = migrate({ database })

  const sqlite = async (membershipOn: 'rows' | 'user-row'): Promise<StorageUnderTest> => {
    await migrated
    const storage = createSqliteStorage({ database, membershipOn })
    return {
      storage,
      probe: {
        disableUser: (userId) => storage.users.setDisabled(userId, true),
        deleteOrg: (orgId) => storage.orgs.remove(orgId),
        countUsers: ({ issuer, subject }) =>
          storage.exclusive((handle) => {
            const text = 'SELECT id FROM users WHERE issuer = ? AND subject = ?'
            return handle.prepare(text).all(issuer, subject).length
          }),
      },
    }
  }

  describe('memberships in rows of their own', () => {
    for (const { id, name, run } of storageContract.cases(() => sqlite('rows'), { timeoutSeconds }))
      it.concurrent(`${id}: ${name}`, run)
  })

  describe('memberships on the user row', () => {
    const cases = storageContract.cases(() => sqlite('user-row'), { membershipsPerUser: 'one', timeoutSeconds })
    for (const { id, name, run } of cases) it.concurrent(`${id}: ${name}`, run)
  })
})
