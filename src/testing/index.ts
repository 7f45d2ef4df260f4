/**
 * The entry point `sallyport/testing`: re-exports only.
 */
export { type AdapterAudit, type AuditResult, createAdapterAudit, runAdapterAudit } from './adapter-audit.ts'
export { accountContract } from './contracts/accounts/account-contract.ts'
export { apiKeyContract } from './contracts/api-keys/api-key-contract.ts'
export { type Contract, type ContractCase, type ContractOptions, runContract } from './contracts/contract.ts'
export { machineContract } from './contracts/machines/machine-contract.ts'
export {
  invitationContract,
  membershipContract,
  orgContract,
  storageContract,
  transactionContract,
  userContract,
} from './contracts/storage-contract.ts'
export type { StorageUnderTest } from './contracts/storage-world.ts'
export { throttleContract } from './contracts/throttle/throttle-contract.ts'
export { type JwksServer, startJwksServer } from './key-server.ts'
export {
  type TestContext,
  type TestIdentityContext,
  type TestServiceContext,
  type TestServiceOrgContext,
  type TestTypes,
  type TestUserContext,
  testApiKeyContext,
  testContext,
  testIdentity,
  testMachineContext,
  testServiceContext,
  testUser,
} from './principals.ts'
export { type SupabaseIssuer, startSupabaseIssuer } from './supabase-issuer.ts'
export { createTestKit, type TestCaller, type TestKit } from './test-kit.ts'
export { createTokenIssuer, type TokenIssuer } from './token-issuer.ts'
