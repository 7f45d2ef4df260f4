/** Broken stores: ids, in every repository. */
import type { StoredRepositories } from '../../../src/storage/shipped-storage.ts'
import type { BrokenStoreSpec, Replaced } from './broken-storage.ts'

// Look every id at hand through `read` before it is used.
function readingIds(
  { users, orgs, memberships, invitations }: StoredRepositories,
  read: (id: string) => string,
): Replaced {
  return {
    users: {
      findById: async (userId) => users.findById(read(userId)),
      async findByIdentity({ issuer, subject }, selection) {
        const named = selection.kind === 'named' ? { ...selection, orgId: read(selection.orgId) } : selection
        return users.findByIdentity({ issuer: read(issuer), subject: read(subject) }, named)
      },
      setDisabled: async (userId, disabled) => users.setDisabled(read(userId), disabled),
      anonymize: async (userId, identity) => users.anonymize(read(userId), identity),
      setEmail: async (userId, email) => users.setEmail(read(userId), email),
      moveIdentity: async ({ issuer, subject }, to) =>
        users.moveIdentity({ issuer: read(issuer), subject: read(subject) }, to),
    },
    orgs: {
      findById: async (orgId) => orgs.findById(read(orgId)),
      findLocked: async (orgId) => orgs.findLocked(read(orgId)),
      rename: async (orgId, name) => orgs.rename(read(orgId), name),
      remove: async (orgId) => orgs.remove(read(orgId)),
    },
    memberships: {
      async findActing(caller, orgId) {
        if (caller.kind !== 'user') return memberships.findActing(caller, read(orgId))
        const user = { ...caller.user, id: read(caller.user.id) }
        return memberships.findActing({ kind: 'user', user }, read(orgId))
      },
      async listActing(caller, limit) {
        if (caller.kind === 'user') read(caller.user.id)
        return memberships.listActing(caller, limit)
      },
      find: async (orgId, userId) => memberships.find(read(orgId), read(userId)),
      listByOrg: async (orgId) => memberships.listByOrg(read(orgId)),
      setRole: async (orgId, userId, ...rest) => memberships.setRole(read(orgId), read(userId), ...rest),
      remove: async (orgId, userId, ...rest) => memberships.remove(read(orgId), read(userId), ...rest),
    },
    invitations: {
      findById: async (invitationId) => invitations.findById(read(invitationId)),
      findBySecretHash: async (hash) => invitations.findBySecretHash(read(hash)),
      listByEmail: async (email, limit, liveAt) => invitations.listByEmail(read(email), limit, liveAt),
      listByOrg: async (orgId) => invitations.listByOrg(read(orgId)),
      removeOf: async (invitedBy, email) => invitations.removeOf(read(invitedBy), email && read(email)),
      consume: async (invitationId) => invitations.consume(read(invitationId)),
    },
  }
}

const ALL_HOSTILE = [
  'users/hostile-ids',
  'users/admin-hostile-ids',
  'users/set-email',
  'users/move-identity-missing',
  'orgs/hostile-ids',
  'orgs/acting-unknown-org',
  'orgs/acting-hostile-user',
  'orgs/selection-named',
  'orgs/found-locked',
  'orgs/rename',
  'orgs/remove',
  'memberships/hostile-ids',
  'invitations/hostile-ids',
  'invitations/remove-of-hostile',
]

export const BROKEN_IDS: readonly BrokenStoreSpec[] = [
  {
    name: 'ids: the driver throws',
    why: 'Hands every text to the database: NUL, a lone surrogate or 10 KB become its error and a 500.',
    breaks: ALL_HOSTILE,
    flaw: () => ({
      change: (inner) =>
        readingIds(inner, (id) => {
          if (/[\0\ud800-\udfff]/.test(id) || id.length > 1000)
            throw new Error('invalid byte sequence for encoding "UTF8"')
          return id
        }),
    }),
  },
  {
    name: 'ids: cut at NUL',
    why: 'Texts end at the first NUL in C: an id with something behind it finds the row of another.',
    breaks: [
      'users/hostile-ids',
      'orgs/hostile-ids',
      'orgs/acting-unknown-org',
      'memberships/hostile-ids',
      'invitations/hostile-ids',
    ],
    flaw: () => ({ change: (inner) => readingIds(inner, (id) => id.split('\0')[0] ?? '') }),
  },
  {
    name: 'ids: trimmed',
    why: 'Forgives white space around an id: two texts name one row, and caches and logs see two.',
    breaks: ['users/identity-is-exact', 'users/hostile-ids', 'orgs/hostile-ids', 'memberships/hostile-ids'],
    flaw: () => ({ change: (inner) => readingIds(inner, (id) => id.trim()) }),
  },
  {
    name: 'ids: names of an object',
    why: 'Rows in a plain object, looked up by name: `constructor` and `__proto__` are always there.',
    breaks: ['orgs/hostile-ids', 'memberships/hostile-ids'],
    flaw: () => ({
      change: ({ orgs, memberships }) => ({
        orgs: {
          findById: async (orgId) =>
            orgId in {} ? { id: orgId, name: '', createdAt: new Date() } : orgs.findById(orgId),
        },
        memberships: {
          listByOrg: async (orgId) => (orgId in {} ? ({}[orgId as never] as never) : memberships.listByOrg(orgId)),
        },
      }),
    }),
  },
]
