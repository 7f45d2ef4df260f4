/** A storage that only the pipeline can ask (an `AuthStorage` and no more) under the contract suites, and broken ones of that kind. */
import { describe, expect, it } from 'vitest'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import { runContract } from '../../src/testing/contracts/contract.ts'
import {
  invitationContract,
  membershipContract,
  storageContract,
  transactionContract,
  userContract,
} from '../../src/testing/contracts/storage-contract.ts'
import type { StorageUnderTest } from '../../src/testing/contracts/storage-world.ts'
import { PATIENCE_MS } from '../patience.ts'
import { BROKEN_STORES } from '../support/broken-stores/broken-stores.ts'
import { partOf, suiteOf } from './part-of.ts'

type Repositories = Omit<AuthStorage, 'transaction'>

/** What the pipeline's port has, and nothing else. */
function portOf({ storage, probe }: StorageUnderTest): StorageUnderTest {
  const repositories = ({ users, orgs, memberships }: Repositories): Repositories => ({
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
  })
  const transaction: AuthStorage['transaction'] = (work) =>
    storage.transaction((inner) => work({ ...repositories(inner), handle: inner.handle }))
  return { probe, storage: { ...repositories(storage), transaction } }
}

/** A storage in memory, and how users are disabled and organizations deleted, which is no port's affair here. */
function memory(membershipOn: 'rows' | 'user-row'): StorageUnderTest & { readonly storage: MemoryStorage } {
  const storage = createMemoryStorage({ membershipOn })
  const disableUser = (id: string) => storage.users.setDisabled(id, true)
  return { storage, probe: { disableUser, deleteOrg: (id) => storage.orgs.remove(id) } }
}

const portOnly = (on: 'rows' | 'user-row'): StorageUnderTest => portOf(memory(on))

const PORTS = ['userAdmin', 'organizationAdmin', 'membershipAdmin', 'invitations', 'apiKeys', 'setEmail'] as const
const ofCases = { without: PORTS, timeoutSeconds: PATIENCE_MS / 1000 } as const
const options = { ...ofCases, concurrency: 8 } as const
const failed = (results: Awaited<ReturnType<typeof runContract>>): string[] =>
  results.flatMap(({ id, error }) => (error === null ? [] : [`${id}: ${error.message}`]))
const idsOf = (suite: typeof storageContract): string[] =>
  suite.cases(() => portOnly('rows'), ofCases).map(({ id }) => id)
const leftOut = (suite: typeof storageContract): string[] => suite.leftOut(ofCases).map(({ id }) => id)

describe('a storage that is an AuthStorage and no more', () => {
  it.each([
    ['many', 'rows'],
    ['one', 'user-row'],
  ] as const)(
    'passes the storage contract without the other ports: %s membership(s) per user',
    async (membershipsPerUser, on) => {
      const results = await runContract(storageContract, () => portOnly(on), { ...options, membershipsPerUser })
      expect(failed(results)).toEqual([])
    },
  )

  it('is asked of users, memberships and transactions what its port has, and nothing of invitations', () => {
    expect(leftOut(userContract).filter((id) => !/^users.(set|admin|anonymize|move)-?/.test(id))).toEqual([])
    expect(idsOf(membershipContract)).toEqual([
      'memberships/insert-race',
      'memberships/insert-twice',
      'memberships/several-orgs',
      'memberships/insert-unknown',
    ])
    expect(idsOf(invitationContract)).toEqual([])
    expect(idsOf(transactionContract)).toEqual([
      'transactions/value',
      'transactions/error',
      'transactions/own-writes',
      'transactions/committed',
      'transactions/unseen-outside',
      'transactions/goes-on',
      'transactions/nothing-left',
      'transactions/unseen-when-failed',
      'transactions/conflict',
      'transactions/caught-conflict',
      'transactions/first-login-race',
      'transactions/many-at-once',
      'transactions/caught-conflict-org',
    ])
    const why = 'needs a `MembershipAdmin`: members to find, to list, to change'
    expect(storageContract.leftOut(ofCases)).toContainEqual({ id: 'orgs/acting-now', why })
  })
})

/** A storage in memory that lacks the members of one port, in transactions too. */
function lacking(port: (typeof PORTS)[number]): StorageUnderTest {
  const { storage, probe } = memory('rows')
  const without = <R extends Repositories>({ ...repositories }: R): R => {
    if (port === 'invitations' || port === 'apiKeys') return { ...repositories, [port]: undefined }
    const [repository, members] = MEMBERS[port]
    const left = Object.entries(repositories[repository]).filter(([name]) => !members.includes(name))
    return { ...repositories, [repository]: Object.fromEntries(left) }
  }
  const transaction: AuthStorage['transaction'] = (work) => storage.transaction((inner) => work(without(inner)))
  return { probe, storage: { ...without(storage), transaction } }
}

const MEMBERS = {
  userAdmin: ['users', ['setDisabled', 'moveIdentity', 'anonymize']],
  organizationAdmin: ['orgs', ['findLocked', 'rename', 'remove']],
  membershipAdmin: ['memberships', ['find', 'listByOrg', 'setRole', 'remove']],
  setEmail: ['users', ['setEmail']],
} as const satisfies Record<string, readonly [keyof Repositories, readonly string[]]> as Record<
  Exclude<(typeof PORTS)[number], 'invitations' | 'apiKeys'>,
  readonly [keyof Repositories, readonly string[]]
>

describe.each(PORTS)('a storage without %s', (port) => {
  it.concurrent('passes the storage contract where it says so', async () => {
    const results = await runContract(storageContract, () => lacking(port), { ...options, without: [port] })
    expect(failed(results)).toEqual([])
  })

  it.concurrent('is told by each case that needs it to say so', async () => {
    const { without: _, ...others } = options
    const results = await runContract(storageContract, () => lacking(port), others)
    const needing = storageContract.leftOut({ ...ofCases, without: [port] }).map(({ id }) => id)
    const wrong = results.filter(({ error }) => error !== null)
    expect(wrong.map(({ id }) => id)).toEqual(needing.filter((id) => id !== 'memberships/one-per-user'))
    for (const { error } of wrong)
      expect(error?.message).toMatch(`got none; a storage that can't says without: ['${port}']`)
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
      const suites = new Set(breaks.map(suiteOf))
      const results = await runContract(
        partOf(storageContract, (id) => suites.has(suiteOf(id))),
        () => portOf(make()),
        { ...options, membershipsPerUser },
      )
      expect(failed(results).map((text) => text.split(':')[0])).toEqual(expect.arrayContaining([...breaks]))
    },
  )
})
