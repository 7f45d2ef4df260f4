/** The promises of the throttle's store: one state per key, several read and written as one, by one clock, forgotten in time. */
import type { ThrottleState, ThrottleStore } from '../../../storage/account-repositories.ts'
import { type Cases, type Closable, type Contract, createContract, test } from '../contract.ts'
import * as expect from '../expectations.ts'
import { expectCopies } from '../storage-world.ts'

/** A throttle's store to be tested. */
export interface ThrottleUnderTest extends Closable {
  readonly throttle: ThrottleStore
}

const NOW = new Date('2026-11-20T10:00:00.000Z')
const HOUR_MS = 3_600_000

function newKey(): string {
  return `account:${crypto.randomUUID().replaceAll('-', '')}`
}

/** A state with something in each of its numbers, good for a minute. */
function stateAt(now: number): ThrottleState {
  return {
    failures: 3,
    closedUntil: now + 1000,
    recent: [now - 5, now],
    pending: [now + 60_000],
    expiresAt: now + 60_000,
  }
}

/** The instant that `decide` is handed. */
function clockOf(store: ThrottleStore, now: Date = NOW): Promise<number> {
  return store.update([newKey()], now, (states, at) => ({ states, result: at }))
}

function put(store: ThrottleStore, key: string, state: ThrottleState | null): Promise<unknown> {
  return store.update([key], NOW, () => ({ states: [state], result: null }))
}

/** Put a state at a new key; hands on both. */
async function putNew(store: ThrottleStore) {
  const [key, state] = [newKey(), stateAt(await clockOf(store))]
  await put(store, key, state)
  return { key, state }
}

/** What `decide` is handed. */
async function read(store: ThrottleStore, key: string): Promise<ThrottleState | null> {
  return store.update([key], NOW, (states) => {
    const [state = null] = states
    return { states, result: structuredClone(state) }
  })
}

/** Count each of the keys up by one; hands on the counts. */
function count(store: ThrottleStore, keys: readonly string[]): Promise<readonly number[]> {
  return store.update(keys, NOW, (states, now) => {
    const counts = states.map((state) => (state?.failures ?? 0) + 1)
    return { states: counts.map((failures) => ({ ...stateAt(now), failures })), result: counts }
  })
}

const CASES: Cases<ThrottleStore> = [
  test('throttle/kept: hand `decide` the state that was written, every number of it, and return its result', async (store) => {
    const key = newKey()
    expect.absent(await read(store, key), 'the state of an unknown key')
    const state = stateAt(await clockOf(store))
    const result = await store.update([key], NOW, () => ({ states: [state], result: { kind: 'open' } }))
    expect.same(result, { kind: 'open' }, 'the result')
    expect.same(await read(store, key), state, 'the state')
    const next = { ...state, failures: 4, recent: [], pending: [] }
    await put(store, key, next)
    expect.same(await read(store, key), next, 'the state after another')
  }),
  test('throttle/removed: remove the state with `null`', async (store) => {
    const { key } = await putNew(store)
    await put(store, key, null)
    expect.absent(await read(store, key), 'the removed state')
  }),
  test('throttle/keys-apart: keep keys apart', async (store) => {
    const { key } = await putNew(store)
    for (const other of [newKey(), key.replace('account', 'address'), key.slice(0, -1), `${key}0`]) {
      expect.absent(await read(store, other), 'the state of another key')
    }
  }),
  test('throttle/several-keys: hand `decide` the states of up to three keys in their order, and write each: anew, changed, removed, the same', async (store) => {
    const [one, three, { key: two, state }] = [newKey(), newKey(), await putNew(store)]
    const other = { ...state, failures: 8 }
    await put(store, three, other)
    const found = await store.update([one, two, three], NOW, (states) => ({
      states: [other, null, states[2] ?? null],
      result: states.map((each) => each?.failures ?? null),
    }))
    expect.same(found, [null, 3, 8], 'what `decide` is handed')
    expect.same(await read(store, one), other, 'the state that was written')
    expect.absent(await read(store, two), 'the state that was removed')
    expect.same(await read(store, three), other, 'the state that stayed')
    expect.same(await count(store, [three, one]), [9, 9], 'the counts in another order')
  }),
  test('throttle/atomic: count each of 100 updates at once', async (store) => {
    const key = newKey()
    const results = (await Promise.all(Array.from({ length: 100 }, () => count(store, [key])))).flat()
    expect.same((await read(store, key))?.failures, 100, 'the count')
    expect.that(new Set(results).size === 100, 'a result of its own for each update', results)
  }),
  test('throttle/atomic-together: count each of 60 updates at once on every one of their keys, whatever their order', async (store) => {
    const [all, even, odd] = [newKey(), newKey(), newKey()]
    const update = async (index: number): Promise<number> => {
      const own = index % 2 === 0 ? even : odd
      const counts = await count(store, index % 3 === 0 ? [all, own] : [own, all])
      return (index % 3 === 0 ? counts[0] : counts[1]) ?? 0
    }
    const results = await Promise.all(Array.from({ length: 60 }, (_, index) => update(index)))
    const counts = await Promise.all([all, even, odd].map(async (key) => (await read(store, key))?.failures))
    expect.same(counts, [60, 30, 30], 'the counts')
    expect.that(new Set(results).size === 60, 'a result of its own for each update', results)
  }),
  test('throttle/atomic-removal: let one of 20 updates at once that take what is there have it', async (store) => {
    const { key } = await putNew(store)
    const take = (): Promise<boolean> =>
      store.update([key], NOW, ([state = null]) => ({ states: [null], result: state !== null }))
    const taken = await Promise.all(Array.from({ length: 20 }, take))
    expect.that(taken.filter(Boolean).length === 1, 'one of 20 to be handed the state', taken)
  }),
  test('throttle/expired: hand `decide` nothing of a state from the instant it expires on', async (store) => {
    const { key, state } = await putNew(store)
    expect.same(await read(store, key), state, 'the state before that')
    await store.update([key], NOW, (_, now) => ({ states: [{ ...state, expiresAt: now }], result: null }))
    expect.absent(await read(store, key), 'the state at that instant')
  }),
  test('throttle/one-clock: hand `decide` the instant of one clock: its own, whatever the caller says, or always its caller’s', async (store) => {
    const given = [NOW, new Date(NOW.getTime() + HOUR_MS), new Date(NOW.getTime() - HOUR_MS)]
    const handed: number[] = []
    for (const now of given) handed.push(await clockOf(store, now))
    const isCallers = handed.every((instant, index) => instant === given[index]?.getTime())
    const isOwn = Math.max(...handed) - Math.min(...handed) < HOUR_MS / 2
    expect.that(isCallers || isOwn, 'instants of one clock', handed)
  }),
  test('throttle/throwing: reject with what `decide` throws, write nothing, and go on', async (store) => {
    const [{ key, state }, other] = [await putNew(store), newKey()]
    const thrown = new Error('decides nothing')
    const failing = store.update([key, other], NOW, () => {
      throw thrown
    })
    const error = await expect.rejected(failing, 'the update')
    expect.that(error === thrown, 'what was thrown', error)
    expect.same(await read(store, key), state, 'the state after it')
    expect.absent(await read(store, other), 'the state of the other key')
  }),
  test('throttle/copies: keep what was written, whatever becomes of the object', async (store) => {
    const { key, state } = await putNew(store)
    await expectCopies([structuredClone(state), state], [() => read(store, key)])
  }),
]

/**
 * The promises of a throttle's store, with its races.
 *
 * @example
 * for (const { id, name, run } of throttleContract.cases(() => ({ throttle: myStore() }))) it(`${id}: ${name}`, run)
 */
export const throttleContract: Contract<ThrottleUnderTest> = createContract(
  'throttleContract',
  CASES,
  ({ throttle }: ThrottleUnderTest) => throttle,
)
