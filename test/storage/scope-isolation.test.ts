/** Scopes on one client keep apart: one at a time, no transaction of the work's own, nothing left behind. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withOrgScope, withSystemScope } from '../../src/storage/org-scope.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { openPglite } from '../pglite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { openObedientOwner, openScopedPglite, openSuperuser } from './scope-databases.ts'
import { actingIn, interleave, ORGS, type ScopedDatabase } from './scope-interleavings.ts'

const [ONE = '', TWO = ''] = ORGS
const ROWS = 'SELECT org_id FROM notes'

const orgsOf = ({ rows }: { rows: { org_id: string }[] }): string[] => [...new Set(rows.map(({ org_id }) => org_id))]

const rejected = (work: Promise<unknown> | undefined): Promise<string> =>
  (work ?? Promise.resolve()).then(
    () => 'nothing was thrown',
    (error: unknown) => String((error as Error).message),
  )

describe.each([
  ['PostgreSQL, a superuser’s pool with a role', openSuperuser],
  ['PostgreSQL, an obedient owner', openObedientOwner],
  ['PGlite', openScopedPglite],
] as const)('%s', (_name, open) => {
  let database: ScopedDatabase & { close(): Promise<void> }
  beforeAll(async () => {
    database = await open()
  })
  afterAll(() => database.close())

  /** The pool, as one type for the calls below. */
  const pool = (): pg.Pool => database.pool as pg.Pool
  const inOrg = <T>(target: unknown, org: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> =>
    withOrgScope(target as pg.PoolClient, actingIn(org), work, database.scope)
  const count = async (text: string): Promise<number> =>
    (await database.admin.query('SELECT 1 FROM notes WHERE text = $1', [text])).rows.length

  it('any interleaving of scopes sees its own rows or is refused, and what was reported done is there', async () => {
    let [done, refused] = [0, 0]
    for (let seed = 1; seed <= 25; seed++) {
      const { foreign, untrue, ...more } = await interleave(database, seed)
      expect({ seed, foreign, untrue }).toEqual({ seed, foreign: 0, untrue: [] })
      done += more.done
      refused += more.refused
    }
    expect(Math.min(done, refused)).toBeGreaterThan(5)
  })

  it('a second scope and the outer handle are refused at once while a scope is open', async () => {
    const told = await inOrg(pool(), ONE, async (client) => {
      let goOn = (): void => undefined
      const waiting = new Promise<void>((resolve) => {
        goOn = resolve
      })
      const first = inOrg(client, TWO, async (inner) => {
        await waiting
        return orgsOf(await inner.query(ROWS))
      })
      const sentences = [
        await rejected(inOrg(client, ONE, async () => 0)),
        await rejected(withSystemScope(client, async () => 0, database.scope as object)),
        await rejected(client.query(ROWS)),
      ]
      goOn()
      expect(await first).toEqual([TWO])
      expect(orgsOf(await client.query(ROWS))).toEqual([ONE])
      return sentences
    })
    for (const sentence of told) expect(sentence).toContain('this client has a scope already: one at a time')
  })

  it.each([
    'COMMIT',
    '-- x\n rollback',
    'BEGIN',
    'START TRANSACTION',
    'END',
    'ABORT',
    'SAVEPOINT a',
    "PREPARE TRANSACTION 'a'",
    'SELECT 1; COMMIT; BEGIN',
  ])('transaction control is refused and the scope goes on: %j', async (text) => {
    const label = `beside ${text}`
    await inOrg(pool(), ONE, async (client) => {
      expect(await rejected(client.query(text))).toContain("is not the work's to say")
      expect(await rejected((client as unknown as { exec?: typeof client.query }).exec?.(text) as never)).toMatch(
        /is not the work's to say|nothing was thrown/,
      )
      expect((await client.query(ROWS)).rows.length).toBeGreaterThan(0)
      await client.query('INSERT INTO notes VALUES ($1, $2)', [ONE, label])
    })
    expect(await count(label)).toBe(1)
  })

  it.each([
    `SET LOCAL app.org_id = '${TWO}'`,
    `SET app.org_id = '${TWO}'`,
    `SELECT set_config('app.org_id', '${TWO}', false)`,
    "SET app.scope = 'system'",
    "SET app.permissions = 'users:write'",
    "SET LOCAL app.role = 'owner'",
    'SET LOCAL ROLE none',
    'RESET ROLE',
    'SET SESSION AUTHORIZATION DEFAULT',
  ])('what a scope binds is not the work’s to set: %s', async (text) => {
    await inOrg(pool(), ONE, async (client) => {
      expect(await rejected(client.query(text))).toContain("is the scope's own")
      expect(await rejected(client.query('SELECT set_config($1, $2, true)', ['APP.org_id', TWO]))).toContain(
        "scope's own",
      )
      expect(orgsOf(await client.query(ROWS))).toEqual([ONE])
    })
  })

  // In a text that can't be read: the last check meets it.
  it('nothing is stored where the work has bound itself to another organization', async () => {
    const move = `DO $$ BEGIN EXECUTE concat('SET LOCAL app.org', '_id = ''${TWO}'''); END $$`
    const moved = inOrg(pool(), ONE, async (client) => {
      await client.query('INSERT INTO notes VALUES ($1, $2)', [ONE, 'moved'])
      await client.query(move)
    })
    expect(await rejected(moved)).toContain('changed the role or organization')
    expect(await count('moved')).toBe(0)
    await inOrg(pool(), TWO, async (client) => {
      const inner = inOrg(client, ONE, (handle) => handle.query(move))
      expect(await rejected(inner)).toContain('changed the role or organization')
      expect(orgsOf(await client.query(ROWS))).toEqual([TWO])
    })
  })

  it('a work that leaves a scope behind unfinished stores nothing, and that scope asks nothing more', async () => {
    let left: Promise<string> | undefined
    let goOn = (): void => undefined
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const unfinished = inOrg(pool(), ONE, async (client) => {
      await client.query('INSERT INTO notes VALUES ($1, $2)', [ONE, 'unfinished'])
      left = rejected(
        inOrg(client, TWO, async (inner) => {
          await waiting
          return inner.query(ROWS)
        }),
      )
      await Promise.resolve()
    })
    expect(await rejected(unfinished)).toContain('the work ended before a scope inside it did')
    goOn()
    expect(await left).toContain('has ended')
    expect(await count('unfinished')).toBe(0)
    expect(orgsOf(await inOrg(pool(), TWO, (client) => client.query(ROWS)))).toEqual([TWO])
  })

  it('a handle dies with its transaction, also while its connection is in another’s scope', async () => {
    const storage = createPostgresStorage({ pool: pool() })
    let kept: pg.PoolClient | undefined
    let deep: pg.PoolClient | undefined
    let ask: pg.PoolClient['query'] | undefined
    await storage.transaction(async ({ handle }) => {
      kept = handle
      ask = handle.query as never
    })
    await inOrg(pool(), ONE, (client) =>
      inOrg(client, TWO, async (inner) => {
        deep = inner
      }),
    )
    await inOrg(pool(), ONE, async () => {
      expect(await rejected(kept?.query(ROWS))).toContain('this transaction has ended')
      expect(await rejected(deep?.query(ROWS))).toContain('this scope has ended')
      expect(await rejected(ask?.(ROWS) as never)).toContain('this transaction has ended')
      expect(await rejected(inOrg(kept, TWO, async () => 0))).toContain('has ended')
    })
  })

  it('a transaction’s handle and repositories are refused while a scope is open on it', async () => {
    const storage = createPostgresStorage({ pool: pool() })
    await storage.transaction(async ({ handle, users }) => {
      const scope = withSystemScope(handle, (client) => client.query('SELECT 1'))
      expect(await rejected(handle.query(ROWS))).toContain('one at a time')
      expect(await rejected(users.findById(crypto.randomUUID()))).toContain('one at a time')
      await scope
      expect(await rejected(handle.query('COMMIT'))).toContain("is not the work's to say")
      await handle.query('SELECT 1')
    })
  })

  it('what plain SET changed is not there for the next one', async () => {
    const read = async (): Promise<unknown> =>
      inOrg(pool(), ONE, async (client) => {
        const text =
          "SELECT current_user AS who, current_setting('search_path') AS path, current_setting('app.other', true) AS other"
        return (await client.query(text)).rows
      })
    const before = await read()
    await inOrg(pool(), ONE, (client) => client.query('SET search_path = pg_catalog'))
    expect(await read()).toEqual(before)
    await inOrg(pool(), ONE, (client) => client.query("SET app.other = 'x'")).catch((error: Error) => {
      expect(error.message).toContain('for longer than its transaction')
    })
    const rows = (await read()) as { other: string | null }[]
    expect(rows[0]?.other ?? '').toBe('')
  })

  it.each([
    ['a temporary table', 'CREATE TEMP TABLE IF NOT EXISTS report AS SELECT org_id FROM notes', 'SELECT * FROM report'],
    ['a temporary view', 'CREATE OR REPLACE TEMP VIEW report AS SELECT org_id FROM notes', 'SELECT * FROM report'],
    ['a cursor that is held', 'DECLARE report CURSOR WITH HOLD FOR SELECT org_id FROM notes', 'FETCH ALL FROM report'],
  ])('%s of one organization is not there for the next one', async (_, make, read) => {
    const report = (org: string): Promise<string> =>
      inOrg(pool(), org, async (client) => {
        await client.query(make)
        return String(orgsOf(await client.query(read)))
      }).catch((error: Error) => error.message)
    // In this process there is one connection, which can't be closed.
    const lasts = expect.stringContaining('or left something temporary')
    for (const org of [ONE, TWO]) expect([org, lasts]).toContainEqual(await report(org))
    await expect(inOrg(pool(), TWO, (client) => client.query(read))).rejects.toThrow(/report" does not exist/)
  })

  it('a temporary table that is dropped with its transaction leaves nothing', async () => {
    for (const org of [ONE, TWO]) {
      const rows = await inOrg(pool(), org, async (client) => {
        await client.query('CREATE TEMP TABLE report ON COMMIT DROP AS SELECT org_id FROM notes')
        return client.query('SELECT org_id FROM report')
      })
      expect(orgsOf(rows)).toEqual([org])
    }
  })
})

describe('a pool’s connection', () => {
  const url = createTestDatabase('empty')
  const pid = async (pool: pg.Pool): Promise<number> =>
    (await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? 0

  it('goes back as the host set it at connect, or not at all', async () => {
    const pool = openPool(await url, { max: 1 })
    pool.on('connect', (client) => void client.query("SET search_path = pg_catalog; SET app.region = 'eu'"))
    const storage = createPostgresStorage({ pool })
    const state = async (): Promise<unknown> =>
      (
        await pool.query(
          "SELECT current_user AS who, current_setting('search_path') AS path, current_setting('app.region') AS region",
        )
      ).rows
    const before = await state()
    const first = await pid(pool)
    await withSystemScope(pool, (client) => client.query('SET LOCAL search_path = public'))
    expect([await pid(pool), await state()]).toEqual([first, before])
    for (const text of [
      'SET search_path = public',
      'SET ROLE pg_monitor',
      'RESET search_path',
      "SET app.region = 'us'",
      "SELECT set_config('app.region', 'us', false)",
      'SET SESSION AUTHORIZATION pg_monitor',
      "DO $$ BEGIN PERFORM set_config('search_path', 'public', false); END $$",
      'CREATE TEMP TABLE kept (a int)',
      'SELECT 1 AS a INTO TEMP kept',
      'DECLARE kept CURSOR WITH HOLD FOR SELECT 1',
    ]) {
      const last = await pid(pool)
      await storage.transaction(({ handle }) => handle.query(text))
      expect([text, await state()]).toEqual([text, before])
      expect([text, (await pid(pool)) === last]).toEqual([text, false])
    }
    for (const text of ['RESET ALL', 'DISCARD ALL']) {
      await storage.transaction(async ({ handle }) => {
        expect(await rejected(handle.query(text))).toContain('name the setting')
      })
    }
    // Undone with the transaction: nothing to put back.
    const last = await pid(pool)
    await rejected(
      storage.transaction(async ({ handle }) => {
        await handle.query('SET search_path = public')
        throw new Error('of the host')
      }),
    )
    expect([await pid(pool), await state()]).toEqual([last, before])
  })

  it('is not given back after it ended its transaction behind the guard, and nobody is told that all was stored', async () => {
    const pool = openPool(await url, { max: 1 })
    await pool.query('CREATE TABLE IF NOT EXISTS behind (a int)')
    const first = await pid(pool)
    let raw: pg.Client | undefined
    pool.on('acquire', (client) => {
      raw = client as never
    })
    for (const ending of ['COMMIT', 'ROLLBACK', 'COMMIT; BEGIN']) {
      const ended = createPostgresStorage({ pool }).transaction(async ({ handle }) => {
        await raw?.query(ending)
        await handle.query('SELECT 1')
      })
      expect(await rejected(ended)).toContain('the work ended its transaction')
    }
    expect(await pid(pool)).not.toBe(first)
  })

  it('is not given back once it has become read-only, though the work swallowed that', async () => {
    const pool = openPool(await url, { max: 1 })
    const first = await pid(pool)
    const storage = createPostgresStorage({ pool })
    const working = storage.transaction(async ({ handle }) => {
      await handle.query('SET TRANSACTION READ ONLY')
      await handle.query('CREATE TABLE never (a int)').catch(() => undefined)
    })
    expect(await rejected(working)).not.toBe('nothing was thrown')
    expect(await pid(pool)).not.toBe(first)
  })
})

describe('a client in a transaction that the host has begun', () => {
  const begun = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const pool = openPool(await createTestDatabase('empty'), { max: 1 })
    const client = await pool.connect()
    try {
      await client.query('BEGIN; CREATE TABLE notes (org_id uuid)')
      return await work(client)
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
  }

  it('is refused to the host while a scope is open on it, and is the host’s own again afterwards', async () => {
    await begun(async (client) => {
      const query = client.query
      const scope = withSystemScope(client, (inner) => inner.query('SELECT 1 AS one'))
      expect(await rejected(client.query('COMMIT'))).toContain('one at a time')
      expect(await rejected(withSystemScope(client, async () => 0))).toContain('one at a time')
      expect((await scope).rows).toEqual([{ one: 1 }])
      expect(client.query).toBe(query)
      expect(Object.hasOwn(client, 'query')).toBe(false)
      await client.query('SELECT 1')
    })
  })

  it('keeps nothing of a scope that set something for longer', async () => {
    await begun(async (client) => {
      const path = async (): Promise<unknown> => (await client.query('SHOW search_path')).rows
      const before = await path()
      const lasting = withSystemScope(client, (inner) => inner.query('SET search_path = pg_catalog'))
      expect(await rejected(lasting)).toContain('for longer than its transaction')
      expect(await path()).toEqual(before)
    })
  })
})

describe('the handle', () => {
  it('takes queries as objects, with callbacks and of a class of their own, and reads the text of each', async () => {
    const pool = openPool(await createTestDatabase('empty'), { max: 1 })
    await withSystemScope(pool, async (client) => {
      expect((await client.query({ text: 'SELECT $1::int AS one', values: [1] })).rows).toEqual([{ one: 1 }])
      expect(await rejected(client.query({ name: 'end', text: ' COMMIT' }))).toContain("is not the work's to say")
      expect(await rejected(client.query({ name: 'end' } as never))).toContain('has to say its text')
      const own = new pg.Query({ text: 'COMMIT' } as never) as unknown as pg.Submittable
      expect(() => client.query(own)).toThrow("is not the work's to say")
      expect(() => client.query('COMMIT', () => undefined)).toThrow("is not the work's to say")
      const called = await new Promise((resolve) =>
        client.query('SELECT 2 AS two', (_error, { rows }) => resolve(rows)),
      )
      expect(called).toEqual([{ two: 2 }])
      expect(client.on('notice', () => undefined)).toBe(client)
      expect(client.escapeIdentifier('commit')).toBe('"commit"')
      expect(client).toBeInstanceOf(pg.Client)
    })
  })

  it('of PGlite reads templates, several statements at once and its own rollback', async () => {
    const database = await openPglite()
    await withSystemScope(database, async (tx) => {
      expect((await tx.sql`SELECT ${1}::int AS one`).rows).toEqual([{ one: 1 }])
      expect(await rejected(tx.sql`COMMIT`)).toContain("is not the work's to say")
      expect(await rejected(tx.exec('SELECT 1; COMMIT'))).toContain("is not the work's to say")
      expect(await rejected(tx.rollback())).toContain("is not the work's to say")
    })
    await database.close()
  })
})
