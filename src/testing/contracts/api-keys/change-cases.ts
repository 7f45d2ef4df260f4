/** Cases of the API key contract: rotation, revocation and use, each changing what it says and nothing else, also several at once. */
import type { ApiKeyRecord } from '../../../storage/repositories.ts'
import { type Cases, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { idsOf, RACERS, race, retried } from '../races.ts'
import { newHash } from '../storage-world.ts'
import { type ApiKeyWorld, newKeyId, ownerOf, rotation } from './api-key-world.ts'

const UNTIL = new Date('2026-11-20T11:00:00.007Z')

const CHANGE_CASES: Cases<ApiKeyWorld> = [
  test('api-keys/rotate: make the present hash the previous one until the deadline, change nothing else, and return the key', async (world) => {
    const { apiKeys, newKey, now, expectUnchanged } = world
    const key = await newKey({ expiresAt: new Date('2031-01-01T00:00:00.000Z') })
    const other = await newKey({ orgId: key.orgId })
    const [first, second] = [newHash(), newHash()]
    const once = await apiKeys.rotate(ownerOf(key), key.id, { secretHash: first, previousUntil: UNTIL })
    const wanted = { ...key, secretHash: first, previousSecretHash: key.secretHash, previousUntil: UNTIL }
    expect.same(once, wanted, 'the key after one rotation')
    expect.same(await now(key), once, 'the key found after one rotation')
    const twice = await apiKeys.rotate(ownerOf(key), key.id, { secretHash: second, previousUntil: UNTIL })
    expect.same(twice, { ...wanted, secretHash: second, previousSecretHash: first }, 'the key after two rotations')
    await expectUnchanged(other, 'rotations of another')
  }),
  test('api-keys/rotate-at-once: keep no previous hash where no deadline is given', async (world) => {
    const { apiKeys, newKey, now } = world
    const key = await newKey()
    for (const until of [UNTIL, null]) await apiKeys.rotate(ownerOf(key), key.id, rotation(until))
    const { previousSecretHash, previousUntil } = await now(key)
    expect.same([previousSecretHash, previousUntil], [null, null], 'the previous hash and its deadline')
  }),
  test('api-keys/rotate-revoked: not rotate a revoked key', async ({ apiKeys, newKey, now, expectUnchanged }) => {
    const key = await newKey()
    await apiKeys.revoke(ownerOf(key), key.id, UNTIL)
    const revoked = await now(key)
    expect.absent(await apiKeys.rotate(ownerOf(key), key.id, rotation(UNTIL)), 'the rotation of a revoked key')
    await expectUnchanged(revoked, 'a rotation')
  }),
  test("api-keys/rotate-own: not rotate another org's key, nor one that is not there", async (world) => {
    const { apiKeys, newKey, expectUnchanged } = world
    const [mine, theirs] = [await newKey(), await newKey()]
    for (const id of [theirs.id, newKeyId()]) {
      const rotated = await apiKeys.rotate(ownerOf(mine), id, rotation(UNTIL))
      expect.absent(rotated, 'the rotation of a key of nobody or somebody else')
    }
    for (const key of [mine, theirs]) await expectUnchanged(key, 'it')
  }),
  test('api-keys/revoke: revoke for good, once: still found, and the first instant stays', async (world) => {
    const { apiKeys, newKey, now } = world
    const key = await newKey()
    for (const at of [UNTIL, new Date(UNTIL.getTime() + 1000), new Date(UNTIL.getTime() - 1000)]) {
      expect.same(await apiKeys.revoke(ownerOf(key), key.id, at), true, 'a revocation')
      expect.same(await now(key), { ...key, revokedAt: UNTIL }, 'the key after a revocation')
    }
  }),
  test("api-keys/revoke-own: not revoke another org's key, nor one that is not there", async (world) => {
    const { apiKeys, newKey, expectUnchanged } = world
    const [mine, theirs] = [await newKey(), await newKey()]
    for (const id of [theirs.id, newKeyId()]) {
      const revoked = await apiKeys.revoke(ownerOf(mine), id, UNTIL)
      expect.same(revoked, false, 'the revocation of a key of nobody or somebody else')
    }
    for (const key of [mine, theirs]) await expectUnchanged(key, 'it')
  }),
  test('api-keys/list-created-by: list the keys that a user made, of every owner, revoked ones too, by creation', async (world) => {
    const { apiKeys, newOrg, newKey, now, newId } = world
    const [{ id: orgId }, createdBy] = [await newOrg(), newId()]
    const made = [
      await newKey({ orgId, createdBy, createdAt: at(1) }),
      await newKey({ createdBy, createdAt: at(0) }),
      await newKey({ orgId, createdBy, createdAt: at(2) }),
    ]
    await newKey({ orgId, createdBy: newId() })
    await newKey({ orgId, createdBy: null })
    await apiKeys.revoke({ kind: 'org', orgId }, (made[2] as ApiKeyRecord).id, UNTIL)
    const [one, other, revoked] = await Promise.all(made.map(now))
    expect.same(await apiKeys.listCreatedBy(createdBy), [other, one, revoked], 'the keys of that user')
    expect.same(await apiKeys.listCreatedBy(newId()), [], 'the keys of a user who made none')
    await expect.none('listCreatedBy', expect.hostileIds(createdBy), (id) => apiKeys.listCreatedBy(id), [])
  }),
  test("api-keys/revoke-created-by: revoke the owner's keys that a user made, say which, and no other's", async (world) => {
    const { apiKeys, newOrg, newKey, now, newId, expectUnchanged } = world
    const [{ id: orgId }, createdBy] = [await newOrg(), newId()]
    const made = [await newKey({ orgId, createdBy }), await newKey({ orgId, createdBy })]
    const others = [
      await newKey({ orgId, createdBy: newId() }),
      await newKey({ orgId, createdBy: null }),
      await newKey({ createdBy }),
    ]
    const owner = { kind: 'org', orgId } as const
    expect.same([...(await apiKeys.revokeCreatedBy(owner, createdBy, UNTIL))].sort(), sortedIdsOf(made), 'the ids')
    for (const key of made) expect.same(await now(key), { ...key, revokedAt: UNTIL }, 'a key of that user')
    for (const key of others) await expectUnchanged(key, 'the revocation of others')
    expect.same(await apiKeys.revokeCreatedBy(owner, newId(), UNTIL), [], 'the ids of a user who made none')
  }),
  test('api-keys/revoke-created-by-once: leave what is revoked already as it is, and do not name it', async (world) => {
    const { apiKeys, newOrg, newKey, now, newId } = world
    const [{ id: orgId }, createdBy] = [await newOrg(), newId()]
    const [revoked, live] = [await newKey({ orgId, createdBy }), await newKey({ orgId, createdBy })]
    const owner = { kind: 'org', orgId } as const
    await apiKeys.revoke(owner, revoked.id, UNTIL)
    const later = new Date(UNTIL.getTime() + 1000)
    expect.same(await apiKeys.revokeCreatedBy(owner, createdBy, later), [live.id], 'the ids')
    expect.same(await apiKeys.revokeCreatedBy(owner, createdBy, later), [], 'the ids, asked again')
    const instants = [(await now(revoked)).revokedAt, (await now(live)).revokedAt]
    expect.same(instants, [UNTIL, later], 'the instants of revocation')
  }),
  test('api-keys/revoke-created-by-hostile: revoke nothing of a hostile user or org, and never throw', async (world) => {
    const { apiKeys, newKey, newId, expectUnchanged } = world
    const createdBy = newId()
    const keys = [await newKey({ createdBy }), await newKey({ createdBy: null })]
    const [owner, at] = [ownerOf(keys[0] as ApiKeyRecord), new Date()]
    const users = expect.hostileIds(createdBy)
    await expect.none('revokeCreatedBy', users, (id) => apiKeys.revokeCreatedBy(owner, id, at), [])
    for (const orgId of expect.hostileIds(keys[0]?.orgId ?? '')) {
      await expect.none(
        'by a hostile org',
        [orgId],
        () => apiKeys.revokeCreatedBy({ kind: 'org', orgId }, createdBy, at),
        [],
      )
    }
    for (const key of keys) await expectUnchanged(key, 'hostile calls')
  }),
  test('api-keys/touch: note the latest use, whatever order they come in, of that key only', async (world) => {
    const { apiKeys, newKey, now, expectUnchanged } = world
    const key = await newKey()
    const other = await newKey({ orgId: key.orgId })
    const latest = new Date(UNTIL.getTime() + 1)
    for (const at of [UNTIL, latest, UNTIL]) await apiKeys.touch(key.id, at)
    expect.same(await now(key), { ...key, lastUsedAt: latest }, 'the key after three uses')
    await expectUnchanged(other, 'uses of another')
  }),
]

const sortedIdsOf = (keys: readonly ApiKeyRecord[]): readonly string[] => [...idsOf(keys)].sort()

const START = Date.parse('2026-11-20T11:00:00.000Z')
const at = (index: number): Date => new Date(START + index)

const RACE_CASES: Cases<ApiKeyWorld> = [
  test(`api-keys/rotate-race: apply ${RACERS} concurrent rotations one after another: each on what the one before has left`, async (world) => {
    const { apiKeys, newKey, now } = world
    const key = await newKey()
    const results = await race(RACERS, (index) =>
      retried(() => apiKeys.rotate(ownerOf(key), key.id, rotation(at(index)))),
    )
    const rotated = results.map(expect.fulfilledValue).filter((record) => record !== undefined && record !== null)
    expect.that(rotated.length === RACERS, 'every rotation to be fulfilled with the key', results)
    const last = await now(key)
    const chain = backFrom(last, rotated)
    expect.that(chain.length === RACERS + 1, `a chain of ${RACERS} rotations back to the first hash`, chain)
    expect.same(chain.at(-1), key.secretHash, 'the hash at its beginning')
  }),
  test(`api-keys/revoke-race: let ${RACERS} concurrent revocations agree on one instant`, async (world) => {
    const { apiKeys, newKey, now } = world
    for (let round = 0; round < 5; round++) {
      const key = await newKey()
      const seen = await race(RACERS, async (index) => {
        const revoked = await retried(() => apiKeys.revoke(ownerOf(key), key.id, at(index)))
        expect.same(revoked, true, 'a revocation')
        return (await now(key)).revokedAt?.getTime()
      })
      const instants = new Set(seen.map(expect.fulfilledValue))
      expect.that(instants.size === 1 && !instants.has(undefined), 'one instant, seen by all', [...instants])
    }
  }),
  test(`api-keys/revoke-created-by-race: name each key to one of ${RACERS} who end a user's keys at once`, async (world) => {
    const { apiKeys, newOrg, newKey, now, newId } = world
    const [{ id: orgId }, createdBy] = [await newOrg(), newId()]
    const keys: ApiKeyRecord[] = []
    for (let count = 0; count < 5; count++) keys.push(await newKey({ orgId, createdBy }))
    const results = await race(RACERS, (index) =>
      retried(() => apiKeys.revokeCreatedBy({ kind: 'org', orgId }, createdBy, at(index))),
    )
    const named = expect.allFulfilled(results, 'revocation').flat().sort()
    expect.same(named, sortedIdsOf(keys), 'the ids, each named once')
    for (const key of keys) {
      const { revokedAt } = await now(key)
      const index = results.findIndex((result) => expect.fulfilledValue(result)?.includes(key.id))
      expect.same(revokedAt, at(index), 'the instant of who has named it')
    }
  }),
  test('api-keys/revoke-wins: leave a key revoked that is rotated and used at the same moment', async (world) => {
    const { apiKeys, newKey, now } = world
    for (let round = 0; round < 5; round++) {
      const key = await newKey()
      const owner = ownerOf(key)
      const results = await race(RACERS, (index): Promise<unknown> => {
        if (index === 10) return retried(() => apiKeys.revoke(owner, key.id, at(index)))
        if (index % 2 === 0) return retried(() => apiKeys.rotate(owner, key.id, rotation(at(0))))
        return retried(() => apiKeys.touch(key.id, at(index)))
      })
      expect.allFulfilled(results, 'call')
      const { revokedAt, lastUsedAt } = await now(key)
      expect.same([revokedAt, lastUsedAt], [at(10), at(RACERS - 1)], 'the instants of revocation and last use')
    }
  }),
]

// From the last rotation to the one it was applied to, and so on: all hashes of the key, the present one first.
function backFrom(last: ApiKeyRecord, rotated: readonly ApiKeyRecord[]): readonly string[] {
  const hashes = [last.secretHash]
  for (let record: ApiKeyRecord | undefined = last; record?.previousSecretHash != null && hashes.length <= RACERS; ) {
    const previous: string = record.previousSecretHash
    hashes.push(previous)
    record = rotated.find(({ secretHash }) => secretHash === previous)
  }
  return hashes
}

export const API_KEY_CHANGE_CASES: Cases<ApiKeyWorld> = [...CHANGE_CASES, ...RACE_CASES]
