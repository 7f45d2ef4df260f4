/** What a contract case finds around it: the storage, people and organizations that nobody else uses, races. */
import type { Caller, IdentityKey, Organization, User } from '../../context.ts'
import type { AdminStorage, AuthStorage, Invitation, Membership, NewUser } from '../../storage/repositories.ts'
import { isTransientError } from '../../storage/storage-errors.ts'
import type { Ability, Closable, ParsedContractOptions } from './contract.ts'
import * as expect from './expectations.ts'

/** What a suite needs of a storage beyond the ports: things that hosts do by other ways. */
export interface StorageProbe {
  /** Disable the user's row, however this storage says that. */
  disableUser?(userId: string): Promise<unknown>
  /** Delete the organization, however this storage does that: row gone, or marked as deleted. */
  deleteOrg?(orgId: string): Promise<unknown>
  /** Count the user rows of one identity by another way than the port; where given, `users/upsert-race` uses it. */
  countUsers?(identity: IdentityKey): Promise<number>
}

/** One storage to be tested. */
export interface StorageUnderTest extends Closable {
  /** An `AdminStorage`; or one that only the pipeline can ask, where the options say `without: ['admin']`. */
  readonly storage: AuthStorage
  readonly probe?: StorageProbe | undefined
}

/** The surroundings of one case. */
export interface World extends Repositories {
  /** The repositories as one. Where the options say `without: ['admin']`, only what an `AuthStorage` has is there. */
  readonly storage: AdminStorage
  readonly isAdmin: boolean
  /** A role to be guarded, and a lower one. */
  readonly top: string
  readonly low: string
  /** Role names that must come back exactly. */
  readonly oddRoles: readonly string[]
  /** The storage's unit of work, tried again where it fails for the moment. */
  readonly transaction: AdminStorage['transaction']
  /** Issuers that the storage can hold, at least one; `null`: any. */
  readonly issuers: readonly string[] | null
  /** An id in the form of the storage's own that no row has. */
  newId(): string
  /** An identity that nobody else has. */
  newIdentity(): IdentityKey
  /** A person whom the storage has never seen. */
  newPerson(): NewUser
  disableUser(userId: string): Promise<void>
  deleteOrg(orgId: string): Promise<void>
  /** Rows of an identity by another way than the port; `null` where the host offers none. */
  countUsers(identity: IdentityKey): Promise<number | null>
  /** A person who has logged in for the first time. */
  newLogin(): Promise<{ readonly person: NewUser; readonly user: User; readonly userId: string }>
  newUser(): Promise<User>
  newOrg(): Promise<Organization>
  /** `count` new orgs, highest id first. */
  newOrgs(count: number): Promise<readonly Organization[]>
  /** A membership of a new user in a new org, as the lower role, unless given. */
  newMember(over?: Partial<Omit<Membership, 'joinedAt'>>): Promise<Membership>
  /** An invitation of a new address into a new org, as the lower role, unless given. */
  invite(over?: Partial<Pick<Invitation, 'orgId' | 'email' | 'role'>>): Promise<Invitation>
  /** A user's membership in each of the orgs, some milliseconds apart; as the lower role by default. */
  joinAll(userId: string, orgs: readonly Organization[], roleOf?: (index: number) => string): Promise<Membership[]>
  /** A membership; where only the pipeline can ask, as far as that shows it: without its instant. */
  findMember(orgId: string, userId: string, from?: Repositories): Promise<Partial<Membership> | null>
  /** The membership is stored as `insert` returned it, as far as `findMember` shows it. */
  expectStored(membership: Membership, what: string): Promise<void>
  /** The user as a caller, read anew: in some storages the membership hangs on the row. */
  callerOf(userId: string): Promise<Caller>
}

const ODD = ['Owner', 'OWNER', ' owner', 'owner ', 'constructor', '__proto__', 'o\'wner"', 'bäcker 🥐', 'r'.repeat(64)]

/** Build the surroundings of one case. */
export function createWorld(made: StorageUnderTest, options: ParsedContractOptions): World {
  const { probe = {} } = made
  const { roles, issuers, newId, without } = options
  const isAdmin = !without.includes('admin')
  const storage = made.storage as AdminStorage
  if (isAdmin && typeof storage.memberships.setRole !== 'function') throw new Error(missing('storage', 'admin'))
  const [top = 'owner', low = 'member'] = roles
  const [issuer = 'https://issuer.test/auth/v1'] = issuers ?? []
  const newIdentity = (): IdentityKey => ({ issuer, subject: crypto.randomUUID() })
  const newPerson = (): NewUser => ({ ...newIdentity(), email: newEmail() })
  const newLogin: World['newLogin'] = async () => {
    const person = newPerson()
    const { user } = await storage.users.upsertByIdentity(person)
    return { person, user, userId: user.id }
  }
  const newUser = async (): Promise<User> => (await newLogin()).user
  const newOrg = (): Promise<Organization> => storage.orgs.insert({ name: `Org ${crypto.randomUUID()}` })
  const newMember: World['newMember'] = async (over = {}) => {
    const { orgId = (await newOrg()).id, userId = (await newUser()).id, role = low } = over
    return storage.memberships.insert({ orgId, userId, role })
  }
  const given = { storage, isAdmin, top, low, issuers, newId }
  const making = { newIdentity, newPerson, newLogin, newUser, newOrg, newMember }
  return {
    ...storage,
    ...given,
    ...making,
    ...createLookUps(storage, isAdmin),
    oddRoles: roles.length > 0 ? roles : ODD,
    transaction: (work) => retried(() => storage.transaction(work)),
    disableUser: (userId) => ask(probe, 'disableUser', userId),
    deleteOrg: (orgId) => ask(probe, 'deleteOrg', orgId),
    countUsers: async (identity) => (await probe.countUsers?.(identity)) ?? null,
    newOrgs: async (count) => (await Promise.all(Array.from({ length: count }, newOrg))).sort(byId).reverse(),
    async invite(over = {}) {
      const { orgId = (await newOrg()).id, email = newEmail(), role = low } = over
      return storage.invitations.insert({ orgId, email, role })
    },
    async joinAll(userId, orgs, roleOf = () => low) {
      const joined: Membership[] = []
      for (const [index, { id: orgId }] of orgs.entries()) {
        joined.push(await newMember({ orgId, userId, role: roleOf(index) }))
        await pause(4)
      }
      return joined
    },
  }
}

function createLookUps(
  storage: AdminStorage,
  isAdmin: boolean,
): Pick<World, 'findMember' | 'expectStored' | 'callerOf'> {
  const findMember: World['findMember'] = async (orgId, userId, { users, memberships } = storage) => {
    if (isAdmin) return memberships.find(orgId, userId)
    const user = await users.findById(userId)
    const acting = user === null ? null : await memberships.findActing({ kind: 'user', user }, orgId)
    return acting === null ? null : { orgId: acting.org.id, userId, role: acting.role ?? '' }
  }
  return {
    findMember,
    async expectStored({ orgId, userId, role, joinedAt }, what) {
      expect.same(await findMember(orgId, userId), { orgId, userId, role, ...(isAdmin && { joinedAt }) }, what)
    },
    async callerOf(userId) {
      const user = expect.found(await storage.users.findById(userId), 'the user to be found by id')
      return { kind: 'user', user }
    },
  }
}

async function ask(probe: StorageProbe, member: 'disableUser' | 'deleteOrg', id: string): Promise<void> {
  if (probe[member] === undefined) throw new Error(missing(`probe.${member}`, member))
  await probe[member](id)
}

/** What to say where `make` left out what a case needs. */
export function missing(member: string, ability: Ability): string {
  const wanted = ability === 'admin' ? 'a storage that admins can ask' : member
  return `expected make() to return ${wanted}, got none; a storage that can't says without: ['${ability}']`
}

/** An address that nobody else has, in normal form. */
export function newEmail(): string {
  return `${crypto.randomUUID()}@example.test`
}

/** How many callers a race has. */
export const RACERS = 20

/** Start `count` calls at once and wait for all, however they end. */
export function race<T>(count: number, call: (index: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
  return Promise.allSettled(Array.from({ length: count }, (_, index) => call(index)))
}

/** Try again what failed for the moment, as the port leaves to its callers: at most 30 times. */
export async function retried<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (!isTransientError(error) || attempt === 30) throw error
      const [random = 0] = crypto.getRandomValues(new Uint8Array(1))
      await pause(1 + (random % (4 * attempt)))
    }
  }
}

/** Wait some milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Order by id as storages do: code units, and decimal ids by their number. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0
  const decimal = /^\d+$/
  if (decimal.test(a) && decimal.test(b) && a.length !== b.length) return a.length - b.length
  return a < b ? -1 : 1
}

/** Order records by id. */
export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return compareIds(a.id, b.id)
}

/** The ids of records, in their order. */
export function idsOf(records: readonly { readonly id: string }[]): readonly string[] {
  return records.map(({ id }) => id)
}

/**
 * A storage keeps and hands out copies: spoiling what it `returned`, what it was `given` and what each look-up finds, the
 * record or a list of it alone, changes nothing stored.
 */
export async function expectCopies(
  [returned, given]: readonly [unknown, unknown?],
  lookUps: readonly (() => Promise<unknown>)[],
): Promise<void> {
  const before = expect.textOf([returned])
  for (const value of [returned, given]) spoil(value)
  for (const find of [...lookUps, ...lookUps]) {
    const found = await find()
    expect.same(expect.textOf([found].flat()), before, 'what was stored, whatever became of copies')
    spoil(found)
  }
}

// As careless code might; what refuses to change stays.
function spoil(value: unknown): void {
  if (value instanceof Date) value.setTime(0)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (typeof member === 'object' && member !== null) spoil(member)
      else Reflect.set(value, key, typeof member === 'boolean' ? !member : `spoiled ${String(member)}`)
    }
    if (Array.isArray(value) && !Object.isFrozen(value)) value.reverse().push('spoiled')
  }
}

/** The repositories of a storage or of a transaction. */
export type Repositories = Pick<AdminStorage, 'users' | 'orgs' | 'memberships' | 'invitations'>
