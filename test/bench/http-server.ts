/**
 * A server of its own process for the HTTP rounds: takes a framework, a way to authenticate and what to verify by; sends its
 * port. `GET /cpu` says what processor time the process has used, in microseconds.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createListener, type Framework, type Given } from './http-servers.ts'

const [framework = '', name = '', given = ''] = process.argv.slice(2)
const listener = await createListener(framework as Framework, name, JSON.parse(given) as Given)
const server = createServer((req, res) => {
  if (req.url !== '/cpu') return listener(req, res)
  const { user, system } = process.cpuUsage()
  res.end(String(user + system))
})
// Connections wait while others have their turns.
server.keepAliveTimeout = 0
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
