/** The contract of a storage over shipped ones where ids of organizations are the host's. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import * as postgres from '../../src/storage/postgres.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import * as sqlite from '../../src/storage/sqlite.ts'
import { storageContract } from '../../src/testing/contracts/storage-contract.ts'
import type { StorageUnderTest } from '../../src/testing/contracts/storage-world.ts'
import { PATIENCE_MS } from '../patience.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS, type SqliteDriver } from '../sqlite.ts'

const [{ open }] = SQLITE_DRIVERS as [SqliteDriver, ...SqliteDriver[]]
const database = open(createSqlitePath())
const pool = openPool(await createTestDatabase('empty'), { max: 5 })
beforeAll(async () => {
  await postgres.migrate({ pool, orgIds: 'host' })
  await sqlite.migrate({ database, orgIds: 'host' })
})
afterAll(() => void database.close())

function under(storage: ShippedStorage): StorageUnderTest {
  return { storage, probe: { deleteOrg: (orgId) => storage.orgs.remove(orgId) } }
}

// One that leaves all ids to the host.
function makingNone(storage: ShippedStorage): ShippedStorage {
  const orgsOf = (orgs: ShippedStorage['orgs']): ShippedStorage['orgs'] => ({
    ...orgs,
    async insert(org) {
      if (org.id === undefined) throw new TypeError('an organization needs an id')
      return orgs.insert(org)
    },
  })
  return {
    ...storage,
    orgs: orgsOf(storage.orgs),
    transaction: (work) => storage.transaction((inner) => work({ ...inner, orgs: orgsOf(inner.orgs) })),
  }
}

// Both places of memberships, once each; all of their columns are asked in `test/storage/org-ids.test.ts`.
const STORES: readonly (readonly [string, 'many' | 'one', () => ShippedStorage])[] = [
  ['memory that makes none', 'many', () => makingNone(createMemoryStorage({ orgIds: 'host' }))],
  ['PostgreSQL', 'many', () => postgres.createPostgresStorage({ pool, orgIds: 'host' })],
  ['SQLite', 'one', () => sqlite.createSqliteStorage({ database, orgIds: 'host', membershipOn: 'user-row' })],
]

describe.each(STORES)("%s where ids of organizations are the host's", (_, membershipsPerUser, make) => {
  // Of upper and lower case, and shorter than a UUID.
  const newOrgId = (): string => `Env_${crypto.randomUUID().slice(9)}`
  const options = { newOrgId, membershipsPerUser, timeoutSeconds: PATIENCE_MS / 1000 }
  for (const { id, name, run } of storageContract.cases(() => under(make()), options))
    it.concurrent(`${id}: ${name}`, run)
})
