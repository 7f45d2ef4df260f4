/** Broken stores of the throttle. */
import type { ThrottleStore } from '../../storage/account-repositories.ts'
import { type BrokenAccounts, elsewhere, withThrottle } from './broken-account-storage.ts'

export const BROKEN_THROTTLES: readonly BrokenAccounts[] = [
  {
    name: 'reads the counter, then writes it',
    why: 'GET, then SET: of a hundred tries at once all see the first one’s count.',
    breaks: ['throttle/atomic', 'throttle/atomic-removal'],
    make: () =>
      withThrottle((inner) => ({
        async update(key, now, decide) {
          const state = await inner.update(key, now, (found) => ({ state: found, result: found }))
          await elsewhere()
          const decided = decide(state)
          await inner.update(key, now, () => ({ state: decided.state, result: null }))
          return decided.result
        },
      })),
  },
  {
    name: 'never forgets',
    why: 'The expiry is written and never read.',
    breaks: ['throttle/expired'],
    make: () => withThrottle((inner) => ({ update: (key, _, decide) => inner.update(key, new Date(0), decide) })),
  },
  {
    name: 'can not remove',
    why: 'An upsert without a delete: `null` is taken for nothing to do.',
    breaks: ['throttle/removed'],
    make: () =>
      withThrottle((inner) => ({
        update: (key, now, decide) =>
          inner.update(key, now, (found) => {
            const { state, result } = decide(found)
            return { state: state ?? found, result }
          }),
      })),
  },
  {
    name: 'keeps kinds of keys together',
    why: 'The key is cut to what the column holds.',
    breaks: ['throttle/keys-apart'],
    make: () =>
      withThrottle((inner) => ({ update: (key, ...rest) => inner.update(key.replace(/^\w+:/, ''), ...rest) })),
  },
  {
    name: 'keeps the counter only',
    why: 'A table with the columns of another limiter: windows and tries in flight are lost.',
    breaks: ['throttle/kept'],
    make: () =>
      withThrottle((inner) => ({
        update: (key, now, decide) =>
          inner.update(key, now, (found) => {
            const { state, result } = decide(found)
            return { state: state === null ? null : { ...state, recent: [], pending: [] }, result }
          }),
      })),
  },
  {
    name: 'writes before it decides',
    why: 'The count goes up first and is put right afterwards, unless something throws.',
    breaks: ['throttle/throwing'],
    make: () =>
      withThrottle((inner) => ({
        async update(key, now, decide) {
          const before = await inner.update(key, now, (found) => ({ state: null, result: found }))
          return inner.update(key, now, () => decide(before))
        },
      })),
  },
  {
    name: 'keeps the object itself',
    why: 'A map of references: whoever made the state goes on changing it.',
    breaks: ['throttle/copies'],
    make: () => {
      const states = new Map<string, Parameters<Parameters<ThrottleStore['update']>[2]>[0]>()
      return withThrottle(() => ({
        async update(key, now, decide) {
          const found = states.get(key) ?? null
          const { state, result } = decide(found !== null && found.expiresAt > now.getTime() ? found : null)
          states.set(key, state)
          return result
        },
      }))
    },
  },
]
