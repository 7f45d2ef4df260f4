/** Databases that several pools or handles have local login on at once, and what holds there however often it is tried. */
import { expect } from 'vitest'
import type { AccountStorage } from '../../src/storage/account-repositories.ts'
import * as postgres from '../../src/storage/postgres.ts'
import * as sqlite from '../../src/storage/sqlite.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

/** The first admin's. */
export const EMAIL = 'admin@example.com'

/** Storages on one database, each over a pool or handle of its own: as many processes as one process can be. */
export interface Place {
  readonly name: string
  /** The driver, for a process of its own. */
  readonly driver: string
  createUrl(): Promise<string>
  open(url: string): Promise<AccountStorage>
}

/** PostgreSQL, and SQLite by each driver. */
export const PLACES: readonly Place[] = [
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

/** Open the same database several times. */
export async function openMany({ createUrl, open }: Place, count: number): Promise<readonly AccountStorage[]> {
  const url = await createUrl()
  return Promise.all(Array.from({ length: count }, () => open(url)))
}

/** What two admins may do to each other at the same time. */
const ATTACKS: readonly ((storage: AccountStorage, id: string) => Promise<unknown>)[] = [
  ({ accounts }, id) => accounts.update(id, { role: 'viewer' }, { keep: 'admin' }),
  ({ accounts }, id) => accounts.update(id, { disabled: true }, { keep: 'admin' }),
  ({ accounts }, id) => accounts.remove(id, { keep: 'admin' }),
]

/** Two admins attack each other at the same time: one admin is left. */
export async function keepsOneAdmin(place: Place, rounds: number): Promise<void> {
  const storages = await openMany(place, 2)
  const [{ accounts }] = storages as [AccountStorage]
  for (let round = 0; round < rounds; round++) {
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
}

/** Each session that one pool ends has ended in the other at once. */
export async function knowsEndedSessions(place: Place, sessions: number): Promise<void> {
  const [one, other] = (await openMany(place, 2)) as [AccountStorage, AccountStorage]
  const createdAt = new Date()
  const { id } = await one.accounts.insert({ email: EMAIL, passwordHash: null, role: 'viewer', createdAt })
  const expiresAt = new Date(Date.now() + 86_400_000)
  let ended = 0
  for (let round = 0; round < sessions; round++) {
    const [here, there] = round % 2 === 0 ? [one, other] : [other, one]
    const sessionId = `session-${round}`
    if ((await there.sessions.find(id, sessionId))?.revoked !== false) break
    await here.sessions.revoke({ id: sessionId, expiresAt }, new Date())
    if ((await there.sessions.find(id, sessionId))?.revoked === true) ended++
  }
  expect(ended).toBe(sessions)
}
