/** `npm run example:ironflow [-- --dev | reset-admin]` */
import { run } from '../start/run.ts'
import { settingsError } from '../start/settings.ts'
import { resetIronflowAdmin, startIronflow } from './app.ts'

const [argument, ...more] = process.argv.slice(2)

await run('ironflow', async (environment) => {
  const isKnown = argument === undefined || argument === '--dev' || argument === 'reset-admin'
  if (!isKnown || more.length > 0) throw settingsError('there are --dev and reset-admin, one at a time')
  if (argument !== 'reset-admin') return startIronflow(environment, { dev: argument === '--dev' })
  await resetIronflowAdmin(environment)
  process.exit(0)
})
