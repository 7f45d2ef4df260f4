/**
 * The user resolver that makes a user on first sight (just-in-time provisioning): find, decide (`create | join | none`)
 * before any write, then write user, organization, membership and the host's own rows in one transaction.
 */
import type { Identity, KnownRoles, Organization, OrgSelection, ResolvedUser, User, UserResolver } from '../context.ts'
import { type AtOnce, answerOf, later, toStep } from '../lib/at-once.ts'
import {
  aFunction,
  aGroup,
  also,
  aName,
  aNumber,
  anObjectWith,
  maker,
  oneOf,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { createMonotonicClock, OVERDUE, within } from '../lib/time.ts'
import type { UserRecord } from '../storage/repositories.ts'
import { toQueryFailure, withStorageErrors } from '../storage/storage-errors.ts'
import { type ProfileOptions, withProfile } from './profile.ts'
import { type AttemptedUser, type ProvisionerOptions, type ProvisionerSettings, provisioning } from './provision.ts'
import { withFreshEmail } from './refresh-email.ts'
import { retryTransient } from './retry.ts'
import { resolveUser } from './sync.ts'

export type { Bootstrap, ProvisionerOptions, ProvisioningDecision } from './provision.ts'

/** The step that finds or makes users. */
export interface Provisioner<U extends User = User, O extends Organization = Organization, Tx = unknown>
  extends UserResolver<U> {
  /** What it was made with, for the routes that make users by themselves (`provision` of `createInvitationRoutes`). */
  readonly settings: ProvisionerSettings<U, O, Tx>
}

// Longer than a first login takes but where it waits for a connection; a second one beside it does no harm.
const SHARED_MS = 15_000

/**
 * Create the provisioner. Any number of first requests of one person at once make one user, one organization, one
 * membership and run the hook's effect once; a transient failure is tried again (at most 5 times, 5–50 ms apart, within
 * 5 seconds of the first). Waiting for a connection is the pool's to limit; a transaction that hangs is cut off 5
 * seconds after it began.
 *
 * Refuses with `forbidden` where the user is disabled (never provisioned again), and with `temporarily_unavailable`
 * (503) where the first login could not be committed just now; then nothing is written, unless it was the answer to its
 * COMMIT that did not come: then all of it is there, or nothing, and the next request finds out. What `decide` names
 * must exist: else a mistake of the host, a 500. Cost: one query for a known user, and a write where their e-mail is refreshed; for a new one the invitation look-up
 * and one transaction, shared by all requests of that person in flight.
 *
 * @throws OptionsError for a missing or unknown option
 * @example
 * const users = createProvisioner({
 *   storage,
 *   bootstrap: async ({ org, transaction }) => insertTenant(transaction.handle, org),
 * })
 */
export const createProvisioner: <U extends User, O extends Organization, Tx>(
  options: ProvisionerOptions<U, O, Tx>,
) => Provisioner<U, O, Tx> = /* @__PURE__ */ maker('createProvisioner({ storage, ownerRole })', provisioner)

function provisioner<U extends User, O extends Organization, Tx>(
  options: ProvisionerOptions<U, O, Tx>,
): Provisioner<U, O, Tx> {
  const parsed = parseOptions(NAME, shape<U, O, Tx>(), options)
  if (parsed.refreshEmail !== undefined && typeof parsed.storage.users.setEmail !== 'function') {
    throw optionsError(NAME, 'refreshEmail', 'needs a storage with users.setEmail')
  }
  const { ownerRole = 'owner', clock = Date.now } = parsed
  const storage = withStorageErrors(parsed.storage)
  const settings = Object.freeze({ ...parsed, storage, ownerRole, clock })
  const inFlight = createSingleFlight<AttemptedUser<U>>(SHARED_MS, createMonotonicClock(clock))

  const { profile } = parsed
  const refreshes = parsed.refreshEmail === 'when-verified'
  const step = toStep(
    (identity: Identity, selection: OrgSelection, roles?: KnownRoles, token?: string): AtOnce<ResolvedUser<U>> => {
      const record = find(identity, selection)
      const person = { identity, roles, token }
      return record !== null && 'then' in record ? later(record, resolve, person) : resolve(record, person)
    },
  )
  const resolve = (record: UserRecord<U> | null, person: Person): AtOnce<ResolvedUser<U>> => {
    if (record === null) return firstLogin(person)
    return refreshes ? withFreshEmail(storage.users, record, person.identity).then(resolveUser) : resolveUser(record)
  }
  const find = (identity: Identity, selection: OrgSelection): AtOnce<UserRecord<U> | null> => {
    try {
      const { users } = parsed.storage
      const found = answerOf(users.findByIdentity).call(users, identity, selection)
      return found !== null && 'then' in found ? Promise.resolve(found).then(undefined, throwQueryFailure) : found
    } catch (error) {
      throw toQueryFailure(error)
    }
  }
  const firstLogin = async ({ identity, roles, token }: Person): Promise<ResolvedUser<U>> => {
    const key = JSON.stringify([identity.issuer, identity.subject])
    const { value, leader } = await inFlight(key, async () => {
      const person = profile === undefined ? identity : await withProfile(profile, identity, token)
      return retryTransient(provisioning(settings, person, roles), clock)
    })
    const resolved = resolveUser(value)
    return leader && value.created
      ? { ...resolved, created: true, provisioned: value.provisioned }
      : { ...resolved, created: false }
  }
  return Object.assign(step, { assignsRoles: Object.freeze([ownerRole]), settings })
}

/** Somebody who was verified, and what a first login of theirs needs. */
interface Person {
  readonly identity: Identity
  readonly roles: KnownRoles | undefined
  readonly token: string | undefined
}

function throwQueryFailure(error: unknown): never {
  throw toQueryFailure(error)
}

/**
 * Create a single flight: whoever asks for work under a key that is in flight waits for it instead of starting it again, and
 * nobody longer than until it is `milliseconds` old. Workers end what a request began together with it, without a word: what
 * is overdue is given up by those who wait for it and by whoever comes next, who begin it anew. It keeps nothing once the work
 * is done. `leader`: this very call did it. `time`: milliseconds, never running backwards.
 */
export function createSingleFlight<T>(
  milliseconds: number,
  time: () => number,
): (key: string, work: () => Promise<T>) => Promise<{ readonly value: T; readonly leader: boolean }> {
  const flights = new Map<string, { readonly startedAt: number; readonly work: Promise<T> }>()
  return async (key, begin) => {
    for (let running = flights.get(key); running !== undefined; running = flights.get(key)) {
      const rest = running.startedAt + milliseconds - time()
      const value = rest > 0 ? await within(rest, running.work) : OVERDUE
      if (value !== OVERDUE) return { value, leader: false }
      if (flights.get(key) === running) flights.delete(key)
    }
    const own = { startedAt: time(), work: begin() }
    flights.set(key, own)
    try {
      return { value: await own.work, leader: true }
    } finally {
      if (flights.get(key) === own) flights.delete(key)
    }
  }
}

function hasUsers({ users }: { readonly users: { readonly findByIdentity: unknown } | undefined }): boolean {
  return typeof users?.findByIdentity === 'function'
}

const NAME = 'createProvisioner'
// A function: what a host does not use must not stay in its bundle.
const shape = <U extends User, O extends Organization, Tx>(): Shape<ProvisionerOptions<U, O, Tx>> => ({
  storage: also(anObjectWith('transaction'), hasUsers, 'must be a storage with users'),
  ownerRole: optional(aName()),
  invitations: optional(anObjectWith('find')),
  profile: optional(aGroup<ProfileOptions>({ load: aFunction(), timeoutSeconds: optional(aNumber(1, 10)) })),
  refreshEmail: optional(oneOf('when-verified')),
  decide: optional(aFunction()),
  bootstrap: optional(aFunction()),
  clock: optional(aFunction()),
})
