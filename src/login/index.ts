/** `sallyport/login`: local e-mail and password login. Re-exports only. Needs `node:crypto` and `node:fs`. */

export type { FirstAdminOptions } from './accounts.ts'
export { type ForwardedAddressOptions, forwardedAddress } from './client-address.ts'
export { createDevLogin } from './dev.ts'
export { createLogin, type Login } from './login.ts'
export type { DevLoginOptions, LoginEvent, LoginOptions } from './login-options.ts'
export {
  type Argon2Function,
  createPasswordHasher,
  type PasswordHasher,
  type PasswordHasherOptions,
} from './password-hash.ts'
export { loadSigningSecret, type SigningSecretOptions } from './signing-secret.ts'
