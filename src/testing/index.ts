/**
 * The entry point `sallyport/testing`: re-exports only.
 */
export {
  type AdapterAudit,
  type AdapterAuditOptions,
  type AuditResult,
  createAdapterAudit,
  runAdapterAudit,
} from './adapter-audit.ts'
export type { AuditAnswer, AuditCase, AuditRequest } from './audit/audit-case.ts'
export type { AuditEndpoint } from './audit/endpoints.ts'
export type { FetchHandler } from './audit/send.ts'
export type { SigningAlgorithm } from './compact-jws.ts'
export { type AccountContractOptions, accountContract } from './contracts/account-contract.ts'
export type { AccountsUnderTest } from './contracts/account-world.ts'
export { type ApiKeyContractOptions, apiKeyContract } from './contracts/api-key-contract.ts'
export type { ApiKeysUnderTest } from './contracts/api-key-world.ts'
export type {
  ContractCase,
  ContractOptions,
  MakeStorage,
  StorageAbility,
} from './contracts/contract-case.ts'
export type { StorageProbe, StorageUnderTest } from './contracts/contract-world.ts'
export { invitationContract } from './contracts/invitation-contract.ts'
export { membershipContract } from './contracts/membership-contract.ts'
export { orgContract } from './contracts/org-contract.ts'
export { type ContractResult, leftOutOfContract, runContract, storageContract } from './contracts/storage-contract.ts'
export { type ThrottleUnderTest, throttleContract } from './contracts/throttle-contract.ts'
export { transactionContract } from './contracts/transaction-contract.ts'
export { userContract } from './contracts/user-contract.ts'
export type { IssuerKey, KeyAlgorithm, PublicJwk } from './issuer-keys.ts'
export { type JwksServer, startJwksServer } from './key-server.ts'
export {
  TEST_ORG_ID,
  TEST_USER_ID,
  type TestApiKeyOptions,
  type TestContext,
  type TestContextOptions,
  type TestIdentityContext,
  type TestTypes,
  type TestUserContext,
  testApiKeyContext,
  testContext,
  testIdentity,
  testIdentityContext,
  testServiceContext,
  testUser,
  testUserContext,
} from './principals.ts'
export {
  type SupabaseIssuer,
  type SupabaseIssuerOptions,
  type SupabaseUser,
  startSupabaseIssuer,
} from './supabase-issuer.ts'
export {
  createTestKit,
  type SignInOptions,
  type TestCaller,
  type TestKit,
  type TestKitOptions,
} from './test-kit.ts'
export {
  createTokenIssuer,
  type IssuerAlgorithm,
  type RotateOptions,
  type SignOptions,
  type TokenClaims,
  type TokenIssuer,
  type TokenIssuerOptions,
} from './token-issuer.ts'
