/** Where the examples keep everything: the same promises on a SQLite file and on PostgreSQL, tables made at every start. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProvisioner, type Identity, isAuthError, type OrgSelection } from 'sallyport'
import { testIdentity } from 'sallyport/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { type Environment, readSettings } from '../../examples/start/settings.ts'
import type { ActingContext } from '../../examples/store/org-table.ts'
import { openStore, type Store } from '../../examples/store/store.ts'
import { until } from '../patience.ts'
import { createTestDatabase, isLockAwaited, openPool } from '../postgres.ts'

const TABLES = ['tenants', 'pipelines'] as const
type AppStore = Store<(typeof TABLES)[number]>
const UNNAMED: OrgSelection = { kind: 'unnamed' }
const IDENTITY: Identity<never> = testIdentity()

const openFor = (environment: Environment, orgIds: 'uuid' | 'host'): Promise<AppStore> =>
  openStore(readSettings(environment), { app: 'app', tables: TABLES, membershipOn: 'rows', orgIds })
const open = (environment: Environment): Promise<AppStore> => openFor(environment, 'uuid')

function inFolder(): Environment {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return { DATA_DIR: join(folder, 'made', 'by', 'the', 'app') }
}

/** A database of a login that may be a superuser, or is an ordinary owner. */
async function onPostgres(kind: 'superuser' | 'owner'): Promise<Environment> {
  const url = new URL(await createTestDatabase('empty'))
  if (kind === 'superuser') return { DATABASE_URL: url.href }
  const owner = `sallyport_test_owner_${crypto.randomUUID().slice(0, 8)}`
  const pool = openPool(url.href, { max: 1 })
  await pool.query(`CREATE ROLE ${owner} LOGIN PASSWORD 'secret'; ALTER DATABASE ${url.pathname.slice(1)} OWNER TO ${owner};
    GRANT ALL ON SCHEMA public TO ${owner}`)
  Object.assign(url, { username: owner, password: 'secret' })
  return { DATABASE_URL: url.href }
}

const acting = (orgId: string): ActingContext => ({ kind: 'user', org: { id: orgId } })
const codeOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'found',
    (error: unknown) => (isAuthError(error) ? error.code : error),
  )

describe.each([
  ['a SQLite file', async () => inFolder()],
  ['PostgreSQL, by a superuser', () => onPostgres('superuser')],
  ['PostgreSQL, by an ordinary owner', () => onPostgres('owner')],
] as const)('on %s', (_name, makeEnvironment) => {
  it('is opened by eight at once, and finds what it kept', async () => {
    const environment = await makeEnvironment()
    const stores = await Promise.all(Array.from({ length: 8 }, () => open(environment)))
    const [first, , last] = stores as [AppStore, AppStore, AppStore]
    const org = await first.storage.orgs.insert({ name: 'Acme' })
    const row = await first.tables.tenants.of(acting(org.id)).insert('x')
    expect(await last.tables.tenants.of(acting(org.id)).list()).toEqual([row])
    await Promise.all(stores.map(({ close }) => close()))
    const again = await open(environment)
    expect(await again.tables.tenants.of(acting(org.id)).find(row.id)).toEqual(row)
    expect((await again.storage.orgs.findById(org.id))?.name).toBe('Acme')
    await again.close()
  })

  it.each([
    ['uuid', [undefined, undefined]],
    ['host', ['Org_one', 'Org_two']],
  ] as const)('finds, lists and removes rows of the acting organization, and of no other: %s', async (orgIds, ids) => {
    const { storage, tables, close } = await openFor(await makeEnvironment(), orgIds)
    const orgs = await Promise.all(ids.map(async (id) => (await storage.orgs.insert({ id, name: 'Acme' })).id))
    const [one, two] = orgs.map((id) => tables.tenants.of(acting(id)))
    const [a, b] = [await one?.insert('a'), await one?.insert('b')]
    await storage.transaction(async ({ handle }) => tables.tenants.insertWithin(handle, orgs[1] ?? '', 'c'))
    expect(await one?.list()).toEqual([a, b])
    expect((await two?.list())?.map(({ name }) => name)).toEqual(['c'])
    const id = a?.id ?? ''
    for (const wrong of [id, crypto.randomUUID(), 'x', '', "'; DROP TABLE tenants; --", '\0']) {
      expect([await codeOf(two?.find(wrong) as never), await codeOf(two?.remove(wrong) as never)]).toEqual([
        'not_found',
        'not_found',
      ])
    }
    expect([await one?.find(id), await one?.remove(id)]).toEqual([a, true])
    expect(await codeOf(one?.remove(id) as never)).toBe('not_found')
    await close()
  })

  it.each([0, 1, 2])(
    'leaves nothing where a first login’s hook fails after %i rows, and everything once it does not',
    async (survived) => {
      const { storage, tables, close } = await open(await makeEnvironment())
      let failing = true
      const users = createProvisioner({
        storage,
        async bootstrap({ org, transaction: { handle } }) {
          for (const [done, table] of [tables.tenants, tables.pipelines].entries()) {
            if (failing && done === survived) throw new Error('the process is in trouble')
            await table.insertWithin(handle, org?.id ?? '', 'x')
          }
          if (failing) throw new Error('the process is in trouble')
        },
      })
      const counts = async (): Promise<readonly number[]> => [await storage.users.count(), await storage.orgs.count()]
      await expect(users(IDENTITY, UNNAMED)).rejects.toThrow('in trouble')
      expect(await counts()).toEqual([0, 0])
      failing = false
      await users(IDENTITY, UNNAMED)
      expect(await counts()).toEqual([1, 1])
      const found = await storage.users.findByIdentity(IDENTITY, UNNAMED)
      const own = acting(found?.membership?.org.id ?? '')
      for (const table of [tables.tenants, tables.pipelines]) expect(await table.of(own).list()).toHaveLength(1)
      await close()
    },
  )
})

describe('what PostgreSQL itself holds to', () => {
  it('policies are forced on every table, for a role that can’t bypass them, named after the database', async () => {
    const environments = await Promise.all([onPostgres('superuser'), onPostgres('superuser')])
    const roles = new Set<string>()
    // Two apps that start at once, in two databases of one cluster.
    const stores = await Promise.all([...environments, ...environments].map(open))
    for (const { DATABASE_URL } of environments) {
      const pool = openPool(DATABASE_URL ?? '', { max: 1 })
      const { rows } =
        await pool.query(`SELECT c.relname AS "table", c.relrowsecurity AND c.relforcerowsecurity AS forced,
        r.rolname AS role, r.rolsuper OR r.rolbypassrls OR r.rolcanlogin AS mighty
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_roles r ON r.oid = p.polroles[1]
        WHERE p.polname LIKE '%_of_org' ORDER BY 1`)
      expect(rows).toMatchObject([
        { table: 'pipelines', forced: true, mighty: false },
        { table: 'tenants', forced: true, mighty: false },
      ])
      for (const { role } of rows as { role: string }[]) roles.add(role)
      const [{ role }] = rows as [{ role: string }]
      // Nothing of the auth tables is granted to it.
      await expect(pool.query(`SET ROLE "${role}"; SELECT * FROM users`)).rejects.toMatchObject({ code: '42501' })
    }
    expect(roles.size).toBe(2)
    await Promise.all(stores.map(({ close }) => close()))
  })
})

describe('another start on the same PostgreSQL', () => {
  it('as a superuser, and as the owner again: each sees the rows of the acting organization, and no others', async () => {
    const owner = await onPostgres('owner')
    const superuser: URL = Object.assign(new URL(owner['DATABASE_URL'] ?? ''), { username: 'postgres', password: '' })
    let orgs: string[] = []
    for (const environment of [owner, { DATABASE_URL: superuser.href }, owner, owner]) {
      const { storage, tables, close } = await open(environment)
      if (orgs.length === 0) {
        orgs = await Promise.all(['one', 'two'].map(async (name) => (await storage.orgs.insert({ name })).id))
      }
      for (const id of orgs) {
        const before = await tables.tenants.of(acting(id)).list()
        await tables.tenants.of(acting(id)).insert('x')
        await storage.transaction(async ({ handle }) => tables.tenants.insertWithin(handle, id, 'y'))
        expect(await tables.tenants.of(acting(id)).list()).toHaveLength(before.length + 2)
      }
      await close()
    }
    const { tables, close } = await open(owner)
    for (const id of orgs) expect(await tables.tenants.of(acting(id)).list()).toHaveLength(8)
    await close()
  })

  it.each([
    ['in a schema of the search path', 'CREATE SCHEMA app; ALTER DATABASE $name SET search_path = app'],
    ['where nobody may use the schema public unasked', 'REVOKE ALL ON SCHEMA public FROM PUBLIC'],
  ])('%s', async (_name, sql) => {
    const url = await createTestDatabase('empty')
    await openPool(url, { max: 1 }).query(sql.replace('$name', new URL(url).pathname.slice(1)))
    for (const _start of [1, 2]) {
      const { storage, tables, close } = await open({ DATABASE_URL: url })
      const org = await storage.orgs.insert({ name: 'Acme' })
      const row = await tables.tenants.of(acting(org.id)).insert('x')
      expect(await tables.tenants.of(acting(org.id)).list()).toEqual([row])
      await close()
    }
  })

  it('by a role that bypasses policies and may not make another: the remedy is named', async () => {
    const environment = await onPostgres('owner')
    const { username } = new URL(environment['DATABASE_URL'] ?? '')
    await openPool(await createTestDatabase('empty'), { max: 1 }).query(`ALTER ROLE ${username} BYPASSRLS`)
    await expect(open(environment)).rejects.toMatchObject({
      name: 'SettingsError',
      message: expect.stringMatching(/^DATABASE_URL: .* give it CREATEROLE, or NOBYPASSRLS$/),
    })
  })
})

describe('the end', () => {
  it('comes, also while a query hangs', async () => {
    const environment = await onPostgres('superuser')
    const { storage, tables, close } = await open(environment)
    const org = await storage.orgs.insert({ name: 'Acme' })
    const locker = await openPool(environment['DATABASE_URL'] ?? '', { max: 1 }).connect()
    await locker.query('BEGIN; LOCK TABLE tenants')
    const asked = tables.tenants.of(acting(org.id)).insert('x')
    await until(() => isLockAwaited(locker))
    let answered = false
    const answer = asked.then(() => {
      answered = true
    })
    await close()
    // The lock is held still: the query was let go, not waited for.
    expect(answered).toBe(false)
    await locker.query('ROLLBACK')
    await answer
    locker.release()
  })
})

describe('a variable that is wrong', () => {
  it.each([
    ['DATABASE_URL', 'postgres://localhost', 'DATABASE_URL names no database: postgres://host/name'],
    ['DATABASE_URL', 'postgres://localhost/?x=y', 'DATABASE_URL names no database: postgres://host/name'],
    ['DATA_DIR', '/proc/x/y', "DATA_DIR: cannot open the database: ENOENT: no such file or directory, mkdir '/proc/x'"],
    ['DATABASE_URL', 'mysql://localhost/x', 'DATABASE_URL must be a URL postgres://…'],
    ['DATABASE_URL', 'postgres://', 'DATABASE_URL must be a URL postgres://…'],
    ['DATABASE_URL', 'app.db', 'DATABASE_URL must be a URL postgres://…'],
    ['DATABASE_URL', ' ', 'DATABASE_URL is set, but empty'],
    [
      'DATABASE_URL',
      'postgres://127.0.0.1:1/x',
      'DATABASE_URL: cannot open the database: connect ECONNREFUSED 127.0.0.1:1',
    ],
    ['DATA_DIR', '', 'DATA_DIR is set, but empty'],
    ['DATA_DIR', '/dev/null/x', "DATA_DIR: cannot open the database: ENOTDIR: not a directory, mkdir '/dev/null/x'"],
  ])('%s=%s is one sentence', async (name, value, sentence) => {
    await expect(async () => open({ [name]: value })).rejects.toMatchObject({
      name: 'SettingsError',
      message: sentence,
    })
  })

  it('is told without the password, whatever the server says', async () => {
    const url = new URL(await createTestDatabase('empty'))
    const wrongs = [
      { pathname: '/nowhere' },
      { username: 'nobody', password: 'hunter22' },
      { username: 'u%zz', password: 'hunter22' },
      { search: '?sslmode=require' },
      { search: '?sslrootcert=/nonexistent' },
    ]
    for (const change of wrongs) {
      const wrong: URL = Object.assign(new URL(url), change)
      const error = await open({ DATABASE_URL: wrong.href }).then(
        () => null,
        (thrown: Error) => thrown,
      )
      expect(error?.name).toBe('SettingsError')
      expect(error?.message).toMatch(/^DATABASE_URL: cannot open the database: /)
      expect(error?.message).not.toMatch(/hunter22|postgres:postgres/)
    }
  })

  it('is a place whose tables hold ids of another kind', async () => {
    const environment = inFolder()
    await (await open(environment)).close()
    const options = { app: 'app', tables: TABLES, membershipOn: 'rows', orgIds: 'host' } as const
    const asked = openStore(readSettings(environment), options)
    await expect(asked).rejects.toMatchObject({
      name: 'SettingsError',
      message: 'DATA_DIR: the tables there were made by an earlier version: name another place',
    })
  })

  it('is a file that is no database', async () => {
    const environment = inFolder()
    const folder = environment['DATA_DIR'] ?? ''
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'app.db'), 'x'.repeat(4096))
    await expect(open(environment)).rejects.toMatchObject({ name: 'SettingsError' })
  })
})
