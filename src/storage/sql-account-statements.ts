/** Every statement of local login in the SQL storages, once for both dialects. Hands on texts; nothing here runs them. */
import type { SqlDialect } from './sql-dialects.ts'
import type { SqlStatement } from './sql-executor.ts'
import type { SqlNames } from './sql-names.ts'
import { toStatements } from './sql-statements.ts'

/** What the statements are written for. */
export interface SqlAccountTables {
  readonly dialect: SqlDialect
  readonly names: SqlNames
}

/** What each of them does. */
type SqlAccountStatementName =
  | 'insertAccount'
  | 'findAccount'
  | 'findAccountByEmail'
  | 'listAccounts'
  | 'lockHoldersOfRole'
  | 'updateAccount'
  | 'deleteAccount'
  | 'replaceHash'
  | 'endSessions'
  | 'claimFirstAdmin'
  | 'findSession'
  | 'revokeSession'
  | 'sweepSessions'
  | 'readThrottle'
  | 'insertThrottle'
  | 'replaceThrottle'
  | 'deleteThrottle'
  | 'sweepThrottle'
  | 'trimThrottle'

/** The statements by name. */
export type SqlAccountStatements = Readonly<Record<SqlAccountStatementName, SqlStatement>>

const HOT: readonly SqlAccountStatementName[] = ['findSession', 'findAccountByEmail', 'readThrottle']

/** Write the statements. */
export function createAccountStatements(tables: SqlAccountTables): SqlAccountStatements {
  return toStatements({ ...accountTexts(tables), ...sessionTexts(tables), ...throttleTexts(tables) }, HOT)
}

function accountColumns({ dialect }: SqlAccountTables, a: string): string {
  const created = `${dialect.toMilliseconds(`${a}created_at`)} AS created`
  return `${a}id, ${a}email, ${a}role, ${a}disabled, ${a}session_version, ${created}`
}

function accountTexts(tables: SqlAccountTables) {
  const { dialect, names } = tables
  const listed = accountColumns(tables, '')
  const columns = `${listed}, password_hash`
  const byRole = `WHERE role = $1 AND NOT disabled ORDER BY id`
  return {
    insertAccount: `INSERT INTO ${names.accounts} (id, email, password_hash, role, disabled, created_at)
      VALUES ($1, $2, $3, $4, ${dialect.toFlag('$5')}, ${dialect.fromMilliseconds('$6')})
      ON CONFLICT (email) DO NOTHING RETURNING ${columns}`,
    findAccount: `SELECT ${columns} FROM ${names.accounts} WHERE id = $1`,
    findAccountByEmail: `SELECT ${columns} FROM ${names.accounts} WHERE email = $1`,
    listAccounts: `SELECT ${listed} FROM ${names.accounts} ORDER BY created_at, id`,
    lockHoldersOfRole: `SELECT id FROM ${names.accounts} ${byRole}${dialect.forUpdate}`,
    updateAccount: updateText(tables, columns),
    deleteAccount: `DELETE FROM ${names.accounts} WHERE id = $1 RETURNING id`,
    replaceHash: `UPDATE ${names.accounts} SET password_hash = $3,
      session_version = session_version + ${dialect.toInteger('$4')}
      WHERE id = $1 AND password_hash = $2 RETURNING id`,
    endSessions: `UPDATE ${names.accounts} SET session_version = session_version + 1 WHERE id = $1 RETURNING id`,
    claimFirstAdmin: `INSERT INTO ${names.firstAdmin} (id, claimed_at) VALUES (1, ${dialect.fromMilliseconds('$1')})
      ON CONFLICT (id) DO NOTHING RETURNING id`,
  }
}

// The version is raised by what the row holds when it is written, not by what somebody has read of it before.
function updateText({ dialect, names }: SqlAccountTables, columns: string): string {
  const text = (parameter: string): string => `CAST(${parameter} AS text)`
  const [email, role, hash] = [text('$2'), text('$3'), text('$5')]
  const disabled = dialect.toFlag('$4')
  return `UPDATE ${names.accounts} SET email = COALESCE(${email}, email), role = COALESCE(${role}, role),
    disabled = COALESCE(${disabled}, disabled), password_hash = COALESCE(${hash}, password_hash),
    session_version = session_version + CASE WHEN ${hash} IS NOT NULL OR COALESCE(${role}, role) <> role
      OR COALESCE(${disabled}, disabled) <> disabled THEN 1 ELSE 0 END
    WHERE id = $1 RETURNING ${columns}`
}

function sessionTexts(tables: SqlAccountTables) {
  const { dialect, names } = tables
  const table = names.revokedSessions
  return {
    findSession: `SELECT ${accountColumns(tables, 'a.')}, a.password_hash, r.id IS NOT NULL AS revoked
      FROM ${names.accounts} a LEFT JOIN ${table} r ON r.id = $2 WHERE a.id = $1`,
    revokeSession: `INSERT INTO ${table} (id, expires_at) VALUES ($1, ${dialect.fromMilliseconds('$2')})
      ON CONFLICT (id) DO NOTHING RETURNING id`,
    sweepSessions: sweepText(dialect, table, 'id'),
  }
}

function throttleTexts({ dialect, names }: SqlAccountTables) {
  const table = names.throttle
  const [expires, used] = [dialect.fromMilliseconds('$3'), dialect.fromMilliseconds('$4')]
  const stateOf = (key: string): string => `(SELECT state FROM ${table} WHERE key = ${key})`
  const asRead = 'WHERE key = $1 AND state = $5'
  // Of more than $1 keys those not used for longest.
  const newest = `SELECT used_at FROM ${table} ORDER BY used_at DESC LIMIT 1 OFFSET ${dialect.toInteger('$1')}`
  const oldest = `SELECT key FROM ${table} WHERE used_at <= (${newest})
    ORDER BY used_at LIMIT ${dialect.toInteger('$2')}${dialect.skipLocked}`
  return {
    // One row, whatever is there: the clock, and up to three states.
    readThrottle: `SELECT ${dialect.now} AS now, ${stateOf('$1')} AS state0, ${stateOf('$2')} AS state1,
      ${stateOf('$3')} AS state2`,
    insertThrottle: `INSERT INTO ${table} (key, state, expires_at, used_at) VALUES ($1, $2, ${expires}, ${used})
      ON CONFLICT (key) DO NOTHING RETURNING key`,
    replaceThrottle: `UPDATE ${table} SET state = $2, expires_at = ${expires}, used_at = ${used}
      ${asRead} RETURNING key`,
    deleteThrottle: `DELETE FROM ${table} WHERE key = $1 AND state = $2 RETURNING key`,
    sweepThrottle: sweepText(dialect, table, 'key'),
    trimThrottle: `DELETE FROM ${table} WHERE key IN (${oldest}) RETURNING key`,
  }
}

// A bounded piece of work, which waits for nobody: what another process is at just now is left to it.
function sweepText(dialect: SqlDialect, table: string, key: string): string {
  const expired = `SELECT ${key} FROM ${table} WHERE expires_at < ${dialect.fromMilliseconds('$1')}
    ORDER BY expires_at LIMIT ${dialect.toInteger('$2')}${dialect.skipLocked}`
  return `DELETE FROM ${table} WHERE ${key} IN (${expired}) RETURNING ${key}`
}
