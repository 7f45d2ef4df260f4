/** The acting organization in PostgreSQL itself: what a handler forgets, the database does not. */
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OptionsError } from '../../src/lib/parse-options.ts'
import { type OrgScopeContext, withOrgScope, withSystemScope } from '../../src/storage/org-scope.ts'
import { policySql, roleSql } from '../../src/storage/policy-sql.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { openPglite } from '../pglite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { countedPool } from './sql-pools.ts'

const ROLE = `tenant_${crypto.randomUUID().slice(0, 8)}`
const SCOPE = { role: ROLE }
const ORGS = Array.from({ length: 10 }, () => crypto.randomUUID())
const [ONE = '', TWO = ''] = ORGS

/** The context of somebody in an organization. */
function acting(orgId: string): OrgScopeContext {
  return {
    kind: 'user',
    org: { id: orgId },
    role: 'member',
    user: { id: `user-of-${orgId}`, email: null, disabled: false },
  }
}

const TABLE = `CREATE TABLE contacts (id bigint GENERATED ALWAYS AS IDENTITY, org_id uuid NOT NULL, name text NOT NULL)`
const EVERYTHING = 'SELECT org_id, name FROM contacts'
const SETTINGS = `SELECT current_user AS "user", current_setting('app.org_id', true) AS org,
  current_setting('app.user_id', true) AS person, current_setting('app.role', true) AS role,
  current_setting('app.scope', true) AS scope, current_setting('app.permissions', true) AS permissions`

let url: string
let pool: pg.Pool
beforeAll(async () => {
  url = await createTestDatabase()
  pool = openPool(url, { max: 3 })
  await pool.query(
    `${TABLE}; ${roleSql(ROLE)}; ${policySql({ table: 'contacts', column: 'org_id', role: ROLE, system: 'all' })}`,
  )
  for (const org of ORGS) await pool.query(`INSERT INTO contacts (org_id, name) VALUES ('${org}', 'first of ${org}')`)
})
afterAll(async () => {
  const cleaner = openPool(url, { max: 1 })
  await cleaner.query(`DROP OWNED BY "${ROLE}"`)
  await cleaner.query(`DROP ROLE "${ROLE}"`)
})

/** Ask as the organizations' role, in no scope. */
async function withoutScope(text: string): Promise<pg.QueryResult> {
  const client = await pool.connect()
  try {
    await client.query(`SET ROLE "${ROLE}"`)
    return await client.query(text)
  } finally {
    await client.query('RESET ROLE')
    client.release()
  }
}

/** Nothing of a scope is left on any connection of the pool. */
async function expectClean(): Promise<void> {
  const clients = await Promise.all(Array.from({ length: 3 }, () => pool.connect()))
  const found = await Promise.all(clients.map((client) => client.query<Record<string, string | null>>(SETTINGS)))
  for (const client of clients) client.release()
  for (const { rows } of found) {
    const { user, ...settings } = rows[0] ?? {}
    expect(user).toBe('postgres')
    expect(Object.values(settings).filter((value) => value !== null && value !== '')).toEqual([])
  }
}

describe('a query that forgets its where', () => {
  it('finds no row of another organization, 1,000 interleaved requests of 10 organizations on a pool of 3', async () => {
    let foreign = 0
    let own = 0
    const request = async (orgId: string, index: number): Promise<void> => {
      await withOrgScope(
        pool,
        acting(orgId),
        async (client) => {
          if (index % 10 === 0) {
            await client.query('INSERT INTO contacts (org_id, name) VALUES ($1, $2)', [orgId, `contact ${index}`])
          }
          const { rows } = await client.query<{ org_id: string }>(EVERYTHING)
          for (const row of rows) row.org_id === orgId ? own++ : foreign++
        },
        SCOPE,
      )
    }
    await Promise.all(
      Array.from({ length: 1000 }, (_, index) => request(ORGS[index % 10] ?? '', index + Math.floor(index / 10))),
    )
    expect(foreign).toBe(0)
    expect(own).toBeGreaterThan(1000)
    expect(pool.totalCount).toBeLessThanOrEqual(3)
    await expectClean()
  })

  it('finds nothing without a scope, though there is something', async () => {
    expect((await withoutScope(EVERYTHING)).rows).toEqual([])
    expect((await pool.query(EVERYTHING)).rows.length).toBeGreaterThan(9)
  })

  it('changes and deletes nothing of another organization', async () => {
    const touched = await withOrgScope(
      pool,
      acting(ONE),
      async (client) => {
        const { rowCount: changed } = await client.query('UPDATE contacts SET name = name')
        const { rowCount: seen } = await client.query(EVERYTHING)
        const { rowCount: deleted } = await client.query('DELETE FROM contacts WHERE org_id = $1', [TWO])
        return [changed === seen, deleted]
      },
      SCOPE,
    )
    expect(touched).toEqual([true, 0])
  })
})

describe('writing into another organization', () => {
  it.each([
    ['an INSERT', `INSERT INTO contacts (org_id, name) VALUES ('${TWO}', 'x')`],
    ['an UPDATE that moves a row there', `UPDATE contacts SET org_id = '${TWO}'`],
  ])('is refused by the database: %s', async (_name, text) => {
    const write = withOrgScope(pool, acting(ONE), (client) => client.query(text), SCOPE)
    await expect(write).rejects.toMatchObject({ code: '42501' })
    await expectClean()
  })

  it('is refused by the database without a scope too', async () => {
    const write = withoutScope(`INSERT INTO contacts (org_id, name) VALUES ('${ONE}', 'x')`)
    await expect(write).rejects.toMatchObject({ code: '42501' })
  })
})

describe('the role', () => {
  it('really has no BYPASSRLS, is no superuser, does not own the table and can’t log in', async () => {
    const text = `SELECT rolsuper, rolbypassrls, rolcanlogin, rolname <> tableowner AS other,
      relrowsecurity AS enabled, relforcerowsecurity AS forced
      FROM pg_roles, pg_tables, pg_class WHERE rolname = $1 AND tablename = 'contacts' AND relname = 'contacts'`
    expect((await pool.query(text, [ROLE])).rows).toEqual([
      { rolsuper: false, rolbypassrls: false, rolcanlogin: false, other: true, enabled: true, forced: true },
    ])
  })

  it('is the one statements run as, and bound are user, organization, role, permissions', async () => {
    const context = { ...acting(ONE), permissions: ['contacts:read', 'contacts:write'] }
    const { rows } = await withOrgScope(pool, context, (client) => client.query(SETTINGS), SCOPE)
    const bound = { user: ROLE, org: ONE, person: `user-of-${ONE}`, role: 'member', scope: 'org' }
    expect(rows).toEqual([{ ...bound, permissions: 'contacts:read contacts:write' }])
  })

  it.each([
    [['contacts:read', 'contacts:write'], true],
    [['contacts:writer', 'contacts'], false],
    [[], false],
    [undefined, false],
  ])('may do what is bound, by whole names: %j, %s', async (permissions, may) => {
    const text = `SELECT 'contacts:write' = ANY (string_to_array(current_setting('app.permissions', true), ' ')) AS may`
    const { rows } = await withOrgScope(pool, { ...acting(ONE), permissions }, (client) => client.query(text), SCOPE)
    expect(rows).toEqual([{ may }])
  })

  it('is refused where it bypasses policies, or is not there', async () => {
    const work = async (): Promise<string> => 'ran'
    await expect(withOrgScope(pool, acting(ONE), work)).rejects.toThrow(
      'the role "postgres" bypasses row-level security',
    )
    await expect(withOrgScope(pool, acting(ONE), work, { role: 'nobody' })).rejects.toThrow('there is no role "nobody"')
    const fresh = openPool(url, { max: 1 })
    // Asked each time: it obeyed a moment ago.
    for (const mighty of [true, false, true, false]) {
      await pool.query(`ALTER ROLE "${ROLE}" ${mighty ? 'BYPASSRLS' : 'NOBYPASSRLS'}`)
      const ran = withOrgScope(fresh, acting(ONE), work, SCOPE)
      await (mighty ? expect(ran).rejects.toThrow('bypasses row-level security') : expect(ran).resolves.toBe('ran'))
    }
  })

  it('is the client’s own at that moment, not that of its last scope', async () => {
    const client = await pool.connect()
    const asTenant = async (): Promise<string> => {
      await client.query(`BEGIN; SET LOCAL ROLE "${ROLE}"`)
      const { rows } = await withOrgScope(client, acting(ONE), (inside) => inside.query(SETTINGS))
      await client.query('COMMIT')
      return rows[0]?.user
    }
    expect([await asTenant(), await asTenant()]).toEqual([ROLE, ROLE])
    await client.query('BEGIN')
    await expect(withOrgScope(client, acting(ONE), (inside) => inside.query(EVERYTHING))).rejects.toThrow(
      'the role "postgres" bypasses row-level security',
    )
    await client.query('ROLLBACK')
    client.release()
  })

  it('costs two round trips beside the work, in a transaction as well: its beginning and its end', async () => {
    const counted = countedPool(pool)
    for (const _scope of [1, 2]) {
      counted.queries.length = 0
      await withOrgScope(counted, acting(ONE), (client) => client.query(EVERYTHING), SCOPE)
      expect(counted.queries).toEqual([expect.stringMatching(/^BEGIN/), EVERYTHING, expect.stringContaining('COMMIT')])
      counted.queries.length = 0
      await withSystemScope(counted, async (outer) => {
        counted.queries.length = 0
        await withOrgScope(outer, acting(ONE), (client) => client.query(EVERYTHING), SCOPE)
        const [begun, asked, ended] = counted.queries
        expect([counted.queries.length, asked]).toEqual([3, EVERYTHING])
        expect([begun, ended]).toEqual([expect.stringMatching(/^SAVEPOINT/), expect.stringContaining('RELEASE')])
      })
    }
  })

  it('costs as many messages on the wire: one of each kind for a scope, whatever is bound', async () => {
    const one = openPool(url, { max: 1 })
    const sent: string[] = []
    one.on('acquire', (client) => {
      const { stream } = (client as unknown as { connection: { stream: { write(data: Buffer): boolean } } }).connection
      const write = stream.write.bind(stream)
      stream.write = (data) => {
        sent.push(String.fromCharCode(data[0] ?? 0))
        return write(data)
      }
    })
    const context = { ...acting(ONE), permissions: ["it's", '\\', 'ä'] }
    const { rows } = await withOrgScope(one, context, (inside) => inside.query(SETTINGS), SCOPE)
    expect(rows).toMatchObject([{ permissions: "it's \\ ä" }])
    // Q: a simple query (PostgreSQL's manual, "Message Formats").
    expect(sent).toEqual(['Q', 'Q', 'Q'])
  })

  it('is granted what rows need, also in another schema, with a serial column and where public is nobody’s', async () => {
    const fresh = openPool(await createTestDatabase('empty'), { max: 2 })
    await fresh.query('REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE SCHEMA crm')
    for (const schema of [undefined, 'crm']) {
      const on = schema === undefined ? 'notes' : `${schema}.notes`
      const sql = policySql({ table: 'notes', column: 'org_id', role: ROLE, system: 'none', ...(schema && { schema }) })
      await fresh.query(`CREATE TABLE ${on} (id serial PRIMARY KEY, org_id uuid NOT NULL)`)
      for (const _time of [1, 2]) await fresh.query(sql)
      const write = withOrgScope(
        fresh,
        acting(ONE),
        (client) => client.query(`INSERT INTO ${on} (org_id) VALUES ($1)`, [ONE]),
        SCOPE,
      )
      expect(await write).toMatchObject({ rowCount: 1 })
    }
    await fresh.query(`DROP OWNED BY "${ROLE}"`)
  })

  it.each(['COMMIT', 'ROLLBACK'])(
    'is made though another database of the cluster is making it at this moment, and then says %s',
    async (ending) => {
      const role = `race_${crypto.randomUUID().slice(0, 8)}`
      const other = openPool(await createTestDatabase('empty'), { max: 1 })
      const first = await other.connect()
      await first.query('BEGIN')
      await first.query(roleSql(role))
      let waiting = true
      const second = pool.query(roleSql(role)).finally(() => {
        waiting = false
      })
      // It waits for the first one to end: the row that it would insert is there, and not yet committed.
      const text = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'"
      while (waiting && (await pool.query(text, [role])).rows.length === 0) await new Promise((go) => setTimeout(go, 5))
      expect(waiting).toBe(true)
      await first.query(ending)
      first.release()
      await second
      const { rows } = await pool.query('SELECT rolbypassrls FROM pg_roles WHERE rolname = $1', [role])
      expect(rows).toEqual([{ rolbypassrls: false }])
      await pool.query(`DROP ROLE "${role}"`)
    },
  )

  it('is made once by twenty who start at once', async () => {
    const role = `race_${crypto.randomUUID().slice(0, 8)}`
    const wide = openPool(url, { max: 20 })
    await Promise.all(Array.from({ length: 20 }, () => wide.query(roleSql(role))))
    const text = 'SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = $1'
    const { rows } = await pool.query(text, [role])
    expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false, rolcanlogin: false }])
    await pool.query(`DROP ROLE "${role}"`)
  })

  it('is made and taken by an owner who is no superuser, and binds that owner as well', async () => {
    const [owner, tenant] = [`owner_${crypto.randomUUID().slice(0, 8)}`, `tenant_${crypto.randomUUID().slice(0, 8)}`]
    await pool.query(
      `CREATE ROLE "${owner}" LOGIN CREATEROLE PASSWORD 'secret'; CREATE SCHEMA "${owner}" AUTHORIZATION "${owner}"`,
    )
    const login = new URL(url)
    Object.assign(login, { username: owner, password: 'secret' })
    const owning = openPool(login.href, { max: 2 })
    const where = { schema: owner, table: 'notes', column: 'org_id' }
    await owning.query(`CREATE TABLE "${owner}".notes (org_id uuid, text text); ${roleSql(tenant)}; ${roleSql(tenant)}
      GRANT USAGE ON SCHEMA "${owner}" TO "${tenant}"; ${policySql({ ...where, role: tenant, system: 'all' })}`)
    const note = `INSERT INTO "${owner}".notes VALUES ('${ONE}', 'x')`
    const count = `SELECT count(*)::int AS count FROM "${owner}".notes`
    await withOrgScope(owning, acting(ONE), (client) => client.query(note), { role: tenant })
    const counted = async (asked: Promise<{ rows: unknown[] }>): Promise<unknown> => (await asked).rows[0]
    expect(await counted(withOrgScope(owning, acting(ONE), (client) => client.query(count), { role: tenant }))).toEqual(
      { count: 1 },
    )
    expect(await counted(withOrgScope(owning, acting(TWO), (client) => client.query(count), { role: tenant }))).toEqual(
      { count: 0 },
    )
    expect(await counted(owning.query(count))).toEqual({ count: 0 })
    await expect(owning.query(note)).rejects.toMatchObject({ code: '42501' })
    expect(await counted(withSystemScope(owning, (client) => client.query(count)))).toEqual({ count: 1 })
    // The organization's role is not let through by naming itself the system.
    let seen: unknown
    const forged = withOrgScope(
      owning,
      acting(TWO),
      async (client) => {
        await client.query("DO $$ BEGIN PERFORM set_config('app.scope', 'system', true); END $$")
        seen = await counted(client.query(count))
      },
      { role: tenant },
    )
    await expect(forged).rejects.toThrow('changed the role or organization')
    expect(seen).toEqual({ count: 0 })
    await owning.query(`DROP SCHEMA "${owner}" CASCADE; DROP OWNED BY "${tenant}"; DROP ROLE "${tenant}"`)
    await pool.query(`DROP OWNED BY "${owner}"; DROP ROLE "${owner}"`)
  })
})

describe('a context', () => {
  it.each([
    ['without an organization', { kind: 'user', org: null }],
    ['that never had one', { kind: 'service' }],
    ['with an empty one', { kind: 'apiKey', org: { id: '' } }],
    ['that is none', null],
  ])('%s binds nothing', async (_name, context) => {
    let ran = false
    const work = async (): Promise<void> => {
      ran = true
    }
    await expect(async () => withOrgScope(pool, context as OrgScopeContext, work, SCOPE)).rejects.toThrow()
    expect(ran).toBe(false)
  })

  it('of an API key and of a service has an organization and no user', async () => {
    for (const kind of ['apiKey', 'service'] as const) {
      const context = { ...acting(ONE), kind, role: null }
      const { rows } = await withOrgScope(pool, context, (client) => client.query(SETTINGS), SCOPE)
      expect(rows).toEqual([{ user: ROLE, org: ONE, person: '', role: '', scope: 'org', permissions: '' }])
    }
  })
})

describe('what a scope leaves behind', () => {
  it('is nothing after an error of the work, of a statement, of a swallowed one', async () => {
    const fail = (work: (client: pg.PoolClient) => Promise<unknown>): Promise<unknown> =>
      withOrgScope(pool, acting(ONE), work, SCOPE).then(
        () => 'done',
        (error: Error) => error.message,
      )
    expect(await fail(async () => Promise.reject(new Error('of the host')))).toBe('of the host')
    expect(await fail((client) => client.query('SELECT nonsense'))).toContain('nonsense')
    expect(await fail((client) => client.query('SELECT nonsense').catch(() => 0))).toContain('nothing was stored')
    await expectClean()
  })

  it('is nothing after a lost connection', async () => {
    const lost = withOrgScope(
      pool,
      acting(ONE),
      async (client) => {
        ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
        return client.query('SELECT 1')
      },
      SCOPE,
    )
    await expect(lost).rejects.toMatchObject({ name: 'TransientError' })
    await expectClean()
  })

  it('is a client that no longer answers, and that nobody but the scope gives back', async () => {
    let kept: pg.PoolClient | undefined
    const rejected = withOrgScope(
      pool,
      acting(ONE),
      async (client) => {
        kept = client
        client.release()
      },
      SCOPE,
    )
    await expect(rejected).rejects.toThrow('gives its client back by itself')
    await expect(kept?.query(EVERYTHING)).rejects.toThrow('this scope has ended')
    await expectClean()
  })
})

describe('inside a transaction', () => {
  const read = async (client: Pick<pg.PoolClient, 'query'>): Promise<unknown> => (await client.query(SETTINGS)).rows[0]

  it('the system writes on the hook’s handle, and all of it is undone with the transaction', async () => {
    const storage = createPostgresStorage({ pool })
    const org = crypto.randomUUID()
    const write = 'INSERT INTO contacts (org_id, name) VALUES ($1, $2)'
    const fails = storage.transaction(async ({ handle }) => {
      await withSystemScope(handle, (client) => client.query(write, [org, 'x']))
      throw new Error('too late')
    })
    await expect(fails).rejects.toThrow('too late')
    expect((await pool.query('SELECT 1 FROM contacts WHERE org_id = $1', [org])).rows).toEqual([])
    await storage.transaction(({ handle }) => withSystemScope(handle, (client) => client.query(write, [org, 'x'])))
    expect((await pool.query('SELECT 1 FROM contacts WHERE org_id = $1', [org])).rows).toHaveLength(1)
    await expectClean()
  })

  it('scopes nest: what held before holds again, after success and after a failure that is caught', async () => {
    await withSystemScope(pool, async (client) => {
      const before = await read(client)
      expect(before).toMatchObject({ user: 'postgres', scope: 'system', org: '' })
      const inner = await withOrgScope(
        client,
        acting(ONE),
        async (scoped) => {
          await withOrgScope(
            scoped,
            acting(TWO),
            async (deeper) => expect(await read(deeper)).toMatchObject({ org: TWO }),
            SCOPE,
          )
          return read(scoped)
        },
        SCOPE,
      )
      expect(inner).toMatchObject({ user: ROLE, scope: 'org', org: ONE })
      expect(await read(client)).toEqual(before)
      const refused = withOrgScope(
        client,
        acting(ONE),
        (scoped) => scoped.query('INSERT INTO contacts (org_id, name) VALUES ($1, $2)', [TWO, 'x']),
        SCOPE,
      )
      await expect(refused).rejects.toMatchObject({ code: '42501' })
      expect(await read(client)).toEqual(before)
    })
    await expectClean()
  })

  it('a client without one is refused', async () => {
    const client = await pool.connect()
    await expect(withSystemScope(client, async () => 'ran')).rejects.toThrow(/SAVEPOINT/)
    client.release()
  })
})

describe('options', () => {
  it('name the settings', async () => {
    const settings = { userId: 'jwt.sub', orgId: 'jwt.org', role: 'jwt.role', scope: 'jwt.kind' }
    const text = `SELECT current_setting('jwt.org') AS org, current_setting('jwt.sub') AS person, current_setting('app.org_id', true) AS ours`
    const { rows } = await withOrgScope(pool, acting(ONE), (client) => client.query(text), { ...SCOPE, settings })
    expect(rows).toMatchObject([{ org: ONE, person: `user-of-${ONE}` }])
    expect(rows[0].ours ?? '').toBe('')
    expect(policySql({ table: 'a', column: 'b', system: 'all', settings })).toContain(
      "current_setting('jwt.org', true)",
    )
  })

  it.each([
    [{ role: 'x"; DROP TABLE users; --' }, 'option "role"'],
    [{ role: 'pg_read_all_data' }, 'option "role"'],
    [{ role: 'none' }, 'option "role"'],
    [{ settings: { orgId: 'org' } }, 'option "settings.orgId"'],
    [{ settings: { orgId: 'app.user_id' } }, 'option "settings" gives two settings one name'],
    [{ settings: { orgId: 'app.a', role: 'APP.A' } }, 'option "settings" gives two settings one name'],
    [{ rolle: 'x' }, 'unknown option "rolle"'],
    [null, 'options must be an object'],
  ])('%j is refused, by the promise', async (options, sentence) => {
    for (const scope of [
      withOrgScope(pool, acting(ONE), async () => 0, options as object),
      withSystemScope(pool, async () => 0, options as object),
    ]) {
      const error: unknown = await scope.catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(OptionsError)
      expect(String(error)).toContain(sentence)
    }
  })

  it('of a policy are identifiers, and what the system may do is said', () => {
    const good = { table: 'contacts', column: 'org_id', system: 'none' } as const
    for (const wrong of [
      { table: 'a"b' },
      { column: 'x; --' },
      { type: 'uuid; --' },
      { role: "a'b" },
      { system: undefined },
      { settings: { orgId: 'app.scope' } },
    ]) {
      expect(() => policySql({ ...good, ...wrong } as never)).toThrow(OptionsError)
      expect(() => policySql({ ...good, ...wrong } as never)).toThrow(/^policySql: option/)
    }
    expect(() => roleSql("x'")).toThrow(/^roleSql: option "role"/)
    expect(policySql(good)).toBe(`ALTER TABLE "contacts" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "contacts" FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS "contacts_of_org" ON "contacts";
CREATE POLICY "contacts_of_org" ON "contacts" FOR ALL TO PUBLIC
  USING ("org_id" = NULLIF(current_setting('app.org_id', true), '')::uuid)
  WITH CHECK ("org_id" = NULLIF(current_setting('app.org_id', true), '')::uuid);
DROP POLICY IF EXISTS "contacts_by_system" ON "contacts";
`)
  })
})

describe('PGlite', () => {
  it('scopes, nests and refuses as a pool does', async () => {
    const database = await openPglite()
    await database.exec(
      `${TABLE}; ${roleSql('tenant')}; ${policySql({ table: 'contacts', column: 'org_id', role: 'tenant', system: 'all' })}`,
    )
    for (const org of [ONE, TWO]) await database.query(`INSERT INTO contacts (org_id, name) VALUES ('${org}', 'x')`)
    const scope = { role: 'tenant' }
    const { rows } = await withOrgScope(database, acting(ONE), (tx) => tx.query(EVERYTHING), scope)
    expect(rows).toEqual([{ org_id: ONE, name: 'x' }])
    const refused = withSystemScope(database, (tx) =>
      withOrgScope(
        tx,
        acting(ONE),
        (inner) => inner.query(`INSERT INTO contacts (org_id, name) VALUES ('${TWO}', 'y')`),
        scope,
      ),
    )
    await expect(refused).rejects.toMatchObject({ code: '42501' })
    expect((await database.query(EVERYTHING)).rows).toHaveLength(2)
    await database.close()
  })
})
