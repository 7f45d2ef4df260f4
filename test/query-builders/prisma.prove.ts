/** Prisma 7 over PostgreSQL, by its own driver adapter: a storage over tables of one's own, scopes in its transactions, its errors. */
import type { createProvisioner } from 'sallyport'
import { policySql, roleSql } from 'sallyport/postgres'
import { type AuthStorage, toStorageError } from 'sallyport/storage'
import { storageContract, testIdentity } from 'sallyport/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { PATIENCE_MS } from '../patience.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { CONTRACT, probeOf, TABLES_SQL } from './own-tables.ts'
import { openPrismaExample } from './prisma-client.ts'
import { expectNamed } from './unique-email.ts'

interface Client {
  $transaction<T>(work: (tx: Client) => Promise<T>, options?: object): Promise<T>
  $queryRawUnsafe(text: string, ...values: unknown[]): Promise<unknown[]>
  $disconnect(): Promise<void>
  readonly user: Record<'create' | 'findMany' | 'updateMany', (given?: object) => Promise<unknown>>
  readonly contact: Record<'create' | 'deleteMany', (given?: object) => Promise<unknown>>
}
interface Modules {
  readonly storage: { createPrismaStorage(client: Client): AuthStorage<never, never, Client> }
  readonly contacts: {
    listContacts(client: Client, context: object): Promise<{ name: string }[]>
    inOrg<T>(client: Client, context: object, work: (tx: Client) => Promise<T>): Promise<T>
    createUsers(storage: object): ReturnType<typeof createProvisioner>
  }
}

const url = await createTestDatabase('empty')
const pool = openPool(url, { max: 2 })
await pool.query(TABLES_SQL)
const example = openPrismaExample()
const clients: Client[] = []
const { PrismaClient } = await example.load<{ PrismaClient: new (options: object) => Client }>('generated/client.ts')
const { PrismaPg } = (await import(`${example.path}node_modules/@prisma/adapter-pg/dist/index.mjs`)) as {
  PrismaPg: new (options: object) => object
}
const open = (options: object = {}): Client => {
  const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 5, ...options }) })
  clients.push(client)
  return client
}
const { createPrismaStorage } = await example.load<Modules['storage']>('storage.ts')
const { createUsers, inOrg, listContacts } = await example.load<Modules['contacts']>('contacts.ts')
const prisma = open()
const storage = createPrismaStorage(prisma)
afterAll(async () => {
  for (const client of clients) await client.$disconnect()
  example.remove()
})

it('compiles with Prisma’s own types', () => expect(example.compile()).toBe(''))

describe('the contract of what the pipeline asks', () => {
  const options = { ...CONTRACT, timeoutSeconds: PATIENCE_MS / 1000 }
  for (const { id, name, run } of storageContract.cases(() => ({ storage, probe: probeOf(pool) }), options)) {
    it(`${id}: ${name}`, run)
  }
})

it('a constraint that makes e-mails unique is named', async () => {
  const strict = await createTestDatabase('empty')
  await openPool(strict).query(`${TABLES_SQL} ALTER TABLE users ADD UNIQUE (email)`)
  await expectNamed(createPrismaStorage(open({ connectionString: strict })), 'users_email_key')
})

describe('a first login', () => {
  it('makes user, team and membership once, with what the hook writes by Prisma; a hook that throws leaves nothing', async () => {
    const users = createUsers(storage)
    const comers = Array.from({ length: 20 }, () => users(testIdentity({ subject: 'ada' }), { kind: 'unnamed' }))
    expect(new Set((await Promise.all(comers)).map(({ user }) => user.id)).size).toBe(1)
    const { membership } =
      (await storage.users.findByIdentity(testIdentity({ subject: 'ada' }), { kind: 'unnamed' })) ?? {}
    expect(membership).toMatchObject({ org: { name: expect.stringMatching(/^Team of /) }, role: 'owner' })
    await pool.query(`ALTER TABLE teams ADD CONSTRAINT never CHECK (name NOT LIKE 'Team of %') NOT VALID`)
    await expect(users(testIdentity({ subject: 'eve' }), { kind: 'unnamed' })).rejects.toThrow()
    await pool.query('ALTER TABLE teams DROP CONSTRAINT never')
    expect(await storage.users.findByIdentity(testIdentity({ subject: 'eve' }), { kind: 'unnamed' })).toBeNull()
  })
})

describe('a scope in Prisma’s transaction', () => {
  const contextOf = (id: string) => ({ kind: 'user', user: { id: 'u' }, org: { id }, role: 'owner', permissions: [] })
  const [one, other] = ['10000000-0000-4000-8000-000000000000', '20000000-0000-4000-8000-000000000000'] as const

  it('shows one organization its rows by a model, refuses another’s, and ends with the transaction', async () => {
    await pool.query(`CREATE TABLE contacts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id uuid NOT NULL, name text NOT NULL);
      ${roleSql('tenant')} ${policySql({ table: 'contacts', column: 'org_id', role: 'tenant', system: 'none' })}`)
    for (const id of [one, other]) {
      await inOrg(prisma, contextOf(id), (tx) => tx.contact.create({ data: { orgId: id, name: `of ${id[0]}` } }))
    }
    expect((await listContacts(prisma, contextOf(one))).map(({ name }) => name)).toEqual(['of 1'])
    const stealing = inOrg(prisma, contextOf(one), (tx) => tx.contact.create({ data: { orgId: other, name: 'x' } }))
    await expect(stealing).rejects.toMatchObject({ meta: { driverAdapterError: { cause: { originalCode: '42501' } } } })
    expect(await inOrg(prisma, contextOf(one), (tx) => tx.contact.deleteMany())).toEqual({ count: 1 })
    const bound = await prisma.$queryRawUnsafe(
      `SELECT current_user = session_user AS own, current_setting('app.org_id', true) AS org`,
    )
    expect(bound).toMatchObject([{ own: true }])
    expect(bound[0]).not.toMatchObject({ org: one })
    await pool.query('DROP OWNED BY tenant')
  })
})

describe('what it throws', () => {
  const kindOf = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'nothing',
      (error) => (toStorageError(error, 'statement') as Error).name,
    )
  const two = async (works: readonly Promise<unknown>[]): Promise<unknown> => {
    const failed = (await Promise.allSettled(works)).find((each) => each.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return null
  }
  const meeting = () => {
    let [arrived, open] = [0, (): void => undefined]
    const both = new Promise<void>((resolve) => {
      open = resolve
    })
    return async () => {
      if (++arrived === 2) open()
      await both
    }
  }
  const taken = { data: { issuer: 'taken', subject: 'taken' } }
  const isolated = { isolationLevel: 'Serializable' }
  const writeAfterReading = (write: (tx: Client) => Promise<unknown>) => {
    const meet = meeting()
    const run = () =>
      prisma.$transaction(async (tx) => {
        await tx.$queryRawUnsafe('SELECT count(*)::int FROM users')
        await meet()
        await write(tx)
      }, isolated)
    return two([run(), run()])
  }
  const deadlock = (lock: (tx: Client, subject: string) => Promise<unknown>) => {
    const meet = meeting()
    const run = (first: string, second: string) =>
      prisma.$transaction(async (tx) => {
        await lock(tx, first)
        await meet()
        await lock(tx, second)
      })
    return two([run('a', 'b'), run('b', 'a')])
  }
  const byRaw = (tx: Client, subject: string) =>
    tx.$queryRawUnsafe(`UPDATE users SET email = 'x' WHERE issuer = 'locks' AND subject = $1 RETURNING id`, subject)
  const byModel = (tx: Client, subject: string) =>
    tx.user.updateMany({ where: { issuer: 'locks', subject }, data: { email: 'y' } })
  const nobody = () => open({ connectionString: 'postgres://x@127.0.0.1:1/x' })
  const slow = () => open({ statement_timeout: 50 })
  const readOnly = () => open({ options: '-c default_transaction_read_only=on' })

  it.each<[string, string, () => Promise<unknown>]>([
    ['a unique violation by a model', 'ConflictError', () => prisma.user.create(taken)],
    [
      'by a raw query',
      'ConflictError',
      () => prisma.$queryRawUnsafe(`INSERT INTO users (issuer, subject) VALUES ('taken', 'taken')`),
    ],
    [
      'a write conflict found by COMMIT',
      'TransientError',
      () => writeAfterReading((tx) => tx.user.create({ data: {} })),
    ],
    ['a deadlock by models', 'TransientError', () => deadlock(byModel)],
    ['by raw queries', 'TransientError', () => deadlock(byRaw)],
    ['a database that is not there, by a model', 'TransientError', () => nobody().user.findMany()],
    ['by a raw query', 'TransientError', () => nobody().$queryRawUnsafe('SELECT 1')],
    ['by a transaction', 'TransientError', () => nobody().$transaction((tx) => tx.user.findMany())],
    ['a statement that takes too long', 'TransientError', () => slow().$queryRawUnsafe('SELECT pg_sleep(5)::text')],
    ['a server that is read-only', 'TransientError', () => readOnly().user.create({ data: {} })],
    [
      'no connection in the time there is',
      'TransientError',
      async () => {
        const one = open({ max: 1 })
        return one.$transaction(() => one.$transaction((tx) => tx.user.findMany(), { maxWait: 50 }))
      },
    ],
    [
      'a table that is not there',
      'PrismaClientKnownRequestError',
      () => prisma.$queryRawUnsafe('SELECT * FROM nothing'),
    ],
  ])('%s is a %s', async (_, kind, work) => {
    await pool.query(
      `INSERT INTO users (issuer, subject) VALUES ('taken', 'taken'), ('locks', 'a'), ('locks', 'b') ON CONFLICT DO NOTHING`,
    )
    expect(await kindOf(work())).toBe(kind)
  })
})
