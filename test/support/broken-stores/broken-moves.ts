/** Broken stores: an identity that is given to the user of another one. */
import type { IdentityKey } from '../../../src/context.ts'
import type { StoredRepositories, StoredUser } from '../../../src/storage/shipped-storage.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import { autocommit, type BrokenStoreSpec } from './broken-storage.ts'

const MALFORMED = { kind: 'malformed' } as const

/** Move, and throw out whoever has the identity. */
async function moveOver({ users }: StoredRepositories, from: IdentityKey, to: IdentityKey): Promise<StoredUser | null> {
  if ((await users.findByIdentity(from, MALFORMED)) === null) return null
  await users.moveIdentity(to, { issuer: 'overwritten', subject: crypto.randomUUID() })
  return users.moveIdentity(from, to)
}

export const BROKEN_MOVES: readonly BrokenStoreSpec[] = [
  {
    name: 'moves: a taken identity is overwritten',
    why: 'No unique constraint, or one that is deferred and mended: whoever moves somebody locks somebody else out.',
    breaks: ['users/move-identity-taken'],
    flaw: () => ({ change: (inner) => ({ users: { moveIdentity: (from, to) => moveOver(inner, from, to) } }) }),
  },
  {
    name: 'moves: asked, then written',
    why: 'Looks whether the identity is free, writes later: of several at once each finds it free.',
    breaks: ['users/move-identity-race', 'users/move-identity-or-first-login'],
    flaw: () => ({
      transact: autocommit,
      change: (inner) => ({
        users: {
          async moveIdentity(from, to) {
            const taken = await inner.users.findByIdentity(to, MALFORMED)
            await pause(1)
            return taken === null ? moveOver(inner, from, to) : inner.users.moveIdentity(from, to)
          },
        },
      }),
    }),
  },
  {
    name: 'moves: by id',
    why: 'Looks for the user, then writes by id: of several moves of one user each is done, and the last one counts.',
    breaks: ['users/move-identity-once'],
    flaw: () => ({
      transact: autocommit,
      change: ({ users }) => ({
        users: {
          async moveIdentity(from, to) {
            const found = await users.findByIdentity(from, MALFORMED)
            await pause(1)
            const present = await users.findById(found?.user.id ?? '')
            return users.moveIdentity(present ?? from, to)
          },
        },
      }),
    }),
  },
  {
    name: 'moves: a copy',
    why: 'Inserts a row for the new identity: one person is two users, and the memberships are the first one’s.',
    breaks: ['users/move-identity', 'transactions/users-unchanged'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          async moveIdentity(from, to) {
            const found = await users.findByIdentity(from, MALFORMED)
            if (found === null) return null
            return (await users.upsertByIdentity({ ...to, email: found.user.email })).user
          },
        },
      }),
    }),
  },
  {
    name: 'moves: nobody is somebody',
    why: 'Makes a user where there is none to move: a typing error is a new account.',
    breaks: ['users/move-identity-missing', 'users/move-identity-once'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          moveIdentity: async (from, to) =>
            (await users.moveIdentity(from, to)) ?? (await users.upsertByIdentity({ ...to, email: null })).user,
        },
      }),
    }),
  },
  {
    name: 'moves: the moved are enabled',
    why: 'Writes a whole new row: a user who was disabled comes back by way of another issuer.',
    breaks: ['users/move-identity-of-one'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          async moveIdentity(from, to) {
            const moved = await users.moveIdentity(from, to)
            return moved && users.setDisabled(moved.id, false)
          },
        },
      }),
    }),
  },
  {
    name: 'moves: a taken identity is any error',
    why: 'The unique violation of the driver is handed on as it is: a 500 where a 409 belongs.',
    breaks: ['users/move-identity-taken', 'users/move-identity-race'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          moveIdentity: (from, to) =>
            users.moveIdentity(from, to).catch(() => {
              throw new Error('duplicate key value violates unique constraint')
            }),
        },
      }),
    }),
  },
]
