/** The contract suite of machines on PostgreSQL and SQLite. */
import { afterAll, describe, expect, it } from 'vitest'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { machineContract } from '../../src/testing/contracts/machines/machine-contract.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

const NEW = { issuer: 'https://ci.test', name: 'deploy', orgId: null, role: 'member', permissions: null }

function testMachines({ machines, orgs }: Pick<ShippedStorage, 'machines' | 'orgs'>, ready: Promise<unknown>): void {
  const cases = machineContract.cases(async () => {
    await ready
    return {
      machines,
      newOrg: () => orgs.insert({ name: 'Acme' }),
      deleteOrg: (orgId) => orgs.remove(orgId),
    }
  })
  for (const { id, name, run } of cases) it(`${id}: ${name}`, run)

  it.each([
    ['a subject with NUL', { subject: 'a\0b' }, 'issuer and subject must be well-formed text'],
    ['an issuer that is too long', { issuer: 'x'.repeat(256) }, 'issuer and subject must be well-formed text'],
    ['a name with half a character', { name: '\ud800' }, 'the name of a machine is well-formed text'],
    ['a role that is too long', { role: 'r'.repeat(65) }, 'a role is a text of at most 64 characters'],
  ])('is not registered with %s: it would be another one', async (_, over, sentence) => {
    await ready
    await expect(machines.insert({ ...NEW, subject: crypto.randomUUID(), ...over })).rejects.toThrow(sentence)
  })
}

describe('machines on PostgreSQL', async () => {
  testMachines(createPostgresStorage({ pool: openPool(await createTestDatabase(), { max: 5 }) }), Promise.resolve())
})

describe.each(SQLITE_DRIVERS)('machines on SQLite by $name', ({ open }) => {
  const database = open(createSqlitePath())
  afterAll(() => void database.close())
  testMachines(createSqliteStorage({ database }), migrate({ database }))
})
