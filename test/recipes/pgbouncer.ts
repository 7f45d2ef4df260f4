/** A real PgBouncer before a PostgreSQL, for the tests of a file: the one of `PGBOUNCER_PATH`, or of the path. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../free-port.ts'
import { until } from '../patience.ts'

const program = process.env['PGBOUNCER_PATH'] ?? 'pgbouncer'

/** A pooler that runs. */
export interface Pooler {
  /** The same database, through it. */
  readonly url: string
  stop(): Promise<void>
}

/** Whether there is one here. */
export function hasPgBouncer(): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}

/** Start one that lends its two connections by transaction, and ends by itself when this process does. */
export async function startPgBouncer(databaseUrl: string): Promise<Pooler> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pgbouncer-'))
  chmodSync(folder, 0o755)
  const { hostname, port, username, password, pathname } = new URL(databaseUrl)
  const name = pathname.slice(1)
  const listen = await freePort()
  const secret = password === '' ? '' : ` password=${decodeURIComponent(password)}`
  const at = `host=${hostname} port=${port} dbname=${name} user=${username}${secret}`
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
${name} = ${at}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
`,
  )
  const server = spawn(program, ['--quiet', ...asNobody(), join(folder, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  process.once('exit', () => server.kill('SIGKILL'))
  const url = new URL(databaseUrl)
  Object.assign(url, { hostname: '127.0.0.1', port: String(listen) })
  await until(() => server.exitCode !== null || answers(url.href))
  if (server.exitCode !== null) throw new Error('PgBouncer did not start')
  return { url: url.href, stop: () => stop(server, folder) }
}

// It refuses to run as root.
function asNobody(): readonly string[] {
  return process.getuid?.() === 0 ? ['--user', 'nobody'] : []
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  return client
    .connect()
    .then(() => client.end())
    .then(
      () => true,
      () => false,
    )
}

async function stop(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null) {
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
}
