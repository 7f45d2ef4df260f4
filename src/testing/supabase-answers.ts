/**
 * What a Supabase-shaped issuer answers, endpoint by endpoint: bodies and refusals in the shape Supabase Auth writes
 * them. Hands on answers as values; the server around it owns the sockets.
 */
import type { IncomingMessage } from 'node:http'
import { createLocalJWKSet, type JWK, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Answer } from './faulty-server.ts'
import type { SupabaseAccounts, SupabaseGrant, SupabaseUser } from './supabase-accounts.ts'
import type { IssuerAlgorithm, TokenIssuer } from './token-issuer.ts'

/** The endpoints of the issuer. */
export type SupabaseEndpoint = 'password' | 'refresh' | 'grant' | 'user' | 'jwks' | 'discovery'

/** What the answers are made from. */
export interface SupabaseWorld {
  readonly accounts: SupabaseAccounts
  readonly tokens: TokenIssuer
  readonly expiresInSeconds: number
  /** The key an API gateway wants in `apikey`, or `null` for none. */
  readonly apiKey: string | null
  /** What access tokens are signed by now. */
  algorithm(): IssuerAlgorithm
}

/** Answer a request to one endpoint. */
export async function answerAs(
  world: SupabaseWorld,
  endpoint: SupabaseEndpoint,
  request: IncomingMessage,
  body: string,
): Promise<Answer> {
  if (endpoint === 'jwks') return { status: 200, body: world.tokens.jwks(), headers: CACHED }
  if (endpoint === 'discovery') return { status: 200, body: discoveryOf(world.tokens.issuer) }
  const { apikey } = request.headers
  if (world.apiKey !== null && apikey !== world.apiKey) {
    return { status: 401, body: { message: 'Invalid API key', hint: 'Double check the `apikey` header.' } }
  }
  const refuse = refuserFor(request)
  if (endpoint === 'user') return await answerUser(world, request, refuse)
  if (endpoint === 'grant') return refuse(400, 'invalid_credentials', 'unsupported_grant_type')
  const fields = fieldsOf(body)
  if (fields === null) return refuse(400, 'bad_json', 'Could not parse request body as JSON')
  return endpoint === 'password' ? await signIn(world, fields, refuse) : await renew(world, fields, refuse)
}

const CACHED = { 'cache-control': 'public, max-age=600' }

type Refuse = (status: number, code: string, message: string) => Answer

// Two shapes: the client that names an API version gets the later one.
function refuserFor(request: IncomingMessage): Refuse {
  const dated = request.headers['x-supabase-api-version'] === '2024-01-01'
  return (status, code, message) => ({
    status,
    body: dated ? { code, message } : { code: status, error_code: code, msg: message },
    headers: { 'x-sb-error-code': code, ...(dated && { 'x-supabase-api-version': '2024-01-01' }) },
  })
}

function fieldsOf(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}

type Fields = Readonly<Record<string, unknown>>

async function signIn(world: SupabaseWorld, { email, password }: Fields, refuse: Refuse): Promise<Answer> {
  if (typeof email !== 'string' || email === '') return refuse(400, 'validation_failed', 'missing email or phone')
  const user = typeof password === 'string' ? world.accounts.byPassword(email, password) : null
  if (user === null) return refuse(400, 'invalid_credentials', 'Invalid login credentials')
  if (!user.confirmed) return refuse(400, 'email_not_confirmed', 'Email not confirmed')
  return await grant(world, world.accounts.begin(user))
}

async function renew(world: SupabaseWorld, { refresh_token: token }: Fields, refuse: Refuse): Promise<Answer> {
  if (typeof token !== 'string' || token === '') return refuse(400, 'validation_failed', 'refresh_token required')
  const granted = world.accounts.refresh(token)
  if (granted === 'not_found') {
    return refuse(400, 'refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found')
  }
  if (granted === 'already_used') {
    return refuse(400, 'refresh_token_already_used', 'Invalid Refresh Token: Already Used')
  }
  return await grant(world, granted)
}

async function grant(world: SupabaseWorld, { user, sessionId, refreshToken }: SupabaseGrant): Promise<Answer> {
  const { tokens, expiresInSeconds } = world
  const expiresAt = Math.floor(tokens.clock() / 1000) + expiresInSeconds
  const claims = tokens.supabaseClaims({
    sub: user.id,
    email: user.email,
    phone: user.phone,
    exp: expiresAt,
    app_metadata: appMetadataOf(user),
    user_metadata: user.userMetadata,
    session_id: sessionId,
  })
  return {
    status: 200,
    body: {
      access_token: await tokens.sign(claims, { algorithm: world.algorithm() }),
      token_type: 'bearer',
      expires_in: expiresInSeconds,
      expires_at: expiresAt,
      refresh_token: refreshToken,
      user: toUserBody(user),
    },
  }
}

async function answerUser(world: SupabaseWorld, request: IncomingMessage, refuse: Refuse): Promise<Answer> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) return refuse(401, 'no_authorization', 'This endpoint requires a valid Bearer token')
  const claims = await verify(world.tokens, token)
  if (claims === null) return refuse(403, 'bad_jwt', 'invalid JWT')
  const { sub = '', session_id: sessionId } = claims
  const user = world.accounts.find(sub)
  if (user === null) return refuse(403, 'user_not_found', 'User from sub claim in JWT does not exist')
  if (!world.accounts.hasSession(String(sessionId))) {
    return refuse(403, 'session_not_found', 'Session from session_id claim in JWT does not exist')
  }
  return { status: 200, body: toUserBody(user) }
}

async function verify(tokens: TokenIssuer, token: string): Promise<JWTPayload | null> {
  const published = createLocalJWKSet({ keys: tokens.jwks().keys.map((key) => ({ ...key }) as JWK) })
  const keyFor: JWTVerifyGetKey = (header, input) =>
    header.alg === 'HS256' ? Buffer.from(tokens.secret) : published(header, input)
  const checks = { issuer: tokens.issuer, audience: tokens.audience, currentDate: new Date(tokens.clock()) }
  try {
    const { payload } = await jwtVerify(token, keyFor, checks)
    return payload
  } catch {
    return null
  }
}

function appMetadataOf(user: SupabaseUser): object {
  return { provider: 'email', providers: ['email'], ...user.appMetadata }
}

function toUserBody(user: SupabaseUser): object {
  const created = user.createdAt.toISOString()
  return {
    id: user.id,
    aud: 'authenticated',
    role: 'authenticated',
    email: user.email,
    email_confirmed_at: user.confirmed ? created : null,
    phone: user.phone,
    app_metadata: appMetadataOf(user),
    user_metadata: user.userMetadata,
    identities: [],
    created_at: created,
    updated_at: created,
    is_anonymous: false,
  }
}

function discoveryOf(issuer: string): object {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/user`,
    id_token_signing_alg_values_supported: ['ES256', 'RS256', 'HS256'],
  }
}
