/** Broken stores: the order of what a caller may act in, and the membership found with the user. */

import { byId } from '../../../src/testing/contracts/races.ts'
import type { BrokenStoreSpec } from './broken-storage.ts'

export const BROKEN_LISTS: readonly BrokenStoreSpec[] = [
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
]
