/** The entry point `sallyport/login`: local e-mail and password login. Re-exports only. Needs `node:crypto` and `node:fs`. */

export type { DevAuthenticator } from '../credentials/extractor.ts'
export { type AccountGateOptions, createAccountGate } from '../users/account-gate.ts'
export { createSessionVerifier, type SessionFormat, type SessionVerifierOptions } from '../verify/session-verifier.ts'
export { createDevLogin, type DevLoginOptions } from './dev.ts'
export { createFirstAdmin, type FirstAdminOptions, resetAdmin } from './first-admin.ts'
export { type ForwardedAddressOptions, forwardedAddress } from './forwarded-address.ts'
export { createLogin, type Login, type LoginAuth } from './login.ts'
export type { LoginEvent } from './login-events.ts'
export type { AccountsOptions, LoginOptions, LoginPaths } from './login-options.ts'
export {
  type Argon2Cost,
  type Argon2Function,
  type Argon2Input,
  createPasswordHasher,
  type HashCost,
  type HashingPlace,
  type PasswordHasher,
  type PasswordHasherOptions,
  type ScryptCost,
} from './password-hash.ts'
export { loadSigningSecret, type SigningSecretOptions } from './signing-secret.ts'
export type { ThrottleLimits } from './throttle-policy.ts'
