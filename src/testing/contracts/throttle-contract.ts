/** The promises of the throttle's store: one state per key, read and written as one, forgotten in time. */
import * as z from 'zod/mini'
import { aNumber, parseOptions } from '../../lib/parse-options.ts'
import type { ThrottleState, ThrottleStore } from '../../storage/account-repositories.ts'
import { type ContractCase, runnable } from './contract-case.ts'
import { expectNull, expectRejected, expectSame, expectThat } from './expectations.ts'

/** A throttle's store to be tested. */
export interface ThrottleUnderTest {
  readonly throttle: ThrottleStore
  /** Let go of what `make` took. Called once, however the case ended. */
  close?(): Promise<unknown> | unknown
}

interface ThrottleCaseSpec extends Pick<ContractCase, 'id' | 'name' | 'requirement'> {
  test(store: ThrottleStore): Promise<void>
}

const NOW = new Date('2026-11-20T10:00:00.000Z')
const STATE: ThrottleState = {
  failures: 3,
  closedUntil: NOW.getTime() + 1000,
  recent: [NOW.getTime() - 5, NOW.getTime()],
  pending: [NOW.getTime() + 60_000],
  expiresAt: NOW.getTime() + 60_000,
}

function newKey(): string {
  return `account:${crypto.randomUUID().replaceAll('-', '')}`
}

function put(store: ThrottleStore, key: string, state: ThrottleState | null): Promise<unknown> {
  return store.update(key, NOW, () => ({ state, result: null }))
}

/** What `decide` is handed. */
async function read(store: ThrottleStore, key: string, now: Date = NOW): Promise<ThrottleState | null> {
  return store.update(key, now, (state) => ({ state, result: state === null ? null : { ...state } }))
}

const CASES: readonly ThrottleCaseSpec[] = [
  {
    id: 'throttle/kept',
    name: 'MUST hand `decide` the state that was written, every number of it, and return its result',
    async test(store) {
      const key = newKey()
      expectNull(await read(store, key), 'the state of an unknown key')
      const result = await store.update(key, NOW, () => ({ state: STATE, result: { kind: 'open' } }))
      expectSame(result, { kind: 'open' }, 'the result')
      expectSame(await read(store, key), STATE, 'the state')
      const next = { ...STATE, failures: 4, recent: [], pending: [] }
      await put(store, key, next)
      expectSame(await read(store, key), next, 'the state after another')
    },
  },
  {
    id: 'throttle/removed',
    name: 'MUST remove the state with `null`',
    async test(store) {
      const key = newKey()
      await put(store, key, STATE)
      await put(store, key, null)
      expectNull(await read(store, key), 'the removed state')
    },
  },
  {
    id: 'throttle/keys-apart',
    name: 'MUST keep keys apart',
    async test(store) {
      const key = newKey()
      await put(store, key, STATE)
      for (const other of [newKey(), key.replace('account', 'address'), key.slice(0, -1), `${key}0`]) {
        expectNull(await read(store, other), 'the state of another key')
      }
    },
  },
  {
    id: 'throttle/atomic',
    name: 'MUST count each of 100 updates at once',
    requirement: 'L2',
    async test(store) {
      const key = newKey()
      const count = (): Promise<number> =>
        store.update(key, NOW, (state) => {
          const failures = (state?.failures ?? 0) + 1
          return { state: { ...STATE, failures }, result: failures }
        })
      const results = await Promise.all(Array.from({ length: 100 }, count))
      expectSame((await read(store, key))?.failures, 100, 'the count')
      expectThat(new Set(results).size === 100, 'a result of its own for each update', results)
    },
  },
  {
    id: 'throttle/atomic-removal',
    name: 'MUST let one of 20 updates at once that take what is there have it',
    requirement: 'L2',
    async test(store) {
      const key = newKey()
      await put(store, key, STATE)
      const take = (): Promise<boolean> => store.update(key, NOW, (state) => ({ state: null, result: state !== null }))
      const taken = await Promise.all(Array.from({ length: 20 }, take))
      expectThat(taken.filter(Boolean).length === 1, 'one of 20 to be handed the state', taken)
    },
  },
  {
    id: 'throttle/expired',
    name: 'MUST hand `decide` nothing of a state from the instant it expires on, and the state until then',
    requirement: 'L2',
    async test(store) {
      const key = newKey()
      await put(store, key, STATE)
      expectSame(await read(store, key, new Date(STATE.expiresAt - 1)), STATE, 'the state a millisecond before')
      expectNull(await read(store, key, new Date(STATE.expiresAt)), 'the state at that instant')
    },
  },
  {
    id: 'throttle/throwing',
    name: 'MUST reject with what `decide` throws, write nothing, and go on',
    async test(store) {
      const key = newKey()
      await put(store, key, STATE)
      const thrown = new Error('decides nothing')
      const failing = store.update(key, NOW, () => {
        throw thrown
      })
      expectThat(
        (await expectRejected(failing, 'the update')) === thrown,
        'what was thrown',
        await failing.catch(String),
      )
      expectSame(await read(store, key), STATE, 'the state after it')
    },
  },
  {
    id: 'throttle/copies',
    name: 'MUST keep what was written, whatever becomes of the object',
    async test(store) {
      const key = newKey()
      const mine = { ...STATE, recent: [...STATE.recent] }
      await put(store, key, mine)
      try {
        mine.recent.push(1)
        mine.failures = 9
      } catch {
        // Frozen by the store: as good.
      }
      expectSame(await read(store, key), STATE, 'the state')
    },
  },
]

/**
 * Test a throttle's store, with its races, as cases for any test runner.
 *
 * @param make makes the store of one case: fresh, or a shared one (cases use random keys)
 * @throws TypeError for an unknown option
 * @example
 * for (const { id, name, run } of throttleContract(() => ({ throttle: myStore() }))) it(`${id}: ${name}`, run)
 */
export function throttleContract(
  make: () => Promise<ThrottleUnderTest> | ThrottleUnderTest,
  options: { readonly timeoutSeconds?: number | undefined } = {},
): readonly ContractCase[] {
  if (typeof make !== 'function') throw new TypeError(`${NAME}: make must be a function`)
  const { timeoutSeconds = 10 } = parseOptions(NAME, SHAPE, options)
  return CASES.map(({ test, ...named }) => runnable(named, timeoutSeconds, make, ({ throttle }) => test(throttle)))
}

const NAME = 'throttleContract'
const SHAPE = { timeoutSeconds: z.optional(aNumber(1, 600)) }
