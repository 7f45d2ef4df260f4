/** What is taken away in the database is refused on the very next request, by every instance: nothing is remembered. Tried as often as asked. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { createAdapter } from '../../adapters/express.ts'
import { createPostgresStorage, type PostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate, type SqliteStorage } from '../../src/storage/sqlite.ts'
import { afterFile } from '../after-file.ts'
import { issuer } from '../pipeline/world.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { createPipeline } from './sql-pipeline.ts'

type AnyStorage = PostgresStorage<unknown> | SqliteStorage<unknown>

const MODES = ['rows', 'user-row'] as const

interface Trial {
  readonly orgId: string
  readonly userId: string
  readonly storage: AnyStorage
}

const CHANGES: Readonly<Record<string, (trial: Trial) => Promise<unknown>>> = {
  'membership removed': ({ storage, orgId, userId }) => storage.memberships.remove(orgId, userId),
  'role lowered': ({ storage, orgId, userId }) => storage.memberships.setRole(orgId, userId, 'member'),
  'user disabled': ({ storage, userId }) => storage.users.setDisabled(userId, true),
  'org deleted': ({ storage, orgId }) => storage.orgs.remove(orgId),
}

/** A server of this storage on Express: a route for admins. */
async function serve(storage: AnyStorage): Promise<(token: string, orgId: string | undefined) => Promise<string>> {
  const { protect } = createAdapter(createPipeline(storage).auth)
  const app = express()
  app.get(
    '/admin',
    protect({ role: 'admin' }, ({ user, org, role }, _request, response) =>
      response.json({ userId: user.id, orgId: org?.id, role }),
    ),
  )
  const server = createServer(app)
  afterFile(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return async (token, orgId) => {
    const named = orgId === undefined ? {} : { 'x-org-id': orgId }
    const headers = { authorization: `Bearer ${token}`, ...named }
    const answer = await fetch(`http://127.0.0.1:${port}/admin`, { headers })
    return `${answer.status} ${await answer.text()}`
  }
}

/** How many of the trials were refused on the next request, by what was changed. Two instances, `serving` and `changing`. */
async function revoke(serving: AnyStorage, changing: AnyStorage, trials: number): Promise<Record<string, number>> {
  const ask = await serve(serving)
  const refused: Record<string, number> = {}
  const trial = async (index: number): Promise<void> => {
    const [name = '', change] = Object.entries(CHANGES)[index % 4] ?? []
    const subject = `person-${index}`
    const { user } = await changing.users.upsertByIdentity({ issuer: issuer.issuer, subject, email: null })
    const { id: orgId } = await changing.orgs.insert({ name: subject })
    await changing.memberships.insert({ orgId, userId: user.id, role: 'admin' })
    const token = await issuer.sign({ sub: subject })
    // Named and unnamed go different ways through the storage.
    const named = index % 8 < 4 ? orgId : undefined
    for (let count = 0; count < 2; count++) {
      expect(await ask(token, named)).toBe(`200 ${JSON.stringify({ userId: user.id, orgId, role: 'admin' })}`)
    }
    await change?.({ orgId, userId: user.id, storage: changing })
    if (/^403 .*"forbidden"/.test(await ask(token, named))) refused[name] = (refused[name] ?? 0) + 1
  }
  for (let start = 0; start < trials; start += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, index) => trial(start + index)))
  }
  return refused
}

/** The tests, each with so many trials, a multiple of 20. */
export function describeRevocation(trials: number): void {
  const all = Object.fromEntries(Object.keys(CHANGES).map((name) => [name, trials / 4]))

  describe.each(MODES)(
    `${trials} of ${trials} on the next request to a route for admins, memberships on %s`,
    (mode) => {
      it('PostgreSQL, changed by another instance', async () => {
        const url = await createTestDatabase()
        const [serving, changing] = [1, 2].map(() =>
          createPostgresStorage({ pool: openPool(url, { max: 5 }), membershipOn: mode }),
        ) as [AnyStorage, AnyStorage]
        expect(await revoke(serving, changing, trials)).toEqual(all)
      })

      it.each(SQLITE_DRIVERS)('SQLite by $name, changed by another handle', async ({ open }) => {
        const path = createSqlitePath()
        const databases = [open(path), open(path)] as const
        await migrate({ database: databases[0] })
        const [serving, changing] = databases.map((database) =>
          createSqliteStorage({ database, membershipOn: mode }),
        ) as unknown as [AnyStorage, AnyStorage]
        expect(await revoke(serving, changing, trials)).toEqual(all)
        for (const database of databases) database.close()
      })
    },
  )
}
