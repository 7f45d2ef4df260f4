/**
 * The build: one ES module and one declaration file per subpath that `tsconfig.json` names under `paths`, and the command
 * `sallyport`, sharing chunks.
 * Dependencies and peers stay imports; `zod` is a development dependency and is therefore bundled, with its notice.
 * Beside them a bill of materials, and the migrations as plain SQL for other tools.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { defineConfig } from 'tsup'
import { createSbom, type Metafile, noticesOf } from './scripts/sbom.ts'

const { compilerOptions } = JSON.parse(readFileSync('tsconfig.json', 'utf8')) as {
  compilerOptions: { paths: Record<string, [string]> }
}

const entryPoints = Object.fromEntries(
  Object.entries(compilerOptions.paths).map(([name, [file]]) => [name.split('/')[1] ?? 'index', file]),
)

// A tarball holds the modes of its files, and is to be the same whatever the umask of who packs it.
process.umask(0o022)
for (const name of ['package.json', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE']) {
  if (existsSync(name)) chmodSync(name, 0o644)
}

const config: ReturnType<typeof defineConfig> = defineConfig({
  // The words of `explain()` by a name of their own, for `src/explain/load-explainer.ts`.
  entry: { ...entryPoints, cli: 'src/cli/main.ts', 'sallyport-explainer': 'src/explain/sallyport-explainer.ts' },
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  treeshake: 'smallest',
  // No source maps: without the sources they say nothing, and with them they are two thirds of the package.
  sourcemap: false,
  // What was bundled, for its notices and the bill of materials; not published.
  metafile: true,
  clean: true,
  // Names of files in comments are below this folder, wherever `node_modules` leads.
  esbuildOptions: (options) => {
    options.preserveSymlinks = true
  },
  // tsup hands the compiler a `baseUrl`, which TypeScript 6 reports as deprecated. What is wrong with types the type check says: with
  // `isolatedDeclarations` the declarations need none, and it would take twice as long.
  dts: { entry: entryPoints, compilerOptions: { ignoreDeprecations: '6.0', noCheck: true } },
  onSuccess: async () => {
    const metafile = JSON.parse(readFileSync('dist/metafile-esm.json', 'utf8')) as Metafile
    writeFileSync('dist/THIRD-PARTY-NOTICES.txt', noticesOf(metafile))
    writeFileSync('dist/sbom.cdx.json', `${JSON.stringify(createSbom(metafile), null, 2)}\n`)
    mkdirSync('dist/migrations', { recursive: true })
    for (const dialect of ['postgres', 'sqlite']) {
      writeFileSync(`dist/migrations/${dialect}.sql`, await migrationsOf(dialect))
    }
  },
})

export default config

// As the package that was just built prints them.
async function migrationsOf(dialect: string): Promise<string> {
  const built = (await import(pathToFileURL(`dist/${dialect}.js`).href)) as { migrationSql(): string }
  return built.migrationSql()
}
