/** Broken account storages: the last admin, sessions, units of work. */
import type { AccountRepository } from '../../../src/storage/account-repositories.ts'
import { createMemoryAccounts } from '../../../src/storage/memory.ts'
import { type BrokenAccounts, elsewhere, withAccounts } from './broken-account-storage.ts'

export const BROKEN_ACCOUNT_GUARDS: readonly BrokenAccounts[] = [
  {
    name: 'counts the admins, then writes',
    why: 'Two statements without a lock: of two at once each counts the other.',
    breaks: ['accounts/last-race-demote', 'accounts/last-race-remove'],
    make: () => {
      const guard = async (inner: AccountRepository, id: string, keep?: string): Promise<boolean> => {
        const others = (await inner.list()).filter((each) => each.role === keep && !each.disabled && each.id !== id)
        const own = await inner.findById(id)
        await elsewhere()
        return own?.role === keep && !own?.disabled && others.length === 0
      }
      return withAccounts((inner) => ({
        update: async (id, change, { keep } = {}) =>
          (change.role ?? keep) !== keep || change.disabled === true
            ? (await guard(inner, id, keep))
              ? { kind: 'last' }
              : inner.update(id, change)
            : inner.update(id, change),
        remove: async (id, { keep } = {}) => ((await guard(inner, id, keep)) ? 'last' : inner.remove(id)),
      }))
    },
  },
  {
    name: 'counts disabled admins too',
    why: 'The guard forgets that a disabled admin can do nothing.',
    breaks: ['accounts/last'],
    make: () =>
      withAccounts((inner) => ({
        async remove(id, { keep } = {}) {
          const isAlone = (await inner.list()).filter(({ role }) => role === keep).length === 1
          return isAlone ? inner.remove(id, { keep: keep as string }) : inner.remove(id)
        },
      })),
  },
  {
    name: 'guards nothing',
    why: 'The option `keep` is not read.',
    breaks: ['accounts/last', 'accounts/last-race-demote', 'accounts/last-race-remove'],
    make: () =>
      withAccounts((inner) => ({ update: (id, change) => inner.update(id, change), remove: (id) => inner.remove(id) })),
  },
  {
    name: 'guards every role',
    why: 'The guard asks for the last account of its own role instead of the one to keep.',
    breaks: ['accounts/last-of-another-role'],
    make: () =>
      withAccounts((inner) => ({
        async remove(id) {
          const role = (await inner.findById(id))?.role ?? ''
          return inner.remove(id, { keep: role })
        },
      })),
  },
  {
    name: 'caches sessions',
    why: 'A cache in front of the table, as every request asks.',
    breaks: ['sessions/find', 'sessions/revoke'],
    make: () => {
      const good = createMemoryAccounts()
      const cache = new Map<string, ReturnType<typeof good.sessions.find>>()
      const find: typeof good.sessions.find = (accountId, sessionId) => {
        const key = `${accountId} ${sessionId}`
        const found = cache.get(key) ?? good.sessions.find(accountId, sessionId)
        cache.set(key, found)
        return found
      }
      return { ...good, sessions: { ...good.sessions, find } }
    },
  },
  {
    name: 'forgets the oldest revocations',
    why: 'A table of fixed size instead of one bounded by expiry: who logs in and out often lives again.',
    breaks: ['sessions/revoke-keeps'],
    make: () => {
      const good = createMemoryAccounts()
      const kept: string[] = []
      const find: typeof good.sessions.find = async (accountId, sessionId) => {
        const found = await good.sessions.find(accountId, sessionId)
        return found === null ? null : { ...found, revoked: kept.includes(sessionId) }
      }
      const revoke: typeof good.sessions.revoke = async ({ id }) => {
        kept.push(id)
        if (kept.length > 10) kept.shift()
      }
      return { ...good, sessions: { find, revoke } }
    },
  },
  {
    name: 'has no transactions',
    why: 'Autocommit: what a unit of work wrote before it failed stays.',
    breaks: ['transactions/all-or-nothing', 'transactions/first-admin-rollback'],
    make: () => {
      const good = createMemoryAccounts()
      const claimFirstAdmin = (at: Date): Promise<boolean> => good.transaction((tx) => tx.claimFirstAdmin(at))
      return { ...good, transaction: (work) => work({ accounts: good.accounts, claimFirstAdmin }) }
    },
  },
  {
    name: 'looks for the first admin, then writes the marker',
    why: 'No unique row: of several processes at once each finds none.',
    breaks: ['transactions/first-admin-once'],
    make: () => {
      const good = createMemoryAccounts()
      let isClaimed = false
      const claimFirstAdmin = async (): Promise<boolean> => {
        const isFirst = !isClaimed
        await elsewhere()
        isClaimed = true
        return isFirst
      }
      return { ...good, transaction: (work) => work({ accounts: good.accounts, claimFirstAdmin }) }
    },
  },
]
