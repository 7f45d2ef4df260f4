/** The promises of the unit of work: everything or nothing, once, unseen until it is there. */
import { ConflictError, isConflictError, TransientError } from '../../../storage/storage-errors.ts'
import { type Cases, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { idsOf, pause, RACERS, race } from '../races.ts'
import type { Repositories, World } from '../storage-world.ts'
import { GUARD_CASES } from './guard-cases.ts'
import { KEY_CASES } from './key-cases.ts'
import { LOCK_CASES } from './lock-cases.ts'
import { PEOPLE_CASES } from './people-cases.ts'
import { expectAll, kindsIn, runFailing, runOnce, writeAnd, writeRows } from './units-of-work.ts'

const CASES: Cases<World> = [
  test("transactions/value: fulfil with the work's value, the very same, and run the work once", async (world) => {
    for (const value of [{ some: 'object' }, undefined, null, 0]) {
      const ended = await runOnce<unknown>(world, () => value)
      expect.that(ended.status === 'fulfilled' && ended.value === value, 'the value of the work', ended)
    }
  }),
  test("transactions/error: reject with the work's error, the very same, and run the work once", async (world) => {
    // One that another try might mend, too: that is the caller's business.
    const ours = [new TransientError('for the moment'), new ConflictError('taken')]
    for (const thrown of [new Error('the work failed'), ...ours, Object.freeze({ code: 'E_HOST' }), undefined]) {
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

export const TRANSACTION_CASES: Cases<World> = [
  ...CASES,
  ...ATOMIC_CASES,
  ...CONCURRENT_CASES,
  ...PEOPLE_CASES,
  ...GUARD_CASES,
  ...KEY_CASES,
  ...LOCK_CASES,
]
