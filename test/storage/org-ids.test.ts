/** Ids of organizations that are the host's: what is one, what tables are made for them, and what meets tables made for others. */
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import * as postgres from '../../src/storage/postgres.ts'
import type { ShippedStorage, ShippedStorageOptions } from '../../src/storage/shipped-storage.ts'
import * as sqlite from '../../src/storage/sqlite.ts'
import { isConflictError } from '../../src/storage/storage-errors.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS, type SqliteDriver } from '../sqlite.ts'

type Options = Pick<ShippedStorageOptions, 'orgIds' | 'membershipOn'>

const MODES = ['rows', 'user-row'] as const
const url = await createTestDatabase('empty')
const pool = openPool(url, { max: 2 })
await postgres.migrate({ pool, schema: 'hosted', orgIds: 'host' })
await postgres.migrate({ pool, schema: 'made' })
const [{ open: openFile }] = SQLITE_DRIVERS as [SqliteDriver, ...SqliteDriver[]]
const file = openFile(createSqlitePath())
await sqlite.migrate({ database: file, orgIds: 'host' })

const schemaOf = ({ orgIds }: Options): string => (orgIds === 'host' ? 'hosted' : 'made')
const STORES: readonly (readonly [string, (options: Options) => ShippedStorage])[] = [
  ['memory', createMemoryStorage],
  ['PostgreSQL', (options) => postgres.createPostgresStorage({ pool, schema: schemaOf(options), ...options })],
  ['SQLite', (options) => sqlite.createSqliteStorage({ database: file, ...options })],
]

const rejected = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error: unknown) => error,
  )
const person = () => ({ issuer: 'https://issuer.test', subject: crypto.randomUUID(), email: null })
const NONE = ['', ' ', 'a b', 'a\n', '\na', 'x'.repeat(65), 'bäcker', 'a/b', 'a.b', "a'", 'a\0', '%']
const SECRET_HASH = '0'.repeat(64)

describe.each(STORES)('%s', (_, open) => {
  const unique = (): string => `Env_${crypto.randomUUID()}`

  it.each(MODES)(
    "holds ids of the host's wherever an organization is named, memberships on %s",
    async (membershipOn) => {
      const storage = open({ orgIds: 'host', membershipOn })
      const { users, orgs, memberships, invitations, apiKeys, machines } = storage
      const id = unique()
      const org = await orgs.insert({ id, name: 'Acme' })
      expect(org).toMatchObject({ id, name: 'Acme' })
      const [identity, now] = [person(), new Date('2026-11-20T10:00:00.000Z')]
      const { user } = await users.upsertByIdentity(identity)
      await memberships.insert({ orgId: id, userId: user.id, role: 'admin' })
      for (const selection of [{ kind: 'unnamed' }, { kind: 'named', orgId: id }] as const) {
        expect((await users.findByIdentity(identity, selection))?.membership).toEqual({ org, role: 'admin' })
      }
      expect((await users.findById(user.id))?.orgId).toBe(membershipOn === 'user-row' ? id : null)
      const invitation = {
        orgId: id,
        email: `${user.id}@example.test`,
        role: 'admin',
        invitedBy: user.id,
        secretHash: null,
      }
      await invitations.insert({ ...invitation, createdAt: now, expiresAt: new Date(now.getTime() + 1) })
      expect(await invitations.listByOrg(id)).toMatchObject([{ orgId: id }])
      const key = { id: id.slice(-12), orgId: id, name: 'key', role: 'admin', permissions: [], secretHash: SECRET_HASH }
      await apiKeys.insert({ ...key, createdBy: user.id, createdAt: now, expiresAt: null })
      await machines.insert({ ...person(), name: 'machine', orgId: id, role: null, permissions: null })
      for (const rows of [apiKeys, machines])
        expect(await rows.list({ kind: 'org', orgId: id })).toMatchObject([{ orgId: id }])
      expect(await orgs.remove(id)).toBe(true)
      for (const rows of [apiKeys, machines]) expect(await rows.list({ kind: 'org', orgId: id })).toEqual([])
      expect(await memberships.listActing({ kind: 'user', user })).toEqual([])
    },
  )

  it('compares them exactly, and makes a UUID where none is given', async () => {
    const { orgs } = open({ orgIds: 'host' })
    const id = unique()
    await orgs.insert({ id, name: 'Acme' })
    const other = await orgs.insert({ id: id.toLowerCase(), name: 'Other' })
    expect(await orgs.findById(id)).toMatchObject({ name: 'Acme' })
    expect(await orgs.findById(other.id)).toMatchObject({ name: 'Other' })
    expect(await orgs.findById(id.toUpperCase())).toBe(null)
    expect(isConflictError(await rejected(orgs.insert({ id, name: 'Again' })))).toBe(true)
    const made = await orgs.insert({ name: 'Made' })
    expect(made.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(await orgs.findById(made.id)).toEqual(made)
    const longest = crypto.randomUUID().padEnd(64, 'x')
    expect(await orgs.insert({ id: longest, name: 'Longest' })).toMatchObject({ id: longest })
  })

  it.each(NONE)('holds no %j, and finds nothing by it', async (id) => {
    for (const orgIds of ['uuid', 'host'] as const) {
      const { orgs } = open({ orgIds })
      expect(await rejected(orgs.insert({ id, name: 'Acme' }))).toBeInstanceOf(TypeError)
      expect(await orgs.findById(id)).toBe(null)
    }
  })

  it.each(['env_default', 'C0FFEE00-0000-4000-8000-000000000000'])('holds no %s unless it is asked to', async (id) => {
    for (const options of [{}, { orgIds: 'uuid' as const }]) {
      const error = await rejected(open(options).orgs.insert({ id, name: 'Acme' }))
      expect(error).toBeInstanceOf(TypeError)
      expect(String(error)).toContain("orgIds: 'host'")
    }
  })

  it('takes no other kind', () => {
    expect(() => open({ orgIds: 'text' as never })).toThrow(/option "orgIds"/)
  })
})

const HOST_SAYS = "migration 1 was run with orgIds: 'host', as"
const UUID_SAYS = "migration 1 was run with orgIds: 'uuid', as"

describe('tables in PostgreSQL', () => {
  it('have text of which the bytes are compared in every column that holds an id of an organization', async () => {
    const text = `SELECT table_name || '.' || column_name AS name, data_type || ' ' || collation_name AS type
      FROM information_schema.columns WHERE table_schema = 'hosted'
      AND (column_name = 'org_id' OR table_name = 'organizations' AND column_name = 'id') ORDER BY 1`
    const columns = ['api_keys.org_id', 'invitations.org_id', 'machines.org_id', 'memberships.org_id']
    expect((await pool.query(text)).rows).toEqual(
      [...columns, 'organizations.id', 'users.org_id'].map((name) => ({ name, type: 'text C' })),
    )
  })

  it.each(['a b', '', 'x'.repeat(65)])(
    "refuse %j from a host's own statement, which no request could name",
    async (id) => {
      const inserting = pool.query("INSERT INTO hosted.organizations (id, name) VALUES ($1, 'Acme')", [id])
      await expect(inserting).rejects.toMatchObject({ code: '23514' })
    },
  )

  it('are not brought up to date, nor called done, for the other kind', async () => {
    const [hosted, made] = [
      { pool, schema: 'hosted' },
      { pool, schema: 'made', orgIds: 'host' as const },
    ]
    for (const ask of [postgres.migrate, postgres.migrationStatus]) {
      await expect(ask(hosted)).rejects.toThrow(HOST_SAYS)
      await expect(ask(made)).rejects.toThrow(UUID_SAYS)
    }
    expect(await postgres.migrate({ ...hosted, orgIds: 'host' })).toEqual([])
    expect(await postgres.migrate({ ...made, orgIds: 'uuid' })).toEqual([])
  })

  it('are what is printed, which then counts as run', async () => {
    const printed = openPool(await createTestDatabase('empty'), { max: 1 })
    await printed.query(postgres.migrationSql({ schema: 'hosted', orgIds: 'host' }))
    expect(await postgres.migrate({ pool: printed, schema: 'hosted', orgIds: 'host' })).toEqual([])
    await expect(postgres.migrate({ pool: printed, schema: 'hosted' })).rejects.toThrow(HOST_SAYS)
    const shape = `SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns
      WHERE table_schema = 'hosted' ORDER BY 1, 2`
    expect((await printed.query(shape)).rows).toEqual((await pool.query(shape)).rows)
  })

  it("made for UUIDs are named by whoever asks them for an id of the host's", async () => {
    const storage = postgres.createPostgresStorage({ pool, schema: 'made', orgIds: 'host' })
    const within = (client: pg.PoolClient) => storage.within(client).orgs.findById('env_default')
    for (const ask of [
      () => storage.orgs.findById('env_default'),
      () => storage.orgs.remove('env_default'),
      () => storage.transaction(({ orgs }) => orgs.findById('env_default')),
      () => storage.transaction(({ handle }) => within(handle)),
    ]) {
      const error = (await rejected(ask())) as Error
      expect(error.message).toContain("orgIds: 'host'")
      expect(error.cause).toMatchObject({ code: '22P02' })
    }
  })

  it('can be scoped by policies of their type', async () => {
    const role = `tenant_${process.pid}`
    await pool.query('CREATE TABLE notes (org_id text NOT NULL, title text)')
    await pool.query(postgres.roleSql(role))
    await pool.query(postgres.policySql({ table: 'notes', column: 'org_id', type: 'text', role, system: 'all' }))
    try {
      await pool.query("INSERT INTO notes VALUES ('env_default', 'mine'), ('env_other', 'theirs')")
      const context = { kind: 'service', org: { id: 'env_default' } } as const
      const read = (client: pg.PoolClient) => client.query('SELECT title FROM notes')
      expect((await postgres.withOrgScope(pool, context, read, { role })).rows).toEqual([{ title: 'mine' }])
    } finally {
      await pool.query(`DROP OWNED BY ${role}`)
      await pool.query(`DROP ROLE ${role}`)
    }
  })
})

describe.each(SQLITE_DRIVERS)('tables in SQLite by $name', ({ open }) => {
  it('are not brought up to date, nor called done, for the other kind', async () => {
    const [hosted, made] = [open(createSqlitePath()), open(createSqlitePath())]
    await sqlite.migrate({ database: hosted, orgIds: 'host' })
    await sqlite.migrate({ database: made })
    for (const ask of [sqlite.migrate, sqlite.migrationStatus]) {
      await expect(ask({ database: hosted })).rejects.toThrow(HOST_SAYS)
      await expect(ask({ database: made, orgIds: 'host' })).rejects.toThrow(UUID_SAYS)
    }
    for (const database of [hosted, made]) database.close()
  })

  it('are what is printed, which then counts as run', async () => {
    const [printed, migrated] = [open(createSqlitePath()), open(createSqlitePath())]
    printed.exec(sqlite.migrationSql({ orgIds: 'host' }))
    await sqlite.migrate({ database: migrated, orgIds: 'host' })
    const shapeOf = (database: typeof printed): unknown[] =>
      database
        .prepare('SELECT name, sql FROM sqlite_master ORDER BY name')
        .all()
        .map((row) => [(row as { name: string }).name, (row as { sql: string }).sql])
    expect(shapeOf(printed)).toEqual(shapeOf(migrated))
    expect(await sqlite.migrate({ database: printed, orgIds: 'host' })).toEqual([])
    for (const database of [printed, migrated]) database.close()
  })

  it.each(['a b', '', 'x'.repeat(65), 'bäcker'])("refuse %j from a host's own statement", async (id) => {
    const database = open(createSqlitePath())
    await sqlite.migrate({ database, orgIds: 'host' })
    const inserting = database.prepare('INSERT INTO organizations (id, name) VALUES (?, ?)')
    expect(() => inserting.all(id, 'Acme')).toThrow(/CHECK constraint failed/)
    inserting.all('env_default', 'Acme')
    database.close()
  })
})
