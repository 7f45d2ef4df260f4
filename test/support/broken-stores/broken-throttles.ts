/** Broken stores of the throttle. */
import type { ThrottleDecision, ThrottleState, ThrottleStore } from '../../../src/storage/account-repositories.ts'
import { type BrokenAccounts, elsewhere, withThrottle } from './broken-account-storage.ts'

type States = ThrottleDecision<unknown>['states']

/** What is stored, read without writing. */
function look(inner: ThrottleStore, keys: readonly string[], now: Date): Promise<States> {
  return inner.update(keys, now, (states) => ({ states, result: states }))
}

/** Change what is written of each state. */
function writing(
  inner: ThrottleStore,
  change: (state: ThrottleState | null, found: ThrottleState | null) => ThrottleState | null,
): ThrottleStore {
  return {
    update: (keys, now, decide) =>
      inner.update(keys, now, (found, at) => {
        const { states, result } = decide(found, at)
        return { states: states.map((state, index) => change(state, found[index] ?? null)), result }
      }),
  }
}

export const BROKEN_THROTTLES: readonly BrokenAccounts[] = [
  {
    name: 'reads the counter, then writes it',
    why: 'GET, then SET: of a hundred tries at once all see the first one’s count.',
    breaks: ['throttle/atomic', 'throttle/atomic-removal'],
    make: () =>
      withThrottle((inner) => ({
        async update(keys, now, decide) {
          const states = await look(inner, keys, now)
          await elsewhere()
          const decided = decide(states, now.getTime())
          await inner.update(keys, now, () => ({ states: decided.states, result: null }))
          return decided.result
        },
      })),
  },
  {
    name: 'is atomic on the first key only',
    why: 'One guarded row, the others are read before and written after it.',
    breaks: ['throttle/atomic-together'],
    make: () =>
      withThrottle((inner) => ({
        async update(keys, now, decide) {
          const more = keys.slice(1)
          const others = more.length === 0 ? [] : await look(inner, more, now)
          await elsewhere()
          const decided = await inner.update(keys.slice(0, 1), now, (first, at) => {
            const all = decide([...first, ...others], at)
            return { states: all.states.slice(0, 1), result: all }
          })
          if (more.length > 0) await inner.update(more, now, () => ({ states: decided.states.slice(1), result: null }))
          return decided.result
        },
      })),
  },
  {
    name: 'hands out states in the order of its index',
    why: 'WHERE key IN (…): the rows come as the database likes, and what is not there has none.',
    breaks: ['throttle/several-keys'],
    make: () =>
      withThrottle((inner) => ({
        update: (keys, now, decide) =>
          inner.update(keys, now, (found, at) =>
            decide(
              [...found].sort((a, b) => (b ? 1 : 0) - (a ? 1 : 0)),
              at,
            ),
          ),
      })),
  },
  {
    name: 'goes by two clocks',
    why: 'The caller’s, or its own where that is later: who is ahead opens what the others have closed.',
    breaks: ['throttle/one-clock'],
    make: () =>
      withThrottle((inner) => ({
        update: (keys, now, decide) => {
          const later = new Date(Math.max(now.getTime(), Date.parse('2026-11-20T10:00:00.000Z')))
          return inner.update(keys, later, decide)
        },
      })),
  },
  {
    name: 'never forgets',
    why: 'The expiry is written and never read.',
    breaks: ['throttle/expired'],
    make: () =>
      withThrottle((inner) => writing(inner, (state) => state && { ...state, expiresAt: state.expiresAt + 1 })),
  },
  {
    name: 'can not remove',
    why: 'An upsert without a delete: `null` is taken for nothing to do.',
    breaks: ['throttle/removed'],
    make: () => withThrottle((inner) => writing(inner, (state, found) => state ?? found)),
  },
  {
    name: 'keeps kinds of keys together',
    why: 'The key is cut to what the column holds.',
    breaks: ['throttle/keys-apart'],
    make: () =>
      withThrottle((inner) => ({
        update: (keys, ...rest) =>
          inner.update(
            keys.map((key) => key.replace(/^\w+:/, '')),
            ...rest,
          ),
      })),
  },
  {
    name: 'keeps the counter only',
    why: 'A table with the columns of another limiter: windows and tries in flight are lost.',
    breaks: ['throttle/kept'],
    make: () => withThrottle((inner) => writing(inner, (state) => state && { ...state, recent: [], pending: [] })),
  },
  {
    name: 'writes before it decides',
    why: 'The count goes up first and is put right afterwards, unless something throws.',
    breaks: ['throttle/throwing'],
    make: () =>
      withThrottle((inner) => ({
        async update(keys, now, decide) {
          const before = await inner.update(keys, now, (found) => ({ states: keys.map(() => null), result: found }))
          return inner.update(keys, now, (_, at) => decide(before, at))
        },
      })),
  },
  {
    name: 'keeps the object itself',
    why: 'A map of references: whoever made the state goes on changing it.',
    breaks: ['throttle/copies'],
    make: () => {
      const kept = new Map<string, ThrottleState | null>()
      return withThrottle(() => ({
        async update(keys, now, decide) {
          const found = keys.map((key) => kept.get(key) ?? null)
          const living = found.map((state) => (state !== null && state.expiresAt > now.getTime() ? state : null))
          const { states, result } = decide(living, now.getTime())
          keys.forEach((key, index) => void kept.set(key, states[index] ?? null))
          return result
        },
      }))
    },
  },
]
