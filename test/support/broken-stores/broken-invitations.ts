/** Broken stores: invitations, kept, listed and taken. */
import type { Invitation } from '../../../src/storage/repositories.ts'
import { isConflictError } from '../../../src/storage/storage-errors.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import { autocommit, type BrokenStoreSpec, sharing } from './broken-storage.ts'

// Several of what anybody has, by whatever is asked.
const MANY = 10_000

const RECORDS: readonly BrokenStoreSpec[] = [
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
    name: 'invitations: addresses of 100 characters',
    why: 'A database that cuts what is too long: whoever has that address is never found.',
    breaks: ['invitations/normalized'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: { insert: (input) => invitations.insert({ ...input, email: input.email.slice(0, 100) }) },
      }),
    }),
  },
  {
    name: 'invitations: the hash goes along',
    why: 'select *: whoever lists invitations is handed what their links are checked by.',
    breaks: ['invitations/found-after-insert'],
    flaw: () => {
      const hashes = new Map<string, string | null>()
      return {
        change: ({ invitations }) => ({
          invitations: {
            async insert(input) {
              const row = await invitations.insert(input)
              hashes.set(row.id, input.secretHash)
              return row
            },
            async findById(invitationId) {
              const row = await invitations.findById(invitationId)
              return row && { ...row, secretHash: hashes.get(invitationId) }
            },
          },
        }),
      }
    },
  },
  {
    name: 'invitations: whole seconds',
    why: 'Instants lose their milliseconds: one of today expires before it was made.',
    breaks: ['invitations/instants-exact', 'invitations/found-after-insert'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          async findById(invitationId) {
            const row = await invitations.findById(invitationId)
            return row && { ...row, expiresAt: new Date(Math.floor(row.expiresAt.getTime() / 1000) * 1000) }
          },
        },
      }),
    }),
  },
  {
    name: 'invitations: instants as texts',
    why: 'The column is a text, and nobody makes a Date of it again: whoever asks whether it has expired gets a TypeError.',
    breaks: ['invitations/found-after-insert', 'invitations/list-of', 'invitations/consume-once'],
    flaw: () => {
      const asText = <I extends Invitation | null>(row: I): I =>
        row && { ...row, expiresAt: row.expiresAt.toISOString() as unknown as Date }
      return {
        change: ({ invitations }) => ({
          invitations: {
            findBySecretHash: async (hash) => asText(await invitations.findBySecretHash(hash)),
            consume: async (invitationId) => asText(await invitations.consume(invitationId)),
            listOf: async (invitedBy, email) => (await invitations.listOf(invitedBy, email)).map(asText),
          },
        }),
      }
    },
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
              return { ...input, id: crypto.randomUUID() }
            }),
        },
      }),
    }),
  },
  {
    name: 'invitations: no foreign keys',
    why: 'Takes an invitation into an org that is not there.',
    breaks: ['invitations/insert-unknown', 'invitations/deleted-org'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          insert: (input) =>
            invitations.insert(input).catch((error: unknown) => {
              if (isConflictError(error)) throw error
              return { ...input, id: crypto.randomUUID() }
            }),
        },
      }),
    }),
  },
  {
    name: 'invitations: expired ones hidden',
    why: '"where expires_at > now()" in every query: by a clock that nobody asked, and nobody sees what became of them.',
    breaks: [
      'invitations/expired-found',
      'invitations/list-by-email',
      'invitations/list-live',
      'invitations/list-by-org',
    ],
    flaw: () => {
      const isGood = ({ expiresAt }: Invitation): boolean => expiresAt > new Date()
      return {
        change: ({ invitations }) => ({
          invitations: {
            async findById(invitationId) {
              const row = await invitations.findById(invitationId)
              return row !== null && isGood(row) ? row : null
            },
            listByEmail: async (...given) => (await invitations.listByEmail(...given)).filter(isGood),
            listByOrg: async (orgId) => (await invitations.listByOrg(orgId)).filter(isGood),
          },
        }),
      }
    },
  },
  {
    name: 'invitations: shared references',
    why: 'Hands out the stored object itself, Date included.',
    breaks: ['invitations/copies'],
    flaw: () => {
      const share = sharing()
      return {
        change: ({ invitations }) => ({
          invitations: {
            findById: async (invitationId) => share(invitationId, await invitations.findById(invitationId)),
          },
        }),
      }
    },
  },
]

const LISTS: readonly BrokenStoreSpec[] = [
  {
    name: 'invitations: the latest first',
    why: 'Orders the wrong way round.',
    breaks: ['invitations/list-by-email', 'invitations/list-live', 'invitations/list-by-org'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          listByEmail: async (email, limit, liveAt) =>
            [...(await invitations.listByEmail(email, MANY, liveAt))].reverse().slice(0, limit),
          listByOrg: async (orgId) => [...(await invitations.listByOrg(orgId))].reverse(),
        },
      }),
    }),
  },
  {
    name: 'invitations: ties as they come',
    why: 'Nothing decides between equal instants: a page shows one twice and another never.',
    breaks: ['invitations/list-by-email', 'invitations/list-by-org'],
    flaw: () => {
      const byInstant = (rows: readonly Invitation[]): readonly Invitation[] =>
        [...rows].reverse().sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
      return {
        change: ({ invitations }) => ({
          invitations: {
            listByEmail: async (email, limit, liveAt) =>
              byInstant(await invitations.listByEmail(email, MANY, liveAt)).slice(0, limit),
            listByOrg: async (orgId) => byInstant(await invitations.listByOrg(orgId)),
          },
        }),
      }
    },
  },
  {
    name: 'invitations: limit ignored',
    why: 'Whoever is invited a hundred thousand times over has each of their requests read all of them.',
    breaks: ['invitations/list-by-email', 'invitations/list-live'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: { listByEmail: (email, _limit, liveAt) => invitations.listByEmail(email, MANY, liveAt) },
      }),
    }),
  },
  {
    name: 'invitations: expired ones take the places',
    why: 'Asks for the live ones of the first hundred: whoever was invited a hundred times before is never invited again.',
    breaks: ['invitations/list-live'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          listByEmail: async (email, limit, liveAt = new Date(0)) =>
            (await invitations.listByEmail(email, limit)).filter(({ expiresAt }) => expiresAt > liveAt),
        },
      }),
    }),
  },
]

const TAKINGS: readonly BrokenStoreSpec[] = [
  {
    name: 'invitations: find, then delete',
    why: 'Two who take it at once both find it: one invitation, two members.',
    breaks: ['invitations/consume-race', 'transactions/consume-race'],
    flaw: () => ({
      transact: autocommit,
      change: ({ invitations }) => ({
        invitations: {
          async consume(invitationId) {
            const found = await invitations.findById(invitationId)
            await pause(1)
            await invitations.consume(invitationId)
            return found
          },
        },
      }),
    }),
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
    breaks: ['invitations/others-untouched'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          async consume(invitationId) {
            const taken = await invitations.consume(invitationId)
            const others = taken === null ? [] : await invitations.listByEmail(taken.email, MANY)
            for (const { id } of others) await invitations.consume(id)
            return taken
          },
        },
      }),
    }),
  },
]

const REMOVALS: readonly BrokenStoreSpec[] = [
  {
    name: 'invitations: what the host has sent goes with whoever leaves',
    why: '"invited_by = $1 or invited_by is null": a host’s own invitations end with the first user who leaves.',
    breaks: ['invitations/remove-of-no-other'],
    flaw: () => {
      const ids: string[] = []
      return {
        change: ({ invitations }) => ({
          invitations: {
            async insert(input) {
              const row = await invitations.insert(input)
              if (input.invitedBy === null) ids.push(row.id)
              return row
            },
            async removeOf(invitedBy, email) {
              for (const id of ids) await invitations.consume(id)
              return invitations.removeOf(invitedBy, email)
            },
          },
        }),
      }
    },
  },
  {
    name: 'invitations: of whoever leaves, what is both',
    why: '"and" for "or": only what somebody sent to their own address is deleted.',
    breaks: ['invitations/remove-of', 'invitations/remove-of-no-other'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          async removeOf(invitedBy, email) {
            const own = await invitations.listByEmail(email ?? '', MANY)
            const both = own.filter((row) => row.invitedBy === invitedBy)
            for (const { id } of both) await invitations.consume(id)
            return both.length
          },
        },
      }),
    }),
  },
  {
    name: 'invitations: what somebody has sent stays',
    why: 'Deletes by the address alone: roles go on being given in the name of who has left.',
    breaks: ['invitations/remove-of', 'invitations/remove-of-no-other'],
    flaw: () => ({
      change: ({ invitations }) => ({ invitations: { removeOf: (_, email) => invitations.removeOf('', email) } }),
    }),
  },
  {
    name: 'invitations: counted twice',
    why: 'Two statements, and the sum of what each could have deleted.',
    breaks: ['invitations/remove-of'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          async removeOf(invitedBy, email) {
            const own = await invitations.listByEmail(email ?? '', MANY)
            const both = own.filter((row) => row.invitedBy === invitedBy).length
            return (await invitations.removeOf(invitedBy, email)) + both
          },
        },
      }),
    }),
  },
  {
    name: 'invitations: what somebody was sent is not told',
    why: 'Lists by the inviter alone: half of what is stored about somebody is missing where they ask for it.',
    breaks: ['invitations/list-of'],
    flaw: () => ({
      change: ({ invitations }) => ({ invitations: { listOf: (invitedBy) => invitations.listOf(invitedBy, null) } }),
    }),
  },
  {
    name: 'invitations: told twice',
    why: 'Two lists, one after the other: what is in both is listed twice, and out of order.',
    breaks: ['invitations/list-of'],
    flaw: () => ({
      change: ({ invitations }) => ({
        invitations: {
          listOf: async (invitedBy, email) => [
            ...(await invitations.listOf(invitedBy, null)),
            ...(await invitations.listOf('', email)),
          ],
        },
      }),
    }),
  },
]

export const BROKEN_INVITATIONS: readonly BrokenStoreSpec[] = [...RECORDS, ...LISTS, ...TAKINGS, ...REMOVALS]
