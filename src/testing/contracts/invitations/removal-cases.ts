/** Cases of the invitation contract: what somebody who leaves has sent and been sent is deleted, and nothing else. */
import { type Cases, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { newEmail, newHash, type World } from '../storage-world.ts'

const START = Date.parse('2026-11-20T10:00:00.000Z')
const at = (index: number): Date => new Date(START + index)

export const REMOVAL_CASES: Cases<World> = [
  test('invitations/list-of: list what a user has sent and what an address was sent, each once, in every org, by creation', async (world) => {
    const { invitations, invite, newUser, newOrg, newId } = world
    const [{ id: invitedBy }, { id: orgId }, email] = [await newUser(), await newOrg(), newEmail()]
    const byAge = [
      await invite({ email, createdAt: at(0) }),
      await invite({ invitedBy, orgId, createdAt: at(1) }),
      await invite({ invitedBy, email, orgId, createdAt: at(2) }),
      await invite({ invitedBy, secretHash: newHash(), createdAt: at(3) }),
    ]
    await invite({ orgId })
    await invite({ email: `x${email}`, orgId })
    expect.same(await invitations.listOf(invitedBy, email), byAge, 'what was sent and received')
    const own = byAge.filter((each) => each.invitedBy === invitedBy)
    expect.same(await invitations.listOf(invitedBy, null), own, 'what was sent')
    const theirs = byAge.filter((each) => each.email === email)
    expect.same(await invitations.listOf(newId(), email), theirs, 'what was received')
    expect.same(await invitations.listOf(newId(), null), [], 'what nobody has sent')
    await expect.none('listOf', expect.hostileIds(invitedBy), (id) => invitations.listOf(id, null), [])
    await expect.none('listOf by address', expect.hostileIds(), (address) => invitations.listOf('', address), [])
  }),
  test('invitations/remove-of: delete what a user has sent and what an address was sent, each once, in every org, and say how many', async (world) => {
    const { invitations, invite, newUser, newOrg } = world
    const [{ id: invitedBy }, { id: orgId }, email] = [await newUser(), await newOrg(), newEmail()]
    const secretHash = newHash()
    const gone = [
      await invite({ invitedBy, orgId }),
      await invite({ invitedBy, secretHash }),
      await invite({ email }),
      // Sent by that user to that address: one, and counted once.
      await invite({ invitedBy, email, orgId }),
    ]
    expect.same(await invitations.removeOf(invitedBy, email), 4, 'how many there were')
    for (const { id } of gone) expect.absent(await invitations.findById(id), 'an invitation that was deleted')
    expect.absent(await invitations.findBySecretHash(secretHash), 'the same, by its secret')
    expect.same(await invitations.listByEmail(email, 10), [], 'the invitations of the address')
    expect.same(await invitations.listByOrg(orgId), [], 'the invitations into the org')
    expect.same(await invitations.removeOf(invitedBy, email), 0, 'how many there were, asked again')
    const again = await invite({ orgId, email })
    expect.same(await invitations.findById(again.id), again, 'the address, invited again')
  }),
  test('invitations/remove-of-no-other: leave what others have sent to others, and what an address was sent where none is given', async (world) => {
    const { invitations, invite, newUser, newOrg, newId } = world
    const [{ id: invitedBy }, { id: another }, { id: orgId }] = [await newUser(), await newUser(), await newOrg()]
    const email = newEmail()
    const mine = await invite({ invitedBy, orgId })
    const others = [
      await invite({ invitedBy: another, orgId }),
      await invite({ orgId }),
      await invite({ email: `x${email}`, orgId }),
      await invite({ email, orgId }),
    ]
    expect.same(await invitations.removeOf(invitedBy, null), 1, 'how many the user has sent')
    expect.absent(await invitations.findById(mine.id), 'what the user has sent')
    expect.same(await invitations.removeOf(newId(), null), 0, 'how many nobody has sent')
    for (const each of others) expect.same(await invitations.findById(each.id), each, 'an invitation of others')
    expect.same(await invitations.removeOf(newId(), email), 1, 'how many the address was sent')
    for (const each of others.slice(0, 3)) {
      expect.same(await invitations.findById(each.id), each, 'an invitation of others')
    }
  }),
  test('invitations/remove-of-hostile: delete nothing of a hostile id or address, and never throw', async (world) => {
    const { invitations, invite, newUser } = world
    const { id: invitedBy } = await newUser()
    const all = [await invite({ invitedBy }), await invite()]
    await expect.none('removeOf', expect.hostileIds(invitedBy), (id) => invitations.removeOf(id, null), 0)
    await expect.none('removeOf by address', expect.hostileIds(), (email) => invitations.removeOf('', email), 0)
    for (const each of all) expect.same(await invitations.findById(each.id), each, 'an invitation, unchanged')
  }),
]
