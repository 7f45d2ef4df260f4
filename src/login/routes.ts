/** The routes of local login as data: sign in and out, the own password, users. Hands them to an adapter's `mount`. */
import * as z from 'zod/mini'
import type { AuthContext, Identity, UserContext } from '../context.ts'
import type { Extractor } from '../credentials/extractor.ts'
import { isAuthError } from '../errors.ts'
import { jsonResponse, noContent } from '../http/json-response.ts'
import { readJson } from '../http/read-json.ts'
import { recheckCallers } from '../http/request-body.ts'
import type { Access, AuthRequest, AuthResponse } from '../request.ts'
import type { Route } from '../route.ts'
import type { Account } from '../storage/account-repositories.ts'
import { type Admin, changeAccount, createAccount, removeAccount } from './accounts.ts'
import { type AccountSettings, notifyEvent } from './login-options.ts'
import { changePassword, logIn, type PasswordLogin } from './password-login.ts'

const CREDENTIALS = z.object({ email: z.string(), password: z.string() })
const PASSWORDS = z.object({ current_password: z.string(), new_password: z.string() })

type Header = AuthResponse['headers'][number]

// Tokens and people in it: no cache keeps it, shared or private.
const NO_STORE: Header = ['Cache-Control', 'no-store']
const USER: Access = Object.freeze({ needs: 'user' })
// Whoever else calls, an API key or a service, has no session here.
const SESSION: Access = Object.freeze({ needs: 'user', probe: true })

/** The routes around a session; `extractor` reads the one session that a request brings. */
export function createSessionRoutes(login: PasswordLogin, extractor: Extractor): readonly Route[] {
  const { settings, sessions } = login
  const { paths, clientAddress, sessionSeconds } = settings
  return [
    routeOf<null>('POST', paths.login, 'public', async (_, request) => {
      const { email, password } = await readJson(request, CREDENTIALS)
      const token = await logIn(login, email, password, clientAddress(request))
      return jsonResponse(200, { token }, [NO_STORE, cookieLine(settings, request, { token, sessionSeconds })])
    }),
    routeOf<null>('POST', paths.logout, 'public', async (_, request) => {
      const session = await findSession(login, extractor, request)
      if (session !== null) {
        await sessions.end(session)
        notifyEvent(settings, 'logged_out', session.subject)
      }
      return noContent([NO_STORE, cookieLine(settings, request)])
    }),
    validateRoute(settings, SESSION),
    routeOf<UserContext>('POST', paths.password, USER, async ({ user }, request) => {
      const { current_password: current, new_password: next } = await readJson(request, PASSWORDS)
      const recheck = (): Promise<void> => recheckCallers(request.source)
      await changePassword(login, user as Account, { current, next, recheck }, clientAddress(request))
      return noContent([NO_STORE, cookieLine(settings, request)])
    }),
    capabilitiesRoute(settings, true),
  ]
}

/** The routes of dev mode: there is no session to begin, none to end, and everybody has one. */
export function createDevRoutes(settings: AccountSettings): readonly Route[] {
  return [
    capabilitiesRoute(settings, false),
    validateRoute(settings, USER),
    routeOf<null>('POST', settings.paths.logout, 'public', async (_, request) =>
      noContent([NO_STORE, cookieLine(settings, request)]),
    ),
  ]
}

/** The routes by which admins manage users. */
export function createUserRoutes(settings: AccountSettings): readonly Route[] {
  const { paths, adminRole, storage } = settings
  const access: Access = Object.freeze({ needs: 'user', role: adminRole })
  const one = `${paths.users}/:id`
  return [
    routeOf<AuthContext>('GET', paths.users, access, async () =>
      jsonResponse(200, { users: (await storage.accounts.list()).map(present) }, [NO_STORE]),
    ),
    routeOf<UserContext>('POST', paths.users, access, async (context, request) => {
      const account = await createAccount(settings, await readJson(request), adminOf(context, request))
      return jsonResponse(201, { user: present(account) }, [NO_STORE])
    }),
    routeOf<UserContext>('PATCH', one, access, async (context, request) => {
      const account = await changeAccount(settings, idOf(request), await readJson(request), adminOf(context, request))
      return jsonResponse(200, { user: present(account) }, [NO_STORE])
    }),
    routeOf<UserContext>('DELETE', one, access, async ({ user: { id }, role }, request) => {
      await removeAccount(settings, idOf(request), { id, role })
      return noContent([NO_STORE])
    }),
  ]
}

function adminOf({ user: { id }, role }: UserContext, { source }: AuthRequest): Admin {
  return { id, role, recheck: () => recheckCallers(source) }
}

function validateRoute({ paths }: AccountSettings, access: Access): Route {
  return routeOf('GET', paths.validate, access, async () => jsonResponse(200, { valid: true }, [NO_STORE]))
}

function capabilitiesRoute({ paths }: AccountSettings, isRequired: boolean): Route {
  return routeOf('GET', paths.capabilities, 'public', async () =>
    jsonResponse(200, { auth_required: isRequired }, [NO_STORE]),
  )
}

function routeOf<C>(
  method: Route['method'],
  path: string,
  access: Access,
  handle: (context: C, request: AuthRequest) => Promise<AuthResponse>,
): Route {
  return Object.freeze({ method, path, access, handle: handle as Route['handle'] })
}

// What is no session, or none that verifies, is nothing to end: the cookie goes all the same.
async function findSession(
  { sessions }: PasswordLogin,
  extractor: Extractor,
  request: AuthRequest,
): Promise<Identity<'ver'> | null> {
  try {
    const credential = extractor.extract(request)
    return credential?.kind === 'bearer' ? await sessions.verifier.verify(credential.token) : null
  } catch (error) {
    if (isAuthError(error)) return null
    throw error
  }
}

// Set, and without a session cleared, with the same attributes; `Secure` wherever there is TLS, or the name asks for it
// (RFC 6265bis §4.1.3).
function cookieLine(
  { cookieName, publicUrl }: AccountSettings,
  { encrypted }: AuthRequest,
  { token, sessionSeconds } = { token: '', sessionSeconds: 0 },
): Header {
  const isPrefixed = /^__(?:host|secure)-/i.test(cookieName)
  const isSecure = isPrefixed || (publicUrl === null ? encrypted : publicUrl.startsWith('https:'))
  const attributes = `Path=/; Max-Age=${sessionSeconds}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  return ['Set-Cookie', `${cookieName}=${token}; ${attributes}`]
}

// One by one: what else a record holds stays inside.
function present({ id, email, role, disabled, createdAt }: Account): unknown {
  return { id, email, role, disabled, created_at: createdAt }
}

function idOf({ params }: AuthRequest): string {
  return (params !== null && Object.hasOwn(params, 'id') && params['id']) || ''
}
