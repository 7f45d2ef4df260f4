/** The long and the timed proofs (`npm run prove`): one file at a time, so that nothing else disturbs a figure. */
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { alias, SETUP_FILES } from './vitest.config.ts'

const config: ViteUserConfig = defineConfig({
  resolve: { alias },
  test: {
    include: ['test/**/*.prove.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    globalSetup: ['test/postgres-server.ts'],
    setupFiles: SETUP_FILES,
  },
})

export default config
