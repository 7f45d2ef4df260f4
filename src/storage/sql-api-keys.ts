/** The API keys of the SQL storages: their statements, and the repository over a session. */
import { isUuid } from '../lib/id-form.ts'
import type { ApiKeyOwner, ApiKeyRecord, ApiKeyRepository, NewApiKeyRecord } from './repositories.ts'
import type { SqlStatement } from './sql-executor.ts'
import {
  columnsOf,
  findFirst,
  hasRows,
  isText,
  LONGEST,
  runOwned,
  toDate,
  toDateOrNull,
  toOwnerValues,
  toTextOrNull,
  toTexts,
} from './sql-rows.ts'
import { type SqlPlace, type SqlStatementOptions, toStatements } from './sql-statements.ts'
import { ConflictError } from './storage-errors.ts'

/** Build the API key repository over a session. */
export function sqlApiKeys({ session, ...tables }: SqlPlace & SqlStatementOptions): ApiKeyRepository {
  const { isOrgId, isOwner } = tables.orgIds
  const isHeld = (owner: ApiKeyOwner, keyId: string): boolean => isKeyId(keyId) && isOwner(owner)
  const statements = toStatements(textsOf(tables), ['findApiKey'])
  const findById = async (keyId: string): Promise<ApiKeyRecord | null> =>
    isKeyId(keyId) ? findFirst(session, statements.findApiKey, [keyId], API_KEY.read) : null
  return {
    async insert(key) {
      if (key.orgId !== null && !isOrgId(key.orgId)) {
        throw new Error('an API key needs an organization that exists, or none')
      }
      const inserted = await findFirst(session, statements.insertApiKey, toValues(key), API_KEY.read)
      if (inserted === null) throw new ConflictError(TAKEN)
      return inserted
    },
    async insertByMaker(owner, key) {
      const { orgId, createdBy } = key
      const isHeldThere = orgId === null ? owner.kind === 'installation' : isOrgId(orgId)
      if (!isHeldThere || !isUuid(createdBy) || (owner.kind === 'org' && owner.orgId !== orgId)) return null
      for (const statement of byMaker(statements, owner, orgId)) {
        const inserted = await findFirst(session, statement, [...toValues(key), createdBy], API_KEY.read)
        if (inserted !== null) return inserted
      }
      if ((await findById(key.id)) !== null) throw new ConflictError(TAKEN)
      return null
    },
    findById,
    async list(owner) {
      if (!isOwner(owner)) return []
      const { listApiKeys, listApiKeysOfOrg } = statements
      return (await runOwned(session, owner, { all: listApiKeys, ofOrg: listApiKeysOfOrg })).map(API_KEY.read)
    },
    listCreatedBy: async (userId) =>
      isText(userId, LONGEST.identity) ? (await session.run(statements.listApiKeysOf, [userId])).map(API_KEY.read) : [],
    async rotate(owner, keyId, { secretHash, previousUntil }) {
      if (!isHeld(owner, keyId)) return null
      const values = [keyId, ...toOwnerValues(owner), secretHash, toMilliseconds(previousUntil)]
      return findFirst(session, statements.rotateApiKey, values, API_KEY.read)
    },
    revoke: async (owner, keyId, at) =>
      isHeld(owner, keyId) && hasRows(session, statements.revokeApiKey, [keyId, ...toOwnerValues(owner), at.getTime()]),
    async revokeCreatedBy(owner, userId, at) {
      if (!isOwner(owner) || !isText(userId, LONGEST.identity)) return []
      const values = [userId, ...toOwnerValues(owner), at.getTime()]
      return (await session.run(statements.revokeApiKeysOf, values)).map(({ id }) => String(id))
    },
    async touch(keyId, at) {
      if (isKeyId(keyId)) await session.run(statements.touchApiKey, [keyId, at.getTime()])
    },
  }
}

const TAKEN = 'there is an API key of this id'

function toValues(key: NewApiKeyRecord): readonly (string | number | null)[] {
  const { id, orgId, name, role, permissions, secretHash, createdBy, createdAt, expiresAt } = key
  const instants = [createdAt.getTime(), toMilliseconds(expiresAt)]
  return [id, orgId, name, role, JSON.stringify(permissions), secretHash, createdBy, ...instants]
}

function isKeyId(keyId: string): boolean {
  return isText(keyId, LONGEST.identity)
}

function toMilliseconds(instant: Date | null): number | null {
  return instant === null ? null : instant.getTime()
}

// Whoever makes a key of the installation is a user or has an account; a UUID is nobody else's.
function byMaker(
  statements: Readonly<Record<keyof ReturnType<typeof textsOf>, SqlStatement>>,
  { kind }: ApiKeyOwner,
  orgId: string | null,
): readonly SqlStatement[] {
  if (kind === 'org') return [statements.insertApiKeyByMember]
  return orgId === null
    ? [statements.insertApiKeyByUser, statements.insertApiKeyByAccount]
    : [statements.insertBoundApiKeyByUser, statements.insertBoundApiKeyByAccount]
}

function textsOf({ dialect, names, membershipOn }: SqlStatementOptions) {
  const instant = dialect.fromMilliseconds
  const columns = API_KEY.select(dialect.toMilliseconds, '')
  const owned = `WHERE id = $1 AND (${dialect.toFlag('$2')} OR org_id = $3)`
  const table = names.apiKeys
  const into = `INSERT INTO ${table} (id, org_id, name, role, scopes, secret_hash, created_by, created_at, expires_at)`
  const rest = `$3, $4, $5, $6, $7, ${instant('$8')}, ${instant('$9')}`
  const unlessTaken = `ON CONFLICT (id) DO NOTHING RETURNING ${columns}`
  const unbound = (
    makers: string,
  ): string => `${into} SELECT $1, (SELECT o.id FROM ${names.orgs} o WHERE o.id = $2), ${rest}
    FROM ${makers} u WHERE u.id = $10 AND NOT u.disabled${dialect.forShare} ${unlessTaken}`
  // In the order in which an organization that goes, and somebody who is erased, hold them.
  const bound = (
    makers: string,
    locks: string,
  ): string => `${into} SELECT $1, o.id, ${rest} FROM ${names.orgs} o ${makers}
    WHERE o.id = $2 AND u.id = $10 AND NOT u.disabled${locks} ${unlessTaken}`
  const byOneOf = (makers: string): string => bound(`JOIN ${makers} u ON u.id = $10`, dialect.forKeyShareOf('o', 'u'))
  const [member, held] =
    membershipOn === 'user-row'
      ? [`JOIN ${names.users} u ON u.org_id = o.id`, dialect.forKeyShareOf('o', 'u')]
      : [
          `JOIN ${names.memberships} m ON m.org_id = o.id JOIN ${names.users} u ON u.id = m.user_id`,
          dialect.forKeyShareOf('o', 'm', 'u'),
        ]
  return {
    insertApiKey: `${into} VALUES ($1, $2, ${rest}) ${unlessTaken}`,
    insertApiKeyByMember: bound(member, held),
    insertApiKeyByUser: unbound(names.users),
    insertApiKeyByAccount: unbound(names.accounts),
    insertBoundApiKeyByUser: byOneOf(names.users),
    insertBoundApiKeyByAccount: byOneOf(names.accounts),
    findApiKey: `SELECT ${columns} FROM ${table} WHERE id = $1`,
    listApiKeys: `SELECT ${columns} FROM ${table} WHERE revoked_at IS NULL ORDER BY created_at, id`,
    listApiKeysOfOrg: `SELECT ${columns} FROM ${table}
      WHERE org_id = $1 AND revoked_at IS NULL ORDER BY created_at, id`,
    listApiKeysOf: `SELECT ${columns} FROM ${table} WHERE created_by = $1 ORDER BY created_at, id`,
    rotateApiKey: `UPDATE ${table} SET secret_hash = $4, previous_until = ${instant('$5')},
      previous_secret_hash = CASE WHEN ${instant('$5')} IS NULL THEN NULL ELSE secret_hash END
      ${owned} AND revoked_at IS NULL RETURNING ${columns}`,
    revokeApiKey: `UPDATE ${table} SET revoked_at = COALESCE(revoked_at, ${instant('$4')}) ${owned} RETURNING id`,
    revokeApiKeysOf: `UPDATE ${table} SET revoked_at = ${instant('$4')}
      WHERE created_by = $1 AND (${dialect.toFlag('$2')} OR org_id = $3) AND revoked_at IS NULL RETURNING id`,
    touchApiKey: `UPDATE ${table} SET last_used_at = ${instant('$2')}
      WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < ${instant('$2')}) RETURNING id`,
  }
}

const API_KEY = columnsOf<ApiKeyRecord>(
  'key',
  {
    ...{ id: String, orgId: toTextOrNull, name: String, role: String },
    permissions: toTexts,
    ...{ secretHash: String, previousSecretHash: toTextOrNull, previousUntil: toDateOrNull, createdBy: toTextOrNull },
    ...{ createdAt: toDate, expiresAt: toDateOrNull, revokedAt: toDateOrNull, lastUsedAt: toDateOrNull },
  },
  { permissions: 'scopes' },
)
