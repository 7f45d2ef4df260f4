/** Broken stores: organizations, and what a caller may act in. */
import type { ActingOrg } from '../../../src/context.ts'
import type { StoredOrganization } from '../../../src/storage/shipped-storage.ts'
import { type BrokenStoreSpec, sharing } from './broken-storage.ts'

export const BROKEN_ORGS: readonly BrokenStoreSpec[] = [
  {
    name: 'orgs: names of 50 characters',
    why: 'varchar(50): whoever has a longer address can never log in, since the organization of a first login is named by it.',
    breaks: ['orgs/found-after-insert'],
    flaw: () => ({
      change: ({ orgs }) => ({
        orgs: {
          async insert(org) {
            if (org.name.length > 50) throw new Error('value too long for type character varying(50)')
            return orgs.insert(org)
          },
        },
      }),
    }),
  },
  {
    name: 'orgs: names in lower case',
    why: 'A column that folds what is written into it.',
    breaks: ['orgs/found-after-insert'],
    flaw: () => ({
      change: ({ orgs }) => ({ orgs: { insert: (org) => orgs.insert({ ...org, name: org.name.toLowerCase() }) } }),
    }),
  },
  {
    name: 'orgs: deleted ones still there',
    why: 'Deleting marks the row, and no query looks at the mark.',
    breaks: [
      'orgs/deleted-is-gone',
      'orgs/deleted-selection',
      'orgs/deleted-is-not-first',
      'memberships/deleted-org',
      'invitations/deleted-org',
      'orgs/remove',
      'orgs/remove-invitations',
      'orgs/remove-keys',
      'transactions/orgs-unchanged',
    ],
    flaw: () => ({ change: () => ({ orgs: { remove: async () => true } }) }),
  },
  {
    name: 'orgs: one of each name',
    why: 'Takes the name for the key: the second customer of a name lands in the org of the first.',
    breaks: ['orgs/found-after-insert'],
    flaw: () => {
      const named = new Map<string, StoredOrganization>()
      return {
        change: ({ orgs }) => ({
          orgs: {
            async insert(org) {
              const row = named.get(org.name) ?? (await orgs.insert(org))
              named.set(org.name, row)
              return { ...row }
            },
          },
        }),
      }
    },
  },
  {
    name: 'acting: anybody in any org',
    why: 'The membership query forgets the user: the header alone decides.',
    breaks: ['orgs/acting-member', 'orgs/acting-now', 'orgs/acting-hostile-user'],
    flaw: () => ({
      change: ({ orgs, memberships }) => ({
        memberships: {
          async findActing(caller, orgId) {
            if (caller.kind !== 'user') return memberships.findActing(caller, orgId)
            const [org, members] = [await orgs.findById(orgId), await memberships.listByOrg(orgId)]
            return org === null ? null : { org, role: members[0]?.role ?? 'member' }
          },
        },
      }),
    }),
  },
  {
    name: 'acting: role of another org',
    why: "The user's first membership gives the role in every org.",
    breaks: ['orgs/acting-role-per-org'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          async findActing(caller, orgId) {
            const acting = await memberships.findActing(caller, orgId)
            const [first] = await memberships.listActing(caller, 1)
            return acting === null || first === undefined ? acting : { org: acting.org, role: first.role }
          },
        },
      }),
    }),
  },
  {
    name: 'acting: users only',
    why: 'Steps over services, machines and API keys.',
    breaks: ['orgs/acting-service', 'orgs/acting-key', 'orgs/acting-machine'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          findActing: async (caller, orgId) => (caller.kind === 'user' ? memberships.findActing(caller, orgId) : null),
          listActing: async (caller, limit) => (caller.kind === 'user' ? memberships.listActing(caller, limit) : []),
        },
      }),
    }),
  },
  {
    name: 'acting: a key in any org',
    why: 'An API key acts wherever the header says.',
    breaks: ['orgs/acting-key'],
    flaw: () => ({
      change: ({ orgs, memberships }) => ({
        memberships: {
          async findActing(caller, orgId) {
            if (caller.kind !== 'apiKey') return memberships.findActing(caller, orgId)
            const org = await orgs.findById(orgId)
            return org && { org, role: caller.key.role }
          },
        },
      }),
    }),
  },
  {
    name: 'acting: an unknown org throws',
    why: 'Not found is an error here: a 500 for an unknown org tells it from a foreign one.',
    breaks: ['orgs/acting-unknown-org', 'orgs/selection-named'],
    flaw: () => ({
      change: ({ orgs, memberships }) => ({
        memberships: {
          async findActing(caller, orgId) {
            if ((await orgs.findById(orgId)) === null) throw new Error('no such organization')
            return memberships.findActing(caller, orgId)
          },
        },
      }),
    }),
  },
  {
    name: 'acting: cached',
    why: 'Remembers what it found: a removed member and a demoted owner go on.',
    breaks: ['orgs/acting-now'],
    flaw: () => {
      const cache = new Map<string, Promise<ActingOrg<StoredOrganization> | null>>()
      return {
        change: ({ memberships }) => ({
          memberships: {
            async findActing(caller, orgId) {
              if (caller.kind !== 'user') return memberships.findActing(caller, orgId)
              const key = `${caller.user.id} ${orgId}`
              const found = cache.get(key) ?? memberships.findActing(caller, orgId)
              cache.set(key, found)
              return found
            },
          },
        }),
      }
    },
  },
  {
    name: 'orgs: shared references',
    why: 'Hands out the stored object itself.',
    breaks: ['orgs/copies', 'orgs/acting-copies'],
    flaw: () => {
      const share = sharing()
      return {
        change: ({ orgs, memberships }) => ({
          orgs: {
            insert: async (input) => {
              const org = await orgs.insert(input)
              return share(org.id, org)
            },
            findById: async (orgId) => share(orgId, await orgs.findById(orgId)),
          },
          memberships: {
            async findActing(caller, orgId) {
              return share(`${orgId} for ${JSON.stringify(caller)}`, await memberships.findActing(caller, orgId))
            },
          },
        }),
      }
    },
  },
]
