import { describe, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { storageContract } from '../../src/testing/contracts/storage-contract.ts'
import type { StorageUnderTest } from '../../src/testing/contracts/storage-world.ts'

function memory(membershipOn: 'rows' | 'user-row'): StorageUnderTest {
  const storage = createMemoryStorage({ membershipOn })
  return {
    storage,
    probe: {
      disableUser: (userId) => storage.users.setDisabled(userId, true),
      deleteOrg: (orgId) => storage.orgs.remove(orgId),
      // Each case has a storage of its own, and this probe is asked where one identity was written.
      countUsers: () => storage.users.count(),
    },
  }
}

describe('the in-memory storage, memberships in rows of their own', () => {
  for (const { id, name, run } of storageContract.cases(() => memory('rows'))) it.concurrent(`${id}: ${name}`, run)
})

describe('the in-memory storage, memberships on the user row', () => {
  const cases = storageContract.cases(() => memory('user-row'), { membershipsPerUser: 'one' })
  for (const { id, name, run } of cases) it.concurrent(`${id}: ${name}`, run)
})
