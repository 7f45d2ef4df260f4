/**
 * Ready contexts for unit tests of handlers: what the pipeline would hand on, without a token, a request or a storage.
 */
import type {
  ApiKey,
  ApiKeyContext,
  AuthTypes,
  Identity,
  Organization,
  ServiceContext,
  ServiceOrgContext,
  User,
} from '../context.ts'

/**
 * The user of {@link testUser}.
 *
 * @example
 * expect(note.author).toBe(TEST_USER_ID)
 */
export const TEST_USER_ID = '11111111-1111-4111-8111-111111111111'
/**
 * The organization of every test context that names none.
 *
 * @example
 * await notes.insert({ orgId: TEST_ORG_ID, text: 'hello' })
 */
export const TEST_ORG_ID = '22222222-2222-4222-8222-222222222222'

/** Some members of a thing, in place of what a test would get; `undefined` is as left out. */
type Overrides<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** The types of a test context, from what it was given. */
export interface TestTypes<O extends Organization = Organization, R extends string = string, S extends string = string>
  extends AuthTypes {
  readonly org: O
  readonly role: R
  readonly service: S
}

/** What {@link testIdentityContext} makes: an `IdentityContext` of any host's types. */
export interface TestIdentityContext<C extends string = string> {
  readonly kind: 'user'
  readonly identity: Identity<C>
}

/** What {@link testUserContext} makes: a `UserContext` of any host's types that fit. */
export interface TestUserContext<U extends User, R extends string, C extends string> extends TestIdentityContext<C> {
  readonly user: U
  readonly role: R | null
}

/**
 * What {@link testContext} makes: a `UserOrgContext` of any host's types that fit. Spelt out member by member,
 * because TypeScript compares two `UserOrgContext<…>` by their type arguments, and a host's are always wider.
 */
export interface TestContext<U extends User, O extends Organization | null, R extends string, C extends string>
  extends TestIdentityContext<C> {
  readonly user: U
  readonly org: O
  readonly role: null extends O ? R | null : R
}

/**
 * Make an identity as a verified token gives it. Frozen.
 *
 * @param overrides members to replace; `claims` are the further claims a host names
 * @throws TypeError for a member that an identity does not have
 * @example
 * testIdentity({ subject: 's1', claims: { aal: 'aal2' } })
 */
export function testIdentity<C extends string = string>(overrides: Overrides<Identity<C>> = {}): Identity<C> {
  const identity = {
    issuer: 'https://issuer.test/auth/v1',
    subject: 'test-subject',
    audience: Object.freeze(['authenticated']),
    email: 'ada@example.test',
    emailVerified: null,
    tokenId: null,
    expiresAt: new Date('2100-01-01T00:00:00Z'),
    ...given(overrides),
    claims: Object.freeze({ ...overrides.claims }),
  }
  requireNamed('testIdentity', overrides, IDENTITY_MEMBERS)
  return Object.freeze(identity) as Identity<C>
}

/**
 * Make a user.
 *
 * @param overrides members to replace, and a host's own
 * @example
 * testUser({ id: 'u1', plan: 'pro' })
 */
export function testUser<const W extends object = object>(overrides?: W & Overrides<User>): User & W {
  const user = { id: TEST_USER_ID, email: 'ada@example.test', disabled: false, ...given(overrides) }
  return Object.freeze(user) as User & W
}

/** What to put into a user's context. */
export interface TestContextOptions<U extends User, O extends Organization | null, R extends string, C extends string> {
  /** Default: {@link testUser}`()`. */
  readonly user?: U | undefined
  /** Default: an organization of id {@link TEST_ORG_ID}; `null` for none. */
  readonly org?: O | undefined
  /** Default `member`. */
  readonly role?: R | undefined
  /** Members of the identity to replace. */
  readonly identity?: Overrides<Identity<C>> | undefined
}

/**
 * Make the context a handler gets by default: a user, acting in an organization as a role. Frozen.
 *
 * @param options user, org, role, identity; a host's wider types are kept
 * @throws TypeError for an unknown option
 * @example
 * const answer = await listContacts.handle(testContext({ org: { id: 'o1' }, role: 'admin' }), request)
 */
export function testContext<
  U extends User = User,
  O extends Organization | null = Organization,
  R extends string = string,
  C extends string = string,
>(options: TestContextOptions<U, O, R, C> = {}): TestContext<U, O, R, C> {
  requireNamed('testContext', options, ['user', 'org', 'role', 'identity'])
  const { org = TEST_ORG, role = org === null ? null : 'member' } = options
  return Object.freeze({ ...testUserParts(options), org, role }) as TestContext<U, O, R, C>
}

/**
 * Make the context of a handler of `needs: 'user'`. The role is `null` unless given. Frozen.
 *
 * @throws TypeError for an unknown option
 * @example
 * testUserContext({ user: testUser({ plan: 'pro' }), role: 'admin' })
 */
export function testUserContext<U extends User = User, R extends string = string, C extends string = string>(
  options: Omit<TestContextOptions<U, null, R, C>, 'org'> = {},
): TestUserContext<U, R, C> {
  requireNamed('testUserContext', options, ['user', 'role', 'identity'])
  return Object.freeze({ ...testUserParts(options), role: options.role ?? null }) as TestUserContext<U, R, C>
}

/**
 * Make the context of a handler of `needs: 'identity'`, such as a sync route. Frozen.
 *
 * @throws TypeError for a member that an identity does not have
 * @example
 * const answer = await syncRoute.handle(testIdentityContext({ subject: 's1' }), request)
 */
export function testIdentityContext<C extends string = string>(
  overrides: Overrides<Identity<C>> = {},
): TestIdentityContext<C> {
  return Object.freeze(testPerson(overrides)) as TestIdentityContext<C>
}

/** What to put into an API key's context: members of the key to replace, and the organization. */
export interface TestApiKeyOptions<O extends Organization, R extends string>
  extends Overrides<Omit<ApiKey, 'orgId' | 'role'>> {
  /** Default: an organization of id {@link TEST_ORG_ID}. */
  readonly org?: O | undefined
  /** Default `member`. */
  readonly role?: R | undefined
}

/**
 * Make the context a handler gets for an API key: always in the key's organization. Frozen.
 *
 * @throws TypeError for an unknown option
 * @example
 * testApiKeyContext({ scopes: ['dependencies:read'] })
 */
export function testApiKeyContext<O extends Organization = Organization, R extends string = string>(
  options: TestApiKeyOptions<O, R> = {},
): ApiKeyContext<TestTypes<O, R>> {
  requireNamed('testApiKeyContext', options, ['id', 'name', 'scopes', 'org', 'role'])
  const { org = TEST_ORG, role = 'member', scopes = [], ...rest } = options
  const frozenScopes = Object.freeze([...scopes])
  const key: ApiKey = Object.freeze({
    id: 'testkey00001',
    name: 'test key',
    ...given(rest),
    orgId: org.id,
    role,
    scopes: frozenScopes,
  })
  const context = { kind: 'apiKey' as const, key, org, role, scopes: frozenScopes }
  return Object.freeze(context) as ApiKeyContext<TestTypes<O, R>>
}

/**
 * Make the context a handler gets for a service; with an organization, the one `actIn` gives. Frozen.
 *
 * @param name the service
 * @param org the organization it acts in, if any
 * @example
 * testServiceContext('telephony', { id: 'o1' })
 */
export function testServiceContext<const S extends string>(name: S): ServiceContext<TestTypes<Organization, string, S>>
export function testServiceContext<const S extends string, O extends Organization>(
  name: S,
  org: O,
): ServiceOrgContext<TestTypes<O, string, S>>
export function testServiceContext(name: string, org?: Organization): ServiceContext {
  return Object.freeze({ kind: 'service' as const, service: name, ...(org !== undefined && { org }) })
}

const TEST_ORG: Organization = Object.freeze({ id: TEST_ORG_ID })

const IDENTITY_MEMBERS: readonly string[] = [
  'issuer',
  'subject',
  'audience',
  'email',
  'emailVerified',
  'tokenId',
  'expiresAt',
  'claims',
]

// A test whose `rol` is passed over would prove nothing.
function requireNamed(name: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined) throw new TypeError(`${name}: unknown option "${unknown}"`)
}

function given(overrides: object | undefined): object {
  return Object.fromEntries(Object.entries(overrides ?? {}).filter(([, value]) => value !== undefined))
}

function testPerson(overrides: Overrides<Identity>): TestIdentityContext {
  const identity = testIdentity(overrides)
  return { kind: 'user', identity }
}

function testUserParts(options: { user?: User | undefined; identity?: Overrides<Identity> | undefined }): object {
  const { user = testUser(), identity } = options
  return { ...testPerson({ email: user.email, ...given(identity) }), user }
}
