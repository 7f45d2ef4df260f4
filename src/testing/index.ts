/**
 * The door of `sallyport/testing`: re-exports only.
 */
export { type BadToken, type BadTokensOptions, badTokens } from './bad-tokens.ts'
export type { SigningAlgorithm } from './compact-jws.ts'
export type { IssuerKey, KeyAlgorithm, PublicJwk } from './issuer-keys.ts'
export {
  createTokenIssuer,
  type IssuerAlgorithm,
  type RotateOptions,
  type SignOptions,
  type TokenClaims,
  type TokenIssuer,
  type TokenIssuerOptions,
} from './token-issuer.ts'
