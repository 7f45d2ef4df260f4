// The README and the pages are kept true: every snippet is compiled under the project's strict settings and run, and the
// generated tables are as the code has them. The snippets of some pages are run beside this file.
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Express } from 'express'
import type { Hono } from 'hono'
import type pg from 'pg'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { SHOWN } from '../../scripts/readme-options.ts'
import { GENERATED, withTables } from '../../scripts/readme-tables.ts'
import type { Auth, HostTypes, Organization, User, UserResolver } from '../../src/index.ts'
import { createAuth, supabase } from '../../src/index.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { AuthStorage } from '../../src/storage/repositories.ts'
import { type SupabaseIssuer, startSupabaseIssuer, testIdentity } from '../../src/testing/index.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'
import { createTestDatabase } from '../postgres.ts'
import { compileSnippets } from './compile-snippets.ts'
import { examples } from './examples.ts'
import { openSnippets, PAGES, printedSnippets, snippet, snippets } from './snippets.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { path: folder, load, remove } = openSnippets()

let issuer: SupabaseIssuer
let token: string
const servers: Server[] = []
const afterEnd: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  issuer = await startSupabaseIssuer({
    users: [
      { email: 'ada@example.test', password: 'correct horse battery' },
      { email: 'bot@example.com', password: 'correct horse battery' },
    ],
  })
  process.env['SUPABASE_URL'] = issuer.url
  process.env['PORT'] = '0'
  process.env['SUPABASE_JWT_SECRET'] = 'a legacy secret of thirty-two bytes or more'
  process.env['TELEPHONY_SECRET'] = 'a telephony secret of the readme'.replaceAll(' ', '-')
  token = await issuer.tokens.sign(
    issuer.tokens.supabaseClaims({ sub: crypto.randomUUID(), email: 'ada@example.test' }),
  )
})

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await issuer.close()
  for (const end of afterEnd) await end()
  remove()
})

async function serve(handler: Parameters<typeof createServer>[1] | Server): Promise<string> {
  const server = typeof handler === 'function' ? createServer(handler) : (handler as Server)
  servers.push(server)
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const bearer = (credential: string): { authorization: string } => ({ authorization: `Bearer ${credential}` })

// What a snippet imports from the package, and what it takes out of what those give.
function namesOfOurs(code: string): string[] {
  const { statements } = ts.createSourceFile('snippet.ts', code, ts.ScriptTarget.Latest, true)
  const imported = statements.filter(ts.isImportDeclaration).flatMap(({ importClause, moduleSpecifier }) => {
    const bindings = importClause?.namedBindings
    const isOurs = /^sallyport(\/|$)/.test((moduleSpecifier as ts.StringLiteral).text)
    return isOurs && bindings !== undefined && ts.isNamedImports(bindings)
      ? bindings.elements.map(({ name }) => name.text)
      : []
  })
  const declared = statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => declarationList.declarations)
  const taken = declared.flatMap(({ name, initializer }) => {
    const isOurs = initializer !== undefined && imported.some((each) => initializer.getText().startsWith(each))
    return isOurs && ts.isObjectBindingPattern(name) ? name.elements.map((element) => element.name.getText()) : []
  })
  return [...imported, ...taken]
}

type Asked = (...given: string[]) => Promise<unknown>

interface PostgresSnippet {
  readonly pool: pg.Pool
  readonly users: UserResolver
  readonly storage: AuthStorage
}

interface ContactsSnippet {
  readonly policies: string
  listContacts(context: object): Promise<unknown>
  countContacts(): Promise<unknown>
}

interface CacheSnippet {
  readonly auth: Auth<HostTypes<string, User, Organization, never, never>>
  removeMember(orgId: string, userId: string): Promise<void>
}

interface Raw {
  $queryRawUnsafe(text: string, ...values: unknown[]): Promise<unknown>
}

interface PrismaSnippet {
  inOrg<T>(prisma: ReturnType<typeof prismaOn>, context: object, work: (tx: Raw) => Promise<T>): Promise<T>
}

// What of Prisma's client the snippet asks for: a transaction on one connection, raw queries in it.
function prismaOn(pool: pg.Pool) {
  return {
    async $transaction<T>(work: (tx: Raw) => Promise<T>): Promise<T> {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        const tx: Raw = { $queryRawUnsafe: async (text, ...values) => (await client.query(text, values)).rows }
        const result = await work(tx)
        await client.query('COMMIT')
        return result
      } finally {
        client.release()
      }
    },
  }
}

describe('snippets', () => {
  it('have a name of their own each, over all pages: where one is printed twice, it is the same', () => {
    expect(snippets.length).toBeGreaterThan(12)
    expect(new Set(printedSnippets.map(({ name, code }) => `${name}\n${code}`)).size).toBe(snippets.length)
    for (const { text } of PAGES) expect(text.match(/^```(?:ts|js|typescript|javascript)$/gm)).toBeNull()
  })

  it('compile under the strictest settings, and so do the examples of the docstrings', () => {
    expect(examples.length).toBeGreaterThan(100)
    expect(compileSnippets(folder, '@typescript/native')).toEqual([])
  })

  it.each(['express', 'koa', 'hono'])('%s: the first route knows at most six names of ours', (framework) => {
    const names = [...namesOfOurs(snippet('auth.ts').code), ...namesOfOurs(snippet(`${framework}.ts`).code)]
    expect(names).toEqual(['createAuth', 'supabase', 'createMemoryStorage', 'createAdapter', 'protect'])
    expect(names.length).toBeLessThanOrEqual(6)
  })

  it.each(['express.ts', 'koa.ts', 'hono.ts'])('%s: answers who calls, and refuses without a token', async (name) => {
    const base = await serve((await load<{ server: Server }>(name)).server)
    expect((await fetch(`${base}/api/me`)).status).toBe(401)
    const answer = await fetch(`${base}/api/me`, { headers: bearer(token) })
    expect(answer.headers.get('x-org-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(await answer.json()).toEqual({ user: 'ada@example.test', org: 'ada@example.test', role: 'owner' })
    expect((await fetch(`${base}/api/nothing`)).status).toBe(404)
  })

  it('long.ts: the long form answers what the short one does, byte for byte', async () => {
    const short = await serve((await load<{ server: Server }>('express.ts')).server)
    const long = await serve((await load<{ app: Express }>('long.ts')).app)
    const { storage } = await load<{ storage: AuthStorage }>('auth.ts')
    const sign = (claims: object): Promise<string> =>
      issuer.tokens.sign(issuer.tokens.supabaseClaims({ sub: 'long', email: 'long@example.test', ...claims }))
    const own = bearer(await sign({}))
    const ask = async (base: string, headers: Record<string, string>): Promise<unknown> => {
      const answer = await fetch(`${base}/api/me`, { headers })
      const { date: _, ...lines } = Object.fromEntries(answer.headers)
      return { status: answer.status, lines, body: await answer.text() }
    }
    const statuses: unknown[] = []
    const bothAnswer = async (headers: Record<string, string>): Promise<void> => {
      const answer = await ask(short, headers)
      expect(await ask(long, headers)).toEqual(answer)
      statuses.push((answer as { status: number }).status)
    }
    // Whichever is asked first makes the user: no other person is looked at until then.
    const made = [bearer(await sign({ sub: 'first-short' })), bearer(await sign({ sub: 'first-long' }))] as const
    const [first, second] = [await ask(short, made[0]), await ask(long, made[1])] as { status: number; body: string }[]
    expect([second?.status, second?.body]).toEqual([first?.status, first?.body])
    for (const headers of [
      {},
      { authorization: 'Basic eDp5' },
      { authorization: 'Bearer' },
      bearer('x.y.z'),
      bearer(await sign({ exp: Math.floor(Date.now() / 1000) - 60 })),
      bearer(await sign({ aud: 'another' })),
      bearer(await sign({ is_anonymous: true })),
      bearer(await sign({ client_id: 'an app' })),
      own,
      { ...own, 'x-org-id': 'nonsense' },
      { ...own, 'x-org-id': crypto.randomUUID() },
    ]) {
      await bothAnswer(headers)
    }
    expect(statuses).toEqual([401, 401, 400, 401, 401, 401, 403, 403, 200, 400, 403])
    const found = await storage.users.findByIdentity({ issuer: issuer.issuer, subject: 'long' }, { kind: 'unnamed' })
    const org = await storage.orgs.insert({ name: 'second' })
    await storage.memberships.insert({ orgId: org.id, userId: String(found?.user.id), role: 'member' })
    await bothAnswer(own)
    await bothAnswer({ ...own, 'x-org-id': org.id })
    expect(statuses.slice(-2)).toEqual([400, 200])
  })

  it('routes.ts: reads the context of its mount, the organization of the path, a typed body, and answers what a plain handler refuses', async () => {
    const base = await serve((await load<{ app: Express }>('routes.ts')).app)
    const headers = bearer(token)
    const me = await fetch(`${base}/api/me`, { headers })
    expect(await me.json()).toEqual({ user: 'ada@example.test', org: 'ada@example.test', role: 'owner' })
    const add = async (body: object, named = me.headers.get('x-org-id')): Promise<unknown[]> => {
      const json = { ...headers, 'content-type': 'application/json' }
      const init = { method: 'POST', headers: json, body: JSON.stringify(body) }
      const answer = await fetch(`${base}/orgs/${named}/members`, init)
      return [answer.status, await answer.json()]
    }
    const { storage } = await load<{ storage: AuthStorage }>('auth.ts')
    const { user } = await storage.users.upsertByIdentity({ issuer: issuer.issuer, subject: 'bob', email: null })
    const member = { user_id: user.id, role: 'member' }
    expect(await add(member)).toEqual([201, member])
    expect(await add({ ...member, role: 'owner' })).toMatchObject([400, { error: { field: 'role' } }])
    expect(await add(member, crypto.randomUUID())).toMatchObject([403, { error: { code: 'forbidden' } }])
    expect(await add(member, 'nonsense')).toMatchObject([400, { error: { code: 'invalid_org_id' } }])
    const deleted = await fetch(`${base}/api/org`, { method: 'DELETE', headers })
    expect([deleted.status, await deleted.json()]).toEqual([200, { deleted: me.headers.get('x-org-id') }])
    const missing = await fetch(`${base}/api/nothing`, { headers })
    expect(missing.headers.get('cache-control')).toBe('no-store')
    const error = { code: 'not_found', message: 'There is no such resource.' }
    expect([missing.status, await missing.json()]).toEqual([404, { error }])
  })

  it('idp.ts: prints a project and a token that the first route takes', async () => {
    const lines: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)))
    const { project } = await load<{ project: SupabaseIssuer }>('idp.ts').finally(() => log.mockRestore())
    afterEnd.push(() => project.close())
    const [, url, printed] = /^export SUPABASE_URL=(\S+)\nexport TOKEN=(\S+)$/.exec(lines[0] ?? '') ?? []
    const storage = createMemoryStorage()
    const auth = createAuth({ issuers: [supabase({ url })], storage, roles: ['member', 'owner'] })
    const context = await auth.authenticate(fakeRequest({ headers: bearer(printed ?? '') }))
    expect(context).toMatchObject({ user: { email: 'ann@example.com' }, role: 'owner' })
  })

  it('own-claims.ts: is built', async () => {
    expect(await load<object>('own-claims.ts')).toHaveProperty('me.path', '/me')
  })

  it('users.ts, verifier.ts, decisions.ts: are built', async () => {
    expect(await load<object>('users.ts')).toHaveProperty('syncRoute.path', '/auth/sync')
    expect(await load<object>('verifier.ts')).toHaveProperty('verifier.verify')
    expect(await load<object>('decisions.ts')).toHaveProperty('onDecision')
  })

  it('services.ts: lets its service in by the secret, and by no other', async () => {
    const { storage } = await load<{ storage: { orgs: { insert(org: object): Promise<{ id: string }> } } }>('auth.ts')
    const org = await storage.orgs.insert({ name: 'acme' })
    const previous = 'the-secret-that-the-readme-had-before'
    process.env['TELEPHONY_SECRET_PREVIOUS'] = previous
    const base = await serve((await load<{ app: Express }>('services.ts')).app)
    const book = (headers: Record<string, string>, orgId: unknown = org.id): Promise<Response> =>
      fetch(`${base}/internal/bookings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ org_id: orgId }),
      })
    const secret = { 'x-telephony-secret': process.env['TELEPHONY_SECRET'] as string }
    const answer = await book(secret)
    expect([answer.status, await answer.json()]).toEqual([201, { booked: org.id }])
    expect(await (await book(secret, '')).json()).toMatchObject({ error: { code: 'invalid_org_id' } })
    expect(await (await book(secret, 1)).json()).toMatchObject({ error: { code: 'validation_error', field: 'org_id' } })
    expect((await book({ 'x-telephony-secret': previous })).status).toBe(201)
    expect((await book({ 'x-telephony-secret': 'wrong' })).status).toBe(401)
    expect((await book({ 'x-billing-secret': previous })).status).toBe(401)
    expect((await book({})).status).toBe(401)
  })

  it('machine.ts: signs in, calls a service, says what happened', async () => {
    process.env['SUPABASE_ANON_KEY'] = 'an-anon-key'
    process.env['BOT_PASSWORD'] = 'correct horse battery'
    process.env['API_URL'] = await serve((await load<{ server: Server }>('express.ts')).server)
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const { client, whoAmI } = await load<{ client: { close(): void }; whoAmI(): Promise<unknown> }>('machine.ts')
    try {
      expect(await whoAmI()).toEqual({ user: 'bot@example.com', org: 'bot@example.com', role: 'owner' })
      expect(log.mock.calls).toMatchObject([[{ type: 'renewed', source: 'password', expiresInSeconds: 3600 }]])
    } finally {
      client.close()
      log.mockRestore()
    }
  })

  it('api-keys.ts: a key that its owner issued reads, until it is revoked', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const base = await serve((await load<{ app: Express }>('api-keys.ts')).app)
    const call = (path: string, init: RequestInit = {}, bearer = token): Promise<Response> =>
      fetch(`${base}${path}`, { ...init, headers: { ...init.headers, authorization: `Bearer ${bearer}` } })
    const body = JSON.stringify({ name: 'nightly export' })
    const issued = await call('/api/keys', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const { data } = (await issued.json()) as { data: { id: string; key: string } }
    expect([issued.status, data.key.startsWith('acme_')]).toEqual([201, true])
    expect(await (await call('/api/contacts', {}, data.key)).json()).toMatchObject({ as: 'apiKey' })
    expect((await call('/api/keys', {}, data.key)).status).toBe(403)
    for (const status of [204, 404]) {
      expect((await call(`/api/keys/${data.id}`, { method: 'DELETE' })).status).toBe(status)
    }
    expect((await call('/api/contacts', {}, data.key)).status).toBe(401)
    expect(log.mock.calls.slice(0, 2).map(([kind, id]) => [kind, id === data.id])).toEqual([
      ['api_key_issued', true],
      ['api_key_revoked', true],
    ])
    log.mockRestore()
  })

  it('login.ts, login-teams.ts: the announced password logs in, its session is let in; an account is invited into an organization', async () => {
    process.env['SESSION_SECRET_FILE'] = `${folder}.session_secret`
    const lines: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((...words) => void lines.push(words.join(' ')))
    const { app } = await load<{ app: Hono }>('login.ts')
    await load('login-teams.ts') // before the first request: Hono takes no further routes then
    log.mockRestore()
    const [, password] = /^admin@example\.com created, password: (\S+)$/.exec(lines.join('\n')) ?? []
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ email: 'admin@example.com', password })
    const answer = await app.request('/api/v1/auth/login', { method: 'POST', headers, body })
    const { token: session } = (await answer.json()) as { token: string }
    expect((await app.request('/api/v1/reports')).status).toBe(401)
    const report = await app.request('/api/v1/reports', { headers: { authorization: `Bearer ${session}` } })
    expect(await report.json()).toEqual({ for: 'admin@example.com', role: 'admin' })

    const call = async (path: string, session: string, body?: object) => {
      const method = body === undefined ? 'GET' : 'POST'
      const init = { method, headers: { ...headers, ...bearer(session) }, body: body && JSON.stringify(body) }
      const answered = await app.request(path, init as RequestInit)
      return { status: answered.status, body: JSON.parse((await answered.text()) || 'null') }
    }
    const bob = { email: 'bob@example.com', password: 'a long and odd sentence', role: 'viewer' }
    expect((await call('/api/v1/users', session, bob)).status).toBe(201)
    expect((await call('/api/invitations', session, { email: bob.email, role: 'member' })).status).toBe(201)
    expect((await call('/api/v1/team', session)).body).toEqual({ org: 'admin@example.com', role: 'owner' })
    const { token: theirs } = (await call('/api/v1/auth/login', '', bob)).body
    const { invitations } = (await call('/api/invitations/mine', theirs)).body
    const { membership } = (await call(`/api/invitations/${invitations[0].id}/accept`, theirs, {})).body
    expect(membership).toMatchObject({ org: { name: 'admin@example.com' }, role: 'member' })
    expect((await call('/api/v1/auth/logout', theirs, {})).status).toBe(204)
    expect((await call('/api/invitations/mine', theirs)).status).toBe(401)
  })

  it('postgres.ts, contacts.ts, prisma.ts: on a real PostgreSQL, the hook’s row and the policies hold', async () => {
    process.env['DATABASE_URL'] = await createTestDatabase('empty')
    const { pool, users, storage } = await load<PostgresSnippet>('postgres.ts')
    afterEnd.push(() => pool.end())
    await pool.query('CREATE TABLE tenants (org_id uuid PRIMARY KEY)')
    const { policies, listContacts, countContacts } = await load<ContactsSnippet>('contacts.ts')
    await pool.query(`CREATE TABLE contacts (org_id uuid NOT NULL, name text NOT NULL); ${policies}`)
    const contexts = []
    for (const subject of ['ada', 'bob']) {
      const { user } = await users(testIdentity({ subject }), { kind: 'unnamed' })
      const [acting] = await storage.memberships.listActing({ kind: 'user', user })
      const org = { id: String(acting?.org.id) }
      await pool.query('INSERT INTO contacts VALUES ($1, $2)', [org.id, `of ${subject}`])
      contexts.push({ kind: 'user' as const, user, org, role: 'owner' })
    }
    expect((await pool.query('SELECT 1 FROM tenants')).rows).toHaveLength(2)
    const [ada, bob] = contexts as [(typeof contexts)[0], (typeof contexts)[0]]
    expect([await listContacts(ada), await listContacts(bob)]).toEqual([[{ name: 'of ada' }], [{ name: 'of bob' }]])
    expect(await countContacts()).toBe(2)
    const byDrizzle = await load<Pick<ContactsSnippet, 'listContacts'>>('drizzle-contacts.ts')
    expect(await byDrizzle.listContacts(bob)).toMatchObject([{ name: 'of bob' }])
    const { inOrg } = await load<PrismaSnippet>('prisma.ts')
    const names = await inOrg(prismaOn(pool), bob, (tx) => tx.$queryRawUnsafe('SELECT name FROM contacts'))
    expect(names).toEqual([{ name: 'of bob' }])
    await pool.query('DROP OWNED BY tenant')
  })

  it('sqlite.ts: a first login writes the hook’s row', async () => {
    process.env['DATABASE_FILE'] = `${folder}readme.db`
    const { users, countTenants } = await load<Pick<PostgresSnippet, 'users'> & { countTenants(): Promise<number> }>(
      'sqlite.ts',
    )
    for (const subject of ['ada', 'bob', 'ada']) await users(testIdentity({ subject }), { kind: 'unnamed' })
    expect(await countTenants()).toBe(2)
  })

  it('notes.ts and cache.ts: another organization’s is not found, a removed member is out', async () => {
    const { notes } = await load<{ notes: (context: { org: { id: string } }) => Record<string, Asked> }>('notes.ts')
    const [own, other] = ['one', 'two'].map((id) => notes({ org: { id } })) as [
      Record<string, Asked>,
      Record<string, Asked>,
    ]
    await own['insert']?.('n', 'text')
    for (const asked of [other['find']?.('n'), other['remove']?.('n'), own['find']?.('x')]) {
      await expect(asked).rejects.toMatchObject({ code: 'not_found' })
    }
    expect([await own['find']?.('n'), await own['remove']?.('n')]).toMatchObject([{ text: 'text' }, true])

    const { auth, removeMember } = await load<CacheSnippet>('cache.ts')
    const cached = await issuer.tokens.sign(issuer.tokens.supabaseClaims({ sub: 'cached' }))
    const enter = () => auth.authenticate(fakeRequest({ headers: bearer(cached) }))
    const { user, org } = await enter()
    await enter()
    await removeMember(org.id, user.id)
    await expect(enter()).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('cors.ts: a real preflight is answered, the response header is exposed', async () => {
    const base = await serve((await load<{ app: Express }>('cors.ts')).app)
    const preflight = await fetch(`${base}/api/me`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization,x-org-id',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
    const refused = await fetch(`${base}/api/me`, { headers: { origin: 'https://app.example.com' } })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('access-control-expose-headers')).toBe('X-Org-Id,WWW-Authenticate,Retry-After')
  })
})

describe('the generated tables', () => {
  it.each(GENERATED)('%s has them as the code does (npm run pages writes them)', async (path) => {
    const page = readFileSync(`${root}${path}`, 'utf8')
    expect(page).toMatch(/<!-- [\w-]+ -->/)
    expect(await withTables(page)).toBe(page)
  })

  it('have every option of every function', () => {
    const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    const sources = files.filter((name) => name.endsWith('.ts') && !name.startsWith('testing/'))
    const options = sources.flatMap((name) => {
      const text = readFileSync(`${root}src/${name}`, 'utf8')
      return [...text.matchAll(/\/\*\* Options of (?:(?!\*\/)[\s\S])*\*\/\nexport interface (\w+)/g)].map(
        ([, option]) => option as string,
      )
    })
    expect(options.length).toBeGreaterThan(25)
    expect(options.filter((name) => !SHOWN.has(name))).toEqual([])
  })
})
