/**
 * Local login put together: what a `createAuth` takes whose users sign in here, the routes by which they do, and the first
 * admin. Hands all of it to the host.
 */
import type { Roles, UserResolver, Verifier } from '../context.ts'
import { createExtractor, type DevAuthenticator } from '../credentials/extractor.ts'
import type { PermissionOf, RoleOf, RolesGiven } from '../permissions/roles.ts'
import type { Route } from '../route.ts'
import type { Account } from '../storage/account-repositories.ts'
import { createFirstAdmin, type FirstAdminOptions, resetAdmin } from './accounts.ts'
import { type AccountSettings, type LoginOptions, parseLoginOptions } from './login-options.ts'
import { createPasswordLogin } from './password-login.ts'
import { createSessionRoutes, createUserRoutes } from './routes.ts'
import { createSessions } from './session.ts'

/** What local login brings to `createAuth`: spread it into its options. */
interface LoginAuth<R extends string, P extends string> {
  /** The roles of accounts are those of `createAuth`. */
  readonly roles: Roles<R, P>
  readonly verifier: Verifier<'ver'>
  readonly users: UserResolver<Account, 'ver'>
  /** The session cookie; with it the CSRF rule holds. */
  readonly cookie: { readonly name: string; readonly publicUrl?: string | undefined }
  /** Dev mode only. */
  readonly dev?: DevAuthenticator | undefined
}

/** What {@link createLogin} and `createDevLogin` make. */
export interface Login<R extends string = string, P extends string = string> {
  /** What `createAuth` takes of it: roles, verifier, users and cookie. */
  readonly auth: LoginAuth<R, P>
  /** For an adapter's `mount`. */
  readonly routes: readonly Route[]
  /**
   * Create the first admin unless this storage has, or ever had, one: a marker that one process claims, once and for all.
   * Call it at every start, after the tables are made; no route does. The account has the `adminRole`. Cost where there is
   * nothing to do: one transaction, no hash.
   *
   * @returns whether this call made the admin
   * @throws OptionsError for a missing or unknown option, or what is no e-mail
   * @example
   * await login.createFirstAdmin({
   *   email: 'admin@example.com',
   *   announce: ({ email, password }) => console.log(`${email} has the password: ${password}`),
   * })
   */
  createFirstAdmin(options: FirstAdminOptions): Promise<boolean>
  /**
   * Give the admin a new password: the account is enabled, its role set, made where it was deleted; its sessions end and its
   * throttle is forgotten. For a command of yours; safe beside running servers. Cost: one hash, one transaction.
   *
   * @throws OptionsError for a missing or unknown option, or what is no e-mail
   * @example
   * await login.resetAdmin({ email: 'admin@example.com', announce })
   */
  resetAdmin(options: FirstAdminOptions): Promise<void>
}

/**
 * Create local login: `POST …/login`, `POST …/logout`, `GET …/validate`, `POST …/password`, `GET …/capabilities`, and
 * `GET|POST …/users`, `PATCH|DELETE …/users/:id` for admins.
 *
 * Logging in costs one look-up, one hash and two updates of the throttle, whoever it is and whatever is wrong; a try for
 * which the hashing queue has no place costs nothing, one that the throttle refuses one look-up; a request with a session
 * costs one HMAC and one query.
 *
 * @throws OptionsError for a missing or unknown option, a secret under 16 bytes, roles that are none, `publicUrl`
 * without `clientAddress` or the other way about
 * @example
 * const login = createLogin({ storage, secret, service: 'ironflow', roles: ['viewer', 'developer', 'admin'] })
 * const auth = createAuth({ ...login.auth, orgs })
 * mount(app, login.routes)
 */
export function createLogin<const G extends RolesGiven>(options: LoginOptions<G>): Login<RoleOf<G>, PermissionOf<G>> {
  const settings = parseLoginOptions(options as LoginOptions)
  const { cookieName: name, publicUrl } = settings
  const sessions = createSessions({ ...settings, repository: settings.storage.sessions })
  const origin = publicUrl === null ? null : new URL(publicUrl).origin
  const extractor = createExtractor({ serviceHeaders: [], apiKeyPrefix: null, cookie: { name, origin } })
  const sessionRoutes = createSessionRoutes(createPasswordLogin(settings, sessions), extractor)
  const { verifier, users } = sessions
  const cookie = publicUrl === null ? { name } : { name, publicUrl }
  return loginOf<RoleOf<G>, PermissionOf<G>>(settings, { verifier, users, cookie }, sessionRoutes)
}

/** Put a login together from what it brings to `createAuth` and its own routes; users' routes stand in every login. */
export function loginOf<R extends string, P extends string>(
  settings: AccountSettings,
  steps: Omit<LoginAuth<R, P>, 'roles'>,
  routes: readonly Route[],
): Login<R, P> {
  const roles = settings.roles as Roles<R, P>
  const users: UserResolver<Account, 'ver'> = Object.freeze(Object.assign(steps.users, { roles }))
  return Object.freeze({
    auth: Object.freeze({ ...steps, roles, users }),
    routes: Object.freeze([...routes, ...createUserRoutes(settings)]),
    createFirstAdmin: (options: FirstAdminOptions) => createFirstAdmin(settings, options),
    resetAdmin: (options: FirstAdminOptions) => resetAdmin(settings, options),
  })
}
