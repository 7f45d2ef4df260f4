/** The test suite: everything but the tests of the packed package runs on the source; the `package` project packs once. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

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

const config: ViteUserConfig = defineConfig({
  resolve: { alias },
  test: {
    // Most of the time is spent waiting for sockets and processes: two at once, also where there are two cores only.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/package/**'],
          setupFiles: ['test/keep-leavings.ts'],
          globalSetup: ['test/leavings.ts', 'test/postgres-server.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/package/pack.ts'],
          // Compilers run in it, on a machine that is busy with the other tests.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})

export default config
