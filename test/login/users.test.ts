/** L15: user management by admins, what can be set from outside and what can't, and the last admin. */
import { describe, expect, it } from 'vitest'
import { BETTER, createLoginWorld, GOOD, type LoginWorld } from './login-world.ts'

async function withAdmin() {
  const world = createLoginWorld()
  const { id } = await world.account('admin@example.test', 'admin')
  const token = await world.signIn('admin@example.test')
  const as = (method: string, path: string, body?: unknown) =>
    world.call(method, path, { token, ...(body === undefined ? {} : { body }) })
  return { world, id, token, as }
}

const NEW = { email: 'Bob@Example.test ', password: GOOD, role: 'viewer' }

describe('who may', () => {
  it.each([
    ['GET', '/users'],
    ['POST', '/users'],
    ['PATCH', '/users/x'],
    ['DELETE', '/users/x'],
  ])('%s %s is for admins', async (method, path) => {
    const world = createLoginWorld()
    expect((await world.call(method, path)).status).toBe(401)
    for (const role of ['viewer', 'developer']) {
      await world.account(`${role}@example.test`, role)
      const token = await world.signIn(`${role}@example.test`)
      expect((await world.call(method, path, { token })).reason).toBe('role_too_low')
    }
  })
})

describe('create', () => {
  it('makes a user who can log in, by the normalized e-mail', async () => {
    const { as, world } = await withAdmin()
    const { status, json } = await as('POST', '/users', NEW)
    expect(status).toBe(201)
    const user = { id: json.user.id, email: 'bob@example.test', role: 'viewer', disabled: false }
    expect(json).toEqual({ user: { ...user, created_at: new Date(world.now).toISOString() } })
    expect(await world.signIn('bob@example.test')).toBeTruthy()
  })

  it.each([
    [{ email: undefined }, 'email'],
    [{ email: 1 }, 'email'],
    [{ email: 'x' }, 'email'],
    [{ email: 'a@b@c' }, 'email'],
    [{ email: '"a b"@example.test' }, 'email'],
    [{ email: 'ａ@example.test' }, 'email'],
    [{ email: 'a\r\nb@example.test' }, 'email'],
    [{ email: `${'x'.repeat(250)}@example.test` }, 'email'],
    [{ role: undefined }, 'role'],
    [{ role: 'root' }, 'role'],
    [{ role: 'Admin' }, 'role'],
    [{ role: '__proto__' }, 'role'],
    [{ role: ['admin'] }, 'role'],
    [{ disabled: 'yes' }, 'disabled'],
    [{ disabled: null }, 'disabled'],
    [{ password: undefined }, 'password'],
    [{ password: 1 }, 'password'],
    [{ password: 'short' }, 'password'],
    [{ password: 'passwordpassword' }, 'password'],
    [{ password: 'bob@example.test' }, 'password'],
  ])('refuses %j as 400 naming it', async (wrong, field) => {
    const { as, world } = await withAdmin()
    const { status, json } = await as('POST', '/users', { ...NEW, ...wrong })
    expect([status, json.error.field]).toEqual([400, field])
    expect(await world.storage.accounts.list()).toHaveLength(1)
  })

  it('refuses a taken e-mail as 409, in any spelling', async () => {
    const { as } = await withAdmin()
    expect((await as('POST', '/users', { ...NEW, email: ' ADMIN@example.TEST' })).status).toBe(409)
  })

  it('of 20 at once with one e-mail makes one', async () => {
    const { as } = await withAdmin()
    const answers = await Promise.all(Array.from({ length: 20 }, () => as('POST', '/users', NEW)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)])
  })

  it('sets nothing that is not named: no id, version, hash or instant', async () => {
    const { as, world } = await withAdmin()
    const mass = { id: 'x', session_version: 9, sessionVersion: 9, passwordHash: 'x', password_hash: 'x', createdAt: 0 }
    const { json } = await as('POST', '/users', { ...NEW, ...mass, created_at: '1970-01-01T00:00:00Z' })
    const stored = await world.storage.accounts.findById(json.user.id)
    expect(stored).toMatchObject({ sessionVersion: 0, createdAt: new Date(world.now) })
    expect(stored?.passwordHash).toMatch(/^\$scrypt\$/)
  })
})

describe('list', () => {
  it('shows who there is, and never a hash or a version', async () => {
    const { as } = await withAdmin()
    await as('POST', '/users', NEW)
    const { json, text } = await as('GET', '/users')
    expect(json.users.map((user: object) => Object.keys(user))).toEqual(
      Array(2).fill(['id', 'email', 'role', 'disabled', 'created_at']),
    )
    expect(text).not.toMatch(/scrypt|hash|version/i)
  })
})

describe('change', () => {
  async function withBob() {
    const admin = await withAdmin()
    const { json } = await admin.as('POST', '/users', NEW)
    const id = json.user.id as string
    const token = await admin.world.signIn('bob@example.test')
    const patch = (body: unknown) => admin.as('PATCH', `/users/${id}`, body)
    const isIn = async () => (await admin.world.call('GET', '/auth/validate', { token })).status === 200
    return { ...admin, bob: id, patch, isIn }
  }

  it.each([
    [{ role: 'developer' }, false],
    [{ disabled: true }, false],
    [{ password: BETTER }, false],
    [{ email: 'robert@example.test' }, true],
    [{ role: 'viewer', disabled: false }, true],
    [{}, true],
  ])('change %#: shows it, and ends the sessions where it must', async (body, stays) => {
    const { patch, isIn } = await withBob()
    const { status, json } = await patch(body)
    const { password: _, ...shown } = body as { password?: string }
    expect(status).toBe(200)
    expect(json.user).toMatchObject({ email: 'bob@example.test', role: 'viewer', disabled: false, ...shown })
    expect(await isIn()).toBe(stays)
  })

  it('sets nothing that is not named', async () => {
    const { patch, world, bob, isIn } = await withBob()
    const before = await world.storage.accounts.findById(bob)
    expect((await patch({ id: 'x', sessionVersion: 9, passwordHash: 'x', createdAt: 0, __proto__: null })).status).toBe(
      200,
    )
    expect(await world.storage.accounts.findById(bob)).toEqual(before)
    expect(await isIn()).toBe(true)
  })

  it.each([
    [{ email: 'x' }, 'email'],
    [{ email: null }, 'email'],
    [{ role: 'root' }, 'role'],
    [{ role: null }, 'role'],
    [{ disabled: 1 }, 'disabled'],
    [{ password: 'short' }, 'password'],
    [{ password: null }, 'password'],
    [{ email: 'robert@example.test', password: 'robert@example.test' }, 'password'],
  ])('refuses %j as 400 naming it, and changes nothing', async (body, field) => {
    const { patch, world, bob } = await withBob()
    const before = await world.storage.accounts.findById(bob)
    const { status, json } = await patch(body)
    expect([status, json.error.field]).toEqual([400, field])
    expect(await world.storage.accounts.findById(bob)).toEqual(before)
  })

  it('refuses a taken e-mail as 409', async () => {
    const { patch } = await withBob()
    expect((await patch({ email: 'admin@example.test' })).status).toBe(409)
  })

  it('is 404 for nobody, whatever the id is', async () => {
    const { as } = await withAdmin()
    for (const id of ['x', '%00', '..%2f', '__proto__', 'x'.repeat(300), '00000000-0000-4000-8000-000000000000']) {
      expect((await as('PATCH', `/users/${id}`, { disabled: true })).status).toBe(404)
      expect((await as('DELETE', `/users/${id}`)).status).toBe(404)
    }
  })

  it('is 404 for a user that is not there, before the password is looked at', async () => {
    const { as } = await withAdmin()
    for (const body of [{ password: BETTER }, { password: 'short' }, { role: 'emperor' }]) {
      expect((await as('PATCH', '/users/nobody', body)).reason).toBe('account_not_found')
    }
  })

  it('is 404 where the user is removed this very moment', async () => {
    const { patch, world, bob } = await withBob()
    const { update } = world.storage.accounts
    world.storage.accounts.update = async (...given) => {
      await world.storage.accounts.remove(bob)
      return update(...given)
    }
    expect((await patch({ role: 'developer' })).reason).toBe('account_not_found')
  })

  it('is 404 where somebody else removes the user this very moment', async () => {
    const { as, world, bob } = await withBob()
    const { remove } = world.storage.accounts
    world.storage.accounts.remove = async (...given) => {
      await remove(bob)
      return remove(...given)
    }
    expect((await as('DELETE', `/users/${bob}`)).reason).toBe('account_not_found')
  })

  it('the new password opens, the old one does not', async () => {
    const { patch, world } = await withBob()
    await patch({ password: BETTER })
    expect(await world.signIn('bob@example.test', BETTER)).toBeTruthy()
    await expect(world.signIn('bob@example.test', GOOD)).rejects.toThrow('401')
  })
})

describe('an admin whose role does not include every other', () => {
  const SETS = { reader: ['f:read'], support: ['reader'], billing: ['i:read'], root: ['support', 'billing'] }

  async function asSupport() {
    const world = createLoginWorld({ roles: SETS, adminRole: 'support' })
    await world.account('sue@example.test', 'support')
    const token = await world.signIn('sue@example.test')
    const call = (method: string, path: string, body?: unknown) =>
      world.call(method, path, { token, ...(body === undefined ? {} : { body }) })
    return { world, call }
  }

  it('gives no role that their own does not include, to a new account or one that is there', async () => {
    const { world, call } = await asSupport()
    const { id } = await world.account('ann@example.test', 'reader')
    for (const role of ['billing', 'root']) {
      const made = await call('POST', '/users', { ...NEW, role })
      const changed = await call('PATCH', `/users/${id}`, { role })
      expect([made.status, made.reason, changed.reason]).toEqual([
        ...[403, 'account_above_its_admin', 'account_above_its_admin'],
      ])
    }
    expect((await world.storage.accounts.list()).map(({ role }) => role).sort()).toEqual(['reader', 'support'])
    expect((await call('POST', '/users', { ...NEW, role: 'support' })).status).toBe(201)
    expect((await call('PATCH', `/users/${id}`, { role: 'support' })).status).toBe(200)
  })

  it('changes and removes no account of such a role, whatever is changed', async () => {
    const { world, call } = await asSupport()
    for (const role of ['billing', 'root']) {
      const { id } = await world.account(`${role}@example.test`, role)
      for (const body of [{ password: BETTER }, { role: 'reader' }, { disabled: true }, {}]) {
        expect((await call('PATCH', `/users/${id}`, body)).reason).toBe('account_above_its_admin')
      }
      expect((await call('DELETE', `/users/${id}`)).reason).toBe('account_above_its_admin')
    }
    expect(await world.storage.accounts.list()).toHaveLength(3)
  })

  it('may remove one whose role is none any more', async () => {
    const { world, call } = await asSupport()
    const { id } = await world.account('old@example.test', 'wizard')
    expect((await call('DELETE', `/users/${id}`)).status).toBe(204)
  })

  it('is named: of sets none is the highest', () => {
    expect(() => createLoginWorld({ roles: SETS })).toThrow('createLogin: option "adminRole" is required with sets')
    expect(() => createLoginWorld({ roles: SETS, adminRole: 'wizard' })).toThrow(
      'option "adminRole" must be one of the roles',
    )
  })
})

describe('the last admin', () => {
  it.each([
    ['PATCH', { role: 'viewer' }],
    ['PATCH', { role: 'developer', email: 'x@example.test' }],
    ['PATCH', { disabled: true }],
    ['DELETE', undefined],
  ])('%s %j is 409, and nothing changes', async (method, body) => {
    const { as, id, world } = await withAdmin()
    await world.account('sleeping@example.test', 'admin', { disabled: true })
    const before = await world.storage.accounts.findById(id)
    expect((await as(method, `/users/${id}`, body)).reason).toBe('account_last_admin')
    expect(await world.storage.accounts.findById(id)).toEqual(before)
  })

  it('may change what does not matter, and go once there is another', async () => {
    const { as, id, world } = await withAdmin()
    expect((await as('PATCH', `/users/${id}`, { email: 'root@example.test', role: 'admin' })).status).toBe(200)
    await world.account('second@example.test', 'admin')
    expect((await as('DELETE', `/users/${id}`)).status).toBe(204)
  })

  const moves: readonly (readonly [string, (world: LoginWorld, token: string, other: string) => Promise<unknown>])[] = [
    ['demote', (world, token, id) => world.call('PATCH', `/users/${id}`, { token, body: { role: 'viewer' } })],
    ['disable', (world, token, id) => world.call('PATCH', `/users/${id}`, { token, body: { disabled: true } })],
    ['delete', (world, token, id) => world.call('DELETE', `/users/${id}`, { token })],
  ]

  it.each(moves)('two who %s each other at once, 25 times: one is always left', async (_, move) => {
    for (let round = 0; round < 25; round++) {
      const world = createLoginWorld()
      const two = await Promise.all(['a', 'b'].map((name) => world.account(`${name}@example.test`, 'admin')))
      const tokens = await Promise.all(['a', 'b'].map((name) => world.signIn(`${name}@example.test`)))
      await Promise.all(two.map(({ id }, i) => move(world, tokens[1 - i] as string, id)))
      const left = (await world.storage.accounts.list()).filter(({ role, disabled }) => role === 'admin' && !disabled)
      expect(left).toHaveLength(1)
    }
  })
})

it('events name who did it', async () => {
  const { as, world, id } = await withAdmin()
  const { json } = await as('POST', '/users', NEW)
  await as('PATCH', `/users/${json.user.id}`, { disabled: true })
  await as('DELETE', `/users/${json.user.id}`)
  expect(world.events.slice(1).map(({ kind, accountId, byId }) => [kind, accountId, byId])).toEqual([
    ['user_created', json.user.id, id],
    ['user_changed', json.user.id, id],
    ['user_removed', json.user.id, id],
  ])
})
