/**
 * A whole pipeline in memory: real tokens, a real verifier, the in-memory storage (counted), a service, API keys.
 * One world per test; nothing is shared but the issuer's secret.
 */
import { type Auth, type AuthOptions, createAuth } from '../../src/auth.ts'
import type { ApiKey, AuthContext, Decision, Roles } from '../../src/context.ts'
import { AuthError, isAuthError } from '../../src/errors.ts'
import { createOrgResolver, type WhenUnnamed } from '../../src/orgs/org-resolver.ts'
import { header } from '../../src/orgs/selector.ts'
import { createRoles, type RolesGiven } from '../../src/permissions/roles.ts'
import type { Access } from '../../src/request.ts'
import { createServiceVerifier } from '../../src/services/service-verifier.ts'
import { createMemoryStorage, type MemoryStorage } from '../../src/storage/memory.ts'
import type { SignOptions, TokenClaims } from '../../src/testing/token-issuer.ts'
import { createProvisioner } from '../../src/users/provisioner.ts'
import { issuer, trusting } from '../support/world.ts'
import { countedStorage } from './counted.ts'
import { type FakeRequestOptions, fakeRequest } from './fake-request.ts'

export { issuer }

export const SERVICE_SECRET = 'a-secret-of-a-service-that-is-long-enough'
export const LADDER: readonly ['viewer', 'member', 'admin', 'owner'] = ['viewer', 'member', 'admin', 'owner']

type Permission = 'things:read' | 'things:write' | 'things:purge'

export const ROLES: Roles<(typeof LADDER)[number], Permission> = createRoles(LADDER, {
  ...{ 'things:read': 'viewer', 'things:write': 'member', 'things:purge': 'admin' },
})
export const NOWHERE = '00000000-0000-4000-8000-000000000000'

export interface WorldOptions {
  readonly unnamed?: WhenUnnamed
  /** Options of `createAuth` to put over the world's own; a function is handed the world's storage. */
  readonly auth?: (storage: MemoryStorage) => Partial<AuthOptions<RolesGiven, never, never, never, string>>
}

/** What a person of the world is: a user's row with memberships. */
export interface Person {
  readonly id: string
  readonly token: string
  readonly headers: Readonly<Record<string, string>>
}

export interface World {
  readonly auth: Auth
  readonly storage: MemoryStorage
  /** Calls of the repositories since the last reset: `users.findByIdentity`, … */
  readonly calls: string[]
  readonly decisions: Decision[]
  /** Make a person; `roles` maps org ids to roles. */
  person(subject: string, roles?: Readonly<Record<string, string>>): Promise<Person>
  org(name: string): Promise<string>
  sign(claims?: TokenClaims, options?: SignOptions): Promise<string>
  /** An API key that the world's verifier knows. */
  apiKey(key: Partial<ApiKey> & Pick<ApiKey, 'orgId'>): string
  authenticate(request: FakeRequestOptions, access?: Access): Promise<AuthContext | null>
}

export function createWorld(options: WorldOptions = {}): World {
  // Each row a millisecond younger than the one before: join order is the order of the calls.
  let now = Date.now()
  const committed = createMemoryStorage({ clock: () => now++ })
  const calls: string[] = []
  const storage = countedStorage(committed, calls)
  const decisions: Decision[] = []
  const keys = new Map<string, ApiKey>()
  const auth = createAuth({
    roles: ROLES,
    verifier: trusting(issuer),
    apiKeys: { prefix: 'tk', verify: async (token) => keys.get(token) ?? unknownKey() },
    services: createServiceVerifier({
      services: {
        telephony: { header: 'X-Telephony-Secret', secrets: [SERVICE_SECRET] },
        billing: { header: 'X-Billing-Secret', secrets: null },
      },
    }),
    cookie: { name: 'session' },
    users: createProvisioner({ storage }),
    orgs: createOrgResolver({
      memberships: storage.memberships,
      selectors: [header('X-Org-Id')],
      whenUnnamed: options.unnamed ?? 'earliest-joined',
    }),
    onDecision: (decision) => void decisions.push(decision),
    ...(options.auth?.(storage) as object),
  }) as unknown as Auth

  return {
    auth,
    storage,
    calls,
    decisions,
    sign: (claims, how) => issuer.sign(claims, how),
    async person(subject, roles = {}) {
      const email = `${subject}@example.test`
      const { user } = await committed.users.upsertByIdentity({ issuer: issuer.issuer, subject, email })
      for (const [orgId, role] of Object.entries(roles)) {
        await committed.memberships.insert({ orgId, userId: user.id, role })
      }
      const token = await issuer.sign({ sub: subject, email })
      return { id: user.id, token, headers: { authorization: `Bearer ${token}` } }
    },
    org: async (name) => (await committed.orgs.insert({ name })).id,
    apiKey(key) {
      const token = `tk_${keys.size}`
      keys.set(token, { id: `key-${keys.size}`, name: 'test', role: 'member', permissions: [], ...key })
      return token
    },
    authenticate: async (request, access = {}) =>
      (await auth.authorizer(access as never)(fakeRequest(request))).context,
  }
}

function unknownKey(): never {
  throw new AuthError('unauthorized', { reason: 'test_key_unknown' })
}

/** The refusal a promise ends in. Anything else, a value or another error, fails the test. */
export async function refusalOf(work: Promise<unknown> | (() => unknown)): Promise<AuthError> {
  let value: unknown
  try {
    value = await (typeof work === 'function' ? work() : work)
  } catch (error) {
    if (isAuthError(error)) return error
    throw error
  }
  throw new Error(`nothing was refused: ${JSON.stringify(value)?.slice(0, 200)}`)
}

/** The reason of the refusal a promise ends in. */
export async function reasonOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  return (await refusalOf(work)).reason
}
