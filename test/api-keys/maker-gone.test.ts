/** A key belongs to its organization (O7): it lives on when whoever made it leaves, is disabled or deleted; it ends with the org. */
import { expect, it } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { createAuth } from '../../src/auth.ts'
import type { AuthContext } from '../../src/context.ts'
import { isAuthError } from '../../src/errors.ts'
import { createOrgResolver } from '../../src/orgs/org-resolver.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { testContext } from '../../src/testing/principals.ts'
import { createTestKit } from '../../src/testing/test-kit.ts'
import { createSyncGate } from '../../src/users/sync.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { ROLES } from './world.ts'

type Opened = Pick<ReturnType<typeof createMemoryStorage>, 'apiKeys' | 'memberships' | 'orgs' | 'users'> & {
  /** Delete a user's row, where it can be done. */
  deleteUser?(userId: string): Promise<unknown>
}

const STORAGES: Readonly<Record<string, () => Promise<Opened>>> = {
  memory: async () => createMemoryStorage(),
  async SQLite() {
    const [driver] = SQLITE_DRIVERS
    if (driver === undefined) throw new Error('no SQLite')
    const database = driver.open(createSqlitePath())
    await migrate({ database })
    const deleteUser = async (id: string) => database.prepare('DELETE FROM users WHERE id = ? RETURNING id').all(id)
    return { ...createSqliteStorage({ database }), deleteUser }
  },
  async PostgreSQL() {
    const pool = openPool(await createTestDatabase())
    const deleteUser = async (id: string) =>
      (await pool.query('DELETE FROM users WHERE id = $1 RETURNING id', [id])).rows
    return { ...createPostgresStorage({ pool }), deleteUser }
  },
}

it.each(Object.keys(STORAGES))('on %s', async (name) => {
  const {
    apiKeys: repository,
    memberships,
    orgs,
    users,
    deleteUser,
  } = await (STORAGES[name] as () => Promise<Opened>)()
  const { verifier, issuer } = await createTestKit()
  const apiKeys = createApiKeys({
    storage: { apiKeys: repository },
    prefix: 'itk',
    roles: ROLES,
    defaultPermissions: ['things:read'],
  })
  const auth = createAuth({
    roles: ROLES,
    verifier,
    apiKeys,
    users: createSyncGate({ users }),
    orgs: createOrgResolver({ memberships: memberships, selectors: [], whenUnnamed: 'earliest-joined' }),
  })
  const org = await orgs.insert({ name: 'Acme' })
  const identity = { issuer: issuer.issuer, subject: 'ada', email: 'ada@example.test' }
  const { user } = await users.upsertByIdentity(identity)
  await memberships.insert({ orgId: org.id, userId: user.id, role: 'owner' })
  const { key } = await apiKeys.issue(testContext({ org, user, role: 'owner' }) as AuthContext, {
    name: 'x',
  })
  const token = await issuer.sign({ sub: 'ada', email: identity.email })
  const outcomeOf = (bearer: string) =>
    auth
      .authenticate(fakeRequest({ headers: { authorization: `Bearer ${bearer}` } }), { accept: ['user', 'apiKey'] })
      .then(
        ({ kind, org: acting, role }) => `${kind} ${acting.id === org.id} ${role}`,
        (error: unknown) => (isAuthError(error) ? error.code : String(error)),
      )
  const alive = 'apiKey true viewer'
  expect([await outcomeOf(token), await outcomeOf(key)]).toEqual(['user true owner', alive])
  await users.setDisabled(user.id, true)
  expect([await outcomeOf(token), await outcomeOf(key)]).toEqual(['forbidden', alive])
  await users.setDisabled(user.id, false)
  expect(await memberships.remove(org.id, user.id)).toBe('done')
  expect([await outcomeOf(token), await outcomeOf(key)]).toEqual(['forbidden', alive])
  if (deleteUser !== undefined) {
    expect(await deleteUser(user.id)).toHaveLength(1)
    expect([await outcomeOf(token), await outcomeOf(key)]).toEqual(['user_not_synced', alive])
  }
  await orgs.remove(org.id)
  expect(await outcomeOf(key)).toBe('unauthorized')
})
