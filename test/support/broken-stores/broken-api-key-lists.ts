/** Broken API key repositories: whose keys are listed, and in which order. */
import type { BrokenApiKeysSpec } from './broken-api-key-spec.ts'
import { isOwn } from './plain-api-keys.ts'

export const BROKEN_API_KEY_LISTS: readonly BrokenApiKeysSpec[] = [
  {
    name: 'keys: listed as written',
    why: 'No order: the list is in the order of writing.',
    breaks: ['api-keys/list-order'],
    flaw: (_, { rows, clone }) => ({
      list: async (owner) => clone([...rows.values()].filter((row) => row.revokedAt === null && isOwn(owner, row))),
    }),
  },
  {
    name: 'keys: ordered as people do',
    why: 'Orders ids by a locale, not by code units.',
    breaks: ['api-keys/list-order'],
    flaw: ({ list }) => ({
      list: async (owner) =>
        [...(await list(owner))].sort((a, b) => +a.createdAt - +b.createdAt || a.id.localeCompare(b.id, 'en')),
    }),
  },
  {
    name: 'keys: expired ones hidden',
    why: 'Lists only what still works: nobody sees why a job stopped.',
    breaks: ['api-keys/list-whole'],
    flaw: ({ list }) => ({
      list: async (owner) =>
        (await list(owner)).filter(({ expiresAt }) => expiresAt === null || expiresAt > new Date()),
    }),
  },
  {
    name: 'keys: revoked ones shown',
    why: 'Lists what is dead among what works.',
    breaks: ['api-keys/list-whole'],
    flaw: (_, { rows, clone }) => ({
      list: async (owner) => clone([...rows.values()].filter((row) => isOwn(owner, row))),
    }),
  },
  {
    name: "keys: everybody's listed",
    why: 'Forgets the where: each org sees the keys of all.',
    breaks: ['api-keys/list-own'],
    flaw: ({ list }) => ({ list: () => list({ kind: 'installation' }) }),
  },
  {
    name: 'keys: unbound ones in every org',
    why: '"or org_id is null" in the where: each org may revoke what the installation owns.',
    breaks: ['api-keys/unbound'],
    flaw: (_, { rows, clone, update }) => ({
      list: async (owner) => clone([...rows.values()].filter((row) => row.orgId === null || isOwn(owner, row))),
      async revoke(owner, keyId, at) {
        const row = rows.get(keyId)
        if (row === undefined || (row.orgId !== null && !isOwn(owner, row))) return false
        if (row.revokedAt === null) update(keyId, { revokedAt: at })
        return true
      },
    }),
  },
  {
    name: 'keys: the installation owns unbound ones only',
    why: 'Takes "the installation\'s" for "bound to no org".',
    breaks: ['api-keys/installation'],
    flaw: ({ rotate }, { rows }) => ({
      rotate: async (owner, keyId, change) =>
        owner.kind === 'installation' && rows.get(keyId)?.orgId !== null ? null : rotate(owner, keyId, change),
    }),
  },
  {
    name: 'keys: what somebody made and is revoked is not told',
    why: 'Filters as the list of an owner does: what is stored about somebody is missing where they ask for it.',
    breaks: ['api-keys/list-created-by'],
    flaw: ({ listCreatedBy }) => ({
      listCreatedBy: async (userId) => (await listCreatedBy(userId)).filter(({ revokedAt }) => revokedAt === null),
    }),
  },
]
