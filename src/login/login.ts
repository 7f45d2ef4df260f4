/**
 * Local login put together: the rooms of a pipeline whose users sign in here, and the routes by which they do. Hands both
 * to the host, who spreads the rooms into `createAuth` and mounts the routes.
 */
import type { UserResolver, Verifier } from '../context.ts'
import { createExtractor, type DevAuthenticator } from '../credentials/extractor.ts'
import type { Route } from '../route.ts'
import type { Account } from '../storage/account-repositories.ts'
import { createAccountGate } from '../users/account-gate.ts'
import { createSessionVerifier } from '../verify/session-verifier.ts'
import { type LoginOptions, parseLoginOptions } from './login-options.ts'
import { createPasswordLogin } from './password-login.ts'
import { createSessionRoutes, createUserRoutes } from './routes.ts'
import { createSessionCookie } from './session-cookie.ts'

/** The steps that local login brings to `createAuth`: spread them into its options. */
export interface LoginAuth {
  readonly verifier: Verifier<'ver'>
  readonly users: UserResolver<Account, 'ver'>
  /** The session cookie; with it the CSRF rule holds. */
  readonly cookie: { readonly name: string; readonly publicUrl?: string | undefined }
  /** Dev mode only. */
  readonly dev?: DevAuthenticator | undefined
}

/** What {@link createLogin} and {@link createDevLogin} make. */
export interface Login {
  readonly auth: LoginAuth
  readonly routes: readonly Route[]
}

/**
 * Create local login: `POST …/login`, `POST …/logout`, `GET …/validate`, `POST …/password`, `GET …/capabilities`, and
 * `GET|POST …/users`, `PATCH|DELETE …/users/:id` for admins.
 *
 * Logging in costs one look-up, one hash and two updates of the throttle, whoever it is and whatever is wrong; a try
 * for which the hashing queue has no place costs nothing, one that the throttle refuses one look-up; a
 * request with a session costs one HMAC and one query.
 *
 * @throws TypeError for a missing or unknown option, a secret under 16 bytes, a role that is not on the ladder, `publicUrl`
 * without `clientAddress` or the other way about
 * @example
 * const login = createLogin({ storage, secret, service: 'ironflow', roles: ['viewer', 'developer', 'admin'] })
 * const auth = createAuth({ roles: ['viewer', 'developer', 'admin'], ...login.auth, orgs })
 * mount(app, login.routes)
 */
export function createLogin<const R extends string>(options: LoginOptions<R>): Login {
  const settings = parseLoginOptions(options)
  const { secret, service, clock, cookieName, publicUrl, storage } = settings
  const verify = createSessionVerifier({ secret, service, clock })
  const users = createAccountGate({ sessions: storage.sessions })
  const origin = publicUrl === null ? null : new URL(publicUrl).origin
  const routes = createSessionRoutes({
    settings,
    login: createPasswordLogin(settings),
    cookie: createSessionCookie(cookieName, publicUrl, settings.sessionSeconds),
    extractor: createExtractor({ serviceHeaders: [], apiKeyPrefix: null, cookie: { name: cookieName, origin } }),
    verify: (token) => verify.verify(token),
    requireLive: (identity) => users(identity, { kind: 'unnamed' }),
  })
  const cookie = publicUrl === null ? { name: cookieName } : { name: cookieName, publicUrl }
  return Object.freeze({
    auth: Object.freeze({ verifier: verify, users, cookie }),
    routes: Object.freeze([...routes, ...createUserRoutes(settings)]),
  })
}
