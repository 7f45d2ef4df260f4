/**
 * What `getUser` of supabase-js asks: a stand-in for a project's Auth server, which refuses what that refuses. A token must be
 * signed by its key and not have ended; its user and its session must be there; a user who was banned is out.
 */
import { verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTokenIssuer, type TokenIssuer } from '../../src/testing/index.ts'
import type { TokenClaims } from '../../src/testing/token-issuer.ts'

/** A running project. */
export interface SupabaseAuth {
  readonly url: string
  readonly tokens: TokenIssuer
  readonly users: Set<unknown>
  readonly banned: Set<unknown>
  readonly sessions: Set<unknown>
  close(): Promise<void>
}

/** Start a project without users and sessions: who tests adds them. */
export async function startSupabaseAuth(): Promise<SupabaseAuth> {
  const server = createServer((req, res) => {
    const [status, body] = req.url === '/auth/v1/user' ? userOf(req.headers.authorization) : keysAt(req.url)
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tokens = await createTokenIssuer({ issuer: `${url}/auth/v1`, algorithms: ['ES256'] })
  const [users, banned, sessions] = [new Set<unknown>(), new Set<unknown>(), new Set<unknown>()]

  const keysAt = (path = ''): [number, unknown] =>
    path === '/auth/v1/.well-known/jwks.json' ? [200, tokens.jwks()] : [404, {}]
  const userOf = (authorization = ''): [number, unknown] => {
    const claims = claimsOf(tokens, authorization.replace(/^Bearer /, ''))
    const refused = (error_code: string): [number, unknown] => [403, { code: 403, error_code, msg: error_code }]
    if (claims === null || claims['sub'] === undefined) return refused('bad_jwt')
    if (!users.has(claims['sub'])) return refused('user_not_found')
    if (banned.has(claims['sub'])) return refused('user_banned')
    if (claims['session_id'] && !sessions.has(claims['session_id'])) return refused('session_not_found')
    if (claims['aud'] !== 'authenticated') return [400, { code: 400, error_code: 'validation_failed' }]
    return [200, { id: claims['sub'], email: claims['email'], aud: 'authenticated' }]
  }
  return {
    ...{ url, tokens, users, banned, sessions },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function claimsOf(tokens: TokenIssuer, token: string): TokenClaims | null {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const key = { key: tokens.key('ES256').publicKey, dsaEncoding: 'ieee-p1363' } as const
  const isSigned = verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))
  if (!isSigned) return null
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as TokenClaims
  const { exp = Number.POSITIVE_INFINITY } = claims
  return Number(exp) > Date.now() / 1000 ? claims : null
}
