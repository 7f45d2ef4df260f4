/**
 * The storage of local login in this process's memory: for unit tests and quick starts. It holds every promise of the
 * ports and forgets everything when the process ends.
 */
import * as z from 'zod/mini'
import { createBoundedMap } from '../lib/bounded-map.ts'
import { aNumber, parseOptions, type Shape } from '../lib/parse-options.ts'
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
import { byCreation, copy, copyOrNull, writingInTurn } from './memory-tables.ts'
import { ConflictError } from './storage-errors.ts'
import { createTurns, whileOpen } from './turns.ts'

interface MemoryAccountsOptions {
  /** Keys the throttle remembers at most; those not used for longest are forgotten. 100–1,000,000, default 100,000. */
  readonly maxThrottleKeys?: number | undefined
}

/** What a transaction copies and commits as one. */
interface AccountTables {
  accounts: Map<string, AccountRecord>
  hadFirstAdmin: boolean
}

/**
 * Create the storage of local login in memory. Writers take turns; a reader sees what is committed.
 *
 * @throws OptionsError
 * @example
 * const login = createLogin({ storage: createMemoryAccounts(), … })
 */
export function createMemoryAccounts(options: MemoryAccountsOptions = {}): AccountStorage {
  const { maxThrottleKeys = 100_000 } = parseOptions('createMemoryAccounts', SHAPE, options)
  const committed: AccountTables = { accounts: new Map(), hadFirstAdmin: false }
  const exclusive = createTurns('the in-memory storage')
  const transaction: AccountStorage['transaction'] = (work) =>
    exclusive((isHeld) =>
      whileOpen(isHeld, async (requireOpen) => {
        const tables = copyOfTables(committed, requireOpen)
        const result = await work(transactionOver(tables))
        Object.assign(committed, tables)
        return result
      }),
    )
  const accounts = writingInTurn(accountRepository(committed), (work) => transaction((tx) => work(tx.accounts)))
  return { accounts, sessions: sessionRepository(committed), throttle: throttleStore(maxThrottleKeys), transaction }
}

// Its getter is asked by whatever reads or writes, the commit too.
function copyOfTables({ accounts, hadFirstAdmin }: AccountTables, requireOpen: () => void): AccountTables {
  const own = new Map(accounts)
  return {
    get accounts() {
      requireOpen()
      return own
    },
    hadFirstAdmin,
  }
}

const SHAPE: Shape<MemoryAccountsOptions> = { maxThrottleKeys: z.optional(aNumber(100, 1_000_000)) }

function transactionOver(tables: AccountTables): AccountTransaction {
  return {
    accounts: accountRepository(tables),
    async claimFirstAdmin() {
      const isFirst = !tables.hadFirstAdmin
      tables.hadFirstAdmin = true
      return isFirst
    },
  }
}

// Read through `tables` at each call: a commit puts another map in its place.
function accountRepository(tables: AccountTables): AccountRepository {
  return {
    findById: async (accountId) => copyOrNull(tables.accounts.get(accountId)),
    findByEmail: async (email) => copyOrNull(byEmail(tables, email)),
    list: async () =>
      [...tables.accounts.values()].sort(byCreation).map(({ passwordHash: _, ...account }) => copy(account)),
    insert: async ({ email, passwordHash, role, disabled = false, createdAt }) =>
      write(tables, {
        ...{ id: crypto.randomUUID(), email, passwordHash, role, disabled },
        ...{ sessionVersion: 0, createdAt },
      }),
    async update(accountId, change, { keep } = {}) {
      const account = tables.accounts.get(accountId)
      if (account === undefined) return { kind: 'missing' }
      const changed = changedBy(account, change)
      if ((changed.disabled || changed.role !== keep) && isLast(tables, account, keep)) return { kind: 'last' }
      return { kind: 'done', account: write(tables, changed) }
    },
    async remove(accountId, { keep } = {}) {
      const account = tables.accounts.get(accountId)
      if (account === undefined) return 'missing'
      if (isLast(tables, account, keep)) return 'last'
      tables.accounts.delete(accountId)
      return 'done'
    },
    async replaceHash(accountId, { from, to, endSessions }) {
      const account = tables.accounts.get(accountId)
      if (account === undefined || account.passwordHash !== from) return false
      write(tables, { ...account, passwordHash: to, sessionVersion: account.sessionVersion + (endSessions ? 1 : 0) })
      return true
    },
    async endSessions(accountId) {
      const account = tables.accounts.get(accountId)
      if (account !== undefined) write(tables, { ...account, sessionVersion: account.sessionVersion + 1 })
      return account !== undefined
    },
  }
}

function byEmail(tables: AccountTables, email: string): AccountRecord | undefined {
  return [...tables.accounts.values()].find((account) => account.email === email)
}

function write(tables: AccountTables, account: AccountRecord): AccountRecord {
  const holder = byEmail(tables, account.email)
  if (holder !== undefined && holder.id !== account.id) {
    throw new ConflictError('there is an account of this e-mail address')
  }
  tables.accounts.set(account.id, copy(account))
  return copy(account)
}

function isLast(tables: AccountTables, account: AccountRecord, keep: string | undefined): boolean {
  const holds = ({ role, disabled }: AccountRecord): boolean => role === keep && !disabled
  return holds(account) && ![...tables.accounts.values()].some((other) => other.id !== account.id && holds(other))
}

// Named one by one: what else an object may hold at run time is not a change.
function changedBy(account: AccountRecord, change: AccountChange): AccountRecord {
  const { email = account.email, role = account.role, disabled = account.disabled } = change
  const ends = role !== account.role || disabled !== account.disabled || change.passwordHash !== undefined
  const passwordHash = change.passwordHash ?? account.passwordHash
  return { ...account, email, role, disabled, passwordHash, sessionVersion: account.sessionVersion + (ends ? 1 : 0) }
}

function sessionRepository(tables: AccountTables): SessionRepository {
  const revoked = new Map<string, number>()
  return {
    async find(accountId, sessionId) {
      const account = tables.accounts.get(accountId)
      return account === undefined ? null : { account: copy(account), revoked: revoked.has(sessionId) }
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
  const stored = createBoundedMap<string, ThrottleState>(maxKeys)
  return {
    async update(keys, now, decide) {
      const at = now.getTime()
      const found = keys.map((key) => {
        const state = stored.get(key)
        return state !== undefined && state.expiresAt > at ? state : null
      })
      const { states, result } = decide(found, at)
      keys.forEach((key, index) => {
        const state = states[index] ?? null
        if (state === null) stored.delete(key)
        else if (state !== found[index]) stored.set(key, copyOfState(state))
      })
      return result
    },
  }
}

function copyOfState(state: ThrottleState): ThrottleState {
  return { ...state, recent: copyOf(state.recent), pending: copyOf(state.pending) }
}

// Most lists are empty, and there may be a hundred thousand.
const NOTHING: readonly number[] = Object.freeze([])

function copyOf(list: readonly number[]): readonly number[] {
  return list.length === 0 ? NOTHING : [...list]
}
