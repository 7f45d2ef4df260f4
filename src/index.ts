/** The main entry point: named re-exports, grouped by step. */

// The pipeline
export {
  type Auth,
  type AuthOptions,
  type ContextOf,
  createAuth,
  type HostTypes,
  type IdentityTypes,
} from './auth.ts'
// The nouns
export type {
  AccessOf,
  ActingOrg,
  ApiKey,
  ApiKeyContext,
  ApiKeyVerifier,
  AuthContext,
  AuthContextOf,
  AuthTypes,
  Caller,
  Credential,
  Decision,
  Identity,
  IdentityContext,
  IdentityKey,
  Organization,
  OrgResolver,
  OrgSelection,
  Readiness,
  ResolvedUser,
  ServiceContext,
  ServiceOrgContext,
  ServiceVerifier,
  User,
  UserContext,
  UserOrgContext,
  UserResolver,
  Verified,
  Verifier,
} from './context.ts'
export {
  AUTH_ERRORS,
  AuthError,
  type AuthErrorCode,
  type AuthErrorDetails,
  type AuthErrorRow,
  type ErrorFormat,
  isAuthError,
  type Principal,
  toAuthResponse,
} from './errors.ts'
export type { Guards, OrgContext, RoleContext } from './guards.ts'
// JSON bodies
export { jsonResponse, noContent } from './http/json-response.ts'
export { readJson } from './http/read-json.ts'
export { normalizeEmail } from './lib/email.ts'
export { type OptionProblem, OptionsError } from './lib/parse-options.ts'
// Organizations
export {
  createMembershipCache,
  type MembershipCache,
  type MembershipCacheOptions,
} from './orgs/membership-cache.ts'
export { createOrgResolver, type OrgResolverOptions, type WhenUnnamed } from './orgs/org-resolver.ts'
export {
  type ActingScope,
  createOrgScoped,
  type OrgHolder,
  type OrgScoped,
  type OrgScopedOptions,
  type ScopedFunctions,
} from './orgs/org-scoped.ts'
export {
  header,
  integerFormat,
  type OrgIdFormat,
  pathParam,
  slugFormat,
  uuidFormat,
} from './orgs/selector.ts'
export { createUserOrgResolver, type UserOrgResolverOptions } from './orgs/user-org-resolver.ts'
export type { RefusalReason } from './reasons.ts'
// Requests, responses, routes
export type {
  Access,
  AccessRule,
  AuthRequest,
  AuthResponse,
  CallerKind,
  Needs,
  OrgSelector,
  RequestBody,
} from './request.ts'
export type { Route } from './route.ts'
export { createServiceVerifier, type ServiceOptions, type ServiceVerifierOptions } from './services/service-verifier.ts'
// Users
export {
  type Bootstrap,
  createProvisioner,
  type ProvisionerOptions,
  type ProvisioningDecision,
  type SystemContext,
} from './users/provisioner.ts'
export { createSyncGate, type SyncGateOptions } from './users/sync-gate.ts'
export { createSyncRoute, type SyncRouteOptions } from './users/sync-route.ts'
export { type OidcOptions, oidc, type SupabaseOptions, supabase } from './verify/issuer-presets.ts'
export type {
  DiscoverySource,
  IssuerOptions,
  JwksAlgorithm,
  JwksKeysSource,
  JwksUrlSource,
  KeyAgeOptions,
  KeyEvent,
  KeySource,
  SecretSource,
} from './verify/issuers.ts'
export { createJwtVerifier, type JwtVerifierOptions, type TokenCacheSettings } from './verify/jwt-verifier.ts'
