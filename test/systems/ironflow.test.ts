/** Ironflow as processes: the contract chapter by chapter, then boots, secrets, dev mode, and what several of them share. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { send, type WireAnswer } from '../../examples/demo/send.ts'
import { IRONFLOW } from '../../examples/demo/tour-ironflow.ts'
import type { World } from '../../examples/demo/world.ts'
import { startIronflow } from '../../examples/ironflow/app.ts'
import { createThrottle, DEFAULT_LIMITS } from '../../src/login/throttle.ts'
import { createSqliteStorage } from '../../src/storage/sqlite.ts'
import { PATIENCE_MS } from '../patience.ts'
import { createTestDatabase } from '../postgres.ts'
import { SQLITE_DRIVERS } from '../sqlite.ts'
import { type AppProcess, openWorldOf, runToEnd, startProcess } from './app-process.ts'
import { runChapters } from './run-chapters.ts'

const MAIN = ['examples/ironflow/main.ts']
const ADMIN = 'admin@ironflow.local'
const FINE = 'four unlikely words here'
const CREATED = /^ironflow: admin@ironflow\.local created, password: ([a-z2-9]{26})$/m

const folders: string[] = []
const apps: AppProcess[] = []
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()))
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-ironflow-'))
  folders.push(folder)
  return folder
}

async function start(
  folder: string,
  more: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Promise<AppProcess> {
  const app = await startProcess([...MAIN, ...flags], { PORT: '0', IRONFLOW_DATA_DIR: folder, ...more })
  apps.push(app)
  return app
}

const literal = (text: string): string => text.replace(/[()[\]{}.*+?^$|\\]/g, '\\$&')
const BEHIND_ONE = { IRONFLOW_PUBLIC_URL: 'https://ironflow.example', IRONFLOW_TRUSTED_PROXIES: '1' }
const passwordOf = (app: AppProcess): string => CREATED.exec(app.stdout())?.[1] ?? ''

interface Asking {
  readonly token?: string
  readonly json?: unknown
  readonly lines?: readonly (readonly [string, string])[]
}

function ask(app: AppProcess, line: string, { token, json, lines = [] }: Asking = {}): Promise<WireAnswer> {
  const [method = '', path = ''] = line.split(' ')
  return send({
    method,
    url: app.url + path,
    lines: [
      ...(token === undefined ? [] : [['Authorization', `Bearer ${token}`] as const]),
      ...(json === undefined ? [] : [['Content-Type', 'application/json'] as const]),
      ...lines,
    ],
    body: json === undefined ? undefined : JSON.stringify(json),
  })
}

async function logIn(app: AppProcess, password: string, email: string = ADMIN): Promise<string> {
  const { status, text } = await ask(app, 'POST /api/v1/auth/login', { json: { email, password } })
  if (status !== 200) throw new Error(`login: ${status} ${text}`)
  return (JSON.parse(text) as { token: string }).token
}

const validate = async (app: AppProcess, token: string): Promise<number> =>
  (await ask(app, 'GET /api/v1/auth/validate', { token })).status

describe('the contract', () => {
  let world: World
  beforeAll(async () => {
    world = await openWorldOf(['ironflow', 'ironflow, dev'])
  })
  afterAll(() => world.close())
  runChapters(IRONFLOW, () => world)
})

describe('the first boot', () => {
  it('prints the password on one line, then that it is ready; the second boot only that', async () => {
    const folder = newFolder()
    const first = await start(folder)
    expect(first.stdout()).toMatch(
      /^ironflow: admin@ironflow\.local created, password: [a-z2-9]{26}\nironflow ready on http:\/\/127\.0\.0\.1:\d+\n$/,
    )
    const token = await logIn(first, passwordOf(first))
    const { code, stderr } = await first.end()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const second = await start(folder)
    expect(second.stdout()).toBe(`ironflow ready on ${second.url}\n`)
    expect(await validate(second, token)).toBe(200)
  })

  it('keeps the database for this user alone', async () => {
    const folder = newFolder()
    await start(folder)
    const files = readdirSync(folder).filter((name) => name.startsWith('ironflow.db'))
    expect(files).toContain('ironflow.db')
    for (const name of files) expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600])
  })

  it.each([
    ['PORT', 'http', 'PORT must be a whole number from 0 to 65535'],
    ['HOST', '203.0.113.1', 'cannot listen on HOST 203.0.113.1, PORT 0: EADDRNOTAVAIL'],
    ['IRONFLOW_PUBLIC_URL', 'ironflow.example', 'IRONFLOW_PUBLIC_URL must be an absolute URL', 'none'],
  ])(
    'a wrong %s is said before the admin is made: the next start tells the password',
    async (name, value, sentence, proxies = '') => {
      const folder = newFolder()
      const more = proxies === '' ? {} : { IRONFLOW_TRUSTED_PROXIES: proxies }
      const refused = await runToEnd(MAIN, { PORT: '0', IRONFLOW_DATA_DIR: folder, [name]: value, ...more })
      expect(refused).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(new RegExp(`ironflow: ${literal(sentence)}\\n$`)),
      })
      const app = await start(folder)
      await logIn(app, passwordOf(app))
    },
  )

  it('a port that is taken costs no password', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const folder = newFolder()
    const { port } = other.address() as AddressInfo
    const refused = await runToEnd(MAIN, { PORT: String(port), IRONFLOW_DATA_DIR: folder })
    other.close()
    const stderr = `ironflow: cannot listen on HOST 127.0.0.1, PORT ${port}: the port is taken\n`
    expect(refused).toEqual({ code: 1, stdout: '', stderr })
    const app = await start(folder)
    await logIn(app, passwordOf(app))
  })

  it('behind a proxy with TLS (IRONFLOW_PUBLIC_URL): the cookie is Secure, the own origin the public one', async () => {
    const app = await start(newFolder(), BEHIND_ONE)
    const json = { email: ADMIN, password: passwordOf(app) }
    const logInFrom = (origin: string): Promise<WireAnswer> =>
      ask(app, 'POST /api/v1/auth/login', { json, lines: [['Origin', origin]] })
    expect((await logInFrom(app.url)).status).toBe(403)
    const { status, headers } = await logInFrom('https://ironflow.example')
    expect([status, headers['set-cookie']]).toEqual([200, [expect.stringMatching(/; SameSite=Lax; Secure$/)]])
  })

  const PROXIES = 'IRONFLOW_TRUSTED_PROXIES'
  const pairs: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ IRONFLOW_PUBLIC_URL: 'https://ironflow.example' }, `IRONFLOW_PUBLIC_URL needs ${PROXIES} too`],
    [{ [PROXIES]: '1' }, `${PROXIES} needs IRONFLOW_PUBLIC_URL too`],
    [{ ...BEHIND_ONE, [PROXIES]: '1 ' }, `${PROXIES} has white space or quotes around it`] as const,
    ...['0', '17', '-1', '1.5', 'all'].map(
      (hops) =>
        [{ ...BEHIND_ONE, [PROXIES]: hops }, `${PROXIES} must be a whole number from 1 to 16, or none`] as const,
    ),
    [{ ...BEHIND_ONE, [PROXIES]: '' }, `${PROXIES} is set, but empty`],
  ]
  it.each(pairs)('does not start with %j', async (variables, sentence) => {
    const folder = newFolder()
    const starting = startIronflow({ PORT: '0', IRONFLOW_DATA_DIR: folder, ...variables })
    await expect(starting).rejects.toThrow(sentence)
    expect(readdirSync(folder)).toEqual([])
  })

  it('behind a proxy a stranger who fails 50 times shuts nobody else out, whatever they forge', async () => {
    // In development a first refusal is told of `explain()`.
    const app = await start(newFolder(), { ...BEHIND_ONE, NODE_ENV: 'production' })
    const tryFrom = async (forwarded: string, email: string, password: string): Promise<number> => {
      const lines = [['X-Forwarded-For', forwarded]] as const
      return (await ask(app, 'POST /api/v1/auth/login', { json: { email, password }, lines })).status
    }
    for (let ten = 0; ten < 50; ten += 10) {
      const tries = Array.from({ length: 10 }, (_, i) => [
        `198.51.100.${ten + i}, 203.0.113.9`,
        `nobody${ten + i}@example.test`,
      ])
      const statuses = await Promise.all(
        tries.map(([forwarded = '', email = '']) => tryFrom(forwarded, email, 'wrong')),
      )
      expect(new Set(statuses)).toEqual(new Set([401]))
    }
    expect(await tryFrom('203.0.113.9, 198.51.100.7', ADMIN, passwordOf(app))).toBe(200)
    expect(await tryFrom('198.51.100.7, 203.0.113.9', ADMIN, passwordOf(app))).toBe(429)
    expect((await app.end()).stderr).toBe('')
  })

  it('without an entry of the proxy the peer counts, with one warning; with none no address does, with a warning at start', async () => {
    const app = await start(newFolder(), BEHIND_ONE)
    for (let i = 0; i < 3; i++) await logIn(app, passwordOf(app))
    expect((await app.end()).stderr.match(/its peer's address counts\n/g)).toHaveLength(1)
    const none = await start(newFolder(), { ...BEHIND_ONE, IRONFLOW_TRUSTED_PROXIES: 'none' })
    const { stderr } = await none.end()
    expect(stderr).toBe(
      'ironflow: IRONFLOW_TRUSTED_PROXIES is none: failed logins are counted by account only, by no address\n',
    )
  })

  it('eight processes on one empty folder: one secret, one admin, eight healthy servers', async () => {
    const folder = newFolder()
    const eight = await Promise.all(Array.from({ length: 8 }, () => start(folder)))
    const passwords = eight.map(passwordOf).filter((password) => password !== '')
    expect(passwords).toHaveLength(1)
    const token = await logIn(eight[0] as AppProcess, passwords[0] as string)
    expect(await Promise.all(eight.map((app) => validate(app, token)))).toEqual(Array(8).fill(200))
    const lists = await Promise.all(eight.map((app) => ask(app, 'GET /api/v1/users', { token })))
    for (const { text } of lists) expect(JSON.parse(text).users).toHaveLength(1)
    const file = join(folder, '.ironflow_jwt_secret')
    expect(readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([])
    expect((await Promise.all(eight.map((app) => app.end()))).map(({ code }) => code)).toEqual(Array(8).fill(0))
  })

  it('four processes on one empty PostgreSQL, and what one ends is over in the others', async () => {
    const folder = newFolder()
    const database = { DATABASE_URL: await createTestDatabase('empty') }
    const four = await Promise.all(Array.from({ length: 4 }, () => start(folder, database)))
    const [first, second] = four as [AppProcess, AppProcess]
    const passwords = four.map(passwordOf).filter((password) => password !== '')
    expect(passwords).toHaveLength(1)
    const password = passwords[0] as string
    const [token, other] = [await logIn(first, password), await logIn(second, password)]
    expect(await Promise.all(four.map((app) => validate(app, token)))).toEqual([200, 200, 200, 200])
    expect(existsSync(join(folder, 'ironflow.db'))).toBe(false)
    const added = await ask(first, 'POST /api/v1/functions', { token, json: { name: 'a' } })
    expect(added.status).toBe(201)
    expect(JSON.parse((await ask(second, 'GET /api/v1/functions', { token })).text).functions).toHaveLength(1)
    expect((await ask(first, 'POST /api/v1/auth/logout', { token })).status).toBe(204)
    expect([await validate(second, token), await validate(first, other)]).toEqual([401, 200])
    const json = { current_password: password, new_password: FINE }
    expect((await ask(second, 'POST /api/v1/auth/password', { token: other, json })).status).toBe(204)
    expect(await Promise.all(four.map((app) => validate(app, other)))).toEqual([401, 401, 401, 401])
  })

  it('with PostgreSQL and no data folder the secret lies in the working directory', async () => {
    const folder = newFolder()
    const text = `process.chdir(${JSON.stringify(folder)}); await import(${JSON.stringify(`${process.cwd()}/${MAIN[0]}`)})`
    const app = await startProcess(['--input-type=module', '-e', text], {
      PORT: '0',
      DATABASE_URL: await createTestDatabase('empty'),
    })
    apps.push(app)
    expect(readdirSync(folder)).toEqual(['.ironflow_jwt_secret'])
  })
})

describe('the signing secret', () => {
  const SECRET = 'ab'.repeat(32)
  const config = (folder: string, text: string): Record<string, string> => {
    const file = join(folder, 'ironflow.yaml')
    writeFileSync(file, text)
    return { IRONFLOW_CONFIG: file }
  }
  const yaml = (secret: string): string => `spec:\n  auth:\n    jwtSecret: ${secret}\n`

  it('changed: every session is refused; the variable wins over the file, the file over the generated one', async () => {
    const folder = newFolder()
    let app = await start(folder)
    const password = passwordOf(app)
    const ofFile = await logIn(app, password)
    await app.stop()
    app = await start(folder, { IRONFLOW_JWT_SECRET: SECRET })
    expect(await validate(app, ofFile)).toBe(401)
    const ofVariable = await logIn(app, password)
    await app.stop()
    app = await start(folder, { ...config(folder, yaml(`\${MY_SECRET}`)), MY_SECRET: SECRET.toUpperCase() })
    expect([await validate(app, ofVariable), await validate(app, ofFile)]).toEqual([200, 401])
    await app.stop()
    app = await start(folder, { ...config(folder, yaml('cd'.repeat(32))), IRONFLOW_JWT_SECRET: SECRET })
    expect(await validate(app, ofVariable)).toBe(200)
    await app.stop()
    app = await start(folder, config(folder, 'spec:\n  server: {}\n'))
    expect([await validate(app, ofVariable), await validate(app, ofFile)]).toEqual([401, 200])
  })

  it('may be said by an alias, as YAML has them', async () => {
    const folder = newFolder()
    const text = `shared: &secret ${'12'.repeat(32)}\nspec:\n  auth:\n    jwtSecret: *secret\n`
    const app = await start(folder, config(folder, text))
    const token = await logIn(app, passwordOf(app))
    await app.stop()
    expect(await validate(await start(folder, { IRONFLOW_JWT_SECRET: '12'.repeat(32) }), token)).toBe(200)
  })

  it('of 16 bytes works, with a warning; digits alone stay what they are', async () => {
    const folder = newFolder()
    let app = await start(folder, { IRONFLOW_JWT_SECRET: '12'.repeat(16) })
    const token = await logIn(app, passwordOf(app))
    expect((await app.end()).stderr).toBe('ironflow: the signing secret has 16 bytes; use at least 32\n')
    app = await start(folder, config(folder, yaml('12'.repeat(16))))
    expect(await validate(app, token)).toBe(200)
  })

  const AT = 'IRONFLOW_CONFIG: spec.auth.jwtSecret'
  const FILE = 'IRONFLOW_CONFIG: the file is no YAML'
  it.each([
    ['an empty text', yaml("''"), `${AT} must not be empty`],
    ['nothing', yaml(''), `${AT} must not be empty`],
    ['no hex', yaml('secret'), `${AT} must be hexadecimal`],
    ['a short one', yaml('abcd'), `${AT} must be at least 16 bytes`],
    ['an unset variable', yaml(`\${NOBODY_SET_IT}`), `${AT} needs NOBODY_SET_IT, which is not set`],
    ['a list', yaml('[a, b]'), `${AT} must be a text`],
    [
      'a misspelt key',
      'spec:\n  auth:\n    jwtsecret: x\n',
      'IRONFLOW_CONFIG: spec.auth.jwtsecret means nothing; there is jwtSecret',
    ],
    ['another shape', 'spec: [auth]\n', 'IRONFLOW_CONFIG: spec must be a mapping'],
    ['no YAML', 'spec: {', 'IRONFLOW_CONFIG: the file is no YAML (BAD_INDENT)'],
    ['an alias of nothing', 'spec: *nothing\n', `${FILE} (too deep, or too many aliases, or one of nothing)`],
    ['an alias of itself', 'spec: &spec [*spec]\n', 'IRONFLOW_CONFIG: spec must be a mapping'],
    [
      'a billion laughs',
      `${['a: &a [x, x]', ...[...'bcdefghijk'].map((name, i) => `${name}: &${name} [*${'abcdefghij'[i]}, *${'abcdefghij'[i]}]`)].join('\n')}\n`,
      `${FILE} (too deep, or too many aliases, or one of nothing)`,
    ],
    ['a pit', '['.repeat(20_000), `${FILE} (RESOURCE_EXHAUSTION)`],
  ])('refuses to start with %s in the file: a sentence, and no other secret', async (_name, text, sentence) => {
    const folder = newFolder()
    const ending = await runToEnd(MAIN, { PORT: '0', IRONFLOW_DATA_DIR: folder, ...config(folder, text) })
    expect(ending).toEqual({ code: 1, stdout: '', stderr: `ironflow: ${sentence}\n` })
    expect(readdirSync(folder)).toEqual(['ironflow.yaml'])
  })

  it('refuses a kept one that is damaged or that others may read, and leaves it alone', async () => {
    const folder = newFolder()
    const file = join(folder, '.ironflow_jwt_secret')
    writeFileSync(file, SECRET, { mode: 0o644 })
    const refused = await runToEnd(MAIN, { PORT: '0', IRONFLOW_DATA_DIR: folder })
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('its mode must be 0600')])
    rmSync(file)
    writeFileSync(file, 'damaged', { mode: 0o600 })
    const damaged = await runToEnd(MAIN, { PORT: '0', IRONFLOW_DATA_DIR: folder })
    expect([damaged.code, damaged.stderr]).toEqual([1, expect.stringContaining('must be hexadecimal')])
    expect(readFileSync(file, 'utf8')).toBe('damaged')
  })
})

describe('reset-admin', () => {
  const reset = async (folder: string): Promise<string> => {
    const { code, stdout, stderr } = await runToEnd([...MAIN, 'reset-admin'], { IRONFLOW_DATA_DIR: folder })
    expect([code, stderr]).toEqual([0, ''])
    const [, password] = /^ironflow: admin@ironflow\.local reset, password: ([a-z2-9]{26})\n$/.exec(stdout) ?? []
    return password ?? ''
  }

  it('gives a new password beside a running server, also to a deleted one; old sessions and passwords are over', async () => {
    const folder = newFolder()
    const app = await start(folder)
    const first = passwordOf(app)
    const old = await logIn(app, first)
    const second = await reset(folder)
    expect(await validate(app, old)).toBe(401)
    await expect(logIn(app, first)).rejects.toThrow('401')
    const token = await logIn(app, second)
    const json = { email: 'ada@example.test', password: FINE, role: 'admin' }
    expect((await ask(app, 'POST /api/v1/users', { token, json })).status).toBe(201)
    const hers = await logIn(app, FINE, 'ada@example.test')
    const { users } = JSON.parse((await ask(app, 'GET /api/v1/users', { token })).text)
    const { id } = users.find(({ email }: { email: string }) => email === ADMIN)
    expect((await ask(app, `DELETE /api/v1/users/${id}`, { token: hers })).status).toBe(204)
    expect(await validate(app, token)).toBe(401)
    await logIn(app, await reset(folder))
    expect(await validate(app, hers)).toBe(200)
  })

  // Failures of the last half hour: by now the wait is the longest, and no stall of this machine outlasts it.
  async function closeAccount(file: string, email: string): Promise<void> {
    const database = (SQLITE_DRIVERS[0] as (typeof SQLITE_DRIVERS)[number]).open(file)
    const clock = { now: Date.now() - 1_800_000 }
    const { throttle: inner } = createSqliteStorage({ database }).accounts
    // The database's clock, of half an hour ago and moved by hand.
    const store: typeof inner = {
      update: (keys, now, decide) => inner.update(keys, now, (states) => decide(states, clock.now)),
    }
    const throttle = createThrottle(store, DEFAULT_LIMITS, () => clock.now)
    const fail = (): Promise<null> => throttle.attempt({ email, address: null }, async () => null)
    for (; clock.now <= Date.now(); clock.now += 1000) await fail().catch(() => null)
    database.close()
  }

  it('takes the way back in from where too many tries have closed it', async () => {
    const folder = newFolder()
    const app = await start(folder)
    await closeAccount(join(folder, 'ironflow.db'), ADMIN)
    await expect(logIn(app, passwordOf(app))).rejects.toThrow('429')
    await logIn(app, await reset(folder))
  })

  it.each([['--dve'], ['reset-admin', '--dev']])('knows no %s %s', async (...flags) => {
    const { code, stdout, stderr } = await runToEnd([...MAIN, ...flags], { IRONFLOW_DATA_DIR: newFolder() })
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: 'ironflow: there are --dev and reset-admin, one at a time\n',
    })
  })
})

describe('what happens at once', () => {
  it('two admins demote each other: one is left', async () => {
    const app = await start(newFolder())
    const mine = await logIn(app, passwordOf(app))
    const json = { email: 'ada@example.test', password: FINE, role: 'admin' }
    await ask(app, 'POST /api/v1/users', { token: mine, json })
    const hers = await logIn(app, FINE, 'ada@example.test')
    const { users } = JSON.parse((await ask(app, 'GET /api/v1/users', { token: mine })).text) as {
      users: { id: string; email: string }[]
    }
    const idOf = (email: string): string => users.find((user) => user.email === email)?.id ?? ''
    const answers = await Promise.all([
      ask(app, `PATCH /api/v1/users/${idOf('ada@example.test')}`, { token: mine, json: { role: 'viewer' } }),
      ask(app, `DELETE /api/v1/users/${idOf(ADMIN)}`, { token: hers }),
    ])
    const done = answers.filter(({ status }) => status === 200 || status === 204)
    expect(done).toHaveLength(1)
    for (const answer of answers) if (!done.includes(answer)) expect([401, 409]).toContain(answer.status)
  })

  it('50 wrong passwords at once: five are looked at, the others are told to wait; the right one works then', async () => {
    const app = await start(newFolder())
    const started = performance.now()
    const tries = Array.from({ length: 50 }, () =>
      ask(app, 'POST /api/v1/auth/login', { json: { email: ADMIN, password: 'wrong' } }),
    )
    const statuses = (await Promise.all(tries)).map(({ status }) => status)
    const seconds = (performance.now() - started) / 1000
    expect(new Set(statuses)).toEqual(new Set([401, 429]))
    const judged = statuses.filter((status) => status === 401).length
    expect(judged).toBeGreaterThanOrEqual(5)
    // Where the machine stalls in the middle, waits of 1, 2, 4, … seconds pass, and after each one more is looked at.
    expect(judged).toBeLessThanOrEqual(5 + Math.floor(Math.log2(seconds + 1)))
    await expect
      .poll(() => logIn(app, passwordOf(app)).catch(() => 'not yet'), { timeout: PATIENCE_MS, interval: 300 })
      .toMatch(/^eyJ/)
  })

  it('an unknown e-mail, a wrong password and a disabled user: the same bytes and headers', async () => {
    const app = await start(newFolder())
    const token = await logIn(app, passwordOf(app))
    const json = { email: 'off@example.test', password: FINE, role: 'viewer', disabled: true }
    expect((await ask(app, 'POST /api/v1/users', { token, json })).status).toBe(201)
    const [unknown, wrong, disabled] = await Promise.all(
      [
        ['nobody@example.test', FINE],
        [ADMIN, FINE],
        ['off@example.test', FINE],
      ].map(async ([email, password]) => {
        const { status, text, headers } = await ask(app, 'POST /api/v1/auth/login', { json: { email, password } })
        return { status, text, headers: { ...headers, date: 'some' } }
      }),
    )
    expect(unknown?.status).toBe(401)
    expect(unknown?.headers).toMatchObject({ 'www-authenticate': 'Bearer' })
    expect([wrong, disabled]).toEqual([unknown, unknown])
  })
})

describe('dev mode', () => {
  it.each(['development', 'test'])('starts with NODE_ENV=%s', async (NODE_ENV) => {
    const app = await start(newFolder(), { NODE_ENV }, ['--dev'])
    expect((await ask(app, 'GET /api/v1/capabilities')).text).toBe('{"auth_required":false}')
    expect((await ask(app, 'GET /api/v1/users')).status).toBe(200)
    expect((await ask(app, 'POST /api/v1/api-keys', { json: { name: 'ci', role: 'admin' } })).status).toBe(201)
    expect(app.stdout()).toContain('never put it behind a proxy or a tunnel')
    const lines = [
      ['Authorization', 'Basic YTpi'],
      ['Sec-Fetch-Site', 'cross-site'],
    ] as const
    expect((await ask(app, 'POST /api/v1/functions', { json: { name: 'x' }, lines })).status).toBe(403)
  })

  it.each([undefined, '', 'production', 'Development', 'development ', 'dev', 'staging'])(
    'refuses NODE_ENV=%s: a sentence, nothing made',
    async (NODE_ENV) => {
      const folder = newFolder()
      const environment = { PORT: '0', IRONFLOW_DATA_DIR: folder, ...(NODE_ENV !== undefined && { NODE_ENV }) }
      const starting = startIronflow(environment, { dev: true })
      await expect(starting).rejects.toThrow('--dev needs NODE_ENV to be exactly development or test')
      expect(readdirSync(folder)).toEqual([])
    },
  )

  it('refuses another host name, two of them, and a peer that is not this machine', async () => {
    const app = await start(newFolder(), { NODE_ENV: 'test', HOST: '0.0.0.0' }, ['--dev'])
    const { port } = new URL(app.url)
    const by = async (host: string, address = '127.0.0.1'): Promise<string> => {
      const answer = await rawGet(address, Number(port), `GET /api/v1/functions HTTP/1.1\r\nHost: ${host}\r\n`)
      return answer.split(' ')[1] ?? ''
    }
    expect(await by(`127.0.0.1:${port}`)).toBe('200')
    expect(await by(`localhost:${port}`)).toBe('200')
    expect(await by('evil.example')).toBe('403')
    expect(await by('127.0.0.1.evil.example')).toBe('403')
    expect(await by('localhost\r\nX-Forwarded-For: 127.0.0.1')).toBe('403')
    expect(await by('localhost\r\nHost: evil.example')).toMatch(/^40[03]$/)
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)
    if (outside !== undefined) expect(await by('localhost', outside.address)).toBe('403')
  })
})

const FOREIGN: readonly (readonly [string, string])[] = [
  ['another host name', 'Host: evil.example'],
  ['a Forwarded header', 'Host: localhost\r\nForwarded: for=127.0.0.1'],
  ['an X-Forwarded-For header', 'Host: localhost\r\nX-Forwarded-For: 127.0.0.1'],
  ['an empty X-Forwarded-Host header', 'Host: localhost\r\nX-Forwarded-Host:'],
  ...['Via', 'X-Real-IP', 'CF-Connecting-IP', 'True-Client-IP'].map(
    (name) => [`an empty ${name} header`, `Host: localhost\r\n${name}:`] as const,
  ),
]

it('dev mode answers a request from elsewhere by nothing but 403, whatever it asks for', async () => {
  const app = await start(newFolder(), { NODE_ENV: 'test', HOST: '0.0.0.0' }, ['--dev'])
  const port = Number(new URL(app.url).port)
  const statusOf = async (head: string, address = '127.0.0.1'): Promise<string> =>
    (await rawGet(address, port, `${head}\r\n`)).split(' ')[1] ?? ''
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)
  const targets = ['GET /', 'GET /dashboard/main.js', 'GET /health', 'GET /api/v1/me', 'GET /no/such', 'POST /no/such']
  targets.push('DELETE /health', 'OPTIONS /api/v1/users', 'HEAD /', 'GET /..%2f', 'GET //evil.example/')
  for (const target of targets) {
    expect([target, await statusOf(`${target} HTTP/1.1\r\nHost: localhost`)]).not.toEqual([target, '403'])
    for (const [what, lines] of FOREIGN) {
      expect([target, what, await statusOf(`${target} HTTP/1.1\r\n${lines}`)]).toEqual([target, what, '403'])
    }
    expect([target, 'no Host', await statusOf(`${target} HTTP/1.0`)]).toEqual([target, 'no Host', '403'])
    if (outside === undefined) continue
    expect([target, await statusOf(`${target} HTTP/1.1\r\nHost: localhost`, outside.address)]).toEqual([target, '403'])
  }
  for (const path of ['/', '/api/v1/functions', '/no/such']) {
    expect(await statusOf(`GET http://evil.example${path} HTTP/1.1\r\nHost: localhost`)).toBe('403')
    expect(await statusOf(`GET http://localhost:${port}${path} HTTP/1.1\r\nHost: localhost`)).not.toBe('403')
  }
})

function rawGet(host: string, port: number, head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(`${head}Connection: close\r\n\r\n`))
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
  })
}

it('the npm script hands its arguments on', () => {
  const env = { ...process.env, IRONFLOW_DATA_DIR: newFolder(), NODE_ENV: 'production' }
  const { status, stderr } = spawnSync('npm', ['run', '--silent', 'example:ironflow', '--', '--dev'], {
    env,
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  expect(stderr).toContain('--dev needs NODE_ENV to be exactly development or test')
})
