/**
 * The ports: what the library asks of a host's storage, as intentions with their race semantics. A host implements them
 * over its own tables (an hour's work) or takes a shipped set; the contract suites in `sallyport/testing` prove either.
 * The least is {@link AuthStorage}: what a request and a first login ask. API keys, machines, local login and pages for admins
 * each have a port of their own, needed where those are used. Types only.
 *
 * Common to all: ids that storage can't hold (too long, wrong form, hostile) find nothing and never raise a driver error;
 * text is compared exactly, nothing folded, padded or replaced; what is returned is a copy that the caller may change;
 * instants are kept to the millisecond; a serialization failure, deadlock or busy database throws a `TransientError`; a
 * unique violation throws a `ConflictError`, which the caller may swallow and go on in the same transaction.
 *
 * On PostgreSQL a unique violation aborts the transaction: every later statement is refused, and COMMIT is answered as if
 * it were done while it is a ROLLBACK. So an insert that may conflict uses ON CONFLICT DO NOTHING or a savepoint, then throws
 * `ConflictError`; and `transaction` notices an aborted one (`transactions/caught-conflict` of the contract suites): it asks
 * something trivial before COMMIT, or looks at the tag it is answered with.
 */
import type { ActingOrg, Caller, IdentityKey, Machine, Organization, OrgSelection, User } from '../context.ts'

/** What a look-up by identity found: the user, and the acting org where the store asked for it in the same query. */
export interface UserRecord<U extends User = User, O extends Organization = Organization> {
  readonly user: U
  /**
   * The acting org for the selection: for `named` the membership in that org, for `unnamed` the earliest-joined.
   * `null`: asked, there is none. Left out: not asked; the org resolver asks by itself.
   */
  readonly membership?: ActingOrg<O> | null | undefined
}

/** A person seen for the first time. */
export interface NewUser extends IdentityKey {
  readonly email: string | null
}

/** Users of this service, found by identity: issuer and subject, unique together. */
export interface UserRepository<U extends User = User, O extends Organization = Organization> {
  /** Find the user of an identity, disabled ones too. One query; a store that can answers the selection with it. */
  findByIdentity(identity: IdentityKey, selection: OrgSelection): Promise<UserRecord<U, O> | null>
  /** Find a user by id, disabled ones too. */
  findById(userId: string): Promise<U | null>
  /**
   * Insert the user unless the identity is known, else return the row that is there, unchanged. Of any number of callers
   * at once exactly one gets `created: true`, all get the same user, none an error.
   */
  upsertByIdentity(user: NewUser): Promise<{ readonly user: U; readonly created: boolean }>
  /**
   * Write another e-mail into a user's row, in one conditional write; `null`: no such user, or one who is disabled, whose row
   * stays as it is. Asked only where e-mails are refreshed.
   */
  setEmail?(userId: string, email: string | null): Promise<U | null>
}

/** What pages ask that administer users; the pipeline never does. */
export interface UserAdmin<U extends User = User> {
  /** Disable or enable a user; `null` if there is none. A disabled one is refused on the next request. */
  setDisabled(userId: string, disabled: boolean): Promise<U | null>
  /**
   * Give the identity `to` the user of `from`, in one conditional write; `null`: `from` is nobody's. A `to` that is somebody's
   * throws `ConflictError`, and nothing is written.
   */
  moveIdentity(from: IdentityKey, to: IdentityKey): Promise<U | null>
  /**
   * Take from a user's row what says who it was: in one write its e-mail is none and it is disabled. With `identity` its
   * issuer and subject are replaced too, so that whoever comes by the old ones is somebody new. `null`: no such user. An
   * `identity` that is somebody else's throws `ConflictError`, and nothing is written.
   */
  anonymize(userId: string, identity: IdentityKey | null): Promise<U | null>
}

/** An organization to be made. */
export interface NewOrganization {
  readonly name: string
  /** Its id, where the host gives it. Default: the store makes one. */
  readonly id?: string | undefined
}

/**
 * Organizations of this service. A deleted one is as if it had never been: its memberships and invitations find nothing,
 * changes of them are `'missing'`, and nothing can be inserted into it.
 */
export interface OrganizationRepository<O extends Organization = Organization> {
  /** Insert an organization. An `id` that is taken throws `ConflictError`, one that storage can't hold a `TypeError`. */
  insert(org: NewOrganization): Promise<O>
  /** Find an organization by id; an id of another form is of none. One query. */
  findById(orgId: string): Promise<O | null>
}

/** What pages ask that administer organizations; the pipeline never does. */
export interface OrganizationAdmin<O extends Organization = Organization> {
  /**
   * Find an organization and hold it: until this transaction ends, whoever else asks the same waits. Who changes memberships
   * after looking at them holds the organization first; of several, in the order of their ids. Outside a transaction it only
   * finds.
   */
  findLocked(orgId: string): Promise<O | null>
  /** Rename an organization; `null`: there is none. */
  rename(orgId: string, name: string): Promise<O | null>
  /** Delete an organization with its memberships, invitations, API keys and machines. `false`: there was none. */
  remove(orgId: string): Promise<boolean>
}

/** Where the org resolver asks what a caller may act in. Handed the whole caller, so a role may live anywhere. */
export interface ActingOrgSource<U extends User = User, O extends Organization = Organization> {
  /**
   * Find the org `orgId` as one this caller may act in, with the caller's role; `null` for not a member, a suspended
   * membership, an unknown or a deleted org alike, at the same cost: one query. A user's role comes from the
   * membership; an API key and a machine act as their own role in their own org, and one that is bound to no org in any that
   * exists; a service acts in any org that exists, as no role.
   */
  findActing(caller: Caller<U>, orgId: string): Promise<ActingOrg<O> | null>
  /**
   * List what the caller may act in by join time, then org id; at most `limit` where given. A service, and whoever is bound
   * to no org, have joined none: nothing.
   */
  listActing(caller: Caller<U>, limit?: number): Promise<readonly ActingOrg<O>[]>
}

/** A user's place in an organization. */
export interface Membership {
  readonly orgId: string
  readonly userId: string
  readonly role: string
  readonly joinedAt: Date
}

/** What became of a change that must leave one holder of a role behind. */
export type GuardedChange = 'done' | 'missing' | 'last'

/** Which role's last holder stays, if any: asked and written as one, so that of two who demote each other at once one remains. */
export interface KeepOptions {
  readonly keep?: string | undefined
}

/** Memberships: unique by org and user. */
export interface MembershipRepository<U extends User = User, O extends Organization = Organization>
  extends ActingOrgSource<U, O> {
  /**
   * Insert a membership. Of several at once for one pair one wins, others get `ConflictError`; an unknown org or user rejects. A
   * disabled user gets none, also where somebody is disabling them just now, which it waits for: a `TransientError`, since
   * whoever asks has found them enabled a moment ago.
   */
  insert(membership: { readonly orgId: string; readonly userId: string; readonly role: string }): Promise<Membership>
}

/** A member as pages list it. */
export interface Member extends Membership {
  readonly email: string | null
  /** The user is disabled: refused, and no holder of a role that must stay. */
  readonly disabled: boolean
}

/** What pages ask that list and change members; the pipeline never does. */
export interface MembershipAdmin {
  /** Find one membership. One query, never from a cache. */
  find(orgId: string, userId: string): Promise<Membership | null>
  /** List an org's members by join time, then user id. One query. */
  listByOrg(orgId: string): Promise<readonly Member[]>
  /**
   * Change a role; `'last'`, and nothing written, for a holder of the role `keep` beside whom no other one remains whose user is
   * not disabled.
   */
  setRole(orgId: string, userId: string, role: string, options?: KeepOptions): Promise<GuardedChange>
  /** Remove a membership; `keep` as in `setRole`. */
  remove(orgId: string, userId: string, options?: KeepOptions): Promise<GuardedChange>
}

/** An invitation of an e-mail address into an organization, which nobody has taken yet. */
export interface Invitation {
  readonly id: string
  readonly orgId: string
  /** Normalized: trimmed and lower-cased. */
  readonly email: string
  /** The role that whoever accepts it gets. */
  readonly role: string
  /** The user who invited, in whose name the role is given; `null`: the host itself. That user need not exist any more. */
  readonly invitedBy: string | null
  readonly createdAt: Date
  /** From this very instant on it counts for nothing. */
  readonly expiresAt: Date
}

/** An invitation to be inserted. */
export interface NewInvitation extends Omit<Invitation, 'id'> {
  /** SHA-256 of the secret in its link, 64 lower-case hex digits; `null`: it has no link. */
  readonly secretHash: string | null
}

/**
 * Invitations: one by org and address. Instants come from the caller's clock, and whether one has expired is the caller's to
 * say, but for `insert`. Those of a deleted org are as if they had never been.
 */
export interface InvitationRepository {
  /**
   * Insert an invitation. An address that is invited into that org already throws `ConflictError`, unless that invitation
   * had expired at the new one's `createdAt`: then the new one, under an id of its own, takes its place. Of several at once one
   * wins. An unknown org rejects.
   */
  insert(invitation: NewInvitation): Promise<Invitation>
  /** Find an invitation by id. */
  findById(invitationId: string): Promise<Invitation | null>
  /** Find an invitation by the hash of its link's secret. */
  findBySecretHash(secretHash: string): Promise<Invitation | null>
  /**
   * List the invitations of a normalized address by creation, then id; at most `limit`. With `liveAt` those alone that have not
   * expired at that instant, and of these at most `limit`: whoever was invited often and long ago has room for the next one. One query.
   */
  listByEmail(email: string, limit: number, liveAt?: Date): Promise<readonly Invitation[]>
  /** List the invitations into an org by creation, then id. */
  listByOrg(orgId: string): Promise<readonly Invitation[]>
  /** Take the invitation away: one conditional write; of any number of callers at once one gets it, the others `null`. */
  consume(invitationId: string): Promise<Invitation | null>
  /** List what was sent by a user, and what was sent to a normalized address (`null`: to none), by creation, then id. */
  listOf(invitedBy: string, email: string | null): Promise<readonly Invitation[]>
  /** Delete what `listOf` lists. How many there were. */
  removeOf(invitedBy: string, email: string | null): Promise<number>
}

/** An API key as storage keeps it: never the secret, only its SHA-256. */
export interface ApiKeyRecord {
  /** The public id, made by the library: 12 letters and digits, upper and lower case being different. */
  readonly id: string
  /** The org it is bound to; `null`: bound to none. */
  readonly orgId: string | null
  /** What its maker has called it. */
  readonly name: string
  /** The role that it acts as. */
  readonly role: string
  /** What it carries, in the order it was given. */
  readonly permissions: readonly string[]
  /** SHA-256 of the secret, 64 lower-case hex digits. */
  readonly secretHash: string
  /** The one before the last rotation, or `null`. */
  readonly previousSecretHash: string | null
  /** Until when that one is still good; at this very instant it no longer is. */
  readonly previousUntil: Date | null
  /** The user who made it, for the record; deleting that user changes nothing. `null`: nobody. */
  readonly createdBy: string | null
  readonly createdAt: Date
  /** When it ends, or `null` for never. */
  readonly expiresAt: Date | null
  /** When it was revoked, or `null`. */
  readonly revokedAt: Date | null
  /** When it was last used, to about a minute, or `null`. */
  readonly lastUsedAt: Date | null
}

/** A key to be inserted: never rotated, revoked or used. */
export type NewApiKeyRecord = Omit<ApiKeyRecord, 'previousSecretHash' | 'previousUntil' | 'revokedAt' | 'lastUsedAt'>

interface ApiKeyRotation {
  readonly secretHash: string
  readonly previousUntil: Date | null
}

/** Whose keys are meant: those bound to one org, or all of the installation, bound to an org or to none. */
export type ApiKeyOwner = { readonly kind: 'org'; readonly orgId: string } | { readonly kind: 'installation' }

/** API keys. Instants come from the caller's clock. Those of a deleted org are as if they had never been. */
export interface ApiKeyRepository {
  /** Insert a key. An id that is taken throws `ConflictError`, an unknown org rejects; `createdBy` need not exist. */
  insert(key: NewApiKeyRecord): Promise<ApiKeyRecord>
  /**
   * The same of a key whose maker, `createdBy`, is enabled as it is written, in the statement that writes it: of an org's key a
   * member of that org, of the installation's a user, or an account of local login. Who removes or disables them just now is waited
   * for, and `null`, nothing written, where they are no such maker. So whoever ends a membership, a user, an account, and then
   * the keys they made, in one transaction, leaves none of theirs. Left out: makers are not asked for.
   */
  insertByMaker?(owner: ApiKeyOwner, key: NewApiKeyRecord): Promise<ApiKeyRecord | null>
  /** Find a key by its public id, revoked and expired ones too, whoever owns it. One query, never from a cache. */
  findById(keyId: string): Promise<ApiKeyRecord | null>
  /** List the owner's keys that are not revoked, expired ones too, by creation, then id (code units). */
  list(owner: ApiKeyOwner): Promise<readonly ApiKeyRecord[]>
  /**
   * Give the owner's key another secret: in one write the present hash becomes the previous one, good until
   * `previousUntil`; `null`: no hash is the previous one, the old secret is dead at once. Of any number of callers at once
   * each is applied to what the one before has left. `null` where there is no such key of this owner, or it is revoked.
   */
  rotate(owner: ApiKeyOwner, keyId: string, change: ApiKeyRotation): Promise<ApiKeyRecord | null>
  /** Revoke the owner's key for good. Idempotent: the first instant stays. `false`: no such key of this owner. */
  revoke(owner: ApiKeyOwner, keyId: string, at: Date): Promise<boolean>
  /** List the keys that a user made, whoever owns them, revoked ones too, by creation, then id (code units). */
  listCreatedBy(userId: string): Promise<readonly ApiKeyRecord[]>
  /** Revoke, in one write, the owner's keys that a user made and that are not revoked: their ids. */
  revokeCreatedBy(owner: ApiKeyOwner, userId: string, at: Date): Promise<readonly string[]>
  /** Note a use: the latest instant stays, whatever order they come in. Nothing else changes; no such key: nothing. */
  touch(keyId: string, at: Date): Promise<void>
}

/** A machine as storage keeps it. */
export interface MachineRecord extends Machine {
  /** Refused, whatever else it may. */
  readonly disabled: boolean
}

/** A machine that was registered here: the record, and what it is known by. */
export interface RegisteredMachine extends MachineRecord, IdentityKey {
  readonly createdAt: Date
}

/** A machine to be registered: enabled. */
export type NewMachine = Omit<RegisteredMachine, 'id' | 'disabled' | 'createdAt'>

/**
 * Machines of this service, found by identity: issuer and subject, unique together. Nothing makes one by itself, no first
 * call either. Those of a deleted org are as if they had never been.
 */
export interface MachineRepository {
  /** Find the machine of an identity, disabled ones too. One query, never from a cache. */
  findByIdentity(identity: IdentityKey): Promise<MachineRecord | null>
}

/** What pages ask that register machines; the pipeline never does. Whose machines are meant: as with API keys. */
export interface MachineAdmin {
  /** Register a machine. Of several at once for one identity one wins, others get `ConflictError`; an unknown org rejects. */
  insert(machine: NewMachine): Promise<RegisteredMachine>
  /** List the owner's machines, disabled ones too, by creation, then id (code units). */
  list(owner: ApiKeyOwner): Promise<readonly RegisteredMachine[]>
  /** Disable or enable the owner's machine; `null` where there is no such machine of this owner. */
  setDisabled(owner: ApiKeyOwner, machineId: string, disabled: boolean): Promise<RegisteredMachine | null>
  /** Remove the owner's machine: its identity is nobody's again. `false`: no such machine of this owner. */
  remove(owner: ApiKeyOwner, machineId: string): Promise<boolean>
}

/** What one transaction hands its work. */
export interface StorageTransaction<U extends User = User, O extends Organization = Organization, Tx = unknown>
  extends Repositories<U, O> {
  /** The host's own transaction handle: a `pg` client, a SQLite database … for the bootstrap hook. */
  readonly handle: Tx
}

/** A whole storage, as the pipeline asks it: the repositories, and a unit of work over them. */
export interface AuthStorage<U extends User = User, O extends Organization = Organization, Tx = unknown>
  extends Repositories<U, O> {
  /**
   * Run `work` in one transaction: everything it wrote is there when the promise fulfils, nothing when it rejects, and
   * nobody else sees a part of it; a `work` that swallows a failed write, a `ConflictError` too, either stores the rest or
   * the promise rejects. Runs `work` once; trying again is the caller's business. Inside, use the transaction's own
   * repositories only, one call after another: those of the storage would wait for it.
   */
  transaction<T>(work: (transaction: StorageTransaction<U, O, Tx>) => Promise<T>): Promise<T>
}

/** What one transaction of a {@link PeopleStorage} hands its work. */
export interface PeopleTransaction<U extends User = User, O extends Organization = Organization, Tx = unknown>
  extends PeopleRepositories<U, O> {
  /** As of {@link StorageTransaction}. */
  readonly handle: Tx
}

/** An {@link AuthStorage} that `sallyport/people` can ask too, inside its transactions as well. */
export interface PeopleStorage<U extends User = User, O extends Organization = Organization, Tx = unknown>
  extends PeopleRepositories<U, O> {
  /** As `AuthStorage.transaction`. */
  transaction<T>(work: (transaction: PeopleTransaction<U, O, Tx>) => Promise<T>): Promise<T>
}

/** What the pipeline asks. */
interface Repositories<U extends User, O extends Organization> {
  readonly users: UserRepository<U, O>
  readonly orgs: OrganizationRepository<O>
  readonly memberships: MembershipRepository<U, O>
}

/** What the pipeline and `sallyport/people` ask. */
interface PeopleRepositories<U extends User, O extends Organization> {
  readonly users: UserRepository<U, O> & UserAdmin<U>
  readonly orgs: OrganizationRepository<O> & OrganizationAdmin<O>
  readonly memberships: MembershipRepository<U, O> & MembershipAdmin
  readonly invitations: InvitationRepository
  /** Left out: the host has no API keys. */
  readonly apiKeys?: ApiKeyRepository | undefined
}
