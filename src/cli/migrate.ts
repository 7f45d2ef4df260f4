/** The command `sallyport migrate`: run the migrations, list them, or print them as plain SQL. */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { MigrationStatus } from '../storage/migrations.ts'
import type { OrgIdKind } from '../storage/org-ids.ts'
import {
  migrationSql as postgresSql,
  migrationStatus as postgresStatus,
  migrate as upPostgres,
} from '../storage/postgres.ts'
import type { SqlTableNames } from '../storage/sql-names.ts'
import { migrationSql as sqliteSql, migrationStatus as sqliteStatus, migrate as upSqlite } from '../storage/sqlite.ts'
import { describeWrongWords, didYouMean } from './arguments.ts'
import { type NamedDatabase, openPostgres, openSqlite, readDatabaseName } from './database.ts'
import { type Cell, Failure, type Terminal } from './terminal.ts'

/** The usage of the command. */
export const MIGRATE_USAGE: string = `Usage: sallyport migrate up|status|print [options]

  up       run what is pending; safe while other instances do the same
  status   list the migrations; exit code 3 where one is pending
  print    print them as plain SQL, for tools of your own

Options:
  --database <url>        postgres://… or a path of a SQLite file;
                          default: DATABASE_URL
  --dialect <name>        postgres or sqlite; default: by the database's URL
  --schema <name>         the schema of the tables (PostgreSQL)
  --table <table>=<name>  another name for a table (users, orgs, memberships,
                          invitations, apiKeys, machines, accounts, firstAdmin,
                          revokedSessions, throttle, migrations)
  --org-ids <kind>        what ids of organizations are: uuid (default), or
                          host, texts of your own

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 pending (status).`

const ACTIONS = ['up', 'status', 'print']

const OPTIONS = {
  database: { type: 'string' },
  dialect: { type: 'string' },
  schema: { type: 'string' },
  table: { type: 'string', multiple: true },
  'org-ids': { type: 'string' },
  help: { type: 'boolean' },
} as const

interface Wish {
  readonly action: string
  readonly dialect: 'postgres' | 'sqlite'
  readonly database: NamedDatabase | undefined
  readonly where: {
    readonly schema?: string | undefined
    readonly tables?: SqlTableNames | undefined
    readonly orgIds?: OrgIdKind | undefined
  }
}

/** Run the command; its exit code. */
export async function migrateCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const wish = readWish(args, terminal)
  if (wish === null) {
    terminal.print(MIGRATE_USAGE)
    return 0
  }
  const sql = asUsage(() => (wish.dialect === 'postgres' ? postgresSql : sqliteSql)(wish.where))
  if (wish.action === 'print') {
    terminal.print(sql.trimEnd())
    return 0
  }
  const isUp = wish.action === 'up'
  const list = wish.database === undefined ? [] : await onDatabase(wish.database, wish.where, terminal, isUp)
  if (isUp && list.length === 0) terminal.print('Nothing to do: all migrations have been run.')
  terminal.printTable(list.map(toCells))
  return !isUp && list.some(({ appliedAt }) => appliedAt === null) ? 3 : 0
}

function readWish(args: readonly string[], { env }: Terminal): Wish | null {
  const { values, positionals } = readWords(args)
  if (values.help === true) return null
  const [action, ...more] = positionals
  if (action === undefined) throw new Failure(MIGRATE_USAGE, 2)
  if (!ACTIONS.includes(action)) throw wrong(`name one of ${ACTIONS.join(', ')}${didYouMean(action, ACTIONS)}`)
  if (more.length > 0) throw wrong(`${action} takes options alone: is --database missing before the name?`)
  const isPrint = action === 'print'
  // Printing asks nobody: a variable that happens to be set is no contradiction.
  const name = values.database ?? (isPrint && values.dialect !== undefined ? undefined : env['DATABASE_URL'])
  const database = name === undefined ? undefined : asUsage(() => readDatabaseName(name))
  const dialect = values.dialect ?? database?.dialect
  if (dialect !== 'postgres' && dialect !== 'sqlite') {
    throw wrong(dialect === undefined ? 'name a --database or a --dialect' : `there is no dialect "${dialect}"`)
  }
  if (database !== undefined && database.dialect !== dialect) throw wrong(`the database is none of ${dialect}`)
  if (database === undefined && !isPrint) throw wrong('name a --database, or set DATABASE_URL')
  const { schema, table } = values
  if (schema !== undefined && dialect === 'sqlite') throw wrong('SQLite has no --schema')
  const where = { ...(schema === undefined ? {} : { schema }), tables: tablesOf(table), orgIds: orgIdsOf(values) }
  return { action, dialect, database, where }
}

function readWords(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true })
  } catch (error) {
    throw wrong(describeWrongWords(error, Object.keys(OPTIONS)))
  }
}

function orgIdsOf({ 'org-ids': kind = 'uuid' }: { readonly 'org-ids'?: string | undefined }): OrgIdKind {
  if (kind !== 'uuid' && kind !== 'host') throw wrong('write --org-ids uuid or --org-ids host')
  return kind
}

function tablesOf(pairs: readonly string[] = []): SqlTableNames {
  const entries = pairs.map((pair) => pair.split('='))
  if (entries.some((entry) => entry.length !== 2)) throw wrong('write --table users=people')
  return Object.fromEntries(entries) as SqlTableNames
}

async function onDatabase(
  database: NamedDatabase,
  where: Wish['where'],
  { folder }: Terminal,
  isUp: boolean,
): Promise<readonly MigrationStatus[]> {
  if (database.dialect === 'postgres') {
    const pool = await openPostgres(database.url, folder)
    return await (isUp ? upPostgres : postgresStatus)({ pool, ...where }).finally(() => pool.end())
  }
  const { path } = database
  if (!isUp && !existsSync(path)) throw new Failure('sallyport: there is no such SQLite file', 1)
  const file = await openSqlite(path, folder)
  return await (isUp ? upSqlite : sqliteStatus)({ database: file, ...where }).finally(() => file.close())
}

function toCells({ id, name, appliedAt }: MigrationStatus): Cell[] {
  const state: Cell =
    appliedAt === null ? { text: 'pending', colour: 'yellow' } : { text: appliedAt.toISOString(), colour: 'green' }
  return [String(id).padStart(4), name, state]
}

// What the parser of the command line or of the options refuses is the caller's to mend.
function asUsage<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error))
  }
}

function wrong(sentence: string): Failure {
  return new Failure(`sallyport migrate: ${sentence}\n\n${MIGRATE_USAGE}`, 2)
}
