/** Broken stores: the unit of work. */
import { createMemoryStorage } from '../../../src/storage/memory.ts'
import { isConflictError, isTransientError } from '../../../src/storage/storage-errors.ts'
import { INSTALLATION, newKeyId } from '../../../src/testing/contracts/api-keys/api-key-world.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import { autocommit, type BrokenStoreSpec, type Flaw, type Transact } from './broken-storage.ts'

const ROLLBACK: readonly BrokenStoreSpec[] = [
  {
    name: 'transactions: none',
    why: 'Each statement is committed by itself: a crash between two leaves a user without an org.',
    breaks: [
      'transactions/nothing-left',
      'transactions/members-unchanged',
      'transactions/invitations-unchanged',
      'transactions/users-unchanged',
      'transactions/orgs-unchanged',
      'transactions/keys-unchanged',
      'transactions/email-unchanged',
      'transactions/unseen-outside',
      'transactions/unseen-when-failed',
      'transactions/conflict',
    ],
    flaw: () => ({ transact: autocommit }),
  },
  {
    name: 'transactions: an invitation stays taken',
    why: 'The invitation is taken on a connection of its own: after a rollback it is lost.',
    breaks: ['transactions/invitations-unchanged'],
    flaw: () => ({
      transact: (transaction, outside) => async (work) => {
        const taken: string[] = []
        try {
          return await transaction((inner) => {
            const consume = async (invitationId: string): ReturnType<typeof inner.invitations.consume> => {
              taken.push(invitationId)
              return inner.invitations.consume(invitationId)
            }
            return work({ ...inner, invitations: { ...inner.invitations, consume } })
          })
        } catch (error) {
          for (const invitationId of taken) await outside.invitations.consume(invitationId)
          throw error
        }
      },
    }),
  },
  {
    name: 'transactions: API keys have a connection of their own',
    why: 'The keys are asked of the pool: what a transaction made of them stays, whatever becomes of it.',
    breaks: ['transactions/keys-unchanged'],
    flaw: () => {
      const apart = createMemoryStorage()
      const { insertByMaker: _, ...keys } = apart.apiKeys
      return {
        change: ({ orgs }) => ({
          apiKeys: {
            ...keys,
            async insert(key) {
              const org = await orgs.findById(key.orgId ?? '')
              if (org !== null) await apart.orgs.insert(org).catch(() => undefined)
              return apart.apiKeys.insert(key)
            },
          },
        }),
      }
    },
  },
  {
    name: 'transactions: a key is made after a look at its maker',
    why: 'Two statements: whoever is removed between them leaves a key behind that nobody ends.',
    breaks: ['transactions/key-of-removed', 'transactions/key-of-disabled', 'transactions/key-of-disabled-user'],
    flaw: () => ({
      change: ({ apiKeys }) => ({
        apiKeys: {
          ...apiKeys,
          async insertByMaker(owner, key) {
            const written = await apiKeys.insertByMaker?.(owner, key)
            if (written == null) return null
            await apiKeys.revoke(INSTALLATION, key.id, key.createdAt)
            await pause(2)
            return apiKeys.insert({ ...key, id: newKeyId() })
          },
        },
      }),
    }),
  },
  {
    name: 'transactions: a key is anybody’s to make',
    why: 'Who makes a key is written down, and not asked for.',
    breaks: [
      ...['transactions/key-by-member', 'transactions/key-by-user', 'transactions/unbound-key-by-user'],
      ...['transactions/key-of-removed', 'transactions/key-of-disabled', 'transactions/key-of-disabled-user'],
    ],
    flaw: () => ({
      change: ({ apiKeys }) => ({ apiKeys: { ...apiKeys, insertByMaker: (_, key) => apiKeys.insert(key) } }),
    }),
  },
  {
    name: 'transactions: the installation’s keys are anybody’s to make',
    why: 'Who makes a key is asked for where it is an organization’s alone.',
    breaks: ['transactions/key-by-user', 'transactions/unbound-key-by-user', 'transactions/key-of-disabled-user'],
    flaw: () => ({
      change: ({ apiKeys }) => ({
        apiKeys: {
          ...apiKeys,
          insertByMaker: async (owner, key) =>
            owner.kind === 'installation' ? apiKeys.insert(key) : ((await apiKeys.insertByMaker?.(owner, key)) ?? null),
        },
      }),
    }),
  },
  {
    name: 'transactions: tried again by itself',
    why: 'Begins again where something fails for the moment: what a hook does besides writing, an e-mail for one, it does twice.',
    breaks: ['transactions/error'],
    flaw: () => ({
      transact: (transaction) => (work) =>
        transaction(work).catch((error: unknown) => {
          if (!isTransientError(error)) throw error
          return transaction(work)
        }),
    }),
  },
  {
    name: 'transactions: commit that is a rollback',
    why: 'A database that aborts on the first error answers COMMIT with ROLLBACK, and nobody looks at the answer.',
    breaks: [
      'transactions/caught-conflict',
      'transactions/caught-conflict-invitation',
      'transactions/caught-conflict-identity',
      'transactions/caught-conflict-org',
      'transactions/caught-conflict-key',
    ],
    flaw: () => ({
      transact: (transaction) => async (work) => {
        const aborted = new Error('aborted')
        let value: { readonly of: Awaited<ReturnType<typeof work>> } | undefined
        try {
          return await transaction(async (inner) => {
            let failed = false
            const noting = <R extends object>(repository: R): R => {
              const methods = Object.entries(repository).map(([name, ask]) => [
                name,
                (...given: unknown[]) =>
                  ask(...given).catch((error: unknown) => {
                    failed ||= isConflictError(error)
                    throw error
                  }),
              ])
              return Object.fromEntries(methods) as R
            }
            const { users, orgs, memberships, invitations, apiKeys } = inner
            const noted = {
              ...{ users: noting(users), orgs: noting(orgs), memberships: noting(memberships) },
              ...{ invitations: noting(invitations), apiKeys: noting(apiKeys) },
            }
            value = { of: await work({ ...inner, ...noted }) }
            if (failed) throw aborted
            return value.of
          })
        } catch (error) {
          if (error === aborted && value !== undefined) return value.of
          throw error
        }
      },
    }),
  },
]

const ANSWERS: readonly BrokenStoreSpec[] = [
  {
    name: 'transactions: the work runs twice',
    why: 'Tries again by itself: the effects of the work outside the database happen twice.',
    breaks: ['transactions/value', 'transactions/error'],
    flaw: () => ({
      transact: (transaction) => async (work) => {
        await transaction(work).catch(() => undefined)
        return transaction(work)
      },
    }),
  },
  {
    name: 'transactions: the value is lost',
    why: 'Answers with what COMMIT answered.',
    breaks: ['transactions/value', 'transactions/first-login-race'],
    flaw: () => ({
      transact: (transaction) => async (work) => {
        await transaction(work)
        return undefined as never
      },
    }),
  },
  {
    name: 'transactions: the error is wrapped',
    why: 'A refusal thrown by the hook becomes a storage failure: a 500 instead of a 403.',
    breaks: ['transactions/error', 'transactions/conflict'],
    flaw: () => ({
      transact: (transaction) => (work) =>
        transaction(work).catch((cause: unknown) => {
          throw new Error('transaction failed', { cause })
        }),
    }),
  },
  {
    name: 'transactions: fulfils before the commit',
    why: 'COMMIT is sent and not waited for: the next request does not find what this one wrote.',
    breaks: ['transactions/committed'],
    flaw: () => ({
      transact: (transaction) => (work) =>
        new Promise((resolve, reject) => {
          transaction(async (inner) => {
            const value = await work(inner)
            resolve(value)
            await pause(20)
            return value
          }).catch(reject)
        }),
    }),
  },
]

const CONNECTIONS: readonly BrokenStoreSpec[] = [
  {
    name: 'transactions: reads go elsewhere',
    why: "The transaction's look-ups use a connection of their own: they do not find what it just wrote.",
    breaks: ['transactions/own-writes'],
    flaw: () => ({
      transact: (transaction, outside) => (work) =>
        transaction((inner) => {
          const { findByIdentity, findById } = outside.users
          return work({ ...inner, users: { ...inner.users, findByIdentity, findById } })
        }),
    }),
  },
  {
    name: 'transactions: a failed one keeps its connection',
    why: 'The connection is not given back after a rollback: ten failures later the service stands still.',
    breaks: ['transactions/goes-on'],
    flaw: () => {
      let free = 10
      return {
        transact: (transaction) => async (work) => {
          if (free === 0) throw new Error('no connection is free')
          return transaction(work).catch((error: unknown) => {
            free--
            throw error
          })
        },
      }
    },
  },
  {
    name: 'transactions: no queue for connections',
    why: 'The eleventh at once is an error instead of waiting its turn.',
    breaks: ['transactions/many-at-once', 'transactions/first-login-race'],
    flaw: () => {
      let free = 10
      return {
        transact: (transaction) => async (work) => {
          if (free === 0) throw new Error('no connection is free')
          free--
          return transaction(work).finally(() => {
            free++
          })
        },
      }
    },
  },
]

/** Two that run at once are a deadlock: what becomes of the second is `lose`'s affair. */
function deadlocking(lose: (transaction: Transact) => Transact): () => Flaw {
  return () => {
    let running = 0
    return {
      transact: (transaction) => async (work) => {
        if (running > 0) return lose(transaction)(work)
        running++
        return transaction(work).finally(() => {
          running--
        })
      },
    }
  }
}

const DEADLOCKS: readonly BrokenStoreSpec[] = [
  {
    name: 'transactions: a deadlock is any error',
    why: "The driver's error goes on as it came: nobody can see that trying again helps.",
    breaks: ['transactions/deadlock'],
    flaw: deadlocking(() => () => Promise.reject(Object.assign(new Error('deadlock detected'), { code: '40P01' }))),
  },
  {
    name: 'transactions: a deadlock is success',
    why: 'The rollback of the one that lost is swallowed: its caller believes that everything is stored.',
    breaks: ['transactions/deadlock'],
    flaw: deadlocking((transaction) => async (work) => {
      let value: { readonly of: Awaited<ReturnType<typeof work>> } | undefined
      const lost = transaction(async (inner) => {
        value = { of: await work(inner) }
        throw new Error('deadlock detected')
      })
      await lost.catch((error: unknown) => {
        // One that waited too long for its turn has lost too.
        if (value === undefined && !isTransientError(error)) throw error
      })
      return value?.of as Awaited<ReturnType<typeof work>>
    }),
  },
]

export const BROKEN_TRANSACTIONS: readonly BrokenStoreSpec[] = [...ROLLBACK, ...ANSWERS, ...CONNECTIONS, ...DEADLOCKS]
