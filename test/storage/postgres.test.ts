/** The PostgreSQL storage beside its contract: the host's own transaction, lost connections, names, drivers' habits. */
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { OptionsError } from '../../src/lib/parse-options.ts'
import { createPostgresStorage, migrate, type PostgresStorage, withSystemScope } from '../../src/storage/postgres.ts'
import { isConflictError, isTransientError } from '../../src/storage/storage-errors.ts'
import { testIdentity } from '../../src/testing/principals.ts'
import type { ProvisioningDecision } from '../../src/users/provision.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { openProxy } from '../frozen-proxy.ts'
import { newInvitation } from '../invitation.ts'
import { PATIENCE_MS } from '../patience.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { countedPool, createDice } from './sql-pools.ts'

const url = await createTestDatabase()
const pool = openPool(url, { max: 2 })
await pool.query('CREATE TABLE tenants (id int PRIMARY KEY)')
const storage: PostgresStorage<pg.PoolClient> = createPostgresStorage({ pool })

const person = () => ({ issuer: 'https://issuer.test', subject: crypto.randomUUID(), email: null })
const rejected = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error: unknown) => error,
  )

/** The process ids of the connections that the pool has now. */
async function connections(): Promise<Set<number>> {
  const clients = await Promise.all([pool.connect(), pool.connect()])
  const pids = await Promise.all(clients.map((client) => client.query('SELECT pg_backend_pid() AS pid')))
  for (const client of clients) client.release()
  return new Set(pids.map(({ rows }) => rows[0].pid as number))
}

describe('the host’s own queries in the transaction', () => {
  it('are there with it, and gone with it', async () => {
    await storage.transaction(({ handle }) => handle.query('INSERT INTO tenants VALUES (1)'))
    const failing = storage.transaction(async ({ handle }) => {
      await handle.query('INSERT INTO tenants VALUES (2)')
      throw new AuthError('forbidden', { reason: 'test' })
    })
    expect(await rejected(failing)).toMatchObject({ code: 'forbidden' })
    const { rows } = await pool.query('SELECT id FROM tenants')
    expect(rows).toEqual([{ id: 1 }])
  })

  it('throw ConflictError for a unique violation, TransientError for a deadlock', async () => {
    const twice = storage.transaction(({ handle }) => handle.query('INSERT INTO tenants VALUES (1)'))
    expect(isConflictError(await rejected(twice))).toBe(true)
    await pool.query('INSERT INTO tenants VALUES (11), (12)')
    let holding = 0
    let bothHold = (): void => undefined
    const both = new Promise<void>((resolve) => {
      bothHold = resolve
    })
    const lock = (first: number, second: number): Promise<unknown> =>
      storage.transaction(async ({ handle }) => {
        await handle.query('SELECT id FROM tenants WHERE id = $1 FOR UPDATE', [first])
        if (++holding === 2) bothHold()
        await both
        await handle.query('SELECT id FROM tenants WHERE id = $1 FOR UPDATE', [second])
      })
    const ends = await Promise.allSettled([lock(11, 12), lock(12, 11)])
    const errors = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    expect(errors.map(isTransientError)).toEqual([true])
  })

  it('throw everything else untouched', async () => {
    const error = await rejected(storage.transaction(({ handle }) => handle.query('SELECT nonsense')))
    expect(error).toMatchObject({ name: 'error', code: '42703' })
    const own = new Error('the host’s own', { cause: Object.assign(new Error('inner'), { code: '23505' }) })
    expect(await rejected(storage.transaction(() => Promise.reject(own)))).toBe(own)
    const elsewhere = Object.assign(new Error('another service'), { code: 'ECONNREFUSED' })
    expect(await rejected(storage.transaction(() => Promise.reject(elsewhere)))).toBe(elsewhere)
  })

  it('are looked at through a query builder’s wrapper', async () => {
    const wrap = (code: string): Error & { query: string } =>
      Object.assign(new Error('Failed query', { cause: Object.assign(new Error('inner'), { code }) }), {
        query: 'INSERT',
      })
    expect(isConflictError(await rejected(storage.transaction(() => Promise.reject(wrap('23505')))))).toBe(true)
    expect(isTransientError(await rejected(storage.transaction(() => Promise.reject(wrap('40001')))))).toBe(true)
  })

  it('store nothing and say so where the work swallowed a failed one', async () => {
    const { subject, ...rest } = person()
    const working = storage.transaction(async ({ users, handle }) => {
      await users.upsertByIdentity({ subject, ...rest })
      await handle.query('SELECT nonsense').catch(() => undefined)
      return 'stored?'
    })
    expect(String(await rejected(working))).toContain('nothing was stored')
    expect(await storage.users.findByIdentity({ subject, ...rest }, { kind: 'unnamed' })).toBeNull()
  })

  it('may go on after a conflict of the repositories: theirs abort nothing', async () => {
    const { user } = await storage.users.upsertByIdentity(person())
    const org = await storage.orgs.insert({ name: 'Acme' })
    const membership = { orgId: org.id, userId: user.id, role: 'owner' }
    await storage.memberships.insert(membership)
    await storage.transaction(async ({ memberships, handle }) => {
      expect(isConflictError(await rejected(memberships.insert(membership)))).toBe(true)
      await handle.query('INSERT INTO tenants VALUES (21)')
    })
    expect((await pool.query('SELECT id FROM tenants WHERE id = 21')).rows).toHaveLength(1)
  })

  it('run READ COMMITTED, whatever the database’s default is', async () => {
    const strict = openPool(url, { max: 1, options: '-c default_transaction_isolation=serializable' })
    const { rows } = await createPostgresStorage({ pool: strict }).transaction(({ handle }) =>
      handle.query('SHOW transaction_isolation'),
    )
    expect(rows).toEqual([{ transaction_isolation: 'read committed' }])
  })
})

describe('a write outside of transactions', () => {
  const UNDONE = Object.assign(new Error('could not serialize access due to concurrent update'), { code: '40001' })
  const failing = (error: Error, times: number) => {
    let asked = 0
    const query: pg.Pool['query'] = (...given: never[]) =>
      asked++ < times ? Promise.reject(error) : Reflect.apply(pool.query, pool, given)
    const { users } = createPostgresStorage({ pool: { connect: () => pool.connect(), query } })
    return { users, asked: () => asked }
  }

  it('is asked again where it was undone because another was first, and not for ever', async () => {
    const { user } = await storage.users.upsertByIdentity(person())
    const soon = failing(UNDONE, 3)
    expect(await soon.users.setEmail(user.id, 'new@example.test')).toMatchObject({ email: 'new@example.test' })
    const never = failing(UNDONE, Number.POSITIVE_INFINITY)
    expect(isTransientError(await rejected(never.users.setEmail(user.id, null)))).toBe(true)
    expect([soon.asked(), never.asked()]).toEqual([4, 9])
  })

  it('is asked once where nobody knows what became of it', async () => {
    const lost = failing(Object.assign(new Error('Connection terminated'), { code: '08006' }), 1)
    expect(isTransientError(await rejected(lost.users.setEmail(crypto.randomUUID(), null)))).toBe(true)
    expect(lost.asked()).toBe(1)
  })

  it.each(['repeatable read', 'serializable'])('is written by all of several at once, by default %s', async (level) => {
    const strict = openPool(url, { max: 6, options: `-c default_transaction_isolation=${level.replace(' ', '\\ ')}` })
    const { users, invitations } = createPostgresStorage({ pool: strict })
    const { user } = await users.upsertByIdentity(person())
    const emails = await Promise.all(Array.from({ length: 6 }, (_, i) => users.setEmail(user.id, `ada@${i}.test`)))
    expect(emails.map((row) => row?.email)).toEqual(Array.from({ length: 6 }, (_, i) => `ada@${i}.test`))
    const org = await storage.orgs.insert({ name: 'Acme' })
    const { id } = await invitations.insert(newInvitation({ orgId: org.id, email: 'ada@example.test', role: 'member' }))
    const taken = await Promise.all(Array.from({ length: 6 }, () => invitations.consume(id)))
    expect(taken.filter((each) => each !== null)).toHaveLength(1)
    const identity = person()
    const made = await Promise.all(Array.from({ length: 6 }, () => users.upsertByIdentity(identity)))
    expect(new Set(made.map(({ user: { id: made } }) => made)).size).toBe(1)
    expect(made.filter(({ created }) => created)).toHaveLength(1)
  })
})

describe('an organization that is deleted between the look and the join', () => {
  it.each(['rows', 'user-row'] as const)('%s: decided again, and what was begun is undone', async (membershipOn) => {
    const store = createPostgresStorage({ pool, membershipOn })
    const org = await store.orgs.insert({ name: 'gone' })
    const transaction: typeof store.transaction = (work) =>
      store.transaction((inside) => {
        const findById: typeof inside.orgs.findById = async (id) => {
          const found = await inside.orgs.findById(id)
          await store.orgs.remove(org.id)
          return found
        }
        return work({ ...inside, orgs: { ...inside.orgs, findById, findLocked: findById } })
      })
    const decisions: ProvisioningDecision[] = [{ kind: 'join', orgId: org.id, role: 'member' }, { kind: 'create' }]
    const resolver = createProvisioner({
      storage: { ...store, transaction },
      decide: () => decisions.shift() ?? { kind: 'none' },
    })
    const identity = testIdentity({ subject: crypto.randomUUID() })
    expect((await resolver(identity, { kind: 'unnamed' })).created).toBe(true)
    const found = await store.users.findByIdentity(identity, { kind: 'unnamed' })
    expect([found?.membership?.role, decisions]).toEqual(['owner', []])
  })
})

describe('a connection', () => {
  it('comes back clean after a failure, and is the same one', async () => {
    const before = await connections()
    for (let count = 0; count < 6; count++) {
      await rejected(storage.transaction(({ handle }) => handle.query('SELECT nonsense')))
      await rejected(storage.transaction(() => Promise.reject(new Error('on purpose'))))
    }
    expect(await connections()).toEqual(before)
    // Of this database: the server is shared.
    const { rows } = await pool.query(
      "SELECT count(*)::int AS open FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'",
    )
    expect(rows).toEqual([{ open: 0 }])
    expect(pool.idleCount).toBe(2)
  })

  it('that was cut while in use is closed, the work is told, and the process lives', async () => {
    const before = await connections()
    const subject = person()
    let cut = 0
    const working = storage.transaction(async ({ users, handle }) => {
      await users.upsertByIdentity(subject)
      const { rows } = await handle.query('SELECT pg_backend_pid() AS pid')
      cut = rows[0].pid
      const ended = new Promise((resolve) => handle.once('end', resolve))
      await pool.query('SELECT pg_terminate_backend($1)', [cut])
      await ended
      await handle.query('SELECT 1')
    })
    expect(isTransientError(await rejected(working))).toBe(true)
    const after = await connections()
    expect(before.has(cut)).toBe(true)
    expect(after.has(cut)).toBe(false)
    expect(await storage.users.findByIdentity(subject, { kind: 'unnamed' })).toBeNull()
  })

  it('that was cut behind the back of work that asks nothing more: the commit fails, nothing is stored', async () => {
    const subject = person()
    const working = storage.transaction(async ({ users, handle }) => {
      await users.upsertByIdentity(subject)
      const { rows } = await handle.query('SELECT pg_backend_pid() AS pid')
      await pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid])
    })
    expect(isTransientError(await rejected(working))).toBe(true)
    expect(await storage.users.findByIdentity(subject, { kind: 'unnamed' })).toBeNull()
  })

  it('leaves a refusal of the host a refusal, also where it is lost meanwhile', async () => {
    const refusal = new AuthError('forbidden', { reason: 'test' })
    const working = storage.transaction(async ({ handle }) => {
      const { rows } = await handle.query('SELECT pg_backend_pid() AS pid')
      await pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid])
      throw refusal
    })
    expect(await rejected(working)).toBe(refusal)
  })

  it('that no longer answers is given up by the driver’s own limit, once, and closed without a rollback', async () => {
    const proxy = await openProxy(url)
    const frozen = openPool(proxy.url, { max: 1, query_timeout: 1000 })
    const counted = countedPool(frozen)
    const away = createPostgresStorage({ pool: counted })
    const asked: (() => Promise<unknown>)[] = [
      () => away.users.findById(crypto.randomUUID()),
      () => away.transaction(({ users }) => users.upsertByIdentity(person())),
      () => withSystemScope(counted, (client) => client.query('SELECT 1')),
    ]
    // Has all the time that a busy machine may need.
    const thawed = { text: 'SELECT 1', query_timeout: PATIENCE_MS }
    await frozen.query(thawed)
    for (const ask of asked) {
      proxy.freeze()
      counted.queries.length = 0
      expect(isTransientError(await rejected(ask()))).toBe(true)
      // Neither a second try nor a rollback waits as long again.
      expect(counted.queries).toHaveLength(1)
      expect(frozen.totalCount).toBe(0)
      proxy.thaw()
      await frozen.query(thawed)
    }
    proxy.close()
  })

  it('that can’t be had is a TransientError: no server, no free one', async () => {
    const nowhere = openPool('postgres://nobody:secret@127.0.0.1:1/none')
    const away = createPostgresStorage({ pool: nowhere })
    expect(isTransientError(await rejected(away.transaction(async () => 1)))).toBe(true)
    expect(isTransientError(await rejected(away.users.findById(crypto.randomUUID())))).toBe(true)
    const narrow = openPool(url, { max: 1, connectionTimeoutMillis: 50 })
    const busy = createPostgresStorage({ pool: narrow })
    const nested = busy.transaction(() => busy.users.findById(crypto.randomUUID()))
    expect(isTransientError(await rejected(nested))).toBe(true)
  })

  it('of somebody else is not reached by the repositories of a transaction that has ended', async () => {
    const users = await storage.transaction(async (transaction) => transaction.users)
    expect(String(await rejected(users.upsertByIdentity(person())))).toContain('this transaction has ended')
  })

  it('must come from a pool: a client is refused with a sentence', async () => {
    const client = { query: pool.query.bind(pool), connect: async () => undefined }
    const wrong = createPostgresStorage({ pool: client as never })
    expect(String(await rejected(wrong.transaction(async () => 1)))).toContain('must be a pool')
  })
})

describe('within a transaction of the host', () => {
  it('the repositories write and read on its client', async () => {
    const client = await pool.connect()
    const subject = person()
    await client.query('BEGIN')
    const { users, orgs, memberships } = storage.within(client)
    const { user } = await users.upsertByIdentity(subject)
    const org = await orgs.insert({ name: 'Acme' })
    await memberships.insert({ orgId: org.id, userId: user.id, role: 'owner' })
    expect(await memberships.setRole(org.id, user.id, 'member', { keep: 'owner' })).toBe('last')
    expect(await orgs.remove(org.id)).toBe(true)
    await client.query('ROLLBACK')
    client.release()
    expect(await storage.users.findById(user.id)).toBeNull()
  })
})

describe('names', () => {
  const tables = { users: 'people', orgs: 'Companies', memberships: 'seats', invitations: 'offers', apiKeys: 'keys' }

  it('of schema and tables are the host’s choice, and two storages on one pool don’t meet', async () => {
    const options = { pool, schema: 'auth_one', tables }
    await migrate(options)
    const other = createPostgresStorage(options)
    const somebody = person()
    const { user } = await other.users.upsertByIdentity(somebody)
    const org = await other.orgs.insert({ name: 'Acme' })
    await other.memberships.insert({ orgId: org.id, userId: user.id, role: 'owner' })
    for (const { users } of [other, storage, other, storage]) await users.findByIdentity(somebody, { kind: 'unnamed' })
    expect(await other.users.findByIdentity(somebody, { kind: 'unnamed' })).toEqual({
      user,
      membership: { org, role: 'owner' },
    })
    expect(await storage.users.findByIdentity(somebody, { kind: 'unnamed' })).toBeNull()
    const { rows } = await pool.query('SELECT id FROM auth_one."Companies"')
    expect(rows).toEqual([{ id: org.id }])
  })

  it.each([
    ['schema', { schema: 'a"; DROP TABLE users; --' }],
    ['schema', { schema: '' }],
    ['tables', { tables: { users: 'a.b' } }],
    ['tables', { tables: { users: 'x'.repeat(41) } }],
    ['tables', { tables: { user: 'x' } }],
    ['tables', { tables: { users: 'same', orgs: 'SAME' } }],
    ['pool', { pool: {} }],
    ['pool', { pool: undefined }],
    ['membershipOn', { membershipOn: 'cloud' }],
    ['prepare', { prepare: 'no' }],
    ['clock', { clock: 5 }],
  ])('refuses a wrong %s: %j', (option, wrong) => {
    const create = () => createPostgresStorage({ pool, ...wrong } as never)
    expect(create).toThrow(OptionsError)
    expect(create).toThrow(new RegExp(`^createPostgresStorage: (unknown )?option "${option}`))
  })
})

describe('drivers', () => {
  it('may read instants, numbers and booleans in their own way', async () => {
    const text = (value: string): string => value
    const getTypeParser = (oid: number) => (oid === 16 ? (pg.types.getTypeParser(oid) as typeof text) : text)
    const plain = openPool(url, { max: 1, types: { getTypeParser } as never })
    const odd = createPostgresStorage({ pool: plain, clock: () => 1_785_000_000_123 })
    const { user } = await odd.users.upsertByIdentity(person())
    expect(user).toMatchObject({ disabled: false, createdAt: new Date(1_785_000_000_123) })
    expect(await odd.users.count()).toBe(await storage.users.count())
    expect(await storage.users.findById(user.id)).toEqual(user)
  })

  it('keep every millisecond, also of rows that the host inserted', async () => {
    for (let count = 0; count < 200; count++) {
      const instant = 1_785_000_000_000 + count * 7919
      const { orgs } = createPostgresStorage({ pool, clock: () => instant })
      expect((await orgs.insert({ name: 'x' })).createdAt.getTime()).toBe(instant)
    }
    const id = crypto.randomUUID()
    await pool.query("INSERT INTO organizations VALUES ($1, 'by hand', '2026-01-01T00:00:00.123456Z')", [id])
    expect((await storage.orgs.findById(id))?.createdAt.toISOString()).toBe('2026-01-01T00:00:00.123Z')
  })
})

describe('what can’t be stored', () => {
  it('is refused, or kept out, with a sentence and without the driver', async () => {
    const email = (await storage.users.upsertByIdentity({ ...person(), email: 'a\0b' })).user.email
    expect(email).toBeNull()
    expect((await storage.orgs.insert({ name: 'a\0b\ud83e' })).name).toBe('a\ufffdb\ufffd')
    const tooLong = { ...person(), subject: 'x'.repeat(256) }
    expect(await rejected(storage.users.upsertByIdentity(tooLong))).toBeInstanceOf(TypeError)
    const [{ user }, org] = [await storage.users.upsertByIdentity(person()), await storage.orgs.insert({ name: 'x' })]
    for (const role of ['a\0b', 'x'.repeat(65), '\ud83e']) {
      const membership = { orgId: org.id, userId: user.id, role }
      expect(await rejected(storage.memberships.insert(membership))).toBeInstanceOf(TypeError)
      const invitation = newInvitation({ orgId: org.id, email: 'a@example.test', role })
      expect(await rejected(storage.invitations.insert(invitation))).toBeInstanceOf(TypeError)
    }
  })

  it('is not: the longest of everything, in three bytes each', async () => {
    // Different ones, so that nothing gets smaller by being compressed.
    const dice = createDice(1)
    const sign = (): string => String.fromCodePoint(0x4e00 + Math.floor(dice() * 20_000))
    const long = (length: number): string => Array.from({ length }, sign).join('')
    const stored = createPostgresStorage({ pool, membershipOn: 'user-row' })
    const somebody = { issuer: long(255), subject: long(255), email: long(254) }
    const { user } = await stored.users.upsertByIdentity(somebody)
    expect(user).toMatchObject(somebody)
    const [org, role] = [await stored.orgs.insert({ name: long(1000) }), long(64)]
    await stored.memberships.insert({ orgId: org.id, userId: user.id, role })
    expect((await stored.users.findByIdentity(somebody, { kind: 'unnamed' }))?.membership).toEqual({
      org,
      role,
    })
  })
})
