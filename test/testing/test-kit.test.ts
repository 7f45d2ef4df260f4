/** The kit signs people in for real, and takes no option for another: a misspelt role would make a test prove nothing. */
import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { createTestKit } from '../../src/testing/test-kit.ts'
import { createSqlitePath, SQLITE_DRIVERS } from '../sqlite.ts'

it('signs the same address in as the same person, with the membership asked for', async () => {
  const { signIn, storage } = await createTestKit({ orgHeader: 'X-Team' })
  const first = await signIn({ email: 'ada@example.test', org: 'acme', role: 'admin' })
  const second = await signIn({ email: 'ada@example.test', org: 'acme', role: 'member' })
  expect(second.user?.id).toBe(first.user?.id)
  expect(second.headers).toMatchObject({ 'X-Team': first.org?.id })
  const caller = { kind: 'user', user: second.user as NonNullable<typeof second.user> } as const
  expect(await storage.memberships.listActing(caller)).toMatchObject([{ role: 'member' }])
})

it('signs somebody in who has never been here', async () => {
  const { signIn, verifier } = await createTestKit()
  const { token, user, org } = await signIn({ claims: { email_verified: true } })
  expect([user, org]).toEqual([null, null])
  expect(await verifier.verify(token)).toMatchObject({ emailVerified: true })
})

it.each([
  [{ orgheader: 'x-org' }, 'createTestKit: unknown option "orgheader"'],
  [{ orgHeader: 'x org' }, 'createTestKit: option "orgHeader" must be a header name'],
  [{ audience: '' }, 'createTestKit: option "audience"'],
])('refuses the options %j', async (options, sentence) => {
  await expect(createTestKit(options as never)).rejects.toThrow(sentence)
})

it.each([
  [{ rol: 'admin' }, 'signIn: unknown option "rol"'],
  [{ org: null }, 'signIn: option "org"'],
])('signs nobody in by %j', async (whom, sentence) => {
  const { signIn } = await createTestKit()
  await expect(signIn(whom as never)).rejects.toThrow(sentence)
})

describe('over a storage of the host’s', () => {
  it('signs in where the storage is a database', async () => {
    const database = (SQLITE_DRIVERS[0] as (typeof SQLITE_DRIVERS)[number]).open(createSqlitePath())
    try {
      await migrate({ database })
      const storage = createSqliteStorage({ database })
      const kit = await createTestKit({ storage })
      expect(kit.storage).toBe(storage)
      for (const role of ['admin', 'admin', 'member']) {
        const { user, org } = await kit.signIn({ email: 'ada@example.test', org: 'acme', role })
        expect(await storage.memberships.find(org?.id ?? '', user?.id ?? '')).toMatchObject({ role })
      }
    } finally {
      database.close()
    }
  })

  it('asks nothing beyond the port of it, and says where that is too little', async () => {
    const { users, orgs, invitations, transaction, memberships } = createMemoryStorage()
    const { insert, findActing, listActing } = memberships
    const storage: AuthStorage = {
      users,
      orgs,
      invitations,
      transaction,
      memberships: { insert, findActing, listActing },
    }
    const { signIn } = await createTestKit({ storage })
    const ada = { email: 'ada@example.test', org: 'acme' }
    const [first, again] = [await signIn({ ...ada, role: 'admin' }), await signIn({ ...ada, role: 'admin' })]
    expect(again.user).toEqual(first.user)
    await expect(signIn({ ...ada, role: 'member' })).rejects.toThrow('the user is there as admin')
  })
})
