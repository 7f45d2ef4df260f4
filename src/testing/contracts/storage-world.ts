/** What a contract case finds around it: the storage, people and organizations that nobody else uses. */
import type { Caller, IdentityKey, Organization, User } from '../../context.ts'
import type {
  ApiKeyRepository,
  AuthStorage,
  Invitation,
  InvitationRepository,
  Membership,
  NewInvitation,
  NewUser,
  PeopleStorage,
  UserRepository,
} from '../../storage/repositories.ts'
import type { Ability, Closable, Need, ParsedContractOptions } from './contract.ts'
import * as expect from './expectations.ts'
import { byId, pause, retried } from './races.ts'

/** What a suite needs of a storage beyond the ports: things that hosts do by other ways. */
export interface StorageProbe {
  /** Disable the user's row, however this storage says that. Default: by `users.setDisabled`. */
  disableUser?(userId: string): Promise<unknown>
  /** Delete the organization, however this storage does that: row gone, or marked as deleted. Default: by `orgs.remove`. */
  deleteOrg?(orgId: string): Promise<unknown>
  /** Count the user rows of one identity by another way than the port; where given, `users/upsert-race` uses it. */
  countUsers?(identity: IdentityKey): Promise<number>
}

/** One storage to be tested. */
export interface StorageUnderTest extends Closable {
  /** A `PeopleStorage`; or less of one, down to an `AuthStorage`, where the options say by `without` what there is not. */
  readonly storage: AuthStorage & {
    readonly invitations?: InvitationRepository | undefined
    readonly apiKeys?: ApiKeyRepository | undefined
  }
  /** Where the suite can look behind the repositories. Default: it looks at what they answer alone. */
  readonly probe?: StorageProbe | undefined
}

/** The repositories of a storage or of a transaction; what the options say there is not may be absent. */
export interface Repositories extends Pick<PeopleStorage, 'orgs' | 'memberships' | 'invitations'> {
  readonly users: PeopleStorage['users'] & Required<Pick<UserRepository, 'setEmail'>>
  readonly apiKeys: ApiKeyRepository
}

/** The repositories, and a unit of work over them. */
interface Whole extends Repositories {
  transaction<T>(work: (transaction: Repositories & { readonly handle: unknown }) => Promise<T>): Promise<T>
}

type Made = { readonly [K in keyof Repositories]?: Partial<Repositories[K]> | undefined }

/** The surroundings of one case. */
export interface World extends Repositories {
  /** The repositories as one. */
  readonly storage: Whole
  /** A role to be guarded, and a lower one. */
  readonly top: string
  readonly low: string
  /** Role names that must come back exactly. */
  readonly oddRoles: readonly string[]
  /** The storage's unit of work, tried again where it fails for the moment. */
  readonly transaction: Whole['transaction']
  /** Issuers that the storage can hold, at least one; `null`: any. */
  readonly issuers: readonly string[] | null
  /** Whether the storage has a port, for a case that looks at more where there is more. */
  has(port: Port): boolean
  /** An id in the form of the storage's own that no row has. */
  newId(): string
  /** The same of an organization, to be inserted under. */
  newOrgId(): string
  /** An identity that nobody else has; of another issuer than the others where the storage holds two. */
  newIdentity(from?: 'another issuer'): IdentityKey
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
  /** An invitation, not stored: of a new address into a new org, as the lower role, by the host, without a link, unless given. */
  newInvitation(over?: Partial<NewInvitation>): Promise<NewInvitation>
  /** The same, stored. */
  invite(over?: Partial<NewInvitation>): Promise<Invitation>
  /** A user's membership in each of the orgs, some milliseconds apart; as the lower role by default. */
  joinAll(userId: string, orgs: readonly Organization[], roleOf?: (index: number) => string): Promise<Membership[]>
  /** A membership; without a `MembershipAdmin` as far as the pipeline's port shows it: without its instant. */
  findMember(orgId: string, userId: string, from?: Repositories): Promise<Partial<Membership> | null>
  /** The membership is stored as `insert` returned it, as far as `findMember` shows it. */
  expectStored(membership: Membership, what: string): Promise<void>
  /** The user as a caller, read anew: in some storages the membership hangs on the row. */
  callerOf(userId: string): Promise<Caller>
}

const ODD = ['Owner', 'OWNER', ' owner', 'owner ', 'constructor', '__proto__', 'o\'wner"', 'bäcker 🥐', 'r'.repeat(64)]

/** When invitations are made, and when they end: by the caller's clock. */
export const INVITED_AT: Date = new Date('2026-11-20T10:00:00.123Z')
export const INVITED_UNTIL: Date = new Date('2026-11-27T10:00:00.456Z')

type Port = 'userAdmin' | 'organizationAdmin' | 'membershipAdmin' | 'invitations' | 'apiKeys' | 'setEmail'

/** How a storage shows that it has a port, and the words for it. */
const PORTS: Readonly<Record<Port, readonly [words: string, memberOf: (storage: Made) => unknown]>> = {
  userAdmin: ['a UserAdmin as storage.users', ({ users }) => users?.setDisabled],
  organizationAdmin: ['an OrganizationAdmin as storage.orgs', ({ orgs }) => orgs?.findLocked],
  membershipAdmin: ['a MembershipAdmin as storage.memberships', ({ memberships }) => memberships?.setRole],
  invitations: ['an InvitationRepository as storage.invitations', ({ invitations }) => invitations?.insert],
  apiKeys: ['an ApiKeyRepository as storage.apiKeys', ({ apiKeys }) => apiKeys?.insert],
  setEmail: ['storage.users.setEmail', ({ users }) => users?.setEmail],
}

/** Build the surroundings of one case, which needs these. */
export function createWorld(made: StorageUnderTest, options: ParsedContractOptions, needs: readonly Need[]): World {
  const { roles, issuers, newId, newOrgId, without } = options
  const asMade = made.storage as typeof made.storage & Whole
  const storage: Whole = newOrgId === null ? asMade : withOrgIds(asMade, newOrgId)
  const has: World['has'] = (port) => !without.includes(port) && typeof PORTS[port][1](made.storage) === 'function'
  for (const need of needs) if (isPort(need) && !has(need)) throw new Error(missing(PORTS[need][0], need))
  const [top = 'owner', low = 'member'] = roles
  const given = { storage, has, top, low, issuers, newId, newOrgId: newOrgId ?? newId }
  const making = createMaking(storage, { low, issuers })
  return {
    ...storage,
    ...given,
    ...making,
    ...createLookUps(storage, has('membershipAdmin')),
    ...createProbe(made, storage),
    oddRoles: roles.length > 0 ? roles : ODD,
    transaction: (work) => retried(() => storage.transaction(work)),
    async joinAll(userId, orgs, roleOf = () => low) {
      const joined: Membership[] = []
      for (const [index, { id: orgId }] of orgs.entries()) {
        joined.push(await making.newMember({ orgId, userId, role: roleOf(index) }))
        await pause(4)
      }
      return joined
    },
  }
}

// Each organization that is inserted without an id gets one.
function withOrgIds(storage: Whole, newOrgId: () => string): Whole {
  const orgsOf = ({ orgs }: Repositories): Repositories['orgs'] => ({
    insert: (org) => orgs.insert({ ...org, id: org.id ?? newOrgId() }),
    findById: (orgId) => orgs.findById(orgId),
    findLocked: (orgId) => orgs.findLocked(orgId),
    rename: (orgId, name) => orgs.rename(orgId, name),
    remove: (orgId) => orgs.remove(orgId),
  })
  const over = (all: Repositories): Repositories => {
    const { users, memberships, invitations, apiKeys } = all
    return { users, orgs: orgsOf(all), memberships, invitations, apiKeys }
  }
  return {
    ...over(storage),
    transaction: (work) => storage.transaction((inner) => work({ ...over(inner), handle: inner.handle })),
  }
}

function isPort(need: Need): need is Port {
  return need in PORTS
}

function createMaking(storage: Whole, { low, issuers }: Pick<World, 'low' | 'issuers'>) {
  const [issuer = 'https://issuer.test/auth/v1', another = issuer] = issuers ?? [undefined, 'https://another.test']
  const newIdentity: World['newIdentity'] = (from) => ({
    issuer: from === undefined ? issuer : another,
    subject: crypto.randomUUID(),
  })
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
  const newInvitation: World['newInvitation'] = async (over = {}) => ({
    orgId: over.orgId ?? (await newOrg()).id,
    email: newEmail(),
    role: low,
    invitedBy: null,
    createdAt: INVITED_AT,
    expiresAt: INVITED_UNTIL,
    secretHash: null,
    ...over,
  })
  const invite: World['invite'] = async (over) => storage.invitations.insert(await newInvitation(over))
  const newOrgs: World['newOrgs'] = async (count) =>
    (await Promise.all(Array.from({ length: count }, newOrg))).sort(byId).reverse()
  return { newIdentity, newPerson, newLogin, newUser, newOrg, newOrgs, newMember, newInvitation, invite }
}

function createLookUps(storage: Whole, lists: boolean): Pick<World, 'findMember' | 'expectStored' | 'callerOf'> {
  const findMember: World['findMember'] = async (orgId, userId, { users, memberships } = storage) => {
    if (lists) return memberships.find(orgId, userId)
    const user = await users.findById(userId)
    const acting = user === null ? null : await memberships.findActing({ kind: 'user', user }, orgId)
    return acting === null ? null : { orgId: acting.org.id, userId, role: acting.role ?? '' }
  }
  return {
    findMember,
    async expectStored({ orgId, userId, role, joinedAt }, what) {
      expect.same(await findMember(orgId, userId), { orgId, userId, role, ...(lists && { joinedAt }) }, what)
    },
    async callerOf(userId) {
      const user = expect.found(await storage.users.findById(userId), 'the user to be found by id')
      return { kind: 'user', user }
    },
  }
}

// What a host does by another way than the port comes first: that is how it is done there.
function createProbe(
  { probe = {} }: StorageUnderTest,
  { users, orgs }: Whole,
): Pick<World, 'disableUser' | 'deleteOrg' | 'countUsers'> {
  return {
    async disableUser(userId) {
      if (probe.disableUser !== undefined) await probe.disableUser(userId)
      else if (typeof users.setDisabled === 'function') await users.setDisabled(userId, true)
      else throw new Error(missing('probe.disableUser', 'disableUser'))
    },
    async deleteOrg(orgId) {
      if (probe.deleteOrg !== undefined) await probe.deleteOrg(orgId)
      else if (typeof orgs.remove === 'function') await orgs.remove(orgId)
      else throw new Error(missing('probe.deleteOrg', 'deleteOrg'))
    },
    countUsers: async (identity) => (await probe.countUsers?.(identity)) ?? null,
  }
}

/** What to say where `make` left out what a case needs. */
export function missing(wanted: string, ability: Ability): string {
  return `expected make() to return ${wanted}, got none; a storage that can't says without: ['${ability}']`
}

/** Find the user of an identity, without the membership. */
export async function findUser(users: UserRepository, identity: IdentityKey): Promise<User | null> {
  return (await users.findByIdentity(identity, { kind: 'unnamed' }))?.user ?? null
}

/** An address that nobody else has, in normal form. */
export function newEmail(): string {
  return `${crypto.randomUUID()}@example.test`
}

/** Addresses as tokens may have them, and nobody else has: of both cases, beyond ASCII, as long as one may be. */
export function oddEmails(): readonly string[] {
  const own = crypto.randomUUID()
  return [`Ada.O'Hara+${own}@Example.Test`, `żółw-${own}@bücher.test`, longEmail()]
}

/** An address of 254 characters that nobody else has, in normal form. */
export function longEmail(): string {
  return `${crypto.randomUUID()}@${`${'x'.repeat(60)}.`.repeat(3)}`.padEnd(254, 't')
}

/** A digest that nobody else has: 64 lower-case hex digits. */
export function newHash(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
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
