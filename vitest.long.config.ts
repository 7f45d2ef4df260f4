/** `npm run test:long`: what is certain but takes long: the systems as processes, the browser, crashes, installed packages. */
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { alias, DEADLINES, GLOBAL_SETUP, LONG, PACK, projectOf, SETUP_FILES } from './vitest.config.ts'

const maxWorkers = 2
const isPacked = (each: string): boolean => each.startsWith('test/package/')
const ofSource = LONG.filter((each) => !isPacked(each))

const config: ViteUserConfig = defineConfig({
  resolve: { alias },
  test: {
    maxWorkers,
    ...DEADLINES,
    globalSetup: GLOBAL_SETUP,
    projects: [
      projectOf({ maxWorkers, name: 'unit', include: ofSource, exclude: ['test/package/**'], setupFiles: SETUP_FILES }),
      projectOf({ maxWorkers, name: 'package', include: LONG.filter(isPacked), globalSetup: PACK }),
    ],
  },
})

export default config
