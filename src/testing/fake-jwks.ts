/**
 * A key server over real sockets that can fail in every way a key server fails. Hands on its
 * address and counts who asks.
 */
import * as z from 'zod/mini'
import { aNumber, parseOptions } from '../lib/parse-options.ts'
import { type FaultyServer, startFaultyServer } from './faulty-server.ts'
import { HTTP_FAULTS, type HttpFault, type WriteFault, writeJson } from './http-faults.ts'
import type { PublicJwk } from './issuer-keys.ts'
import { KEY_SET_FAULTS, type KeyOutcome, type KeySetFault } from './key-set-faults.ts'
import type { TokenIssuer } from './token-issuer.ts'

/** What a key server can do wrong; `ok` is nothing. */
export type JwksFault = 'ok' | 'refused' | HttpFault | KeySetFault

/** A fault, described. */
export interface JwksFaultInfo {
  readonly mode: JwksFault
  readonly sentence: string
  /**
   * What a client that starts cold and keeps the rules for key servers makes of a good token (its kid is in the header):
   * `accepted`; `unknown-key`: the set is sound but lacks the key (401); `unavailable`: no usable answer within 5 s (503).
   */
  readonly outcome: KeyOutcome
}

const ACCEPTED: readonly HttpFault[] = ['wrong-type', 'slow']

/**
 * Every mode of {@link JwksServer}`.fault`, with a sentence each: loop over it.
 *
 * @example
 * for (const { mode, sentence } of JWKS_FAULTS) it(sentence, async () => { await server.fault(mode); … })
 */
export const JWKS_FAULTS: readonly JwksFaultInfo[] = Object.freeze([
  { mode: 'ok', sentence: 'All is well.', outcome: 'accepted' },
  { mode: 'refused', sentence: 'Nobody listens: connections are refused.', outcome: 'unavailable' },
  ...Object.entries(HTTP_FAULTS).map(([name, { sentence }]): JwksFaultInfo => {
    const mode = name as HttpFault
    return { mode, sentence, outcome: ACCEPTED.includes(mode) ? 'accepted' : 'unavailable' }
  }),
  ...Object.entries(KEY_SET_FAULTS).map(([name, { sentence, outcome }]): JwksFaultInfo => {
    return { mode: name as KeySetFault, sentence, outcome }
  }),
])

/** A key server for tests. */
export interface JwksServer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  readonly port: number
  readonly jwksUrl: string
  readonly issuer: TokenIssuer
  /** How often the key set was asked for, faulty answers included, refused connections not. */
  readonly requests: number
  /** How often the discovery document was asked for. */
  readonly discoveryRequests: number
  /** How often a redirect was followed: a client that follows none leaves it at 0. */
  readonly followedRedirects: number
  /** Switch the fault; of the key set alone, but `refused`, which takes the whole server away. */
  fault(mode: JwksFault): Promise<void>
  /** End at once, hanging answers too. */
  close(): Promise<void>
}

/** Options of {@link startJwksServer}. */
export interface JwksServerOptions {
  /** Default: a free one. */
  readonly port?: number | undefined
}

/**
 * Start a key server on 127.0.0.1: `/.well-known/jwks.json`, `/auth/v1/.well-known/jwks.json` and
 * `/.well-known/openid-configuration` (the last one below `/auth/v1` too). It serves the keys as they are at each
 * request, so rotate the issuer at will. Costs a socket; call `close()`.
 *
 * @param issuer whose keys to serve; or a function that makes the issuer, given the server's address
 * @throws TypeError for an unknown option
 * @throws Error where the port is taken
 * @example
 * const server = await startJwksServer((url) => createTokenIssuer({ issuer: url }))
 * await server.fault('status-500')
 * await server.close()
 */
export async function startJwksServer(
  issuer: TokenIssuer | ((url: string) => Promise<TokenIssuer>),
  options: JwksServerOptions = {},
): Promise<JwksServer> {
  const { port = 0 } = parseOptions('startJwksServer', { port: z.optional(aNumber(0, 65_535)) }, options)
  let source = typeof issuer === 'function' ? null : issuer
  const server: FaultyServer<'jwks' | 'discovery'> = await startFaultyServer({
    port,
    endpointOf: (method, path) => (method === 'GET' ? endpointOf(path) : null),
    answer: (endpoint) => ({
      status: 200,
      body:
        endpoint === 'jwks' ? (source?.jwks() ?? { keys: [] }) : discoveryOf(source?.issuer ?? server.url, server.url),
    }),
  })
  const made = typeof issuer === 'function' ? await issuer(server.url) : issuer
  source = made
  return Object.freeze({
    url: server.url,
    port: server.port,
    jwksUrl: `${server.url}/.well-known/jwks.json`,
    issuer: made,
    get requests() {
      return server.count('jwks')
    },
    get discoveryRequests() {
      return server.count('discovery')
    },
    get followedRedirects() {
      return server.followed()
    },
    async fault(mode: JwksFault) {
      if (mode === 'refused') return await server.shut()
      server.spoil(writerOf(mode), 'jwks')
      await server.open()
    },
    close: server.shut,
  })
}

function endpointOf(path: string): 'jwks' | 'discovery' | null {
  const own = path.startsWith('/auth/v1/') ? path.slice('/auth/v1'.length) : path
  if (own === '/.well-known/jwks.json') return 'jwks'
  return own === '/.well-known/openid-configuration' ? 'discovery' : null
}

function writerOf(mode: Exclude<JwksFault, 'refused'>): HttpFault | WriteFault | null {
  if (mode === 'ok') return null
  if (Object.hasOwn(HTTP_FAULTS, mode)) return mode as HttpFault
  if (!Object.hasOwn(KEY_SET_FAULTS, mode)) throw new TypeError('startJwksServer: fault must be one of JWKS_FAULTS')
  const { spoil } = KEY_SET_FAULTS[mode as KeySetFault]
  return async (response, due) => {
    const { keys } = JSON.parse((await due()).body) as { keys: readonly PublicJwk[] }
    writeJson(response, 200, JSON.stringify(await spoil(keys)))
  }
}

function discoveryOf(issuer: string, url: string): object {
  return {
    issuer,
    jwks_uri: `${url}/.well-known/jwks.json`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'RS256', 'EdDSA'],
  }
}
