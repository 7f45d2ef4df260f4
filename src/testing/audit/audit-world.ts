/**
 * The world of an adapter audit: an auth with every kind of caller, people in every state, and steps that fail in every
 * way, all in memory. Hands on the auth, and the tokens and ids that the cases are written with.
 */
import type { AuthErrorDetails, ErrorFormat } from '../../errors.ts'
import {
  type Auth,
  AuthError,
  type AuthErrorCode,
  type AuthResponse,
  createAuth,
  createJwtVerifier,
  createOrgResolver,
  createServiceVerifier,
  createSyncGate,
  header,
  type Organization,
  type User,
} from '../../index.ts'
import { createMemoryStorage, type MemoryStorage } from '../../storage/memory.ts'
import { createTokenIssuer, type TokenIssuer } from '../token-issuer.ts'
import { type Line, orgLine } from './audit-case.ts'
import { handled } from './endpoints.ts'

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
/** API keys of the audit: by token, the scopes. Both belong to org `a`. */
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
  const [absent, invalid] = [refused('unauthorized', { absent: true }), refused('unauthorized')]
  return {
    auth,
    issuer,
    orgs,
    users,
    tokens,
    tokenOf,
    absent,
    invalid,
    ada: acting('ada', 'a', 'member'),
    acting,
    refused,
  }
}

function createAuditAuth(storage: MemoryStorage, issuer: TokenIssuer, keysOrg: string, errorFormat: ErrorFormat): Auth {
  const keys = [{ kind: 'secret', secret: issuer.secret }] as const
  const services = { telephony: { header: 'X-Telephony-Secret', secrets: [SERVICE_SECRET] } } as const
  const selectors = [header('X-Org-Id')]
  const syncGate = createSyncGate({ users: storage.users })
  return createAuth<string, User, Organization | null, string, string>({
    roles: ['member', 'admin', 'owner'],
    verifier: createJwtVerifier({ issuers: [{ issuer: issuer.issuer, keys, audience: issuer.audience }] }),
    apiKeys: {
      prefix: 'adk',
      async verify(token) {
        const scopes = API_KEYS.get(token)
        if (scopes === undefined) throw new AuthError('unauthorized', { reason: 'audit_key_unknown' })
        return { id: token.slice(4), name: token, orgId: keysOrg, role: 'member', scopes }
      },
    },
    services: createServiceVerifier({ services }),
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
