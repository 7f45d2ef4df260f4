/**
 * The options of `createLogin` and `createDevLogin`, checked: what decides trust throws here, not at a request. Hands on the
 * settings, whose hook for the audit log the whole login notifies.
 */
import * as z from 'zod/mini'
import { isHttpUrl, isLoopbackUrl } from '../lib/http-url.ts'
import { notify } from '../lib/notify.ts'
import { aFunction, aGroup, aName, aNumber, anObjectWith, optionsError, parseOptions } from '../lib/parse-options.ts'
import { createRoleLadder } from '../permissions/role-ladder.ts'
import type { AuthRequest } from '../request.ts'
import type { AccountStorage } from '../storage/account-repositories.ts'
import { withStorageErrors } from '../storage/storage-errors.ts'
import { createPasswordHasher, type PasswordHasher } from './password-hash.ts'
import type { PasswordRules } from './password-rules.ts'
import { DEFAULT_LIMITS, type ThrottleLimits } from './throttle.ts'

/** Where the routes are. */
export interface LoginPaths {
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
export interface AccountsOptions<R extends string = string> {
  /** Where accounts, ended sessions and the throttle's counters are kept. */
  readonly storage: AccountStorage
  /** The service's name: `iss` and `aud` of its sessions; no password may be little more than it. */
  readonly service: string
  /** The role ladder, lowest first: `createAuth` gets it with the rest of `login.auth`. */
  readonly roles: readonly R[]
  /** The lowest role that manages users, and of which one enabled account always remains. Default: the highest. */
  readonly adminRole?: R | undefined
  /** The session cookie's name. Default `__Host-session`, which needs TLS, or a loopback host. */
  readonly cookieName?: string | undefined
  /** Where the service is reached behind a proxy: decides `Secure` and the own origin. Default: socket and `Host`. */
  readonly publicUrl?: string | undefined
  /** Other paths of the routes, one by one. Default `/api/v1/auth/login`, `…/logout`, `…/validate`, `…/password`, `/api/v1/capabilities`, `/api/v1/users`. */
  readonly paths?: { readonly [K in keyof LoginPaths]?: LoginPaths[K] | undefined } | undefined
  /** Fewest code points of a new password: 8 to 64. Default 15, what a password without a second factor needs. */
  readonly minPasswordLength?: number | undefined
  /** What hashes passwords. Default: {@link createPasswordHasher} as it is. */
  readonly passwords?: PasswordHasher | undefined
  /** Told of what happened, for the audit log. It delays and changes nothing. */
  readonly onEvent?: ((event: LoginEvent) => unknown) | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** Options of {@link createLogin}. */
export interface LoginOptions<R extends string = string> extends AccountsOptions<R> {
  /** The bytes sessions are signed with: {@link loadSigningSecret} finds them. */
  readonly secret: Uint8Array
  /** How long a session lives, in seconds: 60 to 2592000. Default 86400. */
  readonly sessionSeconds?: number | undefined
  /** Other limits of the throttle. */
  readonly throttle?: { readonly [K in keyof ThrottleLimits]?: ThrottleLimits[K] | undefined } | undefined
  /**
   * The client's address for the throttle: the one place where a trusted proxy is named ({@link forwardedAddress}); `null`
   * where it is not known: then only accounts are counted. Goes together with `publicUrl`: behind a proxy all clients have
   * the peer's address, and one of them would shut the login for all. Default: the peer of the socket; `X-Forwarded-For`
   * means nothing, because anybody can send one.
   */
  readonly clientAddress?: ((request: AuthRequest) => string | null) | undefined
}

/** What user management works with. */
export interface AccountSettings {
  readonly storage: AccountStorage
  readonly service: string
  readonly roles: readonly string[]
  readonly adminRole: string
  readonly cookieName: string
  readonly publicUrl: string | null
  readonly paths: LoginPaths
  readonly rules: PasswordRules
  readonly passwords: PasswordHasher
  readonly onEvent: ((event: LoginEvent) => unknown) | undefined
  readonly clock: () => number
}

/** What login works with. */
export interface LoginSettings extends AccountSettings {
  readonly secret: Uint8Array
  readonly sessionSeconds: number
  readonly limits: ThrottleLimits
  readonly clientAddress: (request: AuthRequest) => string | null
}

/** Parse the options of `createLogin`; throws `OptionsError`. */
export function parseLoginOptions(options: unknown): LoginSettings {
  const parsed = parseOptions('createLogin', LOGIN_SHAPE, options)
  const { secret, sessionSeconds = 86_400, clientAddress = ({ remoteAddress }) => remoteAddress } = parsed
  requireTogether(parsed)
  const limits = { ...DEFAULT_LIMITS, ...given(parsed.throttle) }
  return { ...settingsOf('createLogin', parsed), secret, sessionSeconds, clientAddress, limits }
}

// A public URL says that there is a proxy; whose address is the client's, only the host knows.
function requireTogether({ publicUrl, clientAddress }: { publicUrl?: unknown; clientAddress?: unknown }): void {
  if ((publicUrl === undefined) === (clientAddress === undefined)) return
  const [missing, given] = publicUrl === undefined ? ['publicUrl', 'clientAddress'] : ['clientAddress', 'publicUrl']
  throw optionsError(
    'createLogin',
    missing as string,
    `is required where there is "${given}": behind a proxy both are known, or the throttle takes all clients for one`,
  )
}

/** Parse the options of `createDevLogin` but its own; throws `OptionsError`. */
export function parseAccountsOptions(name: string, options: unknown): AccountSettings {
  return settingsOf(name, parseOptions(name, SHAPE, options))
}

function settingsOf(name: string, parsed: ReturnType<typeof parseOptions<typeof SHAPE>>): AccountSettings {
  const { service, cookieName = '__Host-session', publicUrl = null, passwords, onEvent } = parsed
  const storage = withStorageErrors(parsed.storage)
  const ladder = createRoleLadder(parsed.roles, name)
  const adminRole = ladder.named(parsed.adminRole ?? (ladder.roles.at(-1) as string), name, 'adminRole')
  if (publicUrl !== null && hasPrefix(cookieName) && !publicUrl.startsWith('https:') && !isLoopbackUrl(publicUrl)) {
    throw optionsError(name, 'cookieName', 'has a prefix that needs an https "publicUrl"')
  }
  return {
    ...{ storage, service, roles: ladder.roles, adminRole, cookieName, publicUrl, onEvent },
    paths: { ...PATHS, ...given(parsed.paths) },
    rules: { minLength: parsed.minPasswordLength ?? 15, serviceName: service },
    passwords: passwords ?? createPasswordHasher(),
    clock: parsed.clock ?? Date.now,
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

const aPath = z.optional(
  z.custom<string>((path) => typeof path === 'string' && /^(?:\/[A-Za-z0-9._~-]+)+$/.test(path), 'must be a path'),
)

const SHAPE = {
  storage: anObjectWith<AccountStorage>('transaction'),
  service: aName(),
  roles: z.array(z.string()),
  adminRole: z.optional(z.string()),
  cookieName: z.optional(
    z.custom<string>(
      (name) => typeof name === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name),
      'must be a cookie name',
    ),
  ),
  publicUrl: z.optional(z.custom<string>(isHttpUrl, 'must be an http(s) URL')),
  paths: z.optional(
    aGroup({ login: aPath, logout: aPath, validate: aPath, password: aPath, capabilities: aPath, users: aPath }),
  ),
  minPasswordLength: z.optional(aNumber(8, 64)),
  passwords: z.optional(anObjectWith<PasswordHasher>('hash', 'verify', 'needsRehash')),
  onEvent: z.optional(aFunction<(event: LoginEvent) => unknown>()),
  clock: z.optional(aFunction<() => number>()),
}

const LOGIN_SHAPE = {
  ...SHAPE,
  secret: z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length >= 16,
    'must be a Uint8Array of at least 16 bytes',
  ),
  sessionSeconds: z.optional(aNumber(60, 2_592_000)),
  throttle: z.optional(
    aGroup({
      accountFailures: z.optional(aNumber(1, 1_000_000)),
      firstWaitSeconds: z.optional(aNumber(1, 900)),
      longestWaitSeconds: z.optional(aNumber(1, 86_400)),
      addressFailures: z.optional(aNumber(1, 1_000_000)),
      addressWindowSeconds: z.optional(aNumber(1, 86_400)),
    }),
  ),
  clientAddress: z.optional(aFunction<(request: AuthRequest) => string | null>()),
}

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
  notify(onEvent, Object.freeze({ kind, accountId, byId, at: new Date(clock()) }))
}

/** Ask whether a cookie's name is one that browsers accept with `Secure` only (RFC 6265bis §4.1.3). */
export function hasPrefix(name: string): boolean {
  return /^__(?:host|secure)-/i.test(name)
}
