/** What the tarball holds (D1): these files, two licences, no Node in the core, no secret, and not too much of it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { publint } from 'publint'
import { describe, expect, it } from 'vitest'
import { bundle, CORE } from './bundle.ts'
import { entryPoints, root } from './entry-points.ts'
import { openPacked } from './packed.ts'

const UNPACKED_BYTES = 1_800_000

const packed = await openPacked()
const installed = join(packed.bare, 'node_modules/sallyport')
const dist = join(installed, 'dist')
const read = (name: string): string => readFileSync(join(dist, name), 'utf8')
const listDist = (ending: RegExp): string[] => readdirSync(dist).filter((name) => ending.test(name))

// Every specifier of a built file, static or late.
const specifiersIn = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)['"]([^'"\n]+)['"]/g)].map(([, specifier = '']) => specifier)

// The built file and all chunks it loads.
function closureOf(name: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const specifier of specifiersIn(read(name))) {
    if (specifier.startsWith('./')) closureOf(specifier.slice(2), seen)
  }
  return seen
}

const packagesOf = (name: string): string[] => [
  ...new Set(
    [...closureOf(name)].flatMap((file) => specifiersIn(read(file))).filter((specifier) => !specifier.startsWith('.')),
  ),
]

describe('the tarball (D1)', () => {
  it('holds these files and no others', () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
      .filter((path) => !/^dist\/(chunk-[A-Z0-9]+\.js|[a-z-]+-[\w-]{8}\.d\.ts)$/.test(path))
    const built = entryPoints.flatMap(({ name }) => [`dist/${name}.d.ts`, `dist/${name}.js`])
    const command = [
      'dist/cli.js',
      'dist/sallyport-explainer.js',
      'dist/migrations/postgres.sql',
      'dist/migrations/sqlite.sql',
    ]
    const texts = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md'].filter((name) => existsSync(root + name))
    expect(files.sort()).toEqual(
      [...built, ...command, ...texts, 'dist/THIRD-PARTY-NOTICES.txt', 'dist/sbom.cdx.json', 'package.json'].sort(),
    )
  })

  it(`weighs at most ${UNPACKED_BYTES} bytes, unpacked`, () => {
    const bytes = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
    expect(bytes).toBeLessThanOrEqual(UNPACKED_BYTES)
  })

  it.each(['postgres', 'sqlite'])('carries the migrations for %s as plain SQL, and prints them', (dialect) => {
    const args = [join(dist, 'cli.js'), 'migrate', 'print', '--dialect', dialect]
    const printed = execFileSync(process.execPath, args, { encoding: 'utf8', cwd: packed.bare })
    expect(printed).toBe(read(`migrations/${dialect}.sql`))
    expect(printed).toBe(readFileSync(`${root}test/storage/migrations-${dialect}.sql`, 'utf8'))
  })

  it('runs nothing on installation', () => {
    const { scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    const atInstallation = ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare']
    expect(Object.keys(scripts).filter((name) => atInstallation.includes(name))).toEqual([])
    expect(existsSync(join(installed, 'binding.gyp'))).toBe(false)
  })

  it('carries the licence of whatever is bundled, and bundles only zod', () => {
    const { inputs } = JSON.parse(readFileSync(join(packed.tree, 'dist/metafile-esm.json'), 'utf8')) as {
      inputs: Record<string, unknown>
    }
    const sources = Object.keys(inputs)
    expect(sources).toContain('src/index.ts')
    const bundled = new Set(
      sources.flatMap((source) => source.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.slice(1) ?? []),
    )
    expect([...bundled]).toEqual(['zod'])
    expect(read('THIRD-PARTY-NOTICES.txt')).toContain(readFileSync(`${root}node_modules/zod/LICENSE`, 'utf8'))
  })

  it('holds no source map', () => {
    expect(listDist(/\.map$/)).toEqual([])
    expect(listDist(/\.(js|d\.ts)$/).filter((name) => read(name).includes('sourceMappingURL'))).toEqual([])
  })

  it('names no path of the machine it was built on', () => {
    const texts = listDist(/\.(js|ts|json|sql|txt)$/)
    const places = [packed.tree, root, '../node_modules/']
    expect(texts.filter((name) => places.some((place) => read(name).includes(place)))).toEqual([])
  })

  it('holds no literal secret', () => {
    const secretLike =
      /eyJ[\w-]{20,}|['"`][0-9a-fA-F]{32,}['"`]|['"`][A-Za-z0-9+/_-]{43,}={0,2}['"`]|PRIVATE KEY-----\s*[A-Za-z0-9]/g
    // An alphabet is none, nor is what every public key of a curve begins with; one published sample is there to be refused.
    const harmless =
      /ABCDEFGHIJKLMNOPQRSTUVWXYZ|^.30(?:59|76|819b)301[03]06072a8648ce3d0201|super-?secret-?jwt-?token-?with-?at-?least-?32/
    const found = listDist(/\.(js|d\.ts)$/).flatMap((name) => read(name).match(secretLike) ?? [])
    expect(found.filter((text) => !harmless.test(text))).toEqual([])
  })

  it('passes publint', async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true, level: 'suggestion' })
    expect(messages).toEqual([])
  })
})

describe('the built modules', () => {
  it('import parts of jose and nothing else in the core; no framework anywhere', () => {
    expect(packagesOf('index.js').sort()).toEqual(['jose/key/import'])
    expect(packagesOf('memory.js')).toEqual([])
    for (const name of ['express.js', 'koa.js', 'hono.js']) {
      expect(packagesOf(name).filter((each) => !each.startsWith('jose/') && !each.startsWith('node:'))).toEqual([])
    }
    expect(packagesOf('otel.js')).toEqual(['@opentelemetry/api'])
    expect(listDist(/\.js$/).filter((name) => read(name).includes('@opentelemetry'))).toEqual(['otel.js'])
  })

  it('decrypt nothing', () => {
    const imported = listDist(/\.js$/).flatMap(
      (name) => read(name).match(/import\s*\{[^}]*\}\s*from\s*['"]jose(?:\/[\w/]+)?['"]/g) ?? [],
    )
    expect(imported.length).toBeGreaterThan(0)
    expect(imported.filter((line) => /decrypt/i.test(line))).toEqual([])
    expect(listDist(/\.js$/).filter((name) => /\bimport\s*\*\s*as\s+\w+\s+from\s*['"]jose/.test(read(name)))).toEqual(
      [],
    )
  })

  it('hold one AuthError, whatever subpaths are loaded', () => {
    expect(listDist(/\.js$/).filter((name) => /class AuthError\b|AuthError = class/.test(read(name)))).toHaveLength(1)
  })

  it('declare types of themselves and of the peer, Node types in the testing kit only', () => {
    const foreign = (name: string): string[] =>
      specifiersIn(read(name)).filter((specifier) => !specifier.startsWith('./'))
    const peers: Readonly<Record<string, string>> = { 'otel.d.ts': '@opentelemetry/api' }
    const peerOf = (name: string): string[] =>
      foreign(name).filter((each) => each !== (peers[name] ?? name.replace('.d.ts', '')))
    const others = listDist(/\.d\.ts$/).filter((name) => name !== 'testing.d.ts')
    expect(others.flatMap(peerOf)).toEqual([])
    expect(foreign('testing.d.ts').filter((each) => !each.startsWith('node:'))).toEqual([])
    // Of Node's types only what every release of them has: `JsonWebKey` went with 26.
    expect(read('testing.d.ts').match(/^import .* from 'node:.*$/gm)).toEqual([
      "import { KeyObject } from 'node:crypto';",
    ])
  })

  // What is reached, and some 700 bytes. Of what Express costs, jose is 1.9 kB (importing keys) and zod 2.0 (a type
  // that reads by a function; whatever holds others is read by ourselves), both there by decision. The rest is checks, nearly all
  // of it, and what they say: 3.8 kB of it are sentences, most of them said at construction.
  it.each([
    ['express', 48_100],
    ['koa', 48_000],
    ['hono', 49_700],
  ])('cost with %s at most %i bytes, minified and gzipped', async (adapter, budget) => {
    const text = `${CORE}\nexport { createAdapter } from 'sallyport/${adapter}'`
    const bytes = gzipSync(await bundle(packed.bare, text)).length
    expect(bytes).toBeGreaterThan(5_000)
    const without = gzipSync(await bundle(packed.bare, text, ['jose'])).length
    expect(bytes, `of which without jose: ${without}`).toBeLessThanOrEqual(budget)
  })

  // Nearly half of it is the contract suites.
  it('cost with the testing kit at most 304,900 bytes, minified', async () => {
    const bytes = (await bundle(packed.bare, "export * from 'sallyport/testing'", ['jose'])).length
    expect(bytes).toBeGreaterThan(50_000)
    expect(bytes).toBeLessThanOrEqual(304_900)
  })
})
