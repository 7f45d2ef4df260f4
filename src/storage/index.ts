/** `sallyport/storage`: what a storage of a host's own is written with, and what the shipped ones offer. Re-exports only. */

export type { Account, AccountStorage, ThrottleState, ThrottleStore } from './account-repositories.ts'
export type {
  ActingOrgSource,
  AdminStorage,
  ApiKeyRecord,
  ApiKeyRepository,
  AuthStorage,
  Invitation,
  MachineAdmin,
  MachineRecord,
  MachineRepository,
  Membership,
  OrganizationRepository,
  RegisteredMachine,
  UserRepository,
} from './repositories.ts'
export type { ShippedStorage, StoredOrganization, StoredUser } from './shipped-storage.ts'
export { ConflictError, isConflictError, isTransientError, TransientError, toStorageError } from './storage-errors.ts'
