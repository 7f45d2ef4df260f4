/** The door of `sallyport/machine`: re-exports only. */
export type { ClientCredentialsGrant, SupabaseGrant, TokenGrant } from './grant-options.ts'
export type { TokenSource } from './grants.ts'
export { createTokenClient, type TokenClient, type TokenClientOptions, type TokenEvent } from './token-client.ts'
export {
  isTokenClientError,
  TokenClientError,
  type TokenClientErrorCode,
  type TokenFailure,
} from './token-client-error.ts'
