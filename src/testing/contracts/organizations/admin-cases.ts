/** Cases of the organization contract: an id that the host gives; organizations that are held, renamed and removed. */
import { isConflictError } from '../../../storage/storage-errors.ts'
import { newKeyOf } from '../api-keys/api-key-world.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { RACERS, race, retried } from '../races.ts'
import { expectCopies, type World } from '../storage-world.ts'

export const GIVEN_ID_CASES: Cases<World> = needing('givenOrgIds', [
  test('orgs/given-id: insert an organization under the id it is given, and find it by that', async ({
    orgs,
    newOrgId,
  }) => {
    const id = newOrgId()
    const org = await orgs.insert({ id, name: 'Acme' })
    expect.same(org.id, id, 'the id of the organization')
    expect.same(await orgs.findById(id), org, 'the organization found by id')
    const other = await orgs.insert({ id: undefined, name: 'Acme' })
    expect.same(await orgs.findById(other.id), other, 'an organization whose id is the storage’s own')
  }),
  test('orgs/given-id-taken: refuse an id that is taken with a ConflictError, whoever gave it, and leave the first', async (world) => {
    const { orgs, newOrgId, newOrg } = world
    for (const first of [await orgs.insert({ id: newOrgId(), name: 'Acme' }), await newOrg()]) {
      await expect.conflict(orgs.insert({ id: first.id, name: 'Other' }), 'a second organization of one id')
      expect.same(await orgs.findById(first.id), first, 'the first organization, unchanged')
    }
  }),
  test(`orgs/given-id-race: let one of ${RACERS} concurrent inserts of one id win; the others get a ConflictError`, async (world) => {
    const { orgs, newOrgId } = world
    const id = newOrgId()
    const results = await race(RACERS, (index) => retried(() => orgs.insert({ id, name: `Org ${index}` })))
    const winner = expect.oneWinner(results, 'insert')
    expect.same(await orgs.findById(id), winner, 'the organization found by id')
  }),
  test('orgs/given-id-exact: hold a hostile id exactly or refuse it with a TypeError, and never take it for another', async (world) => {
    const { orgs, newOrgId } = world
    const near = await orgs.insert({ id: newOrgId(), name: 'Acme' })
    // Beside an id that nobody else has: what is stored here must not be found by others.
    for (const id of expect
      .hostileIds()
      .filter((text) => text !== '')
      .map((text) => `${near.id}${text}`)) {
      const inserted = await expect.settled(orgs.insert({ id, name: 'Hostile' }))
      const found = await orgs.findById(id)
      const text = expect.show(id)
      if (inserted.status === 'fulfilled') expect.same(found, inserted.value, `the organization of the id ${text}`)
      else if (isConflictError(inserted.reason)) expect.same(found?.id, id, 'an organization that has the id')
      else expect.that(inserted.reason instanceof TypeError, `a TypeError for the id ${text}`, inserted.reason)
    }
    expect.same(await orgs.findById(near.id), near, 'the organization that was there')
  }),
])

export const ORG_ADMIN_CASES: Cases<World> = needing('organizationAdmin', [
  test('orgs/found-locked: find an organization to be held as findById does, outside a transaction too, and hold it then for nobody', async (world) => {
    const { orgs, newOrg, newId, transaction } = world
    const org = await newOrg()
    for (let count = 0; count < 5; count++) expect.same(await orgs.findLocked(org.id), org, 'the organization')
    await transaction(async (inner) => {
      expect.same(await inner.orgs.findLocked(org.id), org, 'the organization, in a transaction')
      expect.same(await inner.orgs.findLocked(org.id), org, 'the same, held already')
      await expect.none('findLocked', [newId(), ...expect.hostileIds(org.id)], (id) => inner.orgs.findLocked(id))
    })
    await expect.none('findLocked', [newId(), ...expect.hostileIds(org.id)], (id) => orgs.findLocked(id))
  }),
  test('orgs/rename: give that organization another name, for whoever looks, and make none', async (world) => {
    const { orgs, memberships, newMember, newOrg, callerOf, newId } = world
    const [{ orgId, userId }, other] = [await newMember(), await newOrg()]
    const before = expect.found(await orgs.findById(orgId), 'the organization')
    for (const name of ['Another', 'O\'Bäcker" 🥐', 'Another']) {
      const renamed = expect.found(await orgs.rename(orgId, name), 'the renamed organization')
      // A host may call it otherwise than `name`.
      const wanted = 'name' in before ? { ...before, name } : { ...renamed, id: before.id }
      expect.same(renamed, wanted, 'the organization under its new name')
      expect.same(await orgs.findById(orgId), renamed, 'the organization found by id')
      const acting = await memberships.findActing(await callerOf(userId), orgId)
      expect.same(acting?.org, renamed, 'the organization of a member')
    }
    expect.same(await orgs.findById(other.id), other, 'another organization, unchanged')
    for (const id of [newId(), ...expect.hostileIds(orgId)]) {
      await expect.none('rename', [id], () => orgs.rename(id, 'Nowhere'))
      await expect.none('findById after a rename', [id], () => orgs.findById(id))
    }
  }),
  test('orgs/remove: remove that organization, once, with its memberships, and no other', async (world) => {
    const { orgs, memberships, newMember, callerOf, newId } = world
    const [gone, stays] = [await newMember(), await newMember()]
    expect.same(await orgs.remove(gone.orgId), true, 'a removal')
    expect.absent(await orgs.findById(gone.orgId), 'the removed organization')
    expect.same(await memberships.listActing(await callerOf(gone.userId)), [], 'what its member may act in')
    const again = [gone.orgId, newId(), ...expect.hostileIds(stays.orgId)]
    await expect.none('remove', again, (id) => orgs.remove(id), false)
    const acting = await memberships.findActing(await callerOf(stays.userId), stays.orgId)
    expect.same(acting?.role, stays.role, 'the role of a member of another organization')
  }),
  test('orgs/remove-invitations: remove its invitations with an organization, and no other', async (world: World) => {
    const { orgs, invitations, invite } = world
    const gone = await invite()
    const stays = await invite({ email: gone.email })
    await orgs.remove(gone.orgId)
    expect.same(await invitations.listByEmail(gone.email, 10), [stays], 'the invitations of the address')
    expect.absent(await invitations.consume(gone.id), 'the invitation of the removed organization')
  }).needing('invitations'),
  test('orgs/remove-keys: remove its API keys with an organization, and no other', async (world: World) => {
    const { orgs, apiKeys, newOrg } = world
    const [gone, stays] = [await newOrg(), await newOrg()]
    const [key, other] = [await apiKeys.insert(newKeyOf(gone.id)), await apiKeys.insert(newKeyOf(stays.id))]
    await orgs.remove(gone.id)
    expect.absent(await apiKeys.findById(key.id), 'a key of the removed organization')
    expect.same(await apiKeys.findById(other.id), other, 'a key of another organization')
  }).needing('apiKeys'),
  test('orgs/admin-copies: return copies of organizations', async ({ orgs, newOrg }) => {
    const { id } = await newOrg()
    const find = () => orgs.findById(id)
    await expectCopies([await orgs.rename(id, 'Another')], [find, () => orgs.findLocked(id)])
  }),
])
