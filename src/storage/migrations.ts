/**
 * The numbered migrations of the SQL storages and what is common in running them: which are pending, what is written
 * down, the whole as plain SQL. The lock that lets several instances start at once is each database's own.
 */
import { postgresApiKeys, postgresBookkeeping, postgresLogin, postgresTables } from './migrations-postgres.ts'
import { sqliteApiKeys, sqliteBookkeeping, sqliteLogin, sqliteTables } from './migrations-sqlite.ts'
import type { SqlDialect } from './sql-dialects.ts'
import type { SqlRow, SqlSession } from './sql-executor.ts'
import type { SqlNames } from './sql-names.ts'

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
  readonly statements: Readonly<Record<SqlDialect['name'], (names: SqlNames) => readonly string[]>>
}

const MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'users, organizations, memberships, invitations',
    statements: { postgres: postgresTables, sqlite: sqliteTables },
  },
  { id: 2, name: 'API keys', statements: { postgres: postgresApiKeys, sqlite: sqliteApiKeys } },
  { id: 3, name: 'local login', statements: { postgres: postgresLogin, sqlite: sqliteLogin } },
]

const BOOKKEEPING: Readonly<Record<SqlDialect['name'], (names: SqlNames) => string>> = {
  postgres: postgresBookkeeping,
  sqlite: sqliteBookkeeping,
}

/** Where migrations are looked up and run. */
export interface MigrationTarget {
  readonly dialect: SqlDialect
  readonly names: SqlNames
}

/**
 * Run what is pending, in a session that holds the database's lock for migrations. `isThere`: whether the table of the
 * migrations that were run exists.
 *
 * @returns the migrations that were run by this call
 */
export async function runPending(
  session: SqlSession,
  target: MigrationTarget,
  isThere: boolean,
): Promise<readonly MigrationStatus[]> {
  const { dialect, names } = target
  if (!isThere) await define(session, BOOKKEEPING[dialect.name](names))
  const ran = new Set(
    (await readStatus(session, target)).flatMap(({ id, appliedAt }) => (appliedAt === null ? [] : [id])),
  )
  const pending = MIGRATIONS.filter(({ id }) => !ran.has(id))
  for (const migration of pending) {
    for (const text of statementsOf(migration, target)) await define(session, text)
  }
  const now = new Set(pending.map(({ id }) => id))
  return (await readStatus(session, target)).filter(({ id }) => now.has(id))
}

/** Read which migrations were run; those of a newer version of the package are listed too. */
export async function readStatus(
  session: SqlSession,
  { dialect, names }: MigrationTarget,
): Promise<readonly MigrationStatus[]> {
  const text = `SELECT id, name, ${dialect.toMilliseconds('applied_at')} AS applied FROM ${names.migrations} ORDER BY id`
  const rows = (await ask(session, text)).map((row) => ({
    id: Number(row['id']),
    name: String(row['name']),
    appliedAt: new Date(Math.round(Number(row['applied']))),
  }))
  const ran = new Set(rows.map(({ id }) => id))
  return [...rows, ...allPending().filter(({ id }) => !ran.has(id))].sort((a, b) => a.id - b.id)
}

/** Every migration, as if none had been run. */
export function allPending(): readonly MigrationStatus[] {
  return MIGRATIONS.map(({ id, name }) => ({ id, name, appliedAt: null }))
}

/** Write the migrations as one script of plain SQL, in the order in which they are run. */
export function printMigrations(target: MigrationTarget): string {
  const { dialect, names } = target
  const parts = MIGRATIONS.flatMap((migration) => [
    `-- ${migration.id}: ${migration.name}`,
    ...statementsOf(migration, target).map((text) => `${text};`),
  ])
  const schema = names.schema === null ? [] : [`CREATE SCHEMA IF NOT EXISTS ${names.schema};`]
  return `${[...schema, `${BOOKKEEPING[dialect.name](names)};`, ...parts].join('\n\n')}\n`
}

function statementsOf({ id, name, statements }: Migration, { dialect, names }: MigrationTarget): string[] {
  const noted = `INSERT INTO ${names.migrations} (id, name) VALUES (${id}, '${name}')`
  return [...statements[dialect.name](names), noted]
}

/** Ask something once that binds nothing. */
export function ask(session: SqlSession, text: string): Promise<readonly SqlRow[]> {
  return session.run({ name: 'question', text, hot: false, writes: false }, [])
}

async function define(session: SqlSession, text: string): Promise<void> {
  await session.run({ name: 'definition', text, hot: false, writes: true, silent: true }, [])
}
