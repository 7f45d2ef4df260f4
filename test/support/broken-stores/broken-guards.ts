/** Broken stores: the last holder of a role. */
import type { KeepOptions } from '../../../src/storage/repositories.ts'
import type { StoredRepositories } from '../../../src/storage/shipped-storage.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import { autocommit, type BrokenStoreSpec } from './broken-storage.ts'

async function holdersOf({ memberships }: StoredRepositories, orgId: string, role: string): Promise<number> {
  return (await memberships.listByOrg(orgId)).filter((membership) => membership.role === role).length
}

const RACES = ['memberships/keep-race-demote', 'memberships/keep-race-leave', 'memberships/keep-race-mixed']

export const BROKEN_GUARDS: readonly BrokenStoreSpec[] = [
  {
    name: 'keep: ignored',
    why: 'The last owner can go: nobody can manage the org any more.',
    breaks: ['memberships/keep-last', 'memberships/keep-per-org', 'transactions/keep-race', ...RACES],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          setRole: (orgId, userId, role) => memberships.setRole(orgId, userId, role),
          remove: (orgId, userId) => memberships.remove(orgId, userId),
        },
      }),
    }),
  },
  {
    name: 'keep: counted, then written',
    why: 'The check stands outside the write: two owners who demote each other both see two.',
    breaks: ['transactions/keep-race', ...RACES],
    flaw: () => ({
      transact: autocommit,
      change: (inner) => {
        const isLast = async (orgId: string, userId: string, keep?: string): Promise<boolean> => {
          const held = (await inner.memberships.find(orgId, userId))?.role === keep
          const last = keep !== undefined && held && (await holdersOf(inner, orgId, keep)) === 1
          await pause(1)
          return last
        }
        return {
          memberships: {
            setRole: async (orgId, userId, role, { keep } = {}) =>
              role !== keep && (await isLast(orgId, userId, keep))
                ? 'last'
                : inner.memberships.setRole(orgId, userId, role),
            remove: async (orgId, userId, { keep } = {}) =>
              (await isLast(orgId, userId, keep)) ? 'last' : inner.memberships.remove(orgId, userId),
          },
        }
      },
    }),
  },
  {
    name: 'keep: of who held it before',
    why: 'Those who hold the role are looked for, then waited for: who gets it meanwhile is none of them, and goes though the last.',
    breaks: ['transactions/keep-handed-over'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          async remove(orgId, userId, options = {}) {
            const isHolder = (await memberships.find(orgId, userId))?.role === options.keep
            return memberships.remove(orgId, userId, isHolder ? options : {})
          },
        },
      }),
    }),
  },
  {
    name: 'keep: too eager',
    why: 'Refuses every change of the last owner, the one to the same role too.',
    breaks: ['memberships/keep-not-needed'],
    flaw: () => ({
      change: (inner) => ({
        memberships: {
          async setRole(orgId, userId, role, options = {}) {
            const held = (await inner.memberships.find(orgId, userId))?.role
            const last = held === options.keep && (await holdersOf(inner, orgId, held ?? '')) === 1
            return last ? 'last' : inner.memberships.setRole(orgId, userId, role, options)
          },
        },
      }),
    }),
  },
  {
    name: 'keep: unasked',
    why: 'The role to be kept is built in: hosts with other roles, or other rules, can not go on.',
    breaks: ['memberships/keep-unasked'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          setRole: (orgId, userId, role) => memberships.setRole(orgId, userId, role, { keep: 'owner' }),
          remove: (orgId, userId) => memberships.remove(orgId, userId, { keep: 'owner' }),
        },
      }),
    }),
  },
  {
    name: 'keep: disabled holders count',
    why: 'Counts rows and not people: the last owner who can still log in goes, and nobody can manage the org.',
    breaks: ['memberships/keep-disabled'],
    flaw: () => ({
      change: (inner) => {
        const optionsOf = async (orgId: string, options: KeepOptions): Promise<KeepOptions> =>
          options.keep !== undefined && (await holdersOf(inner, orgId, options.keep)) > 1 ? {} : options
        return {
          memberships: {
            setRole: async (orgId, userId, role, options = {}) =>
              inner.memberships.setRole(orgId, userId, role, await optionsOf(orgId, options)),
            remove: async (orgId, userId, options = {}) =>
              inner.memberships.remove(orgId, userId, await optionsOf(orgId, options)),
          },
        }
      },
    }),
  },
  {
    name: 'keep: holders of all orgs',
    why: 'The count forgets the org: as long as anybody anywhere is an owner, the last one here can go.',
    breaks: ['memberships/keep-per-org'],
    flaw: () => {
      const seen = new Set<string>()
      return {
        change: (inner) => {
          const elsewhere = async (keep = ''): Promise<boolean> => {
            const counts = await Promise.all([...seen].map((orgId) => holdersOf(inner, orgId, keep)))
            return counts.reduce((sum, count) => sum + count, 0) > 1
          }
          return {
            memberships: {
              async insert(membership) {
                seen.add(membership.orgId)
                return inner.memberships.insert(membership)
              },
              setRole: async (orgId, userId, role, options = {}) =>
                inner.memberships.setRole(orgId, userId, role, (await elsewhere(options.keep)) ? {} : options),
              remove: async (orgId, userId, options = {}) =>
                inner.memberships.remove(orgId, userId, (await elsewhere(options.keep)) ? {} : options),
            },
          }
        },
      }
    },
  },
]
