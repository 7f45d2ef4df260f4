/** The entry point `sallyport/machine`: re-exports only. */
export type { TokenGrant } from './grants.ts'
export { createTokenClient, type TokenClient, type TokenClientOptions, type TokenEvent } from './token-client.ts'
export { isTokenClientError, TokenClientError, type TokenClientErrorCode } from './token-client-error.ts'
