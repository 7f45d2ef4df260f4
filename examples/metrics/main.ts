/** `npm run example:metrics`: the app, traffic of its own, and where to look. */
import { createServer } from 'node:http'
import { createTestKit } from 'sallyport/testing'
import { listen, run } from '../start/run.ts'
import { readSettings } from '../start/settings.ts'
import { createMetricsApp } from './app.ts'
import { startTraffic, withLatency } from './traffic.ts'

await run('metrics', async (environment) => {
  const settings = readSettings(environment)
  const kit = await createTestKit()
  const { app, auth } = createMetricsApp({ storage: withLatency(kit.storage), issuers: kit.issuers })
  const running = await listen(createServer(app), settings, 3000, auth.close)
  const end = await startTraffic(running.url, kit)
  return {
    ...running,
    notes: [
      '',
      `dashboard:  ${running.url}/`,
      `Prometheus: ${running.url}/metrics`,
      '',
      'Traffic of its own runs for ten minutes.',
    ],
    stop: () => {
      end()
      return running.stop()
    },
  }
})
