/** What is taken away in the database is refused on the very next request, by every instance: nothing is remembered. */
import { describe, expect, it } from 'vitest'
import { isAuthError } from '../../src/errors.ts'
import { createPostgresStorage, type PostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate, type SqliteStorage } from '../../src/storage/sqlite.ts'
import { issuer } from '../corridor/world.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { createCorridor } from './sql-corridor.ts'

type AnyStorage = PostgresStorage<unknown> | SqliteStorage<unknown>

const TRIALS = 1000

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

/** How many of the trials were refused on the next request, by what was changed. Two instances, `serving` and `changing`. */
async function revoke(serving: AnyStorage, changing: AnyStorage): Promise<Record<string, number>> {
  const corridor = createCorridor(serving)
  const refused: Record<string, number> = {}
  const trial = async (index: number): Promise<void> => {
    const [name = '', change] = Object.entries(CHANGES)[index % 4] ?? []
    const subject = `person-${index}`
    const { user } = await changing.users.upsertByIdentity({ issuer: issuer.issuer, subject, email: null })
    const { id: orgId } = await changing.orgs.insert({ name: subject })
    await changing.memberships.insert({ orgId, userId: user.id, role: 'admin' })
    const token = await corridor.tokenOf(subject)
    // Named and unnamed go different ways through the storage.
    const named = index % 8 < 4 ? orgId : undefined
    for (let count = 0; count < 2; count++) {
      expect(await corridor.walk(token, named)).toEqual({ userId: user.id, orgId, role: 'admin' })
    }
    await change?.({ orgId, userId: user.id, storage: changing })
    const after = await corridor.walk(token, named).then(
      ({ role }) => (role === 'member' ? 'lowered' : role),
      (error: unknown) => (isAuthError(error) ? error.code : String(error)),
    )
    if (after === (name === 'role lowered' ? 'lowered' : 'forbidden')) refused[name] = (refused[name] ?? 0) + 1
  }
  for (let start = 0; start < TRIALS; start += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, index) => trial(start + index)))
  }
  return refused
}

const ALL = Object.fromEntries(Object.keys(CHANGES).map((name) => [name, TRIALS / 4]))

describe(`${TRIALS} of ${TRIALS} on the next request`, () => {
  it('PostgreSQL, changed by another instance', async () => {
    const url = await createTestDatabase()
    const [serving, changing] = [openPool(url, { max: 5 }), openPool(url, { max: 5 })]
    expect(await revoke(createPostgresStorage({ pool: serving }), createPostgresStorage({ pool: changing }))).toEqual(
      ALL,
    )
  })

  it.each(SQLITE_DRIVERS)(
    'SQLite by $name, changed by another handle',
    async ({ open }) => {
      const path = createSqlitePath()
      const [serving, changing] = [open(path), open(path)]
      await migrate({ database: serving })
      expect(
        await revoke(createSqliteStorage({ database: serving }), createSqliteStorage({ database: changing })),
      ).toEqual(ALL)
      serving.close()
      changing.close()
    },
    240_000,
  )
})
