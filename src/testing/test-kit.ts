/**
 * Sign people in without a network: an issuer, a verifier that trusts it, and a storage in memory, for tests that send
 * real requests through a host's own routes.
 */
import * as z from 'zod/mini'
import { createJwtVerifier, type Verifier } from '../index.ts'
import { aHeaderName, aName, anObjectWith, parseOptions } from '../lib/parse-options.ts'
import type { StoredOrganization, StoredUser } from '../storage/index.ts'
import { createMemoryStorage, type MemoryStorage } from '../storage/memory.ts'
import { createTokenIssuer, type TokenIssuer } from './token-issuer.ts'

/** Options of {@link createTestKit}. */
export interface TestKitOptions {
  /** The audience of its tokens. Default `authenticated`. */
  readonly audience?: string | undefined
  /** The header that names the organization. Default `x-org-id`. */
  readonly orgHeader?: string | undefined
  /** The storage to sign people into. Default: a fresh one. */
  readonly storage?: MemoryStorage | undefined
}

/** Whom to sign in. */
export interface SignInOptions {
  /** The same address is the same person. Default: somebody new. */
  readonly email?: string | undefined
  /** An organization by name, made on first use. Left out: no membership is written, as before a first login. */
  readonly org?: string | undefined
  /** The role in it. Default `member`. */
  readonly role?: string | undefined
  /** Further claims of the token. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

/** Somebody signed in. */
export interface TestCaller {
  readonly token: string
  /** Headers for a request: the token, and the organization where one was named. */
  readonly headers: Readonly<Record<string, string>>
  /** The user's row; `null` where no organization was named. */
  readonly user: StoredUser | null
  readonly org: StoredOrganization | null
}

/** What {@link createTestKit} makes. */
export interface TestKit {
  readonly issuer: TokenIssuer
  /** Give it to `createAuth` as `verify`: it trusts the kit's issuer only. */
  readonly verify: Verifier<never>
  readonly storage: MemoryStorage
  /** Sign somebody in, with a real token and a real membership. */
  signIn(options?: SignInOptions): Promise<TestCaller>
}

/**
 * Create a test kit. No network, no database; each kit is apart from every other.
 *
 * @throws TypeError for an unknown or malformed option, of `signIn` too
 * @example
 * const kit = await createTestKit()
 * const app = createApp({ verify: kit.verify, storage: kit.storage })
 * const caller = await kit.signIn({ org: 'acme', role: 'admin' })
 * expect((await app.request('/api/contacts', { headers: caller.headers })).status).toBe(200)
 */
export async function createTestKit(options: TestKitOptions = {}): Promise<TestKit> {
  const parsed = parseOptions('createTestKit', SHAPE, options)
  const { audience = 'authenticated', orgHeader = 'x-org-id', storage = createMemoryStorage() } = parsed
  const issuer = await createTokenIssuer({ audience, algorithms: ['HS256'] })
  const keys = [{ kind: 'secret', secret: issuer.secret }] as const
  const verify = createJwtVerifier({ issuers: [{ issuer: issuer.issuer, keys }], audience })
  const orgs = new Map<string, Promise<StoredOrganization>>()
  let people = 0

  const orgNamed = (name: string): Promise<StoredOrganization> => {
    const org = orgs.get(name) ?? storage.orgs.insert({ name })
    orgs.set(name, org)
    return org
  }
  return {
    issuer,
    verify,
    storage,
    async signIn(whom = {}) {
      const asked = parseOptions('signIn', WHOM, whom)
      const { email = `person-${++people}@example.test`, org: orgName, role = 'member', claims = {} } = asked
      const subject = `subject of ${email}`
      const token = await issuer.sign({ sub: subject, email, ...claims })
      const authorization = `Bearer ${token}`
      if (orgName === undefined) return { token, headers: { authorization }, user: null, org: null }
      const org = await orgNamed(orgName)
      const { user } = await storage.users.upsertByIdentity({ issuer: issuer.issuer, subject, email })
      if ((await storage.memberships.setRole(org.id, user.id, role)) === 'missing') {
        await storage.memberships.insert({ orgId: org.id, userId: user.id, role })
      }
      return { token, headers: { authorization, [orgHeader]: org.id }, user, org }
    },
  }
}

const SHAPE = {
  audience: z.optional(aName()),
  orgHeader: z.optional(aHeaderName()),
  storage: z.optional(anObjectWith<MemoryStorage>('transaction')),
}

const WHOM = {
  email: z.optional(aName()),
  org: z.optional(aName()),
  role: z.optional(aName()),
  claims: z.optional(anObjectWith<Readonly<Record<string, unknown>>>()),
}
