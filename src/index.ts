/** The main entry point: what a host writes, and the nouns it names. Re-exports only. */

// The pipeline
export {
  type Auth,
  type AuthOptions,
  type Authorizer,
  type ContextOf,
  createAuth,
  type HostTypes,
  type IdentityTypes,
} from './auth.ts'
// The nouns
export type {
  AccessOf,
  ActingOrg,
  Actor,
  ApiKey,
  ApiKeyContext,
  ApiKeyVerifier,
  AuthContext,
  AuthContextOf,
  AuthTypes,
  Caller,
  Decision,
  Identity,
  IdentityContext,
  IdentityKey,
  Machine,
  MachineContext,
  MachineOrgContext,
  Organization,
  OrgResolver,
  OrgSelection,
  PassedOver,
  Profile,
  Provisioned,
  Readiness,
  ResolvedUser,
  Roles,
  ServiceContext,
  ServiceOrgContext,
  ServiceVerifier,
  User,
  UserContext,
  UserOrgContext,
  UserResolver,
  Verifier,
} from './context.ts'
export {
  AUTH_ERRORS,
  AuthError,
  type AuthErrorCode,
  isAuthError,
  type Principal,
  toAuthResponse,
} from './errors.ts'
// Decisions in words
export { type ExplainOptions, explain } from './explain/explain.ts'
export type { OrgContext } from './guards.ts'
// JSON bodies, metadata
export { jsonResponse, noContent } from './http/json-response.ts'
export { type ProtectedResourceMetadata, protectedResourceMetadata } from './http/protected-resource-metadata.ts'
export { readJson } from './http/read-json.ts'
export { normalizeEmail } from './lib/email.ts'
export { OptionsError } from './lib/parse-options.ts'
// Organizations
export { createMembershipCache, type MembershipCache } from './orgs/membership-cache.ts'
export { createOrgResolver, createUserOrgResolver } from './orgs/org-resolver.ts'
export { type ActingScope, createOrgScoped, type OrgHolder, type OrgScoped } from './orgs/org-scoped.ts'
export { header, integerFormat, pathParam, slugFormat, uuidFormat } from './orgs/selector.ts'
// Roles and permissions
export type { CustomRoles } from './permissions/custom-roles.ts'
export { createRoles, type RoleSets } from './permissions/roles.ts'
export type { RefusalReason } from './reasons.ts'
// Requests, responses, routes
export type { Access, AuthRequest, AuthResponse, OrgSelector } from './request.ts'
export type { Route } from './route.ts'
// Services
export { createServiceVerifier } from './services/service-verifier.ts'
// Decisions counted
export type { LabelOptions } from './telemetry/decision-labels.ts'
export { createMetrics, type Metrics, type MetricsOptions, type MetricsPage } from './telemetry/metrics.ts'
// Users
export type { InvitationPolicy } from './users/invitation-policy.ts'
export { type Bootstrap, createProvisioner, type Provisioner, type ProvisioningDecision } from './users/provisioner.ts'
export { createSyncGate, createSyncRoute } from './users/sync.ts'
// Verifiers
export { createIssuerLookUp, type IssuerLookUp } from './verify/issuer-look-up.ts'
export type { EmailPolicy, IssuerClaims, IssuerOptions, KeySource } from './verify/issuer-options.ts'
export { oidc, supabase } from './verify/issuer-presets.ts'
export { createJwtVerifier } from './verify/jwt-verifier.ts'
export type { MachineRule } from './verify/machine-rules.ts'
export { pemToJwks } from './verify/pem.ts'
export { userInfo } from './verify/user-info.ts'
