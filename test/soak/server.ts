/**
 * One host under soak, in a process of its own: every kind of route behind one framework, over the PostgreSQL that all
 * share. It says on its channel what it learns of keys and what nobody has handled, and ends with that channel. Not a test:
 * `server-process.ts` starts it.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import pg from 'pg'
import type { Auth, AuthContext, Decision } from 'sallyport'
import {
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createProvisioner,
  createRoles,
  createServiceVerifier,
  createUserOrgResolver,
  header,
  jsonResponse,
} from 'sallyport'
import { createApiKeys } from 'sallyport/api-keys'
import { createLogin, createPasswordHasher } from 'sallyport/login'
import { createPostgresStorage } from 'sallyport/postgres'
import { type AtHand, type Endpoint, HOSTS, listen } from '../support/hosts.ts'
import type { FromServer, IssuerTask, ServerTask, ToServer } from './messages.ts'
import { ROLES } from './oracle.ts'

const task = JSON.parse(process.argv[2] ?? '{}') as ServerTask

const say = (message: FromServer): void => void process.send?.(message)
for (const event of ['unhandledRejection', 'uncaughtException', 'warning'] as const) {
  process.on(event, (error: unknown) => {
    say({ type: 'unhandled', text: `${event}: ${error instanceof Error ? error.stack : String(error)}` })
  })
}
// The terminal sends its Ctrl-C to all; who started this process ends it by the channel.
process.on('SIGINT', () => undefined)
process.on('disconnect', () => process.exit(0))

const pool = new pg.Pool({
  connectionString: task.databaseUrl,
  // Fewer than there are requests at once, and a wait that outlasts every stall.
  max: 8,
  connectionTimeoutMillis: 10_000,
  application_name: 'soaked',
  ...task.limits,
})
pool.on('error', () => undefined)
const storage = createPostgresStorage({ pool })
const roles = createRoles(ROLES, { 'notes:read': 'member' })
const apiKeys = createApiKeys({ storage, prefix: 'soak', roles, maxKeys: 100_000 })
const decisions = new Map<string, Decision>()
// Answers are compared within a second.
const MOST_DECISIONS = 1000

const auth = createAuth({
  roles,
  verifier: createJwtVerifier({
    issuers: task.issuers.map(toIssuer),
    // Full within seconds, so that memory says something.
    cache: { maxEntries: 500 },
    onKeyEvent: (event) => say({ type: 'keys', event }),
  }),
  users: createProvisioner({ storage, ownerRole: 'owner' }),
  orgs: createOrgResolver({
    memberships: storage.memberships,
    selectors: [header('X-Org-Id')],
    whenUnnamed: 'earliest-joined',
  }),
  apiKeys,
  services: createServiceVerifier({ services: { robot: { header: 'X-Robot-Secret', secrets: [task.serviceSecret] } } }),
  requestId: (request) => request.lines('x-request-id')[0],
  ...(task.listens && { onDecision: remember }),
})

const login = createLogin({
  storage: storage.accounts,
  secret: Buffer.from(task.sessionSecret, 'hex'),
  service: 'soak',
  roles: ROLES,
  cookieName: 'session',
  // A hash of a few milliseconds: what waits for it is under soak, not scrypt.
  passwords: createPasswordHasher({ cost: { kind: 'scrypt', ln: 10, r: 8, p: 1 } }),
  throttle: { addressFailures: 1_000_000 },
})
const orgs = createUserOrgResolver({ memberships: storage.memberships as never, orgIdOf: () => null })
const accounts = createAuth({ ...login.auth, orgs })

function toIssuer({ issuer, audience, jwksUrl, secret }: IssuerTask) {
  const keys = [
    { kind: 'jwks', url: jwksUrl, maxAgeSeconds: 5 },
    { kind: 'secret', secret },
  ] as const
  return { issuer, audience, keys }
}

function remember(decision: Decision): void {
  decisions.set(decision.requestId, decision)
  for (const oldest of decisions.keys()) {
    if (decisions.size <= MOST_DECISIONS) break
    decisions.delete(oldest)
  }
}

/** What the handler was told: two looks with a turn of the event loop between them, where what bled over would show. */
async function seen(context: AuthContext | null): Promise<object | null> {
  const before = context === null ? null : look(context)
  await new Promise((resolve) => setImmediate(resolve))
  const after = context === null ? null : look(context)
  if (JSON.stringify(before) !== JSON.stringify(after)) throw new Error('the context has changed')
  return after
}

function look(context: AuthContext): object {
  const org = 'org' in context ? (context.org?.id ?? null) : null
  const role = 'role' in context ? context.role : null
  if (context.kind === 'apiKey') return { kind: 'apiKey', key: context.key.id, org, role }
  if (context.kind === 'service') return { kind: 'service', org }
  const user = 'user' in context ? context.user.id : null
  const subject = 'identity' in context ? context.identity.subject : null
  return { kind: context.kind, user, subject, org, role: org === null ? null : role }
}

const get = (path: string, more: Partial<Endpoint>): Endpoint => ({
  ...{ method: 'GET', path, mounts: [], access: {} },
  answer: async (context) => jsonResponse(200, await seen(context)),
  ...more,
})

async function takeNote(context: AuthContext | null, { readJson }: AtHand) {
  const { note } = (await readJson()) as { note?: unknown }
  return jsonResponse(201, { ...(await seen(context)), note })
}

async function serve(context: AuthContext | null, { readJson }: AtHand) {
  const { org_id: orgId } = (await readJson()) as { org_id?: unknown }
  return jsonResponse(200, await seen(await auth.actIn(context as never, orgId)))
}

const endpoints: readonly Endpoint[] = [
  get('/me', { mounts: [{}], access: null }),
  get('/twice', { mounts: [{}], access: { role: 'admin' } }),
  get('/user', { access: { needs: 'user' } }),
  get('/admin', { access: { role: 'admin' } }),
  get('/maybe', { access: { optional: true } }),
  get('/orgs/:orgId/me', { access: { selectors: [{ kind: 'pathParam', name: 'orgId' }] } }),
  get('/keyed', { access: { accept: ['apiKey'], permissions: ['notes:read'] } }),
  get('/notes', { method: 'POST', answer: takeNote }),
  get('/internal', { method: 'POST', access: { accept: ['service'] }, answer: serve }),
]
const health = auth.route({ method: 'GET', path: '/health', access: 'public', handle: () => jsonResponse(200, null) })
const listener = HOSTS[task.framework](
  { auth: auth as unknown as Auth, routes: [health, ...apiKeys.routes({ role: 'admin' })], endpoints },
  { auth: accounts as unknown as Auth, routes: login.routes },
)

const delay = monitorEventLoopDelay({ resolution: 10 })
delay.enable()

function sample(): object {
  globalThis.gc?.()
  const { rss, heapUsed: heap } = process.memoryUsage()
  const milliseconds = [delay.percentile(50), delay.percentile(99), delay.max].map((ns) => ns / 1e6)
  delay.reset()
  return { rss, heap, delay: milliseconds }
}

process.on('message', ({ id, ask, requestId = '' }: ToServer) => {
  const value = ask === 'sample' ? sample() : ask === 'record' ? (decisions.get(requestId) ?? null) : null
  say({ type: 'answer', id, value })
})

await auth.warmUp()
// Connections that are kept by their client for a while must not be ended just when it uses them again.
const { url } = await listen(listener, { keepAliveTimeout: 120_000 })
say({ type: 'ready', url })
