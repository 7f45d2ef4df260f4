/** One app of `examples/moving` as a process: serves what it exports, prints where, and ends with who started it. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'

interface Exports {
  readonly app: RequestListener | { callback(): RequestListener } | { fetch(request: Request): Response }
}

// An app that refuses to start throws here.
const { app } = (await import(String(process.argv[2]))) as Exports

function listenerOf(given: Exports['app']): RequestListener {
  if ('callback' in given) return given.callback()
  return 'fetch' in given ? (getRequestListener(given.fetch) as RequestListener) : given
}

const server = createServer(listenerOf(app)).listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
process.stdin.on('end', () => process.exit()).resume()
