/**
 * `npm test`: what is quick and certain, on the source; the `package` project packs once. What is certain but long is
 * `vitest.long.config.ts`'s, what is timed or full-size `vitest.prove.config.ts`'s.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
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

type Projects = NonNullable<NonNullable<ViteUserConfig['test']>['projects']>

/** The two projects of a run: the tests on the source, and those of the packed package. */
export function projectsOf(include: string[], exclude: string[]): Projects {
  const isPacked = (each: string): boolean => each.startsWith('test/package/')
  return [
    {
      extends: true,
      test: {
        name: 'unit',
        include: include.filter((each) => !isPacked(each)),
        exclude: ['test/package/**', ...exclude],
        setupFiles: ['test/keep-leavings.ts', 'test/redact-failures.ts'],
        globalSetup: ['test/leavings.ts', 'test/postgres-server.ts'],
      },
    },
    {
      extends: true,
      test: { name: 'package', include: include.filter(isPacked), exclude, globalSetup: ['test/package/pack.ts'] },
    },
  ]
}

const config: ViteUserConfig = defineConfig({
  resolve: { alias },
  test: {
    // Much of the time is spent waiting for sockets and processes: three at once, also where there are two cores only.
    maxWorkers: 3,
    ...DEADLINES,
    projects: projectsOf(['test/**/*.test.ts', 'test/package/**/*.test.ts'], LONG),
  },
})

export default config
