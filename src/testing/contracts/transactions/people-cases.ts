/** Cases of the transaction contract: what `sallyport/people` writes is taken back as one with work that fails, port by port. */
import type { ApiKeyOwner } from '../../../storage/repositories.ts'
import { isConflictError } from '../../../storage/storage-errors.ts'
import { newKeyOf } from '../api-keys/api-key-world.ts'
import { type Cases, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { findUser, INVITED_UNTIL, newEmail, newHash, type Repositories, type World } from '../storage-world.ts'
import { runFailing, writeAnd } from './units-of-work.ts'

const ON_PURPOSE = 'Error: on purpose'

const UNCHANGED_CASES: Cases<World> = [
  test('transactions/members-unchanged: take back changed roles and removed memberships of work that fails', async (world: World) => {
    const { storage, newMember, top } = world
    const changed = await newMember()
    const { orgId } = changed
    const removed = await newMember({ orgId })
    const before = await storage.memberships.listByOrg(orgId)
    const error = await runFailing(world, async ({ memberships }) => {
      await memberships.setRole(orgId, changed.userId, top)
      await memberships.remove(orgId, removed.userId)
      const left = (await memberships.listByOrg(orgId)).map(({ userId, role }) => [userId, role])
      expect.same(left, [[changed.userId, top]], 'the members in the work')
    })
    expect.same(String(error), ON_PURPOSE, 'the reason')
    expect.same(await storage.memberships.listByOrg(orgId), before, 'the memberships')
  }).needing('membershipAdmin'),
  test('transactions/invitations-unchanged: take back invitations that were sent, replaced, taken and deleted by work that fails', async (world: World) => {
    const { storage, invite, newInvitation, newUser } = world
    const { id: invitedBy } = await newUser()
    const [taken, deleted, expired] = [await invite(), await invite({ invitedBy }), await invite()]
    const { orgId, email } = expired
    const late = { createdAt: new Date(INVITED_UNTIL.getTime() + 1), expiresAt: new Date(INVITED_UNTIL.getTime() + 2) }
    const [replacing, sent] = [await newInvitation({ orgId, email, ...late }), await newInvitation()]
    const error = await runFailing(world, async ({ invitations }) => {
      await invitations.insert(sent)
      const replaced = await invitations.insert(replacing)
      expect.same(await invitations.listByOrg(orgId), [replaced], 'the invitations into the org, in the work')
      const both = [await invitations.consume(taken.id), await invitations.consume(taken.id)]
      expect.same(both, [taken, null], 'the one taking of it')
      expect.same(await invitations.removeOf(invitedBy, null), 1, 'how many were deleted')
    })
    expect.same(String(error), ON_PURPOSE, 'the reason')
    for (const each of [taken, deleted, expired]) {
      expect.same(await storage.invitations.findById(each.id), each, 'an invitation, as before')
    }
    expect.same(await storage.invitations.listByOrg(orgId), [expired], 'the invitations into the org')
    expect.same(await storage.invitations.listByEmail(sent.email, 10), [], 'the invitations of the new address')
    expect.same(await storage.invitations.consume(taken.id), taken, 'the invitation, taken again')
  }).needing('invitations'),
  test('transactions/users-unchanged: take back users who were disabled, moved and anonymized by work that fails', async (world: World) => {
    const { storage, newLogin, newIdentity } = world
    const [disabled, moved, anonymized] = [await newLogin(), await newLogin(), await newLogin()]
    const [to, instead] = [newIdentity('another issuer'), newIdentity()]
    const error = await runFailing(world, async ({ users }) => {
      await users.setDisabled(disabled.userId, true)
      await users.moveIdentity(moved.person, to)
      await users.anonymize(anonymized.userId, instead)
      expect.same((await findUser(users, to))?.id, moved.userId, 'the user who was moved, in the work')
      expect.absent(await findUser(users, anonymized.person), 'the user of the old identity, in the work')
    })
    expect.same(String(error), ON_PURPOSE, 'the reason')
    for (const { person, user } of [disabled, moved, anonymized]) {
      expect.same(await findUser(storage.users, person), user, 'a user, as before')
    }
    for (const identity of [to, instead]) {
      expect.absent(await findUser(storage.users, identity), 'the user of an identity of the work')
    }
  }).needing('userAdmin'),
  test('transactions/orgs-unchanged: take back organizations that were renamed and removed by work that fails, and what went with them', async (world: World) => {
    const { storage, newMember, callerOf } = world
    const [renamed, removed] = [await newMember(), await newMember()]
    const find = async ({ orgs, memberships }: Repositories) => [
      ...[await orgs.findById(renamed.orgId), await orgs.findById(removed.orgId)],
      await memberships.findActing(await callerOf(removed.userId), removed.orgId),
    ]
    const before = await find(storage)
    const error = await runFailing(world, async ({ orgs }) => {
      await orgs.findLocked(renamed.orgId)
      await orgs.rename(renamed.orgId, 'Another')
      expect.same(await orgs.remove(removed.orgId), true, 'the removal')
      expect.absent(await orgs.findById(removed.orgId), 'the removed organization, in the work')
    })
    expect.same(String(error), ON_PURPOSE, 'the reason')
    expect.same(await find(storage), before, 'the organizations and the membership')
  }).needing('organizationAdmin'),
  test('transactions/keys-unchanged: take back API keys that were made and revoked by work that fails, and store those of work that does not', async (world: World) => {
    const { storage, newOrg, newUser, transaction } = world
    const [{ id: orgId }, { id: createdBy }] = [await newOrg(), await newUser()]
    const owner: ApiKeyOwner = { kind: 'org', orgId }
    const key = await storage.apiKeys.insert(newKeyOf(orgId, { createdBy }))
    const [made, at] = [newKeyOf(orgId), new Date('2026-11-21T10:00:00.000Z')]
    const work = async ({ apiKeys }: Repositories): Promise<void> => {
      await apiKeys.insert(made)
      expect.same(await apiKeys.revokeCreatedBy(owner, createdBy, at), [key.id], 'the keys that were revoked')
      expect.found(await apiKeys.findById(made.id), 'the new key, in the work')
    }
    expect.same(String(await runFailing(world, work)), ON_PURPOSE, 'the reason')
    expect.same(await storage.apiKeys.findById(key.id), key, 'the key, as before')
    expect.absent(await storage.apiKeys.findById(made.id), 'the new key')
    await transaction(work)
    expect.same((await storage.apiKeys.findById(key.id))?.revokedAt, at, 'when the key was revoked')
    expect.found(await storage.apiKeys.findById(made.id), 'the new key')
  }).needing('apiKeys'),
]

/** The work catches a ConflictError of this and goes on: all of it is stored, or the transaction rejects. */
async function expectWhole(world: World, work: (inner: Repositories) => Promise<unknown>): Promise<void> {
  const { ended, written, left } = await writeAnd(world, async (inner) => {
    await expect.conflict(work(inner), 'the second of two')
  })
  if (ended.status === 'rejected') expect.that(!isSentence(ended.reason), 'a ConflictError', ended.reason)
  const wanted = ended.status === 'fulfilled' ? Object.keys(written.lookUps) : []
  expect.same(left, wanted, `what is stored of a transaction that was ${ended.status}`)
}

// Of an expectation in the work, not of the storage.
function isSentence(reason: unknown): boolean {
  return reason instanceof Error && !isConflictError(reason) && reason.message.startsWith('expected ')
}

const CAUGHT_CASES: Cases<World> = [
  test('transactions/caught-conflict-invitation: the same, where the address was invited already', async (world: World) => {
    const { orgId, email } = await world.invite()
    const again = await world.newInvitation({ orgId, email, secretHash: newHash() })
    await expectWhole(world, ({ invitations }) => invitations.insert(again))
  }).needing('invitations'),
  test('transactions/caught-conflict-identity: the same, where somebody is moved to an identity that is taken', async (world: World) => {
    const [one, other] = [await world.newLogin(), await world.newLogin()]
    await expectWhole(world, ({ users }) => users.moveIdentity(one.person, other.person))
  }).needing('userAdmin'),
  test('transactions/caught-conflict-org: the same, where the id of an organization is taken', async (world: World) => {
    const { id } = await world.newOrg()
    await expectWhole(world, ({ orgs }) => orgs.insert({ id, name: 'Other' }))
  }).needing('givenOrgIds'),
  test('transactions/caught-conflict-key: the same, where the id of an API key is taken', async (world: World) => {
    const key = newKeyOf((await world.newOrg()).id)
    await world.storage.apiKeys.insert(key)
    await expectWhole(world, ({ apiKeys }) => apiKeys.insert(key))
  }).needing('apiKeys'),
]

const EMAIL_CASES: Cases<World> = [
  test('transactions/email-unchanged: take back the e-mail that work wrote which fails', async (world: World) => {
    const { person, user } = await world.newLogin()
    await runFailing(world, ({ users }) => users.setEmail(user.id, newEmail()))
    expect.same(await findUser(world.users, person), user, 'the user, as before')
  }).needing('setEmail'),
]

export const PEOPLE_CASES: Cases<World> = [...UNCHANGED_CASES, ...EMAIL_CASES, ...CAUGHT_CASES]
