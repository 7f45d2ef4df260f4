/** Cases of the transaction contract: nobody makes an API key while they are removed or disabled. */
import type { ApiKeyOwner } from '../../../storage/repositories.ts'
import { INSTALLATION, newKeyOf } from '../api-keys/api-key-world.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { idsOf, RACERS, race, retried } from '../races.ts'
import type { Repositories, World } from '../storage-world.ts'

const AT = new Date('2026-11-21T10:00:00.000Z')
const UNTOUCHED = { previousSecretHash: null, previousUntil: null, revokedAt: null, lastUsedAt: null }

interface Maker {
  readonly orgId: string
  readonly userId: string
}

/** Whose the keys are, and how their maker goes, within the transaction in which these end. */
interface Going {
  ownerOf(maker: Maker): ApiKeyOwner
  go(inner: Repositories, maker: Maker): Promise<unknown>
}

// One goes while others make keys in their name: afterwards none of these is alive.
async function expectNoneAlive(world: World, { ownerOf, go }: Going): Promise<void> {
  const { storage, newMember, transaction } = world
  const { insertByMaker } = storage.apiKeys
  if (insertByMaker === undefined) return
  for (let round = 0; round < 5; round++) {
    const maker = await newMember()
    const { orgId, userId } = maker
    const owner = ownerOf(maker)
    const insert = () => insertByMaker(owner, newKeyOf(orgId, { createdBy: userId }))
    const results = await race(RACERS, async (index) => {
      if (index !== RACERS / 2) return retried(insert)
      await transaction(async (inner) => {
        await go(inner, maker)
        await inner.apiKeys.revokeCreatedBy(owner, userId, AT)
      })
      return null
    })
    expect.allFulfilled(results, 'call')
    expect.same(idsOf(await storage.apiKeys.list({ kind: 'org', orgId })), [], 'the living keys of who is gone')
    expect.absent(await insert(), 'a key that they made later')
  }
}

const ofOrg = ({ orgId }: Pick<Maker, 'orgId'>): ApiKeyOwner => ({ kind: 'org', orgId })

async function expectOfMembers({ storage, newMember, newOrg, newUser, newId, disableUser }: World): Promise<void> {
  const { apiKeys } = storage
  const { insertByMaker } = apiKeys
  if (insertByMaker === undefined) return
  const { orgId, userId } = await newMember()
  const owner = ofOrg({ orgId })
  const key = newKeyOf(orgId, { createdBy: userId })
  expect.same(await insertByMaker(owner, key), { ...key, ...UNTOUCHED }, 'the key of a member')
  expect.same(await apiKeys.findById(key.id), { ...key, ...UNTOUCHED }, 'the same, found by id')
  await expect.conflict(insertByMaker(owner, key), 'a second key of one id')
  const [another, disabled, elsewhere] = [await newMember(), await newMember({ orgId }), await newOrg()]
  await disableUser(disabled.userId)
  const strangers = [another.userId, disabled.userId, (await newUser()).id, newId(), ...expect.hostileIds(userId)]
  const refused = [
    ...[...strangers, null].map((createdBy) => [owner, newKeyOf(orgId, { createdBy })] as const),
    ...[elsewhere.id, newId()].map((id) => [ofOrg({ orgId: id }), newKeyOf(id, { createdBy: userId })] as const),
    [owner, newKeyOf(null, { createdBy: userId })],
    [owner, newKeyOf(another.orgId, { createdBy: userId })],
    [ofOrg(another), newKeyOf(orgId, { createdBy: userId })],
  ] as const
  for (const [whose, each] of refused) {
    expect.absent(await insertByMaker(whose, each), `a key of ${each.createdBy} for ${each.orgId}`)
    expect.absent(await apiKeys.findById(each.id), 'the same, found by id')
  }
}

async function expectOfUsers(world: World, orgOf: () => Promise<string | null>): Promise<void> {
  const { storage, newUser, newId, disableUser } = world
  const { apiKeys } = storage
  const { insertByMaker } = apiKeys
  if (insertByMaker === undefined) return
  const [{ id: createdBy }, disabled, orgId] = [await newUser(), await newUser(), await orgOf()]
  const key = newKeyOf(orgId, { createdBy })
  expect.same(await insertByMaker(INSTALLATION, key), { ...key, ...UNTOUCHED }, 'the key of a user')
  expect.same(await apiKeys.findById(key.id), { ...key, ...UNTOUCHED }, 'the same, found by id')
  await expect.conflict(insertByMaker(INSTALLATION, key), 'a second key of one id')
  await disableUser(disabled.id)
  const refused = [
    ...[disabled.id, newId(), null, ...expect.hostileIds(createdBy)].map((by) => newKeyOf(orgId, { createdBy: by })),
    newKeyOf(newId(), { createdBy }),
  ]
  for (const each of refused) {
    expect.absent(await insertByMaker(INSTALLATION, each), `a key of ${each.createdBy} for ${each.orgId}`)
    expect.absent(await apiKeys.findById(each.id), 'the same, found by id')
  }
}

export const KEY_CASES: Cases<World> = needing('apiKeys', [
  test(
    'transactions/key-by-member: insert an org’s key by `insertByMaker`, where there is one, for an enabled member alone; else null, and nothing is written',
    expectOfMembers,
  ).needing('disableUser'),
  test('transactions/key-by-user: insert an installation’s key by `insertByMaker`, bound to an org, for an enabled user alone, a member there or not', (world: World) =>
    expectOfUsers(world, async () => (await world.newOrg()).id)).needing('disableUser'),
  test('transactions/unbound-key-by-user: insert one that is bound to none for an enabled user alone, too', (world: World) =>
    expectOfUsers(world, async () => null))
    .needing('disableUser')
    .needing('unboundKeys'),
  test(`transactions/key-of-removed: leave no key alive of somebody whose membership ends while ${RACERS} keys are made in their name by \`insertByMaker\``, (world: World) =>
    expectNoneAlive(world, {
      ownerOf: ofOrg,
      go: ({ memberships }, { orgId, userId }) => memberships.remove(orgId, userId),
    })).needing('membershipAdmin'),
  test('transactions/key-of-disabled: leave none of somebody who is disabled meanwhile', (world: World) =>
    expectNoneAlive(world, { ownerOf: ofOrg, go: ({ users }, { userId }) => users.setDisabled(userId, true) })).needing(
    'userAdmin',
  ),
  test('transactions/key-of-disabled-user: leave none of the installation’s of somebody who is disabled meanwhile', (world: World) =>
    expectNoneAlive(world, {
      ownerOf: () => INSTALLATION,
      go: ({ users }, { userId }) => users.setDisabled(userId, true),
    })).needing('userAdmin'),
])
