/** What every shipped storage keeps and offers alike: the ports, what pages of admins ask, and what an operator needs. */
import * as z from 'zod/mini'
import { aFunction, oneOf, type Shape } from '../lib/parse-options.ts'
import type { AccountStorage } from './account-repositories.ts'
import type {
  ApiKeyRepository,
  MachineAdmin,
  MachineRepository,
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
  /** The clock for joined and created instants, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** How they are checked. */
export const SHIPPED: Shape<ShippedStorageOptions> = {
  membershipOn: z.optional(oneOf('rows', 'user-row')),
  clock: z.optional(aFunction<() => number>()),
}

/** A user as the shipped storages keep it. */
export interface StoredUser {
  readonly id: string
  readonly issuer: string
  readonly subject: string
  readonly email: string | null
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

/** The repositories of the shipped storages, inside transactions too. */
export interface StoredRepositories {
  readonly users: StoredUserRepository
  readonly orgs: StoredOrganizationRepository
  readonly memberships: PeopleStorage<StoredUser, StoredOrganization>['memberships']
  readonly invitations: PeopleStorage['invitations']
  readonly apiKeys: ApiKeyRepository
}

/**
 * What {@link createMemoryStorage}, {@link createPostgresStorage} and {@link createSqliteStorage} make alike: a
 * `PeopleStorage`, and the rest of the ports. `Tx` is a transaction's handle.
 */
export interface ShippedStorage<Tx = unknown> extends StoredRepositories {
  /** Machines; not part of a transaction's repositories. */
  readonly machines: MachineRepository & MachineAdmin
  /** The storage of local login, with transactions of its own. */
  readonly accounts: AccountStorage
  /** As `AuthStorage.transaction`. */
  transaction<T>(work: (transaction: StoredRepositories & { readonly handle: Tx }) => Promise<T>): Promise<T>
}
