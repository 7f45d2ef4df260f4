/** Broken stores: memberships. */
import type { StoredRepositories } from '../../storage/memory.ts'
import type { Membership, MembershipRepository } from '../../storage/repositories.ts'
import { isConflictError } from '../../storage/storage-errors.ts'
import { autocommit, type BrokenStoreSpec, sharing } from './broken-storage.ts'
import { pause } from './contract-world.ts'

type NewMembership = Parameters<MembershipRepository['insert']>[0]

// Insert, and do `instead` where the membership is there already.
async function insertOr(
  { memberships }: StoredRepositories,
  membership: NewMembership,
  instead: () => Promise<unknown>,
): Promise<Membership> {
  try {
    return await memberships.insert(membership)
  } catch (error) {
    if (!isConflictError(error)) throw error
    await instead()
    return { ...membership, joinedAt: new Date() }
  }
}

async function holdersOf({ memberships }: StoredRepositories, orgId: string, role: string): Promise<number> {
  return (await memberships.listByOrg(orgId)).filter((membership) => membership.role === role).length
}

const RACES = ['memberships/keep-race-demote', 'memberships/keep-race-leave', 'memberships/keep-race-mixed']

const UNIQUE: readonly BrokenStoreSpec[] = [
  {
    name: 'memberships: select, then insert',
    why: 'No unique constraint: who asks before another has inserted makes a second row.',
    breaks: ['memberships/insert-race'],
    flaw: () => ({
      change: (inner) => ({
        memberships: {
          async insert(membership) {
            const found = await inner.memberships.find(membership.orgId, membership.userId)
            await pause(1)
            return found === null ? insertOr(inner, membership, async () => {}) : inner.memberships.insert(membership)
          },
        },
      }),
    }),
  },
  {
    name: 'memberships: conflict swallowed',
    why: 'ON CONFLICT DO NOTHING, and success all the same: "already a member" is never told.',
    breaks: ['memberships/insert-twice', 'memberships/insert-race', 'transactions/conflict'],
    flaw: () => ({
      change: (inner) => ({
        memberships: { insert: (membership) => insertOr(inner, membership, async () => {}) },
      }),
    }),
  },
  {
    name: 'memberships: conflict updates',
    why: 'ON CONFLICT DO UPDATE: an invitation or a second insert changes the role of a member.',
    breaks: ['memberships/insert-twice'],
    flaw: () => ({
      change: (inner) => ({
        memberships: {
          insert: (membership) =>
            insertOr(inner, membership, () =>
              inner.memberships.setRole(membership.orgId, membership.userId, membership.role),
            ),
        },
      }),
    }),
  },
  {
    name: 'memberships: the database error as it is',
    why: 'A unique violation is not translated: a 500 where a 409 belongs.',
    breaks: ['memberships/insert-twice', 'memberships/insert-race', 'transactions/conflict'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          insert: (membership) =>
            memberships.insert(membership).catch((error: Error) => {
              throw new Error('duplicate key value violates unique constraint', { cause: error.message })
            }),
        },
      }),
    }),
  },
  {
    name: 'memberships: on the user row',
    why: 'A second org needs a second place; says that it can hold several all the same.',
    breaks: ['memberships/several-orgs', 'orgs/list-order', 'orgs/selection-many'],
    options: { membershipOn: 'user-row' },
    flaw: () => ({}),
  },
  {
    name: 'memberships: the user is moved',
    why: 'The one org of the user is overwritten: whoever invites takes the user away from where it was.',
    breaks: ['memberships/one-per-user'],
    membershipsPerUser: 'one',
    flaw: () => ({
      change: ({ memberships, users }) => ({
        memberships: {
          async insert(membership) {
            const user = await users.findById(membership.userId)
            if (user?.orgId && user.orgId !== membership.orgId) await memberships.remove(user.orgId, user.id)
            return memberships.insert(membership)
          },
        },
      }),
    }),
  },
  {
    name: 'memberships: no foreign keys',
    why: 'Takes any ids: a typing error makes a member of nowhere and says it worked.',
    breaks: ['memberships/insert-unknown', 'memberships/deleted-org'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          insert: (membership) =>
            memberships.insert(membership).catch((error: unknown) => {
              if (isConflictError(error)) throw error
              return { ...membership, joinedAt: new Date() }
            }),
        },
      }),
    }),
  },
]

const ROWS: readonly BrokenStoreSpec[] = [
  {
    name: 'memberships: whole seconds',
    why: 'Instants lose their milliseconds: whoever joined in the same second is ordered by chance.',
    breaks: ['memberships/instants', 'memberships/found-after-insert'],
    flaw: () => {
      const whole = <M extends Membership | null>(row: M): M =>
        row && { ...row, joinedAt: new Date(Math.floor(row.joinedAt.getTime() / 1000) * 1000) }
      return {
        change: ({ memberships }) => ({
          memberships: {
            find: async (orgId, userId) => whole(await memberships.find(orgId, userId)),
            listByOrg: async (orgId) => (await memberships.listByOrg(orgId)).map(whole),
          },
        }),
      }
    },
  },
  {
    name: 'memberships: roles tidied',
    why: 'Role names are trimmed and lower-cased: "Owner" becomes one.',
    breaks: ['memberships/roles-exact', 'invitations/roles-exact'],
    flaw: () => {
      const tidy = <R extends { readonly role: string }>(row: R): R => ({ ...row, role: row.role.trim().toLowerCase() })
      return {
        change: ({ memberships, invitations }) => ({
          memberships: { insert: (membership) => memberships.insert(tidy(membership)) },
          invitations: { insert: (invitation) => invitations.insert(tidy(invitation)) },
        }),
      }
    },
  },
  {
    name: "memberships: another org's row",
    why: 'where user_id = …, without the org: an admin here changes members there.',
    breaks: ['memberships/other-org'],
    flaw: () => {
      const joined = new Map<string, string>()
      return {
        change: ({ memberships }) => ({
          memberships: {
            async insert(membership) {
              joined.set(membership.userId, membership.orgId)
              return memberships.insert(membership)
            },
            find: (orgId, userId) => memberships.find(joined.get(userId) ?? orgId, userId),
            setRole: (orgId, userId, ...rest) => memberships.setRole(joined.get(userId) ?? orgId, userId, ...rest),
            remove: (orgId, userId, ...rest) => memberships.remove(joined.get(userId) ?? orgId, userId, ...rest),
          },
        }),
      }
    },
  },
  {
    name: 'memberships: removal only said',
    why: 'Marks the row as left, and no query looks at the mark.',
    breaks: ['memberships/remove', 'orgs/acting-now', 'memberships/keep-unasked'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          remove: async (orgId, userId) => ((await memberships.find(orgId, userId)) === null ? 'missing' : 'done'),
        },
      }),
    }),
  },
  {
    name: 'memberships: a changed role makes a member',
    why: 'setRole is an upsert: a stranger becomes a member by a change of role.',
    breaks: ['memberships/set-role', 'memberships/other-org'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          async setRole(orgId, userId, role, options) {
            const change = await memberships.setRole(orgId, userId, role, options)
            if (change !== 'missing') return change
            await memberships.insert({ orgId, userId, role })
            return 'done'
          },
        },
      }),
    }),
  },
  {
    name: 'memberships: shared references',
    why: 'Hands out the stored object itself, Date included.',
    breaks: ['memberships/copies'],
    flaw: () => {
      const share = sharing()
      return {
        change: ({ memberships }) => ({
          memberships: {
            find: async (orgId, userId) => share(`${orgId} ${userId}`, await memberships.find(orgId, userId)),
          },
        }),
      }
    },
  },
]

const KEPT: readonly BrokenStoreSpec[] = [
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

export const BROKEN_MEMBERSHIPS: readonly BrokenStoreSpec[] = [...UNIQUE, ...ROWS, ...KEPT]
