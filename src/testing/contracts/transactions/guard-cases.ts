/** Cases of the transaction contract: what only one of several transactions may have, and two that wait for each other. */
import type { Membership } from '../../../storage/repositories.ts'
import { isTransientError } from '../../../storage/storage-errors.ts'
import { type Cases, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { expectOneStays } from '../memberships/keep-cases.ts'
import { pause } from '../races.ts'
import type { Repositories, World } from '../storage-world.ts'

export const GUARD_CASES: Cases<World> = [
  test('transactions/consume-race: let one of several transactions that take one invitation have it', async (world: World) => {
    const { findMember, invite, newUser, transaction } = world
    const { id, orgId } = await invite()
    const users = await Promise.all(Array.from({ length: 8 }, newUser))
    const takings = users.map(({ id: userId }) =>
      transaction(async ({ invitations, memberships }) => {
        const taken = await invitations.consume(id)
        return taken === null ? null : await memberships.insert({ orgId, userId, role: taken.role })
      }),
    )
    const joined = expect.allFulfilled(await Promise.allSettled(takings), 'transaction').filter((each) => each !== null)
    expect.that(joined.length === 1, 'one member by one invitation', joined)
    for (const { id: userId } of users) {
      const isMember = (await findMember(orgId, userId)) !== null
      expect.same(isMember, userId === joined[0]?.userId, 'who is a member')
    }
  }).needing('invitations'),
  test('transactions/keep-race: leave one holder of a role where two let go of it in transactions of their own', (world: World) =>
    expectOneStays(
      world,
      2,
      () =>
        ({ transaction, top, low }, orgId, userId) =>
          transaction(({ memberships }) => memberships.setRole(orgId, userId, low, { keep: top })),
    )).needing('membershipAdmin'),
  test('transactions/keep-handed-over: keep a role with who was handed it in a transaction, whoever takes it from them at that moment', async (world: World) => {
    const { storage, newMember, top, low } = world
    const { orgId, userId } = await newMember({ role: top })
    const next = await newMember({ orgId, role: low })
    let taken: Promise<unknown> = Promise.resolve()
    await storage.transaction(async ({ memberships }) => {
      expect.same(await memberships.setRole(orgId, next.userId, top), 'done', 'the role given')
      expect.same(await memberships.remove(orgId, userId, { keep: top }), 'done', 'the role left')
      taken = expect.settled(storage.memberships.remove(orgId, next.userId, { keep: top }))
      // Whoever does not wait for this one is done by then.
      await pause(50)
    })
    await taken
    expect.same((await storage.memberships.find(orgId, next.userId))?.role, top, 'the role of its only holder')
  }).needing('membershipAdmin'),
  test('transactions/deadlock: let one of two transactions that wait for each other have its way, and reject the other with a TransientError', async (world: World) => {
    const { storage, newMember, top, transaction } = world
    const [one, other] = [await newMember(), await newMember()]
    const promote = ({ memberships }: Repositories, { orgId, userId }: Membership) =>
      memberships.setRole(orgId, userId, top)
    let arrivals = 0
    let meet: () => void = () => undefined
    const met = new Promise<void>((resolve) => {
      meet = resolve
    })
    const works = [one, other].map((first) => async (inner: Repositories) => {
      const { id } = await inner.orgs.insert({ name: 'Acme' })
      await promote(inner, first)
      if (++arrivals === 2) meet()
      // Where transactions run one after another, the other does not come.
      await Promise.race([met, pause(500)])
      await promote(inner, first === one ? other : one)
      return id
    })
    const results = await Promise.allSettled(works.map((work) => storage.transaction(work)))
    const lost = works.filter((_, index) => results[index]?.status === 'rejected')
    expect.that(lost.length < works.length, 'one of the two to be fulfilled', results)
    for (const result of results) {
      if (result.status === 'fulfilled') expect.found(await storage.orgs.findById(result.value), 'what it wrote')
      else expect.that(isTransientError(result.reason), 'the other to be rejected with a TransientError', result)
    }
    for (const work of lost) expect.found(await storage.orgs.findById(await transaction(work)), 'what it wrote, again')
    for (const { orgId, userId } of [one, other]) {
      expect.same((await storage.memberships.find(orgId, userId))?.role, top, 'the role')
    }
  })
    .needing('membershipAdmin')
    .needing('deadlock'),
]
