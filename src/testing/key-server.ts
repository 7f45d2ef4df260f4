/**
 * A key server over real sockets: it publishes the keys of a token issuer as they are at each request, can be away or
 * slow, and counts who asks.
 */
import { aCount, optional, parseOptions } from '../lib/parse-options.ts'
import { type JsonEndpoints, type ServerStates, startJsonServer } from './local-server.ts'
import type { TokenIssuer } from './token-issuer.ts'

/** A key server for tests. */
export interface JwksServer extends ServerStates {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  /** The port that it listens on, also after it was down. */
  readonly port: number
  /** Where the key set is. */
  readonly jwksUrl: string
  /** The issuer whose keys it hands out. */
  readonly issuer: TokenIssuer
  /** How often the key set was asked for; refused connections don't count. */
  readonly requests: number
}

/** Options of {@link startJwksServer}. */
export interface JwksServerOptions {
  /** What it listens on. Default: a free one. */
  readonly port?: number | undefined
}

/** Whose keys to serve; or a function that makes the issuer, given the server's address. */
export type IssuerAt = TokenIssuer | ((url: string) => Promise<TokenIssuer>)

/**
 * Start a key server on 127.0.0.1: `/.well-known/jwks.json`, `/auth/v1/.well-known/jwks.json` and
 * `/.well-known/openid-configuration` (the last one below `/auth/v1` too). `ok()`, `down()` and `slow()` switch its state;
 * for new keys rotate the issuer. Costs a socket; call `close()`.
 *
 * @param options the port
 * @throws OptionsError for an unknown option
 * @throws Error where the port is taken
 * @example
 * const server = await startJwksServer((url) => createTokenIssuer({ issuer: url }))
 * await server.issuer.rotate()
 * await server.down()
 * await server.close()
 */
export async function startJwksServer(issuer: IssuerAt, options: JwksServerOptions = {}): Promise<JwksServer> {
  const { port } = parseOptions('startJwksServer', { port: optional(aCount(0, 65_535)) }, options)
  const { count, endpoints, ...server } = await startJsonServer((url) => createKeyEndpoints(url, issuer), port)
  return Object.freeze({
    ...server,
    jwksUrl: endpoints.jwksUrl,
    issuer: endpoints.issuer,
    get requests() {
      return count('jwks')
    },
  })
}

/** The endpoints of a key server. */
export type KeyEndpoint = 'jwks' | 'discovery'

/** Make what a key server at `url` serves. */
export async function createKeyEndpoints(
  url: string,
  given: IssuerAt,
): Promise<Pick<JwksServer, 'jwksUrl' | 'issuer'> & JsonEndpoints<KeyEndpoint>> {
  const issuer = typeof given === 'function' ? await given(url) : given
  const jwksUrl = `${url}/.well-known/jwks.json`
  const discovery = {
    issuer: issuer.issuer,
    jwks_uri: jwksUrl,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'RS256', 'EdDSA'],
  }
  return {
    jwksUrl,
    issuer,
    endpointOf({ method, path }) {
      const own = method === 'GET' ? path.replace(/^\/auth\/v1(?=\/)/, '') : null
      if (own === '/.well-known/jwks.json') return 'jwks'
      return own === '/.well-known/openid-configuration' ? 'discovery' : null
    },
    answer: (endpoint) => ({ status: 200, body: endpoint === 'jwks' ? issuer.jwks() : discovery }),
  }
}
