/** Ready contexts for unit tests of handlers: what the pipeline would hand on, without a token, a request or a storage. */
import type {
  ApiKey,
  ApiKeyContext,
  AuthTypes,
  Identity,
  Machine,
  MachineContext,
  MachineOrgContext,
  Organization,
  User,
} from '../context.ts'
import { optionsError } from '../lib/parse-options.ts'

/** The user of {@link testUser}. */
export const TEST_USER_ID = '11111111-1111-4111-8111-111111111111'
/** The organization of every test context that names none. */
export const TEST_ORG_ID = '22222222-2222-4222-8222-222222222222'
const USER: User = { id: TEST_USER_ID, email: 'ada@example.test', disabled: false }
const ORG: Organization = Object.freeze({ id: TEST_ORG_ID })

/** Some members of a thing, in place of what a test would get; `undefined` is as left out. */
type Overrides<T> = { readonly [K in keyof T]?: T[K] | undefined }

/**
 * Make an identity as a verified token gives it; `claims` are the further claims a host names. Frozen.
 *
 * @throws OptionsError for a member that an identity does not have
 * @example
 * testIdentity({ subject: 's1', claims: { aal: 'aal2' } })
 */
export function testIdentity<C extends string = string>(overrides: Overrides<Identity<C>> = {}): Identity<C> {
  const identity = filled('testIdentity', overrides, {
    issuer: 'https://issuer.test/auth/v1',
    subject: 'test-subject',
    kind: 'person',
    audience: Object.freeze(['authenticated']),
    email: 'ada@example.test',
    emailVerified: null,
    name: null,
    scopes: null,
    actor: null,
    tokenId: null,
    expiresAt: new Date('2100-01-01T00:00:00Z'),
    claims: {},
  })
  return Object.freeze({ ...identity, claims: Object.freeze({ ...identity.claims }) }) as Identity<C>
}

/**
 * Make a user, with a host's own members. Frozen.
 *
 * @example
 * testUser({ id: 'u1', plan: 'pro' })
 */
export function testUser<const W extends object = object>(overrides?: W & Overrides<User>): User & W {
  return Object.freeze({ ...USER, ...given(overrides) }) as User & W
}

/** The context of a handler of `needs: 'identity'`. */
export interface TestIdentityContext<C extends string, P extends string> {
  readonly kind: 'user'
  readonly identity: Identity<C>
  /** What the caller may do, sorted. */
  readonly permissions: readonly P[]
}

/** The context of a handler of `needs: 'user'`. */
export interface TestUserContext<U extends User, R extends string, C extends string, P extends string>
  extends TestIdentityContext<C, P> {
  readonly user: U
  readonly role: R | null
}

/**
 * A `UserOrgContext` of any host's types that fit. Spelt out member by member, because TypeScript compares two
 * `UserOrgContext<…>` by their type arguments, and a host's are always wider.
 */
export interface TestContext<
  U extends User,
  O extends Organization | null,
  R extends string | null,
  C extends string,
  P extends string,
> extends TestIdentityContext<C, P> {
  readonly user: U
  readonly org: O
  readonly role: null extends O ? R | null : R
}

/** What to put into a user's context. */
interface TestContextOptions<
  U extends User,
  O extends Organization | null,
  R extends string | null,
  C extends string,
  P extends string,
> {
  /** What the handler's Access says: `user` leaves the organization out, `identity` the user and the role too. Default `org`. */
  readonly needs?: 'org' | undefined
  /** Default: what {@link testUser} makes. */
  readonly user?: U | undefined
  /** Default: an organization with an id; `null` for none. */
  readonly org?: O | undefined
  /** Default `member`; without an organization `null`. */
  readonly role?: NonNullable<R> | undefined
  /** What the caller may do. Default: nothing. */
  readonly permissions?: readonly P[] | undefined
  /** Members of the identity to replace. */
  readonly identity?: Overrides<Identity<C>> | undefined
}

const MEMBERS = {
  org: ['identity', 'permissions', 'user', 'role', 'org'],
  user: ['identity', 'permissions', 'user', 'role'],
  identity: ['identity', 'permissions'],
}

/**
 * Make the context a handler gets for a user: acting in an organization as a role, or what `needs` says. Frozen. A host's
 * wider types are kept.
 *
 * @throws OptionsError for an unknown option
 * @example
 * const answer = await listContacts.handle(testContext({ org: { id: 'o1' }, permissions: ['contacts:read'] }), request)
 * const synced = await syncRoute.handle(testContext({ needs: 'identity', identity: { subject: 's1' } }), request)
 */
export function testContext<C extends string = string, P extends string = never>(
  options: { readonly needs: 'identity' } & Pick<
    TestContextOptions<User, null, string, C, P>,
    'identity' | 'permissions'
  >,
): TestIdentityContext<C, P>
export function testContext<
  U extends User = User,
  R extends string = string,
  C extends string = string,
  P extends string = never,
>(
  options: { readonly needs: 'user' } & Omit<TestContextOptions<U, null, R, C, P>, 'needs' | 'org'>,
): TestUserContext<U, R, C, P>
export function testContext<
  U extends User = User,
  O extends Organization | null = Organization,
  R extends string | null = string,
  C extends string = string,
  P extends string = never,
>(options?: TestContextOptions<U, O, R, C, P>): TestContext<U, O, R, C, P>
export function testContext({
  needs = 'org',
  ...options
}: Omit<TestContextOptions<User, Organization | null, string, string, string>, 'needs'> & {
  readonly needs?: keyof typeof MEMBERS | undefined
} = {}): TestIdentityContext<string, string> {
  if (!Object.hasOwn(MEMBERS, needs)) throw new TypeError('testContext: needs must be "org", "user" or "identity"')
  requireNamed('testContext', options, MEMBERS[needs])
  const { user = testUser(), org = ORG, identity } = options
  const permissions = sorted(options.permissions)
  if (needs === 'identity') return Object.freeze({ kind: 'user', identity: testIdentity(identity), permissions })
  const token = testIdentity({ email: user.email, ...given(identity) })
  const known = { kind: 'user' as const, identity: token, permissions, user }
  if (needs === 'user') return Object.freeze({ ...known, role: options.role ?? null })
  const { role = org === null ? null : 'member' } = options
  return Object.freeze({ ...known, org, role })
}

/** The types of a test context, from what it was given. */
export interface TestTypes<O extends Organization, R extends string, S extends string, P extends string>
  extends AuthTypes {
  readonly org: O
  readonly role: R
  /** The same, where the caller acts. */
  readonly actingRole: R
  /** What the caller may do. */
  readonly permission: P
  readonly service: S
}

/** What to put into an API key's context. */
interface TestApiKeyOptions<O extends Organization, R extends string, P extends string> {
  /** Default `testkey00001`. */
  readonly id?: string | undefined
  /** Default `test key`. */
  readonly name?: string | undefined
  /** The key's organization. Default: one with an id. */
  readonly org?: O | undefined
  /** Default `member`. */
  readonly role?: R | undefined
  /** What the key carries, and may do. Default: nothing. */
  readonly permissions?: readonly P[] | undefined
}

/**
 * Make the context a handler gets for an API key, always in the key's organization. Frozen.
 *
 * @throws OptionsError for an unknown option
 * @example
 * testApiKeyContext({ permissions: ['dependencies:read'] })
 */
export function testApiKeyContext<
  O extends Organization = Organization,
  R extends string = string,
  P extends string = never,
>(options: TestApiKeyOptions<O, R, P> = {}): ApiKeyContext<TestTypes<O, R, string, P>> {
  const carried: readonly string[] = []
  const defaults = { id: 'testkey00001', name: 'test key', permissions: carried, org: ORG, role: 'member' }
  const { id, name, org, role, ...rest } = filled('testApiKeyContext', options, defaults)
  const permissions = sorted(rest.permissions)
  const key: ApiKey = Object.freeze({ id, name, orgId: org.id, role, permissions })
  const context = { kind: 'apiKey' as const, key, org, role, permissions }
  return Object.freeze(context) as ApiKeyContext<TestTypes<O, R, string, P>>
}

/** What to put into a machine's context. */
interface TestMachineOptions<O extends Organization, R extends string, P extends string> {
  /** Default `test-machine`. */
  readonly id?: string | undefined
  /** Default `test machine`. */
  readonly name?: string | undefined
  /** Default: an organization with an id. */
  readonly org?: O | undefined
  /** Default `member`; `null` for none. */
  readonly role?: R | null | undefined
  /** What it may do. Default: nothing. */
  readonly permissions?: readonly P[] | undefined
  /** Members of the identity to replace. */
  readonly identity?: Overrides<Identity> | undefined
}

/**
 * Make the context a handler gets for a machine, bound to the organization it acts in; of `needs: 'identity'` with `org: null`.
 * Frozen.
 *
 * @throws OptionsError for an unknown option
 * @example
 * testMachineContext({ name: 'deploy', permissions: ['releases:write'] })
 * testMachineContext({ name: 'deploy', org: null })
 */
export function testMachineContext<P extends string = never>(
  options: { readonly org: null } & Omit<TestMachineOptions<Organization, string, P>, 'org'>,
): MachineContext<TestTypes<Organization, string, string, P>>
export function testMachineContext<
  O extends Organization = Organization,
  R extends string = string,
  P extends string = never,
>(options?: TestMachineOptions<O, R, P>): MachineOrgContext<TestTypes<O, R, string, P>>
export function testMachineContext(
  options: { readonly org?: Organization | null | undefined } & Omit<
    TestMachineOptions<Organization, string, string>,
    'org'
  > = {},
): MachineContext {
  const defaults = { id: 'test-machine', name: 'test machine', org: ORG, role: 'member', permissions: [], identity: {} }
  const { id, name, org, role, ...rest } = filled<TestMachineDefaults>('testMachineContext', options, defaults)
  const permissions = sorted(rest.permissions)
  const machine = Object.freeze({ id, name, orgId: org?.id ?? null, role, permissions: null })
  const identity = testIdentity({ kind: 'machine', email: null, ...given(rest.identity) })
  const context = { kind: 'machine' as const, machine, identity, permissions }
  return Object.freeze(org === null ? context : { ...context, org, role })
}

interface TestMachineDefaults extends Pick<Machine, 'id' | 'name' | 'role'> {
  readonly org: Organization | null
  readonly permissions: readonly string[]
  readonly identity: Overrides<Identity>
}

/** The context of a handler that accepts services, spelt out as {@link TestContext} is. */
export interface TestServiceContext<S extends string, P extends string> {
  readonly kind: 'service'
  readonly service: S
  /** What the service may do, sorted. */
  readonly permissions: readonly P[]
}

/** What `actIn` makes of it. */
export interface TestServiceOrgContext<O extends Organization, S extends string, P extends string>
  extends TestServiceContext<S, P> {
  readonly org: O
}

/**
 * Make the context a handler gets for a service; with an organization, the one `actIn` gives; with what it may do (default:
 * nothing). Frozen.
 *
 * @param name the service's name
 * @param org where it acts
 * @param permissions what it may do
 * @example
 * testServiceContext('telephony', { id: 'o1' }, ['bookings:write'])
 */
export function testServiceContext<const S extends string, const P extends string = never>(
  name: S,
  org?: undefined,
  permissions?: readonly P[],
): TestServiceContext<S, P>
export function testServiceContext<const S extends string, O extends Organization, const P extends string = never>(
  name: S,
  org: O,
  permissions?: readonly P[],
): TestServiceOrgContext<O, S, P>
export function testServiceContext(
  name: string,
  org?: Organization,
  permissions?: readonly string[],
): TestServiceContext<string, string> {
  const acting = org === undefined ? {} : { org }
  return Object.freeze({ kind: 'service' as const, service: name, permissions: sorted(permissions), ...acting })
}

function sorted<P extends string>(permissions: readonly P[] = []): readonly P[] {
  return Object.freeze([...permissions].sort())
}

// A test whose `rol` is passed over would prove nothing.
function requireNamed(name: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown !== undefined) throw optionsError(name, unknown, 'is unknown')
}

function filled<T extends object>(name: string, overrides: object, defaults: T): T {
  requireNamed(name, overrides, Object.keys(defaults))
  return { ...defaults, ...given(overrides) }
}

function given(overrides: object | undefined): object {
  return Object.fromEntries(Object.entries(overrides ?? {}).filter(([, value]) => value !== undefined))
}
