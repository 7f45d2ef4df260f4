/** The kit signs people in for real, and takes no option for another: a misspelt role would make a test prove nothing. */
import { describe, expect, it } from 'vitest'
import { createAuth } from '../../src/auth.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import { createSqliteStorage, migrate } from '../../src/storage/sqlite.ts'
import { createTestKit, type MachineSignInOptions } from '../../src/testing/test-kit.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
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

it('signs in whom the claims name, with the address that they have', async () => {
  const kit = await createTestKit()
  const auth = createAuth({ issuers: kit.issuers, storage: kit.storage, roles: ['member', 'admin'] })
  for (const [claims, email] of [
    [{ sub: 'user_1' }, 'person-1@example.test'],
    [{ sub: 'user_2', email: 'ada@example.test' }, 'ada@example.test'],
    [{ email: undefined }, null],
  ] as const) {
    const { headers, user } = await kit.signIn({ org: 'acme', role: 'admin', claims })
    const context = await auth.authenticate(fakeRequest({ headers }))
    expect(context).toMatchObject({ user: { id: user?.id, email }, role: 'admin' })
  }
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

describe('a machine', () => {
  it('signs in as what it was registered as, for an auth that asks the same storage', async () => {
    const kit = await createTestKit()
    const { storage, issuers } = kit
    const auth = createAuth({ issuers, storage, machines: storage.machines, roles: ['member', 'admin'] })
    const enter = async (options: MachineSignInOptions) => {
      const { headers } = await kit.signInMachine(options)
      return auth.authenticate(fakeRequest({ headers }), { accept: ['machine'] })
    }
    const org = await kit.signIn({ org: 'acme' })
    const context = await enter({ name: 'deploy', org: 'acme', role: 'admin' })
    expect(context).toMatchObject({ machine: { name: 'deploy' }, role: 'admin', org: { id: org.org?.id } })
    expect((await enter({ name: 'deploy', org: 'acme', role: 'admin' })).machine.id).toBe(context.machine.id)
    expect(await enter({ name: 'nightly', org: 'acme', claims: { sub: 'x', client_id: 'x' } })).toMatchObject({
      machine: { name: 'nightly' },
    })
    expect((await kit.signInMachine({ claims: { sub: 'x2', client_id: 'y' } })).machine).toMatchObject({ orgId: null })
  })

  it('is not another one of the same name, and needs a storage that has machines', async () => {
    const { signInMachine } = await createTestKit()
    await signInMachine({ name: 'ci', org: 'acme', permissions: ['a'] })
    for (const over of [{ role: 'admin' }, { permissions: ['b'] }, { org: 'other' }]) {
      const options = { name: 'ci', org: 'acme', permissions: ['a'], ...over }
      await expect(signInMachine(options)).rejects.toThrow('signInMachine: ci is there already, as another one')
    }
    await expect(signInMachine({ rol: 'admin' } as never)).rejects.toThrow('signInMachine: unknown option "rol"')
    const { machines: _, ...storage } = createMemoryStorage()
    await expect((await createTestKit({ storage })).signInMachine()).rejects.toThrow('this storage has no machines')
  })
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
    const { users, orgs, transaction, memberships } = createMemoryStorage()
    const { insert, findActing, listActing } = memberships
    const storage: AuthStorage = {
      users,
      orgs,
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
