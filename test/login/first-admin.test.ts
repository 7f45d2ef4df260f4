/** L14: one admin, one announcement, whatever starts at once and whatever fails; and the way back in. */
import { describe, expect, it } from 'vitest'
import type { FirstAdminOptions } from '../../src/login/accounts.ts'
import { createLogin } from '../../src/login/login.ts'
import { createPasswordHasher } from '../../src/login/password-hash.ts'
import type { AccountStorage } from '../../src/storage/account-repositories.ts'
import { createMemoryAccounts } from '../../src/storage/memory.ts'
import { createLoginWorld, FAST, GOOD, ROLES, SECRET } from './login-world.ts'

const EMAIL = 'admin@ironflow.local'

function createInstallation(storage: AccountStorage = createMemoryAccounts()) {
  const announced: { email: string; password: string }[] = []
  let hashes = 0
  const hasher = createPasswordHasher({ cost: FAST })
  const passwords = {
    ...hasher,
    hash(password: string) {
      hashes++
      return hasher.hash(password)
    },
  }
  const announce = (admin: { email: string; password: string }): void => void announced.push(admin)
  const login = createLogin({ storage, passwords, roles: ROLES, service: 'ironflow', secret: SECRET })
  const options = { email: EMAIL, announce }
  return {
    ...{ storage, announced, passwords, hashes: () => hashes },
    boot: (more: Partial<FirstAdminOptions> = {}) => login.createFirstAdmin({ ...options, ...more }),
    reset: (more: Partial<FirstAdminOptions> = {}) => login.resetAdmin({ ...options, ...more }),
    find: () => storage.accounts.findByEmail(EMAIL),
  }
}

describe('createFirstAdmin', () => {
  it('makes one admin and announces one password, of eight boots at once and any number after', async () => {
    const { boot, announced, storage, hashes, find } = createInstallation()
    const made = await Promise.all(Array.from({ length: 8 }, () => boot()))
    expect(made.filter(Boolean)).toHaveLength(1)
    for (let i = 0; i < 3; i++) expect(await boot()).toBe(false)
    expect(announced).toHaveLength(1)
    expect(hashes()).toBe(1)
    expect(await storage.accounts.list()).toHaveLength(1)
    expect(await find()).toMatchObject({ email: EMAIL, role: 'admin', disabled: false })
  })

  it('gives it a password of at least 128 bits that opens the login, another one each time', async () => {
    const announced = []
    for (let i = 0; i < 50; i++) {
      const installation = createInstallation()
      await installation.boot()
      announced.push(...installation.announced)
      const { password } = installation.announced[0] as { password: string }
      const hash = (await installation.find())?.passwordHash as string
      expect(await installation.passwords.verify(password, hash)).toBe(true)
      expect(hash).not.toContain(password)
    }
    expect(new Set(announced.map(({ password }) => password)).size).toBe(50)
    for (const { password } of announced) expect(password).toMatch(/^[a-km-np-z2-9]{26}$/)
    expect(26 * Math.log2(32)).toBeGreaterThanOrEqual(128)
  })

  it('announces before anybody can see the admin: a crash can not leave one whom nobody knows', async () => {
    const { boot, storage } = createInstallation()
    let seen: unknown = 'not asked'
    await boot({
      announce: async () => {
        seen = await storage.accounts.findByEmail(EMAIL)
      },
    })
    expect(seen).toBeNull()
  })

  it('makes nothing where the announcement fails, and the next boot makes one', async () => {
    const { boot, announced, find } = createInstallation()
    const announce = (): never => {
      throw new Error('no terminal')
    }
    await expect(boot({ announce })).rejects.toThrow('no terminal')
    expect(await find()).toBeNull()
    expect(await boot()).toBe(true)
    expect(announced).toHaveLength(1)
  })

  it('makes none where admins exist, or existed', async () => {
    const { boot, announced, storage, find } = createInstallation()
    await boot()
    await storage.accounts.remove((await find())?.id as string)
    expect(await boot()).toBe(false)
    const imported = createInstallation()
    const own = { email: 'own@example.test', passwordHash: null, role: 'admin', createdAt: new Date(0) }
    const { id } = await imported.storage.accounts.insert(own)
    expect(await imported.boot()).toBe(false)
    await imported.storage.accounts.remove(id)
    expect(await imported.boot()).toBe(false)
    expect([announced.length, imported.announced.length, imported.hashes()]).toEqual([1, 0, 0])
  })

  it.each([
    [{ email: 'no address' }, 'createFirstAdmin: option "email" must be a plain e-mail address'],
    [{ role: 'root' }, 'unknown option "role"'],
    [{ announce: undefined }, 'option "announce"'],
    [{ password: 'admin123' }, 'unknown option "password"'],
  ])('refuses %j', async (more, sentence) => {
    await expect(createInstallation().boot(more as never)).rejects.toThrow(sentence)
  })
})

describe('resetAdmin', () => {
  it('gives a new password, and the old one and all sessions are dead', async () => {
    const installation = createInstallation()
    await installation.boot()
    const { call, signIn } = createLoginWorld({
      storage: installation.storage,
      passwords: installation.passwords,
    })
    const { password } = installation.announced[0] as { password: string }
    const token = await signIn(EMAIL, password)
    await installation.reset()
    expect((await call('GET', '/auth/validate', { token })).reason).toBe('session_superseded')
    expect((await call('POST', '/auth/login', { body: { email: EMAIL, password } })).reason).toBe('login_refused')
    expect(await signIn(EMAIL, installation.announced[1]?.password as string)).toBeTruthy()
    expect((await installation.find())?.role).toBe('admin')
  })

  it('helps where it was disabled, demoted, deleted, or never there', async () => {
    const { boot, reset, storage, find, announced } = createInstallation()
    await boot()
    const { id } = (await find()) as { id: string }
    await storage.accounts.update(id, { disabled: true, role: 'viewer' })
    await reset()
    expect(await find()).toMatchObject({ id, disabled: false, role: 'admin' })
    await storage.accounts.remove(id)
    await reset()
    expect(await find()).toMatchObject({ disabled: false, role: 'admin', sessionVersion: 0 })
    expect((await find())?.id).not.toBe(id)
    expect(announced).toHaveLength(3)
    const empty = createInstallation()
    await empty.reset()
    expect(await empty.boot()).toBe(false)
    expect(await empty.find()).toMatchObject({ role: 'admin' })
  })

  it('claims the one first admin: who deletes the admin it made gets no other by the next boot', async () => {
    const { boot, reset, storage, find, announced } = createInstallation()
    await reset()
    await storage.accounts.remove((await find())?.id as string)
    expect(await boot()).toBe(false)
    expect(await find()).toBeNull()
    expect(announced).toHaveLength(1)
  })

  it('opens an account that an attack has closed', async () => {
    const installation = createInstallation()
    await installation.boot()
    const { call, signIn } = createLoginWorld({
      storage: installation.storage,
      passwords: installation.passwords,
    })
    const body = { email: EMAIL, password: 'wrong' }
    for (let i = 0; i < 5; i++) await call('POST', '/auth/login', { body })
    expect((await call('POST', '/auth/login', { body })).status).toBe(429)
    await installation.reset()
    expect(await signIn(EMAIL, installation.announced[1]?.password as string)).toBeTruthy()
  })

  it('changes nothing where the announcement fails', async () => {
    const { boot, reset, find } = createInstallation()
    await boot()
    const before = await find()
    await expect(reset({ announce: () => Promise.reject(new Error('no terminal')) })).rejects.toThrow('no terminal')
    expect(await find()).toEqual(before)
  })
})

it('no route makes an admin: these are all there are', () => {
  const { login } = createLoginWorld()
  expect(login.routes.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /api/v1/auth/login',
    'POST /api/v1/auth/logout',
    'GET /api/v1/auth/validate',
    'POST /api/v1/auth/password',
    'GET /api/v1/capabilities',
    'GET /api/v1/users',
    'POST /api/v1/users',
    'PATCH /api/v1/users/:id',
    'DELETE /api/v1/users/:id',
  ])
  expect(GOOD.length).toBeGreaterThanOrEqual(15)
})
