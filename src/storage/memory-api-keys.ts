/** The API keys of the in-memory storage, over one set of tables. */
import { compare, copy, type Tables } from './memory-tables.ts'
import type { ApiKeyOwner, ApiKeyRecord, ApiKeyRepository } from './repositories.ts'
import { ConflictError } from './storage-errors.ts'

type Reads = Pick<ApiKeyRepository, 'findById' | 'list'>

/** Build the API key repository over one set of tables. */
export function apiKeyRepository(tables: Tables): ApiKeyRepository {
  return { ...readsOf(tables), ...writesOf(tables) }
}

function readsOf({ apiKeys }: Tables): Reads {
  return {
    async findById(keyId) {
      const key = apiKeys.get(keyId)
      return key === undefined ? null : copyOf(key)
    },
    list: async (owner) =>
      [...apiKeys.values()]
        .filter((key) => key.revokedAt === null && isOf(owner, key))
        .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || compare(a.id, b.id))
        .map(copyOf),
  }
}

function writesOf({ apiKeys, orgs }: Tables): Omit<ApiKeyRepository, keyof Reads> {
  // A row is written as a copy and handed out as another.
  const write = (key: ApiKeyRecord): ApiKeyRecord => {
    apiKeys.set(key.id, copyOf(key))
    return copyOf(key)
  }
  const keyOf = (owner: ApiKeyOwner, keyId: string): ApiKeyRecord | undefined => {
    const key = apiKeys.get(keyId)
    return key !== undefined && isOf(owner, key) ? key : undefined
  }
  return {
    async insert(key) {
      if (key.orgId !== null && orgs.get(key.orgId) === undefined) {
        throw new Error('an API key needs an organization that exists, or none')
      }
      if (apiKeys.get(key.id) !== undefined) throw new ConflictError('there is an API key of this id')
      return write({ ...key, previousSecretHash: null, previousUntil: null, revokedAt: null, lastUsedAt: null })
    },
    async rotate(owner, keyId, { secretHash, previousUntil }) {
      const key = keyOf(owner, keyId)
      if (key === undefined || key.revokedAt !== null) return null
      const previousSecretHash = previousUntil === null ? null : key.secretHash
      return write({ ...key, secretHash, previousSecretHash, previousUntil })
    },
    async revoke(owner, keyId, at) {
      const key = keyOf(owner, keyId)
      if (key?.revokedAt === null) write({ ...key, revokedAt: at })
      return key !== undefined
    },
    async touch(keyId, at) {
      const key = apiKeys.get(keyId)
      if (key !== undefined && (key.lastUsedAt === null || key.lastUsedAt < at)) write({ ...key, lastUsedAt: at })
    },
  }
}

function isOf(owner: ApiKeyOwner, { orgId }: ApiKeyRecord): boolean {
  return owner.kind === 'installation' || (orgId !== null && owner.orgId === orgId)
}

function copyOf<K extends { readonly scopes: readonly string[] }>(key: K): K {
  return Object.freeze({ ...copy(key), scopes: Object.freeze([...key.scopes]) })
}
