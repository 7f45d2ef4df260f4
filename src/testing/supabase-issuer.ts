/**
 * An identity provider over real sockets in the shape of Supabase Auth: sign in by password, refresh, ask who one is,
 * publish keys. Machine clients and examples run against it; it issues real tokens and fails on demand.
 */
import * as z from 'zod/mini'
import { aFunction, aName, aNumber, parseOptions } from '../lib/parse-options.ts'
import { type FaultyServer, startFaultyServer } from './faulty-server.ts'
import { HTTP_FAULTS, type HttpFault } from './http-faults.ts'
import { createSupabaseAccounts, type SupabaseUser, type SupabaseUserOptions } from './supabase-accounts.ts'
import { answerAs, type SupabaseEndpoint } from './supabase-answers.ts'
import { createTokenIssuer, type IssuerAlgorithm, type TokenIssuer } from './token-issuer.ts'

/** What access tokens are signed by: a signing key, or the legacy secret. */
export type SupabaseAlgorithm = Extract<IssuerAlgorithm, 'ES256' | 'RS256' | 'HS256'>

/** Options of {@link startSupabaseIssuer}. */
export interface SupabaseIssuerOptions {
  readonly users?: readonly SupabaseUserOptions[] | undefined
  /** Default `ES256`; `HS256` is a project that has not moved to signing keys: its JWK Set is empty. */
  readonly algorithm?: SupabaseAlgorithm | undefined
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

/** What can go wrong with the issuer. */
export type SupabaseFault = 'ok' | 'refused' | HttpFault

/** How often each endpoint was asked. */
export interface SupabaseRequests {
  readonly password: number
  readonly refresh: number
  readonly user: number
  readonly jwks: number
}

/** A Supabase-shaped issuer for tests. */
export interface SupabaseIssuer {
  /** What `SUPABASE_URL` would be: `http://127.0.0.1:<port>`. */
  readonly url: string
  readonly port: number
  /** The `iss` of its tokens: `${url}/auth/v1`. */
  readonly issuer: string
  readonly jwksUrl: string
  /** The legacy JWT secret. */
  readonly secret: string
  /** Sign anything else, rotate keys. */
  readonly tokens: TokenIssuer
  /** A snapshot of the counters; faulty answers count, refused connections do not. */
  readonly requests: SupabaseRequests
  /** Sign by another algorithm from now on; makes and publishes its key if there is none: a migration. */
  signBy(algorithm: SupabaseAlgorithm): Promise<void>
  addUser(user: SupabaseUserOptions): SupabaseUser
  /** Delete a user and end its sessions; access tokens live on until they expire. */
  removeUser(id: string): void
  /** End the sessions of a user: their refresh tokens are unknown from then on. */
  signOut(userId: string): void
  /** Switch the fault, of one endpoint or of all; `refused` takes the whole server away. */
  fault(mode: SupabaseFault, only?: keyof SupabaseRequests): Promise<void>
  /** End at once, hanging answers too. */
  close(): Promise<void>
}

/**
 * Start an issuer on 127.0.0.1: `POST /auth/v1/token?grant_type=password` and `…=refresh_token` (each refresh token
 * works once; a second use ends the session), `GET /auth/v1/user`, `GET /auth/v1/.well-known/jwks.json` and
 * `openid-configuration`. Passwords are kept as they are: never for anything but tests. Costs a socket and a key
 * generation; call `close()`.
 *
 * @param options its users, how it signs, how long its tokens live
 * @throws TypeError for an unknown or malformed option
 * @throws Error where the port is taken
 * @example
 * const supabase = await startSupabaseIssuer({ users: [{ email: 'bot@example.test', password: 'correct horse' }] })
 * const url = `${supabase.url}/auth/v1/token?grant_type=password`
 */
export async function startSupabaseIssuer(options: SupabaseIssuerOptions = {}): Promise<SupabaseIssuer> {
  const { users, algorithm, secret, expiresInSeconds, apiKey, port, clock } = parseSupabaseOptions(options)
  const accounts = createSupabaseAccounts(users, clock)
  let signedBy: SupabaseAlgorithm = algorithm
  const server: FaultyServer<SupabaseEndpoint> = await startFaultyServer({
    port,
    endpointOf,
    answer: async (endpoint, request, body) => await answerAs(await world, endpoint, request, body),
  })
  const issuer = `${server.url}/auth/v1`
  const secretOption = secret === undefined ? {} : { secret }
  const making = createTokenIssuer({ issuer, algorithms: [algorithm], clock, ...secretOption })
  const world = making.then((made) => ({ accounts, tokens: made, expiresInSeconds, apiKey, algorithm: () => signedBy }))
  const tokens = await making
  return Object.freeze({
    url: server.url,
    port: server.port,
    issuer,
    jwksUrl: `${issuer}/.well-known/jwks.json`,
    secret: tokens.secret,
    tokens,
    get requests() {
      return requestsOf(server)
    },
    async signBy(next: SupabaseAlgorithm) {
      if (next !== 'HS256' && !tokens.jwks().keys.some(({ alg }) => alg === next)) await tokens.rotate(next)
      signedBy = next
    },
    addUser: accounts.add,
    removeUser: accounts.remove,
    signOut: accounts.signOut,
    fault: (mode: SupabaseFault, only?: keyof SupabaseRequests) => switchFault(server, mode, only),
    close: server.shut,
  })
}

function parseSupabaseOptions(options: SupabaseIssuerOptions) {
  const metadata = z.optional(z.record(z.string(), z.unknown()))
  const user = {
    email: aName(),
    password: aName(),
    id: z.optional(aName()),
    phone: z.optional(z.string()),
    appMetadata: metadata,
    userMetadata: metadata,
    confirmed: z.optional(z.boolean()),
  }
  const parsed = parseOptions(
    'startSupabaseIssuer',
    {
      users: z.optional(z.array(z.strictObject(user))),
      algorithm: z.optional(z.enum(['ES256', 'RS256', 'HS256'])),
      secret: z.optional(aName()),
      expiresInSeconds: z.optional(aNumber(1, 10 ** 9)),
      apiKey: z.optional(aName()),
      port: z.optional(aNumber(0, 65_535)),
      clock: z.optional(aFunction<() => number>()),
    },
    options,
  )
  return {
    users: options.users ?? [],
    algorithm: parsed.algorithm ?? 'ES256',
    secret: parsed.secret,
    expiresInSeconds: parsed.expiresInSeconds ?? 3600,
    apiKey: parsed.apiKey ?? null,
    port: parsed.port ?? 0,
    clock: parsed.clock ?? Date.now,
  }
}

function endpointOf(method: string, path: string, query: URLSearchParams): SupabaseEndpoint | null {
  if (method === 'POST' && path === '/auth/v1/token') {
    const grant = query.get('grant_type')
    return grant === 'password' ? 'password' : grant === 'refresh_token' ? 'refresh' : 'grant'
  }
  if (method !== 'GET') return null
  if (path === '/auth/v1/user') return 'user'
  if (path === '/auth/v1/.well-known/jwks.json') return 'jwks'
  return path === '/auth/v1/.well-known/openid-configuration' ? 'discovery' : null
}

function requestsOf(server: FaultyServer<SupabaseEndpoint>): SupabaseRequests {
  return Object.freeze({
    password: server.count('password'),
    refresh: server.count('refresh'),
    user: server.count('user'),
    jwks: server.count('jwks'),
  })
}

async function switchFault(
  server: FaultyServer<SupabaseEndpoint>,
  mode: SupabaseFault,
  only: keyof SupabaseRequests | undefined,
): Promise<void> {
  if (mode === 'refused') return await server.shut()
  if (mode !== 'ok' && !Object.hasOwn(HTTP_FAULTS, mode)) {
    throw new TypeError('startSupabaseIssuer: fault must be "ok", "refused" or an HttpFault')
  }
  server.spoil(mode === 'ok' ? null : mode, only)
  await server.open()
}
