/** What an operator did was committed, and the answer did not come: it is told as it was done, once, and nobody is unknown for it. */
import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import { TransientError } from '../../src/storage/storage-errors.ts'
import { createUserAdminWorld, ISSUER, invite } from './user-admin-world.ts'

const UNHEARD = ['committed', 'undone'] as const

/** A storage the answer to whose next COMMIT does not come once it is told so, whatever became of the transaction. */
function unheard(storage: ShippedStorage) {
  let next: (typeof UNHEARD)[number] | null = null
  const transaction: ShippedStorage['transaction'] = async (work) => {
    const fate = next
    next = null
    if (fate === null) return storage.transaction(work)
    await storage
      .transaction(async (inside) => {
        await work(inside)
        if (fate === 'undone') throw new Error('undone')
      })
      .catch((error: Error) => {
        if (error.message !== 'undone') throw error
      })
    throw new TransientError('no answer')
  }
  const lose = (fate: (typeof UNHEARD)[number]): void => {
    next = fate
  }
  return { storage: { ...storage, transaction }, lose }
}

async function createWorld() {
  const { storage, lose } = unheard(createMemoryStorage() as ShippedStorage)
  const world = createUserAdminWorld(storage)
  const [ada, bob] = [await world.user('ada'), await world.user('bob')]
  const own = await world.org('Own', [ada, 'owner'])
  const shared = await world.org('Acme', [bob, 'owner'], [ada, 'member'])
  await invite(world, shared.id, 'eve@example.test', ada.id)
  await world.key('AdaKeyShared', ada.id, shared.id)
  await world.account('root@example.test', 'owner')
  const account = await world.account('ada@example.test')
  return { ...world, lose, ada, own, shared, account }
}

describe.each(UNHEARD)('a change whose COMMIT is not answered and was %s', (fate) => {
  it('ends the keys that are told with who is disabled', async () => {
    const { admin, events, lose, ada } = await createWorld()
    lose(fate)
    expect(await admin.disable(ada.id, { endApiKeys: true })).toMatchObject({ id: ada.id, disabled: true })
    expect(events).toMatchObject([{ kind: 'user_disabled', endedKeyIds: ['AdaKeyShared'] }])
  })

  it('moves an identity once', async () => {
    const { admin, events, lose, ada } = await createWorld()
    const [from, to] = [
      { issuer: ISSUER, subject: 'ada' },
      { issuer: ISSUER, subject: 'ada-2' },
    ]
    lose(fate)
    expect(await admin.moveIdentity(from, to, { operator: 'olga' })).toMatchObject({ id: ada.id, subject: 'ada-2' })
    expect(events).toMatchObject([{ kind: 'identity_moved', userId: ada.id, from, to }])
  })

  it('erases somebody, and says all that went; the hook is told of them as they were', async () => {
    const { admin, events, lose, ada, own, shared, account } = await createWorld()
    const seen: unknown[] = []
    lose(fate)
    const erased = await admin.erase(ada.id, {
      ...{ identity: 'freed', emptyOrgs: 'remove', account: account.id },
      within: ({ user, account, removedOrgs }) =>
        seen.push([user?.email, account?.email, removedOrgs.map(({ id }) => id)]),
    })
    expect(erased).toMatchObject({ userId: ada.id, accountId: account.id, invitations: 1 })
    expect(erased.endedKeyIds).toEqual(['AdaKeyShared'])
    expect(Object.fromEntries(erased.orgs.map(({ orgId, fate: left }) => [orgId, left]))).toEqual({
      [own.id]: 'removed',
      [shared.id]: 'left',
    })
    expect(seen).toEqual(Array(2).fill([ada.email, account.email, [own.id]]))
    expect(events).toEqual([{ kind: 'user_erased', at: expect.any(Date), ...erased }])
  })

  it('erases a local account alone', async () => {
    const { admin, storage, events, lose, account } = await createWorld()
    lose(fate)
    expect(await admin.eraseAccount(account.id)).toMatchObject({ accountId: account.id })
    expect(await storage.accounts.accounts.findById(account.id)).toBeNull()
    expect(events).toHaveLength(1)
  })
})
