/** An identity provider over real sockets in the shape of Supabase Auth: sign in by password, refresh, publish keys. */
import { randomBytes, randomUUID } from 'node:crypto'
import {
  aCount,
  aFunction,
  aGroup,
  aListOf,
  aName,
  aNumber,
  anObjectWith,
  oneOf,
  optional,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { type JsonAnswer, type JsonEndpoints, type ServerStates, startJsonServer } from './local-server.ts'
import { createTokenIssuer, type TokenClaims, type TokenIssuer } from './token-issuer.ts'

/** Somebody who can sign in. */
export interface SupabaseUser {
  /** The address that they sign in with, and the claim `email`. */
  readonly email: string
  /** The password that they sign in with. */
  readonly password: string
  /** Default: a random UUID. */
  readonly id?: string | undefined
  /** Further claims of their tokens, such as `app_metadata`. */
  readonly claims?: TokenClaims | undefined
}

/** Options of {@link startSupabaseIssuer}. */
export interface SupabaseIssuerOptions {
  /** Who can sign in. Default: nobody. */
  readonly users?: readonly SupabaseUser[] | undefined
  /** Default `ES256`; `HS256` is a project that has not moved to signing keys: its JWK Set is empty. */
  readonly algorithm?: 'ES256' | 'RS256' | 'HS256' | undefined
  /** The legacy JWT secret. Default: random. */
  readonly secret?: string | undefined
  /** Life of access tokens in seconds. Default 3,600. */
  readonly expiresInSeconds?: number | undefined
  /** What the `apikey` header must be. Default: anything or nothing. */
  readonly apiKey?: string | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
  /** Now, in milliseconds. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** A Supabase-shaped issuer for tests. */
export interface SupabaseIssuer extends ServerStates {
  /** What `SUPABASE_URL` would be: `http://127.0.0.1:<port>`. */
  readonly url: string
  /** The port that it listens on, also after it was down. */
  readonly port: number
  /** The `iss` of its tokens: `${url}/auth/v1`. */
  readonly issuer: string
  /** Where the key set is. */
  readonly jwksUrl: string
  /** The legacy JWT secret. */
  readonly secret: string
  /** Sign anything else, rotate keys. */
  readonly tokens: TokenIssuer
  /** How often somebody asked to sign in and to refresh; refused connections don't count. A snapshot. */
  readonly requests: { readonly password: number; readonly refresh: number }
  /** Let somebody sign in; the user comes back with its id. */
  addUser(user: SupabaseUser): SupabaseUser & { readonly id: string }
  /** End the sessions of a user: their refresh tokens are unknown from then on. */
  signOut(userId: string): void
}

/**
 * Start a Supabase-shaped issuer on 127.0.0.1: `POST /auth/v1/token?grant_type=password|refresh_token` and
 * `GET /auth/v1/.well-known/jwks.json`. A refresh token works once; used again, it ends its session. `ok()`, `down()` and
 * `slow()` switch the server's state. Costs a socket; call `close()`.
 *
 * @throws OptionsError for an unknown or malformed option
 * @throws Error where the port is taken
 * @example
 * const supabase = await startSupabaseIssuer({ users: [{ email: 'bot@example.test', password: 'secret' }] })
 * process.env.SUPABASE_URL = supabase.url
 */
export async function startSupabaseIssuer(options: SupabaseIssuerOptions = {}): Promise<SupabaseIssuer> {
  const { port, ...given } = parseOptions('startSupabaseIssuer', SHAPE, options)
  const { count, endpoints, ...server } = await startJsonServer((url) => createSupabaseProject(url, given), port)
  const { endpointOf: _, answer: __, ...project } = endpoints
  return Object.freeze({
    ...server,
    ...project,
    get requests() {
      return Object.freeze({ password: count('password'), refresh: count('refresh') })
    },
  })
}

/** The endpoints of a project. */
export type SupabaseEndpoint = 'password' | 'refresh' | 'jwks'

const GRANTS: ReadonlyMap<string | null, SupabaseEndpoint> = new Map([
  ['password', 'password'],
  ['refresh_token', 'refresh'],
])

/** What stands behind the server: users, their sessions, the tokens, and an answer for each endpoint. */
type SupabaseProject = JsonEndpoints<SupabaseEndpoint> &
  Pick<SupabaseIssuer, 'issuer' | 'jwksUrl' | 'secret' | 'tokens' | 'addUser' | 'signOut'>

/** Make the project of the server at `url`. */
export async function createSupabaseProject(url: string, options: SupabaseIssuerOptions): Promise<SupabaseProject> {
  const { algorithm = 'ES256', secret, expiresInSeconds = 3600, apiKey, clock } = options
  const issuer = `${url}/auth/v1`
  const tokens = await createTokenIssuer({ issuer, algorithms: [algorithm], clock, secret })
  const users = new Map<string, User>()
  const { begin, renew, signOut } = createSessions()
  const addUser: SupabaseIssuer['addUser'] = (given) => {
    const user = Object.freeze({ ...given, id: given.id ?? randomUUID() })
    users.set(user.email.toLowerCase(), user)
    return user
  }
  options.users?.forEach(addUser)
  const signIn = (email: unknown, password: unknown): Session | JsonAnswer => {
    if (typeof email !== 'string' || email === '') return refusal('validation_failed', 'missing email or phone')
    const user = users.get(email.toLowerCase())
    if (user !== undefined && user.password === password) return begin(user)
    return refusal('invalid_credentials', 'Invalid login credentials')
  }
  return {
    issuer,
    jwksUrl: `${issuer}/.well-known/jwks.json`,
    secret: tokens.secret,
    tokens,
    addUser,
    signOut,
    endpointOf({ method, path, query }) {
      if (method === 'GET' && path === '/auth/v1/.well-known/jwks.json') return 'jwks'
      if (method !== 'POST' || path !== '/auth/v1/token') return null
      return GRANTS.get(query.get('grant_type')) ?? null
    },
    answer(endpoint, { headers, body }) {
      if (endpoint === 'jwks') return { status: 200, body: tokens.jwks() }
      if (apiKey !== undefined && headers['apikey'] !== apiKey) {
        return { status: 401, body: { message: 'Invalid API key', hint: 'Double check the `apikey` header.' } }
      }
      const fields = fieldsOf(body)
      if (fields === null) return refusal('bad_json', 'Could not parse request body as JSON')
      const { email, password, refresh_token } = fields
      const session = endpoint === 'refresh' ? renew(refresh_token) : signIn(email, password)
      return 'status' in session ? session : grant(session, tokens, expiresInSeconds)
    },
  }
}

type User = ReturnType<SupabaseIssuer['addUser']>

interface Session {
  readonly id: string
  readonly user: User
  refreshToken: string
}

// Each session has one refresh token that is good; the ones it had are known until it ends.
function createSessions() {
  const byToken = new Map<string, Session>()
  const end = (isMeant: (session: Session) => boolean): void => {
    for (const [token, session] of byToken) if (isMeant(session)) byToken.delete(token)
  }
  const handOut = (session: Session): Session => {
    session.refreshToken = randomBytes(9).toString('base64url')
    byToken.set(session.refreshToken, session)
    return session
  }
  return {
    begin: (user: User): Session => handOut({ id: randomUUID(), user, refreshToken: '' }),
    renew(token: unknown): Session | JsonAnswer {
      if (typeof token !== 'string' || token === '') return refusal('validation_failed', 'refresh_token required')
      const session = byToken.get(token)
      if (session?.refreshToken === token) return handOut(session)
      if (session === undefined)
        return refusal('refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found')
      end((each) => each === session)
      return refusal('refresh_token_already_used', 'Invalid Refresh Token: Already Used')
    },
    signOut: (userId: string): void => end(({ user }) => user.id === userId),
  }
}

async function grant({ id, user, refreshToken }: Session, tokens: TokenIssuer, seconds: number): Promise<JsonAnswer> {
  const { id: sub, email, claims } = user
  const exp = Math.floor(tokens.clock() / 1000) + seconds
  const body = {
    access_token: await tokens.sign(tokens.supabaseClaims({ sub, email, exp, session_id: id, ...claims })),
    token_type: 'bearer',
    expires_in: seconds,
    expires_at: exp,
    refresh_token: refreshToken,
    user: { id: sub, email, aud: 'authenticated', role: 'authenticated' },
  }
  return { status: 200, body }
}

function fieldsOf(body: string): Partial<Record<'email' | 'password' | 'refresh_token', unknown>> | null {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

function refusal(code: string, message: string): JsonAnswer {
  return { status: 400, body: { code: 400, error_code: code, msg: message } }
}

const USER: Shape<SupabaseUser> = {
  email: aName(),
  password: aName(),
  id: optional(aName()),
  claims: optional(anObjectWith<TokenClaims>()),
}
const SHAPE: Shape<SupabaseIssuerOptions> = {
  users: optional(aListOf(aGroup(USER))),
  algorithm: optional(oneOf('ES256', 'RS256', 'HS256')),
  secret: optional(aName()),
  expiresInSeconds: optional(aNumber(1, 10 ** 9)),
  apiKey: optional(aName()),
  port: optional(aCount(0, 65_535)),
  clock: optional(aFunction<() => number>()),
}
