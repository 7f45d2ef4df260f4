/**
 * The ports of local login: accounts with their passwords' hashes, sessions that were ended early, the counters of the
 * throttle. A host implements them over its own tables or takes a shipped set; `accountContract` and `throttleContract`
 * of `sallyport/testing` prove either. Types only. What `repositories.ts` says is common to all ports holds here too.
 */
import type { User } from '../context.ts'
import type { GuardedChange, KeepOptions } from './repositories.ts'

/** A local account: a user with a password of this service. */
export interface Account extends User {
  /** Normalized (`normalizeEmail`), unique. */
  readonly email: string
  /** What they are in this installation: one of the roles of `createLogin`. */
  readonly role: string
  /** Raised by one whenever every session of the account has to end; a session names the one it was made for. */
  readonly sessionVersion: number
  readonly createdAt: Date
}

/** An account with the hash of its password: what login works with, and what no list ever holds. */
export interface AccountRecord extends Account {
  /** A PHC string, or `null`: nobody can log in by password. */
  readonly passwordHash: string | null
}

/** An account to be inserted: enabled, its session version 0. */
export interface NewAccount {
  readonly email: string
  readonly passwordHash: string | null
  readonly role: string
  /** Default `false`. */
  readonly disabled?: boolean | undefined
  readonly createdAt: Date
}

/** What may be changed of an account; what is left out stays. */
export interface AccountChange {
  readonly email?: string | undefined
  readonly passwordHash?: string | undefined
  readonly role?: string | undefined
  readonly disabled?: boolean | undefined
}

interface HashReplacement {
  readonly from: string
  readonly to: string
  readonly endSessions: boolean
}

/** What became of a change. */
export type AccountUpdate =
  | { readonly kind: 'done'; readonly account: AccountRecord }
  | { readonly kind: 'missing' }
  | { readonly kind: 'last' }

/** Accounts: unique by normalized e-mail. */
export interface AccountRepository {
  /** Insert an account. Of any number of callers at once with one e-mail one wins, the others get a `ConflictError`. */
  insert(account: NewAccount): Promise<AccountRecord>
  /** Find an account by id, disabled ones too. */
  findById(accountId: string): Promise<AccountRecord | null>
  /** Find an account by its normalized e-mail, disabled ones too. One query. */
  findByEmail(email: string): Promise<AccountRecord | null>
  /** List all accounts by creation, then id (code units), without their hashes. */
  list(): Promise<readonly Account[]>
  /**
   * Change an account in one write. A change of the role or of `disabled` to another value, and any `passwordHash`, raise
   * `sessionVersion` by one in that very write. An e-mail that is taken throws `ConflictError`. `'last'`, and nothing
   * written, for what would disable the last enabled account of the role `keep`, or take that role from it.
   */
  update(accountId: string, change: AccountChange, options?: KeepOptions): Promise<AccountUpdate>
  /** Delete an account; `keep` as in `update`, against updates too. */
  remove(accountId: string, options?: KeepOptions): Promise<GuardedChange>
  /**
   * Put the hash `to` in the place of `from`, exactly that: one conditional write; of any number of callers at once one
   * gets `true`. With `endSessions` it raises `sessionVersion` by one in the same write; nothing else changes.
   */
  replaceHash(accountId: string, change: HashReplacement): Promise<boolean>
  /** Raise `sessionVersion` by one: every session so far has ended. `false` where there is no such account. */
  endSessions(accountId: string): Promise<boolean>
}

/** What a session is judged by. */
export interface SessionRecord {
  readonly account: AccountRecord
  /** Whether this one session was ended before its time. */
  readonly revoked: boolean
}

/** Sessions are tokens and not stored; kept are only those that were ended before their time, until that time. */
export interface SessionRepository {
  /** Find the account of a session, and whether the session was revoked. One query, never from a cache. */
  find(accountId: string, sessionId: string): Promise<SessionRecord | null>
  /** End one session for good, from the next `find` on, in every process. Idempotent. May drop what expired before `now`. */
  revoke(session: { readonly id: string; readonly expiresAt: Date }, now: Date): Promise<void>
}

/** What a throttle remembers of one key: plain numbers (instants in milliseconds), opaque to the store. */
export interface ThrottleState {
  /** Failures that count for the length of the next wait. */
  readonly failures: number
  /** Until when every try is refused; 0: open. */
  readonly closedUntil: number
  /** When the failures of a window happened, oldest first. */
  readonly recent: readonly number[]
  /** Until when each try in flight counts. */
  readonly pending: readonly number[]
  /** From when on all this may be forgotten. */
  readonly expiresAt: number
}

/** What is decided about some keys: their states, in the order of the keys, and what the caller wants to know. */
export interface ThrottleDecision<T> {
  readonly states: readonly (ThrottleState | null)[]
  readonly result: T
}

/** Counters by key. A key is 1 to 100 letters, digits, `:` and `-`; none holds an e-mail or an address in the clear. */
export interface ThrottleStore {
  /**
   * Read the states of one to three different `keys`, decide, write: as one, all of them or none. Of any number of callers
   * at once, in any number of processes, each is handed what the one before has written. `decide` is pure and fast, and may
   * be called more than once; it gets `null` for an unknown key and for a state with `expiresAt` at or before its `now`.
   * Each state it returns replaces the one of its key, `null` removes it, the very same state writes nothing: where all are
   * the same, there is no write at all. What it throws rejects, and nothing is written.
   *
   * The `now` of `decide` is in milliseconds since 1970: the database's clock where several processes share the store, since
   * their own may differ by seconds; in the memory of one process it may be the caller's. The store is bounded: by expiry,
   * and where that is not enough entries that were not used lately go first.
   */
  update<T>(
    keys: readonly string[],
    now: Date,
    decide: (states: readonly (ThrottleState | null)[], now: number) => ThrottleDecision<T>,
  ): Promise<T>
}

/** What a unit of work on accounts may use. */
export interface AccountTransaction {
  readonly accounts: AccountRepository
  /**
   * Claim the one first admin this storage will ever have: a unique marker row. `true` for one caller ever; others wait
   * until that one's transaction has ended, and get `true` only if it was rolled back.
   */
  claimFirstAdmin(at: Date): Promise<boolean>
}

/** The whole storage of local login. */
export interface AccountStorage {
  /** Who may log in. */
  readonly accounts: AccountRepository
  /** What was logged in and not yet out. */
  readonly sessions: SessionRepository
  /** Failures, by address and by e-mail. */
  readonly throttle: ThrottleStore
  /**
   * Run `work` in one transaction: all of it is there when the promise fulfils, nothing when it rejects, nobody else sees
   * a part. Runs `work` once. Inside, use what it hands you only, one call after another.
   */
  transaction<T>(work: (transaction: AccountTransaction) => Promise<T>): Promise<T>
}
