/** Broken account storages: records, lists, versions and hashes. */
import type { AccountRepository } from '../../../src/storage/account-repositories.ts'
import { ConflictError } from '../../../src/storage/storage-errors.ts'
import { type BrokenAccounts, elsewhere, withAccounts } from './broken-account-storage.ts'

export const BROKEN_ACCOUNT_RECORDS: readonly BrokenAccounts[] = [
  {
    name: 'sets the password of everybody',
    why: 'An UPDATE without its condition.',
    breaks: ['accounts/others-unchanged'],
    make: () =>
      withAccounts((inner) => ({
        async update(id, change, options) {
          const updated = await inner.update(id, change, options)
          const { passwordHash } = change
          if (updated.kind !== 'done' || passwordHash === undefined) return updated
          for (const other of await inner.list()) if (other.id !== id) await inner.update(other.id, { passwordHash })
          return updated
        },
      })),
  },
  {
    name: 'ends the sessions of everybody',
    why: 'An UPDATE without its condition.',
    breaks: ['accounts/others-unchanged'],
    make: () =>
      withAccounts((inner) => ({
        async endSessions(id) {
          const ended = await inner.endSessions(id)
          for (const other of await inner.list()) if (ended && other.id !== id) await inner.endSessions(other.id)
          return ended
        },
      })),
  },
  {
    name: 'cuts texts at 100 characters',
    why: 'A database that cuts what is too long: whoever has a long address is never found, and no password fits a cut hash.',
    breaks: ['accounts/found-after-insert'],
    make: () =>
      withAccounts((inner) => ({
        insert: ({ email, passwordHash, ...account }) =>
          inner.insert({
            ...account,
            email: email.slice(0, 100),
            passwordHash: passwordHash === null ? null : passwordHash.slice(0, 100),
          }),
      })),
  },
  {
    name: 'folds roles',
    why: 'A column of lower case: who is an Admin is nobody.',
    breaks: ['accounts/found-after-insert'],
    make: () =>
      withAccounts((inner) => ({
        insert: (account) => inner.insert({ ...account, role: account.role.toLowerCase() }),
      })),
  },
  {
    name: 'looks for the e-mail, then inserts',
    why: 'No unique index: of two at once both find nothing.',
    breaks: ['accounts/email-race'],
    make: () => {
      const accounts = new Map<string, Awaited<ReturnType<AccountRepository['insert']>>>()
      return withAccounts(() => ({
        async insert({ disabled = false, ...given }) {
          const isTaken = [...accounts.values()].some(({ email }) => email === given.email)
          await elsewhere()
          if (isTaken) throw new ConflictError('taken')
          const account = { ...given, disabled, id: crypto.randomUUID(), sessionVersion: 0 }
          accounts.set(account.id, account)
          return { ...account }
        },
        findById: async (id) => ({ ...accounts.get(id) }) as never,
      }))
    },
  },
  {
    name: 'hands out what it keeps',
    why: 'A cache of rows: what one caller changes in its row is changed for everybody.',
    breaks: ['accounts/copies'],
    make: () => {
      const kept = new Map<string, Awaited<ReturnType<AccountRepository['insert']>>>()
      return withAccounts((inner) => ({
        async findById(id) {
          const found = await inner.findById(id)
          if (found !== null && !kept.has(id)) kept.set(id, { ...found })
          return kept.get(id) ?? null
        },
      }))
    },
  },
  {
    name: 'folds the case of what it looks for',
    why: 'A column with a case-insensitive collation: one account is found by many spellings.',
    breaks: ['accounts/unknown-is-null'],
    make: () => withAccounts((inner) => ({ findByEmail: (email) => inner.findByEmail(email.toLowerCase()) })),
  },
  {
    name: 'answers a taken e-mail with any error',
    why: 'The unique violation of the driver is handed on as it is.',
    breaks: ['accounts/email-unique', 'accounts/email-race'],
    make: () =>
      withAccounts((inner) => ({
        insert: (account) =>
          inner.insert(account).catch(() => {
            throw new Error('duplicate key value violates unique constraint')
          }),
      })),
  },
  {
    name: 'lists whole rows',
    why: 'SELECT *: the hashes go along to whoever lists.',
    breaks: ['accounts/list-without-hashes'],
    make: () =>
      withAccounts((inner) => ({
        list: async () => Promise.all((await inner.list()).map(async ({ id }) => (await inner.findById(id)) as never)),
      })),
  },
  {
    name: 'lists in the order of the heap',
    why: 'No ORDER BY.',
    breaks: ['accounts/list-order'],
    make: () => withAccounts((inner) => ({ list: async () => [...(await inner.list())].reverse() })),
  },
  {
    name: 'hides disabled accounts',
    why: 'WHERE NOT disabled in every query: nobody can be enabled again.',
    breaks: ['accounts/disabled-found'],
    make: () =>
      withAccounts((inner) => ({
        async findById(id) {
          const found = await inner.findById(id)
          return found?.disabled === true ? null : found
        },
      })),
  },
  {
    name: 'writes whatever a change holds',
    why: 'UPDATE … SET of every member: mass assignment.',
    breaks: ['accounts/update'],
    make: () => {
      const versions = new Map<string, number>()
      return withAccounts((inner) => ({
        update(id, change, options) {
          const { sessionVersion } = change as { sessionVersion?: number | undefined }
          if (sessionVersion !== undefined) versions.set(id, sessionVersion)
          return inner.update(id, change, options)
        },
        async findById(id) {
          const found = await inner.findById(id)
          return found === null ? null : { ...found, sessionVersion: versions.get(id) ?? found.sessionVersion }
        },
      }))
    },
  },
  {
    name: 'ends no sessions with a new role',
    why: 'The version is raised with passwords only: a demoted admin goes on as before in other systems.',
    breaks: ['accounts/update-ends-sessions'],
    make: () => {
      const spared = new Map<string, number>()
      return withAccounts((inner) => ({
        async update(id, change, options) {
          const result = await inner.update(id, change, options)
          const isSpared = change.passwordHash === undefined && change.role !== undefined
          if (isSpared) spared.set(id, (spared.get(id) ?? 0) + 1)
          return result
        },
        async findById(id) {
          const found = await inner.findById(id)
          return found === null ? null : { ...found, sessionVersion: found.sessionVersion - (spared.get(id) ?? 0) }
        },
      }))
    },
  },
  {
    name: 'reads the version, then writes it',
    why: 'Read, add one, write: of many at once some are lost.',
    breaks: ['accounts/end-sessions'],
    make: () => {
      const versions = new Map<string, number>()
      return withAccounts((inner) => ({
        async endSessions(id) {
          const version = versions.get(id) ?? 0
          await elsewhere()
          versions.set(id, version + 1)
          return (await inner.findById(id)) !== null
        },
        async findById(id) {
          const found = await inner.findById(id)
          return found === null ? null : { ...found, sessionVersion: found.sessionVersion + (versions.get(id) ?? 0) }
        },
      }))
    },
  },
  {
    name: 'compares the hash, then sets it',
    why: 'Two statements: of two upgrades at once both believe that theirs is stored.',
    breaks: ['accounts/replace-hash-race'],
    make: () =>
      withAccounts((inner) => ({
        async replaceHash(id, { from, to }) {
          const isSame = (await inner.findById(id))?.passwordHash === from
          await elsewhere()
          if (isSame) await inner.update(id, { passwordHash: to })
          return isSame
        },
      })),
  },
  {
    name: 'replaces any hash',
    why: 'UPDATE without the WHERE on the present hash.',
    breaks: ['accounts/replace-hash'],
    make: () =>
      withAccounts((inner) => ({
        async replaceHash(id, { to }) {
          return (await inner.update(id, { passwordHash: to })).kind === 'done'
        },
      })),
  },
  {
    name: 'throws for ids it can not hold',
    why: 'A uuid column: the driver refuses the text.',
    breaks: ['accounts/unknown-is-null', 'accounts/missing'],
    make: () => {
      const form = (id: string): void => {
        if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error('invalid input syntax for type uuid')
      }
      return withAccounts((inner) => ({
        async findById(id) {
          form(id)
          return inner.findById(id)
        },
        async update(id, ...change) {
          form(id)
          return inner.update(id, ...change)
        },
      }))
    },
  },
]
