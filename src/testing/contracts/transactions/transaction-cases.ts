/** The promises of the unit of work: everything or nothing, once, unseen until it is there. */
import type { MembershipAdmin } from '../../../storage/repositories.ts'
import { isConflictError, isTransientError } from '../../../storage/storage-errors.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { settled } from '../expectations.ts'
import { idsOf, type Joined, pause, RACERS, type Repositories, race, retried, type World } from '../storage-world.ts'

/** Run a unit of work that does this and then fails; hands on what the transaction is rejected with. */
function runFailing({ transaction }: World, work: (inner: Repositories) => Promise<unknown>): Promise<unknown> {
  const failing = transaction(async (inner) => {
    await work(inner)
    throw new Error('on purpose')
  })
  return expect.rejected(failing, 'a transaction whose work fails')
}

const CASES: Cases<World> = [
  test("transactions/value: fulfil with the work's value, the very same, and run the work once", async (world) => {
    const { storage, newPerson } = world
    for (const value of [{ some: 'object' }, undefined, null, 0]) {
      let runs = 0
      const got = await retried(() => {
        runs = 0
        return storage.transaction(async ({ users }) => {
          runs++
          await users.upsertByIdentity(newPerson())
          return value
        })
      })
      expect.that(got === value, 'the value of the work', got)
      expect.that(runs === 1, 'the work to run once', runs)
    }
  }),
  test("transactions/error: reject with the work's error, the very same, and run the work once", async (world) => {
    const { storage, newPerson } = world
    for (const thrown of [new Error('the work failed'), Object.freeze({ code: 'E_HOST' }), undefined]) {
      let runs = 0
      const failing = retried(() => {
        runs = 0
        return storage.transaction(async ({ users }) => {
          runs++
          await users.upsertByIdentity(newPerson())
          throw thrown
        })
      })
      const error = await expect.rejected(failing, 'a transaction whose work fails')
      expect.that(error === thrown, 'the error of the work, untouched', error)
      expect.that(runs === 1, 'the work to run once', runs)
    }
  }),
  test('transactions/own-writes: show the work its own writes, and what was there before', async (world) => {
    const { newOrg, newMember, callerOf, low, join, whatIsThere, transaction } = world
    const org = await newOrg()
    const member = await callerOf(await newMember(org.id))
    await transaction(async (inner) => {
      const joined = await join(inner)
      expect.same(await whatIsThere(inner, joined), joined.rows, 'what the work wrote')
      expect.same(await inner.orgs.findById(org.id), org, 'an org that was there before')
      expect.same((await inner.memberships.findActing(member, org.id))?.role, low, 'the role of its member')
      const acting = await inner.memberships.listActing({ kind: 'user', user: joined.user })
      expect.that(acting.length <= 1, 'at most the one org of the new user', acting)
    })
  }),
  test('transactions/committed: have stored everything the work wrote when it fulfils', async (world) => {
    const { storage, join, whatIsThere, transaction } = world
    const joined = await transaction((inner) => join(inner))
    expect.same(await whatIsThere(storage, joined), joined.rows, 'what the work wrote')
  }),
  test('transactions/unseen-outside: NOT show others what the work wrote before it is committed; they may wait for it', async (world) => {
    const { storage, join, whatIsThere, transaction } = world
    let early: unknown = []
    let ended = false
    let outside: Promise<unknown> = Promise.resolve()
    await transaction(async (inner) => {
      ended = false
      const joined = await join(inner)
      outside = whatIsThere(storage, joined).then((seen) => {
        if (!ended) early = seen
      })
      await Promise.race([outside, pause(50)])
      ended = true
    })
    await outside
    expect.same(early, [], 'what others see during the work')
  }),
  test('transactions/goes-on: go on after failed transactions: no lock and no connection stays behind', async (world) => {
    const { storage, newUser, join, whatIsThere, transaction } = world
    for (let count = 0; count < 15; count++) {
      await runFailing(world, ({ orgs }) => orgs.insert({ name: 'never' }))
    }
    const joined = await transaction((inner) => join(inner))
    expect.same(await whatIsThere(storage, joined), joined.rows, 'what the next transaction stored')
    await newUser()
  }),
]

const ATOMIC_CASES: Cases<World> = [
  test('transactions/nothing-left: leave no user, org, membership or invitation of work that fails', async (world) => {
    const { storage, join, whatIsThere } = world
    let joined: Joined | undefined
    await runFailing(world, async (inner) => {
      joined = await join(inner)
    })
    expect.same(await whatIsThere(storage, expect.found(joined, 'the work to run')), [], 'what is left of it')
    const again = await storage.users.upsertByIdentity({ ...expect.found(joined, '').identity, email: null })
    expect.same(again.created, true, 'whether the person is new to the next upsert')
  }),
  test('transactions/unseen-when-failed: NOT show others anything of work that fails in the end, whenever they look', async (world) => {
    const { storage, join, whatIsThere } = world
    let outside: Promise<unknown> | undefined
    await runFailing(world, async (inner) => {
      outside = whatIsThere(storage, await join(inner))
      await Promise.race([outside, pause(50)])
    })
    expect.same(await outside, [], 'what others saw of it')
  }),
  test('transactions/conflict: reject with the ConflictError of a write inside, and leave nothing', async (world) => {
    const { storage, newOrg, newMember, low, transaction, join, whatIsThere } = world
    const { id: orgId } = await newOrg()
    const { id: userId } = await newMember(orgId)
    let joined: Joined | undefined
    const failing = transaction(async (inner) => {
      joined = await join(inner)
      await inner.memberships.insert({ orgId, userId, role: low })
    })
    await expect.conflict(failing, 'a transaction with a second membership')
    expect.same(await whatIsThere(storage, expect.found(joined, 'the work to run')), [], 'what is left of it')
  }),
  test('transactions/caught-conflict: either have stored everything or reject, where the work caught a ConflictError and went on', async (world) => {
    const { storage, newOrg, newMember, low, transaction, join, whatIsThere } = world
    const { id: orgId } = await newOrg()
    const { id: userId } = await newMember(orgId)
    let joined: Joined | undefined
    const working = transaction(async (inner) => {
      joined = await join(inner)
      await inner.memberships.insert({ orgId, userId, role: low }).catch((error: unknown) => {
        if (!isConflictError(error)) throw error
      })
    })
    const { status } = await settled(working)
    const seen = await whatIsThere(storage, expect.found(joined, 'the work to run'))
    const wanted = status === 'fulfilled' ? expect.found<Joined>(joined, 'the work to run').rows : []
    expect.same(seen, wanted, `what is stored of a transaction that was ${status}`)
  }),
]

// A storage may refuse one of several at once with a `TransientError`: the world's `transaction` tries it again.
const CONCURRENT_CASES: Cases<World> = [
  test(`transactions/first-login-race: make one user and one org of ${RACERS} concurrent first logins of one person`, async (world) => {
    const { storage, callerOf, top, transaction, newPerson } = world
    const person = newPerson()
    const results = await race(RACERS, () =>
      transaction(async ({ users, orgs, memberships }) => {
        const { user, created } = await users.upsertByIdentity(person)
        if (!created) return { user, orgId: null }
        const { id: orgId } = await orgs.insert({ name: 'Acme' })
        await memberships.insert({ orgId, userId: user.id, role: top })
        return { user, orgId }
      }),
    )
    const logins = expect.allFulfilled(results, 'login')
    expect.that(new Set(logins.map(({ user }) => user.id)).size === 1, 'one user', logins)
    const orgIds = logins.map(({ orgId }) => orgId).filter((orgId) => orgId !== null)
    expect.that(orgIds.length === 1, 'one org', orgIds)
    const acting = await storage.memberships.listActing(await callerOf(expect.found(logins[0], 'a login').user))
    expect.same(idsOf(acting.map(({ org }) => org)), orgIds, 'what the user may act in')
  }),
  test('transactions/many-at-once: complete 40 transactions that are started at once, also with few connections', async (world) => {
    const { storage, join, whatIsThere, transaction } = world
    const results = await race(40, () => transaction((inner) => join(inner)))
    for (const joined of expect.allFulfilled(results, 'transaction')) {
      expect.same(await whatIsThere(storage, joined), joined.rows, 'what each has stored')
    }
  }),
]

const ADMIN_CASES: Cases<World> = needing('admin', [
  test('transactions/nothing-changed: take back changed roles, removed memberships and consumed invitations of work that fails', async (world) => {
    const { storage, invite, newMember, top } = world
    const invitation = await invite()
    const { orgId, email } = invitation
    const [changed, removed] = [await newMember(orgId), await newMember(orgId)]
    const before = await storage.memberships.listByOrg(orgId)
    const error = await runFailing(world, async ({ memberships, invitations }) => {
      await memberships.setRole(orgId, changed.id, top)
      await memberships.remove(orgId, removed.id)
      const taken = await invitations.consume(invitation.id)
      expect.same([taken?.id, await invitations.consume(invitation.id)], [invitation.id, null], 'the one taking of it')
    })
    expect.same(String(error), 'Error: on purpose', 'the reason')
    expect.same(await storage.memberships.listByOrg(orgId), before, 'the memberships')
    expect.same(await storage.invitations.findPending(email), invitation, 'the invitation, pending again')
    expect.same(await storage.invitations.consume(invitation.id), invitation, 'the invitation, taken again')
  }),
  test('transactions/consume-race: let one of several transactions that take one invitation have it', async (world) => {
    const { storage, invite, newUser, transaction } = world
    const { id, orgId } = await invite()
    const users = await Promise.all(Array.from({ length: 8 }, newUser))
    const results = await race(users.length, (index) =>
      transaction(async ({ invitations, memberships }) => {
        const taken = await invitations.consume(id)
        const userId = users[index]?.id ?? ''
        return taken === null ? null : await memberships.insert({ orgId, userId, role: taken.role })
      }),
    )
    expect.allFulfilled(results, 'transaction')
    const joined = await storage.memberships.listByOrg(orgId)
    expect.that(joined.length === 1, 'one member by one invitation', joined)
  }),
  test('transactions/keep-race: leave one holder of a role where two let go of it in transactions of their own', async (world) => {
    const { storage, newOrg, newMember, top, low, transaction } = world
    for (let round = 0; round < 10; round++) {
      const { id: orgId } = await newOrg()
      const owners = [await newMember(orgId, top), await newMember(orgId, top)]
      const results = await race(owners.length, (index) =>
        transaction(({ memberships }) => memberships.setRole(orgId, owners[index]?.id ?? '', low, { keep: top })),
      )
      expect.same([...expect.allFulfilled(results, 'change')].sort(), ['done', 'last'], 'what became of the two')
      const left = (await storage.memberships.listByOrg(orgId)).filter(({ role }) => role === top)
      expect.that(left.length === 1, 'one holder to remain', left)
    }
  }),
  ...needing<World>('deadlock', [
    test('transactions/deadlock: let one of two transactions that wait for each other have its way, and reject the other with a TransientError', async (world) => {
      const { storage, newOrg, newMember, top, low, transaction } = world
      const orgs = [(await newOrg()).id, (await newOrg()).id]
      const members = [(await newMember(orgs[0] ?? '', low)).id, (await newMember(orgs[1] ?? '', low)).id]
      const promote = (memberships: MembershipAdmin, index: number): Promise<unknown> =>
        memberships.setRole(orgs[index] ?? '', members[index] ?? '', top)
      let arrivals = 0
      let meet: () => void = () => undefined
      const met = new Promise<void>((resolve) => {
        meet = resolve
      })
      const works = [0, 1].map((index) => async (inner: Repositories): Promise<string> => {
        const { id } = await inner.orgs.insert({ name: 'Acme' })
        await promote(inner.memberships, index)
        if (++arrivals === 2) meet()
        // Where transactions run one after another, the other does not come.
        await Promise.race([met, pause(500)])
        await promote(inner.memberships, 1 - index)
        return id
      })
      const results = await Promise.all(works.map((work) => settled(storage.transaction(work))))
      const lost = works.filter((_, index) => results[index]?.status === 'rejected')
      expect.that(lost.length < works.length, 'one of the two to be fulfilled', results)
      for (const result of results) {
        if (result.status === 'fulfilled') expect.found(await storage.orgs.findById(result.value), 'what it wrote')
        else
          expect.that(isTransientError(result.reason), 'the other to be rejected with a TransientError', result.reason)
      }
      for (const work of lost)
        expect.found(await storage.orgs.findById(await transaction(work)), 'what it wrote, again')
      for (const [index, orgId] of orgs.entries()) {
        expect.same((await storage.memberships.find(orgId, members[index] ?? ''))?.role, top, 'the role')
      }
    }),
  ]),
])

export const TRANSACTION_CASES: Cases<World> = [...CASES, ...ATOMIC_CASES, ...CONCURRENT_CASES, ...ADMIN_CASES]
