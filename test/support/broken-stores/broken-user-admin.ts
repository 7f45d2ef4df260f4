/** Broken stores: users who are disabled, anonymized, whose e-mail changes. */
import type { BrokenStoreSpec } from './broken-storage.ts'

export const BROKEN_USER_ADMIN: readonly BrokenStoreSpec[] = [
  {
    name: 'users: the row from before',
    why: 'Reads, then writes, and answers what it has read: a page shows who was disabled as enabled.',
    breaks: ['users/set-disabled'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          async setDisabled(userId, disabled) {
            const before = await users.findById(userId)
            await users.setDisabled(userId, disabled)
            return before
          },
        },
      }),
    }),
  },
  {
    name: 'users: disabled for good',
    why: 'Sets the flag and never takes it away.',
    breaks: ['users/set-disabled'],
    flaw: () => ({
      change: ({ users }) => ({ users: { setDisabled: (userId) => users.setDisabled(userId, true) } }),
    }),
  },
  {
    name: 'users: anonymized but for the e-mail',
    why: 'Forgets a column: who asked to be forgotten is still written to.',
    breaks: ['users/anonymize', 'users/anonymize-freed'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          async anonymize(userId, identity) {
            const before = await users.findById(userId)
            await users.anonymize(userId, identity)
            return users.setEmail(userId, before?.email ?? null)
          },
        },
      }),
    }),
  },
  {
    name: 'users: anonymized and enabled',
    why: 'Forgets to disable: the next token makes a user of the row that was to be nobody.',
    breaks: ['users/anonymize', 'users/anonymize-freed'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          anonymize: async (userId, identity) =>
            (await users.anonymize(userId, identity)) && users.setDisabled(userId, false),
        },
      }),
    }),
  },
  {
    name: 'users: anonymized, the identity stays',
    why: 'Does not read the second argument: whoever was freed is refused for ever.',
    breaks: ['users/anonymize-freed', 'transactions/users-unchanged'],
    flaw: () => ({
      change: ({ users }) => ({ users: { anonymize: (userId) => users.anonymize(userId, null) } }),
    }),
  },
  {
    name: 'users: the identity always goes',
    why: 'Replaces the identity in any case: whoever was blocked comes back as somebody new.',
    breaks: ['users/anonymize'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          anonymize: (userId, identity) =>
            users.anonymize(userId, identity ?? { issuer: 'erased', subject: crypto.randomUUID() }),
        },
      }),
    }),
  },
  {
    name: 'users: whoever stands in throws out',
    why: 'The identity is written whatever it is: somebody else is found no more.',
    breaks: ['users/anonymize-taken'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          async anonymize(userId, identity) {
            const found = identity && (await users.findByIdentity(identity, { kind: 'malformed' }))
            if (identity && found && found.user.id !== userId)
              await users.moveIdentity(identity, { issuer: 'thrown out', subject: crypto.randomUUID() })
            return users.anonymize(userId, identity)
          },
        },
      }),
    }),
  },
  {
    name: 'users: an anonymous one is made',
    why: 'An upsert: a user who is not there gets a row all the same.',
    breaks: ['users/anonymize-missing'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          async anonymize(userId, identity) {
            const anonymized = await users.anonymize(userId, identity)
            if (anonymized === null && identity !== null) await users.upsertByIdentity({ ...identity, email: null })
            return anonymized
          },
        },
      }),
    }),
  },
  {
    name: 'users: an e-mail is never taken away',
    why: 'COALESCE($2, email): an address that is nobody’s any more stays.',
    breaks: ['users/set-email'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          setEmail: (userId, email) => (email === null ? users.findById(userId) : users.setEmail(userId, email)),
        },
      }),
    }),
  },
  {
    name: 'users: one e-mail, one user',
    why: 'A unique constraint on the address: who has one that another had before can not be refreshed.',
    breaks: ['users/set-email'],
    flaw: () => {
      const owners = new Map<string, string>()
      return {
        change: ({ users }) => ({
          users: {
            async upsertByIdentity(person) {
              const row = await users.upsertByIdentity(person)
              if (person.email !== null) owners.set(person.email, row.user.id)
              return row
            },
            async setEmail(userId, email) {
              const owner = owners.get(email ?? '')
              if (owner !== undefined && owner !== userId) throw new Error('duplicate key value: users_email')
              return users.setEmail(userId, email)
            },
          },
        }),
      }
    },
  },
  {
    name: 'users: an e-mail for who is disabled',
    why: 'No condition in the where: an address comes back into a row that was erased a moment ago.',
    breaks: ['users/set-email-disabled'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          async setEmail(userId, email) {
            const user = await users.findById(userId)
            if (user?.disabled !== true) return users.setEmail(userId, email)
            await users.setDisabled(userId, false)
            await users.setEmail(userId, email)
            return users.setDisabled(userId, true)
          },
        },
      }),
    }),
  },
]
