/** Broken stores: what becomes of an invitation that has expired when its address is invited again. */
import type { Invitation, NewInvitation } from '../../../src/storage/repositories.ts'
import type { StoredRepositories } from '../../../src/storage/shipped-storage.ts'
import { ConflictError } from '../../../src/storage/storage-errors.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import type { BrokenStoreSpec } from './broken-storage.ts'

/** The invitation of this address into this org, whatever became of it. */
async function standing(
  { invitations }: StoredRepositories,
  { orgId, email }: Pick<NewInvitation, 'orgId' | 'email'>,
): Promise<Invitation | undefined> {
  return (await invitations.listByOrg(orgId)).find((row) => row.email === email.trim().toLowerCase())
}

export const BROKEN_REPLACEMENTS: readonly BrokenStoreSpec[] = [
  {
    name: 'invitations: expired ones stay',
    why: 'A unique constraint, and nothing that clears it: whoever let one expire can never be invited again.',
    breaks: ['invitations/replaces-expired', 'invitations/replaced-is-gone', 'invitations/replace-race'],
    flaw: () => ({
      change: (inner) => ({
        invitations: {
          async insert(input) {
            if ((await standing(inner, input)) !== undefined) throw new ConflictError('taken')
            return inner.invitations.insert(input)
          },
        },
      }),
    }),
  },
  {
    name: 'invitations: one that expires now stays',
    why: '"<" for "<=": at the instant at which it counts for nothing it still keeps others out.',
    breaks: ['invitations/replaces-expired'],
    flaw: () => ({
      change: (inner) => ({
        invitations: {
          async insert(input) {
            const row = await standing(inner, input)
            if (row?.expiresAt.getTime() === input.createdAt.getTime()) throw new ConflictError('taken')
            return inner.invitations.insert(input)
          },
        },
      }),
    }),
  },
  {
    name: 'invitations: the last one counts',
    why: 'ON CONFLICT DO UPDATE without a condition: whoever invites second says as what somebody joins.',
    breaks: ['invitations/insert-twice', 'invitations/replaced-by-its-own-clock'],
    flaw: () => ({
      change: (inner) => ({
        invitations: {
          async insert(input) {
            const row = await standing(inner, input)
            if (row !== undefined) await inner.invitations.consume(row.id)
            return inner.invitations.insert(input)
          },
        },
      }),
    }),
  },
  {
    name: 'invitations: expired by the clock of the database',
    why: '"expires_at <= now()": what is good by one clock is replaced by another, and the other way round.',
    breaks: ['invitations/replaced-by-its-own-clock'],
    flaw: () => ({
      change: (inner) => ({
        invitations: {
          async insert(input) {
            const row = await standing(inner, input)
            if (row !== undefined && row.expiresAt > new Date()) throw new ConflictError('taken')
            if (row !== undefined) await inner.invitations.consume(row.id)
            return inner.invitations.insert(input)
          },
        },
      }),
    }),
  },
  {
    name: 'invitations: a new one in the old row',
    why: 'The row is updated and keeps its id: whoever held the old one holds the new one, with another role.',
    breaks: ['invitations/replaced-is-gone'],
    flaw: () => {
      const presentIds = new Map<string, string>()
      return {
        change: (inner) => {
          const present = (id: string): string => presentIds.get(id) ?? id
          return {
            invitations: {
              async insert(input) {
                const row = await standing(inner, input)
                const inserted = await inner.invitations.insert(input)
                if (row === undefined) return inserted
                presentIds.set(row.id, inserted.id)
                return { ...inserted, id: row.id }
              },
              findById: (id) => inner.invitations.findById(present(id)),
              consume: (id) => inner.invitations.consume(present(id)),
            },
          }
        },
      }
    },
  },
  {
    name: 'invitations: whatever has expired in the org goes',
    why: 'Clears up while it inserts: others of the org go that nobody asked about.',
    breaks: ['invitations/replaces-no-other'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          async insert(input) {
            const rows = await invitations.listByOrg(input.orgId)
            for (const { id, expiresAt } of rows) if (expiresAt <= input.createdAt) await invitations.consume(id)
            return invitations.insert(input)
          },
        },
      }),
    }),
  },
  {
    name: 'invitations: look, then replace',
    why: 'Deletes what stands there after it has seen that one had expired: of several at once each deletes the one before.',
    breaks: ['invitations/replace-race'],
    flaw: () => ({
      change: (inner) => ({
        invitations: {
          async insert(input) {
            const row = await standing(inner, input)
            const hasExpired = row !== undefined && row.expiresAt <= input.createdAt
            await pause(1)
            const present = hasExpired ? await standing(inner, input) : undefined
            if (present !== undefined) await inner.invitations.consume(present.id)
            return inner.invitations.insert(input)
          },
        },
      }),
    }),
  },
]
