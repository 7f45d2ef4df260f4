/** L1, L2, L7, L9–L11, L17: signing in and out, the own password, as a client sees them. */
import { describe, expect, it } from 'vitest'
import { optionsError } from '../../src/lib/parse-options.ts'
import { createPasswordHasher, type HashingPlace } from '../../src/login/password-hash.ts'
import { createMemoryAccounts } from '../../src/storage/memory.ts'
import { bytesOf } from '../refusal-bytes.ts'
import { type Answer, BETTER, createLoginWorld, FAST, GOOD, type LoginWorld, ROLES } from './login-world.ts'

const clientAddress = () => null
const EMAIL = 'ada@example.test'
const headerOf = ({ headers }: Answer, name: string): string | undefined => headers.find(([key]) => key === name)?.[1]
const logIn = (world: LoginWorld, email: unknown, password: unknown, more: object = {}): Promise<Answer> =>
  world.call('POST', '/auth/login', { body: { email, password }, ...more })

async function withAda(options: Parameters<typeof createLoginWorld>[0] = {}, role = 'viewer') {
  const world = createLoginWorld(options)
  const { id } = await world.account(EMAIL, role)
  return { world, id, token: await world.signIn(EMAIL) }
}

describe('POST login', () => {
  it('answers with a token and the cookie that holds it', async () => {
    const { world } = await withAda()
    const answer = await logIn(world, EMAIL, GOOD)
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.json)).toEqual(['token'])
    expect(answer.json.token).toMatch(/^eyJ/)
    expect(answer.headers).toEqual([
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Cache-Control', 'no-store'],
      ['Set-Cookie', `session=${answer.json.token}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax`],
    ])
  })

  it.each(['ada@example.test', ' ADA@Example.Test\n', '\tada@EXAMPLE.test '])(
    'finds the account by %j',
    async (email) => {
      const { world } = await withAda()
      expect((await logIn(world, email, GOOD)).status).toBe(200)
    },
  )

  it.each([
    'ａda@example.test',
    '"ada"@example.test',
    'ada@example.test@x',
    'adа@example.test',
    'ada@example.test\r\nx',
  ])('takes %j for nobody, and for no other account', async (email) => {
    const { world } = await withAda()
    expect((await logIn(world, email, GOOD)).reason).toBe('login_refused')
  })

  it('never reads a token that came along: fixation (L11)', async () => {
    const { world, token } = await withAda()
    for (const more of [{ token }, { cookie: token }, { token: 'x' }, { cookie: 'a; session=b' }]) {
      const headers = { 'sec-fetch-site': 'same-origin' }
      const answer = await logIn(world, EMAIL, GOOD, { ...more, headers })
      expect(answer.status).toBe(200)
      expect(answer.json.token).not.toBe(token)
    }
  })

  it.each([
    [{}, 'email'],
    [{ email: EMAIL }, 'password'],
    [{ password: GOOD }, 'email'],
    [{ email: 1, password: GOOD }, 'email'],
    [{ email: null, password: GOOD }, 'email'],
    [{ email: [EMAIL], password: GOOD }, 'email'],
    [{ email: EMAIL, password: { $ne: '' } }, 'password'],
    [{ email: EMAIL, password: true }, 'password'],
  ])('refuses body %# as 400, before the throttle and any work', async (body, field) => {
    const world = createLoginWorld()
    const answer = await world.call('POST', '/auth/login', { body })
    expect([answer.status, answer.json.error.field]).toEqual([400, field])
    expect(world.calls).toEqual([])
  })

  it('takes any wrong string for a wrong one', async () => {
    const { world } = await withAda({ throttle: { accountFailures: 100 } })
    for (const password of ['', ' ', `${GOOD} `, 'x'.repeat(9000), '\0', '\ud800', '__proto__', 'null']) {
      expect((await logIn(world, EMAIL, password)).reason).toBe('login_refused')
    }
    for (const email of ['', ' ', '@', 'x'.repeat(9000), '\0', '\ud800', '__proto__', '-']) {
      expect((await logIn(world, email, GOOD)).reason).toBe('login_refused')
    }
  })

  it('holds its JSON to the strict reader', async () => {
    const world = createLoginWorld()
    const post = (body: string, type = 'application/json') =>
      world.call('POST', '/auth/login', { body, headers: { 'content-type': type } })
    expect((await post('a=b', 'application/x-www-form-urlencoded')).status).toBe(415)
    expect((await post('x'.repeat(20_000))).status).toBe(413)
    expect((await post('{')).json.error.field).toBe('body')
  })
})

describe('one answer for whatever is wrong (L1)', () => {
  async function compared(stored?: string | null) {
    const world = createLoginWorld()
    await world.account('right@example.test')
    await world.account('disabled@example.test', 'viewer', { disabled: true })
    await world.account('none@example.test', 'viewer', { passwordHash: null })
    if (stored !== undefined) await world.account('old@example.test', 'viewer', { passwordHash: stored })
    const tries: readonly (readonly [string, string])[] = [
      ['unknown@example.test', GOOD],
      ['right@example.test', 'wrong'],
      ['disabled@example.test', GOOD],
      ['disabled@example.test', 'wrong'],
      ['none@example.test', GOOD],
      ['none@example.test', ''],
      ['no address', GOOD],
      ...(stored === undefined ? [] : ([['old@example.test', 'wrong']] as const)),
    ]
    const results = []
    for (const [email, password] of tries) {
      world.calls.splice(0)
      const { status, headers, text } = await logIn(world, email, password)
      results.push({ status, headers, text, calls: [...world.calls] })
    }
    return results
  }

  it('the same bytes, and the same queries and hashes in the same order', async () => {
    const [first, ...others] = await compared()
    const { status, headers, body } = bytesOf('unauthorized', { challenge: 'Bearer' })
    expect(first).toEqual({
      status,
      headers,
      text: body,
      calls: ['passwords.takePlace', 'throttle.update', 'accounts.findByEmail', 'passwords.verify', 'throttle.update'],
    })
    for (const other of others) expect(other).toEqual(first)
  })

  it('also where a hash of another cost is stored', async () => {
    const stored = await createPasswordHasher({ cost: { ...FAST, ln: 3 } }).hash(GOOD)
    const results = await compared(stored)
    for (const other of results) expect(other).toEqual(results[0])
  })

  it('the same throttle: the sixth try is 429 for each of them, and says the same', async () => {
    const world = createLoginWorld()
    await world.account('right@example.test')
    await world.account('disabled@example.test', 'viewer', { disabled: true })
    const sixth = []
    for (const email of ['unknown@example.test', 'right@example.test', 'disabled@example.test', 'no address']) {
      for (let i = 0; i < 5; i++) expect((await logIn(world, email, 'wrong', { address: '10.0.0.1' })).status).toBe(401)
      const { status, headers, text } = await logIn(world, email, GOOD, { address: '10.0.0.1' })
      sixth.push({ status, headers, text })
    }
    const { status, headers, body } = bytesOf('rate_limit_exceeded', { retryAfter: '1' })
    for (const answer of sixth) expect(answer).toEqual({ status, headers, text: body })
  })

  it('a fault of the storage is none of them: it passes as it is', async () => {
    const world = createLoginWorld()
    world.storage.accounts.findByEmail = () => Promise.reject(new Error('database down'))
    await expect(logIn(world, EMAIL, GOOD)).rejects.toThrow('database down')
  })

  it.each([
    ['no hash', 'no hash'],
    ['a hash of another kind', '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAA'],
    ['a hash that costs more', '$scrypt$ln=5,r=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAA'],
    [
      'a hash that demands what is out of bounds',
      '$scrypt$ln=30,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAA',
    ],
  ])(
    'nor is %s in the row: the answer and the work of a wrong password, and the host is told',
    async (_, passwordHash) => {
      let derived = 0
      const hasher = createPasswordHasher({ cost: FAST })
      const takePlace = (): HashingPlace => ({
        leave: () => undefined,
        run(work) {
          derived += 1
          return work()
        },
      })
      const passwords = { ...hasher, takePlace }
      const world = createLoginWorld({ passwords: passwords as never })
      const { id } = await world.account(EMAIL, 'viewer', { passwordHash })
      const results = []
      for (const email of ['nobody@example.test', EMAIL]) {
        derived = 0
        const { status, headers, text } = await logIn(world, email, GOOD)
        results.push({ status, headers, text, hashes: derived })
      }
      expect(results[1]).toEqual(results[0])
      expect(results[1]).toMatchObject({ status: 401, hashes: 1 })
      expect(world.events.map(({ kind, accountId }) => [kind, accountId])).toEqual([
        ['login_failed', null],
        ['password_hash_unusable', id],
        ['login_failed', id],
      ])
      for (let i = 0; i < 4; i++) expect((await logIn(world, EMAIL, GOOD)).status).toBe(401)
      expect((await logIn(world, EMAIL, GOOD)).status).toBe(429)
    },
  )

  it('a hasher that computes nothing at all is a fault, whoever asks', async () => {
    const passwords = { ...createPasswordHasher({ cost: FAST }), verify: () => Promise.reject(new Error('no hasher')) }
    const world = createLoginWorld({ passwords })
    await world.account(EMAIL, 'viewer', { passwordHash: 'x' })
    for (const email of [EMAIL, 'nobody@example.test'])
      await expect(logIn(world, email, GOOD)).rejects.toThrow('no hasher')
  })
})

describe('the throttle at the login (L2)', () => {
  it('the right password is 429 while the account is closed, and works after the wait', async () => {
    const { world } = await withAda()
    for (let i = 0; i < 5; i++) await logIn(world, EMAIL, 'wrong')
    world.calls.splice(0)
    expect((await logIn(world, EMAIL, GOOD)).status).toBe(429)
    expect(world.calls.filter((call) => /verify|accounts/.test(call))).toEqual([])
    world.now += 1000
    expect((await logIn(world, EMAIL, GOOD)).status).toBe(200)
    for (let i = 0; i < 5; i++) expect((await logIn(world, EMAIL, 'wrong')).status).toBe(401)
  })

  it('50 wrong passwords at once make 5 hashes', async () => {
    const { world } = await withAda()
    world.calls.splice(0)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => logIn(world, EMAIL, `wrong ${i}`, { address: `10.0.1.${i}` })),
    )
    expect(world.calls.filter((call) => call === 'passwords.verify')).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(45)
  })

  it('1,000 addresses on one account, a try a second between them: at most 20 hashes in an hour', async () => {
    const { world } = await withAda()
    world.calls.splice(0)
    const statuses = new Map<number, number>()
    for (let second = 0; second < 3600; second++) {
      const place = second % 1000
      const address = `10.1.${place >> 8}.${place & 255}`
      const { status } = await logIn(world, EMAIL, 'wrong', { address })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      world.now += 1000
    }
    const hashes = world.calls.filter((call) => call === 'passwords.verify').length
    expect(hashes).toBeGreaterThanOrEqual(5)
    expect(hashes).toBeLessThanOrEqual(20)
    expect([...statuses]).toEqual([
      [401, hashes],
      [429, 3600 - hashes],
    ])
  })

  it('1,000 forged X-Forwarded-For are one client', async () => {
    const world = createLoginWorld()
    const statuses = []
    for (let i = 0; i < 1000; i++) {
      const headers = {
        'x-forwarded-for': `192.0.2.${i % 256}`,
        forwarded: `for=198.51.100.${i % 256}`,
        'x-real-ip': '1',
      }
      statuses.push((await logIn(world, `x${i}@example.test`, GOOD, { headers, address: '10.0.0.1' })).status)
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(50)
    expect(statuses.filter((status) => status === 429)).toHaveLength(950)
    expect(world.calls.filter((call) => call === 'passwords.verify')).toHaveLength(50)
  })

  it('a host that trusts its proxy says so, in one place', async () => {
    const clientAddress = ({ lines }: { lines(name: string): readonly string[] }) => lines('x-client')[0] ?? null
    const world = createLoginWorld({ publicUrl: 'https://flow.example', clientAddress })
    for (let i = 0; i < 200; i++) {
      const headers = { 'x-client': `192.0.2.${i}` }
      expect((await logIn(world, `x${i}@example.test`, GOOD, { headers })).status).toBe(401)
    }
  })

  it('is not shut for all where no address is known: after 60 wrong ones of others the right one gets in', async () => {
    const { world } = await withAda()
    for (let i = 0; i < 60; i++) {
      expect((await logIn(world, `x${i}@example.test`, 'wrong', { address: null })).status).toBe(401)
    }
    expect((await logIn(world, EMAIL, GOOD, { address: null })).status).toBe(200)
  })

  it('is not shut for all by one IPv6 network, which is refused from 600 failures on', async () => {
    const { world } = await withAda()
    const from = (i: number) => ({ address: `2001:db8:7:${i.toString(16)}::1` })
    const statuses = []
    for (let i = 0; i < 610; i++) statuses.push((await logIn(world, `x${i}@example.test`, 'wrong', from(i))).status)
    expect(statuses.filter((status) => status === 401)).toHaveLength(600)
    expect((await logIn(world, 'y@example.test', 'wrong', from(9000))).reason).toBe('login_network_throttled')
    expect((await logIn(world, EMAIL, GOOD, { address: '2001:db8:8::1' })).status).toBe(200)
  })

  it('counts at every route that takes a password, and together', async () => {
    const { world, token } = await withAda()
    const change = () =>
      world.call('POST', '/auth/password', { token, body: { current_password: 'wrong', new_password: BETTER } })
    for (let i = 0; i < 3; i++) expect((await change()).status).toBe(403)
    for (let i = 0; i < 2; i++) expect((await logIn(world, EMAIL, 'wrong')).status).toBe(401)
    expect((await change()).status).toBe(429)
    expect((await logIn(world, EMAIL, GOOD)).status).toBe(429)
  })

  it('limits are options', async () => {
    const throttle = { accountFailures: 2, firstWaitSeconds: 30, addressFailures: 3, addressWindowSeconds: 60 }
    const world = createLoginWorld({ throttle })
    await logIn(world, 'a', 'wrong')
    await logIn(world, 'a', 'wrong')
    expect(headerOf(await logIn(world, 'a', 'wrong'), 'Retry-After')).toBe('30')
    await logIn(world, 'b', 'wrong')
    expect(headerOf(await logIn(world, 'c', 'wrong'), 'Retry-After')).toBe('60')
  })
})

describe('the places in the hashing queue (L3)', () => {
  /** A world whose hashes take for as long as they are not told to go on. */
  async function slowWorld() {
    const hasher = createPasswordHasher({ cost: FAST, maxConcurrent: 1, maxQueued: 8 })
    const free = createPasswordHasher({ cost: FAST })
    const ends: (() => void)[] = []
    const passwords = {
      ...hasher,
      verify: (password: string, stored: string | null, place?: HashingPlace) =>
        (place as HashingPlace).run(async () => {
          await new Promise<void>((resolve) => void ends.push(resolve))
          return free.verify(password, stored)
        }),
    }
    const world = createLoginWorld({ passwords })
    await world.account(EMAIL)
    const fill = (count: number, address: (i: number) => string | null) =>
      Array.from({ length: count }, (_, i) => logIn(world, `x${i}@example.test`, 'wrong', { address: address(i) }))
    const finish = async (answers: readonly Promise<Answer>[]) => {
      let left = answers.length
      const all = Promise.all(answers.map((answer) => answer.finally(() => void left--)))
      while (left > 0) {
        for (const end of ends.splice(0)) end()
        await new Promise((resolve) => setImmediate(resolve))
      }
      return all
    }
    return { world, fill, finish }
  }

  it('a try that gets none is 503 and asks the storage for nothing', async () => {
    const { world, fill, finish } = await slowWorld()
    const answers = fill(30, (i) => `10.0.0.${i}`)
    await new Promise((resolve) => setImmediate(resolve))
    world.calls.splice(0)
    const refused = await logIn(world, EMAIL, GOOD, { address: '10.0.1.1' })
    expect([refused.status, refused.reason]).toEqual([503, 'password_queue_full'])
    expect(world.calls).toEqual(['passwords.takePlace'])
    const statuses = (await finish(answers)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 401)).toHaveLength(9)
    expect(statuses.filter((status) => status === 503)).toHaveLength(21)
    expect((await finish([logIn(world, EMAIL, GOOD, { address: '10.0.1.1' })]))[0]?.status).toBe(200)
  })

  it.each([
    ['one address', () => '10.0.0.1'],
    ['one IPv6 network', (i: number) => `2001:db8:1:${i}::1`],
    ['nowhere', () => null],
  ])('a stranger from %s fills them but for the part that is kept for others', async (_, address) => {
    const { world, fill, finish } = await slowWorld()
    const flood = fill(30, address)
    const other = logIn(world, EMAIL, GOOD, { address: '10.0.1.1' })
    const [resolved, ...answers] = await finish([other, ...flood])
    expect(resolved?.status).toBe(200)
    expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(8)
  })

  it('who has failed here takes none of the kept ones for a quarter of an hour', async () => {
    const { world, fill, finish } = await slowWorld()
    await finish([logIn(world, 'z@example.test', 'wrong', { address: '10.0.1.1' })])
    const flood = fill(30, () => '10.0.0.1')
    expect((await logIn(world, EMAIL, GOOD, { address: '10.0.1.1' })).reason).toBe('password_queue_full')
    world.now += 900_001
    const late = logIn(world, EMAIL, GOOD, { address: '10.0.1.1' })
    const [resolved] = await finish([late, ...flood])
    expect(resolved?.status).toBe(200)
  })

  it('are given back whatever becomes of the try', async () => {
    const world = createLoginWorld({ passwords: createPasswordHasher({ cost: FAST, maxConcurrent: 1, maxQueued: 0 }) })
    await world.account(EMAIL)
    world.storage.accounts.findByEmail = () => Promise.reject(new Error('database down'))
    await expect(logIn(world, EMAIL, GOOD)).rejects.toThrow('database down')
    world.storage.throttle.update = () => Promise.reject(new Error('no throttle'))
    for (let i = 0; i < 3; i++) await expect(logIn(world, EMAIL, GOOD)).rejects.toThrow('no throttle')
  })

  it('a try that has waited for so long that it soon counts no more is 503, and does not hash', async () => {
    const { world, finish } = await slowWorld()
    const first = logIn(world, 'a@example.test', 'wrong')
    const second = logIn(world, 'b@example.test', 'wrong')
    await new Promise((resolve) => setImmediate(resolve))
    world.now += 30_001
    const [one, two] = await finish([first, second])
    expect([one?.status, two?.reason]).toEqual([401, 'password_queue_slow'])
  })
})

describe('the upgrade of a hash at login (L4)', () => {
  const older = createPasswordHasher({ cost: { ...FAST, ln: 3 } })

  it('puts the present cost in the place of another, and ends no session', async () => {
    const world = createLoginWorld()
    const { id } = await world.account(EMAIL, 'viewer', { passwordHash: await older.hash(GOOD) })
    const token = await world.signIn(EMAIL)
    const { passwordHash, sessionVersion } = (await world.storage.accounts.findById(id)) as never
    expect(passwordHash).toMatch(/^\$scrypt\$ln=4,/)
    expect(sessionVersion).toBe(0)
    expect((await world.call('GET', '/auth/validate', { token })).status).toBe(200)
    world.calls.splice(0)
    await world.signIn(EMAIL)
    expect(world.calls).not.toContain('passwords.hash')
  })

  it('never with a wrong password, nor over a password that was changed meanwhile', async () => {
    const world = createLoginWorld()
    const stored = await older.hash(GOOD)
    const { id } = await world.account(EMAIL, 'viewer', { passwordHash: stored })
    await logIn(world, EMAIL, 'wrong')
    expect((await world.storage.accounts.findById(id))?.passwordHash).toBe(stored)
    const changed = await older.hash(BETTER)
    const { hash } = world.passwords
    Object.assign(world.passwords, {
      async hash(password: string) {
        await world.storage.accounts.update(id, { passwordHash: changed })
        return hash(password)
      },
    })
    const answer = await logIn(world, EMAIL, GOOD)
    expect((await world.storage.accounts.findById(id))?.passwordHash).toBe(changed)
    const validated = await world.call('GET', '/auth/validate', { token: answer.json.token })
    expect(validated.reason).toBe('session_superseded')
  })

  it('lets in even where there is no slot for it', async () => {
    const passwords = createPasswordHasher({ cost: FAST })
    const full = { ...passwords, hash: () => createFull().then(({ hash }) => hash(GOOD)) }
    const world = createLoginWorld({ passwords: full })
    await world.account(EMAIL, 'viewer', { passwordHash: await older.hash(GOOD) })
    expect(await world.signIn(EMAIL)).toBeTruthy()
  })
})

async function createFull() {
  const passwords = createPasswordHasher({ cost: FAST, maxConcurrent: 1, maxQueued: 0 })
  void passwords.hash(GOOD)
  return passwords
}

describe('the cookie (L9)', () => {
  it.each([
    ['no TLS', {}, false, 'session', ''],
    ['TLS at the socket', {}, true, 'session', '; Secure'],
    ['TLS at a proxy', { publicUrl: 'https://flow.example', clientAddress }, false, 'session', '; Secure'],
    ['a public URL without TLS', { publicUrl: 'http://localhost:3000', clientAddress }, true, 'session', ''],
    ['a name with a prefix', { cookieName: '__Host-flow' }, false, '__Host-flow', '; Secure'],
    ['no name given', { cookieName: undefined }, false, '__Host-session', '; Secure'],
  ])('%s', async (_, options, encrypted, name, secure) => {
    const world = createLoginWorld(options as never)
    await world.account(EMAIL)
    const line = headerOf(await logIn(world, EMAIL, GOOD, { encrypted }), 'Set-Cookie') as string
    expect(line.replace(/=eyJ[\w.-]+/, '=T')).toBe(`${name}=T; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax${secure}`)
    const cleared = headerOf(await world.call('POST', '/auth/logout', { encrypted }), 'Set-Cookie')
    expect(cleared).toBe(`${name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax${secure}`)
  })

  it('a forged X-Forwarded-Proto makes nothing Secure', async () => {
    const { world } = await withAda()
    const answer = await logIn(world, EMAIL, GOOD, { headers: { 'x-forwarded-proto': 'https' } })
    expect(headerOf(answer, 'Set-Cookie')).not.toContain('Secure')
  })

  it('lives as long as its session', async () => {
    const { world } = await withAda({ sessionSeconds: 600 })
    const answer = await logIn(world, EMAIL, GOOD)
    expect(headerOf(answer, 'Set-Cookie')).toContain('Max-Age=600;')
    world.now += 604_999
    expect((await world.call('GET', '/auth/validate', { token: answer.json.token })).status).toBe(200)
    world.now += 1
    expect((await world.call('GET', '/auth/validate', { token: answer.json.token })).status).toBe(401)
  })
})

describe('CSRF (L10)', () => {
  const sites: readonly (readonly [string, Record<string, string>, boolean])[] = [
    ['same-origin', { 'sec-fetch-site': 'same-origin' }, true],
    ['none', { 'sec-fetch-site': 'none' }, true],
    ['same-site', { 'sec-fetch-site': 'same-site' }, false],
    ['cross-site', { 'sec-fetch-site': 'cross-site' }, false],
    ['our own origin', { origin: 'http://here.test', host: 'here.test' }, true],
    ['another origin', { origin: 'http://evil.test', host: 'here.test' }, false],
    ['origin null', { origin: 'null', host: 'here.test' }, false],
  ]

  it.each(sites)('login and logout from %s, without a cookie', async (_, headers, isAllowed) => {
    const { world } = await withAda()
    expect((await logIn(world, EMAIL, GOOD, { headers })).reason).toBe(isAllowed ? null : 'cross_site_request')
    expect((await world.call('POST', '/auth/logout', { headers })).reason).toBe(isAllowed ? null : 'cross_site_request')
  })

  it.each(sites)('login, logout and the own password from %s, with the cookie', async (_, headers, isAllowed) => {
    const { world, token } = await withAda()
    const wanted = isAllowed ? null : 'cross_site_request'
    expect((await logIn(world, EMAIL, GOOD, { headers, cookie: 'stale' })).reason).toBe(wanted)
    const body = { current_password: GOOD, new_password: BETTER }
    expect((await world.call('POST', '/auth/password', { body, headers, cookie: token })).reason).toBe(wanted)
    expect((await world.call('POST', '/auth/logout', { headers, cookie: token })).reason).toBe(wanted)
  })

  it('scripts send neither: allowed without the cookie, refused with it', async () => {
    const { world, token } = await withAda()
    expect((await logIn(world, EMAIL, GOOD)).status).toBe(200)
    expect((await logIn(world, EMAIL, GOOD, { cookie: token })).reason).toBe('cross_site_request')
    expect((await world.call('POST', '/auth/logout', { cookie: token })).reason).toBe('cross_site_request')
    expect((await world.call('GET', '/auth/validate', { cookie: token })).status).toBe(200)
  })

  it('knows the own origin from the public URL', async () => {
    const { world, token } = await withAda({ publicUrl: 'https://flow.example/app', clientAddress })
    const logout = (origin: string) =>
      world.call('POST', '/auth/logout', { cookie: token, headers: { origin, host: 'internal:3000' } })
    expect((await logout('http://internal:3000')).status).toBe(403)
    expect((await logout('https://flow.example')).status).toBe(204)
  })
})

describe('GET validate', () => {
  it('is 200 for a live session, from the cookie or as a bearer', async () => {
    const { world, token } = await withAda()
    for (const how of [{ token }, { cookie: token }]) {
      const { status, text } = await world.call('GET', '/auth/validate', how)
      expect([status, text]).toEqual([200, '{"valid":true}'])
    }
  })

  it.each([
    ['nothing', {}, 'Bearer'],
    ['another scheme', { headers: { authorization: 'Basic YTpi' } }, 'Bearer'],
    ['no token', { token: 'x' }, 'Bearer error="invalid_token"'],
    ['an API key', { token: 'ifkey_abc_def_ghi' }, 'Bearer error="invalid_token"'],
    ['an empty cookie', { cookie: '' }, 'Bearer'],
    ['a foreign cookie', { cookie: 'x.y.z' }, 'Bearer error="invalid_token"'],
    ['two cookies', { cookie: 'a; session=b' }, 'Bearer error="invalid_token"'],
  ])('is 401 for %s', async (_, options, challenge) => {
    const answer = await createLoginWorld().call('GET', '/auth/validate', options)
    expect([answer.status, headerOf(answer, 'WWW-Authenticate')]).toEqual([401, challenge])
  })

  it('never falls from a bad header to a good cookie', async () => {
    const { world, token } = await withAda()
    expect((await world.call('GET', '/auth/validate', { token: 'x', cookie: token })).status).toBe(401)
  })

  it('is 401 for whoever is verified and has no session: an API key, a service', async () => {
    const verified = { id: 'key-1', orgId: null, role: 'admin', permissions: [] }
    const world = createLoginWorld({
      auth: {
        apiKeys: { prefix: 'ifkey', verify: async () => verified as never },
        services: { services: [{ name: 'billing', header: 'X-Billing' }], verify: async () => 'billing' } as never,
      },
    })
    for (const how of [{ token: 'ifkey_a_b' }, { headers: { 'x-billing': 'secret' } }]) {
      const { status, headers, reason } = await world.call('GET', '/auth/validate', how)
      expect([status, reason]).toEqual([401, 'caller_kind_not_accepted'])
      expect(headers).toContainEqual(['WWW-Authenticate', 'Bearer error="invalid_token"'])
    }
  })

  it('tells an expired session by its code', async () => {
    const { world, token } = await withAda()
    world.now += 86_405_000
    expect((await world.call('GET', '/auth/validate', { token })).json.error.code).toBe('token_expired')
  })
})

describe('POST logout', () => {
  it('ends this session and no other, in the cookie and as a bearer', async () => {
    const { world, token } = await withAda()
    const other = await world.signIn(EMAIL)
    const answer = await world.call('POST', '/auth/logout', { token })
    expect([answer.status, answer.text]).toEqual([204, null])
    for (const how of [{ token }, { cookie: token }]) {
      expect((await world.call('GET', '/auth/validate', how)).reason).toBe('session_revoked')
    }
    expect((await world.call('GET', '/auth/validate', { token: other })).status).toBe(200)
  })

  it.each([
    ['nothing', {}],
    ['no token', { token: 'x' }],
    ['a malformed header', { headers: { authorization: 'Bearer a b' } }],
    ['two cookies', { cookie: 'a; session=b', headers: { 'sec-fetch-site': 'same-origin' } }],
    ['a huge cookie', { cookie: 'x'.repeat(9000), headers: { 'sec-fetch-site': 'same-origin' } }],
  ])('clears the cookie for %s, and writes nothing', async (_, options) => {
    const world = createLoginWorld()
    const answer = await world.call('POST', '/auth/logout', options)
    expect(answer.status).toBe(204)
    expect(headerOf(answer, 'Set-Cookie')).toContain('session=; Path=/; Max-Age=0;')
    expect(world.calls).toEqual([])
  })

  it('of a session that is dead already is 204 too', async () => {
    const { world, token, id } = await withAda()
    await world.storage.accounts.remove(id)
    for (let i = 0; i < 2; i++) expect((await world.call('POST', '/auth/logout', { token })).status).toBe(204)
  })

  it('a fault of the storage is not swallowed', async () => {
    const { world, token } = await withAda()
    world.storage.sessions.revoke = () => Promise.reject(new Error('database down'))
    await expect(world.call('POST', '/auth/logout', { token })).rejects.toThrow('database down')
  })
})

describe('POST password (L17)', () => {
  const change = (world: LoginWorld, token: string, current: unknown, next: unknown): Promise<Answer> =>
    world.call('POST', '/auth/password', { token, body: { current_password: current, new_password: next } })

  it('changes it: all sessions end, the new one opens, the old one does not', async () => {
    const { world, token } = await withAda()
    const other = await world.signIn(EMAIL)
    const answer = await change(world, token, GOOD, BETTER)
    expect([answer.status, answer.text]).toEqual([204, null])
    for (const dead of [token, other]) {
      expect((await world.call('GET', '/auth/validate', { token: dead })).reason).toBe('session_superseded')
    }
    expect((await logIn(world, EMAIL, GOOD)).status).toBe(401)
    expect((await logIn(world, EMAIL, BETTER)).status).toBe(200)
  })

  it('refuses a wrong current one with 403, and changes nothing', async () => {
    const { world, token } = await withAda()
    expect((await change(world, token, 'wrong', BETTER)).status).toBe(403)
    expect((await world.call('GET', '/auth/validate', { token })).status).toBe(200)
    expect((await logIn(world, EMAIL, GOOD)).status).toBe(200)
  })

  it.each([
    ['short', 'tulip-cavern-9'],
    ['long', 'tulip91-'.repeat(33)],
    ['common', 'passwordpassword'],
    ['the own e-mail', 'ada@example.test'],
    ['no text', 1],
    ['missing', undefined],
  ])('refuses a new one that is %s with 400 naming it, before any hash', async (_, next) => {
    const { world, token } = await withAda()
    world.calls.splice(0)
    const answer = await change(world, token, GOOD, next)
    expect([answer.status, answer.json.error.field]).toEqual([400, 'new_password'])
    expect(world.calls).not.toContain('passwords.verify')
  })

  it('names a current one that is no text', async () => {
    const { world, token } = await withAda()
    expect((await change(world, token, undefined, BETTER)).json.error.field).toBe('current_password')
  })

  it('is for who is logged in', async () => {
    const world = createLoginWorld()
    expect((await world.call('POST', '/auth/password', { body: {} })).status).toBe(401)
  })

  it('of an account that was removed this very moment is 403', async () => {
    const { world, token } = await withAda()
    world.storage.accounts.findById = async () => null
    expect((await change(world, token, GOOD, BETTER)).status).toBe(403)
  })
})

describe('every way a session ends, on the next request (L7)', () => {
  const ways: readonly (readonly [string, (world: LoginWorld, id: string) => Promise<unknown>])[] = [
    ['the account is removed', ({ storage }, id) => storage.accounts.remove(id)],
    ['the account is disabled', ({ storage }, id) => storage.accounts.update(id, { disabled: true })],
    [
      'it was disabled and enabled',
      async ({ storage }, id) => {
        await storage.accounts.update(id, { disabled: true })
        await storage.accounts.update(id, { disabled: false })
      },
    ],
    ['the role is changed', ({ storage }, id) => storage.accounts.update(id, { role: 'developer' })],
    ['an admin sets the password', ({ storage }, id) => storage.accounts.update(id, { passwordHash: 'x' })],
    ['all sessions are ended', ({ storage }, id) => storage.accounts.endSessions(id)],
  ]

  it.each(ways)('%s', async (_, end) => {
    const { world, id, token } = await withAda()
    expect((await world.call('GET', '/auth/validate', { token })).status).toBe(200)
    await end(world, id)
    for (const how of [{ token }, { cookie: token }]) {
      expect((await world.call('GET', '/auth/validate', how)).status).toBe(401)
      expect(await world.auth.authenticate(toGet(how), { needs: 'user' }).catch(({ code }) => code)).toBe(
        'unauthorized',
      )
    }
  })

  it('in 1,000 of 1,000 sessions, over two pipelines that share one storage', async () => {
    const storage = createMemoryAccounts()
    const [one, two] = [createLoginWorld({ storage }), createLoginWorld({ storage })]
    let dead = 0
    for (let i = 0; i < 1000; i++) {
      const { id } = await one.account(`p${i}@example.test`, 'viewer')
      const token = await one.signIn(`p${i}@example.test`)
      expect((await two.call('GET', '/auth/validate', { token })).status).toBe(200)
      if (i % 4 === 0) await one.call('POST', '/auth/logout', { token })
      else if (i % 4 === 1) await one.storage.accounts.remove(id)
      else await one.storage.accounts.update(id, i % 4 === 2 ? { role: 'admin' } : { disabled: true })
      const answers = await Promise.all([one, two].map((world) => world.call('GET', '/auth/validate', { token })))
      if (answers.every(({ status }) => status === 401)) dead++
    }
    expect(dead).toBe(1000)
  })
})

function toGet(how: { token?: string; cookie?: string }) {
  const headers: Record<string, string> =
    how.token === undefined ? { cookie: `session=${how.cookie}` } : { authorization: `Bearer ${how.token}` }
  return {
    ...{ method: 'GET', path: '/', source: {}, params: {}, remoteAddress: null, encrypted: false, upgrade: false },
    lines: (name: string) => (headers[name] === undefined ? [] : [headers[name]]),
    body: () => Promise.reject(new Error('no body')),
  }
}

describe('the cost of a request with a session', () => {
  it('is one query', async () => {
    const { world, token } = await withAda({}, 'admin')
    world.calls.splice(0)
    await world.call('GET', '/auth/validate', { token })
    expect(world.calls).toEqual(['sessions.find'])
  })

  it('is none for a forged one', async () => {
    const { world, token } = await withAda()
    world.calls.splice(0)
    await world.call('GET', '/auth/validate', { token: `${token.slice(0, -4)}AAAA` })
    expect(world.calls).toEqual([])
  })
})

describe('events (G3)', () => {
  it('say what happened, with ids only, and change nothing', async () => {
    const { world, id, token } = await withAda()
    await logIn(world, 'nobody@example.test', GOOD)
    for (let i = 0; i < 5; i++) await logIn(world, EMAIL, 'wrong')
    await logIn(world, EMAIL, 'wrong')
    world.now += 1000
    const body = { current_password: GOOD, new_password: BETTER }
    await world.call('POST', '/auth/password', { token, body })
    await world.call('POST', '/auth/logout', { token })
    expect(world.events.map(({ kind, accountId }) => [kind, accountId])).toEqual([
      ['login_succeeded', id],
      ['login_failed', null],
      ...Array.from({ length: 5 }, () => ['login_failed', id]),
      ['login_throttled', null],
      ['password_changed', id],
      ['logged_out', id],
    ])
    expect(JSON.stringify(world.events)).not.toMatch(/example|tulip|walnut|eyJ/)
  })

  it.each([
    () => {
      throw new Error('broken hook')
    },
    () => Promise.reject(new Error('broken hook')),
  ])('that fail change no answer', async (onEvent) => {
    const { world } = await withAda({ onEvent })
    expect((await logIn(world, EMAIL, GOOD)).status).toBe(200)
    expect((await logIn(world, EMAIL, 'wrong')).status).toBe(401)
  })
})

it('GET capabilities says that one has to log in', async () => {
  const { status, text } = await createLoginWorld().call('GET', '/capabilities')
  expect([status, text]).toEqual([200, '{"auth_required":true}'])
})

it.each([[['viewer', 'admin', 'developer']], [['viewer', 'developer', 'admin', 'owner']], [['viewer', 'admin']]])(
  'an auth with another ladder than its login, %j, is refused',
  (roles) => {
    const message = `has the roles ${ROLES.join(', ')}, option "roles" has ${roles.join(', ')}`
    const wrong = optionsError('createAuth', 'users', message)
    expect(() => createLoginWorld({ auth: { roles } })).toThrow(wrong)
  },
)

describe('the options of createLogin', () => {
  it.each([
    [{ secret: new Uint8Array(8) }, 'option "secret" must be a Uint8Array of at least 16 bytes'],
    [{ secret: undefined }, 'option "secret"'],
    [{ secret: 'a'.repeat(32) }, 'option "secret"'],
    [{ service: ' ' }, 'option "service"'],
    [{ service: undefined }, 'option "service"'],
    [{ service: '' }, 'option "service"'],
    [{ roles: [] }, 'createLogin: option "roles"'],
    [{ adminRole: 'root' }, 'role "root" is not one of viewer, developer, admin'],
    [{ cookieName: 'a b' }, 'option "cookieName" must be a cookie name'],
    [{ cookieName: 'a=b' }, 'option "cookieName"'],
    [{ cookieName: 'a;b' }, 'option "cookieName"'],
    [{ cookieName: 'a\r\nb' }, 'option "cookieName"'],
    [{ publicUrl: 'https://flow.example' }, 'option "clientAddress" is required where there is "publicUrl"'],
    [{ clientAddress }, 'option "publicUrl" is required where there is "clientAddress"'],
    [{ publicUrl: 'http://flow.example', clientAddress }, 'option "publicUrl" must be an https URL'],
    [{ publicUrl: 'flow.example' }, 'option "publicUrl"'],
    [{ paths: { login: 'login' } }, 'option "paths.login" must be a path'],
    [{ paths: { users: '/' } }, 'option "paths.users" must be a path'],
    [{ paths: { users: '/orgs/:id/users' } }, 'option "paths.users" must call its parameter otherwise than ":id"'],
    [{ paths: { logout: '/a/../b' } }, 'option "paths.logout" must be a path'],
    [{ paths: { validate: '/a*' } }, 'option "paths.validate" must be a path'],
    [{ paths: { logn: '/login' } }, 'unknown option'],
    [{ minPasswordLength: 7 }, 'option "minPasswordLength" must be a number from 8 to 64'],
    [{ sessionSeconds: 59 }, 'option "sessionSeconds"'],
    // A cookie whose `Max-Age` has a point lasts as if it had none (RFC 6265 §5.2.2).
    [{ sessionSeconds: 90.5 }, 'option "sessionSeconds" must be a whole number'],
    [{ throttle: { accountFailures: 0 } }, 'option "throttle.accountFailures"'],
    [{ throttle: { accountFailures: 5.5 } }, 'option "throttle.accountFailures" must be a whole number'],
    // Of so many an address would never be refused: what is kept of its failures is a list.
    [{ throttle: { addressFailures: 12.5 } }, 'option "throttle.addressFailures" must be a whole number'],
    [{ throttle: { accountFailure: 5 } }, 'unknown option'],
    [{ clientAddress: 'x-forwarded-for' }, 'option "clientAddress" must be a function'],
    [{ trustProxy: true }, 'unknown option "trustProxy"'],
  ])('%j is refused', (options, sentence) => {
    expect(() => createLoginWorld(options as never)).toThrow(sentence)
    expect(() => createLoginWorld(options as never)).toThrow(TypeError)
  })

  it('paths are', async () => {
    const { login } = createLoginWorld({ paths: { login: '/sign-in', users: '/people' } })
    const paths = login.routes.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['/sign-in', '/people', '/people/:id', '/api/v1/auth/logout']))
  })
})
