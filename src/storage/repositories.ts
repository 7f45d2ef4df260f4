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
}

/**
 * Organizations of this service. A deleted one is as if it had never been: its memberships and invitations find nothing,
 * changes of them are `'missing'`, and nothing can be inserted into it.
 */
export interface OrganizationRepository<O extends Organization = Organization> {
  insert(org: { readonly name: string }): Promise<O>
  findById(orgId: string): Promise<O | null>
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
  /** Insert a membership. Of several at once for one pair one wins, others get `ConflictError`; an unknown org or user rejects. */
  insert(membership: { readonly orgId: string; readonly userId: string; readonly role: string }): Promise<Membership>
}

/** What pages ask that list and change members; the pipeline never does. */
export interface MembershipAdmin {
  find(orgId: string, userId: string): Promise<Membership | null>
  /** List an org's memberships by join time, then user id. */
  listByOrg(orgId: string): Promise<readonly Membership[]>
  /** Change a role; `'last'`, and nothing written, for the last holder of the role `keep` in the org. */
  setRole(orgId: string, userId: string, role: string, options?: KeepOptions): Promise<GuardedChange>
  /** Remove a membership; `keep` as in `setRole`. */
  remove(orgId: string, userId: string, options?: KeepOptions): Promise<GuardedChange>
}

/** A pending invitation of an e-mail address into an organization. */
export interface Invitation {
  readonly id: string
  readonly orgId: string
  /** Normalized: trimmed and lower-cased. */
  readonly email: string
  readonly role: string
  readonly createdAt: Date
}

/** Pending invitations, as a first login asks for them. */
export interface InvitationRepository {
  /** Find the earliest pending invitation of a normalized address into an org that still exists. */
  findPending(email: string): Promise<Invitation | null>
  /** Take the invitation: one conditional write; of any number of callers at once one gets it, the others `null`. */
  consume(invitationId: string): Promise<Invitation | null>
}

/** What pages ask that invite; the pipeline never does. */
export interface InvitationAdmin {
  /** Insert an invitation; an address already invited into that org throws `ConflictError`, an unknown org rejects. */
  insert(invitation: { readonly orgId: string; readonly email: string; readonly role: string }): Promise<Invitation>
}

/** An API key as storage keeps it: never the secret, only its SHA-256. */
export interface ApiKeyRecord {
  /** The public id, made by the library: 12 letters and digits, upper and lower case being different. */
  readonly id: string
  /** The org it is bound to; `null`: bound to none. */
  readonly orgId: string | null
  readonly name: string
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

/** An {@link AuthStorage} that pages of admins can ask too, inside its transactions as well. */
export interface AdminStorage<U extends User = User, O extends Organization = Organization, Tx = unknown>
  extends AdminRepositories<U, O> {
  /** As `AuthStorage.transaction`. */
  transaction<T>(work: (transaction: AdminRepositories<U, O> & { readonly handle: Tx }) => Promise<T>): Promise<T>
}

/** What the pipeline asks. */
interface Repositories<U extends User, O extends Organization> {
  readonly users: UserRepository<U, O>
  readonly orgs: OrganizationRepository<O>
  readonly memberships: MembershipRepository<U, O>
  readonly invitations: InvitationRepository
}

/** What the pipeline and pages of admins ask. */
interface AdminRepositories<U extends User, O extends Organization> extends Repositories<U, O> {
  readonly memberships: MembershipRepository<U, O> & MembershipAdmin
  readonly invitations: InvitationRepository & InvitationAdmin
}
