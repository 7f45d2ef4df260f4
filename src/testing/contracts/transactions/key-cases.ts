/** Cases of the transaction contract: nobody makes an API key of an organization that they are being removed from. */
import { newKeyOf } from '../api-keys/api-key-world.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { idsOf, RACERS, race, retried } from '../races.ts'
import type { Repositories, World } from '../storage-world.ts'

const AT = new Date('2026-11-21T10:00:00.000Z')

/** How somebody goes, within the transaction in which the keys they made end. */
type Going = (inner: Repositories, who: { readonly orgId: string; readonly userId: string }) => Promise<unknown>

// One goes while others make keys in their name: afterwards none of these is alive.
async function expectNoneAlive(world: World, go: Going): Promise<void> {
  const { storage, newMember, transaction } = world
  const { insertByMember } = storage.apiKeys
  if (insertByMember === undefined) return
  for (let round = 0; round < 5; round++) {
    const { orgId, userId } = await newMember()
    const results = await race(RACERS, async (index) => {
      if (index !== RACERS / 2) return retried(() => insertByMember(newKeyOf(orgId, { createdBy: userId })))
      await transaction(async (inner) => {
        await go(inner, { orgId, userId })
        await inner.apiKeys.revokeCreatedBy({ kind: 'org', orgId }, userId, AT)
      })
      return null
    })
    expect.allFulfilled(results, 'call')
    expect.same(idsOf(await storage.apiKeys.list({ kind: 'org', orgId })), [], 'the living keys of who is gone')
    expect.absent(await insertByMember(newKeyOf(orgId, { createdBy: userId })), 'a key that they made later')
  }
}

export const KEY_CASES: Cases<World> = needing('apiKeys', [
  test('transactions/key-by-member: insert a key by `insertByMember`, where there is one, for an enabled member alone; else null, and nothing is written', async (world: World) => {
    const { storage, newMember, newOrg, newUser, newId, disableUser } = world
    const { apiKeys } = storage
    if (apiKeys.insertByMember === undefined) return
    const { orgId, userId } = await newMember()
    const key = newKeyOf(orgId, { createdBy: userId })
    const untouched = { previousSecretHash: null, previousUntil: null, revokedAt: null, lastUsedAt: null }
    expect.same(await apiKeys.insertByMember(key), { ...key, ...untouched }, 'the key of a member')
    expect.same(await apiKeys.findById(key.id), { ...key, ...untouched }, 'the same, found by id')
    await expect.conflict(apiKeys.insertByMember(key), 'a second key of one id')
    const [another, disabled] = [await newMember(), await newMember({ orgId })]
    await disableUser(disabled.userId)
    const strangers = [another.userId, disabled.userId, (await newUser()).id, newId(), ...expect.hostileIds(userId)]
    const refused = [
      ...strangers.map((createdBy) => newKeyOf(orgId, { createdBy })),
      newKeyOf(orgId, { createdBy: null }),
      newKeyOf(null, { createdBy: userId }),
      newKeyOf((await newOrg()).id, { createdBy: userId }),
      newKeyOf(newId(), { createdBy: userId }),
    ]
    for (const each of refused) {
      expect.absent(await apiKeys.insertByMember(each), `a key of ${each.createdBy} for ${each.orgId}`)
      expect.absent(await apiKeys.findById(each.id), 'the same, found by id')
    }
  }).needing('disableUser'),
  test(`transactions/key-of-removed: leave no key alive of somebody whose membership ends while ${RACERS} keys are made in their name by \`insertByMember\``, (world: World) =>
    expectNoneAlive(world, ({ memberships }, { orgId, userId }) => memberships.remove(orgId, userId))).needing(
    'membershipAdmin',
  ),
  test(`transactions/key-of-disabled: the same of somebody who is disabled`, (world: World) =>
    expectNoneAlive(world, ({ users }, { userId }) => users.setDisabled(userId, true))).needing('userAdmin'),
])
