/** Local login in the SQL storages: what it costs, how its tables stay small, what it refuses to write. */
import { describe, expect, it } from 'vitest'
import type { AccountStorage, ThrottleState, ThrottleStore } from '../../src/storage/account-repositories.ts'
import { createOrgIds } from '../../src/storage/org-ids.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createPostgresSessions } from '../../src/storage/postgres-session.ts'
import type { SqlSession } from '../../src/storage/sql-executor.ts'
import { createNames } from '../../src/storage/sql-names.ts'
import { POSTGRES, SQLITE, type SqlDialect } from '../../src/storage/sql-statements.ts'
import { sqlThrottle } from '../../src/storage/sql-throttle.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { createSqliteSessions } from '../../src/storage/sqlite-session.ts'
import { isConflictError, isTransientError } from '../../src/storage/storage-errors.ts'
import { createLoginWorld, GOOD } from '../login/login-world.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { countedDatabase, countedPool, isCommit } from './sql-pools.ts'

/** A database of its own, its statements counted. */
interface Database {
  readonly storage: AccountStorage
  readonly session: SqlSession
  readonly dialect: SqlDialect
  /** Statements since the last call. */
  asked(): readonly string[]
  count(table: string): Promise<number>
}

async function openPostgres(): Promise<Database> {
  const pool = countedPool(openPool(await createTestDatabase(), { max: 3 }))
  return {
    storage: createPostgresStorage({ pool }).accounts,
    session: createPostgresSessions(pool, true).session,
    dialect: POSTGRES,
    asked: () => pool.queries.splice(0),
    count: async (table) => (await pool.query(`SELECT 1 FROM ${table}`)).rows.length,
  }
}

async function openSqlite(open: (typeof SQLITE_DRIVERS)[number]['open']): Promise<Database> {
  const database = countedDatabase(open(createSqlitePath()))
  await migrate({ database })
  return {
    storage: createSqliteStorage({ database }).accounts,
    session: createSqliteSessions(database).session,
    dialect: SQLITE,
    asked: () => database.statements.splice(0).filter((text) => !/^PRAGMA/.test(text)),
    count: async (table) => database.prepare(`SELECT 1 FROM ${table}`).all().length,
  }
}

const DATABASES: readonly { readonly name: string; open(): Promise<Database> }[] = [
  { name: 'PostgreSQL', open: openPostgres },
  ...SQLITE_DRIVERS.map(({ name, open }) => ({ name: `SQLite by ${name}`, open: () => openSqlite(open) })),
]

const NOW = Date.parse('2026-11-20T10:00:00Z')
const HOUR = 3_600_000
const stateUntil = (expiresAt: number): ThrottleState => ({
  ...{ failures: 1, closedUntil: 0, recent: [], pending: [] },
  expiresAt,
})
// Beyond every clock of a test.
const LASTING = stateUntil(Date.parse('2100-01-01T00:00:00Z'))
/** Put a state under a key. */
const putting = (store: ThrottleStore) => (key: string, state: ThrottleState | null) =>
  store.update([key], new Date(NOW), () => ({ states: [state], result: null }))
/** What is under a key. */
const reading = (store: ThrottleStore) => (key: string) =>
  store.update([key], new Date(NOW), (states) => ({ states, result: states[0] ?? null }))
const counting = ([state = null]: readonly (ThrottleState | null)[]) => {
  const failures = (state?.failures ?? 0) + 1
  return { states: [{ ...LASTING, failures }], result: failures }
}
/** A session of a database whose clock is set by hand. */
const atClock = (session: SqlSession, clock: { readonly now: number }): SqlSession => ({
  ...session,
  run: async (statement, values) => {
    const rows = await session.run(statement, values)
    return statement.name === 'readThrottle' ? rows.map((row) => ({ ...row, now: clock.now })) : rows
  },
})
const ACCOUNT = { email: 'a@example.com', passwordHash: 'hash', role: 'admin', createdAt: new Date(NOW) }

describe.each(DATABASES)('$name', ({ open }) => {
  it('judges a request with a session by one query: account, version, revoked or not', async () => {
    const { storage, asked } = await open()
    const world = createLoginWorld({ storage })
    await world.account('user@example.com')
    const token = await world.signIn('user@example.com')
    asked()
    expect(await world.call('GET', '/auth/validate', { token })).toMatchObject({ status: 200 })
    expect(asked()).toHaveLength(1)
    await world.call('POST', '/auth/logout', { token })
    asked()
    expect(await world.call('GET', '/auth/validate', { token })).toMatchObject({ status: 401 })
    expect(asked()).toHaveLength(1)
  })

  it('asks the same of the database for an unknown e-mail, a wrong password, a disabled user, no password (L1)', async () => {
    const { storage, asked } = await open()
    const world = createLoginWorld({ storage })
    await world.account('wrong@example.com')
    await world.account('disabled@example.com', 'viewer', { disabled: true })
    await world.account('none@example.com', 'viewer', { passwordHash: null })
    // The first write of all sweeps what has expired.
    await world.call('POST', '/auth/login', { body: { email: 'x', password: 'x' }, address: '10.0.0.99' })
    asked()
    const statements: (readonly string[])[] = []
    for (const [index, name] of ['unknown', 'wrong', 'disabled', 'none'].entries()) {
      const body = { email: `${name}@example.com`, password: name === 'disabled' ? GOOD : 'not the right one' }
      // The first try of an account from an address, then one more.
      for (let attempt = 0; attempt < 2; attempt++) {
        const answer = await world.call('POST', '/auth/login', { body, address: `10.0.0.${index}` })
        expect(answer.reason).toBe('login_refused')
      }
      statements.push(asked())
    }
    const [unknown] = statements
    // Each try: a read and one transaction before the look-up, and after it.
    expect(unknown?.length).toBeGreaterThanOrEqual(2 * 5)
    expect(unknown?.filter(isCommit)).toHaveLength(2 * 2)
    expect(statements).toEqual(statements.map(() => unknown))
  })

  it('asks once for a try that the throttle refuses, and writes nothing', async () => {
    const { storage, asked } = await open()
    const { throttle } = storage
    await putting(throttle)('key', LASTING)
    await putting(throttle)('expired', stateUntil(NOW))
    asked()
    const keys = ['key', 'unknown', 'expired']
    await throttle.update(keys, new Date(NOW), (states) => ({ states, result: null }))
    expect(asked()).toEqual([expect.stringMatching(/^SELECT/)])
    await putting(throttle)('unknown', null)
    expect(asked()).toHaveLength(1)
  })

  it('writes the states of three keys in one transaction, and goes by its own clock whatever the caller says', async () => {
    const { storage, asked } = await open()
    const { throttle } = storage
    await putting(throttle)('first', LASTING)
    await putting(throttle)('second', LASTING)
    const keys = ['third', 'second', 'first']
    const handed: number[] = []
    asked()
    for (const now of [0, NOW, Date.now() + HOUR]) {
      await throttle.update(keys, new Date(now), (_, at) => {
        handed.push(at)
        return { states: keys.map(() => ({ ...LASTING, failures: handed.length })), result: null }
      })
    }
    const writes = ['UPDATE', 'UPDATE', 'UPDATE']
    expect(asked().map((text) => (isCommit(text) ? 'COMMIT' : text.split(' ', 1)[0]))).toEqual([
      ...['SELECT', 'BEGIN', 'UPDATE', 'UPDATE', 'INSERT', 'COMMIT'],
      ...['SELECT', 'BEGIN', ...writes, 'COMMIT'],
      ...['SELECT', 'BEGIN', ...writes, 'COMMIT'],
    ])
    for (const at of handed) expect(Math.abs(at - Date.now())).toBeLessThan(HOUR / 2)
  })

  it('writes none of the keys where one of them was written by another process meanwhile, and decides again', async () => {
    const { session, dialect } = await open()
    const tables = { dialect, names: createNames(), orgIds: createOrgIds() }
    const other = sqlThrottle({ session, ...tables })
    await putting(other)('b', LASTING)
    const read: unknown[] = []
    await sqlThrottle({ session, ...tables }).update(['a', 'b'], new Date(NOW), (states) => {
      read.push(states.map((state) => state?.failures ?? null))
      return { states: [LASTING, LASTING], result: null }
    })
    const meddling: SqlSession = {
      ...session,
      async atomically(work) {
        if (read.length === 2) await putting(other)('b', { ...LASTING, failures: 7 })
        return session.atomically(work)
      },
    }
    await sqlThrottle({ session: meddling, ...tables }).update(['a', 'b'], new Date(NOW), (states) => {
      read.push(states.map((state) => state?.failures ?? null))
      return {
        states: [
          { ...LASTING, failures: read.length },
          { ...LASTING, failures: read.length },
        ],
        result: null,
      }
    })
    expect(read).toEqual([
      [null, 1],
      [1, 1],
      [1, 7],
    ])
    expect([await reading(other)('a'), await reading(other)('b')]).toMatchObject([{ failures: 3 }, { failures: 3 }])
  })

  it('drops revocations that can matter to nobody any more, 10 minutes after their end, a bounded lot at once', async () => {
    const { storage, count } = await open()
    const { sessions, accounts } = storage
    const { id } = await accounts.insert(ACCOUNT)
    const revoke = (name: string, expiresAt: number, now: number) =>
      sessions.revoke({ id: name, expiresAt: new Date(expiresAt) }, new Date(now))
    for (let index = 0; index < 150; index++) await revoke(`old-${index}`, NOW + index, NOW)
    await revoke('just', NOW + 1000, NOW + 600_000)
    expect(await count('login_revoked_sessions')).toBe(151)
    expect(await sessions.find(id, 'old-149')).toMatchObject({ revoked: true })
    await revoke('next', NOW + HOUR, NOW + 600_500)
    expect(await count('login_revoked_sessions')).toBe(52)
    await revoke('next', NOW + HOUR, NOW + 600_500)
    expect(await count('login_revoked_sessions')).toBe(2)
    expect(await sessions.find(id, 'just')).toMatchObject({ revoked: true })
  })

  it('keeps the throttle bounded: what has expired goes, and beyond the limit what was not used for longest', async () => {
    const { session, dialect, count } = await open()
    const tables = { dialect, names: createNames(), orgIds: createOrgIds() }
    const upkeep = { mostKeys: 20, sweepEvery: 10, trimEvery: 10, atOnce: 100 }
    const clock = { now: NOW }
    const throttle = sqlThrottle({ session: atClock(session, clock), ...tables }, upkeep)
    const put = (key: string, now: number, state: ThrottleState) => {
      clock.now = now
      return putting(throttle)(key, state)
    }
    for (let index = 0; index < 9; index++) await put(`short-${index}`, NOW, stateUntil(NOW + 1000))
    await put('long', NOW, stateUntil(NOW + 24 * HOUR))
    expect(await count('login_throttle')).toBe(10)
    await put('later', NOW + 1001, stateUntil(NOW + 24 * HOUR))
    expect(await count('login_throttle')).toBe(2)
    for (let index = 0; index < 39; index++) {
      await put(`flood-${index}`, NOW + 2000 + index, stateUntil(NOW + 24 * HOUR))
      // Used all the time, so it stays.
      await put('long', NOW + 2000 + index, stateUntil(NOW + 24 * HOUR + index))
    }
    expect(await count('login_throttle')).toBeLessThanOrEqual(30)
    clock.now = NOW + HOUR
    const found = await Promise.all(['long', 'later', 'flood-0', 'flood-38'].map(reading(throttle)))
    expect(found.map((state) => state !== null)).toEqual([true, false, false, true])
  })

  it('decides again where another process wrote between the read and a removal', async () => {
    const { session, dialect } = await open()
    const tables = { dialect, names: createNames(), orgIds: createOrgIds() }
    const other = sqlThrottle({ session, ...tables })
    const put = (failures: number) => putting(other)('key', { ...LASTING, failures })
    await put(1)
    const read: unknown[] = []
    const meddling: SqlSession = {
      ...session,
      async run(statement, values) {
        if (statement.name === 'deleteThrottle' && read.length === 1) await put(2)
        return session.run(statement, values)
      },
    }
    await sqlThrottle({ session: meddling, ...tables }).update(['key'], new Date(NOW), ([state]) => {
      read.push(state?.failures)
      return { states: [null], result: null }
    })
    expect(read).toEqual([1, 2])
  })

  it('asks at most five times for each of 100 updates of one key at once', async () => {
    const { storage, asked } = await open()
    const count = () => storage.throttle.update(['key'], new Date(NOW), counting)
    asked()
    expect(new Set(await Promise.all(Array.from({ length: 100 }, count))).size).toBe(100)
    expect(asked().filter((text) => !text.startsWith('BEGIN') && !isCommit(text)).length).toBeLessThanOrEqual(500)
  })

  it('asks the database for few of many tries at once: a look-up of a session beside a flood does not wait for it', async () => {
    const { session, dialect } = await open()
    const tables = { dialect, names: createNames(), orgIds: createOrgIds() }
    const asking = { now: 0, most: 0 }
    const noted = async <T>(ask: () => Promise<T>): Promise<T> => {
      asking.most = Math.max(asking.most, ++asking.now)
      return ask().finally(() => void asking.now--)
    }
    const noting: SqlSession = {
      run: (...asked) => noted(() => session.run(...asked)),
      atomically: (work) => noted(() => session.atomically(work)),
    }
    const throttle = sqlThrottle({ session: noting, ...tables })
    const keys = Array.from({ length: 30 }, (_, index) => `key-${index}`)
    await Promise.all(keys.map((key) => putting(throttle)(key, LASTING)))
    expect(asking).toEqual({ now: 0, most: 3 })
    const found = await Promise.all(keys.map(reading(throttle)))
    expect(found.filter((state) => state === null)).toEqual([])
  })

  it('gives up with a TransientError where others write between every read and write', async () => {
    const { session, dialect } = await open()
    const tables = { dialect, names: createNames(), orgIds: createOrgIds() }
    const other = sqlThrottle({ session, ...tables })
    let writes = 0
    const meddling: SqlSession = {
      ...session,
      async run(statement, values) {
        const rows = await session.run(statement, values)
        if (statement.name === 'readThrottle') await putting(other)('key', { ...LASTING, failures: ++writes })
        return rows
      },
    }
    const throttle = sqlThrottle({ session: meddling, ...tables })
    const update = putting(throttle)('key', { ...LASTING, failures: 999_999 })
    expect(isTransientError(await update.catch((error: unknown) => error))).toBe(true)
    expect(await reading(other)('key')).toMatchObject({ failures: writes })
  })

  it('refuses to write what it could not hand out again', async () => {
    const { storage } = await open()
    const { accounts, sessions, throttle } = storage
    const { id } = await accounts.insert(ACCOUNT)
    const long = 'x'.repeat(1000)
    const wrongs: readonly (() => Promise<unknown>)[] = [
      () => accounts.insert({ ...ACCOUNT, email: 'a\0b' }),
      () => accounts.insert({ ...ACCOUNT, email: 'b@example.com', role: long }),
      () => accounts.insert({ ...ACCOUNT, email: 'b@example.com', passwordHash: long }),
      () => accounts.update(id, { role: '\ud83e' }),
      () => accounts.update(id, { email: long }),
      () => accounts.update(id, { passwordHash: long }),
      () => accounts.replaceHash(id, { from: 'hash', to: long, endSessions: true }),
      () => sessions.revoke({ id: long, expiresAt: new Date(NOW) }, new Date(NOW)),
      () => putting(throttle)(long, null),
      () => throttle.update([], new Date(NOW), () => ({ states: [], result: null })),
      () => throttle.update(['a', 'a'], new Date(NOW), (states) => ({ states, result: null })),
      () => throttle.update(['a', 'b', 'c', 'd'], new Date(NOW), (states) => ({ states, result: null })),
    ]
    for (const wrong of wrongs) await expect(wrong()).rejects.toThrow(TypeError)
    expect(await accounts.list()).toHaveLength(1)
    expect(await accounts.findById(id)).toMatchObject(ACCOUNT)
  })

  it('takes the first admin back with the transaction in which an account is a conflict', async () => {
    const { storage } = await open()
    await storage.accounts.insert(ACCOUNT)
    const work = storage.transaction(async (tx) => {
      expect(await tx.claimFirstAdmin(new Date(NOW))).toBe(true)
      await tx.accounts.insert(ACCOUNT)
    })
    expect(isConflictError(await work.catch((error: unknown) => error))).toBe(true)
    expect(await storage.transaction((tx) => tx.claimFirstAdmin(new Date(NOW)))).toBe(true)
  })
})

describe('PostgreSQL', () => {
  it('drops what is old without waiting for rows that somebody else holds', async () => {
    const pool = openPool(await createTestDatabase(), { max: 3 })
    const { sessions } = createPostgresStorage({ pool }).accounts
    const revoke = (id: string, expiresAt: number, now: number) =>
      sessions.revoke({ id, expiresAt: new Date(expiresAt) }, new Date(now))
    for (const id of ['held', 'free']) await revoke(id, NOW, NOW)
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query("SELECT id FROM login_revoked_sessions WHERE id = 'held' FOR UPDATE")
    await revoke('new', NOW + 2 * HOUR, NOW + HOUR)
    const { rows } = await pool.query('SELECT id FROM login_revoked_sessions ORDER BY id')
    await client.query('ROLLBACK')
    client.release()
    expect(rows).toEqual([{ id: 'held' }, { id: 'new' }])
  })
})
