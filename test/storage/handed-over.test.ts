/**
 * Whoever takes the last role of its kind from somebody to whom it is handed over just now has waited for that: it was seen
 * only who had the role before, so that the new and only holder lost it.
 */
import { describe, expect, it } from 'vitest'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import type { ShippedStorage, TransactionRepositories } from '../../src/storage/shipped-storage.ts'
import { until } from '../patience.ts'
import { createTestDatabase, isLockAwaited, openPool } from '../postgres.ts'

const KEEP = { keep: 'owner' }

type Membership = readonly [orgId: string, userId: string]

async function openStorage(membershipOn: 'rows' | 'user-row') {
  const pool = openPool(await createTestDatabase(), { max: 4 })
  const storage = createPostgresStorage({ pool, membershipOn }) as ShippedStorage
  /** Ask while a transaction is open that has handed over; it ends once that waits for it, or is done. */
  const askedMeanwhile = async <T>(
    handOver: (inside: TransactionRepositories) => Promise<unknown>,
    ask: () => Promise<T>,
  ): Promise<T> => {
    let asked: Promise<T> | undefined
    await storage.transaction(async (inside) => {
      await handOver(inside)
      let isDone = false
      asked = ask().finally(() => {
        isDone = true
      })
      await until(async () => isDone || (await isLockAwaited(pool)))
    })
    return (await asked) as T
  }
  return { storage, askedMeanwhile }
}

// By the order of their ids it is one of the two that is locked first: both are tried.
const ORDERS = [false, true]

describe.each(['rows', 'user-row'] as const)('memberships in %s', (membershipOn) => {
  const newPair = async ({ users, orgs, memberships }: ShippedStorage, isReversed: boolean) => {
    const { id: orgId } = await orgs.insert({ name: 'Acme' })
    const made = [crypto.randomUUID(), crypto.randomUUID()].map((subject) =>
      users.upsertByIdentity({ issuer: 'https://issuer.test', subject, email: null }),
    )
    const ids = (await Promise.all(made)).map(({ user }) => user.id).sort()
    const [owner = '', other = ''] = isReversed ? ids.reverse() : ids
    await memberships.insert({ orgId, userId: owner, role: 'owner' })
    await memberships.insert({ orgId, userId: other, role: 'admin' })
    return { owner: [orgId, owner], other: [orgId, other] } as { owner: Membership; other: Membership }
  }

  it.each(
    ORDERS.flatMap((isReversed) => [
      ['removed', isReversed],
      ['demoted', isReversed],
    ]) as ['removed' | 'demoted', boolean][],
  )('who has become the last owner meanwhile is not %s (the other way round: %s)', async (way, isReversed) => {
    const { storage, askedMeanwhile } = await openStorage(membershipOn)
    const { memberships } = storage
    const { owner, other } = await newPair(storage, isReversed)
    const change = await askedMeanwhile(
      async (inside) => {
        expect(await inside.memberships.setRole(...other, 'owner')).toBe('done')
        expect(await inside.memberships.remove(...owner, KEEP)).toBe('done')
      },
      () => (way === 'removed' ? memberships.remove(...other, KEEP) : memberships.setRole(...other, 'member', KEEP)),
    )
    expect(change).toBe('last')
    expect(await memberships.find(...other)).toMatchObject({ role: 'owner' })
  })

  it.each(ORDERS)(
    'who has become the only member meanwhile was none when it began (the other way round: %s)',
    async (isReversed) => {
      const { storage, askedMeanwhile } = await openStorage(membershipOn)
      const { memberships } = storage
      const { owner, other } = await newPair(storage, isReversed)
      expect(await memberships.remove(...other)).toBe('done')
      const change = await askedMeanwhile(
        async (inside) => {
          await inside.memberships.insert({ orgId: other[0], userId: other[1], role: 'owner' })
          expect(await inside.memberships.remove(...owner, KEEP)).toBe('done')
        },
        () => memberships.remove(...other, KEEP),
      )
      expect(change).toBe('missing')
      expect(await memberships.find(...other)).toMatchObject({ role: 'owner' })
    },
  )
})

it.each(
  ORDERS.flatMap((isReversed) => [
    ['deleted', isReversed],
    ['demoted', isReversed],
    ['disabled', isReversed],
  ]) as ['deleted' | 'demoted' | 'disabled', boolean][],
)('who has become the last admin meanwhile is not %s (the other way round: %s)', async (way, isReversed) => {
  const { storage, askedMeanwhile } = await openStorage('rows')
  const { accounts } = storage.accounts
  const made = ['a', 'b'].map((name) =>
    accounts.insert({ email: `${name}@example.test`, passwordHash: null, role: 'viewer', createdAt: new Date() }),
  )
  const ids = (await Promise.all(made)).map(({ id }) => id).sort()
  const [admin = '', other = ''] = isReversed ? ids.reverse() : ids
  await accounts.update(admin, { role: 'admin' })
  const keep = { keep: 'admin' }
  const change = await askedMeanwhile(
    async (inside) => {
      expect(await inside.accounts.update(other, { role: 'admin' })).toMatchObject({ kind: 'done' })
      expect(await inside.accounts.remove(admin, keep)).toBe('done')
    },
    async () => {
      if (way === 'deleted') return accounts.remove(other, keep)
      return (await accounts.update(other, way === 'demoted' ? { role: 'viewer' } : { disabled: true }, keep)).kind
    },
  )
  expect(change).toBe('last')
  expect(await accounts.findById(other)).toMatchObject({ role: 'admin', disabled: false })
})
