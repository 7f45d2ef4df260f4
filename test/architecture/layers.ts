/**
 * The layers as one table: every source file belongs to one place, and a place says what it may import. A new step is a
 * row here; a file that belongs to no row is a violation. Hands on the table and the budgets to the checker.
 */

/** A place in the tree; the first row whose `files` match a path is its place. */
export interface Place {
  readonly name: string
  readonly layer: 0 | 1 | 2 | 3 | 4 | 5 | 6
  readonly files: RegExp
  /** Other places its files may import, types included. */
  readonly imports: readonly string[]
  /** Whether its files may import each other. */
  readonly among: boolean
  /** Third parties, by import specifier. */
  readonly packages?: readonly string[]
  /** Third parties of which only types may be imported. */
  readonly typePackages?: readonly string[]
  /** Whether it stands on Node: `node:` imports and `Buffer`. Everything else is Web-standard. */
  readonly node?: boolean
  /** Whether it reads the environment and prints. */
  readonly console?: boolean
  /** Whether it may read the clock by itself. */
  readonly clock?: boolean
  /** An entry point: re-exports and nothing else. */
  readonly reExportsOnly?: boolean
}

const ZOD = 'zod/mini'
// Options are read by a type of our own, which needs no more of zod than what all of its types are made of.
const ZOD_CORE = 'zod/v4/core'
// Each by its own entry: the whole of jose costs three times as much to import.
const JOSE = { importing: 'jose/key/import', signing: 'jose/jwt/sign' }
const BELOW_STEPS = ['lib', 'nouns', 'http', 'ports']
const STEPS = ['credentials', 'verify', 'services', 'users', 'orgs', 'permissions']
const BELOW_ENTRIES = [...BELOW_STEPS, ...STEPS]
const ENTRIES = [
  'front entry',
  'adapter entry',
  'issuers entry',
  'api-keys entry',
  'people entry',
  'login entry',
  'machine entry',
  'storage entries',
]

const step = (name: string, more: Partial<Place> = {}): Place => ({
  name,
  layer: 3,
  files: new RegExp(`^src/${name}/`),
  imports: BELOW_STEPS,
  among: true,
  ...more,
})

const composition = (name: string, more: Partial<Place> = {}): Place =>
  step(name, { layer: 4, imports: BELOW_ENTRIES, ...more })

const entry = (name: string, files: RegExp, imports: readonly string[]): Place => ({
  name,
  layer: 5,
  files,
  imports,
  among: false,
  reExportsOnly: true,
})

/** The layers, from the ground up; within a layer the narrower pattern first. */
export const PLACES: readonly Place[] = [
  { name: 'lib', layer: 0, files: /^src\/lib\//, imports: [], among: false, packages: [ZOD_CORE] },
  {
    name: 'nouns',
    layer: 1,
    files: /^src\/(request|context|errors|reasons|route)\.ts$/,
    imports: ['lib'],
    among: true,
  },
  entry('adapter entry', /^src\/http\/index\.ts$/, ['http', 'auth']),
  { name: 'http', layer: 1, files: /^src\/http\//, imports: ['lib', 'nouns'], among: true },
  {
    name: 'ports',
    layer: 2,
    files: /^src\/storage\/(repositories|account-repositories|storage-errors)\.ts$/,
    imports: ['lib', 'nouns'],
    among: true,
  },
  entry('issuers entry', /^src\/verify\/presets\/index\.ts$/, ['verify']),
  step('credentials'),
  step('verify', { packages: [JOSE.importing] }),
  step('services'),
  step('users'),
  step('orgs'),
  step('permissions'),
  {
    name: 'explainer',
    layer: 4,
    files: /^src\/explain\/load-explainer\.ts$/,
    imports: ['nouns'],
    among: false,
    // The one file of the package that is loaded late, by its name.
    packages: ['(computed)'],
  },
  composition('auth', { files: /^src\/((auth|guards)\.ts$|pipeline\/)/, imports: [...BELOW_ENTRIES, 'explainer'] }),
  entry('login entry', /^src\/login\/index\.ts$/, ['login', 'login session', 'login secrets', 'ports']),
  entry('api-keys entry', /^src\/api-keys\/index\.ts$/, ['api-keys']),
  entry('people entry', /^src\/people\/index\.ts$/, ['people']),
  entry('machine entry', /^src\/machine\/index\.ts$/, ['machine']),
  entry('otel entry', /^src\/telemetry\/index\.ts$/, ['otel', 'telemetry']),
  entry('testing entry', /^src\/testing\/index\.ts$/, ['testing']),
  composition('login session', {
    files: /^src\/login\/session\.ts$/,
    packages: [JOSE.signing],
  }),
  composition('login secrets', { files: /^src\/login\/(password-hash|signing-secret)\.ts$/, node: true }),
  composition('login', { imports: [...BELOW_ENTRIES, 'login session', 'login secrets'], packages: [ZOD] }),
  composition('api-keys'),
  composition('people'),
  composition('machine'),
  composition('explain', { imports: ['lib', 'nouns', 'ports', 'explainer'] }),
  composition('otel', {
    files: /^src\/telemetry\/telemetry\.ts$/,
    imports: ['lib', 'nouns', 'ports', 'telemetry'],
    packages: ['@opentelemetry/api'],
  }),
  composition('telemetry', { imports: ['lib', 'nouns'] }),
  entry('front entry', /^src\/index\.ts$/, [...BELOW_ENTRIES, 'auth', 'explain', 'telemetry']),
  {
    name: 'storage entries',
    layer: 5,
    files: /^src\/storage\/(index|memory|postgres|sqlite)\.ts$/,
    imports: ['lib', 'nouns', 'ports', 'storage'],
    among: false,
  },
  {
    name: 'storage',
    layer: 6,
    files: /^src\/storage\//,
    imports: ['lib', 'nouns', 'ports'],
    among: true,
  },
  ...['express', 'koa', 'hono'].map(
    (framework): Place => ({
      name: `${framework} adapter`,
      layer: 6,
      files: new RegExp(`^adapters/${framework}(?:-[a-z]+)?\\.ts$`),
      imports: ['adapter entry', 'nouns'],
      among: true,
      typePackages: [framework],
      node: true,
    }),
  ),
  {
    name: 'testing',
    layer: 6,
    files: /^src\/testing\//,
    imports: [...BELOW_STEPS, ...ENTRIES],
    among: true,
    packages: [ZOD, 'jose'],
    node: true,
    clock: true,
  },
  {
    name: 'cli',
    layer: 6,
    files: /^src\/cli\//,
    imports: [...ENTRIES, 'lib', 'ports', 'storage', 'api-keys', 'explain'],
    among: true,
    // The host's own driver is found at run time, by its path.
    packages: ['(computed)'],
    node: true,
    console: true,
    clock: true,
  },
]

/** What a rule would forbid and one file does all the same, with the reason. */
export const EXCEPTIONS: readonly { readonly path: string; readonly uses: string; readonly why: string }[] = [
  {
    path: 'src/lib/time.ts',
    uses: 'performance',
    why: 'says how long something takes, which is no time of day: in fractions of a millisecond, and never backwards',
  },
  {
    path: 'src/lib/digest.ts',
    uses: 'getBuiltinModule',
    why: 'asks the runtime for a synchronous digest and has a Web-standard way where there is none',
  },
  {
    path: 'src/verify/signature.ts',
    uses: 'getBuiltinModule',
    why: 'asks the runtime for synchronous signatures and has a Web-standard way where there are none',
  },
  {
    path: 'src/lib/standard-error.ts',
    uses: 'console',
    why: 'a fault that nobody listens to must leave a trace: the one file that prints one',
  },
]

/** Lines of code (comments and blank lines are not counted), and parameters of a function. */
export const BUDGETS: {
  readonly file: number
  readonly function: number
  readonly adapter: number
  readonly exampleSetUp: number
  readonly parameters: number
  /** `as unknown as` in all of the library: where the compiler is told what it can't see, each is looked at. */
  readonly casts: number
} = { file: 300, function: 60, adapter: 120, exampleSetUp: 120, parameters: 4, casts: 5 }

/** Words of one picture, which a newcomer would have to learn: no name has them. */
export const METAPHORS: readonly string[] = [
  'corridor',
  'room',
  'rooms',
  'door',
  'doors',
  'passage',
  'entrance',
  'gatekeeper',
]

/** Names that say nothing about what is inside. */
export const EMPTY_NAMES: readonly string[] = [
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'types',
  'manager',
  'service',
  'base',
]

/** The place a source path belongs to, or `null`. */
export function placeOf(path: string): Place | null {
  return PLACES.find(({ files }) => files.test(path)) ?? null
}
