/**
 * A storage that can't be reached, or asks to be tried again, under every name that drivers have for it: 503 with
 * Retry-After in every step that asks it, on every framework, and a record or a line that says so. What is no such thing is
 * the framework's 500. Stores of a host's own count too: these throw what a driver throws, as it is.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApiKeys } from '../../src/api-keys/api-keys.ts'
import { type Auth, createAuth } from '../../src/auth.ts'
import type { Decision, ServiceContext } from '../../src/context.ts'
import { jsonResponse } from '../../src/http/json-response.ts'
import { createLogin } from '../../src/login/login.ts'
import { createPasswordHasher } from '../../src/login/password-hash.ts'
import { createMembershipCache } from '../../src/orgs/membership-cache.ts'
import { createOrgResolver, createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import { header } from '../../src/orgs/selector.ts'
import { createInvitations } from '../../src/people/invitations.ts'
import type { Route } from '../../src/route.ts'
import { createServiceVerifier } from '../../src/services/service-verifier.ts'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import { createTokenIssuer } from '../../src/testing/token-issuer.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { createSyncGate, createSyncRoute } from '../../src/users/sync.ts'
import { HOSTS, type HostName, type Listening, listen } from '../support/hosts.ts'
import { trusting } from '../support/world.ts'

const ROLES = ['member', 'admin', 'owner'] as const
const PASSWORD = 'tulip-cavern-91-osprey'
const SERVICE_SECRET = 'a-secret-of-a-service-that-is-long-enough'
const issuer = await createTokenIssuer({ algorithms: ['HS256'] })

const coded = (code: string, more: object = {}): Error => Object.assign(new Error(`it says ${code}`), { code, ...more })
const byPrisma = (code: string, cause: object): Error =>
  coded(code, { meta: { driverAdapterError: Object.assign(new Error('x'), { name: 'DriverAdapterError', cause }) } })
const codes = (...those: string[]): [string, () => unknown][] => those.map((code) => [code, () => coded(code)])

/** What passes by itself, as drivers, runtimes and query builders throw it. */
const PASSING: readonly (readonly [string, () => unknown])[] = [
  ...codes(
    'ECONNREFUSED',
    'ECONNRESET',
    'ECONNABORTED',
    'ETIMEDOUT',
    'EPIPE',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
  ),
  ...codes(
    'ENETUNREACH',
    'EHOSTDOWN',
    'ENETDOWN',
    '53300',
    '40001',
    '40P01',
    '55P03',
    '25006',
    '57P01',
    '57P02',
    '57P03',
  ),
  ...codes('08006', '08P01', 'P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2034', 'P2037', 'SQLITE_BUSY'),
  ...codes('ER_LOCK_DEADLOCK', 'PROTOCOL_CONNECTION_LOST', 'CONNECT_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT'),
  ['a socket file that is gone', () => coded('ENOENT', { syscall: 'connect' })],
  ['Prisma at its start', () => Object.assign(new Error('Can not reach'), { errorCode: 'P1001' })],
  ['SQLite, busy', () => coded('ERR_SQLITE_ERROR', { errcode: 5, message: 'database is locked' })],
  ['a pooler that waited in vain', () => coded('08P01', { severity: 'FATAL' })],
  ['a pool without a connection', () => new Error('timeout exceeded when trying to connect')],
  ['a connection that ended', () => new Error('Connection terminated unexpectedly')],
  ['no answer', () => new Error('Query read timeout')],
  ...codes('57014', '25P03', '25P04', 'P2028', 'ER_QUERY_TIMEOUT'),
  [
    'Prisma’s raw query, a deadlock',
    () => byPrisma('P2010', { originalCode: '40P01', kind: 'TransactionWriteConflict' }),
  ],
  ['Prisma’s raw query, unreachable', () => byPrisma('P2010', { kind: 'DatabaseNotReachable' })],
  ['Prisma, a database error', () => byPrisma('P2039', { originalCode: '25006', kind: 'postgres', code: '25006' })],
  ['a Redis client', () => new Error('The client is closed')],
  ['a Redis that loads', () => new Error('LOADING Redis is loading the dataset in memory')],
  ['both addresses of a name', () => new AggregateError([coded('ECONNREFUSED'), coded('EHOSTUNREACH')])],
  ['a wrapped one', () => new Error('could not ask', { cause: new Error('query', { cause: coded('ECONNREFUSED') }) })],
  [
    'one wrapped in a list',
    () => new Error('x', { cause: new AggregateError([new Error('a', { cause: coded('57P01') })]) }),
  ],
]

/** What does not: a mistake, a full disk, a password that is wrong. */
const STAYING: readonly (readonly [string, () => unknown])[] = [
  ...codes('42P01', '42501', '28P01', '3D000', '53100', '22P02', 'P1000', 'P2025', 'SQLITE_FULL', 'ENOENT', 'EACCES'),
  ['a statement with too few values', () => coded('08P01', { severity: 'ERROR' })],
  ['Prisma’s raw query, no such table', () => byPrisma('P2010', { originalCode: '42P01', kind: 'TableDoesNotExist' })],
  ['a plain error', () => new TypeError('cannot read properties of undefined')],
  ['null', () => null],
]

interface World {
  /** What each method of the storage throws from now on, or nothing. */
  thrown: (() => unknown) | null
  readonly decisions: Decision[]
  /** What to ask, by the step that asks the storage for it. */
  readonly asks: readonly Ask[]
  readonly systems: readonly { readonly auth: Auth; readonly routes: readonly Route[] }[]
}

interface Ask {
  readonly step: string
  readonly system: number
  readonly path: string
  readonly init: RequestInit
  /** What is answered while the storage is there. */
  readonly status: number
}

/** A storage over another one, whose every method throws what `thrown` makes, if anything. */
function breakable<T extends object>(storage: T, thrown: () => (() => unknown) | null): T {
  return new Proxy(
    { ...storage },
    {
      get(_, name) {
        const value: unknown = Reflect.get(storage, name)
        if (typeof value === 'object' && value !== null) return breakable(value, thrown)
        if (typeof value !== 'function') return value
        return async (...given: unknown[]) => {
          const make = thrown()
          if (make !== null) throw make()
          return Reflect.apply(value, storage, given)
        }
      },
    },
  ) as T
}

async function createWorld(tells: boolean): Promise<World> {
  const world = { thrown: null, decisions: [] } as unknown as { -readonly [K in keyof World]: World[K] }
  const committed = createMemoryStorage()
  const storage: MemoryStorage = breakable(committed, () => world.thrown)
  const onDecision = tells ? (decision: Decision) => void world.decisions.push(decision) : undefined
  const verify = trusting(issuer)
  const services = createServiceVerifier({ services: { crm: { header: 'X-Crm-Secret', secrets: [SERVICE_SECRET] } } })
  const ok = (): ReturnType<typeof jsonResponse> => jsonResponse(200, { ok: true })
  const apiKeys = createApiKeys({
    storage,
    prefix: 'itk',
    roles: ROLES,
  })
  const common = { roles: ROLES, verifier: verify, services, onDecision }
  const invitations = createInvitations({ storage, roles: ROLES, manage: { role: 'admin' } })
  const cache = createMembershipCache({ users: storage.users, memberships: storage.memberships })

  const provisioned = createAuth({
    ...common,
    apiKeys,
    users: createProvisioner({ storage, invitations }),
    orgs: createOrgResolver({
      memberships: storage.memberships,
      selectors: [header('X-Org-Id')],
      whenUnnamed: 'only-membership',
    }),
  })
  const gated = createAuth({
    ...common,
    users: createSyncGate({ users: cache.users }),
    orgs: createUserOrgResolver({ memberships: cache.memberships, orgIdOf: () => orgId }),
  })
  const login = createLogin({
    ...{ storage: storage.accounts, secret: new Uint8Array(32).fill(7), service: 'x', roles: ['viewer', 'admin'] },
    ...{ cookieName: 'session', passwords: createPasswordHasher({ cost: { kind: 'scrypt', ln: 4, r: 1, p: 1 } }) },
  })
  const signedIn = createAuth({
    ...{ ...login.auth, onDecision },
    orgs: createOrgResolver({ memberships: storage.memberships as never, selectors: [], whenUnnamed: 'none' }),
  })

  const { user } = await committed.users.upsertByIdentity({ issuer: issuer.issuer, subject: 'ada', email: null })
  const { id: orgId } = await committed.orgs.insert({ name: 'acme' })
  await committed.memberships.insert({ orgId, userId: user.id, role: 'owner' })
  const hash = await createPasswordHasher({ cost: { kind: 'scrypt', ln: 4, r: 1, p: 1 } }).hash(PASSWORD)
  await committed.accounts.accounts.insert({
    email: 'ada@example.test',
    passwordHash: hash,
    role: 'admin',
    createdAt: new Date(),
  })

  const resource = (path: string, access: object): Route =>
    ({ method: 'GET', path, access, handle: async () => ok() }) as never
  const booking = {
    method: 'POST',
    path: '/bookings',
    access: { accept: ['service'] },
    handle: async (context: ServiceContext) =>
      jsonResponse(201, { org: (await provisioned.actIn(context as never, orgId)).org.id }),
  } as unknown as Route
  world.systems = [
    {
      auth: provisioned as unknown as Auth,
      routes: [
        resource('/user', { needs: 'user' }),
        resource('/org', { accept: ['user', 'apiKey'] }),
        booking,
        ...apiKeys.routes({ role: 'member', path: '/keys' }),
        createSyncRoute({ provision: createProvisioner({ storage }), memberships: storage.memberships }),
        { method: 'GET', path: '/health', access: 'public', handle: async () => ok() },
      ],
    },
    { auth: gated as unknown as Auth, routes: [resource('/user', { needs: 'user' }), resource('/org', {})] },
    { auth: signedIn as unknown as Auth, routes: login.routes },
  ]
  const bearer = { authorization: `Bearer ${await issuer.sign({ sub: 'ada' })}` }
  const stranger = { authorization: `Bearer ${await issuer.sign({ sub: 'new' })}` }
  const json = (headers: Record<string, string>, body: object): RequestInit => ({
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const context = await provisioned.authenticate(
    (await import('../../src/http/fetch-request.ts')).fromFetchRequest(new Request('http://x/', { headers: bearer })),
  )
  const { key } = await apiKeys.issue(context as never, { name: 'first', role: 'member' })
  const credentials = { email: 'ada@example.test', password: PASSWORD }
  const logIn = login.routes.find(({ path }) => path.endsWith('/login')) as Route
  const { fromFetchRequest } = await import('../../src/http/fetch-request.ts')
  const answer = await logIn.handle(
    null as never,
    fromFetchRequest(new Request('http://x/api/v1/auth/login', json({}, credentials))),
  )
  const session = { authorization: `Bearer ${JSON.parse(answer.body as string).token}` }
  const next = { current_password: PASSWORD, new_password: 'walnut-harbour-17-kestrel' }
  const person = { email: 'bob@example.test', password: PASSWORD, role: 'viewer' }
  world.asks = [
    { step: 'provisioner, a known user', system: 0, path: '/user', init: { headers: bearer }, status: 200 },
    { step: 'provisioner, a stranger', system: 0, path: '/user', init: { headers: stranger }, status: 200 },
    { step: 'org resolver', system: 0, path: '/org', init: { headers: bearer }, status: 200 },
    {
      step: 'API-key verifier',
      system: 0,
      path: '/org',
      init: { headers: { authorization: `Bearer ${key}` } },
      status: 200,
    },
    {
      step: 'actIn',
      system: 0,
      path: '/bookings',
      init: { method: 'POST', headers: { 'x-crm-secret': SERVICE_SECRET } },
      status: 201,
    },
    { step: 'API-key routes, list', system: 0, path: '/keys', init: { headers: bearer }, status: 200 },
    {
      step: 'API-key routes, issue',
      system: 0,
      path: '/keys',
      init: json(bearer, { name: 'k', role: 'member' }),
      status: 201,
    },
    { step: 'sync route', system: 0, path: '/auth/sync', init: { method: 'POST', headers: bearer }, status: 200 },
    { step: 'sync gate, behind a cache', system: 1, path: '/user', init: { headers: stranger }, status: 200 },
    { step: 'user org resolver, behind a cache', system: 1, path: '/org', init: { headers: stranger }, status: 403 },
    { step: 'login', system: 2, path: '/api/v1/auth/login', init: json({}, credentials), status: 200 },
    { step: 'validate', system: 2, path: '/api/v1/auth/validate', init: { headers: session }, status: 200 },
    { step: 'users, list', system: 2, path: '/api/v1/users', init: { headers: session }, status: 200 },
    { step: 'users, create', system: 2, path: '/api/v1/users', init: json(session, person), status: 201 },
    {
      step: 'users, remove',
      system: 2,
      path: '/api/v1/users/nobody',
      init: { method: 'DELETE', headers: session },
      status: 404,
    },
    { step: 'password', system: 2, path: '/api/v1/auth/password', init: json(session, next), status: 204 },
    { step: 'logout', system: 2, path: '/api/v1/auth/logout', init: { method: 'POST', headers: session }, status: 204 },
  ]
  return world
}

beforeAll(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterAll(() => vi.restoreAllMocks())

describe.each(Object.keys(HOSTS) as HostName[])('on %s', (name) => {
  // Every name on one framework, on the others a few of each kind.
  const some = <T>(those: readonly T[]): T[] =>
    those.filter((_, index) => name === 'express 5' || index % 15 === 0 || index > those.length - 2)
  let world: World
  let servers: Listening[]
  beforeAll(async () => {
    world = await createWorld(true)
    servers = await Promise.all(world.systems.map((system) => listen(HOSTS[name]({ ...system, endpoints: [] }))))
  })
  afterAll(() => Promise.all(servers.map((server) => server.close())))
  beforeEach(() => {
    world.thrown = null
    world.decisions.length = 0
  })
  const ask = ({ system, path, init }: Ask): Promise<Response> => fetch(`${servers[system]?.url}${path}`, init)

  it.each(some(PASSING))('%s is 503 with Retry-After in every step, and a record that failed', async (_, thrown) => {
    for (const each of world.asks) {
      world.decisions.length = 0
      const made: unknown[] = []
      world.thrown = () => {
        const error = thrown()
        made.push(error)
        return error
      }
      const response = await ask(each)
      expect([each.step, response.status, response.headers.get('retry-after')]).toEqual([each.step, 503, '1'])
      expect(await response.json()).toMatchObject({ error: { code: 'temporarily_unavailable' } })
      const [failed] = world.decisions.filter(({ outcome }) => outcome === 'failed')
      expect(failed, each.step).toMatchObject({ code: 'temporarily_unavailable', reason: 'storage_unavailable' })
      const cause = failed?.cause as Error
      expect(made.includes(cause) || made.includes(cause.cause), each.step).toBe(true)
    }
  })

  it.each(some(STAYING))('%s is the 500 of the framework in every step', async (_, thrown) => {
    for (const each of world.asks) {
      world.decisions.length = 0
      world.thrown = thrown
      const response = await ask(each)
      expect([each.step, response.status, response.headers.get('www-authenticate')]).toEqual([each.step, 500, null])
      expect(world.decisions.at(-1), each.step).toMatchObject({
        outcome: 'failed',
        code: null,
        reason: 'internal_error',
      })
    }
  })

  it('is back by itself; what is public answers all the while', async () => {
    world.thrown = () => coded('ECONNREFUSED')
    const health = { step: 'health', system: 0, path: '/health', init: {}, status: 200 }
    const capabilities = { ...health, system: 2, path: '/api/v1/capabilities' }
    expect([(await ask(health)).status, (await ask(capabilities)).status]).toEqual([200, 200])
    world.thrown = null
    for (const each of world.asks) expect([each.step, (await ask(each)).status]).toEqual([each.step, each.status])
  })
})

describe('where the host listens to nothing', () => {
  it('a line on standard error says it, once a second and cause, without a value or an address', async () => {
    const world = await createWorld(false)
    const [system] = world.systems
    const { fromFetchRequest } = await import('../../src/http/fetch-request.ts')
    const [known] = world.asks
    const request = (): Request => new Request('http://x/', known?.init)
    const ask = async (): Promise<void> => {
      await expect(system?.auth.authenticate(fromFetchRequest(request()), { needs: 'user' })).rejects.toThrow()
    }
    const printed = vi.mocked(console.error).mock.calls
    printed.length = 0
    world.thrown = () =>
      coded('ECONNREFUSED', { message: 'connect 10.1.2.3:5432, password hunter2', address: '10.1.2.3' })
    for (let n = 0; n < 20; n++) await ask()
    world.thrown = () => coded('42P01', { message: 'relation "secret_things" does not exist' })
    for (let n = 0; n < 20; n++) await ask()
    const lines = printed.map(([line]) => String(line))
    // A machine may take more than a second for it.
    expect(new Set(lines).size).toBe(2)
    expect(lines.length).toBeLessThan(40)
    expect(lines[0]).toBe('sallyport: answered 503, storage_unavailable: ECONNREFUSED; onDecision is told the cause')
    expect(lines.at(-1)).toBe('sallyport: answered 500: 42P01; onDecision is told the cause')
  })
})
