/** The plainest API key repository that holds the port: rows in a map. Broken ones are this one with a method replaced. */
import type { ApiKeyOwner, ApiKeyRecord, ApiKeyRepository } from '../../../src/storage/repositories.ts'
import { ConflictError } from '../../../src/storage/storage-errors.ts'
import type { ApiKeysUnderTest } from '../../../src/testing/contracts/api-keys/api-key-world.ts'

/** The rows below a repository, for a flaw to do with as it likes. */
export interface PlainRows {
  readonly rows: Map<string, ApiKeyRecord>
  readonly orgs: Set<string>
  /** A copy, as a database driver makes one for each query. */
  readonly clone: <T>(value: T) => T
  /** The row of this owner, itself and no copy. */
  readonly find: (owner: ApiKeyOwner, keyId: string) => ApiKeyRecord | undefined
  /** Change members of a row in place. */
  readonly update: (keyId: string, members: Partial<ApiKeyRecord>) => void
  /** Rows as the port lists them. */
  readonly list: (belongs: (row: ApiKeyRecord) => boolean) => ApiKeyRecord[]
}

/** Whether the row is the owner's. */
export function isOwn(owner: ApiKeyOwner, { orgId }: ApiKeyRecord): boolean {
  return owner.kind === 'installation' || (orgId !== null && orgId === owner.orgId)
}

/** A repository, and the rows below it. `flaw` replaces methods. */
export function plainApiKeys(
  flaw: (repository: ApiKeyRepository, plain: PlainRows) => Partial<ApiKeyRepository> = () => ({}),
): ApiKeysUnderTest {
  const plain = createRows()
  const repository = repositoryOver(plain)
  return {
    apiKeys: { ...repository, ...flaw(repository, plain) },
    async newOrg() {
      const id = crypto.randomUUID()
      plain.orgs.add(id)
      return { id }
    },
    async deleteOrg(orgId) {
      plain.orgs.delete(orgId)
      for (const { id, orgId: boundTo } of plain.rows.values()) if (boundTo === orgId) plain.rows.delete(id)
    },
  }
}

function createRows(): PlainRows {
  const rows: PlainRows['rows'] = new Map()
  return {
    rows,
    orgs: new Set(),
    clone: structuredClone,
    find: (owner, keyId) => {
      const row = rows.get(keyId)
      return row !== undefined && isOwn(owner, row) ? row : undefined
    },
    update: (keyId, members) => void Object.assign(rows.get(keyId) ?? {}, structuredClone(members)),
    list: (belongs) =>
      [...rows.values()]
        .filter((row) => row.revokedAt === null && belongs(row))
        .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1)),
  }
}

function repositoryOver({ rows, orgs, clone, find, update, list }: PlainRows): ApiKeyRepository {
  return {
    async insert(key) {
      if (key.orgId !== null && !orgs.has(key.orgId)) throw new Error('no such organization')
      if (rows.has(key.id)) throw new ConflictError('taken')
      rows.set(
        key.id,
        clone({ ...key, previousSecretHash: null, previousUntil: null, revokedAt: null, lastUsedAt: null }),
      )
      return clone(rows.get(key.id) as ApiKeyRecord)
    },
    findById: async (keyId) => clone(rows.get(keyId) ?? null),
    list: async (owner) => clone(list((row) => isOwn(owner, row))),
    listCreatedBy: async (userId) =>
      clone(
        [...rows.values()]
          .filter((row) => row.createdBy === userId)
          .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1)),
      ),
    async rotate(owner, keyId, { secretHash, previousUntil }) {
      const row = find(owner, keyId)
      if (row === undefined || row.revokedAt !== null) return null
      update(keyId, { secretHash, previousUntil, previousSecretHash: previousUntil && row.secretHash })
      return clone(row)
    },
    async revoke(owner, keyId, at) {
      const row = find(owner, keyId)
      if (row?.revokedAt === null) update(keyId, { revokedAt: at })
      return row !== undefined
    },
    async revokeCreatedBy(owner, userId, at) {
      const made = list((row) => row.createdBy === userId && isOwn(owner, row)).map(({ id }) => id)
      for (const keyId of made) update(keyId, { revokedAt: at })
      return made
    },
    async touch(keyId, at) {
      const { lastUsedAt = null } = rows.get(keyId) ?? {}
      if (lastUsedAt === null || lastUsedAt < at) update(keyId, { lastUsedAt: at })
    },
  }
}
