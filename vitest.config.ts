/**
 * `npm test`: what is quick and certain, on the source; the `package` project packs once. What is certain but long is
 * `vitest.long.config.ts`'s, what is timed or full-size `vitest.prove.config.ts`'s.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { TEST_PATIENCE_MS } from './test/patience.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const { compilerOptions } = JSON.parse(readFileSync(here('tsconfig.json'), 'utf8')) as {
  compilerOptions: { paths: Record<string, [string]> }
}

/** `sallyport/…` by name, as a host imports it, resolved to the source. */
export const alias: { find: RegExp; replacement: string }[] = Object.entries(compilerOptions.paths).map(
  ([name, [file]]) => ({
    find: new RegExp(`^${name}$`),
    replacement: here(file),
  }),
)

/** What is certain but long: processes, browsers, crashes, installed packages. */
export const LONG: string[] = [
  'test/**/*.long.test.ts',
  'test/systems/**/*.test.ts',
  'test/browser/**/*.test.ts',
  'test/package/**/*.long.test.ts',
]

/** The deadlines of every run. */
export const DEADLINES: { testTimeout: number; hookTimeout: number; teardownTimeout: number } = {
  testTimeout: TEST_PATIENCE_MS,
  hookTimeout: TEST_PATIENCE_MS,
  teardownTimeout: TEST_PATIENCE_MS,
}

/**
 * What only a process of one's own is safe for: modules that are replaced or loaded anew, globals and prototypes that are written;
 * and Hono's RESPONSE_ALREADY_SENT, which has to be made before a server of Hono's replaces the global Response. Each costs a
 * second. (Who listens to what nobody has caught needs none: what another file left uncaught fails the run as it is.)
 */
const CHANGES_ITS_PROCESS =
  /\bvi\.(mock|resetModules|stubGlobal)\(|Object\.prototype(,| as)|(?<!typeof )\bglobalThis\.\w+ = |\bRESPONSE_ALREADY_SENT\b/

const alone = readdirSync(here('test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name}`)
  .filter((path) => CHANGES_ITS_PROCESS.test(readFileSync(here(path), 'utf8')))

type Options = NonNullable<ViteUserConfig['test']>

/** A project of a run. */
export function projectOf(test: Options): { resolve: { alias: typeof alias }; test: Options } {
  return { resolve: { alias }, test: { ...DEADLINES, ...test } }
}

/** For all projects of a run: where what they leave is searched, and their PostgreSQL. */
export const GLOBAL_SETUP: string[] = ['test/leavings.ts', 'test/postgres-server.ts']

/** Of the projects on the source. */
export const SETUP_FILES: string[] = ['test/setup.ts']

/** Of the project on the packed package. */
export const PACK: string[] = ['test/package/pack.ts']

// The tests of the package wait until it is packed: those on the source come before. Those of a process each are many and short:
// last, so that no worker is left with a long one.
const ORDER: readonly string[] = ['unit', 'package', 'alone']

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ project }: TestSpecification): number => ORDER.indexOf(project.name)
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b))
  }
}

// Much of the time is spent waiting for sockets and processes: three at once, also where there are two cores only.
const maxWorkers = 3

const source = { maxWorkers, setupFiles: SETUP_FILES }

// `unit` and `alone` are on the source: the files of `unit` share a few processes and what these have loaded, those of `alone` have
// one each. `vitest run test/x.test.ts` finds a file in any of them.
const config: ViteUserConfig = defineConfig({
  resolve: { alias },
  test: {
    maxWorkers,
    ...DEADLINES,
    globalSetup: GLOBAL_SETUP,
    sequence: { sequencer: InOrder },
    projects: [
      projectOf({
        ...source,
        name: 'unit',
        isolate: false,
        include: ['test/**/*.test.ts'],
        exclude: ['test/package/**', ...alone, ...LONG],
      }),
      projectOf({ ...source, name: 'alone', include: alone, exclude: ['test/package/**', ...LONG] }),
      projectOf({
        maxWorkers,
        name: 'package',
        isolate: false,
        include: ['test/package/**/*.test.ts'],
        exclude: LONG,
        globalSetup: PACK,
      }),
    ],
  },
})

export default config
