/**
 * An admin who was removed, disabled or demoted while the password of an account waited to be hashed made that account all the
 * same, an admin's too: whoever locked somebody out saw no such account, and it was there seconds later.
 */
import { describe, expect, it } from 'vitest'
import { createPasswordHasher } from '../../src/login/password-hash.ts'
import { BETTER, createLoginWorld, FAST, GOOD, type LoginWorld } from '../login/login-world.ts'

const EVE = { email: 'eve@example.test', password: GOOD, role: 'admin' }

/** A login that hashes new passwords only after `meanwhile`, which takes as long as a full queue does. */
async function start(meanwhile: (world: LoginWorld, ids: Ids) => unknown, seconds = 9) {
  const fast = createPasswordHasher({ cost: FAST })
  let isSlow = false
  const world: LoginWorld = createLoginWorld({
    roles: ['viewer', 'developer', 'admin', 'owner'],
    adminRole: 'admin',
    passwords: {
      ...fast,
      async hash(password, place) {
        if (isSlow) {
          world.now += seconds * 1000
          await meanwhile(world, ids)
        }
        return fast.hash(password, place)
      },
    },
    auth: { clock: () => world.now },
  })
  const make = async (name: string, role: string) => (await world.account(`${name}@example.test`, role)).id
  const ids = {
    root: await make('root', 'admin'),
    other: await make('other', 'admin'),
    ada: await make('ada', 'viewer'),
  }
  const token = await world.signIn('root@example.test')
  isSlow = true
  return { world, ids, token }
}

interface Ids {
  readonly root: string
  readonly other: string
  readonly ada: string
}

const KEEP = { keep: 'admin' }

describe('an admin who is no more by the time a password is hashed', () => {
  const ENDS: Record<string, (world: LoginWorld, ids: Ids) => unknown> = {
    removed: ({ storage }, { root }) => storage.accounts.remove(root, KEEP),
    disabled: ({ storage }, { root }) => storage.accounts.update(root, { disabled: true }, KEEP),
    demoted: ({ storage }, { root }) => storage.accounts.update(root, { role: 'viewer' }, KEEP),
  }

  it.each(Object.keys(ENDS))('and was %s makes no account', async (name) => {
    const { world, token } = await start(ENDS[name] as (typeof ENDS)[string])
    expect(await world.call('POST', '/users', { token, body: EVE })).toMatchObject({ status: 401 })
    expect(await world.storage.accounts.findByEmail(EVE.email)).toBeNull()
  })

  it.each(Object.keys(ENDS))('and was %s gives nobody another password', async (name) => {
    const { world, ids, token } = await start(ENDS[name] as (typeof ENDS)[string])
    const before = await world.storage.accounts.findById(ids.other)
    const answer = await world.call('PATCH', `/users/${ids.other}`, { token, body: { password: BETTER } })
    expect(answer.status).toBe(401)
    expect(await world.storage.accounts.findById(ids.other)).toEqual(before)
  })

  it('and was disabled has the password they had', async () => {
    const { world, ids, token } = await start(({ storage }, { root }) =>
      storage.accounts.update(root, { disabled: true }, KEEP),
    )
    const before = await world.storage.accounts.findById(ids.root)
    const body = { current_password: GOOD, new_password: BETTER }
    expect(await world.call('POST', '/auth/password', { token, body })).toMatchObject({ status: 401 })
    expect((await world.storage.accounts.findById(ids.root))?.passwordHash).toBe(before?.passwordHash)
  })

  it('and who still is one does all of it', async () => {
    const { world, ids, token } = await start(() => undefined)
    expect(await world.call('POST', '/users', { token, body: EVE })).toMatchObject({ status: 201 })
    const answer = await world.call('PATCH', `/users/${ids.other}`, { token, body: { password: BETTER } })
    expect(answer.status).toBe(200)
    const body = { current_password: GOOD, new_password: BETTER }
    expect(await world.call('POST', '/auth/password', { token, body })).toMatchObject({ status: 204 })
  })
})

describe('an account that is promoted above its admin while its password is hashed', () => {
  it('keeps the one it has', async () => {
    const { world, ids, token } = await start(
      ({ storage }, { ada }) => storage.accounts.update(ada, { role: 'owner' }, KEEP),
      0.2,
    )
    const before = await world.storage.accounts.findById(ids.ada)
    const answer = await world.call('PATCH', `/users/${ids.ada}`, { token, body: { password: BETTER } })
    expect(answer).toMatchObject({ status: 403, reason: 'account_above_its_admin' })
    expect((await world.storage.accounts.findById(ids.ada))?.passwordHash).toBe(before?.passwordHash)
  })
})
