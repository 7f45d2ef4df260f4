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
} from './account-repositories.ts'
import type { GuardedChange } from './repositories.ts'
import { createAccountStatements, type SqlAccountStatements, type SqlAccountTables } from './sql-account-statements.ts'
import type { SqlSession, SqlStatement, SqlValue } from './sql-executor.ts'
import { sqlLoginSessions } from './sql-login-sessions.ts'
import { toAccount, toAccountRecord } from './sql-rows.ts'
import { isId, isText, LONGEST } from './sql-text.ts'
import { sqlThrottle } from './sql-throttle.ts'
import { ConflictError } from './storage-errors.ts'

/** What local login is built over. */
export interface SqlAccountOptions extends SqlAccountTables {
  readonly session: SqlSession
}

/** Build the storage of local login over a session. */
export function sqlAccounts({ session, ...tables }: SqlAccountOptions): AccountStorage {
  const statements = createAccountStatements(tables)
  return {
    accounts: accountRepository(session, statements),
    sessions: sqlLoginSessions(session, statements),
    throttle: sqlThrottle(session, statements),
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
  const find = async (statement: SqlStatement, value: string): Promise<AccountRecord | null> => {
    const [row] = await session.run(statement, [value])
    return row === undefined ? null : toAccountRecord(row)
  }
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
  const [row] = await session.run(statements.updateAccount, [accountId, ...values])
  return row === undefined ? { kind: 'missing' } : { kind: 'done', account: toAccountRecord(row) }
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
