/** The limit of keys holds for calls at the same moment: on every storage, whoever is beyond it is refused and leaves no key. */
import { expect, it } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { isAuthError } from '../../src/errors.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { testContext } from '../../src/testing/principals.ts'
import { createTestDatabase, openPool } from '../postgres.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'
import { ROLES } from './world.ts'

type Opened = Pick<ReturnType<typeof createMemoryStorage>, 'apiKeys' | 'orgs'>

const STORAGES: Readonly<Record<string, () => Promise<Opened>>> = {
  memory: async () => createMemoryStorage(),
  async SQLite() {
    const [driver] = SQLITE_DRIVERS
    if (driver === undefined) throw new Error('no SQLite')
    const database = driver.open(createSqlitePath())
    await migrate({ database })
    return createSqliteStorage({ database })
  },
  PostgreSQL: async () => createPostgresStorage({ pool: openPool(await createTestDatabase(), { max: 10 }) }),
}

const MAX = 5

it.each(Object.keys(STORAGES))('on %s', async (name) => {
  const { apiKeys: repository, orgs } = await (STORAGES[name] as () => Promise<Opened>)()
  const { id: orgId } = await orgs.insert({ name: 'Acme' })
  // As two processes would, whose clocks are two seconds apart.
  const [here, there] = [0, 2000].map((ahead) =>
    createApiKeys({
      ...{
        storage: { apiKeys: repository },
        prefix: 'itk',
        roles: ROLES,
        maxKeys: MAX,
      },
      ...{ defaultPermissions: ['things:read'], clock: () => Date.now() + ahead },
    }),
  )
  const context = testContext({ role: 'admin', org: { id: orgId } }) as never
  for (let round = 0; round < 5; round++) {
    const asked = Array.from({ length: 20 }, (_, at) =>
      (at % 2 === 0 ? here : there)?.issue(context, { name: `k${at}` }),
    )
    const settled = await Promise.allSettled(asked)
    const made = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value?.apiKey.id] : []))
    for (const each of settled) {
      if (each.status === 'rejected') expect(isAuthError(each.reason) && each.reason.code).toBe('conflict')
    }
    expect(made.length).toBeLessThanOrEqual(MAX)
    const listed = (await repository.list({ kind: 'org', orgId })).map(({ id }) => id)
    expect(listed.sort()).toEqual(made.sort())
    // What is left of the limit can be had, and no more.
    for (let at = made.length; at < MAX; at++) await here?.issue(context, { name: 'one more' })
    await expect(here?.issue(context, { name: 'too many' })).rejects.toMatchObject({ code: 'conflict' })
    for (const { id } of await repository.list({ kind: 'org', orgId })) await here?.revoke(context, id)
  }
})
