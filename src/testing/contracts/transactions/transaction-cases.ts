/** The promises of the unit of work: everything or nothing, once, unseen until it is there. */
import type { Membership } from '../../../storage/repositories.ts'
import { isConflictError, isTransientError } from '../../../storage/storage-errors.ts'
import { type Cases, needing, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { expectOneStays } from '../memberships/membership-cases.ts'
import { idsOf, pause, RACERS, race, retried } from '../races.ts'
import { newEmail, type Repositories, type World } from '../storage-world.ts'

/** What {@link writeRows} wrote. */
type Written = Awaited<ReturnType<typeof writeRows>>

/** Write one row of each kind, as a first login does: a user, an org, a membership, an invitation where the port can. */
async function writeRows({ newPerson, top, low, isAdmin, findMember }: World, inner: Repositories) {
  const [person, email] = [newPerson(), newEmail()]
  const { user } = await inner.users.upsertByIdentity(person)
  const { id: orgId } = await inner.orgs.insert({ name: 'Acme' })
  await inner.memberships.insert({ orgId, userId: user.id, role: top })
  if (isAdmin) await inner.invitations.insert({ orgId, email, role: low })
  /** By kind of row, how to look for it. */
  const lookUps: Record<string, (from: Repositories) => Promise<unknown>> = {
    person: ({ users }) => users.findByIdentity(person, { kind: 'unnamed' }),
    user: ({ users }) => users.findById(user.id),
    org: ({ orgs }) => orgs.findById(orgId),
    membership: (from) => findMember(orgId, user.id, from),
  }
  if (isAdmin) lookUps['invitation'] = ({ invitations }) => invitations.findPending(email)
  return { person, user, lookUps }
}

/** The kinds of the rows that are there. One look-up after another: a connection takes one query at a time. */
async function kindsIn(from: Repositories, { lookUps }: Written): Promise<readonly string[]> {
  const there: string[] = []
  for (const [kind, find] of Object.entries(lookUps)) if ((await find(from)) !== null) there.push(kind)
  return there
}

async function expectAll(from: Repositories, written: Written, what: string): Promise<void> {
  expect.same(await kindsIn(from, written), Object.keys(written.lookUps), what)
}

/** Write one row of each kind and go on with this, in a transaction: how it ended, and which of the rows are there then. */
async function writeAnd(world: World, work: (inner: Repositories) => Promise<unknown>) {
  let wrote: Written | undefined
  const working = world.transaction(async (inner) => {
    wrote = await writeRows(world, inner)
    await work(inner)
  })
  const ended = await expect.settled(working)
  const written = expect.found<Written>(wrote, 'the work to run')
  return { ended, written, left: await kindsIn(world.storage, written) }
}

/** Run a unit of work that does this and then fails; hands on what the transaction is rejected with. */
function runFailing({ transaction }: World, work: (inner: Repositories) => Promise<unknown>): Promise<unknown> {
  const failing = transaction(async (inner) => {
    await work(inner)
    throw new Error('on purpose')
  })
  return expect.rejected(failing, 'a transaction whose work fails')
}

/** Run a unit of work that writes and then ends in this way: how the transaction ends. Each try runs it once. */
async function runOnce<T>({ storage, newPerson }: World, end: () => T): Promise<PromiseSettledResult<T>> {
  let runs = 0
  const attempt = (): Promise<T> => {
    runs = 0
    return storage.transaction(async ({ users }) => {
      runs++
      await users.upsertByIdentity(newPerson())
      return end()
    })
  }
  const ended = await expect.settled(retried(attempt))
  expect.that(runs === 1, 'the work to run once', runs)
  return ended
}

const CASES: Cases<World> = [
  test("transactions/value: fulfil with the work's value, the very same, and run the work once", async (world) => {
    for (const value of [{ some: 'object' }, undefined, null, 0]) {
      const ended = await runOnce<unknown>(world, () => value)
      expect.that(ended.status === 'fulfilled' && ended.value === value, 'the value of the work', ended)
    }
  }),
  test("transactions/error: reject with the work's error, the very same, and run the work once", async (world) => {
    for (const thrown of [new Error('the work failed'), Object.freeze({ code: 'E_HOST' }), undefined]) {
      const ended = await runOnce(world, () => {
        throw thrown
      })
      expect.that(ended.status === 'rejected' && ended.reason === thrown, 'the error of the work, untouched', ended)
    }
  }),
  test('transactions/own-writes: show the work its own writes, and what was there before', async (world) => {
    const { newOrg, newMember, callerOf, low, transaction } = world
    const org = await newOrg()
    const member = await callerOf((await newMember({ orgId: org.id })).userId)
    await transaction(async (inner) => {
      const written = await writeRows(world, inner)
      await expectAll(inner, written, 'what the work wrote')
      expect.same(await inner.orgs.findById(org.id), org, 'an org that was there before')
      expect.same((await inner.memberships.findActing(member, org.id))?.role, low, 'the role of its member')
      const acting = await inner.memberships.listActing({ kind: 'user', user: written.user })
      expect.that(acting.length <= 1, 'at most the one org of the new user', acting)
    })
  }),
  test('transactions/committed: have stored everything the work wrote when it fulfils', async (world) => {
    const rows = await world.transaction((inner) => writeRows(world, inner))
    await expectAll(world.storage, rows, 'what the work wrote')
  }),
  test('transactions/unseen-outside: NOT show others what the work wrote before it is committed; they may wait for it', async (world) => {
    const { storage, transaction } = world
    let early: unknown = []
    let ended = false
    let outside: Promise<unknown> = Promise.resolve()
    await transaction(async (inner) => {
      ended = false
      outside = kindsIn(storage, await writeRows(world, inner)).then((seen) => {
        if (!ended) early = seen
      })
      await Promise.race([outside, pause(50)])
      ended = true
    })
    await outside
    expect.same(early, [], 'what others see during the work')
  }),
  test('transactions/goes-on: go on after failed transactions: no lock and no connection stays behind', async (world) => {
    for (let count = 0; count < 15; count++) {
      await runFailing(world, ({ orgs }) => orgs.insert({ name: 'never' }))
    }
    const rows = await world.transaction((inner) => writeRows(world, inner))
    await expectAll(world.storage, rows, 'what the next transaction stored')
    await world.newUser()
  }),
]
const ATOMIC_CASES: Cases<World> = [
  test('transactions/nothing-left: leave no user, org, membership or invitation of work that fails', async (world) => {
    const { ended, written, left } = await writeAnd(world, () => Promise.reject(new Error('on purpose')))
    expect.that(ended.status === 'rejected', 'a transaction whose work fails to be rejected', ended)
    expect.same(left, [], 'what is left of it')
    const again = await world.users.upsertByIdentity({ ...written.person, email: null })
    expect.same(again.created, true, 'whether the person is new to the next upsert')
  }),
  test('transactions/unseen-when-failed: NOT show others anything of work that fails in the end, whenever they look', async (world) => {
    let outside: Promise<unknown> | undefined
    await runFailing(world, async (inner) => {
      outside = kindsIn(world.storage, await writeRows(world, inner))
      await Promise.race([outside, pause(50)])
    })
    expect.same(await outside, [], 'what others saw of it')
  }),
  test('transactions/conflict: reject with the ConflictError of a write inside, and leave nothing', async (world) => {
    const { orgId, userId, role } = await world.newMember()
    const second = (inner: Repositories) => inner.memberships.insert({ orgId, userId, role })
    const { ended, left } = await writeAnd(world, second)
    const error = ended.status === 'rejected' && ended.reason
    expect.that(
      isConflictError(error),
      'a transaction with a second membership to be rejected with a ConflictError',
      ended,
    )
    expect.same(left, [], 'what is left of it')
  }),
  test('transactions/caught-conflict: either have stored everything or reject, where the work caught a ConflictError and went on', async (world) => {
    const { orgId, userId, role } = await world.newMember()
    const { ended, written, left } = await writeAnd(world, ({ memberships }) =>
      memberships.insert({ orgId, userId, role }).catch((error: unknown) => {
        if (!isConflictError(error)) throw error
      }),
    )
    const wanted = ended.status === 'fulfilled' ? Object.keys(written.lookUps) : []
    expect.same(left, wanted, `what is stored of a transaction that was ${ended.status}`)
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
    const acting = await storage.memberships.listActing(await callerOf(logins[0]?.user.id ?? ''))
    expect.same(idsOf(acting.map(({ org }) => org)), orgIds, 'what the user may act in')
  }),
  test('transactions/many-at-once: complete 40 transactions that are started at once, also with few connections', async (world) => {
    const results = await race(40, () => world.transaction((inner) => writeRows(world, inner)))
    for (const written of expect.allFulfilled(results, 'transaction')) {
      await expectAll(world.storage, written, 'what each has stored')
    }
  }),
]

const ADMIN_CASES: Cases<World> = needing('admin', [
  test('transactions/nothing-changed: take back changed roles, removed memberships and consumed invitations of work that fails', async (world) => {
    const { storage, invite, newMember, top } = world
    const invitation = await invite()
    const { id, orgId, email } = invitation
    const [changed, removed] = [await newMember({ orgId }), await newMember({ orgId })]
    const before = await storage.memberships.listByOrg(orgId)
    const error = await runFailing(world, async ({ memberships, invitations }) => {
      await memberships.setRole(orgId, changed.userId, top)
      await memberships.remove(orgId, removed.userId)
      const taken = await invitations.consume(id)
      expect.same([taken?.id, await invitations.consume(id)], [id, null], 'the one taking of it')
    })
    expect.same(String(error), 'Error: on purpose', 'the reason')
    expect.same(await storage.memberships.listByOrg(orgId), before, 'the memberships')
    expect.same(await storage.invitations.findPending(email), invitation, 'the invitation, pending again')
    expect.same(await storage.invitations.consume(id), invitation, 'the invitation, taken again')
  }),
  test('transactions/consume-race: let one of several transactions that take one invitation have it', async (world) => {
    const { storage, invite, newUser, transaction } = world
    const { id, orgId } = await invite()
    const users = await Promise.all(Array.from({ length: 8 }, newUser))
    const takings = users.map(({ id: userId }) =>
      transaction(async ({ invitations, memberships }) => {
        const taken = await invitations.consume(id)
        return taken === null ? null : await memberships.insert({ orgId, userId, role: taken.role })
      }),
    )
    const results = await Promise.allSettled(takings)
    expect.allFulfilled(results, 'transaction')
    const joined = await storage.memberships.listByOrg(orgId)
    expect.that(joined.length === 1, 'one member by one invitation', joined)
  }),
  test('transactions/keep-race: leave one holder of a role where two let go of it in transactions of their own', (world) =>
    expectOneStays(
      world,
      2,
      () =>
        ({ transaction, top, low }, orgId, userId) =>
          transaction(({ memberships }) => memberships.setRole(orgId, userId, low, { keep: top })),
    )),
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
  }).needing('deadlock'),
])

export const TRANSACTION_CASES: Cases<World> = [...CASES, ...ATOMIC_CASES, ...CONCURRENT_CASES, ...ADMIN_CASES]
