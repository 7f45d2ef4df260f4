/**
 * The three systems while their database is away: every route that asks it is 503 with Retry-After and one line in the log,
 * what is public answers, and all of it is back by itself.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AppName, SERVICE_SECRET, subjectOf, type World } from '../../examples/demo/world.ts'
import { until } from '../patience.ts'
import { type Cluster, startCluster } from '../postgres-cluster.ts'
import { SQLITE_DRIVERS } from '../sqlite.ts'
import { type AppProcess, openWorldOf } from './app-process.ts'

const SYSTEMS = ['iron', 'intello', 'ironflow'] as const
type System = (typeof SYSTEMS)[number]

/** A request to one route. */
interface Ask {
  readonly system: System
  /** `GET /path`. */
  readonly line: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
  /** What is answered while the database is there. */
  readonly status: number
  /** Whether it asks the database nothing. */
  readonly isPublic?: boolean
}

const PASSWORD = 'four unlikely words here'
const UNAVAILABLE = '{"error":{"code":"temporarily_unavailable","message":"The service is busy, try again shortly."}}'
const SQLITE_FILES = { iron: 'iron-crm.db', intello: 'intello.db', ironflow: 'ironflow.db' } as const

async function send(world: World, { system, line, headers, body }: Ask): Promise<Response> {
  const [method = '', path = ''] = line.split(' ')
  const json = body === undefined ? {} : { body: JSON.stringify(body) }
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  return fetch(world.urlOf(system) + path, { method, headers: { ...headers, ...type }, ...json })
}

// biome-ignore lint/suspicious/noExplicitAny: answers of six kinds, read by what is expected of them
type Json = any

/** Everything that the requests below name is there: people, an organization, resources, keys, sessions. */
async function prepare(world: World): Promise<readonly Ask[]> {
  const made = async (ask: Omit<Ask, 'status'>, status: number): Promise<Json> => {
    const response = await send(world, { ...ask, status })
    expect([ask.line, response.status]).toEqual([ask.line, status])
    return response.status === 204 ? null : response.json()
  }
  return [
    ...(await prepareIron(world, made)),
    ...(await prepareIntello(world, made)),
    ...(await prepareIronflow(made, world)),
  ]
}

type Made = (ask: Omit<Ask, 'status'>, status: number) => Promise<Json>
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

async function prepareIron(world: World, made: Made): Promise<readonly Ask[]> {
  const system = 'iron'
  const [ada, bob, cid, eve, fay] = await Promise.all(
    ['ada', 'bob', 'cid', 'eve', 'fay'].map(async (who) => bearer(await world.token(system, who))),
  )
  const [headers, stranger] = [ada as Record<string, string>, eve as Record<string, string>]
  const seam = { 'x-iron-crm-secret': SERVICE_SECRET }
  const { org } = await made({ system, line: 'GET /api/v1/me', headers }, 200)
  const [first, second] = await Promise.all(
    [bob, cid].map((each) => made({ system, line: 'GET /api/v1/me', headers: each as Record<string, string> }, 200)),
  )
  const members = `/api/v1/orgs/${org.id}/members`
  await made({ system, line: `POST ${members}`, headers, body: { user_id: first.user.id, role: 'member' } }, 201)
  const invite = async (who: string): Promise<string> => {
    const body = { email: `${who}@example.test`, role: 'member' }
    return (await made({ system, line: 'POST /api/v1/invitations', headers, body }, 201)).invitation.id
  }
  const [revoked, taken] = [await invite('gus'), await invite('fay')]
  const { contact } = await made({ system, line: 'POST /api/v1/contacts', headers, body: { name: 'Grace' } }, 201)
  return [
    { system, line: 'GET /health', headers: {}, status: 200, isPublic: true },
    { system, line: 'GET /api/v1/me', headers, status: 200 },
    { system, line: 'GET /api/v1/me', headers: { ...headers, 'x-org-id': org.id }, status: 200 },
    { system, line: 'GET /api/v1/me', headers: stranger, status: 200 },
    { system, line: 'GET /api/v1/orgs', headers, status: 200 },
    { system, line: `POST ${members}`, headers, body: { user_id: second.user.id, role: 'member' }, status: 201 },
    { system, line: `GET ${members}`, headers, status: 200 },
    { system, line: `PATCH ${members}/${first.user.id}`, headers, body: { role: 'admin' }, status: 200 },
    { system, line: `DELETE ${members}/${first.user.id}`, headers, status: 204 },
    { system, line: 'GET /api/v1/invitations', headers, status: 200 },
    { system, line: 'GET /api/v1/invitations/mine', headers, status: 200 },
    { system, line: `DELETE /api/v1/invitations/${revoked}`, headers, status: 204 },
    {
      system,
      line: `POST /api/v1/invitations/${taken}/accept`,
      headers: fay as Record<string, string>,
      status: 200,
    },
    {
      system,
      line: 'POST /api/v1/invitations',
      headers,
      body: { email: 'new@example.test', role: 'member' },
      status: 201,
    },
    { system, line: 'GET /api/v1/contacts', headers, status: 200 },
    { system, line: 'POST /api/v1/contacts', headers, body: { name: 'Alan' }, status: 201 },
    { system, line: `GET /api/v1/contacts/${contact.id}`, headers, status: 200 },
    { system, line: `DELETE /api/v1/contacts/${contact.id}`, headers, status: 204 },
    { system, line: 'GET /api/v1/pipelines', headers, status: 200 },
    { system, line: 'GET /api/v1/bookings', headers, status: 200 },
    { system, line: 'POST /internal/bookings', headers: seam, body: { org_id: org.id, title: 'a room' }, status: 201 },
  ]
}

async function prepareIntello(world: World, made: Made): Promise<readonly Ask[]> {
  const system = 'intello'
  const headers = bearer(await world.token(system, 'ada'))
  const stranger = bearer(await world.token(system, 'eve'))
  const mover = bearer(await world.token(system, 'fay'))
  await made({ system, line: 'POST /auth/sync', headers }, 201)
  await made({ system, line: 'POST /auth/sync', headers: mover }, 201)
  const invite = async (who: string): Promise<string> => {
    const body = { email: `${who}@example.test`, role: 'member' }
    return (await made({ system, line: 'POST /api/invitations', headers, body }, 201)).data.id
  }
  const [withdrawn, taken] = [await invite('gus'), await invite('fay')]
  const dependency = async (): Promise<string> =>
    (await made({ system, line: 'POST /api/dependencies', headers, body: { name: 'left-pad' } }, 201)).data.id
  const key = async (): Promise<Json> =>
    (
      await made(
        {
          system,
          line: 'POST /api/keys',
          headers,
          body: { name: 'ci', scopes: ['dependencies:read', 'dependencies:write'] },
        },
        201,
      )
    ).data
  const [one, two] = [await dependency(), await dependency()]
  const [used, rotated, revoked] = [await key(), await key(), await key()]
  const byKey = bearer(used.key)
  return [
    { system, line: 'GET /health', headers: {}, status: 200, isPublic: true },
    { system, line: 'POST /auth/sync', headers, status: 200 },
    { system, line: 'POST /auth/sync', headers: stranger, status: 201 },
    { system, line: 'GET /api/me', headers, status: 200 },
    {
      system,
      line: 'POST /api/invitations',
      headers,
      body: { email: 'new@example.test', role: 'viewer' },
      status: 201,
    },
    { system, line: 'GET /api/invitations', headers, status: 200 },
    { system, line: 'GET /api/invitations/mine', headers: mover, status: 200 },
    { system, line: `DELETE /api/invitations/${withdrawn}`, headers, status: 204 },
    { system, line: `POST /api/invitations/${taken}/accept`, headers: mover, status: 200 },
    { system, line: 'GET /internal/stats', headers: { 'x-platform-api-key': SERVICE_SECRET }, status: 200 },
    ...[headers, byKey].flatMap((who, index): Ask[] => [
      { system, line: 'GET /api/dependencies', headers: who, status: 200 },
      { system, line: 'POST /api/dependencies', headers: who, body: { name: 'is-odd' }, status: 201 },
      { system, line: `GET /api/dependencies/${[one, two][index]}`, headers: who, status: 200 },
      { system, line: `DELETE /api/dependencies/${[one, two][index]}`, headers: who, status: 204 },
    ]),
    { system, line: 'GET /api/keys', headers, status: 200 },
    { system, line: 'POST /api/keys', headers, body: { name: 'another' }, status: 201 },
    { system, line: `POST /api/keys/${rotated.id}/rotate`, headers, body: {}, status: 200 },
    { system, line: `DELETE /api/keys/${revoked.id}`, headers, status: 204 },
  ]
}

async function prepareIronflow(made: Made, world: World): Promise<readonly Ask[]> {
  const system = 'ironflow'
  const login = 'POST /api/v1/auth/login'
  const signIn = async (email: string, password: string): Promise<Record<string, string>> =>
    bearer((await made({ system, line: login, headers: {}, body: { email, password } }, 200)).token)
  const headers = await signIn('admin@ironflow.local', world.kept.get('ironflow.password') ?? '')
  const person = async (name: string): Promise<string> => {
    const body = { email: `${name}@example.test`, password: PASSWORD, role: 'viewer' }
    return (await made({ system, line: 'POST /api/v1/users', headers, body }, 201)).user.id
  }
  const [, changed, removed] = [await person('vera'), await person('carl'), await person('dora')]
  const [vera, leaving] = [await signIn('vera@example.test', PASSWORD), await signIn('vera@example.test', PASSWORD)]
  const key = async (): Promise<Json> =>
    made({ system, line: 'POST /api/v1/api-keys', headers, body: { name: 'worker', role: 'developer' } }, 201)
  const [used, revoked] = [await key(), await key()]
  const byKey = bearer(used.key)
  const asCookie = { cookie: `ironflow_dashboard_token=${headers['authorization']?.slice('Bearer '.length)}` }
  return [
    { system, line: 'GET /', headers: {}, status: 200, isPublic: true },
    { system, line: 'GET /dashboard/main.js', headers: {}, status: 200, isPublic: true },
    { system, line: 'GET /health', headers: {}, status: 200, isPublic: true },
    { system, line: 'GET /api/v1/capabilities', headers: {}, status: 200, isPublic: true },
    { system, line: login, headers: {}, body: { email: 'vera@example.test', password: PASSWORD }, status: 200 },
    { system, line: 'GET /api/v1/auth/validate', headers, status: 200 },
    { system, line: 'GET /api/v1/auth/validate', headers: asCookie, status: 200 },
    { system, line: 'GET /api/v1/me', headers, status: 200 },
    { system, line: 'GET /api/v1/environments', headers, status: 200 },
    ...[headers, byKey].flatMap((who): Ask[] => [
      { system, line: 'GET /api/v1/functions', headers: who, status: 200 },
      { system, line: 'POST /api/v1/functions', headers: who, body: { name: 'resize' }, status: 201 },
    ]),
    { system, line: 'GET /api/v1/users', headers, status: 200 },
    {
      system,
      line: 'POST /api/v1/users',
      headers,
      body: { email: 'new@example.test', password: PASSWORD, role: 'viewer' },
      status: 201,
    },
    { system, line: `PATCH /api/v1/users/${changed}`, headers, body: { role: 'developer' }, status: 200 },
    { system, line: `DELETE /api/v1/users/${removed}`, headers, status: 204 },
    { system, line: 'GET /api/v1/api-keys', headers, status: 200 },
    { system, line: 'POST /api/v1/api-keys', headers, body: { name: 'k', role: 'viewer' }, status: 201 },
    { system, line: `GET /api/v1/api-keys/${used.api_key.id}`, headers, status: 200 },
    { system, line: `DELETE /api/v1/api-keys/${revoked.api_key.id}`, headers, status: 204 },
    { system, line: 'POST /api/v1/auth/logout', headers: leaving, status: 204 },
    {
      system,
      line: 'POST /api/v1/auth/password',
      headers: vera,
      body: { current_password: PASSWORD, new_password: 'walnut harbour seventeen kestrel' },
      status: 204,
    },
  ]
}

const nameOf = ({ system, line }: Ask): string => `${system}: ${line.replace(/[0-9a-f-]{36}/g, ':id')}`

async function expectAway(world: World, ask: Ask): Promise<void> {
  const response = await send(world, ask)
  const { status } = response
  const text = await response.text()
  if (ask.isPublic) return expect([nameOf(ask), status]).toEqual([nameOf(ask), ask.status])
  const told = ['retry-after', 'cache-control', 'www-authenticate'].map((name) => response.headers.get(name))
  expect([nameOf(ask), status, ...told, text]).toEqual([nameOf(ask), 503, '1', 'no-store', null, UNAVAILABLE])
}

/** One line says it, and none says more than it may; that a key's last use could not be noted has a line of its own. */
function expectTold(app: AppProcess | undefined, secrets: readonly string[]): void {
  const lines = app?.stderr() ?? ''
  expect(lines).toMatch(/^sallyport: answered 503, \w+: \w+; onDecision is told the cause$/m)
  for (const line of lines.trim().split('\n')) expect(line).toMatch(TOLD)
  for (const secret of secrets) expect(lines.includes(secret), 'a secret or an address in the log').toBe(false)
}

const TOLD = /^sallyport: (?:answered 503, |createApiKeys: storage\.apiKeys\.touch threw: \w+$)/

function secretsOf(asks: readonly Ask[]): string[] {
  const headers = asks.flatMap((ask) => Object.values(ask.headers)).map((value) => value.replace(/^Bearer /, ''))
  return [...new Set(headers), SERVICE_SECRET, PASSWORD, '@example.test', '127.0.0.1', subjectOf('ada')]
}

describe('PostgreSQL that is stopped', () => {
  let cluster: Cluster
  let world: World
  let asks: readonly Ask[]
  const processes = new Map<AppName, AppProcess>()
  beforeAll(async () => {
    cluster = await startCluster()
    const { Client } = (await import('pg')).default
    const client = new Client({ connectionString: cluster.url })
    await client.connect()
    for (const name of SYSTEMS) await client.query(`CREATE DATABASE ${name}`)
    await client.end()
    const storeOf = (system: string): Record<string, string> => ({
      DATABASE_URL: cluster.url.replace(/\/postgres$/, `/${system}`),
    })
    world = await openWorldOf(SYSTEMS, { storeOf }, processes)
    asks = await prepare(world)
  })
  afterAll(async () => {
    await world?.close()
    await cluster?.stop()
  })

  it('every route is 503 and says when to come again, what is public answers; then all are back by themselves', async () => {
    await cluster.leave()
    for (const ask of asks) await expectAway(world, ask)
    const { port } = new URL(cluster.url)
    for (const name of SYSTEMS) expectTold(processes.get(name), [...secretsOf(asks), port, 'postgres'])
    await cluster.comeBack()
    for (const name of SYSTEMS) {
      const first = asks.find(({ system, isPublic }) => system === name && !isPublic) as Ask
      await until(async () => (await send(world, first)).status === first.status)
    }
    for (const ask of asks) {
      const { status } = await send(world, ask)
      expect([nameOf(ask), status]).toEqual([nameOf(ask), ask.status])
    }
  })
})

describe('a SQLite file that another process keeps', () => {
  let world: World
  let asks: readonly Ask[]
  const processes = new Map<AppName, AppProcess>()
  beforeAll(async () => {
    world = await openWorldOf(SYSTEMS, {}, processes)
    asks = await prepare(world)
  })
  afterAll(() => world?.close())

  it('whatever writes is 503 once it has waited, what reads answers; then all are back by themselves', async () => {
    const [driver] = SQLITE_DRIVERS
    const files = SYSTEMS.map((name) => {
      const { DATA_DIR, IRONFLOW_DATA_DIR } = world.environmentOf(name)
      return join(IRONFLOW_DATA_DIR ?? DATA_DIR ?? '', SQLITE_FILES[name])
    })
    const keepers = files.map((file) => driver?.open(file))
    const { authorization: stranger } = bearer(await world.token('iron', 'eve'))
    const writes = asks.filter(({ line, status, headers: { authorization } }) => {
      const isWrite = !line.startsWith('GET ') && status !== 200
      const isFirstLogin = authorization === stranger
      return isWrite || isFirstLogin || /login$|rotate$|accept$|^PATCH/.test(line)
    })
    try {
      for (const keeper of keepers) keeper?.exec('BEGIN EXCLUSIVE')
      // Each waits its five seconds: all at once.
      await Promise.all(writes.map((ask) => expectAway(world, ask)))
      for (const ask of asks) {
        if (!writes.includes(ask))
          expect([nameOf(ask), (await send(world, ask)).status]).toEqual([nameOf(ask), ask.status])
      }
      for (const name of SYSTEMS) expectTold(processes.get(name), [...secretsOf(asks), '.db'])
    } finally {
      for (const keeper of keepers) {
        keeper?.exec('ROLLBACK')
        keeper?.close()
      }
    }
    for (const ask of asks) expect([nameOf(ask), (await send(world, ask)).status]).toEqual([nameOf(ask), ask.status])
  })
})
