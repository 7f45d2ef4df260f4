/** What stays of an organization that was removed, where memberships are columns of the users: nothing. */
import { describe, expect, it } from 'vitest'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

const COLUMNS = 'SELECT org_id, role, joined_at FROM users'

async function openPostgres() {
  const pool = openPool(await createTestDatabase(), { max: 2 })
  const storage = createPostgresStorage({ pool, membershipOn: 'user-row' })
  return { storage, rows: async () => (await pool.query(COLUMNS)).rows as unknown[] }
}

async function openSqlite(open: (typeof SQLITE_DRIVERS)[number]['open']) {
  const database = open(createSqlitePath())
  await migrate({ database })
  const storage = createSqliteStorage({ database, membershipOn: 'user-row' })
  return {
    storage,
    rows: async () =>
      database
        .prepare(COLUMNS)
        .all()
        .map((row) => ({ ...(row as object) })),
  }
}

describe.each([
  { name: 'PostgreSQL', open: openPostgres },
  ...SQLITE_DRIVERS.map(({ name, open }) => ({ name: `SQLite by ${name}`, open: () => openSqlite(open) })),
])('$name', ({ open }) => {
  it("leaves neither role nor join time of a removed organization in a user's row", async () => {
    const { storage, rows } = await open()
    const identity = { issuer: 'https://issuer.example', subject: 'ada', email: 'ada@example.test' }
    const { user } = await storage.users.upsertByIdentity(identity)
    const org = await storage.orgs.insert({ name: 'Acme' })
    await storage.memberships.insert({ orgId: org.id, userId: user.id, role: 'admin' })
    expect(await rows()).toMatchObject([{ org_id: org.id, role: 'admin' }])
    expect(await storage.orgs.remove(org.id)).toBe(true)
    expect(await rows()).toEqual([{ org_id: null, role: null, joined_at: null }])
  })
})
