/** What every shipped storage keeps and offers alike: the ports, what pages of admins ask, and what an operator needs. */
import { aFunction, oneOf, optional, type Shape } from '../lib/parse-options.ts'
import type { AccountRepository, AccountStorage } from './account-repositories.ts'
import { ORG_IDS } from './org-ids.ts'
import type {
  ApiKeyRepository,
  MachineAdmin,
  MachineRepository,
  MembershipAdmin,
  MembershipRepository,
  OrganizationAdmin,
  OrganizationRepository,
  PeopleStorage,
  UserAdmin,
  UserRepository,
} from './repositories.ts'

/** Options of every shipped storage. */
export interface ShippedStorageOptions {
  /**
   * Where memberships live: `rows` (default), a user may belong to many organizations; `user-row`, the organization
   * and role are columns of the user's own row, so there is at most one.
   */
  readonly membershipOn?: 'rows' | 'user-row' | undefined
  /**
   * What ids of organizations are: `uuid` (default); or `host`, texts of the host's own (1 to 64 characters
   * `A-Z a-z 0-9 _ -`, compared exactly) that `orgs.insert` is given as `id`, while it makes a UUID where none is given. Goes
   * with `idFormat: slugFormat` of the resolver, and with the same of `migrate`: tables are made for the one or the other.
   */
  readonly orgIds?: 'uuid' | 'host' | undefined
  /** The clock for joined and created instants, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** How they are checked. */
export const SHIPPED: Shape<ShippedStorageOptions> = {
  membershipOn: optional(oneOf('rows', 'user-row')),
  orgIds: ORG_IDS,
  clock: optional(aFunction<() => number>()),
}

/** A user as the shipped storages keep it. */
export interface StoredUser {
  readonly id: string
  readonly issuer: string
  readonly subject: string
  readonly email: string | null
  /** Refused with 403, whatever their token says. */
  readonly disabled: boolean
  readonly createdAt: Date
  /** The user's own organization, where memberships live on the user's row; else `null`. */
  readonly orgId: string | null
  /** The role in it, or `null`. */
  readonly role: string | null
}

/** An organization as the shipped storages keep it. */
export interface StoredOrganization {
  readonly id: string
  readonly name: string
  readonly createdAt: Date
}

/** The user repository of the shipped storages: the ports, and a count. */
export interface StoredUserRepository extends UserRepository<StoredUser, StoredOrganization>, UserAdmin<StoredUser> {
  /** Write another e-mail into a user's row; `null`: no such user, or one who is disabled. */
  setEmail(userId: string, email: string | null): Promise<StoredUser | null>
  /** Count the users. */
  count(): Promise<number>
}

/** The organization repository of the shipped storages: the ports, and a count. */
export interface StoredOrganizationRepository
  extends OrganizationRepository<StoredOrganization>,
    OrganizationAdmin<StoredOrganization> {
  /** Count the organizations. */
  count(): Promise<number>
}

/** The membership repository of the shipped storages: the ports. */
export interface StoredMembershipRepository
  extends MembershipRepository<StoredUser, StoredOrganization>,
    MembershipAdmin {}

/** The repositories of the shipped storages, inside transactions too. */
export interface StoredRepositories {
  readonly users: StoredUserRepository
  readonly orgs: StoredOrganizationRepository
  readonly memberships: StoredMembershipRepository
  readonly invitations: PeopleStorage['invitations']
  readonly apiKeys: ApiKeyRepository
}

/** What one transaction of theirs hands its work, but for its handle. */
export interface TransactionRepositories extends StoredRepositories {
  /** The accounts of local login, so that a person is written together with theirs. */
  readonly accounts: AccountRepository
}

/**
 * What `createMemoryStorage`, `createPostgresStorage` and `createSqliteStorage` make alike: a
 * `PeopleStorage`, and the rest of the ports. `Tx` is a transaction's handle.
 */
export interface ShippedStorage<Tx = unknown> extends StoredRepositories {
  /** Machines; not part of a transaction's repositories. */
  readonly machines: MachineRepository & MachineAdmin
  /** The storage of local login; its accounts are part of a transaction's repositories, too. */
  readonly accounts: AccountStorage
  /** As `AuthStorage.transaction`. */
  transaction<T>(work: (transaction: TransactionRepositories & { readonly handle: Tx }) => Promise<T>): Promise<T>
}
