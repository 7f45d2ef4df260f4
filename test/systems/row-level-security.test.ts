/** docs/row-level-security.md: each of its statements on a real PostgreSQL, its poolers by a real PgBouncer where there is one. */
import { readFileSync } from 'node:fs'
import type pg from 'pg'
import { createAuth, createProvisioner } from 'sallyport'
import { createPostgresStorage, migrate, withOrgScope } from 'sallyport/postgres'
import { createTestKit } from 'sallyport/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { openSnippets } from '../readme/snippets.ts'
import { hasPgBouncer, startPgBouncer } from '../recipes/pgbouncer.ts'

const page = readFileSync(new URL('../../docs/row-level-security.md', import.meta.url), 'utf8')
const sqlOf = (name: string): string =>
  new RegExp(`^\`\`\`sql ${name.replace('.', '\\.')}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? ''
const { load, remove } = openSnippets()
afterAll(remove)

const ORGS = ['10000000-0000-4000-8000-000000000000', '20000000-0000-4000-8000-000000000000'] as const
const contextOf = (id: string) =>
  ({ kind: 'user', user: { id: 'u' }, org: { id }, role: 'member', permissions: [] }) as never
const TENANT = { role: 'tenant' }

let url: string
let owner: pg.Pool
const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

const scoped = <Row>(pool: pg.Pool, orgId: string, text: string): Promise<Row[]> =>
  withOrgScope(pool, contextOf(orgId), async (client) => (await client.query(text)).rows as Row[], TENANT)

beforeAll(async () => {
  url = await createTestDatabase('empty')
  process.env['DATABASE_URL'] = url
  owner = openPool(url, { max: 4 })
  const { pool } = await load<{ pool: pg.Pool }>('postgres.ts')
  closing.push(
    () => owner.query('DROP OWNED BY tenant CASCADE'),
    () => pool.end(),
  )
  await owner.query(`CREATE TABLE contacts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id uuid NOT NULL,
    name text NOT NULL, closed_at timestamptz)`)
  await owner.query((await load<{ policies: string }>('contacts.ts')).policies)
  for (const [at, org] of ORGS.entries()) {
    await owner.query('INSERT INTO contacts (org_id, name, closed_at) VALUES ($1, $2, NULL), ($1, $3, now())', [
      ...[org, `open ${at}`, `closed ${at}`],
    ])
  }
})

describe('views', () => {
  const past = async (): Promise<readonly string[]> =>
    (await owner.query<{ name: string; kind: string }>(sqlOf('past-policies.sql'))).rows.map(
      ({ name, kind }) => `${kind} ${name}`,
    )

  it('with security_invoker show the own organization, as the page writes them; without it all of them', async () => {
    await owner.query(sqlOf('views.sql'))
    expect(await scoped(owner, ORGS[0], 'SELECT name FROM open_contacts')).toEqual([{ name: 'open 0' }])
    expect(await past()).toEqual([])
    await owner.query('CREATE VIEW every_contact AS SELECT * FROM contacts; GRANT SELECT ON every_contact TO tenant')
    expect(await scoped(owner, ORGS[0], 'SELECT name FROM every_contact')).toHaveLength(4)
    expect(await past()).toEqual(['view every_contact'])
    await owner.query('DROP VIEW every_contact')
  })

  it('that are materialized are kept from the role; the function asks for its organization by itself', async () => {
    await owner.query(sqlOf('definers.sql'))
    await expect(scoped(owner, ORGS[0], 'SELECT * FROM contact_counts')).rejects.toMatchObject({ code: '42501' })
    expect(await scoped(owner, ORGS[0], 'SELECT contact_count()::int AS n')).toEqual([{ n: 2 }])
    expect(await past()).toEqual(['function contact_count()'])
    await owner.query('GRANT SELECT ON contact_counts TO tenant')
    expect(await scoped(owner, ORGS[0], 'SELECT org_id FROM contact_counts')).toHaveLength(2)
    expect(await past()).toEqual(['materialized view contact_counts', 'function contact_count()'])
  })
})

describe('a statement that takes too long', () => {
  it('ends after the time of its scope, and is a failure that passes', async () => {
    const { searchContacts } = await load<{ searchContacts(context: never, pattern: string): Promise<unknown> }>(
      'search.ts',
    )
    expect(await searchContacts(contextOf(ORGS[0]), '^open')).toEqual([{ name: 'open 0' }])
    const client = await owner.connect()
    try {
      await client.query('BEGIN; LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE')
      const error = await searchContacts(contextOf(ORGS[0]), 'x').catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'TransientError', cause: { code: '57014' } })
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
  })

  it.each(['statement_timeout', 'lock_timeout', 'query_timeout'])('%s: a request is 503', async (name) => {
    const database = await createTestDatabase()
    const limited = openPool(database, name === 'lock_timeout' ? { options: '-c lock_timeout=100' } : { [name]: 100 })
    const [admin, { verifier, issuer }] = [openPool(database), await createTestKit()]
    const ask = async (pool: pg.Pool): Promise<unknown> => {
      const storage = createPostgresStorage({ pool })
      const auth = createAuth({ verifier, roles: ['owner'], storage, users: createProvisioner({ storage }) })
      const headers = { authorization: `Bearer ${await issuer.sign({ sub: 'ada' })}` }
      return auth.authenticate(fakeRequest({ headers }))
    }
    await ask(admin)
    const client = await admin.connect()
    try {
      await client.query('BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE')
      const unavailable = { code: 'temporarily_unavailable', reason: 'storage_unavailable' }
      await expect(ask(limited)).rejects.toMatchObject(unavailable)
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
  })
})

describe.skipIf(!hasPgBouncer())('behind a PgBouncer that lends its connections by transaction', () => {
  it('many scopes on two connections see each their own, and leave nothing behind', async () => {
    const pooler = await startPgBouncer(url)
    closing.push(() => pooler.stop())
    process.env['POOLER_URL'] = pooler.url
    const { pooled } = await load<{ pooled: pg.Pool }>('pooled.ts')
    closing.push(() => pooled.end())
    const text = `SELECT name, current_setting('app.org_id') AS org FROM open_contacts`
    const asked = Array.from({ length: 100 }, (_, at) => ORGS[at % 2] as string)
    const found = await Promise.all(asked.map((org) => scoped(pooled, org, text)))
    expect(found).toEqual(asked.map((org) => [{ name: `open ${ORGS.indexOf(org as never)}`, org }]))
    for (let count = 0; count < 10; count++) {
      const { rows } = await pooled.query(
        `SELECT coalesce(current_setting('app.org_id', true), '') AS org, current_user = 'tenant' AS is_tenant`,
      )
      expect(rows).toEqual([{ org: '', is_tenant: false }])
    }
  })

  it.each([false, true])('first logins and look-ups work, prepare: %s', async (prepare) => {
    const database = await createTestDatabase('empty')
    await migrate({ pool: openPool(database) })
    const pooler = await startPgBouncer(database)
    closing.push(() => pooler.stop())
    const pool = openPool(pooler.url, { max: 8 })
    const { verifier, issuer } = await createTestKit()
    const storage = createPostgresStorage({ pool, prepare })
    const auth = createAuth({ verifier, roles: ['owner'], storage, users: createProvisioner({ storage }) })
    const tokens = await Promise.all(Array.from({ length: 5 }, (_, at) => issuer.sign({ sub: `person ${at}` })))
    const asking = Array.from({ length: 60 }, (_, at) =>
      auth.authenticate(fakeRequest({ headers: { authorization: `Bearer ${tokens[at % 5]}` } })),
    )
    expect(new Set((await Promise.all(asking)).map(({ org }) => org.id)).size).toBe(5)
  })

  it('a pool that sets statement_timeout as it connects is refused; of the role it holds', async () => {
    const database = await createTestDatabase('empty')
    // Of the database and not of the role, which all tests share; a new connection takes the one as the other.
    await openPool(database).query(
      `ALTER DATABASE "${new URL(database).pathname.slice(1)}" SET statement_timeout = '50ms'`,
    )
    const pooler = await startPgBouncer(database)
    closing.push(() => pooler.stop())
    const refused = openPool(pooler.url, { statement_timeout: 50 })
    await expect(refused.query('SELECT 1')).rejects.toThrow('unsupported startup parameter: statement_timeout')
    await expect(openPool(pooler.url).query('SELECT pg_sleep(5)')).rejects.toMatchObject({ code: '57014' })
  })
})
