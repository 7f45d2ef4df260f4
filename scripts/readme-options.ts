// The options table of the README: every option of every `create…`, with the sentences of its docstring.
import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'

// [what it is an option of, the interface, what stands before its names]
const GROUPS: readonly (readonly [of: string, name: string, under?: string])[] = [
  ['createAuth', 'AuthOptions'],
  ['createAuth', 'SessionCookie', 'cookie.'],
  ['createAuth', 'Gateway', 'gateway.'],
  ['createAuth', 'ChallengeOptions', 'challenge.'],
  ['createAdapter', 'AdapterOptions'],
  ['createJwtVerifier', 'JwtVerifierOptions'],
  ['createJwtVerifier', 'TokenCacheSettings', 'cache.'],
  ['createJwtVerifier', 'IssuerOptions', 'issuers[].'],
  ['createJwtVerifier', 'IssuerClaims', 'issuers[].claims.'],
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
]

// The same as another row's, or a part of it.
const LEFT_OUT = [
  'KeyAgeOptions',
  'KeyAlgorithmOptions',
  'AccountsOptions',
  'CommonOptions',
  'IdentityOptions',
  'ShippedStorageOptions',
]

/** The names of interfaces that the table shows, or leaves out for a reason. */
export const SHOWN: ReadonlySet<string> = new Set([...GROUPS.map(([, name]) => name), ...LEFT_OUT])

interface Option {
  readonly name: string
  readonly text: string
}

/** The table, from the docstrings. Throws for an option without one. */
export function optionTable(): string {
  const interfaces = readInterfaces()
  let last = ''
  const rows = GROUPS.flatMap(([of, name, under = '']) =>
    optionsOf(interfaces, name).map((option) => {
      const label = of.includes('`') ? of : of.replace(/\w+(?=,|$)/g, (word) => `\`${word}\``)
      const first = of === last ? '' : label
      last = of
      return `| ${first} | \`${under}${option.name}\` | ${option.text} |`
    }),
  )
  return ['| of | option | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

type Interfaces = ReadonlyMap<string, ts.InterfaceDeclaration>

// Where two share a name, the exported one of the product counts, not the testing kit's.
function readInterfaces(): Interfaces {
  const root = new URL('../src/', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.startsWith('testing/'),
  )
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
    types.flatMap((type) => optionsOf(interfaces, /(?:Omit<)?(\w+)/.exec(type.getText())?.[1] ?? '')),
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
