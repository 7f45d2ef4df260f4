/** The key server of the testing kit, failing in every way a key server fails. */
import { createKeyEndpoints, type IssuerAt, type JwksServer } from '../../src/testing/key-server.ts'
import type { TokenIssuer } from '../../src/testing/token-issuer.ts'
import { startFaultyServer } from './faulty-server.ts'
import { HTTP_FAULTS, type HttpFault, type WriteFault, writeJson } from './http-faults.ts'
import { KEY_SET_FAULTS, type KeyOutcome, type KeySetFault } from './key-set-faults.ts'

/** What a key server can do wrong; `ok` is nothing. */
export type JwksFault = 'ok' | 'refused' | HttpFault | KeySetFault

/** A fault, described. */
export interface JwksFaultInfo {
  readonly mode: JwksFault
  readonly sentence: string
  /**
   * What a careful client that starts cold makes of a good token (its kid is in the header): `accepted`; `unknown-key`:
   * the set is sound but lacks the key (401); `unavailable`: no usable answer within 5 s (503).
   */
  readonly outcome: KeyOutcome
}

const ACCEPTED: readonly HttpFault[] = ['wrong-type', 'slow']

/** Every mode of {@link FaultyKeyServer}`.fault`, with a sentence each. */
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

/** A key server that fails on demand. */
export interface FaultyKeyServer extends Omit<JwksServer, 'ok' | 'down' | 'slow'> {
  /** How often the discovery document was asked for. */
  readonly discoveryRequests: number
  /** How often a redirect was followed: a client that follows none leaves it at 0. */
  readonly followedRedirects: number
  /** Switch the fault; of the key set alone, but `refused`, which takes the whole server away. */
  fault(mode: JwksFault): Promise<void>
}

/** Start a key server with faults: whose keys to serve, or a function that makes the issuer, given the server's address. */
export async function startFaultyKeyServer(issuer: IssuerAt): Promise<FaultyKeyServer> {
  const server = await startFaultyServer((url) => createKeyEndpoints(url, issuer))
  return Object.freeze({
    url: server.url,
    port: server.port,
    jwksUrl: server.endpoints.jwksUrl,
    issuer: server.endpoints.issuer,
    get requests() {
      return server.count('jwks')
    },
    get discoveryRequests() {
      return server.count('discovery')
    },
    get followedRedirects() {
      return server.followed()
    },
    fault: (mode: JwksFault) => server.fault(isKeySetFault(mode) ? writerOf(mode) : mode, 'jwks'),
    close: server.close,
  })
}

function isKeySetFault(mode: JwksFault): mode is KeySetFault {
  return Object.hasOwn(KEY_SET_FAULTS, mode)
}

function writerOf(mode: KeySetFault): WriteFault {
  return async (response, due) => {
    const { keys } = JSON.parse((await due()).body) as ReturnType<TokenIssuer['jwks']>
    writeJson(response, 200, JSON.stringify(await KEY_SET_FAULTS[mode].spoil(keys)))
  }
}
