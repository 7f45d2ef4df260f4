/** The SQLite storage beside its contract: turns at the one handle, other processes, pragmas, drivers' habits. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, describe, expect, it } from 'vitest'
import { OptionsError } from '../../src/lib/parse-options.ts'
import { createSqliteStorage, migrate, type SqliteStorage } from '../../src/storage/sqlite.ts'
import { isConflictError, isTransientError } from '../../src/storage/storage-errors.ts'
import { until } from '../patience.ts'
import { programOf } from '../program.ts'
import { type ClosableDatabase, createSqlitePath, SQLITE_DRIVERS, type SqliteDriver } from '../sqlite.ts'

const person = () => ({ issuer: 'https://issuer.test', subject: crypto.randomUUID(), email: null })
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
const rejected = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error: unknown) => error,
  )

interface Opened {
  readonly path: string
  readonly database: ClosableDatabase
  readonly storage: SqliteStorage<ClosableDatabase>
}

async function openStorage({ open }: SqliteDriver, path: string): Promise<Opened> {
  const database = open(path)
  await migrate({ database })
  database.exec('CREATE TABLE IF NOT EXISTS tenants (id INTEGER PRIMARY KEY) STRICT')
  return { path, database, storage: createSqliteStorage({ database }) }
}

describe.each(SQLITE_DRIVERS)('SQLite by $name', (driver) => {
  const opened: Opened[] = []
  afterAll(() => {
    for (const { database } of opened) database.close()
  })
  const openAt = async (path: string): Promise<Opened> => {
    const one = await openStorage(driver, path)
    opened.push(one)
    return one
  }
  const firstPath = createSqlitePath()
  const idsOf = (database: ClosableDatabase): unknown[] =>
    (database.prepare('SELECT id FROM tenants ORDER BY id').all() as { id: unknown }[]).map(({ id }) => Number(id))

  describe('the one handle', () => {
    it('lets nobody’s statement into an open transaction: not a read, a write, a second storage, the host’s own', async () => {
      const { database, storage } = await openAt(firstPath)
      const second = createSqliteStorage({ database })
      const [inside, outside] = [person(), person()]
      const others: Promise<unknown>[] = []
      const failing = storage.transaction(async ({ users, handle }) => {
        await users.upsertByIdentity(inside)
        handle.exec('INSERT INTO tenants VALUES (1)')
        others.push(storage.users.findByIdentity(inside, { kind: 'unnamed' }))
        others.push(second.users.upsertByIdentity(outside))
        others.push(storage.exclusive((free) => idsOf(free)))
        await pause(20)
        throw new Error('on purpose')
      })
      expect(String(await rejected(failing))).toBe('Error: on purpose')
      const [found, upserted, ids] = await Promise.all(others)
      expect([found, ids]).toEqual([null, []])
      expect(upserted).toMatchObject({ created: true })
      expect(await storage.users.findByIdentity(outside, { kind: 'unnamed' })).not.toBeNull()
    })

    it('is not reached by the repositories of a transaction that has ended', async () => {
      const { storage } = await openAt(firstPath)
      const users = await storage.transaction(async (transaction) => transaction.users)
      expect(String(await rejected(users.upsertByIdentity(person())))).toContain('this transaction has ended')
    })

    it('goes on after SQLite or the host has ended the transaction by itself', async () => {
      const { storage } = await openAt(firstPath)
      const ended = storage.transaction(async ({ handle }) => void handle.exec('ROLLBACK'))
      expect(String(await rejected(ended))).toContain('no transaction is active')
      expect(await storage.users.upsertByIdentity(person())).toMatchObject({ created: true })
    })
  })

  describe('the host’s own statements in the transaction', () => {
    it('throw ConflictError for a unique violation, everything else untouched', async () => {
      const { storage } = await openAt(firstPath)
      const twice = storage.transaction(async ({ handle }) => handle.exec('INSERT INTO tenants VALUES (7), (7)'))
      expect(isConflictError(await rejected(twice))).toBe(true)
      const wrong = await rejected(storage.transaction(async ({ handle }) => handle.exec('SELECT nonsense')))
      expect(isConflictError(wrong) || isTransientError(wrong)).toBe(false)
      expect(String(wrong)).toContain('no such column')
    })
  })

  describe('another process', () => {
    it('that is writing is waited for, without blocking this one, and its own timeout is left alone', async () => {
      const path = createSqlitePath()
      const [one, other] = [await openAt(path), await openAt(path)]
      other.database.exec('PRAGMA busy_timeout = 3000')
      let [isWriting, ticks] = [false, 0]
      const held = one.storage.transaction(async ({ handle }) => {
        handle.exec('INSERT INTO tenants VALUES (1)')
        isWriting = true
        // Time passes here while the other one waits.
        await until(() => ticks > 10)
      })
      await until(() => isWriting)
      const waiting = Promise.all([
        other.storage.users.upsertByIdentity(person()),
        other.storage.transaction(async ({ handle }) => idsOf(handle)),
      ])
      const timer = setInterval(() => ticks++, 5)
      const [upserted, ids] = await waiting
      await held
      clearInterval(timer)
      expect(upserted).toMatchObject({ created: true })
      expect(ids).toEqual([1])
      expect(other.database.prepare('PRAGMA busy_timeout').all()).toMatchObject([{ timeout: 3000 }])
    })
  })

  // Side by side: each takes the five seconds that a writer waits for its turn.
  describe.concurrent('what never ends', () => {
    it('a hook that waits for itself: 5 seconds, then a TransientError', async () => {
      const { storage } = await openAt(createSqlitePath())
      const nested = storage.transaction(() => storage.users.upsertByIdentity(person()))
      expect(isTransientError(await rejected(nested))).toBe(true)
      expect(await storage.users.upsertByIdentity(person())).toMatchObject({ created: true })
    })

    it('a transaction of another process: a TransientError in the end, and reads go on meanwhile', async () => {
      const path = createSqlitePath()
      const [one, other] = [await openAt(path), await openAt(path)]
      const { user } = await other.storage.users.upsertByIdentity(person())
      one.database.exec('BEGIN IMMEDIATE')
      const late = rejected(other.storage.transaction(async () => 1))
      expect(await other.storage.users.findById(user.id)).toEqual(user)
      expect(isTransientError(await late)).toBe(true)
      one.database.exec('ROLLBACK')
      expect(await other.storage.transaction(async () => 1)).toBe(1)
    })
  })

  describe('the file', () => {
    it('has a write-ahead log, and references that hold', async () => {
      const { database, storage } = await openAt(createSqlitePath())
      expect(database.prepare('PRAGMA journal_mode').all()).toMatchObject([{ journal_mode: 'wal' }])
      expect(database.prepare('PRAGMA foreign_keys').all()).toMatchObject([{ foreign_keys: 1 }])
      const { user } = await storage.users.upsertByIdentity(person())
      const unknown = { orgId: crypto.randomUUID(), userId: user.id, role: 'owner' }
      expect(String(await rejected(storage.memberships.insert(unknown)))).toContain('FOREIGN KEY')
    })

    it('is waited for on the disk by every commit but the throttle’s, and the host’s own level is left alone', async () => {
      const { database, storage } = await openAt(createSqlitePath())
      const levelOf = (): number => Number(Object.values(database.prepare('PRAGMA synchronous').all()[0] as object)[0])
      const levels: number[] = []
      const exec = database.exec.bind(database)
      database.exec = (text) => {
        if (text === 'COMMIT') levels.push(levelOf())
        return exec(text)
      }
      const { throttle, sessions } = storage.accounts
      const state = { failures: 1, closedUntil: 0, recent: [], pending: [], expiresAt: 4e12 }
      const count = (keys: readonly string[]) =>
        throttle.update(keys, new Date(), () => ({ states: keys.map(() => state), result: null }))
      // OFF, NORMAL, FULL, EXTRA: what holds the least is never raised, and a write that ends a session waits as the host says.
      for (const level of [0, 1, 2, 3]) {
        exec(`PRAGMA synchronous = ${level}`)
        await Promise.all([count([`a${level}`, `b${level}`]), count([`c${level}`])])
        expect([...new Set(levels.splice(0))]).toEqual([Math.min(level, 1)])
        await sessions.revoke({ id: `session-${level}`, expiresAt: new Date() }, new Date())
        expect([...new Set(levels.splice(0)), levelOf()]).toEqual([level, level])
      }
    })

    it('answers whoever has orgs that were deleted by other tools, references off', async () => {
      const { database, storage } = await openAt(createSqlitePath())
      const somebody = person()
      const { user } = await storage.users.upsertByIdentity(somebody)
      const [gone, stays] = [await storage.orgs.insert({ name: 'gone' }), await storage.orgs.insert({ name: 'stays' })]
      for (const { id } of [gone, stays]) {
        await storage.memberships.insert({ orgId: id, userId: user.id, role: 'owner' })
        await pause(2)
      }
      database.exec('PRAGMA foreign_keys = OFF')
      database.exec(`DELETE FROM organizations WHERE id = '${gone.id}'`)
      const found = await storage.users.findByIdentity(somebody, { kind: 'unnamed' })
      expect(found?.membership).toEqual({ org: stays, role: 'owner' })
    })

    it('is migrated and written by four processes at once: one user, every process lives', async () => {
      const path = createSqlitePath()
      const program = await programOf('test/storage/sqlite-process.ts')
      const children = Array.from({ length: 4 }, () => fork(program, [driver.name, path]))
      const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number))
      expect(codes).toEqual([0, 0, 0, 0])
      const { storage } = await openAt(path)
      expect([await storage.users.count(), await storage.orgs.count()]).toEqual([20, 20])
    })
  })

  it('refuses wrong options', () => {
    const database = driver.open(createSqlitePath())
    const wrongs = [{ database: {} }, { databse: database }, { tables: { users: 'a b' } }, { membershipOn: 'x' }]
    for (const wrong of wrongs) expect(() => createSqliteStorage({ database, ...wrong } as never)).toThrow(OptionsError)
    database.close()
  })
})
