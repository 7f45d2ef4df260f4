/**
 * A key server over real sockets: it publishes the keys of a token issuer as they are at each request, can be away or
 * slow, and counts who asks.
 */
import * as z from 'zod/mini'
import { aNumber, parseOptions } from '../lib/parse-options.ts'
import { type JsonAnswer, type JsonRequest, type ServerStates, startJsonServer } from './local-server.ts'
import type { TokenIssuer } from './token-issuer.ts'

/** A key server for tests. */
export interface JwksServer extends ServerStates {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  readonly port: number
  readonly jwksUrl: string
  readonly issuer: TokenIssuer
  /** How often the key set was asked for; refused connections don't count. */
  readonly requests: number
}

/**
 * Start a key server on 127.0.0.1: `/.well-known/jwks.json`, `/auth/v1/.well-known/jwks.json` and
 * `/.well-known/openid-configuration` (the last one below `/auth/v1` too). `ok()`, `down()` and `slow()` switch its state;
 * for new keys rotate the issuer. Costs a socket; call `close()`.
 *
 * @param issuer whose keys to serve; or a function that makes the issuer, given the server's address
 * @param options the port; default: a free one
 * @throws OptionsError for an unknown option
 * @throws Error where the port is taken
 * @example
 * const server = await startJwksServer((url) => createTokenIssuer({ issuer: url }))
 * await server.issuer.rotate()
 * await server.down()
 * await server.close()
 */
export async function startJwksServer(
  issuer: TokenIssuer | ((url: string) => Promise<TokenIssuer>),
  options: { readonly port?: number | undefined } = {},
): Promise<JwksServer> {
  const { port } = parseOptions('startJwksServer', { port: z.optional(aNumber(0, 65_535)) }, options)
  let source = typeof issuer === 'function' ? null : issuer
  let requests = 0
  const { url, ...server } = await startJsonServer((request) => {
    const endpoint = keyEndpointOf(request)
    if (endpoint === 'jwks') requests += 1
    return endpoint && keyAnswer(endpoint, source, url)
  }, port)
  source = typeof issuer === 'function' ? await issuer(url) : issuer
  return Object.freeze({
    ...server,
    url,
    jwksUrl: `${url}/.well-known/jwks.json`,
    issuer: source,
    get requests() {
      return requests
    },
  })
}

/** The endpoints of a key server. */
export type KeyEndpoint = 'jwks' | 'discovery'

/** Which endpoint a request is for, if any. */
export function keyEndpointOf({ method, path }: Pick<JsonRequest, 'method' | 'path'>): KeyEndpoint | null {
  if (method !== 'GET') return null
  const own = path.startsWith('/auth/v1/') ? path.slice('/auth/v1'.length) : path
  if (own === '/.well-known/jwks.json') return 'jwks'
  return own === '/.well-known/openid-configuration' ? 'discovery' : null
}

/** What an endpoint of the server at `url` answers; without an issuer, as before there is one: no key. */
export function keyAnswer(endpoint: KeyEndpoint, issuer: TokenIssuer | null, url: string): JsonAnswer {
  if (endpoint === 'jwks') return { status: 200, body: issuer?.jwks() ?? { keys: [] } }
  const document = {
    issuer: issuer?.issuer ?? url,
    jwks_uri: `${url}/.well-known/jwks.json`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'RS256', 'EdDSA'],
  }
  return { status: 200, body: document }
}
