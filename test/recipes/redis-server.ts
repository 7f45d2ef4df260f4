/**
 * A Redis for the tests of a file: the one of `TEST_REDIS_URL`, else a `redis-server` of the path, that is started in a
 * folder of its own (a socket file, no port that another one could take) and stopped after the tests.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createClient } from 'redis'
import { afterAll } from 'vitest'
import { PATIENCE_MS } from '../patience.ts'

/** What the tests ask of a connected client of node-redis. */
export interface NodeRedis {
  get(key: string): Promise<string | null>
  eval(script: string, given: { keys: string[]; arguments: string[] }): Promise<unknown>
  sendCommand(command: string[]): Promise<unknown>
  keys(pattern: string): Promise<string[]>
  pTTL(key: string): Promise<number>
  exists(key: string): Promise<number>
}

type Where = { readonly url: string } | { readonly socket: { readonly path: string; readonly tls: false } }

/** How to connect a client, closed after the tests. */
export interface FoundRedis {
  (): Promise<NodeRedis>
  /** What a client of another process connects with, as JSON. */
  readonly where: string
}

/** Find or start a Redis. `null`: there is none. */
export async function findRedis(): Promise<FoundRedis | null> {
  const url = process.env['TEST_REDIS_URL']
  const where = url === undefined ? await startServer() : { url }
  if (where === null) return null
  const connect = async (): Promise<NodeRedis> => {
    const client = createClient({ ...where, disableOfflineQueue: true, commandOptions: { timeout: PATIENCE_MS } })
    // Told by the commands.
    client.on('error', () => undefined)
    await client.connect()
    afterAll(() => client.close())
    return client
  }
  return Object.assign(connect, { where: JSON.stringify(where) })
}

async function startServer(): Promise<Where | null> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-redis-'))
  const path = join(folder, 'socket')
  const given = ['--port', '0', '--unixsocket', path, '--dir', folder, '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', given, { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => server.kill('SIGKILL'))
  const isReady = await readiness(server)
  afterAll(async () => {
    if (isReady && server.exitCode === null) {
      server.kill('SIGTERM')
      await once(server, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  })
  return isReady ? { socket: { path, tls: false } } : null
}

// Not there, or on a path that this user may not look at: `false`. There and not starting: an error, with what it said.
function readiness(server: ChildProcess): Promise<boolean> {
  const said: string[] = []
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) =>
      /^(ENOENT|EACCES)$/.test(error.code ?? '') ? resolve(false) : reject(error),
    )
    server.on('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${said.join('\n')}`)))
    if (server.stdout === null) return
    createInterface(server.stdout).on('line', (line) => {
      said.push(line)
      if (/ready to accept connections/i.test(line)) resolve(true)
    })
  })
}
