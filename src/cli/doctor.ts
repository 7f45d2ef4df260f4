/** The command `sallyport doctor`: asks everything a service hangs on, and says what would refuse whom. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describeCause } from '../lib/standard-error.ts'
import { migrationStatus as postgresStatus } from '../storage/postgres.ts'
import { createNames, type SqlTableNames } from '../storage/sql-names.ts'
import { migrationStatus as sqliteStatus } from '../storage/sqlite.ts'
import { type CommandLine, type Options, readArguments, wordsOf, wrongUsage } from './arguments.ts'
import { type Check, EXIT_CODES, printChecks, printParagraph, toJson, verdictOf } from './checks.ts'
import { openPostgres, openSqlite, readDatabaseName } from './database.ts'
import { DOCTOR_CHECKS, type DoctorCheck, type Practice } from './doctor-checks.ts'
import { type AskedFile, type AskedPool, loadConfig, type StoredRole, toParts } from './doctor-config.ts'
import { ISSUER_FLAGS, ISSUER_USAGE, isWrongOption, readIssuers } from './issuer-flags.ts'
import { Failure, type Terminal } from './terminal.ts'

const LINE = {
  name: 'sallyport doctor',
  usage: `Usage: sallyport doctor [--config <file>] [options]

Ask everything a service hangs on: the metadata and the keys of each issuer,
the clock, the storage, its migrations and policies. Everything is asked,
whatever fails; what fails says whom it would refuse, and how.

  --config <file>       a module that exports auth, issuers, storage, pool
                        (PostgreSQL) or database (SQLite), by name or in its
                        default export; .ts where Node reads it, else by
                        node --import tsx node_modules/sallyport/dist/cli.js
  --database <url>      postgres://… or a path of a SQLite file
  --schema <name>       the schema of the tables (PostgreSQL)
  --json                print the result as JSON (docs/command.md)

${ISSUER_USAGE}

Exit codes: 0 all is well, 1 something would refuse somebody, 2 wrong usage,
3 something could not be found out.

  sallyport doctor --config ./auth.ts
  sallyport doctor --issuer https://id.example.com --audience contacts`,
  options: {
    ...ISSUER_FLAGS,
    config: { type: 'string' },
    database: { type: 'string' },
    schema: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  },
} as const satisfies CommandLine<Options>

/** The usage of the command. */
export const DOCTOR_USAGE: string = LINE.usage

type Given = ReturnType<typeof readFlags>

const readFlags = (args: readonly string[]) => readArguments(LINE, args)

/** Run the command; its exit code. */
export async function doctorCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const flags = readFlags(args)
  const { values, positionals } = flags
  if (values.help === true) {
    terminal.print(LINE.usage)
    return 0
  }
  if (positionals.length > 0) throw wrongUsage(LINE, 'it takes options alone: is --config missing before the file?')
  const { practice, close } = await prepare(flags, terminal)
  try {
    const checks = (await Promise.all(DOCTOR_CHECKS.map((check) => ask(check, practice)))).flat()
    if (checks.length === 0)
      throw wrongUsage(LINE, 'there is nothing to ask: name a --config, a --database or an issuer')
    const verdict = verdictOf(checks)
    if (values.json === true) {
      const result = { command: 'doctor', verdict, exitCode: EXIT_CODES[verdict], checks: checks.map(toJson) }
      terminal.print(JSON.stringify(result, null, 2))
    } else {
      printChecks(checks, terminal)
      terminal.print('')
      printParagraph(SENTENCES[verdict], terminal)
    }
    return EXIT_CODES[verdict]
  } finally {
    await close()
  }
}

const SENTENCES = {
  passes: 'All that was asked is well.',
  refused: 'Something would refuse somebody: see what is marked ✗.',
  unknown: 'Something could not be found out: see what is marked ?.',
} as const

const LIMIT_MS = 20_000

// What the options of an issuer are refused by is a sentence of the library, which quotes no value.
const sentenceOf = (error: unknown): string => (isWrongOption(error) ? error.message : describeCause(error))

// A check that throws or hangs is a result like any other.
async function ask({ name, ask: askIt }: DoctorCheck, practice: Practice): Promise<readonly Check[]> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<Check>((resolve) => {
    timer = setTimeout(() => resolve({ name, state: 'unknown', says: 'no answer within 20 seconds' }), LIMIT_MS)
  })
  const answer = askIt(practice).catch(
    (error: unknown): Check => ({ name, state: 'unknown', says: `can’t be asked: ${sentenceOf(error)}` }),
  )
  const found = await Promise.race([answer, late])
  clearTimeout(timer)
  return found === null ? [] : [found].flat()
}

interface Prepared {
  readonly practice: Practice
  close(): Promise<void>
}

async function prepare(flags: Given, terminal: Terminal): Promise<Prepared> {
  const { values } = flags
  const named = asUsage(() => readIssuers(values, terminal))
  const command = { name: LINE.name, words: wordsOf(flags) }
  const given = values.config === undefined ? {} : await loadConfig(command, values.config, terminal.folder)
  const { database: ownFile, ...parts } = toParts(given)
  const opened = values.database === undefined ? null : await openNamed(values.database, terminal)
  const { schema } = values
  const where = { ...pick(given, 'tables', 'orgIds', 'schema'), ...(schema === undefined ? {} : { schema }) }
  const pool = opened?.pool ?? parts.pool
  const file = opened?.file ?? ownFile
  const database = pool !== null ? onPool(pool, where) : file !== null ? onFile(file, where) : NO_DATABASE
  return {
    practice: {
      ...parts,
      ...{ ...database, pool, hasConfig: values.config !== undefined },
      ...{ fetch: terminal.fetch, now: () => terminal.now() },
      issuers: [...parts.issuers, ...(named.hasKeys ? named.issuers : [])],
      insecureHosts: values['insecure-host'],
    },
    async close() {
      parts.auth?.close()
      await opened?.close()
    },
  }
}

type Database = Pick<Practice, 'migrations' | 'storedRoles'>

const NO_DATABASE: Database = { migrations: null, storedRoles: null }

interface Where {
  readonly schema?: string | undefined
  readonly tables?: SqlTableNames | undefined
}

const rolesSql = ({ tables, schema }: Where): string =>
  `SELECT role, count(*) AS count FROM ${createNames(tables, schema).memberships} GROUP BY role ORDER BY role`

function onPool(pool: AskedPool, where: Where): Database {
  return {
    migrations: () => postgresStatus({ pool: pool as never, ...where }),
    storedRoles: async () => (await pool.query(rolesSql(where))).rows.map(toStoredRole),
  }
}

function onFile(file: AskedFile, where: Where): Database {
  return {
    migrations: () => sqliteStatus({ database: file as never, ...where }),
    storedRoles: async () => (file.prepare(rolesSql(where)).all() as Record<string, unknown>[]).map(toStoredRole),
  }
}

function toStoredRole({ role, count }: Readonly<Record<string, unknown>>): StoredRole {
  return { role: String(role), count: Number(count) }
}

function pick(given: Readonly<Record<string, unknown>>, ...names: readonly string[]): object {
  return Object.fromEntries(names.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]))
}

interface Opened {
  readonly pool: AskedPool | null
  readonly file: AskedFile | null
  close(): unknown
}

async function openNamed(name: string, { folder }: Terminal): Promise<Opened> {
  const named = asUsage(() => readDatabaseName(name))
  if (named.dialect === 'postgres') {
    const pool = await openPostgres(named.url, folder).catch(notFoundOut)
    return { pool: pool as never, file: null, close: () => pool.end() }
  }
  // Opening would make it.
  if (!existsSync(resolve(folder, named.path))) throw wrongUsage(LINE, 'there is no such SQLite file')
  const file = await openSqlite(named.path, folder).catch(notFoundOut)
  return { pool: null, file: file as never, close: () => file.close() }
}

// Nothing is known of a database without its driver.
function notFoundOut(error: unknown): never {
  throw error instanceof Failure ? new Failure(error.message, 3) : error
}

function asUsage<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof Error && (isWrongOption(error) || error.constructor === Error)
      ? wrongUsage(LINE, error.message)
      : error
  }
}
