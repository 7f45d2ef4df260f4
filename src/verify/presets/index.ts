/** `sallyport/issuers`: presets of identity providers. Each returns plain issuer options, which one could write out by hand. */
export { type Auth0Options, auth0 } from './auth0.ts'
