/**
 * Dev mode: nobody logs in and everybody is the admin, on this very machine only. A function of its own, so that no option of
 * the real login can lead here. Hands on what {@link createLogin} does.
 */
import type { Credential, Identity } from '../context.ts'
import { hasCookie } from '../credentials/cookie.ts'
import { requireSameOrigin } from '../credentials/csrf.ts'
import { AuthError } from '../errors.ts'
import { isLoopbackHost } from '../lib/http-url.ts'
import type { PermissionOf, RoleOf, RolesGiven } from '../permissions/roles.ts'
import type { AuthRequest } from '../request.ts'
import type { Account } from '../storage/account-repositories.ts'
import { isLoopbackAddress } from './client-address.ts'
import { type Login, loginOf } from './login.ts'
import { type AccountSettings, type DevLoginOptions, parseDevLoginOptions } from './login-options.ts'
import { createDevRoutes } from './routes.ts'

/**
 * Create dev mode in the place of {@link createLogin}: every request is the admin's, `{"auth_required":false}`, and there
 * is no login route. Every request is refused with `forbidden` unless its peer is loopback, it has no header that proxies
 * add (`Forwarded`, `X-Forwarded-*`, `Via`, `X-Real-IP` and the like, empty or not), its `Host` is a loopback name, and,
 * where its method is unsafe, it is not cross-site, whatever its `Authorization`. What a host serves by no route or wrapper
 * of the auth's (pages, files) is guarded by `middleware('public')` in front of it.
 * Cost: nothing but the user routes' storage queries.
 *
 * Never put a proxy or a tunnel in front of dev mode: one that adds no header can't be seen, and whoever reaches it is admin.
 *
 * @throws OptionsError unless `nodeEnv` is exactly `development` or `test`
 * @example
 * const common = { storage, service: 'ironflow', roles: ['viewer', 'admin'] as const }
 * const login = isDev
 *   ? createDevLogin({ ...common, nodeEnv: process.env.NODE_ENV })
 *   : createLogin({ ...common, secret })
 */
export function createDevLogin<const G extends RolesGiven>(
  options: DevLoginOptions<G>,
): Login<RoleOf<G>, PermissionOf<G>> {
  const settings = parseDevLoginOptions(options as DevLoginOptions)
  const [identity, user] = [devIdentity(settings), devUser(settings)]
  // An old session that a browser still sends is as good as none: who may enter is decided before.
  const verifier = Object.freeze({
    verify: async () => identity,
    bindsScopes: false,
    machines: [],
    isReady: () => true,
  })
  const users = async () => ({ user, role: settings.adminRole })
  const cookie = { name: settings.cookieName }
  const dev = (request: AuthRequest) => toDevCredential(request, cookie.name)
  return loginOf<RoleOf<G>, PermissionOf<G>>(settings, { verifier, users, cookie, dev }, createDevRoutes(settings))
}

// What stands in for a credential where a request brings none; refuses what does not come from this machine.
function toDevCredential(request: AuthRequest, cookieName: string): Credential {
  if (!isLoopbackAddress(request.remoteAddress)) throw new AuthError('forbidden', { reason: 'dev_peer_not_loopback' })
  // A request whose header names are not known may have been forwarded.
  const { headerNames } = request
  const got = headerNames === undefined ? 'unknown headers' : headerNames().find((name) => FORWARDING.test(name))
  if (got !== undefined) throw new AuthError('forbidden', { reason: 'dev_request_forwarded', got })
  if (!isLoopbackNamed(request)) throw new AuthError('forbidden', { reason: 'dev_host_not_loopback' })
  requireSameOrigin(request, null, hasCookie(request.lines('cookie'), cookieName))
  return { kind: 'bearer', token: 'dev', from: 'header' }
}

// What proxies are known to add, whatever is in it. One that adds nothing can't be seen.
const FORWARDING =
  /^(?:(?:x-)?forwarded(?:-.*)?|via|x-real-ip|x-client-ip|x-cluster-client-ip|cf-connecting-ip(?:v6)?|true-client-ip|fastly-client-ip|cdn-loop)$/i

// DNS rebinding: another site's name may lead to this machine, but the browser still says the name. A target that names a
// host stands above `Host` (RFC 9112 §3.2.2).
function isLoopbackNamed({ lines, path }: AuthRequest): boolean {
  const [hosts, authorities] = [lines('host'), lines(':authority')]
  if (hosts.length + authorities.length === 0 || hosts.length > 1 || authorities.length > 1) return false
  const [, ...targets] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(path) ?? []
  return [...hosts, ...authorities, ...targets].every((name) => isLoopbackHost(name.replace(/:\d{1,5}$/, '')))
}

function devIdentity({ service }: AccountSettings): Identity<'ver'> {
  return Object.freeze({
    issuer: service,
    subject: 'dev',
    kind: 'person',
    audience: Object.freeze([service]),
    email: null,
    emailVerified: null,
    name: null,
    scopes: null,
    actor: null,
    tokenId: null,
    // One identity for every request, and a Date can't be frozen.
    get expiresAt() {
      return new Date(8.64e15)
    },
    claims: Object.freeze({ ver: 0 }),
  })
}

function devUser({ adminRole }: AccountSettings): Account {
  return Object.freeze({
    ...{ id: 'dev', email: 'dev@localhost', role: adminRole, disabled: false, sessionVersion: 0 },
    get createdAt() {
      return new Date(0)
    },
  })
}
