/** A storage that only the pipeline can ask (an `AuthStorage` and no more) under the contract suites, and broken ones of that kind. */
import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import { runContract } from '../../src/testing/contracts/contract.ts'
import {
  membershipContract,
  storageContract,
  transactionContract,
  userContract,
} from '../../src/testing/contracts/storage-contract.ts'
import type { StorageUnderTest } from '../../src/testing/contracts/storage-world.ts'
import { PATIENCE_MS } from '../patience.ts'
import { BROKEN_STORES } from '../support/broken-stores/broken-stores.ts'

/** What the pipeline's port has, and nothing else. */
function portOf({ storage, ...rest }: StorageUnderTest): StorageUnderTest {
  const repositories = ({ users, orgs, memberships, invitations }: Omit<AuthStorage, 'transaction'>) => ({
    users: {
      findByIdentity: users.findByIdentity,
      findById: users.findById,
      upsertByIdentity: users.upsertByIdentity,
    },
    orgs: { insert: orgs.insert, findById: orgs.findById },
    memberships: {
      findActing: memberships.findActing,
      listActing: memberships.listActing,
      insert: memberships.insert,
    },
    invitations: { findPending: invitations.findPending, consume: invitations.consume },
  })
  const transaction: AuthStorage['transaction'] = (work) =>
    storage.transaction((inner) => work({ ...repositories(inner), handle: inner.handle }))
  return { ...rest, storage: { ...repositories(storage), transaction } }
}

function portOnly(membershipOn: 'rows' | 'user-row'): StorageUnderTest {
  const storage = createMemoryStorage({ membershipOn })
  const disableUser = (id: string) => storage.users.setDisabled(id, true)
  return portOf({ storage, probe: { disableUser, deleteOrg: (id) => storage.orgs.remove(id) } })
}

const options = { without: ['admin'], timeoutSeconds: PATIENCE_MS / 1000, concurrency: 8 } as const
const failed = (results: Awaited<ReturnType<typeof runContract>>): string[] =>
  results.flatMap(({ id, error }) => (error === null ? [] : [`${id}: ${error.message}`]))
const { concurrency: _, ...ofCases } = options
const idsOf = (suite: typeof storageContract): string[] =>
  suite.cases(() => portOnly('rows'), ofCases).map(({ id }) => id)

describe('a storage that is an AuthStorage and no more', () => {
  it.each([
    ['many', 'rows'],
    ['one', 'user-row'],
  ] as const)(
    'passes the storage contract without what admins ask: %s membership(s) per user',
    async (membershipsPerUser, on) => {
      const results = await runContract(storageContract, () => portOnly(on), { ...options, membershipsPerUser })
      expect(failed(results)).toEqual([])
    },
  )

  it('is asked all of users, and of memberships and transactions what its port has', () => {
    expect(userContract.leftOut(ofCases)).toEqual([])
    expect(idsOf(membershipContract)).toEqual([
      'memberships/insert-race',
      'memberships/insert-twice',
      'memberships/several-orgs',
      'memberships/insert-unknown',
    ])
    expect(transactionContract.leftOut(ofCases).map(({ id }) => id)).toEqual([
      'transactions/nothing-changed',
      'transactions/consume-race',
      'transactions/keep-race',
      'transactions/deadlock',
    ])
    const why = 'needs what pages of admins ask: members to list and change, invitations to make'
    expect(storageContract.leftOut(ofCases)).toContainEqual({ id: 'orgs/acting-now', why })
  })

  it('is told by each case to say so', async () => {
    const [first, ...others] = await runContract(userContract, () => portOnly('rows'))
    expect(first?.error?.message).toContain('a storage that admins can ask, got none')
    expect(first?.error?.message).toContain("without: ['admin']")
    for (const { error } of others) expect(error?.message).toBe(first?.error?.message)
  })
})

describe('each broken store, as an AuthStorage', () => {
  const asked = new Set([...idsOf(storageContract), 'memberships/one-per-user'])
  const broken = BROKEN_STORES.map(({ breaks, ...store }) => ({
    ...store,
    breaks: breaks.filter((id) => asked.has(id)),
  }))

  it.each(broken.filter(({ breaks }) => breaks.length > 0))(
    'is caught by those of its cases that are left: $name',
    async (store) => {
      const { make, membershipsPerUser, breaks } = store
      const results = await runContract(storageContract, () => portOf(make()), { ...options, membershipsPerUser })
      expect(failed(results).map((text) => text.split(':')[0])).toEqual(expect.arrayContaining([...breaks]))
    },
  )
})
