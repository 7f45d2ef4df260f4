/**
 * Sign people in without a network: an issuer, a verifier that trusts it, and a storage, for tests that send real
 * requests through a host's own routes.
 */
import type { Organization, User } from '../context.ts'
import { createJwtVerifier, type IssuerOptions, type Verifier } from '../index.ts'
import {
  aHeaderName,
  aListOf,
  aName,
  anObjectWith,
  aScope,
  optional,
  orNull,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { createMemoryStorage, type MemoryStorage } from '../storage/memory.ts'
import type {
  AuthStorage,
  MachineAdmin,
  MachineRecord,
  MachineRepository,
  MembershipAdmin,
} from '../storage/repositories.ts'
import { createTokenIssuer, type TokenIssuer } from './token-issuer.ts'

/** Options of {@link createTestKit}. */
export interface TestKitOptions<S extends AuthStorage = MemoryStorage> {
  /** The audience of its tokens. Default `authenticated`. */
  readonly audience?: string | undefined
  /** The header that names the organization. Default `x-org-id`. */
  readonly orgHeader?: string | undefined
  /** The storage to sign people into: any. Default: a fresh one in memory. */
  readonly storage?: S | undefined
}

/** Whom to sign in. */
export interface SignInOptions {
  /** The same address is the same person. Default: somebody new. */
  readonly email?: string | undefined
  /** An organization by name, made on first use. Left out: no membership is written, as before a first login. */
  readonly org?: string | undefined
  /** The role in it. Default `member`. */
  readonly role?: string | undefined
  /** Further claims of the token. A `sub` or an `email` among them is the user's, too; `email: undefined` is none. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

/** Which machine to sign in. */
export interface MachineSignInOptions {
  /** The same name is the same machine. Default: another one. */
  readonly name?: string | undefined
  /** An organization by name, made on first use. Left out: it is bound to none. */
  readonly org?: string | undefined
  /** Default `member`; `null` for none. */
  readonly role?: string | null | undefined
  /** Default: all that its role may. */
  readonly permissions?: readonly string[] | undefined
  /** Further claims of the token. A `sub` among them is the machine's, too. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

/** A machine signed in. */
export interface TestMachine<S extends AuthStorage = MemoryStorage> {
  readonly token: string
  /** Headers for a request: the token, and the organization where one was named. */
  readonly headers: Readonly<Record<string, string>>
  readonly machine: MachineRecord
  readonly org: OrgOf<S> | null
}

/** Somebody signed in. */
export interface TestCaller<S extends AuthStorage = MemoryStorage> {
  /** The access token, as a client sends it. */
  readonly token: string
  /** Headers for a request: the token, and the organization where one was named. */
  readonly headers: Readonly<Record<string, string>>
  /** The user's row; `null` where no organization was named. */
  readonly user: UserOf<S> | null
  /** The organization that they were signed in to; `null`: none. */
  readonly org: OrgOf<S> | null
}

type UserOf<S extends AuthStorage> = Awaited<ReturnType<S['users']['upsertByIdentity']>>['user']
type OrgOf<S extends AuthStorage> = Awaited<ReturnType<S['orgs']['insert']>>

/** What {@link createTestKit} makes. */
export interface TestKit<S extends AuthStorage = MemoryStorage> {
  /** The issuer whose tokens the kit signs. */
  readonly issuer: TokenIssuer
  /** Give them to `createAuth`: the kit's issuer alone, whose people are the host's own. */
  readonly issuers: readonly IssuerOptions[]
  /** The same as a verifier, for an auth in the long form. */
  readonly verifier: Verifier<never>
  /** Where users, organizations and memberships are. */
  readonly storage: S
  /** Sign somebody in, with a real token and a real membership. */
  signIn(options?: SignInOptions): Promise<TestCaller<S>>
  /**
   * Register a machine, unless it is there, and sign it in with a real token of its own. Give `storage.machines` to
   * `createAuth`.
   */
  signInMachine(options?: MachineSignInOptions): Promise<TestMachine<S>>
}

/**
 * Create a test kit. No network, and no database but the one of your storage; each kit is apart from every other.
 *
 * @throws OptionsError for an unknown or malformed option, of `signIn` and `signInMachine` too
 * @throws Error from `signInMachine` where the storage has no `machines`, or the machine is there as another one
 * @throws Error from `signIn` where somebody has another role already and the storage can't change it (no `setRole`)
 * @example
 * const kit = await createTestKit()
 * const app = createApp(createAuth({ issuers: kit.issuers, storage: kit.storage, roles: ['member', 'admin'] }))
 * const caller = await kit.signIn({ org: 'acme', role: 'admin' })
 * expect((await app.request('/api/contacts', { headers: caller.headers })).status).toBe(200)
 */
export async function createTestKit<S extends AuthStorage = MemoryStorage>(
  options: TestKitOptions<S> = {},
): Promise<TestKit<S>> {
  const parsed = parseOptions<TestKitOptions<AuthStorage>>('createTestKit', SHAPE, options)
  const { audience = 'authenticated', orgHeader = 'x-org-id' } = parsed
  const storage: AuthStorage = parsed.storage ?? createMemoryStorage()
  const issuer = await createTokenIssuer({ audience, algorithms: ['HS256'] })
  const keys = [{ kind: 'secret', secret: issuer.secret }] as const
  const issuers = [{ issuer: issuer.issuer, keys, audience, people: 'own' }] as const
  const verifier = createJwtVerifier({ issuers })
  const orgs = new Map<string, Promise<Organization>>()
  let people = 0

  const orgNamed = (name: string): Promise<Organization> => {
    const org = orgs.get(name) ?? storage.orgs.insert({ name })
    orgs.set(name, org)
    return org
  }
  const signIn = async (whom: SignInOptions = {}): Promise<TestCaller<AuthStorage>> => {
    const asked = parseOptions('signIn', WHOM, whom)
    const { email = `person-${++people}@example.test`, org: orgName, role = 'member', claims = {} } = asked
    const named = { sub: `subject of ${email}`, email, ...claims }
    const token = await issuer.sign(named)
    const authorization = `Bearer ${token}`
    if (orgName === undefined) return { token, headers: { authorization }, user: null, org: null }
    const org = await orgNamed(orgName)
    const person = { issuer: issuer.issuer, subject: String(named.sub), email: emailOf(named) }
    const { user } = await storage.users.upsertByIdentity(person)
    await join(storage, org.id, user, role)
    return { token, headers: { authorization, [orgHeader]: org.id }, user, org }
  }
  const signInMachine = async (which: MachineSignInOptions = {}): Promise<TestMachine<AuthStorage>> => {
    const asked = parseOptions('signInMachine', WHICH, which)
    const { name = `machine-${++people}`, org: orgName, role = 'member', permissions = null, claims = {} } = asked
    const { machines } = storage as { readonly machines?: MachineRepository & MachineAdmin }
    if (machines === undefined) throw new Error('signInMachine: this storage has no machines')
    const org = orgName === undefined ? null : await orgNamed(orgName)
    // RFC 9068 §2.2: of a token that was granted to a client itself, the client is the subject.
    const client = `client ${name}`
    const named = { sub: client, client_id: client, email: undefined, ...claims }
    const token = await issuer.sign(named)
    const identity = { issuer: issuer.issuer, subject: String(named.sub) }
    const wanted = { ...identity, name, orgId: org?.id ?? null, role, permissions }
    const machine = (await machines.findByIdentity(identity)) ?? (await machines.insert(wanted))
    const isAsked = ([key, value]: [string, unknown]): boolean =>
      key in identity || JSON.stringify(machine[key as keyof MachineRecord]) === JSON.stringify(value)
    if (!Object.entries(wanted).every(isAsked))
      throw new Error(`signInMachine: ${name} is there already, as another one`)
    const headers = { authorization: `Bearer ${token}`, ...(org === null ? {} : { [orgHeader]: org.id }) }
    return { token, headers, machine, org }
  }
  return {
    ...{ issuer, issuers, verifier, storage: storage as S },
    signIn: signIn as TestKit<S>['signIn'],
    signInMachine: signInMachine as TestKit<S>['signInMachine'],
  }
}

// Whoever signs in is whom the token names, and has the address that it has: none, where it has none.
function emailOf({ email }: { readonly email?: unknown }): string | null {
  return typeof email === 'string' ? email : null
}

async function join({ memberships }: AuthStorage, orgId: string, user: User, role: string): Promise<void> {
  const acting = await memberships.findActing({ kind: 'user', user }, orgId)
  if (acting?.role === role) return
  if (acting === null) return void (await memberships.insert({ orgId, userId: user.id, role }))
  const { setRole } = memberships as Partial<MembershipAdmin>
  if (setRole === undefined)
    throw new Error(`signIn: the user is there as ${acting.role}; this storage changes no role`)
  await setRole.call(memberships, orgId, user.id, role)
}

const SHAPE: Shape<TestKitOptions<AuthStorage>> = {
  audience: optional(aName()),
  orgHeader: optional(aHeaderName()),
  storage: optional(anObjectWith('transaction')),
}

const WHICH = {
  name: optional(aName()),
  org: optional(aName()),
  role: optional(orNull(aName())),
  permissions: optional(aListOf(aScope())),
  claims: optional(anObjectWith<Readonly<Record<string, unknown>>>()),
}

const WHOM = {
  email: optional(aName()),
  org: optional(aName()),
  role: optional(aName()),
  claims: optional(anObjectWith<Readonly<Record<string, unknown>>>()),
}
