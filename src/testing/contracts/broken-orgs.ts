/** Broken stores: organizations, and what a caller may act in. */
import type { ActingOrg } from '../../context.ts'
import type { StoredOrganization } from '../../storage/memory.ts'
import { type BrokenStoreSpec, sharing } from './broken-storage.ts'
import { byId } from './contract-world.ts'

export const BROKEN_ORGS: readonly BrokenStoreSpec[] = [
  {
    name: 'orgs: deleted ones still there',
    why: 'Deleting marks the row, and no query looks at the mark.',
    breaks: [
      'orgs/deleted-is-gone',
      'orgs/deleted-selection',
      'orgs/deleted-is-not-first',
      'memberships/deleted-org',
      'invitations/deleted-org',
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
    why: 'Steps over services and API keys.',
    breaks: ['orgs/acting-service', 'orgs/acting-key'],
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
    name: 'list: by id',
    why: 'Orders by the id, which is random: another org serves than the one that was joined first.',
    breaks: ['orgs/list-order'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          async listActing(caller, limit) {
            const all = [...(await memberships.listActing(caller))]
            return all.sort((a, b) => byId(a.org, b.org)).slice(0, limit)
          },
        },
      }),
    }),
  },
  {
    name: 'list: ties as they were inserted',
    why: 'Nothing decides between equal instants: the order changes with the plan of the query.',
    breaks: ['orgs/list-ties', 'memberships/list-order'],
    options: { clock: () => 1_790_000_000_000 },
    flaw: () => {
      const inserted: string[] = []
      return {
        change: ({ memberships }) => ({
          memberships: {
            async insert(membership) {
              inserted.push(membership.orgId, membership.userId)
              return memberships.insert(membership)
            },
            async listActing(caller, limit) {
              const all = [...(await memberships.listActing(caller))]
              return all.sort((a, b) => inserted.indexOf(a.org.id) - inserted.indexOf(b.org.id)).slice(0, limit)
            },
            async listByOrg(orgId) {
              const all = [...(await memberships.listByOrg(orgId))]
              return all.sort((a, b) => inserted.indexOf(a.userId) - inserted.indexOf(b.userId))
            },
          },
        }),
      }
    },
  },
  {
    name: 'list: limit ignored',
    why: 'Reads every membership on every request.',
    breaks: ['orgs/list-limit'],
    flaw: () => ({
      change: ({ memberships }) => ({ memberships: { listActing: (caller) => memberships.listActing(caller) } }),
    }),
  },
  {
    name: "list: everybody's orgs",
    why: 'The list forgets whose it is.',
    breaks: ['orgs/list-own', 'orgs/acting-now'],
    flaw: () => {
      const ids: string[] = []
      return {
        change: ({ orgs, memberships }) => ({
          orgs: {
            async insert(name) {
              const org = await orgs.insert(name)
              ids.push(org.id)
              return org
            },
          },
          memberships: {
            async listActing(caller, limit) {
              if (caller.kind !== 'user') return memberships.listActing(caller, limit)
              const all = await Promise.all(ids.map((id) => orgs.findById(id)))
              return all.filter((org) => org !== null).map((org) => ({ org, role: 'member' }))
            },
          },
        }),
      }
    },
  },
  {
    name: 'selection: ignored',
    why: 'Answers the first org whatever was named: a request acts in another org than it says.',
    breaks: ['orgs/selection-named', 'orgs/selection-many', 'orgs/selection-malformed'],
    flaw: () => ({
      change: ({ users }) => ({
        users: { findByIdentity: (identity) => users.findByIdentity(identity, { kind: 'unnamed' }) },
      }),
    }),
  },
  {
    name: 'selection: the latest',
    why: 'The joined query orders the other way round than listActing.',
    breaks: ['orgs/selection-many'],
    flaw: () => ({
      change: ({ users, memberships }) => ({
        users: {
          async findByIdentity(identity, selection) {
            const found = await users.findByIdentity(identity, selection)
            if (found === null || selection.kind !== 'unnamed') return found
            const all = await memberships.listActing({ kind: 'user', user: found.user })
            return { user: found.user, membership: all.at(-1) ?? null }
          },
        },
      }),
    }),
  },
  {
    name: 'selection: none is null',
    why: 'Answers null, "asked, there is none", where it should leave out what it did not ask.',
    breaks: ['orgs/selection-named', 'orgs/selection-unnamed'],
    flaw: () => ({
      change: ({ users }) => ({
        users: {
          async findByIdentity(identity) {
            const found = await users.findByIdentity(identity, { kind: 'malformed' })
            return found && { ...found, membership: null }
          },
        },
      }),
    }),
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
