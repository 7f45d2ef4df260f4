/** The test configuration of `mutants.ts`: the suite, with one check taken away as its source is loaded. Nothing is written. */
import { fileURLToPath } from 'node:url'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { PATIENCE_MS } from '../test/patience.ts'
import { alias } from '../vitest.config.ts'
import { applyMutant, type Mutant } from './mutants.find.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The environment variable that holds the mutant as JSON; empty: none. */
const { SALLYPORT_MUTANT: given = '' } = process.env

function takeAway(mutant: Mutant): NonNullable<ViteUserConfig['plugins']>[number] {
  return {
    name: 'sallyport-mutant',
    enforce: 'pre',
    transform: (code: string, id: string) =>
      id === root + mutant.path ? { code: applyMutant(mutant, code), map: null } : null,
  }
}

const config: ViteUserConfig = defineConfig({
  root,
  plugins: given === '' ? [] : [takeAway(JSON.parse(given) as Mutant)],
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/package/**', 'test/**/*.long.test.ts'],
    // Without the databases' desk every test that asks for one would fail, and call each mutant noticed.
    globalSetup: ['test/postgres-server.ts'],
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
    bail: 1,
    maxWorkers: 1,
    reporters: ['json'],
  },
})

export default config
