/** Requests by tokens of a provider: what all guides ask that verify tokens themselves. */
import type { KeyObject } from 'node:crypto'
import { createTokenIssuer, startJwksServer } from '../../src/testing/index.ts'
import type { SignOptions, TokenClaims, TokenIssuer } from '../../src/testing/token-issuer.ts'
import type { Asked, World } from './guide.ts'

/** A provider, and somebody else. */
export interface TokenWorld extends World {
  readonly provider: TokenIssuer
  readonly stranger: TokenIssuer
  /** What a good token says. */
  readonly claims: TokenClaims
}

type AskedByToken = Asked<TokenWorld>
type Headers = Readonly<Record<string, string>>

/** The header of a token. */
export const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })

/** A request with a token of the provider: claims that differ, and how it is signed. */
export function token(
  title: string,
  claims: TokenClaims = {},
  how: SignOptions | ((world: TokenWorld) => SignOptions) = {},
): AskedByToken {
  return {
    title,
    async request(world) {
      const signing = typeof how === 'function' ? how(world) : how
      return { headers: bearer(await world.provider.sign({ ...world.claims, ...claims }, signing)) }
    },
  }
}

/** A request with these headers. */
export const plain = (title: string, headers: Headers): Asked<unknown> => ({
  title,
  request: async () => ({ headers }),
})

/** What a refusal says. */
export const BODY: Asked<unknown> = { ...plain('what a 401 says', {}), saying: true }

/** A provider with a key server, and secrets. */
export async function createTokenWorld(): Promise<TokenWorld> {
  const secret = 'the shared secret of an app that moves, in prove'
  const server = await startJwksServer((issuer) =>
    createTokenIssuer({ issuer, audience: AUDIENCE, algorithms: ['RS256'], secret }),
  )
  return {
    env: { ISSUER: server.url, AUDIENCE, JWT_SECRET: secret, JWT_SECRET_PREVIOUS: PREVIOUS },
    usual: '{"subject":"ada"}',
    provider: server.issuer,
    stranger: await createTokenIssuer({ algorithms: ['RS256'] }),
    claims: { sub: 'ada' },
    close: () => server.close(),
  }
}

const AUDIENCE = 'https://api.example.com'
/** Where nobody listens. */
const AWAY = 'http://127.0.0.1:1'

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

const publicPem = (key: KeyObject): Buffer => Buffer.from(key.export({ type: 'spki', format: 'pem' }).toString())

const cutSignature = (token: string): string => token.replace(/.{6}$/, 'AAAAAA')

/** A route that wants a token of the provider, signed by RS256. */
export const REQUIRED: readonly AskedByToken[] = [
  token('a good token'),
  token('a token without `sub`', { sub: undefined }),
  token('a token whose `sub` is empty', { sub: '' }),
  token('a token whose `sub` is a number', { sub: 42 }),
  token('a token without `exp`', { exp: undefined }),
  plain('no token', {}),
  BODY,
  plain('no token, but `Basic` credentials', { authorization: 'Basic YWRhOnNlY3JldA==' }),
  plain('`Bearer` without a token', { authorization: 'Bearer' }),
  plain('a token that is none', bearer('not-a-token')),
  token('a token that ended an hour ago', {}, { expiresInSeconds: -3600 }),
  { ...token('a token that ended a second ago'), request: endedASecondAgo },
  token('a token that begins in an hour', { nbf: inSeconds(3600) }),
  token('a token issued in an hour', { iat: inSeconds(3600) }),
  token('a token without `iat`', { iat: undefined }),
  token('a token whose `exp` is a text', { exp: String(inSeconds(3600)) }),
  token('a token for another audience', { aud: 'https://other.example.com' }),
  token('a token for several audiences, this one too', {
    aud: ['https://other.example.com', 'https://api.example.com'],
  }),
  token('a token without `aud`', { aud: undefined }),
  token('a token of another issuer, by the same key', { iss: 'https://evil.example.com' }),
  token('a token without `iss`', { iss: undefined }),
  token('a token by somebody else’s key', {}, ({ stranger }) => ({ key: stranger.key('RS256').privateKey })),
  token('a token of an unknown `kid`', {}, { kid: 'unknown' }),
  token('a token without `kid`', {}, { kid: null }),
  {
    title: 'a token with a broken signature',
    request: async ({ provider, claims }) => ({ headers: bearer(cutSignature(await provider.sign(claims))) }),
  },
  token('`HS256` with the public key as the secret', {}, ({ provider }) => {
    const { publicKey, kid } = provider.key('RS256')
    return { algorithm: 'HS256', key: publicPem(publicKey), kid }
  }),
  {
    title: '`alg: none`',
    request: async ({ provider, claims }) => ({ headers: bearer(unsigned(await provider.sign(claims))) }),
  },
  token('`RS512` by the right key', {}, { algorithm: 'RS512' }),
  token('a token with `typ: at+jwt`', {}, { typ: 'at+jwt' }),
  token(
    'a token with an unknown extension (`crit`)',
    {},
    { header: { crit: ['urn:example:extension'], 'urn:example:extension': true } },
  ),
  token('a token bound to a key (`cnf`)', { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }),
  token('client credentials, with nobody behind them', { sub: 'a-client@clients', gty: 'client-credentials' }),
  {
    title: 'the token in the query (`?access_token=`)',
    request: async ({ provider, claims }) => ({ query: `access_token=${await provider.sign(claims)}` }),
  },
]

/** The same, while keys can't be had. */
export const KEYS_AWAY: readonly AskedByToken[] = [
  { ...token('a good token, while the key server is away', { iss: AWAY }), env: { ISSUER: AWAY } },
]

/** A route that knows a caller who brings a token, and lets in one who brings none. */
export const OPTIONAL: readonly AskedByToken[] = [
  token('a good token'),
  plain('no token', {}),
  plain('`Basic` credentials', { authorization: 'Basic YWRhOnNlY3JldA==' }),
  plain('a token that is none', bearer('not-a-token')),
  token('a token that ended an hour ago', {}, { expiresInSeconds: -3600 }),
  token('a token by somebody else’s key', {}, ({ stranger }) => ({ key: stranger.key('RS256').privateKey })),
]

/** A route that wants the scope `read:reports`. */
export const SCOPES: readonly AskedByToken[] = [
  token('a token with the scope', { scope: 'read:reports' }),
  token('a token with the scope, among others', { scope: 'openid read:reports write:reports' }),
  token('a token with another scope', { scope: 'read:reports2' }),
  token('a token without `scope`'),
  token('a token whose `scope` is a list', { scope: ['openid', 'read:reports'] }),
  token('a token whose `scope` is an object', { scope: { 'read:reports': true } }),
  plain('no token', {}),
]

const shared = { algorithm: 'HS256', kid: null } as const
const SHORT = 'sixteen bytes ok'
/** The secret before this one, for apps that take two. */
const PREVIOUS = 'the secret before this one, which still signs'

/** A route that wants a token signed by a shared secret. */
export const SHARED_SECRET: readonly AskedByToken[] = [
  token('a good token', {}, shared),
  token('a token without `sub`', { sub: undefined }, shared),
  token('a token whose `sub` is a number', { sub: 42 }, shared),
  token('a token without `exp`', { exp: undefined }, shared),
  {
    ...token('a good token, by a secret of 16 bytes', {}, { ...shared, key: Buffer.from(SHORT) }),
    env: { JWT_SECRET: SHORT },
  },
  token('a token by another secret', {}, { ...shared, key: Buffer.from('another '.repeat(8)) }),
  token('`HS512` by the right secret', {}, { ...shared, algorithm: 'HS512' }),
  token('a token that ended an hour ago', {}, { ...shared, expiresInSeconds: -3600 }),
  token('a token by the provider’s RSA key', {}, { algorithm: 'RS256' }),
]

/** The same where there are two secrets, while the older one goes. */
export const PREVIOUS_SECRET: readonly AskedByToken[] = [
  token('a good token, by the secret before', {}, { ...shared, key: Buffer.from(PREVIOUS) }),
]

// Signed when it is asked for.
async function endedASecondAgo({ provider, claims }: TokenWorld): Promise<RequestInit> {
  return { headers: bearer(await provider.sign(claims, { expiresInSeconds: -1 })) }
}

function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url')
  return `${header}.${token.split('.')[1]}.`
}
