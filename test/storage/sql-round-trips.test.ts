/** What a request costs, counted at the driver: a warm one is one round trip, whatever it names. */
import { beforeEach, describe, expect, it } from 'vitest'
import { createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { reasonOf } from '../pipeline/world.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { createPipeline, HOST_TABLES } from './sql-pipeline.ts'
import { countedDatabase, countedPool, isCommit } from './sql-pools.ts'

const postgres = openPool(await createTestDatabase(), { max: 1 })
for (const table of HOST_TABLES) await postgres.query(table)

describe.each(['rows', 'user-row'] as const)('PostgreSQL, memberships in %s', (membershipOn) => {
  const pool = countedPool(postgres)
  const storage = createPostgresStorage({ pool, membershipOn })
  const { tokenOf, authenticate } = createPipeline(storage)

  beforeEach(() => {
    pool.queries.length = 0
  })

  it('asks once for a warm request that names no org, its own, a stranger’s or none there is', async () => {
    const token = await tokenOf(`warm-${membershipOn}`)
    const first = await authenticate(token)
    pool.queries.length = 0
    expect(await authenticate(token)).toEqual(first)
    expect(pool.queries).toHaveLength(1)
    expect(await authenticate(token, first.orgId)).toEqual(first)
    expect(pool.queries).toHaveLength(2)
    const stranger = await storage.orgs.insert({ name: 'stranger' })
    pool.queries.length = 0
    expect(await reasonOf(authenticate(token, stranger.id))).toBe('not_a_member')
    expect(await reasonOf(authenticate(token, crypto.randomUUID()))).toBe('not_a_member')
    expect(pool.queries).toHaveLength(2)
  })

  it('asks not at all for a token that does not verify', async () => {
    await reasonOf(authenticate(`${await tokenOf('forged')}x`))
    expect(pool.queries).toEqual([])
  })

  it('makes a user in one transaction on one connection, and nothing around it but look-ups', async () => {
    await authenticate(await tokenOf(`new-${membershipOn}`))
    const begin = pool.queries.findIndex((text) => text.startsWith('BEGIN'))
    const end = pool.queries.findIndex(isCommit)
    const words = (list: readonly string[]): string[] =>
      list.map((text) => (isCommit(text) ? 'COMMIT' : text.split(' ')[0]) ?? '')
    expect(words(pool.queries.slice(0, begin))).toEqual(['SELECT'])
    expect(words(pool.queries.slice(begin, end + 1))).toEqual([
      'BEGIN',
      'INSERT',
      'INSERT',
      membershipOn === 'rows' ? 'INSERT' : 'UPDATE',
      'INSERT',
      'INSERT',
      'SELECT',
      'COMMIT',
    ])
    expect(words(pool.queries.slice(end + 1))).toEqual(['SELECT'])
  })

  it('plans the statement of the hot path once for a connection, and by another name for other tables', async () => {
    const other = createPostgresStorage({
      pool,
      membershipOn,
      tables: { memberships: 'invitations', invitations: 'x' },
    })
    const identity = { issuer: 'https://issuer.test', subject: 'nobody' }
    for (let count = 0; count < 20; count++) await storage.users.findByIdentity(identity, { kind: 'unnamed' })
    await other.users.findByIdentity(identity, { kind: 'malformed' })
    const text = `SELECT name, generic_plans + custom_plans AS plans FROM pg_prepared_statements
      WHERE name LIKE 'sallyport_findUserInEarliestOrg%'`
    const { rows } = await postgres.query<{ name: string; plans: string }>(text)
    expect(rows.length).toBeLessThanOrEqual(2)
    expect(Math.max(...rows.map(({ plans }) => Number(plans)))).toBeGreaterThanOrEqual(20)
  })
})

describe('PostgreSQL, the user’s own org', () => {
  it('asks once for a warm request', async () => {
    const pool = countedPool(postgres)
    const storage = createPostgresStorage({ pool, membershipOn: 'user-row' })
    const orgs = createUserOrgResolver({
      memberships: storage.memberships,
      orgIdOf: ({ orgId }: { orgId: string | null }) => orgId,
    } as never)
    const { user } = await storage.users.upsertByIdentity({ issuer: 'https://i.test', subject: 'own', email: null })
    const org = await storage.orgs.insert({ name: 'own' })
    await storage.memberships.insert({ orgId: org.id, userId: user.id, role: 'admin' })
    pool.queries.length = 0
    const found = await storage.users.findByIdentity(user, { kind: 'unnamed' })
    const caller = { kind: 'user', user: found?.user ?? user } as const
    expect(await orgs.resolve(caller, { kind: 'unnamed' }, found?.membership)).toEqual({ org, role: 'admin' })
    expect(pool.queries).toHaveLength(1)
  })

  it('does not name statements where the host says that it must not', async () => {
    const asked: unknown[] = []
    const answer = async (query: unknown): Promise<{ rows: [] }> => {
      asked.push(query)
      return { rows: [] }
    }
    const pool = { ...countedPool(postgres), query: answer }
    const storage = createPostgresStorage({ pool, prepare: false })
    await storage.users.findByIdentity({ issuer: 'a', subject: 'b' }, { kind: 'unnamed' })
    expect(asked).toHaveLength(1)
    expect(asked[0]).not.toHaveProperty('name')
  })
})

describe.each(SQLITE_DRIVERS)('SQLite by $name', ({ open }) => {
  it('runs one statement for a warm request', async () => {
    const database = countedDatabase(open(createSqlitePath()))
    await migrate({ database })
    for (const table of HOST_TABLES) database.exec(table)
    const { tokenOf, authenticate } = createPipeline(createSqliteStorage({ database }))
    const token = await tokenOf('warm')
    const { orgId } = await authenticate(token)
    database.statements.length = 0
    await authenticate(token)
    await authenticate(token, orgId)
    expect(database.statements).toHaveLength(2)
  })
})
