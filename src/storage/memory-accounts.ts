/**
 * The storage of local login in this process's memory: for unit tests and quick starts. It holds every promise of the
 * ports and forgets everything when the process ends.
 */
import { createBoundedMap, type Used } from '../lib/bounded-map.ts'
import { aCount, optional, ownMembers, ownOf, parseOptions, type Shape } from '../lib/parse-options.ts'
import type {
  AccountChange,
  AccountRecord,
  AccountRepository,
  AccountStorage,
  AccountTransaction,
  SessionRepository,
  ThrottleState,
  ThrottleStore,
} from './account-repositories.ts'
import { byCreation, type InTurn, put, type Table, toRow, transactionsOver, writingInTurn } from './memory-tables.ts'
import { ConflictError } from './storage-errors.ts'

interface MemoryAccountsOptions {
  /** Keys the throttle remembers at most; those not used lately are forgotten. 100–1,000,000, default 100,000. */
  readonly maxThrottleKeys?: number | undefined
}

/** What the storage of local login keeps in memory. */
export interface AccountTables {
  readonly accounts: Table<AccountRecord>
  /** Has a row once the first admin is claimed. */
  readonly firstAdmin: Table<true>
}

/**
 * Create the storage of local login in memory. Writers take turns; a reader sees what is committed.
 *
 * @throws OptionsError
 * @example
 * const login = createLogin({ storage: createMemoryAccounts(), secret, service: 'ironflow', roles: ['viewer', 'admin'] })
 */
export function createMemoryAccounts(options: MemoryAccountsOptions = {}): AccountStorage {
  const { maxThrottleKeys } = parseOptions('createMemoryAccounts', SHAPE, options)
  const committed = createAccountTables()
  return accountsOver(committed, transactionsOver(committed), maxThrottleKeys)
}

/** Make empty tables. */
export function createAccountTables(): AccountTables {
  return { accounts: new Map(), firstAdmin: new Map() }
}

/** Build the storage of local login over committed tables, and transactions over those, which may have others too. */
export function accountsOver(
  committed: AccountTables,
  inTurn: InTurn<AccountTables>,
  maxThrottleKeys = 100_000,
): AccountStorage {
  const transaction: AccountStorage['transaction'] = (work) => inTurn((tables) => work(transactionOver(tables)))
  const accounts = writingInTurn(accountRepository(committed.accounts), (work) =>
    transaction((tx) => work(tx.accounts)),
  )
  return { accounts, sessions: sessionRepository(committed), throttle: throttleStore(maxThrottleKeys), transaction }
}

const SHAPE: Shape<MemoryAccountsOptions> = { maxThrottleKeys: optional(aCount(100, 1_000_000)) }

function transactionOver({ accounts, firstAdmin }: AccountTables): AccountTransaction {
  return {
    accounts: accountRepository(accounts),
    async claimFirstAdmin() {
      const isFirst = firstAdmin.get('claimed') === undefined
      firstAdmin.set('claimed', true)
      return isFirst
    },
  }
}

/** Build the repository of accounts over one set of tables. */
export function accountRepository(accounts: AccountTables['accounts']): AccountRepository {
  const byEmail = (email: string): AccountRecord | undefined =>
    [...accounts.values()].find((account) => account.email === email)
  const write = (account: AccountRecord): AccountRecord => {
    const holder = byEmail(account.email)
    if (holder === undefined || holder.id === account.id) return put(accounts, account)
    throw new ConflictError('there is an account of this e-mail address')
  }
  const isLast = (account: AccountRecord, keep: string | undefined): boolean => {
    const holders = [...accounts.values()].filter(({ role, disabled }) => role === keep && !disabled)
    return holders.length === 1 && holders[0]?.id === account.id
  }
  return {
    findById: async (accountId) => accounts.get(accountId) ?? null,
    findByEmail: async (email) => byEmail(email) ?? null,
    list: async () => [...accounts.values()].sort(byCreation).map(({ passwordHash: _, ...account }) => toRow(account)),
    async insert(account) {
      const { email, passwordHash, role, disabled = false, createdAt } = ownMembers(account)
      return write({ id: crypto.randomUUID(), email, passwordHash, role, disabled, sessionVersion: 0, createdAt })
    },
    async update(accountId, change, options = {}) {
      const keep = ownOf(options, 'keep')
      const account = accounts.get(accountId)
      if (account === undefined) return { kind: 'missing' }
      const changed = changedBy(account, change)
      if ((changed.disabled || changed.role !== keep) && isLast(account, keep)) return { kind: 'last' }
      return { kind: 'done', account: write(changed) }
    },
    async remove(accountId, options = {}) {
      const keep = ownOf(options, 'keep')
      const account = accounts.get(accountId)
      if (account === undefined) return 'missing'
      if (isLast(account, keep)) return 'last'
      accounts.delete(accountId)
      return 'done'
    },
    async replaceHash(accountId, { from, to, endSessions }) {
      const account = accounts.get(accountId)
      if (account === undefined || account.passwordHash !== from) return false
      write({ ...account, passwordHash: to, sessionVersion: account.sessionVersion + (endSessions ? 1 : 0) })
      return true
    },
    async endSessions(accountId) {
      const account = accounts.get(accountId)
      if (account !== undefined) write({ ...account, sessionVersion: account.sessionVersion + 1 })
      return account !== undefined
    },
  }
}

// Named one by one: what else an object may hold at run time is not a change.
function changedBy(account: AccountRecord, given: AccountChange): AccountRecord {
  const change = ownMembers(given)
  const { email = account.email, role = account.role, disabled = account.disabled } = change
  const ends = role !== account.role || disabled !== account.disabled || change.passwordHash !== undefined
  const passwordHash = change.passwordHash ?? account.passwordHash
  return { ...account, email, role, disabled, passwordHash, sessionVersion: account.sessionVersion + (ends ? 1 : 0) }
}

function sessionRepository({ accounts }: AccountTables): SessionRepository {
  const revoked = new Map<string, number>()
  return {
    async find(accountId, sessionId) {
      const account = accounts.get(accountId)
      return account === undefined ? null : { account, revoked: revoked.has(sessionId) }
    },
    async revoke({ id, expiresAt }, now) {
      // Sessions live equally long, so that the oldest entries are the first to expire.
      for (const [other, until] of revoked) {
        if (until > now.getTime()) break
        revoked.delete(other)
      }
      revoked.set(id, expiresAt.getTime())
    },
  }
}

// One process, one clock: the caller's.
function throttleStore(maxKeys: number): ThrottleStore {
  const stored = createBoundedMap<string, Used & { readonly packed: string }>(maxKeys)
  return {
    async update(keys, now, decide) {
      const at = now.getTime()
      const found = keys.map((key) => {
        const entry = stored.get(key)
        const state = entry === undefined ? null : unpacked(entry.packed)
        return state !== null && state.expiresAt > at ? state : null
      })
      const { states, result } = decide(found, at)
      keys.forEach((key, index) => {
        const state = states[index] ?? null
        if (state === null) stored.delete(key)
        else if (state !== found[index]) stored.set(key, { used: false, packed: packed(state) })
      })
      return result
    },
  }
}

// There may be a hundred thousand, and an object of numbers and lists takes several times what a text does.
function packed({ failures, closedUntil, expiresAt, recent, pending }: ThrottleState): string {
  return [[failures, closedUntil, expiresAt], recent, pending].map((each) => each.map(toWord).join(' ')).join(';')
}

function unpacked(text: string): ThrottleState {
  const lists = text.split(';').map((each) => (each === '' ? [] : each.split(' ').map(ofWord)))
  const [[failures, closedUntil, expiresAt], recent, pending] = lists as [[number, number, number], number[], number[]]
  return { failures, closedUntil, expiresAt, recent, pending }
}

// Instants in 8 characters. A clock may tell fractions of a millisecond, which must come back as they were.
function toWord(value: number): string {
  return Number.isSafeInteger(value) ? value.toString(36) : `=${value}`
}

function ofWord(word: string): number {
  return word.startsWith('=') ? Number(word.slice(1)) : Number.parseInt(word, 36)
}
