/** Broken stores: users, created and found. */

import type { UserRepository } from '../../../src/storage/repositories.ts'
import type { StoredRepositories } from '../../../src/storage/shipped-storage.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import { autocommit, type BrokenStoreSpec, sharing } from './broken-storage.ts'

type Upserted = Awaited<ReturnType<StoredRepositories['users']['upsertByIdentity']>>

// The row that a table without a unique constraint would take.
async function anotherRow(
  { users }: StoredRepositories,
  user: Parameters<UserRepository['upsertByIdentity']>[0],
): Promise<Upserted> {
  return users.upsertByIdentity({ ...user, subject: `${user.subject} ${crypto.randomUUID()}` })
}

export const BROKEN_USERS: readonly BrokenStoreSpec[] = [
  {
    name: 'users: e-mails in lower case',
    why: 'Tidies what it is given: the address of a row is not the one that the token has, and each request refreshes it in vain.',
    breaks: ['users/found-after-upsert', 'users/set-email'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          upsertByIdentity: (person) =>
            users.upsertByIdentity({ ...person, email: person.email?.toLowerCase() ?? null }),
          setEmail: (userId, email) => users.setEmail(userId, email?.toLowerCase() ?? null),
        },
      }),
    }),
  },
  {
    name: 'users: select, then insert',
    why: 'No unique constraint: who asks before another has inserted makes a second row.',
    breaks: ['users/upsert-race', 'users/upsert-race-apart', 'transactions/first-login-race'],
    flaw: () => ({
      transact: autocommit,
      change: (inner) => ({
        users: {
          async upsertByIdentity(user) {
            const found = await inner.users.findByIdentity(user, { kind: 'malformed' })
            if (found !== null) return { user: found.user, created: false }
            await pause(2)
            const row = await inner.users.upsertByIdentity(user)
            return row.created ? row : anotherRow(inner, user)
          },
        },
      }),
    }),
  },
  {
    name: 'users: a conflict updates',
    why: 'ON CONFLICT DO UPDATE: every login writes the e-mail of its token over the stored one.',
    breaks: ['users/upsert-unchanged'],
    flaw: () => {
      const emails = new Map<string, string | null>()
      const renewed = <U extends { readonly id: string; readonly email: string | null }>(user: U): U => ({
        ...user,
        email: emails.has(user.id) ? (emails.get(user.id) ?? null) : user.email,
      })
      return {
        change: ({ users }) => ({
          users: {
            async upsertByIdentity(person) {
              const { user, created } = await users.upsertByIdentity(person)
              emails.set(user.id, person.email)
              return { user: renewed(user), created }
            },
            async findById(userId) {
              const user = await users.findById(userId)
              return user && renewed(user)
            },
          },
        }),
      }
    },
  },
  {
    name: 'users: always created',
    why: 'Takes "a row came back" for "a row was inserted": each login runs the bootstrap hook again.',
    breaks: ['users/created-once', 'users/upsert-race', 'transactions/first-login-race'],
    flaw: () => ({
      change: ({ users }) => ({
        users: { upsertByIdentity: async (user) => ({ ...(await users.upsertByIdentity(user)), created: true }) },
      }),
    }),
  },
  {
    name: 'users: disabled ones filtered out',
    why: 'where disabled = false, in every query: the person is taken for new and provisioned again.',
    breaks: ['users/disabled-found'],
    flaw: () => ({
      change: (inner) => ({
        users: {
          async findByIdentity(identity, selection) {
            const found = await inner.users.findByIdentity(identity, selection)
            return found?.user.disabled === true ? null : found
          },
          async findById(userId) {
            const user = await inner.users.findById(userId)
            return user?.disabled === true ? null : user
          },
          async upsertByIdentity(user) {
            const row = await inner.users.upsertByIdentity(user)
            return row.user.disabled ? anotherRow(inner, user) : row
          },
        },
      }),
    }),
  },
  {
    name: 'users: inner join',
    why: 'The query that also reads the membership drops users who have none.',
    breaks: ['users/found-after-upsert', 'users/disabled-found', 'orgs/selection-unnamed'],
    flaw: () => ({
      change: ({ users, memberships }) => ({
        users: {
          async findByIdentity(identity, selection) {
            const found = await users.findByIdentity(identity, selection)
            const acting = found === null ? [] : await memberships.listActing({ kind: 'user', user: found.user })
            return acting.length === 0 ? null : found
          },
        },
      }),
    }),
  },
  {
    name: 'users: made by looking',
    why: 'A look-up that inserts what it does not find: the sync gate lets everybody in.',
    breaks: ['users/unknown-is-null'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          async findByIdentity(identity, selection) {
            await users.upsertByIdentity({ ...identity, email: null })
            return users.findByIdentity(identity, selection)
          },
        },
      }),
    }),
  },
  {
    name: 'users: one upsert in flight for all',
    why: 'Concurrent calls are coalesced without a look at whom they are for: somebody gets another user.',
    breaks: ['users/upsert-race-apart'],
    flaw: () => {
      let flight: Promise<Upserted> | undefined
      return {
        change: ({ users }) => ({
          users: {
            upsertByIdentity(user) {
              flight ??= users.upsertByIdentity(user).finally(() => {
                flight = undefined
              })
              return flight
            },
          },
        }),
      }
    },
  },
  {
    name: 'users: shared references',
    why: 'Hands out the stored object itself: what a handler changes in it is changed for everybody.',
    breaks: ['users/copies', 'users/admin-copies'],
    flaw: () => {
      const share = sharing()
      return {
        change: ({ users }) => ({
          users: {
            async upsertByIdentity(person) {
              const { user, created } = await users.upsertByIdentity(person)
              return { user: share(user.id, user), created }
            },
            async findById(userId) {
              const user = await users.findById(userId)
              return user && share(userId, user)
            },
            async setDisabled(userId, disabled) {
              const user = await users.setDisabled(userId, disabled)
              return user && share(userId, user)
            },
          },
        }),
      }
    },
  },
]
