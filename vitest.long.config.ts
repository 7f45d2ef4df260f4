/** `npm run test:long`: what is certain but takes long: the systems as processes, the browser, crashes, installed packages. */
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { alias, DEADLINES, LONG, projectsOf } from './vitest.config.ts'

const config: ViteUserConfig = defineConfig({
  resolve: { alias },
  test: { maxWorkers: 2, ...DEADLINES, projects: projectsOf(LONG, []) },
})

export default config
