/** What a contract case finds around it: the storage, people and organizations that nobody else uses, races. */
import type { Caller, IdentityKey, Organization, User } from '../../context.ts'
import type { AdminStorage, NewUser } from '../../storage/repositories.ts'
import { isTransientError } from '../../storage/storage-errors.ts'
import { expectFound } from './expectations.ts'

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
export interface StorageUnderTest {
  readonly storage: AdminStorage
  readonly probe?: StorageProbe | undefined
  /** Let go of what `make` took. Called once, however the case ended. */
  close?(): Promise<unknown> | unknown
}

/** The surroundings of one case. */
export interface World {
  readonly storage: AdminStorage
  /** A role to be guarded, and a lower one. */
  readonly top: string
  readonly low: string
  /** Both. */
  readonly roles: { readonly top: string; readonly low: string }
  /** Role names that must come back exactly. */
  readonly oddRoles: readonly string[]
  /** The storage's unit of work, tried again where it fails for the moment. */
  readonly transaction: AdminStorage['transaction']
  disableUser(userId: string): Promise<void>
  deleteOrg(orgId: string): Promise<void>
  /** Rows of an identity by another way than the port; `null` where the host offers none. */
  countUsers(identity: IdentityKey): Promise<number | null>
  newUser(): Promise<User>
  newOrg(): Promise<Organization>
  /** A new user who is a member of the org; `role` is the lower one unless given. */
  newMember(orgId: string, role?: string): Promise<User>
  /** `count` new orgs, highest id first. */
  newOrgs(count: number): Promise<readonly Organization[]>
  /** The user as a caller, read anew: in some storages the membership hangs on the row. */
  callerOf(user: User): Promise<Caller>
}

const ODD_ROLES = [
  'Owner',
  'OWNER',
  ' owner',
  'owner ',
  'constructor',
  '__proto__',
  'o\'wner"',
  'bäcker 🥐',
  'r'.repeat(64),
]

/** Build the surroundings of one case. */
export function createWorld({ storage, probe = {} }: StorageUnderTest, roles: readonly string[]): World {
  const [top = 'owner', low = 'member'] = roles
  const newUser = async (): Promise<User> => (await storage.users.upsertByIdentity(newPerson())).user
  const newOrg = (): Promise<Organization> => storage.orgs.insert({ name: `Org ${crypto.randomUUID()}` })
  return {
    storage,
    top,
    low,
    roles: { top, low },
    oddRoles: roles.length > 0 ? roles : ODD_ROLES,
    transaction: (work) => retried(() => storage.transaction(work)),
    async disableUser(userId) {
      if (probe.disableUser === undefined) throw new Error(missing('disableUser'))
      await probe.disableUser(userId)
    },
    async deleteOrg(orgId) {
      if (probe.deleteOrg === undefined) throw new Error(missing('deleteOrg'))
      await probe.deleteOrg(orgId)
    },
    countUsers: async (identity) => (await probe.countUsers?.(identity)) ?? null,
    newUser,
    newOrg,
    async newMember(orgId, role = low) {
      const user = await newUser()
      await storage.memberships.insert({ orgId, userId: user.id, role })
      return user
    },
    newOrgs: async (count) => (await Promise.all(Array.from({ length: count }, newOrg))).sort(byId).reverse(),
    callerOf: async ({ id }) => ({
      kind: 'user',
      user: expectFound(await storage.users.findById(id), 'the user to be found by id'),
    }),
  }
}

function missing(ability: string): string {
  return `expected make() to return probe.${ability}, got none; a storage that can't says without: ['${ability}']`
}

/** An identity that nobody else has. */
export function newIdentity(): IdentityKey {
  return { issuer: 'https://issuer.test/auth/v1', subject: crypto.randomUUID() }
}

/** An address that nobody else has, in normal form. */
export function newEmail(): string {
  return `${crypto.randomUUID()}@example.test`
}

/** A person whom the storage has never seen. */
export function newPerson(): NewUser {
  return { ...newIdentity(), email: newEmail() }
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

/** Change everything a returned record holds, as careless code might; what refuses to change stays. */
export function spoil(value: unknown): void {
  if (value instanceof Date) value.setTime(0)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (typeof member === 'object' && member !== null) spoil(member)
      else Reflect.set(value, key, typeof member === 'boolean' ? !member : `spoiled ${String(member)}`)
    }
    if (Array.isArray(value) && !Object.isFrozen(value)) value.reverse().push('spoiled')
  }
}
