/** An optional option that a host hands in as `undefined`, because its own variable held nothing, was refused, or took another default. */
import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { createAdapter as forExpress } from '../../adapters/express.ts'
import { createAdapter as forHono } from '../../adapters/hono.ts'
import { createAdapter as forKoa } from '../../adapters/koa.ts'
import { createApiKeys } from '../../src/api-keys/index.ts'
import * as main from '../../src/index.ts'
import * as login from '../../src/login/index.ts'
import { parseLoginOptions } from '../../src/login/login-options.ts'
import * as machine from '../../src/machine/index.ts'
import * as people from '../../src/people/index.ts'
import { createMemoryAccounts, createMemoryStorage } from '../../src/storage/memory.ts'
import { createPostgresStorage } from '../../src/storage/postgres.ts'
import { createSqliteStorage } from '../../src/storage/sqlite.ts'
import { createTelemetry } from '../../src/telemetry/index.ts'
import * as testing from '../../src/testing/index.ts'
import { entryPoints, root } from '../package/entry-points.ts'
import { exportsOf } from '../package/exports-of.ts'
import { SQLITE_DRIVERS } from '../sqlite.ts'

type Options = Readonly<Record<string, unknown>>

const SECRET = 'Zx81-kd93-hhwq-0192-qqqq-lsdk-29sk'
const URL_TEXT = 'https://issuer.example.test'
const memory = createMemoryStorage()
const openDatabase = () => SQLITE_DRIVERS[0]?.open(':memory:') as never
const accounts = createMemoryAccounts()
const apiKeys = { storage: memory, prefix: 'tst', roles: main.createRoles(['admin'], { read: 'admin' }) }
const members = people.createMembers({ storage: memory, roles: ['admin'], manage: { role: 'admin' } })
const invitations = people.createInvitations({ storage: memory, roles: ['admin'], manage: { role: 'admin' } })
const organizations = people.createOrganizations({ storage: memory, roles: ['admin'], manage: { role: 'admin' } })
const users = async () => ({ user: { id: 'u', disabled: false } })
const issuers = [{ issuer: URL_TEXT, keys: [{ kind: 'secret', secret: SECRET }], audience: 'a' }]
const verifier = main.createJwtVerifier({ issuers } as never)
const orgs = { memberships: memory.memberships, selectors: [], whenUnnamed: 'reject' }
const resolver = main.createOrgResolver(orgs as never)
const auth = main.createAuth({ roles: ['admin'], verifier, users, orgs: resolver } as never)
const common = { storage: accounts, service: 'app', roles: ['member', 'admin'] }
const grant = { kind: 'clientCredentials', clientId: 'id', clientSecret: SECRET, tokenUrl: URL_TEXT }

/** By name: what it must be given, and the call. */
const CREATED: Record<string, readonly [required: Options, create: (options: never) => unknown]> = {
  createApiKeys: [apiKeys, createApiKeys],
  createAuth: [{ roles: ['admin'], verifier, users, orgs: resolver }, main.createAuth],
  createIssuerLookUp: [{ mayBe: () => false, find: async () => null }, main.createIssuerLookUp],
  createJwtVerifier: [{ issuers }, main.createJwtVerifier],
  createMembershipCache: [{ users: memory.users, memberships: memory.memberships }, main.createMembershipCache],
  createMetrics: [{}, main.createMetrics],
  createOrgResolver: [orgs, main.createOrgResolver],
  createOrgScoped: [{}, (options) => main.createOrgScoped({ find: () => null }, options)],
  createProvisioner: [{ storage: memory }, main.createProvisioner],
  createRoles: [{}, (options) => main.createRoles({ a: ['p'] }, options)],
  createServiceVerifier: [{ services: { a: { header: 'X-A', secrets: [SECRET] } } }, main.createServiceVerifier],
  createSyncGate: [{ users: memory.users }, main.createSyncGate],
  createSyncRoute: [{ provision: users, memberships: memory.memberships }, main.createSyncRoute],
  createUserOrgResolver: [{ memberships: memory.memberships, orgIdOf: () => null }, main.createUserOrgResolver],
  'createAdapter sallyport/express': [{}, (options) => forExpress(auth as never, options)],
  'createAdapter sallyport/hono': [{}, (options) => forHono(auth as never, options)],
  'createAdapter sallyport/koa': [{}, (options) => forKoa(auth as never, options)],
  createMembers: [{ storage: memory, roles: ['admin'], manage: { role: 'admin' } }, people.createMembers],
  createMemberRoutes: [{}, (options) => people.createMemberRoutes(members, options)],
  createInvitations: [{ storage: memory, roles: ['admin'], manage: { role: 'admin' } }, people.createInvitations],
  createInvitationRoutes: [{}, (options) => people.createInvitationRoutes(invitations, options)],
  createOrganizations: [{ storage: memory, roles: ['admin'], manage: { role: 'admin' } }, people.createOrganizations],
  createOrganizationRoutes: [{}, (options) => people.createOrganizationRoutes(organizations, options)],
  createUserAdmin: [{ storage: memory, roles: ['admin'] }, people.createUserAdmin],
  createMemoryAccounts: [{}, createMemoryAccounts],
  createMemoryStorage: [{}, createMemoryStorage],
  createPostgresStorage: [{ pool: { query: async () => ({}), connect: async () => ({}) } }, createPostgresStorage],
  createSqliteStorage: [{ database: openDatabase() }, createSqliteStorage],
  createDevLogin: [{ ...common, nodeEnv: 'test' }, login.createDevLogin],
  createLogin: [{ ...common, secret: new Uint8Array(32).map((_, index) => index) }, login.createLogin],
  createPasswordHasher: [{}, login.createPasswordHasher],
  createTelemetry: [{}, createTelemetry],
  createTokenClient: [{ grant, origins: [URL_TEXT] }, machine.createTokenClient],
  createAdapterAudit: [{}, testing.createAdapterAudit],
  createTestKit: [{}, testing.createTestKit],
  createTokenIssuer: [{}, testing.createTokenIssuer],
}

const NO_OPTIONS = ['createReadJson', 'createRouteFinder']

const files = ['src', 'adapters'].flatMap((folder) =>
  readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ts.createSourceFile(name, readFileSync(`${root}${folder}/${name}`, 'utf8'), ts.ScriptTarget.Latest)),
)
const statements = files.flatMap((file) => file.statements.map((statement) => ({ file, statement })))

/** The optional members that an interface declares, or inherits. */
function optionalOf(name: string): string[] {
  return statements.flatMap(({ file, statement }) => {
    if (!ts.isInterfaceDeclaration(statement) || statement.name.text !== name) return []
    const own = statement.members.flatMap((member) =>
      ts.isPropertySignature(member) && member.questionToken !== undefined ? [member.name.getText(file)] : [],
    )
    const from = (statement.heritageClauses ?? []).flatMap(({ types }) =>
      types.map((each) => each.expression.getText(file)),
    )
    return [...own, ...from.flatMap(optionalOf)]
  })
}

/** The options a `create…` function takes: the type of its last parameter, one answer for each function of the name. */
function optionsTypesOf(name: string): string[] {
  return statements.flatMap(({ file, statement }) => {
    const type = signatureOf(statement, file, name)?.parameters.at(-1)?.type
    return type !== undefined && ts.isTypeReferenceNode(type) ? [type.typeName.getText(file)] : []
  })
}

/** That of a function, or of a constant of its type. */
function signatureOf(
  statement: ts.Statement,
  file: ts.SourceFile,
  name: string,
): ts.SignatureDeclarationBase | undefined {
  if (ts.isFunctionDeclaration(statement)) return statement.name?.text === name ? statement : undefined
  if (!ts.isVariableStatement(statement)) return undefined
  const type = statement.declarationList.declarations.find((each) => each.name.getText(file) === name)?.type
  return type !== undefined && ts.isFunctionTypeNode(type) ? type : undefined
}

const exported = entryPoints.flatMap(({ specifier, file }) =>
  exportsOf(file)
    .filter(({ kind, name }) => kind === 'value' && /^create[A-Z]/.test(name) && !NO_OPTIONS.includes(name))
    .map(({ name }) => (name === 'createAdapter' ? `${name} ${specifier}` : name)),
)

it('is asked of every create… function that the package exports', () => {
  expect(Object.keys(CREATED).toSorted()).toEqual(exported.toSorted())
})

describe.each(Object.entries(CREATED))('%s', (label, [required, create]) => {
  const types = optionsTypesOf(label.split(' ', 1)[0] as string)
  // By a `storage` that got lost nothing may open: createAuth refuses it (test/pipeline/auth-options.test.ts).
  const isLeftOut = (name: string): boolean => label === 'createAuth' && ['storage', 'issuers'].includes(name)
  const names = [...new Set(types.flatMap(optionalOf))].filter(
    (name) => !Object.hasOwn(required, name) && !isLeftOut(name),
  )

  it('takes undefined for each of its optional options', async () => {
    const nothing = Object.fromEntries(names.map((name) => [name, undefined]))
    const [without, withUndefined] = [
      await create(required as never),
      await create({ ...required, ...nothing } as never),
    ]
    expect(Object.keys(withUndefined ?? {})).toEqual(Object.keys(without ?? {}))
    if (names.length === 0) expect(label).toBe('createServiceVerifier')
  })
})

describe('undefined inside of an option', () => {
  const none = { maxAgeSeconds: undefined, maxStaleSeconds: undefined, algorithms: undefined, url: undefined }
  const source = { kind: 'discovery', ...none }
  const unsaid = { types: undefined, check: undefined, emails: undefined, accepts: undefined, boundTokens: undefined }
  const issuer = { issuer: URL_TEXT, keys: [source], audience: 'a', ...unsaid }
  const limits = {
    ...{ accountFailures: undefined, firstWaitSeconds: undefined, longestWaitSeconds: undefined },
    ...{ addressFailures: undefined, addressWindowSeconds: undefined },
  }
  it.each<[string, () => unknown]>([
    ['an issuer and its source of keys', () => main.createJwtVerifier({ issuers: [issuer as never] })],
    [
      'the cache of tokens',
      () =>
        main.createJwtVerifier({
          issuers: issuers as never,
          cache: { maxEntries: undefined, ttlSeconds: undefined },
        }),
    ],
    [
      'the routes of API keys',
      () => createApiKeys(apiKeys as never).routes({ role: 'admin', path: undefined, present: undefined } as never),
    ],
    [
      'a cookie',
      () =>
        main.createAuth({
          roles: ['admin'],
          verifier,
          users,
          orgs: resolver,
          cookie: { name: 'a', publicUrl: undefined },
        } as never),
    ],
    [
      'the names of tables',
      () => createSqliteStorage({ database: openDatabase(), tables: { users: undefined } as never }),
    ],
    [
      'a grant',
      () =>
        machine.createTokenClient({
          grant: { ...grant, audience: undefined } as never,
          origins: [URL_TEXT],
        }),
    ],
  ])('%s', (_, create) => {
    expect(create).not.toThrow()
  })

  it('of the limits and paths of a login is the default', () => {
    const [required] = CREATED['createLogin'] as readonly [Options, unknown]
    const paths = { login: undefined, users: undefined }
    const [without, withUndefined] = [{}, { throttle: limits, paths }].map((more) =>
      parseLoginOptions({ ...required, ...more } as never),
    )
    expect([withUndefined?.limits, withUndefined?.paths]).toEqual([without?.limits, without?.paths])
    expect(Object.values(withUndefined?.limits ?? {}).every(Number.isFinite)).toBe(true)
  })
})
