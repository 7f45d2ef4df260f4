/** Broken stores: one membership for each org and user. */

import type { Membership, MembershipRepository } from '../../../src/storage/repositories.ts'
import type { StoredRepositories } from '../../../src/storage/shipped-storage.ts'
import { isConflictError } from '../../../src/storage/storage-errors.ts'
import { pause } from '../../../src/testing/contracts/races.ts'
import type { BrokenStoreSpec } from './broken-storage.ts'

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

export const BROKEN_UNIQUENESS: readonly BrokenStoreSpec[] = [
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
