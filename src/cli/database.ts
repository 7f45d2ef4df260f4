/**
 * The database that `--database` or DATABASE_URL names, opened by the host's own driver, found from the folder where the
 * command runs. None comes with the package: what is missing is named, with the line that installs it. Nothing of the name
 * is ever printed: there may be a password in it.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PgPool, SqliteDatabase } from '../storage/sql-executor.ts'
import { Failure } from './terminal.ts'

/** A database. */
export type NamedDatabase =
  | { readonly dialect: 'postgres'; readonly url: string }
  | { readonly dialect: 'sqlite'; readonly path: string }

/** Read the name of a database; throws an `Error` that says what is wrong with it. */
export function readDatabaseName(name: string): NamedDatabase {
  if (/^postgres(ql)?:/i.test(name)) return readPostgres(name)
  const path = name.replace(/^(sqlite|file):(\/\/+(?=\/))?/i, '')
  // One letter and a colon is a drive.
  if (/^([a-z][a-z0-9+.-]+:(?!memory:)|\/\/)/i.test(path))
    throw new Error('the database must be postgres://… or a path of a SQLite file')
  if (path === '') throw new Error('the database is an empty name')
  if (path.includes('?')) throw new Error('a SQLite file takes no "?…"')
  return { dialect: 'sqlite', path }
}

function readPostgres(url: string): NamedDatabase {
  if (!/^\w+:\/\/./.test(url) || !URL.canParse(url)) throw new Error('the database must be a URL postgres://…')
  if (new URL(url).pathname.length < 2) throw new Error('the URL names no database: postgres://host/name')
  return { dialect: 'postgres', url }
}

// Asked twice where nobody answers: ten seconds in all.
const CONNECT_MS = 5000

/** Open a pool of one connection, which must come within 5 seconds. */
export async function openPostgres(url: string, folder: string): Promise<PgPool & { end(): Promise<void> }> {
  const driver = (await importFrom(folder, 'pg')) as PgDriver | null
  if (driver === null) throw missing('PostgreSQL', 'pg', folder)
  const pool = new driver.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: CONNECT_MS })
  // A connection that is lost fails the statement that is on it.
  pool.on('error', () => undefined)
  return pool
}

/** Open a database file by the driver that is there. */
export async function openSqlite(path: string, folder: string): Promise<SqliteDatabase & { close(): unknown }> {
  const builtIn = await importBuiltIn()
  if (builtIn !== null) return new builtIn.DatabaseSync(path)
  for (const name of ['libsql', 'better-sqlite3']) {
    const driver = (await importFrom(folder, name)) as OpenSqlite | null
    if (driver !== null) return new driver(path)
  }
  throw missing('SQLite before Node 22', 'libsql', folder)
}

interface PgDriver {
  readonly Pool: new (options: {
    connectionString: string
    max: number
    connectionTimeoutMillis: number
  }) => PgPool & { end(): Promise<void>; on(event: 'error', listener: () => void): unknown }
}

type OpenSqlite = new (path: string) => SqliteDatabase & { close(): unknown }

// As a value, because a bundler that cuts `node:` off would make it another module.
const BUILT_IN: string = 'node:sqlite'

async function importBuiltIn(): Promise<{ DatabaseSync: OpenSqlite } | null> {
  try {
    return (await import(BUILT_IN)) as { DatabaseSync: OpenSqlite }
  } catch {
    return null
  }
}

async function importFrom(folder: string, name: string): Promise<unknown> {
  let path: string
  try {
    path = createRequire(join(folder, 'package.json')).resolve(name)
  } catch {
    return null
  }
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown }
  return module.default ?? module
}

function missing(what: string, name: string, folder: string): Failure {
  return new Failure(
    `sallyport: ${what} needs the driver "${name}", which ${folder} does not have. Install it: npm install ${name}`,
    1,
  )
}
