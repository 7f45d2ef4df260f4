/**
 * Local login in the SQL storages: the repository of accounts, and the whole put together. Every promise of the ports
 * that speaks of "at once" is one conditional statement, or holds rows locked in one order.
 */
import type {
  AccountChange,
  AccountRecord,
  AccountRepository,
  AccountStorage,
  AccountUpdate,
  NewAccount,
  SessionRepository,
} from './account-repositories.ts'
import type { GuardedChange } from './repositories.ts'
import type { SqlSession, SqlStatement, SqlValue } from './sql-executor.ts'
import { isId, isText, LONGEST, toAccount, toAccountRecord, toFirst, toFlag } from './sql-rows.ts'
import { type SqlPlace, type SqlTables, sweepText, toStatements } from './sql-statements.ts'
import { sqlThrottle } from './sql-throttle.ts'
import { ConflictError } from './storage-errors.ts'

/** Build the storage of local login over a session. */
export function sqlAccounts({ session, ...tables }: SqlPlace): AccountStorage {
  const statements = createStatements(tables)
  return {
    accounts: accountRepository(session, statements),
    sessions: sessionRepository(session, statements),
    throttle: sqlThrottle({ session, ...tables }),
    transaction: (work) =>
      session.atomically((inside) =>
        work({
          accounts: accountRepository(inside, statements),
          claimFirstAdmin: async (at) => (await inside.run(statements.claimFirstAdmin, [at.getTime()])).length > 0,
        }),
      ),
  }
}

const LONGEST_HASH = 512

function accountRepository(session: SqlSession, statements: SqlAccountStatements): AccountRepository {
  const find = async (statement: SqlStatement, value: string): Promise<AccountRecord | null> =>
    toFirst(await session.run(statement, [value]), toAccountRecord)
  const has = async (statement: SqlStatement, values: readonly SqlValue[]): Promise<boolean> =>
    (await session.run(statement, values)).length > 0
  return {
    insert: (account) => insert(session, statements, account),
    findById: async (accountId) => (isId(accountId) ? find(statements.findAccount, accountId) : null),
    findByEmail: async (email) => (isText(email, LONGEST.email) ? find(statements.findAccountByEmail, email) : null),
    list: async () => (await session.run(statements.listAccounts, [])).map(toAccount),
    async update(accountId, change, { keep } = {}) {
      const values = toValues(change)
      if (!isId(accountId)) return { kind: 'missing' }
      const run = (inside: SqlSession): Promise<AccountUpdate> => update(inside, statements, accountId, values)
      return leaves(change, keep) ? guarded(session, statements, { accountId, keep, run }) : run(session)
    },
    async remove(accountId, { keep } = {}) {
      if (!isId(accountId)) return 'missing'
      const run = async (inside: SqlSession): Promise<GuardedChange> =>
        (await inside.run(statements.deleteAccount, [accountId])).length > 0 ? 'done' : 'missing'
      if (keep === undefined) return run(session)
      const removed = await guarded(session, statements, { accountId, keep, run })
      return typeof removed === 'string' ? removed : removed.kind
    },
    replaceHash: async (accountId, { from, to, endSessions }) =>
      isId(accountId) && isText(from, LONGEST_HASH)
        ? has(statements.replaceHash, [accountId, from, requireText(to, LONGEST_HASH, 'hash'), endSessions ? 1 : 0])
        : false,
    endSessions: async (accountId) => isId(accountId) && has(statements.endSessions, [accountId]),
  }
}

async function insert(
  session: SqlSession,
  statements: SqlAccountStatements,
  { email, passwordHash, role, disabled = false, createdAt }: NewAccount,
): Promise<AccountRecord> {
  const [row] = await session.run(statements.insertAccount, [
    crypto.randomUUID(),
    requireText(email, LONGEST.email, 'e-mail address'),
    passwordHash === null ? null : requireText(passwordHash, LONGEST_HASH, 'hash'),
    requireText(role, LONGEST.role, 'role'),
    disabled ? 1 : 0,
    createdAt.getTime(),
  ])
  if (row === undefined) throw new ConflictError('there is an account of this e-mail address')
  return toAccountRecord(row)
}

async function update(
  session: SqlSession,
  statements: SqlAccountStatements,
  accountId: string,
  values: readonly SqlValue[],
): Promise<AccountUpdate> {
  const account = toFirst(await session.run(statements.updateAccount, [accountId, ...values]), toAccountRecord)
  return account === null ? { kind: 'missing' } : { kind: 'done', account }
}

interface Guarded<T> {
  readonly accountId: string
  readonly keep: string
  run(inside: SqlSession): Promise<T>
}

// All enabled holders are locked, in one order: whoever comes second sees what the first has left of them.
function guarded<T>(
  session: SqlSession,
  { lockHoldersOfRole }: SqlAccountStatements,
  { accountId, keep, run }: Guarded<T>,
): Promise<T | { readonly kind: 'last' }> {
  if (!isText(keep, LONGEST.role)) return run(session)
  return session.atomically(async (inside) => {
    const holders = await inside.run(lockHoldersOfRole, [keep])
    const isLast = holders.length === 1 && String(holders[0]?.['id']) === accountId
    return isLast ? { kind: 'last' } : run(inside)
  })
}

function leaves({ role, disabled }: AccountChange, keep: string | undefined): keep is string {
  return keep !== undefined && (disabled === true || (role !== undefined && role !== keep))
}

// Named one by one: what else an object may hold at run time is not a change.
function toValues({ email, role, disabled, passwordHash }: AccountChange): SqlValue[] {
  return [
    email === undefined ? null : requireText(email, LONGEST.email, 'e-mail address'),
    role === undefined ? null : requireText(role, LONGEST.role, 'role'),
    disabled === undefined ? null : Number(disabled),
    passwordHash === undefined ? null : requireText(passwordHash, LONGEST_HASH, 'hash'),
  ]
}

function requireText(text: string, longest: number, what: string): string {
  if (!isText(text, longest))
    throw new TypeError(`the ${what} of an account is a text of at most ${longest} characters`)
  return text
}

type SqlAccountStatements = ReturnType<typeof createStatements>

function createStatements(tables: SqlTables) {
  return toStatements({ ...accountTexts(tables), ...sessionTexts(tables) }, ['findSession', 'findAccountByEmail'])
}

function accountColumns({ dialect }: SqlTables, a: string): string {
  const created = `${dialect.toMilliseconds(`${a}created_at`)} AS created`
  return `${a}id, ${a}email, ${a}role, ${a}disabled, ${a}session_version, ${created}`
}

function accountTexts(tables: SqlTables) {
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
function updateText({ dialect, names }: SqlTables, columns: string): string {
  const text = (parameter: string): string => `CAST(${parameter} AS text)`
  const [email, role, hash] = [text('$2'), text('$3'), text('$5')]
  const disabled = dialect.toFlag('$4')
  return `UPDATE ${names.accounts} SET email = COALESCE(${email}, email), role = COALESCE(${role}, role),
    disabled = COALESCE(${disabled}, disabled), password_hash = COALESCE(${hash}, password_hash),
    session_version = session_version + CASE WHEN ${hash} IS NOT NULL OR COALESCE(${role}, role) <> role
      OR COALESCE(${disabled}, disabled) <> disabled THEN 1 ELSE 0 END
    WHERE id = $1 RETURNING ${columns}`
}

function sessionTexts(tables: SqlTables) {
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

const LONGEST_ID = 100
// A verifier may grant a session some minutes beyond its end, and another process's clock may be behind.
const GRACE_MS = 600_000
// More than each revocation adds.
const SWEPT_AT_ONCE = 100

// Kept are those that were ended early, until nobody could use them anyway.
function sessionRepository(session: SqlSession, statements: SqlAccountStatements): SessionRepository {
  return {
    async find(accountId, sessionId) {
      if (!isId(accountId)) return null
      // What can't be stored was never revoked.
      const [row] = await session.run(statements.findSession, [accountId, isSessionId(sessionId) ? sessionId : null])
      return row === undefined ? null : { account: toAccountRecord(row), revoked: toFlag(row['revoked']) }
    },
    async revoke({ id, expiresAt }, now) {
      if (!isSessionId(id)) throw new TypeError(`the id of a session is a text of at most ${LONGEST_ID} characters`)
      await session.run(statements.revokeSession, [id, expiresAt.getTime()])
      await session.run(statements.sweepSessions, [now.getTime() - GRACE_MS, SWEPT_AT_ONCE])
    },
  }
}

function isSessionId(text: string): boolean {
  return isText(text, LONGEST_ID)
}
