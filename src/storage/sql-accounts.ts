/**
 * Local login in the SQL storages: the repository of accounts, and the whole put together. Every promise of the ports
 * that speaks of "at once" is one conditional statement, or holds rows locked in one order.
 */
import { isUuid } from '../lib/id-form.ts'
import { ownMembers, ownOf } from '../lib/parse-options.ts'
import type {
  Account,
  AccountChange,
  AccountRecord,
  AccountRepository,
  AccountStorage,
  SessionRepository,
} from './account-repositories.ts'
import type { SqlSession, SqlValue } from './sql-executor.ts'
import {
  columnsOf,
  findFirst,
  type Holders,
  hasRows,
  isText,
  keepingLast,
  LONGEST,
  toDate,
  toFlag,
  toGuardedChange,
  toTextOrNull,
} from './sql-rows.ts'
import { type SqlPlace, type SqlTables, sweepText, toStatements } from './sql-statements.ts'
import { sqlThrottle } from './sql-throttle.ts'
import { ConflictError } from './storage-errors.ts'

/** Local login in a SQL storage. */
export interface SqlAccounts {
  /** The accounts over another session: one transaction's. */
  over(session: SqlSession): AccountRepository
  readonly atRest: AccountStorage
}

/** Build the storage of local login over a session. */
export function sqlAccounts({ session, ...tables }: SqlPlace): SqlAccounts {
  const statements = createStatements(tables)
  const atRest: AccountStorage = {
    accounts: accountRepository(session, statements),
    sessions: sessionRepository(session, statements),
    // Counters of minutes: what a power cut undoes of them was to be forgotten soon.
    throttle: sqlThrottle({ session: session.fleeting ?? session, ...tables }),
    transaction: (work) =>
      session.atomically((inside) =>
        work({
          accounts: accountRepository(inside, statements),
          claimFirstAdmin: (at) => hasRows(inside, statements.claimFirstAdmin, [at.getTime()]),
        }),
      ),
  }
  return { over: (inside) => accountRepository(inside, statements), atRest }
}

const LONGEST_HASH = 512

function accountRepository(session: SqlSession, statements: SqlAccountStatements): AccountRepository {
  const holders = (holder: string): Holders => ({ lock: statements.lockHoldersOfRole, values: [], holder })
  return {
    async insert(account) {
      const { email, passwordHash, role, disabled = false, createdAt } = ownMembers(account)
      const values = toValues({ email, role, disabled, passwordHash: passwordHash ?? undefined })
      const all = [crypto.randomUUID(), ...values, createdAt.getTime()]
      const inserted = await findFirst(session, statements.insertAccount, all, ACCOUNT.read)
      if (inserted === null) throw new ConflictError('there is an account of this e-mail address')
      return inserted
    },
    findById: async (accountId) =>
      isUuid(accountId) ? findFirst(session, statements.findAccount, [accountId], ACCOUNT.read) : null,
    findByEmail: async (email) =>
      isText(email, LONGEST.email) ? findFirst(session, statements.findAccountByEmail, [email], ACCOUNT.read) : null,
    list: async () => (await session.run(statements.listAccounts, [])).map(LISTED_ACCOUNT.read),
    async update(accountId, given, options = {}) {
      const [change, keep] = [ownMembers(given), ownOf(options, 'keep')]
      const values = [accountId, ...toValues(change)]
      if (!isUuid(accountId)) return { kind: 'missing' }
      const kept = leaves(change, keep) ? keep : undefined
      const account = await keepingLast(session, holders(accountId), kept, (inside) =>
        findFirst(inside, statements.updateAccount, values, ACCOUNT.read),
      )
      if (account === 'last') return { kind: 'last' }
      return account === null || account === 'missing' ? { kind: 'missing' } : { kind: 'done', account }
    },
    async remove(accountId, options = {}) {
      const keep = ownOf(options, 'keep')
      if (!isUuid(accountId)) return 'missing'
      const removed = await keepingLast(session, holders(accountId), keep, (inside) =>
        hasRows(inside, statements.deleteAccount, [accountId]),
      )
      return toGuardedChange(removed)
    },
    replaceHash: async (accountId, { from, to, endSessions }) =>
      isUuid(accountId) &&
      isText(from, LONGEST_HASH) &&
      hasRows(session, statements.replaceHash, [accountId, from, requireText(to), endSessions ? 1 : 0]),
    endSessions: async (accountId) => isUuid(accountId) && hasRows(session, statements.endSessions, [accountId]),
  }
}

function leaves({ role, disabled }: AccountChange, keep: string | undefined): boolean {
  return disabled === true || (role !== undefined && role !== keep)
}

// Named one by one: what else an object may hold at run time is not a change.
function toValues({ email, role, disabled, passwordHash }: AccountChange): SqlValue[] {
  return [
    email === undefined ? null : requireText(email, LONGEST.email, 'e-mail address'),
    role === undefined ? null : requireText(role, LONGEST.role, 'role'),
    disabled === undefined ? null : Number(disabled),
    passwordHash === undefined ? null : requireText(passwordHash),
  ]
}

function requireText(text: string, longest = LONGEST_HASH, what = 'hash'): string {
  if (isText(text, longest)) return text
  throw new TypeError(`the ${what} of an account is a text of at most ${longest} characters`)
}

type SqlAccountStatements = ReturnType<typeof createStatements>

function createStatements(tables: SqlTables) {
  return toStatements({ ...accountTexts(tables), ...sessionTexts(tables) }, ['findSession', 'findAccountByEmail'])
}

const MEMBERS = {
  ...{ id: String, email: String, role: String, disabled: toFlag, sessionVersion: Number, createdAt: toDate },
}
const LISTED_ACCOUNT = columnsOf<Account>('account', MEMBERS)
const ACCOUNT = columnsOf<AccountRecord>('account', { ...MEMBERS, passwordHash: toTextOrNull })

function accountTexts(tables: SqlTables) {
  const { dialect, names } = tables
  const columns = ACCOUNT.select(dialect.toMilliseconds, '')
  // Whoever is disabled holds none.
  const role = 'CASE WHEN NOT disabled THEN role END'
  return {
    insertAccount: `INSERT INTO ${names.accounts} (id, email, role, disabled, password_hash, created_at)
      VALUES ($1, $2, $3, ${dialect.toFlag('$4')}, $5, ${dialect.fromMilliseconds('$6')})
      ON CONFLICT (email) DO NOTHING RETURNING ${columns}`,
    findAccount: `SELECT ${columns} FROM ${names.accounts} WHERE id = $1`,
    findAccountByEmail: `SELECT ${columns} FROM ${names.accounts} WHERE email = $1`,
    listAccounts: `SELECT ${LISTED_ACCOUNT.select(dialect.toMilliseconds, '')} FROM ${names.accounts} ORDER BY created_at, id`,
    lockHoldersOfRole: `SELECT id AS holder, ${role} AS holder_role, disabled AS holder_disabled FROM ${names.accounts}
      WHERE (role = $1 AND NOT disabled) OR id = $2 ORDER BY id${dialect.forUpdate}`,
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
    findSession: `SELECT ${ACCOUNT.select(dialect.toMilliseconds, 'a.')}, r.id IS NOT NULL AS revoked
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
      if (!isUuid(accountId)) return null
      // What can't be stored was never revoked.
      const [row] = await session.run(statements.findSession, [accountId, isSessionId(sessionId) ? sessionId : null])
      return row === undefined ? null : { account: ACCOUNT.read(row), revoked: toFlag(row['revoked']) }
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
