/** Broken stores: invitations. */
import type { Invitation } from '../../../src/storage/repositories.ts'
import { isConflictError } from '../../../src/storage/storage-errors.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import { autocommit, type BrokenStoreSpec, sharing } from './broken-storage.ts'

export const BROKEN_INVITATIONS: readonly BrokenStoreSpec[] = [
  {
    name: 'invitations: addresses as they were typed',
    why: 'Whoever was invited as "Ada@…" is never found by the address of the token.',
    breaks: ['invitations/normalized'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: { insert: async (input) => ({ ...(await invitations.insert(input)), email: input.email }) },
      }),
    }),
  },
  {
    name: 'invitations: twice',
    why: 'No unique constraint on org and address: after the first is taken, a second still waits.',
    breaks: ['invitations/insert-twice', 'invitations/insert-race'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          insert: (input) =>
            invitations.insert(input).catch((error: unknown) => {
              if (!isConflictError(error)) throw error
              return { ...input, id: crypto.randomUUID(), createdAt: new Date() }
            }),
        },
      }),
    }),
  },
  {
    name: 'invitations: no foreign keys',
    why: 'Takes an invitation into an org that is not there.',
    breaks: ['invitations/insert-unknown'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          insert: (input) =>
            invitations.insert(input).catch((error: unknown) => {
              if (isConflictError(error)) throw error
              return { ...input, id: crypto.randomUUID(), createdAt: new Date() }
            }),
        },
      }),
    }),
  },
  {
    name: 'invitations: the latest first',
    why: 'Orders the wrong way round: who was invited by two orgs joins the later one.',
    breaks: ['invitations/earliest'],
    flaw: () => {
      const rows: Invitation[] = []
      return {
        change: ({ invitations }) => ({
          invitations: {
            async insert(input) {
              const row = await invitations.insert(input)
              rows.unshift(row)
              return row
            },
            async findPending(email) {
              const first = await invitations.findPending(email)
              return first && (rows.find((row) => row.email === email) ?? first)
            },
          },
        }),
      }
    },
  },
  {
    name: 'invitations: find, then delete',
    why: 'Two who take it at once both find it: one invitation, two members.',
    breaks: ['invitations/consume-race', 'transactions/consume-race'],
    flaw: () => {
      const rows = new Map<string, Invitation>()
      return {
        transact: autocommit,
        change: ({ invitations }) => ({
          invitations: {
            async insert(input) {
              const row = await invitations.insert(input)
              rows.set(row.id, row)
              return row
            },
            async consume(invitationId) {
              const found = rows.get(invitationId)
              await pause(1)
              rows.delete(invitationId)
              await invitations.consume(invitationId)
              return found ?? null
            },
          },
        }),
      }
    },
  },
  {
    name: 'invitations: never used up',
    why: 'A taken invitation can be taken again.',
    breaks: ['invitations/consume-once', 'invitations/consume-race'],
    flaw: () => {
      const rows = new Map<string, Invitation>()
      return {
        change: ({ invitations }) => ({
          invitations: {
            async consume(invitationId) {
              const taken = await invitations.consume(invitationId)
              if (taken !== null) rows.set(invitationId, taken)
              return rows.get(invitationId) ?? null
            },
          },
        }),
      }
    },
  },
  {
    name: 'invitations: all of the address',
    why: 'Taking one deletes every invitation of the address, those of other orgs too.',
    breaks: ['invitations/others-untouched', 'invitations/earliest'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          async consume(invitationId) {
            const taken = await invitations.consume(invitationId)
            for (let next = taken; next !== null; ) {
              next = await invitations.findPending(next.email)
              if (next !== null) await invitations.consume(next.id)
            }
            return taken
          },
        },
      }),
    }),
  },
  {
    name: 'invitations: shared references',
    why: 'Hands out the stored object itself, Date included.',
    breaks: ['invitations/copies'],
    flaw: () => {
      const share = sharing()
      return {
        change: ({ invitations }) => ({
          invitations: { findPending: async (email) => share(email, await invitations.findPending(email)) },
        }),
      }
    },
  },
]
