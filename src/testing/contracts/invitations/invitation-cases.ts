/** The promises of the invitation repository: one per address and org, as it was given, in order, taken by one caller. */
import type { Invitation } from '../../../storage/repositories.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { byId, idsOf, RACERS, race } from '../races.ts'
import { expectCopies, INVITED_AT, INVITED_UNTIL, longEmail, newEmail, newHash, type World } from '../storage-world.ts'
import { REMOVAL_CASES } from './removal-cases.ts'
import { REPLACEMENT_CASES } from './replacement-cases.ts'

/** Every way to find an invitation, and what each answers. */
async function findAll({ invitations }: World, wanted: Invitation, secretHash: string): Promise<readonly unknown[]> {
  const [byEmail, byOrg] = [await invitations.listByEmail(wanted.email, 100), await invitations.listByOrg(wanted.orgId)]
  return [
    await invitations.findById(wanted.id),
    await invitations.findBySecretHash(secretHash),
    byEmail.find(({ id }) => id === wanted.id),
    byOrg.find(({ id }) => id === wanted.id),
  ]
}

const RECORD_CASES: Cases<World> = [
  test('invitations/found-after-insert: find an invitation by id, by the hash of its secret, by address and by org, as insert returned it', async (world) => {
    const { invitations, newInvitation, newUser } = world
    for (const invitedBy of [(await newUser()).id, null]) {
      const [given, secretHash] = [await newInvitation({ invitedBy }), newHash()]
      const { id, ...rest } = await invitations.insert({ ...given, secretHash })
      expect.that(typeof id === 'string' && id !== '', 'an id', id)
      const { secretHash: _, ...wanted } = given
      expect.same(rest, wanted, 'the invitation, without the hash of its secret')
      for (const found of await findAll(world, { id, ...wanted }, secretHash)) {
        expect.same(found, { id, ...wanted }, 'the invitation, found')
      }
    }
  }),
  test('invitations/normalized: keep the address trimmed and in lower case, and find it so', async (world) => {
    const { invitations, invite } = world
    const email = newEmail()
    const inserted = await invite({ email: ` ${email.toUpperCase()}\t` })
    expect.same(inserted.email, email, 'the address')
    expect.same(await invitations.listByEmail(email, 10), [inserted], 'the invitations of the address')
    expect.same(await invitations.listByEmail(newEmail(), 10), [], 'the invitations of another address')
    const given = longEmail()
    const long = await invite({ email: given })
    expect.same(long.email, given, 'a long address')
    expect.same(await invitations.listByEmail(given, 10), [long], 'the invitations of a long address')
  }),
  test('invitations/instants-exact: keep both instants as they were given, to the millisecond, and as a Date', async (world) => {
    const { invitations, invite } = world
    for (const odd of ['1999-12-31T23:59:59.999Z', '2026-11-20T10:00:00.001Z', '2038-01-19T03:14:08.998Z']) {
      const { id } = await invite({ createdAt: new Date(odd), expiresAt: new Date(Date.parse(odd) + 1) })
      const found = expect.found(await invitations.findById(id), 'the invitation')
      for (const [at, more] of [
        [found.createdAt, 0],
        [found.expiresAt, 1],
      ] as const) {
        expect.that(at instanceof Date && at.getTime() === Date.parse(odd) + more, `${odd} and ${more} ms, a Date`, at)
      }
    }
  }),
  test('invitations/insert-twice: refuse an address already invited into that org, however it is written, and leave the first', async (world) => {
    const { invitations, invite, top } = world
    const first = await invite()
    const { orgId, email, id } = first
    for (const again of [email, ` ${email.toUpperCase()}`]) {
      await expect.conflict(invite({ orgId, email: again, role: top }), 'a second invitation')
    }
    expect.same(await invitations.findById(id), first, 'the first invitation, unchanged')
    expect.same(await invitations.listByOrg(orgId), [first], 'the invitations into the org')
  }),
  test(`invitations/insert-race: let one of ${RACERS} concurrent invitations of an address win; the others get a ConflictError`, async (world) => {
    const { invitations, newInvitation } = world
    const given = await newInvitation()
    const winner = expect.oneWinner(await race(RACERS, () => invitations.insert({ ...given })), 'invitation')
    expect.same(await invitations.listByOrg(given.orgId), [winner], 'the invitations into the org')
  }),
  test('invitations/insert-unknown: refuse an invitation into an org that does not exist', async (world) => {
    const { invitations, invite, newId } = world
    const [orgId, email] = [newId(), newEmail()]
    await expect.rejected(invite({ orgId, email }), 'an invitation into an unknown org')
    expect.same(await invitations.listByEmail(email, 10), [], 'the invitations of the address')
  }),
  test('invitations/deleted-org: treat those of a deleted org as if they had never been', async (world: World) => {
    const { invitations, invite, deleteOrg } = world
    const secretHash = newHash()
    const { id, orgId, email } = await invite({ secretHash })
    await deleteOrg(orgId)
    expect.absent(await invitations.findById(id), 'an invitation into a deleted org')
    expect.absent(await invitations.findBySecretHash(secretHash), 'the same, by its secret')
    expect.same(await invitations.listByOrg(orgId), [], 'the invitations into a deleted org')
    const second = await invite({ email })
    expect.same(await invitations.listByEmail(email, 10), [second], 'the invitation into the org that exists')
    expect.absent(await invitations.consume(id), 'taking an invitation into a deleted org')
    await expect.rejected(invite({ orgId }), 'an invitation into a deleted org')
  }).needing('deleteOrg'),
  test('invitations/roles-exact: store and return role names exactly, known or not', async (world) => {
    const { invitations, invite, oddRoles } = world
    for (const role of oddRoles) {
      const { id } = await invite({ role })
      expect.same((await invitations.consume(id))?.role, role, 'the role of the invitation')
    }
  }),
  test('invitations/hostile-ids: find, list and take nothing by a hostile address, hash or id, and never throw', async (world) => {
    const { invitations, invite, newId } = world
    const secretHash = newHash()
    const inserted = await invite({ secretHash })
    // Without a link: what stands for "none" is no hash that somebody could hold.
    await invite()
    const ids = [newId(), ...expect.hostileIds(inserted.id)]
    await expect.none('findById', ids, (id) => invitations.findById(id))
    await expect.none('consume', ids, (id) => invitations.consume(id))
    await expect.none('listByOrg', expect.hostileIds(inserted.orgId), (id) => invitations.listByOrg(id), [])
    const hashes = [newHash(), secretHash.toUpperCase(), ...expect.hostileIds(secretHash)]
    await expect.none('findBySecretHash', hashes, (hash) => invitations.findBySecretHash(hash))
    await expect.none('listByEmail', expect.hostileIds(), (text) => invitations.listByEmail(text, 10), [])
    expect.same(await invitations.findById(inserted.id), inserted, 'the invitation, unchanged')
  }),
  test('invitations/copies: return copies of invitations, Dates included', async (world) => {
    const { invitations, newInvitation } = world
    const input = { ...(await newInvitation()), createdAt: new Date(INVITED_AT), expiresAt: new Date(INVITED_UNTIL) }
    const { email, orgId } = input
    const inserted = await invitations.insert(input)
    const stored = structuredClone({ ...inserted })
    const lookUps = [() => invitations.findById(stored.id), () => invitations.listByEmail(email, 10)]
    await expectCopies([inserted, input], [...lookUps, () => invitations.listByOrg(orgId)])
    expect.same(await invitations.consume(stored.id), stored, 'the invitation taken')
  }),
]

const later = (milliseconds: number): Date => new Date(INVITED_AT.getTime() + milliseconds)

/** By creation, then id. */
const inOrder = (all: readonly Invitation[]): readonly string[] =>
  idsOf([...all].sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || byId(a, b)))

const LIST_CASES: Cases<World> = [
  test('invitations/list-by-email: list those of an address by creation, then id, into whatever org and expired ones too; no more than the limit', async (world) => {
    const { invitations, invite } = world
    const email = newEmail()
    await invite()
    const written: Invitation[] = []
    for (const milliseconds of [3, 1, 2, 1, 3, 1]) {
      const createdAt = later(milliseconds)
      written.push(await invite({ email, createdAt, expiresAt: new Date(createdAt.getTime() + milliseconds) }))
    }
    const wanted = inOrder(written)
    for (const limit of [100, 6, 5, 1]) {
      const listed = idsOf(await invitations.listByEmail(email, limit))
      expect.same(listed, wanted.slice(0, limit), `the first ${limit} invitations of the address`)
    }
  }),
  test('invitations/list-live: list those of an address that have not expired at an instant, whatever clock the storage has; expired ones take none of the places', async (world) => {
    const { invitations, invite } = world
    const email = newEmail()
    const written: Invitation[] = []
    for (const milliseconds of [1, 2, 3, 4, 5]) {
      const [createdAt, expiresAt] = [later(milliseconds), later(milliseconds + 10)]
      written.push(await invite({ email, createdAt, expiresAt }))
    }
    for (const [instant, live] of [
      [10, written],
      [12, written.slice(2)],
      [15, []],
    ] as const) {
      for (const limit of [100, 2]) {
        const listed = idsOf(await invitations.listByEmail(email, limit, later(instant)))
        expect.same(listed, idsOf(live).slice(0, limit), `the first ${limit} that are live after ${instant} ms`)
      }
    }
  }),
  test('invitations/list-by-org: list those into an org by creation, then id, expired ones too, and of that org only', async (world) => {
    const { invitations, invite, newOrg } = world
    const { id: orgId } = await newOrg()
    await invite()
    const written: Invitation[] = []
    for (const milliseconds of [3, 1, 2, 1, 3, 1]) {
      const createdAt = later(milliseconds)
      written.push(await invite({ orgId, createdAt, expiresAt: new Date(createdAt.getTime() + milliseconds) }))
    }
    expect.same(idsOf(await invitations.listByOrg(orgId)), inOrder(written), 'the invitations into the org')
    expect.same(await invitations.listByOrg((await newOrg()).id), [], 'the invitations into another org')
  }),
]

const CONSUME_CASES: Cases<World> = [
  test('invitations/consume-once: hand the invitation to who takes it, once; afterwards the address may be invited again', async (world) => {
    const { invitations, invite, top } = world
    const secretHash = newHash()
    const inserted = await invite({ secretHash })
    const { id, orgId, email } = inserted
    expect.same(await invitations.consume(id), inserted, 'the invitation taken')
    expect.absent(await invitations.consume(id), 'the invitation, taken again')
    expect.absent(await invitations.findById(id), 'the invitation after it was taken')
    expect.absent(await invitations.findBySecretHash(secretHash), 'the same, by its secret')
    expect.same(await invitations.listByEmail(email, 10), [], 'the invitations of the address')
    const again = await invite({ orgId, email, role: top })
    expect.same(await invitations.listByOrg(orgId), [again], 'the invitations into the org')
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
    expect.same(await invitations.findById(sameOrg.id), sameOrg, 'the invitation of another address')
    expect.same(await invitations.findById(sameAddress.id), sameAddress, 'the invitation into another org')
  }),
  test('invitations/expired-found: find and hand out what has expired by any clock: that is the caller’s to say', async (world) => {
    const { invitations, invite } = world
    const [createdAt, expiresAt] = ['1999-01-01T00:00:00.000Z', '1999-01-02T00:00:00.000Z'].map((at) => new Date(at))
    const secretHash = newHash()
    const inserted = await invite({ createdAt: createdAt as Date, expiresAt: expiresAt as Date, secretHash })
    for (const found of await findAll(world, inserted, secretHash)) {
      expect.same(found, inserted, 'an invitation that has expired')
    }
    expect.same(await invitations.consume(inserted.id), inserted, 'the same, taken')
  }),
]

export const INVITATION_CASES: Cases<World> = needing('invitations', [
  ...RECORD_CASES,
  ...REPLACEMENT_CASES,
  ...LIST_CASES,
  ...CONSUME_CASES,
  ...REMOVAL_CASES,
])
