/** A whole local login in memory: fast hashes (counted), a clock that stands still, its routes called as an adapter would. */
import { type Auth, createAuth } from '../../src/auth.ts'
import { type AuthError, isAuthError } from '../../src/errors.ts'
import { createRouteFinder } from '../../src/http/route-path.ts'
import { createLogin, type Login } from '../../src/login/login.ts'
import type { LoginEvent, LoginOptions } from '../../src/login/login-options.ts'
import { createPasswordHasher, type PasswordHasher } from '../../src/login/password-hash.ts'
import { createUserOrgResolver } from '../../src/orgs/org-resolver.ts'
import type { AuthRequest, AuthResponse } from '../../src/request.ts'
import type { AccountRecord, AccountStorage } from '../../src/storage/account-repositories.ts'
import { createMemoryAccounts, createMemoryStorage } from '../../src/storage/memory.ts'
import { counted } from '../pipeline/counted.ts'
import { fakeRequest } from '../pipeline/fake-request.ts'

export const ROLES: readonly ['viewer', 'developer', 'admin'] = ['viewer', 'developer', 'admin']
export const SECRET: Uint8Array = new Uint8Array(32).fill(7)
/** A password that the rules let pass. */
export const GOOD = 'tulip-cavern-91-osprey'
export const BETTER = 'walnut-harbour-17-kestrel'
export const START: number = Date.parse('2026-11-20T10:00:00Z')

/** What an answer is, its body parsed. */
export interface Answer {
  readonly status: number
  readonly headers: AuthResponse['headers']
  readonly text: string | null
  // biome-ignore lint/suspicious/noExplicitAny: what is asserted is its content
  readonly json: any
  /** The internal reason where it is a refusal. */
  readonly reason: string | null
  /** What that refusal says it wanted and got. */
  readonly expected: string | null
  readonly got: string | null
}

export interface CallOptions {
  readonly body?: unknown
  readonly token?: string
  readonly cookie?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly address?: string | null
  readonly encrypted?: boolean
}

export interface LoginWorld {
  readonly storage: AccountStorage
  readonly login: Login
  readonly auth: Auth
  /** Calls of repositories and of the hasher. */
  readonly calls: string[]
  readonly events: LoginEvent[]
  readonly passwords: PasswordHasher
  now: number
  /** An account in the storage, its password `GOOD`. */
  account(
    email: string,
    role?: string,
    more?: { disabled?: boolean; passwordHash?: string | null },
  ): Promise<AccountRecord>
  /** Call a route below `/api/v1`. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** Log in and hand on the token. */
  signIn(email: string, password?: string): Promise<string>
}

export const FAST = { kind: 'scrypt', ln: 4, r: 1, p: 1 } as const

export interface LoginWorldOptions {
  readonly makeLogin?: (common: LoginOptions) => Login
  /** What the auth takes beside what the login brings. */
  readonly auth?: Partial<Parameters<typeof createAuth>[0]>
}

export function createLoginWorld(options: Partial<LoginOptions> & LoginWorldOptions = {}): LoginWorld {
  const { makeLogin = createLogin, auth: others, ...more } = options
  const calls: string[] = []
  const committed = more.storage ?? createMemoryAccounts()
  const storage: AccountStorage = {
    accounts: counted('accounts', committed.accounts, calls),
    sessions: counted('sessions', committed.sessions, calls),
    throttle: counted('throttle', committed.throttle, calls),
    transaction: committed.transaction,
  }
  const hasher = more.passwords ?? createPasswordHasher({ cost: FAST })
  const passwords = counted('passwords', hasher, calls)
  const events: LoginEvent[] = []
  const world = { now: START } as { -readonly [K in keyof LoginWorld]: LoginWorld[K] }
  const login = makeLogin({
    secret: SECRET,
    service: 'ironflow',
    roles: ROLES,
    cookieName: 'session',
    onEvent: (event) => void events.push(event),
    clock: () => world.now,
    ...more,
    storage,
    passwords,
  })
  const orgs = createUserOrgResolver({ memberships: createMemoryStorage().memberships as never, orgIdOf: () => null })
  const auth = createAuth({ ...login.auth, orgs, ...others }) as unknown as Auth
  const send = senderOf(auth, login)
  return Object.assign(world, {
    ...{ storage, login, auth, calls, events, passwords },
    account: async (email: string, role = 'viewer', { disabled = false, passwordHash }: AccountMore = {}) =>
      committed.accounts.insert({
        ...{ email, role, disabled, createdAt: new Date(world.now) },
        passwordHash: passwordHash === undefined ? await hasher.hash(GOOD) : passwordHash,
      }),
    call: (method: string, path: string, given: CallOptions = {}) => send(method, `/api/v1${path}`, given),
    async signIn(email: string, password: string = GOOD) {
      const { status, json, reason } = await send('POST', '/api/v1/auth/login', { body: { email, password } })
      if (status !== 200) throw new Error(`no login: ${status} ${reason}`)
      return json.token as string
    },
  })
}

interface AccountMore {
  disabled?: boolean
  passwordHash?: string | null
}

type Send = (method: string, path: string, options: CallOptions) => Promise<Answer>

function senderOf(auth: Auth, { routes }: Login): Send {
  const find = createRouteFinder(routes.map((route) => ({ ...route, enter: auth.authorizer(route.access as never) })))
  return async (method, path, options) => {
    const found = find(method, path)
    if (found === null) throw new Error(`no route: ${method} ${path}`)
    const request = toRequest(method, path, found.params, options)
    try {
      const { context } = await found.route.enter(request)
      return toAnswer(await found.route.handle(context as never, request), null)
    } catch (error) {
      if (isAuthError(error)) return toAnswer(auth.toResponse(error), error)
      throw error
    }
  }
}

/** A request as an adapter would have made it. */
export function toRequest(
  method: string,
  path: string,
  params: Readonly<Record<string, string>>,
  { body, token, cookie, headers = {}, address = '127.0.0.1', encrypted = false }: CallOptions,
): AuthRequest {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const all: Record<string, string> = {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(cookie === undefined ? {} : { cookie: `session=${cookie}` }),
    ...headers,
  }
  const bytes = new TextEncoder().encode(text ?? '')
  const request = fakeRequest({ method, path, params, headers: all, encrypted, body: { kind: 'bytes', bytes } })
  return { ...request, remoteAddress: address, headerNames: () => Object.keys(all) }
}

function toAnswer({ status, headers, body }: AuthResponse, refusal: AuthError | null): Answer {
  const { reason = null, expected = null, got = null } = refusal ?? {}
  return { status, headers, text: body, json: body === null ? null : JSON.parse(body), reason, expected, got }
}
