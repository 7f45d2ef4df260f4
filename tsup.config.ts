/**
 * The build: one ES module and one declaration file per subpath that `tsconfig.json` names under `paths`, and the command
 * `sallyport`, sharing chunks.
 * Dependencies and peers stay imports; `zod` is a development dependency and is therefore bundled, with its notice.
 * Beside them the migrations, as plain SQL for other tools.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { defineConfig } from 'tsup'

const { compilerOptions } = JSON.parse(readFileSync('tsconfig.json', 'utf8')) as {
  compilerOptions: { paths: Record<string, [string]> }
}

const entryPoints = Object.fromEntries(
  Object.entries(compilerOptions.paths).map(([name, [file]]) => [name.split('/')[1] ?? 'index', file]),
)

const BUNDLED = ['zod']

const config: ReturnType<typeof defineConfig> = defineConfig({
  entry: { ...entryPoints, cli: 'src/cli/main.ts' },
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  treeshake: 'smallest',
  // No source maps: without the sources they say nothing, and with them they are two thirds of the package.
  sourcemap: false,
  // What was bundled, for the test that looks for its notices; not published.
  metafile: true,
  clean: true,
  // tsup hands the compiler a `baseUrl`, which TypeScript 6 reports as deprecated.
  dts: { entry: entryPoints, compilerOptions: { ignoreDeprecations: '6.0' } },
  onSuccess: async () => {
    writeFileSync('dist/THIRD-PARTY-NOTICES.txt', BUNDLED.map(noticeOf).join('\n'))
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

function noticeOf(name: string): string {
  const folder = `node_modules/${name}`
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { version: string }
  return `Parts of ${name} ${version} are included in this package under its licence:\n\n${readFileSync(`${folder}/LICENSE`, 'utf8')}`
}
