/** Broken stores: memberships, found and changed. */
import type { Membership } from '../../../src/storage/repositories.ts'
import { type BrokenStoreSpec, sharing } from './broken-storage.ts'

export const BROKEN_MEMBERSHIPS: readonly BrokenStoreSpec[] = [
  {
    name: 'memberships: whole seconds',
    why: 'Instants lose their milliseconds: whoever joined in the same second is ordered by chance.',
    breaks: ['memberships/instants', 'memberships/found-after-insert'],
    // One instant in a thousand has no milliseconds to lose.
    options: { clock: () => 1_790_000_000_123 },
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
    name: 'memberships: instants as texts',
    why: 'What finds one membership has no type for the column: its instant is no Date.',
    breaks: ['memberships/found-after-insert'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          async find(orgId, userId) {
            const row = await memberships.find(orgId, userId)
            return row && ({ ...row, joinedAt: row.joinedAt.toISOString() } as unknown as Membership)
          },
        },
      }),
    }),
  },
  {
    name: 'memberships: a change of all that the user has',
    why: 'The condition on the org stands in the look-up alone, not in the UPDATE: who becomes an owner here is one everywhere.',
    breaks: ['memberships/other-memberships'],
    flaw: () => ({
      change: ({ users, memberships }) => ({
        memberships: {
          async setRole(orgId, userId, role, options) {
            const changed = await memberships.setRole(orgId, userId, role, options)
            const user = await users.findById(userId)
            if (changed !== 'done' || user === null) return changed
            for (const { org } of await memberships.listActing({ kind: 'user', user })) {
              await memberships.setRole(org.id, userId, role)
            }
            return changed
          },
        },
      }),
    }),
  },
  {
    name: 'memberships: a removal of all that the user has',
    why: 'DELETE by the user alone, once the membership in that org was found.',
    breaks: ['memberships/other-memberships'],
    flaw: () => ({
      change: ({ users, memberships }) => ({
        memberships: {
          async remove(orgId, userId, options) {
            const removed = await memberships.remove(orgId, userId, options)
            const user = await users.findById(userId)
            if (removed !== 'done' || user === null) return removed
            for (const { org } of await memberships.listActing({ kind: 'user', user })) {
              await memberships.remove(org.id, userId)
            }
            return removed
          },
        },
      }),
    }),
  },
  {
    name: 'memberships: disabled ones not listed',
    why: 'Joins the users that are not disabled: nobody can remove somebody who was disabled.',
    breaks: ['memberships/list-members'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          listByOrg: async (orgId) => (await memberships.listByOrg(orgId)).filter(({ disabled }) => !disabled),
        },
      }),
    }),
  },
  {
    name: 'memberships: nobody without an e-mail',
    why: 'An inner join: who has no address is a member whom no page shows.',
    breaks: ['memberships/list-members'],
    flaw: () => ({
      change: ({ memberships }) => ({
        memberships: {
          listByOrg: async (orgId) => (await memberships.listByOrg(orgId)).filter(({ email }) => email !== null),
        },
      }),
    }),
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
  {
    name: 'memberships: of who is disabled',
    why: 'Looks at the user before and not as it writes: who is being erased becomes a member again.',
    breaks: ['users/disabled-joins-nothing'],
    flaw: () => ({
      change: ({ users, memberships }) => ({
        memberships: {
          async insert(membership) {
            const user = await users.findById(membership.userId)
            if (user?.disabled !== true) return memberships.insert(membership)
            await users.setDisabled(user.id, false)
            const inserted = await memberships.insert(membership)
            await users.setDisabled(user.id, true)
            return inserted
          },
        },
      }),
    }),
  },
  {
    name: 'memberships: a lost race is a bug',
    why: 'Refuses a disabled user by an error of its own: what would be tried again is answered 500.',
    breaks: ['users/disabled-joins-nothing'],
    flaw: () => ({
      change: ({ users, memberships }) => ({
        memberships: {
          async insert(membership) {
            const user = await users.findById(membership.userId)
            if (user?.disabled === true) throw new Error('check constraint: member_enabled')
            return memberships.insert(membership)
          },
        },
      }),
    }),
  },
]
