/** The command, in this process: its help and its page, exit codes of every way to use it wrongly, and that it gives nothing away. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { readCommandPage, withSamples } from '../../scripts/command-page.ts'
import { createTerminal } from '../../src/cli/terminal.ts'
import { policySql } from '../../src/storage/postgres.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createTestDatabase } from '../postgres.ts'
import { createSqlitePath } from '../sqlite.ts'
import { sallyport } from './fake-terminal.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')
const issuer = await createTokenIssuer({ algorithms: ['HS256', 'ES256'], clock: () => NOW })
const JWKS = 'https://keys.test/jwks.json'
const served: typeof fetch = async (url) =>
  String(url) === JWKS ? Response.json(issuer.jwks()) : new Response('', { status: 404 })
const env = { SECRET: issuer.secret }
const TRUST = ['--issuer', issuer.issuer, '--audience', issuer.audience]

const folder = mkdtempSync(join(tmpdir(), 'sallyport-command-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const inspect = async (token: string, ...words: readonly string[]) =>
  sallyport(['inspect', '-', ...words], { input: `${token}\n`, env, now: NOW, fetch: served, folder })

it('says that it waits for a token where somebody types, and to nobody else', async () => {
  const said: string[] = []
  const terminalOf = (isTTY: boolean) => {
    const stdin = Object.assign(Readable.from(['token']), { isTTY })
    const stderr = { write: (text: string) => said.push(text) > 0 }
    return createTerminal({ ...{ stdin, stderr, stdout: process.stdout }, env, cwd: () => folder } as never)
  }
  expect(await terminalOf(false).readInput()).toBe('token')
  expect(said).toEqual([])
  expect(await terminalOf(true).readInput()).toBe('token')
  expect(said).toEqual([expect.stringMatching(/^Paste it, then press Enter and Ctrl-[DZ]/)])
})

it('the page shows what the command prints (npm run pages writes it)', async () => {
  const page = readCommandPage()
  expect(await withSamples(page)).toBe(page)
})

describe('help', () => {
  it.each(['inspect', 'doctor', 'keys', 'migrate'])(
    'of %s is the same either way, and fits on a screen',
    async (name) => {
      const [asked, flagged] = [await sallyport(['help', name]), await sallyport([name, '--help'])]
      expect(asked).toEqual(flagged)
      expect([asked.code, asked.complaint]).toEqual([0, ''])
      expect(asked.out).toContain(`Usage: sallyport ${name}`)
      expect(asked.out).toContain('Exit codes')
      const wide = name === 'migrate' ? 120 : 80
      expect(asked.out.split('\n').filter((line) => line.length > wide)).toEqual([])
    },
  )
})

describe('wrong usage is exit code 2, with the nearest name, and quotes no value', () => {
  it.each<[words: string, said: string]>([
    ['inpsect', 'did you mean inspect?'],
    ['docter', 'did you mean doctor?'],
    ['eyJhbGciOiJIUzI1NiJ9.e30.hunter22', 'no command of that name'],
    ['help keyz', 'did you mean keys?'],
    ['inspect', 'give a token'],
    ['inspect a b', 'give one token'],
    ['inspect a --header b', 'give a token or a --header'],
    ['inspect a --isuer x', 'did you mean --issuer?'],
    ['inspect a --issuer', 'option --issuer is used wrongly'],
    ['inspect a --json=hunter22', 'option --json is used wrongly'],
    ['inspect a --at yesterday', '--at must be an instant'],
    ['inspect a --secret-env hunter22', 'a variable that is not set'],
    ['inspect a --secret-env WEAK', 'must be at least 32 bytes'],
    ['inspect a --jwks hunter22', 'neither a URL nor a file'],
    ['inspect a --jwks http://keys.example/jwks', 'must be an https URL'],
    ['inspect a --issuer https://id.example --algorithm XS1 --audience a', 'algorithms'],
    ['inspect a --with x=hunter22', 'an option of a --preset'],
    ['inspect a --preset autho', 'did you mean auth0?'],
    ['inspect a --preset auth0 --with domain=https://hunter22.example --audience x', 'must be a host name alone'],
    ['inspect a --preset auth0 --with domian=a.example --audience x', 'unknown option "domian"'],
    ['inspect a --preset auth0 --with domain --audience x', 'write --with name=value'],
    ['inspect a --preset auth0 --with domain=a.example --audience x --jwks x', 'neither a URL nor a file'],
    ['inspect a --preset supabase --with url=https://a.example --secret-encoding base64', 'its secret is text'],
    ['inspect a --preset clerk --with authorizedParties=null', 'option "frontendApi" is required'],
    ['doctor', 'there is nothing to ask'],
    ['doctor auth.js', 'is --config missing'],
    ['doctor --config nowhere.mjs', 'can’t be loaded'],
    ['doctor --config empty.mjs', 'exports none of'],
    ['doctor --database mysql://me:hunter22@h/x', 'must be postgres://'],
    ['doctor --database nowhere.db', 'no such SQLite file'],
    ['keys', 'name one of'],
    ['keys piar', 'did you mean pair?'],
    ['keys pair --algorithm RS25', 'did you mean RS256?'],
    ['keys secret --prefix x', '--prefix is for an api-key'],
    ['keys secret --algorithm ES256', '--algorithm is for a pair'],
    ['keys api-key', 'needs the --prefix'],
    ['keys api-key --prefix Hunter22', 'must be 2 to 16'],
  ])('sallyport %s', async (words, said) => {
    writeFileSync(join(folder, 'empty.mjs'), 'export const nothing = 1\n')
    const ending = await sallyport(words.split(' '), { env: { WEAK: 'hunter22' }, now: NOW, fetch: served, folder })
    expect([ending.code, ending.out]).toEqual([2, ''])
    expect(ending.complaint).toContain(said)
    expect(ending.complaint).not.toContain('hunter22')
    expect(ending.complaint).not.toContain('    at ')
  })
})

describe('inspect', () => {
  it('passes what the verifier passes, by a secret, by keys of a URL, of a file, of metadata', async () => {
    const [hs, es] = [await issuer.sign({}, { algorithm: 'HS256' }), await issuer.sign({}, { algorithm: 'ES256' })]
    expect((await inspect(hs, ...TRUST, '--secret-env', 'SECRET')).code).toBe(0)
    expect((await inspect(es, ...TRUST, '--jwks', JWKS)).code).toBe(0)
    writeFileSync(join(folder, 'jwks.json'), JSON.stringify(issuer.jwks()))
    expect((await inspect(es, ...TRUST, '--jwks', 'jwks.json')).code).toBe(0)
    const { out } = await inspect(es, ...TRUST, '--jwks', JWKS, '--secret-env', 'SECRET')
    expect(out).toContain('Passes: the token is good. User, organization and role are not asked here.')
  })

  it('without a key is never more than unknown', async () => {
    const token = await issuer.sign({}, { algorithm: 'HS256' })
    const { code, out } = await inspect(token, '--audience', issuer.audience)
    expect(code).toBe(3)
    expect(out).toContain('Looked at, not verified')
    expect((await inspect(token)).code).toBe(3)
    expect((await inspect(token, '--audience', 'another')).code).toBe(1)
  })

  it('a key server that fails is what could not be found out, with its URL and its status', async () => {
    const token = await issuer.sign({}, { algorithm: 'ES256' })
    const { code, out } = await inspect(token, ...TRUST, '--jwks', 'https://keys.test/gone.json?key=hunter22')
    expect(code).toBe(3)
    expect(out).toContain('https://keys.test/gone.json: 404')
    expect(out).not.toContain('hunter22')
    const metadata = await inspect(token, '--issuer', issuer.issuer, '--audience', issuer.audience)
    expect(metadata.code).toBe(3)
  })

  it('a forged signature and wrong claims are told side by side', async () => {
    const forged = (await issuer.sign({ aud: 'another', exp: NOW / 1000 - 60 }, { algorithm: 'HS256' })).slice(0, -8)
    const { code, out } = await inspect(`${forged}AAAAAAAA`, ...TRUST, '--secret-env', 'SECRET')
    expect(code).toBe(1)
    for (const name of ['signature', 'audience', 'expires']) expect(out).toMatch(new RegExp(` ✗ ${name} `))
    expect(out).toContain('token_signature_invalid, and 2 more would')
  })

  it('takes a list value by value, the keys of a test for those of a preset, and what it leaves out as meant', async () => {
    const page = 'http://localhost:5173'
    const clerks = await createTokenIssuer({
      issuer: 'https://clerk.example.com',
      algorithms: ['RS256'],
      clock: () => NOW,
    })
    writeFileSync(join(folder, 'clerk.json'), JSON.stringify(clerks.jwks()))
    const words = ['--preset', 'clerk', '--with', 'frontendApi=https://clerk.example.com', '--jwks', 'clerk.json']
    const session = { sub: 'user_1', sid: 'sess_1', aud: undefined }
    const ask = async (azp: string, ...parties: readonly string[]) =>
      inspect(
        await clerks.sign({ ...session, azp }),
        ...words,
        ...parties.flatMap((each) => ['--with', `authorizedParties=${each}`]),
      )
    const passed = await ask(page, page)
    expect([passed.code, passed.out]).toEqual([0, expect.not.stringContaining(' ! ')])
    expect((await ask(page, 'https://app.example.com', page)).code).toBe(0)
    const refused = await ask('https://evil.example', page)
    expect(refused.code).toBe(1)
    const said = refused.out.replaceAll(/\s+/g, ' ')
    expect(said).toContain(`wants azp ${page}; the token has azp https://evil.example`)
    expect(said).toContain('aud none azp https://evil.example ')
  })

  it('asks a secret that was named beside other keys of a preset, too', async () => {
    writeFileSync(join(folder, 'jwks.json'), JSON.stringify(issuer.jwks()))
    const project = ['--preset', 'supabase', '--with', 'url=https://abc.supabase.co', '--issuer', issuer.issuer]
    const keys = ['--audience', issuer.audience, '--jwks', 'jwks.json', '--secret-env', 'SECRET']
    for (const algorithm of ['HS256', 'ES256'] as const) {
      const { code, out } = await inspect(await issuer.sign({}, { algorithm }), ...project, ...keys)
      expect([algorithm, code, out]).toEqual([algorithm, 0, expect.stringContaining('signature  good')])
    }
  })

  it('prints of a host’s own reason nothing that a terminal obeys', async () => {
    const check = `check: () => { throw new AuthError('forbidden', { reason: 'no \\u001b[2J' }) }`
    const source = `{ kind: 'secret', secret: process.env.OWN_SECRET ?? '${issuer.secret}' }`
    const options = `{ issuer: '${issuer.issuer}', audience: '${issuer.audience}', keys: [${source}], ${check} }`
    writeFileSync(
      join(folder, 'own.mjs'),
      `import { AuthError } from 'sallyport'\nexport const issuers = [${options}]\n`,
    )
    const { code, out } = await inspect(await issuer.sign({}, { algorithm: 'HS256' }), '--config', 'own.mjs')
    expect([code, out]).toEqual([1, expect.stringContaining('403 forbidden, no \ufffd[2J.')])
  })

  it('says why a signature was not asked', async () => {
    const backwards = await issuer.sign({ iat: NOW / 1000, exp: NOW / 1000 - 60 }, { algorithm: 'ES256' })
    expect((await inspect(backwards, ...TRUST, '--jwks', JWKS)).out).toContain('it expires before it begins to be good')
    const away = await inspect(
      await issuer.sign({}, { algorithm: 'ES256' }),
      ...TRUST,
      '--jwks',
      'https://keys.test/gone.json',
    )
    expect(away.out).toContain('not asked: the keys can’t be had')
    const other = await createTokenIssuer({ issuer: issuer.issuer, algorithms: ['RS256'], clock: () => NOW })
    const token = await other.sign({ aud: issuer.audience })
    expect((await inspect(token, ...TRUST, '--jwks', JWKS, '--algorithm', 'ES256')).out).toContain(
      'no key of theirs fits',
    )
  })

  it('asks the rules of a preset only of what was verified', async () => {
    const url = 'https://abc.supabase.co'
    const own = await createTokenIssuer({ issuer: `${url}/auth/v1`, algorithms: ['HS256'], clock: () => NOW })
    const words = [
      'inspect',
      '-',
      '--preset',
      'supabase',
      '--with',
      `issuer=${url}/auth/v1`,
      '--secret-env',
      'SECRET',
      '--json',
    ]
    const setting = { env: { SECRET: own.secret }, now: NOW, fetch: served }
    const guest = await sallyport(words, { ...setting, input: await own.sign({ is_anonymous: true }) })
    expect([guest.code, JSON.parse(guest.out)]).toMatchObject([
      1,
      { verified: true, answer: { reason: 'anonymous_user' } },
    ])
    const stranger = await sallyport(words, { ...setting, env, input: await own.sign({ is_anonymous: true }) })
    expect(JSON.parse(stranger.out)).toMatchObject({ verified: false, answer: { reason: 'token_signature_invalid' } })
    expect(stranger.out).not.toContain('anonymous_user')
  })

  it('asks by the issuers of a config, of several by the one that the token names', async () => {
    const secret = JSON.stringify([{ kind: 'secret', secret: issuer.secret }])
    const own = `{ issuer: '${issuer.issuer}', audience: '${issuer.audience}', keys: ${secret} }`
    const other = `{ issuer: 'https://other.test', audience: null, keys: [{ kind: 'jwks', url: '${JWKS}' }] }`
    writeFileSync(join(folder, 'issuers.mjs'), `export const issuers = [${other}, ${own}]\n`)
    const ask = async (claims: Readonly<Record<string, unknown>>) =>
      inspect(await issuer.sign(claims, { algorithm: 'HS256' }), '--config', 'issuers.mjs')
    expect((await ask({})).code).toBe(0)
    const wrong = await ask({ aud: 'another', exp: NOW / 1000 - 60 })
    expect([wrong.code, wrong.out]).toEqual([1, expect.stringContaining('token_audience_other, and 1 more would')])
    const stranger = await ask({ iss: 'https://stranger.test', aud: 'another' })
    expect([stranger.code, stranger.out]).toEqual([1, expect.stringContaining('– audience')])
    expect((await inspect('a.b.c', '--config', 'issuers.mjs', '--audience', 'x')).code).toBe(2)
  })

  it.each([
    ['Bearer', 'bearer_token_missing'],
    ['Authorization: Bearer a b', 'bearer_token_malformed'],
    ['Basic YTpi', 'credential_missing'],
    ['eyJhbGciOiJIUzI1NiJ9.e30.AAAA', 'credential_missing'],
    ['Bearer undefined', 'token_not_a_jwt'],
  ])('the header %s is read as a service reads it', async (header, reason) => {
    const { code, out } = await sallyport(['inspect', '--header', header, '--json'])
    expect([code, JSON.parse(out)]).toMatchObject([1, { verdict: 'refused', answer: { reason } }])
  })

  it('a header with a line break is one that Node refuses', async () => {
    const token = await issuer.sign({}, { algorithm: 'HS256' })
    const ask = (header: string) =>
      sallyport(['inspect', '--header', header, ...TRUST, '--secret-env', 'SECRET'], { env, now: NOW })
    const { code, out } = await ask(`Bearer ${token}\n`)
    expect([code, out]).toEqual([1, expect.stringContaining('a line break or another control character in it')])
    expect((await ask(`Bearer ${token}`)).code).toBe(0)
  })

  it('prints no part of a token, no secret and no value of a claim, however it is asked', async () => {
    const claims = { sub: 'canary-subject', email: 'canary@example.test', scope: 'canary-scope', name: 'canary-name' }
    const token = await issuer.sign(claims, { algorithm: 'HS256' })
    for (const words of [[], ['--json'], [...TRUST, '--secret-env', 'SECRET'], ['--secret-env', 'SECRET', '--json']]) {
      const { out, complaint } = await inspect(token, ...words)
      for (const part of [...token.split('.'), issuer.secret, 'canary']) expect(out + complaint).not.toContain(part)
    }
  })

  it('--json has all its members, as the page has them', async () => {
    const result = JSON.parse((await inspect(await issuer.sign(), '--json')).out) as {
      readonly token: object
      readonly checks: readonly object[]
    }
    const [, page = ''] = readCommandPage().split('## `--json`')
    const table = [...page.matchAll(/^\| `(\w+)` \|(.*)/gm)]
    expect(Object.keys(result).sort()).toEqual(table.map(([, name]) => name).sort())
    const named = (member: string): string[] =>
      [...(table.find(([, name]) => name === member)?.[2] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
    expect(named('token')).toEqual(['inspect', ...Object.keys(result.token), 'null'])
    for (const check of result.checks) {
      expect(Object.keys(check)).toEqual(['name', 'state', 'says', 'reason', 'try'])
    }
  })

  it('on a terminal is coloured, unless NO_COLOR is set, and never wider than it', async () => {
    const token = await issuer.sign({ aud: ['https://a-very-long-audience.example/with/a/path', 'another'] })
    const on = (more: Record<string, string>) =>
      sallyport(['inspect', '-', ...TRUST, '--jwks', JWKS], {
        input: token,
        isTTY: true,
        now: NOW,
        fetch: served,
        env: more,
      })
    const [colored, plain] = [await on({}), await on({ NO_COLOR: '1' })]
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is taken out
    expect(colored.out.replace(/\u001b\[\d+m/g, '')).toBe(plain.out)
    expect(colored.out).toContain('\u001b[31m✗\u001b[39m')
    expect(plain.out.split('\n').filter((line) => line.length > 80)).toEqual([])
  })
})

describe('doctor', () => {
  const config = (name: string, text: string): string => {
    const source = new URL('../../src/', import.meta.url).href
    writeFileSync(join(folder, name), text.replaceAll('sallyport/', source))
    return name
  }
  const doctor = (...words: readonly string[]) => sallyport(['doctor', ...words], { now: NOW, fetch: served, folder })

  it('asks what a module exports, and says whom a storage that fails would hit', async () => {
    const failing = `{ users: { findByIdentity: async () => { throw Object.assign(new Error('hunter22'), { code: 'ECONNREFUSED' }) } } }`
    const name = config('failing.mjs', `export const storage = ${failing}\n`)
    const { code, out } = await doctor('--config', name)
    expect([code, out]).toEqual([1, expect.stringMatching(/ ✗ storage {3}it fails: ECONNREFUSED\n.*500/)])
    expect(out).not.toContain('hunter22')
  })

  it('takes a default export: an auth, or an object of parts', async () => {
    const auth = '{ warmUp: async () => {}, readiness: () => ({ isReady: true, down: [] }), close() {} }'
    expect((await doctor('--config', config('auth.mjs', `export default ${auth}\n`))).out).toMatch(/ ✓ auth +ready\n/)
    const down = auth.replace('down: []', "down: ['https://id.example']")
    const { code, out } = await doctor('--config', config('down.mjs', `export default { auth: ${down} }\n`), '--json')
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'refused',
      exitCode: 1,
      checks: expect.arrayContaining([expect.objectContaining({ name: 'auth', state: 'refused' })]),
    })
    expect(code).toBe(1)
  })

  it('a check that throws is a result, and the others are asked all the same', async () => {
    const text = `export default {
      auth: { warmUp: async () => { throw new TypeError('hunter22') }, readiness: () => null, close() {} },
      storage: { users: { findByIdentity: async () => null } },
    }\n`
    const { code, out } = await doctor('--config', config('throws.mjs', text))
    expect(code).toBe(3)
    expect(out).toContain('? auth      can’t be asked: TypeError')
    expect(out).toContain('✓ storage   it answers')
    expect(out).not.toContain('hunter22')
  })

  it('says by which option an issuer can’t be asked at all', async () => {
    const { code, out } = await doctor('--issuer', 'http://id.test', '--audience', 'api')
    expect(code).toBe(3)
    expect(out.replace(/\s+/g, ' ')).toContain('keys can’t be asked: createJwtVerifier: option "issuers.0.keys.0')
    expect(out.replace(/\s+/g, ' ')).toContain('https URL; http is for loopback hosts and those in `insecureHosts`')
  })

  it('says what was not asked, because the config does not export it', async () => {
    const auth = '{ warmUp: async () => {}, readiness: () => ({ isReady: true, down: [] }), close() {} }'
    const storage = '{ users: { findByIdentity: async () => null } }'
    const unaskedOf = async (name: string, parts: string) => {
      const { code, out } = await doctor('--config', config(name, `export default ${parts}\n`), '--json')
      expect(code).toBe(0)
      const { checks } = JSON.parse(out) as { checks: { name: string; state: string; try: string }[] }
      return checks.filter(({ state }) => state === 'skipped').map((check) => `${check.name} ${check.try}`)
    }
    expect(await unaskedOf('only-auth.mjs', `{ auth: ${auth} }`)).toEqual([
      'issuers `export const issuers = […]`, and `createAuth({ issuers, … })`',
      'storage `export const storage = …`',
      'database `export const pool = …` or `database`, unless the tables are your own',
    ])
    const issuers = `issuers: [{ issuer: null, audience: 'x', keys: [{ kind: 'jwks', url: '${JWKS}' }] }]`
    const whole = `{ auth: ${auth}, storage: ${storage}, ${issuers} }`
    expect(await unaskedOf('no-database.mjs', whole)).toEqual(['clock null', expect.stringMatching(/^database /)])
    const database = 'database: { prepare: () => ({ all: () => [], run: () => {} }), exec() {} }'
    const missing = `{ storage: ${storage}, ${issuers}, ${database} }`
    const said = await doctor('--config', config('no-auth.mjs', `export default ${missing}\n`), '--json')
    const checks = (JSON.parse(said.out) as { checks: { name: string; says: string; try: string }[] }).checks
    expect(
      checks.filter(({ says }) => says.includes('exports none')).map(({ name, ...more }) => [name, more.try]),
    ).toEqual([
      ['auth', '`export const auth = createAuth({ … })`'],
      ['roles', '`export const roles = […]`, and `createAuth({ roles, … })`'],
    ])
    const made = await doctor('--config', config('made.mjs', `export default { ...${missing}, customRoles: {} }\n`))
    expect(made.out).not.toMatch(/– roles/)
    expect((await doctor('--jwks', JWKS, '--audience', 'x')).out).not.toContain('exports none')
  })

  it('a config that throws what is wrong with its options is told so', async () => {
    const text = `const error = new Error('createAuth: option "issuers" is required')\nerror.name = 'OptionsError'\nthrow error\n`
    const { code, complaint } = await doctor('--config', config('wrong.mjs', text))
    expect([code, complaint]).toEqual([
      1,
      'sallyport doctor: the config throws: createAuth: option "issuers" is required\n',
    ])
    const broken = await doctor('--config', config('broken.mjs', `throw new Error('at //me:hunter22@h')\n`))
    expect(broken.code).toBe(3)
    expect(broken.complaint).not.toContain('hunter22')
    const nothing = await doctor('--config', config('nothing.mjs', 'throw null\n'))
    expect([nothing.code, nothing.complaint]).toEqual([3, 'sallyport doctor: the config can’t be loaded: null\n'])
  })

  it('says which migrations are pending, and that they have been run', async () => {
    const database = createSqlitePath()
    writeFileSync(database, '')
    const doctor = (...words: readonly string[]) => sallyport(['doctor', ...words], { now: NOW, fetch: served })
    const before = await doctor('--database', database)
    expect([before.code, before.out]).toEqual([1, expect.stringContaining('are pending: 1, 2')])
    expect((await sallyport(['migrate', 'up', '--database', database])).code).toBe(0)
    const after = await doctor('--database', database)
    expect([after.code, after.out]).toEqual([0, expect.stringContaining('All that was asked is well.')])
  })

  it('says which stored roles would be refused', async () => {
    const query = `export const database = {
      prepare: (text) => ({ all: () => (/GROUP BY role/.test(text) ? [{ role: 'Admin', count: 2 }] : []), run() {}, get() {} }),
      exec() {}, close() {},
    }\n`
    const roles = await doctor(
      '--config',
      config('roles.mjs', `${query}export const roles = { member: [], admin: ['member'] }\n`),
      '--json',
    )
    expect((JSON.parse(roles.out) as { checks: object[] }).checks).toContainEqual({
      ...{ name: 'roles', state: 'refused', reason: 'role_unknown' },
      says: 'memberships have Admin (2), there are member, admin',
      try: 'whoever has it is answered 403 role_unknown: upper and lower case?',
    })
  })

  it.each([
    [[], 'skipped', 'no table has one'],
    [[{ name: 'contacts', enabled: true, forced: false }], 'refused', 'they do not bind their owner on contacts'],
    [[{ name: 'contacts', enabled: true, forced: true }], 'warning', 'this connection’s role is bound by none'],
  ])('says of policies %j: %s', async (rows, state, says) => {
    const answers = `/pg_policy/.test(text) ? ${JSON.stringify(rows)} : /pg_roles/.test(text) ? [{ free: true }] : []`
    const text = `export const pool = { query: async (text) => ({ rows: ${answers} }) }\n`
    const { out } = await doctor('--config', config(`policies-${state}.mjs`, text), '--json')
    const policies = (JSON.parse(out) as { checks: { name: string }[] }).checks.find(({ name }) => name === 'policies')
    expect(policies).toMatchObject({ state, says: expect.stringContaining(says) })
  })

  it('asks a PostgreSQL for migrations, roles and policies', async () => {
    const database = await createTestDatabase('empty')
    expect((await sallyport(['migrate', 'up', '--database', database])).code).toBe(0)
    const pool = new pg.Pool({ connectionString: database, max: 1 })
    await pool.query('CREATE TABLE contacts (id int PRIMARY KEY, org_id uuid)')
    await pool.query(policySql({ table: 'contacts', column: 'org_id', system: 'none' }))
    await pool.query('CREATE TABLE notes (id int)').then(() => pool.query('CREATE POLICY mine ON notes USING (true)'))
    await pool.end()
    const { code, out } = await sallyport(['doctor', '--database', database])
    expect([code, out]).toEqual([1, expect.stringMatching(/✓ migrations {2}all \d+ have been run\n.*on notes\n/)])
  })

  it('a driver that is not there is what could not be found out', async () => {
    const { code, complaint } = await doctor('--database', 'postgres://127.0.0.1:1/none')
    expect([code, complaint]).toEqual([3, expect.stringContaining('npm install pg')])
  })

  it.each([
    [NOW - 3_600_000, 'this machine is 1 hour ahead of keys.test', 'token_expiry_passed'],
    [NOW + 60_000, 'this machine is 1 minute behind keys.test', 'token_issued_in_future'],
  ])('knows a clock that is off', async (theirs, says, reason) => {
    const fetch: typeof globalThis.fetch = async () =>
      Response.json(issuer.jwks(), { headers: { date: new Date(theirs).toUTCString() } })
    const words = ['doctor', '--jwks', JWKS, '--audience', 'x', '--json']
    const { code, out } = await sallyport(words, { now: NOW, fetch })
    expect(code).toBe(1)
    expect((JSON.parse(out) as { checks: object[] }).checks).toContainEqual(expect.objectContaining({ says, reason }))
  })

  it('tells an issuer that calls itself otherwise, and metadata that is not there', async () => {
    const trusted = ['--issuer', 'https://id.test/', '--audience', 'x']
    const named = async (issuer: string, ...words: readonly string[]) => {
      const fetch: typeof globalThis.fetch = async (url) =>
        String(url) === JWKS
          ? Response.json(keys)
          : issuer === ''
            ? new Response('', { status: 404 })
            : Response.json({ issuer, jwks_uri: JWKS, reason: 'none', asked: 'none' })
      const { out } = await sallyport(['doctor', ...trusted, ...words, '--json'], { now: NOW, fetch })
      return (JSON.parse(out) as { checks: { name: string; state: string; says: string; try: string }[] }).checks
    }
    const keys = issuer.jwks()
    expect(await named('https://id.test/')).toMatchObject([
      { name: 'metadata', state: 'passes' },
      { name: 'keys', state: 'passes', says: 'https://id.test/: 1 from its server' },
      { name: 'audience' },
      { name: 'clock' },
    ])
    const [other] = await named('https://id.test', '--jwks', JWKS)
    expect(other).toMatchObject({
      state: 'refused',
      reason: 'token_issuer_unknown',
      try: expect.stringContaining('a trailing slash?'),
    })
    const [none, found] = await named('', '--jwks', JWKS)
    expect([none, found]).toMatchObject([
      { state: 'skipped', says: expect.stringContaining(': 404; its keys') },
      { state: 'passes' },
    ])
    const [gone, lost] = await named('')
    expect([gone, lost]).toMatchObject([{ state: 'skipped' }, { state: 'refused', reason: 'key_servers_failing' }])
  })

  it('warns of an audience that is not checked', async () => {
    const { code, out } = await doctor('--jwks', JWKS)
    expect([code, out]).toEqual([0, expect.stringMatching(/ ! audience {2}any issuer: not checked/)])
  })

  it.each([
    ["clerk({ frontendApi, authorizedParties: ['https://app.test'] })", 'passes', 'by azp https://app.test'],
    ['clerk({ frontendApi, authorizedParties: null })', 'warning', 'not checked'],
    ["cognito({ userPoolId: 'eu-west-1_A', clientIds: ['c1'], tokens: 'access' })", 'passes', 'by client_id c1'],
    ['{ ...clerk({ frontendApi, authorizedParties: null }), accepts: () => false }', 'warning', 'not checked'],
    ["workos({ clientId: 'client_01HZX4' })", 'passes', 'by the keys of client_01HZX4 alone'],
    ["workos({ clientId: 'client_01HZX4', authDomain: 'auth.test' })", 'passes', 'by the keys of client_01HZX4 alone'],
    [
      "{ ...workos({ clientId: 'client_01HZX4' }), keys: [{ kind: 'jwks', url: 'https://x.test/k' }] }",
      'warning',
      'not checked',
    ],
    ["{ ...workos({ clientId: 'client_01HZX4' }), issuer: 'https://x.test' }", 'warning', 'not checked'],
    ["{ ...workos({ clientId: 'client_01HZX4' }), keys: [] }", 'warning', 'not checked'],
    ["{ issuer: 'https://x.test', keys: [], audience: null }", 'warning', 'not checked'],
  ])('of %s the audience %s', async (issuer, state, says) => {
    const text = `import { clerk, cognito, workos } from 'sallyport/verify/presets/index.ts'
const frontendApi = 'https://clerk.test'
export const issuers = [${issuer}]\n`
    const { out } = await doctor('--config', config(`party-${says.length}-${issuer.length}.mjs`, text), '--json')
    const { checks } = JSON.parse(out) as { checks: { name: string }[] }
    const found = checks.find(({ name }) => name === 'audience')
    expect(found).toMatchObject({ state, says: expect.stringContaining(says) })
  })
})

describe('keys', () => {
  it.each([
    ['session', /^[0-9a-f]{64}\n$/],
    ['secret', /^[\w-]{64}\n$/],
    ['service', /^[\w-]{43}\n$/],
    ['api-key --prefix itk', /^itk_\w{12}_\w{43}_\w{6}\n$/],
  ])('%s prints the secret alone, a new one each time, and its use beside it', async (words, form) => {
    const [one, other] = [
      await sallyport(['keys', ...words.split(' ')]),
      await sallyport(['keys', ...words.split(' ')]),
    ]
    expect(one.out).toMatch(form)
    expect(one.out).not.toBe(other.out)
    expect(one.complaint.length).toBeGreaterThan(40)
    expect(one.complaint).not.toContain(one.out.trim())
  })

  it('session is used under the name that the page of local login has', async () => {
    expect((await sallyport(['keys', 'session'])).complaint).toContain('process.env.SESSION_SECRET')
  })

  it.each(['ES256', 'RS256', 'EdDSA'])('a pair of %s signs, and its set verifies', async (algorithm) => {
    const { out } = await sallyport(['keys', 'pair', '--algorithm', algorithm, '--json'])
    const { privateJwk, jwks } = JSON.parse(out) as { privateJwk: JsonWebKey; jwks: { keys: JsonWebKey[] } }
    expect(Object.keys(jwks.keys[0] ?? {})).not.toContain('d')
    writeFileSync(join(folder, 'made.json'), JSON.stringify(jwks))
    const { SignJWT, importJWK } = await import('jose')
    const token = await new SignJWT({ sub: 'u1', aud: 'x', iss: 'https://id.test' })
      .setProtectedHeader({ alg: algorithm, kid: String(privateJwk['kid' as keyof JsonWebKey]) })
      .setExpirationTime(NOW / 1000 + 60)
      .sign(await importJWK(privateJwk as never, algorithm))
    expect((await inspect(token, '--issuer', 'https://id.test', '--audience', 'x', '--jwks', 'made.json')).code).toBe(0)
  })
})
