/**
 * The numbered migrations of the SQL storages and what is common in running them: which are pending, what is written
 * down, the whole as plain SQL. The lock that lets several instances start at once is each database's own.
 */
import { apiKeys, bookkeeping, localLogin, tenancy } from './migration-statements.ts'
import type { SqlRow, SqlSession } from './sql-executor.ts'
import type { SqlTableNames } from './sql-names.ts'
import type { SqlTables } from './sql-statements.ts'

/** A migration, as it stands in a database. */
export interface MigrationStatus {
  readonly id: number
  readonly name: string
  /** When it was run; `null`: it is pending. */
  readonly appliedAt: Date | null
}

interface Migration {
  readonly id: number
  readonly name: string
  /** What it makes. */
  readonly tables: readonly (keyof SqlTableNames)[]
  readonly statements: (tables: SqlTables) => readonly string[]
}

const MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'users, organizations, memberships, invitations',
    tables: ['users', 'orgs', 'memberships', 'invitations'],
    statements: tenancy,
  },
  { id: 2, name: 'API keys', tables: ['apiKeys'], statements: apiKeys },
  {
    id: 3,
    name: 'local login',
    tables: ['accounts', 'firstAdmin', 'revokedSessions', 'throttle'],
    statements: localLogin,
  },
]

/** Where migrations are looked up and run. */
export interface MigrationTarget extends SqlTables {
  /** Whether a table is there, by its quoted name. */
  isThere(session: SqlSession, name: string): Promise<boolean>
}

/**
 * Run what is pending, in a session that holds the database's lock for migrations.
 *
 * @returns the migrations that were run by this call
 * @throws Error where one was run, and its tables are not there under these names
 */
export async function runPending(session: SqlSession, target: MigrationTarget): Promise<readonly MigrationStatus[]> {
  const { names } = target
  const before = await readStatus(session, target)
  if (!(await target.isThere(session, names.migrations))) await define(session, bookkeeping(target))
  const ran = new Set(before.flatMap(({ id, appliedAt }) => (appliedAt === null ? [] : [id])))
  const pending = MIGRATIONS.filter(({ id }) => !ran.has(id))
  for (const migration of pending) {
    for (const text of statementsOf(migration, target)) await define(session, text)
  }
  const now = new Set(pending.map(({ id }) => id))
  return (await readStatus(session, target)).filter(({ id }) => now.has(id))
}

/**
 * Read which migrations were run; those of a newer version of the package are listed too.
 *
 * @throws Error where one was run, and its tables are not there under these names
 */
export async function readStatus(session: SqlSession, target: MigrationTarget): Promise<readonly MigrationStatus[]> {
  const { dialect, names } = target
  if (!(await target.isThere(session, names.migrations))) return allPending()
  const text = `SELECT id, name, ${dialect.toMilliseconds('applied_at')} AS applied FROM ${names.migrations} ORDER BY id`
  const rows = (await ask(session, text)).map((row) => ({
    id: Number(row['id']),
    name: String(row['name']),
    appliedAt: new Date(Math.round(Number(row['applied']))),
  }))
  const ran = new Set(rows.map(({ id }) => id))
  await requireTables(session, target, ran)
  return [...rows, ...allPending().filter(({ id }) => !ran.has(id))].sort((a, b) => a.id - b.id)
}

// What was written down holds for the names it was run with: under others, what is asked for is not there.
async function requireTables(session: SqlSession, target: MigrationTarget, ran: ReadonlySet<number>): Promise<void> {
  const { names, isThere } = target
  for (const { id, tables } of MIGRATIONS.filter((migration) => ran.has(migration.id))) {
    for (const table of tables) {
      if (await isThere(session, names[table])) continue
      throw new Error(
        `migration ${id} was run, as ${names.migrations} says, but there is no table ${names[table]}: name the tables as they were named then, or another table for "migrations"`,
      )
    }
  }
}

function allPending(): readonly MigrationStatus[] {
  return MIGRATIONS.map(({ id, name }) => ({ id, name, appliedAt: null }))
}

/** Write the migrations as one script of plain SQL, in the order in which they are run. */
export function printMigrations(target: SqlTables): string {
  const { names } = target
  const parts = MIGRATIONS.flatMap((migration) => [
    `-- ${migration.id}: ${migration.name}`,
    ...statementsOf(migration, target).map((text) => `${text};`),
  ])
  const schema = names.schema === null ? [] : [`CREATE SCHEMA IF NOT EXISTS ${names.schema};`]
  return `${[...schema, `${bookkeeping(target)};`, ...parts].join('\n\n')}\n`
}

function statementsOf({ id, name, statements }: Migration, target: SqlTables): string[] {
  const { migrations } = target.names
  const noted = `INSERT INTO ${migrations} (id, name) VALUES (${id}, '${name}')`
  return [...statements(target), noted]
}

/** Ask something once that binds nothing. */
export function ask(session: SqlSession, text: string): Promise<readonly SqlRow[]> {
  return session.run({ name: 'question', text, hot: false, writes: false }, [])
}

async function define(session: SqlSession, text: string): Promise<void> {
  await session.run({ name: 'definition', text, hot: false, writes: true, silent: true }, [])
}
