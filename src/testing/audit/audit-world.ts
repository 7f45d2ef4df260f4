/**
 * The world of an adapter audit: an auth with every kind of caller, people in every state, steps that fail in every way,
 * all in memory; and what a host mounts over it: Routes by `mount`, endpoints by `middleware` and `protect`. All of them
 * answer with what they know of the caller, and with a mark that a handler has run.
 */
import * as z from 'zod/mini'
import type { AuthErrorDetails, ErrorFormat } from '../../errors.ts'
import {
  type Access,
  type Auth,
  type AuthContext,
  AuthError,
  type AuthErrorCode,
  type AuthResponse,
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createRoles,
  createServiceVerifier,
  createSyncGate,
  header,
  jsonResponse,
  type Organization,
  pathParam,
  type Roles,
  type Route,
  readJson,
  type User,
} from '../../index.ts'
import { createMemoryStorage, type MemoryStorage } from '../../storage/memory.ts'
import { createTokenIssuer, type TokenIssuer } from '../token-issuer.ts'
import { type Line, orgLine } from './audit-case.ts'

/** What the cases of an audit are written with. */
export interface AuditWorld {
  readonly auth: Auth
  readonly issuer: TokenIssuer
  /** Org ids: `ada` is a member of `a` and then admin of `b`; `bob` is admin of `c` and then a member of `d`. */
  readonly orgs: Readonly<Record<'a' | 'b' | 'c' | 'd', string>>
  /** User ids by name. */
  readonly users: Readonly<Record<'ada' | 'bob', string>>
  /** Good tokens of `ada`, of `bob`, of somebody without a user row; and one of `ada` that has expired. */
  readonly tokens: Readonly<Record<'ada' | 'bob' | 'stranger' | 'expired', string>>
  /** Sign a token for somebody: the name is the subject. */
  tokenOf(subject: string): Promise<string>
  /** Sign a token for a machine: `ci` and `deploy` are known by those names, in org `a`, and `off` is disabled. */
  machineOf(name: string): Promise<string>
  /** The answer to no credential (the challenge is `Bearer` alone); to one that does not verify. */
  readonly absent: AuthResponse
  readonly invalid: AuthResponse
  /** The answer to `ada`, acting in her earliest org. */
  readonly ada: AuthResponse
  /** The answer to a user, acting in an org. */
  acting(user: 'ada' | 'bob', org: 'a' | 'b' | 'c' | 'd', role: string): AuthResponse
  /** Another refusal, with further headers where a handler had been let in. */
  refused(code: AuthErrorCode, details?: AuthErrorDetails, headers?: readonly Line[]): AuthResponse
}

/** The secret that opens the audit's service routes. */
export const SERVICE_SECRET = 'audit-service-secret-of-40-characters-xx'
/** API keys of the audit: by token, what they carry. Both belong to org `a`. */
const API_KEYS = new Map([
  ['adk_reading', ['things:read']],
  ['adk_nothing', []],
])

/** What the user resolver throws for the subjects `fault-error`, `fault-null`, …: each must be a 500. */
export const FAULTS: Readonly<Record<string, () => unknown>> = Object.freeze({
  error: () => new Error('the audit broke a step'),
  // Words that Express obeys.
  route: () => 'route',
  router: () => 'router',
  null: () => null,
  undefined: () => undefined,
  false: () => false,
  'object-of-status-200': () => ({ status: 200, expose: true, message: 'fine' }),
  'error-of-status-200': () => Object.assign(new Error('fine'), { status: 200, expose: true }),
  'error-of-status-401': () => Object.assign(new Error('no'), { statusCode: 401, expose: true }),
  'error-with-response': () => Object.assign(new Error('no'), { getResponse: () => new Response('a way in') }),
  thenable: () => Object.fromEntries([['then', (resolve: () => void) => resolve()]]),
  'rejected-promise': () => {
    const promise = Promise.reject(new Error('the audit broke a step'))
    promise.catch(() => undefined)
    return promise
  },
})

/** Build the world. Costs one symmetric key and a few rows in memory. */
export async function createAuditWorld(errorFormat: ErrorFormat): Promise<AuditWorld> {
  const issuer = await createTokenIssuer({ algorithms: ['HS256'] })
  let now = Date.now()
  const storage = createMemoryStorage({ clock: () => ++now })
  const org = async (name: string): Promise<string> => (await storage.orgs.insert({ name })).id
  const person = async (subject: string, ...places: [orgId: string, role: string][]): Promise<string> => {
    const email = `${subject}@example.test`
    const { user } = await storage.users.upsertByIdentity({ issuer: issuer.issuer, subject, email })
    for (const [orgId, role] of places) await storage.memberships.insert({ orgId, userId: user.id, role })
    return user.id
  }
  const orgs = { a: await org('a'), b: await org('b'), c: await org('c'), d: await org('d') }
  const users = {
    ada: await person('ada', [orgs.a, 'member'], [orgs.b, 'admin']),
    bob: await person('bob', [orgs.c, 'admin'], [orgs.d, 'member']),
  }
  await person('odd', [orgs.a, 'wizard'])
  await storage.users.setDisabled(await person('gone', [orgs.a, 'member']), true)
  for (const name of ['ci', 'deploy', 'off']) {
    const row = { issuer: issuer.issuer, subject: name, name, orgId: orgs.a, role: 'member', permissions: null }
    const { id } = await storage.machines.insert(row)
    await storage.machines.setDisabled({ kind: 'installation' }, id, name === 'off')
  }
  const machineOf = (sub: string): Promise<string> => issuer.sign({ sub, client_id: sub })
  const tokenOf = (sub: string): Promise<string> => issuer.sign({ sub, email: `${sub}@example.test` })
  const tokens = {
    ada: await tokenOf('ada'),
    bob: await tokenOf('bob'),
    stranger: await tokenOf('stranger'),
    expired: await issuer.sign({ sub: 'ada' }, { expiresInSeconds: -60 }),
  }
  const auth = createAuditAuth(storage, issuer, orgs.a, errorFormat)
  const refused: AuditWorld['refused'] = (code, details, more = []) => {
    const { status, headers, body } = auth.toResponse(new AuthError(code, { ...details, reason: 'audit' }))
    return { status, headers: [...headers, ...more], body }
  }
  const acting: AuditWorld['acting'] = (user, org, role) =>
    handled({ caller: 'user', user: users[user], org: orgs[org], role }, [orgLine(orgs[org])])
  const ada = acting('ada', 'a', 'member')
  const [absent, invalid] = [refused('unauthorized', { absent: true }), refused('unauthorized')]
  return { auth, issuer, orgs, users, tokens, tokenOf, machineOf, absent, invalid, ada, acting, refused }
}

function createAuditAuth(storage: MemoryStorage, issuer: TokenIssuer, keysOrg: string, errorFormat: ErrorFormat): Auth {
  const keys = [{ kind: 'secret', secret: issuer.secret }] as const
  const services = { telephony: { header: 'X-Telephony-Secret', secrets: [SERVICE_SECRET] } } as const
  const selectors = [header('X-Org-Id')]
  const syncGate = createSyncGate({ users: storage.users })
  return createAuth<Roles, User, Organization, User, Organization | null, string, string, string>({
    roles: createRoles(['member', 'admin', 'owner'], { 'things:read': 'member' }),
    verifier: createJwtVerifier({ issuers: [{ issuer: issuer.issuer, keys, audience: issuer.audience }] }),
    apiKeys: {
      prefix: 'adk',
      async verify(token) {
        const permissions = API_KEYS.get(token)
        if (permissions === undefined) throw new AuthError('unauthorized', { reason: 'audit_key_unknown' })
        return { id: token.slice(4), name: token, orgId: keysOrg, role: 'member', permissions }
      },
    },
    services: createServiceVerifier({ services }),
    machines: storage.machines,
    cookie: { name: 'session' },
    async users(identity, selection) {
      const { subject } = identity
      if (subject === 'busy') throw new AuthError('temporarily_unavailable', { retryAfterSeconds: 7 })
      if (subject === 'throttled') throw new AuthError('rate_limit_exceeded', { retryAfterSeconds: 11 })
      if (subject.startsWith('fault-')) throw FAULTS[subject.slice('fault-'.length)]?.()
      return syncGate(identity, selection)
    },
    orgs: createOrgResolver({ memberships: storage.memberships, selectors, whenUnnamed: 'earliest-joined' }),
    errorFormat,
  })
}

/** A path of the host's own: `middleware(access)` for each of `mounts` in order, then the handler. */
export interface AuditEndpoint {
  readonly method: 'GET' | 'POST'
  /** May hold `:name` parameters, which every one of the mounts must see. */
  readonly path: string
  readonly mounts: readonly Access[]
  /** Wrap the handler by `protect(access, …)`; `null`: it reads the `getAuth` of the last of `mounts`. */
  readonly access: Access | null
  /** What the handler writes, with the adapter's `writeAuthResponse`. */
  answer(context: AuthContext | null): AuthResponse
}

const HANDLED = ['X-Audit', 'handled'] as const

function describeCaller(context: AuthContext | null): unknown {
  if (context === null) return { caller: null }
  return {
    caller: context.kind,
    user: 'user' in context ? context.user.id : undefined,
    org: 'org' in context ? (context.org?.id ?? null) : undefined,
    role: 'role' in context ? context.role : undefined,
    permissions: context.kind === 'apiKey' || context.kind === 'machine' ? context.permissions : undefined,
  }
}

/** An answer of the audit's own handlers. */
export function handled(value: unknown, headers: AuthResponse['headers'] = []): AuthResponse {
  return jsonResponse(200, value, [HANDLED, ...headers])
}

/** A header twice, and one that the library writes too. */
export const TWO_COOKIES: AuthResponse = handled({}, [
  ['Set-Cookie', 'one=1; Path=/'],
  ['Set-Cookie', 'two=2; Path=/'],
  ['Cache-Control', 'no-store'],
])

const PATH: Access = { selectors: [pathParam('orgId')] }

const at = (path: string, access: Access | null, mounts: readonly Access[] = []): AuditEndpoint => ({
  method: 'GET',
  path,
  mounts,
  access,
  answer: (context) => handled(describeCaller(context)),
})

// An adapter that goes on to the handler once it has refused spoils no answer: the refusal is out. So the handler keeps in mind
// that it ran for somebody whom the outer mount refuses, and says so to the next one whom it lets in.
function weakerInside(): AuditEndpoint {
  let hasRunRefused = false
  return {
    ...at('/weaker-inside', {}, [{ role: 'admin' }]),
    answer(context) {
      const role = context !== null && 'role' in context ? context.role : null
      hasRunRefused ||= role !== 'admin'
      return handled(hasRunRefused ? { 'ran after a refusal': true } : describeCaller(context))
    },
  }
}

/** The endpoints, in the order they are to be mounted; of one audit each, since one of them remembers. */
export const auditEndpoints = (): readonly AuditEndpoint[] =>
  Object.freeze([
    at('/user', {}),
    { ...at('/user', {}), method: 'POST' },
    at('/below', null, [{}]),
    at('/admin', { role: 'admin' }),
    at('/identity', { needs: 'identity' }),
    at('/known', { needs: 'user' }),
    at('/anybody', { optional: true }),
    at('/service', { accept: ['service'] }),
    at('/telephony', { accept: ['service:telephony'] }),
    at('/keys', { accept: ['user', 'apiKey'], permissions: ['things:read'] }),
    at('/machine', { accept: ['machine'], permissions: ['things:read'] }),
    at('/deploy', { accept: ['machine:deploy'], needs: 'identity' }),
    at('/orgs/:orgId/inside', PATH),
    at('/optional-strict', {}, [{ optional: true }]),
    at('/strict-optional', { optional: true }, [{}]),
    at('/optional-twice', null, [{ optional: true }, { optional: true }]),
    at('/header-path/:orgId', PATH, [{}]),
    at('/admin-path/:orgId', PATH, [{ role: 'admin' }]),
    at('/path-admin/:orgId', { role: 'admin' }, [PATH]),
    weakerInside(),
    at('/identity-org', {}, [{ needs: 'identity' }]),
    at('/user-service', { accept: ['service'] }, [{ accept: ['user', 'service'] }]),
  ])

const NAMED = z.object({ name: z.string().check(z.refine((name) => name.trim() !== '')) })

export function auditRoutes(auth: Auth): readonly Route[] {
  const route = (method: Route['method'], path: string, access: Access, handle: Route['handle']): Route =>
    Object.freeze({ method, path, access, handle })
  return Object.freeze([
    route('GET', '/public', 'public', () => handled({ ok: true })),
    route('POST', '/public', 'public', () => handled({ ok: true })),
    route('GET', '/route', {}, (context) => handled(describeCaller(context))),
    route('DELETE', '/route', {}, () => ({ status: 204, headers: [HANDLED], body: null })),
    route('GET', '/things/:id', 'public', (_context, { params }) => handled({ id: params?.['id'] })),
    route('GET', '/cookies', 'public', () => TWO_COOKIES),
    route('GET', '/missing', {}, () => Promise.reject(new AuthError('not_found', { reason: 'audit_missing' }))),
    route('POST', '/json', 'public', async (_context, request) => handled(await readJson(request))),
    route('PUT', '/json', {}, async (_context, request) => handled(await readJson(request))),
    route('POST', '/twice', 'public', async (_context, request) => {
      await readJson(request)
      return handled(await readJson(request))
    }),
    route('POST', '/named', 'public', async (_context, request) => handled(await readJson(request, NAMED))),
    route('POST', '/act', { accept: ['service'] }, async (context, request) => {
      const acting = await auth.actIn(context as AuthContext, (await readJson(request))['org_id'])
      return handled({ org: acting.org.id })
    }),
  ])
}
