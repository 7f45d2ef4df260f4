/** Storages whose ids are integers as text, and whose people come from one issuer alone: the suites can be passed. */
import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { Invitation, InvitationRepository } from '../../src/storage/repositories.ts'
import type { StoredRepositories } from '../../src/storage/shipped-storage.ts'
import { accountContract } from '../../src/testing/contracts/accounts/account-contract.ts'
import { apiKeyContract } from '../../src/testing/contracts/api-keys/api-key-contract.ts'
import { runContract } from '../../src/testing/contracts/contract.ts'
import { storageContract } from '../../src/testing/contracts/storage-contract.ts'
import type { StorageUnderTest } from '../../src/testing/contracts/storage-world.ts'
import { PATIENCE_MS } from '../patience.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const ID_MEMBERS = ['id', 'orgId', 'userId', 'invitedBy', 'createdBy']

/** What a storage hands out with integers in place of its UUIDs, and the other way round. */
function integers() {
  const toInteger = new Map<string, string>()
  const toUuid = new Map<string, string>()
  // From 7 on, so that the order of the numbers is not that of the texts.
  const integerOf = (uuid: string): string => {
    const known = toInteger.get(uuid) ?? String(toInteger.size + 7)
    toInteger.set(uuid, known)
    toUuid.set(known, uuid)
    return known
  }
  const mapped = (value: unknown, map: (id: string) => string): unknown => {
    if (Array.isArray(value)) return value.map((each) => mapped(each, map))
    if (typeof value !== 'object' || value === null || value instanceof Date) return value
    const members = Object.entries(value).map(([key, member]) => [
      key,
      typeof member === 'string' && ID_MEMBERS.includes(key) ? map(member) : mapped(member, map),
    ])
    return Object.fromEntries(members)
  }
  const out = (value: unknown): unknown => mapped(value, (id) => (UUID.test(id) ? integerOf(id) : id))
  const back = (value: unknown): unknown =>
    typeof value === 'string' ? (toUuid.get(value) ?? value) : mapped(value, (id) => toUuid.get(id) ?? id)
  const wrap = <R extends object>(repository: R): R => {
    const methods = Object.entries(repository).map(([name, ask]) => [
      name,
      async (...given: unknown[]) => out(await (ask as (...given: unknown[]) => unknown)(...given.map(back))),
    ])
    return Object.fromEntries(methods) as R
  }
  return { wrap, back: (id: string): string => back(id) as string }
}

/** Invitations whose ids are numbers, in that order where they were made at one instant. */
function listedByNumber(invitations: InvitationRepository): InvitationRepository {
  const inOrder = (rows: readonly Invitation[]): readonly Invitation[] =>
    [...rows].sort((a, b) => +a.createdAt - +b.createdAt || Number(a.id) - Number(b.id))
  return {
    ...invitations,
    listByEmail: async (email, limit, liveAt) =>
      inOrder(await invitations.listByEmail(email, 10_000, liveAt)).slice(0, limit),
    listByOrg: async (orgId) => inOrder(await invitations.listByOrg(orgId)),
  }
}

/** Integer ids, and an issuer that nobody looks at. */
function integerStorage(): StorageUnderTest {
  let now = Date.now()
  const memory = createMemoryStorage({ clock: () => ++now, orgIds: 'host' })
  const { wrap, back } = integers()
  const repositories = ({ users, orgs, memberships, invitations, apiKeys }: StoredRepositories) => ({
    users: wrap({
      ...users,
      findByIdentity: (({ subject }, selection) =>
        users.findByIdentity({ issuer: 'x', subject }, selection)) satisfies typeof users.findByIdentity,
      upsertByIdentity: ((user) =>
        users.upsertByIdentity({ ...user, issuer: 'x' })) satisfies typeof users.upsertByIdentity,
      moveIdentity: ((from, to) =>
        users.moveIdentity({ ...from, issuer: 'x' }, { ...to, issuer: 'x' })) satisfies typeof users.moveIdentity,
      anonymize: ((userId, identity) =>
        users.anonymize(userId, identity && { ...identity, issuer: 'x' })) satisfies typeof users.anonymize,
    }),
    orgs: wrap(orgs),
    memberships: wrap(memberships),
    invitations: listedByNumber(wrap(invitations)),
    apiKeys: wrap(apiKeys),
  })
  return {
    storage: {
      ...repositories(memory),
      transaction: (work) => memory.transaction((inner) => work({ ...repositories(inner), handle: inner.handle })),
    },
    probe: {
      disableUser: (id) => memory.users.setDisabled(back(id), true),
      deleteOrg: (id) => memory.orgs.remove(back(id)),
    },
  }
}

const OPTIONS = {
  newId: () => String(2 ** 40 + Math.floor(Math.random() * 2 ** 40)),
  issuers: ['https://only.test'],
  timeoutSeconds: PATIENCE_MS / 1000,
  concurrency: 8,
} as const

const failed = (results: Awaited<ReturnType<typeof runContract>>): string[] =>
  results.flatMap(({ id, error }) => (error === null ? [] : [`${id}: ${error.message}`]))

describe('a storage with integer ids and one issuer', () => {
  it('passes the storage contract, when it says so', async () => {
    expect(failed(await runContract(storageContract, integerStorage, OPTIONS))).toEqual([])
  })

  it('fails where it promises identities of any issuer', async () => {
    const { issuers: _, ...options } = OPTIONS
    const ids = failed(await runContract(storageContract, integerStorage, options)).map((text) => text.split(':')[0])
    expect(ids).toEqual(
      expect.arrayContaining(['users/identity-is-the-pair', 'users/hostile-issuers', 'users/issuer-is-exact']),
    )
  })
})

describe('API keys beside integer user ids', () => {
  const make = () => {
    const { apiKeys, orgs } = createMemoryStorage()
    const insert: typeof apiKeys.insert = async (key) => {
      if (key.createdBy !== null && !/^\d{1,18}$/.test(key.createdBy))
        throw new Error('invalid input syntax for integer')
      return apiKeys.insert(key)
    }
    const newOrg = () => orgs.insert({ name: 'Acme' })
    return { apiKeys: { ...apiKeys, insert }, newOrg, deleteOrg: (id: string) => orgs.remove(id) }
  }

  it('pass the API key contract by the ids of their own kind, and not by UUIDs', async () => {
    expect(failed(await runContract(apiKeyContract, make, OPTIONS))).toEqual([])
    const { newId: _, ...options } = OPTIONS
    const ids = failed(await runContract(apiKeyContract, make, options)).map((text) => text.split(':')[0])
    expect(ids).toContain('api-keys/found-after-insert')
    expect(ids.filter((id) => !id?.includes('-created-by'))).toEqual(['api-keys/found-after-insert'])
  })
})

describe('accounts with integer ids', () => {
  const make = () => {
    const { accounts, sessions, transaction } = createMemoryStorage().accounts
    const { wrap } = integers()
    const wrapped = (inner: typeof accounts): typeof accounts => {
      const mapped = wrap(inner)
      const list: typeof accounts.list = async () =>
        [...(await mapped.list())].sort((a, b) => +a.createdAt - +b.createdAt || Number(a.id) - Number(b.id))
      return { ...mapped, list }
    }
    const work: typeof transaction = (run) => transaction((tx) => run({ ...tx, accounts: wrapped(tx.accounts) }))
    return { storage: { accounts: wrapped(accounts), sessions: wrap(sessions), transaction: work } }
  }

  it('pass the account contract, listed in the order of their numbers', async () => {
    expect(failed(await runContract(accountContract, make, OPTIONS))).toEqual([])
  })
})
