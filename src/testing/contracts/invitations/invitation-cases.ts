/** The promises of the invitation repository: one per address and org, the earliest first, taken by one caller. */
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { expectCopies, newEmail, pause, RACERS, race, type World } from '../storage-world.ts'

export const INVITATION_CASES: Cases<World> = needing('admin', [
  test('invitations/normalized: keep the address trimmed and in lower case, and find it so, as insert returned it', async (world) => {
    const { invitations, newOrg, low } = world
    const [{ id: orgId }, email] = [await newOrg(), newEmail()]
    const inserted = await invitations.insert({ orgId, email: ` ${email.toUpperCase()}\t`, role: low })
    expect.same([inserted.orgId, inserted.email, inserted.role], [orgId, email, low], 'the invitation')
    expect.that(inserted.createdAt instanceof Date, 'createdAt to be a Date', inserted.createdAt)
    expect.same(await invitations.findPending(email), inserted, 'the pending invitation')
    expect.absent(await invitations.findPending(newEmail()), 'an invitation of another address')
  }),
  test('invitations/insert-twice: refuse an address already invited into that org, however it is written, and leave the first', async (world) => {
    const { invitations, invite, top } = world
    const first = await invite()
    const { orgId, email } = first
    for (const again of [email, ` ${email.toUpperCase()}`]) {
      await expect.conflict(invitations.insert({ orgId, email: again, role: top }), 'a second invitation')
    }
    expect.same(await invitations.findPending(email), first, 'the first invitation, unchanged')
  }),
  test(`invitations/insert-race: let one of ${RACERS} concurrent invitations of an address win; the others get a ConflictError`, async (world) => {
    const { invitations, newOrg, low } = world
    const [{ id: orgId }, email] = [await newOrg(), newEmail()]
    const results = await race(RACERS, () => invitations.insert({ orgId, email, role: low }))
    expect.oneWinner(results, 'invitation')
  }),
  test('invitations/insert-unknown: refuse an invitation into an org that does not exist', async (world) => {
    const { invitations, low, newId } = world
    const email = newEmail()
    const inserting = invitations.insert({ orgId: newId(), email, role: low })
    await expect.rejected(inserting, 'an invitation into an unknown org')
    expect.absent(await invitations.findPending(email), 'an invitation into an unknown org')
  }),
  test('invitations/earliest: find the earliest invitation of an address first, then the next; each org may invite it', async (world) => {
    const { invitations, newOrgs, invite } = world
    const [orgs, email] = [await newOrgs(3), newEmail()]
    for (const { id } of orgs) {
      await invite({ orgId: id, email })
      await pause(4)
    }
    for (const { id } of orgs) {
      const pending = await invitations.findPending(email)
      expect.same(pending?.orgId, id, 'the org of the earliest pending invitation')
      await invitations.consume(pending?.id ?? '')
    }
    expect.absent(await invitations.findPending(email), 'a pending invitation once all are taken')
  }),
  test('invitations/deleted-org: pass over an invitation into a deleted org', async (world: World) => {
    const { invitations, invite, deleteOrg } = world
    const { orgId, email } = await invite()
    await deleteOrg(orgId)
    expect.absent(await invitations.findPending(email), 'an invitation into a deleted org')
    const second = await invite({ email })
    expect.same(await invitations.findPending(email), second, 'the invitation into the org that exists')
  }).needing('deleteOrg'),
  test('invitations/consume-once: hand the invitation to who takes it, once; afterwards the address may be invited again', async (world) => {
    const { invitations, invite, top } = world
    const inserted = await invite()
    const { orgId, email } = inserted
    expect.same(await invitations.consume(inserted.id), inserted, 'the invitation taken')
    expect.absent(await invitations.consume(inserted.id), 'the invitation, taken again')
    expect.absent(await invitations.findPending(email), 'a pending invitation after it was taken')
    const again = await invite({ orgId, email, role: top })
    expect.same(await invitations.findPending(email), again, 'the new invitation')
  }),
  test(`invitations/consume-race: give the invitation to one of ${RACERS} who take it at once, and null to the others`, async (world) => {
    const { invitations, invite } = world
    for (let round = 0; round < 5; round++) {
      const { id } = await invite()
      const results = await race(RACERS, () => invitations.consume(id))
      const winners = expect.allFulfilled(results, 'taker').filter((taken) => taken !== null)
      expect.that(winners.length === 1 && winners[0]?.id === id, 'one winner', winners)
    }
  }),
  test('invitations/others-untouched: take that invitation only: those of another address or another org stay', async (world) => {
    const { invitations, invite } = world
    const { id, orgId, email } = await invite()
    const [sameOrg, sameAddress] = [await invite({ orgId }), await invite({ email })]
    await invitations.consume(id)
    expect.same(await invitations.findPending(sameOrg.email), sameOrg, 'the invitation of another address')
    expect.same(await invitations.findPending(email), sameAddress, 'the invitation into another org')
  }),
  test('invitations/roles-exact: store and return role names exactly, known or not', async (world) => {
    const { invitations, invite, oddRoles } = world
    for (const role of oddRoles) {
      const { id } = await invite({ role })
      expect.same((await invitations.consume(id))?.role, role, 'the role of the invitation')
    }
  }),
  test('invitations/hostile-ids: find and take nothing by a hostile address or id, and never throw', async (world) => {
    const { invitations, invite, newId } = world
    const inserted = await invite()
    const ids = [newId(), ...expect.hostileIds(inserted.id)]
    await expect.none('consume', ids, (id) => invitations.consume(id))
    await expect.none('findPending', expect.hostileIds(), (text) => invitations.findPending(text))
    expect.same(await invitations.findPending(inserted.email), inserted, 'the invitation, still pending')
  }),
  test('invitations/copies: return copies of invitations, Dates included', async ({ invitations, newOrg, low }) => {
    const email = newEmail()
    const input = { orgId: (await newOrg()).id, email, role: low }
    const inserted = await invitations.insert(input)
    const stored = structuredClone(inserted)
    await expectCopies([inserted, input], [() => invitations.findPending(email)])
    expect.same(await invitations.consume(stored.id), stored, 'the invitation taken')
  }),
])
