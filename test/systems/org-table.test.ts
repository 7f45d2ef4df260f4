/** The examples' own tables: nothing of a transaction that failed, nothing of another organization. */
import { createProvisioner, type Identity } from 'sallyport'
import { createMemoryStorage } from 'sallyport/memory'
import { testIdentity } from 'sallyport/testing'
import { describe, expect, it } from 'vitest'
import { createOrgTable, orgRow, withTables } from '../../examples/tables/org-table.ts'

describe('a first login whose hook writes the host’s own rows', () => {
  it.each([0, 1, 2])(
    'leaves nothing where it fails after %i of them, and everything once it does not',
    async (survived) => {
      const storage = withTables(createMemoryStorage())
      const [tenants, pipelines] = [createOrgTable(), createOrgTable()]
      let failing = true
      const users = createProvisioner({
        storage,
        bootstrap({ org, transaction }) {
          const orgId = org?.id ?? ''
          const steps = [tenants, pipelines]
          for (const [done, table] of steps.entries()) {
            if (failing && done === survived) throw new Error('the process is in trouble')
            transaction.handle.insert(table, orgRow(orgId, 'x'))
          }
          if (failing) throw new Error('the process is in trouble')
        },
      })
      const counts = async (): Promise<readonly number[]> => {
        const found = await storage.users.findByIdentity(IDENTITY, { kind: 'unnamed' })
        const orgId = found?.membership?.org.id ?? ''
        return [
          await storage.users.count(),
          await storage.orgs.count(),
          tenants.list(orgId).length,
          pipelines.list(orgId).length,
        ]
      }
      await expect(users(IDENTITY, { kind: 'unnamed' })).rejects.toThrow('in trouble')
      expect(await counts()).toEqual([0, 0, 0, 0])
      failing = false
      await users(IDENTITY, { kind: 'unnamed' })
      expect(await counts()).toEqual([1, 1, 1, 1])
    },
  )
})

const IDENTITY: Identity<never> = testIdentity()

it('finds, lists and removes rows of the organization asked for, and of no other', () => {
  const table = createOrgTable()
  const rows = ['a', 'b'].map((name) => orgRow('one', name))
  for (const row of rows) table.insert(row)
  const [first] = rows as [ReturnType<typeof orgRow>]
  expect(table.list('one')).toEqual(rows)
  expect([table.list('two'), table.find('two', first.id), table.remove('two', first.id)]).toEqual([[], null, false])
  expect(table.find('one', first.id)).toEqual(first)
  expect([table.remove('one', first.id), table.remove('one', first.id)]).toEqual([true, false])
})
