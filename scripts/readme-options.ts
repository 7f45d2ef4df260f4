// The tables of options, with the sentences of their docstrings: of docs/options.md every option of every `create…`, of
// docs/issuers.md those of the presets.
import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'

// What it is an option of, the interface, what stands before its names.
type Group = readonly [of: string, name: string, under?: string]

const GROUPS: readonly Group[] = [
  ['createAuth', 'AuthOptions'],
  ['createAuth', 'SessionCookie', 'cookie.'],
  ['createAuth', 'Gateway', 'gateway.'],
  ['createAuth', 'ChallengeOptions', 'challenge.'],
  ['explain', 'ExplainOptions'],
  ['createMetrics', 'MetricsOptions'],
  ['createTelemetry', 'TelemetryOptions'],
  ['createAdapter', 'AdapterOptions'],
  ['createJwtVerifier', 'JwtVerifierOptions'],
  ['createJwtVerifier', 'TokenCacheSettings', 'cache.'],
  ['createJwtVerifier', 'IssuerOptions', 'issuers[].'],
  ['createJwtVerifier', 'IssuerClaims', 'issuers[].claims.'],
  ['createJwtVerifier', 'MachineRule', 'issuers[].machines[].'],
  ['keys of an issuer: `secret`', 'SecretSource'],
  ['keys of an issuer: `jwks`', 'JwksUrlSource'],
  ['keys of an issuer: `jwks`, written out', 'JwksKeysSource'],
  ['keys of an issuer: `discovery`', 'DiscoverySource'],
  ['createIssuerLookUp', 'IssuerLookUpOptions'],
  ['supabase', 'SupabaseOptions'],
  ['oidc', 'OidcOptions'],
  ['protectedResourceMetadata', 'ProtectedResourceMetadataOptions'],
  ['createServiceVerifier', 'ServiceVerifierOptions'],
  ['createRoles', 'RoleSetOptions'],
  ['createServiceVerifier', 'ServiceOptions', 'services.<name>.'],
  ['createProvisioner', 'ProvisionerOptions'],
  ['createProvisioner', 'ProfileOptions', 'profile.'],
  ['userInfo', 'UserInfoOptions'],
  ['createSyncGate', 'SyncGateOptions'],
  ['createSyncRoute', 'SyncRouteOptions'],
  ['createOrgResolver', 'OrgResolverOptions'],
  ['createUserOrgResolver', 'UserOrgResolverOptions'],
  ['createOrgScoped', 'OrgScopedOptions'],
  ['createMembershipCache', 'MembershipCacheOptions'],
  ['createApiKeys', 'ApiKeysOptions'],
  ['`apiKeys.routes`', 'ApiKeyRoutesOptions'],
  ['createMembers', 'MembersOptions'],
  ['`manage`, `list` of people', 'PeopleRule'],
  ['createMemberRoutes', 'MemberRoutesOptions'],
  ['createMemberRoutes', 'MemberFieldNames', 'fields.'],
  ['createMemberRoutes', 'MemberPresenter', 'present.'],
  ['createInvitations', 'InvitationsOptions'],
  ['`accept`, `acceptByLink` of invitations', 'AcceptOptions'],
  ['createInvitationRoutes', 'InvitationRoutesOptions'],
  ['createInvitationRoutes', 'InvitationPresenter', 'present.'],
  ['createOrganizations', 'OrganizationsOptions'],
  ['createOrganizationRoutes', 'OrganizationRoutesOptions'],
  ['createOrganizationRoutes', 'OrganizationPresenter', 'present.'],
  ['createUserAdmin', 'UserAdminOptions'],
  ['`admin.disable`', 'DisableOptions'],
  ['`admin.erase`', 'EraseOptions'],
  ['`admin.eraseAccount`', 'EraseAccountOptions'],
  ['`admin.exportOf`', 'ExportOptions'],
  ['createLogin', 'LoginOptions'],
  ['createLogin', 'LoginPaths', 'paths.'],
  ['createLogin', 'ThrottleLimits', 'throttle.'],
  ['forwardedAddress', 'ForwardedAddressOptions'],
  // Beside those of `createLogin` that are not for sessions.
  ['createDevLogin', 'DevLoginOptions'],
  ['`createFirstAdmin`, `resetAdmin` of a login', 'FirstAdminOptions'],
  ['loadSigningSecret', 'SigningSecretOptions'],
  ['createPasswordHasher', 'PasswordHasherOptions'],
  ['`cost` of kind `scrypt`', 'ScryptCost'],
  ['`cost` of kind `argon2id`', 'Argon2Cost'],
  ['createTokenClient', 'TokenClientOptions'],
  ['`grant` of kind `supabase`', 'SupabaseGrant'],
  ['createMemoryStorage', 'MemoryStorageOptions'],
  ['createMemoryAccounts', 'MemoryAccountsOptions'],
  ['createPostgresStorage', 'PostgresStorageOptions'],
  ['withOrgScope, withSystemScope', 'OrgScopeOptions'],
  ['policySql', 'PolicySqlOptions'],
  ['createSqliteStorage', 'SqliteStorageOptions'],
  ['createTokenIssuer', 'TokenIssuerOptions'],
  ['`sign` of a token issuer', 'SignOptions'],
  ['`rotate` of a token issuer', 'RotateOptions'],
  ['startJwksServer', 'JwksServerOptions'],
  ['startSupabaseIssuer', 'SupabaseIssuerOptions'],
  ['startSupabaseIssuer', 'SupabaseUser', 'users[].'],
  ['createTestKit', 'TestKitOptions'],
  ['`signIn` of a test kit', 'SignInOptions'],
  ['`signInMachine` of a test kit', 'MachineSignInOptions'],
  ['testContext', 'TestContextOptions'],
  ['testApiKeyContext', 'TestApiKeyOptions'],
  ['testMachineContext', 'TestMachineOptions'],
  ['The contract suites, `runContract`', 'RunContractOptions'],
  ['`probe` of a storage under contract', 'StorageProbe'],
  ['createAdapterAudit', 'AdapterAuditOptions'],
]

const PRESETS: readonly Group[] = [
  ['each of `sallyport/issuers`', 'PresetOptions'],
  ['auth0', 'Auth0Options'],
  ['betterAuth', 'BetterAuthOptions'],
  ['clerk', 'ClerkOptions'],
  ['cognito', 'CognitoOptions'],
  ['entra', 'EntraOptions'],
  ['firebase', 'FirebaseOptions'],
  ['githubActions', 'GithubActionsOptions'],
  ['githubActions', 'GithubActionsCaller', 'callers.<name>.'],
  ['google', 'GoogleOptions'],
  ['keycloak', 'KeycloakOptions'],
  ['kubernetes', 'KubernetesOptions'],
  ['kubernetes', 'KubernetesCaller', 'callers.<name>.'],
  ['logto', 'LogtoOptions'],
  ['okta', 'OktaOptions'],
  ['workos', 'WorkosOptions'],
  ['zitadel', 'ZitadelOptions'],
]

// The same as another row's, or a part of it; what a host's own storage is asked with.
const LEFT_OUT = [
  'KeepOptions',
  'MigrationOptions',
  'TablesOptions',
  'LabelOptions',
  'KeyAgeOptions',
  'KeyAlgorithmOptions',
  'AccountsOptions',
  'CommonOptions',
  'ContractOptions',
  'IdentityOptions',
  'ShippedStorageOptions',
]

/** The names of interfaces that the tables show, or leave out for a reason. */
export const SHOWN: ReadonlySet<string> = new Set([...[...GROUPS, ...PRESETS].map(([, name]) => name), ...LEFT_OUT])

interface Option {
  readonly name: string
  readonly text: string
}

/** The tables of docs/options.md, under a heading each. Throws for an option without a docstring. */
export function optionTables(): string {
  const sections = [...groupOptions(GROUPS)].map(([label, rows]) =>
    [`## ${label}`, '', '| option | meaning |', '| --- | --- |', ...rows].join('\n'),
  )
  return `\n${sections.join('\n\n')}\n`
}

/** The table of the presets. Throws for an option without a docstring. */
export function presetOptionTable(): string {
  return tableOf(PRESETS)
}

function tableOf(groups: readonly Group[]): string {
  const rows = [...groupOptions(groups)].flatMap(([label, options]) =>
    options.map((option, at) => `| ${at === 0 ? label : ''} ${option}`),
  )
  return ['| of | option | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

// Rows of two columns, by what they are options of.
function groupOptions(groups: readonly Group[]): ReadonlyMap<string, readonly string[]> {
  const interfaces = readInterfaces()
  const found = new Map<string, string[]>()
  for (const [of, name, under = ''] of groups) {
    const label = of.includes('`') ? of : of.replace(/\w+(?=,|$)/g, (word) => `\`${word}\``)
    const rows = optionsOf(interfaces, name).map((option) => `| \`${under}${option.name}\` | ${option.text} |`)
    found.set(label, [...(found.get(label) ?? []), ...rows])
  }
  return found
}

type Interfaces = ReadonlyMap<string, ts.InterfaceDeclaration>

// Where two share a name, the exported one of the product counts, not the testing kit's: the last one is kept.
function readInterfaces(): Interfaces {
  const root = new URL('../src/', import.meta.url)
  const all = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  const isTesting = (path: string): boolean => path.startsWith('testing/')
  const files = [...all.filter(isTesting), ...all.filter((path) => !isTesting(path))]
  const found = files.flatMap((path) => {
    const ast = ts.createSourceFile(path, readFileSync(new URL(path, root), 'utf8'), ts.ScriptTarget.Latest, true)
    return ast.statements.filter(ts.isInterfaceDeclaration)
  })
  return new Map(found.map((each) => [each.name.text, each]))
}

function optionsOf(interfaces: Interfaces, name: string): Option[] {
  const declared = interfaces.get(name)
  if (declared === undefined) throw new Error(`there is no interface ${name}`)
  const parents = name === 'DevLoginOptions' ? [] : (declared.heritageClauses ?? [])
  const inherited = parents.flatMap(({ types }) =>
    types
      .filter((type) => type.getText() !== 'PresetOptions')
      .flatMap((type) => optionsOf(interfaces, /(?:Omit<)?(\w+)/.exec(type.getText())?.[1] ?? '')),
  )
  const own = declared.members.flatMap((member) => toOption(name, member) ?? [])
  const known = new Set(own.map((option) => option.name))
  return [...own, ...inherited.filter((option) => !known.has(option.name))]
}

function toOption(of: string, member: ts.TypeElement): Option | null {
  const name = member.name?.getText() ?? ''
  // Which kind of group it is stands beside the table's row.
  if (name === 'kind') return null
  const [comment] = ts.getJSDocCommentsAndTags(member)
  const text = ts.getTextOfJSDocComment(comment?.comment as never)
  if (text === undefined || text === '') throw new Error(`${of}.${name} has no docstring`)
  // The ids of requirements are for who works on it.
  const flat = text.replace(/\{@link (\w+)\}/g, '`$1`').replace(/ \([A-Z]\d+(?:, [A-Z]\d+)*\)/g, '')
  return {
    name: member.questionToken === undefined ? name : `${name}?`,
    text: flat.replace(/\s+/g, ' ').replaceAll('|', '\\|'),
  }
}
