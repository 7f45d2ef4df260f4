/** The key server of one issuer, with a path for each server that trusts it: so it is known what each was given, and when. */

import type { JsonEndpoints } from '../../src/testing/local-server.ts'
import type { TokenIssuer } from '../../src/testing/token-issuer.ts'
import { startFaultyServer } from '../support/faulty-server.ts'
import type { HttpFault } from '../support/http-faults.ts'
import type { IssuerTask } from './messages.ts'

/** A key server whose faults and answers are known. */
export interface KeyServer {
  readonly issuer: TokenIssuer
  /** How a server trusts it. */
  trustedBy(server: string): IssuerTask
  /** Be told of the ids of the keys that are about to be served to a server. */
  onServed(server: string, listener: (kids: ReadonlySet<string>) => void): void
  /** When that was the last time. */
  servedAt(server: string): number
  /** When the last fault began. */
  brokenSince(): number
  fault(fault: 'ok' | 'refused' | HttpFault): Promise<void>
  close(): Promise<void>
}

type Endpoints = JsonEndpoints<string> & { readonly issuer: TokenIssuer }
type Listener = (kids: ReadonlySet<string>) => void

/** Start the key server of an issuer that is made once the address is known. */
export async function startKeyServer(make: (url: string) => Promise<TokenIssuer>): Promise<KeyServer> {
  const listeners = new Map<string, Listener>()
  const servedAt = new Map<string, number>()
  let brokenSince = Date.now()
  const server = await startFaultyServer<string, Endpoints>(async (url) => {
    const issuer = await make(url)
    return {
      issuer,
      endpointOf: ({ path }) => /^\/jwks\/([^/]+)$/.exec(path)?.[1] ?? null,
      answer(name: string) {
        const body = issuer.jwks()
        servedAt.set(name, Date.now())
        listeners.get(name)?.(new Set(body.keys.map(({ kid }) => kid)))
        return { status: 200, body }
      },
    }
  })
  const { issuer } = server.endpoints
  return {
    issuer,
    trustedBy: (name) => ({
      issuer: issuer.issuer,
      audience: issuer.audience,
      jwksUrl: `${server.url}/jwks/${name}`,
      secret: issuer.secret,
    }),
    onServed: (name, listener) => void listeners.set(name, listener),
    servedAt: (name) => servedAt.get(name) ?? Number.NEGATIVE_INFINITY,
    brokenSince: () => brokenSince,
    async fault(fault) {
      if (fault !== 'ok') brokenSince = Date.now()
      await server.fault(fault)
    },
    close: server.close,
  }
}
