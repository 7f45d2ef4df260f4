/** The promises of the API key repository: what is stored comes back, to the letter and to the millisecond; whose keys are listed. */
import { type Cases, type Contract, createContract, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { idsOf, RACERS, race, retried } from '../races.ts'
import { expectCopies, missing, newHash } from '../storage-world.ts'
import {
  type ApiKeysUnderTest,
  type ApiKeyWorld,
  createApiKeyWorld,
  INSTALLATION,
  newKeyId,
  newKeyOf,
  ownerOf,
  rotation,
} from './api-key-world.ts'
import { API_KEY_CHANGE_CASES } from './change-cases.ts'

const ODD = ['Owner', ' owner ', '__proto__', 'o\'wner"', 'bäcker 🥐', '{a,b}', '[]', 'r'.repeat(64)]

const RECORD_CASES: Cases<ApiKeyWorld> = [
  test('api-keys/found-after-insert: find an inserted key by its id as insert returned it: never rotated, revoked or used', async (world) => {
    const { apiKeys, newOrg, newId } = world
    for (const createdBy of [newId(), null]) {
      const key = newKeyOf((await newOrg()).id, { createdBy, expiresAt: new Date('2031-01-01T00:00:00.000Z') })
      const untouched = { previousSecretHash: null, previousUntil: null, revokedAt: null, lastUsedAt: null }
      const inserted = await apiKeys.insert(key)
      expect.same(inserted, { ...key, ...untouched }, 'the key that was inserted')
      expect.same(await apiKeys.findById(key.id), inserted, 'the key found by id')
    }
    expect.absent(await apiKeys.findById(newKeyId()), 'a key of another id')
  }),
  test('api-keys/instants-exact: keep every instant to the millisecond, and as a Date', async (world) => {
    const { apiKeys, newKey, now } = world
    for (const odd of ['2026-11-20T10:00:00.001Z', '2038-01-19T03:14:08.999Z', '9999-12-31T23:59:59.998Z']) {
      const at = new Date(odd)
      const key = await newKey({ createdAt: at, expiresAt: at })
      await apiKeys.rotate(ownerOf(key), key.id, rotation(at))
      await apiKeys.touch(key.id, at)
      await apiKeys.revoke(ownerOf(key), key.id, at)
      const { createdAt, expiresAt, previousUntil, revokedAt, lastUsedAt } = await now(key)
      for (const kept of [createdAt, expiresAt, previousUntil, revokedAt, lastUsedAt]) {
        expect.that(kept instanceof Date && kept.getTime() === at.getTime(), `the instant ${odd} as a Date`, kept)
      }
    }
  }),
  test('api-keys/texts-exact: store and return names, roles and permissions exactly, the permissions in their order; none is none', async (world) => {
    const { newKey, now } = world
    for (const text of ODD) {
      const key = await newKey({ name: text, role: text, permissions: [`${text}:b`, `${text}:a`] })
      const { name, role, permissions } = await now(key)
      expect.same([name, role, permissions], [text, text, [`${text}:b`, `${text}:a`]], 'name, role and permissions')
    }
    expect.same(
      (await now(await newKey({ permissions: [] }))).permissions,
      [],
      'the permissions of a key that has none',
    )
  }),
  test('api-keys/ids-exact: tell upper case from lower case in ids: two such keys are two', async ({ newKey, now }) => {
    const id = `a${newKeyId().slice(1)}`
    const lower = await newKey({ id })
    const upper = await newKey({ id: `A${id.slice(1)}` })
    expect.same(await now(lower), lower, 'the key in lower case')
    expect.same(await now(upper), upper, 'the key in upper case')
  }),
  test('api-keys/insert-twice: refuse an id that is taken with a ConflictError, also by another org, and leave the first', async (world) => {
    const { apiKeys, newOrg, newKey, expectUnchanged } = world
    const key = await newKey()
    for (const orgId of [key.orgId, (await newOrg()).id]) {
      await expect.conflict(apiKeys.insert(newKeyOf(orgId, { id: key.id })), 'a second key of one id')
    }
    await expectUnchanged(key, 'a second insert')
  }),
  test(`api-keys/insert-race: let one of ${RACERS} concurrent inserts of one id win; the others get a ConflictError`, async (world) => {
    const { apiKeys, newOrg } = world
    const [{ id: orgId }, id] = [await newOrg(), newKeyId()]
    const results = await race(RACERS, () => retried(() => apiKeys.insert(newKeyOf(orgId, { id }))))
    expect.oneWinner(results, 'insert')
  }),
  test('api-keys/insert-unknown-org: refuse a key of an org that does not exist', async ({ apiKeys, newId }) => {
    const key = newKeyOf(newId())
    await expect.rejected(apiKeys.insert(key), 'a key of an unknown org')
    expect.absent(await apiKeys.findById(key.id), 'a key of an unknown org')
  }),
  test('api-keys/hostile-ids: find, list and change nothing by a hostile id, and never throw', async (world) => {
    const { apiKeys, newKey, expectUnchanged } = world
    const key = await newKey()
    const [owner, ids, at] = [ownerOf(key), expect.hostileIds(key.id), new Date()]
    const orgs = expect.hostileIds(key.orgId ?? '').map((orgId) => ({ kind: 'org' as const, orgId }))
    const change = rotation(at)
    await expect.none('findById', ids, (id) => apiKeys.findById(id))
    await expect.none('rotate', ids, (id) => apiKeys.rotate(owner, id, change))
    await expect.none('revoke', ids, (id) => apiKeys.revoke(owner, id, at), false)
    for (const id of ids) await apiKeys.touch(id, at)
    for (const odd of orgs) {
      await expect.none('list', [odd.orgId], () => apiKeys.list(odd), [])
      await expect.none('rotate by a hostile org', [odd.orgId], () => apiKeys.rotate(odd, key.id, change))
      await expect.none('revoke by a hostile org', [odd.orgId], () => apiKeys.revoke(odd, key.id, at), false)
    }
    await expectUnchanged(key, 'hostile calls')
  }),
  test('api-keys/copies: return copies of keys, Dates and permissions included, and keep none of what it was given', async (world) => {
    const { apiKeys, newOrg, now } = world
    const given = newKeyOf((await newOrg()).id, { expiresAt: new Date('2031-01-01T00:00:00.000Z') })
    const { id } = given
    const inserted = await apiKeys.insert(given)
    const [owner, find] = [ownerOf(inserted), () => now({ id })]
    await expectCopies([inserted, given], [find, () => apiKeys.list(owner)])
    const until = new Date('2030-01-01T00:00:00.000Z')
    const rotated = await apiKeys.rotate(owner, id, rotation(until))
    await expectCopies([rotated, until], [find])
  }),
]

const LIST_CASES: Cases<ApiKeyWorld> = [
  test('api-keys/list-order: list by creation, then id in code units, whatever the order of writing', async (world) => {
    const { apiKeys, newOrg, newKey } = world
    const { id: orgId } = await newOrg()
    const [rest, late] = [newKeyId().slice(1), new Date('2026-11-20T10:00:00.124Z')]
    const ids = ['a', 'Z', '0'].map((first) => `${first}${rest}`)
    await newKey({ orgId, id: `1${rest}`, createdAt: late })
    for (const id of ids) await newKey({ orgId, id })
    await newKey({ orgId, id: `b${rest}`, createdAt: new Date('2026-11-20T10:00:00.122Z') })
    const listed = await apiKeys.list({ kind: 'org', orgId })
    const wanted = ['b', '0', 'Z', 'a', '1'].map((first) => `${first}${rest}`)
    expect.same(idsOf(listed), wanted, 'the ids in order')
  }),
  test('api-keys/list-whole: list whole records as findById gives them, expired keys too, revoked ones not', async (world) => {
    const { apiKeys, newKey, now } = world
    const expired = await newKey({ expiresAt: new Date('2020-01-01T00:00:00.000Z') })
    const [orgId, owner] = [expired.orgId, ownerOf(expired)]
    const revoked = await newKey({ orgId })
    await apiKeys.revoke(owner, revoked.id, new Date())
    await apiKeys.rotate(owner, expired.id, rotation(new Date()))
    await apiKeys.touch(expired.id, new Date())
    expect.same(await apiKeys.list(owner), [await now(expired)], 'the keys')
  }),
  test("api-keys/list-own: list an org's own keys only", async ({ apiKeys, newOrg, newKey }) => {
    const [mine, theirs] = [await newKey(), await newKey()]
    expect.same(await apiKeys.list(ownerOf(mine)), [mine], 'the keys of one org')
    expect.same(await apiKeys.list(ownerOf(theirs)), [theirs], 'the keys of the other')
    expect.same(await apiKeys.list({ kind: 'org', orgId: (await newOrg()).id }), [], 'the keys of an org without any')
  }),
]

const UNBOUND_CASES: Cases<ApiKeyWorld> = needing('unboundKeys', [
  test('api-keys/unbound: keep a key that is bound to no org apart from every org', async (world) => {
    const { apiKeys, newKey, now, expectUnchanged } = world
    const [bound, unbound] = [await newKey(), await newKey({ orgId: null })]
    expect.absent((await now(unbound)).orgId, 'the org of the key')
    expect.same(await apiKeys.list(ownerOf(bound)), [bound], 'the keys of an org')
    for (const owner of [ownerOf(bound), { kind: 'org', orgId: '' }, { kind: 'org', orgId: 'null' }] as const) {
      expect.absent(await apiKeys.rotate(owner, unbound.id, rotation(null)), 'a rotation by an org')
      expect.same(await apiKeys.revoke(owner, unbound.id, new Date()), false, 'a revocation by an org')
    }
    await expectUnchanged(unbound, 'what orgs tried')
  }),
  test('api-keys/installation: let the installation list, rotate and revoke every key, bound or not', async (world) => {
    const { apiKeys, newKey, now } = world
    const keys = [await newKey(), await newKey({ orgId: null })]
    for (const { id } of keys) {
      const listed = idsOf(await apiKeys.list(INSTALLATION))
      expect.that(listed.includes(id), `the key ${id} in the list of all`, listed)
      const secretHash = newHash()
      await apiKeys.rotate(INSTALLATION, id, { secretHash, previousUntil: null })
      expect.same((await now({ id })).secretHash, secretHash, 'the hash after a rotation')
      expect.same(await apiKeys.revoke(INSTALLATION, id, new Date()), true, 'a revocation')
      expect.that((await now({ id })).revokedAt !== null, 'the key to be revoked', await now({ id }))
      expect.that(!idsOf(await apiKeys.list(INSTALLATION)).includes(id), `${id} no more in the list of all`, id)
    }
  }),
  test('api-keys/installation-created-by: let the installation end every key that a user made, bound or not; an org only its own', async (world) => {
    const { apiKeys, newKey, newId } = world
    const createdBy = newId()
    const at = new Date('2026-11-20T11:00:00.007Z')
    const [bound, unbound, other] = [
      await newKey({ createdBy }),
      await newKey({ orgId: null, createdBy }),
      await newKey({ createdBy }),
    ]
    expect.same(await apiKeys.revokeCreatedBy(ownerOf(bound), createdBy, at), [bound.id], 'the ids, for an org')
    const ended = [...(await apiKeys.revokeCreatedBy(INSTALLATION, createdBy, at))].sort()
    expect.same(ended, [unbound.id, other.id].sort(), 'the ids, for the installation')
  }),
])

const DELETED_CASES: Cases<ApiKeyWorld> = needing('deleteOrg', [
  test('api-keys/deleted-org: treat the keys of a deleted org as if they had never been', async (world) => {
    const { apiKeys, newKey, deleteOrg, expectUnchanged } = world
    if (deleteOrg === undefined) throw new Error(missing('deleteOrg', 'deleteOrg'))
    const [gone, stays] = [await newKey(), await newKey()]
    const owner = ownerOf(gone)
    await deleteOrg(owner.kind === 'org' ? owner.orgId : '')
    expect.absent(await apiKeys.findById(gone.id), 'a key of a deleted org')
    for (const whose of [owner, INSTALLATION]) {
      expect.that(!idsOf(await apiKeys.list(whose)).includes(gone.id), 'the key in no list', whose)
      expect.absent(await apiKeys.rotate(whose, gone.id, rotation(new Date())), 'a rotation')
      expect.same(await apiKeys.revoke(whose, gone.id, new Date()), false, 'a revocation')
    }
    await apiKeys.touch(gone.id, new Date())
    await expect.rejected(apiKeys.insert(newKeyOf(gone.orgId)), 'a key of a deleted org')
    await expectUnchanged(stays, 'the deletion of another org')
  }),
])

/**
 * The promises of an API key repository, races and hostile ids included.
 *
 * @example
 * const make = () => ({
 *   apiKeys: storage.apiKeys,
 *   newOrg: () => storage.orgs.insert({ name: 'Acme' }),
 *   deleteOrg: (orgId: string) => storage.orgs.remove(orgId),
 * })
 * for (const { id, name, run } of apiKeyContract.cases(make)) it(`${id}: ${name}`, run)
 */
export const apiKeyContract: Contract<ApiKeysUnderTest> = createContract(
  'apiKeyContract',
  [...RECORD_CASES, ...LIST_CASES, ...UNBOUND_CASES, ...DELETED_CASES, ...API_KEY_CHANGE_CASES],
  createApiKeyWorld,
)
