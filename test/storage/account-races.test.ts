/** Local login in several processes on one database: the last admin, the first one, failures counted, sessions ended. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createLogin } from '../../src/login/login.ts'
import { createPasswordHasher } from '../../src/login/password-hash.ts'
import type { ThrottleStore } from '../../src/storage/account-repositories.ts'
import { createLoginWorld, FAST, GOOD } from '../login/login-world.ts'
import { programOf } from '../program.ts'
import { EMAIL, keepsOneAdmin, knowsEndedSessions, openMany, PLACES } from './account-places.ts'

describe.each(PLACES)('$name', (place) => {
  it('keeps one admin of two who demote, disable or remove each other by two pools, 20 times', () =>
    keepsOneAdmin(place, 20))

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

  it('knows 50 of 50 sessions as ended at once in the other pool', () => knowsEndedSessions(place, 50))
})
