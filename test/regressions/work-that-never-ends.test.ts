/**
 * Work that holds the one turn of a storage and never ends: it is cut off and undone, its handle and repositories do nothing
 * more, and the others go on.
 */

import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Identity } from '../../src/context.ts'
import { createMemoryAccounts, createMemoryStorage } from '../../src/storage/memory.ts'
import { createPostgresStorage, migrate as migratePostgres } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate, type SqliteStorage } from '../../src/storage/sqlite.ts'
import { isTransientError } from '../../src/storage/storage-errors.ts'
import { createTurns } from '../../src/storage/turns.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { openPglite } from '../pglite.ts'
import { type ClosableDatabase, createSqlitePath, SQLITE_DRIVERS, type SqliteDriver } from '../sqlite.ts'
import { identityOf } from '../users/first-logins.ts'

const ada = { issuer: 'https://issuer.test', subject: 'ada', email: null }
const bob = { issuer: 'https://issuer.test', subject: 'bob', email: null }
const UNNAMED = { kind: 'unnamed' } as const
const ACCOUNT = { email: 'ada@example.test', passwordHash: null, role: 'admin', createdAt: new Date(0) }
const HELD = /was held for 30 seconds by work that did not end/
const LIMIT_MS = 30_000

/** A gate that hung work waits at: opened, it goes on, long after its time. */
function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}
const caught = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const opened: { close(): unknown }[] = []
afterAll(async () => {
  for (const database of opened) await database.close()
})
async function openSqlite({ open }: SqliteDriver): Promise<SqliteStorage<ClosableDatabase>> {
  const database = open(createSqlitePath())
  opened.push(database)
  await migrate({ database })
  database.exec('CREATE TABLE tenants (id INTEGER PRIMARY KEY) STRICT')
  return createSqliteStorage({ database })
}

async function openPgliteStorage() {
  const pool = await openPglite()
  opened.push(pool)
  await migratePostgres({ pool })
  return createPostgresStorage({ pool })
}

const STORAGES = [
  // One connection, which takes turns by itself.
  ['PGlite', openPgliteStorage],
  ['in memory', async () => createMemoryStorage()],
  ...SQLITE_DRIVERS.map((driver) => [`SQLite by ${driver.name}`, () => openSqlite(driver)] as const),
] as const

describe.each(STORAGES)('%s', (_, open) => {
  it('a transaction that hangs: undone, its repositories are dead, whoever waits goes on, nothing late is stored', async () => {
    const storage = await open()
    const gate = createGate()
    const late: Promise<unknown>[] = []
    const hung = caught(
      storage.transaction(async ({ users, orgs }) => {
        await users.upsertByIdentity(ada)
        await gate.opened
        late.push(caught(users.upsertByIdentity(ada)), caught(orgs.findById(crypto.randomUUID())))
      }),
    )
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 2000)
    const next = storage.users.upsertByIdentity(bob)
    await vi.advanceTimersByTimeAsync(2000)
    expect(await hung).toMatchObject({ message: expect.stringMatching(HELD) })
    expect(isTransientError(await hung)).toBe(false)
    expect((await next).created).toBe(true)
    gate.open()
    await storage.transaction(async () => undefined)
    expect(await Promise.all(late)).toEqual([
      expect.objectContaining({ message: expect.stringMatching('has ended') }),
      expect.objectContaining({ message: expect.stringMatching('has ended') }),
    ])
    expect(await storage.users.findByIdentity(ada, UNNAMED)).toBeNull()
    expect(await storage.users.findByIdentity(bob, UNNAMED)).not.toBeNull()
  })

  it('a transaction of accounts that hangs: the same', async () => {
    const { accounts } = await open()
    const gate = createGate()
    const late: Promise<unknown>[] = []
    const hung = caught(
      accounts.transaction(async (inside) => {
        expect(await inside.claimFirstAdmin(new Date(0))).toBe(true)
        await inside.accounts.insert(ACCOUNT)
        await gate.opened
        late.push(caught(inside.accounts.insert({ ...ACCOUNT, email: 'late@example.test' })))
      }),
    )
    await vi.advanceTimersByTimeAsync(LIMIT_MS)
    expect(await hung).toMatchObject({ message: expect.stringMatching(HELD) })
    gate.open()
    expect(await accounts.transaction((inside) => inside.claimFirstAdmin(new Date(0)))).toBe(true)
    expect(await Promise.all(late)).toMatchObject([{ message: expect.stringMatching('has ended') }])
    expect(await accounts.accounts.list()).toEqual([])
  })
})

describe('accounts in memory alone', () => {
  it('a transaction that hangs: undone, and the next one comes', async () => {
    const { accounts, transaction } = createMemoryAccounts()
    const hung = caught(
      transaction(async (inside) => {
        await inside.accounts.insert(ACCOUNT)
        await new Promise<never>(() => undefined)
      }),
    )
    await vi.advanceTimersByTimeAsync(LIMIT_MS)
    expect(await hung).toMatchObject({ message: expect.stringMatching(HELD) })
    expect((await accounts.insert(ACCOUNT)).email).toBe(ACCOUNT.email)
  })
})

describe.each(SQLITE_DRIVERS)('the handle of SQLite by $name', (driver) => {
  const idsOf = (storage: SqliteStorage<ClosableDatabase>): Promise<unknown[]> =>
    storage.exclusive((free) =>
      (free.prepare('SELECT id FROM tenants ORDER BY id').all() as { id: unknown }[]).map(({ id }) => Number(id)),
    )

  it('exclusive work that hangs: what it has begun is undone, and it can write no more', async () => {
    const storage = await openSqlite(driver)
    const gate = createGate()
    let late: Promise<unknown> | undefined
    const hung = caught(
      storage.exclusive(async (free) => {
        free.exec('BEGIN')
        free.exec('INSERT INTO tenants VALUES (1)')
        await gate.opened
        late = caught((async () => free.exec('INSERT INTO tenants VALUES (2)'))())
      }),
    )
    await vi.advanceTimersByTimeAsync(LIMIT_MS)
    expect(await hung).toMatchObject({ message: expect.stringMatching(HELD) })
    gate.open()
    expect(await idsOf(storage)).toEqual([])
    expect(await late).toMatchObject({ message: expect.stringMatching('has ended') })
  })

  it.each(['transaction', 'first login'])('a %s that goes on after it was cut off writes nothing', async (what) => {
    const storage = await openSqlite(driver)
    const gate = createGate()
    const late: unknown[] = []
    const attempt = (write: () => unknown): void => {
      try {
        write()
        late.push('written')
      } catch (error) {
        late.push((error as Error).message)
      }
    }
    const done = createGate()
    const work = async ({ handle }: { readonly handle: ClosableDatabase }): Promise<void> => {
      handle.exec('INSERT INTO tenants VALUES (1)')
      const statement = handle.prepare('INSERT INTO tenants VALUES (2) RETURNING id')
      await gate.opened
      attempt(() => handle.exec('INSERT INTO tenants VALUES (3)'))
      attempt(() => statement.all())
      attempt(() => handle.prepare('INSERT INTO tenants VALUES (4)').all())
      attempt(() => handle.exec('COMMIT'))
      done.open()
    }
    const provision = createProvisioner({ storage, bootstrap: ({ transaction }) => work(transaction) })
    const identity: Identity = identityOf('ada')
    const hung = caught(what === 'transaction' ? storage.transaction(work) : provision(identity, UNNAMED))
    await vi.advanceTimersByTimeAsync(LIMIT_MS)
    expect(await hung).toBeInstanceOf(Error)
    // It goes on while somebody else has the turn, in the middle of another transaction.
    await storage.transaction(async ({ handle }) => {
      handle.exec('INSERT INTO tenants VALUES (10)')
      gate.open()
      await done.opened
    })
    expect(late).toEqual(Array.from({ length: 4 }, () => expect.stringMatching('this transaction has ended')))
    expect(await idsOf(storage)).toEqual([10])
    expect(await storage.users.findByIdentity(ada, UNNAMED)).toBeNull()
  })

  it('an answer that is read row by row, and the handle by another name, end with it too', async () => {
    const storage = await openSqlite(driver)
    let read: () => unknown = () => undefined
    let other: () => unknown = () => undefined
    await storage.transaction(async ({ handle }) => {
      const select = handle.prepare('SELECT id FROM tenants') as unknown as {
        iterate?(): Iterator<unknown>
        database?: ClosableDatabase
      }
      const rows = select.iterate?.()
      read = () => rows?.next() ?? handle.exec('')
      other = () => (select.database ?? handle).exec('INSERT INTO tenants VALUES (6)')
    })
    expect(read).toThrow('this transaction has ended')
    expect(other).toThrow('this transaction has ended')
  })
})

describe('a turn whose timers ended with the request that set them', () => {
  it('goes to whoever comes after a minute', async () => {
    let now = 0
    const turns = createTurns('the test', { clock: () => now })
    let undone = 0
    const dead = caught(
      turns(
        () => new Promise(() => undefined),
        () => void undone++,
      ),
    )
    vi.clearAllTimers()
    now = 60_001
    expect(await turns(async (isHeld) => isHeld())).toBe(true)
    expect(undone).toBe(1)
    expect(await dead).toMatchObject({ message: expect.stringMatching(HELD) })
  })
})
