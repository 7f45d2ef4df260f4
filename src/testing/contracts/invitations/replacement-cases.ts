/** Cases of the invitation contract: an invitation that has expired gives way to a new one, to one of several. */
import { type Cases, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { RACERS, race, retried } from '../races.ts'
import { INVITED_AT, INVITED_UNTIL, newHash, type World } from '../storage-world.ts'

const DAY = 24 * 3600 * 1000
const after = (instant: Date, milliseconds: number): Date => new Date(instant.getTime() + milliseconds)

export const REPLACEMENT_CASES: Cases<World> = [
  test('invitations/replaces-expired: let a new one take the place of one that had expired at its createdAt, at that very instant too', async (world) => {
    const { invitations, invite, top } = world
    for (const late of [0, 1, DAY]) {
      const { orgId, email } = await invite({ expiresAt: INVITED_UNTIL })
      const createdAt = after(INVITED_UNTIL, late)
      const second = await invite({ orgId, email, role: top, createdAt, expiresAt: after(createdAt, DAY) })
      expect.same(second.role, top, 'the role of the new one')
      expect.same(await invitations.listByOrg(orgId), [second], 'the invitations into the org')
      expect.same(await invitations.listByEmail(email, 10), [second], 'the invitations of the address')
      expect.same(await invitations.consume(second.id), second, 'the new one, taken')
    }
  }),
  test('invitations/replaced-by-its-own-clock: go by the createdAt of the new one, never by a clock of the storage', async (world) => {
    const { invitations, invite } = world
    // Long ago, and far ahead: by the storage's clock the first has expired, the second has not.
    const [past, future] = [new Date('1999-01-01T00:00:00.000Z'), new Date('2199-01-01T00:00:00.000Z')]
    const early = await invite({ createdAt: past, expiresAt: after(past, DAY) })
    const { orgId, email } = early
    await expect.conflict(invite({ orgId, email, createdAt: after(past, DAY - 1) }), 'one while the first was good')
    expect.same(await invitations.listByOrg(orgId), [early], 'the invitations into the org')
    const late = await invite({ createdAt: future, expiresAt: after(future, DAY) })
    const given = {
      orgId: late.orgId,
      email: late.email,
      createdAt: after(future, DAY),
      expiresAt: after(future, 2 * DAY),
    }
    const again = await invite(given)
    expect.same(await invitations.listByOrg(late.orgId), [again], 'the invitations into the other org')
  }),
  test('invitations/replaced-is-gone: give the new one an id of its own: neither the id nor the secret of the old one finds anything', async (world) => {
    const { invitations, invite } = world
    const [before, now] = [newHash(), newHash()]
    const first = await invite({ secretHash: before })
    const { orgId, email } = first
    const createdAt = after(INVITED_UNTIL, 1)
    const second = await invite({ orgId, email, secretHash: now, createdAt, expiresAt: after(createdAt, DAY) })
    expect.that(second.id !== first.id, 'another id than that of the old one', second.id)
    expect.absent(await invitations.findById(first.id), 'the old one')
    expect.absent(await invitations.findBySecretHash(before), 'the old one, by its secret')
    expect.absent(await invitations.consume(first.id), 'taking the old one')
    expect.same(await invitations.findBySecretHash(now), second, 'the new one, by its secret')
  }),
  test('invitations/replaces-no-other: replace the one of that address into that org only, expired as others are', async (world) => {
    const { invitations, invite } = world
    const { orgId, email } = await invite()
    const others = [await invite({ orgId }), await invite({ email })]
    const createdAt = after(INVITED_UNTIL, 1)
    await invite({ orgId, email, createdAt, expiresAt: after(createdAt, DAY) })
    for (const other of others) expect.same(await invitations.findById(other.id), other, 'another that has expired')
  }),
  test(`invitations/replace-race: let one of ${RACERS} take the place of an expired one; the others get a ConflictError`, async (world) => {
    const { invitations, newInvitation, invite } = world
    for (let round = 0; round < 5; round++) {
      const { orgId, email } = await invite({ createdAt: INVITED_AT, expiresAt: INVITED_UNTIL })
      const createdAt = after(INVITED_UNTIL, 1)
      const given = await newInvitation({ orgId, email, createdAt, expiresAt: after(createdAt, DAY) })
      const results = await race(RACERS, () => retried(() => invitations.insert({ ...given })))
      const winner = expect.oneWinner(results, 'invitation')
      expect.same(await invitations.listByOrg(orgId), [winner], 'the invitations into the org')
    }
  }),
]
