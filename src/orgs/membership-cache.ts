/**
 * A cache between the pipeline and a storage's look-ups of users and memberships, for a host that can bear a revoked
 * membership for some seconds. Opt-in: without it every request asks.
 */
import type { ActingOrg, Organization } from '../context.ts'
import { createBoundedMap, type Used } from '../lib/bounded-map.ts'
import {
  aCount,
  aFunction,
  anObjectWith,
  checkedBy,
  isPlain,
  optional,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { createMonotonicClock } from '../lib/time.ts'
import type { ActingOrgSource, UserRecord, UserRepository } from '../storage/repositories.ts'

/** Options of {@link createMembershipCache}. */
export interface MembershipCacheOptions<R extends UserRepository, M extends ActingOrgSource> {
  /** Usually `storage.users`. */
  readonly users: R
  /** Usually `storage.memberships`. */
  readonly memberships: M
  /** How long an answer is good, more than 0 to 5 seconds. Default 5. "Not a member" is good for at most 1. */
  readonly ttlSeconds?: number | undefined
  /** How many answers are kept, 1 to 10,000. Default 10,000; one not used lately makes room. */
  readonly maxEntries?: number | undefined
  /** The clock, in milliseconds. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** The repositories behind the cache, and the way to make it forget. */
export interface MembershipCache<R, M> {
  /** For the user resolver: `findByIdentity` is answered from the cache. */
  readonly users: R
  /** For the org resolver: what users may act in is answered from the cache; API keys and services always ask. */
  readonly memberships: M
  /**
   * Forget what is known of a user in one organization, or of a user altogether: after a change of a membership, a role,
   * the user's row. An answer that is on its way at this moment is not kept either. In this process only.
   */
  invalidate(userId: string, orgId?: string): void
}

/**
 * Create a cache over the look-ups that every request makes. A membership that was removed, a role that was lowered and a
 * user who was disabled are refused after `ttlSeconds` at the latest, counted from when the storage was asked; at once
 * where `invalidate` is called, and an e-mail that a provisioner has refreshed. "No such user" is never kept, so that a first
 * login is seen at once. Writes, and everything inside a transaction, go to the storage. Plain rows are handed out as copies, rows
 * of a class as they are. Cost: a hit asks nothing; a miss is the storage's query.
 *
 * @throws OptionsError for a missing, unknown or malformed option
 * @example
 * const cache = createMembershipCache({ users: storage.users, memberships: storage.memberships, ttlSeconds: 2 })
 * createAuth({
 *   issuers,
 *   roles,
 *   users: createProvisioner({ storage: { ...storage, users: cache.users } }),
 *   orgs: createOrgResolver({ memberships: cache.memberships, selectors: [header('X-Org-Id')], whenUnnamed: 'earliest-joined' }),
 * })
 * await storage.memberships.remove(orgId, userId)
 * cache.invalidate(userId, orgId)
 */
export function createMembershipCache<R extends UserRepository, M extends ActingOrgSource>(
  options: MembershipCacheOptions<R, M>,
): MembershipCache<R, M> {
  const parsed = parseOptions('createMembershipCache', shape<R, M>(), options)
  const { ttlSeconds = LONGEST_SECONDS, maxEntries = MOST_ENTRIES, clock = Date.now } = parsed
  const answers = createAnswers({ milliseconds: ttlSeconds * 1000, maxEntries, clock: createMonotonicClock(clock) })
  return {
    users: withMethods(parsed.users, cachedUsers(parsed.users, answers)),
    memberships: withMethods(parsed.memberships, cachedMemberships(parsed.memberships, answers)),
    invalidate: answers.forget,
  }
}

const LONGEST_SECONDS = 5
const NEGATIVE_MS = 1000
const MOST_ENTRIES = 10_000

// A function: what a host does not use must not stay in its bundle.
const shape = <R extends UserRepository, M extends ActingOrgSource>(): Shape<MembershipCacheOptions<R, M>> => ({
  users: anObjectWith('findByIdentity'),
  memberships: anObjectWith('findActing', 'listActing'),
  ttlSeconds: optional(checkedBy(describeSeconds)),
  maxEntries: optional(aCount(1, MOST_ENTRIES)),
  clock: optional(aFunction()),
})

function describeSeconds(value: unknown): string | null {
  const isGood = typeof value === 'number' && value > 0 && value <= LONGEST_SECONDS
  return isGood ? null : 'must be a number above 0 and at most 5'
}

function cachedUsers(users: UserRepository, answers: Answers): Pick<UserRepository, 'findByIdentity' | 'setEmail'> {
  // A provisioner writes it by itself (`refreshEmail`): what is known still would have it written by every request.
  const setEmail: UserRepository['setEmail'] = async (userId, email) => {
    const user = await users.setEmail?.(userId, email)
    answers.forget(userId)
    return user ?? null
  }
  return {
    ...(users.setEmail === undefined ? {} : { setEmail }),
    async findByIdentity(identity, selection) {
      const orgId = selection.kind === 'named' ? selection.orgId : null
      const record = await answers.ask({
        key: ['user', identity.issuer, identity.subject, selection.kind, orgId],
        orgId,
        ask: () => users.findByIdentity(identity, selection),
        userIdOf: (found) => found?.user.id ?? null,
        isNegative: (found) => found?.membership === null,
      })
      return record === null ? null : copyOfRecord(record)
    },
  }
}

function cachedMemberships(memberships: ActingOrgSource, answers: Answers): ActingOrgSource {
  return {
    async findActing(caller, orgId) {
      if (caller.kind !== 'user') return memberships.findActing(caller, orgId)
      const acting = await answers.ask({
        key: ['acting', caller.user.id, orgId],
        orgId,
        ask: () => memberships.findActing(caller, orgId),
        userIdOf: () => caller.user.id,
        isNegative: (found) => found === null,
      })
      return acting === null ? null : copyOfActing(acting)
    },
    async listActing(caller, limit) {
      if (caller.kind !== 'user') return memberships.listActing(caller, limit)
      const list = await answers.ask({
        key: ['list', caller.user.id, limit ?? null],
        orgId: null,
        ask: () => memberships.listActing(caller, limit),
        userIdOf: () => caller.user.id,
        isNegative: (found) => found.length === 0,
      })
      return list.map(copyOfActing)
    },
  }
}

interface Question<A> {
  readonly key: readonly unknown[]
  /** The organization it is about; `null`: whatever becomes of one of them may change the answer. */
  readonly orgId: string | null
  ask(): Promise<A>
  /** Whom the answer is about; `null`: it is not kept. */
  userIdOf(answer: A): string | null
  isNegative(answer: A): boolean
}

type Answers = ReturnType<typeof createAnswers>

interface Entry extends Used {
  readonly answer: unknown
  readonly until: number
  readonly userId: string
  readonly orgId: string | null
}

function createAnswers(limits: { milliseconds: number; maxEntries: number; clock: () => number }) {
  const { milliseconds, maxEntries, clock } = limits
  const entries = createBoundedMap<string, Entry>(Math.floor(maxEntries))
  // Counts the calls of `forget`: an answer that was asked for before one of them may be the old one.
  let forgotten = 0
  return {
    /** Answer from what is known, else ask. */
    async ask<A>({ key, orgId, ask, userIdOf, isNegative }: Question<A>): Promise<A> {
      const asked = clock()
      const name = JSON.stringify(key)
      const known = entries.get(name)
      if (known !== undefined && asked < known.until) return known.answer as A
      const before = forgotten
      const answer = await ask()
      const userId = userIdOf(answer)
      if (userId === null || before !== forgotten) return answer
      const until = asked + (isNegative(answer) ? Math.min(NEGATIVE_MS, milliseconds) : milliseconds)
      entries.set(name, { used: false, answer, until, userId, orgId })
      return answer
    },
    forget(userId: string, orgId?: string): void {
      forgotten += 1
      for (const [name, entry] of entries) {
        const isOfOrg = orgId === undefined || entry.orgId === null || entry.orgId === orgId
        if (entry.userId === userId && isOfOrg) entries.delete(name)
      }
    },
  }
}

// Behind the cache everything else is the host's own object, whose methods may need their `this`. The proxy stands before
// a copy, because what is frozen must answer with what it holds.
function withMethods<T extends M, M extends object>(object: T, methods: M): T {
  return new Proxy(
    { ...object },
    {
      get(_, name) {
        if (Object.hasOwn(methods, name)) return Reflect.get(methods, name)
        const value: unknown = Reflect.get(object, name)
        return typeof value === 'function' ? value.bind(object) : value
      },
    },
  )
}

// Whoever gets an answer may change it, where the host's rows are not frozen: what is kept is handed out as a copy. A row of a
// class may keep what no copy has, whose user it is and whether they are disabled: it stays itself.
function copyOfRecord(record: UserRecord): UserRecord {
  const copy = { ...record, user: copyOf(record.user) }
  return record.membership ? { ...copy, membership: copyOfActing(record.membership) } : copy
}

function copyOfActing<A extends ActingOrg<Organization>>(acting: A): A {
  return { ...acting, role: acting.role, org: copyOf(acting.org) }
}

function copyOf<T extends object>(row: T): T {
  if (!isPlain(row)) return row
  const copy = { ...row }
  // A Date can't be frozen: each of them is a copy, too.
  for (const name of Object.keys(copy) as (keyof T)[]) {
    const value: unknown = copy[name]
    if (value instanceof Date) copy[name] = new Date(value) as T[keyof T]
  }
  return Object.isFrozen(row) ? Object.freeze(copy) : copy
}
