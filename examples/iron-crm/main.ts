/** `npm run example:iron` */
import { run } from '../start/run.ts'
import { startIron } from './app.ts'

await run('iron-crm', startIron)
