/** `sallyport/storage`: what a storage of a host's own is written with, and what the shipped ones offer. Re-exports only. */

export type { Account, AccountStorage, ThrottleState, ThrottleStore } from './account-repositories.ts'
export type {
  ActingOrgSource,
  ApiKeyRecord,
  ApiKeyRepository,
  AuthStorage,
  Invitation,
  InvitationRepository,
  MachineAdmin,
  MachineRecord,
  MachineRepository,
  Member,
  Membership,
  MembershipAdmin,
  MembershipRepository,
  OrganizationAdmin,
  OrganizationRepository,
  PeopleStorage,
  PeopleTransaction,
  RegisteredMachine,
  UserAdmin,
  UserRepository,
} from './repositories.ts'
export type {
  ShippedStorage,
  StoredMembershipRepository,
  StoredOrganization,
  StoredOrganizationRepository,
  StoredUser,
  StoredUserRepository,
} from './shipped-storage.ts'
export { ConflictError, isConflictError, isTransientError, TransientError, toStorageError } from './storage-errors.ts'
