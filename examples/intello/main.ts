/** `npm run example:intello` */
import { run } from '../start/run.ts'
import { startIntello } from './app.ts'

await run('intello', startIntello)
