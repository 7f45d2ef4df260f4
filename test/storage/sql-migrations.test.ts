/** Migrations: once, however many instances start; all or nothing; printed as they are run; never changed once released. */
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import * as postgres from '../../src/storage/postgres.ts'
import type { ShippedStorage } from '../../src/storage/shipped-storage.ts'
import * as sqlite from '../../src/storage/sqlite.ts'
import { newInvitation } from '../invitation.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

const ALL = [
  { id: 1, name: 'users, organizations, memberships, invitations' },
  { id: 2, name: 'API keys' },
  { id: 3, name: 'local login' },
  { id: 4, name: 'machines' },
  { id: 5, name: 'invitations that expire, and who sent them' },
  { id: 6, name: 'API keys by their makers' },
]
const PENDING = ALL.map((each) => ({ ...each, appliedAt: null }))
const DONE = ALL.map((each) => ({ ...each, appliedAt: expect.any(Date) }))
const TABLES = { users: 'people', orgs: 'Companies', memberships: 'seats', migrations: 'done' }

/** An invitation of a version that knew neither an end nor a sender; in its week some time zones have a day of 23 hours. */
const OLD = { email: 'ada@example.test', role: 'member', createdAt: new Date('2026-03-26T03:04:05.678Z') }

/** What is run up to this migration. */
function before(text: string, id: number): string {
  return text.slice(0, text.indexOf(`-- ${id}: `))
}

/** It is found with an end a week later, and another takes its place from then on. */
async function expectOld(
  { invitations }: ShippedStorage,
  old: typeof OLD & { id: string; orgId: string },
): Promise<void> {
  const expiresAt = new Date(old.createdAt.getTime() + 7 * 24 * 3600 * 1000)
  expect(await invitations.findById(old.id)).toEqual({ ...old, invitedBy: null, expiresAt })
  const { orgId, email, role } = old
  const next = newInvitation({ orgId, email, role, createdAt: new Date(expiresAt.getTime() - 1) })
  await expect(invitations.insert(next)).rejects.toMatchObject({ name: 'ConflictError' })
  const { id } = await invitations.insert({ ...next, createdAt: expiresAt })
  expect(await invitations.listByEmail(old.email, 10)).toMatchObject([{ id, createdAt: expiresAt }])
}

/** Columns and indexes of everything in a schema, by name. */
async function shapeOf(pool: pg.Pool, schema: string): Promise<unknown> {
  const columns = `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = $1 ORDER BY 1, 2`
  const indexes = 'SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = $1 ORDER BY 1'
  return [(await pool.query(columns, [schema])).rows, (await pool.query(indexes, [schema])).rows]
}

describe('PostgreSQL', () => {
  it('is migrated once by eight instances that start at once, the schema included', async () => {
    const url = await createTestDatabase('empty')
    const pools = Array.from({ length: 8 }, () => openPool(url, { max: 1 }))
    const ran = await Promise.all(pools.map((pool) => postgres.migrate({ pool, schema: 'auth' })))
    expect(ran.flat()).toEqual(DONE)
    expect(ran.filter((list) => list.length > 0)).toHaveLength(1)
    const pool = pools[0] as pg.Pool
    expect(await postgres.migrationStatus({ pool, schema: 'auth' })).toEqual(DONE)
    expect(await postgres.migrationStatus({ pool })).toEqual(PENDING)
    const { rows } = await pool.query("SELECT to_regclass('sallyport_migrations')::text AS name")
    expect(rows).toEqual([{ name: null }])
  })

  it('needs no right to create anything where nothing is to be done', async () => {
    const pool = openPool(await createTestDatabase(), { max: 1 })
    const role = `reader_${process.pid}`
    await pool.query(`CREATE ROLE ${role}`)
    await pool.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`)
    await pool.query(`SET ROLE ${role}`)
    expect(await postgres.migrate({ pool, schema: 'public' })).toEqual([])
    await pool.query('RESET ROLE')
    await pool.query(`DROP OWNED BY ${role}`)
    await pool.query(`DROP ROLE ${role}`)
  })

  it('is left as it was by a migration that fails', async () => {
    const pool = openPool(await createTestDatabase('empty'), { max: 1 })
    await pool.query('CREATE TABLE invitations (somebody_elses int)')
    await expect(postgres.migrate({ pool })).rejects.toMatchObject({ code: '42P07' })
    const { rows } = await pool.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    expect(rows).toEqual([{ tablename: 'invitations' }])
    expect(await postgres.migrate({ pool, tables: { invitations: 'offers' } })).toEqual(DONE)
  })

  it.each([
    [
      { tables: { users: 'people' } },
      'migration 1 was run, as "sallyport_migrations" says, but there is no table "people"',
    ],
    [{ tables: { apiKeys: 'keys' } }, 'there is no table "keys"'],
    [{ tables: { throttle: 'brakes' } }, 'there is no table "brakes"'],
  ])('is not called done for tables of other names: %j', async (where, sentence) => {
    const pool = openPool(await createTestDatabase(), { max: 1 })
    await expect(postgres.migrate({ pool, ...where })).rejects.toThrow(sentence)
    await expect(postgres.migrationStatus({ pool, ...where })).rejects.toThrow(sentence)
    expect(await postgres.migrate({ pool, schema: 'auth', ...where })).toEqual(DONE)
  })

  it('leaves alone what a newer version has run', async () => {
    const pool = openPool(await createTestDatabase(), { max: 1 })
    await pool.query("INSERT INTO sallyport_migrations (id, name) VALUES (999, 'from the future')")
    expect(await postgres.migrate({ pool })).toEqual([])
    const status = await postgres.migrationStatus({ pool })
    expect(status.at(-1)).toEqual({ id: 999, name: 'from the future', appliedAt: expect.any(Date) })
  })

  it.each([{}, { schema: 'auth', tables: TABLES }])('has what is printed, run by other tools: %j', async (where) => {
    const [printed, migrated] = [
      openPool(await createTestDatabase('empty'), { max: 1 }),
      openPool(await createTestDatabase('empty'), { max: 1 }),
    ]
    await printed.query(postgres.migrationSql(where))
    await postgres.migrate({ pool: migrated, ...where })
    const schema = 'schema' in where ? 'auth' : 'public'
    expect(await shapeOf(printed, schema)).toEqual(await shapeOf(migrated, schema))
    expect(await postgres.migrate({ pool: printed, ...where })).toEqual([])
  })

  it('gives an invitation from before the fifth migration a week, and nobody who sent it', async () => {
    const pool = openPool(await createTestDatabase('empty'), { max: 1, options: '-c timezone=Europe/Berlin' })
    await pool.query(before(postgres.migrationSql(), 5))
    const [orgId, id] = [crypto.randomUUID(), crypto.randomUUID()]
    await pool.query("INSERT INTO organizations (id, name, created_at) VALUES ($1, 'Acme', now())", [orgId])
    const text = 'INSERT INTO invitations (id, org_id, email, role, created_at) VALUES ($1, $2, $3, $4, $5)'
    await pool.query(text, [id, orgId, OLD.email, OLD.role, OLD.createdAt])
    expect(await postgres.migrate({ pool })).toEqual(DONE.slice(4))
    await expectOld(postgres.createPostgresStorage({ pool }), { ...OLD, id, orgId })
  })

  it('has migrations that are never changed once they are released', async () => {
    await expect(postgres.migrationSql()).toMatchFileSnapshot('migrations-postgres.sql')
  })
})

describe.each(SQLITE_DRIVERS)('SQLite by $name', ({ open }) => {
  it('is migrated once by several handles at once', async () => {
    const path = createSqlitePath()
    const databases = Array.from({ length: 4 }, () => open(path))
    const ran = await Promise.all(databases.map((database) => sqlite.migrate({ database })))
    expect(ran.flat()).toEqual(DONE)
    for (const database of databases) {
      expect(await sqlite.migrationStatus({ database })).toEqual(DONE)
      database.close()
    }
  })

  it('is not called done for tables of other names', async () => {
    const database = open(createSqlitePath())
    await sqlite.migrate({ database })
    const where = { database, tables: { users: 'people' } }
    await expect(sqlite.migrate(where)).rejects.toThrow('there is no table "people"')
    await expect(sqlite.migrationStatus(where)).rejects.toThrow('there is no table "people"')
    expect(await sqlite.migrate({ database })).toEqual([])
    database.close()
  })

  it('is left as it was by a migration that fails', async () => {
    const database = open(createSqlitePath())
    database.exec('CREATE TABLE invitations (somebody_elses INTEGER)')
    await expect(sqlite.migrate({ database })).rejects.toThrow('already exists')
    expect(await sqlite.migrationStatus({ database })).toEqual(PENDING)
    expect(database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()).toMatchObject([
      { name: 'invitations' },
    ])
    expect(await sqlite.migrate({ database, tables: { invitations: 'offers' } })).toEqual(DONE)
    database.close()
  })

  it.each([{}, { tables: TABLES }])('has what is printed, run by other tools: %j', async (where) => {
    const [printed, migrated] = [open(createSqlitePath()), open(createSqlitePath())]
    printed.exec(sqlite.migrationSql(where))
    await sqlite.migrate({ database: migrated, ...where })
    const shape = 'SELECT name, sql FROM sqlite_master ORDER BY name'
    expect(printed.prepare(shape).all().map(withoutMetadata)).toEqual(
      migrated.prepare(shape).all().map(withoutMetadata),
    )
    expect(await sqlite.migrate({ database: printed, ...where })).toEqual([])
    for (const database of [printed, migrated]) database.close()
  })

  it('gives an invitation from before the fifth migration a week, and nobody who sent it', async () => {
    const database = open(createSqlitePath())
    database.exec(before(sqlite.migrationSql(), 5))
    const [orgId, id] = [crypto.randomUUID(), crypto.randomUUID()]
    database.exec(`INSERT INTO organizations (id, name, created_at) VALUES ('${orgId}', 'Acme', 0)`)
    const values = `'${id}', '${orgId}', '${OLD.email}', '${OLD.role}', ${OLD.createdAt.getTime()}`
    database.exec(`INSERT INTO invitations (id, org_id, email, role, created_at) VALUES (${values})`)
    expect(await sqlite.migrate({ database })).toEqual(DONE.slice(4))
    await expectOld(sqlite.createSqliteStorage({ database }), { ...OLD, id, orgId })
    database.close()
  })

  it('has migrations that are never changed once they are released', async () => {
    await expect(sqlite.migrationSql()).toMatchFileSnapshot('migrations-sqlite.sql')
  })
})

function withoutMetadata(row: unknown): unknown {
  const { name, sql } = row as { name: string; sql: string }
  return { name, sql }
}
