/** The routes of local login as data: sign in and out, the own password, users. Hands them to an adapter's `mount`. */
import type { AuthContext, Identity, UserContext } from '../context.ts'
import type { Extractor } from '../credentials/extractor.ts'
import { AuthError, isAuthError } from '../errors.ts'
import { jsonResponse, noContent } from '../http/json-response.ts'
import { readField, readJson } from '../http/read-json.ts'
import type { Access, AuthRequest, AuthResponse } from '../request.ts'
import type { Route } from '../route.ts'
import type { Account } from '../storage/account-repositories.ts'
import { createAccounts, isString } from './accounts.ts'
import type { AccountSettings, LoginSettings } from './login-options.ts'
import type { PasswordLogin } from './password-login.ts'
import type { SessionCookieWriter } from './session-cookie.ts'

/** What the session routes work with. */
export interface SessionRoutesParts {
  readonly settings: LoginSettings
  readonly login: PasswordLogin
  readonly cookie: SessionCookieWriter
  /** Reads the one session a request brings. */
  readonly extractor: Extractor
  /** Whose session a token is; refuses what is none, or has ended. */
  verify(token: string): Promise<Identity<'ver'>>
  requireLive(identity: Identity<'ver'>): Promise<unknown>
}

type Handle<C> = (context: C, request: AuthRequest) => Promise<AuthResponse>

/** Build a route. */
export function routeOf<C>(method: Route['method'], path: string, access: Access, handle: Handle<C>): Route {
  return Object.freeze({ method, path, access, handle: handle as unknown as Route['handle'] }) as Route
}

// Tokens and people in it: no cache keeps it, shared or private.
const NO_STORE = ['Cache-Control', 'no-store'] as const

/** The routes around a session. */
export function createSessionRoutes(parts: SessionRoutesParts): readonly Route[] {
  const { settings, login, cookie } = parts
  const { paths, clientAddress } = settings
  return [
    routeOf<null>('POST', paths.login, 'public', async (_, request) => {
      const body = await readJson(request)
      const [email, password] = [readField(body, 'email', isString), readField(body, 'password', isString)]
      const { token } = await login.logIn(email, password, clientAddress(request))
      return jsonResponse(200, { token }, [NO_STORE, cookie.set(token, request)])
    }),
    routeOf<null>('POST', paths.logout, 'public', async (_, request) => {
      await logOut(parts, request)
      return noContent([NO_STORE, cookie.clear(request)])
    }),
    // Public, so that whatever is not a live session is 401 here: an API key, a service's secret.
    routeOf<null>('GET', paths.validate, 'public', async (_, request) => {
      await parts.requireLive(await requireSession(parts, request))
      return jsonResponse(200, { valid: true }, [NO_STORE])
    }),
    routeOf<UserContext>('POST', paths.password, USER, async ({ user }, request) => {
      const body = await readJson(request)
      const current = readField(body, 'current_password', isString)
      const next = readField(body, 'new_password', isString)
      await login.changePassword(user as Account, { current, next }, clientAddress(request))
      return noContent([NO_STORE, cookie.clear(request)])
    }),
    capabilitiesRoute(paths.capabilities, true),
  ]
}

const USER: Access = Object.freeze({ needs: 'user' })

/** The route that says whether one has to log in. */
export function capabilitiesRoute(path: string, isRequired: boolean): Route {
  return routeOf('GET', path, 'public', async () => jsonResponse(200, { auth_required: isRequired }, [NO_STORE]))
}

/** The routes by which admins manage users. */
export function createUserRoutes(settings: AccountSettings): readonly Route[] {
  const { paths, adminRole } = settings
  const access: Access = Object.freeze({ needs: 'user', role: adminRole })
  const accounts = createAccounts(settings)
  const one = `${paths.users}/:id`
  return [
    routeOf<AuthContext>('GET', paths.users, access, async () =>
      jsonResponse(200, { users: (await accounts.list()).map(present) }, [NO_STORE]),
    ),
    routeOf<UserContext>('POST', paths.users, access, async ({ user }, request) => {
      const account = await accounts.create(await readJson(request), user.id)
      return jsonResponse(201, { user: present(account) }, [NO_STORE])
    }),
    routeOf<UserContext>('PATCH', one, access, async ({ user }, request) => {
      const account = await accounts.change(idOf(request), await readJson(request), user.id)
      return jsonResponse(200, { user: present(account) }, [NO_STORE])
    }),
    routeOf<UserContext>('DELETE', one, access, async ({ user }, request) => {
      await accounts.remove(idOf(request), user.id)
      return noContent([NO_STORE])
    }),
  ]
}

// One by one: what else a record holds stays inside.
function present({ id, email, role, disabled, createdAt }: Account): unknown {
  return { id, email, role, disabled, created_at: createdAt }
}

function idOf({ params }: AuthRequest): string {
  return (params !== null && Object.hasOwn(params, 'id') && params['id']) || ''
}

async function requireSession(
  { extractor, verify }: SessionRoutesParts,
  request: AuthRequest,
): Promise<Identity<'ver'>> {
  const credential = extractor.extract(request)
  if (credential === null) throw new AuthError('unauthorized', { reason: 'session_missing', absent: true })
  return verify(credential.kind === 'bearer' ? credential.token : '')
}

// Whatever came along, the cookie goes; only a session that verifies is ended (peers' row 36).
async function logOut(parts: SessionRoutesParts, request: AuthRequest): Promise<void> {
  const identity = await requireSession(parts, request).catch((error: unknown) => {
    if (isAuthError(error)) return null
    throw error
  })
  if (identity !== null) await parts.login.logOut(identity)
}
