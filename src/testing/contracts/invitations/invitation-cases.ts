/** The promises of the invitation repository: one per address and org, the earliest first, taken by one caller. */
import { type Cases, needing, test } from '../contract.ts'
import {
  expectAllFulfilled,
  expectConflict,
  expectNothing,
  expectNull,
  expectOneWinner,
  expectRejected,
  expectSame,
  expectThat,
  hostileIds,
  textOf,
} from '../expectations.ts'
import { newEmail, pause, RACERS, race, spoil, type World } from '../storage-world.ts'

export const INVITATION_CASES: Cases<World> = needing('admin', [
  test('invitations/normalized: keep the address trimmed and in lower case, and find it so, as insert returned it', async (world) => {
    const { invitations, newOrg, low } = world
    const [{ id: orgId }, email] = [await newOrg(), newEmail()]
    const inserted = await invitations.insert({ orgId, email: ` ${email.toUpperCase()}\t`, role: low })
    expectSame([inserted.orgId, inserted.email, inserted.role], [orgId, email, low], 'the invitation')
    expectThat(inserted.createdAt instanceof Date, 'createdAt to be a Date', inserted.createdAt)
    expectSame(await invitations.findPending(email), inserted, 'the pending invitation')
    expectNull(await invitations.findPending(newEmail()), 'an invitation of another address')
  }),
  test('invitations/insert-twice: refuse an address already invited into that org, however it is written, and leave the first', async (world) => {
    const { invitations, newOrg, top, low } = world
    const [{ id: orgId }, email] = [await newOrg(), newEmail()]
    const first = await invitations.insert({ orgId, email, role: low })
    for (const again of [email, ` ${email.toUpperCase()}`]) {
      await expectConflict(invitations.insert({ orgId, email: again, role: top }), 'a second invitation')
    }
    expectSame(await invitations.findPending(email), first, 'the first invitation, unchanged')
  }),
  test(`invitations/insert-race: let one of ${RACERS} concurrent invitations of an address win; the others get a ConflictError`, async (world) => {
    const { invitations, newOrg, low } = world
    const [{ id: orgId }, email] = [await newOrg(), newEmail()]
    const results = await race(RACERS, () => invitations.insert({ orgId, email, role: low }))
    expectOneWinner(results, 'invitation')
  }),
  test('invitations/insert-unknown: refuse an invitation into an org that does not exist', async (world) => {
    const { invitations, low, newId } = world
    const email = newEmail()
    const inserting = invitations.insert({ orgId: newId(), email, role: low })
    await expectRejected(inserting, 'an invitation into an unknown org')
    expectNull(await invitations.findPending(email), 'an invitation into an unknown org')
  }),
  test('invitations/earliest: find the earliest invitation of an address first, then the next; each org may invite it', async (world) => {
    const { invitations, newOrgs, low } = world
    const [orgs, email] = [await newOrgs(3), newEmail()]
    for (const { id } of orgs) {
      await invitations.insert({ orgId: id, email, role: low })
      await pause(4)
    }
    for (const { id } of orgs) {
      const pending = await invitations.findPending(email)
      expectSame(pending?.orgId, id, 'the org of the earliest pending invitation')
      await invitations.consume(pending?.id ?? '')
    }
    expectNull(await invitations.findPending(email), 'a pending invitation once all are taken')
  }),
  ...needing<World>('deleteOrg', [
    test('invitations/deleted-org: pass over an invitation into a deleted org', async (world) => {
      const { invitations, newOrg, deleteOrg, low } = world
      const [gone, stays, email] = [await newOrg(), await newOrg(), newEmail()]
      await invitations.insert({ orgId: gone.id, email, role: low })
      await deleteOrg(gone.id)
      expectNull(await invitations.findPending(email), 'an invitation into a deleted org')
      const second = await invitations.insert({ orgId: stays.id, email, role: low })
      expectSame(await invitations.findPending(email), second, 'the invitation into the org that exists')
    }),
  ]),
  test('invitations/consume-once: hand the invitation to who takes it, once; afterwards the address may be invited again', async (world) => {
    const { invitations, newOrg, top, low } = world
    const [{ id: orgId }, email] = [await newOrg(), newEmail()]
    const inserted = await invitations.insert({ orgId, email, role: low })
    expectSame(await invitations.consume(inserted.id), inserted, 'the invitation taken')
    expectNull(await invitations.consume(inserted.id), 'the invitation, taken again')
    expectNull(await invitations.findPending(email), 'a pending invitation after it was taken')
    const again = await invitations.insert({ orgId, email, role: top })
    expectSame(await invitations.findPending(email), again, 'the new invitation')
  }),
  test(`invitations/consume-race: give the invitation to one of ${RACERS} who take it at once, and null to the others`, async (world) => {
    const { invitations, newOrg, low } = world
    for (let round = 0; round < 5; round++) {
      const { id } = await invitations.insert({ orgId: (await newOrg()).id, email: newEmail(), role: low })
      const results = await race(RACERS, () => invitations.consume(id))
      const winners = expectAllFulfilled(results, 'taker').filter((taken) => taken !== null)
      expectThat(winners.length === 1 && winners[0]?.id === id, 'one winner', winners)
    }
  }),
  test('invitations/others-untouched: take that invitation only: those of another address or another org stay', async (world) => {
    const { invitations, newOrg, low } = world
    const [one, two, email, other] = [await newOrg(), await newOrg(), newEmail(), newEmail()]
    const taken = await invitations.insert({ orgId: one.id, email, role: low })
    const sameOrg = await invitations.insert({ orgId: one.id, email: other, role: low })
    const sameAddress = await invitations.insert({ orgId: two.id, email, role: low })
    await invitations.consume(taken.id)
    expectSame(await invitations.findPending(other), sameOrg, 'the invitation of another address')
    expectSame(await invitations.findPending(email), sameAddress, 'the invitation into another org')
  }),
  test('invitations/roles-exact: store and return role names exactly, known or not', async (world) => {
    const { invitations, newOrg, oddRoles } = world
    const { id: orgId } = await newOrg()
    for (const role of oddRoles) {
      const { id } = await invitations.insert({ orgId, email: newEmail(), role })
      expectSame((await invitations.consume(id))?.role, role, 'the role of the invitation')
    }
  }),
  test('invitations/hostile-ids: find and take nothing by a hostile address or id, and never throw', async (world) => {
    const { invitations, newOrg, low, newId } = world
    const email = newEmail()
    const inserted = await invitations.insert({ orgId: (await newOrg()).id, email, role: low })
    const ids = [newId(), ...hostileIds(inserted.id)]
    await expectNothing('consume', ids, (id) => invitations.consume(id))
    await expectNothing('findPending', hostileIds(), (text) => invitations.findPending(text))
    expectSame(await invitations.findPending(email), inserted, 'the invitation, still pending')
  }),
  test('invitations/copies: return copies of invitations, Dates included', async ({ invitations, newOrg, low }) => {
    const email = newEmail()
    const input = { orgId: (await newOrg()).id, email, role: low }
    const inserted = await invitations.insert(input)
    const [{ id }, before] = [{ ...inserted }, textOf(inserted)]
    input.role = 'spoiled'
    spoil(inserted)
    spoil(await invitations.findPending(email))
    expectSame(textOf(await invitations.findPending(email)), before, 'the pending invitation')
    expectSame(textOf(await invitations.consume(id)), before, 'the invitation taken')
  }),
])
