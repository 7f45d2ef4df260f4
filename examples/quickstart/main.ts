/** `npm run quickstart -- express|koa|hono` */
import { run } from '../start/run.ts'
import { startQuickstart } from './app.ts'

await run('quickstart', (environment) => startQuickstart(process.argv[2], environment))
