import { describe, expect, it, vi } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'
import { accountContract } from '../../src/testing/contracts/accounts/account-contract.ts'
import { apiKeyContract } from '../../src/testing/contracts/api-keys/api-key-contract.ts'
import { type Contract, runContract } from '../../src/testing/contracts/contract.ts'
import { machineContract } from '../../src/testing/contracts/machines/machine-contract.ts'
import {
  invitationContract,
  membershipContract,
  orgContract,
  storageContract,
  transactionContract,
  userContract,
} from '../../src/testing/contracts/storage-contract.ts'
import type { StorageUnderTest } from '../../src/testing/contracts/storage-world.ts'
import { throttleContract } from '../../src/testing/contracts/throttle/throttle-contract.ts'
import { CASES_BY_REQUIREMENT } from './cases-by-requirement.ts'

const make = (): StorageUnderTest => ({ storage: createMemoryStorage() })
const caseOf = (id: string, maker: () => StorageUnderTest, options = {}): (() => Promise<void>) => {
  const found = storageContract.cases(maker, options).find((one) => one.id === id)
  if (found === undefined) throw new Error(`no case ${id}`)
  return found.run
}

describe('the list of cases', () => {
  it('has stable ids in the form suite/what, once each, and sentences with MUST', () => {
    const all = [...storageContract.cases(make), ...storageContract.cases(make, { membershipsPerUser: 'one' })]
    for (const { id, name } of all) {
      expect(id).toMatch(/^(users|orgs|memberships|invitations|transactions)\/[a-z]+(-[a-z]+)*$/)
      expect(name).toMatch(/^MUST /)
    }
    const ids = storageContract.cases(make).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('is the five suites, one after another', () => {
    const suites = [userContract, orgContract, membershipContract, invitationContract, transactionContract]
    expect(storageContract.cases(make).map(({ id }) => id)).toEqual(
      suites.flatMap((suite) => suite.cases(make).map(({ id }) => id)),
    )
  })

  it('has every case that a requirement is held by', () => {
    const idsOf = <Made>(suite: Contract<Made>): string[] =>
      suite.cases(() => Promise.reject(new Error('not run'))).map(({ id }) => id)
    const ids = idsOf(storageContract).concat(
      idsOf(apiKeyContract),
      idsOf(machineContract),
      idsOf(accountContract),
      idsOf(throttleContract),
    )
    for (const [requirement, cases] of Object.entries(CASES_BY_REQUIREMENT)) {
      expect(ids, requirement).toEqual(expect.arrayContaining([...cases]))
    }
  })

  it('leaves out by its options exactly what leftOut lists', () => {
    const whole = new Set(
      [...storageContract.cases(make), ...storageContract.cases(make, { membershipsPerUser: 'one' })].map(
        ({ id }) => id,
      ),
    )
    for (const options of [
      {},
      { membershipsPerUser: 'one' },
      { without: ['disableUser'] },
      { membershipsPerUser: 'one', without: ['disableUser', 'deleteOrg', 'deadlock'] },
      { issuers: ['https://only.test'] },
    ] as const) {
      const left = storageContract.leftOut(options).map(({ id }) => id)
      const run = storageContract.cases(make, options).map(({ id }) => id)
      expect(new Set([...left, ...run])).toEqual(whole)
      expect(left.length + run.length).toBe(whole.size)
    }
  })

  it('names what a storage with one membership per user is not asked', () => {
    expect(storageContract.leftOut({ membershipsPerUser: 'one' }).map(({ id }) => id)).toEqual([
      'orgs/deleted-is-not-first',
      'orgs/acting-role-per-org',
      'orgs/list-order',
      'orgs/list-ties',
      'orgs/list-limit',
      'orgs/selection-many',
      'memberships/several-orgs',
      'memberships/other-memberships',
    ])
    expect(storageContract.leftOut()).toEqual([
      { id: 'memberships/one-per-user', why: 'holds only where a user has at most one membership' },
    ])
  })

  it('names what a storage of one issuer, or of two, is not asked', () => {
    const anyIssuer = ['users/hostile-issuers', 'users/joined-pairs', 'users/issuer-is-exact', 'users/long-issuers']
    const left = (issuers: string[]) => storageContract.leftOut({ issuers }).map(({ id }) => id)
    expect(left(['https://one.test', 'https://two.test']).sort()).toEqual(
      ['memberships/one-per-user', ...anyIssuer].sort(),
    )
    expect(
      left(['https://one.test']).filter((id) => !left(['https://one.test', 'https://two.test']).includes(id)),
    ).toEqual(['users/identity-is-the-pair'])
  })

  it.each([
    [{ membershipPerUser: 'one' }, 'unknown option "membershipPerUser"'],
    [{ membershipsPerUser: 'few' }, 'must be one of "many", "one"'],
    [{ without: ['orgs'] }, 'must be one of "userAdmin", "organizationAdmin", "membershipAdmin"'],
    [{ roles: ['owner'] }, 'must name two roles'],
    [{ issuers: [] }, 'issuers'],
    [{ newId: '1' }, '"newId" must be a function'],
    [{ newOrgId: 'env_1' }, '"newOrgId" must be a function'],
    [{ timeoutSeconds: 0 }, 'must be a number from 1 to 600'],
  ])('refuses the options %j', (options, sentence) => {
    expect(() => storageContract.cases(make, options as never)).toThrow(sentence)
    expect(() => storageContract.cases(make, options as never)).toThrow(TypeError)
  })

  it('refuses a maker that is not a function', () => {
    expect(() => userContract.cases(createMemoryStorage() as never)).toThrow('userContract: make must be a function')
  })
})

describe('a case', () => {
  it('makes a storage of its own and closes it, once, also when it fails', async () => {
    const close = vi.fn()
    await caseOf('users/created-once', () => ({ ...make(), close }))()
    expect(close).toHaveBeenCalledTimes(1)
    const storage = { ...createMemoryStorage(), users: undefined } as never
    await expect(caseOf('users/created-once', () => ({ storage, close }))()).rejects.toThrow('expected no call')
    expect(close).toHaveBeenCalledTimes(2)
  })

  it('shows its own failure where closing fails too, and a failure to close where nothing else failed', async () => {
    const close = (): Promise<void> => Promise.reject(new Error('does not close'))
    await expect(caseOf('users/created-once', () => ({ ...make(), close }))()).rejects.toThrow('does not close')
    const storage = { ...createMemoryStorage(), users: undefined } as never
    await expect(caseOf('users/created-once', () => ({ storage, close }))()).rejects.toThrow('expected no call')
  })

  it('says of what the storage threw the code of its cause, and nothing else of it', async () => {
    const away = Object.assign(new Error('connect to hunter22'), { code: 'ECONNREFUSED' })
    const storage = createMemoryStorage()
    const insert = () => Promise.reject(new TransientError('not now', { cause: away }))
    const broken = { ...storage, orgs: { ...storage.orgs, insert } }
    await expect(caseOf('orgs/found-after-insert', () => ({ storage: broken }))()).rejects.toThrow(
      /^expected .*TransientError: not now \[ECONNREFUSED\]$/,
    )
  })

  it('asks for the probe it needs where there is no port for it, by name', async () => {
    const { users, orgs, ...storage } = createMemoryStorage()
    const [{ setDisabled: _, ...others }, { insert, findById }] = [users, orgs]
    const bare = (): StorageUnderTest => ({ storage: { ...storage, users: others, orgs: { insert, findById } } })
    await expect(caseOf('users/disabled-found', bare)()).rejects.toThrow("without: ['disableUser']")
    await expect(caseOf('orgs/deleted-is-gone', bare)()).rejects.toThrow("without: ['deleteOrg']")
  })

  it('counts the rows by the probe where there is one', async () => {
    const two = (): StorageUnderTest => ({ ...make(), probe: { countUsers: async () => 2 } })
    await expect(caseOf('users/upsert-race', two)()).rejects.toThrow('expected one row of this identity, got 2')
  })

  it('fails when the storage hangs', async () => {
    const storage = createMemoryStorage()
    const hung = { ...storage, orgs: { ...storage.orgs, insert: () => new Promise<never>(() => {}) } }
    const run = caseOf('orgs/found-after-insert', () => ({ storage: hung }), { timeoutSeconds: 1 })
    await expect(run()).rejects.toThrow('got a storage that still waits')
  })

  it('uses only the role names that the storage can hold', async () => {
    const seen = new Set<string>()
    const maker = (): StorageUnderTest => {
      const storage = createMemoryStorage()
      const insert: typeof storage.memberships.insert = (membership) => {
        seen.add(membership.role)
        return storage.memberships.insert(membership)
      }
      return { storage: { ...storage, memberships: { ...storage.memberships, insert } } }
    }
    const options = { roles: ['admin', 'viewer', 'editor'], without: ['disableUser', 'deleteOrg'] } as const
    const results = await runContract(storageContract, maker, { ...options, concurrency: 8 })
    expect(results.filter(({ error }) => error !== null)).toEqual([])
    expect([...seen].sort()).toEqual(['admin', 'editor', 'viewer'])
  })
})

describe('cases over one shared storage', () => {
  it('do not disturb each other, all at once', async () => {
    const storage = createMemoryStorage()
    const probe = {
      disableUser: (id: string) => storage.users.setDisabled(id, true),
      deleteOrg: (id: string) => storage.orgs.remove(id),
    }
    const run = () => runContract(storageContract, () => ({ storage, probe }), { concurrency: 1000 })
    const results = (await Promise.all([run(), run()])).flat()
    const ids = storageContract.cases(() => ({ storage, probe })).map(({ id }) => id)
    expect(results.map(({ id }) => id)).toEqual([...ids, ...ids])
    expect(results.filter(({ error }) => error !== null)).toEqual([])
  })
})

describe('runContract', () => {
  it('runs no more cases at once than it is told, and reports in order, failures as errors', async () => {
    let running = 0
    let most = 0
    const run = async (): Promise<void> => {
      running++
      most = Math.max(most, running)
      await new Promise((resolve) => setTimeout(resolve, 2))
      running--
    }
    const cases = Array.from({ length: 9 }, (_, index) => ({ id: `users/${index}`, name: 'MUST', run }))
    const failing = { id: 'users/failing', name: 'MUST', run: () => Promise.reject('a text') }
    const contract = { cases: () => [...cases, failing], leftOut: () => [] }
    const results = await runContract(contract, () => null, { concurrency: 3 })
    expect(most).toBe(3)
    expect(results.map(({ id }) => id)).toEqual([...cases.map(({ id }) => id), 'users/failing'])
    expect(results.at(-1)?.error).toEqual(new Error('a text'))
    expect(results.slice(0, -1).every(({ error }) => error === null)).toBe(true)
  })
})
