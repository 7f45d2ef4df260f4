/**
 * The options of `createLogin` and `createDevLogin`, checked: what decides trust throws here, not at a request. Hands on the
 * settings, whose hook for the audit log the whole login notifies.
 */
import type { Roles } from '../context.ts'
import { requireAtOnce } from '../lib/at-once.ts'
import { describeHttpUrl } from '../lib/http-url.ts'
import {
  aCount,
  aFunction,
  aGroup,
  aName,
  aNumber,
  anObjectWith,
  aRoutePathAbove,
  aString,
  aValue,
  type Complete,
  checkedBy,
  isHttpToken,
  optional,
  optionsError,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { notify } from '../lib/standard-error.ts'
import { type RoleOf, type RolesGiven, requireNamed, toRoles } from '../permissions/roles.ts'
import type { AuthRequest } from '../request.ts'
import type { AccountStorage } from '../storage/account-repositories.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'
import { createPasswordHasher, type PasswordHasher } from './password-hash.ts'
import type { PasswordRules } from './password-rules.ts'
import { DEFAULT_LIMITS, type ThrottleLimits } from './throttle.ts'

type Some<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** Where the routes are. */
interface LoginPaths {
  /** `POST`: log in. Default `/api/v1/auth/login`. */
  readonly login: string
  /** `POST`: log out. Default `/api/v1/auth/logout`. */
  readonly logout: string
  /** `GET`: whether the session is live. Default `/api/v1/auth/validate`. */
  readonly validate: string
  /** `POST`: change one's own password. Default `/api/v1/auth/password`. */
  readonly password: string
  /** `GET`: whether one has to log in. Default `/api/v1/capabilities`. */
  readonly capabilities: string
  /** `GET`, `POST`, and `PATCH` and `DELETE` with `/:id`: users, for admins. Default `/api/v1/users`. */
  readonly users: string
}

/** What login and dev mode have in common. */
export interface AccountsOptions<G extends RolesGiven = RolesGiven> {
  /** Where accounts, ended sessions and the throttle's counters are kept. */
  readonly storage: AccountStorage
  /** The service's name: `iss` and `aud` of its sessions; no password may be little more than it. */
  readonly service: string
  /** The roles, as `createAuth` takes them: it gets them with the rest of `login.auth`. */
  readonly roles: G
  /** The lowest role that manages users, and of which one enabled account always remains. Default: the highest. */
  readonly adminRole?: RoleOf<G> | undefined
  /** The session cookie's name. Default `__Host-session`, which needs TLS, or a loopback host. */
  readonly cookieName?: string | undefined
  /** Where the service is reached behind a proxy: decides `Secure` and the own origin. Default: socket and `Host`. */
  readonly publicUrl?: string | undefined
  /** Other paths of the routes, one by one. Default `/api/v1/auth/login`, `…/logout`, `…/validate`, `…/password`, `/api/v1/capabilities`, `/api/v1/users`. */
  readonly paths?: Some<LoginPaths> | undefined
  /** Fewest code points of a new password: 8 to 64. Default 15, what a password without a second factor needs. */
  readonly minPasswordLength?: number | undefined
  /** What hashes passwords. Default: {@link createPasswordHasher} as it is. */
  readonly passwords?: PasswordHasher | undefined
  /** Told of what happened, for the audit log. It delays and changes nothing; what it throws is printed. */
  readonly onEvent?: ((event: LoginEvent) => unknown) | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** Options of {@link createLogin}. */
export interface LoginOptions<G extends RolesGiven = RolesGiven> extends AccountsOptions<G> {
  /** The bytes sessions are signed with: {@link loadSigningSecret} finds them. */
  readonly secret: Uint8Array
  /** How long a session lives, in seconds: 60 to 2592000. Default 86400. */
  readonly sessionSeconds?: number | undefined
  /** Other limits of the throttle. */
  readonly throttle?: Some<ThrottleLimits> | undefined
  /**
   * The client's address for the throttle: the one place where a trusted proxy is named ({@link forwardedAddress}); `null`
   * where it is not known: then only accounts are counted. Goes together with `publicUrl`: behind a proxy all clients have
   * the peer's address, and one of them would shut the login for all. Default: the peer of the socket; `X-Forwarded-For`
   * means nothing, because anybody can send one.
   */
  readonly clientAddress?: ((request: AuthRequest) => string | null) | undefined
}

/** Options of {@link createDevLogin}. */
export interface DevLoginOptions<G extends RolesGiven = RolesGiven> extends AccountsOptions<G> {
  /** The value of `NODE_ENV`, read once by the host: exactly `development` or `test`. The other options are those of {@link createLogin}, but `secret`, `sessionSeconds`, `throttle` and `clientAddress`. */
  readonly nodeEnv: string | undefined
}

type Settled = Omit<Complete<AccountsOptions>, 'roles' | 'minPasswordLength' | 'paths' | 'publicUrl' | 'onEvent'>

/** What user management works with. */
export interface AccountSettings extends Settled {
  readonly roles: Roles
  readonly publicUrl: string | null
  readonly paths: LoginPaths
  readonly rules: PasswordRules
  readonly onEvent: AccountsOptions['onEvent']
}

/** What login works with. */
export interface LoginSettings
  extends AccountSettings,
    Complete<Pick<LoginOptions, 'secret' | 'sessionSeconds' | 'clientAddress'>> {
  readonly limits: ThrottleLimits
}

export function parseLoginOptions(options: LoginOptions): LoginSettings {
  const parsed = parseOptions('createLogin', { ...accountsShape(), ...loginShape() }, options)
  const { secret, sessionSeconds = 86_400, clientAddress = ({ remoteAddress }) => remoteAddress } = parsed
  requireTogether(parsed)
  const limits = { ...DEFAULT_LIMITS, ...given(parsed.throttle) }
  const addressOf = (request: AuthRequest) =>
    requireAtOnce('createLogin: option "clientAddress"', clientAddress(request))
  return { ...settingsOf('createLogin', parsed), secret, sessionSeconds, clientAddress: addressOf, limits }
}

export function parseDevLoginOptions(options: DevLoginOptions): AccountSettings {
  const name = 'createDevLogin'
  const parsed = parseOptions(name, { ...accountsShape(), nodeEnv: optional(aString()) }, options)
  if (parsed.nodeEnv === 'development' || parsed.nodeEnv === 'test') return settingsOf(name, parsed)
  throw optionsError(name, 'nodeEnv', 'must be exactly "development" or "test"')
}

// A public URL says that there is a proxy; whose address is the client's, only the host knows.
function requireTogether({ publicUrl, clientAddress }: Pick<LoginOptions, 'publicUrl' | 'clientAddress'>): void {
  if ((publicUrl === undefined) === (clientAddress === undefined)) return
  const [missing, given] = publicUrl === undefined ? ['publicUrl', 'clientAddress'] : ['clientAddress', 'publicUrl']
  const why = 'behind a proxy both are known, or the throttle takes all clients for one'
  throw optionsError('createLogin', missing as string, `is required where there is "${given}": ${why}`)
}

function settingsOf(name: string, parsed: AccountsOptions): AccountSettings {
  const { service, cookieName = '__Host-session', publicUrl = null, onEvent, clock = Date.now } = parsed
  const roles = toRoles(parsed.roles, name)
  const { adminRole = roles.highest } = parsed
  if (adminRole === null)
    throw optionsError(name, 'adminRole', 'is required with sets of permissions, none of which is the highest')
  return {
    ...{
      service,
      roles,
      adminRole: requireNamed(roles, adminRole, name, 'adminRole'),
      cookieName,
      publicUrl,
      onEvent,
      clock,
    },
    storage: withStorageErrors(parsed.storage),
    paths: { ...PATHS, ...given(parsed.paths) },
    rules: { minLength: parsed.minPasswordLength ?? 15, serviceName: service },
    passwords: parsed.passwords ?? createPasswordHasher(),
  }
}

// What was left out of a group must not stand in the way of a default.
function given<T extends object>(group: T | undefined): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(group ?? {}).filter(([, value]) => value !== undefined)) as never
}

const PATHS: LoginPaths = Object.freeze({
  login: '/api/v1/auth/login',
  logout: '/api/v1/auth/logout',
  validate: '/api/v1/auth/validate',
  password: '/api/v1/auth/password',
  capabilities: '/api/v1/capabilities',
  users: '/api/v1/users',
})

const path = optional(aRoutePathAbove())

const accountsShape = (): Shape<AccountsOptions> => ({
  storage: anObjectWith('transaction'),
  service: aName(),
  roles: aValue<RolesGiven>(),
  adminRole: optional(aString()),
  cookieName: optional(aValue(isHttpToken, 'must be a cookie name')),
  publicUrl: optional(checkedBy<string>(describeHttpUrl)),
  paths: optional(
    aGroup({
      login: path,
      logout: path,
      validate: path,
      password: path,
      capabilities: path,
      users: optional(aRoutePathAbove('id')),
    }),
  ),
  minPasswordLength: optional(aCount(8, 64)),
  passwords: optional(anObjectWith<PasswordHasher>('hash', 'verify', 'needsRehash')),
  onEvent: optional(aFunction()),
  clock: optional(aFunction()),
})

const loginShape = (): Shape<Omit<LoginOptions, keyof AccountsOptions>> => ({
  secret: aValue(
    (value) => value instanceof Uint8Array && value.length >= 16,
    'must be a Uint8Array of at least 16 bytes',
  ),
  sessionSeconds: optional(aCount(60, 2_592_000)),
  throttle: optional(
    aGroup({
      accountFailures: optional(aCount(1, 1_000_000)),
      firstWaitSeconds: optional(aNumber(1, 900)),
      longestWaitSeconds: optional(aNumber(1, 86_400)),
      addressFailures: optional(aCount(1, 1_000_000)),
      addressWindowSeconds: optional(aNumber(1, 86_400)),
    }),
  ),
  clientAddress: optional(aFunction()),
})

/** What happened. `accountId` is whose account it was, or `null` where it is unknown or nobody's. */
export interface LoginEvent {
  readonly kind:
    | 'login_succeeded'
    | 'login_failed'
    | 'login_throttled'
    /** The stored hash of the account can't be computed here (damaged, dearer than others, of another kind): nobody can log in by it. */
    | 'password_hash_unusable'
    | 'logged_out'
    | 'password_changed'
    | 'user_created'
    | 'user_changed'
    | 'user_removed'
  /** Whose account it was; `null`: unknown, or nobody's. */
  readonly accountId: string | null
  /** Who did it, where that is somebody else: the id of the admin. */
  readonly byId: string | null
  readonly at: Date
}

/** Notify the host. Whatever comes of it, the answer is the same. */
export function notifyEvent(
  { onEvent, clock }: AccountSettings,
  kind: LoginEvent['kind'],
  accountId: string | null,
  byId: string | null = null,
): void {
  notify('createLogin: onEvent', onEvent, Object.freeze({ kind, accountId, byId, at: new Date(clock()) }))
}
