/** Broken stores: organizations whose id is given, that are renamed, removed and held. */
import { isConflictError } from '../../../src/storage/storage-errors.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import { autocommit, type BrokenStoreSpec, sharing, type Transact } from './broken-storage.ts'

const IDS: readonly BrokenStoreSpec[] = [
  {
    name: 'orgs: the id is its own',
    why: 'Does not read the id it is given: the host looks for its organization in vain.',
    breaks: ['orgs/given-id', 'orgs/given-id-taken', 'orgs/given-id-race', 'transactions/caught-conflict-org'],
    flaw: () => ({ change: ({ orgs }) => ({ orgs: { insert: ({ name }) => orgs.insert({ name }) } }) }),
  },
  {
    name: 'orgs: a taken id is the same org',
    why: 'ON CONFLICT DO NOTHING, and the row that is there: whoever names a known id is made its owner.',
    breaks: ['orgs/given-id-taken'],
    flaw: () => ({
      change: ({ orgs }) => ({
        orgs: {
          async insert(org) {
            const there = org.id === undefined ? null : await orgs.findById(org.id)
            return there ?? orgs.insert(org)
          },
        },
      }),
    }),
  },
  {
    name: 'orgs: look for the id, then insert',
    why: 'No unique constraint: of several at once each finds the id free.',
    breaks: ['orgs/given-id-race'],
    flaw: () => ({
      transact: autocommit,
      change: ({ orgs }) => ({
        orgs: {
          async insert(org) {
            const there = org.id === undefined ? null : await orgs.findById(org.id)
            await pause(1)
            const inserting = orgs.insert(org)
            if (there !== null) return inserting
            return inserting.catch((error: unknown) => {
              if (!isConflictError(error)) throw error
              return { id: org.id ?? '', name: org.name, createdAt: new Date() }
            })
          },
        },
      }),
    }),
  },
  {
    name: 'orgs: a hostile id is any error',
    why: 'Hands every text to the database: what it can not hold is its error and a 500.',
    breaks: ['orgs/given-id-exact'],
    flaw: () => ({
      change: ({ orgs }) => ({
        orgs: {
          async insert(org) {
            if (/[\0\ud800-\udfff]/.test(org.id ?? '')) throw new Error('invalid byte sequence for encoding "UTF8"')
            return orgs.insert(org)
          },
        },
      }),
    }),
  },
  {
    name: 'orgs: a long id is cut',
    why: 'A short column and a database that cuts instead of refusing: two ids are one org.',
    breaks: ['orgs/given-id-exact'],
    options: { orgIds: 'host' },
    flaw: () => ({
      change: ({ orgs }) => ({ orgs: { insert: ({ id, ...org }) => orgs.insert({ ...org, id: id?.slice(0, 64) }) } }),
    }),
  },
]

const CHANGES: readonly BrokenStoreSpec[] = [
  {
    name: 'orgs: a rename makes one',
    why: 'An upsert: a new name for an org that is not there is a new org, whose owner is nobody.',
    breaks: ['orgs/rename'],
    flaw: () => ({
      change: ({ orgs }) => ({
        orgs: { rename: async (orgId, name) => (await orgs.rename(orgId, name)) ?? orgs.insert({ name }) },
      }),
    }),
  },
  {
    name: 'orgs: one name, one org',
    why: 'A unique constraint on names: the second customer of a name can not be renamed.',
    breaks: ['orgs/rename'],
    flaw: () => {
      const names = new Set<string>()
      return {
        change: ({ orgs }) => ({
          orgs: {
            async rename(orgId, name) {
              if (names.has(name)) throw new Error('duplicate key value: organizations_name')
              names.add(name)
              return orgs.rename(orgId, name)
            },
          },
        }),
      }
    },
  },
  {
    name: 'orgs: removed again and again',
    why: 'Answers what DELETE answers: done, also where nothing was there.',
    breaks: ['orgs/remove'],
    flaw: () => ({
      change: ({ orgs }) => ({
        orgs: {
          async remove(orgId) {
            await orgs.remove(orgId)
            return true
          },
        },
      }),
    }),
  },
  {
    name: 'orgs: copies of the renamed are none',
    why: 'Hands out the stored object itself.',
    breaks: ['orgs/admin-copies'],
    flaw: () => {
      const share = sharing()
      return {
        change: ({ orgs }) => ({
          orgs: {
            rename: async (orgId, name) => share(orgId, await orgs.rename(orgId, name)),
            findById: async (orgId) => share(orgId, await orgs.findById(orgId)),
          },
        }),
      }
    },
  },
]

/** Transactions that run at once, in which `findLocked` waits its turn at what `keyOf` says until the transaction ends. */
function locking(keyOf: (orgId: string) => string): (transaction: Transact, outside: Outside) => Transact {
  const tails = new Map<string, Promise<void>>()
  return (_, outside) => async (work) => {
    const releases = new Map<string, () => void>()
    const acquire = async (key: string): Promise<void> => {
      if (releases.has(key)) return
      const before = tails.get(key)
      tails.set(key, new Promise((resolve) => void releases.set(key, resolve)))
      await before
    }
    const findLocked: typeof outside.orgs.findLocked = async (orgId) => {
      await acquire(keyOf(orgId))
      return outside.orgs.findById(orgId)
    }
    try {
      return await work({ ...outside, orgs: { ...outside.orgs, findLocked }, handle: null })
    } finally {
      for (const release of releases.values()) release()
    }
  }
}

type Outside = Parameters<typeof autocommit>[1]

const LOCKS: readonly BrokenStoreSpec[] = [
  {
    name: 'locks: nobody is held up',
    why: 'A plain SELECT: two who look before they change both see what was there before.',
    breaks: [
      'transactions/lock-in-turn',
      'transactions/lock-sees-now',
      'transactions/lock-sees-name',
      'transactions/lock-of-removed',
    ],
    flaw: () => ({ transact: autocommit }),
  },
  {
    name: 'locks: everybody is held up',
    why: 'LOCK TABLE: one slow page of one org holds up all the others.',
    breaks: ['transactions/lock-apart'],
    flaw: () => ({ transact: locking(() => 'all') }),
  },
  {
    name: 'locks: the name from before',
    why: 'A snapshot from before the wait: whoever had to wait sees what is no more.',
    breaks: ['transactions/lock-sees-name'],
    flaw: () => {
      const ids: string[] = []
      return {
        change: ({ orgs }) => ({
          orgs: {
            async insert(org) {
              const inserted = await orgs.insert(org)
              ids.push(inserted.id)
              return inserted
            },
          },
        }),
        transact: (transaction, outside) => async (work) => {
          const rows = await Promise.all(ids.map((id) => outside.orgs.findById(id)))
          return transaction((inner) => {
            const findLocked: typeof inner.orgs.findLocked = async (orgId) =>
              rows.find((row) => row?.id === orgId) ?? inner.orgs.findLocked(orgId)
            return work({ ...inner, orgs: { ...inner.orgs, findLocked } })
          })
        },
      }
    },
  },
]

export const BROKEN_ORG_ADMIN: readonly BrokenStoreSpec[] = [...IDS, ...CHANGES, ...LOCKS]
