/** Local login in several processes on one database: the last admin, the first one, failures counted, sessions ended. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createLogin } from '../../src/login/login.ts'
import { createPasswordHasher } from '../../src/login/password-hash.ts'
import type { AccountStorage, ThrottleStore } from '../../src/storage/account-repositories.ts'
import * as postgres from '../../src/storage/postgres.ts'
import * as sqlite from '../../src/storage/sqlite.ts'
import { createLoginWorld, FAST, GOOD } from '../login/login-world.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { programOf } from '../program.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

const EMAIL = 'admin@example.com'

/** Storages on one database, each over a pool or handle of its own: as many processes as one process can be. */
interface Place {
  readonly name: string
  /** The driver, for a process of its own. */
  readonly driver: string
  createUrl(): Promise<string>
  open(url: string): Promise<AccountStorage>
}

const PLACES: readonly Place[] = [
  {
    name: 'PostgreSQL',
    driver: 'pg',
    createUrl: () => createTestDatabase('empty'),
    async open(url) {
      const pool = openPool(url, { max: 8 })
      await postgres.migrate({ pool })
      return postgres.createPostgresStorage({ pool }).accounts
    },
  },
  ...SQLITE_DRIVERS.map(
    ({ name, open }): Place => ({
      name: `SQLite by ${name}`,
      driver: name,
      createUrl: async () => createSqlitePath(),
      async open(path) {
        const database = open(path)
        await sqlite.migrate({ database })
        return sqlite.createSqliteStorage({ database }).accounts
      },
    }),
  ),
]

async function openMany({ createUrl, open }: Place, count: number): Promise<readonly AccountStorage[]> {
  const url = await createUrl()
  return Promise.all(Array.from({ length: count }, () => open(url)))
}

/** What two admins may do to each other at the same time. */
const ATTACKS: readonly ((storage: AccountStorage, id: string) => Promise<unknown>)[] = [
  ({ accounts }, id) => accounts.update(id, { role: 'viewer' }, { keep: 'admin' }),
  ({ accounts }, id) => accounts.update(id, { disabled: true }, { keep: 'admin' }),
  ({ accounts }, id) => accounts.remove(id, { keep: 'admin' }),
]

describe.each(PLACES)('$name', (place) => {
  it('keeps one admin of two who demote, disable or remove each other by two pools, 200 times', async () => {
    const storages = await openMany(place, 2)
    const [{ accounts }] = storages as [AccountStorage]
    for (let round = 0; round < 200; round++) {
      const insert = (which: number) =>
        accounts.insert({
          ...{ email: `${round}-${which}@example.com`, passwordHash: null, role: 'admin' },
          createdAt: new Date(),
        })
      const pair = [await insert(0), await insert(1)]
      await Promise.all(
        storages.map((storage, index) =>
          ATTACKS[(round + index * Math.floor(round / 3)) % 3]?.(storage, pair[1 - index]?.id ?? ''),
        ),
      )
      const admins = (await accounts.list()).filter(({ role, disabled }) => role === 'admin' && !disabled)
      expect(admins).toHaveLength(1)
      for (const { id } of pair) await accounts.remove(id)
    }
  })

  it('has one first admin of four pools that start on an empty database, and one password, which is good', async () => {
    const url = await place.createUrl()
    const passwords = createPasswordHasher({ cost: FAST })
    const announced: string[] = []
    const starts = Array.from({ length: 4 }, async () => {
      const storage = await place.open(url)
      const login = createLogin({ storage, passwords, roles: ['admin'], service: 'app', secret: new Uint8Array(32) })
      const announce = ({ password }: { password: string }) => announced.push(password)
      const made = await login.createFirstAdmin({ email: EMAIL, announce })
      return { storage, made }
    })
    const started = await Promise.all(starts)
    expect(started.filter(({ made }) => made)).toHaveLength(1)
    expect(announced).toHaveLength(1)
    const account = await started[3]?.storage.accounts.findByEmail(EMAIL)
    expect(await passwords.verify(announced[0] ?? '', account?.passwordHash ?? null)).toBe(true)
    expect(await started[0]?.storage.accounts.list()).toHaveLength(1)
  })

  it('has one first admin of four processes', async () => {
    const url = await place.createUrl()
    const program = await programOf('test/storage/account-process.ts')
    const runs = Array.from({ length: 4 }, async () => {
      const child = fork(program, [place.driver, url], { silent: true })
      let out = ''
      child.stdout?.on('data', (chunk: Buffer) => {
        out += String(chunk)
      })
      const [code] = await once(child, 'close')
      return { code, out }
    })
    const ends = await Promise.all(runs)
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0])
    expect(ends.map(({ out }) => out).join('')).toMatch(/^password: [a-z2-9]{26}\n$/)
    expect(await (await place.open(url)).accounts.list()).toHaveLength(1)
  })

  it('lets 5 of 50 wrong passwords at once through to the hash, by two pools, and counts them', async () => {
    // The throttle of both goes by a clock that stands still, or a slow machine would have waited for a second.
    const clock = { now: Date.now() }
    const storages = (await openMany(place, 2)).map((storage) => ({
      ...storage,
      throttle: {
        update: ((keys, now, decide) =>
          storage.throttle.update(keys, now, (states) => decide(states, clock.now))) as ThrottleStore['update'],
      },
    }))
    const worlds = storages.map((storage) => createLoginWorld({ storage }))
    await worlds[0]?.account('user@example.com')
    const body = { email: 'user@example.com', password: 'wrong-password-of-mine' }
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => worlds[index % 2]?.call('POST', '/auth/login', { body })),
    )
    const statuses = answers.map((answer) => answer?.status).sort()
    expect(statuses).toEqual([...Array(5).fill(401), ...Array(45).fill(429)])
    const hashes = worlds.flatMap(({ calls }) => calls.filter((call) => call === 'passwords.verify'))
    expect(hashes).toHaveLength(5)
    const right = { email: 'user@example.com', password: GOOD }
    for (const world of worlds) {
      const told = await world.call('POST', '/auth/login', { body: right })
      expect([told.status, told.headers.find(([name]) => name === 'Retry-After')]).toEqual([429, ['Retry-After', '1']])
    }
    clock.now += 1001
    expect(await worlds[1]?.call('POST', '/auth/login', { body: right })).toMatchObject({ status: 200 })
  })

  it('counts every failure of one address, 60 accounts at once by two pools', async () => {
    const worlds = (await openMany(place, 2)).map((storage) => createLoginWorld({ storage }))
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        worlds[index % 2]?.call('POST', '/auth/login', {
          body: { email: `${index}@example.com`, password: 'wrong-password-of-mine' },
        }),
      ),
    )
    expect(answers.filter((answer) => answer?.status === 401)).toHaveLength(50)
    expect(answers.filter((answer) => answer?.reason === 'login_address_throttled')).toHaveLength(10)
  })

  it('knows 1,000 of 1,000 sessions as ended at once in the other pool', async () => {
    const [one, other] = (await openMany(place, 2)) as [AccountStorage, AccountStorage]
    const createdAt = new Date()
    const { id } = await one.accounts.insert({ email: EMAIL, passwordHash: null, role: 'viewer', createdAt })
    const expiresAt = new Date(Date.now() + 86_400_000)
    let ended = 0
    for (let round = 0; round < 1000; round++) {
      const [here, there] = round % 2 === 0 ? [one, other] : [other, one]
      const sessionId = `session-${round}`
      if ((await there.sessions.find(id, sessionId))?.revoked !== false) break
      await here.sessions.revoke({ id: sessionId, expiresAt }, new Date())
      if ((await there.sessions.find(id, sessionId))?.revoked === true) ended++
    }
    expect(ended).toBe(1000)
  })
})
